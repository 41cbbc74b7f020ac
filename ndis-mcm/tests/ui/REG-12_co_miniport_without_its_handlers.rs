//! Rules: REG-12
//!
//! A connection-oriented miniport has all six handlers.

use ndis_co::irql::Passive;
use ndis_mcm::{Attributes, CoMiniport, Initialize, Initialized, Miniport, New, Status};

struct Card;

impl Miniport for Card {
    type Adapter = ();
    type Role = CoMiniport;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Ok(init
            .attributes(&Attributes::wan(), irql)?
            .adapter(())?
            .finish())
    }
}

fn main() {}
