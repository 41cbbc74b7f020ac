//! Rules: GEN-02, CALL-29
//!
//! An answer belongs to one request. It cannot be given to another one, and
//! so cannot be kept for later either.

use ndis_co::{
    Answer, Status,
    client::{Client, IncomingCall},
};

fn answer<'a, 'b, C: Client>(
    first: IncomingCall<'a, C>,
    second: IncomingCall<'b, C>,
) -> (Answer<'a>, Answer<'b>) {
    let of_first = first.refuse(Status::FAILURE);
    let of_second = second.refuse(Status::FAILURE);
    (of_second, of_first)
}

fn main() {}
