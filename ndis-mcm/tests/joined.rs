//! A call of a miniport call manager is handed up: a protocol in the place of NDPROXY, client and
//! call manager at once, offers it to one in the place of NDISWAN, whose frames go straight to the
//! miniport call manager and come straight from there.

use ndis_co::{
    AsBoth, Status,
    address::SapAddressBuf,
    client::{self, AfOffer, AsClient, Client, Entry, IncomingCall, Received},
    cm::{self, StandaloneCallManager},
    family::{AddressFamily, Family},
    irql::{NoLock, Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists, Side},
    params::{CallParameters, CallParametersBuf},
    protocol::{Binding, NewBinding, OpenedBinding, Protocol},
    tapi::CallId,
    wide::Name,
};
use ndis_host::{
    Adapter as HostAdapter, CallIdText, Driver, Host, JoinedActivation, JoinedVc, Readings,
};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, OpenAf, RegisterSap, SendLists, Vc,
};
use std::convert::Infallible;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// Between the MCM and the proxy.
const BELOW: AddressFamily = AddressFamily::new(Family::TAPI_PROXY, 1, 0);
/// Between the proxy and the one that carries frames.
const ABOVE: AddressFamily = AddressFamily::new(Family::TAPI, 1, 0);

fn parameters() -> Result<CallParametersBuf, Status> {
    CallParametersBuf::builder().build()
}

// The miniport call manager: each frame comes back.

#[derive(Clone, Default)]
struct Modem(Arc<Modulation>);

#[derive(Default)]
struct Modulation {
    /// The VC of the call that is up.
    vc: Mutex<Option<Vc<Modem>>>,
    /// Frames that have come to it.
    sent: AtomicU32,
    echoed: AtomicU32,
    /// Whether frames wait until the call is closed.
    holds: AtomicU32,
    held: Mutex<Vec<SendLists<Modem>>>,
}

impl Miniport for Modem {
    type Adapter = NetBufferListPool;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let pool = NetBufferListPool::for_receives(init.scope(), Tag::new(*b"Test"))?;
        let mut init = init.adapter(pool)?;
        init.register_address_family(BELOW, irql)?;
        Ok(init.finish())
    }
}

impl CallManager for Modem {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::INVALID_SAP)
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let before = self.0.vc.lock().unwrap().replace(vc.clone());
        drop(before);
        // Those that it was asked with are NDPROXY's guess (rule TAPI-09).
        match parameters() {
            Ok(own) => request.accept_with(own, irql),
            Err(status) => {
                drop(self.0.vc.lock().unwrap().take());
                request.refuse(status)
            }
        }
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.close(Status::FAILURE, irql);
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let vc = self.0.vc.lock().unwrap().take();
        drop(vc);
        let over = {
            let mut held = self.0.held.lock().unwrap();
            // A frame may be on its way into this driver.
            self.0.holds.store(0, SeqCst);
            std::mem::take(&mut *held)
        };
        for lists in over {
            lists.complete(Status::SUCCESS, irql);
        }
        request.finish(irql)
    }
}

impl Carry for Modem {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let mut echo = NetBufferLists::new(Side::Miniport);
        for packet in lists.buffers() {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            // Without memory there is no echo.
            if let Ok(mut frame) = vc.base().allocate(bytes.len()) {
                frame.set_data(&bytes).unwrap();
                echo.push_back(frame).unwrap();
            }
        }
        self.0.sent.fetch_add(lists.len() as u32, SeqCst);
        let mut held = self.0.held.lock().unwrap();
        if self.0.holds.load(SeqCst) == 1 {
            held.push(lists);
            drop(held);
        } else {
            drop(held);
            lists.complete(Status::SUCCESS, irql);
        }
        if vc.indicate_receive(echo, irql).is_ok() {
            self.0.echoed.fetch_add(1, SeqCst);
        }
    }
}

// The proxy.

#[derive(Clone, Default)]
struct Proxy(Arc<Desk>);

#[derive(Default)]
struct Desk {
    af: Mutex<Option<client::Af<Proxy>>>,
    sap: Mutex<Option<cm::Sap<Proxy>>>,
    /// Calls, below and above.
    pairs: Mutex<Vec<(client::Vc<Proxy>, cm::Vc<Proxy>)>>,
    /// What came of handing them up.
    handed: Mutex<Vec<Result<(), Status>>>,
    /// Whether it sends a frame of its own before that, and on which VC.
    greets: AtomicU32,
    greeted: Mutex<Option<client::Vc<Proxy>>>,
    lower_gone: AtomicU32,
    upper_gone: AtomicU32,
    received: AtomicU32,
}

impl Desk {
    fn above(&self, lower: &client::Vc<Proxy>) -> Option<cm::Vc<Proxy>> {
        let pairs = self.pairs.lock().unwrap();
        let pair = pairs.iter().find(|pair| pair.0.is(lower))?;
        Some(pair.1.clone())
    }

    fn below(&self, upper: &cm::Vc<Proxy>) -> Option<client::Vc<Proxy>> {
        let pairs = self.pairs.lock().unwrap();
        let pair = pairs.iter().find(|pair| pair.1.is(upper))?;
        Some(pair.0.clone())
    }

    /// The call is up: offers it to the one that listens.
    fn hand_up(&self, lower: &client::Vc<Proxy>, irql: &mut UpToDispatch) -> Result<(), Status> {
        let sap = self.sap.lock().unwrap().clone().ok_or(Status::FAILURE)?;
        let vc = sap.create_vc_joined(lower, (), irql)?;
        // Rule VC-70: one VC shares another.
        let second = sap.create_vc_joined(lower, (), irql);
        let refused = [Status::INVALID_STATE, Status::CLOSING];
        assert!(second.is_err_and(|status| refused.contains(&status)));
        // One at a time.
        self.pairs.lock().unwrap().push((lower.clone(), vc.clone()));
        let vc = vc.activate(parameters()?, irql)?;
        let _ = vc.dispatch_incoming_call(parameters()?, irql);
        Ok(())
    }

    /// Sends a frame of its own beneath.
    fn send(&self, lower: &client::Vc<Proxy>, irql: &mut impl NoLock) -> Result<(), Status> {
        let binding = lower.af().binding();
        let pool = NetBufferListPool::for_sends(binding.scope(), Tag::new(*b"Test"))?;
        let mut frame = pool.allocate(1)?;
        frame.set_data(b"!")?;
        Ok(lower.send(frame.into(), irql)?)
    }

    fn dial(&self) -> Result<(), Status> {
        // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
        let mut irql = unsafe { Passive::assume() };
        let af = self.af.lock().unwrap().clone().ok_or(Status::CLOSING)?;
        let vc = af.create_vc((), &mut irql)?;
        let _ = vc.make_call(parameters()?, &mut irql).keep();
        Ok(())
    }
}

impl Protocol for Proxy {
    const NAME: &'static str = "PROXY";
    type Binding = ();
    type Role = AsBoth;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        binding.register_address_family(ABOVE, irql).unwrap();
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
        let sap = self.0.sap.lock().unwrap().take();
        drop(sap);
    }
}

impl Client for Proxy {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family() == BELOW {
            let _ = offer.open((), irql);
        }
    }

    fn af_opened(&self, af: client::OpenAf<Self>, _: &mut Passive) {
        let before = self.0.af.lock().unwrap().replace(af.keep());
        drop(before);
    }

    fn af_closed(&self, _: &client::Af<Self>, _: &mut UpToDispatch) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
    }

    fn call_connected(
        &self,
        vc: &client::Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        if self.0.greets.load(SeqCst) != 0 {
            *self.0.greeted.lock().unwrap() = Some(vc.clone());
            self.0.send(vc, irql).unwrap();
            return;
        }
        let handed = self.0.hand_up(vc, irql);
        if handed.is_err() {
            let _ = vc.hang_up(&[], irql);
        }
        self.0.handed.lock().unwrap().push(handed);
    }

    fn incoming_close(
        &self,
        vc: &client::Vc<Self>,
        status: Status,
        data: &[u8],
        irql: &mut UpToDispatch,
    ) {
        if let Some(upper) = self.0.above(vc) {
            let _ = upper.dispatch_incoming_close(status, data, irql);
        }
    }

    fn call_closed(&self, vc: &client::Vc<Self>, irql: &mut UpToDispatch) {
        self.incoming_close(vc, Status::SUCCESS, &[], irql);
    }

    fn vc_deleted(&self, _: &client::Vc<Self>, _: &mut UpToDispatch) {
        assert_eq!(
            self.0.pairs.lock().unwrap().len(),
            0,
            "the upper one goes first"
        );
        self.0.lower_gone.fetch_add(1, SeqCst);
    }

    fn receive(&self, _: &client::Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {
        self.0.received.fetch_add(1, SeqCst);
    }

    /// A frame of its own is back, and still counted.
    fn send_complete(&self, vc: &client::Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        drop(lists);
        let handed = self.0.hand_up(vc, irql);
        self.0.handed.lock().unwrap().push(handed);
    }
}

impl StandaloneCallManager for Proxy {
    type Signaling = Infallible;
}

impl CallManager for Proxy {
    type Base = Binding<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Binding<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, sap) = request.accept(());
        let before = self.0.sap.lock().unwrap().replace(sap);
        drop(before);
        answer
    }

    fn deregister_sap<'r>(
        &self,
        _: &cm::Sap<Self>,
        request: cm::DeregisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let sap = self.0.sap.lock().unwrap().take();
        drop(sap);
        request.finish()
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Err(Status::NOT_SUPPORTED)
    }

    fn make_call<'r>(
        &self,
        _: &Vc<Self>,
        request: MakeCall<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::NOT_SUPPORTED)
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.connect(irql);
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, _: Status, irql: &mut UpToDispatch) {
        if let Some(lower) = self.0.below(vc) {
            let _ = lower.hang_up(&[], irql);
        }
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if let Some(lower) = self.0.below(vc) {
            let _ = lower.hang_up(&[], irql);
        }
        request.finish(irql)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, _: &mut UpToDispatch) {
        let gone = {
            let mut pairs = self.0.pairs.lock().unwrap();
            pairs
                .extract_if(.., |pair| pair.1.is(vc))
                .collect::<Vec<_>>()
        };
        drop(gone);
        self.0.upper_gone.fetch_add(1, SeqCst);
    }
}

// The one that carries frames.

#[derive(Clone, Default)]
struct Wan(Arc<Link>);

#[derive(Default)]
struct Link {
    pool: Mutex<Option<NetBufferListPool>>,
    af: Mutex<Option<client::Af<Wan>>>,
    vc: Mutex<Option<client::Vc<Wan>>>,
    /// Whether it takes no calls.
    refuses: AtomicU32,
    received: Mutex<Vec<Vec<u8>>>,
    /// Frames that were taken from it, each of which is to come back.
    taken: AtomicU32,
    completed: Mutex<Vec<Status>>,
    closed: AtomicU32,
}

impl Link {
    fn send(&self, bytes: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        let vc = self.vc.lock().unwrap().clone().ok_or(Status::CLOSING)?;
        let frame = {
            let pool = self.pool.lock().unwrap();
            let mut frame = pool
                .as_ref()
                .ok_or(Status::CLOSING)?
                .allocate(bytes.len())?;
            frame.set_data(bytes)?;
            frame
        };
        vc.send(frame.into(), irql)?;
        self.taken.fetch_add(1, SeqCst);
        Ok(())
    }
}

impl Protocol for Wan {
    const NAME: &'static str = "WAN";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let left = (
            self.0.af.lock().unwrap().take(),
            self.0.vc.lock().unwrap().take(),
            self.0.pool.lock().unwrap().take(),
        );
        drop(left);
    }
}

impl Client for Wan {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family() == ABOVE {
            let _ = offer.open((), irql);
        }
    }

    fn af_opened(&self, af: client::OpenAf<Self>, irql: &mut Passive) {
        let pool = NetBufferListPool::for_sends(af.binding().scope(), Tag::new(*b"Test")).unwrap();
        let before = self.0.pool.lock().unwrap().replace(pool);
        drop(before);
        let address = SapAddressBuf::try_new(0x8000, b"NDIS").unwrap();
        let _ = af.register_sap((), address, irql).unwrap().keep();
        let before = self.0.af.lock().unwrap().replace(af.keep());
        drop(before);
    }

    fn af_closed(&self, _: &client::Af<Self>, _: &mut UpToDispatch) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
        let pool = self.0.pool.lock().unwrap().take();
        drop(pool);
    }

    fn create_vc(&self, _: &client::Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn incoming_call<'r>(
        &self,
        _: &client::Sap<Self>,
        call: IncomingCall<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.0.refuses.load(SeqCst) == 1 {
            return call.refuse(Status::NOT_ACCEPTED);
        }
        let (answer, call) = call.accept();
        let before = self.0.vc.lock().unwrap().replace(call.keep());
        drop(before);
        answer
    }

    fn call_connected(
        &self,
        _: &client::Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let _ = self.0.send(b"hello", irql);
    }

    fn call_closed(&self, _: &client::Vc<Self>, _: &mut UpToDispatch) {
        let vc = self.0.vc.lock().unwrap().take();
        drop(vc);
        self.0.closed.fetch_add(1, SeqCst);
    }

    fn receive(&self, _: &client::Vc<Self>, lists: Received<'_, Self>, _: &mut UpToDispatch) {
        for packet in lists.buffers() {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            self.0.received.lock().unwrap().push(bytes);
        }
    }

    fn send_complete(&self, _: &client::Vc<Self>, lists: NetBufferLists, _: &mut UpToDispatch) {
        let mut completed = self.0.completed.lock().unwrap();
        completed.extend(lists.iter().map(|list| list.status()));
    }
}

// The tests.

struct World {
    host: Host,
    modem: Modem,
    proxy: Proxy,
    wan: Wan,
    drivers: [Driver; 3],
    adapter: HostAdapter,
}

impl World {
    fn new(seed: u64, readings: Readings) -> Self {
        Self::on(Host::builder().seed(seed).readings(readings).build())
    }

    fn on(host: Host) -> Self {
        let (modem, proxy, wan) = (Modem::default(), Proxy::default(), Wan::default());
        let entry = ndis_mcm::Entry::new(modem.clone());
        let below = host
            // SAFETY: the host calls this once, as DriverEntry.
            .load_with("modem", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the miniport loads");
        let entry = Entry::new(proxy.clone());
        let between = host
            // SAFETY: as above.
            .load_with("proxy", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the proxy loads");
        let entry = Entry::new(wan.clone());
        let above = host
            // SAFETY: as above.
            .load_with("wan", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the client loads");
        let adapter = host.add_adapter(&below).expect("the adapter starts");
        host.run();
        Self {
            host,
            modem,
            proxy,
            wan,
            drivers: [above, between, below],
            adapter,
        }
    }

    /// Places a call, and runs until all is quiet.
    fn dial(&self) {
        let desk = self.proxy.0.clone();
        self.host.spawn("user", move || desk.dial().unwrap());
        self.host.run();
    }

    fn spawn(&self, f: impl FnOnce(&Link, &mut Passive) + Send + 'static) {
        let link = self.wan.0.clone();
        self.host.spawn("user", move || {
            // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
            f(&link, &mut unsafe { Passive::assume() });
        });
    }

    fn down(self, adapter_first: bool) {
        let Self {
            host,
            drivers,
            adapter,
            ..
        } = self;
        if adapter_first {
            host.remove_adapter(&adapter);
        }
        let [above, between, below] = drivers;
        host.unload(&above);
        host.unload(&between);
        if !adapter_first {
            host.remove_adapter(&adapter);
        }
        host.unload(&below);
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
    }
}

/// What may be behind the join, with some of the other open questions.
fn all() -> impl Iterator<Item = (u64, Readings)> {
    let seeds = if cfg!(miri) { 1 } else { 12 };
    (0..seeds).flat_map(|seed| {
        JoinedVc::ALL.iter().flat_map(move |vc| {
            JoinedActivation::ALL.iter().map(move |activation| {
                let readings = Readings {
                    joined_vc: *vc,
                    joined_activation: *activation,
                    ..Readings::default()
                };
                (seed, readings)
            })
        })
    })
}

#[test]
fn frames_go_past_the_proxy() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.dial();
        assert_eq!(
            *world.proxy.0.handed.lock().unwrap(),
            [Ok(())],
            "{readings:?}"
        );
        world.spawn(|link, irql| link.send(b"again", irql).unwrap());
        world.host.run();
        let received = world.wan.0.received.lock().unwrap().clone();
        assert_eq!(received, [b"hello", b"again"], "seed {seed}, {readings:?}");
        assert_eq!(*world.wan.0.completed.lock().unwrap(), [Status::SUCCESS; 2]);
        assert_eq!(world.proxy.0.received.load(SeqCst), 0);

        // What the proxy would send beneath might come back to the upper client.
        let desk = world.proxy.0.clone();
        world.spawn(move |_, irql| {
            let lower = desk.pairs.lock().unwrap()[0].0.clone();
            assert!(lower.is_connected());
            assert_eq!(desk.send(&lower, irql), Err(Status::INVALID_STATE));
        });
        world.host.run();

        // The upper end hangs up, and all goes, the upper VC first.
        world.spawn(|link, irql| {
            let vc = link.vc.lock().unwrap().clone().unwrap();
            vc.hang_up(&[], irql).unwrap();
        });
        world.host.run();
        let desk = &world.proxy.0;
        let gone = (desk.upper_gone.load(SeqCst), desk.lower_gone.load(SeqCst));
        assert_eq!(gone, (1, 1), "seed {seed}, {readings:?}");
        assert_eq!(world.wan.0.closed.load(SeqCst), 1);
        // And once more.
        world.dial();
        assert_eq!(world.wan.0.received.lock().unwrap().len(), 3);
        world.down(seed % 2 == 0);
    }
}

/// What the proxy has sent beneath is back before the call is handed up.
#[test]
fn a_call_is_not_handed_up_while_frames_of_the_proxy_are_out() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.proxy.0.greets.store(1, SeqCst);
        world.dial();
        let desk = world.proxy.0.clone();
        let handed = std::mem::take(&mut *desk.handed.lock().unwrap());
        assert_eq!(handed, [Err(Status::INVALID_STATE)], "seed {seed}");
        world.spawn(move |_, irql| {
            let lower = desk.greeted.lock().unwrap().take().unwrap();
            desk.hand_up(&lower, irql.up_to_dispatch()).unwrap();
        });
        world.host.run();
        assert_eq!(*world.wan.0.received.lock().unwrap(), [b"hello"]);
        world.down(seed % 2 == 0);
    }
}

/// The far end hangs up with frames of the upper client's outstanding, while it sends on.
///
/// A send takes no lock, so the end can overtake a frame at one place only: where NDIS is called with
/// it. On one processor, with every callback at DISPATCH_LEVEL, the whole end comes while the threads
/// that send stay where they are, and with several of them one is there.
#[test]
fn a_call_may_end_beneath_what_is_sent() {
    let (mut late, mut ends) = (0, 0);
    let all: Vec<_> = all().flat_map(|one| [(false, one), (true, one)]).collect();
    for (at_once, (seed, readings)) in all.iter().copied() {
        let host = Host::builder().seed(seed).readings(readings);
        let world = World::on(if at_once {
            host.processors(1).raise(1, 1).preemption(1, 2).build()
        } else {
            host.build()
        });
        world.modem.0.holds.store(1, SeqCst);
        world.dial();
        for _ in 0..3 {
            world.spawn(|link, irql| {
                // Until it is told of the end.
                while link.send(b"more", irql).is_ok() {}
            });
        }
        let modem = world.modem.0.clone();
        let desk = world.proxy.0.clone();
        let from_below = seed % 2 == 0;
        world.host.spawn("network", move || {
            // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
            let mut irql = unsafe { Passive::assume() };
            if from_below {
                let vc = modem.vc.lock().unwrap().clone().unwrap();
                let _ = vc.dispatch_incoming_close(Status::SUCCESS, &[], &mut irql);
            } else {
                // The user of the proxy does.
                let lower = desk.pairs.lock().unwrap()[0].0.clone();
                lower.hang_up(&[], &mut irql).unwrap();
            }
        });
        world.host.run();
        let completed = world.wan.0.completed.lock().unwrap().clone();
        let taken = world.wan.0.taken.load(SeqCst) as usize;
        assert_eq!(completed.len(), taken, "seed {seed}, {readings:?}");
        // What the miniport call manager has had it has completed; the others came too late.
        let sent = world.modem.0.sent.load(SeqCst) as usize;
        let refused = completed.iter().filter(|status| !status.is_success());
        assert!(refused.clone().all(|status| *status == Status::CLOSING));
        assert_eq!(refused.clone().count(), taken - sent, "seed {seed}");
        late += refused.count();
        ends += world.proxy.0.lower_gone.load(SeqCst);
        assert_eq!(
            world.wan.0.closed.load(SeqCst),
            1,
            "seed {seed}, {readings:?}"
        );
        world.down(seed % 3 == 0);
    }
    assert!(late > 0, "none came after the end");
    assert_eq!(ends as usize, all.len());
}

#[test]
fn a_call_that_is_not_taken_ends_beneath() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.wan.0.refuses.store(1, SeqCst);
        world.dial();
        let desk = &world.proxy.0;
        let gone = (desk.upper_gone.load(SeqCst), desk.lower_gone.load(SeqCst));
        assert_eq!(gone, (1, 1), "seed {seed}, {readings:?}");
        assert_eq!(world.modem.0.sent.load(SeqCst), 0);
        world.down(seed % 2 == 0);
    }
}

/// Each allocation fails once: the call is not handed up, and ends.
#[test]
fn nothing_is_left_when_memory_is_short() {
    let mut failed = 0;
    for nth in 0..if cfg!(miri) { 8 } else { 60 } {
        let world = World::new(nth, Readings::default());
        world.host.fail_allocation(nth);
        let desk = world.proxy.0.clone();
        world.host.spawn("user", move || {
            let _ = desk.dial();
        });
        world.host.run();
        failed += usize::from(world.proxy.0.handed.lock().unwrap().first() != Some(&Ok(())));
        world.down(nth % 2 == 0);
    }
    assert!(failed > 0);
}

/// An unbind with calls up.
#[test]
fn an_adapter_goes_with_a_call_that_is_handed_up() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.dial();
        assert_eq!(world.modem.0.echoed.load(SeqCst), 1);
        let desk = world.proxy.0.clone();
        world.down(seed % 2 == 0);
        let gone = (desk.upper_gone.load(SeqCst), desk.lower_gone.load(SeqCst));
        assert_eq!(gone, (1, 1), "seed {seed}, {readings:?}");
    }
}

/// A name of the driver's own type.
struct Own(&'static str);

impl From<Own> for Name<'static> {
    /// Code of the driver, which may take what lock it likes: none is held.
    fn from(own: Own) -> Self {
        // SAFETY: any thread at any level may ask.
        assert_eq!(unsafe { ndis_sys::KeGetCurrentIrql() }, 0, "under a lock");
        own.0.into()
    }
}

/// Each finds its own call by the string for it, and nobody else's.
#[test]
fn calls_are_found_by_the_strings_for_them() {
    for call_id_text in CallIdText::ALL {
        for seed in 0..if cfg!(miri) { 1 } else { 4 } {
            let readings = Readings {
                call_id_text: *call_id_text,
                ..Readings::default()
            };
            let world = World::new(seed, readings);
            world.dial();
            let (link, desk) = (world.wan.0.clone(), world.proxy.0.clone());
            let kept = Arc::new(Mutex::new(None));
            let gone = kept.clone();
            world.host.spawn("user", move || {
                // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
                let mut irql = unsafe { Passive::assume() };
                let wan = link.vc.lock().unwrap().clone().unwrap();
                let (lower, upper) = desk.pairs.lock().unwrap()[0].clone();
                let ids = [wan.tapi_call_id().unwrap(), lower.tapi_call_id().unwrap()];
                assert_ne!(ids[0], ids[1]);
                assert!(ids[0].to_string().starts_with("VC"), "{}", ids[0]);
                let (above, below) = (wan.af().binding(), lower.af().binding());
                assert!(above.vc_of_tapi_call(&ids[0]).unwrap().is(&wan));
                assert!(below.vc_of_tapi_call(&ids[1]).unwrap().is(&lower));
                // The context that comes back is another driver's.
                assert!(above.vc_of_tapi_call(&ids[1]).is_none());
                assert!(below.vc_of_tapi_call(&ids[0]).is_none());
                let unknown = CallId::try_from_units(&[0x41; 300]).unwrap();
                assert!(above.vc_of_tapi_call(&unknown).is_none());
                let none = CallId::try_from_units(&[]).unwrap_err();
                assert_eq!(none, Status::INVALID_LENGTH);
                // The call manager of a VC knows by what its client finds it.
                assert_eq!(upper.tapi_call_id().unwrap(), ids[0]);
                // And both have one name for it.
                let name = upper.assign_instance_name(Own("Call")).unwrap();
                assert!(name.to_string().starts_with("Call"));
                assert_eq!(wan.assign_instance_name(Own("Other")).unwrap(), name);
                assert_eq!(upper.assign_instance_name("Other").unwrap(), name);
                assert_ne!(lower.assign_instance_name("Line").unwrap(), name);
                let none = wan.assign_instance_name("").unwrap_err();
                assert_eq!(none, Status::INVALID_PARAMETER);
                drop((lower, upper));
                drop((above, below));
                wan.hang_up(&[], &mut irql).unwrap();
                *gone.lock().unwrap() = Some((wan, ids));
            });
            world.host.run();
            let gone = kept.clone();
            world.host.spawn("user", move || {
                let (wan, ids) = gone.lock().unwrap().take().unwrap();
                assert_eq!(wan.tapi_call_id(), Err(Status::CLOSING));
                let late = wan.assign_instance_name("Late").unwrap_err();
                assert_eq!(late, Status::CLOSING);
                assert!(wan.af().binding().vc_of_tapi_call(&ids[0]).is_none());
            });
            world.host.run();
            world.down(seed % 2 == 0);
        }
    }
}
