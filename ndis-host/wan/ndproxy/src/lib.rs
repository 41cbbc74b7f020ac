//! The model of NDPROXY as Windows loads a driver: it does what its registry key says, see
//! [`Configured`].

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub use ndis_wan_models::ndproxy::{Configured, Ndproxy};

ndis_co::driver_entry!(Ndproxy);
