//! What a network driver written in Rust needs beside its code.
//!
//! - `inf`, with the feature of that name: the INF file that installs the
//!   driver, generated from its `Cargo.toml`, and a checker for INF files.
//!   The `ndis-inf` tool is the same on the command line.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

#[cfg(feature = "inf")]
pub mod inf;
