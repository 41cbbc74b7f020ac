//! Rules: NBL-02
//!
//! Sent lists belong to NDIS until `Client::send_complete` hands them back.

use ndis_co::{
    Status,
    client::{Client, Vc},
    irql::UpToDispatch,
    nbl::NetBufferLists,
};

fn send<C: Client>(
    vc: &Vc<C>,
    frames: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<usize, Status> {
    vc.send(frames, irql)?;
    Ok(frames.len())
}

fn main() {}
