//! Rules: DV-14
//!
//! Who takes a lock releases it: the guard stays on its thread.

use ndis_co::{irql::UpToDispatch, lock::SpinLock};

/// Stands for whatever runs code elsewhere, such as `std::thread::scope`.
fn run_elsewhere(work: impl FnOnce() + Send) {
    work();
}

fn release_elsewhere(state: &SpinLock<u32>, irql: &mut UpToDispatch) {
    let guard = state.lock(irql);
    run_elsewhere(move || drop(guard));
}

fn main() {}
