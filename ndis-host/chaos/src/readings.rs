//! The readings of a run: how the host takes what the documentation leaves open.
#![forbid(unsafe_code)]

use crate::{act::Act, world::World};
use ndis_host::{
    ActivateComplete, AfOffers, CallControlWhilePaused, CallIdText, CloseOrder, ConfigurationText,
    CopiesAddressFamily, CrossingClose, DeactivateComplete, DeregisterSapResult,
    DispatchIncomingCallResult, IncomingActivation, JoinedActivation, JoinedVc, McmDisplaces,
    NotifyClose, OpenAfCompleteIrql, OwnRequests, Readings, ResetStart, TransferEnds, VcAfterClose,
    WithdrawnOfferAnswer,
};

/// Draws them: the defaults, in some runs.
pub(crate) fn readings(world: &World) -> Readings {
    if world.chance(1, 3) {
        return Readings::default();
    }
    world.did(Act::Reading);
    Readings {
        activate_complete: world.among(ActivateComplete::ALL),
        deactivate_complete: world.among(DeactivateComplete::ALL),
        close_order: world.among(CloseOrder::ALL),
        own_requests: world.among(OwnRequests::ALL),
        transfer_ends: world.among(TransferEnds::ALL),
        vc_after_close: world.among(VcAfterClose::ALL),
        incoming_activation: world.among(IncomingActivation::ALL),
        notify_close: world.among(NotifyClose::ALL),
        open_af_complete_irql: world.among(OpenAfCompleteIrql::ALL),
        dispatch_incoming_call_result: world.among(DispatchIncomingCallResult::ALL),
        deregister_sap_result: world.among(DeregisterSapResult::ALL),
        copies_address_family: world.among(CopiesAddressFamily::ALL),
        af_offers: world.among(AfOffers::ALL),
        crossing_close: world.among(CrossingClose::ALL),
        withdrawn_offer_answer: world.among(WithdrawnOfferAnswer::ALL),
        call_control_while_paused: world.among(CallControlWhilePaused::ALL),
        joined_vc: world.among(JoinedVc::ALL),
        joined_activation: world.among(JoinedActivation::ALL),
        configuration_text: world.among(ConfigurationText::ALL),
        reset_start: world.among(ResetStart::ALL),
        // Nobody asks for a call by its name, or is there to be displaced.
        call_id_text: CallIdText::default(),
        mcm_displaces: McmDisplaces::default(),
    }
}
