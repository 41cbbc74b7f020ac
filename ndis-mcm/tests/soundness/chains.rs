//! Drivers that end or answer the next object in the callback that tells of the
//! last one do not use up the stack.
//!
//! Each object has such a callback once, so a chain of them is as long as there are
//! objects, and each link may nest in the one before it. The crates look at the
//! stack before each ([`ndis_co::stack`]) and leave the rest to a work item. In each
//! test below every callback has room, and everything is done in the end.

use super::stack::Depth;
use super::*;
use ndis_co::irql::NoLock;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// How many objects one chain has: more than fit on one stack.
///
/// The links of some chains nest as callbacks do, each within NDIS's call of the one
/// before, which the host counts; others as functions of one driver and its crate,
/// which takes longer to be seen, and under Miri is not.
fn links(at: In) -> usize {
    match (at.nests(), cfg!(miri)) {
        (_, true) => 16,
        (true, false) => 120,
        (false, false) => 2000,
    }
}

/// What a callback does next.
type Link = Box<dyn FnOnce(&mut UpToDispatch) + Send>;

/// What is left to do, of which every callback that a chain goes through does one.
#[derive(Default)]
struct Chain {
    links: Mutex<VecDeque<Link>>,
    done: AtomicUsize,
    /// How many links were once within each other.
    nested: AtomicUsize,
    depth: Depth,
}

thread_local! {
    /// How many links are within each other on this thread.
    static NESTED: Cell<usize> = const { Cell::new(0) };
}

impl Chain {
    fn add(&self, link: impl FnOnce(&mut UpToDispatch) + Send + 'static) {
        self.links.lock().unwrap().push_back(Box::new(link));
    }

    /// Called by the callback that tells of an object: goes on with the next one.
    fn next(&self, irql: &mut UpToDispatch) {
        self.depth.look();
        let link = self.links.lock().unwrap().pop_front();
        if let Some(link) = link {
            self.done.fetch_add(1, SeqCst);
            self.nested.fetch_max(NESTED.get() + 1, SeqCst);
            NESTED.set(NESTED.get() + 1);
            link(irql);
            NESTED.set(NESTED.get() - 1);
        }
    }
}

/// In which callback the chain goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum In {
    /// The client's.
    CallFailed,
    CallConnected,
    CallClosed,
    SapDeregistered,
    VcDeleted,
    /// The call manager's.
    ManagerCallFailed,
    ManagerCallRefused,
    ManagerCloseCall,
    ManagerVcDeleted,
    ManagerAccepted,
}

impl In {
    /// Whether the links nest as callbacks of NDIS.
    fn nests(self) -> bool {
        !matches!(
            self,
            Self::CallFailed
                | Self::CallClosed
                | Self::VcDeleted
                | Self::ManagerCallFailed
                | Self::ManagerVcDeleted
        )
    }
}

/// How the other side answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Calls {
    /// Taken.
    Accepted,
    /// Turned away on the spot.
    Refused,
    /// Answered by the chain.
    Pended,
}

#[derive(Clone)]
struct Links {
    at: In,
    calls: Calls,
    chain: Arc<Chain>,
}

impl Links {
    fn go(&self, at: In, irql: &mut UpToDispatch) {
        if self.at == at {
            self.chain.next(irql);
        } else {
            self.chain.depth.look();
        }
    }
}

impl Switch for Links {
    fn make_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: MakeCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match self.calls {
            Calls::Accepted => request.accept(irql),
            Calls::Refused => request.refuse(Status::FAILURE),
            Calls::Pended => {
                let (answer, pending) = request.pend();
                self.chain
                    .add(move |irql| pending.refuse(Status::FAILURE, irql));
                answer
            }
        }
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Exchange<Self>>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        if self.at == In::ManagerAccepted {
            call.connect(irql);
            self.go(In::ManagerAccepted, irql);
        } else if self.at == In::ManagerCloseCall {
            self.chain.add(move |irql| {
                call.connect(irql);
            });
        } else {
            call.connect(irql);
        }
    }

    fn incoming_call_refused(
        &self,
        _vc: &Vc<Exchange<Self>>,
        _status: Status,
        irql: &mut UpToDispatch,
    ) {
        self.go(In::ManagerCallRefused, irql);
    }

    fn call_failed(&self, _vc: &Vc<Exchange<Self>>, irql: &mut UpToDispatch) {
        self.go(In::ManagerCallFailed, irql);
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: CloseCall<'r, Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.go(In::ManagerCloseCall, irql);
        request.finish(irql)
    }

    fn vc_deleted(&self, _vc: &Vc<Exchange<Self>>, irql: &mut UpToDispatch) {
        self.go(In::ManagerVcDeleted, irql);
    }
}

impl Phone for Links {
    const LISTENS: bool = true;

    fn incoming_call<'r>(
        &self,
        call: IncomingCall<'r, Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match self.calls {
            Calls::Accepted => {
                let (answer, call) = call.accept();
                let _ = call.keep();
                answer
            }
            Calls::Refused => call.refuse(Status::FAILURE),
            Calls::Pended => {
                let (answer, pending) = call.pend();
                self.chain.add(move |irql| {
                    let _ = pending.accept(irql).keep();
                });
                answer
            }
        }
    }

    fn call_connected(
        &self,
        vc: &Leg<Handset<Self>>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        if self.at == In::ManagerCloseCall {
            // So that the call manager's close comes within its connect.
            vc.hang_up(&[], irql).unwrap();
        }
        self.go(In::CallConnected, irql);
    }

    fn call_failed(&self, _vc: &Leg<Handset<Self>>, _status: Status, irql: &mut UpToDispatch) {
        self.go(In::CallFailed, irql);
    }

    fn call_closed(&self, _vc: &Leg<Handset<Self>>, irql: &mut UpToDispatch) {
        self.go(In::CallClosed, irql);
    }

    fn sap_deregistered(&self, irql: &mut UpToDispatch) {
        self.go(In::SapDeregistered, irql);
    }

    fn vc_deleted(&self, _vc: &Leg<Handset<Self>>, irql: &mut UpToDispatch) {
        self.go(In::VcDeleted, irql);
    }
}

/// One chain: `set_up` makes the objects and their links; then the first link is
/// set off on a thread of its own.
fn chain(
    seed: u64,
    at: In,
    calls: Calls,
    set_up: impl FnOnce(&World<Links, Links>, &Arc<Chain>),
) -> World<Links, Links> {
    let chain = Arc::new(Chain::default());
    let drivers = Links {
        at,
        calls,
        chain: chain.clone(),
    };
    let world = World::seed(seed, drivers.clone(), drivers);
    set_up(&world, &chain);
    world.host.run();
    let first = chain.clone();
    world.thread("first", move |irql| {
        first.next(irql.up_to_dispatch());
    });
    world.host.run();
    let about = format!("{at:?}, calls {calls:?}, seed {seed}");
    assert_eq!(chain.done.load(SeqCst), links(at), "{about}");
    chain.depth.check_room(&about);
    let nested = chain.nested.load(SeqCst);
    if at.nests() || !cfg!(miri) {
        assert!(nested < links(at), "{about}: all within each other");
    }
    // (Where the call manager ends a call that is up, a work item completes it.)
    if !matches!(at, In::CallClosed | In::ManagerCloseCall) {
        assert!(nested > 3, "{about}: only {nested} within each other");
    }
    world
}

/// VCs of the client, each to place a call.
fn calls_to_place(world: &World<Links, Links>, chain: &Arc<Chain>) {
    let at = world.handset.phone.at;
    let (handset, chain) = (world.handset.clone(), chain.clone());
    world.thread("user", move |irql| {
        let af = handset.af.get().unwrap();
        for _ in 0..links(at) {
            let vc = af.create_vc(None, irql).unwrap();
            chain.add(move |irql| {
                let _ = vc.make_call(parameters(b"next"), irql).keep();
            });
        }
    });
}

/// Calls of the client that are up.
fn calls_up(
    world: &World<Links, Links>,
    chain: &Arc<Chain>,
    link: fn(Leg<Handset<Links>>) -> Link,
) {
    let at = world.handset.phone.at;
    let (handset, chain) = (world.handset.clone(), chain.clone());
    world.thread("user", move |irql| {
        let af = handset.af.get().unwrap();
        for _ in 0..links(at) {
            let vc = af.create_vc(None, irql).unwrap();
            let vc = vc.make_call(parameters(b"up"), irql).keep();
            chain.links.lock().unwrap().push_back(link(vc));
        }
    });
}

/// VCs of the call manager, active, each to offer a call.
fn calls_to_offer(world: &World<Links, Links>, chain: &Arc<Chain>) {
    let at = world.handset.phone.at;
    let (exchange, chain) = (world.exchange.clone(), chain.clone());
    world.thread("network", move |irql| {
        let sap = exchange.sap.get().unwrap();
        for _ in 0..links(at) {
            let vc = sap.create_vc(None, irql).unwrap().keep();
            let vc = vc.activate(parameters(b"link"), irql).unwrap();
            chain.add(move |irql| {
                let _ = vc.dispatch_incoming_call(parameters(b"next"), irql);
            });
        }
    });
}

/// The next call is placed when one has failed.
#[test]
fn a_call_in_every_failure() {
    for seed in seeds(6) {
        let (at, calls) = (In::CallFailed, Calls::Refused);
        chain(seed, at, calls, calls_to_place).end_clean();
    }
}

/// As above, where nothing is called: the family is being closed, so that each call
/// fails at once.
#[test]
fn a_call_in_every_failure_at_the_end() {
    for seed in seeds(6) {
        let world = chain(seed, In::CallFailed, Calls::Refused, |world, chain| {
            calls_to_place(world, chain);
            world.host.run();
            let handset = world.handset.clone();
            world.thread("closer", move |irql| handset.af.get().unwrap().close(irql));
        });
        world.end_clean();
    }
}

/// The call manager refuses the next call when one has failed.
#[test]
fn a_refusal_in_every_failure() {
    for seed in seeds(6) {
        let at = In::ManagerCallFailed;
        chain(seed, at, Calls::Pended, |world, _| {
            let handset = world.handset.clone();
            world.thread("user", move |irql| {
                let af = handset.af.get().unwrap();
                for _ in 0..links(at) {
                    let vc = af.create_vc(None, irql).unwrap();
                    let _ = vc.make_call(parameters(b"pended"), irql).keep();
                }
            });
        })
        .end_clean();
    }
}

/// The next call is hung up when one was closed.
#[test]
fn a_hang_up_in_every_end() {
    for seed in seeds(6) {
        let at = In::CallClosed;
        chain(seed, at, Calls::Accepted, |world, chain| {
            calls_up(world, chain, |vc| {
                Box::new(move |irql| vc.hang_up(b"bye", irql).unwrap())
            });
        })
        .end_clean();
    }
}

/// The call manager ends the next call when one is closed.
#[test]
fn an_end_in_every_close() {
    for seed in seeds(6) {
        let at = In::ManagerCloseCall;
        chain(seed, at, Calls::Accepted, |world, chain| {
            let exchange = world.exchange.clone();
            let (handset, chain) = (world.handset.clone(), chain.clone());
            world.thread("user", move |irql| {
                let af = handset.af.get().unwrap();
                for _ in 0..links(at) {
                    let vc = af.create_vc(None, irql).unwrap();
                    let _ = vc.make_call(parameters(b"up"), irql).keep();
                    let vc = exchange.vc.take().unwrap();
                    chain.add(move |irql| {
                        // The client may have hung up meanwhile.
                        let _ = vc.dispatch_incoming_close(Status::SUCCESS, b"bye", irql);
                    });
                }
            });
        })
        .end_clean();
    }
}

/// The next VC is deleted when one was: the client's, and the call manager's.
#[test]
fn a_deletion_in_every_deletion() {
    for seed in seeds(6) {
        let at = In::VcDeleted;
        chain(seed, at, Calls::Accepted, |world, chain| {
            let (handset, chain) = (world.handset.clone(), chain.clone());
            world.thread("user", move |irql| {
                let af = handset.af.get().unwrap();
                for _ in 0..links(at) {
                    let vc = af.create_vc(None, irql).unwrap();
                    chain.add(move |irql| vc.delete(irql));
                }
            });
        })
        .end_clean();

        let at = In::ManagerVcDeleted;
        chain(seed, at, Calls::Accepted, |world, chain| {
            let (exchange, chain) = (world.exchange.clone(), chain.clone());
            world.thread("network", move |irql| {
                let sap = exchange.sap.get().unwrap();
                for _ in 0..links(at) {
                    let vc = sap.create_vc(None, irql).unwrap().keep();
                    chain.add(move |irql| vc.delete(irql));
                }
            });
        })
        .end_clean();
    }
}

/// The next SAP is deregistered when one was.
#[test]
fn a_deregistration_in_every_deregistration() {
    for seed in seeds(6) {
        let at = In::SapDeregistered;
        chain(seed, at, Calls::Accepted, |world, chain| {
            let (handset, chain) = (world.handset.clone(), chain.clone());
            world.thread("user", move |irql| {
                let af = handset.af.get().unwrap();
                for number in 0..links(at) {
                    let address = SapAddressBuf::try_new(1, &number.to_le_bytes()).unwrap();
                    let sap = af.register_sap(None, address, irql).unwrap();
                    chain.add(move |irql| sap.deregister(irql));
                }
            });
        })
        .end_clean();
    }
}

/// The next call is offered when one was refused, or taken.
#[test]
fn an_offer_in_every_answer() {
    for seed in seeds(6) {
        let (at, calls) = (In::ManagerCallRefused, Calls::Refused);
        chain(seed, at, calls, calls_to_offer).end_clean();
        let (at, calls) = (In::ManagerAccepted, Calls::Accepted);
        chain(seed, at, calls, calls_to_offer).end_clean();
    }
}

/// The client takes the next call when one is connected.
#[test]
fn an_answer_in_every_connection() {
    for seed in seeds(6) {
        let at = In::CallConnected;
        chain(seed, at, Calls::Pended, |world, _| {
            let exchange = world.exchange.clone();
            world.thread("network", move |irql| {
                let sap = exchange.sap.get().unwrap();
                for _ in 0..links(at) {
                    let vc = sap.create_vc(None, irql).unwrap();
                    let vc = vc.activate(parameters(b"link"), irql).unwrap();
                    let _ = vc.dispatch_incoming_call(parameters(b"rings"), irql);
                }
            });
        })
        .end_clean();
    }
}

/// The call manager connects the next call when one is closed, which the client does
/// as soon as it is connected.
#[test]
fn a_connection_in_every_close() {
    for seed in seeds(6) {
        let at = In::ManagerCloseCall;
        chain(seed, at, Calls::Accepted, |world, _| {
            let exchange = world.exchange.clone();
            world.thread("network", move |irql| {
                let sap = exchange.sap.get().unwrap();
                for _ in 0..links(at) {
                    let vc = sap.create_vc(None, irql).unwrap();
                    let vc = vc.activate(parameters(b"link"), irql).unwrap();
                    let _ = vc.dispatch_incoming_call(parameters(b"taken"), irql);
                }
            });
        })
        .end_clean();
    }
}
