//! Rules: VC-10, GEN-01
//!
//! Creating a VC asks the client before it returns, so no lock is held.

use ndis_co::{Status, irql::UpToDispatch, lock::SpinLock};
use ndis_mcm::{CallManager, Sap};

fn ring<M: CallManager<Vc = ()>>(
    calls: &SpinLock<u32>,
    sap: &Sap<M>,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    calls.with(irql, |calls, irql| {
        let vc = sap.create_vc((), irql)?;
        *calls += 1;
        drop(vc);
        Ok(())
    })
}

fn main() {}
