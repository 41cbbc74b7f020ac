//! Proof at compile time that each record has the size, the alignment and the
//! offsets that clang computes from Microsoft's headers. A target with another
//! idea of alignment (32-bit Linux, for one) does not build.

/// `layout! { Record: size align, path offset, ... }`
macro_rules! layout {
    ($record:ident: $size:literal $align:literal $(, $($field:ident).+ $offset:literal)*) => {
        const _: () = assert!(
            core::mem::size_of::<$record>() == $size
                && core::mem::align_of::<$record>() == $align
                $(&& core::mem::offset_of!($record, $($field).+) == $offset)*,
            stringify!($record),
        );
    };
}

#[rustfmt::skip]
#[cfg(target_arch = "aarch64")]
#[path = "generated/layout_aarch64.rs"]
mod checked;

#[rustfmt::skip]
#[cfg(target_arch = "x86")]
#[path = "generated/layout_x86.rs"]
mod checked;

#[rustfmt::skip]
#[cfg(target_arch = "x86_64")]
#[path = "generated/layout_x86_64.rs"]
mod checked;
