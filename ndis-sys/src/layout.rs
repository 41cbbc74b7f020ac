//! Proof at compile time that each record has the size, the alignment and the
//! offsets that clang computes from Microsoft's headers. A target with another
//! idea of alignment (32-bit Linux, for one) does not build.

/// `layout! { Record: size align, path offset, ... }`
///
/// One comparison for all of a record keeps the check cheap: it is every
/// build that pays for it.
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
