//! Rules: GEN-01
//!
//! A send may come back, complete, before it returns, so no lock is held
//! across it.

use ndis_co::{
    client::{Client, Vc},
    irql::UpToDispatch,
    lock::SpinLock,
    nbl::NetBufferLists,
};

fn send<C: Client>(
    sent: &SpinLock<u32>,
    vc: &Vc<C>,
    frame: NetBufferLists,
    irql: &mut UpToDispatch,
) {
    sent.with(irql, |sent, irql| {
        if vc.send(frame, irql).is_ok() {
            *sent += 1;
        }
    });
}

fn main() {}
