//! Rules: AF-30, AF-31
//!
//! An address family that is owned is closed once, and is gone then.

use ndis_co::{
    client::{Client, OpenAf},
    irql::Passive,
};

fn close<C: Client>(af: OpenAf<C>, irql: &mut Passive) {
    af.close(irql);
    af.close(irql);
}

fn main() {}
