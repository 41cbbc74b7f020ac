//! Rules: VC-35
//!
//! NDIS has the parameters as long as the activation lasts.

use ndis_co::{
    irql::UpToDispatch,
    params::{CallFlags, CallParametersBuf},
};
use ndis_mcm::{CallManager, CreatedVc, Inactive};

fn activate<M: CallManager>(
    vc: CreatedVc<'_, M, Inactive>,
    mut parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) {
    let _vc = vc.activate(parameters, irql);
    parameters.insert_flags(CallFlags::CHANGED);
}

fn main() {}
