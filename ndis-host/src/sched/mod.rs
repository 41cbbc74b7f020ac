//! The scheduler: one baton, virtual processors, virtual time.
//!
//! Every piece of driver code is a *task* on an OS thread of its own, and only
//! the task that holds the baton runs. At a switch point the seed decides
//! whether the task goes on or hands the baton over. A task at DISPATCH_LEVEL
//! keeps its virtual processor while it is suspended, as on a real machine: no
//! other task runs there until it lowers its IRQL. So tasks interleave in every
//! way that several processors allow and in none that they do not.
//!
//! Work that nobody has begun (a queued work item, an expired timer, a step of
//! plug and play) becomes a task when it is picked, among all that could run.
//! Time passes when nothing else can happen.

mod choose;
mod queue;
mod run;

#[cfg(not(feature = "std"))]
pub use run::fault;

use crate::handle::ObjectId;
use crate::map::SmallMap;
use crate::platform::{Job, Lock, Park};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use queue::Queue;

pub(crate) type TaskId = u32;

/// DISPATCH_LEVEL.
pub(crate) const DISPATCH: u8 = 2;

/// What a task is doing for whom: one callback, or the thread's own body.
pub(crate) struct Frame {
    pub(crate) driver: Option<u32>,
    pub(crate) who: Arc<str>,
    pub(crate) name: &'static str,
    pub(crate) irql: u8,
    pub(crate) locks: usize,
    /// When the code of this frame last came back from a call that is worth a
    /// line in the log, or began: what it does not know yet happened later.
    pub(crate) since: u64,
    /// The conversation that the callback is about, for the log.
    pub(crate) about: Option<u32>,
    /// The NDIS call that the code of this frame is in.
    pub(crate) call: Option<&'static str>,
}

/// What stands at the address that a task waits at.
pub(crate) enum What {
    /// A spin lock or an event, and the function that waits for an event. Whose it is, is asked
    /// when somebody wants to know: hardly ever, and it takes a look at every object.
    Object(&'static str, Option<&'static str>),
    /// That, as it was before its memory was freed; or something else, in words.
    Text(String),
}

/// What a suspended task waits for.
pub(crate) enum Wait<C> {
    Event { address: usize, what: What },
    SpinLock { address: usize, what: What },
    Sleep,
    Host(HostWait<C>),
}

/// A step of plug and play waits for a driver.
pub(crate) struct HostWait<C> {
    pub(crate) what: String,
    /// The rule that a driver breaks that never does it; empty when the wait is
    /// for another step of plug and play.
    pub(crate) rule: &'static str,
    pub(crate) object: Option<ObjectId>,
    pub(crate) who: Arc<str>,
    /// A question to the state, asked until the answer is yes.
    pub(crate) condition: C,
}

impl<C> Wait<C> {
    /// Where it is that somebody may come and end the wait.
    const fn address(&self) -> Option<usize> {
        match self {
            Self::Event { address, .. } | Self::SpinLock { address, .. } => Some(*address),
            Self::Sleep | Self::Host(_) => None,
        }
    }
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Woken {
    Normal,
    TimedOut,
    /// The run is stuck and the host no longer waits for the driver.
    GaveUp,
}

pub(crate) enum Phase<C> {
    Running,
    Ready,
    Blocked(Wait<C>),
    /// A thread that the host did not start, between two of its calls.
    Outside,
}

pub(crate) struct Task<C> {
    pub(crate) id: TaskId,
    pub(crate) name: Arc<str>,
    parker: Arc<dyn Park>,
    pub(crate) phase: Phase<C>,
    pub(crate) irql: u8,
    pub(crate) cpu: Option<u8>,
    pub(crate) frames: Vec<Frame>,
    /// Addresses of the spin locks that it holds, oldest first.
    pub(crate) locks: Vec<usize>,
    /// What the IRQL was at each raise that is not undone yet, and how many frames
    /// there were.
    pub(crate) raises: Vec<(usize, u8)>,
    pub(crate) depth: u32,
    /// Where its thread's stack began with it; zero for foreign threads.
    pub(crate) stack_base: usize,
    pub(crate) stack_reported: bool,
    /// That its work item waits for ever is reported.
    pub(crate) endless_reported: bool,
    woken: Woken,
    /// Its place among those that are ready.
    ready: u64,
    /// Counts the waits, so that an old time-out does not end a new wait.
    waits: u64,
    /// Waits in a row that ended with their time.
    polls: u32,
    /// A driver's own system thread may wait for ever.
    pub(crate) system: bool,
    pub(crate) plug_and_play: bool,
}

/// Something to do that has no thread yet.
pub(crate) struct Work {
    pub(crate) id: TaskId,
    pub(crate) name: Arc<str>,
    pub(crate) irql: u8,
    pub(crate) frame: Option<Frame>,
    pub(crate) system: bool,
    pub(crate) plug_and_play: bool,
    pub(crate) run: Job,
}

/// What happens at a point in virtual time.
#[derive(Clone, Copy)]
pub(crate) enum Due {
    Wake(TaskId, u64),
    Timer {
        number: u32,
        set: u64,
        periodic: bool,
    },
    /// The time of an OID request is up.
    Oid(u32),
}

/// What the controlling thread waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goal {
    /// Nothing is left to do.
    Idle,
    /// The task has ended, and with it all of plug and play.
    Settled(TaskId),
    /// Virtual time has reached this.
    Time(u64),
}

/// An OS thread that runs tasks, one after the other.
pub(crate) struct Worker {
    parker: Arc<dyn Park>,
    order: Lock<Option<Order>>,
    thread: Lock<Option<Box<dyn crate::platform::Join>>>,
}

enum Order {
    Run(TaskId, Job),
    Quit,
}

/// The tables of the scheduler. What a task waits for until the state says so is others'
/// business.
pub(crate) struct Sched<C> {
    pub(crate) tasks: SmallMap<TaskId, Task<C>>,
    ready: Queue<TaskId>,
    readied: u64,
    work: Queue<Work>,
    /// Tasks and work of plug and play.
    steps_of_pnp: usize,
    host_waits: Vec<TaskId>,
    /// Who waits at which address.
    waiting: BTreeSet<(usize, TaskId)>,
    pub(crate) running: Option<TaskId>,
    cpus: Vec<Option<TaskId>>,
    idle: Vec<Arc<Worker>>,
    pub(crate) goal: Option<Goal>,
    /// Calls of foreign threads that are being served.
    pub(crate) inside: u32,
    due: BTreeMap<(u64, u64), Due>,
    due_seq: u64,
    /// When the times of OID requests are up.
    due_oids: BTreeMap<u32, (u64, u64)>,
    pub(crate) now: u64,
    /// Periods that passed with nothing else going on.
    idle_periods: u32,
    /// How often the baton was handed on, and how often it may be.
    steps: u64,
    limit: u64,
    /// How often anything happened: the baton was handed on, a driver called or was called.
    activity: u64,
    /// The calls of the running task since anybody else ran or was called.
    calls_alone: u32,
    preemption: (u32, u32),
    next: TaskId,
    pub(crate) panic: Option<String>,
}

/// Virtual time starts here (some day in 2024, in units of 100 ns since 1601).
pub(crate) const EPOCH: u64 = 133_500_000_000_000_000;
/// A stuck run lets so many periods of a periodic timer, and so many turns of tasks
/// that poll, pass before it says so.
const IDLE_PERIODS: u32 = 5_000;
/// A task polls when so many of its waits in a row have ended with their time.
const POLLS: u32 = 2_000;
/// A task that calls so many times, while nobody else runs and no driver is called, asks for what
/// nobody can bring.
const CALLS_ALONE: u32 = 1_000_000;
/// While so many tasks can go on, nothing else is begun: each task has a stack.
const UNDER_WAY: usize = 64;

/// Whether a timer is set for what goes on for ever by itself: it is periodic, or has
/// been set anew, each time that it came, as often as a task that polls would have waited.
pub(crate) fn goes_round(period: u64, expiries: u32) -> bool {
    period != 0 || expiries >= POLLS
}

enum Next {
    Resume(TaskId),
    Start(Work),
    Nothing,
}

/// Whom to wake once the lock is open again.
pub(crate) enum Handover {
    Nobody,
    Unpark(Arc<dyn Park>),
    Spawn(Arc<Worker>),
    Controller,
}

impl<C> Sched<C> {
    pub(crate) fn new(processors: u8, preemption: (u32, u32), limit: u64) -> Self {
        Self {
            tasks: SmallMap::new(),
            ready: Queue::new(),
            readied: 0,
            work: Queue::new(),
            steps_of_pnp: 0,
            host_waits: Vec::new(),
            waiting: BTreeSet::new(),
            running: None,
            cpus: alloc::vec![None; processors.max(1) as usize],
            idle: Vec::new(),
            goal: None,
            inside: 0,
            due: BTreeMap::new(),
            due_seq: 0,
            due_oids: BTreeMap::new(),
            now: 0,
            idle_periods: 0,
            steps: 0,
            limit,
            activity: 0,
            calls_alone: 0,
            preemption,
            next: 1,
            panic: None,
        }
    }

    /// A number that changes whenever anything happens.
    pub(crate) fn activity(&self) -> u64 {
        self.activity
    }

    /// A driver is being called.
    pub(crate) fn note_callback(&mut self) {
        self.activity += 1;
        self.calls_alone = 0;
    }

    /// A driver has called.
    pub(crate) fn note_call(&mut self) {
        self.activity += 1;
        self.calls_alone = self.calls_alone.saturating_add(1);
    }

    pub(crate) fn current(&self) -> Option<&Task<C>> {
        self.tasks.get(&self.running?)
    }

    pub(crate) fn current_mut(&mut self) -> Option<&mut Task<C>> {
        self.tasks.get_mut(&self.running?)
    }

    /// Queues something to do.
    pub(crate) fn queue(&mut self, mut work: Work) -> TaskId {
        work.id = self.next;
        self.next += 1;
        let id = work.id;
        self.steps_of_pnp += usize::from(work.plug_and_play);
        self.work.push(id.into(), work);
        id
    }

    /// Whether anything of plug and play is under way or still to be done.
    pub(crate) fn plug_and_play(&self) -> bool {
        self.steps_of_pnp > 0
    }

    pub(crate) fn exists(&self, id: TaskId) -> bool {
        self.tasks.contains_key(&id) || self.work.contains(id.into())
    }

    pub(crate) fn at(&mut self, time: u64, due: Due) {
        self.due_seq += 1;
        let key = (time, self.due_seq);
        if let Due::Oid(number) = due {
            self.due_oids.insert(number, key);
        }
        self.due.insert(key, due);
    }

    /// The time of an OID request no longer matters.
    pub(crate) fn forget_oid(&mut self, number: u32) {
        if let Some(key) = self.due_oids.remove(&number) {
            self.due.remove(&key);
        }
    }

    /// Ends the wait of a task.
    pub(crate) fn wake(&mut self, id: TaskId, how: Woken) {
        if let Some(task) = self.tasks.get_mut(&id)
            && matches!(task.phase, Phase::Blocked(_))
        {
            // What it polls may be behind a lock.
            let lock = matches!(task.phase, Phase::Blocked(Wait::SpinLock { .. }));
            if let Phase::Blocked(wait) = &task.phase
                && let Some(address) = wait.address()
            {
                self.waiting.remove(&(address, id));
            }
            task.polls = match how {
                Woken::TimedOut => task.polls.saturating_add(1),
                Woken::Normal if lock => task.polls,
                _ => 0,
            };
            task.woken = how;
            task.waits += 1;
            self.make_ready(id);
            self.host_waits.retain(|t| *t != id);
        }
    }

    /// A task can go on.
    fn make_ready(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&id) {
            self.readied += 1;
            task.ready = self.readied;
            task.phase = Phase::Ready;
            self.ready.push(self.readied, id);
        }
    }

    /// The running task waits.
    fn block(&mut self, id: TaskId, wait: Wait<C>) {
        if let Some(task) = self.tasks.get_mut(&id) {
            if let Some(address) = wait.address() {
                self.waiting.insert((address, id));
            }
            if matches!(wait, Wait::Host(_)) {
                self.host_waits.push(id);
            }
            task.phase = Phase::Blocked(wait);
        }
    }

    /// The tasks that wait for the event or lock at `address`, in order.
    pub(crate) fn waiting_for(&self, address: usize) -> Vec<TaskId> {
        let all = self.waiting.range((address, 0)..=(address, TaskId::MAX));
        all.map(|(_, id)| *id).collect()
    }

    /// The tasks that wait for something in this memory.
    fn waiting_in(&self, memory: &core::ops::Range<usize>) -> Vec<TaskId> {
        let all = self.waiting.range((memory.start, 0)..(memory.end, 0));
        all.map(|(_, id)| *id).collect()
    }

    /// Whether a task waits for an event in this memory.
    pub(crate) fn waits_in(&self, memory: &core::ops::Range<usize>) -> bool {
        self.waiting_in(memory).iter().any(|id| {
            let task = self.tasks.get(id);
            task.is_some_and(|task| matches!(task.phase, Phase::Blocked(Wait::Event { .. })))
        })
    }

    /// Gives up the processor of a task that stops, unless its IRQL pins it.
    fn leave_cpu(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&id)
            && task.irql < DISPATCH
            && let Some(cpu) = task.cpu.take()
            && let Some(slot) = self.cpus.get_mut(cpu as usize)
        {
            *slot = None;
        }
    }

    fn has_free_cpu(&self) -> bool {
        self.cpus.iter().any(Option::is_none)
    }
}

impl<C> Sched<C> {
    /// Whether something that is due is only the next period of what goes on for
    /// ever by itself.
    fn goes_round(&self, due: &Due) -> bool {
        match due {
            Due::Timer { periodic, .. } => *periodic,
            Due::Oid(_) => false,
            Due::Wake(id, _) => self.tasks.get(id).is_none_or(Task::is_polling),
        }
    }

    fn somebody_waits(&self) -> bool {
        self.tasks
            .values()
            .any(|t| matches!(t.phase, Phase::Blocked(_)) && !t.system && !t.is_polling())
    }

    /// Who waits for what, when nothing can go on; who polls is named only beside
    /// others.
    pub(crate) fn stuck(&self, describe: impl Fn(&Wait<C>) -> String) -> Option<String> {
        let blocked = |task: &&Task<C>| matches!(task.phase, Phase::Blocked(_)) && !task.system;
        let (polling, waiting): (Vec<&Task<C>>, Vec<&Task<C>>) = self
            .tasks
            .values()
            .filter(blocked)
            .partition(|task| task.is_polling());
        if waiting.is_empty() && !self.plug_and_play() {
            return None;
        }
        let mut text = String::new();
        for task in waiting.into_iter().chain(polling) {
            let Phase::Blocked(wait) = &task.phase else {
                continue;
            };
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&alloc::format!(
                "task {} \"{}\"{} {} {}",
                task.id,
                task.name,
                task.frames
                    .last()
                    .map(|f| alloc::format!(" in {} of {}", f.name, f.who))
                    .unwrap_or_default(),
                if task.is_polling() {
                    "polls, and waits for"
                } else {
                    "waits for"
                },
                describe(wait)
            ));
        }
        (!text.is_empty()).then_some(text)
    }
}

impl<C> Task<C> {
    /// Whether it looks at something again and again, and never waits for it.
    fn is_polling(&self) -> bool {
        self.polls >= POLLS
    }
}
