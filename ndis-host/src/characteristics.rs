//! Tables of handlers, as drivers hand them over: read as far as they are there, and
//! checked.

use crate::model::driver::Copied;
use alloc::string::String;
use core::mem::MaybeUninit;
use ndis_sys::NDIS_OBJECT_HEADER;

/// Copies a structure of which `size` bytes are there.
///
/// # Safety
///
/// `from` points to `size` readable bytes, and zeroes are a valid `T`.
pub(crate) unsafe fn copy<T>(from: *const T, size: usize) -> Copied<T> {
    let mut copy = MaybeUninit::<T>::zeroed();
    let size = size.min(size_of::<T>());
    // SAFETY: `size` bytes are readable by contract, and as many fit.
    unsafe {
        core::ptr::copy_nonoverlapping(from.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), size);
    };
    // SAFETY: zeroes are valid by contract, and the rest is the caller's `T`.
    Copied(unsafe { copy.assume_init() })
}

/// Whether `header` is what a structure of this type needs.
pub(crate) fn fits(header: NDIS_OBJECT_HEADER, kind: u8, least: usize) -> bool {
    header.Type == kind && header.Revision >= 1 && usize::from(header.Size) >= least
}

/// The names of the slots of a table that are NULL.
macro_rules! null_slots {
    ($table:expr; $($slot:ident)+) => {{
        let mut names = String::new();
        $(if $table.$slot.is_none() {
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(stringify!($slot));
        })+
        names
    }};
}

pub(crate) use null_slots;

pub(crate) fn header_text(header: NDIS_OBJECT_HEADER) -> String {
    alloc::format!(
        "type {:#x}, revision {}, size {}",
        header.Type,
        header.Revision,
        header.Size
    )
}
