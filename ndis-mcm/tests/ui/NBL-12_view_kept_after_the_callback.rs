//! Rules: NBL-12
//!
//! A view of a client's data ends with the lists that it looks into: hold the
//! lists, or copy.

use ndis_co::{irql::UpToDispatch, lock::SpinLock, nbl::ListView};
use ndis_mcm::{MiniportCallManager, SendLists};

fn send<M: MiniportCallManager>(
    last: &SpinLock<Option<ListView<'static>>>,
    lists: SendLists<M>,
    irql: &mut UpToDispatch,
) {
    last.with(irql, |last, _| *last = lists.iter().next());
}

fn main() {}
