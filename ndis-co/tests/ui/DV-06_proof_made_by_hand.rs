//! Rules: DV-06
//!
//! Safe code is lent proofs and cannot make one.

use ndis_co::{event::Event, irql::Passive};

fn wait(event: &Event) {
    let mut irql = Passive::assume();
    event.wait(&mut irql);
}

fn main() {}
