//! A completion may come back into the driver, so it is not made under a lock.

use ndis_co::{
    irql::UpToDispatch,
    lock::SpinLock,
    oid::{Door, PendingOidRequest},
};

fn later<D: Door>(waits: &SpinLock<Option<PendingOidRequest<D>>>, irql: &mut UpToDispatch) {
    waits.with(irql, |waits, irql| {
        if let Some(request) = waits.take() {
            request.reply_u32(1, irql);
        }
    });
}

fn main() {}
