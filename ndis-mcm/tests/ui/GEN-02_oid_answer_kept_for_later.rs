//! What a miniport answers later is pended: the answer is for the call that brought the request.

use ndis_co::lock::SpinLock;
use ndis_mcm::{Answer, Miniport, OidRequest};

struct Nic {
    spare: SpinLock<Option<Answer<'static>>>,
}

fn answer<'r, M: Miniport>(nic: &Nic, request: OidRequest<'r, M>) {
    nic.spare.set(Some(request.reply_u32(1)));
}

fn main() {}
