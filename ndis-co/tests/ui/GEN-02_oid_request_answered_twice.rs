//! An OID request has one answer: its token is used up by it.

use ndis_co::{
    Answer, Status,
    oid::{Door, OidRequest},
};

fn answer<'r, D: Door>(request: OidRequest<'r, D>) -> Answer<'r> {
    let _first = request.reply(&[1]);
    request.refuse(Status::FAILURE)
}

fn main() {}
