//! Rules: VC-31, VC-48
//!
//! One activation brings a VC up.

use ndis_co::{Status, irql::UpToDispatch, params::CallParametersBuf};
use ndis_mcm::{CallManager, CreatedVc, Inactive};

fn activate<M: CallManager>(
    vc: CreatedVc<'_, M, Inactive>,
    parameters: CallParametersBuf,
    other: CallParametersBuf,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    let vc = vc
        .activate(parameters, irql)
        .map_err(|failed| failed.status)?;
    let _vc = vc.activate(other, irql);
    Ok(())
}

fn main() {}
