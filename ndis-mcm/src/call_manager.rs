//! [`CallManager`]: the half of an MCM that sets calls up and takes them down.

use crate::{
    Accepted, Adapter, Af, CloseAf, CloseCall, DeregisterSap, MakeCall, Mcm, Miniport, OpenAf,
    RegisterSap, Sap, SendLists, Vc,
};
use ndis_co::{Answer, Status, irql::UpToDispatch, nbl::NetBufferLists, params::CallParameters};

/// The call manager half of a miniport call manager.
///
/// Every method is called by NDIS, on any processor, several at once, at or
/// below DISPATCH_LEVEL, and must not wait. Requests come with a token and
/// are answered with it, at once or later, see [`ndis_co::answer`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a call manager",
    note = "rules REG-06 and REG-13: a driver with `type Role = Mcm` implements `CallManager` as well"
)]
pub trait CallManager: Miniport<Role = Mcm> {
    /// What the driver keeps for one client that has opened a family.
    type Af: Send + Sync + 'static;
    /// What the driver keeps for one SAP of a client.
    type Sap: Send + Sync + 'static;
    /// What the driver keeps for one VC and the call on it.
    ///
    /// A large one does not fit the kernel's stack on its way into the pool (see
    /// [`stack`](ndis_co::stack)): keep large parts, and what wants an alignment of more than two
    /// pointers, which no pool has, out of it.
    type Vc: Send + Sync + 'static;

    /// A client opens an address family (rules AF-18 to AF-22).
    ///
    /// Source page: `nc-ndis-protocol_cm_open_af`.
    #[doc(alias = "ProtocolCmOpenAf")]
    fn open_af<'r>(
        &self,
        adapter: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// A client closes its address family. The default lets it go as soon as
    /// the last SAP and VC beneath it are gone (rules AF-35, AF-36).
    ///
    /// Source page: `nc-ndis-protocol_cm_close_af`.
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

    /// A client registers a SAP (rules SAP-15 to SAP-18).
    ///
    /// Source page: `nc-ndis-protocol_cm_reg_sap`.
    #[doc(alias = "ProtocolCmRegisterSap")]
    fn register_sap<'r>(
        &self,
        af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// A client deregisters a SAP: offer it no more calls (rules SAP-21,
    /// SAP-25).
    ///
    /// Source page: `nc-ndis-protocol_cm_deregister_sap`.
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

    /// A client makes a VC for a call that it may place (rules VC-15, VC-17).
    ///
    /// Source page: `nc-ndis-protocol_co_create_vc`.
    ///
    /// # Errors
    ///
    /// Refuses the VC.
    #[doc(alias = "ProtocolCoCreateVc")]
    fn create_vc(&self, af: &Af<Self>, irql: &mut UpToDispatch) -> Result<Self::Vc, Status>;

    /// A VC is deleted, whoever made it; `vc` is good for its context only.
    ///
    /// Source page: `nc-ndis-protocol_co_delete_vc`.
    #[doc(alias = "ProtocolCoDeleteVc")]
    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// A client places a call (rules CALL-07 to CALL-12).
    ///
    /// Source page: `nc-ndis-protocol_cm_make_call`.
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
    /// one after [`Accepted::connect`], usually before that returns. Not called when
    /// the client has closed the call by then; on another
    /// processor [`close_call`](Self::close_call) may still overtake it. The VC is not
    /// deactivated or deleted, nor the adapter halted, before this has returned.
    ///
    /// Source pages: `nc-ndis-protocol_cm_activate_vc_complete`,
    /// `nf-ndis-ndismcmdispatchcallconnected`.
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    #[doc(alias = "NdisMCmDispatchCallConnected")]
    fn call_connected(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let _ = (vc, irql);
    }

    /// The call could not be brought up because its VC could not be activated
    /// (flow l2), or the driver has refused it after pending it. The client, if it
    /// placed the call, is told right after this returns, and deletes its VC.
    ///
    /// Source page: `nc-ndis-protocol_cm_activate_vc_complete`.
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (vc, status, irql);
    }

    /// The client that is called has accepted: connect the call or take it
    /// back (rules CALL-35, CALL-37).
    ///
    /// Source page: `nc-ndis-protocol_cm_incoming_call_complete`.
    #[doc(alias = "ProtocolCmIncomingCallComplete")]
    fn incoming_call_accepted(
        &self,
        call: Accepted<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    );

    /// The client that is called has refused. The VC is deactivated and
    /// deleted next (rule CALL-36).
    ///
    /// Source page: `nc-ndis-protocol_cm_incoming_call_complete`.
    #[doc(alias = "ProtocolCmIncomingCallComplete")]
    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let _ = (vc, status, irql);
    }

    /// A client closes a call, on its own account or because it was told that
    /// the other side hung up (rules CALL-48 to CALL-53, CALL-69).
    ///
    /// Source page: `nc-ndis-protocol_cm_close_call`.
    #[doc(alias = "ProtocolCmCloseCall")]
    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r>;

    /// A client sends data on a connected call; the driver holds the lists
    /// until it completes them (rules NBL-09 to NBL-13).
    ///
    /// Source page: `nc-ndis-miniport_co_send_net_buffer_lists`.
    #[doc(alias = "MiniportCoSendNetBufferLists")]
    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch);

    /// Indicated lists come home, in any order and grouping. Dropping them
    /// frees them, and so does this default (rules NBL-19, NBL-23).
    ///
    /// Source page: `nc-ndis-miniport_return_net_buffer_lists`.
    #[doc(alias = "MiniportReturnNetBufferLists")]
    fn returned(&self, adapter: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let _ = (adapter, lists, irql);
    }
}
