//! The handlers of a stand-alone call manager that are not the engine's: those that NDIS
//! calls for VCs of either kind.

use super::{StandaloneCallManager, signaling, signaling::SignalingVc};
use crate::{
    Status,
    callback::{Argument, FromNdis},
    callbacks,
    cm::{Vc, handlers as engine},
    irql::UpToDispatch,
};
use ndis_sys::{
    CO_CALL_PARAMETERS, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_HANDLE, NDIS_STATUS,
};

/// The handlers of a stand-alone call manager, which has VCs of its own as well.
pub(crate) fn standalone_handlers<M: StandaloneCallManager>()
-> NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS {
    let mut table = engine::call_manager_handlers::<M>();
    table.CmActivateVcCompleteHandler = Some(any_activate_vc_complete::<M>);
    table.CmDeactivateVcCompleteHandler = Some(any_deactivate_vc_complete::<M>);
    table
}

/// A VC of a stand-alone call manager.
enum AnyVc<M: StandaloneCallManager> {
    Call(Vc<M>),
    Signaling(SignalingVc<M>),
}

impl<M: StandaloneCallManager> Argument<NDIS_HANDLE> for AnyVc<M> {
    fn from_ndis(context: FromNdis<NDIS_HANDLE, Self>) -> Option<Self> {
        // SAFETY: by ARGUMENT it is what NDIS was given of such a VC.
        let signaling = unsafe { signaling::from_context(context.raw()) };
        if let Some(vc) = signaling {
            return Some(Self::Signaling(vc));
        }
        // SAFETY: by ARGUMENT, and it is none of the other kind.
        unsafe { context.object() }.map(|shared| Self::Call(Vc { shared }))
    }
}

callbacks! {
    /// `ProtocolCmActivateVcComplete`, of a stand-alone call manager.
    any_activate_vc_complete<M: StandaloneCallManager>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as AnyVc<M>,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch => on_any_activate_vc_complete;

    /// `ProtocolCmDeactivateVcComplete`, of a stand-alone call manager.
    any_deactivate_vc_complete<M: StandaloneCallManager>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as AnyVc<M>,
    ) at UpToDispatch => on_any_deactivate_vc_complete;
}

fn on_any_activate_vc_complete<M: StandaloneCallManager>(
    status: Status,
    vc: AnyVc<M>,
    parameters: *mut CO_CALL_PARAMETERS,
    irql: &mut UpToDispatch,
) {
    match vc {
        AnyVc::Call(vc) => engine::on_activate_vc_complete(status, vc, parameters, irql),
        AnyVc::Signaling(vc) => signaling::activated(&vc, status, irql),
    }
}

fn on_any_deactivate_vc_complete<M: StandaloneCallManager>(
    status: Status,
    vc: AnyVc<M>,
    irql: &mut UpToDispatch,
) {
    match vc {
        AnyVc::Call(vc) => engine::on_deactivate_vc_complete(status, vc, irql),
        AnyVc::Signaling(vc) => signaling::deactivated(&vc, irql),
    }
}
