//! The model of NDISWAN as Windows loads a driver: it does what its registry key says, see
//! [`Configured`].

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub use ndis_wan_models::ndiswan::{Configured, Ndiswan};

ndis_co::driver_entry!(Ndiswan);
