//! [`StatusIndication`]: what an adapter says of its own accord.
//!
//! A miniport, or NDIS, indicates a change: the link is up, a reset has begun, a call's line
//! has other parameters. Every protocol on the adapter hears of it, or those that share the VC
//! that it is about (rule [STATUS-02]). NDIS serializes what a binding hears, and its pages
//! advise to rely on this rather than to ask again and again (rule [STATUS-08]).
//!
//! # Invariants
//!
//! INDICATION: the structure is valid for the callback, with a buffer that is null or as long
//! as it says and that nobody writes meanwhile (rules [STATUS-06], [STATUS-15]).
//!
//! [STATUS-02]: ndis_sys::rules#STATUS-02
//! [STATUS-06]: ndis_sys::rules#STATUS-06
//! [STATUS-08]: ndis_sys::rules#STATUS-08
//! [STATUS-15]: ndis_sys::rules#STATUS-15

use crate::{
    Status,
    callback::{Argument, FromNdis},
    oid::{self, MAX_INPUT, RequestId, Value},
    raw::Narrow,
};
use core::fmt;
use ndis_sys::{
    NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
    NDIS_STATUS_INDICATION,
};

/// A status, for the time of the callback.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{
///     indication::StatusIndication,
///     sys::{MediaConnectStateConnected, NDIS_LINK_STATE, NDIS_STATUS_LINK_STATE},
///     Status,
/// };
///
/// /// Whether the link has come up, if this says anything of it.
/// fn link(status: &StatusIndication<'_>) -> Option<bool> {
///     let code = Status::from_raw(NDIS_STATUS_LINK_STATE);
///     // The connection's state is behind the header.
///     let state = status.bytes().get(4..8)?;
///     let state = i32::from_ne_bytes(state.try_into().ok()?);
///     (status.code() == code).then_some(state == MediaConnectStateConnected)
/// }
/// ```
///
/// Source page: [`NDIS_STATUS_INDICATION`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/ns-ndis-_ndis_status_indication).
#[derive(Clone, Copy)]
#[doc(alias = "NDIS_STATUS_INDICATION")]
pub struct StatusIndication<'a> {
    raw: &'a NDIS_STATUS_INDICATION,
    bytes: &'a [u8],
}

impl<'a> StatusIndication<'a> {
    /// Looks at a structure of NDIS's. `None` for one that is none, and for data that are
    /// longer than [`MAX_INPUT`].
    ///
    /// # Safety
    ///
    /// As INDICATION says, for `'a`.
    #[doc(hidden)]
    #[must_use]
    pub unsafe fn from_raw(raw: *mut NDIS_STATUS_INDICATION) -> Option<Self> {
        // SAFETY: by the caller.
        let raw = unsafe { raw.as_ref() }?;
        let kind = u64::from(raw.Header.Type) == NDIS_OBJECT_TYPE_STATUS_INDICATION.wide();
        let size = usize::from(raw.Header.Size) >= NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
        if !kind || !size || raw.StatusBufferSize > MAX_INPUT {
            return None;
        }
        let bytes = if raw.StatusBuffer.is_null() {
            &[][..]
        } else {
            let length = raw.StatusBufferSize as usize;
            // SAFETY: by the caller.
            unsafe { core::slice::from_raw_parts(raw.StatusBuffer.cast::<u8>(), length) }
        };
        Some(Self { raw, bytes })
    }

    /// What has happened: one of the constants `NDIS_STATUS_XXX` that are not results.
    pub fn code(&self) -> Status {
        Status::from_raw(self.raw.StatusCode)
    }

    /// What belongs to it; what that is depends on the [code](Self::code).
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The data as a value, if there are enough of them.
    #[must_use]
    pub fn value<V: Value>(&self) -> Option<V> {
        oid::read(self.bytes)
    }

    /// The port of the adapter that it is about; 0 is the default one, or the whole adapter.
    #[must_use]
    pub fn port(&self) -> u32 {
        self.raw.PortNumber
    }

    /// The OID request that it belongs to, if it belongs to one: compare it with
    /// [`OutgoingRequest::id`](crate::oid::OutgoingRequest::id). Whose request that was is
    /// NDIS's to know: it may be another driver's.
    #[must_use]
    pub fn request(&self) -> Option<RequestId> {
        RequestId::from_raw(self.raw.RequestId)
    }
}

impl<'a> Argument<*mut NDIS_STATUS_INDICATION> for StatusIndication<'a> {
    fn from_ndis(argument: FromNdis<*mut NDIS_STATUS_INDICATION, Self>) -> Option<Self> {
        // SAFETY: by CALLBACK NDIS keeps it for the call, as INDICATION says.
        unsafe { Self::from_raw(argument.argument()) }
    }
}

impl fmt::Debug for StatusIndication<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusIndication")
            .field("code", &self.code())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
