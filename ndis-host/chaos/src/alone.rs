//! The random driver as a call manager that stands alone, with signaling VCs of its own; perhaps it is
//! a client as well ([`crate::both`]).
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents::Desk,
    bound::{self, Bound},
    driver::{self, Part},
    frame::{self, End},
    lent,
    manager::{ABOVE, Exchange, FAMILIES, Kind, on_channel},
    settings,
    stash::Stash,
    world::{Context, World},
};
use ndis_co::{
    Status,
    cm::{AsCallManager, PendingMakeCall, RunsManager, SignalingVc, StandaloneCallManager, Vc},
    irql::{NoLock, Passive, UpToDispatch},
    nbl::NetBufferLists,
    protocol::{Binding, Kept, OpenedBinding, Received, Role},
    scope::Scope,
};
use std::{
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};

/// What a driver with a call manager that stands alone is in all.
pub(crate) trait Roles: Sized + Send + Sync + 'static {
    const NAME: &'static str;
    type Role: Role<Driver<Self>> + RunsManager<Driver<Self>>;
    type Shared: driver::Shared;

    /// The call manager's share of what the driver's threads reach.
    fn manager(shared: &Arc<Self::Shared>) -> &X<Self>;
    /// What the other role does, before the call manager's.
    fn wait_for_end(shared: &Arc<Self::Shared>, irql: &mut Passive);
    fn let_go(shared: &Arc<Self::Shared>, place: u32, irql: &mut UpToDispatch);
}

/// A call manager above somebody else's miniport.
pub(crate) struct Above<R>(PhantomData<R>);

/// It is nothing else.
pub(crate) enum Alone {}

pub(crate) type Driver<R> = driver::Driver<Above<R>>;
pub(crate) type X<R> = Arc<Exchange<Above<R>>>;

impl Roles for Alone {
    const NAME: &'static str = "CHAOSCM";
    type Role = AsCallManager;
    type Shared = Exchange<Above<Self>>;

    fn manager(shared: &X<Self>) -> &X<Self> {
        shared
    }

    fn wait_for_end(_: &X<Self>, _: &mut Passive) {}

    fn let_go(_: &X<Self>, _: u32, _: &mut UpToDispatch) {}
}

impl<R: Roles> Part for Above<R> {
    type Shared = R::Shared;
    const WHAT: &'static str = "manager";
}

/// What is kept beside calls.
pub(crate) struct Signals<R: Roles> {
    pub(crate) vcs: Stash<SignalingVc<Driver<R>>>,
    pub(crate) kept: Stash<Kept<Driver<R>>>,
    home: Stash<NetBufferLists>,
    /// Calls that were placed and that another one is rung for, each with its channel.
    placed: Stash<(u32, PendingMakeCall<Driver<R>>)>,
}

/// What is kept for a signaling VC.
pub(crate) struct Signal {
    place: u32,
    end: End,
    /// Its creation has succeeded.
    created: AtomicBool,
    /// How often the driver was told that it is active, or that it cannot be.
    told: AtomicU32,
    closed: AtomicU32,
    context: Context,
}

impl Drop for Signal {
    fn drop(&mut self) {
        let (told, closed) = (self.told.load(SeqCst), self.closed.load(SeqCst));
        let created = u32::from(self.created.load(SeqCst));
        if told > created || closed != created {
            self.context.world().found(format!(
                "the signaling VC context {}: created {created} times, told of {told}, closed {closed}",
                self.context.number
            ));
        }
    }
}

impl<R: Roles> Kind for Above<R> {
    type Base = Binding<Driver<R>>;
    type Own = Signals<R>;

    const ALONE: bool = true;
    const ACTS: &[(u32, Act)] = &[
        (4, Act::ManagerHangUp),
        (6, Act::RingCreate),
        (3, Act::RingActivate),
        (3, Act::RingDispatch),
        (3, Act::RingConnect),
        (2, Act::JoinEnd),
        (1, Act::NotifyClose),
        (2, Act::AskClient),
        (1, Act::AskAdapter),
        (3, Act::SignalCreate),
        (6, Act::SignalSend),
        (2, Act::SignalResend),
        (2, Act::SignalClose),
        (1, Act::SignalDrop),
        (2, Act::SignalGiveBack),
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
    ];
    const ACCEPTS: [&[(u32, Act)]; 2] = [
        &[
            (1, Act::MakeAcceptWith),
            (1, Act::MakeAcceptLink),
            (1, Act::MakeAccept),
        ],
        &[
            (1, Act::MakePendAcceptWith),
            (1, Act::MakePendAcceptLink),
            (4, Act::MakeJoin),
            (1, Act::MakePendAccept),
        ],
    ];

    fn manager(shared: &Arc<R::Shared>) -> &X<R> {
        R::manager(shared)
    }

    fn own(_: &Arc<World>, _: &Arc<Stash<Vc<Driver<R>>>>) -> Signals<R> {
        Signals {
            vcs: Stash::new(),
            kept: Stash::new(),
            home: Stash::new(),
            placed: Stash::new(),
        }
    }

    fn desk(binding: &Self::Base) -> &Desk {
        &binding.desk
    }

    fn scope(binding: &Self::Base) -> &Scope {
        binding.scope()
    }

    fn act(x: &X<R>, act: Act, irql: &mut UpToDispatch) {
        let world = &x.world;
        match act {
            Act::JoinEnd => {
                if let Some((_, (channel, token))) = x.own.placed.take_any(world) {
                    unanswered(x, channel, token, irql);
                }
            }
            Act::NotifyClose => {
                if let Some(af) = x.afs.any(world) {
                    world.did(Act::NotifyClose);
                    af.notify_close();
                }
            }
            Act::AskAdapter => {
                if let Some(binding) = x.bases.any(world) {
                    bound::ask_adapter(world, &binding, irql);
                }
            }
            Act::SignalCreate => {
                if let Some(binding) = x.bases.any(world) {
                    create(x, &binding, irql);
                }
            }
            Act::SignalSend => {
                if let Some(vc) = x.own.vcs.any(world) {
                    send(x, &vc, irql);
                }
            }
            Act::SignalResend => {
                if let Some(vc) = x.own.vcs.any(world)
                    && let Some(lists) = x.own.home.take_of(vc.place)
                {
                    world.did(Act::SignalResend);
                    vc.end
                        .send_again(world, lists, |lists| out(x, &vc, lists, irql));
                }
            }
            Act::SignalClose => {
                if let Some(vc) = x.own.vcs.any(world) {
                    close(x, &vc, irql);
                }
            }
            Act::SignalDrop => x.drop_one(&x.own.vcs, Act::SignalDrop, irql),
            Act::SignalGiveBack => {
                if let Some((_, kept)) = x.own.kept.take_any(world) {
                    give_back(x, kept, irql);
                }
            }
            _ => {}
        }
    }

    fn handle(_: &Vc<Driver<R>>) -> usize {
        0
    }

    fn hold_on(x: &X<R>, binding: &Self::Base, irql: &mut Passive) {
        if x.world.dares(Act::SettingsThread, 1, 3) {
            settings::look(&x.world, binding.configuration(irql));
        }
    }

    fn let_go_first(x: &X<R>, place: u32, irql: &mut UpToDispatch) {
        for (channel, token) in x.own.placed.close(place) {
            unanswered(x, channel, token, irql);
        }
        drop(x.own.vcs.close(place));
    }

    fn let_go_then(x: &X<R>, place: u32) {
        drop(x.own.kept.close(place));
        drop(x.own.home.close(place));
    }

    /// Whoever has placed the call that this one was rung for is connected, too.
    fn is_up(x: &X<R>, vc: &Vc<Driver<R>>, irql: &mut UpToDispatch) {
        let caller = vc.caller.swap(0, SeqCst);
        let Some((channel, token)) = x.own.placed.take(caller) else {
            return;
        };
        let near = token.vc();
        vc.far.store(near.context.number, SeqCst);
        near.far.store(vc.context.number, SeqCst);
        match on_channel(channel) {
            Ok(link) => {
                x.world.did(Act::JoinUp);
                token.accept_with_link(link, irql);
            }
            Err(status) => token.refuse(status, irql),
        }
    }

    fn is_refused(x: &X<R>, vc: &Vc<Driver<R>>, irql: &mut UpToDispatch) {
        let caller = vc.caller.swap(0, SeqCst);
        if let Some((_, token)) = x.own.placed.take(caller) {
            x.world.did(Act::JoinRefused);
            token.refuse(x.world.status(), irql);
        }
    }

    /// The other end of the channel is hung up.
    fn is_closed(x: &X<R>, vc: &Vc<Driver<R>>, irql: &mut UpToDispatch) {
        if x.only_joins()
            && let Some(whole) = x.life.whole()
        {
            whole.call_over(vc.context.number, irql);
        }
        let far = vc.far.swap(0, SeqCst);
        if far == 0 || !x.world.chance(3, 4) {
            return;
        }
        if let Some(other) = x.vcs.find(|vc| vc.context.number == far) {
            x.world.did(Act::JoinHangUp);
            x.hang_up(&other, irql);
        }
    }

    fn join(x: &X<R>, token: PendingMakeCall<Driver<R>>, irql: &mut UpToDispatch) {
        let world = &x.world;
        let place = token.vc().place;
        let channel = world.number();
        let placed = x.hold(
            |x| &x.own.placed,
            place,
            (channel, token),
            irql,
            |x, (channel, token), irql| unanswered(x, channel, token, irql),
        );
        if let Some(number) = placed
            && let Some(sap) = x.saps.any(world)
        {
            let line = x.line(sap.base().desk.place, || Box::new(sap.clone()));
            line.channel.store(channel, SeqCst);
            line.caller.store(number, SeqCst);
            x.ring_on(line, &sap, irql);
        }
    }
}

/// Nobody has answered a call that was placed.
fn unanswered<R: Roles>(
    x: &X<R>,
    channel: u32,
    token: PendingMakeCall<Driver<R>>,
    irql: &mut UpToDispatch,
) {
    x.world.did(Act::JoinEnd);
    match (x.world.below(3), on_channel(channel)) {
        (0, Ok(link)) => token.accept_with_link(link, irql),
        (1, _) => drop(token),
        _ => token.refuse(x.world.status(), irql),
    }
}

// Signaling.

fn create<R: Roles>(x: &X<R>, binding: &Binding<Driver<R>>, irql: &mut UpToDispatch) {
    let world = &x.world;
    if x.only_joins() {
        return;
    }
    world.did(Act::SignalCreate);
    let parent = world
        .dares(Act::StoreParent, 1, 3)
        .then(|| -> crate::world::Reference { Box::new(binding.clone()) });
    let context = x.context("signaling VC", binding.desk.place, parent);
    let signal = Signal {
        place: binding.desk.place,
        end: End::new(context.number),
        created: AtomicBool::new(false),
        told: AtomicU32::new(0),
        closed: AtomicU32::new(0),
        context,
    };
    // One of few channels, so that there is somebody at the other end; or anything.
    let parameters = if world.chance(3, 4) {
        on_channel(u32::MAX - world.below(2))
    } else {
        lent::parameters(world)
    };
    let Ok(parameters) = parameters else { return };
    match binding.create_signaling_vc(signal, parameters, irql) {
        Ok(vc) => {
            vc.created.store(true, SeqCst);
            match world.choose(&[(1, Act::SignalClose), (1, Act::SignalDrop), (8, Act::Look)]) {
                Act::SignalClose => close(x, &vc, irql),
                Act::SignalDrop => world.did(Act::SignalDrop),
                _ => {
                    let _ = x.own.vcs.put(vc.place, vc);
                }
            }
        }
        Err(status) => world.failure("create_signaling_vc", status),
    }
}

fn close<R: Roles>(x: &X<R>, vc: &SignalingVc<Driver<R>>, irql: &mut UpToDispatch) {
    x.world.did(Act::SignalClose);
    vc.close(irql);
    if vc.is_active() {
        x.world.found("a signaling VC that is closed is active");
    }
}

/// A VC is not over while its driver is told something else of it.
fn lives<R: Roles>(x: &X<R>, vc: &SignalingVc<Driver<R>>, what: &str) {
    if vc.closed.load(SeqCst) > 0 {
        x.world
            .found(format!("a signaling VC is over within its driver's {what}"));
    }
}

fn send<R: Roles>(x: &X<R>, vc: &SignalingVc<Driver<R>>, irql: &mut UpToDispatch) {
    let world = &x.world;
    let count = 1 + world.below(3);
    let pool = &vc.binding().pool;
    let sent = vc
        .end
        .send(world, pool, count, |lists| out(x, vc, lists, irql));
    if sent {
        world.did(Act::SignalSend);
    }
}

pub(crate) fn out<R: Roles>(
    x: &X<R>,
    vc: &SignalingVc<Driver<R>>,
    lists: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<(), NetBufferLists> {
    let closed = vc.closed.load(SeqCst) > 0;
    match vc.send(lists, irql) {
        Ok(()) => {
            if closed {
                x.world
                    .found("lists are sent on a signaling VC that is over");
            }
            Ok(())
        }
        Err(unsent) => {
            x.world.failure("send on a signaling VC", unsent.status);
            Err(unsent.lists)
        }
    }
}

pub(crate) fn give_back<R: Roles>(x: &X<R>, mut kept: Kept<Driver<R>>, irql: &mut UpToDispatch) {
    let world = &x.world;
    // Still whole, however long they were kept.
    frame::keys(world, "kept", kept.iter());
    match world.decide(&[
        (1, Act::ReceiveKeepDrop),
        (1, Act::KeptSplit),
        (3, Act::SignalGiveBack),
    ]) {
        Act::ReceiveKeepDrop => drop(kept),
        Act::KeptSplit => {
            let front = kept.split_front(1 + world.below(2) as usize);
            kept.give_back(irql);
            front.give_back(irql);
        }
        _ => kept.give_back(irql),
    }
}

impl<R: Roles> Bound for Above<R> {
    const NAME: &'static str = R::NAME;
    const BINDING: &'static str = "manager's binding";
    type Role = R::Role;

    fn opened(shared: &Arc<R::Shared>, binding: &OpenedBinding<'_, Driver<R>>, irql: &mut Passive) {
        let x = R::manager(shared);
        let world = &x.world;
        let _ = x.bases.put(binding.desk.place, Binding::clone(binding));
        x.store_resources(binding.desk.place, binding.scope());
        for _ in 0..world.below(3) {
            create(x, binding, irql.up_to_dispatch());
        }
        let families = match world.decide(&[
            (6, Act::InitOneFamily),
            (4, Act::InitTwoFamilies),
            (1, Act::InitNoFamily),
        ]) {
            Act::InitNoFamily => 0,
            Act::InitTwoFamilies => 2,
            _ => 1,
        };
        let all = if x.only_joins() { ABOVE } else { FAMILIES };
        for family in &all[..families] {
            if let Err(status) = binding.register_address_family(*family, irql) {
                world.failure("register_address_family", status);
            }
            x.mischief(irql.up_to_dispatch());
        }
        world.linger(irql);
    }

    fn restarted(shared: &Arc<R::Shared>, binding: &Binding<Driver<R>>, irql: &mut UpToDispatch) {
        let x = R::manager(shared);
        let _ = x.bases.put(binding.desk.place, binding.clone());
        if let Some(vc) = x.own.vcs.any(&x.world) {
            send(x, &vc, irql);
        }
        x.mischief(irql);
    }

    fn pause(shared: &Arc<R::Shared>, irql: &mut Passive) {
        let x = R::manager(shared);
        x.world.linger(irql);
        x.wait_for_end(irql);
        x.mischief(irql.up_to_dispatch());
    }

    fn wait_for_end(shared: &Arc<R::Shared>, irql: &mut Passive) {
        R::wait_for_end(shared, irql);
        R::manager(shared).wait_for_end(irql);
    }

    fn let_go(shared: &Arc<R::Shared>, place: u32, irql: &mut UpToDispatch) {
        R::let_go(shared, place, irql);
        R::manager(shared).let_go(place, irql);
    }
}

impl<R: Roles> StandaloneCallManager for Driver<R> {
    type Signaling = Signal;

    fn signaling_activated(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        let x = R::manager(&self.shared);
        vc.told.fetch_add(1, SeqCst);
        if x.world.chance(1, 2) {
            let _ = x.own.vcs.put(vc.place, vc.clone());
        }
        if x.world.chance(x.world.temper.data, 16) {
            send(x, vc, irql);
        }
        if x.world.chance(1, 8) {
            close(x, vc, irql);
        }
        x.mischief(irql);
        lives(x, vc, "being told that it is active");
    }

    fn signaling_failed(&self, vc: &SignalingVc<Self>, status: Status, irql: &mut UpToDispatch) {
        let x = R::manager(&self.shared);
        vc.told.fetch_add(1, SeqCst);
        x.world.did(Act::SignalFailed);
        x.world.failure("a signaling VC", status);
        x.mischief(irql);
        lives(x, vc, "being told that it fails");
    }

    fn signaling_receive(
        &self,
        vc: &SignalingVc<Self>,
        lists: Received<'_, Self>,
        irql: &mut UpToDispatch,
    ) {
        let x = R::manager(&self.shared);
        let world = &x.world;
        let frames = frame::keys(world, "received", lists.iter());
        vc.end.arrived(world, "received", &frames);
        x.mischief(irql);
        world.did(Act::AgainReceived);
        let again = frame::keys(world, "received", lists.iter());
        if again != frames {
            world.found(format!("received {frames:?}, which has become {again:?}"));
        }
        match world.decide(&[
            (3, Act::SignalHeard),
            (1, Act::ReceiveDrop),
            (2, Act::SignalHold),
        ]) {
            Act::ReceiveDrop => drop(lists),
            Act::SignalHold => match lists.keep() {
                Ok(kept) => {
                    x.hold(|x| &x.own.kept, vc.place, kept, irql, give_back);
                }
                Err(lists) => drop(lists),
            },
            _ => lists.give_back(irql),
        }
        x.mischief(irql);
    }

    fn signaling_sent(
        &self,
        vc: &SignalingVc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) {
        let x = R::manager(&self.shared);
        let world = &x.world;
        let (own, clones) = frame::come_home(world, "signaled", lists, |key, status, fate| {
            let right = match fate {
                Some(fate) => status == fate,
                None => !status.is_success(),
            };
            if !right && !world.is_relayed(key) {
                world.found(format!("frame {key:?} comes back with {status}"));
            }
        });
        drop(clones);
        if let Some(own) = own {
            if world.chance(1, 3) {
                let _ = x.own.home.put(vc.place, own);
            } else if world.dares(Act::ListsFree, 1, 2) {
                own.free(irql);
            } else {
                drop(own);
            }
        }
        if world.pong() {
            send(x, vc, irql);
        }
        x.mischief(irql);
        lives(x, vc, "getting lists back");
    }

    fn signaling_closed(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        let x = R::manager(&self.shared);
        vc.closed.fetch_add(1, SeqCst);
        if vc.is_active() {
            x.world.found("a signaling VC is over while active");
        }
        // Another one in its place, also while the binding goes.
        if x.world.chance(1, 4) {
            create(x, vc.binding(), irql);
        }
        x.mischief(irql);
    }
}
