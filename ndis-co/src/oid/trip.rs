//! The way of a request of this driver's: there, and back to whoever asked.
//!
//! A request ends with the call that makes it or, when that says PENDING, with a completion,
//! which may come before the call has returned (rules [OID-01], [OID-02]). Both are one thing
//! here: [`Trip::over`] is called once with the answer, and lets go of what the request held
//! meanwhile. So a driver has one place for answers, and none can be forgotten.
//!
//! # Invariants
//!
//! TRIP: a request that [`go`] gives away has its trip in its place, and comes back once, by
//! the call's status or by [`completed`].
//!
//! [OID-01]: ndis_sys::rules#OID-01
//! [OID-02]: ndis_sys::rules#OID-02

use super::outgoing::{self, Answered, OutgoingRequest};
use crate::{
    Status, callbacks,
    event::Event,
    irql::{AtPassive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, OutOfMemory, Tag},
};
use core::fmt;
use ndis_sys::{
    NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS, PROTOCOL_CO_OID_REQUEST_COMPLETE,
    PROTOCOL_OID_REQUEST_COMPLETE,
};

/// A request that was not made, and why. It comes back.
///
/// ```
/// # use ndis_co::{Status, oid::{AskError, OutgoingRequest, ToManager}};
/// # use ndis_host as _;
/// /// Keeps the request for the next time, when there is to be one.
/// fn refused(error: AskError<ToManager>, later: &mut Option<OutgoingRequest<ToManager>>) {
///     if error.status != Status::CLOSING {
///         *later = Some(error.request);
///     }
/// }
/// ```
pub struct AskError<A> {
    /// The request.
    pub request: OutgoingRequest<A>,
    /// Why it was not made.
    pub status: Status,
}

impl<A> AskError<A> {
    /// Goes on with the request, or gives it back.
    pub(crate) fn unless<T>(
        request: OutgoingRequest<A>,
        result: Result<T, Status>,
    ) -> Result<(OutgoingRequest<A>, T), Self> {
        match result {
            Ok(value) => Ok((request, value)),
            Err(status) => Err(Self { request, status }),
        }
    }
}

impl<A> fmt::Debug for AskError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskError")
            .field("request", &self.request)
            .field("status", &self.status)
            .finish()
    }
}

impl<A> fmt::Display for AskError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request not made: {}", self.status)
    }
}

impl<A> core::error::Error for AskError<A> {}

impl<A> From<AskError<A>> for Status {
    fn from(refused: AskError<A>) -> Self {
        refused.status
    }
}

/// What a request holds while it is under way, and who hears of its end.
pub(crate) trait Trip: Send + Sized + 'static {
    /// Who is asked.
    type Asked;

    /// The request is over.
    fn over(self, answered: Answered<Self::Asked>, irql: &mut UpToDispatch);
}

/// Makes a request by `call`, which gives it to NDIS. [`Trip::over`] comes possibly before
/// this returns.
pub(crate) fn go<T: Trip>(
    mut request: OutgoingRequest<T::Asked>,
    trip: T,
    irql: &mut UpToDispatch,
    call: impl FnOnce(*mut NDIS_OID_REQUEST) -> NDIS_STATUS,
) {
    request.place().put(trip, arrived::<T>);
    let request = request.into_raw();
    let status = Status::from_raw(call(request));
    if !status.is_pending() {
        // SAFETY: by TRIP: the status is final, and no completion comes (rule OID-01).
        unsafe { arrived::<T>(request, status, irql) };
    }
}

/// # Safety
///
/// As [`outgoing::Arrived`] says, with a trip of this type.
unsafe fn arrived<T: Trip>(
    request: *mut NDIS_OID_REQUEST,
    status: Status,
    irql: &mut UpToDispatch,
) {
    // SAFETY: by the caller.
    let answered = unsafe { Answered::<T::Asked>::from_raw(request, status) };
    let Some(mut answered) = answered else { return };
    // SAFETY: by the caller; the request is back once.
    let trip: T = unsafe { answered.place().take() };
    trip.over(answered, irql);
}

callbacks! {
    /// `ProtocolCoOidRequestComplete`, of clients and call managers: which of the two asked is
    /// the request's to know, as are its contexts (rule [OID-45]).
    ///
    /// [OID-45]: ndis_sys::rules#OID-45
    co_oid_request_complete(
        _af: NDIS_HANDLE as NDIS_HANDLE,
        _vc: NDIS_HANDLE as NDIS_HANDLE,
        _party: NDIS_HANDLE as NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST as *mut NDIS_OID_REQUEST,
        status: NDIS_STATUS as Status,
    ) at UpToDispatch => on_co_oid_request_complete;

    /// `ProtocolOidRequestComplete`.
    oid_request_complete(
        _binding: NDIS_HANDLE as NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST as *mut NDIS_OID_REQUEST,
        status: NDIS_STATUS as Status,
    ) at UpToDispatch => on_oid_request_complete;
}

/// For the tables of handlers of both roles.
pub(crate) const CO_COMPLETE: PROTOCOL_CO_OID_REQUEST_COMPLETE = co_oid_request_complete;
/// For that of every protocol.
pub(crate) const COMPLETE: PROTOCOL_OID_REQUEST_COMPLETE = oid_request_complete;

fn on_co_oid_request_complete(
    _af: NDIS_HANDLE,
    _vc: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
    status: Status,
    irql: &mut UpToDispatch,
) {
    completed(request, status, irql);
}

fn on_oid_request_complete(
    _binding: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
    status: Status,
    irql: &mut UpToDispatch,
) {
    completed(request, status, irql);
}

/// A request that pended is over.
fn completed(request: *mut NDIS_OID_REQUEST, status: Status, irql: &mut UpToDispatch) {
    // SAFETY: by CALLBACK it is one that this driver has made, and by TRIP under way.
    if let Some(arrived) = unsafe { outgoing::arrived(request) } {
        // SAFETY: its own function; by TRIP it is over with this.
        unsafe { arrived(request, status, irql) };
    }
}

/// A thread that waits for an answer.
pub(crate) struct Waiter<A> {
    answered: SpinLock<Option<Answered<A>>>,
    event: Event,
}

impl<A> Waiter<A> {
    fn try_new() -> Result<Arc<Self>, OutOfMemory> {
        let event = Event::try_new(Tag::NDIS)?;
        let answered = SpinLock::new(None);
        Arc::try_new(Self { answered, event }, Tag::NDIS)
    }
}

/// Who hears of the end of a request: a thread that waits for it, or else the driver's
/// handler.
pub(crate) struct Ear<A>(Option<Arc<Waiter<A>>>);

impl<A> Ear<A> {
    /// The driver's handler.
    pub(crate) const fn handler() -> Self {
        Self(None)
    }

    /// The answer, if it is the handler's.
    pub(crate) fn hear(self, answered: Answered<A>) -> Option<Answered<A>> {
        let Some(waiter) = self.0 else {
            return Some(answered);
        };
        waiter.answered.locked(|slot| *slot = Some(answered));
        waiter.event.set();
        None
    }
}

/// Makes a request by `ask`, and waits for the answer.
pub(crate) fn wait<A>(
    request: OutgoingRequest<A>,
    irql: &mut impl AtPassive,
    ask: impl FnOnce(OutgoingRequest<A>, Ear<A>, &mut UpToDispatch) -> Result<(), AskError<A>>,
) -> Result<Answered<A>, AskError<A>> {
    let Ok(waiter) = Waiter::try_new() else {
        let status = Status::RESOURCES;
        return Err(AskError { request, status });
    };
    let ear = Ear(Some(waiter.clone()));
    ask(request, ear, irql.up_to_dispatch())?;
    loop {
        waiter.event.wait(irql);
        // Whoever has set it may still be on the way out.
        Arc::wait_for_others(&waiter, 1, irql.passive());
        if let Some(answered) = waiter.answered.take() {
            return Ok(answered);
        }
    }
}
