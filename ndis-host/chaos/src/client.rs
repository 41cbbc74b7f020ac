//! The random driver as a client, as [`crate::manager`] is one as call manager. `N` tells
//! clients apart, for each protocol has a name of its own.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents::{Agents, Slot},
    frame::{self, End},
    lent::{self, Seen},
    loading,
    manager::FAMILIES,
    stash::Stash,
    world::{Context, Job, Life, Reference, TAG, World},
};
use ndis_co::{
    Answer, Load, ServiceKey, Status,
    address::SapAddressBuf,
    client::{
        Af, AfOffer, AsClient, Binding, Call, Client, CreatedVc, IncomingCall, Kept, NewBinding,
        OpenAf, PendingIncomingCall, Protocol, Received, RegisteredSap, Sap, Vc,
    },
    family::AddressFamily,
    irql::{NoLock, Passive, UpToDispatch},
    nbl::{NetBufferListPool, NetBufferLists, Parent},
    params::CallParameters,
    timer::Timer,
    work::WorkItem,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// The driver's value.
pub(crate) struct Phone<const N: usize> {
    shared: Arc<Exchange<N>>,
    _context: Context,
}

/// What the driver's threads reach of it.
pub(crate) struct Exchange<const N: usize> {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
    bindings: Stash<Binding<Phone<N>>>,
    afs: Stash<Af<Phone<N>>>,
    open: Stash<OpenAf<Phone<N>>>,
    saps: Stash<Sap<Phone<N>>>,
    registered: Stash<RegisteredSap<'static, Phone<N>>>,
    vcs: Stash<Vc<Phone<N>>>,
    created: Stash<CreatedVc<'static, Phone<N>>>,
    calls: Stash<Call<'static, Phone<N>>>,
    kept: Stash<Kept<Phone<N>>>,
    parents: Stash<Parent<Kept<Phone<N>>>>,
    home: Stash<NetBufferLists>,
    timers: Stash<Timer<Slot>>,
    items: Stash<WorkItem<Slot>>,
    jobs: Arc<Stash<Job>>,
}

/// What is kept for a binding.
pub(crate) struct Socket {
    place: u32,
    agents: Agents,
    pool: NetBufferListPool,
    _context: Context,
}

/// How often things were told of an address family, SAP or VC: once each.
#[derive(Default)]
struct Told {
    asked: AtomicU32,
    answered: AtomicU32,
    up: AtomicU32,
    over: AtomicU32,
    deleted: AtomicU32,
}

/// What is kept for an address family or a SAP.
pub(crate) struct Office {
    told: Told,
    context: Context,
}

/// What is kept for a VC.
pub(crate) struct Line {
    place: u32,
    end: End,
    told: Told,
    context: Context,
}

impl Told {
    /// Everything that was asked for was answered, and everything that came up is
    /// over. (An incoming call may be over before it is up.)
    fn check(&self, context: &Context, what: &str, incoming: bool) {
        let [asked, answered, up, over, deleted] = [
            &self.asked,
            &self.answered,
            &self.up,
            &self.over,
            &self.deleted,
        ]
        .map(|count| count.load(SeqCst));
        let ended = up == over || (incoming && asked == 0 && up < over);
        if asked != answered || !ended || asked > 1 || over > 1 || deleted > 1 {
            context.world().found(format!(
                "the client's {what} context {}: asked for {asked} times, answered {answered}, \
                 came up {up}, ended {over}, deleted {deleted}",
                context.number
            ));
        }
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.told.check(&self.context, "AF or SAP", false);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.told.check(&self.context, "VC", true);
    }
}

fn up(count: &AtomicU32) {
    count.fetch_add(1, SeqCst);
}

impl<const N: usize> Exchange<N> {
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

    fn context(&self, kind: &'static str, parent: Option<Reference>) -> Context {
        Context::new(&self.world, &self.life, kind, parent)
    }

    fn parent(&self, parent: impl FnOnce() -> Reference) -> Option<Reference> {
        self.world.dares(Act::StoreParent, 1, 3).then(parent)
    }

    fn line(&self, af: &Af<Phone<N>>) -> Line {
        let parent = self.parent(|| Box::new(af.clone()));
        let context = self.context("client's VC", parent);
        Line {
            place: af.binding().place,
            end: End::new(context.number),
            told: Told::default(),
            context,
        }
    }

    fn let_go(&self, place: u32, irql: &mut UpToDispatch) {
        drop(self.vcs.close(place));
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

    fn later(
        self: &Arc<Self>,
        binding: &Binding<Phone<N>>,
        irql: &mut UpToDispatch,
        job: impl FnOnce(&mut UpToDispatch) + Send + 'static,
    ) {
        let agents = &binding.agents;
        agents.later(&self.world, &self.jobs, binding.place, irql, Box::new(job));
    }

    fn keep_vc(&self, vc: &Vc<Phone<N>>) {
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

    fn store_references(&self) {
        let world = &self.world;
        if let Some(sap) = self.saps.any(world) {
            let af = sap.af();
            let _ = self.afs.put(af.binding().place, af);
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

    fn timer(self: &Arc<Self>, act: Act) {
        let world = &self.world;
        let Some(binding) = self.bindings.any(world) else {
            return;
        };
        world.did(act);
        if act == Act::TimerCancel {
            binding.agents.timer().cancel();
            return;
        }
        let exchange = self.clone();
        let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql))) else {
            return;
        };
        if act == Act::TimerSet {
            binding.agents.timer().set(&slot, world.below(3));
        } else if let Ok(timer) = Timer::try_new(binding.scope()) {
            timer.set(&slot, world.below(3));
            let _ = self.timers.put(binding.place, timer);
        }
    }

    fn work(self: &Arc<Self>, act: Act) {
        let world = &self.world;
        let Some(binding) = self.bindings.any(world) else {
            return;
        };
        world.did(act);
        let exchange = self.clone();
        let Ok(slot) = Slot::try_new(Box::new(move |irql| exchange.act(irql))) else {
            return;
        };
        if act == Act::WorkQueue {
            binding.agents.item().queue(&slot);
        } else if let Ok(item) = WorkItem::try_new(binding.scope()) {
            item.queue(&slot);
            let _ = self.items.put(binding.place, item);
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
            // It may go meanwhile: this was perhaps the last reference.
            if let Ok(weak) = vc.downgrade() {
                let place = vc.place;
                drop(vc);
                if weak.upgrade().is_some_and(|vc| vc.place != place) {
                    world.found("a weak reference has led to another VC");
                }
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
    pub(crate) fn hold(&self, irql: &mut Passive) {
        let world = &self.world;
        world.did(Act::Hold);
        let held = (
            self.vcs.any(world),
            self.saps.any(world),
            self.afs.any(world),
            self.bindings.any(world),
        );
        world.wait(irql);
        drop(held);
    }

    /// Drops a VC and waits until it is deleted: whoever may wait may wait for
    /// that.
    fn wait_for_end(self: &Arc<Self>, place: &str, af: &Af<Phone<N>>, irql: &mut Passive) {
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

    // The acts in full.

    fn create(self: &Arc<Self>, af: &Af<Phone<N>>, irql: &mut UpToDispatch) {
        self.world.did(Act::VcCreate);
        match af.create_vc(self.line(af), irql) {
            Ok(vc) => self.go_on(vc, irql),
            Err(status) => self.world.failure("create_vc", status),
        }
    }

    fn go_on(self: &Arc<Self>, vc: CreatedVc<'static, Phone<N>>, irql: &mut UpToDispatch) {
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
    fn dispose(self: &Arc<Self>, call: Call<'static, Phone<N>>, irql: &mut UpToDispatch) {
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

    fn register(self: &Arc<Self>, af: &Af<Phone<N>>, irql: &mut UpToDispatch) {
        let world = &self.world;
        world.did(Act::SapRegister);
        let bytes = vec![0x5A; world.below(20) as usize];
        let Ok(address) = SapAddressBuf::try_new(bytes.len() as u32, &bytes) else {
            return;
        };
        let office = Office {
            told: Told::default(),
            context: self.context("client's SAP", self.parent(|| Box::new(af.clone()))),
        };
        match af.register_sap(office, address, irql) {
            Ok(sap) => self.go_on_sap(sap, irql),
            Err(status) => self.world.failure("register_sap", status),
        }
    }

    fn go_on_sap(self: &Arc<Self>, sap: RegisteredSap<'static, Phone<N>>, irql: &mut UpToDispatch) {
        let place = sap.af().binding().place;
        match self.world.decide(&[
            (8, Act::SapRegister),
            (1, Act::SapRegisterDrop),
            (1, Act::SapRegisterDeregister),
            (2, Act::SapRegisterStash),
        ]) {
            Act::SapRegisterDrop => drop(sap),
            Act::SapRegisterDeregister => sap.deregister(irql),
            Act::SapRegisterStash => {
                let _ = self.registered.put(place, sap);
            }
            _ => {
                let _ = self.saps.put(place, sap.keep());
            }
        }
    }

    fn data(&self) -> Vec<u8> {
        let len = self.world.among(&[0, 0, 1, 9, 33]);
        (0..len).map(|_| self.world.draw() as u8).collect()
    }

    fn hang_up(&self, vc: &Vc<Phone<N>>, irql: &mut UpToDispatch) {
        let data = self.data();
        self.world.did(if data.is_empty() {
            Act::ClientHangUp
        } else {
            Act::ClientHangUpData
        });
        if let Err(status) = vc.hang_up(&data, irql) {
            self.world.failure("hang_up", status);
        }
    }

    fn send(&self, vc: &Vc<Phone<N>>, irql: &mut UpToDispatch) {
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
        vc: &Vc<Phone<N>>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), NetBufferLists> {
        vc.send(lists, irql).map_err(|unsent| {
            self.world.failure("send", unsent.status);
            unsent.lists
        })
    }

    fn free(&self, lists: NetBufferLists, irql: &mut UpToDispatch) {
        if self.world.dares(Act::ListsFree, 1, 2) {
            lists.free(irql);
        } else {
            drop(lists);
        }
    }

    /// Sends on a call what came in on one, uncopied.
    fn relay(self: &Arc<Self>, kept: Kept<Phone<N>>, to: &Vc<Phone<N>>, irql: &mut UpToDispatch) {
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

    fn give_back(self: &Arc<Self>, mut kept: Kept<Phone<N>>, irql: &mut UpToDispatch) {
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
}

impl<const N: usize> Load for Phone<N> {
    fn load(key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        let shared = loading::found::<Exchange<N>>(key).ok_or(Status::FAILURE)?;
        shared.life.may_load(&shared.world)?;
        shared.world.did(Act::LoadOk);
        let _context = shared.context("client", None);
        Ok(Self { shared, _context })
    }
}

impl<const N: usize> Protocol for Phone<N> {
    const NAME: &'static str = ["CHAOS0", "CHAOS1", "CHAOS2"][N];
    type Binding = Socket;
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, irql: &mut Passive) -> Result<Socket, Status> {
        let x = &self.shared;
        x.world.linger(irql);
        let place = x.world.number();
        let socket = Socket {
            place,
            agents: Agents::try_new(adapter.scope())?,
            pool: NetBufferListPool::for_sends(adapter.scope(), TAG)?,
            _context: x.context("binding", None),
        };
        x.world.may_fail(Act::BindErr)?;
        x.world.did(Act::BindOk);
        x.mischief(irql.up_to_dispatch());
        Ok(socket)
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        let x = &self.shared;
        x.world.linger(irql);
        x.mischief(irql.up_to_dispatch());
        if let Some(af) = x.afs.any(&x.world) {
            x.wait_for_end("unbind", &af, irql);
        }
        x.let_go(binding.place, irql.up_to_dispatch());
        x.world.linger(irql);
    }
}

impl<const N: usize> Client for Phone<N> {
    type Af = Office;
    type Sap = Office;
    type Vc = Line;

    fn address_family(
        &self,
        binding: &Binding<Self>,
        offer: AfOffer<'_, Self>,
        irql: &mut Passive,
    ) {
        let x = &self.shared;
        if !FAMILIES.contains(&offer.family()) {
            x.world.found(format!("{:?} is offered", offer.family()));
        }
        x.mischief(irql.up_to_dispatch());
        let _ = x.bindings.put(binding.place, binding.clone());
        if x.world
            .decide(&[(1, Act::OfferIgnore), (8, Act::OfferOpen)])
            == Act::OfferOpen
        {
            let parent = x.parent(|| Box::new(binding.clone()));
            let office = Office {
                told: Told::default(),
                context: x.context("client's AF", parent),
            };
            if let Err(status) = offer.open(office, irql) {
                x.world.failure("open", status);
            }
        }
        x.world.linger(irql);
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let x = &self.shared;
        up(&af.told.up);
        let place = af.binding().place;
        if x.world.chance(3, 4) {
            x.world.did(Act::StashAf);
            let _ = x.afs.put(place, Af::clone(&af));
        }
        for _ in 0..x.world.below(3) {
            x.register(&af, irql.up_to_dispatch());
        }
        x.world.linger(irql);
        for _ in 0..x.world.below(3) {
            x.create(&af, irql.up_to_dispatch());
        }
        x.wait_for_end("af_opened", &af, irql);
        x.mischief(irql.up_to_dispatch());
        match x.world.decide(&[
            (12, Act::OpenedKeep),
            (1, Act::OpenedDrop),
            (1, Act::OpenedClose),
            (2, Act::OpenedStash),
        ]) {
            Act::OpenedDrop => drop(af),
            Act::OpenedClose => af.close(irql),
            Act::OpenedStash => {
                let _ = x.open.put(place, af);
            }
            _ => {
                let _ = x.afs.put(place, af.keep());
            }
        }
        x.world.linger(irql);
    }

    fn af_open_failed(
        &self,
        _binding: &Binding<Self>,
        _family: AddressFamily,
        status: Status,
        irql: &mut Passive,
    ) {
        let x = &self.shared;
        x.world.failure("the open", status);
        if let Some(af) = x.afs.any(&x.world) {
            x.wait_for_end("af_open_failed", &af, irql);
        }
        x.mischief(irql.up_to_dispatch());
    }

    fn af_closing(&self, _af: &Af<Self>, irql: &mut UpToDispatch) {
        self.shared.mischief(irql);
    }

    fn af_closed(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        up(&af.told.over);
        self.shared.mischief(irql);
    }

    fn sap_registered(&self, sap: &Sap<Self>, result: Result<(), Status>, irql: &mut UpToDispatch) {
        match result {
            Ok(()) => up(&sap.told.up),
            Err(status) => self.shared.world.failure("the registration", status),
        }
        self.shared.mischief(irql);
    }

    fn sap_deregistered(&self, sap: &Sap<Self>, irql: &mut UpToDispatch) {
        up(&sap.told.over);
        self.shared.mischief(irql);
    }

    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Line, Status> {
        let x = &self.shared;
        x.mischief(irql);
        let line = x.line(af);
        x.world.may_fail(Act::ClientVcErr)?;
        x.world.did(Act::ClientVcOk);
        Ok(line)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        up(&vc.told.deleted);
        if vc.is_connected() {
            self.shared.world.found("a VC is deleted while connected");
        }
        self.shared.mischief(irql);
    }

    fn incoming_call<'r>(
        &self,
        sap: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        let world = &x.world;
        let seen = Seen::of(call.parameters());
        if world.chance(1, 3) {
            world.did(Act::StashSap);
            let _ = x.saps.put(call.vc().place, sap.clone());
        }
        x.mischief(irql);
        lent::still(world, Act::AgainRing, &seen, call.parameters());
        let act = if world.chance(world.temper.refuse, 64) {
            world.choose(&[
                (2, Act::RingPendRefuse),
                (1, Act::RingPendDrop),
                (2, Act::RingRefuse),
            ])
        } else if world.chance(world.temper.pend, 16) {
            Act::RingPendAccept
        } else {
            Act::RingAccept
        };
        world.did(act);
        let answer = match act {
            Act::RingRefuse => call.refuse(world.status()),
            Act::RingAccept => {
                let (answer, call) = call.accept();
                x.dispose(call, irql);
                answer
            }
            _ => {
                let binding = call.vc().af().binding();
                let (answer, token) = call.pend();
                let exchange = x.clone();
                x.later(&binding, irql, move |irql| {
                    exchange.answer(act, token, irql);
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let x = &self.shared;
        up(&vc.told.up);
        if vc.told.asked.load(SeqCst) > 0 {
            up(&vc.told.answered);
        }
        let seen = Seen::of(parameters);
        x.keep_vc(vc);
        if x.world.chance(x.world.temper.data, 16) {
            x.send(vc, irql);
        }
        if x.world.chance(1, 8) {
            x.hang_up(vc, irql);
        }
        x.mischief(irql);
        lent::still(&x.world, Act::AgainConnected, &seen, parameters);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        up(&vc.told.answered);
        self.shared.world.failure("the call", status);
        self.shared.mischief(irql);
    }

    fn incoming_close(
        &self,
        _vc: &Vc<Self>,
        _status: Status,
        data: &[u8],
        irql: &mut UpToDispatch,
    ) {
        let x = &self.shared;
        let seen = data.to_vec();
        x.mischief(irql);
        lent::still_bytes(&x.world, Act::AgainEndData, &seen, data);
    }

    fn call_closed(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        up(&vc.told.over);
        self.shared.mischief(irql);
    }

    fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        let x = &self.shared;
        let world = &x.world;
        let frames = frame::keys(world, "received", lists.iter());
        vc.end.arrived(world, "received", &frames);
        x.mischief(irql);
        world.did(Act::AgainReceived);
        let again = frame::keys(world, "received", lists.iter());
        if again != frames {
            world.found(format!("received {frames:?}, which has become {again:?}"));
        }
        if world.temper.pongs > 0 {
            return lists.give_back(irql);
        }
        match world.choose(&[
            (3, Act::ReceiveGiveBack),
            (2, Act::ReceiveDrop),
            (3, Act::ReceiveHold),
        ]) {
            Act::ReceiveDrop => {
                world.did(Act::ReceiveDrop);
                drop(lists);
            }
            Act::ReceiveHold => match lists.keep() {
                Ok(kept) => {
                    world.did(Act::ReceiveHold);
                    self.hold(vc.place, kept, irql);
                }
                Err(lists) => drop(lists),
            },
            _ => {
                world.did(Act::ReceiveGiveBack);
                lists.give_back(irql);
            }
        }
        x.mischief(irql);
    }

    fn send_complete(&self, vc: &Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let x = &self.shared;
        let world = &x.world;
        let (own, clones) = frame::come_home(world, "sent and back", lists, |key, status, fate| {
            let right = match fate {
                Some(fate) => status == fate,
                None => !status.is_success(),
            };
            if !right && !world.is_relayed(key) {
                world.found(format!("frame {key:?} comes back with {status}"));
            }
        });
        if let Some(clones) = clones {
            x.free(clones, irql);
        }
        if let Some(own) = own {
            if world.chance(1, 3) {
                let _ = x.home.put(vc.place, own);
            } else {
                world.did(Act::HomeDrop);
                x.free(own, irql);
            }
        }
        if world.pong() {
            x.send(vc, irql);
        }
        x.mischief(irql);
    }
}

impl<const N: usize> Phone<N> {
    /// Keeps received lists until a handler or a thread gives them back.
    fn hold(&self, place: u32, kept: Kept<Self>, irql: &mut UpToDispatch) {
        let x = &self.shared;
        match x.kept.put(place, kept) {
            Ok(number) => {
                let exchange = x.clone();
                x.world.spawn("client's sweeper", move |irql| {
                    exchange.world.wait(irql);
                    if let Some(kept) = exchange.kept.take(number) {
                        exchange.give_back(kept, irql.up_to_dispatch());
                    }
                });
            }
            Err(kept) => x.give_back(kept, irql),
        }
    }
}

impl<const N: usize> Exchange<N> {
    fn answer(
        self: &Arc<Self>,
        act: Act,
        token: PendingIncomingCall<Phone<N>>,
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
