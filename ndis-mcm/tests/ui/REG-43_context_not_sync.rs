//! Rules: REG-43, NBL-15
//!
//! Callbacks run on several processors at once and share the contexts: what
//! changes in one goes into a `SpinLock`.

use core::cell::RefCell;
use ndis_co::{irql::Passive, mem::Vec};
use ndis_mcm::{Initialize, Initialized, Miniport, New, Connectionless, Status};

struct Queueing;

impl Miniport for Queueing {
    type Adapter = RefCell<Vec<u8>>;
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        _: Initialize<'i, Self, New>,
        _: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Err(Status::FAILURE)
    }
}

fn main() {}
