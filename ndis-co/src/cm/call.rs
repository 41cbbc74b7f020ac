//! The tokens of call control: [`MakeCall`], [`CloseCall`] and their pended forms.

use super::{
    CallManager, Vc,
    state::{Settled, State},
    vc::VcShared,
};
use crate::{
    Answer, Status,
    address::MAX_VARIABLE,
    answer::Request,
    armed::{Alarm, Armed},
    deferred::Deferred,
    irql::NoLock,
    params::{CallFlags, CallParameters, CallParametersBuf},
    tapi,
};
use core::{ffi::c_void, fmt};

/// Accepts with parameters of the driver's own: says so in their flags (rule
/// CALL-17).
fn changed(mut parameters: CallParametersBuf) -> CallParametersBuf {
    parameters.insert_flags(CallFlags::CHANGED);
    parameters
}

/// The parameters of the call that is being made on `vc`.
fn parameters<M: CallManager>(vc: &Vc<M>) -> Option<CallParameters<'_>> {
    let raw = vc.shared.look(|state, _| state.client_parameters());
    // SAFETY: the client owns them and keeps them until the call is completed
    // (rule CALL-02), for which the token is consumed that is borrowed here.
    unsafe { CallParameters::from_raw(raw) }.ok()
}

/// What an application asks for with the call that is being made on `vc`.
fn telephony<M: CallManager>(vc: &Vc<M>) -> Result<tapi::MakeCall<'_>, Status> {
    if !tapi::is_telephony(vc.shared.af.family) {
        return Err(Status::NOT_SUPPORTED);
    }
    let parameters = parameters(vc).ok_or(Status::INVALID_DATA)?;
    // SAFETY: the parameters are a client's who has placed a call in a family of telephony. One of
    // this crate's has described nothing that is not there (CHECKED, of `tapi::described`); another
    // driver's descriptors are true, as each length that it states in call parameters is. The
    // client owns them and writes them no more until the call is completed (rule CALL-02), for
    // which the token is consumed that is borrowed here.
    unsafe { tapi::MakeCall::from_parameters_either(parameters) }
}

/// A client places a call: the token of the request.
///
/// ```
/// # use ndis_co::{Answer, Status, cm::{CallManager, MakeCall, PendingMakeCall}};
/// # use ndis_host as _;
/// /// A network that needs time; without parameters there is nobody to call.
/// fn make<'r, M: CallManager>(
///     request: MakeCall<'r, M>,
/// ) -> (Answer<'r>, Option<PendingMakeCall<M>>) {
///     if request.parameters().is_none() {
///         return (request.refuse(Status::INVALID_DATA), None);
///     }
///     let (answer, waits) = request.pend();
///     (answer, Some(waits))
/// }
/// ```
#[must_use = "a request must be answered"]
pub struct MakeCall<'r, M: CallManager> {
    vc: Vc<M>,
    request: Request<'r>,
}

impl<'r, M: CallManager> MakeCall<'r, M> {
    pub(crate) fn new(vc: Vc<M>, request: Request<'r>) -> Self {
        Self { vc, request }
    }

    /// What the client asks for; validate it (rule [CALL-07]). `None` when it
    /// gave no parameters.
    ///
    /// [CALL-07]: ndis_sys::rules#CALL-07
    #[must_use]
    pub fn parameters(&self) -> Option<CallParameters<'_>> {
        parameters(&self.vc)
    }

    /// What an application asks for, in a family of telephony: under either reading of the
    /// pages, see [`tapi`].
    ///
    /// ```
    /// # use ndis_co::{Answer, cm::{CallManager, MakeCall}, irql::UpToDispatch, tapi::{Disconnect, Text}};
    /// # use ndis_host as _;
    /// fn dial<'r, M: CallManager>(request: MakeCall<'r, M>, irql: &mut UpToDispatch) -> Answer<'r> {
    ///     match request.telephony() {
    ///         Ok(asked) if Text::guess(asked.destination).is("555-1234") => request.accept(irql),
    ///         Ok(_) => request.refuse(Disconnect::BadAddress.into()),
    ///         Err(status) => request.refuse(status),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Status::NOT_SUPPORTED`] in another family, [`Status::INVALID_DATA`] without parameters,
    /// else as [`tapi::MakeCall::from_parameters`].
    pub fn telephony(&self) -> Result<tapi::MakeCall<'_>, Status> {
        telephony(&self.vc)
    }

    /// Brings the call up: activates the VC with the client's parameters (rule
    /// [CALL-10]) and completes the request.
    ///
    /// NDIS is answered with pending, and a work item does the rest: only a
    /// completion tells for sure when the client knows that its call is up, and
    /// nothing may reach it before. [`CallManager::call_connected`] or
    /// [`CallManager::call_failed`] tells the outcome. To complete the call
    /// from a place of your own, use [`pend`](Self::pend).
    ///
    /// A call without [parameters](Self::parameters) fails with [`Status::INVALID_DATA`], unless it is
    /// [accepted with](Self::accept_with) some of the driver's own. So it does wherever it is accepted.
    ///
    /// Source pages: [`NdisMCmActivateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmactivatevc),
    /// [`NdisMCmMakeCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmmakecallcomplete).
    ///
    /// [CALL-10]: ndis_sys::rules#CALL-10
    #[doc(alias = "NdisCmActivateVc")]
    #[doc(alias = "NdisMCmActivateVc")]
    pub fn accept(self, irql: &mut impl NoLock) -> Answer<'r> {
        let _ = irql;
        self.accept_soon(None, None)
    }

    /// As [`accept`](Self::accept), with other parameters, of which the client
    /// is told (rule [CALL-17]).
    ///
    /// [CALL-17]: ndis_sys::rules#CALL-17
    pub fn accept_with(self, parameters: CallParametersBuf, irql: &mut impl NoLock) -> Answer<'r> {
        let _ = irql;
        self.accept_soon(Some(changed(parameters)), None)
    }

    /// As [`accept`](Self::accept), and activates the VC with parameters of its own: those
    /// that a stand-alone call manager has for the miniport beneath, and that are none of the
    /// client's business.
    ///
    /// Source page: [`NdisCmActivateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscmactivatevc).
    #[doc(alias = "NdisCmActivateVc")]
    pub fn accept_with_link(self, link: CallParametersBuf, irql: &mut impl NoLock) -> Answer<'r> {
        let _ = irql;
        self.accept_soon(None, Some(link))
    }

    fn accept_soon(
        self,
        own: Option<CallParametersBuf>,
        link: Option<CallParametersBuf>,
    ) -> Answer<'r> {
        let shared = &self.vc.shared;
        shared.look(|state, _| state.accept_make(own, link));
        VcShared::defer(shared);
        self.request.answer(Status::PENDING)
    }

    /// Refuses the call.
    pub fn refuse(self, status: Status) -> Answer<'r> {
        let status = self.vc.shared.look(|state, _| state.refuse_now(status));
        self.request.answer(status)
    }

    /// Answers later, with the second value, from any thread: the usual case
    /// (rule [CALL-74]).
    ///
    /// [CALL-74]: ndis_sys::rules#CALL-74
    pub fn pend(self) -> (Answer<'r>, PendingMakeCall<M>) {
        let vc = Armed::new(self.vc);
        (self.request.answer(Status::PENDING), PendingMakeCall { vc })
    }
}

impl<M: CallManager> fmt::Debug for MakeCall<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MakeCall")
            .field("parameters", &self.parameters())
            .finish()
    }
}

/// A call that a client places and that is on its way: the token of a pended
/// request.
///
/// Answer it in bounded time, for the client cannot take it back: its family,
/// and with that the adapter, is not closed before. Dropping it refuses the call
/// with [`Status::FAILURE`] (rule [CALL-13]).
///
/// ```
/// # use ndis_co::{Status, cm::{CallManager, PendingMakeCall}, irql::UpToDispatch};
/// # use ndis_host as _;
/// /// The other end was rung, and has answered.
/// fn answered<M: CallManager>(caller: PendingMakeCall<M>, accepted: bool, irql: &mut UpToDispatch) {
///     if accepted {
///         caller.accept(irql);
///     } else {
///         caller.refuse(Status::NOT_ACCEPTED, irql);
///     }
/// }
/// ```
///
/// [CALL-13]: ndis_sys::rules#CALL-13
#[must_use = "dropping a pending call refuses it"]
pub struct PendingMakeCall<M: CallManager> {
    vc: Armed<Vc<M>, Refuse>,
}

/// Refuses a pended call.
struct Refuse;

impl<M: CallManager> Alarm<Vc<M>> for Refuse {
    fn lost(vc: Vc<M>) {
        vc.shared.look(|state, _| state.refuse(Status::FAILURE));
        VcShared::defer(&vc.shared);
    }
}

impl<M: CallManager> PendingMakeCall<M> {
    /// The client's VC.
    #[must_use]
    pub fn vc(&self) -> &Vc<M> {
        &self.vc
    }

    /// What the client asks for.
    #[must_use]
    pub fn parameters(&self) -> Option<CallParameters<'_>> {
        parameters(&self.vc)
    }

    /// What an application asks for, as [`MakeCall::telephony`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn telephony(&self) -> Result<tapi::MakeCall<'_>, Status> {
        telephony(&self.vc)
    }

    /// Brings the call up: activates the VC with the client's parameters, then
    /// completes the request (rules [CALL-10], [CALL-13]).
    ///
    /// [`CallManager::call_connected`] or [`CallManager::call_failed`] tells
    /// the outcome, usually before this returns.
    ///
    /// Source page: [`NdisMCmMakeCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmmakecallcomplete).
    ///
    /// [CALL-10]: ndis_sys::rules#CALL-10
    /// [CALL-13]: ndis_sys::rules#CALL-13
    #[doc(alias = "NdisCmMakeCallComplete")]
    #[doc(alias = "NdisMCmMakeCallComplete")]
    #[doc(alias = "NdisCmActivateVc")]
    #[doc(alias = "NdisMCmActivateVc")]
    pub fn accept(self, irql: &mut impl NoLock) {
        self.take(|state| state.accept_make(None, None), irql);
    }

    /// As [`accept`](Self::accept), with other parameters, of which the client
    /// is told (rule [CALL-17]).
    ///
    /// Source page: [`NdisMCmMakeCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmmakecallcomplete).
    ///
    /// [CALL-17]: ndis_sys::rules#CALL-17
    #[doc(alias = "NdisCmMakeCallComplete")]
    #[doc(alias = "NdisMCmMakeCallComplete")]
    pub fn accept_with(self, parameters: CallParametersBuf, irql: &mut impl NoLock) {
        let parameters = changed(parameters);
        self.take(|state| state.accept_make(Some(parameters), None), irql);
    }

    /// As [`accept`](Self::accept), and activates the VC with parameters of its own, as
    /// [`MakeCall::accept_with_link`] does.
    ///
    /// Source pages: [`NdisCmActivateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscmactivatevc),
    /// [`NdisCmMakeCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscmmakecallcomplete).
    #[doc(alias = "NdisCmMakeCallComplete")]
    #[doc(alias = "NdisCmActivateVc")]
    pub fn accept_with_link(self, link: CallParametersBuf, irql: &mut impl NoLock) {
        self.take(|state| state.accept_make(None, Some(link)), irql);
    }

    /// Refuses the call.
    ///
    /// Source page: [`NdisMCmMakeCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmmakecallcomplete).
    #[doc(alias = "NdisCmMakeCallComplete")]
    #[doc(alias = "NdisMCmMakeCallComplete")]
    pub fn refuse(self, status: Status, irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        VcShared::change(&vc, |state| state.refuse(status), irql.up_to_dispatch());
    }

    fn take(self, accept: impl FnOnce(&mut State), irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        VcShared::accept(&vc, accept, irql.up_to_dispatch());
    }
}

impl<M: CallManager> fmt::Debug for PendingMakeCall<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingMakeCall").field(&self.vc).finish()
    }
}

/// A client closes a call: the token of the request.
///
/// ```
/// # use ndis_co::{Answer, cm::{CallManager, CloseCall}, irql::UpToDispatch};
/// # use ndis_host as _;
/// fn close<'r, M: CallManager>(
///     request: CloseCall<'r, M>,
///     say: impl FnOnce(&[u8]),
///     irql: &mut UpToDispatch,
/// ) -> Answer<'r> {
///     say(request.data());
///     request.finish(irql)
/// }
/// ```
#[must_use = "a request must be answered"]
pub struct CloseCall<'r, M: CallManager> {
    vc: Vc<M>,
    data: *const c_void,
    size: u32,
    request: Request<'r>,
}

impl<'r, M: CallManager> CloseCall<'r, M> {
    pub(crate) fn new(vc: Vc<M>, data: *const c_void, size: u32, request: Request<'r>) -> Self {
        let size = if data.is_null() || size > MAX_VARIABLE {
            0
        } else {
            size
        };
        Self {
            vc,
            data,
            size,
            request,
        }
    }

    /// What the client sends along to the other side; empty when nothing
    /// (rule [CALL-51]).
    ///
    /// [CALL-51]: ndis_sys::rules#CALL-51
    #[must_use]
    pub fn data(&self) -> &[u8] {
        if self.size == 0 {
            return &[];
        }
        // SAFETY: the client owns the buffer and keeps it until the close is
        // completed (rule CALL-47), for which the token is consumed that is
        // borrowed here.
        unsafe { core::slice::from_raw_parts(self.data.cast(), self.size as usize) }
    }

    /// Closes the call: deactivates the VC and reports success, as soon as no
    /// list is under way on it (rules [CALL-49], [VC-44], [VC-49]).
    ///
    /// Give back held lists before or after this; it waits for them.
    ///
    /// Source pages: [`NdisMCmDeactivateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdeactivatevc),
    /// [`PROTOCOL_CM_DEACTIVATE_VC_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_deactivate_vc_complete).
    ///
    /// [CALL-49]: ndis_sys::rules#CALL-49
    /// [VC-44]: ndis_sys::rules#VC-44
    /// [VC-49]: ndis_sys::rules#VC-49
    #[doc(alias = "NdisCmDeactivateVc")]
    #[doc(alias = "NdisMCmDeactivateVc")]
    #[doc(alias = "ProtocolCmDeactivateVcComplete")]
    pub fn finish(self, irql: &mut impl NoLock) -> Answer<'r> {
        let status = match VcShared::finish_close(&self.vc, irql.up_to_dispatch()) {
            Settled::Now(status) => status,
            Settled::Later => {
                VcShared::defer(&self.vc.shared);
                Status::PENDING
            }
        };
        self.request.answer(status)
    }

    /// Will not close: the call goes on, [`Status::INVALID_DATA`] when the
    /// close data cannot be carried (rule [CALL-48]).
    ///
    /// The client of these crates then asks again, without data, each time a
    /// little later and for as long as it is refused. Its family, and with that
    /// the adapter, is not closed before: close the call in the end.
    ///
    /// [CALL-48]: ndis_sys::rules#CALL-48
    pub fn refuse(self, status: Status) -> Answer<'r> {
        self.vc.shared.with(|state, _| state.refuse_close());
        // Something may have waited for the close.
        VcShared::defer(&self.vc.shared);
        self.request.answer(status.as_failure())
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingCloseCall<M>) {
        let vc = Armed::new(self.vc);
        (
            self.request.answer(Status::PENDING),
            PendingCloseCall { vc },
        )
    }
}

impl<M: CallManager> fmt::Debug for CloseCall<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseCall")
            .field("data", &self.data())
            .finish_non_exhaustive()
    }
}

/// A call that a client closes: the token of a pended request.
///
/// Dropping it finishes the close.
///
/// ```
/// # use ndis_co::{Answer, cm::{CallManager, CloseCall, PendingCloseCall}, irql::Passive, lock::SpinLock};
/// # use ndis_host as _;
/// type Waiting<M> = SpinLock<Option<PendingCloseCall<M>>>;
///
/// fn close_call<'r, M: CallManager>(request: CloseCall<'r, M>, waiting: &Waiting<M>) -> Answer<'r> {
///     let (answer, closing) = request.pend();
///     waiting.set(Some(closing));
///     answer
/// }
///
/// /// The network has confirmed it.
/// fn confirmed<M: CallManager>(waiting: &Waiting<M>, irql: &mut Passive) {
///     if let Some(closing) = waiting.take() {
///         closing.finish(irql);
///     }
/// }
/// ```
#[must_use = "dropping a pending close finishes it"]
pub struct PendingCloseCall<M: CallManager> {
    vc: Armed<Vc<M>, Finish>,
}

/// Finishes a pended close.
struct Finish;

impl<M: CallManager> Alarm<Vc<M>> for Finish {
    fn lost(vc: Vc<M>) {
        vc.shared.look(|state, _| state.finish_pended_close());
        VcShared::defer(&vc.shared);
    }
}

impl<M: CallManager> PendingCloseCall<M> {
    /// The VC of the call.
    #[must_use]
    pub fn vc(&self) -> &Vc<M> {
        &self.vc
    }

    /// Closes the call, as [`CloseCall::finish`] does (rule [CALL-52]).
    ///
    /// Source page: [`NdisMCmCloseCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmclosecallcomplete).
    ///
    /// [CALL-52]: ndis_sys::rules#CALL-52
    #[doc(alias = "NdisCmCloseCallComplete")]
    #[doc(alias = "NdisMCmCloseCallComplete")]
    #[doc(alias = "NdisCmDeactivateVc")]
    #[doc(alias = "NdisMCmDeactivateVc")]
    pub fn finish(self, irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        VcShared::change(&vc, State::finish_pended_close, irql.up_to_dispatch());
    }
}

impl<M: CallManager> fmt::Debug for PendingCloseCall<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingCloseCall").field(&self.vc).finish()
    }
}
