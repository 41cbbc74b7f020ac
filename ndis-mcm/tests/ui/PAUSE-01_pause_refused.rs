//! Rules: PAUSE-01, DV-12
//!
//! A pause cannot be refused: its callback has no way to say no.

use ndis_co::irql::Passive;
use ndis_mcm::{Adapter, Initialize, Initialized, Miniport, New, Connectionless, Status};

struct Restless;

impl Miniport for Restless {
    type Adapter = ();
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        _: Initialize<'i, Self, New>,
        _: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Err(Status::FAILURE)
    }

    fn pause(&self, _: &Adapter<Self>, _: &mut Passive) -> Result<(), Status> {
        Err(Status::NOT_ACCEPTED)
    }
}

fn main() {}
