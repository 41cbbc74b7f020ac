//! Rules: SAP-23, SAP-24, GEN-02
//!
//! A deregistration is completed once; the SAP is gone then.

use ndis_co::irql::UpToDispatch;
use ndis_mcm::{CallManager, PendingDeregisterSap};

fn finish<M: CallManager>(request: PendingDeregisterSap<M>, irql: &mut UpToDispatch) {
    request.finish(irql);
    request.finish(irql);
}

fn main() {}
