//! Rules: AF-29, SAP-11
//!
//! An address family is closed when everything beneath it has ended: first
//! deregister the SAP, or keep it, and it ends with the family.

use ndis_co::{
    Status,
    address::SapAddressBuf,
    client::{Client, OpenAf},
    irql::Passive,
};

fn af_opened<C: Client<Sap = ()>>(
    af: OpenAf<C>,
    address: SapAddressBuf,
    irql: &mut Passive,
) -> Result<(), Status> {
    let sap = af.register_sap((), address, irql)?;
    af.close(irql);
    sap.deregister(irql);
    Ok(())
}

fn main() {}
