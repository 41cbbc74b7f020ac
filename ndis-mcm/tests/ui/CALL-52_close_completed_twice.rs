//! Rules: CALL-48, CALL-52, GEN-02
//!
//! A close is completed once, also when the first attempt was a refusal.

use ndis_co::{Answer, Status, irql::UpToDispatch};
use ndis_mcm::{CallManager, CloseCall, PendingCloseCall};

fn close_call<'r, M: CallManager>(
    request: CloseCall<'r, M>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let _ = request.refuse(Status::INVALID_DATA);
    request.finish(irql)
}

fn finish<M: CallManager>(request: PendingCloseCall<M>, irql: &mut UpToDispatch) {
    request.finish(irql);
    request.finish(irql);
}

fn main() {}
