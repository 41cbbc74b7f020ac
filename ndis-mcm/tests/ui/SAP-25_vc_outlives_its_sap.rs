//! Rules: SAP-25
//!
//! A VC is created to call one SAP and borrows it until the call is offered;
//! `keep` makes it storable.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{CallManager, Sap};

fn ring<M: CallManager<Vc = ()>>(sap: Sap<M>, irql: &mut UpToDispatch) -> Result<(), Status> {
    let vc = sap.create_vc((), irql)?;
    drop(sap);
    vc.delete(irql);
    Ok(())
}

fn main() {}
