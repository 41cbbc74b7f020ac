//! [`LinkState`]: the state of an adapter's link.

use crate::{
    Status, raw,
    tapi::{
        Flat,
        bytes::{put, word},
        flat::cleared,
    },
};
use core::mem::offset_of;
use ndis_sys::{
    MediaConnectStateConnected, MediaConnectStateDisconnected, MediaConnectStateUnknown,
    MediaDuplexStateFull, NDIS_LINK_SPEED_UNKNOWN, NDIS_LINK_STATE, NDIS_LINK_STATE_REVISION_1,
    NDIS_MEDIA_CONNECT_STATE, NDIS_OBJECT_TYPE_DEFAULT, NDIS_SIZEOF_LINK_STATE_REVISION_1,
    NdisPauseFunctionsUnsupported,
};

/// Whether the medium is connected.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::indication::{Connection, LinkState};
///
/// assert_eq!(LinkState::default().connection, Connection::Unknown);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "NDIS_MEDIA_CONNECT_STATE")]
pub enum Connection {
    /// Nobody knows; NDIS goes on as if it were not (rule [STATUS-14]).
    ///
    /// [STATUS-14]: ndis_sys::rules#STATUS-14
    #[default]
    Unknown,
    /// It is connected.
    Connected,
    /// It is not.
    Disconnected,
}

impl Connection {
    const fn raw(self) -> NDIS_MEDIA_CONNECT_STATE {
        match self {
            Self::Unknown => MediaConnectStateUnknown,
            Self::Connected => MediaConnectStateConnected,
            Self::Disconnected => MediaConnectStateDisconnected,
        }
    }

    const fn from_raw(state: NDIS_MEDIA_CONNECT_STATE) -> Self {
        #[allow(non_upper_case_globals)]
        match state {
            MediaConnectStateConnected => Self::Connected,
            MediaConnectStateDisconnected => Self::Disconnected,
            _ => Self::Unknown,
        }
    }
}

/// The state of the link: the data of `NDIS_STATUS_LINK_STATE`.
///
/// What the adapter has said last is what is so: until it has indicated anything, NDIS goes by
/// its attributes (rule [STATUS-14]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::indication::LinkState;
///
/// let up = LinkState::connected(2_000_000);
/// assert_eq!(up.receive_speed, Some(2_000_000));
/// ```
///
/// Source pages: [ndis-status-link-state](https://learn.microsoft.com/windows-hardware/drivers/network/ndis-status-link-state),
/// [`NDIS_LINK_STATE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddndis/ns-ntddndis-_ndis_link_state).
///
/// [STATUS-14]: ndis_sys::rules#STATUS-14
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "NDIS_LINK_STATE")]
#[doc(alias = "NDIS_STATUS_LINK_STATE")]
pub struct LinkState {
    /// Whether the medium is connected.
    pub connection: Connection,
    /// In bits a second, if that is known.
    pub transmit_speed: Option<u64>,
    /// In bits a second, if that is known.
    pub receive_speed: Option<u64>,
}

impl LinkState {
    /// The link is up, with this speed both ways, in bits a second.
    #[must_use]
    pub const fn connected(bits_per_second: u64) -> Self {
        Self {
            connection: Connection::Connected,
            transmit_speed: Some(bits_per_second),
            receive_speed: Some(bits_per_second),
        }
    }

    /// The link is down.
    #[must_use]
    pub const fn disconnected() -> Self {
        Self {
            connection: Connection::Disconnected,
            transmit_speed: None,
            receive_speed: None,
        }
    }

    /// Reads the structure.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Status> {
        let word = |at| word::<u32>(bytes, at);
        let speed = |at: usize| -> Result<Option<u64>, Status> {
            let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
            let speed = bytes.copied().map(u64::from_ne_bytes);
            let speed = speed.ok_or(Status::INVALID_LENGTH)?;
            Ok((speed != UNKNOWN).then_some(speed))
        };
        let state = word(offset_of!(NDIS_LINK_STATE, MediaConnectState))?;
        Ok(Self {
            connection: Connection::from_raw(state.cast_signed()),
            transmit_speed: speed(offset_of!(NDIS_LINK_STATE, XmitLinkSpeed))?,
            receive_speed: speed(offset_of!(NDIS_LINK_STATE, RcvLinkSpeed))?,
        })
    }
}

/// A speed that is not known.
const UNKNOWN: u64 = NDIS_LINK_SPEED_UNKNOWN;

impl Flat for LinkState {
    fn size(&self) -> usize {
        size_of::<NDIS_LINK_STATE>()
    }

    /// Each member at its place: there is room between two of them that is nothing.
    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let own = cleared(room, self.size())?;
        let header = raw::header(
            NDIS_OBJECT_TYPE_DEFAULT,
            NDIS_LINK_STATE_REVISION_1,
            NDIS_SIZEOF_LINK_STATE_REVISION_1,
        );
        let [low, high] = header.Size.to_ne_bytes();
        put(own, 0, &[header.Type, header.Revision, low, high]);
        let mut word = |at, value: i32| put(own, at, &value.to_ne_bytes());
        word(
            offset_of!(NDIS_LINK_STATE, MediaConnectState),
            self.connection.raw(),
        );
        word(
            offset_of!(NDIS_LINK_STATE, MediaDuplexState),
            MediaDuplexStateFull,
        );
        word(
            offset_of!(NDIS_LINK_STATE, PauseFunctions),
            NdisPauseFunctionsUnsupported,
        );
        let mut speed = |at, speed: Option<u64>| {
            put(own, at, &speed.unwrap_or(UNKNOWN).to_ne_bytes());
        };
        speed(
            offset_of!(NDIS_LINK_STATE, XmitLinkSpeed),
            self.transmit_speed,
        );
        speed(
            offset_of!(NDIS_LINK_STATE, RcvLinkSpeed),
            self.receive_speed,
        );
        Ok(self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn a_link_state_is_read_as_it_was_written() {
        for state in [
            LinkState::default(),
            LinkState::connected(64_000),
            LinkState::disconnected(),
        ] {
            let mut room = [0xEE; size_of::<NDIS_LINK_STATE>() + 1];
            assert_eq!(state.write_to(&mut room), Ok(size_of::<NDIS_LINK_STATE>()));
            assert_eq!(LinkState::parse(&room), Ok(state));
            assert_eq!(room.last(), Some(&0xEE));
            assert_eq!(LinkState::parse(&room[..31]), Err(Status::INVALID_LENGTH));
        }
    }
}
