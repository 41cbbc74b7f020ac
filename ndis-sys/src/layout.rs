//! Proof at compile time that each record has the size, the alignment and the
//! offsets that clang computes from Microsoft's headers. A target with another
//! idea of alignment (32-bit Linux, for one) does not build.
//!
//! What a C record looks like follows from its declaration and from the sizes
//! and alignments of the primitive types that it is made of. Every build asserts
//! the latter, here. With those, the declarations have the same layouts on each
//! target of an architecture, and it is for the crate's own tests to prove them:
//! for the host, and by a check for each architecture of Windows
//! (`cargo xtask test "compiles for"`). Types from `wdk-sys` are declared by
//! another generator, so every build that uses them asserts them all.

/// `layout! { Record: size align, path offset, ... }`
macro_rules! layout {
    ($record:ident: $size:literal $align:literal $(, $($field:ident).+ $offset:literal)*) => {
        const _: () = assert!(
            (core::mem::size_of::<$record>() ^ $size)
                | (core::mem::align_of::<$record>() ^ $align)
                $(| (core::mem::offset_of!($record, $($field).+) ^ $offset))*
                == 0,
            stringify!($record),
        );
    };
}

/// `primitives! { type: size, ... }`: each is aligned to its size.
macro_rules! primitives {
    ($($primitive:ty: $size:expr),*) => {
        const _: () = assert!(
            $((core::mem::size_of::<$primitive>() ^ $size)
                | (core::mem::align_of::<$primitive>() ^ $size))|*
                == 0,
            "ndis-sys knows the alignments of Windows only",
        );
    };
}

/// Of a pointer, data's or a function's.
const POINTER: usize = if cfg!(target_arch = "x86") { 4 } else { 8 };

primitives! {
    u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, u64: 8, i64: 8,
    usize: POINTER, isize: POINTER, *mut u8: POINTER, Option<unsafe extern "system" fn()>: POINTER
}
