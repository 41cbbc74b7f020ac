//! The function-like macros and inline functions of the headers, re-made by
//! hand, by subject. `macros.tsv` in the crate's folder accounts for every one
//! of them: made, or why not.
//!
//! A macro that C uses on both sides of an assignment is a function that
//! returns a pointer to the place: `*NET_BUFFER_LIST_NEXT_NBL(nbl) = next`.

/// `place! { /// doc; NAME(Type) -> Place, field.path; ... }`: macros that name
/// a place inside a structure.
macro_rules! place {
    ($($(#[$doc:meta])* $name:ident($record:ident) -> $place:ty, $($path:ident).+;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// The argument points to such a structure, which outlives the result.
            #[inline]
            pub const unsafe fn $name(of: *mut $record) -> *mut $place {
                // SAFETY: the caller passes a valid structure, so the place is
                // inside of it; nothing is read.
                unsafe { &raw mut (*of).$($path).+ }.cast()
            }
        )*
    };
}

/// `flags! { NAME test Type; NAME set Type; ... }`: macros over a word of flags.
macro_rules! flags {
    ($($(#[$doc:meta])* $kind:ident $name:ident($word:ty);)*) => {
        $( flags! { @ $kind $(#[$doc])* $name($word) } )*
    };
    (@ all $(#[$doc:meta])* $name:ident($word:ty)) => {
        $(#[$doc])*
        #[inline]
        #[must_use]
        pub const fn $name(flags: $word, wanted: $word) -> bool {
            flags & wanted == wanted
        }
    };
    (@ set $(#[$doc:meta])* $name:ident($word:ty)) => {
        $(#[$doc])*
        #[inline]
        pub const fn $name(flags: &mut $word, wanted: $word) {
            *flags |= wanted;
        }
    };
    (@ clear $(#[$doc:meta])* $name:ident($word:ty)) => {
        $(#[$doc])*
        #[inline]
        pub const fn $name(flags: &mut $word, unwanted: $word) {
            *flags &= !unwanted;
        }
    };
}

/// `level!(pointer, here | there.member)`: the place of a member of an NT
/// record that is on a level without a name in C. Its name is `here` where the
/// types are the crate's own, and `there` where they are `wdk-sys`'s.
#[cfg(not(all(windows, feature = "wdk-sys")))]
macro_rules! level {
    ($of:ident, $here:ident | $there:ident.$member:ident) => {
        &raw mut (*$of).$here.$member
    };
}
#[cfg(all(windows, feature = "wdk-sys"))]
macro_rules! level {
    ($of:ident, $here:ident | $there:ident.$member:ident) => {
        &raw mut (*$of).$there.$member
    };
}

#[macro_use]
mod strings;
mod flags;
mod io;
mod irp;
mod lists;
mod mcm;
mod mdl;
mod media;
mod memory;
mod misc;
mod nb;
mod nbl;
mod old;
mod switch;
mod sync;
mod timestamp;

pub use flags::*;
pub use io::*;
pub use irp::*;
pub use lists::*;
pub use mcm::*;
pub use mdl::*;
pub use media::*;
pub use memory::*;
pub use misc::*;
pub use nb::*;
pub use nbl::*;
pub use old::*;
pub use strings::*;
pub use switch::*;
pub use sync::*;
pub use timestamp::*;
