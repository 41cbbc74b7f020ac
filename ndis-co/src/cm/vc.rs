//! [`Vc`] and [`CreatedVc`]: a virtual connection and the call on it.

use super::{
    AcceptedCall, Af, Base, CallManager, Carrier, Key, Sap,
    af::AfShared,
    base::Part,
    sap::SapShared,
    state::{Done, End, Origin, Parameters, State, Step},
};
use crate::{
    Status,
    address::MAX_VARIABLE,
    armed::{Alarm, Armed},
    callback::{Argument, FromNdis},
    channel::{self, Channel, DataPath, NotIndicated},
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Anchored, Arc, Lent, OutOfMemory, Parent, Tag, Vec},
    nbl::NetBufferLists,
    owner::Owner,
    params::{CallParameters, CallParametersBuf},
    raw::Opaque,
    stack,
};
use core::{ffi::c_void, fmt, marker::PhantomData, ops, ptr};
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

/// # Invariants
///
/// CM-VC: from creation until deletion NDIS owns one reference as the call manager's VC
/// context (a miniport call manager's is its miniport half's as well, rule VC-09),
/// and the VC counts as a child of its address family. `handle` is valid from
/// creation until deletion, which waits until nothing is under way on it.
pub(crate) struct VcShared<M: CallManager> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    /// The SAP that is called, for a VC of the driver's own.
    sap: Option<Arc<SapShared<M>>>,
    handle: Opaque,
    state: SpinLock<State>,
    /// What the base keeps here.
    part: <M::Base as Base<M>>::Part,
    context: M::Vc,
    pub(crate) af: Parent<Arc<AfShared<M>>>,
}

impl<M: CallManager> Anchored for VcShared<M> {
    type Parent = Arc<AfShared<M>>;
    fn parent(&mut self) -> &mut Parent<Arc<AfShared<M>>> {
        &mut self.af
    }
}

/// A counted reference to a VC; it derefs to the driver's context.
pub struct Vc<M: CallManager> {
    pub(crate) shared: Arc<VcShared<M>>,
}

impl<M: CallManager> Vc<M> {
    /// The client at whose end the VC is.
    #[must_use]
    pub fn af(&self) -> Af<M> {
        Af {
            shared: Arc::clone(&self.shared.af),
        }
    }

    /// The SAP that is called on it, if the driver created the VC.
    #[must_use]
    pub fn sap(&self) -> Option<Sap<M>> {
        self.shared.sap.clone().map(|shared| Sap { shared })
    }

    /// The adapter or binding that it is on.
    #[must_use]
    pub fn base(&self) -> &M::Base {
        &self.shared.af.base
    }

    /// Whether both are the same VC.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether a call is up on it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.look(|state, _| state.is_connected())
    }

    /// Tells the client that the other side hung up, or takes back a call that still
    /// rings, with data if there is any; it then closes the call (rules [CALL-58] to
    /// [CALL-61]).
    ///
    /// It ends the call that is on the VC now. A client may place several in a row on one
    /// of its own (rule [CALL-55]): keep apart what belongs to each, from
    /// [`make_call`](CallManager::make_call) to [`close_call`](CallManager::close_call).
    ///
    /// The client's close may come before this returns. When the client does
    /// not know of the call yet, it is told of the end right after. Its answer to a
    /// call that rings is of no more interest, and the driver is not told of it:
    /// [`close_call`](CallManager::close_call) is next. `status` is the reason,
    /// [`Status::SUCCESS`] for an ordinary end; one that is no final status becomes
    /// [`Status::FAILURE`].
    ///
    /// Source page: [`NdisMCmDispatchIncomingCloseCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdispatchincomingclosecall).
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when there is no call, it is closed already, or the
    /// client was told before: nothing is left to do then (rule [CALL-69]).
    /// [`Status::RESOURCES`] when the client is told later, and there was no
    /// memory to keep the data until then: it is told without them.
    /// [`Status::INVALID_LENGTH`] for more than [`MAX_VARIABLE`] bytes of data, and the
    /// client is not told.
    ///
    /// [CALL-55]: ndis_sys::rules#CALL-55
    /// [CALL-58]: ndis_sys::rules#CALL-58
    /// [CALL-61]: ndis_sys::rules#CALL-61
    /// [CALL-69]: ndis_sys::rules#CALL-69
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    pub fn dispatch_incoming_close(
        &self,
        status: Status,
        data: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let status = status.as_final();
        let size = u32::try_from(data.len()).map_err(|_| Status::INVALID_LENGTH)?;
        if size > MAX_VARIABLE {
            return Err(Status::INVALID_LENGTH);
        }
        let shared = &self.shared;
        let later = shared.with(|state, _| state.begin_dispatch_close(stack::is_low))?;
        if let Some(number) = later {
            let kept = copy(data);
            let end = End {
                status,
                data: kept.as_ref().ok().cloned().flatten(),
            };
            shared.with(|state, _| state.announce(number, end))?;
            VcShared::advance(shared, irql.up_to_dispatch());
            return kept.map(drop).map_err(Status::from);
        }
        VcShared::dispatch_close(shared, status, data, size);
        VcShared::leave(shared, irql.up_to_dispatch());
        Ok(())
    }
}

/// The data of an incoming close that is dispatched later, in memory of our own.
fn copy(data: &[u8]) -> Result<Option<Arc<Vec<u8>>>, OutOfMemory> {
    if data.is_empty() {
        return Ok(None);
    }
    let data = Vec::try_from_slice(data, Tag::NDIS)?;
    Arc::try_new(data, Tag::NDIS).map(Some)
}

impl<M: CallManager> Clone for Vc<M> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<M: CallManager> ops::Deref for Vc<M> {
    type Target = M::Vc;
    fn deref(&self) -> &M::Vc {
        &self.shared.context
    }
}

impl<M: CallManager> fmt::Debug for Vc<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vc")
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

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
pub struct NotActivated<'sap, M: CallManager> {
    /// The VC, to be tried with other parameters or dropped.
    pub vc: CreatedVc<'sap, M, Inactive>,
    /// Why.
    pub status: Status,
}

impl<M: CallManager> fmt::Debug for NotActivated<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotActivated")
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
    /// Gives the VC back with NDIS's status.
    ///
    /// [VC-30]: ndis_sys::rules#VC-30
    /// [VC-35]: ndis_sys::rules#VC-35
    /// [VC-61]: ndis_sys::rules#VC-61
    #[doc(alias = "NdisMCmActivateVc")]
    pub fn activate(
        self,
        parameters: CallParametersBuf,
        irql: &mut impl NoLock,
    ) -> Result<CreatedVc<'sap, M, Active>, NotActivated<'sap, M>>
    where
        S: CanActivate,
    {
        let vc = self.into_vc();
        vc.shared.look(|state, _| state.want_activate(parameters));
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
        match vc.shared.look(|state, _| state.take_failed()) {
            None => Ok(CreatedVc::wrap(vc)),
            Some(status) => Err(NotActivated {
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
    #[doc(alias = "NdisMCmDispatchIncomingCall")]
    pub fn dispatch_incoming_call(
        self,
        parameters: CallParametersBuf,
        irql: &mut impl NoLock,
    ) -> Vc<M>
    where
        S: CanDispatch,
    {
        let vc = self.into_vc();
        vc.shared.look(|state, _| state.offer(parameters));
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
        vc
    }

    /// Deletes the VC now rather than soon (rules [VC-23], [VC-25], [VC-26]).
    ///
    /// Source page: [`NdisMCmDeleteVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdeletevc).
    ///
    /// [VC-23]: ndis_sys::rules#VC-23
    /// [VC-25]: ndis_sys::rules#VC-25
    /// [VC-26]: ndis_sys::rules#VC-26
    #[doc(alias = "NdisMCmDeleteVc")]
    pub fn delete(self, irql: &mut impl NoLock) {
        let vc = self.into_vc();
        vc.shared.look(|state, _| state.want_delete());
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
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

impl<M: CallManager> VcShared<M> {
    fn try_new(
        af: &Arc<AfShared<M>>,
        sap: Option<Arc<SapShared<M>>>,
        handle: NDIS_HANDLE,
        context: M::Vc,
    ) -> Result<Arc<Self>, Status> {
        let origin = if sap.is_some() {
            Origin::Manager
        } else {
            Origin::Client
        };
        let shared = Self {
            node: Node::new(),
            lent: Lent::new(),
            sap,
            handle: Opaque::new(handle),
            state: SpinLock::new(State::new(origin)),
            part: Default::default(),
            context,
            af: Parent::new(af.clone()),
        };
        let vc = Arc::try_new_anchored(shared, Tag::NDIS)?;
        af.add_child()?;
        Ok(vc)
    }

    /// Creates a VC for a call to `sap`.
    pub(crate) fn create<'sap>(
        sap: &'sap Sap<M>,
        context: M::Vc,
        irql: &mut UpToDispatch,
    ) -> Result<CreatedVc<'sap, M, Inactive>, Status> {
        if stack::is_low_for::<M::Vc>() {
            return Err(Status::RESOURCES);
        }
        if !sap.shared.is_registered() {
            return Err(Status::CLOSING);
        }
        let af = &sap.shared.af;
        let vc = Self::try_new(af, Some(sap.shared.clone()), ptr::null_mut(), context)?;
        let context = vc.lent.lend(&vc);
        let mut handle: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: the family is open and stays so while it has children; the
        // context lives until deletion (rule VC-08); the handle variable is
        // null beforehand (rule VC-05).
        let status = unsafe { af.base.create_vc(af.handle(), context, &mut handle) };
        if let Err(failure) = Status::from_raw(status).result() {
            vc.look(|state, _| state.deleted());
            Self::retire(&vc, irql);
            return Err(failure);
        }
        vc.handle.set(handle);
        vc.look(|state, _| state.created());
        Ok(CreatedVc::wrap(Vc { shared: vc }))
    }

    /// The client creates a VC; gives the context for NDIS.
    pub(crate) fn adopt(
        af: &Arc<AfShared<M>>,
        handle: NDIS_HANDLE,
        context: M::Vc,
    ) -> Result<NDIS_HANDLE, Status> {
        let vc = Self::try_new(af, None, handle, context)?;
        vc.look(|state, _| state.created());
        Ok(vc.lent.lend(&vc))
    }

    /// The client deletes its VC, or is told that it cannot yet (rule VC-27).
    pub(crate) fn delete_by_client(
        this: &Arc<Self>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        if !this.look(|state, part| state.try_delete(part)) {
            // Not a negative code, but the one that the page has for this.
            return Err(Status::NOT_ACCEPTED);
        }
        this.af.driver().vc_deleted(
            &Vc {
                shared: this.clone(),
            },
            irql,
        );
        drop(this.lent.end());
        AfShared::remove_child_later(&this.af);
        Ok(())
    }

    /// NDIS has done with the VC.
    fn retire(this: &Arc<Self>, irql: &mut UpToDispatch) {
        drop(this.lent.end());
        AfShared::remove_child(&this.af, irql);
    }

    /// The handle for NDIS calls.
    pub(crate) fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    /// A callback that held the VC has returned: goes on with what waited for it.
    fn leave(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.look(|state, _| state.leave());
        Self::advance(this, irql);
    }

    /// Looks at the state or changes it, and says what data may go from then on.
    pub(crate) fn with<R>(
        &self,
        f: impl FnOnce(&mut State, &<M::Base as Base<M>>::Part) -> R,
    ) -> R {
        self.state.locked(|state| {
            let result = f(state, &self.part);
            self.show(state);
            result
        })
    }

    /// Says what data may go, when that has changed.
    fn show(&self, state: &mut State) {
        if let Some(gates) = state.changed_gates() {
            self.part.open(gates);
        }
    }

    /// As [`with`](Self::with), for what changes nothing of what data may go.
    pub(super) fn look<R>(
        &self,
        f: impl FnOnce(&mut State, &<M::Base as Base<M>>::Part) -> R,
    ) -> R {
        self.state.locked(|state| {
            let result = f(state, &self.part);
            debug_assert!(state.changed_gates().is_none());
            result
        })
    }

    /// Does what the state asks for and allows.
    pub(crate) fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let mut done = Done::Nothing;
        loop {
            let step = this.look(|state, _| {
                state.settle(done);
                let step = state.next(&this.part, stack::is_low)?;
                this.show(state);
                Some(step)
            });
            let Some(step) = step else { return };
            if matches!(step, Step::Later) {
                return Self::defer(this);
            }
            done = Self::carry_out(this, step, irql);
        }
    }

    /// Carries out one step, and says what came of it.
    fn carry_out(this: &Arc<Self>, step: Step, irql: &mut UpToDispatch) -> Done {
        match step {
            Step::Later => Done::Nothing,
            Step::Activate(parameters) => {
                // SAFETY: the VC exists and is inactive. Parameters of the
                // driver's own belong to this step for the call, and to the
                // VC until it is inactive again; the client's to the client
                // until its call is completed, which is after this
                // activation (rules VC-35, CALL-02).
                let status = unsafe { M::Base::activate_vc(this.handle(), parameters.as_raw()) };
                let status = Status::from_raw(status);
                Done::Activated((!status.is_pending()).then_some(status))
            }
            Step::CompleteMakeCall {
                status,
                parameters,
                number,
            } => {
                Self::complete_make_call(this, status, &parameters, irql);
                if status.is_success() {
                    Self::tell_connected(this, number, false, irql)
                } else {
                    Done::Nothing
                }
            }
            Step::Dispatch(parameters) => {
                let status = Self::dispatch(this, &parameters, irql);
                if status.is_pending() {
                    return Done::Rang;
                }
                Self::answered(this, status, ptr::null_mut(), irql);
                Done::Left
            }
            Step::Connect(number) => {
                // SAFETY: the driver's own VC (CALL-38), accepted, told once;
                // the step keeps the handle valid.
                unsafe { ndis_sys::NdisCmDispatchCallConnected(this.handle()) };
                Self::tell_connected(this, number, true, irql)
            }
            Step::DispatchClose(End { status, data }) => {
                let data = data.as_ref().map_or(&[][..], |data| data);
                // It was a length of 32 bits when the driver gave it.
                let size = u32::try_from(data.len()).unwrap_or(0);
                Self::dispatch_close(this, status, data, size);
                Done::Left
            }
            Step::TellFailed(status) => {
                this.af.driver().call_failed(&Self::vc(this), status, irql);
                Done::Left
            }
            Step::Deactivate => {
                // SAFETY: active, and nothing is under way on it (rules VC-44,
                // VC-48, VC-49).
                let status = unsafe { M::Base::deactivate_vc(this.handle()) };
                // Not accepted means that it was inactive (rule VC-45).
                Done::Deactivated(!Status::from_raw(status).is_pending())
            }
            Step::CompleteClose(status) => {
                // SAFETY: the close was pended and is completed once (rule
                // CALL-52), deactivated (CALL-49), point-to-point.
                unsafe {
                    ndis_sys::NdisCmCloseCallComplete(status.raw(), this.handle(), ptr::null_mut());
                }
                Done::Closed
            }
            Step::Delete => {
                // SAFETY: the driver's own VC (VC-22), inactive and without
                // a call (VC-23), deleted once.
                let status = unsafe { M::Base::delete_vc(this.handle()) };
                if Status::from_raw(status).is_success() {
                    this.look(|state, _| state.deleted());
                    this.af.driver().vc_deleted(&Self::vc(this), irql);
                    Self::retire(this, irql);
                } else {
                    // Before it is tried again, on another processor perhaps.
                    this.look(|state, _| state.delete_refused());
                    Self::defer_later(this);
                }
                Done::Nothing
            }
        }
    }

    fn vc(this: &Arc<Self>) -> Vc<M> {
        Vc {
            shared: this.clone(),
        }
    }

    /// Completes the call that the client has placed.
    fn complete_make_call(
        this: &Arc<Self>,
        status: Status,
        parameters: &Parameters,
        irql: &mut UpToDispatch,
    ) {
        if !status.is_success() {
            // Before the completion, within which the client deletes its VC.
            this.af.driver().call_failed(&Self::vc(this), status, irql);
        }
        // SAFETY: the call was pended and is completed once (rule
        // CALL-13), active when with success (CALL-10), and
        // point-to-point (CALL-15). Parameters of the driver's own
        // belong to the caller's step: the client looks at them within this
        // call, in which it may also end the call.
        unsafe {
            ndis_sys::NdisCmMakeCallComplete(
                status.raw(),
                this.handle(),
                ptr::null_mut(),
                ptr::null_mut(),
                parameters.as_raw(),
            );
        }
    }

    /// The client knows of its call: tells the driver, which holds the VC meanwhile. `held`
    /// says that the step does so already.
    fn tell_connected(this: &Arc<Self>, number: u32, held: bool, irql: &mut UpToDispatch) -> Done {
        if !this.with(|state, _| state.hold_connected(number, held)) {
            return Done::Nothing;
        }
        this.af.driver().call_connected(&Self::vc(this), irql);
        Done::Left
    }

    /// Tells the client that the other side hung up. The state says that it may be
    /// told, and counts this as busy.
    fn dispatch_close(this: &Arc<Self>, status: Status, data: &[u8], size: u32) {
        let buffer = if size == 0 {
            ptr::null_mut()
        } else {
            data.as_ptr().cast_mut().cast()
        };
        // SAFETY: the client knows of the call and is told of its end once (rules
        // CALL-39, CALL-61), and busy keeps the handle valid; the data live for
        // the call, which only reads them, and have size zero when null (rule
        // CALL-60).
        unsafe {
            ndis_sys::NdisCmDispatchIncomingCloseCall(status.raw(), this.handle(), buffer, size);
        }
    }

    /// Offers the call on its SAP, if that is still there.
    fn dispatch(this: &Arc<Self>, parameters: &Parameters, irql: &mut UpToDispatch) -> Status {
        let Some(sap) = &this.sap else {
            return Status::FAILURE;
        };
        let handle = match sap.enter() {
            Ok(handle) => handle,
            Err(status) => return status,
        };
        // SAFETY: the SAP is held valid; the VC is active and of the same
        // client (rules CALL-41, SAP-26). The parameters belong to the caller's
        // step for the call, and to the VC until the answer (rule CALL-26).
        let status = unsafe {
            ndis_sys::NdisCmDispatchIncomingCall(handle, this.handle(), parameters.as_raw())
        };
        SapShared::leave(sap, irql);
        Status::from_raw(status)
    }

    /// The client has answered the offered call.
    pub(crate) fn answered(
        this: &Arc<Self>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) {
        let vc = Vc {
            shared: this.clone(),
        };
        let Some((accepted, offered)) = this.with(|state, _| state.answered(status)) else {
            return;
        };
        let driver = this.af.driver();
        if accepted {
            // SAFETY: the client hands back what it was offered, which belongs to
            // `offered` on this stack, whatever the handler does to the call; or
            // parameters of its own, which it keeps until its call of
            // NdisClIncomingCallComplete, within which this runs, has returned.
            let view = unsafe { CallParameters::from_raw(parameters) }.ok();
            driver.incoming_call_accepted(AcceptedCall::new(vc), view, irql);
        } else {
            driver.incoming_call_refused(&vc, status.as_failure(), irql);
        }
        drop(offered);
        Self::leave(this, irql);
    }
}

impl<M: CallManager> Deferred for VcShared<M> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn owner(&self) -> &Owner {
        self.af.owner()
    }

    /// Dropped lists first, then whatever is due.
    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.look(|state, _| state.unblock());
        let vc = Vc {
            shared: this.clone(),
        };
        M::Base::complete_dropped(&vc, irql.up_to_dispatch());
        Self::advance(&this, irql.up_to_dispatch());
    }
}

/// The VC's context, which is good until NDIS has deleted it.
impl<M: CallManager> Argument<*mut c_void> for Vc<M> {
    fn from_ndis(context: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // SAFETY: it is what NDIS is given of a VC.
        let shared = unsafe { context.object() }?;
        Some(Self { shared })
    }
}

impl<M: CallManager> Vc<M>
where
    M::Base: Carrier<M>,
{
    /// Indicates received data to the client. The lists come back through `Carry::returned`
    /// of `ndis-mcm` (rules [NBL-17] to [NBL-19]).
    ///
    /// Source page: [`NdisMCoIndicateReceiveNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoindicatereceivenetbufferlists).
    ///
    /// # Errors
    ///
    /// Gives the lists back with [`Status::PAUSED`] while the adapter is
    /// paused (rule [PAUSE-05]), [`Status::CLOSING`] when there is no call any more
    /// (rules [CALL-63], [NBL-34]), [`Status::INVALID_STATE`] when the client does not
    /// know yet that its call is up, of which [`CallManager::call_connected`]
    /// tells, [`Status::INVALID_PARAMETER`] for lists that
    /// are not from a pool for receives, or carry another number of packets
    /// than one (rule [NBL-35]), [`Status::RESOURCES`] when the stack is nearly
    /// used up (see [`stack`]).
    ///
    /// [CALL-63]: ndis_sys::rules#CALL-63
    /// [NBL-17]: ndis_sys::rules#NBL-17
    /// [NBL-19]: ndis_sys::rules#NBL-19
    /// [NBL-34]: ndis_sys::rules#NBL-34
    /// [NBL-35]: ndis_sys::rules#NBL-35
    /// [PAUSE-05]: ndis_sys::rules#PAUSE-05
    #[doc(alias = "NdisMCoIndicateReceiveNetBufferLists")]
    pub fn indicate_receive(
        &self,
        lists: NetBufferLists,
        irql: &mut impl NoLock,
    ) -> Result<(), NotIndicated> {
        channel::indicate(self, lists, irql.up_to_dispatch())
    }
}

// SAFETY: all of it is of the VC, whose part is private to it. By CM-VC the handle is valid
// until the deletion, and that waits until the path is quiet.
unsafe impl<M: CallManager> Channel for Vc<M>
where
    M::Base: Carrier<M>,
{
    fn path(&self, _: Key) -> &DataPath {
        &self.shared.part
    }

    fn handle(&self) -> NDIS_HANDLE {
        self.shared.handle()
    }

    fn same(&self, other: &Self) -> bool {
        self.is(other)
    }

    fn count_out(&self, lists: usize, key: Key) -> bool {
        self.shared.af.base.count_out(lists, key)
    }

    fn count_in(&self, lists: usize, key: Key) {
        self.shared.af.base.count_in(lists, key);
    }

    fn is_gone(&self) -> bool {
        self.shared.af.base.is_gone()
    }

    fn used(&self, _: Key) {
        self.shared.with(|state, _| state.used());
    }

    fn refusal(&self) -> Status {
        self.shared.look(|state, _| state.refusal())
    }

    fn go_on(&self, irql: &mut UpToDispatch) {
        VcShared::advance(&self.shared, irql);
    }

    fn defer(&self) {
        VcShared::defer(&self.shared);
    }

    fn context(&self) -> *mut c_void {
        Arc::as_raw(&self.shared)
    }

    unsafe fn from_context(context: *mut c_void) -> Option<Self> {
        // SAFETY: by the caller the VC lives meanwhile.
        let shared = unsafe { Arc::borrow_raw(context) }?;
        Some(Self {
            shared: Arc::clone(&shared),
        })
    }
}
