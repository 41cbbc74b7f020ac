//! Clients: protocol drivers that place, take and carry calls.
//!
//! A client is one type that implements [`Protocol`], with [`AsClient`] for its
//! role, and [`Client`]. NDIS tells it of adapters ([`Protocol::bind`]), of the address families that call managers offer there
//! ([`Client::address_family`]), and of calls. What it makes hangs together
//! by construction:
//!
//! ```text
//! Binding ── OpenAf ─┬─ RegisteredSap      calls to this address arrive here
//!                    └─ CreatedVc ── Call  a call that this client places
//! ```
//!
//! # Owners and references
//!
//! [`OpenAf`], [`RegisteredSap`], [`CreatedVc`] and [`Call`] *own*: dropping
//! one ends what it stands for, in the documented way. What is made from an
//! owner borrows it, so the compiler refuses to move or close an owner while a
//! SAP, VC or call made from it is in use: the usual mistakes do not compile.
//!
//! Calls live longer than a callback, and a borrow cannot be stored. So each
//! owner has a `keep` method that trades it for a *reference* ([`Af`],
//! [`Sap`], [`Vc`]): counted, cloneable, sendable. An owner derefs to one, too.
//! What is done through references is checked at run time: any of them may end
//! the object, so may the peer, and so does the end of its parent. Closing an
//! address family closes the calls, deletes the VCs and deregisters the SAPs
//! beneath it first, in the order that NDIS demands (rules [AF-29], [AF-39],
//! [BIND-18]), whoever holds an owner or a reference to them.
//!
//! Handles never reach safe code. A reference to something that is over still
//! gives the driver's context; what it would ask of NDIS it answers itself, with
//! [`Status::CLOSING`](crate::Status::CLOSING) or not at all.
//!
//! [AF-29]: ndis_sys::rules#AF-29
//! [AF-39]: ndis_sys::rules#AF-39
//! [BIND-18]: ndis_sys::rules#BIND-18

mod af;
mod guarded;
pub(crate) mod handlers;
mod incoming;
mod oids;
mod role;
mod state;

pub use crate::protocol::{Binding, Entry, Kept, NewBinding, Protocol, Received, SendError};
#[doc(hidden)]
pub use af::held::Held;
pub(crate) use af::held::Lower;
pub use af::{Af, AfOffer, Call, CreatedVc, OpenAf, RegisteredSap, Sap, Vc, WeakVc};
#[doc(hidden)]
pub use af::{Families, RunsClient, above::Above};
pub use incoming::{IncomingCall, PendingIncomingCall};
pub use oids::{OidRequest, PendingOidRequest};
pub use role::AsClient;

use crate::{
    Answer, Status,
    family::AddressFamily,
    indication::StatusIndication,
    irql::{Passive, UpToDispatch},
    nbl::NetBufferLists,
    oid::{Answered, ToAdapter, ToManager},
    params::CallParameters,
};

/// A CoNDIS client: a [`Protocol`] that places and takes calls.
///
/// Every method is called by NDIS, on any processor, several at once: methods
/// take `&self`, contexts are `Sync`, and changing state goes behind a
/// [`SpinLock`](crate::lock::SpinLock). Those with [`Passive`] run at
/// PASSIVE_LEVEL and may wait; those with [`UpToDispatch`] run at or below
/// DISPATCH_LEVEL and must not.
///
/// ```
/// # use ndis_co::{client::*, params::CallParameters, prelude::*};
/// # use ndis_host as _;
/// # struct Driver;
/// # impl Protocol for Driver {
/// #     const NAME: &'static str = "DRIVER";
/// #     type Binding = ();
/// #     type Role = AsClient;
/// #     fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> { Ok(()) }
/// # }
/// /// It opens whatever is offered, and takes no calls.
/// impl Client for Driver {
///     type Af = ();
///     type Sap = ();
///     type Vc = ();
///
///     fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
///         // A failure leaves this adapter without calls.
///         let _ = offer.open((), irql);
///     }
///     fn af_opened(&self, af: OpenAf<Self>, _: &mut Passive) {
///         // Until the call manager or the adapter goes; dropped, it would be closed.
///         let _ = af.keep();
///     }
///     fn incoming_call<'r>(&self, _: &Sap<Self>, call: IncomingCall<'r, Self>, _: &mut UpToDispatch) -> Answer<'r> {
///         call.refuse(Status::NOT_SUPPORTED)
///     }
///     fn call_connected(&self, vc: &Vc<Self>, _: Option<CallParameters<'_>>, irql: &mut UpToDispatch) {
///         // It cannot fail without data.
///         let _ = vc.hang_up(&[], irql);
///     }
///     fn receive(&self, _: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
///         lists.give_back(irql);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a client",
    note = "rule REG-07: a protocol with `type Role = AsClient` implements `Client` as well"
)]
pub trait Client: Protocol<Role: RunsClient<Self>> {
    /// What the driver keeps for one open address family.
    type Af: Send + Sync + 'static;
    /// What the driver keeps for one SAP.
    type Sap: Send + Sync + 'static;
    /// What the driver keeps for one VC and the call on it.
    ///
    /// A large one does not fit the kernel's stack on its way into the pool (see
    /// [`stack`](crate::stack)): keep large parts, and what wants an alignment of more than two
    /// pointers, which no pool has, out of it.
    type Vc: Send + Sync + 'static;

    /// A call manager offers an address family. Open it, or let the offer go
    /// (rule [AF-06]). PASSIVE_LEVEL.
    ///
    /// Families may be offered as soon as [`bind`](Protocol::bind) has returned.
    ///
    /// Source page: [`PROTOCOL_CO_AF_REGISTER_NOTIFY`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_af_register_notify).
    ///
    /// [AF-06]: ndis_sys::rules#AF-06
    #[doc(alias = "ProtocolCoAfRegisterNotify")]
    fn address_family(&self, binding: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive);

    /// The address family is open. PASSIVE_LEVEL.
    ///
    /// Register SAPs and create VCs from here on (rule [AF-17]). Dropping `af`
    /// closes it. Nobody else closes it before this has returned.
    ///
    /// When the unbind comes while the family is being opened, this may come after
    /// [`unbind`](Protocol::unbind): let go of what is stored here in
    /// [`af_closed`](Self::af_closed), too.
    ///
    /// Source page: [`PROTOCOL_CL_OPEN_AF_COMPLETE_EX`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_open_af_complete_ex).
    ///
    /// [AF-17]: ndis_sys::rules#AF-17
    #[doc(alias = "ProtocolClOpenAfCompleteEx")]
    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive);

    /// The call manager refused to open the address family (rule [AF-15]).
    /// PASSIVE_LEVEL.
    ///
    /// Source page: [`PROTOCOL_CL_OPEN_AF_COMPLETE_EX`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_open_af_complete_ex).
    ///
    /// [AF-15]: ndis_sys::rules#AF-15
    #[doc(alias = "ProtocolClOpenAfCompleteEx")]
    fn af_open_failed(
        &self,
        binding: &Binding<Self>,
        family: AddressFamily,
        status: Status,
        irql: &mut Passive,
    ) {
        let _ = (binding, family, status, irql);
    }

    /// The call manager wants the address family closed, for its adapter goes
    /// away. Everything beneath it is closed after this returns (rule [AF-39]).
    ///
    /// It says so by a notification, by [`CO_AF_CLOSE`](crate::oid::known::CO_AF_CLOSE), or
    /// both (rule [OID-40]); of the latter the driver is not asked besides, and told nothing
    /// when the close is under way.
    ///
    /// Source pages: [`PROTOCOL_CL_NOTIFY_CLOSE_AF`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_notify_close_af),
    /// [`NdisClNotifyCloseAddressFamilyComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclnotifycloseaddressfamilycomplete).
    ///
    /// [AF-39]: ndis_sys::rules#AF-39
    /// [OID-40]: ndis_sys::rules#OID-40
    #[doc(alias = "OID_CO_AF_CLOSE")]
    #[doc(alias = "ProtocolClNotifyCloseAf")]
    #[doc(alias = "NdisClNotifyCloseAddressFamilyComplete")]
    fn af_closing(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        let _ = (af, irql);
    }

    /// The address family is closed; `af` is over, and only its context is to be used.
    ///
    /// Source page: [`PROTOCOL_CL_CLOSE_AF_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_close_af_complete).
    #[doc(alias = "ProtocolClCloseAfComplete")]
    fn af_closed(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        let _ = (af, irql);
    }

    /// The call manager took, or refused, the SAP. A call to it may have
    /// arrived before this (rule [SAP-06]).
    ///
    /// Source page: [`PROTOCOL_CL_REGISTER_SAP_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_register_sap_complete).
    ///
    /// [SAP-06]: ndis_sys::rules#SAP-06
    #[doc(alias = "ProtocolClRegisterSapComplete")]
    fn sap_registered(&self, sap: &Sap<Self>, result: Result<(), Status>, irql: &mut UpToDispatch) {
        let _ = (sap, result, irql);
    }

    /// The SAP is gone (rule [SAP-10]).
    ///
    /// Source page: [`PROTOCOL_CL_DEREGISTER_SAP_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_deregister_sap_complete).
    ///
    /// [SAP-10]: ndis_sys::rules#SAP-10
    #[doc(alias = "ProtocolClDeregisterSapComplete")]
    fn sap_deregistered(&self, sap: &Sap<Self>, irql: &mut UpToDispatch) {
        let _ = (sap, irql);
    }

    /// The call manager makes a VC for a call to this client; make what the
    /// driver keeps for it.
    ///
    /// Source page: [`PROTOCOL_CO_CREATE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_create_vc).
    ///
    /// # Errors
    ///
    /// Refuses the VC and with it the call. The default refuses all
    /// with [`Status::NOT_SUPPORTED`].
    #[doc(alias = "ProtocolCoCreateVc")]
    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Self::Vc, Status> {
        let _ = (af, irql);
        Err(Status::NOT_SUPPORTED)
    }

    /// The VC is deleted; `vc` is over, and only its context is to be used.
    ///
    /// Source page: [`PROTOCOL_CO_DELETE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_delete_vc).
    #[doc(alias = "ProtocolCoDeleteVc")]
    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// Someone calls a SAP of this client (rules [CALL-28] to [CALL-34]).
    ///
    /// The default refuses with [`Status::NOT_SUPPORTED`].
    ///
    /// Source page: [`PROTOCOL_CL_INCOMING_CALL`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_incoming_call).
    ///
    /// [CALL-28]: ndis_sys::rules#CALL-28
    /// [CALL-34]: ndis_sys::rules#CALL-34
    #[doc(alias = "ProtocolClIncomingCall")]
    fn incoming_call<'r>(
        &self,
        sap: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (sap, irql);
        call.refuse(Status::NOT_SUPPORTED)
    }

    /// The call is up, placed or taken by this client: data may flow.
    ///
    /// For a placed call, `parameters` are those in force; test
    /// [`CallFlags::CHANGED`](crate::params::CallFlags::CHANGED) and hang up
    /// when they do not suit (rule [CALL-21]).
    ///
    /// Source pages: [`PROTOCOL_CL_MAKE_CALL_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_make_call_complete),
    /// [`PROTOCOL_CL_CALL_CONNECTED`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_call_connected).
    ///
    /// [CALL-21]: ndis_sys::rules#CALL-21
    #[doc(alias = "ProtocolClMakeCallComplete")]
    #[doc(alias = "ProtocolClCallConnected")]
    fn call_connected(
        &self,
        vc: &Vc<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    );

    /// The call could not be placed. Its VC is deleted next (rule [CALL-20]).
    ///
    /// Source page: [`PROTOCOL_CL_MAKE_CALL_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_make_call_complete).
    ///
    /// [CALL-20]: ndis_sys::rules#CALL-20
    #[doc(alias = "ProtocolClMakeCallComplete")]
    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (vc, status, irql);
    }

    /// The other side hung up (rule [CALL-62]), with data if it sent any, also while the
    /// call still rings. It is closed from this side after this returns, and
    /// [`call_closed`](Self::call_closed) tells when that is done.
    ///
    /// Source page: [`PROTOCOL_CL_INCOMING_CLOSE_CALL`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_incoming_close_call).
    ///
    /// [CALL-62]: ndis_sys::rules#CALL-62
    #[doc(alias = "ProtocolClIncomingCloseCall")]
    fn incoming_close(&self, vc: &Vc<Self>, status: Status, data: &[u8], irql: &mut UpToDispatch) {
        let _ = (vc, status, data, irql);
    }

    /// The call is over. A VC that this client created is deleted next; one
    /// that the call manager created is deleted by it, or used for another call (rules
    /// [CALL-55], [CALL-56]). A call that it offers on the VC before this has returned is
    /// refused.
    ///
    /// Source page: [`PROTOCOL_CL_CLOSE_CALL_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cl_close_call_complete).
    ///
    /// [CALL-55]: ndis_sys::rules#CALL-55
    /// [CALL-56]: ndis_sys::rules#CALL-56
    #[doc(alias = "ProtocolClCloseCallComplete")]
    fn call_closed(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// Data has arrived. Dropping `lists` gives them back (rule [NBL-25]).
    ///
    /// Source page: [`PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_receive_net_buffer_lists).
    ///
    /// [NBL-25]: ndis_sys::rules#NBL-25
    #[doc(alias = "ProtocolCoReceiveNetBufferLists")]
    fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch);

    /// Sent data comes back, each list with its status. Dropping `lists` frees
    /// them, and so does this default (rules [NBL-02], [NBL-06]).
    ///
    /// Source page: [`PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_send_net_buffer_lists_complete).
    ///
    /// [NBL-02]: ndis_sys::rules#NBL-02
    /// [NBL-06]: ndis_sys::rules#NBL-06
    #[doc(alias = "ProtocolCoSendNetBufferListsComplete")]
    fn send_complete(&self, vc: &Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let _ = (vc, lists, irql);
    }

    /// The call manager asks, gives or wants something done, about the family or about a VC of
    /// it: OIDs of [`ToClient`](crate::oid::ToClient). Others come meanwhile (rule [OID-19]),
    /// also before [`af_opened`](Self::af_opened).
    ///
    /// A pended request holds up the close of the family and the deletion of the VC: answer
    /// it in bounded time, and at the latest when [`af_closing`](Self::af_closing) tells that
    /// the family goes (rule [OID-17]). NDIS cancels no request between protocols. The default
    /// supports none.
    ///
    /// Source page: [`PROTOCOL_CO_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_oid_request).
    ///
    /// [OID-17]: ndis_sys::rules#OID-17
    /// [OID-19]: ndis_sys::rules#OID-19
    #[doc(alias = "ProtocolCoOidRequest")]
    fn oid_request<'r>(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (af, vc, irql);
        request.not_supported()
    }

    /// The call manager has answered what [`Af::request`] or [`Vc::request`] asked, now or
    /// later.
    ///
    /// Source page: [`PROTOCOL_CO_OID_REQUEST_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_oid_request_complete).
    #[doc(alias = "ProtocolCoOidRequestComplete")]
    fn oid_completed(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        answered: Answered<ToManager>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (af, vc, answered, irql);
    }

    /// The adapter has answered what [`Vc::request_of_adapter`] asked, now or later.
    ///
    /// Source page: [`PROTOCOL_CO_OID_REQUEST_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_oid_request_complete).
    #[doc(alias = "ProtocolCoOidRequestComplete")]
    fn vc_oid_completed(
        &self,
        vc: &Vc<Self>,
        answered: Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (vc, answered, irql);
    }

    /// The adapter indicates a status of a VC, such as other parameters of its line (rule
    /// [STATUS-12]). NDIS tells a binding of one at a time (rule [STATUS-08]).
    ///
    /// Source page: [`PROTOCOL_CO_STATUS_EX`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_status_ex).
    ///
    /// [STATUS-08]: ndis_sys::rules#STATUS-08
    /// [STATUS-12]: ndis_sys::rules#STATUS-12
    #[doc(alias = "ProtocolCoStatusEx")]
    fn vc_status(&self, vc: &Vc<Self>, status: StatusIndication<'_>, irql: &mut UpToDispatch) {
        let _ = (vc, status, irql);
    }
}
