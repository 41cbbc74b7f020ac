//! Rules: CFG-01, CFG-05
//!
//! A configuration is read at PASSIVE_LEVEL, so not under a spin lock: while it is open it keeps the
//! proof that a lock would borrow. Read first, then lock.

use ndis_co::{Binding, Protocol, Status, irql::Passive, lock::SpinLock};

fn calls<P: Protocol>(
    binding: &Binding<P>,
    kept: &SpinLock<u32>,
    irql: &mut Passive,
) -> Result<(), Status> {
    let configuration = binding.configuration(irql)?;
    kept.with(irql, |kept, _| {
        *kept = configuration.get_u32("Calls").ok().flatten().unwrap_or(3);
    });
    Ok(())
}

fn main() {}
