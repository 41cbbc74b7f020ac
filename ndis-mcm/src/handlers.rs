//! The C side of an MCM: the tables that NDIS gets, the C functions in them, and what
//! each of these does with the arguments that [`callbacks!`] has made of NDIS's.
//!
//! No lock is held while the driver's code runs.

use crate::{
    Adapter, Af, CallManager, CloseAf, CloseCall, DeregisterSap, MakeCall, Miniport, OpenAf,
    RegisterSap, Role, Sap, Vc, adapter, af::AfShared, data, driver, miniport::sealed::Token, oid,
    sap::SapShared, state::State, vc::VcShared,
};
use core::{ffi::c_void, ptr};
use ndis_co::{
    Answer, Status,
    address::SapAddress,
    answer::Request,
    callback::Out,
    callbacks,
    family::AddressFamily,
    irql::{Passive, UpToDispatch},
    mem::Arc,
    nbl::{Chain, NetBufferLists, fields::Side},
    raw,
};
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    NDIS_HANDLE, NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_OID_REQUEST, NDIS_STATUS, NET_BUFFER_LIST, NET_DEVICE_PNP_EVENT,
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
pub(crate) fn miniport_co_characteristics<M: CallManager>() -> NDIS_MINIPORT_CO_CHARACTERISTICS {
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
    /// `ProtocolCmOpenAf`; the binding context is the adapter's (rule INIT-13).
    open_af<M: CallManager>(
        context: NDIS_HANDLE as Adapter<M>,
        family: *mut CO_ADDRESS_FAMILY as &CO_ADDRESS_FAMILY,
        handle: NDIS_HANDLE as NDIS_HANDLE,
        out: *mut NDIS_HANDLE as Out<'_, NDIS_HANDLE>,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_open_af;

    /// `ProtocolCmCloseAf`.
    close_af<M: CallManager>(context: NDIS_HANDLE as Arc<AfShared<M>>)
        at UpToDispatch, else FAILURE -> NDIS_STATUS => on_close_af;

    /// `ProtocolCmNotifyCloseAfComplete`.
    notify_close_af_complete<M: CallManager>(
        context: NDIS_HANDLE as Arc<AfShared<M>>,
        _status: NDIS_STATUS as Status,
    ) at UpToDispatch => on_notify_close_af_complete;

    /// `ProtocolCmRegisterSap`.
    register_sap<M: CallManager>(
        context: NDIS_HANDLE as Arc<AfShared<M>>,
        address: *mut CO_SAP as *mut CO_SAP,
        handle: NDIS_HANDLE as NDIS_HANDLE,
        out: *mut NDIS_HANDLE as Out<'_, NDIS_HANDLE>,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_register_sap;

    /// `ProtocolCmDeregisterSap`.
    deregister_sap<M: CallManager>(context: NDIS_HANDLE as Arc<SapShared<M>>)
        at UpToDispatch, else SUCCESS -> NDIS_STATUS => on_deregister_sap;

    /// `ProtocolCoCreateVc`.
    create_vc<M: CallManager>(
        context: NDIS_HANDLE as Arc<AfShared<M>>,
        handle: NDIS_HANDLE as NDIS_HANDLE,
        out: *mut NDIS_HANDLE as Out<'_, NDIS_HANDLE>,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_create_vc;

    /// `ProtocolCoDeleteVc`.
    delete_vc<M: CallManager>(context: NDIS_HANDLE as Arc<VcShared<M>>)
        at UpToDispatch, else FAILURE -> NDIS_STATUS => on_delete_vc;

    /// `ProtocolCmMakeCall`.
    make_call<M: CallManager>(
        context: NDIS_HANDLE as Arc<VcShared<M>>,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
        party: NDIS_HANDLE as NDIS_HANDLE,
        party_out: *mut NDIS_HANDLE as Option<Out<'_, NDIS_HANDLE>>,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_make_call;

    /// `ProtocolCmCloseCall`.
    close_call<M: CallManager>(
        context: NDIS_HANDLE as Arc<VcShared<M>>,
        _party: NDIS_HANDLE as NDIS_HANDLE,
        data: *mut c_void as *mut c_void,
        size: u32 as u32,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_close_call;

    /// `ProtocolCmIncomingCallComplete`.
    incoming_call_complete<M: CallManager>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<VcShared<M>>,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch => on_incoming_call_complete;

    /// `ProtocolCmActivateVcComplete`.
    activate_vc_complete<M: CallManager>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<VcShared<M>>,
        _parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch => on_activate_vc_complete;

    /// `ProtocolCmDeactivateVcComplete`.
    deactivate_vc_complete<M: CallManager>(
        _status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<VcShared<M>>,
    ) at UpToDispatch => on_deactivate_vc_complete;

    /// `MiniportCoSendNetBufferLists`; the context is the VC's own (rule NBL-16).
    send<M: CallManager>(
        context: NDIS_HANDLE as Arc<VcShared<M>>,
        lists: *mut NET_BUFFER_LIST as Chain,
        _flags: u32 as u32,
    ) at UpToDispatch => on_send;

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

    /// `MiniportCoOidRequest` (rule REG-11).
    miniport_co_oid_request<M: Miniport>(
        context: NDIS_HANDLE as Option<Adapter<M>>,
        _vc: NDIS_HANDLE as NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST as &NDIS_OID_REQUEST,
    ) at UpToDispatch, else NOT_SUPPORTED -> NDIS_STATUS => on_co_oid_request;
}

fn on_open_af<'r, M: CallManager>(
    adapter: Adapter<M>,
    family: &CO_ADDRESS_FAMILY,
    handle: NDIS_HANDLE,
    out: Out<'r, NDIS_HANDLE>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let family = AddressFamily::from_raw(family);
    match OpenAf::try_new(&adapter.shared, family, handle, out, request) {
        Ok(request) => {
            let af = request.shared();
            let answer = adapter.driver().open_af(&adapter, request, irql);
            if !answer.is_pending() {
                af.told_opened();
            }
            answer
        }
        Err(answer) => answer,
    }
}

fn on_close_af<'r, M: CallManager>(
    shared: Arc<AfShared<M>>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    if !shared.begin_close() {
        return request.answer(Status::FAILURE);
    }
    let request = CloseAf::new(shared.clone(), request);
    let af = Af { shared };
    af.shared.driver().close_af(&af, request, irql)
}

/// The context outlives the notification (rule AF-44).
fn on_notify_close_af_complete<M: CallManager>(
    af: Arc<AfShared<M>>,
    _status: Status,
    _irql: &mut UpToDispatch,
) {
    AfShared::notified(&af);
}

fn on_register_sap<'r, M: CallManager>(
    shared: Arc<AfShared<M>>,
    address: *mut CO_SAP,
    handle: NDIS_HANDLE,
    out: Out<'r, NDIS_HANDLE>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    // SAFETY: the client keeps its address until the completion (SAP-04).
    let address = match unsafe { SapAddress::from_raw(address) } {
        Ok(address) => address,
        Err(failure) => return request.answer(failure),
    };
    match RegisterSap::try_new(&shared, address, handle, out, request) {
        Ok(request) => {
            let af = Af { shared };
            af.shared.driver().register_sap(&af, request, irql)
        }
        Err(answer) => answer,
    }
}

fn on_deregister_sap<'r, M: CallManager>(
    shared: Arc<SapShared<M>>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    shared.begin_deregister();
    let request = DeregisterSap::new(shared.clone(), request);
    let sap = Sap { shared };
    sap.shared.af.driver().deregister_sap(&sap, request, irql)
}

/// Synchronous (rules VC-12, VC-15, VC-16, VC-18).
fn on_create_vc<'r, M: CallManager>(
    shared: Arc<AfShared<M>>,
    handle: NDIS_HANDLE,
    out: Out<'_, NDIS_HANDLE>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let af = Af { shared };
    let made = af
        .shared
        .driver()
        .create_vc(&af, irql)
        .and_then(|context| VcShared::adopt(&af.shared, handle, context));
    match made {
        Ok(context) => {
            out.set(context);
            request.answer(Status::SUCCESS)
        }
        Err(failure) => request.answer(failure.as_failure()),
    }
}

/// Synchronous (rules VC-14, VC-27, VC-28).
fn on_delete_vc<'r, M: CallManager>(
    vc: Arc<VcShared<M>>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let deleted = VcShared::delete_by_client(&vc, irql);
    request.answer(deleted.err().unwrap_or(Status::SUCCESS))
}

fn on_make_call<'r, M: CallManager>(
    shared: Arc<VcShared<M>>,
    parameters: *mut CO_CALL_PARAMETERS,
    party: NDIS_HANDLE,
    party_out: Option<Out<'_, NDIS_HANDLE>>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    // Without a party handle there is no party context (rule CALL-09).
    if let Some(out) = party_out {
        out.set(ptr::null_mut());
    }
    if !party.is_null() {
        return request.answer(Status::NOT_SUPPORTED);
    }
    if !shared.state.with(|state| state.begin_make(parameters)) {
        return request.answer(Status::FAILURE);
    }
    let vc = Vc { shared };
    let request = MakeCall::new(vc.clone(), request);
    vc.shared.af.driver().make_call(&vc, request, irql)
}

fn on_close_call<'r, M: CallManager>(
    shared: Arc<VcShared<M>>,
    _party: NDIS_HANDLE,
    data: *mut c_void,
    size: u32,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    if !shared.state.with(State::begin_close) {
        return request.answer(Status::FAILURE);
    }
    let vc = Vc { shared };
    let request = CloseCall::new(vc.clone(), data, size, request);
    vc.shared.af.driver().close_call(&vc, request, irql)
}

fn on_incoming_call_complete<M: CallManager>(
    status: Status,
    vc: Arc<VcShared<M>>,
    parameters: *mut CO_CALL_PARAMETERS,
    irql: &mut UpToDispatch,
) {
    VcShared::answered(&vc, status, parameters, irql);
}

/// Possibly after the activation has already succeeded (rule VC-34).
fn on_activate_vc_complete<M: CallManager>(
    status: Status,
    vc: Arc<VcShared<M>>,
    _parameters: *mut CO_CALL_PARAMETERS,
    irql: &mut UpToDispatch,
) {
    vc.state.with(|state| state.activated(status));
    VcShared::advance(&vc, irql);
}

/// Possibly after the deactivation has already succeeded (rule VC-45).
fn on_deactivate_vc_complete<M: CallManager>(
    _status: Status,
    vc: Arc<VcShared<M>>,
    irql: &mut UpToDispatch,
) {
    vc.state.with(State::deactivated);
    VcShared::advance(&vc, irql);
}

fn on_send<M: CallManager>(
    vc: Arc<VcShared<M>>,
    lists: Chain,
    _flags: u32,
    irql: &mut UpToDispatch,
) {
    data::send(&vc, lists, irql);
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
    data::write(&lists, status);
    let handle = adapter.shared.handle.get();
    // SAFETY: each list is completed once, on the adapter it came on.
    unsafe { ndis_sys::NdisMSendNetBufferListsComplete(handle, lists.take_raw(), 0) };
}

/// Any order and grouping (rule NBL-23).
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

fn on_co_oid_request<'r, M: Miniport>(
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
