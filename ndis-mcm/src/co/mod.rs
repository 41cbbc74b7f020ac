//! A connection-oriented miniport that is no call manager.
//!
//! Such a driver moves data and knows nothing of calls. Its VCs are made by the clients and
//! call managers that are bound to the adapter; the call manager says with which parameters
//! each is activated, and when its data ends:
//!
//! ```text
//! NDIS ── create_vc ──> inactive ── activate_vc ──> active ── deactivate_vc ──> inactive ── vc_deleted
//!                          ^                         │  ^                          │
//!                          │                         └──┘ activate_vc: a change    │
//!                          └───────────────────── used once more ──────────────────┘
//! ```
//!
//! A driver in this role implements [`Miniport`] with `type Role = CoMiniport`, [`VcMiniport`]
//! for the VCs, and [`Carry`] for their data. It can register no address family, and there is
//! no call on its [`Vc`]s: both are the call manager's, a protocol driver above (see
//! [`ndis_co::cm`]), which binds to the adapter as the clients do.
//!
//! # A whole driver
//!
//! A loop: what is sent on a VC comes back on it. The call manager activates VCs as long as it
//! asks for no more than the loop can carry.
//!
//! ```
//! # use ndis_host as _;
//! use ndis_co::{
//!     mem::Tag,
//!     nbl::{NetBufferListPool, NetBufferLists, Side},
//! };
//! use ndis_mcm::{
//!     co::{ActivateVc, SendLists, Vc, VcMiniport},
//!     prelude::*,
//! };
//!
//! struct Loop;
//!
//! impl Load for Loop {
//!     fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
//!         Ok(Self)
//!     }
//! }
//!
//! impl Miniport for Loop {
//!     // Where the frames that go up come from.
//!     type Adapter = NetBufferListPool;
//!     type Role = CoMiniport;
//!
//!     fn initialize<'i>(
//!         &self,
//!         init: Initialize<'i, Self, New>,
//!         irql: &mut Passive,
//!     ) -> Result<Initialized<'i>, Status> {
//!         let init = init.attributes(&Attributes::wan().max_frame(1500), irql)?;
//!         let pool = NetBufferListPool::for_receives(init.scope(), Tag::new(*b"Loop"))?;
//!         Ok(init.adapter(pool)?.finish())
//!     }
//! }
//!
//! impl VcMiniport for Loop {
//!     type VcContext = ();
//!
//!     fn create_vc(&self, _: &Adapter<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
//!         Ok(())
//!     }
//!
//!     fn activate_vc<'r>(
//!         &self,
//!         _vc: &Vc<Self>,
//!         request: ActivateVc<'r, Self>,
//!         _irql: &mut UpToDispatch,
//!     ) -> Answer<'r> {
//!         // What the loop needs of the parameters, which may be anybody's.
//!         let manager = request.parameters().and_then(|all| all.call_manager());
//!         match manager {
//!             Some(traffic) if traffic.transmit().max_sdu_size > 1500 => {
//!                 request.refuse(Status::INVALID_DATA)
//!             }
//!             _ => request.accept(),
//!         }
//!     }
//!     // A deactivation needs nothing of the loop: the default waits for the lists.
//! }
//!
//! impl Carry for Loop {
//!     type Vc = Vc<Self>;
//!
//!     fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
//!         let copies = copy(vc.adapter(), &lists);
//!         // First: who hears the copies may end the call, and with it the VC's data.
//!         lists.complete(Status::SUCCESS, irql);
//!         if let Ok(copies) = copies {
//!             // What nobody takes any more is dropped.
//!             let _ = vc.indicate_receive(copies, irql);
//!         }
//!     }
//! }
//!
//! /// Each packet, in a list of the loop's own: a client may send several in one list.
//! fn copy(pool: &NetBufferListPool, lists: &SendLists<Loop>) -> Result<NetBufferLists, Status> {
//!     let mut copies = NetBufferLists::new(Side::Miniport);
//!     for packet in lists.buffers() {
//!         let mut copy = pool.allocate(packet.len())?;
//!         copy.fill(packet.len(), |to| packet.copy_to(to).map(drop))?;
//!         copies.push_back(copy).map_err(|_| Status::FAILURE)?;
//!     }
//!     Ok(copies)
//! }
//!
//! ndis_mcm::driver_entry!(Loop);
//! # fn main() {}
//! ```
//!
//! The example `link-co` in the repository joins two adapters, and pends every second
//! activation.
//!
//! # When data may flow
//!
//! Sends arrive from the moment at which the call manager can know that the VC is active. What
//! the driver indicates is taken from then on as well. Before, it is refused with
//! [`Status::INVALID_STATE`]; while a pended activation is being completed, which runs the call
//! manager and its client, it is kept for that time.
//!
//! With [`DeactivateVc`] it ends: nothing is sent or indicated any more (lists that were kept for
//! the end of the activation still go up), and the call manager is
//! told when the driver has completed what it holds and has back what it has indicated. A
//! change of an active VC's parameters stops nothing, and a refused one changes nothing (rule
//! [VC-41]).
//!
//! [VC-41]: ndis_sys::rules#VC-41

mod activation;
mod deactivation;
mod handlers;
mod role;
mod state;
mod vc;

pub use activation::{ActivateVc, PendingActivateVc};
pub use deactivation::{DeactivateVc, PendingDeactivateVc};
pub use role::CoMiniport;
pub use vc::{Vc, WeakVc};

use crate::{
    carry::Carry,
    miniport::{Adapter, Miniport},
};
use ndis_co::{Answer, Status, irql::UpToDispatch};

/// Lists that are sent on a VC of such a miniport, see
/// [`SendLists`](ndis_co::channel::SendLists).
pub type SendLists<M> = ndis_co::channel::SendLists<Vc<M>>;

/// A miniport whose VCs a call manager above sets up (rule [REG-12]).
///
/// Every method is called by NDIS, on any processor, several at once, at or below
/// DISPATCH_LEVEL, and must not wait.
///
/// ```
/// # use ndis_mcm::{co::{ActivateVc, SendLists, Vc, VcMiniport}, prelude::*};
/// # use ndis_host as _;
/// # struct Driver;
/// # impl Miniport for Driver {
/// #     type Adapter = ();
/// #     type Role = CoMiniport;
/// #     fn initialize<'i>(&self, init: Initialize<'i, Self, New>, irql: &mut Passive) -> Result<Initialized<'i>, Status> {
/// #         let init = init.attributes(&Attributes::wan(), irql)?;
/// #         Ok(init.adapter(())?.finish())
/// #     }
/// # }
/// impl VcMiniport for Driver {
///     /// What it keeps for a VC.
///     type VcContext = ();
///
///     fn create_vc(&self, _: &Adapter<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
///         Ok(())
///     }
///
///     fn activate_vc<'r>(&self, _: &Vc<Self>, request: ActivateVc<'r, Self>, _: &mut UpToDispatch) -> Answer<'r> {
///         request.accept()
///     }
/// }
/// # impl Carry for Driver {
/// #     type Vc = Vc<Self>;
/// #     fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
/// #         lists.complete(Status::SUCCESS, irql);
/// #     }
/// # }
/// ```
///
/// [REG-12]: ndis_sys::rules#REG-12
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no connection-oriented miniport with VCs of its own",
    note = "rule REG-12: a driver with `type Role = CoMiniport` implements `co::VcMiniport` as well, and \
            `Carry` with `type Vc = co::Vc<Self>`"
)]
pub trait VcMiniport: Miniport<Role = CoMiniport> + Carry<Vc = Vc<Self>> {
    /// What the driver keeps for one VC.
    ///
    /// A large one does not fit the kernel's stack on its way into the pool (see
    /// [`stack`](ndis_co::stack)): keep large parts, and what wants an alignment of more than
    /// two pointers, which no pool has, out of it.
    type VcContext: Send + Sync + 'static;

    /// A client or a call manager makes a VC (rules [VC-13], [VC-65]). It is inactive.
    ///
    /// Source page: [`MINIPORT_CO_CREATE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_create_vc).
    ///
    /// # Errors
    ///
    /// Refuses the VC; NDIS is told [`Status::RESOURCES`], whatever the failure.
    ///
    /// [VC-13]: ndis_sys::rules#VC-13
    /// [VC-65]: ndis_sys::rules#VC-65
    #[doc(alias = "MiniportCoCreateVc")]
    fn create_vc(
        &self,
        adapter: &Adapter<Self>,
        irql: &mut UpToDispatch,
    ) -> Result<Self::VcContext, Status>;

    /// A VC is deleted, by whoever made it (rule [VC-29]): let go of stored references to it.
    ///
    /// Source page: [`MINIPORT_CO_DELETE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_delete_vc).
    ///
    /// [VC-29]: ndis_sys::rules#VC-29
    #[doc(alias = "MiniportCoDeleteVc")]
    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// The call manager activates a VC, or changes the parameters of an active one (rules
    /// [VC-40] to [VC-43], [VC-63]).
    ///
    /// Source page: [`MINIPORT_CO_ACTIVATE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_activate_vc).
    ///
    /// [VC-40]: ndis_sys::rules#VC-40
    /// [VC-43]: ndis_sys::rules#VC-43
    /// [VC-63]: ndis_sys::rules#VC-63
    #[doc(alias = "MiniportCoActivateVc")]
    fn activate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        request: ActivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// The call manager deactivates a VC: complete what is held of it. The default is done
    /// when nothing is out any more (rules [VC-49] to [VC-51], [VC-64]).
    ///
    /// Source page: [`MINIPORT_CO_DEACTIVATE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_deactivate_vc).
    ///
    /// [VC-49]: ndis_sys::rules#VC-49
    /// [VC-51]: ndis_sys::rules#VC-51
    /// [VC-64]: ndis_sys::rules#VC-64
    #[doc(alias = "MiniportCoDeactivateVc")]
    fn deactivate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        request: DeactivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (vc, irql);
        request.finish()
    }
}
