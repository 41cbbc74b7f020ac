//! A request and its buffer are the target's until it is answered.

use ndis_co::{
    client::{Af, Client},
    irql::Passive,
    oid::{OutgoingRequest, known},
};

fn ask<C: Client>(af: &Af<C>, irql: &mut Passive) {
    let request = OutgoingRequest::query(known::CO_TAPI_CM_CAPS).unwrap();
    let _ = af.request(request, irql);
    let _ = af.request(request, irql);
}

fn main() {}
