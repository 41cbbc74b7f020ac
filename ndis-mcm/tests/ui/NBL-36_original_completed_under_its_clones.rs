//! Rules: NBL-36
//!
//! Lists that clones are made of belong to their parent, which completes them
//! when the last clone has come home.

use ndis_co::{
    Status,
    irql::UpToDispatch,
    nbl::{NetBufferListPool, NetBufferLists, Parent},
};
use ndis_mcm::{MiniportCallManager, SendLists};

fn send<M: MiniportCallManager>(
    lists: SendLists<M>,
    pool: &NetBufferListPool,
    irql: &mut UpToDispatch,
) -> Result<NetBufferLists, Status> {
    let parent = Parent::try_new(lists)?;
    let clones = parent.allocate_packet_clones(pool)?;
    lists.complete(Status::SUCCESS, irql);
    Ok(clones)
}

fn main() {}
