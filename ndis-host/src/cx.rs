//! The border between driver code and the host: how a call comes in and how a
//! callback goes out. Both are switch points, both are logged, and at both the
//! rules about IRQL and spin locks are checked.

use crate::callback::{Callback, Outcome};
use crate::core::{Core, current, find, set_current};
use crate::export::Call;
use crate::handle::ObjectId;
use crate::ke::stack::stack_left;
use crate::log::{EventKind, Objects};
use crate::model::manager::Manager;
use crate::platform::Job;
use crate::sched::{DISPATCH, Frame, HostWait, Phase, TaskId, Wait, Woken};
use crate::state::State;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell};
use core::ffi::c_void;

/// The running task's right to use the host.
pub(crate) struct Cx {
    pub(crate) core: Arc<Core>,
    pub(crate) task: TaskId,
    call: Option<Called>,
    objects: Cell<Objects>,
    /// Who called, for the log.
    actor: RefCell<Option<Arc<str>>>,
    /// The event of the call.
    seq: Cell<u64>,
    status: Cell<Option<i32>>,
    foreign: bool,
    /// When the call was made, which others may have gone on after.
    entered: u64,
    /// A failure that the test ordered.
    pub(crate) fault: Option<i32>,
}

/// Of the exported function that was called: what matters until it returns.
#[derive(Clone, Copy)]
struct Called {
    name: &'static str,
    log: bool,
    switch: bool,
}

/// What is known when a call has begun.
struct Begun {
    name: &'static str,
    objects: Objects,
    actor: Option<Arc<str>>,
    seq: u64,
    fault: Option<i32>,
}

/// How a call of a task that is known goes on.
enum Straight {
    /// At once; the moment is that of the call.
    Begun(u64, Begun),
    /// The thread is none of the host's.
    Elsewhere,
    /// When others have run.
    Others(u64),
}

/// What a task does, `body`, as what its thread is given to do.
pub(crate) fn job(body: impl FnOnce(&Cx) + Send + 'static) -> Job {
    Box::new(|| body(&Cx::of_task()))
}

impl Cx {
    /// That of the task that the calling thread runs.
    pub(crate) fn of_task() -> Self {
        let (core, task) = current().expect("ndis-host: a job is what a task does");
        Self {
            core,
            task,
            call: None,
            objects: Cell::new([None; 3]),
            actor: RefCell::new(None),
            seq: Cell::new(0),
            status: Cell::new(None),
            foreign: false,
            entered: 0,
            fault: None,
        }
    }

    /// A driver has called an exported function.
    pub(crate) fn enter(call: Call, handles: &[*mut c_void]) -> Self {
        let mut raw = [0usize; 4];
        for (slot, handle) in raw.iter_mut().zip(handles) {
            *slot = handle.addr();
        }
        let raw = &raw[..handles.len().min(4)];
        let (core, task, foreign, entered) = match current() {
            Some((core, task)) => {
                // The usual case, with the state locked once: a task of this
                // host that goes straight on.
                let straight = core.state.lock().begin_straight(task, &call, raw);
                match straight {
                    Straight::Begun(entered, begun) => {
                        return Self::new(core, task, &call, (false, entered), begun);
                    }
                    Straight::Elsewhere => {
                        let core = if handles.is_empty() {
                            core
                        } else {
                            let meant = find(call.name, raw);
                            if meant.id == core.id { core } else { meant }
                        };
                        let entered = core.state.lock().moment();
                        let known = current().filter(|(c, _)| c.id == core.id).map(|(_, t)| t);
                        let task = core.come_in(known);
                        set_current(Some((Arc::downgrade(&core), task)));
                        (core, task, true, entered)
                    }
                    Straight::Others(entered) => {
                        core.give_way(task);
                        (core, task, false, entered)
                    }
                }
            }
            None => {
                let core = find(call.name, raw);
                let entered = core.state.lock().moment();
                let task = core.come_in(None);
                set_current(Some((Arc::downgrade(&core), task)));
                (core, task, true, entered)
            }
        };
        let begun = core.state.lock().begin(&call, raw);
        Self::new(core, task, &call, (foreign, entered), begun)
    }

    fn new(
        core: Arc<Core>,
        task: TaskId,
        call: &Call,
        (foreign, entered): (bool, u64),
        begun: Begun,
    ) -> Self {
        Self {
            core,
            task,
            call: Some(Called {
                name: begun.name,
                log: call.log,
                switch: call.switch,
            }),
            objects: Cell::new(begun.objects),
            actor: RefCell::new(begun.actor),
            seq: Cell::new(begun.seq),
            status: Cell::new(None),
            foreign,
            entered,
            fault: begun.fault,
        }
    }

    /// The name of the function that was called.
    pub(crate) fn name(&self) -> &'static str {
        self.call.map_or("", |call| call.name)
    }

    /// When the call was made: a driver is judged by what was so then, for it cannot know what
    /// happens while its call gives way to others.
    pub(crate) fn entered(&self) -> u64 {
        self.entered
    }

    /// Looks at the state or changes it; no driver code may run inside.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.core.state.lock())
    }

    /// Adds an object that the call turned out to be about.
    pub(crate) fn about(&self, object: ObjectId) {
        let mut objects = self.objects.get();
        if objects.contains(&Some(object)) {
            return;
        }
        if let Some(slot) = objects.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(object);
        }
        self.objects.set(objects);
        let seq = self.seq.get();
        self.with(|s| s.log.amend(seq, object));
    }

    /// The result of the call, for the log.
    pub(crate) fn done(&self, status: i32) -> i32 {
        self.status.set(Some(status));
        status
    }

    pub(crate) fn irql(&self) -> u8 {
        self.with(|s| s.irql())
    }

    /// Calls a driver; at DISPATCH_LEVEL at random, where that is allowed.
    pub(crate) fn call<R: Outcome>(&self, callback: &Callback, f: impl FnOnce() -> R) -> R {
        self.call_at(callback, false, f)
    }

    /// Calls a driver at the level that the running code is at.
    pub(crate) fn call_as_is<R: Outcome>(&self, callback: &Callback, f: impl FnOnce() -> R) -> R {
        self.call_at(callback, true, f)
    }

    fn call_at<R: Outcome>(&self, callback: &Callback, as_is: bool, f: impl FnOnce() -> R) -> R {
        let (raised, before) = self.with(|s| {
            s.sched.note_callback();
            let (times, of) = s.raise;
            // Drawn in either case: what follows in a run hangs on how often that was.
            let lift = callback.passive.is_none() && s.rng.chance(times, of) && !as_is;
            let mut raised = false;
            let mut before = 0;
            if let Some(task) = s.sched.current_mut() {
                before = task.irql;
                if lift && task.irql < DISPATCH {
                    task.irql = DISPATCH;
                    raised = true;
                }
                task.depth += 1;
            }
            s.event(
                EventKind::Callback,
                callback.name,
                &callback.who,
                callback.objects,
                None,
                None,
            );
            let since = s.log.seq();
            let about = callback
                .objects
                .iter()
                .flatten()
                .find_map(|object| s.world.call_of(*object));
            if let Some(task) = s.sched.current_mut() {
                let frame = Frame {
                    driver: Some(callback.driver),
                    who: callback.who.clone(),
                    name: callback.name,
                    irql: task.irql,
                    locks: task.locks.len(),
                    since,
                    about,
                    call: None,
                };
                task.frames.push(frame);
            }
            s.check_stack(callback);
            (raised, before)
        });
        let result = f();
        self.with(|s| {
            s.check_balance(callback);
            if let Some(task) = s.sched.current_mut() {
                task.frames.pop();
                task.depth = task.depth.saturating_sub(1);
                if raised {
                    task.irql = before;
                }
            }
            s.event(
                EventKind::CallbackReturn,
                callback.name,
                &callback.who,
                callback.objects,
                result.status(),
                None,
            );
        });
        result
    }

    /// Waits, as a step of plug and play does, for a driver to do something.
    /// False if it never will.
    pub(crate) fn wait_until(
        &self,
        rule: &'static str,
        who: &Arc<str>,
        object: Option<ObjectId>,
        what: &str,
        condition: impl Fn(&State) -> bool + Send + Clone + 'static,
    ) -> bool {
        let answer = self.core.wait(self.task, None, |s| {
            if condition(s) {
                return Ok(());
            }
            Err(Wait::Host(HostWait {
                what: String::from(what),
                rule,
                object,
                who: who.clone(),
                condition: Box::new(condition.clone()),
            }))
        });
        answer != Err(Woken::GaveUp)
    }
}

impl Drop for Cx {
    fn drop(&mut self) {
        let Some(call) = self.call else {
            return;
        };
        let switch = self.with(|s| {
            if let Some(task) = s.sched.current_mut() {
                task.depth = task.depth.saturating_sub(1);
                if let Some(frame) = task.frames.last_mut() {
                    frame.call = None;
                    if call.log {
                        frame.since = self.seq.get();
                    }
                }
            }
            if call.log {
                let who = self.actor.take().unwrap_or_else(|| s.who());
                s.event(
                    EventKind::Return,
                    call.name,
                    &who,
                    self.objects.get(),
                    self.status.get(),
                    None,
                );
            }
            !self.foreign && call.switch && s.preempts()
        });
        if self.foreign {
            self.core.go_out(self.task);
        } else if switch {
            self.core.give_way(self.task);
        }
    }
}

impl State {
    /// Begins a call of `task`, unless others run first.
    fn begin_straight(&mut self, task: TaskId, call: &Call, raw: &[usize]) -> Straight {
        let entered = self.moment();
        let outside = self
            .sched
            .tasks
            .get(&task)
            .is_none_or(|task| matches!(task.phase, Phase::Outside));
        if outside {
            return Straight::Elsewhere;
        }
        let preempted = call.switch && self.preempts();
        if preempted || self.calls_without_end(call.name) {
            return Straight::Others(entered);
        }
        Straight::Begun(entered, self.begin(call, raw))
    }

    /// A call begins: what it is called with is looked up, and the rules for any call are checked.
    fn begin(&mut self, call: &Call, raw: &[usize]) -> Begun {
        let (name, passive) = self.named(call, raw);
        self.sched.now += u64::from(call.time);
        self.sched.note_call();
        let mut objects: Objects = [None; 3];
        for (slot, raw) in objects.iter_mut().zip(raw) {
            *slot = self.handles.look(*raw).object();
        }
        let mut actor = None;
        let mut seq = 0;
        if call.log {
            let who = self.actor(name, &objects);
            self.event(EventKind::Call, name, &who, objects, None, None);
            actor = Some(who);
            seq = self.log.seq();
        } else {
            self.count(name);
        }
        let mut held = 0;
        let mut irql = 0;
        if let Some(task) = self.sched.current_mut() {
            task.depth += 1;
            held = task.locks.len();
            irql = task.irql;
            if let Some(frame) = task.frames.last_mut() {
                frame.call = Some(name);
            }
        }
        if call.log || irql >= DISPATCH || held > 0 {
            self.check_call(call, (name, passive), objects[0], (irql, held));
        }
        let fault = self.faults.call(name);
        if let Some(status) = fault {
            let status = crate::status::Name(status);
            let text = alloc::format!("{name} fails on purpose with {status}");
            self.note(objects[0], &text);
        }
        Begun {
            name,
            objects,
            actor,
            seq,
            fault,
        }
    }

    /// Whether a call may be made there, where its caller is at `irql` and holds so many spin
    /// locks.
    fn check_call(
        &mut self,
        call: &Call,
        (name, passive): (&'static str, Option<&'static str>),
        first: Option<ObjectId>,
        (irql, held): (u8, usize),
    ) {
        if call.log && self.looks_for_hang() && name.starts_with("Ndis") {
            let message =
                alloc::format!("{name} was called from MiniportCheckForHangEx, which only looks");
            self.violate("RESET-08", first, message);
        }
        if irql > DISPATCH
            && call.switch
            && let Some(rule) = self.after_bug_check()
        {
            let message =
                alloc::format!("{name} was called from MiniportShutdownEx after a system error");
            self.violate(rule, first, message);
        } else if irql >= DISPATCH
            && let Some(rule) = passive
        {
            let message =
                alloc::format!("{name} was called at DISPATCH_LEVEL; it is for PASSIVE_LEVEL only");
            self.violate(rule, first, message);
        }
        if held > 0
            && let Some(rule) = call.unlocked
        {
            let message = alloc::format!(
                "{name} was called with {held} spin lock{} held; it runs the peer's callback, \
                 which may come back for the same lock",
                if held == 1 { "" } else { "s" }
            );
            self.violate(rule, first, message);
        }
    }

    /// A call by the name that its caller knows it by, with the rule that allows it at PASSIVE_LEVEL
    /// only: call managers of both kinds call the same functions. Whose call it is the handles
    /// tell or, when they lead nowhere, the running driver.
    fn named(&self, call: &Call, handles: &[usize]) -> (&'static str, Option<&'static str>) {
        let Some(alone) = call.alone else {
            return (call.name, call.passive);
        };
        let manager = handles.iter().find_map(|raw| {
            let object = self.handles.look(*raw).object()?;
            self.world.manager_of(object)
        });
        let is_alone = match manager {
            Some(manager) => matches!(manager, Manager::Alone { .. }),
            None => self
                .driver()
                .is_some_and(|driver| self.world.manages_alone(driver)),
        };
        if is_alone {
            (alone, call.alone_passive.or(call.passive))
        } else {
            (call.name, call.passive)
        }
    }

    /// A driver's handler begins: there must be stack left for it. Reported once a
    /// task, not for each that nests deeper still.
    fn check_stack(&mut self, callback: &Callback) {
        let Some(task) = self.sched.current_mut() else {
            return;
        };
        let used_up = stack_left(task) == 0;
        if used_up && !core::mem::replace(&mut task.stack_reported, true) {
            let depth = task.frames.len();
            let message = alloc::format!(
                "{} begins with the kernel stack used up, within {} others",
                callback.name,
                depth.saturating_sub(1)
            );
            self.violate_by(callback.who.clone(), "KE-55", callback.objects[0], message);
        }
    }

    /// A driver's handler has returned: it must leave IRQL and locks as they were.
    fn check_balance(&mut self, callback: &Callback) {
        let Some(task) = self.sched.current_mut() else {
            return;
        };
        let Some(frame) = task.frames.last() else {
            return;
        };
        let (irql, locks) = (frame.irql, frame.locks);
        let now = task.irql;
        let mut kept = alloc::vec::Vec::new();
        while task.locks.len() > locks {
            kept.extend(task.locks.pop());
        }
        task.irql = irql;
        for address in &kept {
            self.locks.forget(*address);
            for waiter in self.sched.waiting_for(*address) {
                self.sched.wake(waiter, Woken::Normal);
            }
        }
        if !kept.is_empty() {
            let message = alloc::format!(
                "{} returned with {} spin lock{} held",
                callback.name,
                kept.len(),
                if kept.len() == 1 { "" } else { "s" }
            );
            self.violate(crate::rules::LOCK_BALANCE, callback.objects[0], message);
        } else if now != irql {
            let message = alloc::format!(
                "{} was called at IRQL {irql} and returned at IRQL {now}",
                callback.name
            );
            let rule = callback.passive.unwrap_or(crate::rules::IRQL_BALANCE);
            self.violate(rule, callback.objects[0], message);
        }
        // The processor of a task that is back at PASSIVE_LEVEL is given up at
        // its next switch.
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Kind;
    use crate::model::manager::Names;

    #[test]
    fn a_call_is_named_as_its_call_manager_knows_it() {
        let settings = crate::Host::builder().settings();
        let mut state = State::new(1, &settings);
        *state.world = crate::model::tests::world();
        let call = Call::of_managers(Names::MAKE_CALL_COMPLETE);
        let (of_mcm, of_alone) = ("NdisMCmMakeCallComplete", "NdisCmMakeCallComplete");
        let mut name = |kind, number| {
            let raw = state.handles.make(kind, number);
            state.named(&call, &[raw]).0
        };
        assert_eq!(name(Kind::CallManagerVc, 1), of_mcm);
        assert_eq!(name(Kind::CallManagerVc, 2), of_alone);
        assert_eq!(name(Kind::CallManagerAf, 2), of_alone);
        // The handle leads nowhere, and no driver runs.
        assert_eq!(name(Kind::CallManagerVc, 3), of_mcm);
    }
}
