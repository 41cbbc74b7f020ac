//! Everything that a host knows, in one place under one lock.
//!
//! The lock is held for a few table accesses at a time and never while driver
//! code runs: a callback may call back into the host, end objects and start new
//! ones, so whoever called it looks its objects up again afterwards.

use crate::configuration::table::Configurations;
use crate::export::side;
use crate::fault::Faults;
use crate::handle::{Handles, Kind, Lookup, ObjectId};
use crate::history::Histories;
use crate::io::table::Io;
use crate::ke::table::dpc::Dpcs;
use crate::ke::table::lock::Locks;
use crate::ke::table::memory::Memory;
use crate::ke::table::registry::Registry;
use crate::ke::table::remove_lock::RemoveLocks;
use crate::ke::table::thread::Threads;
use crate::ke::table::timer::Timers;
use crate::ke::table::work_item::WorkItems;
use crate::log::{EventKind, EventMode, Log, Objects, Origin, Raw};
use crate::map::Counters;
use crate::model::World;
use crate::net::Buffers;
use crate::readings::Readings;
use crate::report::{ErrorEntry, ObjectLeft, Printed, Report, Violation};
use crate::rng::Rng;
use crate::sched::Sched;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write as _;

/// After so many reports the rest is only counted.
const REPORTS: usize = 1000;

/// A question to the state.
pub(crate) type Condition = Box<dyn Fn(&State) -> bool + Send>;

/// Findings that wait for the report.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) violations: Vec<Violation>,
    pub(crate) deadlocks: Vec<String>,
    /// Requests that were open when the last run ended.
    pub(crate) unanswered: Vec<String>,
    /// What drivers have printed.
    pub(crate) printed: Vec<Printed>,
    /// What they have written into the error log.
    pub(crate) errors: Vec<ErrorEntry>,
    /// Announced rules, and how often each came.
    pub(crate) announced: BTreeMap<String, u64>,
    counters: Counters,
    pub(crate) reported: bool,
}

/// The members are boxed so that a reference to the whole is small: an
/// interpreter that checks every reborrow (Miri) pays for the bytes it covers.
pub(crate) struct State {
    pub(crate) seed: u64,
    pub(crate) rng: Rng,
    pub(crate) readings: Readings,
    pub(crate) raise: (u32, u32),
    pub(crate) low_stack: (u32, u32),
    pub(crate) asks_after_initialize: bool,
    /// The system is down: no driver is called any more.
    pub(crate) down: bool,
    pub(crate) log: Box<Log>,
    pub(crate) histories: Box<Histories>,
    pub(crate) ledger: Box<Ledger>,
    pub(crate) handles: Box<Handles>,
    pub(crate) sched: Box<Sched<Condition>>,
    pub(crate) faults: Box<Faults>,
    pub(crate) memory: Box<Memory>,
    pub(crate) registry: Box<Registry>,
    pub(crate) configurations: Box<Configurations>,
    pub(crate) locks: Box<Locks>,
    pub(crate) threads: Box<Threads>,
    pub(crate) dpcs: Box<Dpcs>,
    pub(crate) remove_locks: Box<RemoveLocks>,
    pub(crate) timers: Box<Timers>,
    pub(crate) work_items: Box<WorkItems>,
    pub(crate) io: Box<Io>,
    pub(crate) buffers: Box<Buffers>,
    pub(crate) world: Box<World>,
    /// The last number of each kind.
    numbers: [u32; Kind::COUNT],
    moments: u64,
    pub(crate) ndis: Arc<str>,
}

/// What a builder decides.
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) processors: u8,
    pub(crate) preemption: (u32, u32),
    pub(crate) raise: (u32, u32),
    pub(crate) low_stack: (u32, u32),
    pub(crate) readings: Readings,
    pub(crate) events: EventMode,
    pub(crate) patience: u32,
    pub(crate) watchdog: u32,
    pub(crate) limit: u64,
    pub(crate) last_words: Option<fn(&str)>,
    pub(crate) asks_after_initialize: bool,
    pub(crate) threads: bool,
}

impl State {
    pub(crate) fn new(host: u32, settings: &Settings) -> Self {
        Self {
            seed: settings.seed,
            rng: Rng::new(settings.seed),
            readings: settings.readings,
            raise: settings.raise,
            low_stack: settings.low_stack,
            asks_after_initialize: settings.asks_after_initialize,
            down: false,
            log: Box::new(Log::new(settings.events)),
            histories: Box::new(Histories::default()),
            ledger: Box::new(Ledger::default()),
            handles: Box::new(Handles::new(host)),
            sched: Box::new(Sched::new(
                settings.processors,
                settings.preemption,
                settings.limit,
            )),
            faults: Box::new(Faults::default()),
            memory: Box::new(Memory::default()),
            registry: Box::new(Registry::default()),
            configurations: Box::new(Configurations::default()),
            locks: Box::new(Locks::default()),
            threads: Box::new(Threads::default()),
            dpcs: Box::new(Dpcs::default()),
            remove_locks: Box::new(RemoveLocks::default()),
            timers: Box::new(Timers::default()),
            work_items: Box::new(WorkItems::default()),
            io: Box::new(Io::default()),
            buffers: Box::new(Buffers::default()),
            world: Box::new(World::default()),
            numbers: [0; Kind::COUNT],
            moments: 0,
            ndis: Arc::from("NDIS"),
        }
    }

    /// A number that is higher than those before: what of two things was first.
    pub(crate) fn moment(&mut self) -> u64 {
        self.moments += 1;
        self.moments
    }

    /// The next free number for an object of this kind.
    pub(crate) fn number(&mut self, kind: Kind) -> u32 {
        let number = &mut self.numbers[kind.object() as usize];
        *number += 1;
        *number
    }

    /// Who runs: the driver of the innermost callback, or the thread.
    pub(crate) fn who(&self) -> Arc<str> {
        self.sched
            .current()
            .and_then(|task| task.frames.last().map(|f| f.who.clone()))
            .unwrap_or_else(|| self.ndis.clone())
    }

    /// Who makes a call: the driver that runs or, when a thread of no driver
    /// does, the one whose object the call is about.
    pub(crate) fn actor(&self, call: &str, objects: &Objects) -> Arc<str> {
        if self.driver().is_none() {
            let side = side(call);
            let found = objects
                .iter()
                .flatten()
                .find_map(|object| self.world.owner(*object, side));
            if let Some(found) = found {
                return found;
            }
        }
        self.who()
    }

    /// The driver of the innermost callback; none for one that a thread of the host's has asked for.
    pub(crate) fn driver(&self) -> Option<u32> {
        let task = self.sched.current()?;
        let frame = task.frames.last()?;
        frame.driver.filter(|driver| *driver != 0)
    }

    /// The innermost callback, or what the running thread is.
    pub(crate) fn within(&self) -> &'static str {
        let frame = self.sched.current().and_then(|task| task.frames.last());
        frame.map_or("", |frame| frame.name)
    }

    /// What is made now was made here.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            within: self.within(),
            since: self.log.seq(),
        }
    }

    /// Counts a call that is not logged.
    pub(crate) fn count(&mut self, name: &'static str) {
        self.ledger.counters.count(name);
    }

    pub(crate) fn irql(&self) -> u8 {
        self.sched.current().map_or(0, |task| task.irql)
    }

    /// Something happens between NDIS and `who`.
    pub(crate) fn event(
        &mut self,
        kind: EventKind,
        name: &'static str,
        who: &Arc<str>,
        objects: Objects,
        status: Option<i32>,
        note: Option<Arc<str>>,
    ) {
        let seq = self.log.next_seq();
        if matches!(kind, EventKind::Call | EventKind::Callback) {
            self.ledger.counters.count(name);
        }
        // A call is noted when it ends; a callback when it starts and, if it answers, when it ends.
        let noted = match kind {
            EventKind::Return | EventKind::Callback => true,
            EventKind::CallbackReturn => status.is_some(),
            EventKind::Call | EventKind::Note => false,
        };
        if noted && objects.iter().any(Option::is_some) {
            // Of a callback, who called.
            let by = match kind {
                EventKind::Callback => &self.ndis,
                _ => who,
            };
            let step = self.histories.step(seq, name, by, status);
            for object in objects.iter().flatten() {
                self.histories.add(*object, step);
            }
        }
        if self.log.is_off() {
            return;
        }
        let call = objects
            .iter()
            .flatten()
            .find_map(|object| self.world.call_of(*object));
        let (cpu, irql, depth, task) = self.sched.current().map_or((0, 0, 0, 0), |t| {
            (t.cpu.unwrap_or(0), t.irql, t.depth, t.id)
        });
        if self.log.is_full() {
            let world = &self.world;
            self.log.prune(|object, call| world.may_be_of(object, call));
        }
        let (who, ndis) = (who.clone(), self.ndis.clone());
        let (from, to) = match kind {
            EventKind::Call | EventKind::CallbackReturn => (who, ndis),
            EventKind::Return | EventKind::Callback | EventKind::Note => (ndis, who),
        };
        self.log.push(Raw {
            seq,
            time: self.sched.now,
            cpu,
            irql,
            kind,
            name,
            from,
            to,
            objects,
            call,
            status,
            depth,
            task,
            note,
        });
    }

    pub(crate) fn note(&mut self, object: Option<ObjectId>, text: &str) {
        let who = self.who();
        self.event(
            EventKind::Note,
            "",
            &who,
            [object, None, None],
            None,
            Some(Arc::from(text)),
        );
    }

    /// Notes a step in the life of a list.
    pub(crate) fn remember(&mut self, object: ObjectId, what: &'static str) {
        let frame = self.sched.current().and_then(|task| task.frames.last());
        let who = frame.map_or(&self.ndis, |frame| &frame.who);
        let step = self.histories.step(self.log.seq(), what, who, None);
        self.histories.add(object, step);
    }

    /// Whether the running code can know what happened at `seq`: a driver checks
    /// its state and then calls, with no lock held across, and what another
    /// thread did in between is nobody's fault.
    pub(crate) fn knew(&self, seq: u64) -> bool {
        self.sched
            .current()
            .and_then(|task| task.frames.last())
            .is_none_or(|frame| frame.since > seq)
    }

    /// The chain of calls and callbacks that led here, innermost first.
    pub(crate) fn backtrace(&self) -> String {
        let Some(task) = self.sched.current() else {
            return String::new();
        };
        let mut text = String::new();
        for frame in task.frames.iter().rev() {
            if let Some(call) = frame.call {
                let _ = write!(text, "{call} from ");
            }
            let _ = write!(text, "{} ({})", frame.name, frame.who);
            text.push_str(", in ");
        }
        let _ = write!(
            text,
            "task {} \"{}\" on cpu {} at {}",
            task.id,
            task.name,
            task.cpu.unwrap_or(0),
            if task.irql == 0 {
                "PASSIVE_LEVEL"
            } else {
                "DISPATCH_LEVEL"
            }
        );
        text
    }

    /// Reports a broken rule by whoever runs.
    pub(crate) fn violate(
        &mut self,
        rule: &'static str,
        object: Option<ObjectId>,
        message: String,
    ) {
        let who = self.who();
        self.violate_by(who, rule, object, message);
    }

    /// Reports a broken rule by `who`.
    pub(crate) fn violate_by(
        &mut self,
        who: Arc<str>,
        rule: &'static str,
        object: Option<ObjectId>,
        message: String,
    ) {
        let mut line = String::from(rule);
        line.push_str(": ");
        line.push_str(&message);
        self.note(object, &line);
        if self.ledger.violations.len() >= REPORTS {
            return;
        }
        let history = object.map(|o| self.histories.of(o)).unwrap_or_default();
        let violation = Violation {
            rule,
            sentence: crate::rules::sentence(rule).unwrap_or_default(),
            message,
            object,
            history,
            call: self.backtrace(),
            seq: self.log.seq(),
            who,
        };
        self.ledger.violations.push(violation);
    }

    /// Reports a handle that is not what a call needs.
    pub(crate) fn bad_handle(&mut self, call: &'static str, found: Lookup, wanted: &str) {
        let rule = match found {
            Lookup::Stale(kind, _) => crate::rules::stale(kind),
            _ => crate::rules::OPAQUE,
        };
        let message = alloc::format!("{call} wants {wanted} and got {found}");
        self.violate(rule, found.object(), message);
    }

    /// Takes a live handle of the wanted kind apart, or reports what it is.
    pub(crate) fn take(&mut self, call: &'static str, raw: usize, kind: Kind) -> Option<u32> {
        match self.handles.look(raw) {
            Lookup::Live(found, number) if found == kind => Some(number),
            other => {
                let mut wanted = String::from("the live handle of ");
                let _ = write!(
                    wanted,
                    "{} {}",
                    if kind.name().starts_with(['A', 'S', 'N', 'M', 'a', 'u']) {
                        "an"
                    } else {
                        "a"
                    },
                    kind.name()
                );
                self.bad_handle(call, other, &wanted);
                None
            }
        }
    }

    /// A run has come to its end: what is still asked is kept for the report.
    pub(crate) fn note_unanswered(&mut self) {
        let open = self.world.unanswered().into_iter();
        self.ledger.unanswered = open
            .map(|(object, what, who)| alloc::format!("{what} of {object} by {who}"))
            .collect();
    }

    /// The findings so far; `objects` are the ones left over.
    pub(crate) fn report(&mut self, objects_left: Vec<ObjectLeft>) -> Report {
        self.ledger.reported = true;
        let (expected, violations): (Vec<_>, Vec<_>) = self
            .ledger
            .violations
            .iter()
            .cloned()
            .partition(|v| self.ledger.announced.contains_key(v.rule));
        let (not_simulated, mut violations): (Vec<_>, Vec<_>) = violations
            .into_iter()
            .partition(|v| v.rule == crate::rules::NOT_SIMULATED);
        for rule in self.ledger.announced.keys() {
            if !expected.iter().any(|v| v.rule == rule) {
                violations.push(Violation {
                    rule: crate::rules::EXPECTED,
                    sentence: crate::rules::sentence(crate::rules::EXPECTED).unwrap_or_default(),
                    message: alloc::format!("a violation of {rule} was announced and did not come"),
                    object: None,
                    history: Vec::new(),
                    call: String::new(),
                    seq: self.log.seq(),
                    who: self.ndis.clone(),
                });
            }
        }
        Report {
            violations,
            expected,
            not_simulated,
            unanswered: self.ledger.unanswered.clone(),
            objects_left,
            deadlocks: self.ledger.deadlocks.clone(),
            counters: self.ledger.counters.sums(),
            seed: self.seed,
            events: self.log.seq(),
        }
    }
}
