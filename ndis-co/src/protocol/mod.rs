//! Protocols: drivers that are bound to adapters of somebody else.
//!
//! A protocol is one type that implements [`Protocol`]: NDIS tells it of adapters
//! ([`Protocol::bind`]), pauses and restarts the bindings, and ends them. What it does there
//! is its [`Role`]: it is a [client](crate::client), a stand-alone
//! [call manager](crate::cm), or both at once.

mod binding;
mod configuration;
mod data;
mod entry;
mod flow;
mod handlers;
mod new_binding;
mod oids;

#[doc(hidden)]
pub use binding::BindingShared;
pub use binding::{Binding, OpenedBinding};
pub use data::{Kept, Received, SendError};
pub(crate) use data::{is_sendable, send, sendable};
pub use entry::Entry;
pub use new_binding::NewBinding;
pub(crate) use oids::to_adapter;

use crate::{
    Status,
    callback::FromNdis,
    indication::StatusIndication,
    irql::{Passive, UpToDispatch},
    nbl::Chain,
    oid::{Answered, ToAdapter},
    options::Options,
    power::PowerState,
};
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

/// A protocol driver.
///
/// Beside this it implements the trait of its [`Role`](Self::Role).
///
/// Every method is called by NDIS, on any processor, several at once: methods
/// take `&self`, contexts are `Sync`, and changing state goes behind a
/// [`SpinLock`](crate::lock::SpinLock). Those with [`Passive`] run at
/// PASSIVE_LEVEL and may wait; those with [`UpToDispatch`] run at or below
/// DISPATCH_LEVEL and must not.
///
/// ```
/// # use ndis_co::{mem::Tag, nbl::NetBufferListPool, prelude::*};
/// # use ndis_host as _;
/// struct Driver;
///
/// impl Protocol for Driver {
///     const NAME: &'static str = "DRIVER";
///     // What it keeps for an adapter: where its frames come from.
///     type Binding = NetBufferListPool;
///     type Role = AsClient;
///
///     fn bind(
///         &self,
///         adapter: &NewBinding<'_>,
///         _irql: &mut Passive,
///     ) -> Result<NetBufferListPool, Status> {
///         NetBufferListPool::for_sends(adapter.scope(), Tag::new(*b"Drvr"))
///     }
/// }
/// // And `Client`.
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/client.rs"));
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol driver",
    note = "rule REG-02: a client and a stand-alone call manager implement `Protocol` as well"
)]
pub trait Protocol: Sized + Send + Sync + 'static {
    /// The name under which the protocol registers; ASCII, at most 31
    /// characters are used.
    const NAME: &'static str;

    /// What the driver keeps for one adapter.
    type Binding: Send + Sync + 'static;

    /// What the driver is on its bindings: [`AsClient`](crate::AsClient),
    /// [`AsCallManager`](crate::AsCallManager) or [`AsBoth`](crate::AsBoth).
    type Role: Role<Self>;

    /// An adapter is there; make what the driver keeps for it. It is opened when this
    /// has returned.
    ///
    /// PASSIVE_LEVEL. The binding is paused until NDIS restarts it: nothing
    /// can be sent yet (rule [BIND-07]). When the adapter cannot be opened, the result is
    /// dropped again (rule [BIND-04]).
    ///
    /// Source pages: [`PROTOCOL_BIND_ADAPTER_EX`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_bind_adapter_ex),
    /// [`NdisOpenAdapterEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisopenadapterex).
    ///
    /// # Errors
    ///
    /// A failure refuses the binding. Nothing asks for what this method has stored elsewhere then, such as a
    /// pool, and the refusal waits until it is gone: what is made here belongs
    /// into the context.
    ///
    /// [BIND-04]: ndis_sys::rules#BIND-04
    /// [BIND-07]: ndis_sys::rules#BIND-07
    #[doc(alias = "ProtocolBindAdapterEx")]
    #[doc(alias = "NdisOpenAdapterEx")]
    fn bind(&self, adapter: &NewBinding<'_>, irql: &mut Passive) -> Result<Self::Binding, Status>;

    /// The adapter is open: a call manager registers its address families here (rule
    /// [INIT-17]).
    ///
    /// PASSIVE_LEVEL, within the bind: clients are told of the families when this has
    /// returned.
    ///
    /// Source page: [`PROTOCOL_BIND_ADAPTER_EX`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_bind_adapter_ex).
    ///
    /// [INIT-17]: ndis_sys::rules#INIT-17
    #[doc(alias = "ProtocolBindAdapterEx")]
    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        let _ = (binding, irql);
    }

    /// The adapter goes away: let go of what keeps it busy.
    ///
    /// PASSIVE_LEVEL. Afterwards everything beneath the binding is closed in
    /// the documented order, and the binding is dropped (rules [BIND-11],
    /// [BIND-18]). References that the driver keeps elsewhere hold this up.
    ///
    /// Source pages: [`PROTOCOL_UNBIND_ADAPTER_EX`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_unbind_adapter_ex),
    /// [`NdisCloseAdapterEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscloseadapterex).
    ///
    /// [BIND-11]: ndis_sys::rules#BIND-11
    /// [BIND-18]: ndis_sys::rules#BIND-18
    #[doc(alias = "ProtocolUnbindAdapterEx")]
    #[doc(alias = "NdisCloseAdapterEx")]
    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        let _ = (binding, irql);
    }

    /// NDIS pauses the binding: give back the received lists that the driver
    /// [keeps](crate::client::Received::keep), and let nothing go out.
    ///
    /// PASSIVE_LEVEL. What is sent from here on is refused with
    /// [`Status::PAUSED`]. When this has returned, NDIS is answered as soon as every
    /// sent list is back (rule [PAUSE-13]). The adapter's pause, and its removal,
    /// wait for lists that are kept beyond this; those that still come are to be
    /// given back at once (rule [PAUSE-12]).
    ///
    /// Source page: [`PROTOCOL_NET_PNP_EVENT`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_net_pnp_event).
    ///
    /// [PAUSE-12]: ndis_sys::rules#PAUSE-12
    /// [PAUSE-13]: ndis_sys::rules#PAUSE-13
    #[doc(alias = "ProtocolNetPnPEvent")]
    #[doc(alias = "NetEventPause")]
    fn pause(&self, binding: &Binding<Self>, irql: &mut Passive) {
        let _ = (binding, irql);
    }

    /// NDIS has restarted the binding: data may be sent from here on (rule
    /// [PAUSE-12]).
    ///
    /// A work item calls this a little later, for nothing may be sent before NDIS's own
    /// call has returned. A restart that a pause or the unbind follows at once is not told;
    /// these wait until this has returned.
    ///
    /// Source page: [`PROTOCOL_NET_PNP_EVENT`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_net_pnp_event).
    ///
    /// [PAUSE-12]: ndis_sys::rules#PAUSE-12
    #[doc(alias = "ProtocolNetPnPEvent")]
    #[doc(alias = "NetEventRestart")]
    fn restarted(&self, binding: &Binding<Self>, irql: &mut UpToDispatch) {
        let _ = (binding, irql);
    }

    /// The adapter's device is about to go to another power state, or is back in
    /// [`D0`](PowerState::D0).
    ///
    /// PASSIVE_LEVEL. On the way down this comes before the pause, on the way up after
    /// the restart; the calls stay what they are.
    ///
    /// Source page: [`PROTOCOL_NET_PNP_EVENT`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_net_pnp_event).
    #[doc(alias = "ProtocolNetPnPEvent")]
    #[doc(alias = "NetEventSetPower")]
    fn power(&self, binding: &Binding<Self>, state: PowerState, irql: &mut Passive) {
        let _ = (binding, state, irql);
    }

    /// The adapter has answered what [`Binding::request`] asked, now or later; nothing is
    /// under way for it any more.
    ///
    /// The memory of a request that is not made [again](Answered::again) goes when `answered` is
    /// dropped. An error that leaves the binding of no use is for the driver to judge: it
    /// lets go of what it has there, so that nothing is left for the unbind to wait for (rule
    /// [OID-44]).
    ///
    /// Source page: [`PROTOCOL_CO_OID_REQUEST_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_oid_request_complete).
    ///
    /// [OID-44]: ndis_sys::rules#OID-44
    #[doc(alias = "ProtocolCoOidRequestComplete")]
    fn oid_completed(
        &self,
        binding: &Binding<Self>,
        answered: Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (binding, answered, irql);
    }

    /// The adapter, or NDIS, indicates a status of the adapter as a whole. NDIS tells a
    /// binding of one at a time (rule [STATUS-08]). What is indicated for a VC comes to
    /// [`Client::vc_status`](crate::client::Client::vc_status).
    ///
    /// From [`StatusKind::ResetStart`](crate::indication::StatusKind::ResetStart) to `ResetEnd` the
    /// adapter is reset: what is sent or asked meanwhile is given back with
    /// [`Status::RESET_IN_PROGRESS`] (rule [RESET-01]), what was under way may come back as a
    /// failure, to be sent again after the end; received data may be returned as ever. No protocol
    /// can begin a reset (rule [RESET-02]).
    ///
    /// Source page: [`PROTOCOL_CO_STATUS_EX`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_status_ex).
    ///
    /// [RESET-01]: ndis_sys::rules#RESET-01
    /// [RESET-02]: ndis_sys::rules#RESET-02
    /// [STATUS-08]: ndis_sys::rules#STATUS-08
    #[doc(alias = "ProtocolCoStatusEx")]
    #[doc(alias = "ProtocolStatusEx")]
    fn status(
        &self,
        binding: &Binding<Self>,
        status: StatusIndication<'_>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (binding, status, irql);
    }
}

/// What a protocol is on its bindings. Implemented by [`AsClient`](crate::AsClient),
/// [`AsCallManager`](crate::AsCallManager) and [`AsBoth`](crate::AsBoth) only.
#[diagnostic::on_unimplemented(
    message = "`{P}` cannot be bound in the role `{Self}`",
    note = "rules REG-07 and REG-08: a protocol with `type Role = AsClient` implements `Client`, \
            one with `AsCallManager` implements `CallManager`, one with `AsBoth` both"
)]
pub trait Role<P: Protocol>: sealed::Sealed {
    /// What the role keeps for one binding.
    #[doc(hidden)]
    type State: Send + Sync + 'static;

    /// How many parts end each by itself when the binding does.
    #[doc(hidden)]
    const PARTS: usize;

    #[doc(hidden)]
    fn new_state() -> Self::State;

    /// Installs the role's handlers.
    #[doc(hidden)]
    fn set_options(options: &mut Options<'_>) -> Status;

    /// The unbind has begun: nothing new.
    #[doc(hidden)]
    fn closing(binding: &Binding<P>, _: sealed::Token);

    /// Has everything on the binding end. Each part says when it has, possibly before this
    /// returns.
    #[doc(hidden)]
    fn close(binding: &Binding<P>, irql: &mut Passive, _: sealed::Token);

    /// A call manager offers a family.
    #[doc(hidden)]
    fn offered(
        binding: Binding<P>,
        family: *mut CO_ADDRESS_FAMILY,
        irql: &mut Passive,
        _: sealed::Token,
    );

    /// Lists have arrived on a VC. `resources`: they are NDIS's again when this returns.
    ///
    /// # Safety
    ///
    /// As CALLBACK says of `vc`, and the lists are NDIS's, handed over.
    #[doc(hidden)]
    unsafe fn receive(
        binding: FromNdis<NDIS_HANDLE, Binding<P>>,
        vc: NDIS_HANDLE,
        lists: Chain,
        resources: bool,
        irql: &mut UpToDispatch,
    );

    /// Lists that were sent on a VC come back.
    ///
    /// # Safety
    ///
    /// As CALLBACK says of `vc`, and the lists are the driver's own.
    #[doc(hidden)]
    unsafe fn sent(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch);

    /// A status of a VC.
    ///
    /// # Safety
    ///
    /// As CALLBACK says of `vc`, which is on this binding.
    #[doc(hidden)]
    unsafe fn vc_status(
        binding: &Binding<P>,
        vc: NDIS_HANDLE,
        status: StatusIndication<'_>,
        irql: &mut UpToDispatch,
    );
}

pub(crate) mod sealed {
    pub trait Sealed {}

    /// Keeps the hidden methods of a role to this crate: nobody else can name or make one.
    #[derive(Debug)]
    pub struct Token(pub(crate) ());
}
