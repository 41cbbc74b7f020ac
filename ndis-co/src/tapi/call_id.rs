//! [`CallId`]: the string by which applications know a call.

use super::{StringFormat, Text};
use crate::{
    Status,
    mem::{Tag, Vec},
};
use core::{fmt, ops};
use ndis_sys::UNICODE_STRING;

/// The room for one, in numbers of 32 bits: the header, and some 230 bytes of text.
const ROOM: usize = 64;

/// The string by which TAPI's applications know the call on a VC, in UTF-16 without a
/// terminator.
///
/// [`Vc::tapi_call_id`](crate::client::Vc::tapi_call_id) tells it, to the client and, with
/// [`cm::Vc::tapi_call_id`](crate::cm::Vc::tapi_call_id), to a call manager; the driver gives it to the
/// application, and [`Binding::vc_of_tapi_call`](crate::protocol::Binding::vc_of_tapi_call) finds
/// the VC again when it comes back. It derefs to its units.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::CallId;
///
/// # let host = ndis_host::Host::builder().build();
/// let id = CallId::try_from_units(&[0x31, 0x32])?;
/// assert_eq!(&*id, [0x31, 0x32]);
/// # drop(id);
/// # drop(host);
/// # Ok::<(), ndis_co::Status>(())
/// ```
#[derive(Debug)]
#[doc(alias = "VAR_STRING")]
pub struct CallId(Vec<u16>);

impl CallId {
    /// One that came from somebody else.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] for an empty one or more than 32,766 units, and
    /// [`Status::RESOURCES`].
    pub fn try_from_units(units: &[u16]) -> Result<Self, Status> {
        if units.is_empty() || units.len() > 0x7FFE {
            return Err(Status::INVALID_LENGTH);
        }
        Ok(Self(Vec::try_from_slice(units, Tag::NDIS)?))
    }

    /// What NDIS has written.
    pub(crate) fn parse(room: &Room) -> Result<Self, Status> {
        let member = |at: usize| room.0.get(at).copied().unwrap_or(0);
        let [format, size, offset] = [member(3), member(4), member(5)];
        let (start, end) = (
            offset as usize,
            (offset as usize).saturating_add(size as usize),
        );
        let mut bytes = [0_u8; ROOM * 4];
        let written = room.0.iter().flat_map(|word| word.to_ne_bytes());
        for (to, from) in bytes.iter_mut().zip(written) {
            *to = from;
        }
        let text = bytes.get(start..end).ok_or(Status::INVALID_DATA)?;
        let mut units = Vec::new(Tag::NDIS);
        let mut pair = [0; 2];
        for letter in Text::new(StringFormat(format), text).chars() {
            for unit in letter.encode_utf16(&mut pair).iter() {
                units.try_push(*unit)?;
            }
        }
        Self::try_from_units(&units)
    }

    /// It as NDIS reads it, which does not write it, as long as the value lives.
    pub(crate) fn as_raw(&self) -> UNICODE_STRING {
        let bytes = (self.0.len().min(0x7FFE) * 2) as u16;
        UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: self.0.as_ptr().cast_mut(),
        }
    }
}

impl ops::Deref for CallId {
    type Target = [u16];
    fn deref(&self) -> &[u16] {
        &self.0
    }
}

impl PartialEq for CallId {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for CallId {}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in char::decode_utf16(self.0.iter().copied()) {
            write!(f, "{}", letter.unwrap_or(char::REPLACEMENT_CHARACTER))?;
        }
        Ok(())
    }
}

/// A `VAR_STRING` with room behind it, which NDIS fills.
pub(crate) struct Room([u32; ROOM]);

impl Room {
    /// It says how large it is (rule VC-59).
    pub(crate) fn new() -> Self {
        let mut room = [0; ROOM];
        let [total, ..] = &mut room;
        *total = (ROOM * 4) as u32;
        Self(room)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut ndis_sys::VAR_STRING {
        self.0.as_mut_ptr().cast()
    }
}
