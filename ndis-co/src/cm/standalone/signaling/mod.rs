//! [`SignalingVc`]: a VC of a stand-alone call manager's own.
//!
//! A stand-alone call manager that speaks to a switch, or to its like at the other end of a
//! link, does so over VCs: there is no other way for data through a connection-oriented
//! miniport (rule VC-21). Such a VC has no client and no call. The manager creates it,
//! activates it, sends and receives on it, and ends it.
//!
//! # Contexts
//!
//! NDIS calls one handler for what arrives on a VC of a protocol, whatever VC that is, and so
//! for sent lists and for the ends of activations and deactivations. The context of a
//! signaling VC has a mark of its own (see the module `mark`).
//!
//! # Invariants
//!
//! SIGNALING: from creation until deletion NDIS owns one reference as the context, and the
//! binding's list has another one. `handle` is valid from creation until deletion, which
//! waits until nothing runs or is out on the VC.

mod state;

use super::StandaloneCallManager;
use crate::{
    Status,
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mark,
    mem::{Anchored, Arc, Lent, Parent, Tag},
    members::Members,
    nbl::{Chain, NetBufferLists, fields},
    params::{CallParametersBuf, SharedCallParameters},
    protocol::{self, Binding, BindingShared, Received, SendError, sendable},
    raw::Opaque,
    reference,
    scope::Scope,
    stack,
};
use core::{fmt, ops, ptr};
use ndis_sys::NDIS_HANDLE;
use state::{State, Step};

/// See SIGNALING.
#[doc(hidden)]
pub struct SignalingShared<M: StandaloneCallManager> {
    node: Node<Self>,
    /// The context, without its mark.
    lent: Lent<Self>,
    handle: Opaque,
    state: SpinLock<State<SharedCallParameters>>,
    context: M::Signaling,
    binding: Parent<Binding<M>>,
}

impl<M: StandaloneCallManager> Anchored for SignalingShared<M> {
    type Parent = Binding<M>;
    fn parent(&mut self) -> &mut Parent<Binding<M>> {
        &mut self.binding
    }
}

/// A counted reference to a signaling VC; it derefs to the driver's context.
///
/// The VC ends by [`close`](Self::close), with a failed activation, or with its binding,
/// after the last address family there: a driver that ends its clients' calls then still
/// has its VCs to say so. [`StandaloneCallManager::signaling_closed`] tells. References
/// hold up the end of the binding: let go of them there.
///
/// ```
/// # use ndis_co::{Status, cm::{SignalingVc, StandaloneCallManager}, irql::Passive};
/// # use ndis_co::{params::{CallParametersBuf, Specific}, protocol::OpenedBinding};
/// # use ndis_host as _;
/// /// Channel 0 of the adapter is for signaling; from `Protocol::opened`.
/// fn connect<M: StandaloneCallManager<Signaling = ()>>(
///     binding: &OpenedBinding<'_, M>,
///     irql: &mut Passive,
/// ) -> Result<SignalingVc<M>, Status> {
///     let channel = Specific { param_type: 0, bytes: &0_u32.to_le_bytes() };
///     let parameters = CallParametersBuf::builder().media_specific(channel).build()?;
///     binding.create_signaling_vc((), parameters, irql)
/// }
/// ```
pub struct SignalingVc<M: StandaloneCallManager> {
    shared: Arc<SignalingShared<M>>,
}

impl<M: StandaloneCallManager> Binding<M> {
    /// Creates a VC of the driver's own and activates it with `parameters`, which the
    /// miniport interprets (rules [VC-21], [VC-35], [BIND-20]).
    ///
    /// [`StandaloneCallManager::signaling_activated`] or
    /// [`signaling_failed`](StandaloneCallManager::signaling_failed) tells what came of it,
    /// possibly before this returns. Data can be sent once the binding runs, too.
    ///
    /// At or below DISPATCH_LEVEL. Source pages: [`NdisCoCreateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscocreatevc),
    /// [`NdisCmActivateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscmactivatevc).
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when the binding goes away, [`Status::RESOURCES`] when memory or
    /// the stack is short, and what NDIS or the miniport answers.
    ///
    /// [BIND-20]: ndis_sys::rules#BIND-20
    /// [VC-21]: ndis_sys::rules#VC-21
    /// [VC-35]: ndis_sys::rules#VC-35
    #[doc(alias = "NdisCoCreateVc")]
    #[doc(alias = "NdisCmActivateVc")]
    pub fn create_signaling_vc(
        &self,
        context: M::Signaling,
        parameters: CallParametersBuf,
        irql: &mut impl NoLock,
    ) -> Result<SignalingVc<M>, Status> {
        SignalingShared::create(self, context, parameters, irql.up_to_dispatch())
    }
}

impl<M: StandaloneCallManager> SignalingVc<M> {
    /// The binding that it is on.
    #[must_use]
    pub fn binding(&self) -> &Binding<M> {
        &self.shared.binding
    }

    /// Whether it is active, and not about to end.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.shared.state.locked(|state| state.is_active())
    }

    /// Sends data, in order (rule [NBL-04]). The lists come back through
    /// [`StandaloneCallManager::signaling_sent`].
    ///
    /// Source page: [`NdisCoSendNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscosendnetbufferlists).
    ///
    /// # Errors
    ///
    /// Gives the lists back with [`Status::PAUSED`] while the binding is paused,
    /// [`Status::CLOSING`] when the VC is not active or about to end,
    /// [`Status::INVALID_PARAMETER`] for a miniport's receive lists and for a list without a
    /// packet, [`Status::RESOURCES`] when the stack is nearly used up.
    ///
    /// [NBL-04]: ndis_sys::rules#NBL-04
    #[doc(alias = "NdisCoSendNetBufferLists")]
    pub fn send(&self, lists: NetBufferLists, irql: &mut impl NoLock) -> Result<(), SendError> {
        SignalingShared::send(&self.shared, lists, irql.up_to_dispatch())
    }

    /// Ends the VC: it is deactivated when every sent list is back, then deleted (rules
    /// [VC-46], [VC-49]). Doing it twice is harmless.
    ///
    /// Source pages: [`NdisCmDeactivateVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscmdeactivatevc),
    /// [`NdisCoDeleteVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscodeletevc).
    ///
    /// [VC-46]: ndis_sys::rules#VC-46
    /// [VC-49]: ndis_sys::rules#VC-49
    #[doc(alias = "NdisCmDeactivateVc")]
    #[doc(alias = "NdisCoDeleteVc")]
    pub fn close(&self, irql: &mut impl NoLock) {
        self.shared.state.locked(State::want_end);
        SignalingShared::advance(&self.shared, irql.up_to_dispatch());
    }
}

reference!(SignalingVc<M: StandaloneCallManager> to SignalingShared, "VC", "VC");

impl<M: StandaloneCallManager> ops::Deref for SignalingVc<M> {
    type Target = M::Signaling;
    fn deref(&self) -> &M::Signaling {
        &self.shared.context
    }
}

impl<M: StandaloneCallManager> fmt::Debug for SignalingVc<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalingVc")
            .field("active", &self.is_active())
            .finish_non_exhaustive()
    }
}

/// The signaling VCs of one binding.
pub(super) struct SignalingVcs<M: StandaloneCallManager>(Members<SignalingShared<M>>);

impl<M: StandaloneCallManager> SignalingVcs<M> {
    pub(super) const fn new() -> Self {
        Self(Members::new())
    }

    /// Has each of them end, by the work item; once. The binding goes on to its end with the
    /// last.
    pub(super) fn close(binding: &Arc<BindingShared<M>>) {
        let vcs = &binding.signaling_vcs().0;
        vcs.refuse();
        while let Some(vc) = vcs.find(|vc| vc.state.locked(State::want_end)) {
            SignalingShared::defer(&vc);
        }
        if vcs.wait() {
            BindingShared::part_closed(binding);
        }
    }
}

impl<M: StandaloneCallManager> SignalingShared<M> {
    fn create(
        binding: &Binding<M>,
        context: M::Signaling,
        parameters: CallParametersBuf,
        irql: &mut UpToDispatch,
    ) -> Result<SignalingVc<M>, Status> {
        if stack::is_low_for::<M::Signaling>() {
            return Err(Status::RESOURCES);
        }
        let vc = Self {
            node: Node::new(),
            lent: Lent::new(),
            handle: Opaque::null(),
            state: SpinLock::new(State::new(parameters.into_shared())),
            context,
            binding: Parent::new(binding.clone()),
        };
        let vc = Arc::try_new_anchored(vc, Tag::NDIS)?;
        binding.shared.signaling_vcs().0.add(&vc)?;
        let context = mark::with(vc.lent.lend(&vc), mark::SIGNALING);
        let mut handle: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: the binding is open as long as its list has a VC; no family, for the VC is
        // the call manager's own; by SIGNALING the context lives until the deletion; the
        // handle variable is null beforehand.
        let status = unsafe {
            ndis_sys::NdisCoCreateVc(
                binding.shared.handle(),
                ptr::null_mut(),
                context,
                &mut handle,
            )
        };
        if let Err(failure) = Status::from_raw(status).result() {
            Self::retire(&vc);
            return Err(failure);
        }
        vc.handle.set(handle);
        vc.state.locked(State::created);
        Self::advance(&vc, irql);
        Ok(SignalingVc { shared: vc })
    }

    /// NDIS does not know the VC any more: its reference and the list's end.
    fn retire(this: &Arc<Self>) {
        drop(this.state.locked(State::deleted));
        drop(this.lent.end());
        if this.binding.shared.signaling_vcs().0.remove(this) {
            BindingShared::part_closed(&this.binding.shared);
        }
    }

    fn vc(this: &Arc<Self>) -> SignalingVc<M> {
        SignalingVc {
            shared: this.clone(),
        }
    }

    fn driver(&self) -> &M {
        self.binding.driver()
    }

    /// Does what the state asks for and allows.
    fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        while let Some(step) = this.state.locked(|state| state.next(stack::is_low)) {
            match step {
                Step::Later => return Self::defer(this),
                Step::Activate(parameters) => {
                    // SAFETY: the VC exists and is inactive. The parameters belong to this
                    // step for the call, and to the VC until it is deleted (rule VC-35).
                    let status = unsafe {
                        ndis_sys::NdisCmActivateVc(this.handle.get(), parameters.as_raw())
                    };
                    let status = Status::from_raw(status);
                    let result = (!status.is_pending()).then_some(status);
                    this.state.locked(|state| state.activation_returned(result));
                }
                Step::TellActivated => {
                    this.driver().signaling_activated(&Self::vc(this), irql);
                    let _ = this.state.locked(|state| state.leave(1));
                }
                Step::TellFailed(status) => {
                    this.driver()
                        .signaling_failed(&Self::vc(this), status, irql);
                    let _ = this.state.locked(|state| state.leave(1));
                }
                Step::Deactivate => {
                    // SAFETY: active, and nothing runs or is out on it (rules VC-44, VC-48,
                    // VC-49).
                    let status = unsafe { ndis_sys::NdisCmDeactivateVc(this.handle.get()) };
                    // Whatever else it says, the VC is inactive (rule VC-45).
                    let over = !Status::from_raw(status).is_pending();
                    this.state.locked(|state| state.deactivation_returned(over));
                }
                Step::Delete => {
                    // SAFETY: the driver's own VC (VC-22), inactive (VC-23), deleted once.
                    let status = unsafe { ndis_sys::NdisCoDeleteVc(this.handle.get()) };
                    if !Status::from_raw(status).is_success() {
                        // Before it is tried again, on another processor perhaps.
                        this.state.locked(State::delete_refused);
                        return Self::defer_later(this);
                    }
                    this.driver().signaling_closed(&Self::vc(this), irql);
                    return Self::retire(this);
                }
            }
        }
    }

    fn send(
        this: &Arc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), SendError> {
        let count = lists.len();
        if count == 0 {
            return Ok(());
        }
        let lists = sendable(lists)?;
        // The other end may answer within the call, and so on.
        if stack::is_low() {
            let status = Status::RESOURCES;
            return Err(SendError { lists, status });
        }
        let binding = &this.binding.shared;
        if let Err(status) = binding.sends_out(count) {
            return Err(SendError { lists, status });
        }
        // One more than the lists, for the call itself: the VC is not deactivated while it
        // runs.
        let out = count.saturating_add(1);
        if !this.state.locked(|state| state.enter(out)) {
            binding.sends_in(count);
            let status = Status::CLOSING;
            return Err(SendError { lists, status });
        }
        // SAFETY: the VC is active and stays so for this call, which is counted, as the lists
        // are.
        unsafe { protocol::send(this.handle.get(), lists.into_chain()) };
        Self::leave(this, 1, irql);
        Ok(())
    }

    /// So many lists are back, or calls over: goes on with what waited for them.
    fn leave(this: &Arc<Self>, count: usize, irql: &mut UpToDispatch) {
        if this.state.locked(|state| state.leave(count)) {
            Self::advance(this, irql);
        }
    }
}

impl<M: StandaloneCallManager> Deferred for SignalingShared<M> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.binding.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.state.locked(State::unblock);
        Self::advance(&this, irql.up_to_dispatch());
    }
}

/// The signaling VC that a context is of, if it is one's.
///
/// # Safety
///
/// NDIS passes it to a handler of this driver's, for a VC that exists meanwhile.
#[must_use]
pub(crate) unsafe fn from_context<M: StandaloneCallManager>(
    context: NDIS_HANDLE,
) -> Option<SignalingVc<M>> {
    if mark::of(context) != mark::SIGNALING {
        return None;
    }
    let context = mark::without(context);
    // SAFETY: by the mark it is what `create` gave NDIS, and by SIGNALING NDIS has a reference
    // of its own meanwhile.
    let shared = unsafe { Arc::<SignalingShared<M>>::borrow_raw(context) }?;
    Some(SignalingVc {
        shared: Arc::clone(&shared),
    })
}

/// Lists have arrived on a VC. Gives them back when it is no signaling one.
///
/// # Safety
///
/// As CALLBACK says of `vc`, and the lists are NDIS's, handed over.
pub(crate) unsafe fn receive<M: StandaloneCallManager>(
    vc: NDIS_HANDLE,
    lists: Chain,
    resources: bool,
    irql: &mut UpToDispatch,
) -> Option<Chain> {
    // SAFETY: by the caller.
    let Some(vc) = (unsafe { from_context::<M>(vc) }) else {
        return Some(lists);
    };
    // SAFETY: by the caller as RECEIVED says; returned once, on drop.
    let received = unsafe { Received::new(lists, resources, &vc.binding().shared) };
    vc.shared.driver().signaling_receive(&vc, received, irql);
    None
}

/// Lists that were sent on a VC come back; it does not end before. Gives them back when it is
/// no signaling one.
///
/// # Safety
///
/// As CALLBACK says of `vc`, and the lists are the driver's own.
pub(crate) unsafe fn sent<M: StandaloneCallManager>(
    vc: NDIS_HANDLE,
    lists: Chain,
    irql: &mut UpToDispatch,
) -> Option<Chain> {
    // SAFETY: by the caller.
    let Some(vc) = (unsafe { from_context::<M>(vc) }) else {
        return Some(lists);
    };
    // SAFETY: by the caller, from the driver's pool for sends.
    let lists = unsafe { NetBufferLists::from_chain(lists, fields::Side::Protocol) };
    let count = lists.len();
    vc.shared.driver().signaling_sent(&vc, lists, irql);
    vc.binding().shared.sends_in(count);
    SignalingShared::leave(&vc.shared, count, irql);
    None
}

/// Possibly after the activation has already succeeded (rule VC-34).
pub(super) fn activated<M: StandaloneCallManager>(
    vc: &SignalingVc<M>,
    status: Status,
    irql: &mut UpToDispatch,
) {
    vc.shared.state.locked(|state| state.activated(status));
    SignalingShared::advance(&vc.shared, irql);
}

/// Possibly after the deactivation has already succeeded (rule VC-45).
pub(super) fn deactivated<M: StandaloneCallManager>(vc: &SignalingVc<M>, irql: &mut UpToDispatch) {
    vc.shared.state.locked(State::deactivated);
    SignalingShared::advance(&vc.shared, irql);
}
