//! Rules: NBL-02
//!
//! Lists are sent once; the next time is after they are back.

use ndis_co::{
    Status,
    client::{Client, Vc},
    irql::UpToDispatch,
    nbl::NetBufferLists,
};

fn send_to_both<C: Client>(
    one: &Vc<C>,
    other: &Vc<C>,
    frames: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    one.send(frames, irql)?;
    other.send(frames, irql)?;
    Ok(())
}

fn main() {}
