//! Rules: CFG-07, CFG-06
//!
//! The configuration of a bind ends with it: the driver cannot keep it for the binding. Read what
//! is wanted; later, `Binding::configuration` opens it again.

use ndis_co::{Configuration, NewBinding, Status, irql::Passive};

fn keep(
    adapter: &NewBinding<'_>,
    irql: &mut Passive,
) -> Result<Configuration<'static>, Status> {
    adapter.configuration(irql)
}

fn main() {}
