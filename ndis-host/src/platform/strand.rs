//! Strands: stacks of their own within one thread, the carrier, which goes from one to the other.
//!
//! A strand that parks goes back to the carrier, which takes up the next one that somebody has
//! left a token for. So handing the baton on is a function call, where a thread would have to
//! be woken. All strands of a host are on one carrier, and each is made, run and dropped there:
//! what a driver's stack holds never comes to another thread.
//!
//! The stacks are those of the crate `corosensei`: each ends with a page that cannot be touched.
//!
//! - **HERE** `NOW` is set exactly while the carrier is inside of `resume`, and is that of the strand
//!   which it resumed: `Strands::resume` sets it before and takes it after. Its yielder is a part of
//!   the strand's first frame, which is there until the strand's job has returned.
//! - **LEFT** Who calls `stay` ends the strand's use of its stack (the contract of `Core::leave`):
//!   what lies there is a driver's, which has ended that thread of its own.

use super::crew::Crew;
use super::{Job, Join, Park};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::mem::ManuallyDrop;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// As much as a thread of the standard library has; what is not used takes no memory.
const STACK: usize = 2 * 1024 * 1024;
/// So many stacks are kept for the next strands, in bytes that were used once.
const STACKS: usize = 64;

static UNUSED: Mutex<Vec<DefaultStack>> = Mutex::new(Vec::new());

std::thread_local! {
    static NOW: Cell<Option<Here>> = const { Cell::new(None) };
    static CARRIER: RefCell<Option<Arc<Carrier>>> = const { RefCell::new(None) };
}

/// Why a strand goes back to the carrier.
enum Back {
    /// It waits for a token.
    Parked,
    /// It will never go on.
    Left,
}

type Fiber = ManuallyDrop<Coroutine<(), Back, (), DefaultStack>>;

/// The strand that a carrier is on.
#[derive(Clone, Copy)]
struct Here {
    id: u64,
    slot: usize,
    yielder: *const Yielder<(), Back>,
}

/// The number of the strand that calls.
pub(super) fn id() -> Option<u64> {
    NOW.try_with(Cell::get).ok().flatten().map(|here| here.id)
}

/// A strand that waits for a token.
pub(super) struct Sleeper {
    carrier: Arc<Carrier>,
    slot: usize,
}

impl Sleeper {
    /// The strand that calls, if it is one.
    pub(super) fn here() -> Option<Self> {
        let here = NOW.try_with(Cell::get).ok().flatten()?;
        let carrier = CARRIER.with(|carrier| carrier.borrow().clone())?;
        Some(Self {
            carrier,
            slot: here.slot,
        })
    }

    /// Has it go on; once for each time that it suspends.
    pub(super) fn wake(self) {
        self.carrier.order(Order::Resume(self.slot));
    }
}

/// Goes back to the carrier. Whoever has got the strand's [`Sleeper`] has it go on.
pub(super) fn suspend() {
    go_back(Back::Parked);
}

fn go_back(why: Back) {
    let here = NOW.with(Cell::get);
    let here = here.expect("ndis-host: a strand suspends itself");
    // SAFETY: HERE: the yielder of the strand that runs this, whose first frame is on this stack.
    let yielder = unsafe { &*here.yielder };
    yielder.suspend(why);
}

enum Order {
    Start(Job, Arc<dyn Park>),
    Resume(usize),
}

#[derive(Default)]
struct Orders {
    queue: VecDeque<Order>,
    /// The carrier waits for one.
    idle: bool,
    quits: bool,
}

/// The thread of a host that has the strands.
#[derive(Default)]
struct Carrier {
    orders: Mutex<Orders>,
    signal: Condvar,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Carrier {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, order: Order) {
        let mut orders = self.orders();
        orders.queue.push_back(order);
        if orders.idle {
            self.signal.notify_one();
        }
    }

    /// The next order; none when the host goes.
    fn next(&self) -> Option<Order> {
        let mut orders = self.orders();
        loop {
            if let Some(order) = orders.queue.pop_front() {
                return Some(order);
            }
            if orders.quits {
                return None;
            }
            orders.idle = true;
            orders = self
                .signal
                .wait(orders)
                .unwrap_or_else(PoisonError::into_inner);
            orders.idle = false;
        }
    }

    /// The life of the carrier.
    fn carry(self: Arc<Self>) {
        CARRIER.with(|carrier| carrier.replace(Some(self.clone())));
        let mut strands = Strands::default();
        while let Some(order) = self.next() {
            match order {
                Order::Start(job, done) => strands.start(job, done),
                Order::Resume(slot) => strands.resume(slot),
            }
        }
        strands.end();
        CARRIER.with(|carrier| carrier.replace(None));
    }
}

/// Strands for a host.
pub(super) fn crew() -> Option<Arc<dyn Crew>> {
    Some(Arc::new(Carrier::default()))
}

impl Crew for Carrier {
    fn start(self: Arc<Self>, job: Job) -> Box<dyn Join> {
        {
            let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            if thread.is_none() {
                let own = self.clone();
                let started = std::thread::Builder::new()
                    .name("ndis-host".to_string())
                    .spawn(move || own.carry())
                    .expect("ndis-host: the system refuses to start a thread");
                *thread = Some(started);
            }
        }
        let done = super::platform().parker();
        self.order(Order::Start(job, done.clone()));
        Box::new(Done(done))
    }

    fn stay(self: Arc<Self>) -> ! {
        drop(self);
        loop {
            go_back(Back::Left);
        }
    }

    fn dismiss(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        {
            let mut orders = self.orders();
            orders.quits = true;
            self.signal.notify_one();
        }
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            // Its strands catch their own panics.
            let _ = thread.join();
        }
    }
}

/// The end of a strand.
struct Done(Arc<dyn Park>);

impl Join for Done {
    fn join(self: Box<Self>) {
        self.0.park();
    }
}

/// A strand as its carrier has it.
struct Strand {
    fiber: Fiber,
    here: Here,
    done: Arc<dyn Park>,
}

/// The strands of a carrier.
#[derive(Default)]
struct Strands {
    all: Vec<Option<Strand>>,
    free: Vec<usize>,
    left: Vec<Fiber>,
}

fn unused() -> MutexGuard<'static, Vec<DefaultStack>> {
    UNUSED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A strand no longer needs its stack.
fn put_by(fiber: Fiber) {
    let stack = ManuallyDrop::into_inner(fiber).into_stack();
    let mut unused = unused();
    if unused.len() < STACKS {
        unused.push(stack);
    }
}

impl Strands {
    fn start(&mut self, job: Job, done: Arc<dyn Park>) {
        let stack = unused().pop().unwrap_or_else(|| {
            DefaultStack::new(STACK).expect("ndis-host: the system has no memory for a stack")
        });
        let fiber = Coroutine::with_stack(stack, |yielder: &Yielder<(), Back>, ()| {
            NOW.with(|now| {
                let here = now.get().map(|here| Here { yielder, ..here });
                now.set(here);
            });
            // A panic of a task is caught by who has given the job; no other may leave a strand.
            let _ = super::platform().catch(job);
        });
        let slot = self.free.pop().unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() - 1
        });
        self.all[slot] = Some(Strand {
            fiber: ManuallyDrop::new(fiber),
            here: Here {
                id: super::with_std::new_id(),
                slot,
                yielder: core::ptr::null(),
            },
            done,
        });
        self.resume(slot);
    }

    fn resume(&mut self, slot: usize) {
        let Some(strand) = &mut self.all[slot] else {
            return;
        };
        NOW.with(|now| now.set(Some(strand.here)));
        let back = strand.fiber.resume(());
        if let Some(here) = NOW.with(Cell::take) {
            strand.here = here;
        }
        if let CoroutineResult::Yield(Back::Parked) = back {
            return;
        }
        let Some(strand) = self.all[slot].take() else {
            return;
        };
        self.free.push(slot);
        match back {
            CoroutineResult::Yield(_) => self.left.push(strand.fiber),
            CoroutineResult::Return(()) => {
                put_by(strand.fiber);
                strand.done.unpark();
            }
        }
    }

    /// The host is gone. Stacks of tasks that are suspended stay as they are, for good: others may
    /// know what is there.
    fn end(&mut self) {
        for mut fiber in self.left.drain(..) {
            // SAFETY: LEFT: nothing on the stack is used any more, nor dropped.
            unsafe { fiber.force_reset() };
            put_by(fiber);
        }
    }
}
