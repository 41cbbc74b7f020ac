//! Raw bindings to NDIS 6.87, the Network Driver Interface Specification of
//! Windows, connection-oriented NDIS (CoNDIS) included: every type, constant,
//! function and handler type that `ndis.h` and its companions declare, and the
//! NT types that those need.
//!
//! What the documentation of connection-oriented NDIS demands of those who call
//! these functions is in the [rule book](rules).
//!
//! Every C name is reachable as `ndis_sys::NAME`, with the value, type and
//! layout that Microsoft's headers give it. Nothing here is safe; the crates
//! `ndis-co` and `ndis-mcm` are.
//!
//! ```
//! use ndis_sys::*;
//!
//! // Zeros are where a structure begins; its header makes it valid.
//! let mut characteristics: NDIS_MINIPORT_DRIVER_CHARACTERISTICS = zeroed();
//! characteristics.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS as u8;
//! characteristics.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 as u8;
//! characteristics.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 as u16;
//!
//! // A handler has a function type, and a member that holds it may be null.
//! unsafe extern "system" fn unload(_driver: PDRIVER_OBJECT) {}
//! let unload: MINIPORT_UNLOAD = unload;
//! characteristics.UnloadHandler = Some(unload);
//! ```
//!
//! # Where things are
//!
//! - Types, constants and functions are generated and checked in; the files of
//!   `src/generated` say from what.
//! - Macros that are no constants are written by hand. Those that C uses on
//!   both sides of an assignment return a pointer to the place:
//!   [`NET_BUFFER_LIST_NEXT_NBL`].
//! - Unnamed unions and structures are the members `u`, `u2`, ... and `s`,
//!   `s2`, ...: C's `nbl->Next` is `(*nbl).u.s.Next`.
//! - [`zeroed`] stands for the `Default` that there is not.
//!
//! On Windows the functions are imported from `ndis.sys` and `ntoskrnl.exe` by
//! name, without an import library. On any other system, and with the feature
//! `host`, they are left undefined: whoever links the program provides them.
//!
//! With the feature `wdk-sys` the NT types are those of the crate of that name,
//! for drivers that use both: a `*mut wdk_sys::DRIVER_OBJECT` is a
//! `*mut ndis_sys::DRIVER_OBJECT`. The README says what differs then.
//!
//! The README has the whole naming scheme, how the files are generated, and
//! what is proven about them.

#![no_std]
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "x86")))]
compile_error!("ndis-sys knows the layouts of x86_64, aarch64 and x86 only");

pub use core::ffi::c_void;

/// Keeps the first group where the functions are imported from Windows, and the
/// second where another crate of the program defines them. For crates that are
/// part of drivers: what belongs in an image only must not be in a test.
#[doc(hidden)]
#[macro_export]
#[cfg(all(windows, not(feature = "host")))]
macro_rules! __in_an_image {
    ({ $($image:tt)* } else { $($program:tt)* }) => { $($image)* };
}

#[doc(hidden)]
#[macro_export]
#[cfg(any(not(windows), feature = "host"))]
macro_rules! __in_an_image {
    ({ $($image:tt)* } else { $($program:tt)* }) => { $($program)* };
}

#[macro_use]
mod bits;
#[macro_use]
mod copy;
#[macro_use]
mod layout;
#[macro_use]
mod zero;
mod generated;
mod imports;
mod macros;
mod nt;
#[cfg_attr(doc, doc = include_str!("../docs/rules.md"))]
pub mod rules {}
#[cfg(all(windows, feature = "rt", any(not(feature = "host"), feature = "image")))]
mod rt;

pub use generated::*;
pub use imports::*;
pub use macros::*;
pub use nt::*;
pub use zero::{Zeroable, zeroed};
