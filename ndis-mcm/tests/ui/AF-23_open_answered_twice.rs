//! Rules: AF-18, AF-23, GEN-02
//!
//! A client that opens a family is answered once.

use ndis_co::{Answer, Status, irql::UpToDispatch};
use ndis_mcm::{CallManager, OpenAf, PendingOpenAf};

fn open_af<'r, M: CallManager<Af = ()>>(request: OpenAf<'r, M>) -> Answer<'r> {
    let _ = request.refuse(Status::RESOURCES);
    request.accept(())
}

fn answer_later<M: CallManager<Af = ()>>(request: PendingOpenAf<M>, irql: &mut UpToDispatch) {
    request.accept((), irql);
    request.refuse(Status::FAILURE, irql);
}

fn main() {}
