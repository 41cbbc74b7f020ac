//! Rules: GEN-01, DV-14
//!
//! A completion may run this driver again before it returns, so no lock is
//! held across it. The first is refused because the lock has the proof; the
//! second because the guard's own proof tells of the lock.

use ndis_co::{
    Status,
    client::{Client, PendingIncomingCall},
    irql::UpToDispatch,
    lock::SpinLock,
    mem::Vec,
};

type Ringing<C> = SpinLock<Vec<PendingIncomingCall<C>>>;

fn refuse_with_the_lock<C: Client>(ringing: &Ringing<C>, irql: &mut UpToDispatch) {
    let mut ringing = ringing.lock(irql);
    while let Some(call) = ringing.pop() {
        call.refuse(Status::FAILURE, irql);
    }
}

fn refuse_with_the_guards_proof<C: Client>(ringing: &Ringing<C>, irql: &mut UpToDispatch) {
    let mut ringing = ringing.lock(irql);
    let (calls, irql) = ringing.split();
    while let Some(call) = calls.pop() {
        call.refuse(Status::FAILURE, irql);
    }
}

fn main() {}
