//! Rules: GEN-01, DV-14
//!
//! The completion runs the call manager above, and through it this driver again, so no lock
//! is held across it.

use ndis_co::{irql::UpToDispatch, lock::SpinLock, mem::Vec};
use ndis_mcm::co::{PendingActivateVc, PendingDeactivateVc, VcMiniport};

fn activate<M: VcMiniport>(waiting: &SpinLock<Vec<PendingActivateVc<M>>>, irql: &mut UpToDispatch) {
    waiting.with(irql, |waiting, irql| {
        while let Some(request) = waiting.pop() {
            request.accept(irql);
        }
    });
}

fn deactivate<M: VcMiniport>(
    waiting: &SpinLock<Vec<PendingDeactivateVc<M>>>,
    irql: &mut UpToDispatch,
) {
    waiting.with(irql, |waiting, irql| {
        while let Some(request) = waiting.pop() {
            request.finish(irql);
        }
    });
}

fn main() {}
