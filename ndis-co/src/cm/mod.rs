//! Call managers: drivers that set calls up and take them down for clients.
//!
//! A call manager is one type that implements [`CallManager`]. What it stands on is its
//! [`Base`]: the adapter, for a miniport call manager (an MCM, see `ndis-mcm`), or the
//! binding to an adapter of somebody else, for a stand-alone one. Sixteen of the 22 functions
//! that NDIS has for a miniport call manager are other names of those for a stand-alone one:
//! the trait has those that differ. Everything else is the same, and is here:
//!
//! ```text
//! Base ── Af ─┬─ Sap ── CreatedVc   a call that this driver offers to the client
//!             └─ Vc                 a call that the client places
//! ```
//!
//! Each request of a client comes as a token ([`OpenAf`], [`RegisterSap`], [`MakeCall`],
//! [`CloseCall`] and so on), see [`answer`](crate::answer). [`Af`], [`Sap`] and [`Vc`] are
//! counted references: they can be cloned, sent and stored, and give the driver's context.

mod af;
mod call;
mod close_af;
mod families;
mod gates;
mod handlers;
mod oids;
mod sap;
pub(crate) mod standalone;
mod state;
mod vc;

#[doc(hidden)]
pub use crate::key::Key;
#[doc(hidden)]
pub use af::held::Held;
pub use af::{Af, OpenAf, PendingOpenAf};
pub use call::{CloseCall, MakeCall, PendingCloseCall, PendingMakeCall};
pub use close_af::{CloseAf, PendingCloseAf};
#[doc(hidden)]
pub use families::Families;
#[doc(hidden)]
pub use gates::{Gates, Part};
#[doc(hidden)]
pub use handlers::call_manager_handlers;
pub use oids::{OidRequest, PendingOidRequest};
pub use sap::{DeregisterSap, PendingDeregisterSap, PendingRegisterSap, RegisterSap, Sap};
pub use standalone::{AsCallManager, SignalingVc, StandaloneCallManager};
#[doc(hidden)]
pub use standalone::{ManagerState, RunsManager, SignalingShared};
pub(crate) use vc::PartOf;
pub use vc::{
    AcceptedCall, ActivateError, Active, CanActivate, CanDispatch, CreatedVc, Inactive, Vc, WeakVc,
};

use crate::{
    Answer, Status,
    callback::Argument,
    channel::DataPath,
    irql::UpToDispatch,
    mark,
    oid::{Answered, ToClient},
    params::CallParameters,
    scope::Scope,
};
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS};

/// A driver that sets calls up.
///
/// Every method is called by NDIS, on any processor, several at once, at or
/// below DISPATCH_LEVEL, and must not wait. Requests come with a token and
/// are answered with it, at once or later, see [`answer`](crate::answer).
///
/// ```
/// # use ndis_co::{cm::*, params::CallParameters, prelude::*};
/// # use ndis_host as _;
/// # struct Driver;
/// # impl Protocol for Driver {
/// #     const NAME: &'static str = "DRIVER";
/// #     type Binding = ();
/// #     type Role = AsCallManager;
/// #     fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> { Ok(()) }
/// # }
/// # impl StandaloneCallManager for Driver { type Signaling = (); }
/// /// It takes every call, and brings none.
/// impl CallManager for Driver {
///     type Base = Binding<Self>; // `Adapter<Self>` in a miniport call manager
///     type Af = ();
///     type Sap = ();
///     type Vc = ();
///
///     fn open_af<'r>(&self, _: &Binding<Self>, request: OpenAf<'r, Self>, _: &mut UpToDispatch) -> Answer<'r> {
///         request.accept(())
///     }
///     fn register_sap<'r>(&self, _: &Af<Self>, request: RegisterSap<'r, Self>, _: &mut UpToDispatch) -> Answer<'r> {
///         request.refuse(Status::NOT_SUPPORTED)
///     }
///     fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
///         Ok(())
///     }
///     fn make_call<'r>(&self, _: &Vc<Self>, request: MakeCall<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r> {
///         request.accept(irql)
///     }
///     fn incoming_call_accepted(
///         &self,
///         call: AcceptedCall<Self>,
///         _: Option<CallParameters<'_>>,
///         irql: &mut UpToDispatch,
///     ) {
///         call.close(Status::FAILURE, irql);
///     }
///     fn close_call<'r>(&self, _: &Vc<Self>, request: CloseCall<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r> {
///         request.finish(irql)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a call manager",
    note = "rules REG-06, REG-08 and REG-13: a driver with `type Role = Mcm` or `AsCallManager` implements \
            `CallManager` as well"
)]
pub trait CallManager: Sized + Send + Sync + 'static {
    /// What it stands on: `Adapter<Self>` of `ndis-mcm` for a miniport call manager,
    /// [`Binding<Self>`](crate::client::Binding) for a stand-alone one.
    type Base: Base<Self>;
    /// What the driver keeps for one client that has opened a family.
    type Af: Send + Sync + 'static;
    /// What the driver keeps for one SAP of a client.
    type Sap: Send + Sync + 'static;
    /// What the driver keeps for one VC and the call on it.
    ///
    /// A large one does not fit the kernel's stack on its way into the pool (see
    /// [`stack`](crate::stack)): keep large parts, and what wants an alignment of more than two
    /// pointers, which no pool has, out of it.
    type Vc: Send + Sync + 'static;

    /// A client opens an address family (rules [AF-18] to [AF-22]).
    ///
    /// Source page: [`PROTOCOL_CM_OPEN_AF`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_open_af).
    ///
    /// [AF-18]: ndis_sys::rules#AF-18
    /// [AF-22]: ndis_sys::rules#AF-22
    #[doc(alias = "ProtocolCmOpenAf")]
    fn open_af<'r>(
        &self,
        base: &Self::Base,
        request: OpenAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// A client closes its address family. The default lets it go as soon as
    /// the last SAP and VC beneath it are gone (rules [AF-35], [AF-36]).
    ///
    /// Source page: [`PROTOCOL_CM_CLOSE_AF`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_close_af).
    ///
    /// [AF-35]: ndis_sys::rules#AF-35
    /// [AF-36]: ndis_sys::rules#AF-36
    #[doc(alias = "ProtocolCmCloseAf")]
    fn close_af<'r>(
        &self,
        af: &Af<Self>,
        request: CloseAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (af, irql);
        request.finish()
    }

    /// A client registers a SAP (rules [SAP-15] to [SAP-18]).
    ///
    /// Source page: [`PROTOCOL_CM_REG_SAP`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_reg_sap).
    ///
    /// [SAP-15]: ndis_sys::rules#SAP-15
    /// [SAP-18]: ndis_sys::rules#SAP-18
    #[doc(alias = "ProtocolCmRegisterSap")]
    fn register_sap<'r>(
        &self,
        af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// A client deregisters a SAP: offer it no more calls (rules [SAP-21],
    /// [SAP-25]).
    ///
    /// Source page: [`PROTOCOL_CM_DEREGISTER_SAP`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_deregister_sap).
    ///
    /// [SAP-21]: ndis_sys::rules#SAP-21
    /// [SAP-25]: ndis_sys::rules#SAP-25
    #[doc(alias = "ProtocolCmDeregisterSap")]
    fn deregister_sap<'r>(
        &self,
        sap: &Sap<Self>,
        request: DeregisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let _ = (sap, irql);
        request.finish()
    }

    /// A client makes a VC for a call that it may place (rules [VC-15], [VC-17]).
    ///
    /// Source page: [`PROTOCOL_CO_CREATE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_create_vc).
    ///
    /// # Errors
    ///
    /// Refuses the VC.
    ///
    /// [VC-15]: ndis_sys::rules#VC-15
    /// [VC-17]: ndis_sys::rules#VC-17
    #[doc(alias = "ProtocolCoCreateVc")]
    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Self::Vc, Status>;

    /// A VC is deleted, whoever made it; `vc` is over, and only its context is to be used.
    ///
    /// Source page: [`PROTOCOL_CO_DELETE_VC`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_delete_vc).
    #[doc(alias = "ProtocolCoDeleteVc")]
    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// A client places a call (rules [CALL-07] to [CALL-12]).
    ///
    /// Source page: [`PROTOCOL_CM_MAKE_CALL`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_make_call).
    ///
    /// [CALL-07]: ndis_sys::rules#CALL-07
    /// [CALL-12]: ndis_sys::rules#CALL-12
    #[doc(alias = "ProtocolCmMakeCall")]
    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// The call is up, placed by the client or offered to it: its VC was activated
    /// and the client told, so that data may flow from here on.
    ///
    /// What the network needs to carry data is done before this returns (rule [VC-66]).
    ///
    /// It comes for a placed call once the driver has accepted it, for an offered
    /// one after [`AcceptedCall::connect`], usually before that returns. Not called when
    /// the client has closed the call by then; on another
    /// processor [`close_call`](Self::close_call) may still overtake it. The VC is not
    /// deactivated or deleted, nor the adapter halted, before this has returned.
    ///
    /// Source pages: [`PROTOCOL_CM_ACTIVATE_VC_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_activate_vc_complete),
    /// [`NdisMCmDispatchCallConnected`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdispatchcallconnected).
    ///
    /// [VC-66]: ndis_sys::rules#VC-66
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    #[doc(alias = "NdisCmDispatchCallConnected")]
    #[doc(alias = "NdisMCmDispatchCallConnected")]
    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// The call could not be brought up because its VC could not be activated, or shares that of a
    /// call that is over ([`Sap::create_vc_joined`]), or the driver has refused it after pending it. The client, if it
    /// placed the call, is told right after this returns, and deletes its VC.
    ///
    /// Source page: [`PROTOCOL_CM_ACTIVATE_VC_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_activate_vc_complete).
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (vc, status, irql);
    }

    /// The client that is called has accepted: connect the call or take it
    /// back (rules [CALL-35], [CALL-37]).
    ///
    /// Source page: [`PROTOCOL_CM_INCOMING_CALL_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_incoming_call_complete).
    ///
    /// [CALL-35]: ndis_sys::rules#CALL-35
    /// [CALL-37]: ndis_sys::rules#CALL-37
    #[doc(alias = "ProtocolCmIncomingCallComplete")]
    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    );

    /// The client that is called has refused. The VC is deactivated and
    /// deleted next (rule [CALL-36]).
    ///
    /// Source page: [`PROTOCOL_CM_INCOMING_CALL_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_incoming_call_complete).
    ///
    /// [CALL-36]: ndis_sys::rules#CALL-36
    #[doc(alias = "ProtocolCmIncomingCallComplete")]
    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (vc, status, irql);
    }

    /// A client closes a call, on its own account or because it was told that
    /// the other side hung up (rules [CALL-48] to [CALL-53], [CALL-69]).
    ///
    /// Source page: [`PROTOCOL_CM_CLOSE_CALL`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_close_call).
    ///
    /// [CALL-48]: ndis_sys::rules#CALL-48
    /// [CALL-53]: ndis_sys::rules#CALL-53
    /// [CALL-69]: ndis_sys::rules#CALL-69
    #[doc(alias = "ProtocolCmCloseCall")]
    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// A client asks, gives or wants something done, about its family or about a VC of it:
    /// OIDs of [`ToManager`](crate::oid::ToManager). Others come meanwhile (rule [OID-19]).
    /// What is asked of the adapter comes to an MCM elsewhere (rule [OID-13]).
    ///
    /// A pended request holds up the completion of the family's close: answer it when
    /// [`close_af`](Self::close_af) comes at the latest (rule [OID-17]). One of a VC holds up
    /// the deletion of that, and with it the close, of which nobody tells before: answer it in
    /// bounded time. NDIS cancels no request between protocols. The default supports none
    /// (rule [OID-22]).
    ///
    /// Source page: [`PROTOCOL_CO_OID_REQUEST`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_oid_request).
    ///
    /// [OID-13]: ndis_sys::rules#OID-13
    /// [OID-17]: ndis_sys::rules#OID-17
    /// [OID-19]: ndis_sys::rules#OID-19
    /// [OID-22]: ndis_sys::rules#OID-22
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

    /// The client has answered what [`Af::request`] or [`Vc::request`] asked, now or later.
    ///
    /// Source page: [`PROTOCOL_CO_OID_REQUEST_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_co_oid_request_complete).
    #[doc(alias = "ProtocolCoOidRequestComplete")]
    fn oid_completed(
        &self,
        af: &Af<Self>,
        vc: Option<&Vc<Self>>,
        answered: Answered<ToClient>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (af, vc, answered, irql);
    }
}

/// What a call manager stands on: the adapter of a miniport call manager, or the binding
/// of a stand-alone one. Implemented by these two only.
///
/// ```
/// # use ndis_co::{Binding, cm::{Base, CallManager, StandaloneCallManager}};
/// # use ndis_host as _;
/// fn is_base<B: Base<M>, M: CallManager<Base = B>>() {}
///
/// fn of_a_stand_alone_one<M: StandaloneCallManager>() {
///     is_base::<Binding<M>, M>();
/// }
/// ```
///
/// # Safety
///
/// Each function is NDIS's for this kind of call manager. The value is a counted reference:
/// whatever has one keeps the driver, the scope and the list of families in place.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no base for the call manager `{M}`",
    label = "not an adapter or a binding of this driver",
    note = "rules REG-06 and REG-13: a miniport call manager says `type Base = Adapter<Self>` \
            and implements `Miniport` with `type Role = Mcm`, and `Carry`; a stand-alone one says \
            `type Base = Binding<Self>` and implements `Protocol` with `type Role = AsCallManager`"
)]
pub unsafe trait Base<M: CallManager<Base = Self>>:
    Argument<NDIS_HANDLE> + Clone + Send + Sync + 'static
{
    /// What the base keeps on each VC.
    #[doc(hidden)]
    type Part: Part;

    /// The mark of the contexts of its VCs: that of the role in which they come to handlers of VCs
    /// of other kinds as well.
    #[doc(hidden)]
    const MARK: usize = mark::NONE;

    /// The driver.
    #[doc(hidden)]
    fn driver(&self) -> &M;

    /// What resources are allocated on.
    #[doc(hidden)]
    fn scope(&self) -> &Scope;

    /// The families that clients have opened here.
    #[doc(hidden)]
    fn families(&self) -> &Families<M>;

    /// All of them are closed, as [`Families::close`] wanted; once.
    #[doc(hidden)]
    fn families_closed(&self, key: Key);

    /// Completes lists that the driver has dropped on this VC.
    #[doc(hidden)]
    fn complete_dropped(vc: &Vc<M>, irql: &mut UpToDispatch);

    /// Creates a VC for a call to a client.
    ///
    /// # Safety
    ///
    /// `af` is open and stays so, `context` lives until the VC is deleted, and `vc` is
    /// valid for a write and null, or the handle of a VC that the new one may be joined with.
    #[doc(hidden)]
    unsafe fn create_vc(
        &self,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        vc: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Deletes a VC that [`create_vc`](Self::create_vc) has made.
    ///
    /// # Safety
    ///
    /// It is inactive, without a call, and deleted once.
    #[doc(hidden)]
    unsafe fn delete_vc(vc: NDIS_HANDLE) -> NDIS_STATUS;

    /// Activates a VC.
    ///
    /// # Safety
    ///
    /// It exists and is inactive; the parameters are valid until the activation is over.
    #[doc(hidden)]
    unsafe fn activate_vc(vc: NDIS_HANDLE, parameters: *mut CO_CALL_PARAMETERS) -> NDIS_STATUS;

    /// Deactivates a VC.
    ///
    /// # Safety
    ///
    /// It is active, and nothing is under way on it.
    #[doc(hidden)]
    unsafe fn deactivate_vc(vc: NDIS_HANDLE) -> NDIS_STATUS;

    /// Asks a client.
    ///
    /// # Safety
    ///
    /// The family is open, and the VC one of it or null; both stay so until the request is
    /// over, and the request and its buffer are nobody else's until then.
    #[doc(hidden)]
    unsafe fn oid_request(
        &self,
        af: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;
}

/// A base whose VCs carry their clients' data through this driver: an adapter.
///
/// ```
/// # use ndis_co::{cm::{CallManager, Carrier, Vc}, irql::UpToDispatch, nbl::NetBufferLists};
/// # use ndis_host as _;
/// /// Only a VC whose data the driver carries itself.
/// fn deliver<M: CallManager<Base: Carrier<M>>>(
///     vc: &Vc<M>,
///     lists: NetBufferLists,
///     irql: &mut UpToDispatch,
/// ) {
///     // What nobody takes any more is dropped.
///     let _ = vc.indicate_receive(lists, irql);
/// }
/// ```
///
/// # Safety
///
/// As for [`Base`]; what is counted out holds up a pause of the adapter.
#[diagnostic::on_unimplemented(
    message = "a call manager that stands alone carries no data of its clients",
    label = "on `{Self}` it only sets up their calls",
    note = "the miniport beneath carries the data (rule NBL-34); only a miniport call manager indicates and \
            completes on its clients' VCs"
)]
pub unsafe trait Carrier<M: CallManager<Base = Self>>: Base<M, Part = DataPath> {
    /// Counts lists that go under way, if data flows. Whatever this answers, the caller
    /// counts them in again.
    #[doc(hidden)]
    fn count_out(&self, lists: usize, key: Key) -> bool;

    /// Counts lists in, and completes a pause that waited for them.
    #[doc(hidden)]
    fn count_in(&self, lists: usize, key: Key);

    /// Whether the device is gone.
    #[doc(hidden)]
    fn is_gone(&self) -> bool;

    /// NDIS's handle of the adapter.
    #[doc(hidden)]
    fn handle(&self, key: Key) -> NDIS_HANDLE;
}
