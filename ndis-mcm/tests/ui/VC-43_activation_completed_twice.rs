//! Rules: VC-43, VC-40, GEN-02
//!
//! An activation of a miniport's VC is answered once, at once or later.

use ndis_co::{Answer, Status, irql::UpToDispatch};
use ndis_mcm::co::{ActivateVc, PendingActivateVc, VcMiniport};

fn activate<'r, M: VcMiniport>(request: ActivateVc<'r, M>) -> Answer<'r> {
    let (answer, pending) = request.pend();
    drop((answer, pending));
    request.accept()
}

fn later<M: VcMiniport>(request: PendingActivateVc<M>, irql: &mut UpToDispatch) {
    request.refuse(Status::RESOURCES, irql);
    request.accept(irql);
}

fn main() {}
