//! Whoever may run at DISPATCH_LEVEL does not wait for an answer.

use ndis_co::{
    client::{Af, Client},
    irql::UpToDispatch,
    oid::{OutgoingRequest, ToManager},
};

fn ask<C: Client>(af: &Af<C>, request: OutgoingRequest<ToManager>, irql: &mut UpToDispatch) {
    let _ = af.request_and_wait(request, irql);
}

fn main() {}
