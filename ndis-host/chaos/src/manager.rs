//! The random call manager, whatever it stands on: what it keeps, and the acts for which there is no
//! occasion but that they are possible. What NDIS asks of it is in [`crate::handlers`].
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents::{self, Desk, Slot},
    driver::{Driver, Part},
    frame::End,
    lent,
    stash::{self, Stash},
    world::{Context, Job, Life, Reference, World},
};
use ndis_co::{
    Status,
    address::SapAddress,
    cm::{AcceptedCall, Active, Af, Base, CreatedVc, Inactive, PendingMakeCall, Sap, Vc, WeakVc},
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    params::{CallParametersBuf, Specific},
    scope::Scope,
    timer::Timer,
    work::WorkItem,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};

/// What is advertised.
pub(crate) const FAMILIES: [AddressFamily; 2] = [
    AddressFamily::new(Family::L2TP, 1, 0),
    AddressFamily::new(Family::PPP, 2, 1),
];

/// What is advertised in the place of NDPROXY.
pub(crate) const ABOVE: [AddressFamily; 2] = [
    AddressFamily::new(Family::TAPI, 1, 0),
    AddressFamily::new(Family::TAPI_PROXY, 1, 0),
];

/// The type of the media's specific parameters that name a channel.
pub(crate) const CHANNEL: u32 = 0xC4A7;

/// What a random call manager stands on, and what it does there beside calls.
pub(crate) trait Kind: Part {
    type Base: Base<Driver<Self>> + fmt::Debug;
    /// What is kept beside calls.
    type Own: Send + Sync + 'static;
    /// Whether it stands alone, above a miniport that may be a call manager itself.
    const ALONE: bool;
    /// All acts of mischief, by weight; the last one is to look about.
    const ACTS: &[(u32, Act)];
    /// The ways to accept a call at once, and later.
    const ACCEPTS: [&[(u32, Act)]; 2];

    /// The call manager's share of what the driver's threads reach.
    fn manager(shared: &Arc<Self::Shared>) -> &Arc<Exchange<Self>>;
    fn own(world: &Arc<World>, vcs: &Arc<Stash<Vc<Driver<Self>>>>) -> Self::Own;
    fn desk(base: &Self::Base) -> &Desk;
    fn scope(base: &Self::Base) -> &Scope;
    /// An act that is not one of every call manager's.
    fn act(x: &Arc<Exchange<Self>>, act: Act, irql: &mut UpToDispatch);
    /// What a thread does that may wait.
    fn hold_on(x: &Arc<Exchange<Self>>, base: &Self::Base, irql: &mut Passive);
    /// The host's handle of a VC, of a miniport; zero of others.
    fn handle(vc: &Vc<Driver<Self>>) -> usize;
    /// Lets go of what may still be of use to what is let go of next.
    fn let_go_first(x: &Arc<Exchange<Self>>, place: u32, irql: &mut UpToDispatch);
    fn let_go_then(x: &Arc<Exchange<Self>>, place: u32);
    /// A call may be joined to another one: it came up, was refused, or is closed.
    fn is_up(x: &Arc<Exchange<Self>>, vc: &Vc<Driver<Self>>, irql: &mut UpToDispatch);
    fn is_refused(x: &Arc<Exchange<Self>>, vc: &Vc<Driver<Self>>, irql: &mut UpToDispatch);
    fn is_closed(x: &Arc<Exchange<Self>>, vc: &Vc<Driver<Self>>, irql: &mut UpToDispatch);
    /// A call that was placed is to be joined to one to a SAP.
    fn join(x: &Arc<Exchange<Self>>, token: PendingMakeCall<Driver<Self>>, irql: &mut UpToDispatch);
}

/// What the driver's threads reach of it.
pub(crate) struct Exchange<K: Kind> {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
    pub(crate) vcs: Arc<Stash<Vc<Driver<K>>>>,
    weak: Stash<WeakVc<Driver<K>>>,
    pub(crate) saps: Stash<Sap<Driver<K>>>,
    pub(crate) afs: Stash<Af<Driver<K>>>,
    pub(crate) bases: Stash<K::Base>,
    inactive: Stash<CreatedVc<'static, Driver<K>, Inactive>>,
    active: Stash<CreatedVc<'static, Driver<K>, Active>>,
    pub(crate) accepted: Stash<AcceptedCall<Driver<K>>>,
    timers: Stash<Timer<Slot>>,
    items: Stash<WorkItem<Slot>>,
    jobs: Arc<Stash<Job>>,
    pub(crate) own: K::Own,
}

/// What is kept for a VC.
pub(crate) struct Line {
    pub(crate) place: u32,
    pub(crate) end: End,
    pub(crate) context: Context,
    /// The end of the call was announced.
    pub(crate) announced: AtomicBool,
    pub(crate) deleted: AtomicBool,
    /// It was announced by `dispatch_incoming_close`, of which one succeeds.
    hung_up: AtomicBool,
    pub(crate) refusals: AtomicU32,
    /// The channel that the miniport is told of; zero for none.
    pub(crate) channel: AtomicU32,
    /// Where the token of the caller is kept that this call is rung for; zero for none.
    pub(crate) caller: AtomicU32,
    /// The context's number of the call at the other end of the channel; zero for none.
    pub(crate) far: AtomicU32,
}

impl Line {
    /// `dispatch_incoming_close` says that the end of the call is announced.
    fn announce(&self) {
        self.announced.store(true, SeqCst);
        if self.hung_up.swap(true, SeqCst) {
            self.context.world().found(format!(
                "CALL-61: the end of the call on VC context {} is announced a second time",
                self.context.number
            ));
        }
    }
}

/// What the miniport is told of a VC that has a channel.
pub(crate) fn on_channel(channel: u32) -> Result<CallParametersBuf, Status> {
    let channel = Specific {
        param_type: CHANNEL,
        bytes: &channel.to_le_bytes(),
    };
    CallParametersBuf::builder().media_specific(channel).build()
}

crate::driver::shared!(Exchange<K>, of K: Kind);

impl<K: Kind> Exchange<K> {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Arc<Self> {
        let vcs = Arc::new(Stash::new());
        Arc::new(Self {
            world: world.clone(),
            life: life.clone(),
            own: K::own(world, &vcs),
            vcs,
            weak: Stash::new(),
            saps: Stash::new(),
            afs: Stash::new(),
            bases: Stash::new(),
            inactive: Stash::new(),
            active: Stash::new(),
            accepted: Stash::new(),
            timers: Stash::new(),
            items: Stash::new(),
            jobs: Arc::new(Stash::new()),
        })
    }

    pub(crate) fn context(
        &self,
        kind: &'static str,
        place: u32,
        parent: Option<Reference>,
    ) -> Context {
        Context::new(&self.world, &self.life, kind, place, parent)
    }

    pub(crate) fn line(self: &Arc<Self>, place: u32, parent: impl FnOnce() -> Reference) -> Line {
        let world = &self.world;
        let parent = world.dares(Act::StoreParent, 1, 3).then(parent);
        let context = self.context("manager's VC", place, parent);
        Line {
            place,
            end: End::new(context.number),
            context,
            announced: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            refusals: AtomicU32::new(0),
            channel: AtomicU32::new(0),
            caller: AtomicU32::new(0),
            far: AtomicU32::new(0),
        }
    }

    /// Lets go of everything that is kept for an adapter or a binding.
    pub(crate) fn let_go(self: &Arc<Self>, place: u32, irql: &mut UpToDispatch) {
        drop(self.vcs.close(place));
        drop(self.weak.close(place));
        drop(self.inactive.close(place));
        drop(self.active.close(place));
        drop(self.accepted.close(place));
        drop(self.saps.close(place));
        K::let_go_first(self, place, irql);
        for job in self.jobs.close(place) {
            if self.world.chance(1, 2) {
                job(irql);
            }
        }
        K::let_go_then(self, place);
        drop(self.timers.close(place));
        drop(self.items.close(place));
        drop(self.afs.close(place));
        drop(self.bases.close(place));
    }

    pub(crate) fn later(
        self: &Arc<Self>,
        base: &K::Base,
        irql: &mut UpToDispatch,
        job: impl FnOnce(&mut UpToDispatch) + Send + 'static,
    ) {
        let desk = K::desk(base);
        desk.agents
            .later(&self.world, &self.jobs, desk.place, irql, Box::new(job));
    }

    pub(crate) fn keep_vc(&self, vc: &Vc<Driver<K>>) {
        if self.world.chance(3, 4) {
            self.world.did(Act::StashVc);
            let _ = self.vcs.put(vc.place, vc.clone());
        }
    }

    /// Keeps what another handler, or in the end a thread, does away with.
    pub(crate) fn hold<T: Send + 'static>(
        self: &Arc<Self>,
        stash: impl Fn(&Self) -> &Stash<T> + Send + 'static,
        place: u32,
        thing: T,
        irql: &mut UpToDispatch,
        done: impl FnOnce(&Arc<Self>, T, &mut UpToDispatch) + Send + 'static,
    ) -> Option<u32> {
        agents::hold(self, &self.world, stash, place, thing, irql, done)
    }

    /// Resources that are kept outside the adapter's context.
    pub(crate) fn store_resources(self: &Arc<Self>, place: u32, scope: &Scope) {
        if !self.world.dares(Act::InitResourcesStored, 1, 4) {
            return;
        }
        let exchange = self.clone();
        if let Ok(timer) = Timer::try_new(scope)
            && let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql)))
        {
            timer.set(&slot, 1);
            let _ = self.timers.put(place, timer);
        }
        if let Ok(item) = WorkItem::try_new(scope) {
            let _ = self.items.put(place, item);
        }
    }

    /// The device loses its power: no timer of its adapter stays set.
    pub(crate) fn sleep(self: &Arc<Self>, base: &K::Base, irql: &mut UpToDispatch) {
        let (world, Desk { place, agents }) = (&self.world, K::desk(base));
        world.power.sleep(*place, irql, || {
            agents.sleep(world, &self.jobs, *place);
            for timer in self.timers.take_all_of(*place) {
                timer.cancel();
                let _ = self.timers.put(*place, timer);
            }
        });
    }

    /// It has power again: the timers are set again.
    pub(crate) fn wake(self: &Arc<Self>, base: &K::Base, irql: &mut UpToDispatch) {
        let (world, Desk { place, agents }) = (&self.world, K::desk(base));
        world.power.wake(*place, irql, || {
            agents.wake(world, &self.jobs);
            for timer in self.timers.take_all_of(*place) {
                let exchange = self.clone();
                if let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql))) {
                    timer.set(&slot, world.below(3));
                }
                let _ = self.timers.put(*place, timer);
            }
        });
    }

    /// Whether all its VCs are joined to the miniport's.
    pub(crate) fn only_joins(&self) -> bool {
        K::ALONE && self.world.joins()
    }

    // Mischief: acts for which there is no occasion but that they are possible.

    /// Does what comes to mind, in a handler or a thread.
    pub(crate) fn mischief(self: &Arc<Self>, irql: &mut UpToDispatch) {
        for _ in 0..self.world.opportunities() {
            self.act(irql);
        }
    }

    pub(crate) fn act(self: &Arc<Self>, irql: &mut UpToDispatch) {
        match self.life.whole() {
            Some(whole) => whole.act(irql),
            None => self.act_alone(irql),
        }
    }

    /// Does something as a call manager, whatever the driver is besides.
    pub(crate) fn act_alone(self: &Arc<Self>, irql: &mut UpToDispatch) {
        self.world.further(|| self.act_now(irql));
    }

    fn act_now(self: &Arc<Self>, irql: &mut UpToDispatch) {
        let world = &self.world;
        match world.choose(K::ACTS) {
            Act::ManagerHangUp => {
                if let Some(vc) = self.vcs.any(world) {
                    self.hang_up(&vc, irql);
                }
            }
            Act::AskClient => self.ask(irql),
            Act::RingCreate => {
                if let Some(sap) = self.saps.any(world).filter(|_| !self.only_joins()) {
                    self.ring(&sap, irql);
                }
            }
            Act::RingActivate => {
                if let Some((_, vc)) = self.inactive.take_any(world) {
                    self.go_on_inactive(vc, irql);
                }
            }
            Act::RingDispatch => {
                if let Some((_, vc)) = self.active.take_any(world) {
                    self.go_on_active(vc, irql);
                }
            }
            Act::RingConnect => {
                if let Some((_, call)) = self.accepted.take_any(world) {
                    self.settle(call, irql);
                }
            }
            Act::LaterHandler => {
                if let Some((_, job)) = self.jobs.take_any(world) {
                    job(irql);
                }
            }
            Act::DropVc => self.drop_one(&self.vcs, Act::DropVc, irql),
            Act::DropSap => self.drop_one(&self.saps, Act::DropSap, irql),
            Act::DropAf => self.drop_one(&self.afs, Act::DropAf, irql),
            Act::DropAdapter => self.drop_one(&self.bases, Act::DropAdapter, irql),
            Act::StashVc => self.store_references(),
            Act::TimerDrop => self.drop_timer(irql),
            Act::WorkDrop => self.drop_one(&self.items, Act::WorkDrop, irql),
            act @ (Act::TimerNew | Act::TimerSet | Act::TimerCancel) => self.timer(act, irql),
            act @ (Act::WorkNew | Act::WorkQueue) => self.work(act),
            Act::Look => self.look_about(),
            act => K::act(self, act, irql),
        }
    }

    pub(crate) fn drop_one<T>(&self, stash: &Stash<T>, act: Act, irql: &mut UpToDispatch) {
        if let Some((_, thing)) = stash.take_any(&self.world) {
            self.drop_thing(thing, act, irql);
        }
    }

    fn drop_timer(&self, irql: &mut UpToDispatch) {
        let power = &self.world.power;
        let taken = power.still(irql, || {
            let (_, timer) = self.timers.take_any(&self.world)?;
            if power.changes() {
                // Nobody who loses power would find it.
                timer.cancel();
            }
            Some(timer)
        });
        if let Some(timer) = taken {
            self.drop_thing(timer, Act::TimerDrop, irql);
        }
    }

    fn drop_thing<T>(&self, thing: T, act: Act, irql: &mut UpToDispatch) {
        self.world.did(act);
        if self.world.dares(Act::DropUnderLock, 1, 3) {
            self.life.drop_under_lock(thing, irql);
        } else {
            drop(thing);
        }
    }

    /// Follows references to their parents, and keeps those.
    fn store_references(&self) {
        let world = &self.world;
        let Some(vc) = self.vcs.any(world) else {
            return;
        };
        let (place, af) = (vc.place, vc.af());
        if let Some(sap) = vc.sap() {
            world.did(Act::StashSap);
            let _ = self.saps.put(place, sap);
        }
        world.did(Act::StashAdapter);
        let _ = self.bases.put(place, af.base().clone());
        world.did(Act::StashAf);
        let _ = self.afs.put(place, af);
    }

    fn timer(self: &Arc<Self>, act: Act, irql: &mut UpToDispatch) {
        let world = &self.world;
        let Some(base) = self.bases.any(world) else {
            return;
        };
        world.did(act);
        let Desk { place, agents } = K::desk(&base);
        if act == Act::TimerCancel {
            agents.timer().cancel();
            return;
        }
        let exchange = self.clone();
        let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql))) else {
            return;
        };
        if act == Act::TimerSet {
            agents.set_timer(world, *place, &slot, 3, irql);
        } else if let Ok(timer) = Timer::try_new(K::scope(&base)) {
            world.power.awake(*place, irql, || {
                timer.set(&slot, world.below(world.power.delay(3)));
                self.timers.put(*place, timer)
            });
        }
    }

    fn work(self: &Arc<Self>, act: Act) {
        let world = &self.world;
        let Some(base) = self.bases.any(world) else {
            return;
        };
        world.did(act);
        let Desk { place, agents } = K::desk(&base);
        let exchange = self.clone();
        let slot = if world.chance(1, 4) {
            let own = base.clone();
            Slot::waiting(Box::new(move |irql| K::hold_on(&exchange, &own, irql)))
        } else {
            Slot::try_new(Box::new(move |irql| exchange.act(irql)))
        };
        let Ok(slot) = slot else { return };
        if act == Act::WorkQueue {
            agents.item().queue(&slot);
        } else if let Ok(item) = WorkItem::try_new(K::scope(&base)) {
            item.queue(&slot);
            let _ = self.items.put(*place, item);
        }
    }

    fn look_about(&self) {
        let world = &self.world;
        world.did(Act::Look);
        if let Some(vc) = self.vcs.any(world) {
            let _ = format!("{vc:?} {:?} {:?}", vc.af(), vc.base());
            if !vc.is(&vc.clone()) {
                world.found("a VC is not itself");
            }
            let (place, weak) = (vc.place, vc.downgrade());
            let found = stash::weakly(world, &self.weak, (place, vc), weak, |vc| vc.place);
            if let Some(vc) = found {
                let _ = self.vcs.put(vc.place, vc);
            }
        }
        if let Some(sap) = self.saps.any(world) {
            address(world, "a SAP that is kept", sap.address());
        }
    }

    /// Keeps references on this thread's stack for a while.
    pub(crate) fn hold_on(self: &Arc<Self>, irql: &mut Passive) {
        let world = &self.world;
        world.did(Act::Hold);
        let held = (
            self.vcs.any(world),
            self.saps.any(world),
            self.afs.any(world),
            self.bases.any(world),
        );
        if world.chance(1, 2) {
            self.ask_and_wait(irql);
        }
        world.wait(irql);
        if let Some(base) = &held.3 {
            K::hold_on(self, base, irql);
        }
        drop(held);
    }

    /// The host's handle of some VC; zero for none.
    pub(crate) fn vc_handle(&self) -> usize {
        self.vcs.any(&self.world).map_or(0, |vc| K::handle(&vc))
    }

    /// Drops a VC and waits until it is deleted.
    pub(crate) fn wait_for_end(self: &Arc<Self>, irql: &mut Passive) {
        let world = &self.world;
        let Some(sap) = self.saps.any(world).filter(|_| !self.only_joins()) else {
            return;
        };
        if !world.dares(Act::WaitForEnd, 1, 4) {
            return;
        }
        let line = self.line(K::desk(sap.base()).place, || Box::new(sap.clone()));
        let Ok(created) = sap.create_vc(line, irql) else {
            return;
        };
        let vc = Vc::clone(&created);
        drop(created);
        if !world.wait_until(irql, || vc.deleted.load(SeqCst)) {
            world.found("the manager's dropped VC is not deleted while its dropper waits for that");
        }
    }

    // The acts in full.

    pub(crate) fn hang_up(&self, vc: &Vc<Driver<K>>, irql: &mut UpToDispatch) {
        let world = &self.world;
        let (status, data) = (world.status(), self.data());
        world.did(if data.is_empty() {
            Act::ManagerHangUp
        } else {
            Act::ManagerHangUpData
        });
        if vc.dispatch_incoming_close(status, &data, irql).is_ok() {
            vc.announce();
        }
    }

    fn data(&self) -> Vec<u8> {
        let len = self.world.among(&[0, 0, 1, 9, 33]);
        (0..len).map(|_| self.world.draw() as u8).collect()
    }

    /// Brings a call to a SAP, as far as chance decides.
    fn ring(self: &Arc<Self>, sap: &Sap<Driver<K>>, irql: &mut UpToDispatch) {
        let line = self.line(K::desk(sap.base()).place, || Box::new(sap.clone()));
        self.ring_on(line, sap, irql);
    }

    /// Brings a call to a SAP on a VC that is made for it.
    pub(crate) fn ring_on(
        self: &Arc<Self>,
        line: Line,
        sap: &Sap<Driver<K>>,
        irql: &mut UpToDispatch,
    ) {
        let world = &self.world;
        world.did(Act::RingCreate);
        match sap.create_vc(line, irql) {
            Ok(vc) => {
                // Rather on than away: calls that get through reach the most.
                if world.chance(3, 4) {
                    self.activate(vc, irql);
                } else {
                    self.go_on_inactive(vc.keep(), irql);
                }
            }
            Err(status) => self.world.failure("create_vc", status),
        }
    }

    pub(crate) fn go_on_inactive(
        self: &Arc<Self>,
        vc: CreatedVc<'static, Driver<K>, Inactive>,
        irql: &mut UpToDispatch,
    ) {
        match self.world.decide(&[
            (4, Act::RingActivate),
            (1, Act::RingDropInactive),
            (2, Act::RingStashInactive),
            (1, Act::RingDeleteInactive),
        ]) {
            Act::RingDropInactive => drop(vc),
            Act::RingDeleteInactive => vc.delete(irql),
            Act::RingStashInactive => {
                let place = vc.place;
                self.hold(
                    |x| &x.inactive,
                    place,
                    vc,
                    irql,
                    |x, vc, irql| {
                        x.activate(vc, irql);
                    },
                );
            }
            _ => self.activate(vc, irql),
        }
    }

    /// What a VC is activated with.
    fn link(&self, vc: &Vc<Driver<K>>) -> Result<CallParametersBuf, Status> {
        match vc.channel.load(SeqCst) {
            0 => lent::parameters(&self.world),
            channel => on_channel(channel),
        }
    }

    fn activate(self: &Arc<Self>, vc: CreatedVc<'_, Driver<K>, Inactive>, irql: &mut UpToDispatch) {
        self.world.did(Act::RingActivate);
        let Ok(parameters) = self.link(&vc) else {
            return;
        };
        match vc.activate(parameters, irql) {
            Ok(vc) => self.go_on_active(vc.keep(), irql),
            Err(failed) => {
                self.world.failure("activate", failed.status);
                let vc = failed.vc.keep();
                // Once more, or not.
                if self.world.chance(1, 2)
                    && let Ok(parameters) = self.link(&vc)
                    && let Ok(vc) = vc.activate(parameters, irql)
                {
                    self.go_on_active(vc, irql);
                }
            }
        }
    }

    fn go_on_active(
        self: &Arc<Self>,
        vc: CreatedVc<'static, Driver<K>, Active>,
        irql: &mut UpToDispatch,
    ) {
        match self.world.decide(&[
            (8, Act::RingDispatch),
            (1, Act::RingDropActive),
            (2, Act::RingStashActive),
            (1, Act::RingDeleteActive),
        ]) {
            Act::RingDropActive => drop(vc),
            Act::RingDeleteActive => vc.delete(irql),
            Act::RingStashActive => {
                let place = vc.place;
                self.hold(|x| &x.active, place, vc, irql, |_, vc, _| drop(vc));
            }
            _ if self.world.chance(1, 4) => {
                let vc = vc.dispatch_incoming_call_as_activated(irql);
                self.keep_vc(&vc);
            }
            _ => {
                if let Ok(parameters) = lent::parameters(&self.world) {
                    let vc = vc.dispatch_incoming_call(parameters, irql);
                    self.keep_vc(&vc);
                }
            }
        }
    }

    /// An accepted call is connected or taken back.
    pub(crate) fn settle(self: &Arc<Self>, call: AcceptedCall<Driver<K>>, irql: &mut UpToDispatch) {
        let vc = call.vc().clone();
        match self.world.decide(&[
            (8, Act::RingConnect),
            (1, Act::RingClose),
            (1, Act::RingDropAccepted),
        ]) {
            Act::RingClose => {
                call.close(self.world.status(), irql);
                vc.announced.store(true, SeqCst);
            }
            Act::RingDropAccepted => {
                drop(call);
                vc.announced.store(true, SeqCst);
            }
            _ => {
                if call.connect(irql) {
                    self.keep_vc(&vc);
                    K::is_up(self, &vc, irql);
                }
            }
        }
    }
}

/// An address reads as it was registered.
pub(crate) fn address(world: &World, place: &str, address: SapAddress<'_>) {
    let bytes = address.bytes();
    let good = address.sap_type() == bytes.len() as u32 && bytes.iter().all(|b| *b == 0x5A);
    if !good {
        world.found(format!("{place}: the address reads {address:?}"));
    }
}
