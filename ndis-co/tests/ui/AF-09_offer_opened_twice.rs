//! Rules: AF-09
//!
//! An offered address family is opened once.

use ndis_co::{
    Status,
    client::{AfOffer, Client},
    irql::Passive,
};

fn address_family<C: Client<Af = ()>>(
    offer: AfOffer<'_, C>,
    irql: &mut Passive,
) -> Result<(), Status> {
    offer.open((), irql)?;
    offer.open((), irql)
}

fn main() {}
