//! What is only set has no value to answer with: it is read, and accepted or refused.

use ndis_co::{
    Answer,
    oid::{Door, OidRequest, ToAdapter, known},
};

fn answer<'r, D: Door<Asked = ToAdapter>>(request: OidRequest<'r, D>) -> Answer<'r> {
    request.reply_to(known::PNP_SET_POWER, &1)
}

fn main() {}
