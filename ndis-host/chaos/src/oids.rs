//! OID requests, through every door: how they are made, what comes of them, and how they are
//! answered. A request of the drivers' own says by its number what its bytes are.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    world::{Job, World},
};
use ndis_co::{
    Answer, Status,
    irql::{NoLock, UpToDispatch},
    oid::{
        Answered, AskError, Asked, Door, Kind as How, OidRequest, OutgoingRequest,
        PendingOidRequest, ToAdapter, known,
    },
};
use std::sync::Arc;

/// The first of the numbers that are the drivers' own.
const FIRST: u32 = 0xFF00_0100;
/// How many of them there are.
const NUMBERS: u32 = 4;
/// More bytes than any request is about.
const MOST: u32 = 12;

/// One of the drivers' own.
pub(crate) fn any(world: &World) -> u32 {
    FIRST + world.below(NUMBERS)
}

/// The bytes that a request of this number is about.
pub(crate) fn bytes_of(oid: u32, len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (oid as u8).wrapping_mul(31) ^ at as u8)
        .collect()
}

/// A request of any kind.
pub(crate) fn request<A: Asked>(world: &World) -> Option<OutgoingRequest<A>> {
    let (oid, len) = (any(world), world.below(MOST) as usize);
    match world.below(4) {
        0 => OutgoingRequest::set_bytes(oid, &bytes_of(oid, len)),
        1 => {
            let room = world.below(MOST) as usize;
            OutgoingRequest::method_bytes(oid, 0, &bytes_of(oid, len), room)
        }
        _ => OutgoingRequest::query_bytes(oid, len),
    }
    .ok()
}

/// A request to an adapter, which knows some itself.
pub(crate) fn to_adapter(world: &World) -> Option<OutgoingRequest<ToAdapter>> {
    let request = match world.below(8) {
        0 => OutgoingRequest::query(known::GEN_CO_LINK_SPEED).ok(),
        1 => OutgoingRequest::query_bytes(ndis_co::sys::OID_GEN_CO_XMIT_PDUS_OK as u32, 8).ok(),
        _ => request(world),
    }?;
    // It may be cancelled when its time is up.
    Some(if world.chance(1, 8) {
        request.with_timeout(1)
    } else {
        request
    })
}

/// A request was made, or was not.
pub(crate) fn made<A: Asked>(world: &World, act: Act, result: Result<(), AskError<A>>) {
    match result {
        Ok(()) => {
            world.did(act);
            world.asked(true);
        }
        Err(error) => world.failure("a request", error.status),
    }
}

/// The answer to a request is here.
fn read<A: Asked>(world: &World, answered: &Answered<A>) {
    if let Err(status) = answered.result() {
        world.failure("a request that was made", status);
        return;
    }
    let oid = answered.oid();
    if !(FIRST..FIRST + NUMBERS).contains(&oid) || answered.kind() == How::Set {
        return;
    }
    let bytes = answered.bytes();
    if bytes != bytes_of(oid, bytes.len()) {
        world.found(format!("the request {oid:#x} is answered with {bytes:?}"));
    }
}

/// The answer has come to a handler; it may be asked again, with the room that it takes.
pub(crate) fn heard<A: Asked>(
    world: &World,
    answered: Answered<A>,
    again: impl FnOnce(OutgoingRequest<A>) -> Result<(), AskError<A>>,
) {
    world.asked(false);
    read(world, &answered);
    if world.chance(1, 4)
        && let Ok(request) = answered.again(MOST as usize)
    {
        made(world, Act::AskAgain, again(request));
    }
}

/// Asks and waits for the answer.
pub(crate) fn waited<A: Asked>(world: &World, result: Result<Answered<A>, AskError<A>>) {
    match result {
        Ok(answered) => {
            world.did(Act::AskAndWait);
            read(world, &answered);
        }
        Err(error) => world.failure("a request to wait for", error.status),
    }
}

/// Compares what somebody says with what was to be said.
fn check(world: &World, oid: u32, input: &[u8]) {
    let own = (FIRST..FIRST + NUMBERS).contains(&oid);
    if own && input != bytes_of(oid, input.len()) {
        world.found(format!("the request {oid:#x} comes with {input:?}"));
    }
}

/// Answers a request, now or later. `hold` keeps a token until somebody has it cancelled, or gives
/// it back.
pub(crate) fn answer<'r, D: Door>(
    world: &Arc<World>,
    request: OidRequest<'r, D>,
    irql: &mut UpToDispatch,
    hold: impl FnOnce(PendingOidRequest<D>, &mut UpToDispatch) -> Option<PendingOidRequest<D>>,
    later: impl FnOnce(Job, &mut UpToDispatch),
) -> Answer<'r> {
    let (oid, kind) = (request.oid(), request.kind());
    check(world, oid, request.input());
    let act = if world.chance(world.temper.refuse, 64) {
        world.choose(&[
            (1, Act::OidRefuse),
            (1, Act::OidUnknown),
            (1, Act::OidPendRefuse),
            (1, Act::OidPendDrop),
            (1, Act::OidRefuse),
        ])
    } else if world.chance(world.temper.pend, 16) {
        world.choose(&[
            (1, Act::OidPendEarly),
            (1, Act::OidPendDrop),
            (2, Act::OidHold),
            (4, Act::OidPendReply),
        ])
    } else {
        Act::OidReply
    };
    world.did(act);
    let len = world.below(MOST) as usize;
    match act {
        Act::OidRefuse => return request.refuse(world.status()),
        Act::OidUnknown => return request.not_supported(),
        Act::OidReply if kind == How::Set => {
            let used = request.input().len();
            return request.accept(used);
        }
        Act::OidReply if request.capacity() < MOST as usize && world.chance(1, 8) => {
            return request.too_short(MOST as usize);
        }
        Act::OidReply => return request.reply(&bytes_of(oid, len)),
        _ => {}
    }
    let (answer, token) = request.pend();
    let token = match act {
        Act::OidHold => hold(token, irql),
        Act::OidPendEarly => {
            reply(world, token, irql);
            None
        }
        _ => Some(token),
    };
    if let Some(token) = token {
        let world_of = world.clone();
        let job = move |irql: &mut UpToDispatch| match act {
            Act::OidPendRefuse => token.refuse(world_of.status(), irql),
            Act::OidPendDrop => drop(token),
            _ => reply(&world_of, token, irql),
        };
        later(Box::new(job), irql);
    }
    answer
}

/// Answers a request that was pended, which is still what it was.
pub(crate) fn reply<D: Door>(world: &World, token: PendingOidRequest<D>, irql: &mut impl NoLock) {
    let oid = token.oid();
    check(world, oid, token.input());
    if token.kind() == How::Set {
        let used = token.input().len();
        token.accept(used, irql);
    } else {
        token.reply(&bytes_of(oid, world.below(MOST) as usize), irql);
    }
}

/// Nobody keeps the token.
pub(crate) fn not_held<D: Door>(
    token: PendingOidRequest<D>,
    _: &mut UpToDispatch,
) -> Option<PendingOidRequest<D>> {
    Some(token)
}

/// What the host, or a test, asks by numbers of its own; a status that is none is none here.
pub(crate) fn is_own(oid: u32) -> bool {
    (FIRST..FIRST + NUMBERS).contains(&oid)
}

/// An answer that the host has got.
pub(crate) fn check_answer(world: &World, oid: u32, status: Status, written: &[u8]) {
    if status.is_success() && is_own(oid) && written != bytes_of(oid, written.len()) {
        world.found(format!(
            "the host's request {oid:#x} is answered with {written:?}"
        ));
    }
}
