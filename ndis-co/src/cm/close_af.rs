//! [`CloseAf`]: a client closes its address family.

use super::{CallManager, af::AfShared};
use crate::{
    Answer, Status,
    answer::Request,
    armed::{Alarm, Armed},
    deferred::Deferred,
    irql::NoLock,
    mem::Arc,
};
use core::fmt;

/// A client closes its address family: the token of the request.
///
/// ```
/// # use ndis_co::{Answer, cm::{CallManager, CloseAf}};
/// # use ndis_host as _;
/// /// [`CallManager::close_af`] of a driver that has nothing to wait for.
/// fn close_af<'r, M: CallManager>(request: CloseAf<'r, M>) -> Answer<'r> {
///     request.finish()
/// }
/// ```
#[must_use = "a request must be answered"]
pub struct CloseAf<'r, M: CallManager> {
    af: Arc<AfShared<M>>,
    request: Request<'r>,
}

impl<'r, M: CallManager> CloseAf<'r, M> {
    pub(crate) fn new(af: Arc<AfShared<M>>, request: Request<'r>) -> Self {
        Self { af, request }
    }

    /// Lets the family go, at once or when its last child is gone (rule
    /// [AF-36]). A close always succeeds in the end (rule [AF-37]).
    ///
    /// [AF-36]: ndis_sys::rules#AF-36
    /// [AF-37]: ndis_sys::rules#AF-37
    pub fn finish(self) -> Answer<'r> {
        // Never on the spot: what waits for the end of the family, such as the close of the
        // binding, would not wait until NDIS has the answer.
        let (answer, pending) = self.pend();
        drop(pending);
        answer
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingCloseAf<M>) {
        self.af.pend_close();
        let af = Armed::new(self.af);
        (self.request.answer(Status::PENDING), PendingCloseAf { af })
    }
}

impl<M: CallManager> fmt::Debug for CloseAf<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CloseAf").field(&self.af.family).finish()
    }
}

/// The token of a pended close. Dropping it finishes the close.
///
/// ```
/// # use ndis_co::{Answer, cm::{CallManager, CloseAf, PendingCloseAf}, irql::Passive, lock::SpinLock};
/// # use ndis_host as _;
/// type Waiting<M> = SpinLock<Option<PendingCloseAf<M>>>;
///
/// fn close_af<'r, M: CallManager>(request: CloseAf<'r, M>, waiting: &Waiting<M>) -> Answer<'r> {
///     let (answer, closing) = request.pend();
///     waiting.set(Some(closing));
///     answer
/// }
///
/// /// The line has let go of the client.
/// fn line_is_free<M: CallManager>(waiting: &Waiting<M>, irql: &mut Passive) {
///     if let Some(closing) = waiting.take() {
///         closing.finish(irql);
///     }
/// }
/// ```
#[must_use = "dropping a pending close finishes it"]
pub struct PendingCloseAf<M: CallManager> {
    af: Armed<Arc<AfShared<M>>, Finish>,
}

/// Finishes a pended close.
struct Finish;

impl<M: CallManager> Alarm<Arc<AfShared<M>>> for Finish {
    fn lost(af: Arc<AfShared<M>>) {
        af.want_finish();
        AfShared::defer(&af);
    }
}

impl<M: CallManager> PendingCloseAf<M> {
    /// Lets the family go, at once or when its last child is gone.
    ///
    /// Source page: [`NdisMCmCloseAddressFamilyComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmcloseaddressfamilycomplete).
    #[doc(alias = "NdisCmCloseAddressFamilyComplete")]
    #[doc(alias = "NdisMCmCloseAddressFamilyComplete")]
    pub fn finish(self, irql: &mut impl NoLock) {
        let af = self.af.disarm();
        af.want_finish();
        AfShared::advance(&af, irql.up_to_dispatch());
    }
}

impl<M: CallManager> fmt::Debug for PendingCloseAf<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingCloseAf")
            .field(&self.af.family)
            .finish()
    }
}
