//! Rules: VC-51, GEN-02
//!
//! A deactivation of a miniport's VC is answered once, at once or later.

use ndis_co::{Answer, irql::UpToDispatch};
use ndis_mcm::co::{DeactivateVc, PendingDeactivateVc, VcMiniport};

fn deactivate<'r, M: VcMiniport>(request: DeactivateVc<'r, M>) -> Answer<'r> {
    let first = request.finish();
    drop(first);
    request.finish()
}

fn later<M: VcMiniport>(request: PendingDeactivateVc<M>, irql: &mut UpToDispatch) {
    request.finish(irql);
    request.finish(irql);
}

fn main() {}
