//! Rules: VC-43, VC-35
//!
//! The parameters are the call manager's, lent until the activation is completed: copy what
//! is needed before.

use ndis_co::{irql::UpToDispatch, params::CallFlags};
use ndis_mcm::co::{PendingActivateVc, VcMiniport};

fn later<M: VcMiniport>(
    request: PendingActivateVc<M>,
    irql: &mut UpToDispatch,
) -> Option<CallFlags> {
    let parameters = request.parameters();
    request.accept(irql);
    parameters.map(|parameters| parameters.flags())
}

fn main() {}
