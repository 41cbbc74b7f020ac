//! Rules: NBL-36
//!
//! Received lists that clones are made of belong to their parent, which returns
//! them when the last clone is back.

use ndis_co::{
    Status,
    client::{Client, Kept},
    irql::UpToDispatch,
    nbl::{NetBufferListPool, NetBufferLists, Parent},
};

fn relay<C: Client>(
    kept: Kept<C>,
    pool: &NetBufferListPool,
    irql: &mut UpToDispatch,
) -> Result<NetBufferLists, Status> {
    let parent = Parent::try_new(kept)?;
    let clones = parent.allocate_clones(pool)?;
    kept.give_back(irql);
    Ok(clones)
}

fn main() {}
