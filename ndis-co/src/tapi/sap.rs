//! [`LineSap`] and [`ClassSap`]: the two kinds of SAP that TAPI has under one type number.
//!
//! NDPROXY registers a line with the call manager beneath, by number. Its own clients, such as
//! NDISWAN, register a class of devices with it, by name. Nothing in a `CO_SAP` tells the two
//! apart: the family does.

use super::{
    Text, TextBuf,
    bytes::{Field, word},
    flags::MediaModes,
};
use crate::{
    Status,
    address::{SapAddress, SapAddressBuf},
};
use core::mem::offset_of;
use ndis_sys::CO_AF_TAPI_SAP;

/// The type number of both (rule [TAPI-12]).
///
/// [TAPI-12]: ndis_sys::rules#TAPI-12
#[doc(alias = "AF_TAPI_SAP_TYPE")]
pub const SAP_TYPE: u32 = ndis_sys::AF_TAPI_SAP_TYPE as u32;

/// Any line: what a client says whose call manager has no capabilities of each line.
#[doc(alias = "CO_TAPI_LINE_ID_UNSPECIFIED")]
pub const ANY_LINE: u32 = ndis_sys::CO_TAPI_LINE_ID_UNSPECIFIED;

/// Any address: what a client says whose call manager has no capabilities of each address.
#[doc(alias = "CO_TAPI_ADDRESS_ID_UNSPECIFIED")]
pub const ANY_ADDRESS: u32 = ndis_sys::CO_TAPI_ADDRESS_ID_UNSPECIFIED;

/// The class of devices that NDISWAN registers with NDPROXY.
pub const NDIS_CLASS: &str = "NDIS";

/// Where a client of [`Family::TAPI_PROXY`](crate::family::Family::TAPI_PROXY) takes calls, a
/// `CO_AF_TAPI_SAP`: a line, an address and what calls may carry.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::{ANY_ADDRESS, LineSap, MediaModes};
///
/// # let _host = ndis_host::Host::builder().build();
/// // Calls for data, on whatever address of line 1.
/// let sap = LineSap { line: 1, address: ANY_ADDRESS, media_modes: MediaModes::DIGITALDATA };
/// let registered = sap.to_address()?;
///
/// // The call manager.
/// let sap = LineSap::parse(registered.view())?;
/// assert!(sap.takes(1, 7, MediaModes::DIGITALDATA));
/// assert!(!sap.takes(2, 7, MediaModes::DIGITALDATA));
/// # Ok::<(), ndis_co::Status>(())
/// ```
///
/// Source page: [accepting-incoming-calls](https://learn.microsoft.com/windows-hardware/drivers/network/accepting-incoming-calls).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "CO_AF_TAPI_SAP")]
pub struct LineSap {
    /// The number of the line, or [`ANY_LINE`].
    #[doc(alias = "ulLineID")]
    pub line: u32,
    /// The number of the address on it, or [`ANY_ADDRESS`].
    #[doc(alias = "ulAddressID")]
    pub address: u32,
    /// What calls may carry.
    #[doc(alias = "ulMediaModes")]
    pub media_modes: MediaModes,
}

const LINE: usize = offset_of!(CO_AF_TAPI_SAP, ulLineID);
const ADDRESS: usize = offset_of!(CO_AF_TAPI_SAP, ulAddressID);
const MEDIA_MODES: usize = offset_of!(CO_AF_TAPI_SAP, ulMediaModes);

impl LineSap {
    /// Reads a SAP.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_SAP`] for another type, or too few bytes.
    pub fn parse(sap: SapAddress<'_>) -> Result<Self, Status> {
        let bytes = of_tapi(sap)?;
        let known = |_| Status::INVALID_SAP;
        Ok(Self {
            line: word(bytes, LINE).map_err(known)?,
            address: word(bytes, ADDRESS).map_err(known)?,
            media_modes: word(bytes, MEDIA_MODES).map_err(known)?,
        })
    }

    /// The `CO_SAP`, to be registered.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn to_address(self) -> Result<SapAddressBuf, Status> {
        let mut bytes = [0; size_of::<CO_AF_TAPI_SAP>()];
        self.line.write(&mut bytes, LINE);
        self.address.write(&mut bytes, ADDRESS);
        self.media_modes.write(&mut bytes, MEDIA_MODES);
        SapAddressBuf::try_new(SAP_TYPE, &bytes)
    }

    /// Whether a call to this address of this line may be offered here, when it carries
    /// `media_mode`. A call whose medium is not known yet may.
    #[must_use]
    pub fn takes(self, line: u32, address: u32, media_mode: MediaModes) -> bool {
        (self.line == ANY_LINE || self.line == line)
            && (self.address == ANY_ADDRESS || self.address == address)
            && (media_mode.contains(MediaModes::UNKNOWN) || self.media_modes.intersects(media_mode))
    }
}

/// Where a client of [`Family::TAPI`](crate::family::Family::TAPI) takes calls: the name of a
/// class of devices.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::{ClassSap, NDIS_CLASS};
///
/// # let _host = ndis_host::Host::builder().build();
/// let registered = ClassSap::address_of(NDIS_CLASS)?;
///
/// // Who offers the family.
/// assert!(ClassSap::parse(registered.view())?.class.is("ndis"));
/// # Ok::<(), ndis_co::Status>(())
/// ```
///
/// Source page: [condis-tapi-registration](https://learn.microsoft.com/windows-hardware/drivers/network/condis-tapi-registration).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassSap<'a> {
    /// The name, such as [`NDIS_CLASS`]. Its encoding is nowhere documented; compare it with
    /// [`Text::is`].
    pub class: Text<'a>,
}

impl<'a> ClassSap<'a> {
    /// Reads a SAP.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_SAP`] for another type, or an empty name.
    pub fn parse(sap: SapAddress<'a>) -> Result<Self, Status> {
        let class = Text::guess(of_tapi(sap)?);
        if class.chars().next().is_none() {
            return Err(Status::INVALID_SAP);
        }
        Ok(Self { class })
    }

    /// The `CO_SAP` of a class, in ASCII with a terminator.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when the name has other characters, [`Status::RESOURCES`].
    pub fn address_of(class: &str) -> Result<SapAddressBuf, Status> {
        let name = TextBuf::ascii(class)?;
        SapAddressBuf::try_new(SAP_TYPE, &name)
    }
}

/// The bytes of a SAP of TAPI's type.
fn of_tapi(sap: SapAddress<'_>) -> Result<&[u8], Status> {
    if sap.sap_type() == SAP_TYPE {
        Ok(sap.bytes())
    } else {
        Err(Status::INVALID_SAP)
    }
}
