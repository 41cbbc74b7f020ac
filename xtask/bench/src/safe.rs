//! The pair on the safe layer.

use ndis_co::{
    Answer, Status,
    address::SapAddressBuf,
    client::{
        Af, AfOffer, AsClient, Binding, Client, IncomingCall, NewBinding, OpenAf, Protocol,
        Received, Sap, Vc,
    },
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferList, NetBufferListPool, NetBufferLists},
    params::{CallParameters, CallParametersBuf, FlowSpec, Specific},
};
use ndis_mcm::{
    self as mcm, AcceptedCall, Adapter, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, PendingCloseCall, RegisterSap, SendLists,
};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::place::Place;

const FAMILY: AddressFamily = AddressFamily::new(Family::new(0x4C6F_6F70), 1, 0);
const TAG: Tag = Tag::new(*b"Bnch");
/// The number that is called.
const NUMBER: [u8; 4] = [7, 0, 0, 0];
/// The longest frame that there is room for.
const ROOM: u32 = 1500;
/// The data of a frame.
const FRAME: [u8; 64] = [1; 64];

/// Lists at home.
static SENDS: Place<NetBufferLists> = Place::new();
static RECEIVES: Place<NetBufferLists> = Place::new();
/// The client's family, the call that is up, and the one that came in last.
static AF: Place<Af<Caller>> = Place::new();
static CALL: Place<Vc<Caller>> = Place::new();
static TAKEN: Place<Vc<Caller>> = Place::new();
static CROWD: Place<Vec<Vc<Caller>>> = Place::new();
/// The call manager's end of the call that is up, its SAP and its adapter.
static MANAGERS_CALL: Place<mcm::Vc<Manager>> = Place::new();
static MANAGERS_SAP: Place<mcm::Sap<Manager>> = Place::new();
/// Where it keeps what it is to finish later; nothing, when it is to finish at once.
static CLOSES: Place<Vec<PendingCloseCall<Manager>>> = Place::new();
static ADAPTER: Place<Adapter<Manager>> = Place::new();
/// What is to be done with the next call and with the next lists.
static KEEP: AtomicBool = AtomicBool::new(false);
static LATER: AtomicBool = AtomicBool::new(false);
static READ: AtomicBool = AtomicBool::new(false);

pub struct Manager;

pub struct Nic {
    pool: NetBufferListPool,
}

impl Miniport for Manager {
    type Adapter = Nic;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let pool = NetBufferListPool::for_receives_of_size(init.scope(), ROOM, TAG)?;
        let mut init = init.adapter(Nic { pool })?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }

    fn initialized(&self, adapter: &Adapter<Self>, _irql: &mut Passive) {
        ADAPTER.put(adapter.clone());
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
        let (answer, sap) = request.accept(());
        MANAGERS_SAP.put(sap);
        answer
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
        let number = request
            .parameters()
            .and_then(|parameters| parameters.call_manager())
            .and_then(|manager| manager.specific().ok())
            .and_then(|specific| <[u8; 4]>::try_from(specific.bytes).ok());
        if number != Some(NUMBER) {
            return request.refuse(Status::NO_ROUTE_TO_DESTINATION);
        }
        if LATER.load(Relaxed) {
            return request.accept(irql);
        }
        let (answer, pending) = request.pend();
        pending.accept(irql);
        answer
    }

    fn call_connected(&self, vc: &mcm::Vc<Self>, _irql: &mut UpToDispatch) {
        if KEEP.load(Relaxed) {
            MANAGERS_CALL.put(vc.clone());
        }
    }

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
        if let Some(mut closes) = CLOSES.take() {
            let (answer, close) = request.pend();
            closes.push(close);
            CLOSES.put(closes);
            return answer;
        }
        request.finish(irql)
    }
}

impl Carry for Manager {
    type Vc = mcm::Vc<Self>;

    fn send(&self, _vc: &mcm::Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        lists.complete(Status::SUCCESS, irql);
    }

    fn returned(&self, _: &Adapter<Self>, lists: NetBufferLists, _irql: &mut UpToDispatch) {
        RECEIVES.put(lists);
    }
}

pub struct Caller;

pub struct Port {
    pool: NetBufferListPool,
}

impl Protocol for Caller {
    const NAME: &'static str = "BENCH";
    type Binding = Port;
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<Port, Status> {
        let pool = NetBufferListPool::for_sends_of_size(adapter.scope(), ROOM, TAG)?;
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

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let address = SapAddressBuf::try_new(1, &NUMBER).expect("there is memory");
        let _ = af.register_sap((), address, irql).expect("a SAP").keep();
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
        let (answer, call) = call.accept();
        TAKEN.put(call.keep());
        answer
    }

    fn call_connected(
        &self,
        _vc: &Vc<Self>,
        _parameters: Option<CallParameters<'_>>,
        _irql: &mut UpToDispatch,
    ) {
    }

    fn receive(&self, _vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        if READ.load(Relaxed) {
            let mut frame = [0; FRAME.len()];
            for packet in lists.buffers() {
                packet.copy_to(&mut frame).expect("a frame");
                std::hint::black_box(&frame);
            }
        }
        lists.give_back(irql);
    }

    fn send_complete(&self, _vc: &Vc<Self>, lists: NetBufferLists, _irql: &mut UpToDispatch) {
        SENDS.put(lists);
    }
}

fn parameters() -> CallParametersBuf {
    let number = Specific {
        param_type: 1,
        bytes: &NUMBER,
    };
    CallParametersBuf::builder()
        .transmit(FlowSpec::best_effort(1500))
        .receive(FlowSpec::best_effort(1500))
        .call_manager_specific(number)
        .build()
        .expect("there is memory")
}

fn dial(irql: &mut UpToDispatch) -> Vc<Caller> {
    let vc = AF.with(|af| {
        let vc = af.create_vc((), irql).expect("a VC");
        vc.make_call(parameters(), irql).keep()
    });
    vc.expect("a family")
}

pub fn up(_: usize, irql: &mut UpToDispatch) {
    KEEP.store(true, Relaxed);
    CALL.put(dial(irql));
    KEEP.store(false, Relaxed);
}

fn frame(pool: &NetBufferListPool) -> NetBufferList {
    let mut list = pool.allocate(FRAME.len()).expect("a list");
    list.set_data(&FRAME).expect("room");
    list
}

fn frames(pool: &NetBufferListPool, count: usize) -> NetBufferLists {
    let mut lists = NetBufferLists::from(frame(pool));
    for _ in 1..count {
        lists.push_back(frame(pool)).expect("a list more");
    }
    lists
}

pub fn fill(count: usize, _irql: &mut UpToDispatch) {
    AF.with(|af| SENDS.put(frames(&af.binding().pool, count)));
    ADAPTER.with(|adapter| RECEIVES.put(frames(&adapter.pool, count)));
}

pub fn send(_: usize, irql: &mut UpToDispatch) {
    let lists = SENDS.take().expect("lists at home");
    CALL.with(|vc| vc.send(lists, irql).expect("they are sent"));
}

pub fn receive(_: usize, irql: &mut UpToDispatch) {
    let lists = RECEIVES.take().expect("lists at home");
    MANAGERS_CALL.with(|vc| {
        vc.indicate_receive(lists, irql)
            .expect("they are indicated");
    });
}

pub fn read(count: usize, irql: &mut UpToDispatch) {
    READ.store(true, Relaxed);
    receive(count, irql);
}

pub fn allocate(_: usize, _irql: &mut UpToDispatch) {
    // The adapter's is at hand without a reference to be counted.
    ADAPTER.with(|adapter| drop(std::hint::black_box(frame(&adapter.pool))));
}

pub fn call(_: usize, irql: &mut UpToDispatch) {
    let vc = dial(irql);
    vc.hang_up(&[], irql).expect("it is up");
}

pub fn call_later(_: usize, irql: &mut UpToDispatch) {
    // The acceptance comes with the work item, after the round: the next one hangs up.
    LATER.store(true, Relaxed);
    if let Some(vc) = CALL.take() {
        vc.hang_up(&[], irql).expect("it is up");
    }
    CALL.put(dial(irql));
}

pub fn call_in(_: usize, irql: &mut UpToDispatch) {
    let vc = MANAGERS_SAP.with(|sap| {
        let vc = sap.create_vc((), irql).expect("a VC");
        let vc = vc.activate(parameters(), irql);
        let vc = vc.map_err(|refused| refused.status).expect("an active VC");
        // As the raw one, with one block for both.
        vc.dispatch_incoming_call_as_activated(irql)
    });
    let taken = TAKEN.take().expect("a call that was taken");
    taken.hang_up(&[], irql).expect("it is up");
    drop(vc);
}

pub fn crowd(count: usize, irql: &mut UpToDispatch) {
    CROWD.put((0..count).map(|_| dial(irql)).collect());
}

pub fn close_family(_: usize, irql: &mut UpToDispatch) {
    AF.with(|af| af.close(irql));
}

pub fn close_family_later(_: usize, irql: &mut UpToDispatch) {
    CLOSES.put(Vec::new());
    AF.with(|af| af.close(irql));
    for close in CLOSES.take().unwrap_or_default() {
        close.finish(irql);
    }
}
