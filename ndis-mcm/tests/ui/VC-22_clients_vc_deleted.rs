//! Rules: VC-22
//!
//! Who created a VC deletes it: one that a client created is the client's.

use ndis_co::irql::UpToDispatch;
use ndis_mcm::{CallManager, PendingMakeCall};

fn give_up<M: CallManager>(caller: &PendingMakeCall<M>, irql: &mut UpToDispatch) {
    caller.vc().delete(irql);
}

fn main() {}
