//! [`Answer`]: what a request callback returns, made from its token only.
//!
//! NDIS asks a driver to do something by calling it, and takes either a final
//! status or "pending" plus one completion later (rule GEN-02). Each such
//! callback gets a *token* by value and returns an [`Answer`]. A token makes
//! exactly one answer: by accepting, refusing, or pending, and pending gives a
//! second token that completes the request later, from any thread, by value.
//!
//! Both carry the lifetime `'r` of their request, which no two requests share:
//! an answer cannot be kept for another request. So answering twice, not
//! answering, and answering the wrong request do not compile.

use crate::Status;
use core::{fmt, marker::PhantomData};
use ndis_sys::NDIS_STATUS;

/// Ties a token and its answer to one request: invariant in `'r`.
pub type Brand<'r> = PhantomData<fn(&'r ()) -> &'r ()>;

/// The one answer to the request `'r`.
#[must_use = "a request's callback returns its answer"]
pub struct Answer<'r> {
    status: NDIS_STATUS,
    _request: Brand<'r>,
}

impl<'r> Answer<'r> {
    /// Makes the answer that the callback hands to NDIS.
    ///
    /// # Safety
    ///
    /// The token of the request `'r` was consumed for it, and `status` is what
    /// the request's state asks for: success when it was accepted, pending
    /// when another token will complete it, the failure when it was refused.
    pub unsafe fn from_status(status: Status, request: Brand<'r>) -> Self {
        Self {
            status: status.raw(),
            _request: request,
        }
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
