//! Rules: INIT-02
//!
//! An initialization that has set nothing cannot be finished.

use ndis_mcm::{CallManager, Initialize, Initialized, New, Status};

fn initialize<'i, M: CallManager>(init: Initialize<'i, M, New>) -> Result<Initialized<'i>, Status> {
    Ok(init.finish())
}

fn main() {}
