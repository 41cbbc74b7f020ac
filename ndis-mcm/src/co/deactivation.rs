//! [`DeactivateVc`]: the end of a VC's data.

use super::{Vc, VcMiniport, vc::VcShared};
use core::fmt;
use ndis_co::{
    Answer, Status,
    answer::Request,
    armed::{Alarm, Armed},
    irql::NoLock,
};

/// A call manager deactivates a VC: the token of the request.
///
/// Nothing can be indicated or arrives to be sent any more; what was kept for the end of the
/// activation still goes up. The deactivation cannot be
/// refused (rule [VC-64]); it is over when the driver has finished it, has completed the
/// lists that it holds, and has those back that it has indicated (rule [VC-49]).
///
/// ```
/// # use ndis_mcm::{Answer, co::{DeactivateVc, VcMiniport}};
/// # use ndis_host as _;
/// /// Nothing is to be done but to wait for the lists, which NDIS is not told before.
/// fn deactivate_vc<'r, M: VcMiniport>(request: DeactivateVc<'r, M>) -> Answer<'r> {
///     request.finish()
/// }
/// ```
///
/// [VC-49]: ndis_sys::rules#VC-49
/// [VC-64]: ndis_sys::rules#VC-64
#[must_use = "a request must be answered"]
pub struct DeactivateVc<'r, M: VcMiniport> {
    vc: Vc<M>,
    request: Request<'r>,
}

impl<'r, M: VcMiniport> DeactivateVc<'r, M> {
    pub(super) fn new(vc: Vc<M>, request: Request<'r>) -> Self {
        Self { vc, request }
    }

    /// The driver has done its part. The call manager is told when the last list is
    /// back, at once if none is out.
    pub fn finish(self) -> Answer<'r> {
        let status = if self.vc.shared.finish_now() {
            Status::SUCCESS
        } else {
            Status::PENDING
        };
        self.request.answer(status)
    }

    /// Finishes later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingDeactivateVc<M>) {
        self.vc.shared.pend();
        let pending = PendingDeactivateVc {
            vc: Armed::new(self.vc),
        };
        (self.request.answer(Status::PENDING), pending)
    }
}

impl<M: VcMiniport> fmt::Debug for DeactivateVc<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeactivateVc").field(&self.vc).finish()
    }
}

/// The token of a pended deactivation. Finish it in bounded time: the end of the call waits
/// for it. Dropping it finishes it.
///
/// ```
/// # use ndis_mcm::{Answer, co::{DeactivateVc, PendingDeactivateVc, VcMiniport}};
/// # use ndis_co::{irql::UpToDispatch, lock::SpinLock};
/// # use ndis_host as _;
/// type Waiting<M> = SpinLock<Option<PendingDeactivateVc<M>>>;
///
/// fn deactivate_vc<'r, M: VcMiniport>(request: DeactivateVc<'r, M>, waiting: &Waiting<M>) -> Answer<'r> {
///     let (answer, ending) = request.pend();
///     waiting.set(Some(ending));
///     answer
/// }
///
/// /// The device has stopped.
/// fn stopped<M: VcMiniport>(waiting: &Waiting<M>, irql: &mut UpToDispatch) {
///     if let Some(ending) = waiting.take() {
///         ending.finish(irql);
///     }
/// }
/// ```
#[must_use = "dropping a pending deactivation finishes it"]
pub struct PendingDeactivateVc<M: VcMiniport> {
    vc: Armed<Vc<M>, Finish>,
}

/// Finishes a pended deactivation.
struct Finish;

impl<M: VcMiniport> Alarm<Vc<M>> for Finish {
    fn lost(vc: Vc<M>) {
        vc.shared.finish();
        VcShared::defer(&vc.shared);
    }
}

impl<M: VcMiniport> PendingDeactivateVc<M> {
    /// The VC.
    #[must_use]
    pub fn vc(&self) -> &Vc<M> {
        &self.vc
    }

    /// The driver has done its part (rule [VC-51]). The call manager is told when the last
    /// list is back, before this returns if none is out.
    ///
    /// Source page: [`NdisMCoDeactivateVcComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcodeactivatevccomplete).
    ///
    /// [VC-51]: ndis_sys::rules#VC-51
    #[doc(alias = "NdisMCoDeactivateVcComplete")]
    pub fn finish(self, irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        vc.shared.finish();
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
    }
}

impl<M: VcMiniport> fmt::Debug for PendingDeactivateVc<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingDeactivateVc")
            .field(&self.vc)
            .finish()
    }
}
