//! Rules: CALL-13, GEN-02
//!
//! A pended call is completed once: completing it uses its token up.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{CallManager, PendingMakeCall};

fn answer<M: CallManager>(caller: PendingMakeCall<M>, irql: &mut UpToDispatch) {
    caller.accept(irql);
    caller.refuse(Status::FAILURE, irql);
}

fn main() {}
