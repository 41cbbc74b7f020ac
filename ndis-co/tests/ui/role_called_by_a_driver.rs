//! Only the crate itself ends what a role has on a binding, and offers it families.

#![forbid(unsafe_code)]

use ndis_co::{
    client::Client,
    irql::Passive,
    client::AsClient,
    protocol::{Binding, Role},
};

fn end<C: Client<Role = AsClient>>(binding: &Binding<C>, irql: &mut Passive) {
    <AsClient as Role<C>>::close(binding, irql);
    <AsClient as Role<C>>::offered(binding.clone(), core::ptr::dangling_mut(), irql);
}

fn main() {}
