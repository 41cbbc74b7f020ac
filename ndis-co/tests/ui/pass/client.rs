//! How a client is meant to be written, where the cases beside this one go
//! wrong.

#![allow(dead_code)]

use ndis_co::{
    Answer, Status,
    address::SapAddressBuf,
    client::{Client, IncomingCall, OpenAf, PendingIncomingCall, Received, Vc},
    event::Event,
    irql::{Passive, UpToDispatch},
    lock::SpinLock,
    mem::Vec,
    nbl::NetBufferLists,
    params::{CallFlags, CallParametersBuf},
};

/// What is made from an address family ends before it does.
fn af_opened<C: Client<Sap = (), Vc = ()>>(
    af: OpenAf<C>,
    address: SapAddressBuf,
    parameters: CallParametersBuf,
    irql: &mut Passive,
) -> Result<(), Status> {
    let sap = af.register_sap((), address, irql)?;
    let call = af.create_vc((), irql)?.make_call(parameters, irql);
    call.close(b"good bye", irql)?;
    sap.deregister(irql);
    af.close(irql);
    Ok(())
}

/// What is needed of the parameters is read before the answer.
fn incoming_call<'r, C: Client>(
    ringing: &SpinLock<Vec<PendingIncomingCall<C>>>,
    call: IncomingCall<'r, C>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let flags = call.parameters().map(|parameters| parameters.flags());
    if flags.is_some_and(|flags| flags.contains(CallFlags::MULTIPOINT_VC)) {
        return call.refuse(Status::NOT_SUPPORTED);
    }
    let (answer, pending) = call.pend();
    // Without memory the token is dropped, and that refuses the call.
    let _ = ringing.with(irql, |ringing, _| ringing.try_push(pending));
    answer
}

/// The lock is released before the call is answered.
fn answer_first<C: Client>(
    ringing: &SpinLock<Vec<PendingIncomingCall<C>>>,
    irql: &mut UpToDispatch,
) {
    let first = ringing.with(irql, |ringing, _| ringing.remove(0));
    if let Some(call) = first {
        let _ = call.accept(irql).keep();
    }
}

/// Received data is copied; the lists go back when they are dropped.
fn receive<C: Client>(
    vc: &Vc<C>,
    lists: Received<'_, C>,
    mut copy: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    if let (Some(frame), Some(mut own)) = (lists.buffers().next(), copy.pop_front()) {
        own.fill(frame.len(), |to| frame.copy_to(to).map(drop))?;
        vc.send(own.into(), irql)?;
    }
    Ok(())
}

/// Waiting is for PASSIVE_LEVEL, with no lock held.
fn wait(state: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    state.with(irql, |state, _| *state += 1);
    event.wait(irql);
    state.with(irql, |state, _| *state -= 1);
}
