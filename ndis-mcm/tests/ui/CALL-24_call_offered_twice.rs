//! Rules: CALL-24, CALL-26
//!
//! A call is offered once: the offer uses up the created VC, and takes the
//! parameters until the client has answered.

use ndis_co::{irql::UpToDispatch, params::CallParametersBuf};
use ndis_mcm::{Active, CallManager, CreatedVc};

fn ring_twice<M: CallManager>(
    vc: CreatedVc<'_, M, Active>,
    parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) {
    vc.dispatch_incoming_call(parameters, irql);
    vc.dispatch_incoming_call(parameters, irql);
}

fn main() {}
