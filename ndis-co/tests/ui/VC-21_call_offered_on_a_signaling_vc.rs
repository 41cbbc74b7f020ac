//! Rules: VC-21, CALL-41
//!
//! A call manager's signaling VC has no client that a call could be offered to.

use ndis_co::{
    cm::{SignalingVc, StandaloneCallManager},
    irql::UpToDispatch,
    params::CallParametersBuf,
};

fn ring<M: StandaloneCallManager>(
    vc: SignalingVc<M>,
    parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) {
    vc.dispatch_incoming_call(parameters, irql);
}

fn main() {}
