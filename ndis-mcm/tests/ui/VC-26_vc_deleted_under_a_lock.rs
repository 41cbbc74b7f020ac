//! Rules: VC-26, GEN-01
//!
//! Deleting a VC calls the client before it returns, so no lock is held.

use ndis_co::{irql::UpToDispatch, lock::SpinLock};
use ndis_mcm::{Active, CallManager, CreatedVc};

fn give_up<M: CallManager>(
    calls: &SpinLock<u32>,
    vc: CreatedVc<'_, M, Active>,
    irql: &mut UpToDispatch,
) {
    calls.with(irql, |calls, irql| {
        vc.delete(irql);
        *calls -= 1;
    });
}

fn main() {}
