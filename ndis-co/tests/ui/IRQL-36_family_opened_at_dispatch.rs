//! Rules: IRQL-36, DV-04
//!
//! An address family is opened at PASSIVE_LEVEL. A callback that may run at
//! DISPATCH_LEVEL has no such proof to give.

use ndis_co::{
    Status,
    client::{AfOffer, Client},
    irql::UpToDispatch,
};

fn open<C: Client<Af = ()>>(offer: AfOffer<'_, C>, irql: &mut UpToDispatch) -> Result<(), Status> {
    offer.open((), irql)
}

fn main() {}
