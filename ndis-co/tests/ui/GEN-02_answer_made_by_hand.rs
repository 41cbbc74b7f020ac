//! Rules: GEN-02
//!
//! Safe code gets an answer from a request's token and from nowhere else.

use core::marker::PhantomData;
use ndis_co::{
    Answer, Status,
    client::{Client, IncomingCall},
};

fn incoming_call<'r, C: Client>(_call: IncomingCall<'r, C>) -> Answer<'r> {
    Answer::from_status(Status::PENDING, PhantomData)
}

fn main() {}
