//! [`StatusIndication`]: what an adapter says of its own accord; and what it is that a miniport
//! indicates, as types: [`AdapterStatus`] and [`VcStatus`].
//!
//! A miniport, or NDIS, indicates a change: the link is up, a reset has begun, a call's line
//! has other parameters. Every protocol on the adapter hears of it, or those that share the VC
//! that it is about (rule [STATUS-02]). NDIS serializes what a binding hears, and its pages
//! advise to rely on this rather than to ask again and again (rule [STATUS-08]).
//!
//! Whether the medium is connected, a driver for NDIS 6 says with `NDIS_STATUS_LINK_STATE`: the
//! pages of `NDIS_STATUS_MEDIA_CONNECT` and `NDIS_STATUS_MEDIA_DISCONNECT` call these a matter of
//! NDIS 5, while those of connection-oriented NDIS still name them. So a miniport on this crate
//! indicates [`LinkState`], and [`StatusIndication::kind`] understands all three.
//!
//! A request that is answered with `NDIS_STATUS_INDICATION_REQUIRED` promises an indication of its
//! own. Only pages of mobile broadband allow that answer, none of an OID of connection-oriented
//! NDIS: so no token of this crate can give it (rule [STATUS-05]), and nothing is left to be
//! indicated for a request.
//!
//! # Invariants
//!
//! INDICATION: the structure is valid for the callback, with a buffer that is null or as long
//! as it says and that nobody writes meanwhile (rules [STATUS-06], [STATUS-15]).
//!
//! [STATUS-02]: ndis_sys::rules#STATUS-02
//! [STATUS-05]: ndis_sys::rules#STATUS-05
//! [STATUS-06]: ndis_sys::rules#STATUS-06
//! [STATUS-08]: ndis_sys::rules#STATUS-08
//! [STATUS-15]: ndis_sys::rules#STATUS-15

mod link;

pub use link::{Connection, LinkState};

use crate::{
    Status,
    callback::{Argument, FromNdis},
    key::Key,
    oid::{self, MAX_INPUT, RequestId, Value},
    raw::{self, Narrow},
    tapi::Flat,
    wan::{Fragment, LinkParameters, MtuLinkParameters},
};
use core::fmt;
use ndis_sys::{
    NDIS_HANDLE, NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
    NDIS_STATUS, NDIS_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1, NDIS_STATUS_LINK_STATE,
    NDIS_STATUS_MEDIA_CONNECT, NDIS_STATUS_MEDIA_DISCONNECT, NDIS_STATUS_RESET_END,
    NDIS_STATUS_RESET_START, NDIS_STATUS_TAPI_INDICATION, NDIS_STATUS_WAN_CO_FRAGMENT,
    NDIS_STATUS_WAN_CO_LINKPARAMS, NDIS_STATUS_WAN_CO_MTULINKPARAMS, NDIS_STATUS_WAN_FRAGMENT,
    NDIS_STATUS_WAN_GET_STATS, NDIS_STATUS_WAN_LINE_DOWN, NDIS_STATUS_WAN_LINE_UP,
};

/// What an indication says, with its data.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::indication::{Connection, StatusIndication, StatusKind};
///
/// /// Whether the medium is connected, if this says anything of it.
/// fn connection(status: &StatusIndication<'_>) -> Option<Connection> {
///     match status.kind() {
///         StatusKind::LinkState(state) => Some(state.connection),
///         StatusKind::Connection(connection) => Some(connection),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusKind<'a> {
    /// The link has come up or gone down, or has another speed.
    #[doc(alias = "NDIS_STATUS_LINK_STATE")]
    LinkState(LinkState),
    /// The medium is connected or not, in the form of drivers for NDIS 5.
    #[doc(alias = "NDIS_STATUS_MEDIA_CONNECT")]
    #[doc(alias = "NDIS_STATUS_MEDIA_DISCONNECT")]
    Connection(Connection),
    /// The parameters of a VC's link have changed.
    LinkParameters(LinkParameters),
    /// The same, and how large a packet may be.
    MtuLinkParameters(MtuLinkParameters),
    /// A frame on the VC was damaged.
    Fragment(Fragment),
    /// The adapter is being reset: until the end nothing is sent and nothing asked, and what is
    /// under way may come back as a failure (rules [RESET-01], [RESET-02]).
    ///
    /// [RESET-01]: ndis_sys::rules#RESET-01
    /// [RESET-02]: ndis_sys::rules#RESET-02
    #[doc(alias = "NDIS_STATUS_RESET_START")]
    ResetStart,
    /// The reset is over: send again what it has cost.
    #[doc(alias = "NDIS_STATUS_RESET_END")]
    ResetEnd,
    /// Another one, or one of those with too few data: its bytes.
    Other(&'a [u8]),
}

/// A status of the adapter as a whole, for `Adapter::indicate` of `ndis-mcm`: [`LinkState`].
///
/// Others are indicated by their code.
pub trait AdapterStatus: Flat + sealed::Coded {}

/// A status of one VC, for `Vc::indicate` (rule [STATUS-12]): [`LinkParameters`],
/// [`MtuLinkParameters`], [`Fragment`].
///
/// ```
/// # use ndis_host as _;
/// # use ndis_co::{Status, cm::{CallManager, Carrier, Vc}, irql::NoLock};
/// use ndis_co::wan::LinkParameters;
///
/// /// The line has become slower: 64 kbit/s each way.
/// fn slower<M: CallManager<Base: Carrier<M>>>(vc: &Vc<M>, irql: &mut impl NoLock) -> Result<(), Status> {
///     let parameters = LinkParameters {
///         transmit_speed: 8000,
///         receive_speed: 8000,
///         send_window: 4,
///     };
///     vc.indicate(&parameters, irql)
/// }
/// ```
///
/// [STATUS-12]: ndis_sys::rules#STATUS-12
pub trait VcStatus: Flat + sealed::Coded {}

pub(crate) mod sealed {
    /// A status with a code of its own.
    pub trait Coded {
        #[doc(hidden)]
        const CODE: ndis_sys::NDIS_STATUS;
    }
}

macro_rules! coded {
    ($($about:ident $name:ident = $code:ident;)*) => { $(
        impl sealed::Coded for $name {
            const CODE: NDIS_STATUS = $code;
        }
        impl $about for $name {}
    )* };
}

coded! {
    AdapterStatus LinkState = NDIS_STATUS_LINK_STATE;
    VcStatus LinkParameters = NDIS_STATUS_WAN_CO_LINKPARAMS;
    VcStatus MtuLinkParameters = NDIS_STATUS_WAN_CO_MTULINKPARAMS;
    VcStatus Fragment = NDIS_STATUS_WAN_CO_FRAGMENT;
}

/// The most bytes that a typed status has.
const MOST: usize = 64;

/// Where they are: who hears of them in C looks at them as at a structure, so they begin where one
/// may.
#[repr(align(8))]
struct Room([u8; MOST]);

const _: () = assert!(align_of::<Room>() >= align_of::<ndis_sys::NDIS_LINK_STATE>());

/// Calls with the code of a status and its bytes.
#[doc(hidden)]
pub fn encoded<S: Flat + sealed::Coded>(
    status: &S,
    indicate: impl FnOnce(Status, &[u8]) -> Result<(), Status>,
) -> Result<(), Status> {
    let Room(room) = &mut Room([0; MOST]);
    let len = status.write_to(room)?;
    let bytes = room.get(..len).unwrap_or_default();
    indicate(Status::from_raw(S::CODE), bytes)
}

/// What a miniport indicates a status of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum About {
    Adapter,
    Vc,
}

/// Whether a status may be indicated by a driver, and of this.
fn fits(code: NDIS_STATUS, data: &[u8], about: About) -> bool {
    match code {
        // NDIS indicates it itself (rule STATUS-10).
        NDIS_STATUS_RESET_START | NDIS_STATUS_RESET_END => false,
        // Of WAN miniports without connections (rule WAN-10).
        NDIS_STATUS_TAPI_INDICATION
        | NDIS_STATUS_WAN_LINE_UP
        | NDIS_STATUS_WAN_LINE_DOWN
        | NDIS_STATUS_WAN_FRAGMENT
        | NDIS_STATUS_WAN_GET_STATS => false,
        // Of a VC, with its structure (rule STATUS-12).
        NDIS_STATUS_WAN_CO_FRAGMENT => about == About::Vc && Fragment::parse(data).is_ok(),
        NDIS_STATUS_WAN_CO_LINKPARAMS => about == About::Vc && LinkParameters::parse(data).is_ok(),
        NDIS_STATUS_WAN_CO_MTULINKPARAMS => {
            about == About::Vc && MtuLinkParameters::parse(data).is_ok()
        }
        // The medium is the adapter's.
        NDIS_STATUS_LINK_STATE => about == About::Adapter && LinkState::parse(data).is_ok(),
        NDIS_STATUS_MEDIA_CONNECT | NDIS_STATUS_MEDIA_DISCONNECT => about == About::Adapter,
        _ => true,
    }
}

/// The structure that an adapter with this handle indicates with, for the life of `data`.
///
/// # Errors
///
/// [`Status::INVALID_PARAMETER`] for a status that does not fit, as `fits` says,
/// [`Status::INVALID_LENGTH`] for data of more than 4 GB.
#[doc(hidden)]
pub fn outgoing(
    adapter: NDIS_HANDLE,
    code: Status,
    data: &[u8],
    about: About,
    _: Key,
) -> Result<NDIS_STATUS_INDICATION, Status> {
    let code = code.raw();
    if !fits(code, data, about) {
        return Err(Status::INVALID_PARAMETER);
    }
    let size = u32::try_from(data.len()).map_err(|_| Status::INVALID_LENGTH)?;
    let mut indication: NDIS_STATUS_INDICATION = ndis_sys::zeroed();
    // Rule STATUS-03.
    indication.Header = raw::header(
        NDIS_OBJECT_TYPE_STATUS_INDICATION,
        NDIS_STATUS_INDICATION_REVISION_1,
        NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
    );
    indication.SourceHandle = adapter;
    indication.StatusCode = code;
    if size != 0 {
        indication.StatusBuffer = data.as_ptr().cast_mut().cast();
        indication.StatusBufferSize = size;
    }
    Ok(indication)
}

/// A status, for the time of the callback.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::indication::{StatusIndication, StatusKind};
///
/// /// How many packets may be under way on the link, if this says anything of it.
/// fn window(status: &StatusIndication<'_>) -> Option<u32> {
///     match status.kind() {
///         StatusKind::LinkParameters(link) => Some(link.send_window),
///         StatusKind::MtuLinkParameters(link) => Some(link.send_window),
///         _ => None,
///     }
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

    /// What it says, with its data as a value.
    #[must_use]
    pub fn kind(&self) -> StatusKind<'a> {
        let bytes = self.bytes;
        let known = match self.raw.StatusCode {
            NDIS_STATUS_LINK_STATE => LinkState::parse(bytes).map(StatusKind::LinkState),
            NDIS_STATUS_MEDIA_CONNECT => Ok(StatusKind::Connection(Connection::Connected)),
            NDIS_STATUS_MEDIA_DISCONNECT => Ok(StatusKind::Connection(Connection::Disconnected)),
            NDIS_STATUS_WAN_CO_LINKPARAMS => {
                LinkParameters::parse(bytes).map(StatusKind::LinkParameters)
            }
            NDIS_STATUS_WAN_CO_MTULINKPARAMS => {
                MtuLinkParameters::parse(bytes).map(StatusKind::MtuLinkParameters)
            }
            NDIS_STATUS_WAN_CO_FRAGMENT => Fragment::parse(bytes).map(StatusKind::Fragment),
            NDIS_STATUS_RESET_START => Ok(StatusKind::ResetStart),
            NDIS_STATUS_RESET_END => Ok(StatusKind::ResetEnd),
            _ => Ok(StatusKind::Other(bytes)),
        };
        known.unwrap_or(StatusKind::Other(bytes))
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
