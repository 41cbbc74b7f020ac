//! Rules: BIND-18
//!
//! What ends everything on a binding belongs to the unbind: no driver can call it.

use ndis_co::{
    client::Client,
    irql::Passive,
    client::AsClient,
    protocol::{Binding, Role},
};

fn restarted<C: Client>(binding: &Binding<C>, irql: &mut Passive) {
    <AsClient as Role<C>>::close(binding, irql);
}

fn main() {}
