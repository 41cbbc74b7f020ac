//! The C side of a miniport: the tables that NDIS gets, the C functions in them, and what
//! each of these does with the arguments that [`callbacks!`] has made of NDIS's.
//!
//! No lock is held while the driver's code runs.

use crate::{
    Adapter, Miniport, MiniportCallManager, Role, Vc, adapter, driver, miniport::sealed::Token, oid,
};
use core::ffi::c_void;
use ndis_co::{
    Answer, Status,
    answer::Request,
    callbacks, channel,
    irql::{Passive, UpToDispatch},
    nbl::{Chain, NetBufferLists, fields::Side},
    raw,
};
use ndis_sys::{
    CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_MINIPORT_CO_CHARACTERISTICS,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_OID_REQUEST, NDIS_STATUS, NET_BUFFER_LIST,
    NET_DEVICE_PNP_EVENT,
};

/// The mandatory handlers of a miniport (rules REG-03, REG-36, REG-41,
/// REG-42).
pub(crate) fn miniport_characteristics<M: Miniport>() -> NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
    let mut table: NDIS_MINIPORT_DRIVER_CHARACTERISTICS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
        ndis_sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
        ndis_sys::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
    );
    table.MajorNdisVersion = raw::NDIS_VERSION.0;
    table.MinorNdisVersion = raw::NDIS_VERSION.1;
    table.MajorDriverVersion = M::VERSION.0;
    table.MinorDriverVersion = M::VERSION.1;
    table.SetOptionsHandler = Some(driver::set_options::<M>);
    table.InitializeHandlerEx = Some(adapter::initialize::<M>);
    table.HaltHandlerEx = Some(adapter::halt::<M>);
    table.UnloadHandler = Some(driver::unload::<M>);
    table.PauseHandler = Some(pause::<M>);
    table.RestartHandler = Some(restart::<M>);
    table.OidRequestHandler = Some(oid_request::<M>);
    table.SendNetBufferListsHandler = Some(send_connectionless::<M>);
    table.ReturnNetBufferListsHandler = Some(return_lists::<M>);
    table.CancelSendHandler = Some(cancel);
    table.DevicePnPEventNotifyHandler = Some(device_pnp_event::<M>);
    table.ShutdownHandlerEx = Some(shutdown);
    table.CancelOidRequestHandler = Some(cancel);
    table
}

/// The miniport half of an MCM: send and OID only, VCs are the call manager's
/// (rules REG-10, REG-11, REG-22).
pub(crate) fn miniport_co_characteristics<M: MiniportCallManager>()
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
        context: NDIS_HANDLE as Vc<M>,
        lists: *mut NET_BUFFER_LIST as Chain,
        _flags: u32 as u32,
    ) at UpToDispatch => on_send::<M>;

    /// `MiniportSendNetBufferLists`.
    send_connectionless<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        lists: *mut NET_BUFFER_LIST as Chain,
        _port: u32 as u32,
        _flags: u32 as u32,
    ) at UpToDispatch => on_send_connectionless;

    /// `MiniportReturnNetBufferLists`.
    return_lists<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        lists: *mut NET_BUFFER_LIST as Chain,
        _flags: u32 as u32,
    ) at UpToDispatch => on_return_lists;

    /// `MiniportPause`.
    pause<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        _parameters: *mut ndis_sys::NDIS_MINIPORT_PAUSE_PARAMETERS
            as *mut ndis_sys::NDIS_MINIPORT_PAUSE_PARAMETERS,
    ) at Passive, else SUCCESS -> NDIS_STATUS => adapter::on_pause;

    /// `MiniportRestart`.
    restart<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        _parameters: *mut ndis_sys::NDIS_MINIPORT_RESTART_PARAMETERS
            as *mut ndis_sys::NDIS_MINIPORT_RESTART_PARAMETERS,
    ) at Passive, else FAILURE -> NDIS_STATUS => adapter::on_restart;

    /// `MiniportDevicePnPEventNotify`.
    device_pnp_event<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        event: *mut NET_DEVICE_PNP_EVENT as &NET_DEVICE_PNP_EVENT,
    ) at Passive => adapter::on_device_pnp_event;

    /// `MiniportOidRequest`.
    oid_request<M: Miniport>(
        context: NDIS_HANDLE as Option<Adapter<M>>,
        request: *mut NDIS_OID_REQUEST as &NDIS_OID_REQUEST,
    ) at UpToDispatch, else NOT_SUPPORTED -> NDIS_STATUS => on_oid_request;

    /// `MiniportCoOidRequest` (rule [REG-11]).
    ///
    /// [REG-11]: ndis_sys::rules#REG-11
    miniport_co_oid_request<M: Miniport>(
        context: NDIS_HANDLE as Option<Adapter<M>>,
        _vc: NDIS_HANDLE as NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST as &NDIS_OID_REQUEST,
    ) at UpToDispatch, else NOT_SUPPORTED -> NDIS_STATUS => on_co_oid_request;
}

fn on_send<M: MiniportCallManager>(vc: Vc<M>, lists: Chain, _flags: u32, irql: &mut UpToDispatch) {
    // SAFETY: NDIS hands them over on this VC.
    if let Some(lists) = unsafe { channel::arrived(&vc, lists, irql) } {
        vc.af().base().driver().send(&vc, lists, irql);
    }
}

/// Never used by clients of a connection-oriented adapter; whatever comes goes straight
/// back.
fn on_send_connectionless<M: Miniport>(
    adapter: Adapter<M>,
    mut lists: Chain,
    _port: u32,
    _flags: u32,
    _irql: &mut UpToDispatch,
) {
    let status = if adapter.is_removed() {
        Status::NOT_ACCEPTED
    } else {
        Status::FAILURE
    };
    channel::mark(&lists, status);
    let handle = adapter.shared.handle.get();
    // SAFETY: each list is completed once, on the adapter it came on.
    unsafe { ndis_sys::NdisMSendNetBufferListsComplete(handle, lists.take_raw(), 0) };
}

/// Any order and grouping (rule NBL-23); there for every driver that may indicate (rule
/// NBL-24).
fn on_return_lists<M: Miniport>(
    adapter: Adapter<M>,
    lists: Chain,
    _flags: u32,
    irql: &mut UpToDispatch,
) {
    // SAFETY: NDIS gives back lists that this driver indicated, which came from its pool
    // for receives.
    let lists = unsafe { NetBufferLists::from_chain(lists, Side::Miniport) };
    <M::Role as Role<M>>::returned(&adapter, lists, irql, Token(()));
}

fn on_oid_request<'r, M: Miniport>(
    adapter: Option<Adapter<M>>,
    oid: &NDIS_OID_REQUEST,
    request: Request<'r>,
    _irql: &mut UpToDispatch,
) -> Answer<'r> {
    let removed = adapter.is_some_and(|adapter| adapter.is_removed());
    request.answer(if removed {
        Status::NOT_ACCEPTED
    } else {
        oid::answer(oid)
    })
}

/// Also that of a miniport that is no call manager.
pub(crate) fn on_co_oid_request<'r, M: Miniport>(
    adapter: Option<Adapter<M>>,
    _vc: NDIS_HANDLE,
    oid: &NDIS_OID_REQUEST,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    on_oid_request(adapter, oid, request, irql)
}

/// `MiniportCoActivateVc`: NDIS does not call an MCM's (rule REG-11).
extern "system" fn miniport_activate_vc(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    Status::SUCCESS.raw()
}

/// `MiniportCoDeactivateVc`: NDIS does not call an MCM's (rule REG-11).
extern "system" fn miniport_deactivate_vc(_vc: NDIS_HANDLE) -> NDIS_STATUS {
    Status::SUCCESS.raw()
}

/// `MiniportCancelSend` and `MiniportCancelOidRequest`: nothing is queued by a
/// cancel ID.
extern "system" fn cancel(_adapter: NDIS_HANDLE, _id: *mut c_void) {}

/// `MiniportShutdownEx`: a software adapter has no hardware to quiet.
extern "system" fn shutdown(_adapter: NDIS_HANDLE, _action: ndis_sys::NDIS_SHUTDOWN_ACTION) {}
