//! [`Vc`] and [`CreatedVc`]: a virtual connection and the call on it.

use crate::{
    Accepted, Af, CallManager, Sap,
    af::AfShared,
    lock::StateLock,
    sap::SapShared,
    state::{End, Origin, Parameters, State, Step},
};
use core::{fmt, marker::PhantomData, ops, ptr};
use ndis_co::{
    Status,
    address::MAX_VARIABLE,
    armed::{Alarm, Armed},
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    mem::{Anchored, Arc, Lent, OutOfMemory, Parent, Tag, Vec},
    nbl::Chain,
    owner::Owner,
    params::{CallParameters, CallParametersBuf},
    raw::Opaque,
    stack,
};
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

/// # Invariants
///
/// MCM-VC: from creation until deletion NDIS owns one share as the VC context
/// of the MCM, for its call manager and its miniport half alike (rule VC-09),
/// and the VC counts as a child of its address family. `handle` is valid from
/// creation until deletion, which waits until nothing is busy on it.
pub(crate) struct VcShared<M: CallManager> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    /// The SAP that is called, for a VC of the driver's own.
    sap: Option<Arc<SapShared<M>>>,
    handle: Opaque,
    pub(crate) state: StateLock<State>,
    /// Sent lists whose owner dropped them, to be completed.
    pub(crate) dropped: StateLock<Chain>,
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

    /// Whether both are the same VC.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether a call is up on it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.state.with(|state| state.is_connected())
    }

    /// Tells the client that the other side hung up, or takes back a call that still
    /// rings, with data if there is any; it then closes the call (rules CALL-58 to
    /// CALL-61).
    ///
    /// The client's close may come before this returns. When the client does
    /// not know of the call yet, it is told of the end right after. Its answer to a
    /// call that rings is of no more interest, and the driver is not told of it:
    /// [`close_call`](CallManager::close_call) is next. `status` is the reason,
    /// [`Status::SUCCESS`] for an ordinary end; one that is no final status becomes
    /// [`Status::FAILURE`].
    ///
    /// Source page: `nf-ndis-ndismcmdispatchincomingclosecall`.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when there is no call, it is closed already, or the
    /// client was told before: nothing is left to do then (rule CALL-69).
    /// [`Status::RESOURCES`] when the client is told later, and there was no
    /// memory to keep the data until then: it is told without them.
    /// [`Status::INVALID_LENGTH`] for more than [`MAX_VARIABLE`] bytes of data, and the
    /// client is not told.
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
        if !shared
            .state
            .with(|state| state.begin_dispatch_close(stack::is_low))?
        {
            let kept = copy(data);
            let end = End {
                status,
                data: kept.as_ref().ok().cloned().flatten(),
            };
            shared.state.with(|state| state.announce(end))?;
            VcShared::advance(shared, irql.up_to_dispatch());
            return kept.map(drop).map_err(Status::from);
        }
        VcShared::dispatch_close(shared, status, data, size);
        VcShared::calm(shared, 1, irql.up_to_dispatch());
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
        vc.shared.state.with(State::want_delete);
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

    /// Activates the VC (rules VC-30, VC-35, VC-61).
    ///
    /// When NDIS answers that the activation completes later, what is done
    /// with the VC next waits for that.
    ///
    /// Source page: `nf-ndis-ndismcmactivatevc`.
    ///
    /// # Errors
    ///
    /// Gives the VC back with NDIS's status.
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
        vc.shared
            .state
            .with(|state| state.want_activate(parameters));
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
        match vc.shared.state.with(State::take_failed) {
            None => Ok(CreatedVc::wrap(vc)),
            Some(status) => Err(NotActivated {
                vc: CreatedVc::wrap(vc),
                status,
            }),
        }
    }

    /// Offers the call to the client (rules CALL-24 to CALL-27).
    ///
    /// The answer comes as [`CallManager::incoming_call_accepted`] or
    /// [`CallManager::incoming_call_refused`], possibly before this returns.
    ///
    /// Source page: `nf-ndis-ndismcmdispatchincomingcall`.
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
        vc.shared.state.with(|state| state.offer(parameters));
        VcShared::advance(&vc.shared, irql.up_to_dispatch());
        vc
    }

    /// Deletes the VC now rather than soon (rules VC-23, VC-25, VC-26).
    ///
    /// Source page: `nf-ndis-ndismcmdeletevc`.
    #[doc(alias = "NdisMCmDeleteVc")]
    pub fn delete(self, irql: &mut impl NoLock) {
        let vc = self.into_vc();
        vc.shared.state.with(State::want_delete);
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
            Origin::Mcm
        } else {
            Origin::Client
        };
        let shared = Self {
            node: Node::new(),
            lent: Lent::new(),
            sap,
            handle: Opaque::new(handle),
            state: StateLock::new(State::new(origin)),
            dropped: StateLock::new(Chain::new()),
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
        let af = &sap.shared.af;
        let vc = Self::try_new(af, Some(sap.shared.clone()), ptr::null_mut(), context)?;
        let context = vc.lent.lend(&vc);
        let mut handle: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: the family is open and stays so while it has children; the
        // context lives until deletion (rule VC-08); the handle variable is
        // null beforehand (rule VC-05).
        let status = unsafe {
            ndis_sys::NdisMCmCreateVc(af.adapter.handle.get(), af.handle(), context, &mut handle)
        };
        if let Err(failure) = Status::from_raw(status).result() {
            vc.state.with(State::deleted);
            Self::retire(&vc, irql);
            return Err(failure);
        }
        vc.handle.set(handle);
        vc.state.with(State::created);
        Ok(CreatedVc::wrap(Vc { shared: vc }))
    }

    /// The client creates a VC; gives the context for NDIS.
    pub(crate) fn adopt(
        af: &Arc<AfShared<M>>,
        handle: NDIS_HANDLE,
        context: M::Vc,
    ) -> Result<NDIS_HANDLE, Status> {
        let vc = Self::try_new(af, None, handle, context)?;
        vc.state.with(State::created);
        Ok(vc.lent.lend(&vc))
    }

    /// The client deletes its VC, or is told that it cannot yet (rule VC-27).
    pub(crate) fn delete_by_client(
        this: &Arc<Self>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        if !this.state.with(State::try_delete) {
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

    /// Gives counted work back, and goes on with what waited for it.
    pub(crate) fn calm(this: &Arc<Self>, count: usize, irql: &mut UpToDispatch) {
        this.state.with(|state| state.calm(count));
        Self::advance(this, irql);
    }

    /// Does what the state asks for and allows.
    pub(crate) fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        while let Some(step) = this.state.with(|state| state.next(stack::is_low)) {
            let vc = Vc {
                shared: this.clone(),
            };
            let driver = this.af.driver();
            match step {
                Step::Later => return Self::defer(this),
                Step::Activate(parameters) => {
                    // SAFETY: the VC exists and is inactive. Parameters of the
                    // driver's own belong to this step for the call, and to the
                    // VC until it is inactive again; the client's to the client
                    // until its call is completed, which is after this
                    // activation (rules VC-35, CALL-02).
                    let status =
                        unsafe { ndis_sys::NdisMCmActivateVc(this.handle(), parameters.as_raw()) };
                    let status = Status::from_raw(status);
                    if !status.is_pending() {
                        this.state.with(|state| state.activated(status));
                    }
                    this.state.with(|state| state.calm(1));
                }
                Step::CompleteMakeCall { status, parameters } => {
                    if !status.is_success() {
                        // Before the completion, within which the client deletes its VC.
                        driver.call_failed(&vc, status, irql);
                    }
                    // SAFETY: the call was pended and is completed once (rule
                    // CALL-13), active when with success (CALL-10), and
                    // point-to-point (CALL-15). Parameters of the driver's own
                    // belong to this step: the client looks at them within this
                    // call, in which it may also end the call.
                    unsafe {
                        ndis_sys::NdisMCmMakeCallComplete(
                            status.raw(),
                            this.handle(),
                            ptr::null_mut(),
                            ptr::null_mut(),
                            parameters.as_raw(),
                        );
                    }
                    this.state.with(State::tell);
                    if status.is_success() {
                        tell_connected(&vc, irql);
                    }
                }
                Step::Dispatch(parameters) => {
                    let status = Self::dispatch(this, &parameters, irql);
                    if status.is_pending() {
                        this.state.with(State::ringing);
                    } else {
                        Self::answered(this, status, ptr::null_mut(), irql);
                    }
                    this.state.with(|state| state.calm(1));
                }
                Step::Connect => {
                    // SAFETY: the driver's own VC (CALL-38), accepted, told once;
                    // busy keeps the handle valid.
                    unsafe { ndis_sys::NdisMCmDispatchCallConnected(this.handle()) };
                    this.state.with(|state| {
                        state.tell();
                        state.calm(1)
                    });
                    tell_connected(&vc, irql);
                }
                Step::DispatchClose(End { status, data }) => {
                    let data = data.as_ref().map_or(&[][..], |data| data);
                    // It was a length of 32 bits when the driver gave it.
                    let size = u32::try_from(data.len()).unwrap_or(0);
                    Self::dispatch_close(this, status, data, size);
                    this.state.with(|state| state.calm(1));
                }
                Step::TellFailed(status) => {
                    driver.call_failed(&vc, status, irql);
                    this.state.with(|state| state.calm(1));
                }
                Step::Deactivate => {
                    // SAFETY: active, and nothing is busy on it (rules VC-44,
                    // VC-48, VC-49).
                    let status = unsafe { ndis_sys::NdisMCmDeactivateVc(this.handle()) };
                    // Not accepted means that it was inactive (rule VC-45).
                    if !Status::from_raw(status).is_pending() {
                        this.state.with(State::deactivated);
                    }
                }
                Step::CompleteClose(status) => {
                    // SAFETY: the close was pended and is completed once (rule
                    // CALL-52), deactivated (CALL-49), point-to-point.
                    unsafe {
                        ndis_sys::NdisMCmCloseCallComplete(
                            status.raw(),
                            this.handle(),
                            ptr::null_mut(),
                        );
                    }
                    this.state.with(State::completed);
                }
                Step::Delete => {
                    // SAFETY: the driver's own VC (VC-22), inactive and without
                    // a call (VC-23), deleted once.
                    let status = unsafe { ndis_sys::NdisMCmDeleteVc(this.handle()) };
                    if Status::from_raw(status).is_success() {
                        this.state.with(State::deleted);
                        driver.vc_deleted(&vc, irql);
                        Self::retire(this, irql);
                    } else {
                        this.state.with(State::delete_refused);
                        Self::defer_later(this);
                    }
                }
            }
        }
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
            ndis_sys::NdisMCmDispatchIncomingCloseCall(status.raw(), this.handle(), buffer, size);
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
            ndis_sys::NdisMCmDispatchIncomingCall(handle, this.handle(), parameters.as_raw())
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
        let Some((accepted, offered)) = this.state.with(|state| state.answered(status)) else {
            return;
        };
        let driver = this.af.driver();
        if accepted {
            // SAFETY: the client hands back what it was offered, which belongs to
            // `offered` on this stack, whatever the handler does to the call; or
            // parameters of its own, which it keeps until its call of
            // NdisClIncomingCallComplete, within which this runs, has returned.
            let view = unsafe { CallParameters::from_raw(parameters) }.ok();
            driver.incoming_call_accepted(Accepted::new(vc), view, irql);
        } else {
            driver.incoming_call_refused(&vc, status.as_failure(), irql);
        }
        drop(offered);
        Self::calm(this, 1, irql);
    }
}

/// Tells the driver that the client knows of its call.
fn tell_connected<M: CallManager>(vc: &Vc<M>, irql: &mut UpToDispatch) {
    // The client may have closed it already, within the call that told it.
    if vc.shared.state.with(State::hold_connected) {
        vc.shared.af.driver().call_connected(vc, irql);
        VcShared::calm(&vc.shared, 1, irql);
    }
}

// SAFETY: the field.
unsafe impl<M: CallManager> Deferred for VcShared<M> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn owner(&self) -> &Owner {
        self.af.adapter.owner()
    }

    /// Dropped lists first, then whatever is due.
    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.state.with(State::unblock);
        let chain = this.dropped.with(core::mem::take);
        crate::data::complete(&this, chain, irql.up_to_dispatch());
        Self::advance(&this, irql.up_to_dispatch());
    }
}
