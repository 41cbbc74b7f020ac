//! What drivers of safe Rust could once do wrong, one module a subject: each was
//! found by somebody who attacked these crates with safe code only.
//!
//! This file has what the modules share: [`Switch`] and [`Phone`], a call manager
//! and a client of which a test changes the handlers that it is about, and
//! [`World`], a host with both of them. The drivers are safe code; the loader and
//! the threads of the system, which are not the drivers', are here.

mod borrows;
mod chains;
mod connected;
mod deferred;
mod flags;
mod initialize;
mod late;
mod lent;
mod locks;
mod low_stack;
mod pauses;
mod power;
mod refused;
mod removal;
mod requests;
mod stack;
mod statuses;
mod unload;
mod unload_in_bind;
mod weak;
mod withdrawn;

use ndis_co::{
    Answer, Status,
    address::SapAddressBuf,
    client::{
        AfOffer, AsClient, Binding, Client, IncomingCall, NewBinding, OpenAf as Opened, Protocol,
        Received, Sap as Listener, Vc as Leg,
    },
    event::Event,
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    lock::SpinLock,
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists},
    params::{CallParameters, CallParametersBuf, Specific},
    power::PowerState,
    scope::Scope,
};
use ndis_host::{Adapter as HostAdapter, Builder, Driver, Host, Report};
use ndis_mcm::*;
use std::{
    any::Any,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The family that the switch offers.
const FAMILY: AddressFamily = AddressFamily::new(Family::L2TP, 1, 0);

/// What a test keeps for an object.
type Context = Option<Box<dyn Any + Send + Sync>>;

/// How many seeds a test goes through; fewer under Miri.
fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) {
        native.div_ceil(200)
    } else {
        native
    }
}

/// A place for one value. What leaves it is dropped outside of the mutex: nothing
/// of NDIS is called while a mutex is held that the host knows nothing of.
struct Place<T>(Mutex<Option<T>>);

impl<T> Place<T> {
    fn put(&self, value: T) {
        // In a statement of its own: a guard within `drop(..)` outlives the drop.
        let before = self.lock().replace(value);
        drop(before);
    }

    fn take(&self) -> Option<T> {
        self.lock().take()
    }

    fn get(&self) -> Option<T>
    where
        T: Clone,
    {
        self.lock().clone()
    }

    fn is_empty(&self) -> bool {
        self.lock().is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Place<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

/// What a handler notes for the test, which looks at it when the run is over.
struct Notes<T>(Mutex<Vec<T>>);

impl<T> Notes<T> {
    fn add(&self, note: T) {
        self.0.lock().unwrap().push(note);
    }

    fn all(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.0.lock().unwrap().clone()
    }
}

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

/// Nobody's state; taking it lets others run.
static SWITCH_POINT: SpinLock<u32> = SpinLock::new(0);

/// Spins, at whatever level, until `done` or for long enough that the others have
/// done what they can; whether it is done.
fn let_others_run(done: impl Fn() -> bool) -> bool {
    for _ in 0..if cfg!(miri) { 150 } else { 1500 } {
        if done() {
            return true;
        }
        SWITCH_POINT.get();
    }
    done()
}

/// As above for a thread that may wait, which gives up after a virtual second.
fn wait_until(done: impl Fn() -> bool, irql: &mut Passive) -> bool {
    for _ in 0..1000 {
        if done() {
            return true;
        }
        sleep(1, irql);
    }
    done()
}

/// Spins until `done`, and waits when that is not enough.
fn spin_or_wait(done: impl Fn() -> bool, irql: &mut Passive) -> bool {
    let_others_run(&done) || wait_until(done, irql)
}

/// Waits for some virtual milliseconds.
fn sleep(milliseconds: u32, irql: &mut Passive) {
    let never = Event::try_new(Tag::NDIS).unwrap();
    never.wait_for(milliseconds, irql);
}

/// Tries until it succeeds: an object is refused when little is left of the stack.
#[track_caller]
fn insist<T>(mut make: impl FnMut() -> Result<T, Status>) -> T {
    for _ in 0..50 {
        if let Ok(made) = make() {
            return made;
        }
    }
    make().unwrap()
}

/// Parameters with a specific part.
fn parameters(bytes: &[u8]) -> CallParametersBuf {
    let specific = Specific {
        param_type: 7,
        bytes,
    };
    CallParametersBuf::builder()
        .call_manager_specific(specific)
        .build()
        .unwrap()
}

/// The handlers of the call manager: the plainest one, unless a test says
/// otherwise.
trait Switch: Sized + Send + Sync + 'static {
    /// Makes the adapter's context, while it is initialized.
    fn adapter(&self, _scope: &Scope) -> Result<Context, Status> {
        Ok(None)
    }
    fn initialized(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {}
    fn restart(&self) -> Result<(), Status> {
        Ok(())
    }
    fn pause(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {}
    fn surprise_removed(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {}
    fn set_power(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        _state: PowerState,
        _irql: &mut UpToDispatch,
    ) {
    }
    fn halt(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {}
    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        request: OpenAf<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(None)
    }
    /// The SAP, if there is one, is kept until the halt.
    fn register_sap<'r>(
        &self,
        request: RegisterSap<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> (Answer<'r>, Option<Sap<Exchange<Self>>>) {
        let (answer, sap) = request.accept(None);
        (answer, Some(sap))
    }
    fn create_vc(
        &self,
        _af: &Af<Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        Ok(None)
    }
    fn vc_deleted(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {}
    fn make_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: MakeCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(irql)
    }
    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Exchange<Self>>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.connect(irql);
    }
    fn incoming_call_refused(
        &self,
        _vc: &Vc<Exchange<Self>>,
        _status: Status,
        _irql: &mut UpToDispatch,
    ) {
    }
    fn call_connected(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {}
    fn call_failed(&self, _vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {}
    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }
    fn send(
        &self,
        _vc: &Vc<Exchange<Self>>,
        lists: SendLists<Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) {
        lists.complete(Status::SUCCESS, irql);
    }
    fn returned(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        _lists: NetBufferLists,
        _irql: &mut UpToDispatch,
    ) {
    }
    fn vc_oid_request<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: OidRequest<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.not_supported()
    }
}

/// A switch like any other.
struct PlainSwitch;
impl Switch for PlainSwitch {}

/// The driver around a [`Switch`].
struct Exchange<S: Switch>(Arc<Office<S>>);

/// What the driver and the test both see.
struct Office<S: Switch> {
    switch: S,
    /// The last SAP that was registered.
    sap: Place<Sap<Exchange<S>>>,
    /// The last VC on which a call was placed or offered.
    vc: Place<Vc<Exchange<S>>>,
}

impl<S: Switch> Clone for Exchange<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Switch> std::ops::Deref for Exchange<S> {
    type Target = Office<S>;
    fn deref(&self) -> &Office<S> {
        &self.0
    }
}

/// The adapter's context.
struct Nic {
    pool: NetBufferListPool,
    #[allow(dead_code)] // Dropped with the adapter, which is the point.
    context: Context,
}

impl<S: Switch> Miniport for Exchange<S> {
    type Adapter = Nic;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let nic = Nic {
            pool: NetBufferListPool::for_receives(init.scope(), Tag::NDIS)?,
            context: self.switch.adapter(init.scope())?,
        };
        let mut init = init.adapter(nic)?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }

    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        self.switch.initialized(adapter, irql);
    }

    fn restart(&self, _adapter: &Adapter<Self>, _irql: &mut Passive) -> Result<(), Status> {
        self.switch.restart()
    }

    fn pause(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        self.switch.pause(adapter, irql);
    }

    fn surprise_removed(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        self.switch.surprise_removed(adapter, irql);
    }

    fn set_power(&self, adapter: &Adapter<Self>, state: PowerState, irql: &mut UpToDispatch) {
        self.switch.set_power(adapter, state, irql);
    }

    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        self.switch.halt(adapter, irql);
        drop(self.vc.take());
        drop(self.sap.take());
    }
}

impl<S: Switch> CallManager for Exchange<S> {
    type Base = Adapter<Self>;
    type Af = Context;
    type Sap = Context;
    type Vc = Context;

    fn open_af<'r>(
        &self,
        adapter: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.switch.open_af(adapter, request, irql)
    }

    fn register_sap<'r>(
        &self,
        _af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, sap) = self.switch.register_sap(request, irql);
        if let Some(sap) = sap {
            self.sap.put(sap);
        }
        answer
    }

    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Context, Status> {
        self.switch.create_vc(af, irql)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        self.switch.vc_deleted(vc, irql);
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.vc.put(vc.clone());
        self.switch.make_call(vc, request, irql)
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        self.switch.incoming_call_accepted(call, parameters, irql);
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        self.switch.incoming_call_refused(vc, status, irql);
    }

    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        self.switch.call_connected(vc, irql);
    }

    fn call_failed(&self, vc: &Vc<Self>, _status: Status, irql: &mut UpToDispatch) {
        self.switch.call_failed(vc, irql);
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.switch.close_call(vc, request, irql)
    }
}

impl<S: Switch> Carry for Exchange<S> {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        self.switch.send(vc, lists, irql);
    }

    fn returned(&self, adapter: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        self.switch.returned(adapter, lists, irql);
    }

    fn vc_oid_request<'r>(
        &self,
        vc: &Vc<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.switch.vc_oid_request(vc, request, irql)
    }
}

/// The handlers of the client: the plainest one, unless a test says otherwise.
trait Phone: Sized + Send + Sync + 'static {
    /// Whether calls may come in.
    const LISTENS: bool = false;

    fn bind(&self, _adapter: &NewBinding<'_>) -> Result<Context, Status> {
        Ok(None)
    }
    fn unbind(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {}
    fn pause(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {}
    fn restarted(&self, _binding: &Binding<Handset<Self>>, _irql: &mut UpToDispatch) {}
    fn power(&self, _state: PowerState) {}
    /// What is kept for the family.
    fn af_context(&self) -> Context {
        None
    }
    /// What is kept for the SAP.
    fn sap_context(&self) -> Context {
        None
    }
    /// The family is kept until the unbind, unless it is taken here.
    fn af_opened(
        &self,
        af: Opened<Handset<Self>>,
        _irql: &mut Passive,
    ) -> Option<Opened<Handset<Self>>> {
        Some(af)
    }
    fn af_open_failed(&self, _status: Status) {}
    fn af_closed(&self) {}
    fn sap_registered(&self, _result: Result<(), Status>) {}
    fn sap_deregistered(&self, _irql: &mut UpToDispatch) {}
    fn create_vc(
        &self,
        _af: &ndis_co::client::Af<Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        Ok(None)
    }
    fn vc_deleted(&self, _vc: &Leg<Handset<Self>>, _irql: &mut UpToDispatch) {}
    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, call) = call.accept();
        let _ = call.keep();
        answer
    }
    fn call_connected(
        &self,
        _vc: &Leg<Handset<Self>>,
        _parameters: Option<CallParameters<'_>>,
        _irql: &mut UpToDispatch,
    ) {
    }
    fn call_failed(&self, _vc: &Leg<Handset<Self>>, _status: Status, _irql: &mut UpToDispatch) {}
    fn incoming_close(
        &self,
        _vc: &Leg<Handset<Self>>,
        _status: Status,
        _data: &[u8],
        _irql: &mut UpToDispatch,
    ) {
    }
    fn call_closed(&self, _vc: &Leg<Handset<Self>>, _irql: &mut UpToDispatch) {}
    fn receive(
        &self,
        _vc: &Leg<Handset<Self>>,
        _lists: Received<'_, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) {
    }
    fn send_complete(
        &self,
        _vc: &Leg<Handset<Self>>,
        _lists: NetBufferLists,
        _irql: &mut UpToDispatch,
    ) {
    }
}

/// A phone like any other.
struct PlainPhone;
impl Phone for PlainPhone {}

/// One that takes calls.
struct ListeningPhone;
impl Phone for ListeningPhone {
    const LISTENS: bool = true;
}

/// The driver around a [`Phone`].
struct Handset<P: Phone>(Arc<Household<P>>);

/// What the driver and the test both see.
struct Household<P: Phone> {
    phone: P,
    af: Place<ndis_co::client::Af<Handset<P>>>,
    sap: Place<Listener<Handset<P>>>,
    /// The last VC that the test has placed a call on.
    vc: Place<Leg<Handset<P>>>,
}

impl<P: Phone> Clone for Handset<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Phone> std::ops::Deref for Handset<P> {
    type Target = Household<P>;
    fn deref(&self) -> &Household<P> {
        &self.0
    }
}

/// The binding's context.
struct Socket {
    pool: NetBufferListPool,
    #[allow(dead_code)] // Dropped with the binding, which is the point.
    context: Context,
}

impl<P: Phone> Protocol for Handset<P> {
    const NAME: &'static str = "Handset";
    type Binding = Socket;
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<Socket, Status> {
        Ok(Socket {
            pool: NetBufferListPool::for_sends(adapter.scope(), Tag::NDIS)?,
            context: self.phone.bind(adapter)?,
        })
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        self.phone.unbind(binding, irql);
        drop(self.vc.take());
        drop(self.sap.take());
        drop(self.af.take());
    }

    fn pause(&self, binding: &Binding<Self>, irql: &mut Passive) {
        self.phone.pause(binding, irql);
    }

    fn restarted(&self, binding: &Binding<Self>, irql: &mut UpToDispatch) {
        self.phone.restarted(binding, irql);
    }

    fn power(&self, _binding: &Binding<Self>, state: PowerState, _irql: &mut Passive) {
        self.phone.power(state);
    }
}

impl<P: Phone> Client for Handset<P> {
    type Af = Context;
    type Sap = Context;
    type Vc = Context;

    fn address_family(
        &self,
        _binding: &Binding<Self>,
        offer: AfOffer<'_, Self>,
        irql: &mut Passive,
    ) {
        // A failure is the end of it: the tests that cause one look at the rest.
        let _ = offer.open(self.phone.af_context(), irql);
    }

    fn af_opened(&self, af: Opened<Self>, irql: &mut Passive) {
        if P::LISTENS {
            let sap = insist(|| {
                let address = SapAddressBuf::try_new(1, b"7")?;
                af.register_sap(self.phone.sap_context(), address, irql)
            });
            self.sap.put(sap.keep());
        }
        if let Some(af) = self.phone.af_opened(af, irql) {
            self.af.put(af.keep());
        }
    }

    fn af_open_failed(
        &self,
        _binding: &Binding<Self>,
        _family: AddressFamily,
        status: Status,
        _irql: &mut Passive,
    ) {
        self.phone.af_open_failed(status);
    }

    fn sap_registered(
        &self,
        _sap: &Listener<Self>,
        result: Result<(), Status>,
        _irql: &mut UpToDispatch,
    ) {
        self.phone.sap_registered(result);
    }

    fn sap_deregistered(&self, _sap: &Listener<Self>, irql: &mut UpToDispatch) {
        self.phone.sap_deregistered(irql);
    }

    fn af_closed(&self, _af: &ndis_co::client::Af<Self>, _irql: &mut UpToDispatch) {
        self.phone.af_closed();
    }

    fn create_vc(
        &self,
        af: &ndis_co::client::Af<Self>,
        irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        self.phone.create_vc(af, irql)
    }

    fn vc_deleted(&self, vc: &Leg<Self>, irql: &mut UpToDispatch) {
        self.phone.vc_deleted(vc, irql);
    }

    fn incoming_call<'r>(
        &self,
        _sap: &Listener<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.phone.incoming_call(call, irql)
    }

    fn call_connected(
        &self,
        vc: &Leg<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        self.phone.call_connected(vc, parameters, irql);
    }

    fn call_failed(&self, vc: &Leg<Self>, status: Status, irql: &mut UpToDispatch) {
        self.phone.call_failed(vc, status, irql);
    }

    fn incoming_close(&self, vc: &Leg<Self>, status: Status, data: &[u8], irql: &mut UpToDispatch) {
        self.phone.incoming_close(vc, status, data, irql);
    }

    fn call_closed(&self, vc: &Leg<Self>, irql: &mut UpToDispatch) {
        self.phone.call_closed(vc, irql);
    }

    fn receive(&self, vc: &Leg<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        self.phone.receive(vc, lists, irql);
    }

    fn send_complete(&self, vc: &Leg<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        self.phone.send_complete(vc, lists, irql);
    }
}

/// The test's own thread also frees memory of drivers, and a thread that no host
/// knows is meant for the only host there is.
static ONE_HOST: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_HOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread at PASSIVE_LEVEL that is no driver's.
fn thread(host: &Host, name: &str, body: impl FnOnce(&mut Passive) + Send + 'static) {
    // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
    host.spawn(name, move || body(&mut unsafe { Passive::assume() }));
}

/// A host with both drivers.
struct World<S: Switch, P: Phone> {
    host: Host,
    exchange: Exchange<S>,
    handset: Handset<P>,
    mcm: Driver,
    client: Driver,
    adapter: Option<HostAdapter>,
    /// Goes last.
    _alone: MutexGuard<'static, ()>,
}

impl<S: Switch, P: Phone> World<S, P> {
    /// Loads the drivers.
    fn load(builder: Builder, switch: S, phone: P) -> Self {
        let alone = alone();
        let host = builder.build();
        let exchange = Exchange(Arc::new(Office {
            switch,
            sap: Place::default(),
            vc: Place::default(),
        }));
        let handset = Handset(Arc::new(Household {
            phone,
            af: Place::default(),
            sap: Place::default(),
            vc: Place::default(),
        }));
        let entry = Entry::new(exchange.clone());
        // SAFETY: the host calls this once, as DriverEntry.
        let mcm = host.load_with("switch", move |o, p| unsafe { entry.run(o, p) });
        let entry = ndis_co::client::Entry::new(handset.clone());
        // SAFETY: as above.
        let client = host.load_with("phone", move |o, p| unsafe { entry.run(o, p) });
        Self {
            host,
            exchange,
            handset,
            mcm: mcm.unwrap(),
            client: client.unwrap(),
            adapter: None,
            _alone: alone,
        }
    }

    /// Loads the drivers, starts an adapter, and lets the client open the family.
    fn new(builder: Builder, switch: S, phone: P) -> Self {
        let mut world = Self::load(builder, switch, phone);
        world.start().unwrap();
        world
    }

    fn start(&mut self) -> Result<(), i32> {
        self.adapter = Some(self.host.add_adapter(&self.mcm)?);
        self.host.run();
        Ok(())
    }

    fn seed(seed: u64, switch: S, phone: P) -> Self {
        Self::new(Host::builder().seed(seed), switch, phone)
    }

    fn thread(&self, name: &str, body: impl FnOnce(&mut Passive) + Send + 'static) {
        thread(&self.host, name, body);
    }

    /// The client is to place a call, on a thread of its own.
    fn place_call(&self) {
        let handset = self.handset.clone();
        self.thread("caller", move |irql| {
            let af = handset.af.get().unwrap();
            let vc = insist(|| af.create_vc(None, irql));
            handset.vc.put(Leg::clone(&vc));
            let _ = vc.make_call(parameters(b"the client's"), irql).keep();
        });
    }

    /// The switch is to call the client, on a thread of its own.
    fn ring(&self, offer: &'static [u8]) {
        let exchange = self.exchange.clone();
        self.thread("network", move |irql| {
            let sap = exchange.sap.get().unwrap();
            let vc = insist(|| sap.create_vc(None, irql));
            exchange.vc.put(Vc::clone(&vc));
            let vc = vc.activate(parameters(b"the link's"), irql).unwrap();
            let _ = vc.dispatch_incoming_call(parameters(offer), irql);
        });
    }

    /// Takes everything down.
    fn end(self) -> Report {
        let Self {
            host,
            exchange,
            handset,
            mcm,
            client,
            adapter,
            _alone,
        } = self;
        if let Some(adapter) = &adapter {
            host.remove_adapter(adapter);
        }
        host.unload(&client);
        host.unload(&mcm);
        host.run();
        drop(exchange);
        drop(handset);
        host.finish()
    }

    /// Takes everything down, which must break no rule and leave nothing.
    #[track_caller]
    fn end_clean(self) {
        let report = self.end();
        assert!(report.is_clean(), "{report}");
    }
}
