//! VCs that share the data of another: a client that is a call manager as well, in the place of
//! NDPROXY, above a miniport call manager and below another client, in the place of NDISWAN.

use crate::common;

use common::client::{Manages, Shared};
use common::oids::Ask;
use common::{
    Client, Mcm, PENDING, SUCCESS, TAG, Twist, header, host_under, only, plain, put, zeroed,
};
use ndis_host::{Adapter, Host, JoinedActivation, JoinedVc, Readings, Report};
use ndis_sys as n;
use ndis_sys::{CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, NDIS_HANDLE, NDIS_STATUS};
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::SeqCst};

/// What the proxy has as a call manager: one family, one SAP, one VC. Each test has its own, by
/// the proxy's context.
#[derive(Default)]
struct Upper {
    family: AtomicPtr<CO_ADDRESS_FAMILY>,
    af: AtomicPtr<c_void>,
    sap: AtomicPtr<c_void>,
    vc: AtomicPtr<c_void>,
    params: AtomicPtr<CO_CALL_PARAMETERS>,
    closed: AtomicU32,
}

static UPPERS: std::sync::Mutex<Vec<(usize, Arc<Upper>)>> = std::sync::Mutex::new(Vec::new());

/// The call manager behind a context, which is the client's.
fn upper(context: NDIS_HANDLE) -> Arc<Upper> {
    let mut all = UPPERS.lock().unwrap();
    if let Some((_, upper)) = all.iter().find(|it| it.0 == context.addr()) {
        return upper.clone();
    }
    let upper = Arc::<Upper>::default();
    all.push((context.addr(), upper.clone()));
    upper
}

/// Calls a function of NDIS.
macro_rules! ndis {
    ($name:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: handles may be anything; what is pointed to is the driver's, and lives as long
        // as the call's page asks for.
        unsafe { n::$name($($argument),*) }
    }};
}

fn install(driver: NDIS_HANDLE) -> NDIS_STATUS {
    let mut cm: n::NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS = zeroed();
    cm.Header = header(
        n::NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
        1,
        n::NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1,
    );
    cm.CmCreateVcHandler = Some(create_vc);
    cm.CmDeleteVcHandler = Some(one);
    cm.CmOpenAfHandler = Some(open_af);
    cm.CmCloseAfHandler = Some(one);
    cm.CmRegisterSapHandler = Some(register_sap);
    cm.CmDeregisterSapHandler = Some(one);
    cm.CmMakeCallHandler = Some(make_call);
    cm.CmCloseCallHandler = Some(close_call);
    cm.CmIncomingCallCompleteHandler = Some(incoming_call_complete);
    cm.CmAddPartyHandler = Some(add_party);
    cm.CmDropPartyHandler = Some(drop_party);
    cm.CmActivateVcCompleteHandler = Some(activate_complete);
    cm.CmDeactivateVcCompleteHandler = Some(told);
    cm.CmModifyCallQoSHandler = Some(modify);
    cm.CmOidRequestHandler = Some(oid);
    cm.CmOidRequestCompleteHandler = Some(common::oids::complete);
    cm.CmNotifyCloseAfCompleteHandler = Some(notify_close_complete);
    ndis!(NdisSetOptionalHandlers(driver, (&raw mut cm).cast()))
}

fn register(shared: &Shared) {
    let upper = upper((&raw const *shared).cast_mut().cast());
    let value = CO_ADDRESS_FAMILY {
        AddressFamily: n::CO_ADDRESS_FAMILY_TAPI as _,
        MajorVersion: 1,
        MinorVersion: 0,
    };
    // It stays as long as the driver.
    let family = Box::into_raw(Box::new(value));
    upper.family.store(family, SeqCst);
    let binding = shared.binding.load(SeqCst);
    let status = ndis!(NdisCmRegisterAddressFamilyEx(binding, family));
    assert_eq!(status, SUCCESS);
}

unsafe extern "system" fn create_vc(_: NDIS_HANDLE, _: NDIS_HANDLE, _: *mut NDIS_HANDLE) -> i32 {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn one(_: NDIS_HANDLE) -> i32 {
    SUCCESS
}
unsafe extern "system" fn told(_: NDIS_STATUS, _: NDIS_HANDLE) {}
unsafe extern "system" fn notify_close_complete(_: NDIS_HANDLE, _: NDIS_STATUS) {}
unsafe extern "system" fn activate_complete(
    _: NDIS_STATUS,
    _: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
) {
}
unsafe extern "system" fn make_call(
    _: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
    _: NDIS_HANDLE,
    _: *mut NDIS_HANDLE,
) -> i32 {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn add_party(
    _: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
    _: NDIS_HANDLE,
    _: *mut NDIS_HANDLE,
) -> i32 {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn drop_party(_: NDIS_HANDLE, _: *mut c_void, _: u32) -> i32 {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn modify(_: NDIS_HANDLE, _: *mut CO_CALL_PARAMETERS) -> i32 {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn oid(
    _: NDIS_HANDLE,
    _: NDIS_HANDLE,
    _: NDIS_HANDLE,
    _: *mut n::NDIS_OID_REQUEST,
) -> i32 {
    n::NDIS_STATUS_NOT_SUPPORTED
}

unsafe extern "system" fn open_af(
    context: NDIS_HANDLE,
    _: *mut CO_ADDRESS_FAMILY,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> i32 {
    upper(context).af.store(handle, SeqCst);
    put(out, context);
    SUCCESS
}

unsafe extern "system" fn register_sap(
    context: NDIS_HANDLE,
    _: *mut CO_SAP,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> i32 {
    upper(context).sap.store(handle, SeqCst);
    put(out, context);
    SUCCESS
}

unsafe extern "system" fn incoming_call_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
) {
    assert_eq!(status, SUCCESS);
    ndis!(NdisCmDispatchCallConnected(upper(context).vc.load(SeqCst)));
}

unsafe extern "system" fn close_call(
    context: NDIS_HANDLE,
    _: NDIS_HANDLE,
    _: *mut c_void,
    _: u32,
) -> i32 {
    upper(context).closed.fetch_add(1, SeqCst);
    SUCCESS
}

/// The proxy, the client above it, and one at the far end of the call.
#[derive(Clone)]
struct Three {
    proxy: Client,
    wan: Client,
    far: Client,
}

impl Three {
    fn context(&self) -> NDIS_HANDLE {
        Arc::as_ptr(&self.proxy.shared).cast_mut().cast()
    }

    fn upper(&self) -> Arc<Upper> {
        upper(self.context())
    }

    fn lower(&self) -> NDIS_HANDLE {
        self.proxy.shared.vc.load(SeqCst)
    }

    /// Makes a VC whose variable holds this handle.
    fn create(&self, before: NDIS_HANDLE) -> Result<NDIS_HANDLE, NDIS_STATUS> {
        let mut handle = before;
        let binding = self.proxy.shared.binding.load(SeqCst);
        let af = self.upper().af.load(SeqCst);
        let status = ndis!(NdisCoCreateVc(binding, af, self.context(), &raw mut handle));
        if status == SUCCESS {
            assert_ne!(handle, before);
            Ok(handle)
        } else {
            Err(status)
        }
    }

    /// The proxy hands its call up.
    fn join(&self) {
        let upper = self.upper();
        let vc = self.create(self.lower()).unwrap();
        upper.vc.store(vc, SeqCst);
        let size = size_of::<CO_CALL_PARAMETERS>() as _;
        let params: *mut CO_CALL_PARAMETERS =
            ndis!(ExAllocatePoolWithTag(n::NonPagedPoolNx, size, TAG)).cast();
        put(params, zeroed());
        upper.params.store(params, SeqCst);
        assert_eq!(ndis!(NdisCmActivateVc(vc, params)), SUCCESS);
        let sap = upper.sap.load(SeqCst);
        let status = ndis!(NdisCmDispatchIncomingCall(sap, vc, params));
        assert_eq!(status, PENDING);
        assert_eq!(self.wan.shared.up.load(SeqCst), 1);
    }

    /// The client above has closed its call.
    fn part(&self) {
        let upper = self.upper();
        assert_eq!(upper.closed.swap(0, SeqCst), 1);
        let vc = upper.vc.swap(null_mut(), SeqCst);
        assert_eq!(ndis!(NdisCmDeactivateVc(vc)), SUCCESS);
        assert_eq!(ndis!(NdisCoDeleteVc(vc)), SUCCESS);
        let params = upper.params.swap(null_mut(), SeqCst);
        ndis!(ExFreePoolWithTag(params.cast(), TAG));
    }
}

struct World {
    host: Host,
    mcm: Mcm,
    three: Three,
    adapter: Adapter,
}

impl World {
    /// On a host that expects these rules to be broken; the far end calls the proxy, if it is to
    /// listen.
    fn new(readings: Readings, mcm: Twist, listens: bool, rules: &[&str]) -> Self {
        Self::without(readings, mcm, listens, rules, false)
    }

    /// As [`new`](Self::new), or with nobody at the far end.
    fn without(readings: Readings, mcm: Twist, listens: bool, rules: &[&str], alone: bool) -> Self {
        let host = host_under(readings);
        for rule in rules {
            host.expect(rule);
        }
        let mcm = Mcm::load(&host, mcm);
        let manages = Some(Manages { install, register });
        let proxy = Client::load_as(&host, "raw-proxy", Twist::None, listens, manages);
        let wan = Client::load(&host, "raw-wan", Twist::None, true);
        let far = Client::load(&host, "far", Twist::None, !listens);
        for (client, family) in [
            (&proxy, n::CO_ADDRESS_FAMILY_L2TP),
            (&wan, n::CO_ADDRESS_FAMILY_TAPI),
            (
                &far,
                if alone {
                    u32::MAX
                } else {
                    n::CO_ADDRESS_FAMILY_L2TP
                },
            ),
        ] {
            client.shared.wants.store(family as _, SeqCst);
        }
        let adapter = host.add_adapter(&mcm.driver).expect("initialize");
        host.run();
        Self {
            host,
            mcm,
            three: Three { proxy, wan, far },
            adapter,
        }
    }

    fn run(&self, body: impl FnOnce(Three) + Send + 'static) {
        let three = self.three.clone();
        self.host.spawn("test", move || body(three));
        self.host.run();
    }

    fn down(self, rules: &[&str], who: &str) -> Report {
        let Three { proxy, wan, far } = &self.three;
        self.host.unload(&wan.driver);
        self.host.unload(&proxy.driver);
        self.host.unload(&far.driver);
        let upper = self.three.upper();
        let family = upper.family.swap(null_mut(), SeqCst);
        assert!(!family.is_null());
        UPPERS
            .lock()
            .unwrap()
            .retain(|it| it.0 != self.three.context().addr());
        // SAFETY: made with the binding, which is closed.
        drop(unsafe { Box::from_raw(family) });
        self.host.remove_adapter(&self.adapter);
        self.host.unload(&self.mcm.driver);
        let report = self.host.finish();
        only(&report, rules);
        assert!(report.is_clean(), "{report}");
        for violation in &report.expected {
            assert_eq!(&*violation.who, who, "{report}");
        }
        report
    }
}

fn under(joined_vc: JoinedVc, joined_activation: JoinedActivation) -> Readings {
    Readings {
        joined_vc,
        joined_activation,
        ..plain()
    }
}

/// Whoever makes the VC beneath, frames go past the proxy both ways; then everything ends.
fn life(readings: Readings, mcm: Twist, listens: bool, rules: &[&str], who: &str) -> u32 {
    let world = World::new(readings, mcm, listens, rules);
    world.run(move |it| {
        let caller = if listens { &it.far } else { &it.proxy };
        caller.call();
    });
    world.run(|it| it.join());
    world.run(|it| {
        it.wan.send();
        it.far.send();
    });
    let frames = |client: &Client| {
        let of = &client.shared;
        (of.sent.load(SeqCst), of.received.load(SeqCst))
    };
    let Three { proxy, wan, far } = &world.three;
    assert_eq!([frames(wan), frames(far)], [(1, 1); 2]);
    assert_eq!(frames(proxy), (0, 0));
    world.run(|it| it.wan.hang_up());
    world.run(|it| {
        it.part();
        it.proxy.hang_up();
    });
    let beneath = world.mcm.shared.beneath.load(SeqCst);
    // For the log both VCs of the proxy's are of one call.
    let events = world.host.events();
    let calls: BTreeSet<_> = events.iter().filter_map(|event| event.call).collect();
    assert_eq!(calls.len(), 1, "{calls:?}");
    world.down(rules, who);
    beneath
}

#[test]
fn frames_go_straight_through() {
    for vc in JoinedVc::ALL {
        for listens in [false, true] {
            for mcm in [Twist::None, Twist::ActivationAnswered] {
                let readings = under(*vc, JoinedActivation::ByOwner);
                assert_eq!(life(readings, mcm, listens, &[], ""), 0);
                let readings = under(*vc, JoinedActivation::Asked);
                let asked = 2 * u32::from(mcm == Twist::ActivationAnswered);
                assert_eq!(life(readings, mcm, listens, &[], ""), asked);
            }
        }
    }
}

#[test]
fn vc_72_an_mcm_that_refuses_what_it_has_done() {
    let readings = under(JoinedVc::Shared, JoinedActivation::Asked);
    let mcm = Twist::ActivationRefused;
    assert_eq!(life(readings, mcm, false, &["VC-72"], "raw-mcm"), 2);
}

/// A VC of the proxy's, for what goes wrong before or after.
fn call(rules: &[&str], mcm: Twist, listens: bool) -> World {
    let world = World::new(plain(), mcm, listens, rules);
    world.run(move |it| {
        let caller = if listens { &it.far } else { &it.proxy };
        caller.call();
    });
    world
}

#[test]
fn vc_70_what_cannot_be_shared() {
    let rules = ["VC-70"];
    let world = call(&rules, Twist::None, false);
    world.run(|it| {
        // One that is another's.
        let other = it.far.shared.vc.load(SeqCst);
        assert_eq!(it.create(other), Err(n::NDIS_STATUS_FAILURE));
        it.join();
        // One that is shared.
        assert_eq!(it.create(it.lower()), Err(n::NDIS_STATUS_FAILURE));
        it.wan.hang_up();
        it.part();
        it.proxy.hang_up();
    });
    let report = world.down(&rules, "raw-proxy");
    assert_eq!(report.expected.len(), 2, "{report}");
}

/// What is no VC, or an old one, is as wrong as ever.
#[test]
fn vc_05_a_variable_that_holds_something_else() {
    let rules = ["VC-05"];
    let world = call(&rules, Twist::None, false);
    world.run(|it| {
        let binding = it.proxy.shared.binding.load(SeqCst);
        let vc = it.create(binding).unwrap();
        assert_eq!(ndis!(NdisCoDeleteVc(vc)), SUCCESS);
        it.proxy.hang_up();
    });
    world.down(&rules, "test");
}

/// A client's own, and one that its call manager deletes.
#[test]
fn vc_71_the_lower_vc_goes_first() {
    for listens in [false, true] {
        let rules = ["VC-71"];
        let world = call(&rules, Twist::None, listens);
        world.run(move |it| {
            it.join();
            it.wan.hang_up();
            if listens {
                // The proxy says yes to the deletion.
                it.proxy.hang_up();
            } else {
                let lower = it.lower();
                it.proxy
                    .shared
                    .when_closed
                    .lock()
                    .unwrap()
                    .replace(Box::new(|| {}));
                it.proxy.hang_up();
                assert_eq!(ndis!(NdisCoDeleteVc(lower)), n::NDIS_STATUS_NOT_ACCEPTED);
            }
            it.part();
            if !listens {
                let lower = it.proxy.shared.vc.swap(null_mut(), SeqCst);
                assert_eq!(ndis!(NdisCoDeleteVc(lower)), SUCCESS);
            }
        });
        world.down(&rules, "raw-proxy");
    }
}

/// The call beneath ends, and the client above sends on: the MCM's deactivation does not stop
/// that, and an MCM that knows what it does says that it failed.
#[test]
fn vc_73_what_is_sent_after_the_end() {
    for (mcm, rules) in [(Twist::None, &[][..]), (Twist::SendsInactive, &["VC-73"])] {
        let world = call(rules, mcm, false);
        world.run(|it| {
            it.join();
            it.proxy
                .shared
                .when_closed
                .lock()
                .unwrap()
                .replace(Box::new(|| {}));
            it.proxy.hang_up();
            it.wan.send();
            assert_eq!(it.wan.shared.sent.load(SeqCst), 1);
            it.wan.hang_up();
            it.part();
            let lower = it.proxy.shared.vc.swap(null_mut(), SeqCst);
            assert_eq!(ndis!(NdisCoDeleteVc(lower)), SUCCESS);
        });
        world.down(rules, "raw-mcm");
    }
}

/// What the MCM says of its VC.
#[test]
fn a_status_reaches_whom_the_vc_is_of() {
    for vc in JoinedVc::ALL {
        let readings = under(*vc, JoinedActivation::ByOwner);
        let world = World::without(readings, Twist::None, true, &[], true);
        let shared = world.mcm.shared.clone();
        let mcm = shared.clone();
        world.run(move |it| {
            mcm.open_line();
            mcm.offer();
            mcm.connect();
            it.join();
            let code = n::NDIS_STATUS_WAN_CO_FRAGMENT;
            let mut errors = [0_u8; 4];
            let status = common::oids::indication(mcm.adapter(), code, &mut errors);
            common::oids::indicate(mcm.adapter(), mcm.line(), status);
            let heard = |client: &Client| client.shared.oids.told.lock().unwrap().len();
            assert_eq!(heard(&it.wan), 1);

            // A request about the upper VC is one about the MCM's.
            let wan = &it.wan.shared;
            let ask = Ask::query(&wan.oids, n::OID_GEN_CO_RCV_PDUS_OK as _, 4);
            let (binding, vc) = (wan.binding.load(SeqCst), wan.vc.load(SeqCst));
            mcm.oids.answers(|asked| {
                common::oids::write(asked.request.0, &[7; 4]);
                SUCCESS
            });
            let status = common::oids::co(binding, null_mut(), vc, &ask);
            assert_eq!(status, SUCCESS);
            ask.free();
            let asked = mcm.oids.asked.lock().unwrap().last().copied().unwrap();
            let context = asked.vc.0.cast::<common::mcm::Vc>();
            // SAFETY: the MCM's VC is there.
            let handle = unsafe { &(*context).handle };
            assert_eq!(handle.load(SeqCst), mcm.line());
            it.wan.hang_up();
            it.part();
            it.proxy.hang_up();
            mcm.close_line();
        });
        let heard = world.three.proxy.shared.oids.told.lock().unwrap().len();
        assert_eq!(heard, usize::from(*vc == JoinedVc::Shared));
        world.down(&[], "");
    }
}

/// NDISWAN hears of the window by the VC beneath, and keeps to it on its own.
#[test]
fn wan_04_a_window_that_is_closed_beneath() {
    for vc in JoinedVc::ALL {
        for sends in [false, true] {
            let rules: &[&str] = if sends { &["WAN-04"] } else { &[] };
            let readings = under(*vc, JoinedActivation::ByOwner);
            let world = World::without(readings, Twist::None, true, rules, true);
            let mcm = world.mcm.shared.clone();
            world.run(move |it| {
                mcm.open_line();
                mcm.offer();
                mcm.connect();
                it.join();
                let told = |window: u32| {
                    let mut line = [1000, 1000, window].map(u32::to_ne_bytes).concat();
                    let code = n::NDIS_STATUS_WAN_CO_LINKPARAMS;
                    let status = common::oids::indication(mcm.adapter(), code, &mut line);
                    common::oids::indicate(mcm.adapter(), mcm.line(), status);
                };
                told(0);
                if sends {
                    // A thread knows of what was told before its last call: so the second one.
                    it.wan.send();
                    it.wan.send();
                }
                told(1);
                it.wan.send();
                it.wan.hang_up();
                it.part();
                it.proxy.hang_up();
                mcm.close_line();
            });
            let report = world.down(rules, "test");
            assert_eq!(report.expected.len(), rules.len(), "{report}");
        }
    }
}
