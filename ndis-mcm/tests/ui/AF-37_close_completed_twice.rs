//! Rules: AF-37, AF-38, GEN-02
//!
//! A client's close of its family is completed once; the family is gone then.

use ndis_co::irql::UpToDispatch;
use ndis_mcm::{CallManager, PendingCloseAf};

fn finish<M: CallManager>(request: PendingCloseAf<M>, irql: &mut UpToDispatch) {
    request.finish(irql);
    request.finish(irql);
}

fn main() {}
