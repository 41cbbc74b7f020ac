//! What a client asks a call manager about its lines: [`CmCaps`], [`LineCaps`], [`AddressCaps`],
//! [`CallDiagnostics`], the data of the `OID_CO_TAPI_*` queries.
//!
//! The buffer of a query carries input too, the number of the line. So whoever answers reads it
//! first, see [`LineCaps::asked`], and writes afterwards.

use super::{
    Flat,
    address_caps::LineAddressCaps,
    bytes::{Descriptor, Field, aligned, put, word},
    dev_caps::LineDevCaps,
    flags::{CallOrigin, CallReason},
    flat::cleared,
};
use crate::Status;
use core::mem::offset_of;
use ndis_sys::{
    CO_TAPI_ADDRESS_CAPS, CO_TAPI_CALL_DIAGNOSTICS, CO_TAPI_CM_CAPS, CO_TAPI_LINE_CAPS,
};

/// A version of TAPI.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, tapi::{CmCaps, Flat, Version}};
///
/// /// Whether who gave this answer knows TAPI 3.0.
/// fn is_new(answer: &[u8]) -> Result<bool, Status> {
///     Ok(CmCaps::parse(answer)?.version >= Version::V3_0)
/// }
///
/// let old = CmCaps { version: Version::V1_3, ..CmCaps::new(1) };
/// let mut answer = [0; 12];
/// old.write_to(&mut answer)?;
/// assert_eq!(is_new(&answer), Ok(false));
/// # Ok::<(), Status>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl Version {
    /// 3.0, which a driver of the family
    /// [`Family::TAPI_PROXY`](crate::family::Family::TAPI_PROXY) is built for (source page:
    /// `wan-miniport-driver-build-parameters`). `ndis_sys::CO_TAPI_VERSION` is the header's
    /// default, 1.3.
    #[doc(alias = "CO_TAPI_VERSION")]
    #[doc(alias = "NDIS_TAPI_CURRENT_VERSION")]
    pub const V3_0: Self = Self(0x0003_0000);
    /// 1.3, the header's default.
    pub const V1_3: Self = Self(ndis_sys::CO_TAPI_VERSION as u32);
}

/// How many lines a call manager has: the answer to `OID_CO_TAPI_CM_CAPS`, a
/// `CO_TAPI_CM_CAPS` (rule [TAPI-02]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Answer, oid::{Door, OidRequest, ToManager, known}, tapi::CmCaps};
///
/// fn answer<'r, D: Door<Asked = ToManager>>(request: OidRequest<'r, D>) -> Answer<'r> {
///     // Two lines that are not alike.
///     let caps = CmCaps { per_line: true, ..CmCaps::new(2) };
///     request.reply_to(known::CO_TAPI_CM_CAPS, &caps.to_raw())
/// }
/// ```
///
/// Source page: [oid-co-tapi-cm-caps](https://learn.microsoft.com/windows-hardware/drivers/network/oid-co-tapi-cm-caps).
///
/// [TAPI-02]: ndis_sys::rules#TAPI-02
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "CO_TAPI_CM_CAPS")]
#[doc(alias = "OID_CO_TAPI_CM_CAPS")]
pub struct CmCaps {
    /// The version of TAPI.
    #[doc(alias = "ulCoTapiVersion")]
    pub version: Version,
    /// The number of lines: they are numbered from zero.
    #[doc(alias = "ulNumLines")]
    pub lines: u32,
    /// Whether lines differ, or addresses of any line: the client then asks about each line.
    #[doc(alias = "CO_TAPI_FLAG_PER_LINE_CAPS")]
    pub per_line: bool,
}

const PER_LINE: u32 = ndis_sys::CO_TAPI_FLAG_PER_LINE_CAPS as u32;
const PER_ADDRESS: u32 = ndis_sys::CO_TAPI_FLAG_PER_ADDRESS_CAPS as u32;

/// One bit of the flags, the others being zero.
const fn flag(set: bool, bit: u32) -> u32 {
    if set { bit } else { 0 }
}

impl CmCaps {
    /// So many lines that are alike, in TAPI 3.0.
    #[must_use]
    pub const fn new(lines: u32) -> Self {
        Self {
            version: Version::V3_0,
            lines,
            per_line: false,
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are less than twelve bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Status> {
        let flags: u32 = word(bytes, offset_of!(CO_TAPI_CM_CAPS, ulFlags))?;
        Ok(Self {
            version: Version(word(bytes, offset_of!(CO_TAPI_CM_CAPS, ulCoTapiVersion))?),
            lines: word(bytes, offset_of!(CO_TAPI_CM_CAPS, ulNumLines))?,
            per_line: flags & PER_LINE != 0,
        })
    }

    /// The C form.
    #[must_use]
    pub const fn to_raw(self) -> CO_TAPI_CM_CAPS {
        CO_TAPI_CM_CAPS {
            ulCoTapiVersion: self.version.0,
            ulNumLines: self.lines,
            ulFlags: flag(self.per_line, PER_LINE),
        }
    }
}

impl Flat for CmCaps {
    fn size(&self) -> usize {
        size_of::<CO_TAPI_CM_CAPS>()
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let own = cleared(room, self.size())?;
        let raw = self.to_raw();
        raw.ulCoTapiVersion
            .write(own, offset_of!(CO_TAPI_CM_CAPS, ulCoTapiVersion));
        raw.ulNumLines
            .write(own, offset_of!(CO_TAPI_CM_CAPS, ulNumLines));
        raw.ulFlags.write(own, offset_of!(CO_TAPI_CM_CAPS, ulFlags));
        Ok(self.size())
    }
}

/// What a line can do: the answer to `OID_CO_TAPI_LINE_CAPS`, a `CO_TAPI_LINE_CAPS` (rule
/// [TAPI-03]).
///
/// Source pages: [oid-co-tapi-line-caps](https://learn.microsoft.com/windows-hardware/drivers/network/oid-co-tapi-line-caps), [responding-to-an-oid-co-tapi-line-caps-query](https://learn.microsoft.com/windows-hardware/drivers/network/responding-to-an-oid-co-tapi-line-caps-query).
///
/// ```
/// use ndis_co::tapi::{Flat, LineCaps, LineDevCaps, TextBuf};
/// # fn answer(buffer: &mut [u8]) -> Result<usize, ndis_co::Status> {
/// // `buffer` is that of the query.
/// let line = LineCaps::asked(buffer)?;
/// let (name, classes) = (TextBuf::utf16("Tunnel")?, TextBuf::utf16_list(&["NDIS"])?);
/// let device = LineDevCaps {
///     line_name: &name,
///     device_classes: &classes,
///     ..LineDevCaps::data(1, 100_000_000)
/// };
/// let answer = LineCaps { line, per_address: false, device };
/// // Too little room is an error; `answer.size()` is what it takes.
/// answer.write_to(buffer)
/// # }
/// # let _host = ndis_host::Host::builder().build();
/// # let mut buffer = [0; 600];
/// # let len = answer(&mut buffer).unwrap();
/// # assert_eq!(LineCaps::parse(&buffer[..len]).unwrap().device.addresses, 1);
/// ```
///
/// [TAPI-03]: ndis_sys::rules#TAPI-03
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_TAPI_LINE_CAPS")]
#[doc(alias = "OID_CO_TAPI_LINE_CAPS")]
pub struct LineCaps<'a> {
    /// The number of the line, as the query has it.
    #[doc(alias = "ulLineID")]
    pub line: u32,
    /// Whether its addresses differ: the client then asks about each.
    #[doc(alias = "CO_TAPI_FLAG_PER_ADDRESS_CAPS")]
    pub per_address: bool,
    /// What the line can do.
    #[doc(alias = "LineDevCaps")]
    pub device: LineDevCaps<'a>,
}

const LINE: usize = offset_of!(CO_TAPI_LINE_CAPS, ulLineID);
const LINE_FLAGS: usize = offset_of!(CO_TAPI_LINE_CAPS, ulFlags);
const DEVICE: usize = offset_of!(CO_TAPI_LINE_CAPS, LineDevCaps);

impl<'a> LineCaps<'a> {
    /// Which line a query is about.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when the buffer has not even that.
    pub fn asked(query: &[u8]) -> Result<u32, Status> {
        word(query, LINE)
    }

    /// Makes `buffer` a query about a line, with the size of the room for the answer. Whether
    /// that must be there, no page says: it does no harm.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when the buffer has not even room for that.
    pub fn ask(line: u32, buffer: &mut [u8]) -> Result<(), Status> {
        put_query(buffer, DEVICE)?;
        line.write(buffer, LINE);
        Ok(())
    }

    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// Those of [`LineDevCaps::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let flags: u32 = word(bytes, LINE_FLAGS)?;
        Ok(Self {
            line: word(bytes, LINE)?,
            per_address: flags & PER_ADDRESS != 0,
            device: LineDevCaps::parse(bytes.get(DEVICE..).unwrap_or_default())?,
        })
    }

    fn write_front(&self, room: &mut [u8]) {
        self.line.write(room, LINE);
        flag(self.per_address, PER_ADDRESS).write(room, LINE_FLAGS);
    }

    /// As [`LineDevCaps::write_without_parts`], within this structure: the other way to answer
    /// when there is too little room.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when there is not even room for that.
    pub fn write_without_parts(&self, room: &mut [u8]) -> Result<usize, Status> {
        let behind = room.get_mut(DEVICE..).ok_or(Status::BUFFER_TOO_SHORT)?;
        let len = self.device.write_without_parts(behind)?;
        self.write_front(room);
        Ok(DEVICE.saturating_add(len))
    }
}

impl Flat for LineCaps<'_> {
    fn size(&self) -> usize {
        DEVICE.saturating_add(self.device.size())
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let behind = room.get_mut(DEVICE..).ok_or(Status::BUFFER_TOO_SHORT)?;
        let len = self.device.write_to(behind)?;
        self.write_front(room);
        Ok(DEVICE.saturating_add(len))
    }
}

/// What an address can do: the answer to `OID_CO_TAPI_ADDRESS_CAPS`, a
/// `CO_TAPI_ADDRESS_CAPS`, whose flags are reserved.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::{AddressCaps, Flat, LineAddressCaps, TextBuf};
///
/// # fn answer(buffer: &mut [u8]) -> Result<usize, ndis_co::Status> {
/// // `buffer` is that of the query.
/// let (line, address) = AddressCaps::asked(buffer)?;
/// let number = TextBuf::utf16("555-1234")?;
/// let caps = LineAddressCaps { line, address: &number, ..LineAddressCaps::data(1) };
/// AddressCaps { line, address, caps }.write_to(buffer)
/// # }
/// # let _host = ndis_host::Host::builder().build();
/// # let mut buffer = [0; 600];
/// # AddressCaps::ask(3, 4, &mut buffer)?;
/// # let len = answer(&mut buffer)?;
/// # let read = AddressCaps::parse(&buffer[..len])?;
/// # assert_eq!((read.line, read.address, read.caps.max_active_calls), (3, 4, 1));
/// # Ok::<(), ndis_co::Status>(())
/// ```
///
/// Source page: [oid-co-tapi-address-caps](https://learn.microsoft.com/windows-hardware/drivers/network/oid-co-tapi-address-caps).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_TAPI_ADDRESS_CAPS")]
#[doc(alias = "OID_CO_TAPI_ADDRESS_CAPS")]
pub struct AddressCaps<'a> {
    /// The number of the line, as the query has it.
    #[doc(alias = "ulLineID")]
    pub line: u32,
    /// The number of the address on the line, as the query has it.
    #[doc(alias = "ulAddressID")]
    pub address: u32,
    /// What the address can do.
    #[doc(alias = "LineAddressCaps")]
    pub caps: LineAddressCaps<'a>,
}

const ADDRESS_LINE: usize = offset_of!(CO_TAPI_ADDRESS_CAPS, ulLineID);
const ADDRESS: usize = offset_of!(CO_TAPI_ADDRESS_CAPS, ulAddressID);
const ADDRESS_FLAGS: usize = offset_of!(CO_TAPI_ADDRESS_CAPS, ulFlags);
const CAPS: usize = offset_of!(CO_TAPI_ADDRESS_CAPS, LineAddressCaps);

impl<'a> AddressCaps<'a> {
    /// Which line, and which address of it, a query is about.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when the buffer has not even that.
    pub fn asked(query: &[u8]) -> Result<(u32, u32), Status> {
        Ok((word(query, ADDRESS_LINE)?, word(query, ADDRESS)?))
    }

    /// Makes `buffer` a query about an address, as [`LineCaps::ask`] does for a line.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when the buffer has not even room for that.
    pub fn ask(line: u32, address: u32, buffer: &mut [u8]) -> Result<(), Status> {
        put_query(buffer, CAPS)?;
        line.write(buffer, ADDRESS_LINE);
        address.write(buffer, ADDRESS);
        Ok(())
    }

    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// Those of [`LineAddressCaps::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let (line, address) = Self::asked(bytes)?;
        let caps = LineAddressCaps::parse(bytes.get(CAPS..).unwrap_or_default())?;
        Ok(Self {
            line,
            address,
            caps,
        })
    }

    fn write_front(&self, room: &mut [u8]) {
        self.line.write(room, ADDRESS_LINE);
        self.address.write(room, ADDRESS);
        0_u32.write(room, ADDRESS_FLAGS);
    }

    /// As [`LineAddressCaps::write_without_parts`], within this structure.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when there is not even room for that.
    pub fn write_without_parts(&self, room: &mut [u8]) -> Result<usize, Status> {
        let behind = room.get_mut(CAPS..).ok_or(Status::BUFFER_TOO_SHORT)?;
        let len = self.caps.write_without_parts(behind)?;
        self.write_front(room);
        Ok(CAPS.saturating_add(len))
    }
}

impl Flat for AddressCaps<'_> {
    fn size(&self) -> usize {
        CAPS.saturating_add(self.caps.size())
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let behind = room.get_mut(CAPS..).ok_or(Status::BUFFER_TOO_SHORT)?;
        let len = self.caps.write_to(behind)?;
        self.write_front(room);
        Ok(CAPS.saturating_add(len))
    }
}

/// Zeros, but for the size of a structure that begins at `start`.
fn put_query(buffer: &mut [u8], start: usize) -> Result<(), Status> {
    let room = buffer
        .len()
        .checked_sub(start)
        .filter(|room| *room >= u32::SIZE)
        .ok_or(Status::BUFFER_TOO_SHORT)?;
    buffer.fill(0);
    u32::try_from(room).unwrap_or(u32::MAX).write(buffer, start);
    Ok(())
}

/// Why a call failed, or was closed by the other end: the answer to
/// `OID_CO_TAPI_GET_CALL_DIAGNOSTICS`, a `CO_TAPI_CALL_DIAGNOSTICS`.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::{CallDiagnostics, CallOrigin, CallReason, Flat};
///
/// let why = CallDiagnostics {
///     origin: CallOrigin::OUTBOUND,
///     reason: CallReason::DIRECT,
///     info: b"no carrier",
/// };
/// let mut answer = [0; 64];
/// let len = why.write_to(&mut answer)?;
/// assert_eq!(CallDiagnostics::parse(&answer[..len]), Ok(why));
/// # Ok::<(), ndis_co::Status>(())
/// ```
///
/// Source page: `oid-co-tapi-get-call-diagnostics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CO_TAPI_CALL_DIAGNOSTICS")]
#[doc(alias = "OID_CO_TAPI_GET_CALL_DIAGNOSTICS")]
pub struct CallDiagnostics<'a> {
    /// Where the call came from.
    pub origin: CallOrigin,
    /// Why it was made.
    pub reason: CallReason,
    /// What the driver has to say, in a form of its own: at most 65,535 bytes.
    #[doc(alias = "DiagInfo")]
    pub info: &'a [u8],
}

const DIAGNOSTICS: usize = size_of::<CO_TAPI_CALL_DIAGNOSTICS>();
const ORIGIN: usize = offset_of!(CO_TAPI_CALL_DIAGNOSTICS, ulOrigin);
const REASON: usize = offset_of!(CO_TAPI_CALL_DIAGNOSTICS, ulReason);
const INFO: usize = offset_of!(CO_TAPI_CALL_DIAGNOSTICS, DiagInfo);

impl<'a> CallDiagnostics<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are too few bytes, [`Status::INVALID_DATA`] when
    /// `info` is not among them.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Status> {
        let info: Descriptor = word(bytes, INFO)?;
        Ok(Self {
            origin: word(bytes, ORIGIN)?,
            reason: word(bytes, REASON)?,
            info: info.data(INFO, DIAGNOSTICS, bytes)?,
        })
    }
}

impl Flat for CallDiagnostics<'_> {
    fn size(&self) -> usize {
        DIAGNOSTICS.saturating_add(aligned(self.info.len(), u32::SIZE))
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let info = Descriptor::to(INFO, DIAGNOSTICS, self.info.len())?;
        let own = cleared(room, self.size())?;
        self.origin.write(own, ORIGIN);
        self.reason.write(own, REASON);
        info.write(own, INFO);
        put(own, DIAGNOSTICS, self.info);
        Ok(self.size())
    }
}
