//! Rules: CALL-02
//!
//! The parameters are the client's, lent until the call is answered: copy what
//! is needed before.

use ndis_co::{irql::UpToDispatch, params::CallFlags};
use ndis_mcm::{CallManager, PendingMakeCall};

fn answer<M: CallManager>(
    caller: PendingMakeCall<M>,
    irql: &mut UpToDispatch,
) -> Option<CallFlags> {
    let parameters = caller.parameters();
    caller.accept(irql);
    parameters.map(|parameters| parameters.flags())
}

fn main() {}
