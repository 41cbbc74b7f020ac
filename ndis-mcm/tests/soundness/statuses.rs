//! What a driver gives as a failure is one to everybody: case
//! `failed_initialize::informational`.
//!
//! Only a negative status is a failure to the loader and to much of Windows. A
//! driver may give any, such as `NOT_ACCEPTED` or one that another driver made up;
//! none that is not negative leaves the driver. Each test has one code that nobody
//! else uses, and looks for it in what the other side was told and in the log of
//! all calls and callbacks.

use super::*;
use ndis_co::{Load, ServiceKey};
use ndis_host::{EventKind, EventMode};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// What drivers give here: informational, a success with a text, pending, and
/// success itself.
const CODES: [Status; 5] = [
    Status::from_raw(0x4000_0006),
    Status::NOT_ACCEPTED,
    Status::from_raw(0x0000_0007),
    Status::PENDING,
    Status::SUCCESS,
];

/// Those of them that nobody else has a use for.
fn is_ours(code: Status) -> bool {
    !code.is_pending() && !code.is_success()
}

/// Every event of the run is without the code, but for those of `except`.
#[track_caller]
fn never_crossed(host: &Host, code: Status, except: &[&str]) {
    if !is_ours(code) {
        return;
    }
    let events = host.events();
    assert!(!events.is_empty());
    for event in events {
        // What the test has the host answer on purpose is no driver's.
        let ours = except.contains(&event.name) && event.kind == EventKind::Return;
        let crossed = event.status == Some(code.raw()) && !ours;
        assert!(!crossed, "{code:?} crossed the seam: {event}");
    }
}

fn builder() -> Builder {
    Host::builder().seed(1).events(EventMode::All)
}

/// The code that the drivers below fail to load with.
static LOADS_WITH: Mutex<Status> = Mutex::new(Status::SUCCESS);

struct NeverLoaded;

impl Load for NeverLoaded {
    fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        Err(*LOADS_WITH.lock().unwrap())
    }
}

impl Miniport for NeverLoaded {
    type Adapter = ();
    type Role = Connectionless;
    fn initialize<'i>(
        &self,
        _init: Initialize<'i, Self, New>,
        _irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Err(Status::FAILURE)
    }
}

impl Protocol for NeverLoaded {
    const NAME: &'static str = "Never";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Err(Status::FAILURE)
    }
}

impl Client for NeverLoaded {
    type Af = ();
    type Sap = ();
    type Vc = ();
    fn address_family(&self, _: &Binding<Self>, _: AfOffer<'_, Self>, _: &mut Passive) {}
    fn af_opened(&self, _: Opened<Self>, _: &mut Passive) {}
    fn call_connected(&self, _: &Leg<Self>, _: Option<CallParameters<'_>>, _: &mut UpToDispatch) {}
    fn receive(&self, _: &Leg<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}
}

mod miniport {
    ndis_mcm::driver_entry!(super::NeverLoaded);
}

mod protocol {
    ndis_co::driver_entry!(super::NeverLoaded);
}

/// Case `failed_initialize::informational`: a driver that does not want to be
/// loaded is not, miniport or protocol.
#[test]
fn a_failed_load_is_a_failure_to_the_loader() {
    for code in CODES {
        *LOADS_WITH.lock().unwrap() = code;
        for entry in [miniport::driver_entry, protocol::driver_entry] {
            let _alone = alone();
            let host = builder().build();
            // SAFETY: an entry point of a driver, called by this host once.
            let loaded = unsafe { host.load("never", entry) };
            assert_eq!(loaded, Err(Status::FAILURE.raw()), "{code:?}");
            never_crossed(&host, code, &[]);
            let report = host.finish();
            assert!(report.is_clean(), "{report}");
        }
    }
}

/// As above, when it is NDIS that refuses the registration, with such a code.
#[test]
fn a_registration_that_ndis_refuses_is_a_failure_to_the_loader() {
    for code in CODES.into_iter().filter(|code| !code.is_success()) {
        for (call, nth) in [
            ("NdisMRegisterMiniportDriver", 1),
            ("NdisRegisterProtocolDriver", 1),
            ("NdisSetOptionalHandlers", 1),
            ("NdisSetOptionalHandlers", 2),
        ] {
            for miniport in [true, false] {
                let _alone = alone();
                let host = builder().build();
                host.fail_call(call, nth, code.raw());
                let exchange = Exchange(Arc::new(Office {
                    switch: PlainSwitch,
                    sap: Place::default(),
                    vc: Place::default(),
                }));
                let handset = Handset(Arc::new(Household {
                    phone: PlainPhone,
                    af: Place::default(),
                    sap: Place::default(),
                    vc: Place::default(),
                }));
                let loaded = if miniport {
                    let entry = Entry::new(exchange);
                    // SAFETY: the host calls this once, as DriverEntry.
                    host.load_with("switch", move |o, p| unsafe { entry.run(o, p) })
                } else {
                    let entry = ndis_co::client::Entry::new(handset);
                    // SAFETY: as above.
                    host.load_with("phone", move |o, p| unsafe { entry.run(o, p) })
                };
                let meant = match call {
                    "NdisMRegisterMiniportDriver" => miniport,
                    "NdisRegisterProtocolDriver" => !miniport,
                    _ => true,
                };
                match loaded {
                    Err(status) => assert!(meant && status < 0, "{code:?} {call}: {status:#x}"),
                    Ok(driver) => {
                        assert!(!meant, "{code:?} {call}: loaded");
                        host.unload(&driver);
                    }
                }
                never_crossed(&host, code, &[call]);
                let report = host.finish();
                assert!(report.is_clean(), "{code:?} {call}: {report}");
            }
        }
    }
}

/// A switch that fails with its code at one point.
struct FailsAt {
    point: &'static str,
    code: Status,
    /// Once only, so that the rest of the life can go on.
    done: AtomicBool,
    open: Place<PendingOpenAf<Exchange<Self>>>,
    sap: Place<PendingRegisterSap<Exchange<Self>>>,
    call: Place<PendingMakeCall<Exchange<Self>>>,
    told: Notes<Status>,
}

impl FailsAt {
    fn new(point: &'static str, code: Status) -> Self {
        Self {
            point,
            code,
            done: AtomicBool::new(false),
            open: Place::default(),
            sap: Place::default(),
            call: Place::default(),
            told: Notes::default(),
        }
    }

    fn at(&self, point: &'static str) -> bool {
        self.point == point && !self.done.swap(true, SeqCst)
    }
}

impl Switch for FailsAt {
    fn adapter(&self, _scope: &Scope) -> Result<Context, Status> {
        if self.at("initialize") {
            return Err(self.code);
        }
        Ok(None)
    }

    fn restart(&self) -> Result<(), Status> {
        if self.at("restart") {
            return Err(self.code);
        }
        Ok(())
    }

    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        request: OpenAf<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.at("open") {
            return request.refuse(self.code);
        }
        if self.at("open, later") {
            let (answer, token) = request.pend();
            self.open.put(token);
            return answer;
        }
        request.accept(None)
    }

    fn register_sap<'r>(
        &self,
        request: RegisterSap<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> (Answer<'r>, Option<Sap<Exchange<Self>>>) {
        if self.at("sap") {
            return (request.refuse(self.code), None);
        }
        if self.at("sap, later") {
            let (answer, token) = request.pend();
            self.sap.put(token);
            return (answer, None);
        }
        let (answer, sap) = request.accept(None);
        (answer, Some(sap))
    }

    fn create_vc(
        &self,
        _af: &Af<Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        if self.at("create") {
            return Err(self.code);
        }
        Ok(None)
    }

    fn make_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: MakeCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.at("call") {
            return request.refuse(self.code);
        }
        if self.at("call, later") {
            let (answer, token) = request.pend();
            self.call.put(token);
            return answer;
        }
        request.accept(irql)
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.at("close") {
            return request.refuse(self.code);
        }
        request.finish(irql)
    }

    fn send(
        &self,
        _vc: &Vc<Exchange<Self>>,
        lists: SendLists<Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) {
        let status = if self.at("send") {
            self.code
        } else {
            Status::SUCCESS
        };
        lists.complete(status, irql);
    }

    fn incoming_call_refused(
        &self,
        _vc: &Vc<Exchange<Self>>,
        status: Status,
        _irql: &mut UpToDispatch,
    ) {
        self.told.add(status);
    }
}

/// A client that fails with its code at one point, and notes what it is told.
struct Failing {
    point: &'static str,
    code: Status,
    done: AtomicBool,
    told: Notes<Status>,
    sent: Notes<Status>,
    token: Place<ndis_co::client::PendingIncomingCall<Handset<Self>>>,
}

impl Failing {
    fn new(point: &'static str, code: Status) -> Self {
        Self {
            point,
            code,
            done: AtomicBool::new(false),
            told: Notes::default(),
            sent: Notes::default(),
            token: Place::default(),
        }
    }

    fn at(&self, point: &'static str) -> bool {
        self.point == point && !self.done.swap(true, SeqCst)
    }
}

impl Phone for Failing {
    const LISTENS: bool = true;

    fn bind(&self, _adapter: &NewBinding<'_>) -> Result<Context, Status> {
        if self.at("bind") {
            return Err(self.code);
        }
        Ok(None)
    }

    fn af_open_failed(&self, status: Status) {
        self.told.add(status);
    }

    fn sap_registered(&self, result: Result<(), Status>) {
        if let Err(status) = result {
            self.told.add(status);
        }
    }

    fn create_vc(
        &self,
        _af: &ndis_co::client::Af<Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        if self.at("incoming create") {
            return Err(self.code);
        }
        Ok(None)
    }

    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.at("incoming call") {
            return call.refuse(self.code);
        }
        if self.at("incoming call, later") {
            let (answer, token) = call.pend();
            self.token.put(token);
            return answer;
        }
        let (answer, call) = call.accept();
        let _ = call.keep();
        answer
    }

    fn call_failed(&self, _vc: &Leg<Handset<Self>>, status: Status, _irql: &mut UpToDispatch) {
        self.told.add(status);
    }

    fn incoming_close(
        &self,
        _vc: &Leg<Handset<Self>>,
        status: Status,
        _data: &[u8],
        _irql: &mut UpToDispatch,
    ) {
        self.told.add(status);
    }

    fn send_complete(
        &self,
        _vc: &Leg<Handset<Self>>,
        lists: NetBufferLists,
        _irql: &mut UpToDispatch,
    ) {
        for list in &lists {
            self.sent.add(list.status());
        }
    }
}

/// What `told` was told once: a failure.
#[track_caller]
fn one_failure(told: &Notes<Status>, about: &str) {
    let told = told.all();
    assert_eq!(told, [Status::FAILURE], "{about}");
}

/// As `failed_initialize::informational`, of an adapter: initialization and
/// restart.
#[test]
fn an_adapter_that_fails_is_a_failure_to_ndis() {
    for code in CODES {
        let switch = FailsAt::new("initialize", code);
        let mut world = World::load(builder(), switch, PlainPhone);
        assert_eq!(world.start(), Err(Status::FAILURE.raw()), "{code:?}");
        never_crossed(&world.host, code, &[]);
        world.end_clean();

        let switch = FailsAt::new("restart", code);
        switch.done.store(true, SeqCst);
        let world = World::new(builder(), switch, PlainPhone);
        let adapter = world.adapter.unwrap();
        world.host.pause(&adapter);
        world.exchange.switch.done.store(false, SeqCst);
        let restarted = world.host.restart(&adapter);
        assert_eq!(restarted, Err(Status::FAILURE.raw()), "{code:?}");
        assert_eq!(world.host.restart(&adapter), Ok(()));
        never_crossed(&world.host, code, &[]);
        world.end_clean();
    }
}

/// As `failed_initialize::informational`, of a binding.
#[test]
fn a_bind_that_fails_is_a_failure_to_ndis() {
    for code in CODES {
        let world = World::new(builder(), PlainSwitch, Failing::new("bind", code));
        let events = world.host.events();
        let bound = events.iter().find(|event| {
            event.name == "ProtocolBindAdapterEx" && event.kind == EventKind::CallbackReturn
        });
        let status = bound.and_then(|event| event.status);
        assert_eq!(status, Some(Status::FAILURE.raw()), "{code:?}");
        assert!(world.handset.af.is_empty());
        never_crossed(&world.host, code, &[]);
        world.end_clean();
    }
}

/// As `failed_initialize::informational`, of each request that a call manager may
/// refuse.
#[test]
fn what_a_call_manager_refuses_is_a_failure_to_the_client() {
    for code in CODES {
        for point in ["open", "open, later", "sap", "sap, later"] {
            let about = format!("{code:?} {point}");
            let switch = FailsAt::new(point, code);
            let world = World::new(builder(), switch, Failing::new("", code));
            let exchange = world.exchange.clone();
            world.thread("answer", move |irql| {
                let switch = &exchange.switch;
                if let Some(token) = switch.open.take() {
                    token.refuse(switch.code, irql);
                }
                if let Some(token) = switch.sap.take() {
                    token.refuse(switch.code, irql);
                }
            });
            world.host.run();
            one_failure(&world.handset.phone.told, &about);
            never_crossed(&world.host, code, &[]);
            world.end_clean();
        }
        for point in ["create", "call", "call, later"] {
            let about = format!("{code:?} {point}");
            let world = World::new(builder(), FailsAt::new(point, code), Failing::new("", code));
            let (handset, exchange) = (world.handset.clone(), world.exchange.clone());
            world.thread("caller", move |irql| {
                let af = handset.af.get().unwrap();
                match af.create_vc(None, irql) {
                    Err(status) => handset.phone.told.add(status),
                    Ok(vc) => drop(vc.make_call(parameters(b"call"), irql).keep()),
                }
                if let Some(token) = exchange.switch.call.take() {
                    token.refuse(exchange.switch.code, irql);
                }
            });
            world.host.run();
            one_failure(&world.handset.phone.told, &about);
            never_crossed(&world.host, code, &[]);
            world.end_clean();
        }
    }
}

/// As `failed_initialize::informational`, of a close, of data, and of an end that
/// the call manager announces: there success and failure are both right.
#[test]
fn what_a_call_manager_completes_has_a_final_status() {
    for code in CODES {
        for point in ["close", "send", "announced end"] {
            let world = World::new(builder(), FailsAt::new(point, code), Failing::new("", code));
            world.place_call();
            world.host.run();
            let (handset, exchange) = (world.handset.clone(), world.exchange.clone());
            world.thread("both ends", move |irql| {
                let leg = handset.vc.get().unwrap();
                let list = leg.af().binding().pool.allocate(4).unwrap();
                leg.send(list.into(), irql).unwrap();
                if point == "announced end" {
                    let vc = exchange.vc.take().unwrap();
                    vc.dispatch_incoming_close(code, &[], irql).unwrap();
                } else {
                    leg.hang_up(&[], irql).unwrap();
                }
            });
            world.host.run();
            let expected = if code.is_success() {
                Status::SUCCESS
            } else {
                Status::FAILURE
            };
            let phone = &world.handset.phone;
            match point {
                "send" => assert_eq!(phone.sent.all(), [expected], "{code:?}"),
                "announced end" => assert_eq!(phone.told.all(), [expected], "{code:?}"),
                _ => assert!(world.exchange.switch.done.load(SeqCst)),
            }
            never_crossed(&world.host, code, &[]);
            world.end_clean();
        }
    }
}

/// As `failed_initialize::informational`, of each request that a client may refuse.
#[test]
fn what_a_client_refuses_is_a_failure_to_the_call_manager() {
    for code in CODES {
        for point in ["incoming create", "incoming call", "incoming call, later"] {
            let about = format!("{code:?} {point}");
            let world = World::new(builder(), FailsAt::new("", code), Failing::new(point, code));
            let (handset, exchange) = (world.handset.clone(), world.exchange.clone());
            world.thread("network", move |irql| {
                let sap = exchange.sap.get().unwrap();
                match sap.create_vc(None, irql) {
                    Err(status) => exchange.switch.told.add(status),
                    Ok(vc) => {
                        let vc = vc.activate(parameters(b"the link's"), irql).unwrap();
                        drop(vc.dispatch_incoming_call(parameters(b"offer"), irql));
                    }
                }
                let phone = &handset.phone;
                if phone.point == "incoming call, later"
                    && wait_until(|| !phone.token.is_empty(), irql)
                {
                    let token = phone.token.take().unwrap();
                    token.refuse(phone.code, irql);
                }
            });
            world.host.run();
            one_failure(&world.exchange.switch.told, &about);
            never_crossed(&world.host, code, &[]);
            world.end_clean();
        }
    }
}
