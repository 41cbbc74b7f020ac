//! Rules: DV-14
//!
//! The proof of DISPATCH_LEVEL that a lock lends ends with the closure.

use ndis_co::{
    irql::{AtDispatch, UpToDispatch},
    lock::SpinLock,
};

fn keep<'s>(state: &'s SpinLock<u32>, irql: &'s mut UpToDispatch) -> &'s mut AtDispatch {
    state.with(irql, |_, irql| irql)
}

fn main() {}
