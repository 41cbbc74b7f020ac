//! Rules: INIT-02
//!
//! An initialization that has set nothing cannot be finished.

use ndis_mcm::{MiniportCallManager, Initialize, Initialized, New, Status};

fn initialize<'i, M: MiniportCallManager>(init: Initialize<'i, M, New>) -> Result<Initialized<'i>, Status> {
    Ok(init.finish())
}

fn main() {}
