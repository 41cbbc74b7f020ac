//! Rules: IRQL-01, DV-01
//!
//! Families are registered at PASSIVE_LEVEL. The first attempt has lost the
//! proof to a lock, the second one has the lock's own, the third one another.

use ndis_co::{
    family::AddressFamily,
    irql::{NoLock, Passive},
    lock::SpinLock,
};
use ndis_mcm::{MiniportCallManager, Initialize, Ready, Status};

fn with_the_callers_proof<M: MiniportCallManager>(
    init: &mut Initialize<'_, M, Ready>,
    families: &SpinLock<u32>,
    family: AddressFamily,
    irql: &mut Passive,
) -> Result<(), Status> {
    families.with(irql, |families, _| {
        init.register_address_family(family, irql)?;
        *families += 1;
        Ok(())
    })
}

fn with_the_locks_proof<M: MiniportCallManager>(
    init: &mut Initialize<'_, M, Ready>,
    families: &SpinLock<u32>,
    family: AddressFamily,
    irql: &mut Passive,
) -> Result<(), Status> {
    families.with(irql, |_, irql| init.register_address_family(family, irql))
}

fn without_knowing_the_level<M: MiniportCallManager>(
    init: &mut Initialize<'_, M, Ready>,
    family: AddressFamily,
    irql: &mut Passive,
) -> Result<(), Status> {
    init.register_address_family(family, irql.up_to_dispatch())
}

fn main() {}
