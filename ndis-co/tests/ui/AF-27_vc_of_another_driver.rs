//! Rules: AF-27
//!
//! Two clients in one program are two types, and so is all that is theirs.

use ndis_co::{
    client::{Client, Vc},
    irql::UpToDispatch,
    nbl::NetBufferLists,
};

fn send<C: Client>(vc: &Vc<C>, frame: NetBufferLists, irql: &mut UpToDispatch) {
    let _ = vc.send(frame, irql);
}

fn forward<A: Client, B: Client>(from: &Vc<A>, frame: NetBufferLists, irql: &mut UpToDispatch) {
    send::<B>(from, frame, irql);
}

fn main() {}
