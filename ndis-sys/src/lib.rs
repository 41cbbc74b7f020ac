//! Raw bindings to NDIS 6.87, the Network Driver Interface Specification of
//! Windows, connection-oriented NDIS (CoNDIS) included: every type, constant,
//! function and handler type that `ndis.h` and its companions declare, and the
//! NT types that those need.
//!
//! Every C name is reachable as `ndis_sys::NAME`. Nothing here is safe; the
//! crates `ndis-co` and `ndis-mcm` are. See the README for the naming scheme,
//! for how the files were generated, and for what is proven about them.
//!
//! On Windows the functions are imported from `ndis.sys` and `ntoskrnl.exe` by
//! name, without an import library. On any other system, and with the feature
//! `host`, they are left undefined: whoever links the program provides them.

#![no_std]
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "x86")))]
compile_error!("ndis-sys knows the layouts of x86_64, aarch64 and x86 only");

pub use core::ffi::c_void;

#[macro_use]
mod bits;
#[macro_use]
mod layout;
#[macro_use]
mod zero;
mod generated;
mod imports;
mod macros;
mod nt;

pub use generated::*;
pub use imports::*;
pub use macros::*;
pub use nt::*;
pub use zero::{Zeroable, zeroed};
