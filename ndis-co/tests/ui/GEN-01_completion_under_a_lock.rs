//! Rules: GEN-01, DV-14
//!
//! A completion may run this driver again before it returns, so no lock is
//! held across it. The first is refused because the lock has the proof; the
//! second because the proof that the lock lends tells of it.

use ndis_co::{
    Status,
    client::{Client, PendingIncomingCall},
    irql::UpToDispatch,
    lock::SpinLock,
    mem::Vec,
};

type Ringing<C> = SpinLock<Vec<PendingIncomingCall<C>>>;

fn refuse_with_the_callers_proof<C: Client>(ringing: &Ringing<C>, irql: &mut UpToDispatch) {
    ringing.with(irql, |ringing, _| {
        while let Some(call) = ringing.pop() {
            call.refuse(Status::FAILURE, irql);
        }
    });
}

fn refuse_with_the_locks_proof<C: Client>(ringing: &Ringing<C>, irql: &mut UpToDispatch) {
    ringing.with(irql, |ringing, irql| {
        while let Some(call) = ringing.pop() {
            call.refuse(Status::FAILURE, irql);
        }
    });
}

fn main() {}
