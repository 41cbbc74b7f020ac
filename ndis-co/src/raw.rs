//! What the safe layer and `ndis-mcm` need of the raw types: headers, sizes,
//! strings. Not for drivers.

use core::{
    ffi::c_void,
    sync::atomic::{AtomicPtr, Ordering},
};
use ndis_sys::{LARGE_INTEGER, NDIS_OBJECT_HEADER, UNICODE_STRING};

/// Fills an `NDIS_OBJECT_HEADER`.
///
/// The constants of the header are integers of one type there; the fields are
/// narrower, and every documented value fits them.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn header(
    object_type: impl Narrow,
    revision: impl Narrow,
    size: impl Narrow,
) -> NDIS_OBJECT_HEADER {
    NDIS_OBJECT_HEADER {
        Type: object_type.wide() as u8,
        Revision: revision.wide() as u8,
        Size: size.wide() as u16,
    }
}

/// An integer constant of the header, whatever type it has in C.
pub trait Narrow {
    /// The value.
    fn wide(self) -> u64;
}

macro_rules! narrow {
    ($($integer:ty)*) => { $(
        impl Narrow for $integer {
            #[allow(clippy::cast_sign_loss, clippy::cast_lossless)]
            fn wide(self) -> u64 {
                self as u64
            }
        }
    )* };
}
narrow!(u8 u16 u32 u64 usize i32);

/// A `LARGE_INTEGER` of this value.
#[must_use]
pub fn large_integer(value: i64) -> LARGE_INTEGER {
    LARGE_INTEGER { QuadPart: value }
}

/// The first `N` characters of a text as UTF-16; ASCII, which NDIS names are.
#[must_use]
pub fn utf16<const N: usize>(text: &str) -> [u16; N] {
    let mut wide = [0; N];
    for (to, from) in wide.iter_mut().zip(text.bytes()) {
        *to = u16::from(from);
    }
    wide
}

/// A handle or another pointer that is only ever passed back to NDIS, from any thread.
#[derive(Debug)]
pub struct Opaque<T = c_void>(AtomicPtr<T>);

impl<T> Opaque<T> {
    /// Keeps a pointer.
    #[must_use]
    pub const fn new(pointer: *mut T) -> Self {
        Self(AtomicPtr::new(pointer))
    }

    /// No pointer yet.
    #[must_use]
    pub const fn null() -> Self {
        Self::new(core::ptr::null_mut())
    }

    /// The pointer.
    #[must_use]
    pub fn get(&self) -> *mut T {
        self.0.load(Ordering::Acquire)
    }

    /// Keeps another pointer.
    pub fn set(&self, pointer: *mut T) {
        self.0.store(pointer, Ordering::Release);
    }

    /// The pointer, which is kept no longer.
    pub fn take(&self) -> *mut T {
        self.0.swap(core::ptr::null_mut(), Ordering::AcqRel)
    }

    /// Where NDIS writes a pointer.
    #[must_use]
    pub const fn place(&self) -> *mut *mut T {
        self.0.as_ptr()
    }
}

/// A pointer as a plain value, which may travel: to use it is `unsafe`, and whoever does
/// says why another thread may.
pub struct Token<T = c_void>(pub *mut T);

impl<T> Token<T> {
    /// No pointer.
    #[must_use]
    pub const fn null() -> Self {
        Self(core::ptr::null_mut())
    }
}

impl<T> Clone for Token<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Token<T> {}

impl<T> core::fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

// SAFETY: an address harms nobody.
unsafe impl<T> Send for Token<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Token<T> {}

impl<T> Clone for Opaque<T> {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

/// The NDIS version that the drivers declare (rule [REG-36]): 6.30, Windows 8
/// and Server 2012. Nothing of CoNDIS changed after 6.0.
///
/// [REG-36]: ndis_sys::rules#REG-36
pub const NDIS_VERSION: (u8, u8) = (6, 30);

/// A counted UTF-16 string over the caller's buffer; `len` in characters.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn unicode_string_over(text: &mut [u16], len: usize) -> UNICODE_STRING {
    let bytes = (text.len().min(len).min(0x7FFE) * 2) as u16;
    UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: text.as_mut_ptr(),
    }
}

/// Makes methods that read and write fields of C structures by raw pointer, for a view of
/// them: a type whose values exist only while the structure that they stand for is there.
/// A line is `get, set: type = pointer => the field's place`.
macro_rules! fields {
    ($view:ident: $($owner:ident {$(
        $(#[$attribute:meta])*
        $vis:vis $get:ident $(, $set:ident)?: $ty:ty = $at:ident => $place:expr;
    )*})*) => {$(
        impl $view<'_, $owner> {$(
            $(#[$attribute])*
            #[inline]
            $vis fn $get(self) -> $ty {
                let $at = self.as_raw();
                // SAFETY: by the view's invariant the structure is there.
                let place: *mut $ty = unsafe { $place };
                // SAFETY: a place in it, by the same.
                unsafe { place.read() }
            }
            $(
                /// Writes the field.
                #[inline]
                $vis fn $set(self, value: $ty) {
                    let $at = self.as_raw();
                    // SAFETY: by the view's invariant the structure is there.
                    let place: *mut $ty = unsafe { $place };
                    // SAFETY: a place in it, by the same.
                    unsafe { place.write(value) };
                }
            )?
        )*}
    )*};
}
pub(crate) use fields;
