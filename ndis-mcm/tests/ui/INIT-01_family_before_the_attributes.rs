//! Rules: INIT-01, INIT-03
//!
//! First the attributes, then the context, then the families.

use ndis_co::{family::AddressFamily, irql::Passive};
use ndis_mcm::{MiniportCallManager, Initialize, New, Status};

fn initialize<M: MiniportCallManager>(
    mut init: Initialize<'_, M, New>,
    family: AddressFamily,
    irql: &mut Passive,
) -> Result<(), Status> {
    init.register_address_family(family, irql)
}

fn main() {}
