//! How a miniport call manager is meant to be written, where the cases beside
//! this one go wrong.

#![allow(dead_code)]

use ndis_co::{
    Answer, Status,
    event::Event,
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Tag, Vec},
    nbl::{NetBufferListPool, NetBufferLists},
    params::CallParametersBuf,
};
use ndis_mcm::{
    AcceptedCall, Attributes, CallManager, CloseCall, Initialize, Initialized, MakeCall, Miniport,
    MiniportCallManager, New, PendingMakeCall, RegisterSap, Sap, SendLists, Vc,
};

/// Attributes, context, families, and done.
fn initialize<'i, M: MiniportCallManager + Miniport<Adapter = NetBufferListPool>>(
    init: Initialize<'i, M, New>,
    irql: &mut Passive,
) -> Result<Initialized<'i>, Status> {
    let init = init.attributes(&Attributes::wan(), irql)?;
    let pool = NetBufferListPool::for_receives(init.scope(), Tag::new(*b"Case"))?;
    let mut init = init.adapter(pool)?;
    init.register_address_family(AddressFamily::new(Family::new(77), 1, 0), irql)?;
    Ok(init.finish())
}

/// The address is read before the answer.
fn register_sap<'r, M: CallManager<Sap = u32>>(
    saps: &SpinLock<Vec<Sap<M>>>,
    request: RegisterSap<'r, M>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let kind = request.address().sap_type();
    let (answer, sap) = request.accept(kind);
    // Without memory the SAP stays registered and is never called.
    let _ = saps.with(irql, |saps, _| saps.try_push(sap));
    answer
}

/// A request that takes time is pended; its token is stored.
fn make_call<'r, M: CallManager>(
    callers: &SpinLock<Vec<PendingMakeCall<M>>>,
    request: MakeCall<'r, M>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let (answer, caller) = request.pend();
    // Without memory the token is dropped, and that refuses the call.
    let _ = callers.with(irql, |callers, _| callers.try_push(caller));
    answer
}

/// The lock is released before the call is completed.
fn accept_all<M: CallManager>(
    callers: &SpinLock<Vec<PendingMakeCall<M>>>,
    irql: &mut UpToDispatch,
) {
    let callers = callers.with(irql, |callers, _| callers.take());
    for caller in callers {
        caller.accept(irql);
    }
}

/// Created, activated, offered.
fn ring<M: CallManager<Vc = ()>>(
    sap: &Sap<M>,
    for_vc: CallParametersBuf,
    for_client: CallParametersBuf,
    irql: &mut UpToDispatch,
) -> Result<Vc<M>, Status> {
    let vc = sap.create_vc((), irql)?;
    let vc = vc.activate(for_vc, irql).map_err(|failed| failed.status)?;
    Ok(vc.dispatch_incoming_call(for_client, irql))
}

/// Connected, or else taken back.
fn incoming_call_accepted<M: CallManager>(
    caller: Option<PendingMakeCall<M>>,
    call: AcceptedCall<M>,
    irql: &mut UpToDispatch,
) {
    let Some(caller) = caller else {
        call.close(Status::FAILURE, irql);
        return;
    };
    if call.connect(irql) {
        caller.accept(irql);
    } else {
        caller.refuse(Status::FAILURE, irql);
    }
}

/// The close data are passed on before the answer.
fn close_call<'r, M: CallManager>(
    peer: &Vc<M>,
    request: CloseCall<'r, M>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    // The peer may have hung up by itself: nothing is left to tell it.
    let _ = peer.dispatch_incoming_close(Status::SUCCESS, request.data(), irql);
    request.finish(irql)
}

/// A client's frames are copied, then completed.
fn send<M: MiniportCallManager>(
    peer: &Vc<M>,
    pool: &NetBufferListPool,
    lists: SendLists<M>,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    for frame in lists.buffers() {
        let mut copy = pool.allocate(frame.len())?;
        copy.fill(frame.len(), |to| frame.copy_to(to).map(drop))?;
        peer.indicate_receive(NetBufferLists::from(copy), irql)?;
    }
    lists.complete(Status::SUCCESS, irql);
    Ok(())
}

/// Waiting is for PASSIVE_LEVEL, with no lock held.
fn halt(left: &SpinLock<u32>, gone: &Event, irql: &mut Passive) {
    let wait = left.with(irql, |left, _| *left > 0);
    if wait {
        gone.wait(irql);
    }
}
