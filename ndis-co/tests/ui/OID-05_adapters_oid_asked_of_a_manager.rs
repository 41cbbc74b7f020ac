//! What an adapter is asked is no request of its call manager.

use ndis_co::{
    client::{Af, Client},
    irql::Passive,
    oid::{OutgoingRequest, known},
};

fn ask<C: Client>(af: &Af<C>, irql: &mut Passive) {
    let request = OutgoingRequest::query(known::GEN_CO_LINK_SPEED).unwrap();
    let _ = af.request(request, irql);
}

fn main() {}
