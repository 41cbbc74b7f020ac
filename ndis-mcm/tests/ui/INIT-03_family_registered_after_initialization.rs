//! Rules: INIT-03, AF-49
//!
//! Families are registered before the initialization is finished; finishing
//! uses it up.

use ndis_co::{family::AddressFamily, irql::Passive};
use ndis_mcm::{MiniportCallManager, Initialize, Initialized, Ready, Status};

fn initialize<'i, M: MiniportCallManager>(
    mut init: Initialize<'i, M, Ready>,
    family: AddressFamily,
    irql: &mut Passive,
) -> Result<Initialized<'i>, Status> {
    let initialized = init.finish();
    init.register_address_family(family, irql)?;
    Ok(initialized)
}

fn main() {}
