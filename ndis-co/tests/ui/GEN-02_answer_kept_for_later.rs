//! Rules: GEN-02
//!
//! What is answered later is pended: its second token can be stored, the
//! answer cannot.

use ndis_co::{
    Answer, Status,
    client::{Client, IncomingCall},
    irql::UpToDispatch,
    lock::SpinLock,
};

fn incoming_call<'r, C: Client>(
    spare: &SpinLock<Option<Answer<'static>>>,
    call: IncomingCall<'r, C>,
    irql: &mut UpToDispatch,
) {
    let _ = irql;
    spare.set(Some(call.refuse(Status::FAILURE)));
}

fn main() {}
