//! [`Vc`]: a virtual connection and the call on it.

mod accepted;
mod created;
mod data;
mod names;
mod steps;

pub use accepted::AcceptedCall;
pub use created::{ActivateError, Active, CanActivate, CanDispatch, CreatedVc, Inactive};

use super::{
    Af, Base, CallManager, Key, Sap,
    af::AfShared,
    gates::Part,
    sap::SapShared,
    state::{End, Origin, State},
};
use crate::{
    Status,
    address::MAX_VARIABLE,
    callback::{Argument, FromNdis},
    deferred::Node,
    irql::{NoLock, UpToDispatch},
    lock::SpinLock,
    mark,
    mem::{Anchored, Arc, Lent, OutOfMemory, Parent, Tag, Vec},
    raw::Opaque,
    reference, stack,
};
use core::{ffi::c_void, fmt, ops};
use ndis_sys::NDIS_HANDLE;

/// What the base keeps on each VC.
pub(crate) type PartOf<M> = <<M as CallManager>::Base as Base<M>>::Part;

/// # Invariants
///
/// CM-VC: from creation until deletion NDIS owns one reference as the call manager's VC
/// context (a miniport call manager's is its miniport half's as well, rule VC-09),
/// and the VC counts as a child of its address family. `handle` is valid from
/// creation until deletion, which waits until nothing is under way on it.
#[doc(hidden)]
pub struct VcShared<M: CallManager> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    /// The SAP that is called, for a VC of the driver's own.
    sap: Option<Arc<SapShared<M>>>,
    handle: Opaque,
    state: SpinLock<State>,
    /// What the base keeps here.
    part: PartOf<M>,
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
///
/// ```
/// # use ndis_co::{Status, cm::{CallManager, Vc}, irql::UpToDispatch};
/// # use ndis_host as _;
/// /// The far end has hung up.
/// fn far_end_gone<M: CallManager>(vc: &Vc<M>, irql: &mut UpToDispatch) {
///     // `Status::CLOSING`: the client was first, and nothing is left to tell.
///     let _ = vc.dispatch_incoming_close(Status::SUCCESS, &[], irql);
/// }
/// ```
pub struct Vc<M: CallManager> {
    pub(crate) shared: Arc<VcShared<M>>,
}

/// A [`Vc`] that keeps nothing, see [`Weak`](crate::reference::Weak).
pub type WeakVc<M> = crate::reference::Weak<Vc<M>>;

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
    /// [`Status::SUCCESS`] for an ordinary end (rule [CALL-59]); one that is no final status
    /// becomes [`Status::FAILURE`].
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
    /// [CALL-59]: ndis_sys::rules#CALL-59
    /// [CALL-61]: ndis_sys::rules#CALL-61
    /// [CALL-69]: ndis_sys::rules#CALL-69
    #[doc(alias = "NdisCmDispatchIncomingCloseCall")]
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    pub fn dispatch_incoming_close(
        &self,
        status: Status,
        data: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        self.close(None, status, data, irql)
    }

    /// The number of the call that is on the VC, or was last: each that a client places in a row
    /// has another one.
    #[must_use]
    pub fn call_number(&self) -> u32 {
        self.shared.look(|state, _| state.number())
    }

    /// As [`dispatch_incoming_close`](Self::dispatch_incoming_close), for the call of this
    /// [number](Self::call_number) and no later one.
    ///
    /// ```
    /// # use ndis_co::{Status, cm::{CallManager, Vc}, irql::UpToDispatch};
    /// # use ndis_host as _;
    /// /// The far end of the call that had this number has hung up.
    /// fn far_end_gone<M: CallManager>(vc: &Vc<M>, number: u32, irql: &mut UpToDispatch) {
    ///     // `Status::CLOSING` also when another call is on the VC by now.
    ///     let _ = vc.dispatch_incoming_close_of(number, Status::SUCCESS, &[], irql);
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "NdisCmDispatchIncomingCloseCall")]
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    pub fn dispatch_incoming_close_of(
        &self,
        number: u32,
        status: Status,
        data: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        self.close(Some(number), status, data, irql)
    }

    fn close(
        &self,
        of: Option<u32>,
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
        let later = shared.with(|state, _| {
            if of.is_some_and(|number| number != state.number()) {
                return Err(Status::CLOSING);
            }
            state.begin_dispatch_close(stack::is_low)
        })?;
        if let Some(number) = later {
            let kept = copy(data);
            let end = End {
                status,
                data: kept.as_ref().ok().cloned().flatten(),
            };
            let irql = irql.up_to_dispatch();
            VcShared::change(self, |state| state.announce(number, end), irql)?;
            return kept.map(drop).map_err(Status::from);
        }
        VcShared::dispatch_close(shared, status, data, size);
        VcShared::leave(self, irql.up_to_dispatch());
        Ok(())
    }

    /// The call is over of the VC that this one is joined with: so is the one here.
    pub(crate) fn end_beneath(&self, status: Status, irql: &mut UpToDispatch) {
        VcShared::change(self, |state| state.end_beneath(status), irql);
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

reference!(Vc<M: CallManager> to VcShared, "VC", "VC");

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

impl<M: CallManager> VcShared<M> {
    fn try_new(
        af: &Arc<AfShared<M>>,
        sap: Option<Arc<SapShared<M>>>,
        handle: NDIS_HANDLE,
        (context, part): (M::Vc, PartOf<M>),
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
            part,
            context,
            af: Parent::new(af.clone()),
        };
        let vc = Arc::try_new_anchored(shared, Tag::NDIS)?;
        af.add_child()?;
        Ok(vc)
    }

    /// The client creates a VC; gives the context for NDIS.
    pub(crate) fn adopt(
        af: &Arc<AfShared<M>>,
        handle: NDIS_HANDLE,
        context: M::Vc,
    ) -> Result<NDIS_HANDLE, Status> {
        let vc = Self::try_new(af, None, handle, (context, PartOf::<M>::default()))?;
        vc.look(|state, _| state.created());
        Ok(Self::lend(&vc))
    }

    /// The context for NDIS.
    fn lend(this: &Arc<Self>) -> NDIS_HANDLE {
        mark::with(this.lent.lend(this), M::Base::MARK)
    }

    /// The client deletes its VC, or is told that it cannot yet (rule VC-27).
    pub(crate) fn delete_by_client(vc: &Vc<M>, irql: &mut UpToDispatch) -> Result<(), Status> {
        let this = &vc.shared;
        if !this.look(|state, part| state.try_delete(part)) {
            // Not a negative code, but the one that the page has for this.
            return Err(Status::NOT_ACCEPTED);
        }
        this.af.driver().vc_deleted(vc, irql);
        drop(this.lent.end());
        AfShared::remove_child_later(&this.af);
        Ok(())
    }

    /// NDIS has done with the VC.
    fn retire(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.part.over();
        drop(this.lent.end());
        AfShared::remove_child(&this.af, irql);
    }

    /// The handle for NDIS calls.
    pub(crate) fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    /// A callback that held the VC has returned: goes on with what waited for it.
    fn leave(vc: &Vc<M>, irql: &mut UpToDispatch) {
        Self::change(vc, State::leave, irql);
    }

    /// Looks at the state or changes it, and says what data may go from then on.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State, &PartOf<M>) -> R) -> R {
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
    pub(super) fn look<R>(&self, f: impl FnOnce(&mut State, &PartOf<M>) -> R) -> R {
        self.state.locked(|state| {
            let result = f(state, &self.part);
            debug_assert!(state.changed_gates().is_none());
            result
        })
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
