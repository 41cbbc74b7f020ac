//! Rules: SAP-11, AF-29
//!
//! A SAP lives on its address family and not longer.

use ndis_co::{
    Status,
    address::SapAddressBuf,
    client::{Client, OpenAf, RegisteredSap},
    irql::Passive,
};

fn af_opened<'af, C: Client<Sap = ()>>(
    af: OpenAf<C>,
    address: SapAddressBuf,
    irql: &mut Passive,
) -> Result<RegisteredSap<'af, C>, Status> {
    af.register_sap((), address, irql)
}

fn main() {}
