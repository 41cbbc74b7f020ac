//! # An embedded NDIS
//!
//! Runs connection-oriented network drivers in one process, deterministically.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod chart;
mod co;
mod core;
mod cx;
#[allow(non_snake_case)]
mod export;
mod fault;
mod handle;
mod host;
mod ke;
mod log;
mod net;
pub mod platform;
mod readings;
mod report;
mod rng;
pub mod rules;
mod sched;
mod state;
mod status;
pub mod text;
mod view;

pub use export::exported;
pub use handle::{Kind, ObjectId};
pub use host::{Adapter, Builder, Driver, EntryPoint, Host};
pub use log::{Event, EventKind, EventMode, Past};
pub use readings::*;
pub use report::{ObjectLeft, Report, Violation};
pub use status::Name as StatusName;
