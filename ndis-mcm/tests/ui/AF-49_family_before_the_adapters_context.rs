//! Rules: AF-49, INIT-03
//!
//! Clients open a family at once: before it is registered, the adapter has the
//! context that their requests need.

use ndis_co::{family::AddressFamily, irql::Passive};
use ndis_mcm::{Attributed, MiniportCallManager, Initialize, Status};

fn initialize<M: MiniportCallManager>(
    mut init: Initialize<'_, M, Attributed>,
    family: AddressFamily,
    irql: &mut Passive,
) -> Result<(), Status> {
    init.register_address_family(family, irql)
}

fn main() {}
