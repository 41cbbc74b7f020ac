//! [`PowerState`]: how far a device is switched off.

use ndis_sys::{NDIS_DEVICE_POWER_STATE, NET_PNP_EVENT_NOTIFICATION};

/// The power state of a device, from on to off.
///
/// ```
/// # use ndis_co::power::PowerState;
/// # use ndis_host as _;
/// /// Whether the adapter can carry data.
/// fn is_up(state: PowerState) -> bool {
///     state < PowerState::D1
/// }
/// ```
///
/// Source page: [`PROTOCOL_NET_PNP_EVENT`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_net_pnp_event).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[doc(alias = "NDIS_DEVICE_POWER_STATE")]
pub enum PowerState {
    /// On.
    #[doc(alias = "NdisDeviceStateD0")]
    D0,
    /// The lightest sleep.
    #[doc(alias = "NdisDeviceStateD1")]
    D1,
    /// A deeper one.
    #[doc(alias = "NdisDeviceStateD2")]
    D2,
    /// Off.
    #[doc(alias = "NdisDeviceStateD3")]
    D3,
}

impl PowerState {
    /// From the C form; `None` for what is no state of a device.
    #[must_use]
    pub const fn from_raw(raw: NDIS_DEVICE_POWER_STATE) -> Option<Self> {
        match raw {
            ndis_sys::NdisDeviceStateD0 => Some(Self::D0),
            ndis_sys::NdisDeviceStateD1 => Some(Self::D1),
            ndis_sys::NdisDeviceStateD2 => Some(Self::D2),
            ndis_sys::NdisDeviceStateD3 => Some(Self::D3),
            _ => None,
        }
    }

    /// The state that a device goes to, by an event of `NetEventSetPower`, which NDIS keeps for the
    /// call that brings it.
    pub(crate) fn of_event(event: &NET_PNP_EVENT_NOTIFICATION) -> Option<Self> {
        let buffer = event.NetPnPEvent.Buffer;
        let length = event.NetPnPEvent.BufferLength;
        if buffer.is_null() || (length as usize) < size_of::<NDIS_DEVICE_POWER_STATE>() {
            return None;
        }
        // SAFETY: the buffer has room for it, NDIS keeps it for the call, and nothing is said
        // of its alignment.
        let state = unsafe { buffer.cast::<NDIS_DEVICE_POWER_STATE>().read_unaligned() };
        Self::from_raw(state)
    }
}
