//! Rules: GEN-02
//!
//! An answer belongs to one request, of one kind and of one client.

use ndis_co::{Answer, Status};
use ndis_mcm::{CallManager, CloseAf, MakeCall};

fn answer<'a, 'b, M: CallManager>(
    call: MakeCall<'a, M>,
    close: CloseAf<'b, M>,
) -> (Answer<'a>, Answer<'b>) {
    let of_call = call.refuse(Status::FAILURE);
    let of_close = close.finish();
    (of_close, of_call)
}

fn main() {}
