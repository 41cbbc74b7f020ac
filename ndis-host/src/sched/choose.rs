//! Who runs next: the state's side of the scheduler, all of it under its lock.

use super::{CALLS_ALONE, IDLE_PERIODS, Next, UNDER_WAY};
use super::{Due, Goal, Handover, Order, Phase, Task, TaskId, Wait, What, Woken, Work, Worker};
use crate::platform::{Lock, platform};
use crate::state::{Condition, State};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl State {
    pub(super) fn take_cpu(&mut self, id: TaskId) -> bool {
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
            if let Due::Oid(number) = due {
                self.sched.due_oids.remove(&number);
            }
            match due {
                Due::Wake(id, wait) => {
                    if self.sched.tasks.get(&id).is_some_and(|t| t.waits == wait) {
                        self.sched.wake(id, Woken::TimedOut);
                    }
                }
                Due::Timer { number, set, .. } => self.timer_expired(number, set, time),
                Due::Oid(number) => self.oid_timed_out(number),
            }
        }
    }

    /// Lets time pass to the next thing that is due; false if none may come.
    fn advance(&mut self) -> bool {
        let Some((&(time, _), _)) = self.sched.due.first_key_value() else {
            return false;
        };
        match self.sched.goal {
            Some(Goal::Time(limit)) if time > limit => return false,
            Some(Goal::Time(_)) => {}
            goal => {
                let sched = &self.sched;
                if sched.due.values().all(|due| sched.goes_round(due)) {
                    if goal == Some(Goal::Idle) && !self.sched.somebody_waits() {
                        return false;
                    }
                    self.sched.idle_periods += 1;
                    if self.sched.idle_periods > IDLE_PERIODS {
                        return false;
                    }
                } else {
                    self.sched.idle_periods = 0;
                }
            }
        }
        self.sched.now = self.sched.now.max(time);
        true
    }

    fn pick(&mut self) -> Next {
        loop {
            self.poll_host_waits();
            self.fire();
            let found = if self.sched.has_free_cpu() {
                self.pick_any()
            } else {
                self.pick_pinned()
            };
            if let Some(next) = found {
                return next;
            }
            if !self.advance() {
                return Next::Nothing;
            }
        }
    }

    /// There is a free processor: whatever is ready can run, and whatever nobody has begun.
    fn pick_any(&mut self) -> Option<Next> {
        let ready = self.sched.ready.len();
        let fresh = if ready < UNDER_WAY {
            self.sched.work.len()
        } else {
            0
        };
        if ready + fresh == 0 {
            return None;
        }
        let choice = self.rng.below(ready + fresh);
        match choice.checked_sub(ready) {
            None => self.sched.ready.take(choice).map(Next::Resume),
            Some(choice) => self.sched.work.take(choice).map(Next::Start),
        }
    }

    /// There is none: only who has kept its processor can run.
    fn pick_pinned(&mut self) -> Option<Next> {
        let sched = &mut self.sched;
        let holders = sched.cpus.iter().flatten();
        let tasks = holders.filter_map(|id| sched.tasks.get(id));
        let able = tasks.filter(|task| matches!(task.phase, Phase::Ready));
        let mut able: Vec<u64> = able.map(|task| task.ready).collect();
        // In the order in which they became ready.
        able.sort_unstable();
        let key = able.get(self.rng.below(able.len())).copied()?;
        sched.ready.remove(key).map(Next::Resume)
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

    /// Whether the running task calls without end, and nothing comes of it. The run ends then.
    pub(crate) fn calls_without_end(&mut self, call: &str) -> bool {
        self.sched.calls_alone >= CALLS_ALONE && self.end_calls(call)
    }

    #[cold]
    fn end_calls(&mut self, call: &str) -> bool {
        if self.sched.panic.is_none() {
            self.sched.panic = Some(alloc::format!(
                "ndis-host: {CALLS_ALONE} calls, now {call}, and nobody else has run or been called \
                 meanwhile: does the task ask in a loop for what only others can bring? It is {}",
                self.backtrace()
            ));
        }
        true
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
        self.sched.steps += 1;
        self.sched.activity += 1;
        self.sched.calls_alone = 0;
        if self.sched.steps > self.sched.limit {
            let limit = self.sched.limit;
            let message = alloc::format!("ndis-host: the run has not ended after {limit} steps");
            self.sched.panic.get_or_insert(message);
        }
        if self.sched.panic.is_some() || self.goal_met() {
            return Handover::Controller;
        }
        if self.sched.goal.is_none() && self.sched.inside == 0 {
            return Handover::Nobody;
        }
        match self.pick() {
            Next::Resume(id) => self.resume(id),
            Next::Start(work) => self.admit(work),
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
            raises: Vec::new(),
            depth: 0,
            stack_base: 0,
            stack_reported: false,
            endless_reported: false,
            woken: Woken::Normal,
            ready: 0,
            waits: 0,
            polls: 0,
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
    pub(super) fn end_task(&mut self, id: TaskId) {
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
        if let Some(task) = self.sched.tasks.remove(&id)
            && task.plug_and_play
        {
            self.sched.steps_of_pnp -= 1;
        }
        self.thread_ended(id);
    }

    /// Nothing can run any more: a work item that waits keeps a thread of the system's.
    pub(crate) fn check_items_that_wait(&mut self) {
        let mut found = Vec::new();
        for task in self.sched.tasks.values() {
            let Phase::Blocked(Wait::Event { address, what }) = &task.phase else {
                continue;
            };
            let routines = ["NdisIoWorkItemRoutine", "WorkItemEx"];
            let mut frames = task.frames.iter();
            let item = frames.find(|frame| routines.contains(&frame.name));
            // Who polls waits for a time only, again and again.
            if let Some(item) = item
                && !task.is_polling()
                && !task.endless_reported
            {
                let message = alloc::format!(
                    "{} ({}) waits for {}, and nothing can run any more",
                    item.name,
                    task.name,
                    self.describe_what(*address, what)
                );
                found.push((task.id, item.who.clone(), message));
            }
        }
        for (id, who, message) in found {
            if let Some(task) = self.sched.tasks.get_mut(&id) {
                task.endless_reported = true;
            }
            self.violate_by(who, "KE-52", None, message);
        }
    }

    /// What a task waits for, in words.
    pub(super) fn describe(&self, wait: &Wait<Condition>) -> String {
        match wait {
            Wait::Event { address, what } | Wait::SpinLock { address, what } => {
                self.describe_what(*address, what)
            }
            Wait::Sleep => "the end of its sleep".into(),
            Wait::Host(wait) => wait.what.clone(),
        }
    }

    fn describe_what(&self, address: usize, what: &What) -> String {
        match what {
            What::Text(text) => text.clone(),
            What::Object(kind, None) => self.describe_object(kind, address),
            What::Object(kind, Some(call)) => {
                alloc::format!("{} ({call})", self.describe_object(kind, address))
            }
        }
    }

    /// Memory is about to be freed: what somebody waits for there is described while it is known
    /// whose it is.
    pub(crate) fn note_waits_in(&mut self, memory: &core::ops::Range<usize>) {
        for id in self.sched.waiting_in(memory) {
            let Some(Phase::Blocked(wait)) = self.sched.tasks.get(&id).map(|task| &task.phase)
            else {
                continue;
            };
            let text = self.describe(wait);
            if let Some(task) = self.sched.tasks.get_mut(&id)
                && let Phase::Blocked(Wait::Event { what, .. } | Wait::SpinLock { what, .. }) =
                    &mut task.phase
            {
                *what = What::Text(text);
            }
        }
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
        if let Some((who, rule, object, message)) = found
            && !self.can_be_cancelled(object)
        {
            self.never_came(who, rule, object, message);
        }
        self.sched.wake(id, Woken::GaveUp);
        true
    }
}
