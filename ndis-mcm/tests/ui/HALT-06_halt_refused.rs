//! Rules: HALT-06
//!
//! A halt cannot be refused: its callback has no way to say no.

use ndis_co::irql::Passive;
use ndis_mcm::{Adapter, Initialize, Initialized, Miniport, New, Connectionless, Status};

struct Clinging;

impl Miniport for Clinging {
    type Adapter = ();
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        _: Initialize<'i, Self, New>,
        _: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Err(Status::FAILURE)
    }

    fn halt(&self, _: &Adapter<Self>, _: &mut Passive) -> Status {
        Status::NOT_ACCEPTED
    }
}

fn main() {}
