//! Safe Rust for Connection-Oriented NDIS (CoNDIS): what every CoNDIS driver
//! shares, and *clients*, the protocol drivers that place and take calls.
//!
//! Miniport call managers are in the sister crate `ndis-mcm`; the raw
//! bindings in `ndis-sys`; `ndis-host` runs drivers in a test.

#![no_std]
#![deny(missing_docs)]
#![warn(rustdoc::broken_intra_doc_links)]

pub mod address;
pub mod answer;
pub mod bugcheck;
pub mod client;
pub mod event;
pub mod family;
pub mod irql;
mod load;
pub mod lock;
pub mod mem;
pub mod nbl;
pub mod once;
pub mod owner;
pub mod params;
pub mod raw;
pub mod status;
pub mod timer;
pub mod work;

pub use answer::Answer;
pub use load::Load;
pub use ndis_sys as sys;
pub use status::Status;
