//! Rules: REG-06, REG-13
//!
//! An MCM is both halves, with every handler of both.

use ndis_co::irql::Passive;
use ndis_mcm::{Initialize, Initialized, Mcm, Miniport, New, Status};

struct Half;

impl Miniport for Half {
    type Adapter = ();
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        _: Initialize<'i, Self, New>,
        _: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Err(Status::FAILURE)
    }
}

fn main() {}
