//! Rules: INIT-03, INIT-05
//!
//! Families are registered on the value that `Miniport::initialize` is lent,
//! and nowhere else: an adapter that runs has no such method.

use ndis_co::{family::AddressFamily, irql::Passive};
use ndis_mcm::{Adapter, MiniportCallManager, Status};

fn restart<M: MiniportCallManager>(
    adapter: &Adapter<M>,
    family: AddressFamily,
    irql: &mut Passive,
) -> Result<(), Status> {
    adapter.register_address_family(family, irql)
}

fn main() {}
