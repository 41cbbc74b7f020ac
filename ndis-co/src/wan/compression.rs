//! [`CompressionInfo`]: what a link can compress, and how it does.

use super::structure::word_flags;
use crate::{
    Status,
    tapi::{
        Flat,
        bytes::{Field, put, range, word},
        flat::cleared,
    },
};
use core::{fmt, mem::offset_of};
use ndis_sys::{NDIS_WAN_CO_GET_COMP_INFO, NDIS_WAN_COMPRESS_INFO, NDIS_WAN_COMPRESS_INFO_u};

bitflags::bitflags! {
    /// What NDISWAN itself compresses and encrypts on a link.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    #[doc(alias = "MSCompType")]
    pub struct CompressionKinds: u32 {
        /// It compresses.
        #[doc(alias = "NDISWAN_COMPRESSION")]
        const COMPRESSION = ndis_sys::NDISWAN_COMPRESSION as u32;
        /// It encrypts, the old way.
        #[doc(alias = "NDISWAN_ENCRYPTION")]
        const ENCRYPTION = ndis_sys::NDISWAN_ENCRYPTION as u32;
        /// With keys of 40 bits.
        #[doc(alias = "NDISWAN_40_ENCRYPTION")]
        const ENCRYPTION_40 = ndis_sys::NDISWAN_40_ENCRYPTION as u32;
        /// With keys of 56 bits.
        #[doc(alias = "NDISWAN_56_ENCRYPTION")]
        const ENCRYPTION_56 = ndis_sys::NDISWAN_56_ENCRYPTION as u32;
        /// With keys of 128 bits.
        #[doc(alias = "NDISWAN_128_ENCRYPTION")]
        const ENCRYPTION_128 = ndis_sys::NDISWAN_128_ENCRYPTION as u32;
        /// Each frame can be read without those before.
        #[doc(alias = "NDISWAN_HISTORY_LESS")]
        const HISTORY_LESS = ndis_sys::NDISWAN_HISTORY_LESS as u32;
        /// Other bits stay visible.
        const _ = !0;
    }
}

word_flags!(CompressionKinds);

/// The bytes of the values: of the larger one of the two forms.
const VALUES: usize = size_of::<NDIS_WAN_COMPRESS_INFO_u>();

/// What one direction of a link can compress, or does: an `NDIS_WAN_COMPRESS_INFO`.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::wan::{Compression, CompressionKinds};
///
/// // NDISWAN compresses and encrypts, and the adapter does not.
/// let kinds = CompressionKinds::COMPRESSION | CompressionKinds::ENCRYPTION_128;
/// let can = Compression { kinds, ..Compression::default() };
/// assert_eq!(can.algorithm, Compression::NONE);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias = "NDIS_WAN_COMPRESS_INFO")]
pub struct Compression {
    /// The key of the session.
    pub session_key: [u8; 8],
    /// What NDISWAN does.
    pub kinds: CompressionKinds,
    /// The number of a compression of the adapter's own, or [`NONE`](Self::NONE).
    #[doc(alias = "CompType")]
    pub algorithm: u8,
    /// How many bytes of `values` count. What a peer says may be more than there are: see
    /// [`counted`](Self::counted).
    #[doc(alias = "CompLength")]
    pub length: u16,
    /// What that compression defines; for [`PROPRIETARY`](Self::PROPRIETARY) the maker's three
    /// bytes come first, and the maker's number.
    #[doc(alias = "CompValues")]
    pub values: [u8; VALUES],
}

const KEY: usize = offset_of!(NDIS_WAN_COMPRESS_INFO, SessionKey);
const KINDS: usize = offset_of!(NDIS_WAN_COMPRESS_INFO, MSCompType);
const ALGORITHM: usize = offset_of!(NDIS_WAN_COMPRESS_INFO, CompType);
const LENGTH: usize = offset_of!(NDIS_WAN_COMPRESS_INFO, CompLength);
const UNION: usize = offset_of!(NDIS_WAN_COMPRESS_INFO, u);
const ONE: usize = size_of::<NDIS_WAN_COMPRESS_INFO>();

impl Compression {
    /// A maker's own compression.
    #[doc(alias = "COMPTYPE_OUI")]
    pub const PROPRIETARY: u8 = ndis_sys::COMPTYPE_OUI as u8;
    /// That of RAS in Windows NT 3.1.
    #[doc(alias = "COMPTYPE_NT31RAS")]
    pub const NT31_RAS: u8 = ndis_sys::COMPTYPE_NT31RAS as u8;
    /// No compression.
    #[doc(alias = "COMPTYPE_NONE")]
    pub const NONE: u8 = ndis_sys::COMPTYPE_NONE as u8;

    /// The values that count: no more than there are, whatever `length` says.
    #[must_use]
    pub fn counted(&self) -> &[u8] {
        self.values
            .get(..usize::from(self.length))
            .unwrap_or(&self.values)
    }

    /// Whether there are as many values as `length` says. Without a compression none count.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.algorithm == Self::NONE || usize::from(self.length) <= VALUES
    }

    fn parse(bytes: &[u8], at: usize) -> Result<Self, Status> {
        let own = range(bytes, at, ONE)?;
        let part = |at: usize| own.get(at..).unwrap_or_default();
        let long = Status::INVALID_LENGTH;
        Ok(Self {
            session_key: *part(KEY).first_chunk().ok_or(long)?,
            kinds: word::<u32>(own, KINDS)?.into(),
            algorithm: *part(ALGORITHM).first().ok_or(long)?,
            length: u16::from_ne_bytes(*part(LENGTH).first_chunk().ok_or(long)?),
            values: *part(UNION).first_chunk().ok_or(long)?,
        })
    }

    fn write(&self, room: &mut [u8], at: usize) {
        if let Some(own) = room.get_mut(at..) {
            put(own, KEY, &self.session_key);
            self.kinds.bits().write(own, KINDS);
            put(own, ALGORITHM, &[self.algorithm]);
            put(own, LENGTH, &self.length.to_ne_bytes());
            put(own, UNION, &self.values);
        }
    }
}

impl fmt::Debug for Compression {
    /// All but the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compression")
            .field("kinds", &self.kinds)
            .field("algorithm", &self.algorithm)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Default for Compression {
    /// None.
    fn default() -> Self {
        Self {
            session_key: [0; 8],
            kinds: CompressionKinds::empty(),
            algorithm: Self::NONE,
            length: 0,
            values: [0; VALUES],
        }
    }
}

/// What a link can compress, or does: the data of `OID_WAN_CO_GET_COMP_INFO` and
/// `OID_WAN_CO_SET_COMP_INFO`, which have the same layout.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{tapi::Flat, wan::{Compression, CompressionInfo, CompressionKinds}};
///
/// # let _host = ndis_host::Host::builder().build();
/// let kinds = CompressionKinds::COMPRESSION;
/// let both = Compression { kinds, ..Compression::default() };
/// let bytes = CompressionInfo { send: both, receive: both }.to_vec()?;
///
/// // A set has the same form.
/// let set = CompressionInfo::parse(&bytes)?;
/// assert!(set.send.kinds.contains(CompressionKinds::COMPRESSION));
/// # Ok::<(), ndis_co::Status>(())
/// ```
///
/// Source pages: `oid-wan-co-get-comp-info`, `oid-wan-co-set-comp-info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "NDIS_WAN_CO_GET_COMP_INFO")]
#[doc(alias = "NDIS_WAN_CO_SET_COMP_INFO")]
#[doc(alias = "OID_WAN_CO_GET_COMP_INFO")]
#[doc(alias = "OID_WAN_CO_SET_COMP_INFO")]
pub struct CompressionInfo {
    /// Of what is sent.
    pub send: Compression,
    /// Of what is received.
    pub receive: Compression,
}

const SEND: usize = offset_of!(NDIS_WAN_CO_GET_COMP_INFO, SendCapabilities);
const RECEIVE: usize = offset_of!(NDIS_WAN_CO_GET_COMP_INFO, RecvCapabilities);
const BOTH: usize = size_of::<NDIS_WAN_CO_GET_COMP_INFO>();

impl CompressionInfo {
    /// Reads the structure; what is behind it does not matter.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Status> {
        let own = bytes.get(..BOTH).ok_or(Status::INVALID_LENGTH)?;
        Ok(Self {
            send: Compression::parse(own, SEND)?,
            receive: Compression::parse(own, RECEIVE)?,
        })
    }
}

impl Flat for CompressionInfo {
    fn size(&self) -> usize {
        BOTH
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let own = cleared(room, BOTH)?;
        self.send.write(own, SEND);
        self.receive.write(own, RECEIVE);
        Ok(BOTH)
    }
}
