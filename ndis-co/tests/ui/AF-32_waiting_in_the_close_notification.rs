//! Rules: AF-32, IRQL-68
//!
//! `Client::af_closing` must not wait for the close; waiting demands the proof
//! of PASSIVE_LEVEL, which it is not lent.

use ndis_co::{
    client::{Af, Client},
    event::Event,
    irql::UpToDispatch,
};

fn af_closing<C: Client<Af = Event>>(af: &Af<C>, irql: &mut UpToDispatch) {
    af.close(irql);
    af.wait(irql);
}

fn main() {}
