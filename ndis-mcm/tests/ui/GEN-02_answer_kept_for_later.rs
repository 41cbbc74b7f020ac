//! Rules: GEN-02
//!
//! What is answered later is pended: its second token can be stored, the
//! answer cannot.

use ndis_co::{Answer, Status, irql::UpToDispatch, lock::SpinLock};
use ndis_mcm::{CallManager, MakeCall};

fn make_call<'r, M: CallManager>(
    spare: &SpinLock<Option<Answer<'static>>>,
    request: MakeCall<'r, M>,
    irql: &mut UpToDispatch,
) {
    let _ = irql;
    spare.set(Some(request.refuse(Status::FAILURE)));
}

fn main() {}
