//! Rules: NBL-25
//!
//! A view of received data ends with the lists: copy what is needed.

use ndis_co::{
    client::{Client, Received},
    nbl::ListView,
};

fn receive<C: Client>(last: &mut Option<ListView<'static>>, lists: Received<'_, C>) {
    *last = lists.iter().last();
}

fn main() {}
