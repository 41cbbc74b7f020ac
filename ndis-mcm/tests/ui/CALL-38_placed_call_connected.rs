//! Rules: CALL-38
//!
//! A client is told "connected" of a call that came to it, and learns of one
//! that it placed by the answer: a VC alone has no `connect`.

use ndis_co::irql::UpToDispatch;
use ndis_mcm::{CallManager, Vc};

fn call_connected<M: CallManager>(vc: &Vc<M>, irql: &mut UpToDispatch) {
    vc.connect(irql);
}

fn main() {}
