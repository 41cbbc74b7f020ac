//! The random driver as a miniport call manager: every handler does one of the things
//! that it may do, and then looks again at what it was lent.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents::{Agents, Slot},
    frame::{self, End},
    lent::{self, Seen},
    loading,
    stash::Stash,
    world::{Context, Job, Life, Reference, TAG, World},
};
use ndis_co::{
    address::SapAddress,
    family::{AddressFamily, Family},
    irql::{NoLock, Passive, UpToDispatch},
    nbl::{NetBufferListPool, NetBufferLists, Parent},
    owner::Owner,
    params::CallParameters,
    timer::Timer,
    work::WorkItem,
};
use ndis_mcm::{
    AcceptedCall, Active, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseAf, CloseCall,
    CreatedVc, DeregisterSap, Inactive, Initialize, Initialized, Load, MakeCall, Mcm, Miniport,
    New, OpenAf, RegisterSap, Sap, SendLists, ServiceKey, Status, Vc,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

/// What is advertised.
pub(crate) const FAMILIES: [AddressFamily; 2] = [
    AddressFamily::new(Family::L2TP, 1, 0),
    AddressFamily::new(Family::PPP, 2, 1),
];

/// How often one call's close is refused: a client tries a thousand times.
const REFUSALS: u32 = 2;

/// The driver's value.
pub(crate) struct Manager {
    shared: Arc<Exchange>,
    _context: Context,
}

/// What the driver's threads reach of it.
pub(crate) struct Exchange {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
    vcs: Stash<Vc<Manager>>,
    saps: Stash<Sap<Manager>>,
    afs: Stash<Af<Manager>>,
    adapters: Stash<Adapter<Manager>>,
    inactive: Stash<CreatedVc<'static, Manager, Inactive>>,
    active: Stash<CreatedVc<'static, Manager, Active>>,
    accepted: Stash<AcceptedCall<Manager>>,
    sends: Stash<SendLists<Manager>>,
    returned: Stash<NetBufferLists>,
    parents: Stash<Parent<SendLists<Manager>>>,
    timers: Stash<Timer<Slot>>,
    items: Stash<WorkItem<Slot>>,
    jobs: Arc<Stash<Job>>,
}

/// What is kept for an adapter.
pub(crate) struct Nic {
    place: u32,
    agents: Agents,
    pool: NetBufferListPool,
    _context: Context,
}

/// What is kept for a VC.
pub(crate) struct Line {
    place: u32,
    end: End,
    context: Context,
    /// The end of the call was announced.
    announced: AtomicBool,
    deleted: AtomicBool,
    /// It was announced by `dispatch_incoming_close`, of which one succeeds.
    hung_up: AtomicBool,
    refusals: AtomicU32,
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

impl Exchange {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            life: life.clone(),
            vcs: Stash::new(),
            saps: Stash::new(),
            afs: Stash::new(),
            adapters: Stash::new(),
            inactive: Stash::new(),
            active: Stash::new(),
            accepted: Stash::new(),
            sends: Stash::new(),
            returned: Stash::new(),
            parents: Stash::new(),
            timers: Stash::new(),
            items: Stash::new(),
            jobs: Arc::new(Stash::new()),
        })
    }

    fn context(&self, kind: &'static str, parent: Option<Reference>) -> Context {
        Context::new(&self.world, &self.life, kind, parent)
    }

    fn line(self: &Arc<Self>, place: u32, parent: impl FnOnce() -> Reference) -> Line {
        let world = &self.world;
        let parent = world.dares(Act::StoreParent, 1, 3).then(parent);
        let context = self.context("MCM's VC", parent);
        Line {
            place,
            end: End::new(context.number),
            context,
            announced: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            refusals: AtomicU32::new(0),
        }
    }

    /// Lets go of everything that is kept for an adapter.
    fn let_go(self: &Arc<Self>, place: u32, irql: &mut UpToDispatch) {
        drop(self.vcs.close(place));
        drop(self.inactive.close(place));
        drop(self.active.close(place));
        drop(self.accepted.close(place));
        drop(self.saps.close(place));
        for lists in self.sends.close(place) {
            self.complete(lists, irql);
        }
        for job in self.jobs.close(place) {
            if self.world.chance(1, 2) {
                job(irql);
            }
        }
        drop(self.parents.close(place));
        drop(self.returned.close(place));
        drop(self.timers.close(place));
        drop(self.items.close(place));
        drop(self.afs.close(place));
        drop(self.adapters.close(place));
    }

    fn later(
        self: &Arc<Self>,
        adapter: &Adapter<Manager>,
        irql: &mut UpToDispatch,
        job: impl FnOnce(&mut UpToDispatch) + Send + 'static,
    ) {
        let agents = &adapter.agents;
        agents.later(&self.world, &self.jobs, adapter.place, irql, Box::new(job));
    }

    fn keep_vc(&self, vc: &Vc<Manager>) {
        if self.world.chance(3, 4) {
            self.world.did(Act::StashVc);
            let _ = self.vcs.put(vc.place, vc.clone());
        }
    }

    /// Keeps what another handler, or in the end a thread, does away with.
    fn hold<T: Send + 'static>(
        self: &Arc<Self>,
        stash: impl Fn(&Self) -> &Stash<T> + Send + 'static,
        place: u32,
        thing: T,
        irql: &mut UpToDispatch,
        done: impl FnOnce(&Arc<Self>, T, &mut UpToDispatch) + Send + 'static,
    ) {
        match stash(self).put(place, thing) {
            Ok(number) => {
                let exchange = self.clone();
                self.world.spawn("manager's sweeper", move |irql| {
                    exchange.world.wait(irql);
                    if let Some(thing) = stash(&exchange).take(number) {
                        done(&exchange, thing, irql.up_to_dispatch());
                    }
                });
            }
            Err(thing) => done(self, thing, irql),
        }
    }

    // Mischief: acts for which there is no occasion but that they are possible.

    /// Does what comes to mind, in a handler or a thread.
    pub(crate) fn mischief(self: &Arc<Self>, irql: &mut UpToDispatch) {
        for _ in 0..self.world.opportunities() {
            self.act(irql);
        }
    }

    pub(crate) fn act(self: &Arc<Self>, irql: &mut UpToDispatch) {
        self.world.further(|| self.act_now(irql));
    }

    fn act_now(self: &Arc<Self>, irql: &mut UpToDispatch) {
        let world = &self.world;
        match world.choose(&[
            (4, Act::ManagerHangUp),
            (6, Act::ManagerIndicate),
            (6, Act::RingCreate),
            (3, Act::RingActivate),
            (3, Act::RingDispatch),
            (3, Act::RingConnect),
            (4, Act::SendNow),
            (2, Act::ReturnedAgain),
            (4, Act::LaterHandler),
            (2, Act::DropVc),
            (1, Act::DropSap),
            (1, Act::DropAf),
            (1, Act::DropAdapter),
            (2, Act::StashVc),
            (1, Act::TimerNew),
            (1, Act::TimerSet),
            (1, Act::TimerCancel),
            (1, Act::TimerDrop),
            (1, Act::WorkNew),
            (1, Act::WorkQueue),
            (1, Act::WorkDrop),
            (2, Act::Look),
        ]) {
            Act::ManagerHangUp => {
                if let Some(vc) = self.vcs.any(world) {
                    self.hang_up(&vc, irql);
                }
            }
            Act::ManagerIndicate => {
                if let Some(vc) = self.vcs.any(world) {
                    self.indicate(&vc, irql);
                }
            }
            Act::RingCreate => {
                if let Some(sap) = self.saps.any(world) {
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
            Act::SendNow => {
                if let Some((_, lists)) = self.sends.take_any(world) {
                    self.complete(lists, irql);
                }
            }
            Act::ReturnedAgain => {
                if let Some(vc) = self.vcs.any(world)
                    && let Some(lists) = self.returned.take_of(vc.place)
                {
                    if world.dares(Act::OwnRelay, 1, 3) {
                        let pool = &vc.base().pool;
                        let up = |clones| self.up(&vc, clones, irql);
                        drop(frame::relay(world, lists, pool, up));
                    } else {
                        world.did(Act::ReturnedAgain);
                        vc.end
                            .send_again(world, lists, |lists| self.up(&vc, lists, irql));
                    }
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
            Act::DropAdapter => self.drop_one(&self.adapters, Act::DropAdapter, irql),
            Act::StashVc => self.store_references(),
            Act::TimerDrop => self.drop_one(&self.timers, Act::TimerDrop, irql),
            Act::WorkDrop => self.drop_one(&self.items, Act::WorkDrop, irql),
            act @ (Act::TimerNew | Act::TimerSet | Act::TimerCancel) => self.timer(act),
            act @ (Act::WorkNew | Act::WorkQueue) => self.work(act),
            _ => self.look_about(),
        }
    }

    fn drop_one<T>(&self, stash: &Stash<T>, act: Act, irql: &mut UpToDispatch) {
        let Some((_, thing)) = stash.take_any(&self.world) else {
            return;
        };
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
        let _ = self.adapters.put(place, af.base().clone());
        world.did(Act::StashAf);
        let _ = self.afs.put(place, af);
    }

    fn timer(self: &Arc<Self>, act: Act) {
        let world = &self.world;
        let Some(adapter) = self.adapters.any(world) else {
            return;
        };
        world.did(act);
        if act == Act::TimerCancel {
            adapter.agents.timer().cancel();
            return;
        }
        let exchange = self.clone();
        let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql))) else {
            return;
        };
        if act == Act::TimerSet {
            adapter.agents.timer().set(&slot, world.below(3));
        } else if let Ok(timer) = Timer::try_new(adapter.owner()) {
            timer.set(&slot, world.below(3));
            let _ = self.timers.put(adapter.place, timer);
        }
    }

    fn work(self: &Arc<Self>, act: Act) {
        let world = &self.world;
        let Some(adapter) = self.adapters.any(world) else {
            return;
        };
        world.did(act);
        let exchange = self.clone();
        let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql))) else {
            return;
        };
        if act == Act::WorkQueue {
            adapter.agents.item().queue(&slot);
        } else if let Ok(item) = WorkItem::try_new(adapter.owner()) {
            item.queue(&slot);
            let _ = self.items.put(adapter.place, item);
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
        }
        if let Some(sap) = self.saps.any(world) {
            address(world, "a SAP that is kept", sap.address());
        }
    }

    /// Keeps references on this thread's stack for a while.
    pub(crate) fn hold_on(&self, irql: &mut Passive) {
        let world = &self.world;
        world.did(Act::Hold);
        let held = (
            self.vcs.any(world),
            self.saps.any(world),
            self.afs.any(world),
            self.adapters.any(world),
        );
        world.wait(irql);
        drop(held);
    }

    /// Drops a VC and waits until it is deleted.
    fn wait_for_end(self: &Arc<Self>, irql: &mut Passive) {
        let world = &self.world;
        let Some(sap) = self.saps.any(world) else {
            return;
        };
        if !world.dares(Act::WaitForEnd, 1, 4) {
            return;
        }
        let line = self.line(sap.base().place, || Box::new(sap.clone()));
        let Ok(created) = sap.create_vc(line, irql) else {
            return;
        };
        let vc = Vc::clone(&created);
        drop(created);
        if !world.wait_until(irql, || vc.deleted.load(SeqCst)) {
            world.found("the MCM's dropped VC is not deleted while its dropper waits for that");
        }
    }

    // The acts in full.

    fn hang_up(&self, vc: &Vc<Manager>, irql: &mut UpToDispatch) {
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

    fn indicate(&self, vc: &Vc<Manager>, irql: &mut UpToDispatch) {
        let world = &self.world;
        let adapter = vc.base();
        let count = 1 + world.below(3);
        let sent = vc.end.send(world, &adapter.pool, count, |lists| {
            self.up(vc, lists, irql)
        });
        if sent {
            world.did(Act::ManagerIndicate);
        }
    }

    /// Indicates lists, and checks that this is not possible any more once the end
    /// of the call was announced.
    fn up(
        &self,
        vc: &Vc<Manager>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), NetBufferLists> {
        let announced = vc.announced.load(SeqCst);
        match vc.indicate_receive(lists, irql) {
            Ok(()) if announced && self.world.allows(Act::IndicateAnnounced) => {
                self.world.found(format!(
                    "CALL-63: data is indicated on VC context {} after the end of its call was announced",
                    vc.context.number
                ));
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(refused) => {
                if announced {
                    self.world.did(Act::IndicateAnnounced);
                }
                self.world.failure("indicate_receive", refused.status);
                Err(refused.lists)
            }
        }
    }

    /// Brings a call to a SAP, as far as chance decides.
    fn ring(self: &Arc<Self>, sap: &Sap<Manager>, irql: &mut UpToDispatch) {
        let world = &self.world;
        let place = sap.base().place;
        let line = self.line(place, || Box::new(sap.clone()));
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

    fn go_on_inactive(
        self: &Arc<Self>,
        vc: CreatedVc<'static, Manager, Inactive>,
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

    fn activate(self: &Arc<Self>, vc: CreatedVc<'_, Manager, Inactive>, irql: &mut UpToDispatch) {
        self.world.did(Act::RingActivate);
        let Ok(parameters) = lent::parameters(&self.world) else {
            return;
        };
        match vc.activate(parameters, irql) {
            Ok(vc) => self.go_on_active(vc.keep(), irql),
            Err(failed) => {
                self.world.failure("activate", failed.status);
                let vc = failed.vc.keep();
                // Once more, or not.
                if self.world.chance(1, 2)
                    && let Ok(parameters) = lent::parameters(&self.world)
                    && let Ok(vc) = vc.activate(parameters, irql)
                {
                    self.go_on_active(vc, irql);
                }
            }
        }
    }

    fn go_on_active(
        self: &Arc<Self>,
        vc: CreatedVc<'static, Manager, Active>,
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
            _ => {
                if let Ok(parameters) = lent::parameters(&self.world) {
                    let vc = vc.dispatch_incoming_call(parameters, irql);
                    self.keep_vc(&vc);
                }
            }
        }
    }

    /// An accepted call is connected or taken back.
    fn settle(self: &Arc<Self>, call: AcceptedCall<Manager>, irql: &mut UpToDispatch) {
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
                    if self.world.chance(self.world.temper.data, 16) {
                        self.indicate(&vc, irql);
                    }
                }
            }
        }
    }

    fn free(&self, lists: NetBufferLists, irql: &mut UpToDispatch) {
        if self.world.dares(Act::ListsFree, 1, 2) {
            lists.free(irql);
        } else {
            drop(lists);
        }
    }

    /// Gives sent lists back, one way or another.
    fn complete(self: &Arc<Self>, mut lists: SendLists<Manager>, irql: &mut UpToDispatch) {
        let world = &self.world;
        if world.temper.pongs > 0 {
            // Whatever leaves it to another stack would spoil the game.
            return self.complete_now(lists, irql);
        }
        match world.decide(&[
            (4, Act::SendNow),
            (1, Act::SendDrop),
            (2, Act::SendSplit),
            (1, Act::SendAppend),
            (2, Act::SendRelay),
        ]) {
            Act::SendRelay => self.relay(lists, irql),
            Act::SendDrop => {
                self.fate(&lists, Status::FAILURE);
                drop(lists);
            }
            Act::SendSplit => {
                let front = lists.split_front(1 + world.below(2) as usize);
                let (first, second) = if world.chance(1, 2) {
                    (front, lists)
                } else {
                    (lists, front)
                };
                self.complete_now(first, irql);
                self.complete_now(second, irql);
            }
            Act::SendAppend => match self.sends.take_any(world) {
                Some((_, more)) => match lists.append(more) {
                    Ok(()) => self.complete_now(lists, irql),
                    Err(others) => {
                        self.complete_now(others, irql);
                        self.complete_now(lists, irql);
                    }
                },
                None => self.complete_now(lists, irql),
            },
            _ => self.complete_now(lists, irql),
        }
    }

    /// Indicates what was sent on a call, the same one or another, uncopied.
    fn relay(self: &Arc<Self>, lists: SendLists<Manager>, irql: &mut UpToDispatch) {
        let world = &self.world;
        let (from, place) = (lists.vc().clone(), lists.vc().place);
        let to = self.vcs.any(world).unwrap_or(from);
        let pool = &to.base().pool;
        match frame::relay(world, lists, pool, |clones| self.up(&to, clones, irql)) {
            Ok(parent) => self.dispose(place, parent, irql),
            Err(lists) => self.complete_now(lists, irql),
        }
    }

    fn dispose(
        self: &Arc<Self>,
        place: u32,
        parent: Parent<SendLists<Manager>>,
        irql: &mut UpToDispatch,
    ) {
        match self.world.choose(&[
            (2, Act::ParentDrop),
            (1, Act::ParentHold),
            (2, Act::ParentBack),
        ]) {
            Act::ParentHold => {
                self.world.did(Act::ParentHold);
                self.hold(
                    |x| &x.parents,
                    place,
                    parent,
                    irql,
                    |x, parent, _| {
                        frame::keys(&x.world, "a parent that was held", parent.iter());
                        drop(parent);
                    },
                );
            }
            Act::ParentBack => match parent.into_original() {
                Ok(lists) => {
                    self.world.did(Act::ParentBack);
                    self.complete_now(lists, irql);
                }
                Err(parent) => drop(parent),
            },
            _ => {
                self.world.did(Act::ParentDrop);
                drop(parent);
            }
        }
    }

    fn complete_now(&self, lists: SendLists<Manager>, irql: &mut UpToDispatch) {
        let status = if self.world.chance(3, 4) {
            Status::SUCCESS
        } else {
            self.world.status()
        };
        // What is no success is told as a failure.
        self.fate(&lists, status.as_final());
        lists.complete(status, irql);
    }

    /// Notes with what the lists are completed, and that they are still whole.
    fn fate(&self, lists: &SendLists<Manager>, status: Status) {
        for (key, _) in frame::keys(&self.world, "held by the MCM", lists.iter()) {
            self.world.frame_fate(key, status);
        }
    }
}

/// An address reads as it was registered.
fn address(world: &World, place: &str, address: SapAddress<'_>) {
    let bytes = address.bytes();
    let good = address.sap_type() == bytes.len() as u32 && bytes.iter().all(|b| *b == 0x5A);
    if !good {
        world.found(format!("{place}: the address reads {address:?}"));
    }
}

impl Load for Manager {
    fn load(key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        let shared = loading::found::<Exchange>(key).ok_or(Status::FAILURE)?;
        shared.life.may_load(&shared.world)?;
        shared.world.did(Act::LoadOk);
        let _context = shared.context("MCM", None);
        Ok(Self { shared, _context })
    }
}

impl Manager {
    fn try_initialize<'i>(
        &self,
        place: u32,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let exchange = &self.shared;
        let world = &exchange.world;
        world.may_fail(Act::InitErrFirst)?;
        let init = init.attributes(&Attributes::wan(), irql)?;
        world.may_fail(Act::InitErrAttributed)?;
        let nic = Nic {
            place,
            agents: Agents::try_new(init.owner())?,
            pool: NetBufferListPool::for_receives(init.owner(), TAG)?,
            _context: exchange.context("adapter", None),
        };
        exchange.store_resources(place, init.owner());
        let mut init = init.adapter(nic)?;
        world.may_fail(Act::InitErrAdapter)?;
        let families = match world.decide(&[
            (6, Act::InitOneFamily),
            (4, Act::InitTwoFamilies),
            (1, Act::InitNoFamily),
        ]) {
            Act::InitNoFamily => 0,
            Act::InitTwoFamilies => 2,
            _ => 1,
        };
        for family in &FAMILIES[..families] {
            let registered = init.register_address_family(*family, irql);
            if world.chance(1, 2) {
                registered?;
            }
        }
        world.may_fail(Act::InitErrRegistered)?;
        Ok(init.finish())
    }
}

impl Exchange {
    /// Resources that are kept outside the adapter's context.
    fn store_resources(self: &Arc<Self>, place: u32, owner: &Owner) {
        if !self.world.dares(Act::InitResourcesStored, 1, 4) {
            return;
        }
        let exchange = self.clone();
        if let Ok(timer) = Timer::try_new(owner)
            && let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql)))
        {
            timer.set(&slot, 1);
            let _ = self.timers.put(place, timer);
        }
        if let Ok(item) = WorkItem::try_new(owner) {
            let _ = self.items.put(place, item);
        }
    }
}

impl Miniport for Manager {
    type Adapter = Nic;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let place = self.shared.world.number();
        let result = self.try_initialize(place, init, irql);
        if result.is_err() {
            // No other callback will ask for it back.
            self.shared.let_go(place, irql.up_to_dispatch());
        }
        self.shared.mischief(irql.up_to_dispatch());
        result
    }

    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let x = &self.shared;
        if x.world.chance(1, 2) {
            x.world.did(Act::StashAdapter);
            let _ = x.adapters.put(adapter.place, adapter.clone());
        }
        x.world.linger(irql);
        x.mischief(irql.up_to_dispatch());
    }

    fn pause(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = self.shared.adapters.put(adapter.place, adapter.clone());
        self.shared.world.linger(irql);
        self.shared.wait_for_end(irql);
        self.shared.mischief(irql.up_to_dispatch());
    }

    fn restart(&self, adapter: &Adapter<Self>, irql: &mut Passive) -> Result<(), Status> {
        let world = &self.shared.world;
        let _ = self.shared.adapters.put(adapter.place, adapter.clone());
        self.shared.mischief(irql.up_to_dispatch());
        world.may_fail(Act::RestartErr)?;
        world.did(Act::RestartOk);
        Ok(())
    }

    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        self.shared.world.linger(irql);
        self.shared.mischief(irql.up_to_dispatch());
        self.shared.let_go(adapter.place, irql.up_to_dispatch());
        self.shared.world.linger(irql);
    }
}

impl CallManager for Manager {
    type Base = Adapter<Self>;
    type Af = Context;
    type Sap = Context;
    type Vc = Line;

    fn open_af<'r>(
        &self,
        adapter: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        let world = &x.world;
        if !FAMILIES.contains(&request.family()) {
            world.found(format!("{:?} is opened", request.family()));
        }
        x.mischief(irql);
        let context = |adapter: &Adapter<Self>| {
            let parent = world
                .dares(Act::StoreParent, 1, 3)
                .then(|| -> Reference { Box::new(adapter.clone()) });
            x.context("MCM's AF", parent)
        };
        let (refuse, pend) = (world.temper.refuse, world.temper.pend);
        let act = if world.chance(refuse, 64) {
            world.choose(&[
                (2, Act::OpenPendRefuse),
                (1, Act::OpenPendDrop),
                (2, Act::OpenRefuse),
            ])
        } else if world.chance(pend, 16) {
            Act::OpenPendAccept
        } else {
            Act::OpenAccept
        };
        world.did(act);
        let answer = match act {
            Act::OpenRefuse => request.refuse(world.status()),
            Act::OpenAccept => request.accept(context(adapter)),
            _ => {
                let (answer, token) = request.pend();
                let (context, world_of) = (context(adapter), world.clone());
                x.later(adapter, irql, move |irql| match act {
                    Act::OpenPendAccept => token.accept(context, irql),
                    Act::OpenPendRefuse => token.refuse(world_of.status(), irql),
                    _ => drop(token),
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn close_af<'r>(
        &self,
        af: &Af<Self>,
        request: CloseAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        x.mischief(irql);
        let answer = if x.world.chance(x.world.temper.pend, 16) {
            let act = x.world.decide(&[
                (3, Act::CloseAfPendFinish),
                (1, Act::CloseAfPendDrop),
                (0, Act::CloseAfPendFinish),
            ]);
            let (answer, token) = request.pend();
            x.later(af.base(), irql, move |irql| {
                if act == Act::CloseAfPendDrop {
                    drop(token);
                } else {
                    token.finish(irql);
                }
            });
            answer
        } else {
            x.world.did(Act::CloseAfFinish);
            request.finish()
        };
        x.mischief(irql);
        answer
    }

    fn register_sap<'r>(
        &self,
        af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        let world = &x.world;
        address(world, "a SAP that is asked for", request.address());
        let adapter = af.base();
        let place = adapter.place;
        let parent = world
            .dares(Act::StoreParent, 1, 3)
            .then(|| -> Reference { Box::new(af.clone()) });
        let context = x.context("MCM's SAP", parent);
        let act = if world.chance(world.temper.refuse, 64) {
            world.choose(&[
                (2, Act::SapPendRefuse),
                (1, Act::SapPendDrop),
                (2, Act::SapRefuse),
            ])
        } else if world.chance(world.temper.pend, 16) {
            Act::SapPendAccept
        } else {
            Act::SapAccept
        };
        world.did(act);
        let answer = match act {
            Act::SapRefuse => request.refuse(world.status()),
            Act::SapAccept => {
                let (answer, sap) = request.accept(context);
                let _ = x.saps.put(place, sap);
                answer
            }
            _ => {
                let (answer, token) = request.pend();
                let exchange = x.clone();
                x.later(adapter, irql, move |irql| {
                    let world = &exchange.world;
                    address(world, "a SAP that waits", token.address());
                    match act {
                        Act::SapPendAccept => {
                            let sap = token.accept(context, irql);
                            let _ = exchange.saps.put(place, sap);
                        }
                        Act::SapPendRefuse => token.refuse(world.status(), irql),
                        _ => drop(token),
                    }
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn deregister_sap<'r>(
        &self,
        sap: &Sap<Self>,
        request: DeregisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        x.mischief(irql);
        address(&x.world, "a SAP that goes", sap.address());
        let answer = if x.world.chance(x.world.temper.pend, 16) {
            let act = x
                .world
                .decide(&[(1, Act::SapGonePendDrop), (3, Act::SapGonePendFinish)]);
            let (answer, token) = request.pend();
            x.later(sap.base(), irql, move |irql| {
                if act == Act::SapGonePendDrop {
                    drop(token);
                } else {
                    token.finish(irql);
                }
            });
            answer
        } else {
            x.world.did(Act::SapGoneFinish);
            request.finish()
        };
        x.mischief(irql);
        answer
    }

    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Line, Status> {
        let x = &self.shared;
        x.mischief(irql);
        let line = x.line(af.base().place, || Box::new(af.clone()));
        x.world.may_fail(Act::ManagerVcErr)?;
        x.world.did(Act::ManagerVcOk);
        Ok(line)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        if vc.deleted.swap(true, SeqCst) {
            self.shared.world.found("a VC is deleted twice");
        }
        if vc.is_connected() {
            self.shared.world.found("a VC is deleted while connected");
        }
        self.shared.mischief(irql);
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        let world = &x.world;
        let seen = Seen::of(request.parameters());
        x.keep_vc(vc);
        x.mischief(irql);
        lent::still(world, Act::AgainMakeCall, &seen, request.parameters());
        let act = if world.chance(world.temper.refuse, 64) {
            world.choose(&[
                (2, Act::MakePendRefuse),
                (1, Act::MakePendDrop),
                (2, Act::MakeRefuse),
            ])
        } else if world.chance(world.temper.pend, 16) {
            world.choose(&[(1, Act::MakePendAcceptWith), (1, Act::MakePendAccept)])
        } else {
            world.choose(&[(1, Act::MakeAcceptWith), (1, Act::MakeAccept)])
        };
        world.did(act);
        let answer = match act {
            Act::MakeRefuse => request.refuse(world.status()),
            Act::MakeAccept => request.accept(irql),
            Act::MakeAcceptWith => match lent::parameters(world) {
                Ok(parameters) => request.accept_with(parameters, irql),
                Err(status) => request.refuse(status),
            },
            _ => {
                let (answer, token) = request.pend();
                let exchange = x.clone();
                x.later(vc.base(), irql, move |irql| {
                    let world = &exchange.world;
                    lent::still(world, Act::AgainPended, &seen, token.parameters());
                    match act {
                        Act::MakePendAccept => token.accept(irql),
                        Act::MakePendAcceptWith => match lent::parameters(world) {
                            Ok(parameters) => token.accept_with(parameters, irql),
                            Err(status) => token.refuse(status, irql),
                        },
                        Act::MakePendRefuse => token.refuse(world.status(), irql),
                        _ => drop(token),
                    }
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let x = &self.shared;
        x.keep_vc(vc);
        if x.world.chance(x.world.temper.data, 16) {
            x.indicate(vc, irql);
        }
        x.mischief(irql);
    }

    fn call_failed(&self, _vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        self.shared.world.failure("the call", status);
        self.shared.mischief(irql);
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let x = &self.shared;
        let seen = Seen::of(parameters);
        x.mischief(irql);
        if x.world.chance(x.world.temper.pend, 16) {
            x.world.did(Act::RingLater);
            let place = call.vc().place;
            x.hold(
                |x| &x.accepted,
                place,
                call,
                irql,
                |x, call, irql| {
                    x.settle(call, irql);
                },
            );
        } else {
            x.settle(call, irql);
        }
        x.mischief(irql);
        lent::still(&x.world, Act::AgainAccepted, &seen, parameters);
    }

    fn incoming_call_refused(&self, _vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        self.shared.world.failure("the offered call", status);
        self.shared.mischief(irql);
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        let world = &x.world;
        let data = request.data().to_vec();
        x.mischief(irql);
        lent::still_bytes(world, Act::AgainCloseData, &data, request.data());
        let refusable = vc.refusals.load(SeqCst) < REFUSALS;
        let answer = if refusable && world.dares(Act::CloseRefuse, world.temper.refuse, 64) {
            vc.refusals.fetch_add(1, SeqCst);
            request.refuse(world.status())
        } else if world.chance(world.temper.pend, 16) {
            let act = world.decide(&[(1, Act::ClosePendDrop), (3, Act::ClosePendFinish)]);
            let (answer, token) = request.pend();
            x.later(vc.base(), irql, move |irql| {
                if act == Act::ClosePendDrop {
                    drop(token);
                } else {
                    token.finish(irql);
                }
            });
            answer
        } else {
            world.did(Act::CloseFinish);
            request.finish(irql)
        };
        x.mischief(irql);
        answer
    }
}

impl Carry for Manager {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let x = &self.shared;
        let world = &x.world;
        let frames = frame::keys(world, "sent", lists.iter());
        vc.end.arrived(world, "sent", &frames);
        x.mischief(irql);
        if world.chance(world.temper.pend, 16) {
            if world.chance(1, 2) {
                world.did(Act::SendLater);
                let exchange = x.clone();
                x.later(vc.base(), irql, move |irql| {
                    exchange.complete(lists, irql);
                });
            } else {
                world.did(Act::SendHold);
                x.hold(
                    |x| &x.sends,
                    vc.place,
                    lists,
                    irql,
                    |x, lists, irql| {
                        x.complete(lists, irql);
                    },
                );
            }
        } else {
            x.complete(lists, irql);
        }
        x.mischief(irql);
    }

    fn returned(&self, adapter: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let x = &self.shared;
        let world = &x.world;
        let (own, clones) = frame::come_home(world, "returned", lists, |_, _, _| {});
        if let Some(clones) = clones {
            // What they were made from is waited for.
            x.free(clones, irql);
        }
        if let Some(own) = own {
            if world.chance(1, 3) {
                world.did(Act::ReturnedHold);
                let _ = x.returned.put(adapter.place, own);
            } else {
                world.did(Act::ReturnedDrop);
                x.free(own, irql);
            }
        }
        if world.pong()
            && let Some(vc) = x.vcs.any(world)
        {
            x.indicate(&vc, irql);
        }
        x.mischief(irql);
    }
}
