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

use crate::core::Core;
use crate::cx::Cx;
use crate::handle::ObjectId;
use crate::platform::{Lock, Park, platform};
use crate::state::State;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

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

/// A question to the state, asked until the answer is yes.
pub(crate) type Condition = Box<dyn Fn(&State) -> bool + Send>;

/// What a suspended task waits for.
pub(crate) enum Wait {
    Event { address: usize, what: String },
    SpinLock { address: usize },
    Sleep,
    Host(HostWait),
}

/// A step of plug and play waits for a driver.
pub(crate) struct HostWait {
    pub(crate) what: String,
    /// The rule that a driver breaks that never does it; empty when the wait is
    /// for another step of plug and play.
    pub(crate) rule: &'static str,
    pub(crate) object: Option<ObjectId>,
    pub(crate) who: Arc<str>,
    pub(crate) condition: Condition,
}

impl Wait {
    fn describe(&self) -> String {
        match self {
            Self::Event { what, .. } => what.clone(),
            Self::SpinLock { address } => alloc::format!("the spin lock at {address:#x}"),
            Self::Sleep => "the end of its sleep".into(),
            Self::Host(wait) => wait.what.clone(),
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

pub(crate) enum Phase {
    Running,
    Ready,
    Blocked(Wait),
    /// A thread that the host did not start, between two of its calls.
    Outside,
}

pub(crate) struct Task {
    pub(crate) id: TaskId,
    pub(crate) name: Arc<str>,
    parker: Arc<dyn Park>,
    pub(crate) phase: Phase,
    pub(crate) irql: u8,
    pub(crate) cpu: Option<u8>,
    pub(crate) frames: Vec<Frame>,
    /// Addresses of the spin locks that it holds, oldest first.
    pub(crate) locks: Vec<usize>,
    pub(crate) depth: u32,
    woken: Woken,
    /// Counts the waits, so that an old time-out does not end a new wait.
    waits: u64,
    /// A driver's own system thread may wait for ever.
    system: bool,
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
    pub(crate) run: Body,
}

pub(crate) type Body = Box<dyn FnOnce(&Cx) + Send>;

/// What happens at a point in virtual time.
#[derive(Clone, Copy)]
pub(crate) enum Due {
    Wake(TaskId, u64),
    Timer {
        number: u32,
        set: u64,
        periodic: bool,
    },
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
    Run(TaskId, Body),
    Quit,
}

pub(crate) struct Sched {
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    ready: Vec<TaskId>,
    work: Vec<Work>,
    host_waits: Vec<TaskId>,
    pub(crate) running: Option<TaskId>,
    cpus: Vec<Option<TaskId>>,
    idle: Vec<Arc<Worker>>,
    pub(crate) goal: Option<Goal>,
    /// Calls of foreign threads that are being served.
    pub(crate) inside: u32,
    due: BTreeMap<(u64, u64), Due>,
    due_seq: u64,
    pub(crate) now: u64,
    /// Periods that passed with nothing else going on.
    idle_periods: u32,
    preemption: (u32, u32),
    next: TaskId,
    pub(crate) panic: Option<String>,
}

/// Virtual time starts here (some day in 2024, in units of 100 ns since 1601).
pub(crate) const EPOCH: u64 = 133_500_000_000_000_000;
/// A stuck run lets so many periods of a periodic timer pass before it says so.
const IDLE_PERIODS: u32 = 2_000;

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

impl Sched {
    pub(crate) fn new(processors: u8, preemption: (u32, u32)) -> Self {
        Self {
            tasks: BTreeMap::new(),
            ready: Vec::new(),
            work: Vec::new(),
            host_waits: Vec::new(),
            running: None,
            cpus: alloc::vec![None; processors.max(1) as usize],
            idle: Vec::new(),
            goal: None,
            inside: 0,
            due: BTreeMap::new(),
            due_seq: 0,
            now: 0,
            idle_periods: 0,
            preemption,
            next: 1,
            panic: None,
        }
    }

    pub(crate) fn current(&self) -> Option<&Task> {
        self.tasks.get(&self.running?)
    }

    pub(crate) fn current_mut(&mut self) -> Option<&mut Task> {
        self.tasks.get_mut(&self.running?)
    }

    /// Queues something to do.
    pub(crate) fn queue(&mut self, mut work: Work) -> TaskId {
        work.id = self.next;
        self.next += 1;
        let id = work.id;
        self.work.push(work);
        id
    }

    /// Whether anything of plug and play is under way or still to be done.
    pub(crate) fn plug_and_play(&self) -> bool {
        self.work.iter().any(|w| w.plug_and_play) || self.tasks.values().any(|t| t.plug_and_play)
    }

    pub(crate) fn exists(&self, id: TaskId) -> bool {
        self.tasks.contains_key(&id) || self.work.iter().any(|w| w.id == id)
    }

    pub(crate) fn at(&mut self, time: u64, due: Due) {
        self.due_seq += 1;
        self.due.insert((time, self.due_seq), due);
    }

    /// Ends the wait of a task.
    pub(crate) fn wake(&mut self, id: TaskId, how: Woken) {
        if let Some(task) = self.tasks.get_mut(&id)
            && matches!(task.phase, Phase::Blocked(_))
        {
            task.phase = Phase::Ready;
            task.woken = how;
            task.waits += 1;
            self.ready.push(id);
            self.host_waits.retain(|t| *t != id);
        }
    }

    /// The tasks that wait for the event or lock at `address`, in order.
    pub(crate) fn waiting_for(&self, address: usize) -> Vec<TaskId> {
        self.tasks
            .values()
            .filter(|task| match &task.phase {
                Phase::Blocked(Wait::Event { address: a, .. } | Wait::SpinLock { address: a }) => {
                    *a == address
                }
                _ => false,
            })
            .map(|task| task.id)
            .collect()
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

impl State {
    fn take_cpu(&mut self, id: TaskId) -> bool {
        let sched = &mut self.sched;
        let Some(task) = sched.tasks.get(&id) else {
            return false;
        };
        if task.cpu.is_some() {
            return true;
        }
        let free: Vec<usize> = (0..sched.cpus.len())
            .filter(|cpu| sched.cpus[*cpu].is_none())
            .collect();
        if free.is_empty() {
            return false;
        }
        let cpu = free[self.rng.below(free.len())];
        sched.cpus[cpu] = Some(id);
        if let Some(task) = sched.tasks.get_mut(&id) {
            task.cpu = Some(cpu as u8);
        }
        true
    }

    /// Wakes every step of plug and play whose condition has come true.
    fn poll_host_waits(&mut self) {
        if self.sched.host_waits.is_empty() {
            return;
        }
        let waiting = self.sched.host_waits.clone();
        for id in waiting {
            let met = match self.sched.tasks.get(&id).map(|t| &t.phase) {
                Some(Phase::Blocked(Wait::Host(wait))) => (wait.condition)(self),
                _ => true,
            };
            if met {
                self.sched.wake(id, Woken::Normal);
                self.sched.host_waits.retain(|t| *t != id);
            }
        }
    }

    /// Turns everything that is due into something that can run.
    fn fire(&mut self) {
        while let Some((&(time, seq), &due)) = self.sched.due.first_key_value() {
            if time > self.sched.now {
                break;
            }
            self.sched.due.remove(&(time, seq));
            match due {
                Due::Wake(id, wait) => {
                    if self.sched.tasks.get(&id).is_some_and(|t| t.waits == wait) {
                        self.sched.wake(id, Woken::TimedOut);
                    }
                }
                Due::Timer { number, set, .. } => self.timer_expired(number, set, time),
            }
        }
    }

    /// Lets time pass to the next thing that is due; false if none may come.
    fn advance(&mut self) -> bool {
        let Some((&(time, _), &due)) = self.sched.due.first_key_value() else {
            return false;
        };
        match self.sched.goal {
            Some(Goal::Time(limit)) if time > limit => return false,
            Some(Goal::Time(_)) => {}
            goal => {
                let all_periodic = self
                    .sched
                    .due
                    .values()
                    .all(|due| matches!(due, Due::Timer { periodic: true, .. }));
                if all_periodic {
                    if goal == Some(Goal::Idle) && !self.sched.somebody_waits() {
                        return false;
                    }
                    self.sched.idle_periods += 1;
                    if self.sched.idle_periods > IDLE_PERIODS {
                        return false;
                    }
                }
            }
        }
        let _ = due;
        self.sched.now = self.sched.now.max(time);
        true
    }

    fn pick(&mut self) -> Next {
        loop {
            self.poll_host_waits();
            self.fire();
            let free = self.sched.has_free_cpu();
            let mut able: Vec<usize> = Vec::with_capacity(self.sched.ready.len());
            for (index, id) in self.sched.ready.iter().enumerate() {
                if free || self.sched.tasks.get(id).is_some_and(|t| t.cpu.is_some()) {
                    able.push(index);
                }
            }
            let fresh = if free { self.sched.work.len() } else { 0 };
            let total = able.len() + fresh;
            if total == 0 {
                if self.advance() {
                    continue;
                }
                return Next::Nothing;
            }
            let choice = self.rng.below(total);
            return match able.get(choice) {
                Some(index) => Next::Resume(self.sched.ready.remove(*index)),
                None => Next::Start(self.sched.work.remove(choice - able.len())),
            };
        }
    }

    /// Whether something else could run on another processor now.
    fn others(&self) -> bool {
        !self.sched.ready.is_empty()
            || !self.sched.work.is_empty()
            || !self.sched.host_waits.is_empty()
    }

    /// A switch point: whether the seed wants somebody else to run.
    pub(crate) fn preempts(&mut self) -> bool {
        let (times, of) = self.sched.preemption;
        self.others() && self.rng.chance(times, of)
    }

    pub(crate) fn goal_met(&self) -> bool {
        match self.sched.goal {
            Some(Goal::Settled(id)) => !self.sched.exists(id) && !self.sched.plug_and_play(),
            // Met when nothing can be picked any more.
            Some(Goal::Idle | Goal::Time(_)) | None => false,
        }
    }

    /// Chooses who gets the baton that nobody holds.
    pub(crate) fn hand_over(&mut self) -> Handover {
        self.sched.running = None;
        if self.sched.panic.is_some() || self.goal_met() {
            return Handover::Controller;
        }
        if self.sched.goal.is_none() && self.sched.inside == 0 {
            return Handover::Nobody;
        }
        match self.pick() {
            Next::Resume(id) => self.resume(id),
            Next::Start(work) => {
                self.sched.idle_periods = 0;
                self.admit(work)
            }
            Next::Nothing => Handover::Controller,
        }
    }

    fn resume(&mut self, id: TaskId) -> Handover {
        self.take_cpu(id);
        self.sched.running = Some(id);
        match self.sched.tasks.get_mut(&id) {
            Some(task) => {
                task.phase = Phase::Running;
                Handover::Unpark(task.parker.clone())
            }
            None => Handover::Nobody,
        }
    }

    fn admit(&mut self, work: Work) -> Handover {
        let (worker, fresh) = match self.sched.idle.pop() {
            Some(worker) => (worker, false),
            None => (
                Arc::new(Worker {
                    parker: platform().parker(),
                    order: Lock::new(None),
                    thread: Lock::new(None),
                }),
                true,
            ),
        };
        let mut task = Task {
            id: work.id,
            name: work.name,
            parker: worker.parker.clone(),
            phase: Phase::Running,
            irql: work.irql,
            cpu: None,
            frames: Vec::new(),
            locks: Vec::new(),
            depth: 0,
            woken: Woken::Normal,
            waits: 0,
            system: work.system,
            plug_and_play: work.plug_and_play,
        };
        task.frames.extend(work.frame);
        self.sched.tasks.insert(work.id, task);
        self.take_cpu(work.id);
        self.sched.running = Some(work.id);
        *worker.order.lock() = Some(Order::Run(work.id, work.run));
        if fresh {
            Handover::Spawn(worker)
        } else {
            Handover::Unpark(worker.parker.clone())
        }
    }

    /// Removes a task that has ended.
    fn end_task(&mut self, id: TaskId) {
        if let Some(task) = self.sched.tasks.get_mut(&id) {
            let held = core::mem::take(&mut task.locks);
            task.irql = 0;
            for address in held {
                self.locks.forget(address);
                for waiter in self.sched.waiting_for(address) {
                    self.sched.wake(waiter, Woken::Normal);
                }
            }
        }
        self.sched.leave_cpu(id);
        self.sched.tasks.remove(&id);
    }

    /// The newest step of plug and play that still waits gives up: its driver
    /// is reported and the run goes on.
    pub(crate) fn give_up(&mut self) -> bool {
        let blames = |id: &&TaskId| {
            matches!(
                self.sched.tasks.get(id).map(|t| &t.phase),
                Some(Phase::Blocked(Wait::Host(wait))) if !wait.rule.is_empty()
            )
        };
        let Some(id) = self.sched.host_waits.iter().rev().find(blames).copied() else {
            return false;
        };
        let mut found = None;
        if let Some(task) = self.sched.tasks.get(&id)
            && let Phase::Blocked(Wait::Host(wait)) = &task.phase
        {
            found = Some((
                wait.who.clone(),
                wait.rule,
                wait.object,
                alloc::format!("nothing can run any more, and {} never came", wait.what),
            ));
        }
        if let Some((who, rule, object, message)) = found {
            self.violate_by(who, rule, object, message);
        }
        self.sched.wake(id, Woken::GaveUp);
        true
    }
}

impl Sched {
    fn somebody_waits(&self) -> bool {
        self.tasks
            .values()
            .any(|t| matches!(t.phase, Phase::Blocked(_)) && !t.system)
    }

    /// Who waits for what, when nothing can go on.
    pub(crate) fn stuck(&self) -> Option<String> {
        let mut text = String::new();
        for task in self.tasks.values() {
            if let Phase::Blocked(wait) = &task.phase {
                if task.system {
                    continue;
                }
                if !text.is_empty() {
                    text.push_str("; ");
                }
                text.push_str(&alloc::format!(
                    "task {} \"{}\"{} waits for {}",
                    task.id,
                    task.name,
                    task.frames
                        .last()
                        .map(|f| alloc::format!(" in {} of {}", f.name, f.who))
                        .unwrap_or_default(),
                    wait.describe()
                ));
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

impl Core {
    /// Does what [`State::hand_over`] decided; call it with the lock open.
    pub(crate) fn act(self: &Arc<Self>, handover: Handover) {
        match handover {
            Handover::Nobody => {}
            Handover::Unpark(parker) => parker.unpark(),
            Handover::Controller => self.controller.unpark(),
            Handover::Spawn(worker) => {
                let core = self.clone();
                let own = worker.clone();
                let thread = platform().spawn(Box::new(move || core.serve(&own)));
                *worker.thread.lock() = Some(thread);
            }
        }
    }

    /// The life of a worker: one task after the other.
    fn serve(self: Arc<Self>, worker: &Arc<Worker>) {
        loop {
            let order = worker.order.lock().take();
            match order {
                None => worker.parker.park(),
                Some(Order::Quit) => break,
                Some(Order::Run(id, body)) => {
                    let cx = Cx::of_task(self.clone(), id);
                    crate::core::set_current(Some((Arc::downgrade(&self), id)));
                    let result = platform().catch(Box::new(move || body(&cx)));
                    crate::core::set_current(None);
                    let handover = {
                        let mut state = self.state.lock();
                        if let Err(message) = result {
                            let name = state.sched.tasks.get(&id).map(|t| t.name.clone());
                            state.sched.panic.get_or_insert(alloc::format!(
                                "task \"{}\" panicked: {message}",
                                name.as_deref().unwrap_or("?")
                            ));
                        }
                        state.end_task(id);
                        state.sched.idle.push(worker.clone());
                        state.hand_over()
                    };
                    self.act(handover);
                }
            }
        }
    }

    /// Sends the workers that have nothing to do home. Threads of suspended
    /// tasks stay: their stacks belong to drivers.
    pub(crate) fn dismiss(&self) {
        let idle = core::mem::take(&mut self.state.lock().sched.idle);
        for worker in &idle {
            *worker.order.lock() = Some(Order::Quit);
            worker.parker.unpark();
        }
        for worker in idle {
            let thread = worker.thread.lock().take();
            if let Some(thread) = thread {
                thread.join();
            }
        }
    }

    /// Waits until the running task has the baton again.
    fn wait_for_baton(&self, id: TaskId, parker: &Arc<dyn Park>) {
        loop {
            {
                let state = self.state.lock();
                if state.sched.running == Some(id) {
                    return;
                }
            }
            parker.park();
        }
    }

    /// Somebody else runs first.
    pub(crate) fn give_way(self: &Arc<Self>, id: TaskId) {
        let (handover, parker) = {
            let mut state = self.state.lock();
            let Some(task) = state.sched.tasks.get_mut(&id) else {
                return;
            };
            task.phase = Phase::Ready;
            let parker = task.parker.clone();
            state.sched.ready.push(id);
            state.sched.leave_cpu(id);
            (state.hand_over(), parker)
        };
        self.act(handover);
        self.wait_for_baton(id, &parker);
    }

    /// Suspends the running task until `attempt` has an answer, or until the
    /// deadline.
    pub(crate) fn wait<R>(
        self: &Arc<Self>,
        id: TaskId,
        deadline: Option<u64>,
        mut attempt: impl FnMut(&mut State) -> Result<R, Wait>,
    ) -> Result<R, Woken> {
        let mut deadline_set = false;
        loop {
            let (handover, parker) = {
                let mut state = self.state.lock();
                let wait = match attempt(&mut state) {
                    Ok(answer) => return Ok(answer),
                    Err(wait) => wait,
                };
                if deadline.is_some_and(|d| d <= state.sched.now && deadline_set) {
                    return Err(Woken::TimedOut);
                }
                let Some(task) = state.sched.tasks.get_mut(&id) else {
                    return Err(Woken::GaveUp);
                };
                let host = matches!(wait, Wait::Host(_));
                task.phase = Phase::Blocked(wait);
                let parker = task.parker.clone();
                let waits = task.waits;
                if host {
                    state.sched.host_waits.push(id);
                }
                if let Some(time) = deadline {
                    deadline_set = true;
                    state.sched.at(time, Due::Wake(id, waits));
                }
                state.sched.leave_cpu(id);
                (state.hand_over(), parker)
            };
            self.act(handover);
            self.wait_for_baton(id, &parker);
            let woken = self
                .state
                .lock()
                .sched
                .tasks
                .get(&id)
                .map_or(Woken::GaveUp, |t| t.woken);
            if woken != Woken::Normal {
                return Err(woken);
            }
        }
    }

    /// A thread that the host did not start wants to call: it gets a task and
    /// waits for the baton.
    pub(crate) fn come_in(self: &Arc<Self>, id: Option<TaskId>) -> TaskId {
        let (id, handover, parker) = {
            let mut state = self.state.lock();
            let id = match id {
                Some(id) => id,
                None => {
                    let id = state.sched.next;
                    state.sched.next += 1;
                    let name: Arc<str> = alloc::format!("foreign thread {id}").into();
                    let frame = Frame {
                        driver: None,
                        who: name.clone(),
                        name: "a thread of its own",
                        irql: 0,
                        locks: 0,
                        since: 0,
                        about: None,
                        call: None,
                    };
                    state.sched.tasks.insert(
                        id,
                        Task {
                            id,
                            name,
                            parker: platform().parker(),
                            phase: Phase::Outside,
                            irql: 0,
                            cpu: None,
                            frames: alloc::vec![frame],
                            locks: Vec::new(),
                            depth: 0,
                            woken: Woken::Normal,
                            waits: 0,
                            system: false,
                            plug_and_play: false,
                        },
                    );
                    id
                }
            };
            state.sched.inside += 1;
            if state.sched.running.is_none() && state.take_cpu(id) {
                state.sched.running = Some(id);
                if let Some(task) = state.sched.tasks.get_mut(&id) {
                    task.phase = Phase::Running;
                }
                return id;
            }
            let Some(task) = state.sched.tasks.get_mut(&id) else {
                return id;
            };
            task.phase = Phase::Ready;
            let parker = task.parker.clone();
            state.sched.ready.push(id);
            let handover = if state.sched.running.is_none() {
                state.hand_over()
            } else {
                Handover::Nobody
            };
            (id, handover, parker)
        };
        self.act(handover);
        self.wait_for_baton(id, &parker);
        id
    }

    /// The foreign thread's call is over.
    pub(crate) fn go_out(self: &Arc<Self>, id: TaskId) {
        let handover = {
            let mut state = self.state.lock();
            if let Some(task) = state.sched.tasks.get_mut(&id) {
                task.phase = Phase::Outside;
            }
            state.sched.leave_cpu(id);
            state.sched.inside -= 1;
            state.hand_over()
        };
        self.act(handover);
    }

    /// The controlling thread lets the run go on until `goal` is reached.
    ///
    /// # Panics
    ///
    /// When driver code panicked, and when the run is stuck.
    pub(crate) fn drive(self: &Arc<Self>, goal: Goal) {
        let mut patience = true;
        {
            let mut state = self.state.lock();
            assert!(
                state.sched.goal.is_none(),
                "ndis-host: two threads drive the same host at once"
            );
            state.sched.goal = Some(goal);
            state.sched.idle_periods = 0;
        }
        loop {
            let handover = {
                let mut state = self.state.lock();
                if state.sched.running.is_some() {
                    Handover::Nobody
                } else {
                    if let Some(message) = state.sched.panic.take() {
                        state.sched.goal = None;
                        state.ledger.reported = true;
                        let seed = state.seed;
                        drop(state);
                        panic!("{message} (seed {seed})");
                    }
                    if state.goal_met() {
                        state.sched.goal = None;
                        return;
                    }
                    match state.hand_over() {
                        Handover::Controller if state.goal_met() => {
                            state.sched.goal = None;
                            return;
                        }
                        Handover::Controller => {
                            if let Goal::Time(time) = goal {
                                state.sched.now = state.sched.now.max(time);
                                state.sched.goal = None;
                                return;
                            }
                            let stuck = state.sched.stuck();
                            if goal == Goal::Idle && stuck.is_none() {
                                state.sched.goal = None;
                                return;
                            }
                            if patience {
                                drop(state);
                                // A thread that the host knows nothing of may
                                // be about to call.
                                patience = self.controller.park_for(self.patience);
                                continue;
                            }
                            patience = true;
                            if state.give_up() {
                                continue;
                            }
                            let mut stuck = stuck.unwrap_or_else(|| {
                                "a step of plug and play waits for something".into()
                            });
                            stuck.push_str(&alloc::format!(" (seed {})", state.seed));
                            let owed = state.world.owed();
                            if !owed.is_empty() {
                                stuck.push_str("; still open: ");
                                stuck.push_str(&owed);
                            }
                            state.ledger.deadlocks.push(stuck.clone());
                            state.ledger.reported = true;
                            state.sched.goal = None;
                            drop(state);
                            panic!("ndis-host: deadlock: {stuck}");
                        }
                        other => other,
                    }
                }
            };
            self.act(handover);
            self.controller.park();
        }
    }
}

impl Core {
    /// Ends the run from inside a driver: the controlling thread panics with
    /// the reason, this thread stays where it is.
    pub(crate) fn die(self: &Arc<Self>, rule: &'static str, message: String) -> ! {
        let handover = {
            let mut state = self.state.lock();
            state.violate(rule, None, message.clone());
            let chain = state.backtrace();
            state
                .sched
                .panic
                .get_or_insert(alloc::format!("{message}, in {chain}"));
            state.hand_over()
        };
        self.act(handover);
        let grave = platform().parker();
        loop {
            grave.park();
        }
    }
}
