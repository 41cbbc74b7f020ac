//! [`Answer`]: what a request callback returns, made from its token only.
//!
//! NDIS asks a driver to do something by calling it, and takes either a final
//! status or "pending" plus one completion later (rule [GEN-02]). Each such
//! callback gets a *token* by value and returns an [`Answer`]. A token makes
//! exactly one answer: by accepting, refusing, or pending, and pending gives a
//! second token that completes the request later, from any thread, by value.
//!
//! Both carry the lifetime `'r` of their request, which no two requests share:
//! an answer cannot be kept for another request. So answering twice, not
//! answering, and answering the wrong request do not compile.
//!
//! [GEN-02]: ndis_sys::rules#GEN-02

use crate::Status;
use core::{fmt, marker::PhantomData};
use ndis_sys::NDIS_STATUS;

/// Ties a token and its answer to one request: invariant in `'r`.
pub type Brand<'r> = PhantomData<fn(&'r ()) -> &'r ()>;

/// The right to answer the request `'r`, which its token carries.
///
/// # Invariants
///
/// REQUEST: there is one for each call of a callback, so whoever has it has not answered.
#[must_use = "a request must be answered"]
pub struct Request<'r>(Brand<'r>);

impl<'r> Request<'r> {
    /// # Safety
    ///
    /// Made once for a call of a callback, for which the [`Answer`] is returned.
    pub const unsafe fn new() -> Self {
        Self(PhantomData)
    }

    /// Makes the answer that the callback returns to NDIS: pending when another token
    /// will complete the request.
    pub fn answer(self, status: Status) -> Answer<'r> {
        Answer {
            status: status.raw(),
            _request: self.0,
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// The one answer to the request `'r`.
///
/// ```
/// # use ndis_co::{Answer, Status, cm::{CallManager, MakeCall}, irql::UpToDispatch};
/// # use ndis_host as _;
/// fn make_call<'r, M: CallManager>(
///     request: MakeCall<'r, M>,
///     free: bool,
///     irql: &mut UpToDispatch,
/// ) -> Answer<'r> {
///     if free {
///         request.accept(irql)
///     } else {
///         request.refuse(Status::NO_ROUTE_TO_DESTINATION)
///     }
/// }
/// ```
#[must_use = "a request's callback returns its answer"]
pub struct Answer<'r> {
    status: NDIS_STATUS,
    _request: Brand<'r>,
}

impl Answer<'_> {
    /// Whether the request is completed later.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        Status::from_raw(self.status).is_pending()
    }

    /// What NDIS is told.
    pub fn status(&self) -> Status {
        Status::from_raw(self.status)
    }

    /// The value for NDIS.
    #[must_use]
    pub fn into_raw(self) -> NDIS_STATUS {
        self.status
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer")
            .field(&Status::from_raw(self.status))
            .finish()
    }
}
