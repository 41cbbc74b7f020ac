//! Rules: GEN-02, CALL-29
//!
//! A driver that is client and call manager answers each request on the side that it came to.

use ndis_co::{
    Status,
    client::{Client, PendingIncomingCall},
    cm::{PendingMakeCall, StandaloneCallManager},
    irql::UpToDispatch,
    params::CallParametersBuf,
};

fn answer<D: Client + StandaloneCallManager>(
    offered: PendingIncomingCall<D>,
    placed: PendingMakeCall<D>,
    parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) {
    offered.accept_with_link(parameters, irql);
    let placed: PendingIncomingCall<D> = placed;
    let _ = placed.refuse(Status::FAILURE, irql);
}

fn main() {}
