//! The answer to an OID request is for the call that brought it: what is answered later is
//! pended.

use ndis_co::{
    Answer,
    lock::SpinLock,
    oid::{Door, OidRequest},
};

fn answer<'r, D: Door>(spare: &SpinLock<Option<Answer<'static>>>, request: OidRequest<'r, D>) {
    spare.set(Some(request.not_supported()));
}

fn main() {}
