//! The C side of a client: one trampoline for each callback, and the tables
//! that name them.
//!
//! A trampoline turns NDIS's arguments into safe values, fails closed when one
//! is impossible, and holds no lock while the driver's code runs. Each is
//! `unsafe` for the same reason: only NDIS may call it, with the contexts that
//! this crate registered (invariants AF, SAP-OBJ, VC) and at the documented
//! level.

use super::{
    Af, AfOffer, Binding, Client, IncomingCall, Received, Sap, Vc, af,
    af::AfShared,
    binding::{self, BindingCore},
    driver,
    sap::{self, SapShared},
    state::{HungUp, State},
    vc::VcShared,
};
use crate::{
    Status,
    irql::{Passive, UpToDispatch},
    mem::Arc,
    nbl::{Chain, NetBufferLists, fields::Side},
    raw,
};
use core::{ffi::c_void, mem::ManuallyDrop};
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS, NDIS_HANDLE,
    NDIS_OID_REQUEST, NDIS_PROTOCOL_CO_CHARACTERISTICS, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    NDIS_STATUS, NDIS_STATUS_INDICATION, NET_BUFFER_LIST,
};

/// The mandatory handlers of a protocol.
pub(super) fn protocol_characteristics<C: Client>() -> NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
    let mut table = driver::base_characteristics();
    table.SetOptionsHandler = Some(driver::set_options::<C>);
    table.BindAdapterHandlerEx = Some(binding::bind::<C>);
    table.UnbindAdapterHandlerEx = Some(binding::unbind::<C>);
    table.OpenAdapterCompleteHandlerEx = Some(binding::open_complete::<C>);
    table.CloseAdapterCompleteHandlerEx = Some(binding::close_complete::<C>);
    table.NetPnPEventHandler = Some(binding::net_pnp_event::<C>);
    table.OidRequestCompleteHandler = Some(oid_request_complete);
    table.StatusHandlerEx = Some(status);
    table.ReceiveNetBufferListsHandler = Some(receive_connectionless::<C>);
    table.SendNetBufferListsCompleteHandler = Some(send_complete_connectionless);
    table
}

/// The handlers of every CoNDIS protocol (rules REG-23, REG-45).
pub(super) fn protocol_co_characteristics<C: Client>() -> NDIS_PROTOCOL_CO_CHARACTERISTICS {
    let mut table: NDIS_PROTOCOL_CO_CHARACTERISTICS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS,
        ndis_sys::NDIS_PROTOCOL_CO_CHARACTERISTICS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_PROTOCOL_CO_CHARACTERISTICS_REVISION_1,
    );
    table.CoStatusHandlerEx = Some(co_status);
    table.CoAfRegisterNotifyHandler = Some(af_register_notify::<C>);
    table.CoReceiveNetBufferListsHandler = Some(receive::<C>);
    table.CoSendNetBufferListsCompleteHandler = Some(send_complete::<C>);
    table
}

/// The handlers of a client: every slot is filled (rules REG-15, REG-16,
/// REG-21).
pub(super) fn client_handlers<C: Client>() -> NDIS_CO_CLIENT_OPTIONAL_HANDLERS {
    let mut table: NDIS_CO_CLIENT_OPTIONAL_HANDLERS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
        ndis_sys::NDIS_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1,
    );
    table.ClCreateVcHandler = Some(create_vc::<C>);
    table.ClDeleteVcHandler = Some(delete_vc::<C>);
    table.ClOidRequestHandler = Some(oid_request);
    table.ClOidRequestCompleteHandler = Some(co_oid_request_complete);
    table.ClOpenAfCompleteHandlerEx = Some(af::open_complete::<C>);
    table.ClCloseAfCompleteHandler = Some(af::close_complete::<C>);
    table.ClRegisterSapCompleteHandler = Some(sap::register_complete::<C>);
    table.ClDeregisterSapCompleteHandler = Some(sap::deregister_complete::<C>);
    table.ClMakeCallCompleteHandler = Some(make_call_complete::<C>);
    table.ClModifyCallQoSCompleteHandler = Some(modify_qos_complete);
    table.ClCloseCallCompleteHandler = Some(close_call_complete::<C>);
    table.ClAddPartyCompleteHandler = Some(add_party_complete);
    table.ClDropPartyCompleteHandler = Some(drop_party_complete);
    table.ClIncomingCallHandler = Some(incoming_call::<C>);
    table.ClIncomingCallQoSChangeHandler = Some(incoming_qos_change);
    table.ClIncomingCloseCallHandler = Some(incoming_close_call::<C>);
    table.ClIncomingDropPartyHandler = Some(incoming_drop_party);
    table.ClCallConnectedHandler = Some(call_connected::<C>);
    table.ClNotifyCloseAfHandler = Some(af::notify_close::<C>);
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

/// The VC behind a context.
///
/// # Safety
///
/// `context` is null or a VC context whose VC NDIS has not deleted.
unsafe fn vc<C: Client>(context: NDIS_HANDLE) -> Option<Arc<VcShared<C>>> {
    // SAFETY: by VC NDIS owns a share of its context.
    let vc = unsafe { Arc::<VcShared<C>>::borrow_raw(context) };
    vc.map(|vc: ManuallyDrop<_>| Arc::clone(&vc))
}

/// `ProtocolCoAfRegisterNotify`.
unsafe extern "system" fn af_register_notify<C: Client>(
    context: NDIS_HANDLE,
    family: *mut CO_ADDRESS_FAMILY,
) {
    // SAFETY: NDIS's share of the binding lives until it is closed.
    let core = unsafe { Arc::<BindingCore<C>>::borrow_raw(context) };
    let Some(binding) = core.and_then(|core| core.binding()) else {
        return;
    };
    // SAFETY: NDIS calls this at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    if let Some(offer) = AfOffer::new(&binding, family) {
        binding.client().address_family(&binding, offer, &mut irql);
    }
}

/// `ProtocolCoCreateVc`: synchronous (rules VC-12, VC-15, VC-16).
unsafe extern "system" fn create_vc<C: Client>(
    af: NDIS_HANDLE,
    handle: NDIS_HANDLE,
    context: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: by AF NDIS owns a share of its context.
    let af = unsafe { Arc::<AfShared<C>>::borrow_raw(af) };
    let (Some(af), false) = (af, context.is_null()) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    // The handler may close the family: the reference here keeps it meanwhile.
    let af = Af {
        shared: Arc::clone(&af),
    };
    let made = af
        .shared
        .client()
        .create_vc(&af, &mut irql)
        .and_then(|context| VcShared::adopt(&af.shared, handle, context));
    match made {
        Ok(vc) => {
            // SAFETY: the out parameter of this callback; the share is NDIS's
            // until the VC is deleted (invariant VC).
            unsafe { context.write(Arc::into_raw(vc)) };
            Status::SUCCESS.raw()
        }
        Err(failure) => failure.as_failure().raw(),
    }
}

/// `ProtocolCoDeleteVc`: synchronous (rule VC-14).
unsafe extern "system" fn delete_vc<C: Client>(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<C>(context) }) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    VcShared::delete_by_call_manager(&vc, &mut irql)
        .map_or_else(Status::raw, |()| Status::SUCCESS.raw())
}

/// `ProtocolClMakeCallComplete`.
unsafe extern "system" fn make_call_complete<C: Client>(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    parameters: *mut CO_CALL_PARAMETERS,
) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<C>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    VcShared::make_call_completed(&vc, Status::from_raw(status), parameters, &mut irql);
}

/// `ProtocolClCloseCallComplete`.
unsafe extern "system" fn close_call_complete<C: Client>(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _party: NDIS_HANDLE,
) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<C>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    VcShared::close_completed(&vc, Status::from_raw(status), &mut irql);
}

/// `ProtocolClIncomingCall`.
unsafe extern "system" fn incoming_call<C: Client>(
    sap: NDIS_HANDLE,
    context: NDIS_HANDLE,
    parameters: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: by SAP-OBJ NDIS owns a share of its context, also before the
    // registration has completed (rule SAP-06).
    let sap = unsafe { Arc::<SapShared<C>>::borrow_raw(sap) };
    // SAFETY: a VC context of a living VC.
    let vc = unsafe { vc::<C>(context) };
    let (Some(sap), Some(vc)) = (sap, vc) else {
        return Status::FAILURE.raw();
    };
    let Some(offer) = vc.state().locked(State::offer) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    let sap = Sap {
        shared: Arc::clone(&sap),
    };
    let call = IncomingCall::new(Vc { shared: vc.clone() }, parameters, offer);
    let answer = vc
        .af
        .client()
        .incoming_call(&sap, call, &mut irql)
        .into_raw();
    VcShared::returns(&vc);
    answer
}

/// `ProtocolClCallConnected`.
unsafe extern "system" fn call_connected<C: Client>(context: NDIS_HANDLE) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<C>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    if vc.state().locked(State::connected) {
        vc.af
            .client()
            .call_connected(&Vc { shared: vc.clone() }, None, &mut irql);
    }
    // It may have been dropped or its family closed while it was not up.
    VcShared::advance(&vc, &mut irql);
}

/// `ProtocolClIncomingCloseCall`.
unsafe extern "system" fn incoming_close_call<C: Client>(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    data: *mut c_void,
    size: u32,
) {
    // SAFETY: a VC context of a living VC.
    let Some(vc) = (unsafe { vc::<C>(context) }) else {
        return;
    };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    match vc.state().locked(State::hung_up) {
        HungUp::Tell => {
            let data = if data.is_null() || size > crate::address::MAX_VARIABLE {
                &[][..]
            } else {
                // SAFETY: the call manager owns the buffer and keeps it until its
                // call of NdisCmDispatchIncomingCloseCall, within which this runs,
                // has returned (CALL-60).
                unsafe { core::slice::from_raw_parts(data.cast::<u8>(), size as usize) }
            };
            let status = Status::from_raw(status);
            vc.af
                .client()
                .incoming_close(&Vc { shared: vc.clone() }, status, data, &mut irql);
            vc.state().locked(State::close_hung_up);
        }
        HungUp::Close => {}
        // A close of our own that crosses this one is answer enough (CALL-69).
        HungUp::Nothing => return,
    }
    VcShared::advance(&vc, &mut irql);
}

/// `ProtocolCoReceiveNetBufferLists`.
unsafe extern "system" fn receive<C: Client>(
    context: NDIS_HANDLE,
    vc_context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _count: u32,
    flags: u32,
) {
    // SAFETY: NDIS hands the chain over for the callback, or until we return
    // it.
    let chain = unsafe { Chain::from_raw(lists) };
    let resources = flags & ndis_sys::NDIS_RECEIVE_FLAGS_RESOURCES as u32 != 0;
    // SAFETY: a VC context of a living VC, or null.
    let vc = unsafe { vc::<C>(vc_context) };
    // SAFETY: NDIS's share of the binding lives until it is closed.
    let core = unsafe { Arc::<BindingCore<C>>::borrow_raw(context) };
    let binding = match (&vc, core) {
        (Some(vc), _) => Some(Binding {
            shared: Arc::clone(&vc.af.binding),
        }),
        (None, Some(core)) => core.binding(),
        (None, None) => None,
    };
    // Without a binding there is no handle to return the lists on; that cannot
    // be, for NDIS indicates to bindings only.
    let Some(binding) = binding else { return };
    // SAFETY: the chain is ours as RECEIVED says; returned once, on drop.
    let received = unsafe { Received::new(chain, resources, binding) };
    if let Some(vc) = vc {
        // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
        let mut irql = unsafe { level() };
        vc.af
            .client()
            .receive(&Vc { shared: vc.clone() }, received, &mut irql);
    }
}

/// `ProtocolReceiveNetBufferLists`: a CoNDIS client expects nothing here and
/// gives everything back.
unsafe extern "system" fn receive_connectionless<C: Client>(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _port: u32,
    count: u32,
    flags: u32,
) {
    // SAFETY: as for the connection-oriented one, without a VC.
    unsafe { receive::<C>(context, core::ptr::null_mut(), lists, count, flags) };
}

/// `ProtocolCoSendNetBufferListsComplete`.
unsafe extern "system" fn send_complete<C: Client>(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
    // SAFETY: a VC context of a living VC: it is not closed before its sends
    // are home.
    let Some(vc) = (unsafe { vc::<C>(context) }) else {
        return;
    };
    // SAFETY: NDIS gives back lists that this driver sent.
    let chain = unsafe { Chain::from_raw(lists) };
    // SAFETY: as above: they came from this driver's pool for sends.
    let lists = unsafe { NetBufferLists::from_chain(chain, Side::Protocol) };
    // SAFETY: at the start of a callback at or below DISPATCH_LEVEL.
    let mut irql = unsafe { level() };
    VcShared::sent(&vc, lists, &mut irql);
}

/// `ProtocolSendNetBufferListsComplete`: nothing is sent without a VC.
unsafe extern "system" fn send_complete_connectionless(
    _context: NDIS_HANDLE,
    _lists: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
}

/// `ProtocolOidRequestComplete`: no request is made.
unsafe extern "system" fn oid_request_complete(
    _context: NDIS_HANDLE,
    _request: *mut NDIS_OID_REQUEST,
    _status: NDIS_STATUS,
) {
}

/// `ProtocolStatusEx`.
unsafe extern "system" fn status(_context: NDIS_HANDLE, _status: *mut NDIS_STATUS_INDICATION) {}

/// `ProtocolCoStatusEx` (rule STATUS-09).
unsafe extern "system" fn co_status(
    _context: NDIS_HANDLE,
    _vc: NDIS_HANDLE,
    _status: *mut NDIS_STATUS_INDICATION,
) {
}

/// `ProtocolCoOidRequest`: none is supported (rule REG-15).
unsafe extern "system" fn oid_request(
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

/// `ProtocolClModifyCallQoSComplete`: no change is requested.
unsafe extern "system" fn modify_qos_complete(
    _status: NDIS_STATUS,
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) {
}

/// `ProtocolClIncomingCallQoSChange`: returning accepts (rule QOS-13).
unsafe extern "system" fn incoming_qos_change(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) {
}

/// `ProtocolClAddPartyComplete`: no party is added.
unsafe extern "system" fn add_party_complete(
    _status: NDIS_STATUS,
    _party: NDIS_HANDLE,
    _handle: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) {
}

/// `ProtocolClDropPartyComplete`: no party is dropped.
unsafe extern "system" fn drop_party_complete(_status: NDIS_STATUS, _party: NDIS_HANDLE) {}

/// `ProtocolClIncomingDropParty`: calls are point-to-point.
unsafe extern "system" fn incoming_drop_party(
    _status: NDIS_STATUS,
    _party: NDIS_HANDLE,
    _data: *mut c_void,
    _size: u32,
) {
}
