//! Drivers that answer each other at once do not use up the stack.
//!
//! A send may run the peer's callback, which sends in turn, and so on without end;
//! a VC's creation may create another one. The crates look at the stack first
//! ([`ndis_co::stack`]): data goes on from a work item, an object is refused. In
//! each test the drivers go on until a counter stops them, and every handler notes
//! how much of the stack it has: never less than [`BOUND`], however long it goes
//! on. What was sent arrives, in order and whole.
//!
//! (The host counts 2 kB for each callback within a callback, of a stack of 24 kB,
//! as it is on a 64-bit Windows.)

use super::*;
use ndis_co::{
    nbl::NetBufferList,
    stack::{LOW, VERY_LOW, remaining},
};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

/// What every handler may count on: a step below the limit at which data is
/// refused, for the callback that the last step still made.
const BOUND: usize = VERY_LOW - 2 * 1024;

/// The least stack that any handler had, and how often one had little.
pub(super) struct Depth {
    least: AtomicUsize,
    low: AtomicU32,
    /// Data that was refused, which nothing here deserves.
    refused: Notes<Status>,
}

impl Default for Depth {
    fn default() -> Self {
        Self {
            least: AtomicUsize::new(usize::MAX),
            low: AtomicU32::new(0),
            refused: Notes::default(),
        }
    }
}

impl Depth {
    pub(super) fn look(&self) {
        let left = remaining();
        self.least.fetch_min(left, SeqCst);
        if left < LOW {
            self.low.fetch_add(1, SeqCst);
        }
    }

    /// It was never too deep.
    #[track_caller]
    pub(super) fn check_room(&self, about: &str) {
        let least = self.least.load(SeqCst);
        assert!(least >= BOUND, "{about}: a handler had {least} bytes");
    }

    /// It was deep, and never too deep.
    #[track_caller]
    pub(super) fn check(&self, about: &str) {
        assert!(self.refused.all().is_empty(), "{about}: data was refused");
        self.check_room(about);
        assert!(
            self.low.load(SeqCst) > 0,
            "{about}: nothing nested so deep that anything was left for later"
        );
    }
}

/// A list with a number.
fn numbered(pool: &NetBufferListPool, number: u32) -> NetBufferList {
    let mut list = pool.allocate(4).unwrap();
    list.set_data(&number.to_le_bytes()).unwrap();
    list
}

/// The numbers of some packets.
fn numbers(packets: ndis_co::nbl::Packets<'_>) -> Vec<u32> {
    let mut all = Vec::new();
    for packet in packets {
        let mut number = [0; 4];
        assert_eq!(packet.copy_to(&mut number), Ok(4));
        all.push(u32::from_le_bytes(number));
    }
    all
}

/// How many frames one test sends.
const FRAMES: u32 = if cfg!(miri) { 40 } else { 120 };

/// What the switch does with a frame.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Loops {
    /// Completes it, and that is all.
    Completes,
    /// Indicates a copy to the sender, then completes.
    IndicatesFirst,
    /// The other way round.
    CompletesFirst,
}

/// A switch that loops frames back within the send.
struct Loop {
    how: Loops,
    depth: Arc<Depth>,
    sent: Notes<u32>,
}

impl Loop {
    fn indicate(&self, vc: &Vc<Exchange<Self>>, numbers: &[u32], irql: &mut UpToDispatch) {
        for number in numbers {
            let list = numbered(&vc.base().pool, *number);
            // The client leaves its sends for later before this is refused.
            if let Err(refused) = vc.indicate_receive(list.into(), irql) {
                self.depth.refused.add(refused.status);
            }
        }
    }
}

impl Switch for Loop {
    fn send(
        &self,
        vc: &Vc<Exchange<Self>>,
        lists: SendLists<Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) {
        self.depth.look();
        let numbers = numbers(lists.buffers());
        for number in &numbers {
            self.sent.add(*number);
        }
        match self.how {
            Loops::Completes => lists.complete(Status::SUCCESS, irql),
            Loops::IndicatesFirst => {
                self.indicate(vc, &numbers, irql);
                lists.complete(Status::SUCCESS, irql);
            }
            Loops::CompletesFirst => {
                lists.complete(Status::SUCCESS, irql);
                self.indicate(vc, &numbers, irql);
            }
        }
    }

    fn returned(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        _lists: NetBufferLists,
        _irql: &mut UpToDispatch,
    ) {
        self.depth.look();
    }
}

/// When the client sends its next frame.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Sends {
    /// When one was completed.
    Completed,
    /// When one was received.
    Received,
    /// Both.
    Always,
}

/// A client that never stops.
struct Sender {
    sends: Sends,
    depth: Arc<Depth>,
    next: AtomicU32,
    received: Notes<u32>,
    completed: AtomicU32,
    failed: AtomicU32,
}

impl Sender {
    fn send_next(vc: &Leg<Handset<Self>>, irql: &mut UpToDispatch) {
        let binding = vc.af().binding();
        let this = &binding.driver().phone;
        let number = this.next.fetch_add(1, SeqCst);
        if number < FRAMES {
            let list = numbered(&binding.pool, number);
            if let Err(unsent) = vc.send(list.into(), irql) {
                this.depth.refused.add(unsent.status);
            }
        }
    }
}

impl Phone for Sender {
    fn call_connected(
        &self,
        vc: &Leg<Handset<Self>>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        Self::send_next(vc, irql);
    }

    fn receive(
        &self,
        vc: &Leg<Handset<Self>>,
        lists: Received<'_, Handset<Self>>,
        irql: &mut UpToDispatch,
    ) {
        self.depth.look();
        for number in numbers(lists.buffers()) {
            self.received.add(number);
        }
        lists.give_back(irql);
        if self.sends != Sends::Completed {
            Self::send_next(vc, irql);
        }
    }

    fn send_complete(
        &self,
        vc: &Leg<Handset<Self>>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) {
        self.depth.look();
        for list in &lists {
            if list.status().is_success() {
                self.completed.fetch_add(1, SeqCst);
            } else {
                self.failed.fetch_add(1, SeqCst);
            }
        }
        lists.free(irql);
        if self.sends != Sends::Received {
            Self::send_next(vc, irql);
        }
    }
}

/// What comes in the order in which the client has sent.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Ordered {
    /// Everything: only one frame is under way, or only one processor is at work.
    All,
    /// What the switch is sent, for it completes a frame, and has the next one
    /// sent, before it indicates it.
    Sent,
    /// Nothing: the client itself sends on several processors side by side.
    Nothing,
}

/// One run.
fn ping_pong(builder: Builder, how: Loops, sends: Sends, ordered: Ordered) {
    let about = format!("{how:?} {sends:?}");
    let depth = Arc::new(Depth::default());
    let switch = Loop {
        how,
        depth: depth.clone(),
        sent: Notes::default(),
    };
    let phone = Sender {
        sends,
        depth: depth.clone(),
        next: AtomicU32::new(0),
        received: Notes::default(),
        completed: AtomicU32::new(0),
        failed: AtomicU32::new(0),
    };
    let world = World::new(builder, switch, phone);
    world.place_call();
    world.host.run();
    let all: Vec<u32> = (0..FRAMES).collect();
    let arrived = |notes: &Notes<u32>, in_order: bool| {
        let mut numbers = notes.all();
        if !in_order {
            numbers.sort_unstable();
        }
        numbers
    };
    let sent = arrived(&world.exchange.switch.sent, ordered != Ordered::Nothing);
    assert_eq!(sent, all, "{about}");
    let phone = &world.handset.phone;
    let looped = if how == Loops::Completes {
        Vec::new()
    } else {
        all
    };
    let received = arrived(&phone.received, ordered == Ordered::All);
    assert_eq!(received, looped, "{about}");
    assert_eq!(phone.completed.load(SeqCst), FRAMES, "{about}");
    assert_eq!(phone.failed.load(SeqCst), 0, "{about}");
    depth.check(&about);
    world.end_clean();
}

/// A client that sends the next frame when one was completed, a switch that
/// completes at once: one frame under way.
#[test]
fn a_send_in_every_completion_does_not_nest() {
    for seed in seeds(12) {
        let builder = Host::builder().seed(seed);
        ping_pong(builder, Loops::Completes, Sends::Completed, Ordered::All);
    }
}

/// A client that answers each frame that it receives, a switch that loops each back
/// within the send.
#[test]
fn an_answer_to_every_frame_does_not_nest() {
    for how in [Loops::IndicatesFirst, Loops::CompletesFirst] {
        for seed in seeds(8) {
            let builder = Host::builder().seed(seed);
            ping_pong(builder, how, Sends::Received, Ordered::All);
        }
    }
}

/// Both at once, so that frames breed: side by side on several processors, and one
/// after the other on one.
#[test]
fn sends_in_receives_and_completions_do_not_nest() {
    for (how, ordered) in [
        (Loops::IndicatesFirst, Ordered::All),
        (Loops::CompletesFirst, Ordered::Sent),
    ] {
        for seed in seeds(8) {
            let builder = Host::builder().seed(seed);
            ping_pong(builder, how, Sends::Always, Ordered::Nothing);
            let builder = Host::builder().seed(seed).processors(1).preemption(0, 1);
            ping_pong(builder, how, Sends::Always, ordered);
        }
    }
}

/// A switch that indicates the next frame when one comes home.
struct Feeder {
    depth: Arc<Depth>,
    next: AtomicU32,
    home: AtomicU32,
}

impl Feeder {
    fn feed(&self, vc: &Vc<Exchange<Self>>, irql: &mut impl ndis_co::irql::NoLock) {
        let number = self.next.fetch_add(1, SeqCst);
        if number < FRAMES {
            let list = numbered(&vc.base().pool, number);
            // The client leaves its returns for later before this is refused.
            if let Err(refused) = vc.indicate_receive(list.into(), irql) {
                self.depth.refused.add(refused.status);
            }
        }
    }
}

impl Switch for Feeder {
    fn returned(
        &self,
        adapter: &Adapter<Exchange<Self>>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) {
        self.depth.look();
        self.home.fetch_add(lists.len() as u32, SeqCst);
        lists.free(irql);
        let vc = adapter.driver().vc.get().unwrap();
        self.feed(&vc, irql);
    }
}

/// A client that gives every frame back at once, or has the work item do it.
struct GivesBack {
    at_once: bool,
    depth: Arc<Depth>,
    received: Notes<u32>,
}

impl Phone for GivesBack {
    fn receive(
        &self,
        _vc: &Leg<Handset<Self>>,
        lists: Received<'_, Handset<Self>>,
        irql: &mut UpToDispatch,
    ) {
        self.depth.look();
        for number in numbers(lists.buffers()) {
            self.received.add(number);
        }
        if self.at_once {
            lists.give_back(irql);
        }
    }
}

/// A switch that indicates within `returned`, a client that returns within the
/// indication.
#[test]
fn an_indication_in_every_return_does_not_nest() {
    for at_once in [true, false] {
        for seed in seeds(12) {
            let depth = Arc::new(Depth::default());
            let switch = Feeder {
                depth: depth.clone(),
                next: AtomicU32::new(0),
                home: AtomicU32::new(0),
            };
            let phone = GivesBack {
                at_once,
                depth: depth.clone(),
                received: Notes::default(),
            };
            let world = World::seed(seed, switch, phone);
            world.place_call();
            world.host.run();
            let exchange = world.exchange.clone();
            world.thread("network", move |irql| {
                let vc = exchange.vc.get().unwrap();
                exchange.switch.feed(&vc, irql);
            });
            world.host.run();
            let all: Vec<u32> = (0..FRAMES).collect();
            assert_eq!(world.handset.phone.received.all(), all);
            assert_eq!(world.exchange.switch.home.load(SeqCst), FRAMES);
            if at_once {
                depth.check("returns");
            } else {
                // Dropped lists are the work item's: nothing nests at all.
                assert_eq!(depth.low.load(SeqCst), 0);
            }
            world.end_clean();
        }
    }
}

/// Answers the creation of a VC with the creation of another one.
struct Breeds {
    depth: Arc<Depth>,
    ends: Arc<Notes<Status>>,
}

impl Switch for Breeds {
    fn create_vc(
        &self,
        af: &Af<Exchange<Self>>,
        irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        self.depth.look();
        let adapter = af.base();
        if let Some(sap) = adapter.driver().sap.get() {
            match sap.create_vc(None, irql) {
                Ok(vc) => drop(vc),
                Err(status) => self.ends.add(status),
            }
        }
        Ok(None)
    }
}

impl Phone for Breeds {
    const LISTENS: bool = true;

    fn create_vc(
        &self,
        af: &ndis_co::client::Af<Handset<Self>>,
        irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        self.depth.look();
        match af.create_vc(None, irql) {
            Ok(vc) => drop(vc),
            Err(status) => self.ends.add(status),
        }
        Ok(None)
    }
}

/// A call manager and a client that create a VC from within `create_vc`: the last
/// one is refused, and each one before it is made and deleted.
#[test]
fn a_creation_in_every_creation_is_refused_in_the_end() {
    for seed in seeds(40) {
        let depth = Arc::new(Depth::default());
        let ends = Arc::new(Notes::default());
        let breeds = || Breeds {
            depth: depth.clone(),
            ends: ends.clone(),
        };
        let world = World::seed(seed, breeds(), breeds());
        for _ in 0..3 {
            let handset = world.handset.clone();
            world.thread("user", move |irql| {
                let af = handset.af.get().unwrap();
                drop(af.create_vc(None, irql).unwrap());
            });
        }
        world.host.run();
        assert_eq!(ends.all(), [Status::RESOURCES; 3], "seed {seed}");
        depth.check("creations");
        world.end_clean();
    }
}
