//! What a call manager is asked it does not ask its clients.

use ndis_co::{
    cm::{Af, CallManager},
    irql::UpToDispatch,
    oid::{OutgoingRequest, known},
};

fn ask<M: CallManager>(af: &Af<M>, irql: &mut UpToDispatch) {
    let request = OutgoingRequest::query(known::CO_TAPI_CM_CAPS).unwrap();
    let _ = af.request(request, irql);
}

fn main() {}
