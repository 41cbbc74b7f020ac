//! Rules: SAP-26, VC-06
//!
//! A VC is created from the SAP that is called, and carries it: there is no
//! place to name another one.

use ndis_co::{irql::UpToDispatch, params::CallParametersBuf};
use ndis_mcm::{Active, CallManager, CreatedVc, Sap};

fn offer<M: CallManager>(
    vc: CreatedVc<'_, M, Active>,
    to: &Sap<M>,
    parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) {
    vc.dispatch_incoming_call(to, parameters, irql);
}

fn main() {}
