//! [`Attributes`]: what an adapter tells of itself during initialization.

use core::{ffi::CStr, mem::size_of};
use ndis_co::{Status, mem::Vec, raw};
use ndis_sys::{
    NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_ATTRIBUTES, NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES, NDIS_OID, NDIS_PM_CAPABILITIES,
};

/// The interface type "other" of the IANA list, which `ipifcons.h` carries.
const IF_TYPE_OTHER: u16 = 1;

/// The kind of network; an `NDIS_MEDIUM`.
///
/// ```
/// # use ndis_mcm::{Attributes, Medium};
/// # use ndis_host as _;
/// let attributes = Attributes::new(Medium::ATM);
/// # let _ = attributes;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "NDIS_MEDIUM")]
pub struct Medium(ndis_sys::NDIS_MEDIUM);

impl Medium {
    /// A connection-oriented wide area network.
    #[doc(alias = "NdisMediumCoWan")]
    pub const CO_WAN: Self = Self(ndis_sys::NdisMediumCoWan);
    /// ATM.
    #[doc(alias = "NdisMediumAtm")]
    pub const ATM: Self = Self(ndis_sys::NdisMediumAtm);
}

/// The registration and general attributes of an adapter.
///
/// Set once, before anything else is done with the adapter (rules [INIT-01],
/// [INIT-02]).
///
/// ```
/// # use ndis_mcm::Attributes;
/// # use ndis_host as _;
/// /// A WAN adapter of 2 Mbit/s, for frames of up to 4096 bytes.
/// fn attributes() -> Attributes {
///     Attributes::wan().max_frame(4096).link_speed(2_000_000)
/// }
/// ```
///
/// [INIT-01]: ndis_sys::rules#INIT-01
/// [INIT-02]: ndis_sys::rules#INIT-02
#[derive(Clone, Debug)]
#[must_use]
#[doc(alias = "NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES")]
#[doc(alias = "NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES")]
pub struct Attributes {
    medium: Medium,
    max_frame: u32,
    link_speed: u64,
    connected: bool,
    tapi: bool,
    vendor: [u8; 4],
    description: &'static CStr,
    oids: &'static [u32],
    /// Those that this crate answers for the driver.
    answered: &'static [u32],
    counts_calls: bool,
}

impl Attributes {
    /// An adapter of this medium: 1500-byte frames, 100 Mbit/s, connected.
    pub const fn new(medium: Medium) -> Self {
        Self {
            medium,
            max_frame: 1500,
            link_speed: 100_000_000,
            connected: true,
            tapi: false,
            vendor: [0xFF, 0xFF, 0xFF, 0],
            description: c"Network adapter",
            oids: &[],
            answered: &[],
            counts_calls: false,
        }
    }

    /// A connection-oriented wide area network.
    pub const fn wan() -> Self {
        Self::new(Medium::CO_WAN)
    }

    /// The largest frame, in bytes.
    #[doc(alias = "MtuSize")]
    pub const fn max_frame(self, bytes: u32) -> Self {
        Self {
            max_frame: bytes,
            ..self
        }
    }

    /// The speed of the link, both ways, in bits a second.
    #[doc(alias = "XmitLinkSpeed")]
    pub const fn link_speed(self, bits_per_second: u64) -> Self {
        Self {
            link_speed: bits_per_second,
            ..self
        }
    }

    /// Whether the medium is connected (yes), as far as the driver knows now: NDIS goes by it
    /// until the driver [indicates](crate::Adapter::indicate) a
    /// [`LinkState`](ndis_co::indication::LinkState), and takes what is not known for disconnected
    /// (rule [STATUS-14]). By the same the layer answers who asks.
    ///
    /// A driver that has to find out first says no, indicates the state of the link when it knows,
    /// within some seconds, and names `OID_GEN_CO_MEDIA_CONNECT_STATUS` among its
    /// [own](Self::oids): who asks for it meanwhile, or while the device wakes, is answered when
    /// that is known (rule [OID-35]).
    ///
    /// Source page: [indicating-connection-status](https://learn.microsoft.com/windows-hardware/drivers/network/indicating-connection-status).
    ///
    /// [OID-35]: ndis_sys::rules#OID-35
    /// [STATUS-14]: ndis_sys::rules#STATUS-14
    #[doc(alias = "MediaConnectState")]
    pub const fn connected(self, connected: bool) -> Self {
        Self { connected, ..self }
    }

    /// Offers telephony: NDPROXY may bind. Otherwise it is kept away (rule
    /// [REG-39]).
    ///
    /// [REG-39]: ndis_sys::rules#REG-39
    #[doc(alias = "NDIS_MINIPORT_ATTRIBUTES_DO_NOT_BIND_TO_ALL_CO")]
    pub const fn tapi(self, offered: bool) -> Self {
        Self {
            tapi: offered,
            ..self
        }
    }

    /// Who made the adapter: three bytes that the IEEE has given the vendor, and one for the
    /// vendor's own use. Without this they say that there is none (rule [OID-31]).
    ///
    /// [OID-31]: ndis_sys::rules#OID-31
    #[doc(alias = "OID_GEN_CO_VENDOR_ID")]
    pub const fn vendor_id(self, id: [u8; 4]) -> Self {
        Self { vendor: id, ..self }
    }

    /// What the adapter is called, in ANSI characters: `c"Contoso loopback"`.
    #[doc(alias = "OID_GEN_CO_VENDOR_DESCRIPTION")]
    pub const fn vendor_description(self, text: &'static CStr) -> Self {
        Self {
            description: text,
            ..self
        }
    }

    /// The OIDs that the driver itself answers, in [`Miniport::oid_request`] or
    /// [`Carry::vc_oid_request`], in any order: who asks for the list of OIDs finds them there
    /// (rules [INIT-30], [OID-28]).
    ///
    /// Those that are the same for every connection-oriented adapter are in that list already,
    /// and the layer answers them: see [`Miniport::oid_request`]. One of them that is named
    /// here is the driver's to answer: its link has another speed at times, or it has
    /// counters of its own. (The two about power are never.)
    ///
    /// [`Carry::vc_oid_request`]: crate::Carry::vc_oid_request
    /// [`Miniport::oid_request`]: crate::Miniport::oid_request
    /// [INIT-30]: ndis_sys::rules#INIT-30
    /// [OID-28]: ndis_sys::rules#OID-28
    #[doc(alias = "SupportedOidList")]
    #[doc(alias = "OID_GEN_CO_SUPPORTED_LIST")]
    pub const fn oids(self, oids: &'static [u32]) -> Self {
        Self { oids, ..self }
    }

    /// OIDs that this crate answers in the driver's place: they are in the list as well.
    pub(crate) const fn answered(self, answered: &'static [u32]) -> Self {
        Self { answered, ..self }
    }

    /// What the adapter does besides: it hands nothing back that it sends (rule [OID-32]).
    ///
    /// [OID-32]: ndis_sys::rules#OID-32
    pub(crate) const MAC_OPTIONS: u32 = ndis_sys::NDIS_MAC_OPTION_NO_LOOPBACK.cast_unsigned();

    /// This crate has counters of its own for each call.
    pub(crate) const fn counting_calls(self) -> Self {
        Self {
            counts_calls: true,
            ..self
        }
    }

    pub(crate) const fn counts_calls(&self) -> bool {
        self.counts_calls
    }

    pub(crate) fn own_oids(&self) -> &'static [u32] {
        self.oids
    }

    /// All that the attributes name.
    pub(crate) fn named_oids(&self) -> impl Iterator<Item = &'static u32> + Clone {
        self.oids.iter().chain(self.answered)
    }

    pub(crate) fn medium(&self) -> ndis_sys::NDIS_MEDIUM {
        self.medium.0
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(crate) fn speed(&self) -> u64 {
        self.link_speed
    }

    pub(crate) fn vendor_code(&self) -> [u8; 4] {
        self.vendor
    }

    pub(crate) fn vendor_text(&self) -> &'static CStr {
        self.description
    }

    /// Hands both structures to NDIS, in order; `oids` are those that the adapter answers.
    ///
    /// # Safety
    ///
    /// Within `MiniportInitializeEx`, once; `handle` is its adapter handle,
    /// and `context` stays valid until the adapter was halted (rule INIT-14).
    pub(crate) unsafe fn set(
        &self,
        handle: NDIS_HANDLE,
        context: NDIS_HANDLE,
        co: bool,
        oids: &[NDIS_OID],
    ) -> Result<(), Status> {
        let mut registration: NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES = ndis_sys::zeroed();
        registration.Header = raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
            ndis_sys::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2,
            ndis_sys::NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2,
        );
        registration.MiniportAdapterContext = context;
        // No bus driver is beneath (rule INIT-29), and the driver learns when the
        // device has gone (HALT-13).
        registration.AttributeFlags = ndis_sys::NDIS_MINIPORT_ATTRIBUTES_SURPRISE_REMOVE_OK as u32;
        if co && !self.tapi {
            registration.AttributeFlags |=
                ndis_sys::NDIS_MINIPORT_ATTRIBUTES_DO_NOT_BIND_TO_ALL_CO as u32;
        }
        // NDIS's own time between two looks for a hang is right, if any is looked for (rule
        // INIT-15).
        registration.InterfaceType = ndis_sys::NdisInterfaceInternal;
        // SAFETY: by the caller; the structure lives for the call.
        unsafe { set(handle, (&raw mut registration).cast()) }?;

        let mut oids = Vec::try_from_slice(oids, ndis_co::mem::Tag::NDIS)?;
        let mut general: NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES = ndis_sys::zeroed();
        general.Header = raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
            ndis_sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
            ndis_sys::NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
        );
        general.MediaType = self.medium.0;
        general.PhysicalMediumType = ndis_sys::NdisPhysicalMediumUnspecified;
        general.MtuSize = self.max_frame;
        general.MaxXmitLinkSpeed = self.link_speed;
        general.XmitLinkSpeed = self.link_speed;
        general.MaxRcvLinkSpeed = self.link_speed;
        general.RcvLinkSpeed = self.link_speed;
        general.MacOptions = Self::MAC_OPTIONS;
        general.MediaConnectState = if self.connected {
            ndis_sys::MediaConnectStateConnected
        } else {
            ndis_sys::MediaConnectStateDisconnected
        };
        general.MediaDuplexState = ndis_sys::MediaDuplexStateFull;
        general.LookaheadSize = self.max_frame;
        general.AccessType = ndis_sys::NET_IF_ACCESS_POINT_TO_POINT;
        general.DirectionType = ndis_sys::NET_IF_DIRECTION_SENDRECEIVE;
        general.ConnectionType = ndis_sys::NET_IF_CONNECTION_DEDICATED;
        general.IfType = IF_TYPE_OTHER;
        // The adapter wakes nobody, from no state (rule INIT-32).
        let mut power: NDIS_PM_CAPABILITIES = ndis_sys::zeroed();
        power.Header = raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
            ndis_sys::NDIS_PM_CAPABILITIES_REVISION_2,
            ndis_sys::NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2,
        );
        power.MinMagicPacketWakeUp = ndis_sys::NdisDeviceStateUnspecified;
        power.MinPatternWakeUp = ndis_sys::NdisDeviceStateUnspecified;
        power.MinLinkChangeWakeUp = ndis_sys::NdisDeviceStateUnspecified;
        general.PowerManagementCapabilitiesEx = &raw mut power;
        general.SupportedOidList = oids.as_mut_ptr();
        general.SupportedOidListLength = (oids.len() * size_of::<NDIS_OID>()) as u32;
        // SAFETY: by the caller; the structure lives for the call, and NDIS
        // copies the list and the capabilities.
        unsafe { set(handle, (&raw mut general).cast()) }
    }
}

/// # Safety
///
/// As [`Attributes::set`]; `attributes` is a filled member of the union.
unsafe fn set(
    handle: NDIS_HANDLE,
    attributes: *mut NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
) -> Result<(), Status> {
    // SAFETY: by the caller; NDIS goes by the member's header.
    let status = unsafe { ndis_sys::NdisMSetMiniportAttributes(handle, attributes) };
    Status::from_raw(status).result()
}
