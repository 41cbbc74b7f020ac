//! Rules: INIT-06, REG-06
//!
//! Only a driver that registers as connection-oriented call manager can
//! register a family; NDIS would answer with a failure.

use ndis_co::{family::AddressFamily, irql::Passive};
use ndis_mcm::{Initialize, Initialized, Miniport, New, Connectionless, Status};

const FAMILY: AddressFamily = AddressFamily::new(ndis_co::family::Family::new(77), 1, 0);

struct Card;

impl Miniport for Card {
    type Adapter = ();
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&ndis_mcm::Attributes::wan(), irql)?;
        let mut init = init.adapter(())?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }
}

fn main() {}
