//! Rules: NBL-25
//!
//! Received lists are the miniport's. `keep` takes them along beyond the
//! callback, where the miniport allows it.

use ndis_co::{
    client::{Client, Received},
    mem::{OutOfMemory, Vec},
};

fn receive<C: Client>(
    later: &mut Vec<Received<'static, C>>,
    lists: Received<'_, C>,
) -> Result<(), OutOfMemory> {
    later.try_push(lists)
}

fn main() {}
