//! Rules: NBL-19
//!
//! Indicated lists are the client's until `CallManager::returned` brings them
//! home: they are neither indicated again nor looked at.

use ndis_co::{Status, irql::UpToDispatch, nbl::NetBufferLists};
use ndis_mcm::{MiniportCallManager, Vc};

fn to_both<M: MiniportCallManager>(
    one: &Vc<M>,
    other: &Vc<M>,
    frames: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    one.indicate_receive(frames, irql)?;
    other.indicate_receive(frames, irql)?;
    Ok(())
}

fn look<M: MiniportCallManager>(
    vc: &Vc<M>,
    frames: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<usize, Status> {
    vc.indicate_receive(frames, irql)?;
    Ok(frames.len())
}

fn main() {}
