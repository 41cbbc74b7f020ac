//! Rules: CALL-24, VC-02, VC-31
//!
//! For an incoming call the VC is created, then activated, then the call is
//! offered.

use ndis_co::{Status, irql::UpToDispatch, params::CallParametersBuf};
use ndis_mcm::{CallManager, Sap, Vc};

fn ring<M: CallManager<Vc = ()>>(
    sap: &Sap<M>,
    parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) -> Result<Vc<M>, Status> {
    let vc = sap.create_vc((), irql)?;
    Ok(vc.dispatch_incoming_call(parameters, irql))
}

fn main() {}
