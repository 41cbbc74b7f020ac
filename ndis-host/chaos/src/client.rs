//! The random driver as a client, as [`crate::manager`] is one as call manager: what it keeps, and
//! what it does. What NDIS asks of it is in [`crate::client_handlers`].
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents::{Desk, Slot},
    bound::Bound,
    driver::Driver,
    frame::{self, End},
    lent, settings,
    stash::{self, Stash},
    told::{Line, Told, up},
    world::{Context, Job, Life, Reference, World},
};
use ndis_co::{
    client::{
        Af, Binding, Call, CreatedVc, Kept, OpenAf, PendingIncomingCall, RegisteredSap, RunsClient,
        Sap, Vc, WeakVc,
    },
    irql::{NoLock, Passive, UpToDispatch},
    nbl::{NetBufferLists, Parent},
    timer::Timer,
    work::WorkItem,
};
use std::sync::{Arc, atomic::Ordering::SeqCst};

/// A driver that is a client, and perhaps something else.
pub(crate) trait Calls: Bound<Role: RunsClient<Driver<Self>>> {
    /// The client's share of what the driver's threads reach.
    fn client(shared: &Arc<Self::Shared>) -> &Arc<Exchange<Self>>;
}

crate::driver::shared!(Exchange<K>, of K: Calls);

/// What the driver's threads reach of it.
pub(crate) struct Exchange<K: Calls> {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
    pub(crate) bindings: Stash<Binding<Driver<K>>>,
    pub(crate) afs: Stash<Af<Driver<K>>>,
    pub(crate) open: Stash<OpenAf<Driver<K>>>,
    pub(crate) saps: Stash<Sap<Driver<K>>>,
    pub(crate) registered: Stash<RegisteredSap<'static, Driver<K>>>,
    pub(crate) vcs: Stash<Vc<Driver<K>>>,
    weak: Stash<WeakVc<Driver<K>>>,
    created: Stash<CreatedVc<'static, Driver<K>>>,
    calls: Stash<Call<'static, Driver<K>>>,
    pub(crate) kept: Stash<Kept<Driver<K>>>,
    parents: Stash<Parent<Kept<Driver<K>>>>,
    pub(crate) home: Stash<NetBufferLists>,
    timers: Stash<Timer<Slot>>,
    items: Stash<WorkItem<Slot>>,
    jobs: Arc<Stash<Job>>,
}

impl<K: Calls> Exchange<K> {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            life: life.clone(),
            bindings: Stash::new(),
            afs: Stash::new(),
            open: Stash::new(),
            saps: Stash::new(),
            registered: Stash::new(),
            vcs: Stash::new(),
            weak: Stash::new(),
            created: Stash::new(),
            calls: Stash::new(),
            kept: Stash::new(),
            parents: Stash::new(),
            home: Stash::new(),
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

    pub(crate) fn parent(&self, parent: impl FnOnce() -> Reference) -> Option<Reference> {
        self.world.dares(Act::StoreParent, 1, 3).then(parent)
    }

    pub(crate) fn line(&self, af: &Af<Driver<K>>) -> Line {
        let parent = self.parent(|| Box::new(af.clone()));
        let context = self.context("client's VC", af.binding().desk.place, parent);
        Line {
            place: af.binding().desk.place,
            end: End::new(context.number),
            told: Told::default(),
            context,
        }
    }

    pub(crate) fn let_go(&self, place: u32, irql: &mut UpToDispatch) {
        drop(self.vcs.close(place));
        drop(self.weak.close(place));
        drop(self.calls.close(place));
        drop(self.created.close(place));
        drop(self.registered.close(place));
        drop(self.saps.close(place));
        for job in self.jobs.close(place) {
            if self.world.chance(1, 2) {
                job(irql);
            }
        }
        drop(self.kept.close(place));
        drop(self.parents.close(place));
        drop(self.home.close(place));
        drop(self.timers.close(place));
        drop(self.items.close(place));
        drop(self.open.close(place));
        drop(self.afs.close(place));
        drop(self.bindings.close(place));
    }

    pub(crate) fn later(
        self: &Arc<Self>,
        binding: &Binding<Driver<K>>,
        irql: &mut UpToDispatch,
        job: impl FnOnce(&mut UpToDispatch) + Send + 'static,
    ) {
        let agents = &binding.desk.agents;
        agents.later(
            &self.world,
            &self.jobs,
            binding.desk.place,
            irql,
            Box::new(job),
        );
    }

    pub(crate) fn keep_vc(&self, vc: &Vc<Driver<K>>) {
        if self.world.chance(3, 4) {
            self.world.did(Act::StashVc);
            let _ = self.vcs.put(vc.place, vc.clone());
        }
    }

    // Mischief.

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

    /// Does something as a client, whatever the driver is besides.
    pub(crate) fn act_alone(self: &Arc<Self>, irql: &mut UpToDispatch) {
        self.world.further(|| self.act_now(irql));
    }

    fn act_now(self: &Arc<Self>, irql: &mut UpToDispatch) {
        let world = &self.world;
        match world.choose(&[
            (8, Act::VcCreate),
            (3, Act::VcDial),
            (4, Act::SapRegister),
            (1, Act::SapDeregister),
            (1, Act::SapRegisterDrop),
            (8, Act::ClientSend),
            (5, Act::AskManager),
            (4, Act::ClientHangUp),
            (1, Act::CallDrop),
            (1, Act::AfClose),
            (1, Act::OpenedDrop),
            (3, Act::LaterHandler),
            (2, Act::ReceiveKeepGiveBack),
            (2, Act::HomeResend),
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
            (1, Act::Look),
        ]) {
            Act::VcCreate => {
                if let Some(af) = self.afs.any(world) {
                    self.create(&af, irql);
                }
            }
            Act::VcDial => {
                if let Some((_, vc)) = self.created.take_any(world) {
                    self.go_on(vc, irql);
                }
            }
            Act::SapRegister => {
                if let Some(af) = self.afs.any(world) {
                    self.register(&af, irql);
                }
            }
            Act::SapDeregister => {
                if let Some(sap) = self.saps.any(world) {
                    world.did(Act::SapDeregister);
                    sap.deregister(irql);
                }
            }
            Act::SapRegisterDrop => self.drop_one(&self.registered, Act::SapRegisterDrop, irql),
            Act::ClientSend => {
                if let Some(vc) = self.vcs.any(world) {
                    self.send(&vc, irql);
                }
            }
            Act::AskManager => self.ask(irql),
            Act::ClientHangUp => {
                if let Some(vc) = self.vcs.any(world) {
                    self.hang_up(&vc, irql);
                }
            }
            Act::CallDrop => self.drop_one(&self.calls, Act::CallDrop, irql),
            Act::AfClose => {
                if world.chance(1, 4)
                    && let Some(af) = self.afs.any(world)
                {
                    world.did(Act::AfClose);
                    af.close(irql);
                }
            }
            Act::OpenedDrop => self.drop_one(&self.open, Act::OpenedDrop, irql),
            Act::LaterHandler => {
                if let Some((_, job)) = self.jobs.take_any(world) {
                    job(irql);
                }
            }
            Act::ReceiveKeepGiveBack => {
                if let Some((_, kept)) = self.kept.take_any(world) {
                    self.give_back(kept, irql);
                }
            }
            Act::HomeResend => {
                if let Some(vc) = self.vcs.any(world)
                    && let Some(lists) = self.home.take_of(vc.place)
                {
                    if world.dares(Act::OwnRelay, 1, 3) {
                        let pool = &vc.af().binding().pool;
                        let out = |clones| self.out(&vc, clones, irql);
                        drop(frame::relay(world, lists, pool, out));
                    } else {
                        world.did(Act::HomeResend);
                        let end = &vc.end;
                        end.send_again(world, lists, |lists| self.out(&vc, lists, irql));
                    }
                }
            }
            Act::DropVc => self.drop_one(&self.vcs, Act::DropVc, irql),
            Act::DropSap => self.drop_one(&self.saps, Act::DropSap, irql),
            Act::DropAf => self.drop_one(&self.afs, Act::DropAf, irql),
            Act::DropAdapter => self.drop_one(&self.bindings, Act::DropAdapter, irql),
            Act::StashVc => self.store_references(),
            Act::TimerDrop => self.drop_one(&self.timers, Act::TimerDrop, irql),
            Act::WorkDrop => self.drop_one(&self.items, Act::WorkDrop, irql),
            act @ (Act::TimerNew | Act::TimerSet | Act::TimerCancel) => self.timer(act, irql),
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

    fn store_references(&self) {
        let world = &self.world;
        if let Some(sap) = self.saps.any(world) {
            let af = sap.af();
            let _ = self.afs.put(af.binding().desk.place, af);
        }
        let Some(vc) = self.vcs.any(world) else {
            return;
        };
        let (place, af) = (vc.place, vc.af());
        world.did(Act::StashAdapter);
        let _ = self.bindings.put(place, af.binding());
        world.did(Act::StashAf);
        let _ = self.afs.put(place, af);
    }

    fn timer(self: &Arc<Self>, act: Act, irql: &mut UpToDispatch) {
        let world = &self.world;
        let Some(binding) = self.bindings.any(world) else {
            return;
        };
        world.did(act);
        if act == Act::TimerCancel {
            binding.desk.agents.timer().cancel();
            return;
        }
        let exchange = self.clone();
        let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql))) else {
            return;
        };
        if act == Act::TimerSet {
            let Desk { place, agents } = &binding.desk;
            agents.set_timer(world, *place, &slot, 3, irql);
        } else if let Ok(timer) = Timer::try_new(binding.scope()) {
            timer.set(&slot, world.below(3));
            let _ = self.timers.put(binding.desk.place, timer);
        }
    }

    fn work(self: &Arc<Self>, act: Act) {
        let world = &self.world;
        let Some(binding) = self.bindings.any(world) else {
            return;
        };
        world.did(act);
        let exchange = self.clone();
        let slot = if world.chance(1, 4) {
            let (exchange, own) = (exchange, binding.clone());
            Slot::waiting(Box::new(move |irql| {
                exchange.world.did(Act::SettingsWork);
                settings::look(&exchange.world, own.configuration(irql));
            }))
        } else {
            Slot::try_new(Box::new(move |irql| exchange.act(irql)))
        };
        let Ok(slot) = slot else { return };
        if act == Act::WorkQueue {
            binding.desk.agents.item().queue(&slot);
        } else if let Ok(item) = WorkItem::try_new(binding.scope()) {
            item.queue(&slot);
            let _ = self.items.put(binding.desk.place, item);
        }
    }

    fn look_about(&self) {
        let world = &self.world;
        world.did(Act::Look);
        if let Some(vc) = self.vcs.any(world) {
            let _ = format!("{vc:?} {:?} {:?}", vc.af(), vc.af().binding());
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
            let address = sap.address();
            let bytes = address.bytes();
            let good = address.sap_type() == bytes.len() as u32;
            if !good || bytes.iter().any(|b| *b != 0x5A) {
                world.found(format!("the client's SAP reads {address:?}"));
            }
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
            self.bindings.any(world),
        );
        if world.chance(1, 2) {
            self.ask_and_wait(irql);
        }
        world.wait(irql);
        if let Some(binding) = &held.3
            && world.dares(Act::SettingsThread, 1, 3)
        {
            settings::look(world, binding.configuration(irql));
        }
        drop(held);
    }

    /// The host's handles of VCs are the miniports'.
    pub(crate) fn vc_handle(&self) -> usize {
        0
    }

    /// Drops a VC and waits until it is deleted: whoever may wait may wait for
    /// that.
    pub(crate) fn wait_for_end(
        self: &Arc<Self>,
        place: &str,
        af: &Af<Driver<K>>,
        irql: &mut Passive,
    ) {
        let world = &self.world;
        if !world.dares(Act::WaitForEnd, 1, 8) {
            return;
        }
        let Ok(created) = af.create_vc(self.line(af), irql) else {
            return;
        };
        let vc = Vc::clone(&created);
        drop(created);
        let gone = world.wait_until(irql, || vc.told.deleted.load(SeqCst) > 0);
        if !gone {
            world.found(format!(
                "{place}: a dropped VC is not deleted while its dropper waits for that"
            ));
        }
    }

    /// The same on any open family, if there is one.
    pub(crate) fn wait_for_any_end(self: &Arc<Self>, place: &str, irql: &mut Passive) {
        if let Some(af) = self.afs.any(&self.world) {
            self.wait_for_end(place, &af, irql);
        }
    }

    // The acts in full.

    pub(crate) fn create(self: &Arc<Self>, af: &Af<Driver<K>>, irql: &mut UpToDispatch) {
        self.world.did(Act::VcCreate);
        match af.create_vc(self.line(af), irql) {
            Ok(vc) => self.go_on(vc, irql),
            Err(status) => self.world.failure("create_vc", status),
        }
    }

    fn go_on(self: &Arc<Self>, vc: CreatedVc<'static, Driver<K>>, irql: &mut UpToDispatch) {
        match self.world.decide(&[
            (8, Act::VcDial),
            (1, Act::VcDelete),
            (1, Act::VcDrop),
            (1, Act::VcStash),
        ]) {
            Act::VcDelete => vc.delete(irql),
            Act::VcDrop => drop(vc),
            Act::VcStash => {
                let _ = self.created.put(vc.place, vc);
            }
            _ => {
                let Ok(parameters) = lent::parameters(&self.world) else {
                    return;
                };
                up(&vc.told.asked);
                let call = vc.make_call(parameters, irql);
                self.dispose(call, irql);
            }
        }
    }

    /// A call that was placed or taken is kept, or is not.
    pub(crate) fn dispose(
        self: &Arc<Self>,
        call: Call<'static, Driver<K>>,
        irql: &mut UpToDispatch,
    ) {
        match self.world.decide(&[
            (8, Act::CallKeep),
            (1, Act::CallDrop),
            (1, Act::CallClose),
            (1, Act::CallStash),
        ]) {
            Act::CallDrop => drop(call),
            Act::CallClose => {
                let data = self.data();
                if let Err(status) = call.close(&data, irql) {
                    self.world.failure("close", status);
                }
            }
            Act::CallStash => {
                let _ = self.calls.put(call.place, call);
            }
            _ => {
                let vc = call.keep();
                self.keep_vc(&vc);
            }
        }
    }

    fn data(&self) -> Vec<u8> {
        let len = self.world.among(&[0, 0, 1, 9, 33]);
        (0..len).map(|_| self.world.draw() as u8).collect()
    }

    pub(crate) fn hang_up(&self, vc: &Vc<Driver<K>>, irql: &mut UpToDispatch) {
        let data = self.data();
        self.world.did(if data.is_empty() {
            Act::ClientHangUp
        } else {
            Act::ClientHangUpData
        });
        if let Some(whole) = self.life.whole()
            && self.world.chance(1, 2)
        {
            whole.call_over(vc.context.number, irql);
        }
        if let Err(status) = vc.hang_up(&data, irql) {
            self.world.failure("hang_up", status);
        }
    }

    pub(crate) fn send(&self, vc: &Vc<Driver<K>>, irql: &mut UpToDispatch) {
        let world = &self.world;
        let binding = vc.af().binding();
        let count = 1 + world.below(3);
        let sent = vc.end.send(world, &binding.pool, count, |lists| {
            self.out(vc, lists, irql)
        });
        if sent {
            world.did(Act::ClientSend);
        }
    }

    fn out(
        &self,
        vc: &Vc<Driver<K>>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), NetBufferLists> {
        if vc.keeps_still(vc.af().family().family) {
            return Err(lists);
        }
        vc.send(lists, irql).map_err(|unsent| {
            self.world.failure("send", unsent.status);
            unsent.lists
        })
    }

    pub(crate) fn free(&self, lists: NetBufferLists, irql: &mut UpToDispatch) {
        if self.world.dares(Act::ListsFree, 1, 2) {
            lists.free(irql);
        } else {
            drop(lists);
        }
    }

    /// Sends on a call what came in on one, uncopied.
    pub(crate) fn relay(
        self: &Arc<Self>,
        kept: Kept<Driver<K>>,
        to: &Vc<Driver<K>>,
        irql: &mut UpToDispatch,
    ) {
        let world = &self.world;
        let pool = &to.af().binding().pool;
        let parent = match frame::relay(world, kept, pool, |clones| self.out(to, clones, irql)) {
            Ok(parent) => parent,
            Err(kept) => return kept.give_back(irql),
        };
        world.did(Act::KeptRelay);
        if world.dares(Act::ParentHold, 1, 4) {
            // It is given back in the end, which its miniport waits for.
            let exchange = self.clone();
            if let Ok(number) = self.parents.put(to.place, parent) {
                world.spawn("client's sweeper", move |irql| {
                    exchange.world.wait(irql);
                    drop(exchange.parents.take(number));
                });
            }
            return;
        }
        match parent.into_original() {
            Ok(kept) => kept.give_back(irql),
            Err(parent) => drop(parent),
        }
    }

    pub(crate) fn give_back(self: &Arc<Self>, mut kept: Kept<Driver<K>>, irql: &mut UpToDispatch) {
        let world = &self.world;
        // Still whole, however long they were kept.
        frame::keys(world, "kept", kept.iter());
        match world.choose(&[
            (4, Act::ReceiveKeepGiveBack),
            (2, Act::ReceiveKeepDrop),
            (1, Act::KeptSplit),
            (1, Act::KeptAppend),
            (4, Act::KeptRelay),
        ]) {
            Act::ReceiveKeepDrop => {
                world.did(Act::ReceiveKeepDrop);
                drop(kept);
            }
            Act::KeptSplit => {
                world.did(Act::KeptSplit);
                let front = kept.split_front(1 + world.below(2) as usize);
                kept.give_back(irql);
                front.give_back(irql);
            }
            Act::KeptAppend => {
                if let Some((_, more)) = self.kept.take_any(world) {
                    world.did(Act::KeptAppend);
                    if let Err(other) = kept.append(more) {
                        other.give_back(irql);
                    }
                }
                kept.give_back(irql);
            }
            Act::KeptRelay => match self.vcs.any(world) {
                Some(to) => self.relay(kept, &to, irql),
                None => kept.give_back(irql),
            },
            _ => {
                world.did(Act::ReceiveKeepGiveBack);
                kept.give_back(irql);
            }
        }
    }

    /// Keeps received lists until a handler or a thread gives them back.
    pub(crate) fn hold(
        self: &Arc<Self>,
        place: u32,
        kept: Kept<Driver<K>>,
        irql: &mut UpToDispatch,
    ) {
        match self.kept.put(place, kept) {
            Ok(number) => {
                let exchange = self.clone();
                self.world.spawn("client's sweeper", move |irql| {
                    exchange.world.wait(irql);
                    if let Some(kept) = exchange.kept.take(number) {
                        exchange.give_back(kept, irql.up_to_dispatch());
                    }
                });
            }
            Err(kept) => self.give_back(kept, irql),
        }
    }

    pub(crate) fn answer(
        self: &Arc<Self>,
        act: Act,
        token: PendingIncomingCall<Driver<K>>,
        irql: &mut UpToDispatch,
    ) {
        let vc = token.vc().clone();
        self.keep_vc(&vc);
        match act {
            Act::RingPendAccept => {
                let call = token.accept(irql);
                self.dispose(call, irql);
            }
            Act::RingPendRefuse => token.refuse(self.world.status(), irql),
            _ => drop(token),
        }
    }
}
