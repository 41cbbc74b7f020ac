//! Rules: CALL-08, CALL-13, GEN-02
//!
//! A call that a client places is answered once.

use ndis_co::{Answer, Status, irql::UpToDispatch};
use ndis_mcm::{CallManager, MakeCall};

fn make_call<'r, M: CallManager>(request: MakeCall<'r, M>, irql: &mut UpToDispatch) -> Answer<'r> {
    let _ = request.refuse(Status::NO_ROUTE_TO_DESTINATION);
    request.accept(irql)
}

fn main() {}
