//! What the random miniports say of their own accord: of an adapter, or of one VC.
#![forbid(unsafe_code)]

use crate::{act::Act, carrier::Wire, world::World};
use ndis_co::{
    Status, indication::LinkState, irql::UpToDispatch, sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION,
    wan::LinkParameters,
};
use ndis_mcm::{Adapter, Carry, ConnectionOriented};

/// No two alike.
fn data(world: &World) -> Vec<u8> {
    (0..world.below(20)).map(|_| world.draw() as u8).collect()
}

fn said(world: &World, act: Act, result: Result<(), Status>) {
    match result {
        Ok(()) => world.did(act),
        Err(status) => world.failure("an indication", status),
    }
}

/// Indicates a status of an adapter.
pub(crate) fn of_adapter<M: Carry<Role: ConnectionOriented>>(
    world: &World,
    adapter: &Adapter<M>,
    irql: &mut UpToDispatch,
) {
    let code = Status::from_raw(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
    let result = adapter.indicate_status(code, &data(world), irql);
    said(world, Act::IndicateAdapter, result);
}

/// Indicates a state of the link, where the adapter is not halted meanwhile: a thread that has been
/// let do so does not know that NDIS has made up its mind since (rule HALT-12).
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

/// Indicates a status of a VC.
pub(crate) fn of_vc<V: Wire>(world: &World, vc: &V, irql: &mut UpToDispatch) {
    if world.chance(1, 2) {
        let code = Status::from_raw(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
        let result = vc.say(code, &data(world), irql);
        said(world, Act::IndicateVc, result);
        return;
    }
    let line = LinkParameters {
        transmit_speed: world.below(9000),
        receive_speed: world.below(9000),
        send_window: world.below(8),
    };
    said(world, Act::IndicateLine, vc.say_line(&line, irql));
}
