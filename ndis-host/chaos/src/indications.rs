//! What the random miniports say of their own accord: of an adapter, or of one VC.
#![forbid(unsafe_code)]

use crate::{act::Act, world::World};
use ndis_co::{
    Status, indication::LinkState, irql::UpToDispatch, sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION,
};
use ndis_mcm::{Adapter, Carry, ConnectionOriented};

/// No two alike.
pub(crate) fn data(world: &World) -> Vec<u8> {
    (0..world.below(20)).map(|_| world.draw() as u8).collect()
}

/// It was indicated, or was not.
pub(crate) fn said(world: &World, act: Act, result: Result<(), Status>) {
    match result {
        Ok(()) => world.did(act),
        Err(status) => world.failure("an indication", status),
    }
}

/// Indicates a status of an adapter, the state of its link or another one.
pub(crate) fn of_adapter<M: Carry<Role: ConnectionOriented>>(
    world: &World,
    adapter: &Adapter<M>,
    irql: &mut UpToDispatch,
) {
    of_link(world, adapter, irql);
    let code = Status::from_raw(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
    let result = adapter.indicate_status(code, &data(world), irql);
    said(world, Act::IndicateAdapter, result);
}

/// Indicates a state of the link, now and then. The adapter may be halted meanwhile: what is indicated
/// too late is refused (rule HALT-12).
pub(crate) fn of_link<M: Carry<Role: ConnectionOriented>>(
    world: &World,
    adapter: &Adapter<M>,
    irql: &mut UpToDispatch,
) {
    if !world.chance(1, 4) {
        return;
    }
    let state = match world.below(3) {
        0 => LinkState::disconnected(),
        _ => LinkState::connected(u64::from(world.below(9000))),
    };
    said(world, Act::IndicateLink, adapter.indicate(&state, irql));
}
