//! [`CreatedVc`]: a VC that this driver makes to offer a call, until the call is offered.

use super::{Base, CallManager, PartOf, Sap, State, Vc, VcShared};
use crate::{
    Status,
    armed::{Alarm, Armed},
    deferred::Deferred,
    irql::{NoLock, UpToDispatch},
    params::CallParametersBuf,
    stack,
};
use core::{fmt, marker::PhantomData, ops, ptr};
use ndis_sys::NDIS_HANDLE;

/// A VC that is not activated.
#[derive(Debug)]
pub enum Inactive {}

/// A VC whose activation was asked for.
#[derive(Debug)]
pub enum Active {}

/// The state of a [`CreatedVc`] in which it can be activated.
#[diagnostic::on_unimplemented(
    message = "this VC is activated already",
    label = "in the state `{Self}`",
    note = "rule VC-48: one activation brings a VC up; change its parameters through a QoS request"
)]
pub trait CanActivate: sealed::Sealed {}

/// The state of a [`CreatedVc`] in which a call can be offered on it.
#[diagnostic::on_unimplemented(
    message = "a call can be offered on an activated VC only",
    label = "this VC is in the state `{Self}`",
    note = "rules CALL-24 and VC-31: call `activate` first, and dispatch on what it returns"
)]
pub trait CanDispatch: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Inactive {}
    impl Sealed for super::Active {}
}
impl CanActivate for Inactive {}
impl CanDispatch for Active {}

/// A VC that this driver created to call a SAP, in state `S`, owned: dropping
/// it deactivates and deletes it.
///
/// ```text
/// Sap::create_vc ──> Inactive ──activate──> Active ──dispatch_incoming_call──> the client answers
/// ```
///
/// It cannot outlive the borrow of the SAP it was made from;
/// [`keep`](Self::keep) makes it storable, and counted.
#[must_use = "dropping a created VC deletes it"]
pub struct CreatedVc<'sap, M: CallManager, S> {
    vc: Armed<Vc<M>, Delete<'sap, M>>,
    _state: PhantomData<S>,
}

/// Deletes a VC whose owner, made from a borrowed SAP, is gone.
struct Delete<'sap, M: CallManager>(PhantomData<&'sap Sap<M>>);

impl<M: CallManager> Alarm<Vc<M>> for Delete<'_, M> {
    fn lost(vc: Vc<M>) {
        vc.shared.look(|state, _| state.want_delete());
        VcShared::defer(&vc.shared);
    }
}

/// An activation failed; the VC is still there.
///
/// ```
/// # use ndis_co::cm::{CallManager, CreatedVc, Inactive, PendingMakeCall};
/// # use ndis_co::{irql::Passive, params::CallParametersBuf};
/// # use ndis_host as _;
/// /// Tells the caller when the callee's end cannot be set up.
/// fn activate<M: CallManager>(
///     vc: CreatedVc<'_, M, Inactive>,
///     parameters: CallParametersBuf,
///     caller: PendingMakeCall<M>,
///     irql: &mut Passive,
/// ) {
///     if let Err(failed) = vc.activate(parameters, irql) {
///         caller.refuse(failed.status, irql);
///         failed.vc.delete(irql);
///     }
/// }
/// ```
pub struct ActivateError<'sap, M: CallManager> {
    /// The VC, to be tried with other parameters or dropped.
    pub vc: CreatedVc<'sap, M, Inactive>,
    /// Why.
    pub status: Status,
}

impl<M: CallManager> fmt::Display for ActivateError<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VC not activated: {}", self.status)
    }
}

impl<M: CallManager> core::error::Error for ActivateError<'_, M> {}

impl<M: CallManager> From<ActivateError<'_, M>> for Status {
    fn from(refused: ActivateError<'_, M>) -> Self {
        refused.status
    }
}

impl<M: CallManager> fmt::Debug for ActivateError<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivateError")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl<'sap, M: CallManager, S> CreatedVc<'sap, M, S> {
    fn wrap(vc: Vc<M>) -> Self {
        Self {
            vc: Armed::new(vc),
            _state: PhantomData,
        }
    }

    /// The VC itself, leaving its deletion to somebody else.
    fn into_vc(self) -> Vc<M> {
        self.vc.disarm()
    }

    /// Makes the VC storable. Its SAP's family is not closed before it is gone:
    /// use or drop it in bounded time, for nothing asks for it.
    pub fn keep(self) -> CreatedVc<'static, M, S> {
        CreatedVc::wrap(self.into_vc())
    }

    /// Activates the VC (rules [VC-30], [VC-35], [VC-61]).
    ///
    /// When NDIS answers that the activation completes later, what is done
    /// with the VC next waits for that.
    ///
    /// Source page: [`NdisMCmActivateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmactivatevc).
    ///
    /// # Errors
    ///
    /// Gives the VC back with NDIS's status, or with [`Status::CLOSING`] when it is
    /// [joined](Sap::create_vc_joined) with another one, whose call is over.
    ///
    /// [VC-30]: ndis_sys::rules#VC-30
    /// [VC-35]: ndis_sys::rules#VC-35
    /// [VC-61]: ndis_sys::rules#VC-61
    #[doc(alias = "NdisCmActivateVc")]
    #[doc(alias = "NdisMCmActivateVc")]
    pub fn activate(
        self,
        parameters: CallParametersBuf,
        irql: &mut impl NoLock,
    ) -> Result<CreatedVc<'sap, M, Active>, ActivateError<'sap, M>>
    where
        S: CanActivate,
    {
        let vc = self.into_vc();
        let failed = VcShared::activate_created(&vc, parameters.asked(), irql.up_to_dispatch());
        match failed {
            None => Ok(CreatedVc::wrap(vc)),
            Some(status) => Err(ActivateError {
                vc: CreatedVc::wrap(vc),
                status,
            }),
        }
    }

    /// Offers the call to the client (rules [CALL-24] to [CALL-27]).
    ///
    /// The answer comes as [`CallManager::incoming_call_accepted`] or
    /// [`CallManager::incoming_call_refused`], possibly before this returns.
    ///
    /// Source page: [`NdisMCmDispatchIncomingCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdispatchincomingcall).
    ///
    /// [CALL-24]: ndis_sys::rules#CALL-24
    /// [CALL-27]: ndis_sys::rules#CALL-27
    #[doc(alias = "NdisCmDispatchIncomingCall")]
    #[doc(alias = "NdisMCmDispatchIncomingCall")]
    pub fn dispatch_incoming_call(
        self,
        parameters: CallParametersBuf,
        irql: &mut impl NoLock,
    ) -> Vc<M>
    where
        S: CanDispatch,
    {
        self.offer(Some(parameters.asked()), irql.up_to_dispatch())
    }

    /// As [`dispatch_incoming_call`](Self::dispatch_incoming_call), with the parameters that the VC
    /// was [activated](Self::activate) with: the same memory serves for both, in turn.
    ///
    /// The VC owns the memory until it is deactivated; whoever shows it meanwhile has a count of its
    /// own. Beneath a call manager that stands alone, the miniport sees it until it has completed the
    /// activation (rule [VC-35]), and may have rounded the rates in it by then. Only after that the
    /// call is offered, and the client sees what the miniport has left, and may write there until its
    /// answer. The miniport does not look at that any more. A driver that wants the client to see what
    /// it has asked for itself offers parameters of their own.
    ///
    /// ```
    /// # use ndis_co::{Status, cm::{CallManager, Sap, Vc}, irql::UpToDispatch, params::CallParametersBuf};
    /// # use ndis_host as _;
    /// fn ring<M: CallManager<Vc = ()>>(
    ///     sap: &Sap<M>,
    ///     parameters: CallParametersBuf,
    ///     irql: &mut UpToDispatch,
    /// ) -> Result<Vc<M>, Status> {
    ///     let vc = sap.create_vc((), irql)?.activate(parameters, irql)?;
    ///     Ok(vc.dispatch_incoming_call_as_activated(irql))
    /// }
    /// ```
    ///
    /// [VC-35]: ndis_sys::rules#VC-35
    #[doc(alias = "NdisCmDispatchIncomingCall")]
    #[doc(alias = "NdisMCmDispatchIncomingCall")]
    pub fn dispatch_incoming_call_as_activated(self, irql: &mut impl NoLock) -> Vc<M>
    where
        S: CanDispatch,
    {
        self.offer(None, irql.up_to_dispatch())
    }

    fn offer(self, own: Option<CallParametersBuf>, irql: &mut UpToDispatch) -> Vc<M> {
        let vc = self.into_vc();
        VcShared::offer(&vc, own, irql);
        vc
    }

    /// Deletes the VC now rather than soon (rules [VC-23], [VC-25], [VC-26]).
    ///
    /// Source page: [`NdisMCmDeleteVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdeletevc).
    ///
    /// [VC-23]: ndis_sys::rules#VC-23
    /// [VC-25]: ndis_sys::rules#VC-25
    /// [VC-26]: ndis_sys::rules#VC-26
    #[doc(alias = "NdisCoDeleteVc")]
    #[doc(alias = "NdisMCmDeleteVc")]
    pub fn delete(self, irql: &mut impl NoLock) {
        let vc = self.into_vc();
        VcShared::change(&vc, State::want_delete, irql.up_to_dispatch());
    }
}

impl<M: CallManager, S> ops::Deref for CreatedVc<'_, M, S> {
    type Target = Vc<M>;
    fn deref(&self) -> &Vc<M> {
        &self.vc
    }
}

impl<M: CallManager, S> fmt::Debug for CreatedVc<'_, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.vc.fmt(f)
    }
}

impl<M: CallManager> Sap<M> {
    /// Creates a VC for a call to this SAP; `context` is what the driver keeps
    /// for it (rules [VC-02], [VC-06], [VC-10]).
    ///
    /// The client is asked before this returns. The VC is inactive; dropping
    /// it deletes it.
    ///
    /// Source page: [`NdisMCmCreateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmcreatevc).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], [`Status::CLOSING`] when the SAP or its family
    /// is going away, or the client's refusal.
    ///
    /// [VC-02]: ndis_sys::rules#VC-02
    /// [VC-06]: ndis_sys::rules#VC-06
    /// [VC-10]: ndis_sys::rules#VC-10
    #[doc(alias = "NdisCoCreateVc")]
    #[doc(alias = "NdisMCmCreateVc")]
    pub fn create_vc(
        &self,
        context: M::Vc,
        irql: &mut impl NoLock,
    ) -> Result<CreatedVc<'_, M, Inactive>, Status> {
        let part = PartOf::<M>::default();
        // SAFETY: joined with none.
        unsafe { self.create_vc_over(ptr::null_mut(), part, context, irql.up_to_dispatch()) }
    }
}

impl<M: CallManager> Sap<M> {
    /// Creates a VC for a call to this SAP, joined with the one of which `lower` is the handle
    /// when that is not null.
    ///
    /// # Safety
    ///
    /// `lower` is null, or the handle of a VC that this driver has as a client on the same
    /// binding, which no other VC shares, and which is not deleted before `part` hears that the
    /// new one is over (rules VC-70 and VC-71).
    pub(crate) unsafe fn create_vc_over(
        &self,
        lower: NDIS_HANDLE,
        part: PartOf<M>,
        context: M::Vc,
        irql: &mut UpToDispatch,
    ) -> Result<CreatedVc<'_, M, Inactive>, Status> {
        if stack::is_low_for::<M::Vc>() {
            return Err(Status::RESOURCES);
        }
        if !self.shared.is_registered() {
            return Err(Status::CLOSING);
        }
        let af = &self.shared.af;
        let sap = Some(self.shared.clone());
        let vc = VcShared::try_new(af, sap, ptr::null_mut(), (context, part))?;
        let context = VcShared::lend(&vc);
        let mut handle = lower;
        // SAFETY: the family is open and stays so while it has children; the
        // context lives until deletion (rule VC-08); the handle variable is
        // null beforehand (rule VC-05), or good by the caller.
        let status = unsafe { af.base.create_vc(af.handle(), context, &mut handle) };
        if let Err(failure) = Status::from_raw(status).result() {
            vc.look(|state, _| state.deleted());
            VcShared::retire(&vc, irql);
            return Err(failure);
        }
        vc.handle.set(handle);
        vc.look(|state, _| state.created());
        Ok(CreatedVc::wrap(Vc { shared: vc }))
    }
}
