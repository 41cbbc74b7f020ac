//! The network address is the adapter's: its miniport driver reads it, by the configuration of the
//! adapter. A protocol asks the adapter for its address.

use ndis_co::Configuration;

fn address(configuration: &Configuration<'_>) {
    let _ = configuration.network_address();
}

fn main() {}
