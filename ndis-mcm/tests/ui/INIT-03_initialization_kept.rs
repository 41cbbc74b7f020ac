//! Rules: INIT-03
//!
//! The value to register families on cannot leave the initialization.

use ndis_co::mem::{OutOfMemory, Vec};
use ndis_mcm::{MiniportCallManager, Initialize, Ready};

fn initialize<'i, M: MiniportCallManager>(
    later: &mut Vec<Initialize<'static, M, Ready>>,
    init: Initialize<'i, M, Ready>,
) -> Result<(), OutOfMemory> {
    later.try_push(init)
}

fn main() {}
