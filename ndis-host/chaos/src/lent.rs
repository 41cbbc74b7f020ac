//! What a handler is lent, noted down to be compared later: it must stay what it
//! was for as long as it is lent.
#![forbid(unsafe_code)]

use crate::{act::Act, world::World};
use ndis_co::{
    Status,
    params::{CallFlags, CallParameters, CallParametersBuf, FlowSpec, Specific},
};
use std::hint::black_box;

/// A specific part: its type and its bytes.
type Specifics = Result<(u32, Vec<u8>), Status>;

/// Call parameters as they were seen.
#[derive(PartialEq, Debug)]
pub(crate) struct Seen {
    flags: CallFlags,
    manager: Option<(FlowSpec, FlowSpec, Specifics)>,
    media: Option<(u32, Specifics)>,
}

fn own(specific: Result<Specific<'_>, Status>) -> Specifics {
    specific.map(|specific| (specific.param_type, black_box(specific.bytes).to_vec()))
}

impl Seen {
    pub(crate) fn of(parameters: Option<CallParameters<'_>>) -> Option<Self> {
        let parameters = black_box(parameters)?;
        Some(Self {
            flags: parameters.flags(),
            manager: parameters.call_manager().map(|manager| {
                let specific = own(manager.specific());
                (manager.transmit(), manager.receive(), specific)
            }),
            media: parameters
                .media()
                .map(|media| (media.flags(), own(media.specific()))),
        })
    }
}

/// Compares parameters with what was seen of them before.
pub(crate) fn still(
    world: &World,
    place: Act,
    before: &Option<Seen>,
    now: Option<CallParameters<'_>>,
) {
    if !world.allows(place) {
        return;
    }
    world.did(place);
    let now = Seen::of(now);
    if now != *before {
        world.found(format!(
            "{place:?}: the lent call parameters have changed from {before:?} to {now:?}"
        ));
    }
}

/// Compares bytes with what was seen of them before.
pub(crate) fn still_bytes(world: &World, place: Act, before: &[u8], now: &[u8]) {
    if !world.allows(place) {
        return;
    }
    world.did(place);
    if black_box(now) != before {
        world.found(format!(
            "{place:?}: the lent bytes have changed from {before:?} to {now:?}"
        ));
    }
}

/// Call parameters of one's own: no two alike.
pub(crate) fn parameters(world: &World) -> Result<CallParametersBuf, Status> {
    let bytes: Vec<u8> = (0..world.below(40)).map(|_| world.draw() as u8).collect();
    let media: Vec<u8> = (0..world.below(8)).map(|_| world.draw() as u8).collect();
    let param_type = world.below(100);
    CallParametersBuf::builder()
        .transmit(FlowSpec::best_effort(world.below(9000)))
        .call_manager_specific(Specific {
            param_type,
            bytes: &bytes,
        })
        .media_specific(Specific {
            param_type,
            bytes: &media,
        })
        .build()
}
