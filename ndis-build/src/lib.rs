//! What a network driver written in Rust needs beside its code.
//!
//! - [`link`]: the linker's orders, for the driver's build script.
//! - `inf`, with the feature of that name: the INF file that installs the
//!   driver, generated from its `Cargo.toml`, and a checker for INF files.
//!   The `ndis-inf` tool is the same on the command line.
//!
//! ```no_run
//! // All of a driver's build.rs, in `main`:
//! ndis_build::link();
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]

#[cfg(feature = "inf")]
pub mod inf;
mod link;

pub use link::{link, orders};
