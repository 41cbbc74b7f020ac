//! Rules: CALL-28, CALL-29, GEN-02
//!
//! One call, one answer: refusing uses the request up.

use ndis_co::{
    Answer, Status,
    client::{Client, IncomingCall},
};

fn incoming_call<'r, C: Client>(call: IncomingCall<'r, C>) -> Answer<'r> {
    let _ = call.refuse(Status::RESOURCES);
    let (answer, _call) = call.accept();
    answer
}

fn main() {}
