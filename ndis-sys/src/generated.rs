//! What `cargo xtask bindgen` writes. What is equal on all architectures
//! stands in `common`, `constants` and `functions`; the rest in the file of
//! its architecture. Each item is there once.
//!
//! The types that the crate shares with `wdk-sys`, all of them from NT's headers
//! and not NDIS's, are defined in `nt`. With the feature `wdk-sys` they are that
//! crate's, and `wdk` lists and checks them; but only on Windows, since there is
//! no such crate elsewhere.

#[rustfmt::skip]
mod common;
#[rustfmt::skip]
mod constants;
#[rustfmt::skip]
mod functions;

#[cfg(test)]
#[rustfmt::skip]
mod layout;
#[cfg(all(test, target_pointer_width = "64"))]
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

#[cfg(not(all(windows, feature = "wdk-sys")))]
#[rustfmt::skip]
mod nt {
    mod common;
    #[cfg(test)]
    mod layout;
    #[cfg(all(test, target_pointer_width = "64"))]
    mod layout_64;

    #[cfg(target_arch = "aarch64")]
    #[path = "aarch64.rs"]
    mod native;
    #[cfg(target_arch = "x86")]
    #[path = "x86.rs"]
    mod native;
    #[cfg(target_arch = "x86_64")]
    #[path = "x86_64.rs"]
    mod native;

    pub use common::*;
    pub use native::*;
}

#[cfg(all(windows, feature = "wdk-sys"))]
#[rustfmt::skip]
mod wdk {
    mod common;
    mod layout;
    #[cfg(target_pointer_width = "64")]
    mod layout_64;

    #[cfg(target_arch = "aarch64")]
    #[path = "aarch64.rs"]
    mod native;
    #[cfg(target_arch = "x86")]
    #[path = "x86.rs"]
    mod native;
    #[cfg(target_arch = "x86_64")]
    #[path = "x86_64.rs"]
    mod native;

    pub use common::*;
    #[allow(unused_imports)]
    pub use native::*;
}

pub use common::*;
pub use constants::*;
pub use functions::*;
pub use native::*;
#[cfg(not(all(windows, feature = "wdk-sys")))]
pub use nt::*;
#[cfg(all(windows, feature = "wdk-sys"))]
pub use wdk::*;
