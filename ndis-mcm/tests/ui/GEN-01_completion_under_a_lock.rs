//! Rules: GEN-01, DV-14
//!
//! A completion may run this driver again before it returns, so no lock is
//! held across it. The first is refused because the lock has the proof; the
//! second because the guard's own proof tells of the lock.

use ndis_co::{irql::UpToDispatch, lock::SpinLock, mem::Vec};
use ndis_mcm::{CallManager, PendingMakeCall};

type Callers<M> = SpinLock<Vec<PendingMakeCall<M>>>;

fn accept_with_the_lock<M: CallManager>(callers: &Callers<M>, irql: &mut UpToDispatch) {
    let mut callers = callers.lock(irql);
    while let Some(caller) = callers.pop() {
        caller.accept(irql);
    }
}

fn accept_with_the_guards_proof<M: CallManager>(callers: &Callers<M>, irql: &mut UpToDispatch) {
    let mut callers = callers.lock(irql);
    let (callers, irql) = callers.split();
    while let Some(caller) = callers.pop() {
        caller.accept(irql);
    }
}

fn main() {}
