//! A call manager and its client that do no more than they must, so that what is measured is the
//! host.

use ndis_co::{
    Answer, Status,
    client::{
        Af, AfOffer, AsClient, Binding, Client, IncomingCall, NewBinding, OpenAf, Protocol,
        Received, Sap, Vc,
    },
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferList, NetBufferListPool, NetBufferLists},
    params::{CallParameters, CallParametersBuf, FlowSpec},
};
use ndis_host::{Adapter as HostAdapter, Driver, EventMode, Host};
use ndis_mcm::{
    self as mcm, AcceptedCall, Adapter, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, RegisterSap, SendLists,
};

use crate::place::Place;

const FAMILY: AddressFamily = AddressFamily::new(Family::new(0x4C6F_6164), 1, 0);
const TAG: Tag = Tag::new(*b"Load");

static AF: Place<Af<Caller>> = Place::new();
static SENT: Place<NetBufferLists> = Place::new();

struct Manager;

impl Miniport for Manager {
    type Adapter = ();
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let mut init = init.adapter(())?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }
}

impl CallManager for Manager {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Self>,
        request: mcm::OpenAf<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _af: &mcm::Af<Self>,
        request: RegisterSap<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::FAILURE)
    }

    fn create_vc(&self, _af: &mcm::Af<Self>, _irql: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        _vc: &mcm::Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, pending) = request.pend();
        pending.accept(irql);
        answer
    }

    fn call_connected(&self, _vc: &mcm::Vc<Self>, _irql: &mut UpToDispatch) {}

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.connect(irql);
    }

    fn close_call<'r>(
        &self,
        _vc: &mcm::Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }
}

impl Carry for Manager {
    type Vc = mcm::Vc<Self>;

    fn send(&self, _vc: &mcm::Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        lists.complete(Status::SUCCESS, irql);
    }

    fn returned(&self, _: &Adapter<Self>, _lists: NetBufferLists, _irql: &mut UpToDispatch) {}
}

pub struct Caller;

pub struct Port {
    pool: NetBufferListPool,
}

impl Protocol for Caller {
    const NAME: &'static str = "LOAD";
    type Binding = Port;
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<Port, Status> {
        let pool = NetBufferListPool::for_sends(adapter.scope(), TAG)?;
        Ok(Port { pool })
    }
}

impl Client for Caller {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(
        &self,
        _binding: &Binding<Self>,
        offer: AfOffer<'_, Self>,
        irql: &mut Passive,
    ) {
        offer.open((), irql).expect("the family opens");
    }

    fn af_opened(&self, af: OpenAf<Self>, _irql: &mut Passive) {
        AF.put(af.keep());
    }

    fn sap_registered(
        &self,
        _sap: &Sap<Self>,
        _result: Result<(), Status>,
        _irql: &mut UpToDispatch,
    ) {
    }

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn incoming_call<'r>(
        &self,
        _sap: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        call.refuse(Status::FAILURE)
    }

    fn call_connected(
        &self,
        _vc: &Vc<Self>,
        _parameters: Option<CallParameters<'_>>,
        _irql: &mut UpToDispatch,
    ) {
    }

    fn receive(&self, _vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        lists.give_back(irql);
    }

    fn send_complete(&self, _vc: &Vc<Self>, lists: NetBufferLists, _irql: &mut UpToDispatch) {
        SENT.put(lists);
    }
}

fn dial(af: &Af<Caller>, irql: &mut UpToDispatch) -> Vc<Caller> {
    let parameters = CallParametersBuf::builder()
        .transmit(FlowSpec::best_effort(1500))
        .receive(FlowSpec::best_effort(1500))
        .build()
        .expect("there is memory");
    let vc = af.create_vc((), irql).expect("a VC");
    vc.make_call(parameters, irql).keep()
}

fn frame(pool: &NetBufferListPool) -> NetBufferList {
    let mut list = pool.allocate(64).expect("a list");
    list.set_data(&[1; 64]).expect("room");
    list
}

/// A level for the body of a thread of the host's.
fn at_passive() -> UpToDispatch {
    // SAFETY: threads of the host run at PASSIVE_LEVEL with no lock.
    unsafe { UpToDispatch::assume() }
}

/// What is done on a host with both drivers, of a thread of its own; the calls of a crowd are up.
pub struct Crowd {
    af: Af<Caller>,
    up: Vec<Vc<Caller>>,
    kept: Vec<NetBufferList>,
}

impl Crowd {
    pub fn call(&mut self, times: usize) {
        let mut irql = at_passive();
        self.up
            .extend(std::iter::repeat_with(|| dial(&self.af, &mut irql)).take(times));
    }

    /// Makes calls and hangs up.
    pub fn call_and_hang_up(&self, times: usize) {
        let mut irql = at_passive();
        for _ in 0..times {
            let vc = dial(&self.af, &mut irql);
            vc.hang_up(&[], &mut irql).expect("it is up");
        }
    }

    /// Sends lists of one frame, each once the one before has come back: on each call in turn.
    pub fn send(&self, times: usize) {
        let mut irql = at_passive();
        let mut lists = NetBufferLists::from(frame(&self.af.binding().pool));
        for vc in self.up.iter().cycle().take(times) {
            vc.send(lists, &mut irql).expect("they are sent");
            lists = SENT.take().expect("the lists have come back");
        }
    }

    pub fn keep_frames(&mut self, count: usize) {
        let pool = &self.af.binding().pool;
        self.kept
            .extend(std::iter::repeat_with(|| frame(pool)).take(count));
    }

    pub fn hang_up(&mut self) {
        let mut irql = at_passive();
        for vc in self.up.drain(..) {
            vc.hang_up(&[], &mut irql).expect("it is up");
        }
    }
}

/// Loads both drivers, has `body` done, and takes everything down.
pub fn on_a_host(body: impl FnOnce(&mut Crowd) + Send + 'static) {
    let host = Host::builder().seed(1).events(EventMode::Off).build();
    let entry = mcm::Entry::new(Manager);
    let manager: Driver = host
        .load_with("manager", |object, path| {
            // SAFETY: the host calls this once, as DriverEntry.
            unsafe { entry.run(object, path) }
        })
        .expect("it loads");
    let entry = ndis_co::client::Entry::new(Caller);
    let client: Driver = host
        .load_with("client", |object, path| {
            // SAFETY: as above.
            unsafe { entry.run(object, path) }
        })
        .expect("it loads");
    let adapter: HostAdapter = host.add_adapter(&manager).expect("it starts");
    host.run();
    host.spawn("crowd", move || {
        let mut crowd = Crowd {
            af: AF.take().expect("a family"),
            up: Vec::new(),
            kept: Vec::new(),
        };
        body(&mut crowd);
    });
    host.run();
    host.remove_adapter(&adapter);
    host.unload(&client);
    host.unload(&manager);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}
