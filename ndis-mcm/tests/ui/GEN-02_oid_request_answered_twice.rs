//! A request that reached the adapter has one answer: its token is used up by it.

use ndis_co::irql::NoLock;
use ndis_mcm::{Answer, Miniport, OidRequest, PendingOidRequest, Status};

fn now<'r, M: Miniport>(request: OidRequest<'r, M>) -> Answer<'r> {
    let _first = request.reply(&[1]);
    request.not_supported()
}

fn later<M: Miniport>(request: PendingOidRequest<M>, irql: &mut impl NoLock) {
    request.reply_u32(1, irql);
    request.refuse(Status::REQUEST_ABORTED, irql);
}

fn main() {}
