//! Rules: CALL-28
//!
//! A request cannot be let drop: only its token makes what the callback
//! returns.

use ndis_co::{
    Answer,
    client::{Client, IncomingCall},
};

fn incoming_call<'r, C: Client>(call: IncomingCall<'r, C>) -> Answer<'r> {
    drop(call);
}

fn main() {}
