//! [`Carry`]: the data path of a connection-oriented miniport.

use crate::miniport::{Adapter, Counted, Miniport, OidRequest};
use ndis_co::{
    Answer,
    channel::{self, Channel, SendLists},
    irql::UpToDispatch,
    nbl::NetBufferLists,
};

/// A miniport that carries the data of its VCs: a miniport call manager, or a
/// connection-oriented miniport that is none.
///
/// Every method is called by NDIS, on any processor, several at once, at or
/// below DISPATCH_LEVEL, and must not wait.
///
/// ```
/// # use ndis_mcm::{Mcm, SendLists, Vc, prelude::*};
/// # use ndis_host as _;
/// # struct Driver;
/// # impl Miniport for Driver {
/// #     type Adapter = ();
/// #     type Role = Mcm;
/// #     fn initialize<'i>(&self, init: Initialize<'i, Self, New>, irql: &mut Passive) -> Result<Initialized<'i>, Status> {
/// #         initialize(init, irql)
/// #     }
/// # }
/// /// It looks at what is sent, and carries it nowhere.
/// impl Carry for Driver {
///     type Vc = Vc<Self>; // `co::Vc<Self>` in a miniport that is no call manager
///
///     fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
///         let connected = vc.is_connected();
///         lists.complete(if connected { Status::SUCCESS } else { Status::CLOSING }, irql);
///     }
/// }
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/initialize.rs"));
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/manager.rs"));
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` carries no data",
    note = "rule REG-10: a connection-oriented miniport implements `Carry` as well"
)]
pub trait Carry: Miniport {
    /// A VC: [`Vc<Self>`](crate::Vc) of a miniport call manager, [`co::Vc<Self>`](crate::co::Vc)
    /// of a miniport that is none.
    type Vc: Channel;

    /// A client sends data on a connected call; the driver holds the lists
    /// until it completes them (rules [NBL-09] to [NBL-13]).
    ///
    /// Source page: [`MINIPORT_CO_SEND_NET_BUFFER_LISTS`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_send_net_buffer_lists).
    ///
    /// [NBL-09]: ndis_sys::rules#NBL-09
    /// [NBL-13]: ndis_sys::rules#NBL-13
    #[doc(alias = "MiniportCoSendNetBufferLists")]
    fn send(&self, vc: &Self::Vc, lists: SendLists<Self::Vc>, irql: &mut UpToDispatch);

    /// Indicated lists come back, in any order and grouping. Dropping them
    /// frees them, and so does this default (rules [NBL-19], [NBL-23]).
    ///
    /// Source page: [`MINIPORT_RETURN_NET_BUFFER_LISTS`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_return_net_buffer_lists).
    ///
    /// [NBL-19]: ndis_sys::rules#NBL-19
    /// [NBL-23]: ndis_sys::rules#NBL-23
    #[doc(alias = "MiniportReturnNetBufferLists")]
    fn returned(&self, adapter: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let _ = (adapter, lists, irql);
    }

    /// A request about one VC; as [`Miniport::oid_request`] otherwise (rule [OID-23]).
    ///
    /// The layer answers what is the same for all VCs of the adapter, such as the speed of its
    /// link, and its counters, from [its statistics](Channel::statistics), so that what is known of
    /// the adapter is known of its VCs. Counters that the attributes
    /// [name](crate::Attributes::oids) come here; this default answers those as well.
    ///
    /// The VC is not deleted, whoever has made it, before a pended request about it is answered: when
    /// its call ends, answer it.
    ///
    /// Source page: [`MINIPORT_CO_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_co_oid_request).
    ///
    /// [OID-23]: ndis_sys::rules#OID-23
    #[doc(alias = "MiniportCoOidRequest")]
    fn vc_oid_request<'r>(
        &self,
        vc: &Self::Vc,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = irql;
        Counted::OfVc(vc.statistics()).answer_alone(request)
    }
}

/// Indicated lists are back: counts them in, and hands them to the driver. The adapter, which
/// they may be all that keeps, is not used afterwards.
///
/// # Safety
///
/// As [`channel::returned`].
pub(crate) unsafe fn returned<M: Carry, V: Channel>(
    adapter: &Adapter<M>,
    lists: NetBufferLists,
    irql: &mut UpToDispatch,
) {
    // SAFETY: by the caller.
    let count = unsafe { channel::returned::<V>(&lists, irql) };
    adapter.driver().returned(adapter, lists, irql);
    adapter.count_last_in(count);
}
