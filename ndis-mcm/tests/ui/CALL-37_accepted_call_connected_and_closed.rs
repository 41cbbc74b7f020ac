//! Rules: CALL-35, CALL-37
//!
//! A call that the client has accepted is either connected or taken back.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{AcceptedCall, CallManager};

fn incoming_call_accepted<M: CallManager>(call: AcceptedCall<M>, irql: &mut UpToDispatch) {
    call.connect(irql);
    call.close(Status::FAILURE, irql);
}

fn main() {}
