//! What `cargo xtask bindgen` writes. What is equal on all architectures
//! stands in `common`, `constants` and `functions`; the rest in the file of
//! its architecture. Each item is there once.

#[rustfmt::skip]
mod common;
#[rustfmt::skip]
mod constants;
#[rustfmt::skip]
mod functions;

#[rustfmt::skip]
mod layout;
#[cfg(target_pointer_width = "64")]
#[rustfmt::skip]
mod layout_64;

#[cfg(target_arch = "aarch64")]
#[rustfmt::skip]
#[path = "generated/aarch64.rs"]
mod native;
#[cfg(target_arch = "x86")]
#[rustfmt::skip]
#[path = "generated/x86.rs"]
mod native;
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
#[path = "generated/x86_64.rs"]
mod native;

pub use common::*;
pub use constants::*;
pub use functions::*;
pub use native::*;
