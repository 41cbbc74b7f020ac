//! Rules: GEN-01
//!
//! The client may send, or give the lists back, before the indication returns,
//! so no lock is held.

use ndis_co::{irql::UpToDispatch, lock::SpinLock, nbl::NetBufferLists};
use ndis_mcm::{MiniportCallManager, Vc};

fn deliver<M: MiniportCallManager>(
    delivered: &SpinLock<u32>,
    vc: &Vc<M>,
    frames: NetBufferLists,
    irql: &mut UpToDispatch,
) {
    delivered.with(irql, |delivered, irql| {
        if vc.indicate_receive(frames, irql).is_ok() {
            *delivered += 1;
        }
    });
}

fn main() {}
