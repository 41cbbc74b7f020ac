//! What the author of a Rust NDIS driver needs when the driver is built, not
//! when it runs: the linker's orders, see [`link`].
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     ndis_build::link();
//! }
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod link;

pub use link::link;
