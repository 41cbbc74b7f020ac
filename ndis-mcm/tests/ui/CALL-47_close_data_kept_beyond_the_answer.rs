//! Rules: CALL-47, CALL-51
//!
//! The close data are the client's, lent until the close is answered.

use ndis_co::{Answer, irql::UpToDispatch};
use ndis_mcm::{CallManager, CloseCall};

fn close_call<'r, M: CallManager>(
    request: CloseCall<'r, M>,
    irql: &mut UpToDispatch,
) -> (Answer<'r>, usize) {
    let data = request.data();
    let answer = request.finish(irql);
    (answer, data.len())
}

fn main() {}
