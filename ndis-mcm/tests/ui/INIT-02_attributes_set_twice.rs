//! Rules: INIT-02
//!
//! The attributes are set once, each kind in its place.

use ndis_co::irql::Passive;
use ndis_mcm::{Attributed, Attributes, MiniportCallManager, Initialize, New, Status};

fn initialize<'i, M: MiniportCallManager>(
    init: Initialize<'i, M, New>,
    irql: &mut Passive,
) -> Result<Initialize<'i, M, Attributed>, Status> {
    init.attributes(&Attributes::wan(), irql)?;
    init.attributes(&Attributes::wan().max_frame(4000), irql)
}

fn main() {}
