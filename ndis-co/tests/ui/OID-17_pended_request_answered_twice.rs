//! A pended OID request is completed once: the second token is used up by it as well.

use ndis_co::{
    irql::UpToDispatch,
    oid::{Door, PendingOidRequest},
};

fn later<D: Door>(request: PendingOidRequest<D>, irql: &mut UpToDispatch) {
    request.reply_u32(1, irql);
    request.not_supported(irql);
}

fn main() {}
