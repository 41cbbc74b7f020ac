//! Rules: AF-37
//!
//! A client's close of its family always succeeds in the end: there is
//! nothing to refuse it with.

use ndis_co::{Answer, Status, irql::UpToDispatch};
use ndis_mcm::{CallManager, CloseAf, PendingCloseAf};

fn close_af<'r, M: CallManager>(request: CloseAf<'r, M>) -> Answer<'r> {
    request.refuse(Status::NOT_ACCEPTED)
}

fn answer_later<M: CallManager>(request: PendingCloseAf<M>, irql: &mut UpToDispatch) {
    request.refuse(Status::NOT_ACCEPTED, irql);
}

fn main() {}
