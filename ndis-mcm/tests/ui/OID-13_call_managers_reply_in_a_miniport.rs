//! Rules: OID-13
//!
//! What is asked of a call manager is not answered by its miniport half, which is asked by
//! another door.

use ndis_co::{oid::known, sys::CO_TAPI_CM_CAPS};
use ndis_mcm::{Answer, Miniport, OidRequest};

fn answer<'r, M: Miniport>(caps: &CO_TAPI_CM_CAPS, request: OidRequest<'r, M>) -> Answer<'r> {
    request.reply_to(known::CO_TAPI_CM_CAPS, caps)
}

fn main() {}
