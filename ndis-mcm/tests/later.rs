//! An MCM that answers every request later, from another thread, or drops the
//! token: nothing hangs, nothing is answered twice, nothing is left.

use echo_client::{Application, Desk, EchoClient};
use ndis_co::{
    Status, family::AddressFamily, irql::Passive, irql::UpToDispatch, mem::Arc as KernelArc,
    params::CallParametersBuf,
};
use ndis_host::{Adapter as HostAdapter, Driver, Host, Readings, Report};
use ndis_mcm::*;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What the MCM does with a request.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Mode {
    Accept,
    Refuse,
    Drop,
}

type Job = Box<dyn FnOnce(&mut Passive) + Send>;

/// The requests that wait for an answer, and how each kind is answered.
struct Inbox {
    jobs: Mutex<VecDeque<Job>>,
    log: Mutex<Vec<&'static str>>,
    open: Mode,
    sap: Mode,
    call: Mode,
    families: Vec<AddressFamily>,
    registered: Mutex<Vec<Result<(), Status>>>,
}

impl Inbox {
    fn new(open: Mode, sap: Mode, call: Mode) -> Arc<Self> {
        Arc::new(Self {
            jobs: Mutex::default(),
            log: Mutex::default(),
            open,
            sap,
            call,
            families: vec![echo_client::ADDRESS_FAMILY],
            registered: Mutex::default(),
        })
    }

    fn later(&self, what: &'static str, job: impl FnOnce(&mut Passive) + Send + 'static) {
        self.log.lock().unwrap().push(what);
        self.jobs.lock().unwrap().push_back(Box::new(job));
    }
}

struct Later(Arc<Inbox>);

impl Miniport for Later {
    type Adapter = ();
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let mut init = init.attributes(&Attributes::wan(), irql)?.adapter(())?;
        for family in &self.0.families {
            let result = init.register_address_family(*family, irql);
            self.0.registered.lock().unwrap().push(result);
        }
        Ok(init.finish())
    }
}

impl CallManager for Later {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        match self.0.open {
            Mode::Accept => self.0.later("open", move |irql| token.accept((), irql)),
            Mode::Refuse => {
                self.0
                    .later("open", move |irql| token.refuse(Status::NOT_ACCEPTED, irql));
            }
            Mode::Drop => self.0.later("open", move |_| drop(token)),
        }
        answer
    }

    fn close_af<'r>(
        &self,
        _af: &Af<Self>,
        request: CloseAf<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        if self.0.open == Mode::Accept {
            self.0.later("close af", move |irql| token.finish(irql));
        }
        answer
    }

    fn register_sap<'r>(
        &self,
        _af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        match self.0.sap {
            Mode::Accept => self
                .0
                .later("sap", move |irql| drop(token.accept((), irql))),
            Mode::Refuse => {
                self.0
                    .later("sap", move |irql| token.refuse(Status::INVALID_DATA, irql));
            }
            Mode::Drop => self.0.later("sap", move |_| drop(token)),
        }
        answer
    }

    fn deregister_sap<'r>(
        &self,
        _sap: &Sap<Self>,
        request: DeregisterSap<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        self.0.later("deregister", move |irql| token.finish(irql));
        answer
    }

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        _vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        match self.0.call {
            Mode::Accept => self.0.later("call", move |irql| {
                let changed = CallParametersBuf::builder().build().unwrap();
                token.accept_with(changed, irql);
            }),
            Mode::Refuse => {
                self.0.later("call", move |irql| {
                    token.refuse(Status::NO_ROUTE_TO_DESTINATION, irql)
                });
            }
            Mode::Drop => self.0.later("call", move |_| drop(token)),
        }
        answer
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _parameters: Option<ndis_co::params::CallParameters<'_>>,
        _irql: &mut UpToDispatch,
    ) {
        drop(call);
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        match self.0.call {
            Mode::Drop => drop(token),
            _ => self.0.later("close call", move |irql| token.finish(irql)),
        }
        answer
    }
}

impl Carry for Later {
    type Vc = Vc<Self>;

    /// Holds the lists until the call is closed: then drops them.
    fn send(&self, _vc: &Vc<Self>, lists: SendLists<Self>, _irql: &mut UpToDispatch) {
        self.0.later("send", move |_| drop(lists));
    }
}

/// A client that sends two frames on each call and notes how things ended.
#[derive(Default)]
struct Notes {
    listening: Mutex<Vec<Result<(), Status>>>,
    ended: Mutex<Vec<Result<(), Status>>>,
}

struct App(Arc<Notes>);

impl Application for App {
    fn number(&self) -> Option<u32> {
        Some(1)
    }
    fn listening(&self, result: Result<(), Status>) {
        self.0.listening.lock().unwrap().push(result);
    }
    fn frame(&self, _call: u32, index: u32, _to: &mut [u8]) -> Option<usize> {
        (index < 2).then_some(10)
    }
    fn ended(&self, _call: u32, result: Result<(), Status>) {
        self.0.ended.lock().unwrap().push(result);
    }
}

/// A thread that no host knows is meant for the only host there is.
static ONE_HOST: Mutex<()> = Mutex::new(());

struct World {
    _alone: MutexGuard<'static, ()>,
    host: Host,
    mcm: Driver,
    client: Driver,
    desk: KernelArc<Desk<App>>,
    inbox: Arc<Inbox>,
    notes: Arc<Notes>,
}

fn passive<R>(f: impl FnOnce(&mut Passive) -> R) -> R {
    // SAFETY: called by threads at PASSIVE_LEVEL that hold no lock.
    f(&mut unsafe { Passive::assume() })
}

/// Answers what waits, on threads that the host knows nothing of, until
/// nothing does.
fn answer(world: &World) {
    loop {
        world.host.run_for(1);
        let Some(job) = world.inbox.jobs.lock().unwrap().pop_front() else {
            return;
        };
        std::thread::spawn(move || passive(job)).join().unwrap();
    }
}

impl World {
    fn new(seed: u64, readings: Readings, inbox: Arc<Inbox>) -> Self {
        let alone = ONE_HOST.lock().unwrap_or_else(PoisonError::into_inner);
        let host = Host::builder().seed(seed).readings(readings).build();
        let entry = Entry::new(Later(inbox.clone()));
        // SAFETY: the host calls this once, as DriverEntry.
        let mcm = host
            .load_with("later", move |o, p| unsafe { entry.run(o, p) })
            .unwrap();
        let notes = Arc::new(Notes::default());
        let client = EchoClient::try_new(App(notes.clone())).unwrap();
        let desk = client.desk();
        let entry = ndis_co::client::Entry::new(client);
        // SAFETY: as above.
        let client = host
            .load_with("client", move |o, p| unsafe { entry.run(o, p) })
            .unwrap();
        Self {
            _alone: alone,
            host,
            mcm,
            client,
            desk,
            inbox,
            notes,
        }
    }

    /// Takes the client down while a helper answers what that needs.
    fn end(self, adapter: HostAdapter) -> Report {
        let Self {
            _alone,
            host,
            mcm,
            client,
            desk,
            inbox,
            ..
        } = self;
        let inbox = &inbox;
        // The teardown waits for answers, so a thread of the host gives them.
        let jobs = inbox.clone();
        host.spawn("answers", move || {
            passive(|irql| {
                for _ in 0..200 {
                    let job = jobs.jobs.lock().unwrap().pop_front();
                    if let Some(job) = job {
                        job(irql);
                    }
                    let event = ndis_co::event::Event::try_new(ndis_co::mem::Tag::NDIS).unwrap();
                    event.wait_for(1, irql);
                }
            });
        });
        host.remove_adapter(&adapter);
        host.unload(&client);
        drop(desk);
        host.unload(&mcm);
        host.run();
        host.finish()
    }
}

fn run(
    seed: u64,
    readings: Readings,
    open: Mode,
    sap: Mode,
    call: Mode,
) -> (Arc<Notes>, Arc<Inbox>) {
    let world = World::new(seed, readings, Inbox::new(open, sap, call));
    let adapter = world.host.add_adapter(&world.mcm).unwrap();
    answer(&world);
    if open == Mode::Accept {
        let desk = world.desk.clone();
        world.host.spawn("caller", move || {
            passive(|irql| drop(desk.place_call(0, 9, irql).unwrap()));
        });
        answer(&world);
        if call == Mode::Accept {
            // The frames were dropped, so no echo ends the call.
            world.host.run_for(5);
        }
    }
    let (notes, inbox) = (world.notes.clone(), world.inbox.clone());
    let report = world.end(adapter);
    assert!(report.is_clean(), "{open:?} {sap:?} {call:?}: {report}");
    (notes, inbox)
}

#[test]
fn every_request_is_answered_later_by_another_thread() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let (notes, inbox) = run(
            seed,
            Readings::default(),
            Mode::Accept,
            Mode::Accept,
            Mode::Accept,
        );
        assert_eq!(*notes.listening.lock().unwrap(), [Ok(())]);
        assert_eq!(notes.ended.lock().unwrap().len(), 1);
        let log = inbox.log.lock().unwrap();
        for kind in [
            "open",
            "sap",
            "call",
            "send",
            "close call",
            "deregister",
            "close af",
        ] {
            assert!(log.contains(&kind), "seed {seed}: no {kind} in {log:?}");
        }
    }
}

#[test]
fn every_request_is_refused_later() {
    let (notes, _) = run(
        1,
        Readings::default(),
        Mode::Accept,
        Mode::Refuse,
        Mode::Refuse,
    );
    assert_eq!(
        *notes.listening.lock().unwrap(),
        [Err(Status::INVALID_DATA)]
    );
    assert_eq!(
        *notes.ended.lock().unwrap(),
        [Err(Status::NO_ROUTE_TO_DESTINATION)]
    );
    run(
        2,
        Readings::default(),
        Mode::Refuse,
        Mode::Refuse,
        Mode::Refuse,
    );
}

#[test]
fn a_dropped_token_answers_all_the_same() {
    for seed in 0..if cfg!(miri) { 1 } else { 10 } {
        let (notes, _) = run(
            seed,
            Readings::default(),
            Mode::Accept,
            Mode::Drop,
            Mode::Drop,
        );
        assert_eq!(*notes.listening.lock().unwrap(), [Err(Status::FAILURE)]);
        assert_eq!(*notes.ended.lock().unwrap(), [Err(Status::FAILURE)]);
        run(
            seed,
            Readings::default(),
            Mode::Drop,
            Mode::Drop,
            Mode::Drop,
        );
    }
}

#[test]
fn later_answers_go_well_under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 100 } else { 1 }) {
        println!("{}", readings.describe());
        run(3, readings, Mode::Accept, Mode::Accept, Mode::Accept);
    }
}

/// Each documented status of the registration (rules INIT-04, INIT-06), and
/// several families on one adapter.
#[test]
fn families_are_registered_once_each() {
    let second = AddressFamily::new(ndis_co::family::Family::L2TP, 1, 0);
    let mut inbox = Inbox::new(Mode::Accept, Mode::Accept, Mode::Accept);
    let first = echo_client::ADDRESS_FAMILY;
    Arc::get_mut(&mut inbox).unwrap().families = vec![first, second, first];
    let world = World::new(4, Readings::default(), inbox);
    // The repeated one is refused before NDIS is asked (INIT-04).
    let adapter = world.host.add_adapter(&world.mcm).unwrap();
    answer(&world);
    assert_eq!(
        *world.inbox.registered.lock().unwrap(),
        [Ok(()), Ok(()), Err(Status::FAILURE)]
    );
    let report = world.end(adapter);
    assert!(report.is_clean(), "{report}");

    let inbox = Inbox::new(Mode::Accept, Mode::Accept, Mode::Accept);
    let world = World::new(5, Readings::default(), inbox);
    let call = "NdisMCmRegisterAddressFamilyEx";
    world.host.fail_call(call, 1, Status::RESOURCES.raw());
    let adapter = world.host.add_adapter(&world.mcm).unwrap();
    assert_eq!(
        *world.inbox.registered.lock().unwrap(),
        [Err(Status::RESOURCES)]
    );
    let report = world.end(adapter);
    assert!(report.is_clean(), "{report}");
}
