//! What NDIS shows of a value is gone when the configuration is closed. Copy what is to be kept.

use ndis_co::{Binding, Protocol, Status, irql::Passive, wide::Utf16};

fn peer<'b, P: Protocol>(
    binding: &'b Binding<P>,
    irql: &'b mut Passive,
) -> Result<Option<Utf16<'b>>, Status> {
    let configuration = binding.configuration(irql)?;
    configuration.get_str("Peer")
}

fn main() {}
