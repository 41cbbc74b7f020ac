//! Rules: NBL-12
//!
//! Completed lists are not looked at any more, nor is their data.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{MiniportCallManager, SendLists};

fn send<M: MiniportCallManager>(lists: SendLists<M>, irql: &mut UpToDispatch) -> usize {
    let packet = lists.buffers().next();
    lists.complete(Status::SUCCESS, irql);
    packet.map_or(0, |packet| packet.len())
}

fn main() {}
