//! [`ActivateVc`]: a VC is made ready for data, or gets other parameters.

use super::{Vc, VcMiniport, vc::VcShared};
use core::fmt;
use ndis_co::{
    Answer, Status,
    answer::Request,
    armed::{Alarm, Armed},
    irql::NoLock,
    params::{CallParameters, FlowSpec},
};

/// The documented failures of an activation (rule VC-40).
fn documented(status: Status) -> Status {
    match status {
        Status::RESOURCES => status,
        _ => Status::INVALID_DATA,
    }
}

/// The parameters of the activation that is asked of `vc`.
fn parameters<M: VcMiniport>(vc: &Vc<M>) -> Option<CallParameters<'_>> {
    let raw = vc.shared.parameters();
    // SAFETY: the call manager owns them and keeps them until the activation is completed
    // (rule VC-35), for which the token is consumed that is borrowed here. Nobody writes
    // them, but through that token, borrowed alone.
    unsafe { CallParameters::from_raw(raw) }.ok()
}

/// Writes the flows of the activation that is asked of `vc`, whose token is borrowed alone.
fn round<M: VcMiniport>(vc: &Vc<M>, transmit: FlowSpec, receive: FlowSpec) -> Result<(), Status> {
    let parameters = parameters(vc).ok_or(Status::INVALID_DATA)?;
    let media = parameters.media().ok_or(Status::INVALID_DATA)?;
    if media.rounding().is_none() {
        return Err(Status::INVALID_STATE);
    }
    // SAFETY: by the flag the call manager, who owns the structure, has the miniport write it
    // (rule VC-42) until the activation is completed; no view of this driver's is left.
    let written = unsafe { parameters.write_flows(transmit, receive) };
    written.then_some(()).ok_or(Status::INVALID_DATA)
}

/// A call manager activates a VC, or changes the parameters of an active one: the token of
/// the request.
///
/// ```
/// # use ndis_mcm::{Answer, Status, co::{ActivateVc, VcMiniport}};
/// # use ndis_host as _;
/// /// Takes what the link can carry.
/// fn activate_vc<'r, M: VcMiniport>(request: ActivateVc<'r, M>) -> Answer<'r> {
///     let traffic = request.parameters().and_then(|all| all.call_manager());
///     match traffic {
///         Some(traffic) if traffic.transmit().max_sdu_size <= 1500 => request.accept(),
///         _ => request.refuse(Status::INVALID_DATA),
///     }
/// }
/// ```
#[must_use = "a request must be answered"]
pub struct ActivateVc<'r, M: VcMiniport> {
    vc: Vc<M>,
    change: bool,
    request: Request<'r>,
}

impl<'r, M: VcMiniport> ActivateVc<'r, M> {
    pub(super) fn new(vc: Vc<M>, change: bool, request: Request<'r>) -> Self {
        Self {
            vc,
            change,
            request,
        }
    }

    /// What the call manager asks for; validate it, each time (rule [VC-63]). What is for
    /// the miniport is in [`media`](CallParameters::media). `None` when it gave none.
    ///
    /// [VC-63]: ndis_sys::rules#VC-63
    #[must_use]
    pub fn parameters(&self) -> Option<CallParameters<'_>> {
        parameters(&self.vc)
    }

    /// Whether the VC is active, and gets other parameters. Data goes on meanwhile, and with
    /// the earlier parameters when this is refused (rule [VC-41]).
    ///
    /// [VC-41]: ndis_sys::rules#VC-41
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.change
    }

    /// Tells the call manager which traffic the VC has in fact, after rounding (rule
    /// [VC-42]). Accept the request next.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_STATE`] when [no rounding](ndis_co::params::MediaParameters::rounding)
    /// was asked for, [`Status::INVALID_DATA`] when there is no place for it.
    ///
    /// [VC-42]: ndis_sys::rules#VC-42
    pub fn round(&mut self, transmit: FlowSpec, receive: FlowSpec) -> Result<(), Status> {
        round(&self.vc, transmit, receive)
    }

    /// Activates the VC: data may flow both ways as soon as the handler has returned.
    pub fn accept(self) -> Answer<'r> {
        self.request.answer(Status::SUCCESS)
    }

    /// Refuses: [`Status::RESOURCES`] when something is short; every other failure becomes
    /// [`Status::INVALID_DATA`], which is for parameters that the adapter cannot meet (rule
    /// [VC-40]). A VC that is active stays so, with its earlier parameters (rule [VC-41]).
    ///
    /// [VC-40]: ndis_sys::rules#VC-40
    /// [VC-41]: ndis_sys::rules#VC-41
    pub fn refuse(self, status: Status) -> Answer<'r> {
        self.request.answer(documented(status))
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingActivateVc<M>) {
        let pending = PendingActivateVc {
            vc: Armed::new(self.vc),
            change: self.change,
        };
        (self.request.answer(Status::PENDING), pending)
    }
}

impl<M: VcMiniport> fmt::Debug for ActivateVc<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivateVc")
            .field("change", &self.change)
            .field("parameters", &self.parameters())
            .finish()
    }
}

/// The token of a pended activation. Answer it in bounded time: the call waits for it.
/// Dropping it refuses with [`Status::INVALID_DATA`].
///
/// ```
/// # use ndis_mcm::{Status, co::{PendingActivateVc, VcMiniport}};
/// # use ndis_co::irql::UpToDispatch;
/// # use ndis_host as _;
/// /// The device has set the channel up, or has not.
/// fn device_answers<M: VcMiniport>(request: PendingActivateVc<M>, done: bool, irql: &mut UpToDispatch) {
///     if done {
///         request.accept(irql);
///     } else {
///         request.refuse(Status::RESOURCES, irql);
///     }
/// }
/// ```
#[must_use = "dropping a pending activation refuses it"]
pub struct PendingActivateVc<M: VcMiniport> {
    vc: Armed<Vc<M>, Refuse>,
    change: bool,
}

/// Refuses a pended activation.
struct Refuse;

impl<M: VcMiniport> Alarm<Vc<M>> for Refuse {
    fn lost(vc: Vc<M>) {
        vc.shared.answer(documented(Status::FAILURE));
        VcShared::defer(&vc.shared);
    }
}

impl<M: VcMiniport> PendingActivateVc<M> {
    /// The VC.
    #[must_use]
    pub fn vc(&self) -> &Vc<M> {
        &self.vc
    }

    /// What the call manager asks for.
    #[must_use]
    pub fn parameters(&self) -> Option<CallParameters<'_>> {
        parameters(&self.vc)
    }

    /// Whether the VC is active, and gets other parameters.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.change
    }

    /// As [`ActivateVc::round`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn round(&mut self, transmit: FlowSpec, receive: FlowSpec) -> Result<(), Status> {
        round(&self.vc, transmit, receive)
    }

    /// Activates the VC (rule [VC-43]). The call manager is told, and data may flow, before
    /// this returns.
    ///
    /// Source page: [`NdisMCoActivateVcComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoactivatevccomplete).
    ///
    /// [VC-43]: ndis_sys::rules#VC-43
    #[doc(alias = "NdisMCoActivateVcComplete")]
    pub fn accept(self, irql: &mut impl NoLock) {
        self.answer(Status::SUCCESS, irql);
    }

    /// Refuses, as [`ActivateVc::refuse`] does.
    ///
    /// Source page: [`NdisMCoActivateVcComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoactivatevccomplete).
    #[doc(alias = "NdisMCoActivateVcComplete")]
    pub fn refuse(self, status: Status, irql: &mut impl NoLock) {
        self.answer(documented(status), irql);
    }

    fn answer(self, status: Status, irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        vc.shared.answer(status);
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
    }
}

impl<M: VcMiniport> fmt::Debug for PendingActivateVc<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingActivateVc")
            .field("change", &self.change)
            .field("parameters", &self.parameters())
            .finish()
    }
}
