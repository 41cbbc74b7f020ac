//! Building structures whose all-zero pattern is a value.
//!
//! There is no `Default`: a zeroed structure that starts with an
//! `NDIS_OBJECT_HEADER` is not a default, it is an invalid one until its header
//! is filled in. What NDIS structures do have is that every member is an
//! integer, a pointer or a nullable function, so that zeroing one is sound, and
//! it is how C drivers begin too.

/// A type for which the all-zero bit pattern is valid.
///
/// # Safety
/// Every field accepts zero: integers, raw pointers, `Option` of a function
/// pointer, and arrays, unions and structures of those.
pub unsafe trait Zeroable: Sized {}

/// A value of all zero bytes.
#[inline]
pub const fn zeroed<T: Zeroable>() -> T {
    // SAFETY: implementing `Zeroable` promises that all-zero is a value of `T`.
    unsafe { core::mem::zeroed() }
}

macro_rules! zeroable {
    ($($record:ident;)*) => {
        $(
            // SAFETY: the generator lists only C structures and unions whose
            // members are integers, raw pointers and nullable functions.
            unsafe impl $crate::zero::Zeroable for $record {}
        )*
    };
}

macro_rules! integers {
    ($($integer:ty)*) => { $(
        // SAFETY: zero is an integer.
        unsafe impl Zeroable for $integer {}
    )* };
}
integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
