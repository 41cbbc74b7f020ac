//! Bit-fields: Rust has none, so a group of them is an array of bytes, and each
//! is read and written by a pair of methods that [`bits!`] makes.
//!
//! Windows is little-endian on every architecture, and clang's numbering starts
//! at the least significant bit of the first byte.

/// Reads `width` bits that start `offset` bits into `unit`.
#[inline]
pub(crate) const fn get(unit: &[u8], offset: u32, width: u32) -> u64 {
    let mut whole = 0u64;
    let mut shift = 0;
    let mut rest = unit;
    while let [byte, tail @ ..] = rest {
        if shift < 64 {
            whole |= (*byte as u64) << shift;
        }
        shift += 8;
        rest = tail;
    }
    (whole >> offset) & mask(width)
}

/// Writes the low `width` bits of `value` there; higher bits are ignored, as
/// an assignment in C ignores them.
#[inline]
pub(crate) const fn set(unit: &mut [u8], offset: u32, width: u32, value: u64) {
    let keep = !(mask(width) << offset);
    let new = (value & mask(width)) << offset;
    let mut shift = 0;
    let mut rest = unit;
    while let [byte, tail @ ..] = rest {
        if shift < 64 {
            *byte = (*byte & (keep >> shift) as u8) | (new >> shift) as u8;
        }
        shift += 8;
        rest = tail;
    }
}

const fn mask(width: u32) -> u64 {
    if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    }
}

/// `bits! { Record: unit offset width: getter setter Type; ... }`
macro_rules! bits {
    ($record:ident: $($unit:ident $offset:literal $width:literal: $get:ident $set:ident $ty:ty;)*) => {
        impl $record {
            $(
                #[inline]
                pub const fn $get(&self) -> $ty {
                    $crate::bits::get(&self.$unit, $offset, $width) as $ty
                }
                #[inline]
                pub const fn $set(&mut self, value: $ty) {
                    $crate::bits::set(&mut self.$unit, $offset, $width, value as u64)
                }
            )*
        }
    };
}
