//! Rules: AF-09, AF-10
//!
//! An offer is good during its callback. To remember what was offered, copy
//! `offer.family()`.

use ndis_co::{
    client::{AfOffer, Client},
    mem::{OutOfMemory, Vec},
};

fn address_family<C: Client>(
    later: &mut Vec<AfOffer<'static, C>>,
    offer: AfOffer<'_, C>,
) -> Result<(), OutOfMemory> {
    later.try_push(offer)
}

fn main() {}
