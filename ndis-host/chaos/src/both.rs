//! The random driver as a client and a stand-alone call manager at once. Several of them, above one
//! miniport, are each other's peers, and each one its own.
//!
//! Each role does what it does alone ([`crate::client`], [`crate::alone`]), on the same bindings and
//! with the same agents. In the handlers of one role it does as well what the other one can, lists that
//! one role has received go out on VCs of the other, and with a context goes something of any role.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    alone::{self, Above, Driver, Roles, X},
    client::{self, Calls},
    driver::Shared,
    frame,
    manager::{self, FAMILIES},
    world::{Life, Whole, World, look},
};
use ndis_co::{
    AsBoth, Status,
    irql::{Passive, UpToDispatch},
    protocol::Kept,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// Both roles; `N` tells such drivers apart.
pub(crate) enum Both<const N: usize> {}

/// What the threads of a driver of both roles reach of it.
pub(crate) struct Exchange<const N: usize> {
    client: Arc<client::Exchange<Above<Both<N>>>>,
    manager: X<Both<N>>,
    /// The VCs beneath that are shared or about to be, by the numbers of their contexts.
    shared: Mutex<BTreeSet<u32>>,
    /// The VCs that are joined, beneath and above.
    pairs: Mutex<Vec<Pair<N>>>,
}

/// A VC beneath and the one that is joined to it.
type Pair<const N: usize> = (
    ndis_co::client::Vc<Driver<Both<N>>>,
    ndis_co::cm::Vc<Driver<Both<N>>>,
);

impl<const N: usize> Exchange<N> {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Arc<Self> {
        let exchange = Arc::new(Self {
            client: client::Exchange::new(world, life),
            manager: manager::Exchange::new(world, life),
            shared: Mutex::default(),
            pairs: Mutex::default(),
        });
        let whole: Arc<dyn Whole> = exchange.clone();
        life.set_whole(Arc::downgrade(&whole));
        exchange
    }

    /// The two that are joined of which one has a context of this number.
    fn pair(&self, number: u32) -> Option<Pair<N>> {
        let numbers = |(lower, upper): &&Pair<N>| {
            [lower.context.number, upper.context.number].contains(&number)
        };
        look(&self.pairs).iter().find(numbers).cloned()
    }

    /// Has a call from beneath come to a client above.
    fn join(&self, irql: &mut UpToDispatch) {
        let (client, manager) = (&self.client, &self.manager);
        let world = &client.world;
        let Some((lower, sap)) = client.vcs.any(world).zip(manager.saps.any(world)) else {
            return;
        };
        // Others share nothing: those from the miniport are not its own, and each once.
        let beneath = FAMILIES.contains(&lower.af().family());
        let number = lower.context.number;
        if !beneath || !look(&self.shared).insert(number) {
            return;
        }
        let line = manager.line(sap.base().desk.place, || Box::new(sap.clone()));
        match sap.create_vc_joined(&lower, line, irql) {
            Ok(vc) => {
                world.did(Act::JoinedCreate);
                look(&self.pairs).push((lower, Clone::clone(&*vc)));
                manager.go_on_inactive(vc.keep(), irql);
            }
            Err(status) => {
                look(&self.shared).remove(&number);
                world.failure("create_vc_joined", status);
            }
        }
    }

    /// Sends lists that one role has received on a VC of the other.
    fn cross(&self, act: Act, irql: &mut UpToDispatch) {
        let (client, manager) = (&self.client, &self.manager);
        let world = &client.world;
        if act == Act::CrossToSignal {
            if let Some((_, kept)) = client.kept.take_any(world) {
                let Some(to) = manager.own.vcs.any(world) else {
                    return client.give_back(kept, irql);
                };
                world.did(act);
                let pool = &to.binding().pool;
                let out = |clones| alone::out(manager, &to, clones, irql);
                let parent = frame::relay(world, kept, pool, out);
                self.give_back(
                    parent.map_or_else(Some, |parent| parent.into_original().ok()),
                    irql,
                );
            }
        } else if let Some((_, kept)) = manager.own.kept.take_any(world) {
            let Some(to) = client.vcs.any(world) else {
                return alone::give_back(manager, kept, irql);
            };
            client.relay(kept, &to, irql);
            world.did(act);
        }
    }

    /// Gives received lists back, unless they go with their last clone.
    fn give_back(&self, kept: Option<Kept<Driver<Both<N>>>>, irql: &mut UpToDispatch) {
        if let Some(kept) = kept {
            kept.give_back(irql);
        }
    }
}

impl<const N: usize> Whole for Exchange<N> {
    fn act(&self, irql: &mut UpToDispatch) {
        let world = &self.client.world;
        match world.choose(&[
            (8, Act::BothAsManager),
            (1, Act::CrossToSignal),
            (1, Act::CrossToCall),
            (if world.joins() { 6 } else { 0 }, Act::JoinedCreate),
            (8, Act::BothAsClient),
        ]) {
            Act::BothAsManager => {
                world.did(Act::BothAsManager);
                self.manager.act_alone(irql);
            }
            Act::JoinedCreate => {
                if world.joins() {
                    self.join(irql);
                }
            }
            act @ (Act::CrossToCall | Act::CrossToSignal) => self.cross(act, irql),
            _ => {
                world.did(Act::BothAsClient);
                self.client.act_alone(irql);
            }
        }
    }

    fn call_over(&self, number: u32, irql: &mut UpToDispatch) {
        let Some((lower, upper)) = self.pair(number) else {
            return;
        };
        if lower.context.number == number {
            // Or the layer ends it.
            if !self.client.world.dares(Act::JoinedLowerLeft, 1, 2) {
                self.client.world.did(Act::JoinedLowerEnds);
                self.manager.hang_up(&upper, irql);
            }
        } else {
            self.client.world.did(Act::JoinedUpperEnds);
            self.client.hang_up(&lower, irql);
        }
    }

    fn call_closed(&self, number: u32, irql: &mut UpToDispatch) {
        if let Some((_, upper)) = self.pair(number)
            && upper
                .dispatch_incoming_close(Status::SUCCESS, &[], irql)
                .is_ok()
        {
            self.client.world.found(format!(
                "the call above, of {}, goes on after the one beneath is closed",
                upper.context.number
            ));
        }
    }

    fn vc_deleted(&self, number: u32) {
        let gone: Vec<Pair<N>> = {
            let mut pairs = look(&self.pairs);
            pairs
                .extract_if(.., |(_, upper)| upper.context.number == number)
                .collect()
        };
        drop(gone);
    }

    fn drop_any(&self) {
        let (client, manager) = (&self.client, &self.manager);
        let world = &client.world;
        match world.below(8) {
            0 => drop(client.vcs.take_any(world)),
            1 => drop(client.kept.take_any(world)),
            2 => drop(client.home.take_any(world)),
            3 => drop(client.saps.take_any(world)),
            4 => drop(manager.vcs.take_any(world)),
            5 => drop(manager.accepted.take_any(world)),
            6 => drop(manager.own.vcs.take_any(world)),
            _ => drop(manager.own.kept.take_any(world)),
        }
    }
}

impl<const N: usize> Shared for Exchange<N> {
    fn world(&self) -> &Arc<World> {
        &self.client.world
    }

    fn life(&self) -> &Arc<Life> {
        &self.client.life
    }

    fn act(x: &Arc<Self>, irql: &mut UpToDispatch) {
        Whole::act(&**x, irql);
    }

    fn mischief(x: &Arc<Self>, irql: &mut UpToDispatch) {
        x.client.mischief(irql);
    }

    fn vc_handle(_: &Arc<Self>) -> usize {
        0
    }

    fn hold_on(x: &Arc<Self>, irql: &mut Passive) {
        if x.client.world.chance(1, 2) {
            x.client.hold_on(irql);
        } else {
            x.manager.hold_on(irql);
        }
    }
}

impl<const N: usize> Roles for Both<N> {
    const NAME: &'static str = ["CHAOSB0", "CHAOSB1"][N];
    type Role = AsBoth;
    type Shared = Exchange<N>;

    fn manager(shared: &Arc<Exchange<N>>) -> &X<Self> {
        &shared.manager
    }

    fn wait_for_end(shared: &Arc<Exchange<N>>, irql: &mut Passive) {
        shared.client.wait_for_any_end("unbind", irql);
    }

    fn let_go(shared: &Arc<Exchange<N>>, place: u32, irql: &mut UpToDispatch) {
        shared.client.let_go(place, irql);
    }
}

impl<const N: usize> Calls for Above<Both<N>> {
    fn client(shared: &Arc<Exchange<N>>) -> &Arc<client::Exchange<Self>> {
        &shared.client
    }
}
