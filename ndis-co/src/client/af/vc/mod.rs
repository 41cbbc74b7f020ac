//! [`Vc`]: a virtual connection and the call on it.

mod call_id;
mod name;
mod owners;
mod sends;
mod steps;

pub use owners::{Call, CreatedVc};

use super::{
    Af, AfShared, Client,
    above::{Above, KeepsAbove},
    children::Child,
};
use crate::{
    Status,
    address::MAX_VARIABLE,
    client::{
        SendError,
        guarded::Guarded,
        state::{Origin, State},
    },
    deferred::Node,
    irql::{NoLock, UpToDispatch},
    mem::{Anchored, Arc, Lent, OutOfMemory, Parent, Tag, Vec},
    nbl::NetBufferLists,
    params::CallParametersBuf,
    protocol::Protocol,
    raw::Opaque,
    reference, tapi,
};
use core::{any::Any, fmt, ops, sync::atomic::AtomicUsize};
use ndis_sys::NDIS_HANDLE;

/// What a role keeps on each VC of the one above.
type AboveOf<C> = <<C as Protocol>::Role as KeepsAbove<C>>::Above;

/// # Invariants
///
/// VC: from creation until deletion NDIS owns one reference as the client's VC
/// context, and the address family's list has another one. `handle` is valid
/// from creation until deletion.
#[doc(hidden)]
pub struct VcShared<C: Client> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    /// Where it is in its family's list, which is locked by whoever asks.
    place: AtomicUsize,
    handle: Opaque,
    state: Guarded,
    /// The VC that shares this one.
    above: AboveOf<C>,
    context: C::Vc,
    pub(in crate::client) af: Parent<Arc<AfShared<C>>>,
}

impl<C: Client> Anchored for VcShared<C> {
    type Parent = Arc<AfShared<C>>;
    fn parent(&mut self) -> &mut Parent<Arc<AfShared<C>>> {
        &mut self.af
    }
}

/// A counted reference to a VC; it derefs to the driver's context.
///
/// The call manager may use one that it created for several calls in a row (rule [CALL-56]):
/// what is done here is done to the call that is on it now. What belongs to one call is
/// its owner, [`Call`], or its token.
///
/// ```
/// # use ndis_co::{Status, client::{Client, Vc}, irql::UpToDispatch, nbl::NetBufferListPool};
/// # use ndis_host as _;
/// fn say<C: Client>(
///     vc: &Vc<C>,
///     pool: &NetBufferListPool,
///     bytes: &[u8],
///     irql: &mut UpToDispatch,
/// ) -> Result<(), Status> {
///     let mut frame = pool.allocate(bytes.len())?;
///     frame.set_data(bytes)?;
///     // It comes back through `Client::send_complete`.
///     Ok(vc.send(frame.into(), irql)?)
/// }
/// ```
///
/// [CALL-56]: ndis_sys::rules#CALL-56
pub struct Vc<C: Client> {
    pub(in crate::client) shared: Arc<VcShared<C>>,
}

/// A [`Vc`] that keeps nothing, see [`Weak`](crate::reference::Weak).
pub type WeakVc<C> = crate::reference::Weak<Vc<C>>;

/// One of the calls on a VC: the call manager may use one of its own for several in a row
/// (rule CALL-56), and what belongs to one does nothing to the next.
pub(in crate::client) struct Numbered<C: Client> {
    pub(in crate::client) vc: Vc<C>,
    pub(in crate::client) number: u32,
}

impl<C: Client> Vc<C> {
    /// The address family that the VC belongs to.
    #[must_use]
    pub fn af(&self) -> Af<C> {
        Af {
            shared: Arc::clone(&self.shared.af),
        }
    }

    /// Whether a call is up and not about to be hung up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.state.locked(|state| state.is_up())
    }

    /// Sends data on the call, in order (rule [NBL-04]); they belong to this VC (rule [VC-62]). The
    /// lists come back through [`Client::send_complete`], and what came of each is its status then
    /// (rule [NBL-05]).
    ///
    /// Source page: [`NdisCoSendNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscosendnetbufferlists).
    ///
    /// # Errors
    ///
    /// Gives the lists back with [`Status::PAUSED`] while the binding is
    /// paused, [`Status::CLOSING`] when no call is up (rules [CALL-05], [CALL-43],
    /// [NBL-07]), [`Status::INVALID_STATE`] while another VC of this driver's
    /// [shares](crate::cm::Sap::create_vc_joined) this one,
    /// [`Status::RESET_IN_PROGRESS`] while the adapter is reset (rule [RESET-01]),
    /// [`Status::INVALID_PARAMETER`] for a miniport's receive lists, and for a list without a packet.
    ///
    /// [CALL-05]: ndis_sys::rules#CALL-05
    /// [CALL-43]: ndis_sys::rules#CALL-43
    /// [NBL-04]: ndis_sys::rules#NBL-04
    /// [NBL-05]: ndis_sys::rules#NBL-05
    /// [NBL-07]: ndis_sys::rules#NBL-07
    /// [RESET-01]: ndis_sys::rules#RESET-01
    /// [VC-62]: ndis_sys::rules#VC-62
    #[doc(alias = "NdisCoSendNetBufferLists")]
    pub fn send(&self, lists: NetBufferLists, irql: &mut impl NoLock) -> Result<(), SendError> {
        VcShared::send(&self.shared, lists, irql.up_to_dispatch())
    }

    /// Hangs up the call that there is. Doing it twice, or after the other side did, is
    /// harmless (rules [CALL-69], [CALL-70]).
    ///
    /// Source page: [`NdisClCloseCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclclosecall).
    ///
    /// # Errors
    ///
    /// As [`Call::close`].
    ///
    /// [CALL-69]: ndis_sys::rules#CALL-69
    /// [CALL-70]: ndis_sys::rules#CALL-70
    #[doc(alias = "NdisClCloseCall")]
    pub fn hang_up(&self, data: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        VcShared::hang_up(self, None, data, irql.up_to_dispatch())
    }
}

/// The data in memory of our own.
fn copy(data: &[u8]) -> Result<Arc<Vec<u8>>, OutOfMemory> {
    Arc::try_new(Vec::try_from_slice(data, Tag::NDIS)?, Tag::NDIS)
}

reference!(Vc<C: Client> to VcShared, "VC", "VC");

impl<C: Client> ops::Deref for Vc<C> {
    type Target = C::Vc;
    fn deref(&self) -> &C::Vc {
        &self.shared.context
    }
}

impl<C: Client> fmt::Debug for Vc<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vc")
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

/// For the end of the address family.
impl<C: Client> Child for VcShared<C> {
    fn place(&self) -> &AtomicUsize {
        &self.place
    }

    fn mark_ending(&self) -> bool {
        self.state.locked(State::mark_ending)
    }

    /// A VC of the call manager's without a call is none of the family's business.
    fn holds(&self) -> bool {
        self.state.locked(|state| state.holds_af_open())
    }
}

impl<C: Client> VcShared<C> {
    fn try_new(
        af: &Arc<AfShared<C>>,
        origin: Origin,
        handle: NDIS_HANDLE,
        context: C::Vc,
    ) -> Result<Arc<Self>, Status> {
        let shared = Self {
            node: Node::new(),
            lent: Lent::new(),
            place: AtomicUsize::new(0),
            handle: Opaque::new(handle),
            state: Guarded::new(State::new(origin)),
            above: AboveOf::<C>::default(),
            context,
            af: Parent::new(af.clone()),
        };
        Ok(Arc::try_new_anchored(shared, Tag::NDIS)?)
    }

    /// The call manager creates a VC for an incoming call; gives the context for NDIS.
    pub(in crate::client) fn adopt(
        af: &Arc<AfShared<C>>,
        handle: NDIS_HANDLE,
        context: C::Vc,
    ) -> Result<NDIS_HANDLE, Status> {
        let vc = Self::try_new(af, Origin::CallManager, handle, context)?;
        vc.state.locked(State::created);
        af.add_vc(&vc)?;
        Ok(vc.lent.lend(&vc))
    }

    /// NDIS has done with the VC: its reference and the list's end. Before that, by whichever of the
    /// two ways of a deletion, nothing frees the context (rule VC-54).
    fn retire(this: &Arc<Self>) {
        drop(this.lent.end());
        AfShared::remove_vc(&this.af, this);
    }

    /// The call manager deletes its VC, or is told that it cannot yet.
    pub(in crate::client) fn delete_by_call_manager(
        vc: &Vc<C>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let this = &vc.shared;
        if !this.state.locked(State::try_delete) {
            // Not a negative code, but the one that the page has for this.
            return Err(Status::NOT_ACCEPTED);
        }
        this.af.client().vc_deleted(vc, irql);
        Self::retire(this);
        Ok(())
    }

    /// Places the call, and gives its number.
    fn make_call(vc: &Vc<C>, parameters: CallParametersBuf, irql: &mut UpToDispatch) -> u32 {
        let af = &vc.shared.af;
        // The family's teardown may not have come to this VC yet.
        let checked = if af.leaves_open() {
            Err(Status::CLOSING)
        } else {
            tapi::check_placed(af.family, parameters.view())
        };
        Self::dial(vc, parameters, checked, irql)
    }

    /// Hangs up the call on the VC: if there is still that one, when it has a number.
    fn hang_up(
        vc: &Vc<C>,
        number: Option<u32>,
        data: &[u8],
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let data = if data.is_empty() {
            Ok(None)
        } else if data.len() > MAX_VARIABLE as usize {
            Err(Status::INVALID_LENGTH)
        } else {
            copy(data).map_err(Status::from).map(Some)
        };
        let stored = data.as_ref().map(|_| ()).map_err(|failure| *failure);
        let data = data.ok().flatten();
        drop(Self::hang_up_with(vc, number, data, irql));
        stored
    }

    /// The VC that shares this one is there. The call that it is for may be over by now.
    pub(super) fn joined(vc: &Vc<C>, above: &mut dyn Any, irql: &mut UpToDispatch) {
        vc.shared.above.keep(Some(above));
        Self::change(vc, State::joined, irql);
    }

    /// No VC shares this one any more.
    pub(super) fn parted(&self) {
        // First, so that it is not that of the next one.
        self.above.keep(None);
        self.state.locked(State::unshare);
    }

    /// The handle for NDIS calls.
    pub(in crate::client) fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    pub(in crate::client) fn state(&self) -> &Guarded {
        &self.state
    }
}
