//! Call managers: drivers that set calls up and take them down for clients.
//!
//! A call manager is one type that implements [`CallManager`]. What it stands on is its
//! [`Base`]: the adapter, for a miniport call manager (an MCM, see `ndis-mcm`), or the
//! binding to an adapter of somebody else, for a stand-alone one. Everything else is the
//! same, and is here:
//!
//! ```text
//! Base ── Af ─┬─ Sap ── CreatedVc   a call that this driver offers to the client
//!             └─ Vc                 a call that the client places
//! ```
//!
//! Each request of a client comes as a token ([`OpenAf`], [`RegisterSap`], [`MakeCall`],
//! [`CloseCall`] and so on), see [`answer`](crate::answer). [`Af`], [`Sap`] and [`Vc`] are
//! counted references: they can be cloned, sent and stored, and give the driver's context.

mod advertised;
mod af;
mod base;
mod call;
mod families;
mod handlers;
mod sap;
pub(crate) mod standalone;
mod state;
mod vc;

#[doc(hidden)]
pub use advertised::Advertised;
pub use af::{Af, CloseAf, OpenAf, PendingCloseAf, PendingOpenAf};
pub use base::{Base, Carrier};
#[doc(hidden)]
pub use base::{Key, Part};
pub use call::{AcceptedCall, CloseCall, MakeCall, PendingCloseCall, PendingMakeCall};
#[doc(hidden)]
pub use families::Families;
#[doc(hidden)]
pub use handlers::call_manager_handlers;
pub use sap::{DeregisterSap, PendingDeregisterSap, PendingRegisterSap, RegisterSap, Sap};
pub use standalone::{AsCallManager, SignalingVc, StandaloneCallManager};
#[doc(hidden)]
pub use standalone::{ManagerState, RunsManager, SignalingShared};
#[doc(hidden)]
pub use state::Gates;
pub use vc::{Active, CanActivate, CanDispatch, CreatedVc, Inactive, NotActivated, Vc};

use crate::{Answer, Status, irql::UpToDispatch, params::CallParameters};

/// A driver that sets calls up.
///
/// Every method is called by NDIS, on any processor, several at once, at or
/// below DISPATCH_LEVEL, and must not wait. Requests come with a token and
/// are answered with it, at once or later, see [`answer`](crate::answer).
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
    /// It comes for a placed call once the driver has accepted it, for an offered
    /// one after [`AcceptedCall::connect`], usually before that returns. Not called when
    /// the client has closed the call by then; on another
    /// processor [`close_call`](Self::close_call) may still overtake it. The VC is not
    /// deactivated or deleted, nor the adapter halted, before this has returned.
    ///
    /// Source pages: [`PROTOCOL_CM_ACTIVATE_VC_COMPLETE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_cm_activate_vc_complete),
    /// [`NdisMCmDispatchCallConnected`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdispatchcallconnected).
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    #[doc(alias = "NdisMCmDispatchCallConnected")]
    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// The call could not be brought up because its VC could not be activated
    ///, or the driver has refused it after pending it. The client, if it
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
}
