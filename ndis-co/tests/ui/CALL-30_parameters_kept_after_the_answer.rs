//! Rules: CALL-30
//!
//! The parameters of an incoming call are the call manager's, lent until the
//! answer: copy what is needed before.

use ndis_co::{
    Answer,
    client::{Client, IncomingCall},
};

fn incoming_call<'r, C: Client>(call: IncomingCall<'r, C>) -> Answer<'r> {
    let parameters = call.parameters();
    let (answer, call) = call.accept();
    let _ = call.keep();
    let _flags = parameters.map(|parameters| parameters.flags());
    answer
}

fn main() {}
