//! Rules: NBL-19, NBL-22
//!
//! What is indicated is the driver's own: a client's lists are copied into
//! lists from a pool for receives.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{MiniportCallManager, SendLists, Vc};

fn reflect<M: MiniportCallManager>(
    vc: &Vc<M>,
    lists: SendLists<M>,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    vc.indicate_receive(lists, irql)?;
    Ok(())
}

fn main() {}
