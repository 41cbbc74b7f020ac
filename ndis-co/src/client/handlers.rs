//! The C side of a client: the tables that NDIS gets, the C functions in them, and what
//! each of these does with the arguments that [`callbacks!`] has made of NDIS's.
//!
//! No lock is held while the driver's code runs.

use super::{
    Af, AfOffer, Binding, Client, IncomingCall, Received, Sap, Vc,
    af::{
        self, AfShared,
        sap::{self, SapShared},
        vc::VcShared,
    },
    oids::on_oid_request,
    state::{HungUp, State},
};
use crate::{
    Answer, Status,
    answer::Request,
    callback::{Argument, FromNdis, Out},
    callbacks,
    indication::StatusIndication,
    irql::{Passive, UpToDispatch},
    mem::Arc,
    nbl::{Chain, NetBufferLists, fields::Side},
    oid,
    protocol::BindingShared,
    raw,
};
use core::{ffi::c_void, mem::ManuallyDrop};
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, NDIS_CO_CLIENT_OPTIONAL_HANDLERS, NDIS_HANDLE,
    NDIS_OID_REQUEST, NDIS_STATUS,
};

/// The handlers of a client: every slot is filled (rules REG-15, REG-16,
/// REG-21).
pub(crate) fn client_handlers<C: Client>() -> NDIS_CO_CLIENT_OPTIONAL_HANDLERS {
    let mut table: NDIS_CO_CLIENT_OPTIONAL_HANDLERS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
        ndis_sys::NDIS_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1,
    );
    table.ClCreateVcHandler = Some(create_vc::<C>);
    table.ClDeleteVcHandler = Some(delete_vc::<C>);
    table.ClOidRequestHandler = Some(oid_request::<C>);
    table.ClOidRequestCompleteHandler = Some(oid::CO_COMPLETE);
    table.ClOpenAfCompleteHandlerEx = Some(open_af_complete::<C>);
    table.ClCloseAfCompleteHandler = Some(close_af_complete::<C>);
    table.ClRegisterSapCompleteHandler = Some(register_sap_complete::<C>);
    table.ClDeregisterSapCompleteHandler = Some(deregister_sap_complete::<C>);
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
    table.ClNotifyCloseAfHandler = Some(notify_close_af::<C>);
    table
}

callbacks! {
    /// `ProtocolClOpenAfCompleteEx`.
    open_af_complete<C: Client>(
        context: NDIS_HANDLE as Arc<AfShared<C>>,
        handle: NDIS_HANDLE as NDIS_HANDLE,
        status: NDIS_STATUS as Status,
    ) at UpToDispatch => on_open_af_complete;

    /// `ProtocolClCloseAfComplete`.
    close_af_complete<C: Client>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<AfShared<C>>,
    ) at UpToDispatch => on_close_af_complete;

    /// `ProtocolClNotifyCloseAf`.
    notify_close_af<C: Client>(context: NDIS_HANDLE as Arc<AfShared<C>>)
        at UpToDispatch, else SUCCESS -> NDIS_STATUS => on_notify_close_af;

    /// `ProtocolClRegisterSapComplete`.
    register_sap_complete<C: Client>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<SapShared<C>>,
        _sap: *mut CO_SAP as *mut CO_SAP,
        handle: NDIS_HANDLE as NDIS_HANDLE,
    ) at UpToDispatch => on_register_sap_complete;

    /// `ProtocolClDeregisterSapComplete`.
    deregister_sap_complete<C: Client>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<SapShared<C>>,
    ) at UpToDispatch => on_deregister_sap_complete;

    /// `ProtocolCoCreateVc`.
    create_vc<C: Client>(
        af: NDIS_HANDLE as Arc<AfShared<C>>,
        handle: NDIS_HANDLE as NDIS_HANDLE,
        out: *mut NDIS_HANDLE as Out<'_, NDIS_HANDLE>,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_create_vc;

    /// `ProtocolCoDeleteVc`.
    delete_vc<C: Client>(context: NDIS_HANDLE as Arc<VcShared<C>>)
        at UpToDispatch, else FAILURE -> NDIS_STATUS => on_delete_vc;

    /// `ProtocolClMakeCallComplete`.
    make_call_complete<C: Client>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<VcShared<C>>,
        _party: NDIS_HANDLE as NDIS_HANDLE,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch => on_make_call_complete;

    /// `ProtocolClCloseCallComplete`.
    close_call_complete<C: Client>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<VcShared<C>>,
        _party: NDIS_HANDLE as NDIS_HANDLE,
    ) at UpToDispatch => on_close_call_complete;

    /// `ProtocolClIncomingCall`; the SAP's context is good also before its registration
    /// has completed (rule [SAP-06]).
    ///
    /// [SAP-06]: ndis_sys::rules#SAP-06
    incoming_call<C: Client>(
        sap: NDIS_HANDLE as Arc<SapShared<C>>,
        context: NDIS_HANDLE as Arc<VcShared<C>>,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_incoming_call;

    /// `ProtocolClCallConnected`.
    call_connected<C: Client>(context: NDIS_HANDLE as Arc<VcShared<C>>)
        at UpToDispatch => on_call_connected;

    /// `ProtocolClIncomingCloseCall`.
    incoming_close_call<C: Client>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Arc<VcShared<C>>,
        data: *mut c_void as *mut c_void,
        size: u32 as u32,
    ) at UpToDispatch => on_incoming_close_call;

    /// `ProtocolCoOidRequest`.
    oid_request<C: Client>(
        af: NDIS_HANDLE as Arc<AfShared<C>>,
        vc: NDIS_HANDLE as Option<Arc<VcShared<C>>>,
        party: NDIS_HANDLE as NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST as *mut NDIS_OID_REQUEST,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_oid_request;
}

fn on_open_af_complete<C: Client>(
    af: Arc<AfShared<C>>,
    handle: NDIS_HANDLE,
    status: Status,
    _irql: &mut UpToDispatch,
) {
    af::opened_later(&af, handle, status);
}

fn on_close_af_complete<C: Client>(status: Status, af: Arc<AfShared<C>>, irql: &mut UpToDispatch) {
    af::close_completed(&af, status, irql);
}

fn on_notify_close_af<'r, C: Client>(
    af: Arc<AfShared<C>>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    request.answer(af::asked_to_close(&af, irql))
}

fn on_register_sap_complete<C: Client>(
    status: Status,
    sap: Arc<SapShared<C>>,
    _address: *mut CO_SAP,
    handle: NDIS_HANDLE,
    irql: &mut UpToDispatch,
) {
    sap::registered(&sap, handle, status, irql);
}

fn on_deregister_sap_complete<C: Client>(
    status: Status,
    sap: Arc<SapShared<C>>,
    irql: &mut UpToDispatch,
) {
    sap::deregistered(&sap, status, irql);
}

/// Synchronous (rules VC-12, VC-15, VC-16). The handler may close the family.
fn on_create_vc<'r, C: Client>(
    shared: Arc<AfShared<C>>,
    handle: NDIS_HANDLE,
    out: Out<'_, NDIS_HANDLE>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let af = Af { shared };
    let made = af
        .shared
        .client()
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

/// Synchronous (rule VC-14).
fn on_delete_vc<'r, C: Client>(
    shared: Arc<VcShared<C>>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let vc = Vc { shared };
    let deleted = VcShared::delete_by_call_manager(&vc, irql);
    request.answer(deleted.err().unwrap_or(Status::SUCCESS))
}

fn on_make_call_complete<C: Client>(
    status: Status,
    shared: Arc<VcShared<C>>,
    _party: NDIS_HANDLE,
    parameters: *mut CO_CALL_PARAMETERS,
    irql: &mut UpToDispatch,
) {
    let vc = Vc { shared };
    VcShared::make_call_completed(&vc, status, parameters, irql);
}

fn on_close_call_complete<C: Client>(
    status: Status,
    shared: Arc<VcShared<C>>,
    _party: NDIS_HANDLE,
    irql: &mut UpToDispatch,
) {
    let vc = Vc { shared };
    VcShared::close_completed(&vc, status, irql);
}

fn on_incoming_call<'r, C: Client>(
    sap: Arc<SapShared<C>>,
    shared: Arc<VcShared<C>>,
    parameters: *mut CO_CALL_PARAMETERS,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let vc = Vc { shared };
    let Some((number, left)) = vc.shared.state().locked(State::offer) else {
        return request.answer(Status::FAILURE);
    };
    drop(left);
    let sap = Sap { shared: sap };
    let call = IncomingCall::new(vc.clone(), parameters, number, request);
    let answer = vc.shared.af.client().incoming_call(&sap, call, irql);
    VcShared::returns(&vc.shared, number);
    answer
}

fn on_call_connected<C: Client>(shared: Arc<VcShared<C>>, irql: &mut UpToDispatch) {
    let vc = Vc { shared };
    let (connected, more) = vc.shared.state().locked(State::connected);
    if connected {
        vc.shared.af.client().call_connected(&vc, None, irql);
    }
    // It may have been dropped or its family closed while it was not up.
    if more {
        VcShared::advance(&vc, irql);
    }
}

fn on_incoming_close_call<C: Client>(
    status: Status,
    shared: Arc<VcShared<C>>,
    data: *mut c_void,
    size: u32,
    irql: &mut UpToDispatch,
) {
    let vc = Vc { shared };
    let state = vc.shared.state();
    match state.locked(|state| state.hung_up(status)) {
        HungUp::Tell(number) => {
            let data = if data.is_null() || size > crate::address::MAX_VARIABLE {
                &[][..]
            } else {
                // SAFETY: the call manager owns the buffer and keeps it until its
                // call of NdisCmDispatchIncomingCloseCall, within which this runs,
                // has returned (CALL-60).
                unsafe { core::slice::from_raw_parts(data.cast::<u8>(), size as usize) }
            };
            let client = vc.shared.af.client();
            client.incoming_close(&vc, status, data, irql);
            VcShared::change(&vc, |state| state.close_hung_up(number), irql);
        }
        HungUp::Close => VcShared::advance(&vc, irql),
        // A close of our own that crosses this one is answer enough (CALL-69).
        HungUp::Nothing => {}
    }
}

/// `ProtocolClModifyCallQoSComplete`: no change is requested.
extern "system" fn modify_qos_complete(
    _status: NDIS_STATUS,
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) {
}

/// `ProtocolClIncomingCallQoSChange`: returning accepts (rule QOS-13).
extern "system" fn incoming_qos_change(_vc: NDIS_HANDLE, _parameters: *mut CO_CALL_PARAMETERS) {}

/// `ProtocolClAddPartyComplete`: no party is added.
extern "system" fn add_party_complete(
    _status: NDIS_STATUS,
    _party: NDIS_HANDLE,
    _handle: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) {
}

/// `ProtocolClDropPartyComplete`: no party is dropped.
extern "system" fn drop_party_complete(_status: NDIS_STATUS, _party: NDIS_HANDLE) {}

/// `ProtocolClIncomingDropParty`: calls are point-to-point.
extern "system" fn incoming_drop_party(
    _status: NDIS_STATUS,
    _party: NDIS_HANDLE,
    _data: *mut c_void,
    _size: u32,
) {
}

/// A call manager offers a family.
pub(crate) fn offered<C: Client>(
    binding: Binding<C>,
    family: *mut CO_ADDRESS_FAMILY,
    irql: &mut Passive,
) {
    if let Some(offer) = AfOffer::new(&binding, family) {
        binding.driver().address_family(&binding, offer, irql);
    }
}

/// Lists have arrived on a VC.
///
/// # Safety
///
/// As CALLBACK says of `vc`, and the lists are NDIS's, handed over.
#[inline]
pub(crate) unsafe fn receive<C: Client>(
    binding: FromNdis<NDIS_HANDLE, Binding<C>>,
    vc: NDIS_HANDLE,
    lists: Chain,
    resources: bool,
    irql: &mut UpToDispatch,
) {
    // SAFETY: by the caller.
    let vc = unsafe { Arc::<VcShared<C>>::borrow_raw(vc) };
    let Some(vc) = vc else {
        return give_back(binding, lists, resources);
    };
    // The handler may end the call: what it is lent is there until it returns.
    let shared = Arc::clone(&vc);
    let vc = Vc { shared };
    let af = &vc.shared.af;
    // SAFETY: the chain is ours as RECEIVED says; returned once, on drop.
    let received = unsafe { Received::new(lists, resources, &af.binding) };
    af.client().receive(&vc, received, irql);
}

/// A CoNDIS client expects nothing outside of a VC, and gives it back. Without a binding there is
/// no handle to return the lists on, which cannot be.
#[cold]
fn give_back<C: Client>(binding: FromNdis<NDIS_HANDLE, Binding<C>>, lists: Chain, resources: bool) {
    if let (Some(binding), false) = (Binding::from_ndis(binding), resources) {
        BindingShared::give_back(&binding.shared, lists);
    }
}

/// Lists that were sent on a VC come back; it is not closed before.
///
/// # Safety
///
/// As CALLBACK says of `vc`, and the lists are the driver's own.
#[inline]
pub(crate) unsafe fn sent<C: Client>(vc: NDIS_HANDLE, lists: Chain, irql: &mut UpToDispatch) {
    // SAFETY: by the caller: NDIS gives back lists that this driver sent, which came from its
    // pool for sends.
    let lists = unsafe { NetBufferLists::from_chain(lists, Side::Protocol) };
    // SAFETY: by the caller, and by TRAFFIC as long as they are counted out, which is until the
    // function that is called below has counted them in.
    if let Some(shared) = unsafe { Arc::<VcShared<C>>::borrow_raw(vc) } {
        let shared = ManuallyDrop::into_inner(shared);
        let vc = ManuallyDrop::new(Vc { shared });
        VcShared::sent(&vc, lists, irql);
    }
}

/// A status of a VC.
///
/// # Safety
///
/// As CALLBACK says of `vc`, which is a client's.
pub(crate) unsafe fn vc_status<C: Client>(
    vc: NDIS_HANDLE,
    status: StatusIndication<'_>,
    irql: &mut UpToDispatch,
) {
    // SAFETY: by the caller.
    if let Some(vc) = unsafe { Arc::<VcShared<C>>::borrow_raw(vc) } {
        let shared = Arc::clone(&vc);
        let vc = Vc { shared };
        vc.shared.af.client().vc_status(&vc, status, irql);
    }
}
