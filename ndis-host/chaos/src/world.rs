//! One run's surroundings: its dice, its acts, what was found, and the threads
//! that the drivers are given.
//!
//! A `std` mutex is held for short look-ups only: at every call into the safe
//! layer the host may switch to another task.
#![forbid(unsafe_code)]

use crate::{
    Options,
    act::{ACTS, Act},
    power::Power,
    rng::Rng,
};
use ndis_co::{
    Status,
    event::Event,
    irql::{Passive, UpToDispatch},
    lock::SpinLock,
    mem::Tag,
};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering::SeqCst},
    },
};

/// The tag of the drivers' memory.
pub(crate) const TAG: Tag = Tag::new(*b"Chao");

/// Something to be done later, at any level without a lock; a token's answer,
/// mostly. Dropping it drops the token.
pub(crate) type Job = Box<dyn FnOnce(&mut UpToDispatch) + Send>;

/// The body of a thread.
pub(crate) type Body = Box<dyn FnOnce(&mut Passive) + Send>;

/// A frame: the end that it comes from, and its number there.
pub(crate) type Key = (u32, u32);

/// How a run is tempered: drawn once, so that runs differ from each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temper {
    /// In how many of 16 places of opportunity there is mischief.
    pub(crate) mischief: u32,
    /// In how many of 16 places of opportunity there is data.
    pub(crate) data: u32,
    /// How often data is answered with data at once, on the same stack.
    pub(crate) pongs: u32,
    /// In how many of 16 cases a request is answered later.
    pub(crate) pend: u32,
    /// In how many of 64 cases a request is refused.
    pub(crate) refuse: u32,
    /// In how many of 64 cases a fallible handler fails.
    pub(crate) err: u32,
    /// In how many of 16 places a thread waits.
    pub(crate) wait: u32,
    /// In how many of 16 destructors a lock is taken.
    pub(crate) destructors: u32,
}

/// What is counted by peers and must come out even.
#[derive(Default)]
struct Ledger {
    /// The frames that are out, by their sender's end and number, with the status
    /// that they were completed with, once they were.
    frames: BTreeMap<Key, Option<Status>>,
    /// How many clones of a frame are out.
    clones: BTreeMap<Key, u32>,
    /// Frames that were sent on, or are out of order on purpose: in what order
    /// they arrive, and with what they are completed, is open.
    relayed: BTreeSet<Key>,
    /// What each is, and the place to which it belongs.
    contexts: BTreeMap<u32, (&'static str, u32)>,
}

pub(crate) struct World {
    rng: Mutex<Rng>,
    pub(crate) temper: Temper,
    pub(crate) power: Power,
    pongs: AtomicU32,
    counts: [AtomicU32; ACTS],
    without: Vec<Act>,
    verbose: bool,
    /// NDIS itself answers with NOT_ACCEPTED, which is no failure by its number.
    not_accepted: AtomicBool,
    findings: Mutex<Vec<String>>,
    budget: AtomicU32,
    numbers: AtomicU32,
    /// Requests that were made and are not answered. (An answer may come before the request is
    /// counted.)
    requests: AtomicI64,
    /// Control requests of which a driver was told that the program gets the answer, and it has not.
    promised: AtomicI64,
    ledger: Mutex<Ledger>,
    /// VCs are joined in this run: a call manager that stands alone has no others.
    joins: AtomicBool,
    /// Starts a thread, once there is a host.
    spawner: Mutex<Option<Spawner>>,
    /// What goes on as soon as a reset has begun.
    meanwhile: Mutex<Option<Meanwhile>>,
}

/// What goes on while something else does.
pub(crate) type Meanwhile = Box<dyn FnOnce() + Send>;

/// How a thread at PASSIVE_LEVEL comes to be.
pub(crate) type Spawner = Arc<dyn Fn(&str, Body) + Send + Sync>;

/// Locks for the time of a look.
pub(crate) fn look<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// How deep this thread is in acts within acts.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// How deep acts go on within acts.
const DEEPEST: u32 = 3;

impl World {
    pub(crate) fn new(seed: u64, options: &Options) -> Arc<Self> {
        let mut rng = Rng::new(seed);
        let mut among = |choices: &[u32]| choices[rng.below(choices.len() as u32) as usize];
        let mut temper = Temper {
            mischief: among(&[0, 2, 4, 8, 12]),
            data: among(&[1, 4, 12]),
            pongs: 0,
            pend: among(&[1, 4, 8, 15]),
            refuse: among(&[0, 1, 4, 24]),
            err: among(&[0, 0, 1, 8]),
            wait: among(&[1, 4, 8]),
            destructors: among(&[0, 4, 16]),
        };
        let budget = among(&[10, 20, 40, 80, 160]);
        if rng.below(32) == 0 && !options.without.contains(&Act::Pong) {
            temper.pongs = 1_000;
            temper.data = 16;
            temper.pend = 0;
            temper.mischief = 0;
        }
        Arc::new(Self {
            rng: Mutex::new(rng),
            temper,
            power: Power::of(seed),
            pongs: AtomicU32::new(temper.pongs),
            counts: [const { AtomicU32::new(0) }; ACTS],
            without: options.without.clone(),
            verbose: options.verbose,
            not_accepted: AtomicBool::new(false),
            findings: Mutex::default(),
            budget: AtomicU32::new(budget),
            numbers: AtomicU32::new(1),
            requests: AtomicI64::new(0),
            promised: AtomicI64::new(0),
            ledger: Mutex::default(),
            joins: AtomicBool::new(false),
            spawner: Mutex::new(None),
            meanwhile: Mutex::new(None),
        })
    }

    // Dice.

    pub(crate) fn draw(&self) -> u64 {
        look(&self.rng).next()
    }

    pub(crate) fn below(&self, limit: u32) -> u32 {
        look(&self.rng).below(limit)
    }

    /// True in `of` cases `times` times.
    pub(crate) fn chance(&self, times: u32, of: u32) -> bool {
        times > 0 && self.below(of) < times
    }

    pub(crate) fn among<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// One of these acts, by weight, that is not left out; the last one always
    /// may be.
    pub(crate) fn choose(&self, choices: &[(u32, Act)]) -> Act {
        let allowed = |act: Act| !self.without.contains(&act);
        let total = choices.iter().filter(|(_, act)| allowed(*act));
        let total: u32 = total.map(|(weight, _)| weight).sum();
        let mut at = self.below(total);
        for (weight, act) in choices.iter().filter(|(_, act)| allowed(*act)) {
            if at < *weight {
                return *act;
            }
            at -= weight;
        }
        choices[choices.len() - 1].1
    }

    /// As [`choose`](Self::choose), and the act is done for sure.
    pub(crate) fn decide(&self, choices: &[(u32, Act)]) -> Act {
        let act = self.choose(choices);
        self.did(act);
        act
    }

    /// Whether this act may be and comes up, `times` in `of`; it is done then.
    pub(crate) fn dares(&self, act: Act, times: u32, of: u32) -> bool {
        let dares = self.chance(times, of) && self.allows(act);
        if dares {
            self.did(act);
        }
        dares
    }

    pub(crate) fn allows(&self, act: Act) -> bool {
        !self.without.contains(&act)
    }

    /// A status to refuse with, or to complete with: good ones, odd ones, and
    /// such as are no failure at all.
    pub(crate) fn status(&self) -> Status {
        match self.choose(&[
            (1, Act::StatusInformational),
            (1, Act::StatusSuccess),
            (6, Act::Look),
        ]) {
            Act::StatusInformational => {
                self.did(Act::StatusInformational);
                Status::from_raw(self.among(&[
                    0x4000_0006,
                    1,
                    0x4001_000B,
                    i32::MAX,
                    Status::NOT_ACCEPTED.raw(),
                ]))
            }
            Act::StatusSuccess => {
                self.did(Act::StatusSuccess);
                self.among(&[Status::SUCCESS, Status::PENDING])
            }
            _ => self.among(&[
                Status::FAILURE,
                Status::RESOURCES,
                Status::CLOSING,
                Status::INVALID_DATA,
                Status::from_raw(-1),
                Status::from_raw(i32::MIN),
                Status::from_raw(0x8000_0005_u32 as i32),
            ]),
        }
    }

    /// A fallible handler fails here, perhaps.
    pub(crate) fn may_fail(&self, act: Act) -> Result<(), Status> {
        if self.dares(act, self.temper.err, 64) {
            Err(self.status())
        } else {
            Ok(())
        }
    }

    // Acts.

    pub(crate) fn did(&self, act: Act) {
        if self.verbose {
            crate::say(&format!("    {}", act.name()));
        }
        self.counts[act as usize].fetch_add(1, SeqCst);
    }

    pub(crate) fn counts(&self) -> [u32; ACTS] {
        std::array::from_fn(|act| self.counts[act].load(SeqCst))
    }

    /// Does `act` once more here, if that is not too much already.
    pub(crate) fn further(&self, act: impl FnOnce()) {
        let spent = self
            .budget
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if spent.is_err() || DEPTH.get() >= DEEPEST {
            return;
        }
        DEPTH.set(DEPTH.get() + 1);
        act();
        DEPTH.set(DEPTH.get() - 1);
    }

    /// How many acts of mischief there are in this place.
    pub(crate) fn opportunities(&self) -> u32 {
        if self.chance(self.temper.mischief, 16) {
            1 + self.below(3)
        } else {
            0
        }
    }

    /// Whether data is answered with data at once, however deep that leads.
    pub(crate) fn pong(&self) -> bool {
        let left = self
            .pongs
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            self.did(Act::Pong);
        }
        left.is_ok()
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.budget.load(SeqCst) == 0
    }

    // Findings.

    pub(crate) fn found(&self, finding: impl Into<String>) {
        let mut findings = look(&self.findings);
        if findings.len() < 20 {
            findings.push(finding.into());
        }
    }

    /// Something has failed with this status, which must be a failure's.
    pub(crate) fn failure(&self, what: &str, status: Status) {
        let own = status == Status::NOT_ACCEPTED && self.not_accepted.load(SeqCst);
        if status.raw() >= 0 && !own {
            self.found(format!("{what} fails with {status}, which is no failure"));
        }
    }

    /// NDIS itself answers with NOT_ACCEPTED in this run.
    pub(crate) fn ndis_does_not_accept(&self) {
        self.not_accepted.store(true, SeqCst);
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        look(&self.findings).clone()
    }

    pub(crate) fn number(&self) -> u32 {
        self.numbers.fetch_add(1, SeqCst)
    }

    /// A request is made, or answered.
    pub(crate) fn asked(&self, made: bool) {
        self.requests.fetch_add(if made { 1 } else { -1 }, SeqCst);
    }

    /// The miniport is a call manager: whatever stands alone above it joins VCs to the miniport's.
    pub(crate) fn join(&self) {
        self.joins.store(true, SeqCst);
    }

    pub(crate) fn joins(&self) -> bool {
        self.joins.load(SeqCst)
    }

    // Frames under way.

    pub(crate) fn frame_out(&self, key: Key) {
        look(&self.ledger).frames.insert(key, None);
    }

    /// A frame is completed with this status.
    pub(crate) fn frame_fate(&self, key: Key, status: Status) {
        if let Some(fate) = look(&self.ledger).frames.get_mut(&key) {
            *fate = Some(status);
        }
    }

    pub(crate) fn clone_out(&self, key: Key) {
        *look(&self.ledger).clones.entry(key).or_insert(0) += 1;
    }

    /// A clone of a frame is home; false when none was out.
    pub(crate) fn clone_home(&self, key: Key) -> bool {
        let mut ledger = look(&self.ledger);
        let Some(out) = ledger.clones.get_mut(&key) else {
            return false;
        };
        *out -= 1;
        if *out == 0 {
            ledger.clones.remove(&key);
        }
        true
    }

    pub(crate) fn relayed(&self, keys: &[Key]) {
        look(&self.ledger).relayed.extend(keys);
    }

    pub(crate) fn is_relayed(&self, key: Key) -> bool {
        look(&self.ledger).relayed.contains(&key)
    }

    /// A frame is home: what it was completed with, None for one that was not
    /// out.
    pub(crate) fn frame_home(&self, key: Key) -> Option<Option<Status>> {
        look(&self.ledger).frames.remove(&key)
    }

    // Threads and time.

    pub(crate) fn set_spawner(&self, spawner: Option<Spawner>) {
        *look(&self.spawner) = spawner;
    }

    /// Starts a thread.
    pub(crate) fn spawn(&self, name: &str, body: impl FnOnce(&mut Passive) + Send + 'static) {
        let spawner = look(&self.spawner).clone();
        match spawner {
            Some(spawner) => spawner(name, Box::new(body)),
            None => self.found(format!("a thread \"{name}\" is wanted without a host")),
        }
    }

    /// What goes on as soon as a reset has begun.
    pub(crate) fn set_meanwhile(&self, meanwhile: Option<Meanwhile>) {
        *look(&self.meanwhile) = meanwhile;
    }

    pub(crate) fn go_on_meanwhile(&self) {
        let meanwhile = look(&self.meanwhile).take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
    }

    /// Waits a little, perhaps.
    pub(crate) fn linger(&self, irql: &mut Passive) {
        if self.chance(self.temper.wait, 16) {
            self.wait(irql);
        }
    }

    /// Waits a few milliseconds.
    pub(crate) fn wait(&self, irql: &mut Passive) {
        self.did(Act::Wait);
        // Without memory for an event there is no wait.
        if let Ok(event) = Event::try_new(TAG) {
            event.wait_for(1 + self.below(4), irql);
        }
    }

    /// Waits longer than a second.
    pub(crate) fn wait_long(&self, irql: &mut Passive) {
        if let Ok(event) = Event::try_new(TAG) {
            event.wait_for(1_200, irql);
        }
    }

    /// Waits until something is so; false when it is not so for ten seconds, which
    /// is for ever.
    pub(crate) fn wait_until(&self, irql: &mut Passive, so: impl Fn() -> bool) -> bool {
        // Without memory for an event there is no wait, and no answer.
        let Ok(event) = Event::try_new(TAG) else {
            return true;
        };
        (0..1_000).any(|_| so() || event.wait_for(10, irql)) || so()
    }

    /// A driver was told whether a program gets its answer.
    pub(crate) fn promise(&self, told: bool) {
        self.promised.fetch_add(i64::from(told), SeqCst);
    }

    /// A program has got an answer that was pended.
    pub(crate) fn kept_promise(&self) {
        self.promised.fetch_sub(1, SeqCst);
    }

    /// What is left over at the end of a run.
    pub(crate) fn settle(&self) {
        let (frames, contexts) = {
            let ledger = look(&self.ledger);
            let out = ledger.frames.keys().chain(ledger.clones.keys());
            let frames: Vec<_> = out.copied().take(5).collect();
            let contexts: Vec<_> = ledger.contexts.keys().copied().take(5).collect();
            (frames, contexts)
        };
        let requests = self.requests.load(SeqCst);
        if requests != 0 {
            self.found(format!("of the requests {requests} were never answered"));
        }
        let promised = self.promised.load(SeqCst);
        if promised != 0 {
            self.found(format!(
                "of the answers to programs {promised} were promised and did not come"
            ));
        }
        if !frames.is_empty() {
            self.found(format!("frames never came home: {frames:?}"));
        }
        if !contexts.is_empty() {
            self.found(format!("contexts never dropped: {contexts:?}"));
        }
    }
}

/// A driver of several roles, of which each does now and then what another one can.
pub(crate) trait Whole: Send + Sync {
    fn act(&self, irql: &mut UpToDispatch);
    /// Drops something that is kept, whatever it is.
    fn drop_any(&self);
    /// A call of one of its roles is over, on the VC of this context's number: if that is joined,
    /// ends the other one.
    fn call_over(&self, number: u32, irql: &mut UpToDispatch);
    /// A call of its client's is closed, on the VC of this number: if that is joined, the other one
    /// has heard of the end.
    fn call_closed(&self, number: u32, irql: &mut UpToDispatch);
    /// The call manager's VC of this number is deleted.
    fn vc_deleted(&self, number: u32);
}

/// One loading of a driver, from its entry to the end of its unload.
pub(crate) struct Life {
    pub(crate) name: String,
    /// Its `Load` has failed.
    pub(crate) refused: AtomicBool,
    /// Its unload has returned: its code is gone.
    pub(crate) unloaded: AtomicBool,
    /// What destructors and handlers count under.
    statistics: SpinLock<u32>,
    /// A lock that is held while other things are dropped.
    outer: SpinLock<u32>,
    /// What it is in all, when that is more than one role.
    whole: OnceLock<Weak<dyn Whole>>,
}

impl Life {
    pub(crate) fn new(name: String) -> Arc<Self> {
        Arc::new(Self {
            name,
            refused: AtomicBool::new(false),
            unloaded: AtomicBool::new(false),
            statistics: SpinLock::new(0),
            outer: SpinLock::new(0),
            whole: OnceLock::new(),
        })
    }

    /// The driver has several roles.
    pub(crate) fn set_whole(&self, whole: Weak<dyn Whole>) {
        if self.whole.set(whole).is_err() {
            unreachable!("a driver is loaded once");
        }
    }

    /// What the driver is in all, when that is more than one role.
    pub(crate) fn whole(&self) -> Option<Arc<dyn Whole>> {
        self.whole.get()?.upgrade()
    }

    /// The driver loads, or fails to.
    pub(crate) fn may_load(&self, world: &World) -> Result<(), Status> {
        let result = world.may_fail(Act::LoadErr);
        self.refused.store(result.is_err(), SeqCst);
        result
    }

    /// Counts something under a lock, without a proof of the level.
    pub(crate) fn count(&self) {
        self.statistics.set(self.statistics.get().wrapping_add(1));
    }

    /// Drops something while a lock is held.
    pub(crate) fn drop_under_lock<T>(&self, value: T, irql: &mut UpToDispatch) {
        self.outer.with(irql, |count, _| {
            *count = count.wrapping_add(1);
            drop(value);
        });
    }
}

/// A parent that a context keeps a reference to, whatever it is.
pub(crate) type Reference = Box<dyn Send + Sync>;

/// What a driver keeps for an object: it knows when it is dropped, and whether
/// that may be.
pub(crate) struct Context {
    pub(crate) number: u32,
    kind: &'static str,
    /// The adapter or binding that it is for; it may be the context of that itself.
    place: u32,
    is_place: bool,
    world: Arc<World>,
    life: Arc<Life>,
    /// Dropped after the context's own destructor has run.
    _parent: Option<Reference>,
}

impl Context {
    pub(crate) fn new(
        world: &Arc<World>,
        life: &Arc<Life>,
        kind: &'static str,
        place: u32,
        parent: Option<Reference>,
    ) -> Self {
        let number = world.number();
        look(&world.ledger).contexts.insert(number, (kind, place));
        Self {
            number,
            kind,
            place,
            is_place: false,
            world: world.clone(),
            life: life.clone(),
            _parent: parent,
        }
    }

    /// That of an adapter or a binding, to which other ones belong.
    pub(crate) fn of_place(
        world: &Arc<World>,
        life: &Arc<Life>,
        kind: &'static str,
        place: u32,
    ) -> Self {
        let mut context = Self::new(world, life, kind, place, None);
        context.is_place = true;
        context
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    fn check(&self, when: &str) {
        if self.life.unloaded.load(SeqCst) {
            self.world.found(format!(
                "the {} context {} is dropped ({when}) after the unload of {} has returned",
                self.kind, self.number, self.life.name
            ));
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.check("begin");
        let (was, left) = {
            let contexts = &mut look(&self.world.ledger).contexts;
            let was = contexts.remove(&self.number).is_some();
            let mut contexts = contexts.iter().filter(|_| self.is_place);
            let left = contexts.find(|(_, of)| of.1 == self.place);
            (was, left.map(|(number, of)| (*number, of.0)))
        };
        if !was {
            self.world.found(format!(
                "the {} context {} is dropped twice",
                self.kind, self.number
            ));
        }
        if let Some((left, what)) = left {
            self.world.found(format!(
                "the {} context {} is dropped before the {what} context {left}, which belongs to it",
                self.kind, self.number
            ));
        }
        if self
            .world
            .dares(Act::DestructorLocks, self.world.temper.destructors, 16)
        {
            for _ in 0..3 {
                self.life.count();
            }
            self.check("end");
        }
        if let Some(whole) = self.life.whole()
            && self.world.dares(Act::DestructorDrops, 1, 8)
        {
            whole.drop_any();
            self.check("end");
        }
    }
}
