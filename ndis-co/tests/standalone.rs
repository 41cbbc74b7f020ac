//! A stand-alone call manager of safe code, between two clients and above a miniport that are
//! written in raw code.

use crate::raw;

use ndis_co::{
    Answer, Status,
    cm::{
        AcceptedCall, Af, AsCallManager, CallManager, CloseCall, MakeCall, OidRequest, OpenAf,
        PendingMakeCall, PendingOidRequest, RegisterSap, Sap, StandaloneCallManager, Vc,
    },
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    params::{CallParameters, CallParametersBuf, Specific},
    protocol::{Binding, Entry, NewBinding, OpenedBinding, Protocol},
};
use ndis_host::{Adapter, Driver, Host, Readings, Report};
use raw::{
    Client, SUCCESS, Twist,
    link::{Flaw, Link},
    oids::{Ask, NO, co, within},
};
use std::convert::Infallible;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// Joins each call to the one SAP that there is, on a channel of the link.
#[derive(Clone, Default)]
struct Exchange(Arc<Desk>);

#[derive(Default)]
struct Desk {
    sap: Mutex<Option<Sap<Exchange>>>,
    /// Calls that wait for the callee.
    callers: Mutex<Vec<(PendingMakeCall<Exchange>, Vc<Exchange>)>>,
    /// Calls that are up: both ends.
    pairs: Mutex<Vec<[Vc<Exchange>; 2]>>,
    channels: AtomicU32,
    registered: Mutex<Vec<Result<(), Status>>>,
    connected: AtomicU32,
    /// Requests that wait for an answer.
    asked: Mutex<Vec<PendingOidRequest<Exchange>>>,
}

impl Desk {
    /// Takes the pair out to which the VC belongs, and gives the other end.
    fn other_end(&self, vc: &Vc<Exchange>) -> Option<Vc<Exchange>> {
        let mut pairs = self.pairs.lock().unwrap();
        let place = pairs
            .iter()
            .position(|pair| pair.iter().any(|end| end.is(vc)))?;
        let [one, other] = pairs.swap_remove(place);
        Some(if one.is(vc) { other } else { one })
    }
}

fn parameters(channel: u32) -> CallParametersBuf {
    let media = Specific {
        param_type: 0,
        bytes: &channel.to_le_bytes(),
    };
    CallParametersBuf::builder()
        .media_specific(media)
        .build()
        .unwrap()
}

impl Protocol for Exchange {
    const NAME: &'static str = "EXCHANGE";
    type Binding = ();
    type Role = AsCallManager;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        let family = AddressFamily::new(Family::L2TP, 1, 0);
        for _ in 0..2 {
            let result = binding.register_address_family(family, irql);
            self.0.registered.lock().unwrap().push(result);
        }
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let left = (
            self.0.sap.lock().unwrap().take(),
            std::mem::take(&mut *self.0.callers.lock().unwrap()),
            std::mem::take(&mut *self.0.pairs.lock().unwrap()),
        );
        drop(left);
    }
}

impl CallManager for Exchange {
    type Base = Binding<Self>;
    type Af = ();
    type Sap = ();
    type Vc = u32;

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

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<u32, Status> {
        Ok(self.0.channels.fetch_add(1, SeqCst))
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let channel = **vc;
        let sap = self.0.sap.lock().unwrap().clone();
        let callee = sap.as_ref().ok_or(Status::NO_ROUTE_TO_DESTINATION);
        let callee = callee.and_then(|sap| {
            let callee = sap.create_vc(channel, irql)?;
            let callee = callee.activate(parameters(channel), irql);
            Ok(callee.map_err(|failed| failed.status)?.keep())
        });
        match callee {
            Ok(callee) => {
                let (answer, caller) = request.pend();
                let mut callers = self.0.callers.lock().unwrap();
                callers.push((caller, Vc::clone(&callee)));
                drop(callers);
                callee.dispatch_incoming_call(parameters(channel), irql);
                answer
            }
            Err(status) => request.refuse(status),
        }
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let callee = call.vc().clone();
        let caller = self.caller_of(&callee);
        let Some(caller) = caller else {
            return call.close(Status::FAILURE, irql);
        };
        let pair = [caller.vc().clone(), callee.clone()];
        self.0.pairs.lock().unwrap().push(pair);
        if call.connect(irql) {
            caller.accept_with_link(parameters(*callee), irql);
        } else {
            caller.refuse(Status::FAILURE, irql);
        }
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        if let Some(caller) = self.caller_of(vc) {
            caller.refuse(status, irql);
        }
    }

    fn call_connected(&self, _: &Vc<Self>, _: &mut UpToDispatch) {
        self.0.connected.fetch_add(1, SeqCst);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        if let Some(caller) = self.caller_of(vc) {
            caller.refuse(status, irql);
        }
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if let Some(other) = self.0.other_end(vc) {
            // It may have hung up itself.
            let _ = other.dispatch_incoming_close(Status::SUCCESS, &[], irql);
        }
        request.finish(irql)
    }

    fn oid_request<'r>(
        &self,
        _: &Af<Self>,
        _: Option<&Vc<Self>>,
        request: OidRequest<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        self.0.asked.lock().unwrap().push(token);
        answer
    }
}

impl Exchange {
    /// The call that waits for this callee.
    fn caller_of(&self, callee: &Vc<Self>) -> Option<PendingMakeCall<Self>> {
        let mut callers = self.0.callers.lock().unwrap();
        let place = callers.iter().position(|(_, vc)| vc.is(callee))?;
        Some(callers.swap_remove(place).0)
    }
}

impl StandaloneCallManager for Exchange {
    type Signaling = Infallible;
}

struct World {
    host: Host,
    desk: Arc<Desk>,
    exchange: Driver,
    link: Link,
    a: Client,
    b: Client,
    adapter: Adapter,
}

impl World {
    fn new(seed: u64, readings: Readings, pends: bool) -> Self {
        let host = Host::builder().seed(seed).readings(readings).build();
        let link = Link::load(&host, Flaw::None, pends);
        let exchange = Exchange::default();
        let desk = exchange.0.clone();
        let entry = Entry::new(exchange);
        let exchange = host
            // SAFETY: the host calls this once, as DriverEntry.
            .load_with("exchange", move |object, path| unsafe {
                entry.run(object, path)
            })
            .unwrap();
        let a = Client::load(&host, "client-a", Twist::None, false);
        let b = Client::load(&host, "client-b", Twist::None, true);
        let adapter = host.add_adapter(&link.driver);
        host.run();
        Self {
            adapter: adapter.expect("initialize"),
            host,
            desk,
            exchange,
            link,
            a,
            b,
        }
    }

    fn run(&self, client: &Client, body: fn(&Client)) {
        let client = client.clone();
        self.host.spawn("user", move || body(&client));
        self.host.run();
    }

    fn down(self) -> Report {
        // The raw clients know how to close a family of their own accord only.
        for client in [&self.a, &self.b] {
            self.host.unload(&client.driver);
        }
        self.host.remove_adapter(&self.adapter);
        self.host.unload(&self.exchange);
        self.host.unload(&self.link.driver);
        self.host.finish()
    }

    /// The rest, when the manager is unloaded.
    fn down_without_the_manager(self) -> Report {
        for client in [&self.a, &self.b] {
            self.host.unload(&client.driver);
        }
        self.host.remove_adapter(&self.adapter);
        self.host.unload(&self.link.driver);
        self.host.finish()
    }
}

fn life(seed: u64, readings: Readings, pends: bool) {
    let world = World::new(seed, readings, pends);
    let registered = world.desk.registered.lock().unwrap().clone();
    assert_eq!(
        registered,
        [Ok(()), Err(Status::FAILURE)],
        "once per family"
    );
    for round in 1..=2 {
        world.run(&world.a, Client::call);
        assert_eq!(*world.a.shared.last.lock().unwrap(), Some(SUCCESS));
        assert_eq!(world.desk.connected.load(SeqCst), 2 * round);
        world.run(&world.a, Client::send);
        world.run(&world.b, Client::send);
        let who = if round == 1 { &world.a } else { &world.b };
        world.run(who, Client::hang_up);
        for client in [&world.a, &world.b] {
            assert_eq!(client.shared.up.load(SeqCst), 0);
            assert_eq!(client.shared.received.load(SeqCst), round);
        }
    }
    let report = world.down();
    assert!(report.is_clean(), "{report}");
}

/// Calls through a manager, over a link, with data both ways, under every reading.
#[test]
fn a_life_under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 100 } else { 1 }) {
        for seed in 0..if cfg!(miri) { 1 } else { 4 } {
            life(seed, readings, seed % 2 == 1);
        }
    }
}

/// A client that will not have the call costs nothing.
#[test]
fn a_refused_call_leaves_nothing() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let world = World::new(seed, Readings::default(), seed % 2 == 1);
        world.b.shared.refuse.store(1, SeqCst);
        world.run(&world.a, Client::call);
        assert_eq!(world.desk.connected.load(SeqCst), 0);
        let report = world.down();
        assert!(report.is_clean(), "{report}");
    }
}

/// A client deletes its VC as soon as it hears the answer to what it has asked the call manager about
/// it, which is still in the call that completes that (rule OID-68). It need not try twice.
#[test]
fn a_vc_that_goes_with_the_answer() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let world = World::new(seed, Readings::default(), false);
        let shared = world.a.shared.clone();
        let heard = shared.clone();
        shared.oids.when_heard(move |heard_of| {
            assert_eq!(heard_of.status, SUCCESS);
            let vc = heard.vc.swap(NO, SeqCst);
            // SAFETY: the client's own VC, without a call, and of nobody else's use.
            assert_eq!(unsafe { ndis_sys::NdisCoDeleteVc(vc) }, SUCCESS);
        });
        let place = Arc::new(Mutex::new(None));
        let asked = place.clone();
        within(&world.host, &world.a.driver, move || {
            let context = Arc::as_ptr(&shared).cast_mut().cast();
            let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
            let mut vc = NO;
            // SAFETY: handles of this client.
            let made = unsafe { ndis_sys::NdisCoCreateVc(binding, af, context, &raw mut vc) };
            assert_eq!(made, SUCCESS);
            shared.vc.store(vc, SeqCst);
            let ask = Ask::query(&shared.oids, 0xFF01_0001, 4);
            assert_eq!(co(binding, af, vc, &ask), raw::PENDING);
            *asked.lock().unwrap() = Some(ask);
        });
        let desk = world.desk.clone();
        world.host.spawn("network", move || {
            // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
            let mut irql = unsafe { Passive::assume() };
            let token = desk.asked.lock().unwrap().pop().unwrap();
            token.reply_u32(7, &mut irql);
        });
        world.host.run();
        within(&world.host, &world.a.driver, move || {
            let ask = place.lock().unwrap().take().unwrap();
            assert_eq!(ask.written(), 4);
            ask.free();
        });
        let report = world.down();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

/// The manager goes first: its clients close when they will, which they are asked until they do.
fn manager_goes_first(world: World) -> [u32; 2] {
    world.host.unload(&world.exchange);
    let asked = [&world.a, &world.b].map(|client| {
        assert!(client.shared.af.load(SeqCst).is_null(), "it is closed");
        client.shared.asked.load(SeqCst)
    });
    let report = world.down_without_the_manager();
    assert!(report.is_clean(), "{report}");
    asked
}

/// A client that will not close its family is asked again (rule AF-43): by the driver, and
/// until it does when the binding goes away.
#[test]
fn an_unwilling_client_is_asked_again() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let world = World::new(seed, Readings::default(), seed % 2 == 1);
        assert_eq!(manager_goes_first(world), [1, 1]);

        // Unwilling at the end only.
        let world = World::new(seed, Readings::default(), seed % 2 == 1);
        world.b.shared.unwilling.store(3, SeqCst);
        assert_eq!(manager_goes_first(world), [1, 4]);

        // Before, too: each wish of the driver's is heard.
        let world = World::new(seed, Readings::default(), seed % 2 == 1);
        world.b.shared.unwilling.store(3, SeqCst);
        for times in 1..=2 {
            let sap = world.desk.sap.lock().unwrap().clone().expect("registered");
            world.host.spawn("wish", move || sap.af().notify_close());
            world.host.run();
            assert_eq!(world.b.shared.asked.load(SeqCst), times);
        }
        assert_eq!(manager_goes_first(world), [1, 4]);
    }
}

/// The same when it is NDIS that fails the notification.
#[test]
fn a_failed_notification_is_repeated() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        for count in 1..=3 {
            let world = World::new(seed, Readings::default(), seed % 2 == 1);
            for nth in 1..=count {
                world.host.fail_call(
                    "NdisCmNotifyCloseAddressFamily",
                    nth,
                    ndis_sys::NDIS_STATUS_RESOURCES,
                );
            }
            assert_eq!(manager_goes_first(world), [1, 1]);
        }
    }
}
