//! Handing the baton on: threads that wait for it, and the one that drives.

use super::{Due, Frame, Goal, Handover, Order, Phase, Task, TaskId, Wait, Woken, Worker};
use crate::core::Core;
use crate::platform::{Park, platform};
use crate::state::{Condition, State};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

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
                let thread = self.crew.clone().start(Box::new(move || core.serve(&own)));
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
                    let base = 0_u8;
                    if let Some(task) = self.state.lock().sched.tasks.get_mut(&id) {
                        task.stack_base = (&raw const base).addr();
                    }
                    crate::core::set_current(Some((Arc::downgrade(&self), id)));
                    let result = platform().catch(body);
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

    /// Ends the running task from inside the driver's routine that it is for, and
    /// does not return to it.
    ///
    /// # Safety
    ///
    /// The caller's thread is a worker's, the task `id` is the one that it serves,
    /// and above the two frames of the worker ([`serve`](Self::serve) and its body)
    /// there is nothing on the stack that the host still owns.
    pub(crate) unsafe fn leave(self: Arc<Self>, id: TaskId) -> ! {
        crate::core::set_current(None);
        let handover = {
            let mut state = self.state.lock();
            state.end_task(id);
            state.hand_over()
        };
        self.act(handover);
        let core = Arc::as_ptr(&self);
        let crew = self.crew.clone();
        drop(self);
        // SAFETY: `serve` owns one count of the core. Its frame is on this stack, below
        // code that is never returned to (`stay`), so it neither uses nor drops it.
        unsafe { Arc::decrement_strong_count(core) };
        // SAFETY: as above, for the count in the `Cx` that the body has made for this task.
        unsafe { Arc::decrement_strong_count(core) };
        crew.stay()
    }

    /// Sends the workers that have nothing to do home. Threads of suspended
    /// tasks stay: their stacks belong to drivers.
    pub(crate) fn dismiss(&self) {
        let idle = {
            let mut state = self.state.lock();
            if state.sched.running.is_some() {
                // The run was given up, and a task may keep the thread for ever that others share.
                return;
            }
            core::mem::take(&mut state.sched.idle)
        };
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
        self.crew.dismiss();
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
            let Some(task) = state.sched.tasks.get(&id) else {
                return;
            };
            let parker = task.parker.clone();
            state.sched.make_ready(id);
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
        mut attempt: impl FnMut(&mut State) -> Result<R, Wait<Condition>>,
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
                let Some(task) = state.sched.tasks.get(&id) else {
                    return Err(Woken::GaveUp);
                };
                let parker = task.parker.clone();
                let waits = task.waits;
                state.sched.block(id, wait);
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
                            raises: Vec::new(),
                            depth: 0,
                            stack_base: 0,
                            stack_reported: false,
                            endless_reported: false,
                            woken: Woken::Normal,
                            ready: 0,
                            waits: 0,
                            polls: 0,
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
            let Some(task) = state.sched.tasks.get(&id) else {
                return id;
            };
            let parker = task.parker.clone();
            state.sched.make_ready(id);
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
                        self.fail(&alloc::format!("{message} (seed {seed})"));
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
                            let stuck = state.sched.stuck(|wait| state.describe(wait));
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
                            state.check_items_that_wait();
                            if state.give_up() {
                                continue;
                            }
                            let mut stuck = stuck.unwrap_or_else(|| {
                                "a step of plug and play waits for something".into()
                            });
                            stuck.push_str(&alloc::format!(" (seed {})", state.seed));
                            for open in [state.world.owed(), state.devices_in_the_way()] {
                                if !open.is_empty() {
                                    stuck.push_str("; still open: ");
                                    stuck.push_str(&open);
                                }
                            }
                            state.record_stuck(stuck.clone());
                            drop(state);
                            self.fail(&alloc::format!("ndis-host: deadlock: {stuck}"));
                        }
                        other => other,
                    }
                }
            };
            self.act(handover);
            self.park_controller();
        }
    }

    /// The controlling thread waits until it is needed, and sees to it that the run
    /// goes on meanwhile.
    ///
    /// # Panics
    ///
    /// When for longer than the watchdog allows no task calls, is called or is handed
    /// the baton.
    fn park_controller(&self) {
        // Miri takes minutes for what takes milliseconds.
        if self.watchdog == 0 || cfg!(miri) {
            self.controller.park();
            return;
        }
        let tick = (self.watchdog / 8).max(1);
        let (mut seen, mut quiet) = (None, 0_u32);
        // Ticks are counted, not time: a process that was stopped has not waited.
        while !self.controller.park_for(tick) {
            let mut state = self.state.lock();
            let now = Some(state.sched.activity());
            if state.sched.running.is_none() || seen != now {
                (seen, quiet) = (now, 0);
                continue;
            }
            quiet = quiet.saturating_add(tick);
            if quiet < self.watchdog {
                continue;
            }
            let message = alloc::format!(
                "ndis-host: for {} ms nobody else could run, and no call came: does the task loop, or wait for a lock that \
                 the host cannot see? It is {} (seed {})",
                self.watchdog,
                state.backtrace(),
                state.seed
            );
            state.record_stuck(message.clone());
            drop(state);
            self.fail(&message);
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

/// Ends the run, in an embedder's handler of processor faults: the calling thread has done
/// `what`, and cannot go on. A driver whose code it ran is reported for it.
///
/// # Panics
///
/// When the thread runs no driver: the embedder's panic handler has the last word.
#[cfg(not(feature = "std"))]
pub fn fault(what: String) -> ! {
    let Some((core, _)) = crate::core::current() else {
        panic!("{what}");
    };
    core.state.open(|| {
        let place = platform().parker();
        place.park_for(1)
    });
    core.die(crate::rules::FAULT, what)
}

impl State {
    /// The run cannot go on, and ends here.
    fn record_stuck(&mut self, why: String) {
        self.ledger.deadlocks.push(why);
        self.ledger.reported = true;
        self.sched.goal = None;
    }
}
