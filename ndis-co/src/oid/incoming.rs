//! [`OidRequest`]: a request that reached this driver: the token, and its pended form.

use super::{
    typed::{Answers, Carries, List, Oid, Way},
    value::{self, Value},
    view::{self, View},
};
use crate::{
    Answer, Status,
    answer::Request,
    armed::{Alarm, Armed},
    irql::NoLock,
};
use core::{fmt, ops};
use ndis_sys::{NDIS_OID_REQUEST, NDIS_STATUS};

/// The way by which requests reach a driver, and by which the answer to a pended one goes
/// back.
///
/// A value is the door of one request: it keeps what the handles that the completion takes
/// belong to. As a request is never without its door, no other completion can be called for
/// it.
///
/// # Safety
///
/// What is kept lives until the request is completed, which `complete` and `lost` do, once.
#[doc(hidden)]
pub unsafe trait Door: Send + 'static {
    /// Who is asked through it.
    type Asked: super::typed::Asked;

    /// Completes the request with a final status.
    ///
    /// # Safety
    ///
    /// The request came through this door and was pended, is completed here only, and was
    /// answered. At or below DISPATCH_LEVEL, with no lock held.
    unsafe fn complete(&self, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS);

    /// Completes the request with this failure, now or soon: its token was dropped, and a
    /// lock may be held.
    ///
    /// # Safety
    ///
    /// As of [`complete`](Self::complete), but for the lock.
    unsafe fn lost(self, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS);
}

/// Writes the answers of a token, whose `finish` says what becomes of the status. `$irql` is
/// what a completion asks for besides.
macro_rules! answers {
    ($(#[doc = $note:literal])* ($($irql:ident: $level:ty)?) -> $done:ty) => {
        /// Whether the request is about this OID, in a way that the OID has.
        #[must_use]
        pub fn is<V, W: Way>(&self, oid: Oid<V, W, D::Asked>) -> bool {
            self.oid() == oid.number() && W::allows(self.kind())
        }

        /// Answers with these bytes; fails with [`Status::BUFFER_TOO_SHORT`], and says how
        /// many it takes, when there is no room for all (rule [OID-21]). A set is refused: it
        /// is [accepted](Self::accept).
        ///
        $(#[doc = $note])*
        ///
        /// [OID-21]: ndis_sys::rules#OID-21
        pub fn reply(mut self, bytes: &[u8] $(, $irql: $level)?) -> $done {
            let status = self.view().store(bytes);
            self.finish(status $(, $irql)?)
        }

        /// Answers with `len` bytes, which `fill` writes: they are zero at first. As
        /// [`reply`](Self::reply) otherwise; `fill` is not called when there is no room.
        pub fn reply_with(
            mut self,
            len: usize,
            fill: impl FnOnce(&mut [u8])
            $(, $irql: $level)?
        ) -> $done {
            let status = self.view().store_with(len, fill);
            self.finish(status $(, $irql)?)
        }

        /// Answers with a value, as [`reply`](Self::reply) does.
        pub fn reply_value<T: Value>(self, value: &T $(, $irql: $level)?) -> $done {
            self.reply(value::bytes(core::slice::from_ref(value)) $(, $irql)?)
        }

        /// Answers with an integer of 32 bits, as [`reply`](Self::reply) does.
        pub fn reply_u32(self, value: u32 $(, $irql: $level)?) -> $done {
            self.reply_value(&value $(, $irql)?)
        }

        /// Answers with a counter of 64 bits (rule [OID-33]). Who asks with four to seven
        /// bytes gets the low half and hears that there are eight; who asks with less, that
        /// and [`Status::INVALID_LENGTH`].
        ///
        /// Source page: [querying-64-bit-statistics-oids](https://learn.microsoft.com/windows-hardware/drivers/network/querying-64-bit-statistics-oids).
        ///
        /// [OID-33]: ndis_sys::rules#OID-33
        pub fn reply_u64(mut self, counter: u64 $(, $irql: $level)?) -> $done {
            let status = self.view().store_counter(counter);
            self.finish(status $(, $irql)?)
        }

        /// Answers a query or a method with the value that belongs to its OID: by the rule of
        /// [`reply_u64`](Self::reply_u64) for a [`Counter`](super::Counter), as
        /// [`reply`](Self::reply) does for others. A request for something else is refused
        /// with [`Status::NOT_SUPPORTED`].
        pub fn reply_to<V: Value, W: Answers<V>>(
            mut self,
            oid: Oid<V, W, D::Asked>,
            value: &V
            $(, $irql: $level)?
        ) -> $done {
            let status = if self.is(oid) && W::asks(self.kind()) {
                W::store(self.view(), value)
            } else {
                self.view().fail(Status::NOT_SUPPORTED, 0)
            };
            self.finish(status $(, $irql)?)
        }

        /// Answers a query with all values of a list, as [`reply_to`](Self::reply_to) does
        /// with one.
        pub fn reply_list<V: Value>(
            mut self,
            oid: Oid<V, List, D::Asked>,
            values: &[V]
            $(, $irql: $level)?
        ) -> $done {
            let status = if self.is(oid) {
                self.view().store(value::bytes(values))
            } else {
                self.view().fail(Status::NOT_SUPPORTED, 0)
            };
            self.finish(status $(, $irql)?)
        }

        /// Does what is asked: a set, of whose data `used` bytes were looked at, or a method
        /// that gives nothing back. A query is refused: it has a reply.
        ///
        $(#[doc = $note])*
        pub fn accept(mut self, used: usize $(, $irql: $level)?) -> $done {
            let status = self.view().take(used);
            self.finish(status $(, $irql)?)
        }

        /// As [`accept`](Self::accept), for data that begin with an `NDIS_OBJECT_HEADER`: who
        /// asks is told which revision of them was made use of.
        pub fn accept_as(mut self, used: usize, revision: u8 $(, $irql: $level)?) -> $done {
            let status = self.view().take(used);
            if status.is_success() {
                self.view().support(revision);
            }
            self.finish(status $(, $irql)?)
        }

        /// Refuses a buffer that is too short, of which `needed` bytes are needed (rule
        /// [OID-21]). One that has as many is refused as of a wrong length.
        ///
        /// [OID-21]: ndis_sys::rules#OID-21
        pub fn too_short(mut self, needed: usize $(, $irql: $level)?) -> $done {
            let needed = view::narrow(needed);
            let status = self.view().too_short(needed);
            self.finish(status $(, $irql)?)
        }

        /// Refuses a buffer of the wrong length, too long or too short; `needed` is the right
        /// one (rule [OID-21]).
        ///
        /// [OID-21]: ndis_sys::rules#OID-21
        pub fn invalid_length(mut self, needed: usize $(, $irql: $level)?) -> $done {
            let needed = view::narrow(needed);
            let status = self.view().wrong_length(needed);
            self.finish(status $(, $irql)?)
        }

        /// Refuses the request. A status that is no failure becomes
        /// [`Status::FAILURE`], see [`as_failure`](Status::as_failure).
        ///
        $(#[doc = $note])*
        pub fn refuse(mut self, status: Status $(, $irql: $level)?) -> $done {
            let status = self.view().fail(status, 0);
            self.finish(status $(, $irql)?)
        }

        /// Refuses an OID that this driver does not know, or that it does not answer (rule
        /// [OID-22]).
        ///
        /// [OID-22]: ndis_sys::rules#OID-22
        pub fn not_supported(self $(, $irql: $level)?) -> $done {
            self.refuse(Status::NOT_SUPPORTED $(, $irql)?)
        }
    };
}

/// Somebody asks for a value, gives one, or wants a method done: the token of the request.
///
/// It [dereferences](View) to what is asked. Every length was checked but the one that
/// counts: whether the data are what the OID wants (rule [OID-20]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{
///     Answer, Status,
///     oid::{Door, OidRequest, ToAdapter, known, number},
///     sys::{NDIS_CO_LINK_SPEED, NDIS_PACKET_TYPE_PROMISCUOUS, NDIS_STATISTICS_INFO},
/// };
///
/// struct Nic {
///     sent: u64,
///     statistics: NDIS_STATISTICS_INFO,
/// }
///
/// impl Nic {
///     fn answer<'r, D: Door<Asked = ToAdapter>>(&self, request: OidRequest<'r, D>) -> Answer<'r> {
///         match request.oid() {
///             number::GEN_CO_XMIT_PDUS_OK => {
///                 request.reply_to(known::GEN_CO_XMIT_PDUS_OK, &self.sent)
///             }
///             number::GEN_STATISTICS => {
///                 request.reply_to(known::GEN_STATISTICS, &self.statistics)
///             }
///             number::GEN_CO_LINK_SPEED => {
///                 // Two times 100 Mbit/s, in units of 100 bit/s.
///                 let speed = NDIS_CO_LINK_SPEED {
///                     Outbound: 1_000_000,
///                     Inbound: 1_000_000,
///                 };
///                 request.reply_to(known::GEN_CO_LINK_SPEED, &speed)
///             }
///             number::GEN_CURRENT_PACKET_FILTER => {
///                 let (filter, request) = match request.read(known::GEN_CURRENT_PACKET_FILTER) {
///                     Ok(both) => both,
///                     Err(answer) => return answer,
///                 };
///                 // Frames without addresses: all of them come, or none.
///                 if filter & !(NDIS_PACKET_TYPE_PROMISCUOUS as u32) != 0 {
///                     return request.refuse(Status::INVALID_DATA);
///                 }
///                 request.accept(size_of_val(&filter))
///             }
///             _ => request.not_supported(),
///         }
///     }
/// }
/// ```
///
/// Source pages: [`NDIS_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/oidrequest/ns-oidrequest-ndis_oid_request),
/// [`MINIPORT_CO_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_oid_request),
/// [`PROTOCOL_CO_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_oid_request).
///
/// [OID-20]: ndis_sys::rules#OID-20
#[must_use = "a request must be answered"]
#[doc(alias = "NDIS_OID_REQUEST")]
pub struct OidRequest<'r, D: Door> {
    asked: Came<D>,
    request: Request<'r>,
}

/// A request, and the door that it came through.
struct Came<D> {
    view: View,
    door: D,
}

impl<'r, D: Door> OidRequest<'r, D> {
    /// Looks at a request that a callback is given.
    ///
    /// # Errors
    ///
    /// The answer to one that makes no sense; who asks is told why.
    ///
    /// # Safety
    ///
    /// The request is that of the call that `request` answers, and came through `door`: it is
    /// null, or valid for as long as its header says, with a buffer that is null or as long
    /// as it says, and of nobody else's use until it is answered.
    #[doc(hidden)]
    pub unsafe fn new(
        oid: *mut NDIS_OID_REQUEST,
        door: D,
        request: Request<'r>,
    ) -> Result<Self, Answer<'r>> {
        // SAFETY: by the caller; the view goes with the token, which the answer ends.
        match unsafe { View::new(oid) } {
            Ok(view) => {
                let asked = Came { view, door };
                Ok(Self { asked, request })
            }
            Err(status) => Err(request.answer(status.as_failure())),
        }
    }

    /// The door that it came through.
    #[doc(hidden)]
    pub fn door(&self) -> &D {
        &self.asked.door
    }

    fn view(&mut self) -> &mut View {
        &mut self.asked.view
    }

    fn finish(self, status: Status) -> Answer<'r> {
        self.request.answer(Status::from_raw(view::last(status)))
    }

    answers! { () -> Answer<'r> }

    /// What the request gives, and the token again: the value of a set, or what a query or a
    /// method is about.
    ///
    /// # Errors
    ///
    /// The answer: too few bytes were refused with [`Status::INVALID_LENGTH`] and how many
    /// there should be, a request for something else with [`Status::NOT_SUPPORTED`]. So was a query
    /// of an OID of Windows's of which no page says that anything is carried in: nobody has written
    /// its buffer. (A driver's own OIDs begin with 0xFF.)
    pub fn read<V: Value, W: Carries<V>>(
        self,
        oid: Oid<V, W, D::Asked>,
    ) -> Result<(W::Input, Self), Answer<'r>> {
        if !self.is(oid) || !W::brings(self.kind()) || !self.may_carry() {
            return Err(self.not_supported());
        }
        match self.asked.view.brought() {
            Some(value) => Ok((value, self)),
            None => Err(self.invalid_length(<W::Input as Value>::LEAST)),
        }
    }

    /// Answers later, with the second value, from any thread. Other requests come meanwhile
    /// (rule [OID-19]).
    ///
    /// [OID-19]: ndis_sys::rules#OID-19
    pub fn pend(self) -> (Answer<'r>, PendingOidRequest<D>) {
        let asked = Armed::new(self.asked);
        let answer = self.request.answer(Status::PENDING);
        (answer, PendingOidRequest { asked })
    }
}

impl<D: Door> ops::Deref for OidRequest<'_, D> {
    type Target = View;
    fn deref(&self) -> &View {
        &self.asked.view
    }
}

impl<D: Door> fmt::Debug for OidRequest<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OidRequest").field(&self.asked.view).finish()
    }
}

/// An OID request that is answered later: the token of a pended one.
///
/// Dropping it refuses the request with [`Status::FAILURE`]. When NDIS cancels
/// [its identifier](View::id), refuse it with [`Status::REQUEST_ABORTED`].
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{
///     Answer, Status,
///     irql::NoLock,
///     lock::SpinLock,
///     mem::Vec,
///     oid::{Door, OidRequest, PendingOidRequest, RequestId},
/// };
///
/// /// What waits for the hardware.
/// struct Waiting<D: Door>(SpinLock<Vec<PendingOidRequest<D>>>);
///
/// impl<D: Door> Waiting<D> {
///     fn later<'r>(&self, request: OidRequest<'r, D>, irql: &mut impl NoLock) -> Answer<'r> {
///         let (answer, waits) = request.pend();
///         // Without memory it is dropped, and with that refused.
///         let _ = self.0.with(irql, |all, _| all.try_push(waits));
///         answer
///     }
///
///     fn cancel(&self, id: RequestId, irql: &mut impl NoLock) {
///         while let Some(request) =
///             self.0.with(irql, |all, _| all.take_first(|one| one.id() == Some(id)))
///         {
///             request.refuse(Status::REQUEST_ABORTED, irql);
///         }
///     }
/// }
/// ```
#[must_use = "dropping a pending request refuses it"]
pub struct PendingOidRequest<D: Door> {
    asked: Armed<Came<D>, Refuse>,
}

/// Refuses a pended request.
struct Refuse;

impl<D: Door> Alarm<Came<D>> for Refuse {
    fn lost(mut asked: Came<D>) {
        let status = view::last(asked.view.fail(Status::FAILURE, 0));
        // SAFETY: the door is the request's, which was pended, as the token says that ends
        // here without having been used.
        unsafe { asked.door.lost(asked.view.as_ptr(), status) };
    }
}

impl<D: Door> PendingOidRequest<D> {
    /// The door that it came through.
    #[doc(hidden)]
    pub fn door(&self) -> &D {
        &self.asked.door
    }

    fn view(&mut self) -> &mut View {
        &mut self.asked.view
    }

    fn finish(self, status: Status, irql: &mut impl NoLock) {
        let _ = irql.up_to_dispatch();
        let asked = self.asked.disarm();
        let status = view::last(status);
        // SAFETY: the door is the request's, which was pended, as the token says that was
        // disarmed here; no lock is held, as the proof says.
        unsafe { asked.door.complete(asked.view.as_ptr(), status) };
    }

    answers! {
        /// The request is completed before this returns, and who asked may ask again
        /// meanwhile.
        (irql: &mut impl NoLock) -> ()
    }
}

impl<D: Door> ops::Deref for PendingOidRequest<D> {
    type Target = View;
    fn deref(&self) -> &View {
        &self.asked.view
    }
}

impl<D: Door> fmt::Debug for PendingOidRequest<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingOidRequest")
            .field(&self.asked.view)
            .finish()
    }
}
