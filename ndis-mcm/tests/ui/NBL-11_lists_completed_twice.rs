//! Rules: NBL-11, NBL-12
//!
//! A client's lists are completed once, and are the client's then.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{MiniportCallManager, SendLists};

fn send<M: MiniportCallManager>(lists: SendLists<M>, irql: &mut UpToDispatch) {
    lists.complete(Status::SUCCESS, irql);
    lists.complete(Status::FAILURE, irql);
}

fn main() {}
