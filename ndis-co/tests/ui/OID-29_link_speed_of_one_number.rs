//! The speed of a connection-oriented link is a pair, whatever the number means elsewhere.

use ndis_co::{
    Answer,
    oid::{Door, OidRequest, ToAdapter, known},
};

fn answer<'r, D: Door<Asked = ToAdapter>>(request: OidRequest<'r, D>) -> Answer<'r> {
    request.reply_to(known::GEN_CO_LINK_SPEED, &1_000_000_u32)
}

fn main() {}
