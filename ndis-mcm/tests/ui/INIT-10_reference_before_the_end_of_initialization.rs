//! Rules: INIT-10
//!
//! An initialization that fails is followed by no halt, so nobody would ask for a
//! reference that the driver had stored by then: it gets one in
//! `Miniport::initialized`, when nothing can fail any more.

use ndis_co::irql::Passive;
use ndis_mcm::{Adapter, Initialize, Initialized, Miniport, Ready, Status};
use std::sync::Mutex;

fn initialize<'i, M: Miniport>(
    stored: &Mutex<Option<Adapter<M>>>,
    init: Initialize<'i, M, Ready>,
    _irql: &mut Passive,
) -> Result<Initialized<'i>, Status> {
    *stored.lock().unwrap() = Some(init.adapter_ref());
    Ok(init.finish())
}

fn main() {}
