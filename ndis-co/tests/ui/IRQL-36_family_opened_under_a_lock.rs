//! Rules: IRQL-36, DV-04, DV-14
//!
//! A held spin lock raises the level to DISPATCH_LEVEL and has the proof of
//! PASSIVE_LEVEL borrowed.

use ndis_co::{
    Status,
    client::{AfOffer, Client},
    irql::Passive,
    lock::SpinLock,
};

fn address_family<C: Client<Af = ()>>(
    opened: &SpinLock<u32>,
    offer: AfOffer<'_, C>,
    irql: &mut Passive,
) -> Result<(), Status> {
    opened.with(irql, |opened, _| {
        offer.open((), irql)?;
        *opened += 1;
        Ok(())
    })
}

fn main() {}
