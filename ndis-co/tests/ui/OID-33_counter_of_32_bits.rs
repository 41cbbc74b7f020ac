//! A counter has 64 bits; who asks may take half of it.

use ndis_co::{
    Answer,
    oid::{Door, OidRequest, ToAdapter, known},
};

fn answer<'r, D: Door<Asked = ToAdapter>>(sent: u32, request: OidRequest<'r, D>) -> Answer<'r> {
    request.reply_to(known::GEN_CO_XMIT_PDUS_OK, &sent)
}

fn main() {}
