//! Rules: AF-19, AF-24
//!
//! Letting a client in takes the context that NDIS will pass for it.

use ndis_co::{Answer, irql::UpToDispatch};
use ndis_mcm::{CallManager, OpenAf, PendingOpenAf};

fn open_af<'r, M: CallManager>(request: OpenAf<'r, M>) -> Answer<'r> {
    request.accept()
}

fn answer_later<M: CallManager>(request: PendingOpenAf<M>, irql: &mut UpToDispatch) {
    request.accept(irql);
}

fn main() {}
