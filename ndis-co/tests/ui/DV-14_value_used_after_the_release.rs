//! Rules: DV-14
//!
//! A lock is held for the time of a closure: what is behind it does not leave
//! the closure by reference.

use ndis_co::{irql::UpToDispatch, lock::SpinLock};

fn keep<'s>(state: &'s SpinLock<[u32; 4]>, irql: &mut UpToDispatch) -> Option<&'s mut u32> {
    state.with(irql, |state, _| state.first_mut())
}

fn main() {}
