//! Rules: DV-14
//!
//! No lock is held when a callback returns: the guard borrows the proof that
//! the callback was lent.

use ndis_co::{
    irql::UpToDispatch,
    lock::{SpinLock, SpinLockGuard},
};

fn callback(
    state: &'static SpinLock<u32>,
    held: &mut Option<SpinLockGuard<'static, u32>>,
    irql: &mut UpToDispatch,
) {
    *held = Some(state.lock(irql));
}

fn main() {}
