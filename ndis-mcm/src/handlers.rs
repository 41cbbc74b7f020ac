//! The C side of an MCM: one trampoline for each callback, and the tables
//! that name them.
//!
//! A trampoline turns NDIS's arguments into safe values, fails closed when one
//! is impossible, and holds no lock while the driver's code runs. Each is
//! `unsafe` for the same reason: only NDIS may call it, with the contexts that
//! this crate registered (invariants MCM-AF, MCM-SAP, MCM-VC) and at the
//! documented level.

use crate::{
    Adapter, Af, CallManager, CloseAf, CloseCall, DeregisterSap, MakeCall, Miniport, OpenAf,
    RegisterSap, Sap, Vc,
    adapter::{self, AdapterCore},
    af::AfShared,
    data, driver, oid,
    sap::SapShared,
    state::State,
    vc::VcShared,
};
use core::{ffi::c_void, ptr};
use ndis_co::{
    Status, address::SapAddress, family::AddressFamily, irql::UpToDispatch, mem::Arc, nbl::Chain,
    raw,
};
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    NDIS_HANDLE, NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_OID_REQUEST, NDIS_STATUS, NET_BUFFER_LIST,
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
    table.PauseHandler = Some(adapter::pause::<M>);
    table.RestartHandler = Some(adapter::restart::<M>);
    table.OidRequestHandler = Some(oid_request::<M>);
    table.SendNetBufferListsHandler = Some(send_connectionless::<M>);
    table.ReturnNetBufferListsHandler = Some(adapter::return_lists::<M>);
    table.CancelSendHandler = Some(cancel);
    table.DevicePnPEventNotifyHandler = Some(adapter::device_pnp_event::<M>);
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

/// The call manager half: every slot is filled (rules REG-13, REG-17, REG-18,
/// REG-19).
pub(crate) fn call_manager_handlers<M: CallManager>() -> NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS {
    let mut table: NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS = ndis_sys::zeroed();
    // The documented size ends before the last handler (rule REG-20).
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
        ndis_sys::NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1,
    );
    table.CmCreateVcHandler = Some(create_vc::<M>);
    table.CmDeleteVcHandler = Some(delete_vc::<M>);
    table.CmOpenAfHandler = Some(open_af::<M>);
    table.CmCloseAfHandler = Some(close_af::<M>);
    table.CmRegisterSapHandler = Some(register_sap::<M>);
    table.CmDeregisterSapHandler = Some(deregister_sap::<M>);
    table.CmMakeCallHandler = Some(make_call::<M>);
    table.CmCloseCallHandler = Some(close_call::<M>);
    table.CmIncomingCallCompleteHandler = Some(incoming_call_complete::<M>);
    table.CmAddPartyHandler = Some(add_party);
    table.CmDropPartyHandler = Some(drop_party);
    table.CmActivateVcCompleteHandler = Some(activate_vc_complete::<M>);
    table.CmDeactivateVcCompleteHandler = Some(deactivate_vc_complete::<M>);
    table.CmModifyCallQoSHandler = Some(modify_qos);
    table.CmOidRequestHandler = Some(co_oid_request);
    table.CmOidRequestCompleteHandler = Some(co_oid_request_complete);
    table.CmNotifyCloseAfCompleteHandler = Some(notify_close_af_complete::<M>);
    table
}

/// The level of a callback that NDIS makes at or below DISPATCH_LEVEL.
///
/// # Safety
///
/// Called at the start of such a callback, for its time.
unsafe fn level() -> UpToDispatch {
    // SAFETY: by the caller; NDIS holds no lock of this driver.
    unsafe { UpToDispatch::assume() }
}

/// The address family behind a context.
///
/// # Safety
///
/// `context` is null or an AF context that NDIS has not given back.
unsafe fn af<M: CallManager>(context: NDIS_HANDLE) -> Option<Arc<AfShared<M>>> {
    // SAFETY: by MCM-AF NDIS owns a share of its context.
    unsafe { Arc::<AfShared<M>>::borrow_raw(context) }.map(|af| Arc::clone(&af))
}

/// The SAP behind a context.
///
/// # Safety
///
/// `context` is null or a SAP context that NDIS has not given back.
unsafe fn sap<M: CallManager>(context: NDIS_HANDLE) -> Option<Arc<SapShared<M>>> {
    // SAFETY: by MCM-SAP NDIS owns a share of its context.
    unsafe { Arc::<SapShared<M>>::borrow_raw(context) }.map(|sap| Arc::clone(&sap))
}

/// The VC behind a context.
///
/// # Safety
///
/// `context` is null or a VC context whose VC is not deleted.
unsafe fn vc<M: CallManager>(context: NDIS_HANDLE) -> Option<Arc<VcShared<M>>> {
    // SAFETY: by MCM-VC NDIS owns a share of its context.
    unsafe { Arc::<VcShared<M>>::borrow_raw(context) }.map(|vc| Arc::clone(&vc))
}

/// `ProtocolCmOpenAf`; the binding context is the adapter's (rule INIT-13).
unsafe extern "system" fn open_af<M: CallManager>(
    context: NDIS_HANDLE,
    family: *mut CO_ADDRESS_FAMILY,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: NDIS's share of the adapter lives until the halt.
    let core = unsafe { Arc::<AdapterCore<M>>::borrow_raw(context) };
    // SAFETY: NDIS's structure, valid for the call.
    let family = unsafe { family.as_ref() }.map(AddressFamily::from_raw);
    let (Some(shared), Some(family), false) =
        (core.and_then(|core| core.shared()), family, out.is_null())
    else {
        return Status::FAILURE.raw();
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    match OpenAf::try_new(&shared, family, handle, out) {
        Ok(request) => {
            let adapter = Adapter { shared };
            adapter
                .driver()
                .open_af(&adapter, request, &mut irql)
                .into_raw()
        }
        Err(failure) => failure.raw(),
    }
}

/// `ProtocolCmCloseAf`.
unsafe extern "system" fn close_af<M: CallManager>(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: an AF context of an open family.
    let Some(af) = (unsafe { af::<M>(context) }) else {
        return Status::FAILURE.raw();
    };
    if !af.begin_close() {
        return Status::FAILURE.raw();
    }
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    let request = CloseAf::new(af.clone());
    af.driver()
        .close_af(&Af { shared: af.clone() }, request, &mut irql)
        .into_raw()
}

/// `ProtocolCmNotifyCloseAfComplete`.
unsafe extern "system" fn notify_close_af_complete<M: CallManager>(
    context: NDIS_HANDLE,
    _status: NDIS_STATUS,
) {
    // SAFETY: by MCM-AF the context outlives the notification (rule AF-44).
    if let Some(af) = unsafe { af::<M>(context) } {
        AfShared::notified(&af);
    }
}

/// `ProtocolCmRegisterSap`.
unsafe extern "system" fn register_sap<M: CallManager>(
    context: NDIS_HANDLE,
    address: *mut CO_SAP,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: an AF context of an open family.
    let af = unsafe { af::<M>(context) };
    let (Some(af), false) = (af, out.is_null()) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: the client keeps its address until the completion (SAP-04).
    let address = unsafe { SapAddress::from_raw(address) };
    let request = address.and_then(|address| RegisterSap::try_new(&af, address, handle, out));
    match request {
        Ok(request) => {
            // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
            let mut irql = unsafe { level() };
            af.driver()
                .register_sap(&Af { shared: af.clone() }, request, &mut irql)
                .into_raw()
        }
        Err(failure) => failure.raw(),
    }
}

/// `ProtocolCmDeregisterSap`.
unsafe extern "system" fn deregister_sap<M: CallManager>(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: a SAP context of a registered SAP.
    let Some(sap) = (unsafe { sap::<M>(context) }) else {
        return Status::SUCCESS.raw();
    };
    sap.begin_deregister();
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    let request = DeregisterSap::new(sap.clone());
    sap.af
        .driver()
        .deregister_sap(
            &Sap {
                shared: sap.clone(),
            },
            request,
            &mut irql,
        )
        .into_raw()
}

/// `ProtocolCoCreateVc`: synchronous (rules VC-12, VC-15, VC-16, VC-18).
unsafe extern "system" fn create_vc<M: CallManager>(
    context: NDIS_HANDLE,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: an AF context of an open family.
    let af = unsafe { af::<M>(context) };
    let (Some(af), false) = (af, out.is_null()) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    let made = af
        .driver()
        .create_vc(&Af { shared: af.clone() }, &mut irql)
        .and_then(|context| VcShared::adopt(&af, handle, context));
    match made {
        Ok(share) => {
            // SAFETY: the out parameter of this callback.
            unsafe { out.write(share) };
            Status::SUCCESS.raw()
        }
        Err(failure) => failure.as_failure().raw(),
    }
}

/// `ProtocolCoDeleteVc`: synchronous (rules VC-14, VC-27, VC-28).
unsafe extern "system" fn delete_vc<M: CallManager>(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<M>(context) }) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    VcShared::delete_by_client(&vc, &mut irql).map_or_else(Status::raw, |()| Status::SUCCESS.raw())
}

/// `ProtocolCmMakeCall`.
unsafe extern "system" fn make_call<M: CallManager>(
    context: NDIS_HANDLE,
    parameters: *mut CO_CALL_PARAMETERS,
    party: NDIS_HANDLE,
    party_out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<M>(context) }) else {
        return Status::FAILURE.raw();
    };
    // Without a party handle there is no party context (rule CALL-09).
    if !party_out.is_null() {
        // SAFETY: the out parameter of this callback.
        unsafe { party_out.write(ptr::null_mut()) };
    }
    if !party.is_null() {
        return Status::NOT_SUPPORTED.raw();
    }
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    if !vc.state.with(|state| state.begin_make(parameters)) {
        return Status::FAILURE.raw();
    }
    let request = MakeCall::new(Vc { shared: vc.clone() });
    vc.af
        .driver()
        .make_call(&Vc { shared: vc.clone() }, request, &mut irql)
        .into_raw()
}

/// `ProtocolCmCloseCall`.
unsafe extern "system" fn close_call<M: CallManager>(
    context: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    data: *mut c_void,
    size: u32,
) -> NDIS_STATUS {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<M>(context) }) else {
        return Status::FAILURE.raw();
    };
    if !vc.state.with(State::begin_close) {
        return Status::FAILURE.raw();
    }
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    let request = CloseCall::new(Vc { shared: vc.clone() }, data, size);
    vc.af
        .driver()
        .close_call(&Vc { shared: vc.clone() }, request, &mut irql)
        .into_raw()
}

/// `ProtocolCmIncomingCallComplete`.
unsafe extern "system" fn incoming_call_complete<M: CallManager>(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    parameters: *mut CO_CALL_PARAMETERS,
) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<M>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    VcShared::answered(&vc, Status::from_raw(status), parameters, &mut irql);
}

/// `ProtocolCmActivateVcComplete`: possibly after the activation has already
/// succeeded (rule VC-34).
unsafe extern "system" fn activate_vc_complete<M: CallManager>(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<M>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    vc.state
        .with(|state| state.activated(Status::from_raw(status)));
    VcShared::advance(&vc, &mut irql);
}

/// `ProtocolCmDeactivateVcComplete`: possibly after the deactivation has
/// already succeeded (rule VC-45).
unsafe extern "system" fn deactivate_vc_complete<M: CallManager>(
    _status: NDIS_STATUS,
    context: NDIS_HANDLE,
) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<M>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    vc.state.with(State::deactivated);
    VcShared::advance(&vc, &mut irql);
}

/// `MiniportCoSendNetBufferLists`; the context is the VC's own (rule NBL-16).
unsafe extern "system" fn send<M: CallManager>(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<M>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    // SAFETY: NDIS hands the chain over until it is completed.
    let chain = unsafe { Chain::from_raw(lists) };
    data::send(&vc, chain, &mut irql);
}

/// `MiniportSendNetBufferLists`: never used by clients of a connection-oriented
/// adapter; whatever comes goes straight back.
unsafe extern "system" fn send_connectionless<M: Miniport>(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _port: u32,
    _flags: u32,
) {
    // SAFETY: NDIS's share of the adapter lives until the halt.
    let Some(shared) = (unsafe { adapter::from_context::<M>(context) }) else {
        return;
    };
    let status = if shared.is_removed() {
        Status::NOT_ACCEPTED
    } else {
        Status::FAILURE
    };
    // SAFETY: NDIS hands the chain over until it is completed.
    let mut chain = unsafe { Chain::from_raw(lists) };
    chain.for_each_raw(|list| {
        // SAFETY: the lists are in this driver's hands.
        unsafe { ndis_co::nbl::fields::set_status(list, status.raw()) };
    });
    // SAFETY: each list is completed once, on the adapter it came on.
    unsafe { ndis_sys::NdisMSendNetBufferListsComplete(shared.handle, chain.take_raw(), 0) };
}

/// `MiniportOidRequest`.
unsafe extern "system" fn oid_request<M: Miniport>(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    // SAFETY: NDIS's share of its context lives until the halt.
    let adapter = unsafe { adapter::from_context::<M>(context) };
    if adapter.is_some_and(|adapter| adapter.is_removed()) {
        return Status::NOT_ACCEPTED.raw();
    }
    // SAFETY: NDIS's request, for the time of this call.
    unsafe { oid::answer(request) }.raw()
}

/// `MiniportCoOidRequest` (rule REG-11).
unsafe extern "system" fn miniport_co_oid_request<M: Miniport>(
    context: NDIS_HANDLE,
    _vc: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    // SAFETY: NDIS's context and request, as in the handler above.
    unsafe { oid_request::<M>(context, request) }
}

/// `ProtocolCoOidRequest` (rules REG-14, REG-17).
unsafe extern "system" fn co_oid_request(
    _af: NDIS_HANDLE,
    _vc: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    _request: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    Status::NOT_SUPPORTED.raw()
}

/// `ProtocolCoOidRequestComplete`: no request is made.
unsafe extern "system" fn co_oid_request_complete(
    _af: NDIS_HANDLE,
    _vc: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    _request: *mut NDIS_OID_REQUEST,
    _status: NDIS_STATUS,
) {
}

/// `MiniportCoActivateVc`: NDIS does not call an MCM's (rule REG-11).
unsafe extern "system" fn miniport_activate_vc(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    Status::SUCCESS.raw()
}

/// `MiniportCoDeactivateVc`: NDIS does not call an MCM's (rule REG-11).
unsafe extern "system" fn miniport_deactivate_vc(_vc: NDIS_HANDLE) -> NDIS_STATUS {
    Status::SUCCESS.raw()
}

/// `ProtocolCmAddParty`: calls are point-to-point (rule REG-14).
unsafe extern "system" fn add_party(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
    _party: NDIS_HANDLE,
    _out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    Status::NOT_SUPPORTED.raw()
}

/// `ProtocolCmDropParty`: calls are point-to-point (rule REG-14).
unsafe extern "system" fn drop_party(
    _party: NDIS_HANDLE,
    _data: *mut c_void,
    _size: u32,
) -> NDIS_STATUS {
    Status::NOT_SUPPORTED.raw()
}

/// `ProtocolCmModifyCallQoS` (rules REG-14, QOS-04).
unsafe extern "system" fn modify_qos(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    Status::NOT_SUPPORTED.raw()
}

/// `MiniportCancelSend` and `MiniportCancelOidRequest`: nothing is queued by a
/// cancel ID.
unsafe extern "system" fn cancel(_adapter: NDIS_HANDLE, _id: *mut c_void) {}

/// `MiniportShutdownEx`: a software adapter has no hardware to quiet.
unsafe extern "system" fn shutdown(_adapter: NDIS_HANDLE, _action: ndis_sys::NDIS_SHUTDOWN_ACTION) {
}
