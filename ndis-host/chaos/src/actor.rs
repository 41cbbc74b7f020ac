//! What the threads of a random driver do.
#![forbid(unsafe_code)]

use crate::{driver::Shared, world::World};
use ndis_co::irql::{NoLock, Passive};
use std::sync::Arc;

/// A driver's threads do this.
pub(crate) trait Actor: Send + Sync {
    fn act(&self, irql: &mut Passive);
    fn vc_handle(&self) -> usize;
}

impl<S: Shared> Actor for Arc<S> {
    fn act(&self, irql: &mut Passive) {
        if self.world().chance(1, 4) {
            S::hold_on(self, irql);
        } else {
            S::act(self, irql.up_to_dispatch());
        }
    }

    fn vc_handle(&self) -> usize {
        S::vc_handle(self)
    }
}

/// Gives some drivers a thread that does as it likes.
pub(crate) fn threads(world: &Arc<World>, actors: Vec<Arc<dyn Actor>>) {
    for actor in actors {
        if world.chance(1, 4) {
            continue;
        }
        let (turns, world_of) = (1 + world.below(8), world.clone());
        world.spawn("thread", move |irql| {
            for _ in 0..turns {
                actor.act(irql);
                world_of.linger(irql);
            }
        });
    }
}
