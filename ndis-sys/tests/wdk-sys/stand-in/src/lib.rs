//! Stands in for `wdk-sys` where that cannot be built.
//!
//! It has the types that ndis-sys takes from there and what they need, as bindgen makes them with
//! the settings of wdk-sys, and a few functions of its module `ntddk`: enough to check that a
//! driver which mixes both crates compiles. `cargo xtask bindgen` writes all but this file; the
//! methods that read and write bit-fields are left out.

#![no_std]
#![allow(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    unused_imports
)]

#[rustfmt::skip]
mod types {
    mod common;
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

/// Functions of the kernel.
#[rustfmt::skip]
pub mod ntddk {
    mod common;
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

pub use types::*;

/// Bytes that hold bit-fields. bindgen's is longer; it is as large.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct __BindgenBitfieldUnit<Storage> {
    storage: Storage,
}

/// An array at the end of a record that is as long as the record says.
#[repr(C)]
#[derive(Debug, Default)]
pub struct __IncompleteArrayField<T>([T; 0]);
