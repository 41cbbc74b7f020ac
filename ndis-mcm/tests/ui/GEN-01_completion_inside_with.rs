//! Rules: GEN-01, DV-14
//!
//! `SpinLock::with` runs its closure under the lock and lends no proof; nor
//! can the closure bring one along.

use ndis_co::{irql::UpToDispatch, lock::SpinLock, mem::Vec};
use ndis_mcm::{CallManager, PendingMakeCall};

fn accept_all<M: CallManager>(
    callers: &SpinLock<Vec<PendingMakeCall<M>>>,
    irql: &mut UpToDispatch,
) {
    callers.with(|callers| {
        while let Some(caller) = callers.pop() {
            caller.accept(irql);
        }
    });
}

fn main() {}
