//! Rules: NBL-11, GEN-01
//!
//! The client may send again before the completion returns, so no lock is
//! held: take the queue out of it first.

use ndis_co::{Status, irql::UpToDispatch, lock::SpinLock, mem::Vec};
use ndis_mcm::{MiniportCallManager, SendLists};

fn drain<M: MiniportCallManager>(queue: &SpinLock<Vec<SendLists<M>>>, irql: &mut UpToDispatch) {
    queue.with(irql, |queue, irql| {
        while let Some(lists) = queue.pop() {
            lists.complete(Status::SUCCESS, irql);
        }
    });
}

fn main() {}
