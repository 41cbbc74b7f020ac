//! Rules: CALL-08, CALL-13
//!
//! A request cannot be let drop: only its token makes what the callback
//! returns.

use ndis_co::Answer;
use ndis_mcm::{CallManager, MakeCall};

fn make_call<'r, M: CallManager>(request: MakeCall<'r, M>) -> Answer<'r> {
    drop(request);
}

fn main() {}
