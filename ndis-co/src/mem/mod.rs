//! Fallible, tagged, nonpaged memory: [`Box`], [`Arc`] (and [`Weak`]) and [`Vec`].
//!
//! A kernel driver has no global allocator that may fail by aborting, and
//! every context that NDIS keeps must be resident (rule [GEN-03]). So the
//! containers here take memory from the nonpaged, no-execute pool, with a
//! [`Tag`] that names the owner in the debugger, and every allocation can
//! fail with [`OutOfMemory`], which converts to
//! [`Status::RESOURCES`](crate::Status::RESOURCES).
//!
//! All of this works at or below DISPATCH_LEVEL, so no proof is demanded.
//!
//! [GEN-03]: ndis_sys::rules#GEN-03

mod arc;
mod boxed;
mod lent;
mod room;
mod vec;
mod weak;

pub use arc::{Anchored, Arc, Parent};
pub use boxed::Box;
pub(crate) use boxed::Vacant;
pub use lent::Lent;
pub use vec::{IntoIter, Vec};
pub use weak::Weak;

use core::{alloc::Layout, fmt, ptr::NonNull};

/// Four characters that name the owner of an allocation in pool listings.
///
/// ```
/// # use ndis_co::mem::Tag;
/// # use ndis_host as _;
/// /// Shows as `Loop` in pool listings.
/// const TAG: Tag = Tag::new(*b"Loop");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "PoolTag")]
pub struct Tag(u32);

impl Tag {
    /// The tag of this crate family's own allocations.
    pub const NDIS: Self = Self::new(*b"NdRs");

    /// Makes a tag; `*b"Loop"` shows as `Loop`.
    ///
    /// A pool takes printable ASCII only, and no tag of nothing (rule [KE-12]). Any
    /// other byte becomes a question mark.
    ///
    /// [KE-12]: ndis_sys::rules#KE-12
    #[must_use]
    pub const fn new(name: [u8; 4]) -> Self {
        const fn printable(byte: u8) -> u8 {
            if byte.is_ascii_graphic() || byte == b' ' {
                byte
            } else {
                b'?'
            }
        }
        let [a, b, c, d] = name;
        Self(u32::from_le_bytes([
            printable(a),
            printable(b),
            printable(c),
            printable(d),
        ]))
    }

    /// The value that Windows takes.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }
}

/// The pool had no memory left.
///
/// ```
/// # use ndis_co::{Status, mem::{Box, Tag}};
/// # use ndis_host as _;
/// /// With `?` it is a status.
/// fn make() -> Result<Box<[u8; 64]>, Status> {
///     Ok(Box::try_new([0; 64], Tag::new(*b"Slot"))?)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no nonpaged pool memory left")
    }
}

impl core::error::Error for OutOfMemory {}

/// What the pool guarantees for any allocation: twice a pointer.
const POOL_ALIGN: usize = 2 * size_of::<usize>();

/// Takes memory from the nonpaged pool.
///
/// Zero-sized requests get a dangling, well-aligned pointer. A layout whose
/// alignment the pool does not guarantee is refused.
pub(crate) fn allocate(layout: Layout, tag: Tag) -> Result<NonNull<u8>, OutOfMemory> {
    if layout.align() > POOL_ALIGN {
        return Err(OutOfMemory);
    }
    if layout.size() == 0 {
        return NonNull::new(core::ptr::without_provenance_mut(layout.align())).ok_or(OutOfMemory);
    }
    // It comes zeroed (rule KE-17), so that nothing of what was there before gets out.
    // SAFETY: legal at or below DISPATCH_LEVEL for the nonpaged pool; neither the size
    // nor the tag is zero.
    let memory = unsafe {
        ndis_sys::ExAllocatePool2(ndis_sys::POOL_FLAG_NON_PAGED, layout.size() as _, tag.raw())
    };
    NonNull::new(memory.cast()).ok_or(OutOfMemory)
}

/// Gives memory back.
///
/// # Safety
///
/// `memory` came from [`allocate`] with the same layout and tag and is not
/// used afterwards.
pub(crate) unsafe fn free(memory: NonNull<u8>, layout: Layout, tag: Tag) {
    if layout.size() != 0 {
        // SAFETY: the caller owns the allocation, which was made with this tag.
        unsafe { ndis_sys::ExFreePoolWithTag(memory.as_ptr().cast(), tag.raw()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn a_tag_is_what_pools_take() {
        assert_eq!(Tag::new(*b"Loop").raw(), u32::from_le_bytes(*b"Loop"));
        assert_eq!(Tag::new(*b"a b~").raw(), u32::from_le_bytes(*b"a b~"));
        let odd = Tag::new([0, b'a', 0x7F, 0xFF]);
        assert_eq!(odd.raw(), u32::from_le_bytes(*b"?a??"));
    }
}
