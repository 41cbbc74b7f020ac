//! [`OutgoingRequest`]: a request of this driver's, and [`Answered`], what became of it.
//!
//! The request and its buffer are one allocation's worth of memory: nonpaged, in one place,
//! and not to be looked at by who asks until it is answered (rules [OID-03], [OID-47]). So
//! both travel as one value, which is given away to ask and comes back with the answer, and
//! who asks is who frees it (rule [OID-04]).
//!
//! # Invariants
//!
//! PACKET: the request's data name the buffer beside it, with a length of all of it at most;
//! all of it has values, as new memory is zeroed. `kind` is the request's type.
//!
//! [OID-03]: ndis_sys::rules#OID-03
//! [OID-04]: ndis_sys::rules#OID-04
//! [OID-47]: ndis_sys::rules#OID-47

use super::{
    place::{Arrived, Place},
    typed::{Answers, Asks, Gives, List, Method, Oid, QueryWith},
    value::{self, Value},
    view::{self, Counts, Kind, MAX_INPUT, RequestId, View},
};
use crate::{
    Status,
    mem::{Box, OutOfMemory, Tag, Vec},
    raw::header,
};
use core::{fmt, marker::PhantomData, ptr::NonNull};
use ndis_sys::{
    _METHOD, _QUERY, _REQUEST_DATA, _SET, NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST,
    NDIS_OID_REQUEST_REVISION_1, NDIS_SIZEOF_OID_REQUEST_REVISION_1,
};

/// A request with its buffer. The request comes first: its address is that of the whole.
#[repr(C)]
struct Packet {
    request: NDIS_OID_REQUEST,
    buffer: Vec<u8>,
    kind: Kind,
    /// How many bytes of the buffer are carried to the target.
    input: u32,
    /// How many the target may write.
    room: u32,
    /// What who asks keeps meanwhile.
    place: Place,
}

// SAFETY: by PACKET its pointers lead to memory of its own.
unsafe impl Send for Packet {}

/// A request that is about to be made of `A`.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, oid::{OutgoingRequest, ToAdapter, known}};
///
/// fn how_fast() -> Result<OutgoingRequest<ToAdapter>, Status> {
///     let request = OutgoingRequest::query(known::GEN_CO_LINK_SPEED)?;
///     Ok(request.with_timeout(2))
/// }
///
/// # let _host = ndis_host::Host::builder().build();
/// assert_eq!(how_fast()?.oid(), known::GEN_CO_LINK_SPEED.number());
/// # Ok::<(), Status>(())
/// ```
///
/// Source pages: [`NDIS_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/oidrequest/ns-oidrequest-ndis_oid_request),
/// [`NdisCoOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequest).
#[doc(alias = "NDIS_OID_REQUEST")]
#[must_use = "a request does nothing until it is made"]
pub struct OutgoingRequest<A> {
    packet: Box<Packet>,
    _asked: PhantomData<fn() -> A>,
}

/// Answers with too few bytes to be what was asked for.
const SHORT: Status = Status::INVALID_LENGTH;

impl<A> OutgoingRequest<A> {
    /// Asks for the value of an OID.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`], here and below.
    pub fn query<V: Value, W: Asks<V>>(oid: Oid<V, W, A>) -> Result<Self, OutOfMemory> {
        Self::query_bytes(oid.number(), size_of::<V>())
    }

    /// Asks for a list of up to `most` values. With less room than they take the answer says
    /// [how many bytes](Answered::needed) that is.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn query_list<V: Value>(oid: Oid<V, List, A>, most: usize) -> Result<Self, OutOfMemory> {
        let room = most.checked_mul(size_of::<V>()).ok_or(OutOfMemory)?;
        Self::query_bytes(oid.number(), room)
    }

    /// Asks for the value of an OID, with what it is about.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn query_with<V: Value, I: Value>(
        oid: Oid<V, QueryWith<I>, A>,
        about: &I,
    ) -> Result<Self, OutOfMemory> {
        let about = value::bytes(core::slice::from_ref(about));
        let room = size_of::<V>().max(about.len());
        Self::new(oid.number(), Kind::Query, about, room)
    }

    /// Gives the value of an OID.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn set<V: Value, W: Gives<V>>(oid: Oid<V, W, A>, value: &V) -> Result<Self, OutOfMemory> {
        Self::set_bytes(oid.number(), value::bytes(core::slice::from_ref(value)))
    }

    /// Asks for the method `id` of an OID; 0 is the default one.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn method<V: Value, I: Value>(
        oid: Oid<V, Method<I>, A>,
        id: u32,
        about: &I,
    ) -> Result<Self, OutOfMemory> {
        let about = value::bytes(core::slice::from_ref(about));
        Self::method_bytes(oid.number(), id, about, size_of::<V>())
    }

    /// Asks for up to `room` bytes, of whatever OID.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn query_bytes(oid: u32, room: usize) -> Result<Self, OutOfMemory> {
        Self::new(oid, Kind::Query, &[], room)
    }

    /// Gives bytes, of whatever OID.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`], also for more than [`MAX_INPUT`] bytes.
    pub fn set_bytes(oid: u32, data: &[u8]) -> Result<Self, OutOfMemory> {
        Self::new(oid, Kind::Set, data, 0)
    }

    /// Asks for a method, of whatever OID: gives bytes, and up to `room` others come back.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`], also for more than [`MAX_INPUT`] bytes.
    pub fn method_bytes(oid: u32, id: u32, data: &[u8], room: usize) -> Result<Self, OutOfMemory> {
        Self::new(oid, Kind::Method { id }, data, room)
    }

    fn new(oid: u32, kind: Kind, data: &[u8], room: usize) -> Result<Self, OutOfMemory> {
        let tag = Tag::NDIS;
        let len = data.len().max(room);
        let input = u32::try_from(data.len()).map_err(|_| OutOfMemory)?;
        let room = u32::try_from(room).map_err(|_| OutOfMemory)?;
        if input > MAX_INPUT {
            return Err(OutOfMemory);
        }
        let mut buffer = Vec::try_zeroed(len, tag)?;
        for (to, from) in buffer.iter_mut().zip(data) {
            *to = *from;
        }
        let mut request: NDIS_OID_REQUEST = ndis_sys::zeroed();
        // All that a driver of NDIS 6.30 knows of it.
        request.Header = header(
            NDIS_OBJECT_TYPE_OID_REQUEST,
            NDIS_OID_REQUEST_REVISION_1,
            NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        );
        request.RequestType = kind.raw();
        let at = if len == 0 {
            core::ptr::null_mut()
        } else {
            buffer.base().cast()
        };
        request.DATA = match kind {
            Kind::Query | Kind::Statistics => _REQUEST_DATA {
                QUERY_INFORMATION: _QUERY {
                    Oid: oid,
                    InformationBuffer: at,
                    InformationBufferLength: room,
                    BytesWritten: 0,
                    BytesNeeded: 0,
                },
            },
            Kind::Set => _REQUEST_DATA {
                SET_INFORMATION: _SET {
                    Oid: oid,
                    InformationBuffer: at,
                    InformationBufferLength: input,
                    BytesRead: 0,
                    BytesNeeded: 0,
                },
            },
            Kind::Method { id } => _REQUEST_DATA {
                METHOD_INFORMATION: _METHOD {
                    Oid: oid,
                    InformationBuffer: at,
                    InputBufferLength: input,
                    OutputBufferLength: room,
                    MethodId: id,
                    BytesWritten: 0,
                    BytesRead: 0,
                    BytesNeeded: 0,
                },
            },
        };
        let packet = Packet {
            request,
            buffer,
            kind,
            input,
            room,
            place: Place::new(),
        };
        let mut request = Self::of(Box::try_new(packet, tag)?);
        // Its address is no other request's, as long as it is there.
        let id = core::ptr::from_ref(&*request.packet).addr();
        request.packet.request.RequestId = core::ptr::without_provenance_mut(id);
        Ok(request)
    }

    fn of(packet: Box<Packet>) -> Self {
        let _asked = PhantomData;
        Self { packet, _asked }
    }

    /// A query is made as one for a counter, which a target may tell apart.
    pub fn as_statistics(mut self) -> Self {
        if self.packet.kind == Kind::Query {
            self.packet.kind = Kind::Statistics;
            self.packet.request.RequestType = Kind::Statistics.raw();
        }
        self
    }

    /// NDIS may give up after so many seconds; 0, as without this, is never.
    pub fn with_timeout(mut self, seconds: u32) -> Self {
        self.packet.request.Timeout = seconds;
        self
    }

    /// The request is about a port of the adapter that is not the default one.
    pub fn with_port(mut self, port: u32) -> Self {
        self.packet.request.PortNumber = port;
        self
    }

    /// The number of the OID.
    #[must_use]
    pub fn oid(&self) -> u32 {
        // SAFETY: all forms of the data begin with it.
        unsafe { self.packet.request.DATA.Oid }
    }

    /// What is wanted.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.packet.kind
    }

    /// By what it is cancelled: no other request that is under way has the same.
    #[must_use]
    pub fn id(&self) -> Option<RequestId> {
        RequestId::from_raw(self.packet.request.RequestId)
    }

    /// Room for what who asks keeps meanwhile.
    pub(super) fn place(&mut self) -> &mut Place {
        &mut self.packet.place
    }

    /// Gives the request away, to whoever is asked; it is to come back through
    /// [`Answered::from_raw`].
    #[doc(hidden)]
    #[must_use]
    pub fn into_raw(self) -> *mut NDIS_OID_REQUEST {
        self.packet.leak().as_ptr().cast()
    }
}

impl<A> fmt::Debug for OutgoingRequest<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingRequest")
            .field("oid", &format_args!("{:#010x}", self.oid()))
            .field("kind", &self.packet.kind)
            .finish_non_exhaustive()
    }
}

/// What became of a request of this driver's.
///
/// Whatever its target claims, no more is shown than there was room for.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Status, oid::{Answered, ToAdapter, known}};
///
/// /// In bits a second, out and in.
/// fn speeds(answered: &Answered<ToAdapter>) -> Result<(u64, u64), Status> {
///     let speed = answered.value(known::GEN_CO_LINK_SPEED)?;
///     Ok((u64::from(speed.Outbound) * 100, u64::from(speed.Inbound) * 100))
/// }
/// ```
#[must_use = "a request may have failed"]
pub struct Answered<A> {
    request: OutgoingRequest<A>,
    status: Status,
    counts: Counts,
}

impl<A> Answered<A> {
    /// By what the request was [called](OutgoingRequest::id) when it was made.
    #[must_use]
    pub fn id(&self) -> Option<RequestId> {
        self.request.id()
    }

    /// Room for what who asked has kept.
    pub(super) fn place(&mut self) -> &mut Place {
        self.request.place()
    }

    /// Takes back what [`OutgoingRequest::into_raw`] gave away, with the status that it was
    /// answered with.
    ///
    /// # Safety
    ///
    /// `request` came from there, of this `A`, is taken back once, and nobody else uses it any
    /// more.
    #[doc(hidden)]
    pub unsafe fn from_raw(request: *mut NDIS_OID_REQUEST, status: Status) -> Option<Self> {
        let packet = NonNull::new(request)?.cast::<Packet>();
        // SAFETY: by the caller; the request is the first of the packet.
        let packet = unsafe { Box::from_leaked(packet, Tag::NDIS) };
        Some(OutgoingRequest::of(packet).answered(status))
    }

    /// The status: [`Status::SUCCESS`], or why not.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The number of the OID that was asked for.
    #[must_use]
    pub fn oid(&self) -> u32 {
        self.request.oid()
    }

    /// What was wanted.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.request.kind()
    }

    /// How many bytes of the answer there are; none after a failure.
    #[must_use]
    pub fn written(&self) -> usize {
        if self.status.is_success() {
            self.counts.written.min(self.request.packet.room) as usize
        } else {
            0
        }
    }

    /// How many of the bytes that were given were made use of; none after a failure.
    #[must_use]
    pub fn used(&self) -> usize {
        if self.status.is_success() {
            self.counts.read.min(self.request.packet.input) as usize
        } else {
            0
        }
    }

    /// How many bytes it takes, when the length was wrong (rule [OID-11]); and of a counter
    /// of which there was room for a half.
    ///
    /// [OID-11]: ndis_sys::rules#OID-11
    #[must_use]
    pub fn needed(&self) -> Option<usize> {
        let wrong = matches!(
            self.status,
            Status::INVALID_LENGTH | Status::BUFFER_TOO_SHORT | Status::BUFFER_OVERFLOW
        );
        let half = self.status.is_success() && self.counts.needed > self.counts.written;
        let half = half && self.kind().is_query();
        (wrong || half).then_some(self.counts.needed as usize)
    }

    /// Which revision of its data a set made use of, if the target says so.
    #[must_use]
    pub fn supported_revision(&self) -> u8 {
        self.request.packet.request.SupportedRevision
    }

    /// The bytes of the answer; none after a failure.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let buffer = &self.request.packet.buffer;
        buffer.get(..self.written()).unwrap_or_default()
    }

    /// Nothing but success is one.
    ///
    /// # Errors
    ///
    /// [The status](Self::status).
    pub fn result(&self) -> Result<(), Status> {
        self.status.result()
    }

    /// The answer as a value of whatever type.
    ///
    /// # Errors
    ///
    /// The status of a failure; [`Status::INVALID_LENGTH`] when there are fewer bytes.
    pub fn value_as<T: Value>(&self) -> Result<T, Status> {
        self.result()?;
        value::read(self.bytes()).ok_or(SHORT)
    }

    /// The value that was asked for. A counter may have come with 32 bits only.
    ///
    /// # Errors
    ///
    /// As [`value_as`](Self::value_as); [`Status::INVALID_OID`] when it was another OID that
    /// was asked for.
    pub fn value<V: Value, W: Answers<V>>(&self, oid: Oid<V, W, A>) -> Result<V, Status> {
        self.is(oid.number())?;
        self.result()?;
        W::load(self.bytes()).ok_or(SHORT)
    }

    /// The values of a list that was asked for; what is no whole value at the end is left
    /// out.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    pub fn list<V: Value>(&self, oid: Oid<V, List, A>) -> Result<impl Iterator<Item = V>, Status> {
        self.is(oid.number())?;
        self.result()?;
        let size = size_of::<V>().max(1);
        let mut rest = self.bytes();
        Ok(core::iter::from_fn(move || {
            let (first, behind) = rest.split_at_checked(size)?;
            rest = behind;
            value::read(first)
        }))
    }

    fn is(&self, oid: u32) -> Result<(), Status> {
        if self.oid() == oid {
            Ok(())
        } else {
            Err(Status::INVALID_OID)
        }
    }

    /// Makes the same request again, as after [`Status::RESET_IN_PROGRESS`] (rule [OID-10]):
    /// with room for what is [`needed`](Self::needed), up to `most` bytes.
    ///
    /// The bytes that were given are given again only when no answer could have taken their
    /// place: a method is to be built anew.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; [`Status::NOT_SUPPORTED`] for a method or a query that carries
    /// something.
    ///
    /// [OID-10]: ndis_sys::rules#OID-10
    pub fn again(self, most: usize) -> Result<OutgoingRequest<A>, Status> {
        let packet = &self.request.packet;
        let room = packet.room as usize;
        let mut next = match packet.kind {
            Kind::Set => OutgoingRequest::set_bytes(self.oid(), &packet.buffer)?,
            _ if packet.input != 0 || packet.kind.is_method() => {
                return Err(Status::NOT_SUPPORTED);
            }
            kind => {
                let room = self.needed().unwrap_or(room).min(most).max(room);
                OutgoingRequest::new(self.oid(), kind, &[], room)?
            }
        };
        next.packet.request.Timeout = packet.request.Timeout;
        next.packet.request.PortNumber = packet.request.PortNumber;
        Ok(next)
    }
}

/// Who is to be called with the end of a request that was given away.
///
/// # Safety
///
/// It is null, or came from [`OutgoingRequest::into_raw`], is over, and is nobody else's to
/// use any more.
pub(super) unsafe fn arrived(request: *mut NDIS_OID_REQUEST) -> Option<Arrived> {
    let packet = NonNull::new(request)?.cast::<Packet>();
    // SAFETY: by the caller; the request is the first of the packet.
    unsafe { packet.as_ref() }.place.arrived()
}

impl<A> OutgoingRequest<A> {
    /// The request, answered.
    fn answered(mut self, status: Status) -> Answered<A> {
        let kind = self.packet.kind;
        let counts = View::counts_of(&mut self.packet.request, kind);
        Answered {
            request: self,
            status: Status::from_raw(view::last(status)),
            counts,
        }
    }
}

impl<A> fmt::Debug for Answered<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered")
            .field("request", &self.request)
            .field("status", &self.status)
            .field("written", &self.written())
            .finish_non_exhaustive()
    }
}
