//! [`View`]: an OID request as its target sees it: what it asks, what it carries, and where
//! its answer is written.
//!
//! The request and its buffer are another driver's memory, with a claim about its length
//! (rule [OID-20]: NDIS looks at neither). What is read is bounded by the claim, and data
//! longer than [`MAX_INPUT`] are refused. What is written was never looked at before: a
//! query's buffer may hold anything, or nothing that Rust calls a value.
//!
//! # Invariants
//!
//! VIEW: `request` is valid, as long as its first revision at least, and of nobody else's use
//! until it is answered (rules [OID-03], [OID-47]); whoever has the view has the request.
//! `kind` is its type's, `buffer` its buffer. The first `input` bytes there were written by
//! who asks, and the first `room` ones may be written; both are 0 where it is null. `second`
//! says that the fields of the second revision are there as well. A query of an OID on which
//! something is carried in was written as far as that goes: so far as a page says of those of
//! Windows's, and as their targets know of those of drivers' own. The buffer of any other query is
//! never read, whatever its target takes it for. (Who asks with this crate has written all of a
//! buffer, `outgoing`; who does not is another image, of whose memory the compiler knows nothing.)
//!
//! [OID-03]: ndis_sys::rules#OID-03
//! [OID-20]: ndis_sys::rules#OID-20
//! [OID-47]: ndis_sys::rules#OID-47

use super::{
    inward,
    value::{self, Value},
};
use crate::{Status, raw::Narrow};
use core::{fmt, num::NonZero, ptr::NonNull};
use ndis_sys::{
    _METHOD, _QUERY, _SET, NDIS_OID_REQUEST, NDIS_SIZEOF_OID_REQUEST_REVISION_1,
    NDIS_SIZEOF_OID_REQUEST_REVISION_2, NDIS_STATUS, NdisRequestMethod,
    NdisRequestQueryInformation, NdisRequestQueryStatistics, NdisRequestSetInformation,
};

/// The most bytes that a set or a method may carry in.
///
/// C gives nothing to check the length of a buffer against. A longer one is taken for a
/// mistake of who asks, and refused with [`Status::INVALID_LENGTH`].
pub const MAX_INPUT: u32 = 1024 * 1024;

/// What a request wants done.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Answer, oid::{Door, Kind, OidRequest}};
///
/// /// The lamp on the adapter.
/// fn lamp<'r, D: Door>(request: OidRequest<'r, D>, brightness: u32) -> Answer<'r> {
///     match request.kind() {
///         Kind::Query | Kind::Statistics => request.reply_u32(brightness),
///         // The one method lets it blink, and has nothing to say.
///         Kind::Method { id: 0 } => request.accept(0),
///         Kind::Set | Kind::Method { .. } => request.not_supported(),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value is asked for.
    Query,
    /// A counter is asked for. It is answered as [`Query`](Self::Query) is.
    Statistics,
    /// A value is given.
    Set,
    /// Something is done: data are given, others come back in their place.
    Method {
        /// Which of the methods of the OID; 0 is the default one.
        id: u32,
    },
}

impl Kind {
    /// Whether a value is asked for, as a counter or otherwise.
    #[must_use]
    pub const fn is_query(self) -> bool {
        matches!(self, Self::Query | Self::Statistics)
    }

    /// Whether it is a method.
    #[must_use]
    pub const fn is_method(self) -> bool {
        matches!(self, Self::Method { .. })
    }

    /// The type of such a request.
    pub(super) const fn raw(self) -> i32 {
        match self {
            Self::Query => NdisRequestQueryInformation,
            Self::Statistics => NdisRequestQueryStatistics,
            Self::Set => NdisRequestSetInformation,
            Self::Method { .. } => NdisRequestMethod,
        }
    }
}

/// What a request is called when it is to be cancelled.
///
/// Who asks chooses it, and may give several requests the same.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::oid::{OutgoingRequest, RequestId, known};
///
/// # let _host = ndis_host::Host::builder().build();
/// let request = OutgoingRequest::query(known::GEN_CO_LINK_SPEED)?;
/// // Kept when the request is given away.
/// let id: Option<RequestId> = request.id();
/// let other = OutgoingRequest::query(known::GEN_CO_LINK_SPEED)?;
/// assert_ne!(id, other.id());
/// # Ok::<(), ndis_co::Status>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestId(NonZero<usize>);

impl RequestId {
    /// The identifier that NDIS passes on; `None` for null, by which nothing is cancelled.
    #[must_use]
    pub fn from_raw(id: *mut core::ffi::c_void) -> Option<Self> {
        NonZero::new(id.addr()).map(Self)
    }

    /// As NDIS has it.
    #[doc(hidden)]
    #[must_use]
    pub const fn raw(self) -> *mut core::ffi::c_void {
        core::ptr::without_provenance_mut(self.0.get())
    }
}

/// What was moved, and what would have been.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) written: u32,
    pub(super) read: u32,
    pub(super) needed: u32,
}

/// An OID request, to be looked at: a token of the request dereferences to it.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, oid::{Kind, View}};
///
/// /// The colour that the lamp is to have: three bytes.
/// fn colour(view: &View) -> Result<[u8; 3], Status> {
///     if view.kind() != Kind::Set {
///         return Err(Status::NOT_SUPPORTED);
///     }
///     view.input_as().ok_or(Status::INVALID_LENGTH)
/// }
/// ```
pub struct View {
    request: NonNull<NDIS_OID_REQUEST>,
    oid: u32,
    kind: Kind,
    buffer: *mut u8,
    input: u32,
    room: u32,
    second: bool,
}

// SAFETY: by VIEW the request and its buffer are of nobody else's use, on whatever thread.
unsafe impl Send for View {}

/// Whether a number is of a driver's own OIDs, and none of Windows's: those of NDIS's own kinds have
/// another first byte.
const fn is_own(oid: u32) -> bool {
    oid >> 24 == 0xFF
}

/// What is counted fits: buffers are shorter, and more than that is not there to be needed.
pub(super) fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Reads one field of the request behind the pointer.
macro_rules! read {
    ($at:expr, $field:ident) => {
        // SAFETY: by VIEW the request is there, with all fields of its first revision.
        unsafe { (*$at).$field }
    };
}

/// Writes one field of the request behind the pointer.
macro_rules! write {
    ($at:expr, $field:ident = $value:expr) => {{
        let value = $value;
        // SAFETY: by VIEW the request is there, with all fields of its first revision, and
        // nobody else uses it.
        unsafe { (*$at).$field = value };
    }};
}

impl View {
    /// Looks at a request.
    ///
    /// # Errors
    ///
    /// What the request is refused with: [`Status::INVALID_DATA`] for a null pointer, a
    /// header that is none of a request's, and no buffer where there is to be one;
    /// [`Status::NOT_SUPPORTED`] for a type that no page knows; [`Status::INVALID_LENGTH`]
    /// for data of more than [`MAX_INPUT`] bytes. Nothing was moved then, and the request
    /// says so.
    ///
    /// # Safety
    ///
    /// The request is null, or as VIEW says but for the kind: for as long as its header says,
    /// with a buffer that is null or as long as it says, for the life of the view.
    pub(super) unsafe fn new(request: *mut NDIS_OID_REQUEST) -> Result<Self, Status> {
        let request = NonNull::new(request).ok_or(Status::INVALID_DATA)?;
        let at = request.as_ptr();
        let header = read!(at, Header);
        let least = match header.Revision {
            0 => return Err(Status::INVALID_DATA),
            1 => NDIS_SIZEOF_OID_REQUEST_REVISION_1,
            _ => NDIS_SIZEOF_OID_REQUEST_REVISION_2,
        };
        // Longer is legal: the size of the whole structure, or of a later revision.
        if u64::from(header.Type) != ndis_sys::NDIS_OBJECT_TYPE_OID_REQUEST.wide()
            || usize::from(header.Size) < least
        {
            return Err(Status::INVALID_DATA);
        }
        let request_type = read!(at, RequestType);
        let mut view = Self {
            request,
            oid: 0,
            kind: Kind::Query,
            buffer: core::ptr::null_mut(),
            input: 0,
            room: 0,
            second: header.Revision > 1,
        };
        view.oid = read!(view.arm::<_QUERY>(), Oid);
        #[allow(non_upper_case_globals)]
        match request_type {
            NdisRequestQueryInformation | NdisRequestQueryStatistics => {
                if request_type == NdisRequestQueryStatistics {
                    view.kind = Kind::Statistics;
                }
                let arm = view.arm::<_QUERY>();
                view.buffer = read!(arm, InformationBuffer).cast();
                view.room = read!(arm, InformationBufferLength);
                if let Some(most) = inward::carried(view.oid) {
                    view.input = view.room.min(most);
                }
            }
            NdisRequestSetInformation => {
                view.kind = Kind::Set;
                let arm = view.arm::<_SET>();
                view.buffer = read!(arm, InformationBuffer).cast();
                view.input = read!(arm, InformationBufferLength);
            }
            NdisRequestMethod => {
                let arm = view.arm::<_METHOD>();
                let id = read!(arm, MethodId);
                view.kind = Kind::Method { id };
                view.buffer = read!(arm, InformationBuffer).cast();
                view.input = read!(arm, InputBufferLength);
                view.room = read!(arm, OutputBufferLength);
            }
            _ => return Err(Status::NOT_SUPPORTED),
        }
        view.check()?;
        Ok(view)
    }

    /// Refuses a buffer that cannot be used.
    fn check(&mut self) -> Result<(), Status> {
        let status = if self.buffer.is_null() && self.input.max(self.room) != 0 {
            Status::INVALID_DATA
        } else if self.input > MAX_INPUT {
            Status::INVALID_LENGTH
        } else {
            return Ok(());
        };
        self.count(Counts::default());
        Err(status)
    }

    /// One of the forms of the request's data, all of which begin in one place.
    fn arm<T>(&self) -> *mut T {
        // SAFETY: by VIEW the request is there; the data are of its first revision.
        unsafe { &raw mut (*self.request.as_ptr()).DATA }.cast()
    }

    /// The number of the OID.
    #[must_use]
    pub fn oid(&self) -> u32 {
        self.oid
    }

    /// What is wanted.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The bytes that a set or a method carries in; of a query those of a
    /// [known](super::known) OID that has any, and else none.
    ///
    /// Where there is an answer it takes their place, so what is needed longer is copied.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        self.written(self.input)
    }

    /// Whether the request may carry something in: a query, when a page says so of its OID, or
    /// when that is a driver's own, whose target knows.
    pub(super) fn may_carry(&self) -> bool {
        !self.kind.is_query() || inward::carried(self.oid).is_some() || is_own(self.oid)
    }

    /// The value that a request carries in whose OID, as its target knows, has one: a query of a
    /// driver's own too, which is not in the list that [`input`](Self::input) goes by.
    pub(super) fn brought<T: Value>(&self) -> Option<T> {
        let most = narrow(size_of::<T>());
        let len = if self.kind.is_query() && is_own(self.oid) {
            self.room
        } else {
            self.input
        };
        value::read(self.written(len.min(most)))
    }

    /// The first bytes of the buffer, which who asks has written.
    fn written(&self, len: u32) -> &[u8] {
        if len == 0 {
            return &[];
        }
        // SAFETY: by VIEW it is not null, and so many bytes were written there; they are no
        // more than a slice may have, being no more than MAX_INPUT or a value has, and are
        // not changed before the request is answered, for which its token is consumed, which
        // is borrowed here.
        unsafe { core::slice::from_raw_parts(self.buffer, len as usize) }
    }

    /// The value that is carried in; `None` when there are too few bytes. What is behind it
    /// is left alone.
    #[must_use]
    pub fn input_as<T: Value>(&self) -> Option<T> {
        value::read(self.input())
    }

    /// How many bytes an answer may have; 0 for a set.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.room as usize
    }

    /// The port of the adapter that is meant; 0 is the default one.
    #[must_use]
    pub fn port(&self) -> u32 {
        read!(self.request.as_ptr(), PortNumber)
    }

    /// By what it is cancelled, if it can be.
    #[must_use]
    pub fn id(&self) -> Option<RequestId> {
        RequestId::from_raw(read!(self.request.as_ptr(), RequestId))
    }

    /// After how many seconds NDIS gives up, and may cancel the request or reset the adapter;
    /// `None` when it does not.
    #[must_use]
    pub fn timeout(&self) -> Option<NonZero<u32>> {
        NonZero::new(read!(self.request.as_ptr(), Timeout))
    }

    /// The virtual port of a NIC switch that is meant, when one is: who asks says so with a
    /// field that older requests do not have.
    #[must_use]
    pub fn virtual_port(&self) -> Option<u32> {
        let at = self.request.as_ptr();
        if !self.second {
            return None;
        }
        let valid = ndis_sys::NDIS_OID_REQUEST_FLAGS_VPORT_ID_VALID.cast_unsigned();
        (read!(at, Flags) & valid != 0).then(|| read!(at, VPortId))
    }

    /// The request itself.
    pub(super) fn as_ptr(&self) -> *mut NDIS_OID_REQUEST {
        self.request.as_ptr()
    }

    /// Says what was moved. All that the request has is written each time: a page that calls
    /// a count meaningless after some status does not mind its value, and another one wants
    /// it (rule [OID-21]).
    ///
    /// [OID-21]: ndis_sys::rules#OID-21
    fn count(&mut self, counts: Counts) {
        match self.kind {
            Kind::Query | Kind::Statistics => {
                let arm = self.arm::<_QUERY>();
                write!(arm, BytesWritten = counts.written);
                write!(arm, BytesNeeded = counts.needed);
            }
            Kind::Set => {
                let arm = self.arm::<_SET>();
                write!(arm, BytesRead = counts.read);
                write!(arm, BytesNeeded = counts.needed);
            }
            Kind::Method { .. } => {
                let arm = self.arm::<_METHOD>();
                write!(arm, BytesWritten = counts.written);
                write!(arm, BytesRead = counts.read);
                write!(arm, BytesNeeded = counts.needed);
            }
        }
    }

    /// What was moved, as the target of a request of this kind says.
    pub(super) fn counts_of(request: &mut NDIS_OID_REQUEST, kind: Kind) -> Counts {
        let view = Self {
            request: NonNull::from(request),
            oid: 0,
            kind,
            buffer: core::ptr::null_mut(),
            input: 0,
            room: 0,
            second: false,
        };
        // As VIEW says, for the request is borrowed.
        view.counts()
    }

    fn counts(&self) -> Counts {
        match self.kind {
            Kind::Query | Kind::Statistics => {
                let arm = self.arm::<_QUERY>();
                Counts {
                    written: read!(arm, BytesWritten),
                    read: 0,
                    needed: read!(arm, BytesNeeded),
                }
            }
            Kind::Set => {
                let arm = self.arm::<_SET>();
                Counts {
                    written: 0,
                    read: read!(arm, BytesRead),
                    needed: read!(arm, BytesNeeded),
                }
            }
            Kind::Method { .. } => {
                let arm = self.arm::<_METHOD>();
                Counts {
                    written: read!(arm, BytesWritten),
                    read: read!(arm, BytesRead),
                    needed: read!(arm, BytesNeeded),
                }
            }
        }
    }

    /// The first bytes of the buffer, made values of.
    fn cleared(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > self.room as usize || isize::try_from(len).is_err() {
            return None;
        }
        if len == 0 {
            return Some(&mut []);
        }
        // SAFETY: by VIEW there is so much room.
        unsafe { self.buffer.write_bytes(0, len) };
        // SAFETY: by VIEW and the check there is so much room, of which each byte was just
        // written, and nobody else uses it while the view is borrowed; a slice may be so long.
        Some(unsafe { core::slice::from_raw_parts_mut(self.buffer, len) })
    }

    /// A refusal that says how many bytes it takes.
    pub(super) fn fail(&mut self, status: Status, needed: u32) -> Status {
        let counts = Counts {
            needed,
            ..Counts::default()
        };
        self.count(counts);
        status.as_failure()
    }

    /// A refusal of a buffer that is said to be too short for `needed` bytes. One that has as
    /// many is of a wrong length, whatever is said (rule OID-21).
    pub(super) fn too_short(&mut self, needed: u32) -> Status {
        let has = match self.kind {
            Kind::Query | Kind::Statistics => self.room,
            Kind::Set => self.input,
            Kind::Method { .. } => self.room.min(self.input),
        };
        if needed > has {
            self.fail(Status::BUFFER_TOO_SHORT, needed)
        } else {
            self.wrong_length(needed)
        }
    }

    /// A refusal of a length for which `needed` would be right; no byte at all is never.
    pub(super) fn wrong_length(&mut self, needed: u32) -> Status {
        self.fail(Status::INVALID_LENGTH, needed.max(1))
    }

    /// An answer of `len` bytes, which `fill` writes.
    pub(super) fn store_with(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> Status {
        if self.kind == Kind::Set {
            return self.fail(Status::NOT_SUPPORTED, 0);
        }
        let Some(place) = self.cleared(len) else {
            return self.fail(Status::BUFFER_TOO_SHORT, narrow(len));
        };
        fill(place);
        let len = narrow(len);
        self.count(Counts {
            written: len,
            read: self.input,
            needed: len,
        });
        Status::SUCCESS
    }

    /// An answer of these bytes.
    pub(super) fn store(&mut self, bytes: &[u8]) -> Status {
        self.store_with(bytes.len(), |place| {
            // As long: it was made so.
            for (to, from) in place.iter_mut().zip(bytes) {
                *to = *from;
            }
        })
    }

    /// A counter of 64 bits (rule [OID-33]): who asks with four bytes gets the low half, and
    /// hears how many there are.
    ///
    /// [OID-33]: ndis_sys::rules#OID-33
    pub(super) fn store_counter(&mut self, counter: u64) -> Status {
        const WHOLE: u32 = size_of::<u64>() as u32;
        const HALF: u32 = WHOLE / 2;
        let bytes = counter.to_le_bytes();
        let [low @ .., _, _, _, _] = bytes;
        if !self.kind.is_query() || self.room >= WHOLE {
            return self.store(&bytes);
        }
        let status = self.store(&low);
        if !status.is_success() {
            return self.fail(Status::INVALID_LENGTH, WHOLE);
        }
        self.count(Counts {
            written: HALF,
            read: 0,
            needed: WHOLE,
        });
        status
    }

    /// A set, or a method that gives nothing back, used so many bytes.
    pub(super) fn take(&mut self, used: usize) -> Status {
        if self.kind.is_query() {
            return self.fail(Status::NOT_SUPPORTED, 0);
        }
        let read = narrow(used).min(self.input);
        self.count(Counts {
            written: 0,
            read,
            needed: read,
        });
        Status::SUCCESS
    }

    /// The revision that a set made use of.
    pub(super) fn support(&mut self, revision: u8) {
        write!(self.request.as_ptr(), SupportedRevision = revision);
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("oid", &format_args!("{:#010x}", self.oid))
            .field("kind", &self.kind)
            .field("input", &self.input)
            .field("capacity", &self.room)
            .finish_non_exhaustive()
    }
}

/// The status as NDIS takes it for the end of a request: never pending (rule [OID-16]).
///
/// [OID-16]: ndis_sys::rules#OID-16
pub(super) fn last(status: Status) -> NDIS_STATUS {
    status.as_final().raw()
}
