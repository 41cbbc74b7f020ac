//! The miniport half of a miniport call manager: its table, and what each function in it does.
//!
//! No lock is held while the driver's code runs.

use super::MiniportCallManager;
use crate::miniport::{Adapter, handlers::on_co_oid_request, oid::Asked};
use ndis_co::{
    Status, callbacks,
    channel::{self, SendLists},
    cm::Vc,
    irql::UpToDispatch,
    nbl::Chain,
    raw,
};
use ndis_sys::{
    CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_OID_REQUEST,
    NDIS_STATUS, NET_BUFFER_LIST,
};

/// The miniport half of an MCM: VCs are made and deleted by the call manager's half (rules
/// REG-10, REG-11, REG-22).
pub(super) fn miniport_co_characteristics<M: MiniportCallManager>()
-> NDIS_MINIPORT_CO_CHARACTERISTICS {
    let mut table: NDIS_MINIPORT_CO_CHARACTERISTICS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS,
        ndis_sys::NDIS_MINIPORT_CO_CHARACTERISTICS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_MINIPORT_CO_CHARACTERISTICS_REVISION_1,
    );
    table.CoActivateVcHandler = Some(miniport_activate_vc);
    table.CoDeactivateVcHandler = Some(miniport_deactivate_vc);
    table.CoSendNetBufferListsHandler = Some(send::<M>);
    table.CoOidRequestHandler = Some(miniport_co_oid_request::<M>);
    table
}

callbacks! {
    /// `MiniportCoSendNetBufferLists`; the context is the VC's own (rule [NBL-16]).
    ///
    /// [NBL-16]: ndis_sys::rules#NBL-16
    send<M: MiniportCallManager>(
        context: NDIS_HANDLE as NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST as Chain,
        _flags: u32 as u32,
    ) at UpToDispatch => on_send::<M>;

    /// `MiniportCoOidRequest` (rule [REG-11]).
    ///
    /// [REG-11]: ndis_sys::rules#REG-11
    miniport_co_oid_request<M: MiniportCallManager>(
        context: NDIS_HANDLE as Adapter<M>,
        vc: NDIS_HANDLE as Option<Vc<M>>,
        request: *mut NDIS_OID_REQUEST as Asked,
    ) at UpToDispatch, else NOT_SUPPORTED -> NDIS_STATUS => on_co_oid_request;
}

fn on_send<M: MiniportCallManager>(
    context: NDIS_HANDLE,
    lists: Chain,
    _flags: u32,
    irql: &mut UpToDispatch,
) {
    let send = |vc: &Vc<M>, lists: SendLists<Vc<M>>, irql: &mut UpToDispatch| {
        vc.base().driver().send(vc, lists, irql);
    };
    // SAFETY: by CALLBACK NDIS hands them over on the VC of this context.
    unsafe { channel::arrived(context, lists, irql, send) };
}

/// `MiniportCoActivateVc`: an MCM activates its VCs itself. NDIS calls this, if at all, because
/// another VC that shares one of them is activated (rules REG-11, VC-72): nothing changes.
extern "system" fn miniport_activate_vc(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    Status::SUCCESS.raw()
}

/// `MiniportCoDeactivateVc`: as above. The MCM's own deactivation is its close of the call.
extern "system" fn miniport_deactivate_vc(_vc: NDIS_HANDLE) -> NDIS_STATUS {
    Status::SUCCESS.raw()
}
