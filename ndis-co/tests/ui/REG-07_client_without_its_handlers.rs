//! Rules: REG-07
//!
//! A driver that registers as a client implements `Client`: its handlers are what NDIS gets.

use ndis_co::{
    Status,
    irql::Passive,
    client::{AsClient, NewBinding, Protocol},
};

struct Mute;

impl Protocol for Mute {
    const NAME: &'static str = "MUTE";

    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }
}

fn main() {}
