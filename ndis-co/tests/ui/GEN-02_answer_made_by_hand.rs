//! Rules: GEN-02
//!
//! Safe code gets an answer from a request's token and from nowhere else.

use ndis_co::{
    Answer, Status,
    answer::Request,
    client::{Client, IncomingCall},
};

fn incoming_call<'r, C: Client>(_call: IncomingCall<'r, C>) -> Answer<'r> {
    Request::new().answer(Status::PENDING)
}

fn main() {}
