//! Rules: NBL-44
//!
//! What a clone shows is the original's own memory: a driver that keeps a way
//! to write it cannot make clones of it.

use ndis_co::{
    Status,
    nbl::{NetBufferList, NetBufferListPool, NetBufferLists, Parent},
};

fn duplicate(mut list: NetBufferList, pool: &NetBufferListPool) -> Result<(), Status> {
    let mut packet = list.single_mut().ok_or(Status::INVALID_PARAMETER)?;
    let parent = Parent::try_new(NetBufferLists::from(list))?;
    let _clones = parent.allocate_clones(pool)?;
    packet.set_data(b"changed")
}

fn main() {}
