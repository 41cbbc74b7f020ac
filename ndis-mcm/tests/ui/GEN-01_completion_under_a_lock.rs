//! Rules: GEN-01, DV-14
//!
//! A completion may run this driver again before it returns, so no lock is
//! held across it. The first is refused because the lock has the proof; the
//! second because the proof that the lock lends tells of it.

use ndis_co::{irql::UpToDispatch, lock::SpinLock, mem::Vec};
use ndis_mcm::{CallManager, PendingMakeCall};

type Callers<M> = SpinLock<Vec<PendingMakeCall<M>>>;

fn accept_with_the_callers_proof<M: CallManager>(callers: &Callers<M>, irql: &mut UpToDispatch) {
    callers.with(irql, |callers, _| {
        while let Some(caller) = callers.pop() {
            caller.accept(irql);
        }
    });
}

fn accept_with_the_locks_proof<M: CallManager>(callers: &Callers<M>, irql: &mut UpToDispatch) {
    callers.with(irql, |callers, irql| {
        while let Some(caller) = callers.pop() {
            caller.accept(irql);
        }
    });
}

fn main() {}
