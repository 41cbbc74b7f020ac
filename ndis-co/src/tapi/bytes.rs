//! Fields at offsets of a piece of memory, read and written without alignment.
//!
//! What TAPI structures say of themselves is not believed: each field is looked for where it
//! would be, and each length and offset is compared with the bytes that are there. All of it is
//! on slices, so there is nothing unsafe.

use crate::{Status, nbl::copy_bytes};
use core::mem::offset_of;
use ndis_sys::NDIS_VAR_DATA_DESC;

/// A value of fixed size inside of a structure.
pub(crate) trait Field: Copy + Default {
    /// The bytes that it takes.
    const SIZE: usize;

    /// Reads the one at `at`, if there are enough bytes.
    fn read(bytes: &[u8], at: usize) -> Option<Self>;

    /// Writes it there; nothing when there is no room.
    fn write(self, room: &mut [u8], at: usize);
}

impl Field for u32 {
    const SIZE: usize = size_of::<Self>();

    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        bytes
            .get(at..)?
            .first_chunk()
            .copied()
            .map(Self::from_ne_bytes)
    }

    fn write(self, room: &mut [u8], at: usize) {
        put(room, at, &self.to_ne_bytes());
    }
}

impl Field for [u8; 16] {
    const SIZE: usize = size_of::<Self>();

    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        bytes.get(at..)?.first_chunk().copied()
    }

    fn write(self, room: &mut [u8], at: usize) {
        put(room, at, &self);
    }
}

/// Writes bytes at `at`; as many as there is room for.
pub(crate) fn put(room: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = room.get_mut(at..) {
        copy_bytes(place, bytes);
    }
}

/// A word that must be there.
///
/// # Errors
///
/// [`Status::INVALID_LENGTH`] when it is not.
pub(crate) fn word<T: Field>(bytes: &[u8], at: usize) -> Result<T, Status> {
    T::read(bytes, at).ok_or(Status::INVALID_LENGTH)
}

/// The bytes from `start` on, `len` of them.
///
/// # Errors
///
/// [`Status::INVALID_DATA`] when not all of them are there.
pub(crate) fn range(bytes: &[u8], start: usize, len: usize) -> Result<&[u8], Status> {
    start
        .checked_add(len)
        .and_then(|end| bytes.get(start..end))
        .ok_or(Status::INVALID_DATA)
}

/// `len` up to the next multiple of `to`, for the begin of what follows.
pub(crate) const fn aligned(len: usize, to: usize) -> usize {
    len.div_ceil(to).saturating_mul(to)
}

/// An `NDIS_VAR_DATA_DESC`: where variable data is, counted from the descriptor itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The bytes that are in use.
    pub(crate) len: u16,
    /// The bytes that there is room for.
    pub(crate) room: u16,
    /// How far behind the start of the descriptor they begin.
    pub(crate) offset: usize,
}

const LEN: usize = offset_of!(NDIS_VAR_DATA_DESC, Length);
const ROOM: usize = offset_of!(NDIS_VAR_DATA_DESC, MaximumLength);
const OFFSET: usize = offset_of!(NDIS_VAR_DATA_DESC, Offset);

impl Field for Descriptor {
    const SIZE: usize = size_of::<NDIS_VAR_DATA_DESC>();

    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let own = bytes.get(at..)?.get(..Self::SIZE)?;
        Some(Self {
            len: u16::from_ne_bytes(*own.get(LEN..)?.first_chunk()?),
            room: u16::from_ne_bytes(*own.get(ROOM..)?.first_chunk()?),
            offset: usize::from_ne_bytes(*own.get(OFFSET..)?.first_chunk()?),
        })
    }

    fn write(self, room: &mut [u8], at: usize) {
        if let Some(own) = room.get_mut(at..).and_then(|it| it.get_mut(..Self::SIZE)) {
            put(own, LEN, &self.len.to_ne_bytes());
            put(own, ROOM, &self.room.to_ne_bytes());
            put(own, OFFSET, &self.offset.to_ne_bytes());
        }
    }
}

impl Descriptor {
    /// One at `at`, for `len` bytes at `start`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are more than a descriptor can say.
    pub(crate) fn to(at: usize, start: usize, len: usize) -> Result<Self, Status> {
        let short = u16::try_from(len).map_err(|_| Status::INVALID_LENGTH)?;
        Ok(match short {
            // What is not there has no place.
            0 => Self::default(),
            len => Self {
                len,
                room: len,
                offset: start.saturating_sub(at),
            },
        })
    }

    /// Where the data begins, for a descriptor at `at` of a structure of `fixed` bytes.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when that is inside of the structure, or beyond all memory.
    pub(crate) fn start(self, at: usize, fixed: usize) -> Result<usize, Status> {
        match at.checked_add(self.offset) {
            Some(start) if start >= fixed => Ok(start),
            _ => Err(Status::INVALID_DATA),
        }
    }

    /// The data that it stands for, in the same piece of memory; none has no place.
    pub(crate) fn data(self, at: usize, fixed: usize, bytes: &[u8]) -> Result<&[u8], Status> {
        if self.len == 0 {
            return Ok(&[]);
        }
        range(bytes, self.start(at, fixed)?, usize::from(self.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_where_it_is_or_nowhere() {
        let bytes: [u8; 7] = [1, 2, 3, 4, 5, 6, 7];
        assert_eq!(u32::read(&bytes, 3), Some(u32::from_ne_bytes([4, 5, 6, 7])));
        for at in [4, 7, 8, usize::MAX] {
            assert_eq!(u32::read(&bytes, at), None);
            assert_eq!(word::<u32>(&bytes, at), Err(Status::INVALID_LENGTH));
        }
        assert_eq!(range(&bytes, 7, 0), Ok(&[][..]));
        assert_eq!(range(&bytes, 1, usize::MAX), Err(Status::INVALID_DATA));
        assert_eq!(range(&bytes, 6, 2), Err(Status::INVALID_DATA));
    }

    #[test]
    fn a_descriptor_counts_from_itself() {
        let mut memory = [0; 64];
        let at = 3;
        let made = Descriptor::to(at, 40, 5).unwrap();
        made.write(&mut memory, at);
        put(&mut memory, 40, b"hello");
        let read = Descriptor::read(&memory, at).unwrap();
        assert_eq!(read, made);
        assert_eq!(read.data(at, 24, &memory), Ok(&b"hello"[..]));
        assert_eq!(read.data(at, 24, &memory[..44]), Err(Status::INVALID_DATA));
        // Inside of the structure, behind all memory, and of nothing.
        assert_eq!(read.data(at, 41, &memory), Err(Status::INVALID_DATA));
        let far = Descriptor {
            offset: usize::MAX,
            ..read
        };
        assert_eq!(far.data(at, 24, &memory), Err(Status::INVALID_DATA));
        let none = Descriptor { len: 0, ..far };
        assert_eq!(none.data(at, 24, &memory), Ok(&[][..]));
        assert_eq!(Descriptor::to(0, 24, 0x1_0000), Err(Status::INVALID_LENGTH));
    }
}
