//! The `LINE_*` structures: what they have in common.
//!
//! Each is fields of fixed size, among them pairs of a size and an offset for each variable part.
//! An offset counts from the start of the structure (the convention of TAPI's own headers). The
//! first word says how much memory the structure has; all but `LINE_CALL_PARAMS` go on with how
//! much they need and how much they use.
//!
//! A newer TAPI has added fields behind the old ones, so that the fixed part of an older
//! structure is shorter. Nothing in it says how long it is. But its variable parts are behind it:
//! so the fixed part ends at the first of them at the latest, and what would be behind that end
//! counts as not there. Version 1.3, the oldest that CoNDIS had, is there in any case.

use super::bytes::{Field, put, range, word};
use crate::Status;

/// How large a structure says that it is.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::LineDevCaps;
///
/// let caps = LineDevCaps { line_name: b"L\0\0\0", ..LineDevCaps::data(1, 64_000) };
/// // Room for all but the name.
/// let mut answer = [0; 292];
/// caps.write_without_parts(&mut answer)?;
/// let sizes = LineDevCaps::sizes(&answer)?;
/// assert_eq!((sizes.total, sizes.used), (292, 292));
/// assert!(sizes.needed > sizes.total);
/// # Ok::<(), ndis_co::Status>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The bytes of memory that there are for it.
    #[doc(alias = "ulTotalSize")]
    pub total: u32,
    /// The bytes that all of it would take: when these are more than `total`, parts are missing.
    #[doc(alias = "ulNeededSize")]
    pub needed: u32,
    /// The bytes that are filled in.
    #[doc(alias = "ulUsedSize")]
    pub used: u32,
}

impl Sizes {
    /// Reads the first three words.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Status> {
        Ok(Self {
            total: word(bytes, 0)?,
            needed: word(bytes, 4)?,
            used: word(bytes, 8)?,
        })
    }
}

/// Where a structure keeps size and offset of a part.
pub(super) type Pair = (usize, usize);

/// The parts of one kind of structure.
pub(super) struct Shape {
    /// The bytes of the fixed part in version 3.0.
    pub(super) fixed: usize,
    /// Those of version 1.3.
    pub(super) oldest: usize,
    /// Whether there are three sizes at the front.
    pub(super) sized: bool,
    /// The pairs, in the order of their places.
    pub(super) pairs: &'static [Pair],
}

/// A structure that is read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// As many bytes as it uses.
    bytes: &'a [u8],
    /// The end of the fixed part.
    end: usize,
    oldest: usize,
}

impl<'a> Reader<'a> {
    /// Looks at the sizes, and for the end of the fixed part.
    pub(super) fn new(bytes: &'a [u8], shape: &Shape) -> Result<Self, Status> {
        if bytes.len() < shape.oldest {
            return Err(Status::INVALID_LENGTH);
        }
        let total: u32 = word(bytes, 0)?;
        let used = if shape.sized {
            Sizes::read(bytes)?.used
        } else {
            total
        };
        if used > total {
            return Err(Status::INVALID_DATA);
        }
        let bytes = range(bytes, 0, used as usize)?;
        if bytes.len() < shape.oldest {
            return Err(Status::INVALID_DATA);
        }
        let mut reader = Self {
            bytes,
            end: bytes.len().min(shape.fixed),
            oldest: shape.oldest,
        };
        for pair in shape.pairs {
            let (size, offset) = reader.pair(*pair);
            if size == 0 {
                continue;
            }
            // No part is in front of what says where it is.
            if offset <= pair.1 {
                return Err(Status::INVALID_DATA);
            }
            reader.end = reader.end.min(offset).max(shape.oldest);
        }
        Ok(reader)
    }

    /// A field; its default where an older version has none.
    pub(super) fn field<T: Field>(self, at: usize) -> T {
        let known = self.bytes.get(..self.end).unwrap_or_default();
        T::read(known, at).unwrap_or_default()
    }

    fn pair(self, (size, offset): Pair) -> (usize, usize) {
        let [size, offset] = [size, offset].map(|at| self.field::<u32>(at) as usize);
        (size, offset)
    }

    /// A variable part.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when it is not among the bytes in use, or in the fixed part.
    pub(super) fn part(self, pair: Pair) -> Result<&'a [u8], Status> {
        match self.pair(pair) {
            (0, _) => Ok(&[]),
            (_, offset) if offset < self.oldest => Err(Status::INVALID_DATA),
            (size, offset) => range(self.bytes, offset, size),
        }
    }
}

/// What a part takes: the next one begins at a word.
pub(super) const fn padded(part: &[u8]) -> usize {
    super::bytes::aligned(part.len(), u32::SIZE)
}

/// Writes the sizes of a structure that takes `needed` bytes and fills `used` of `total`.
pub(super) fn put_sizes(room: &mut [u8], shape: &Shape, total: usize, needed: u32, used: u32) {
    if shape.sized {
        u32::try_from(total).unwrap_or(u32::MAX).write(room, 0);
        needed.write(room, 4);
        used.write(room, 8);
    } else {
        needed.write(room, 0);
    }
}

/// Writes a part at `next`, and its pair.
pub(super) fn put_part(room: &mut [u8], (size, offset): Pair, part: &[u8], next: &mut usize) {
    // Each is less than the size of the whole, which 32 bits can say.
    if let (Ok(len), Ok(start)) = (u32::try_from(part.len()), u32::try_from(*next))
        && len != 0
    {
        len.write(room, size);
        start.write(room, offset);
        put(room, *next, part);
        *next = next.saturating_add(padded(part));
    }
}

/// Defines a structure: a type with public fields, read by `parse`, written as `Flat`.
macro_rules! line_structure {
    (
        $(#[$doc:meta])*
        $name:ident in $layout:ident after $old:ident, sized: $sized:literal;
        fields { $($(#[$field_doc:meta])* $field:ident: $kind:ty = $($place:ident).+;)* }
        parts { $($(#[$part_doc:meta])* $part:ident = $($size:ident).+, $($offset:ident).+;)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $kind,)*
            $($(#[$part_doc])* pub $part: &'a [u8],)*
        }

        impl<'a> $name<'a> {
            pub(super) const SHAPE: $crate::tapi::line::Shape = $crate::tapi::line::Shape {
                fixed: size_of::<$crate::tapi::layout::$layout>(),
                oldest: size_of::<ndis_sys::$old>(),
                sized: $sized,
                pairs: &[$((
                    core::mem::offset_of!($crate::tapi::layout::$layout, $($size).+),
                    core::mem::offset_of!($crate::tapi::layout::$layout, $($offset).+),
                ),)*],
            };

            /// Reads a structure with its variable parts. Each part is looked at; what an older
            /// version does not have is zero or empty.
            ///
            /// # Errors
            ///
            /// [`Status::INVALID_LENGTH`](crate::Status::INVALID_LENGTH) when there are less
            /// bytes than version 1.3 has without parts;
            /// [`Status::INVALID_DATA`](crate::Status::INVALID_DATA) when a size is more than
            /// there are bytes, or a part is not where the structure is.
            pub fn parse(bytes: &'a [u8]) -> Result<Self, $crate::Status> {
                let reader = $crate::tapi::line::Reader::new(bytes, &Self::SHAPE)?;
                Ok(Self {
                    $($field: reader.field(
                        core::mem::offset_of!($crate::tapi::layout::$layout, $($place).+)
                    ),)*
                    $($part: reader.part((
                        core::mem::offset_of!($crate::tapi::layout::$layout, $($size).+),
                        core::mem::offset_of!($crate::tapi::layout::$layout, $($offset).+),
                    ))?,)*
                })
            }

            /// Where the fields are, and their sizes.
            #[cfg(test)]
            pub(super) const PLACES: &'static [(usize, usize)] = &[$((
                core::mem::offset_of!($crate::tapi::layout::$layout, $($place).+),
                <$kind as $crate::tapi::bytes::Field>::SIZE,
            ),)*];

            /// The fields, into zeroed room.
            fn write_fields(&self, room: &mut [u8]) {
                use $crate::tapi::bytes::Field;
                $(self.$field.write(
                    room,
                    core::mem::offset_of!($crate::tapi::layout::$layout, $($place).+),
                );)*
            }
        }

        impl $crate::tapi::Flat for $name<'_> {
            fn size(&self) -> usize {
                let parts = [$(self.$part,)*].map($crate::tapi::line::padded);
                parts.into_iter().fold(Self::SHAPE.fixed, usize::saturating_add)
            }

            fn write_to(&self, room: &mut [u8]) -> Result<usize, $crate::Status> {
                let (total, size) = (room.len(), self.size());
                let used = u32::try_from(size).map_err(|_| $crate::Status::INVALID_LENGTH)?;
                let room = $crate::tapi::flat::cleared(room, size)?;
                self.write_fields(room);
                let mut next = Self::SHAPE.fixed;
                for (part, pair) in [$(self.$part,)*].into_iter().zip(Self::SHAPE.pairs) {
                    $crate::tapi::line::put_part(room, *pair, part, &mut next);
                }
                $crate::tapi::line::put_sizes(room, &Self::SHAPE, total, used, used);
                Ok(size)
            }
        }
    };
}

/// What a structure with three sizes has besides.
macro_rules! with_sizes {
    ($name:ident) => {
        impl $name<'_> {
            /// How large a structure says that it is, also one whose parts are missing.
            ///
            /// # Errors
            ///
            /// [`Status::INVALID_LENGTH`](crate::Status::INVALID_LENGTH) when there are not even
            /// these words.
            pub fn sizes(bytes: &[u8]) -> Result<$crate::tapi::Sizes, $crate::Status> {
                $crate::tapi::Sizes::read(bytes)
            }

            /// Writes the fixed part only, with the size that all of it would take: the way of
            /// TAPI to answer when there is no room for the variable parts. Tells how many bytes
            /// it took.
            ///
            /// # Errors
            ///
            /// [`Status::BUFFER_TOO_SHORT`](crate::Status::BUFFER_TOO_SHORT) when there is not
            /// even room for that.
            pub fn write_without_parts(&self, room: &mut [u8]) -> Result<usize, $crate::Status> {
                let (total, fixed) = (room.len(), Self::SHAPE.fixed);
                let needed = u32::try_from($crate::tapi::Flat::size(self)).unwrap_or(u32::MAX);
                let room = $crate::tapi::flat::cleared(room, fixed)?;
                self.write_fields(room);
                $crate::tapi::line::put_sizes(room, &Self::SHAPE, total, needed, fixed as u32);
                Ok(fixed)
            }
        }
    };
}

pub(super) use {line_structure, with_sizes};
