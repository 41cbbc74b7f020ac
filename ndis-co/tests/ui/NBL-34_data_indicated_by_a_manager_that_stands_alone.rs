//! Rules: NBL-34, VC-33
//!
//! A call manager that stands alone sets calls up. Their data is carried by the miniport
//! beneath.

use ndis_co::{
    cm::{StandaloneCallManager, Vc},
    irql::UpToDispatch,
    nbl::NetBufferLists,
};

fn forward<M: StandaloneCallManager>(
    vc: &Vc<M>,
    lists: NetBufferLists,
    irql: &mut UpToDispatch,
) {
    let _ = vc.indicate_receive(lists, irql);
}

fn main() {}
