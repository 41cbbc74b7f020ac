//! Rules: VC-25
//!
//! A deleted VC is gone: a new call wants a new VC.

use ndis_co::{irql::UpToDispatch, params::CallParametersBuf};
use ndis_mcm::{Active, CallManager, CreatedVc, Vc};

fn offer<M: CallManager>(
    vc: CreatedVc<'_, M, Active>,
    parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) -> Vc<M> {
    vc.delete(irql);
    vc.dispatch_incoming_call(parameters, irql)
}

fn main() {}
