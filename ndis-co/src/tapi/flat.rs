//! [`Flat`]: structures that go to the other side in one piece of memory.

use crate::{
    Status,
    mem::{Tag, Vec},
};

/// A structure with its variable parts behind it, in one piece of memory: the answer to a
/// request, or the media's part of call parameters.
///
/// The bytes are those of the C structure on this machine. None of the methods allocates, but
/// for [`to_vec`](Self::to_vec).
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, tapi::{CmCaps, Flat}};
///
/// let caps = CmCaps::new(2);
/// let mut room = [0xEE; 16];
/// assert_eq!(caps.write_to(&mut room), Ok(caps.size()));
/// // What is behind it is as it was.
/// assert_eq!(room[12..], [0xEE; 4]);
/// assert_eq!(caps.write_to(&mut room[..8]), Err(Status::BUFFER_TOO_SHORT));
/// ```
pub trait Flat {
    /// How many bytes it takes, with all its parts: what a requester hears whose room was too
    /// small.
    fn size(&self) -> usize;

    /// Writes it to the front of `room` and tells how many bytes it took. Where a structure says
    /// how much room it has, that is all of `room`. Nothing behind it is written.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when the room has less than [`size`](Self::size) bytes;
    /// [`Status::INVALID_LENGTH`] when a part is longer than the structure can say. Nothing is
    /// promised of the content of `room` then.
    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status>;

    /// Writes it into memory of its own.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], else as [`write_to`](Self::write_to).
    fn to_vec(&self) -> Result<Vec<u8>, Status> {
        let mut memory = Vec::try_zeroed(self.size(), Tag::NDIS)?;
        self.write_to(&mut memory)?;
        Ok(memory)
    }
}

/// The front of `room`, `len` bytes, all zero.
pub(crate) fn cleared(room: &mut [u8], len: usize) -> Result<&mut [u8], Status> {
    let own = room.get_mut(..len).ok_or(Status::BUFFER_TOO_SHORT)?;
    own.fill(0);
    Ok(own)
}
