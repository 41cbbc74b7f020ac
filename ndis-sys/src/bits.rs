//! Bit-fields: Rust has none, so a group of them is an array of bytes, and each
//! is read and written by a pair of methods that [`bits!`] makes.
//!
//! Windows is little-endian on every architecture, and clang's numbering starts
//! at the least significant bit of the first byte.

/// Reads `width` bits that start `offset` bits into `unit`.
#[inline]
pub(crate) const fn get(unit: &[u8], offset: u32, width: u32) -> u64 {
    let mut value = 0;
    let mut at = 0;
    let mut rest = unit;
    while let [byte, tail @ ..] = rest {
        if at + 8 > offset && at < offset + width {
            value |= if at >= offset {
                (*byte as u64) << (at - offset)
            } else {
                (*byte as u64) >> (offset - at)
            };
        }
        at += 8;
        rest = tail;
    }
    value & mask(width)
}

/// Writes the low `width` bits of `value` there; higher bits are ignored, as
/// an assignment in C ignores them.
#[inline]
pub(crate) const fn set(unit: &mut [u8], offset: u32, width: u32, value: u64) {
    let mut at = 0;
    let mut rest = unit;
    while let [byte, tail @ ..] = rest {
        if at + 8 > offset && at < offset + width {
            let (mask, value) = if at >= offset {
                (mask(width) >> (at - offset), value >> (at - offset))
            } else {
                (mask(width) << (offset - at), value << (offset - at))
            };
            *byte = (*byte & !(mask as u8)) | (value as u8 & mask as u8);
        }
        at += 8;
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

#[cfg(test)]
mod tests {
    use super::{get, set};

    /// Against plain arithmetic on a wide integer, at every place and width.
    #[test]
    fn like_shifting_a_wide_integer() {
        for width in 1..=64u32 {
            for offset in 0..=(96 - width) {
                let before: u128 = 0x1234_5678_9ABC_DEF0_0FED_CBA9;
                let value = 0xA5C3_96F0_1E2D_3B48u64;
                let mask = (u128::MAX >> (128 - width)) << offset;
                let mut unit = before.to_le_bytes();
                let unit = &mut unit[..12];
                let old = ((before & mask) >> offset) as u64;
                assert_eq!(get(unit, offset, width), old);
                set(unit, offset, width, value);
                let after = (before & !mask) | ((u128::from(value) << offset) & mask);
                assert_eq!(unit, &after.to_le_bytes()[..12], "{offset} {width}");
            }
        }
    }
}
