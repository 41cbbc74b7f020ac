//! [`Sap`]: an address at which a client takes calls.

use super::{Af, CallManager, af::AfShared};
use crate::{
    Answer, Status,
    address::{SapAddress, SapAddressBuf},
    answer::Request,
    armed::{Alarm, Armed},
    callback::Out,
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Anchored, Arc, Lent, Parent, Tag},
    once::Slot,
    raw::Opaque,
    reference,
    scope::Scope,
    stack,
};
use core::{fmt, ops, ptr};
use ndis_sys::NDIS_HANDLE;

/// # Invariants
///
/// CM-SAP: `handle` is valid from the register request until that is refused
/// or the deregistration is completed. Once accepted, NDIS owns one reference as
/// the call manager's SAP context, and the SAP counts as a child of its
/// address family, until the deregistration is completed (rule SAP-22).
#[doc(hidden)]
pub struct SapShared<M: CallManager> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    handle: Opaque,
    address: SapAddressBuf,
    state: SpinLock<State>,
    context: Slot<M::Sap>,
    pub(crate) af: Parent<Arc<AfShared<M>>>,
}

impl<M: CallManager> Anchored for SapShared<M> {
    type Parent = Arc<AfShared<M>>;
    fn parent(&mut self) -> &mut Parent<Arc<AfShared<M>>> {
        &mut self.af
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Registering,
    Registered,
    Deregistering,
    Gone,
}

struct State {
    phase: Phase,
    /// What the pended registration is to be completed with.
    answer: Option<Status>,
    /// Calls that are being offered on the handle at this moment.
    busy: usize,
    /// The driver has nothing against the deregistration.
    finish: bool,
    /// The deregistration was answered with pending.
    pended: bool,
}

/// A counted reference to a SAP; it derefs to the driver's context.
///
/// ```
/// # use ndis_co::{Status, cm::{CallManager, Sap, Vc}, irql::Passive, params::CallParametersBuf};
/// # use ndis_host as _;
/// /// The network brings a call to whoever has registered this.
/// fn ring<M: CallManager<Vc = ()>>(sap: &Sap<M>, irql: &mut Passive) -> Result<Vc<M>, Status> {
///     let vc = sap.create_vc((), irql)?;
///     let vc = vc.activate(CallParametersBuf::builder().build()?, irql)?;
///     Ok(vc.dispatch_incoming_call(CallParametersBuf::builder().build()?, irql))
/// }
/// ```
pub struct Sap<M: CallManager> {
    /// Its context is set (the registration was accepted).
    pub(crate) shared: Arc<SapShared<M>>,
}

impl<M: CallManager> Sap<M> {
    /// The address.
    #[must_use]
    pub fn address(&self) -> SapAddress<'_> {
        self.shared.address.view()
    }

    /// The client that registered it.
    #[must_use]
    pub fn af(&self) -> Af<M> {
        Af {
            shared: Arc::clone(&self.shared.af),
        }
    }

    /// The adapter or binding that it is on.
    #[must_use]
    pub fn base(&self) -> &M::Base {
        &self.shared.af.base
    }
}

reference!(Sap<M: CallManager> to SapShared, "SAP", "SAP");

impl<M: CallManager> ops::Deref for Sap<M> {
    type Target = M::Sap;
    fn deref(&self) -> &M::Sap {
        // SAFETY: a `Sap` is made once the context is set.
        unsafe { self.shared.context.get_unchecked() }
    }
}

impl<M: CallManager> fmt::Debug for Sap<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sap")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// A client registers a SAP: the token of the request.
///
/// ```
/// # use ndis_co::{Answer, Status, cm::{CallManager, RegisterSap, Sap}};
/// # use ndis_host as _;
/// /// Takes addresses of type 1; the SAP is for calls that come.
/// fn register<'r, M: CallManager<Sap = ()>>(
///     request: RegisterSap<'r, M>,
/// ) -> (Answer<'r>, Option<Sap<M>>) {
///     if request.address().sap_type() != 1 {
///         return (request.refuse(Status::INVALID_DATA), None);
///     }
///     let (answer, sap) = request.accept(());
///     (answer, Some(sap))
/// }
/// ```
#[must_use = "a request must be answered"]
pub struct RegisterSap<'r, M: CallManager> {
    sap: Arc<SapShared<M>>,
    /// Where a synchronous success leaves the context.
    out: Out<'r, NDIS_HANDLE>,
    request: Request<'r>,
}

impl<'r, M: CallManager> RegisterSap<'r, M> {
    pub(crate) fn try_new(
        af: &Arc<AfShared<M>>,
        address: SapAddress<'_>,
        handle: NDIS_HANDLE,
        out: Out<'r, NDIS_HANDLE>,
        request: Request<'r>,
    ) -> Result<Self, Answer<'r>> {
        match SapShared::try_new(af, address, handle) {
            Ok(sap) => Ok(Self { sap, out, request }),
            Err(failure) => Err(request.answer(failure)),
        }
    }

    /// The address asked for (rule [SAP-18]).
    ///
    /// [SAP-18]: ndis_sys::rules#SAP-18
    #[must_use]
    pub fn address(&self) -> SapAddress<'_> {
        self.sap.address.view()
    }

    /// Registers the SAP; `context` is what the driver keeps for it. Returns
    /// the answer and the SAP, to be stored where calls look for it.
    pub fn accept(self, context: M::Sap) -> (Answer<'r>, Sap<M>) {
        // Rule SAP-17.
        self.out.set(SapShared::accept(&self.sap, context));
        let answer = self.request.answer(Status::SUCCESS);
        (answer, Sap { shared: self.sap })
    }

    /// Refuses: [`Status::INVALID_DATA`] for an address that is taken or not
    /// understood (rules [SAP-15], [SAP-16]).
    ///
    /// [SAP-15]: ndis_sys::rules#SAP-15
    /// [SAP-16]: ndis_sys::rules#SAP-16
    pub fn refuse(self, status: Status) -> Answer<'r> {
        self.sap.state.locked(|state| state.phase = Phase::Gone);
        AfShared::remove_child_later(&self.sap.af);
        self.request.answer(status.as_failure())
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingRegisterSap<M>) {
        let sap = Armed::new(self.sap);
        let answer = self.request.answer(Status::PENDING);
        (answer, PendingRegisterSap { sap })
    }
}

impl<M: CallManager> fmt::Debug for RegisterSap<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegisterSap").field(&self.address()).finish()
    }
}

/// The token of a pended registration. Answer it in bounded time: the client's
/// family is not closed before. Dropping it refuses with [`Status::FAILURE`].
///
/// ```
/// # use ndis_co::{Status, cm::{CallManager, PendingRegisterSap, Sap}, irql::Passive};
/// # use ndis_host as _;
/// /// The network has told whether the number is free.
/// fn told<M: CallManager<Sap = ()>>(
///     client: PendingRegisterSap<M>,
///     free: bool,
///     irql: &mut Passive,
/// ) -> Option<Sap<M>> {
///     if free {
///         Some(client.accept((), irql))
///     } else {
///         client.refuse(Status::INVALID_DATA, irql);
///         None
///     }
/// }
/// ```
#[must_use = "dropping a pending request refuses it"]
pub struct PendingRegisterSap<M: CallManager> {
    sap: Armed<Arc<SapShared<M>>, Refuse>,
}

/// Refuses a pended registration.
struct Refuse;

impl<M: CallManager> Alarm<Arc<SapShared<M>>> for Refuse {
    fn lost(sap: Arc<SapShared<M>>) {
        SapShared::answer(&sap, Status::FAILURE);
        SapShared::defer(&sap);
    }
}

impl<M: CallManager> PendingRegisterSap<M> {
    /// The address asked for.
    #[must_use]
    pub fn address(&self) -> SapAddress<'_> {
        self.sap.address.view()
    }

    /// Registers the SAP (rules [SAP-19], [SAP-20]).
    ///
    /// Source page: [`NdisMCmRegisterSapComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmregistersapcomplete).
    ///
    /// [SAP-19]: ndis_sys::rules#SAP-19
    /// [SAP-20]: ndis_sys::rules#SAP-20
    #[doc(alias = "NdisCmRegisterSapComplete")]
    #[doc(alias = "NdisMCmRegisterSapComplete")]
    pub fn accept(self, context: M::Sap, irql: &mut impl NoLock) -> Sap<M> {
        let sap = self.sap.disarm();
        let _ = SapShared::accept(&sap, context);
        SapShared::answer(&sap, Status::SUCCESS);
        SapShared::advance(&sap, irql.up_to_dispatch());
        Sap { shared: sap }
    }

    /// Refuses.
    ///
    /// Source page: [`NdisMCmRegisterSapComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmregistersapcomplete).
    #[doc(alias = "NdisCmRegisterSapComplete")]
    #[doc(alias = "NdisMCmRegisterSapComplete")]
    pub fn refuse(self, status: Status, irql: &mut impl NoLock) {
        let sap = self.sap.disarm();
        SapShared::answer(&sap, status.as_failure());
        SapShared::advance(&sap, irql.up_to_dispatch());
    }
}

impl<M: CallManager> fmt::Debug for PendingRegisterSap<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingRegisterSap")
            .field(&self.address())
            .finish()
    }
}

/// A client deregisters a SAP: the token of the request.
///
/// ```
/// # use ndis_co::{Answer, cm::{CallManager, DeregisterSap, Sap}, lock::SpinLock};
/// # use ndis_host as _;
/// fn deregister_sap<'r, M: CallManager>(
///     request: DeregisterSap<'r, M>,
///     kept: &SpinLock<Option<Sap<M>>>,
/// ) -> Answer<'r> {
///     // A kept reference would hold up the family.
///     kept.set(None);
///     request.finish()
/// }
/// ```
#[must_use = "a request must be answered"]
pub struct DeregisterSap<'r, M: CallManager> {
    sap: Arc<SapShared<M>>,
    request: Request<'r>,
}

impl<'r, M: CallManager> DeregisterSap<'r, M> {
    pub(crate) fn new(sap: Arc<SapShared<M>>, request: Request<'r>) -> Self {
        Self { sap, request }
    }

    /// Lets the SAP go, at once or when no call is just being offered on it.
    /// A deregistration always succeeds in the end (rules [SAP-21], [SAP-23]).
    ///
    /// [SAP-21]: ndis_sys::rules#SAP-21
    /// [SAP-23]: ndis_sys::rules#SAP-23
    pub fn finish(self) -> Answer<'r> {
        let done = self.sap.state.locked(|state| {
            state.finish = true;
            let done = state.busy == 0;
            state.pended = !done;
            if done {
                state.phase = Phase::Gone;
            }
            done
        });
        let status = if done {
            SapShared::give_back(&self.sap);
            AfShared::remove_child_later(&self.sap.af);
            Status::SUCCESS
        } else {
            Status::PENDING
        };
        self.request.answer(status)
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingDeregisterSap<M>) {
        self.sap.state.locked(|state| state.pended = true);
        let sap = Armed::new(self.sap);
        let answer = self.request.answer(Status::PENDING);
        (answer, PendingDeregisterSap { sap })
    }
}

impl<M: CallManager> fmt::Debug for DeregisterSap<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeregisterSap")
            .field(&self.sap.address.view())
            .finish()
    }
}

/// The token of a pended deregistration. Dropping it finishes it.
///
/// ```
/// # use ndis_co::{Answer, cm::{CallManager, DeregisterSap, PendingDeregisterSap}, irql::Passive, lock::SpinLock};
/// # use ndis_host as _;
/// type Waiting<M> = SpinLock<Option<PendingDeregisterSap<M>>>;
///
/// fn deregister_sap<'r, M: CallManager>(
///     request: DeregisterSap<'r, M>,
///     waiting: &Waiting<M>,
/// ) -> Answer<'r> {
///     let (answer, going) = request.pend();
///     waiting.set(Some(going));
///     answer
/// }
///
/// /// The network knows the number no more.
/// fn withdrawn<M: CallManager>(waiting: &Waiting<M>, irql: &mut Passive) {
///     if let Some(going) = waiting.take() {
///         going.finish(irql);
///     }
/// }
/// ```
#[must_use = "dropping a pending deregistration finishes it"]
pub struct PendingDeregisterSap<M: CallManager> {
    sap: Armed<Arc<SapShared<M>>, Finish>,
}

/// Finishes a pended deregistration.
struct Finish;

impl<M: CallManager> Alarm<Arc<SapShared<M>>> for Finish {
    fn lost(sap: Arc<SapShared<M>>) {
        sap.state.locked(|state| state.finish = true);
        SapShared::defer(&sap);
    }
}

impl<M: CallManager> PendingDeregisterSap<M> {
    /// Lets the SAP go.
    ///
    /// Source page: [`NdisMCmDeregisterSapComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmderegistersapcomplete).
    #[doc(alias = "NdisCmDeregisterSapComplete")]
    #[doc(alias = "NdisMCmDeregisterSapComplete")]
    pub fn finish(self, irql: &mut impl NoLock) {
        let sap = self.sap.disarm();
        sap.state.locked(|state| state.finish = true);
        SapShared::advance(&sap, irql.up_to_dispatch());
    }
}

impl<M: CallManager> fmt::Debug for PendingDeregisterSap<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingDeregisterSap")
            .field(&self.sap.address.view())
            .finish()
    }
}

impl<M: CallManager> SapShared<M> {
    /// A registration, as a child of its family.
    fn try_new(
        af: &Arc<AfShared<M>>,
        address: SapAddress<'_>,
        handle: NDIS_HANDLE,
    ) -> Result<Arc<Self>, Status> {
        let shared = Self {
            node: Node::new(),
            lent: Lent::new(),
            handle: Opaque::new(handle),
            address: SapAddressBuf::try_new(address.sap_type(), address.bytes())?,
            state: SpinLock::new(State {
                phase: Phase::Registering,
                answer: None,
                busy: 0,
                finish: false,
                pended: false,
            }),
            context: Slot::new(),
            af: Parent::new(af.clone()),
        };
        let sap = Arc::try_new_anchored(shared, Tag::NDIS)?;
        af.add_child()?;
        Ok(sap)
    }

    /// Takes the SAP in; gives the context for NDIS.
    fn accept(this: &Arc<Self>, context: M::Sap) -> NDIS_HANDLE {
        this.context.set(context);
        this.state.locked(|state| state.phase = Phase::Registered);
        this.lent.lend(this)
    }

    /// The pended registration is to be completed.
    fn answer(this: &Arc<Self>, status: Status) {
        this.state.locked(|state| {
            state.answer = Some(status);
            if !status.is_success() {
                state.phase = Phase::Gone;
            }
        });
    }

    fn complete_register(this: &Arc<Self>, status: Status, irql: &mut UpToDispatch) {
        let context = if status.is_success() {
            Arc::as_raw(this)
        } else {
            ptr::null_mut()
        };
        // SAFETY: the registration was pended and is completed once (SAP-19); with
        // success, with the reference that the acceptance gave to NDIS (CM-SAP).
        unsafe { ndis_sys::NdisCmRegisterSapComplete(status.raw(), this.handle.get(), context) };
        if !status.is_success() {
            AfShared::remove_child(&this.af, irql);
        }
    }

    /// The client asks for the deregistration: no more calls on it.
    pub(crate) fn begin_deregister(&self) {
        self.state
            .locked(|state| state.phase = Phase::Deregistering);
    }

    /// Whether the client has it registered, and has not asked for the end of that.
    pub(crate) fn is_registered(&self) -> bool {
        self.state.locked(|state| state.phase == Phase::Registered)
    }

    /// Holds the handle valid while a call is offered on it (rule SAP-25).
    pub(crate) fn enter(&self) -> Result<NDIS_HANDLE, Status> {
        self.state.locked(|state| {
            if state.phase != Phase::Registered {
                return Err(Status::CLOSING);
            }
            state.busy = state.busy.saturating_add(1);
            Ok(self.handle.get())
        })
    }

    /// Ends what [`Self::enter`] began.
    pub(crate) fn leave(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.state
            .locked(|state| state.busy = state.busy.saturating_sub(1));
        Self::advance(this, irql);
    }

    /// NDIS has done with the context.
    fn give_back(this: &Arc<Self>) {
        drop(this.lent.end());
    }

    /// Does what the state asks for and allows.
    fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        while let Some(step) = this.state.locked(State::next) {
            match step {
                Step::Later => return Self::defer(this),
                Step::CompleteRegister(status) => Self::complete_register(this, status, irql),
                Step::CompleteDeregister => {
                    // SAFETY: the deregistration was pended and is completed once,
                    // with success (SAP-23); the handle dies here (SAP-24).
                    unsafe {
                        ndis_sys::NdisCmDeregisterSapComplete(
                            Status::SUCCESS.raw(),
                            this.handle.get(),
                        );
                    }
                    Self::give_back(this);
                    AfShared::remove_child(&this.af, irql);
                }
            }
        }
    }
}

/// What is to be done next.
enum Step {
    CompleteRegister(Status),
    CompleteDeregister,
    /// There is something to do, on a stack with more room.
    Later,
}

impl State {
    /// Picks the next step and marks it as taken.
    fn next(&mut self) -> Option<Step> {
        let deregister =
            self.phase == Phase::Deregistering && self.finish && self.pended && self.busy == 0;
        if self.answer.is_none() && !deregister {
            return None;
        }
        if stack::is_low() {
            return Some(Step::Later);
        }
        if let Some(status) = self.answer.take() {
            return Some(Step::CompleteRegister(status));
        }
        self.phase = Phase::Gone;
        Some(Step::CompleteDeregister)
    }
}

impl<M: CallManager> Deferred for SapShared<M> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.af.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        Self::advance(&this, irql.up_to_dispatch());
    }
}
