//! [`Attributes`]: what an adapter tells of itself during initialization.

use core::mem::size_of;
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
#[derive(Debug)]
#[must_use]
#[doc(alias = "NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES")]
#[doc(alias = "NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES")]
pub struct Attributes {
    medium: Medium,
    max_frame: u32,
    link_speed: u64,
    tapi: bool,
}

impl Attributes {
    /// An adapter of this medium: 1500-byte frames, 100 Mbit/s, connected.
    pub const fn new(medium: Medium) -> Self {
        Self {
            medium,
            max_frame: 1500,
            link_speed: 100_000_000,
            tapi: false,
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

    /// Hands both structures to NDIS, in order.
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
        // No hang is looked for, so no time for it is set (rule INIT-15).
        registration.InterfaceType = ndis_sys::NdisInterfaceInternal;
        // SAFETY: by the caller; the structure lives for the call.
        unsafe { set(handle, (&raw mut registration).cast()) }?;

        let mut oids: Vec<NDIS_OID> = Vec::new(ndis_co::mem::Tag::NDIS);
        oids.try_push(ndis_sys::OID_GEN_CO_SUPPORTED_LIST as NDIS_OID)?;
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
        general.MediaConnectState = ndis_sys::MediaConnectStateConnected;
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
