//! Random drivers that are bound to adapters, in whatever roles: clients, call managers that stand
//! alone, and those that are both.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents::Desk,
    driver::{Driver, Part, Shared},
    lent, oids, settings,
    world::{Context, TAG, World},
};
use ndis_co::{
    Status,
    indication::StatusIndication,
    irql::{NoLock, Passive, UpToDispatch},
    nbl::NetBufferListPool,
    oid::{Answered, ToAdapter},
    protocol::{Binding, NewBinding, OpenedBinding, Protocol, Role},
};
use std::sync::Arc;

/// A driver that is bound, and what its roles have to do with that.
pub(crate) trait Bound: Part {
    /// Each protocol has a name of its own.
    const NAME: &'static str;
    /// What the context of a binding is called.
    const BINDING: &'static str;
    type Role: Role<Driver<Self>>;

    fn opened(x: &Arc<Self::Shared>, binding: &OpenedBinding<'_, Driver<Self>>, irql: &mut Passive);
    fn restarted(x: &Arc<Self::Shared>, binding: &Binding<Driver<Self>>, irql: &mut UpToDispatch);
    fn pause(x: &Arc<Self::Shared>, irql: &mut Passive);
    /// Drops something and waits for its end, perhaps.
    fn wait_for_end(x: &Arc<Self::Shared>, irql: &mut Passive);
    /// Lets go of everything that is kept for a binding.
    fn let_go(x: &Arc<Self::Shared>, place: u32, irql: &mut UpToDispatch);
}

/// What is kept for a binding.
pub(crate) struct Seat {
    pub(crate) desk: Desk,
    pub(crate) pool: NetBufferListPool,
    _context: Context,
}

impl<K: Bound> Protocol for Driver<K> {
    const NAME: &'static str = K::NAME;
    type Binding = Seat;
    type Role = K::Role;

    fn bind(&self, adapter: &NewBinding<'_>, irql: &mut Passive) -> Result<Seat, Status> {
        let x = &self.shared;
        let world = x.world();
        world.linger(irql);
        let place = world.number();
        let seat = Seat {
            desk: Desk::try_new(place, adapter.scope())?,
            pool: NetBufferListPool::for_sends_of_size(adapter.scope(), 128, TAG)?,
            _context: Context::of_place(world, x.life(), K::BINDING, place),
        };
        if world.dares(Act::SettingsBind, 1, 4) {
            settings::look(world, adapter.configuration(irql));
        }
        world.may_fail(Act::BindErr)?;
        world.did(Act::BindOk);
        K::Shared::mischief(x, irql.up_to_dispatch());
        Ok(seat)
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        K::opened(&self.shared, binding, irql);
    }

    fn restarted(&self, binding: &Binding<Self>, irql: &mut UpToDispatch) {
        K::restarted(&self.shared, binding, irql);
    }

    fn pause(&self, _binding: &Binding<Self>, irql: &mut Passive) {
        K::pause(&self.shared, irql);
    }

    fn oid_completed(
        &self,
        binding: &Binding<Self>,
        answered: Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        let x = &self.shared;
        oids::heard(x.world(), answered, |request| {
            binding.request(request, irql)
        });
        K::Shared::mischief(x, irql);
    }

    fn status(
        &self,
        _binding: &Binding<Self>,
        status: StatusIndication<'_>,
        irql: &mut UpToDispatch,
    ) {
        let x = &self.shared;
        let seen = status.bytes().to_vec();
        K::Shared::mischief(x, irql);
        lent::still_bytes(x.world(), Act::AgainStatus, &seen, status.bytes());
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        let x = &self.shared;
        x.world().linger(irql);
        K::Shared::mischief(x, irql.up_to_dispatch());
        K::wait_for_end(x, irql);
        K::let_go(x, binding.desk.place, irql.up_to_dispatch());
        x.world().linger(irql);
    }
}

/// Asks the adapter of a binding.
pub(crate) fn ask_adapter<K: Bound>(
    world: &World,
    binding: &Binding<Driver<K>>,
    irql: &mut UpToDispatch,
) {
    if let Some(request) = oids::to_adapter(world) {
        oids::made(world, Act::AskAdapter, binding.request(request, irql));
    }
}
