//! Rules: AF-13, AF-17, SAP-01
//!
//! SAPs are registered on an open address family: in `Client::af_opened`, not
//! where it is offered.

use ndis_co::{
    Status,
    address::SapAddressBuf,
    client::{AfOffer, Client},
    irql::Passive,
};

fn address_family<C: Client<Sap = ()>>(
    offer: AfOffer<'_, C>,
    address: SapAddressBuf,
    irql: &mut Passive,
) -> Result<(), Status> {
    let _sap = offer.register_sap((), address, irql)?;
    Ok(())
}

fn main() {}
