//! The C side of a call manager: the table that NDIS gets, the C functions in it, and what
//! each of these does with the arguments that [`callbacks!`] has made of NDIS's.
//!
//! No lock is held while the driver's code runs.

use super::{
    Af, Base, CallManager, CloseAf, CloseCall, DeregisterSap, MakeCall, OpenAf, RegisterSap, Sap,
    Vc, af::AfShared, oids::on_oid_request, sap::SapShared, state::State, vc::VcShared,
};
use crate::{
    Answer, Status, address::SapAddress, answer::Request, callback::Out, callbacks,
    family::AddressFamily, irql::UpToDispatch, mem::Arc, oid, raw,
};
use core::{ffi::c_void, ptr};
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS,
};

/// The handlers of a call manager: every slot is filled (rules [REG-13], [REG-17], [REG-18],
/// [REG-19]).
///
/// [REG-13]: ndis_sys::rules#REG-13
/// [REG-17]: ndis_sys::rules#REG-17
/// [REG-18]: ndis_sys::rules#REG-18
/// [REG-19]: ndis_sys::rules#REG-19
#[must_use]
pub fn call_manager_handlers<M: CallManager>() -> NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS {
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
    table.CmOidRequestHandler = Some(oid_request::<M>);
    table.CmOidRequestCompleteHandler = Some(oid::CO_COMPLETE);
    table.CmNotifyCloseAfCompleteHandler = Some(notify_close_af_complete::<M>);
    table
}

callbacks! {
    /// `ProtocolCmOpenAf`; the context is the adapter's (rule [INIT-13]) or the binding's.
    ///
    /// [INIT-13]: ndis_sys::rules#INIT-13
    open_af<M: CallManager>(
        context: NDIS_HANDLE as M::Base,
        family: *mut CO_ADDRESS_FAMILY as AddressFamily,
        handle: NDIS_HANDLE as NDIS_HANDLE,
        out: *mut NDIS_HANDLE as Out<'_, NDIS_HANDLE>,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_open_af::<M>;

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
    delete_vc<M: CallManager>(context: NDIS_HANDLE as Vc<M>)
        at UpToDispatch, else FAILURE -> NDIS_STATUS => on_delete_vc;

    /// `ProtocolCmMakeCall`.
    make_call<M: CallManager>(
        context: NDIS_HANDLE as Vc<M>,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
        party: NDIS_HANDLE as NDIS_HANDLE,
        party_out: *mut NDIS_HANDLE as Option<Out<'_, NDIS_HANDLE>>,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_make_call;

    /// `ProtocolCmCloseCall`.
    close_call<M: CallManager>(
        context: NDIS_HANDLE as Vc<M>,
        _party: NDIS_HANDLE as NDIS_HANDLE,
        data: *mut c_void as *mut c_void,
        size: u32 as u32,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_close_call;

    /// `ProtocolCmIncomingCallComplete`.
    incoming_call_complete<M: CallManager>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Vc<M>,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch => on_incoming_call_complete;

    /// `ProtocolCmActivateVcComplete`.
    activate_vc_complete<M: CallManager>(
        status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Vc<M>,
        _parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch => on_activate_vc_complete;

    /// `ProtocolCmDeactivateVcComplete`.
    deactivate_vc_complete<M: CallManager>(
        _status: NDIS_STATUS as Status,
        context: NDIS_HANDLE as Vc<M>,
    ) at UpToDispatch => on_deactivate_vc_complete;

    /// `ProtocolCoOidRequest` (rule [REG-17]).
    ///
    /// [REG-17]: ndis_sys::rules#REG-17
    oid_request<M: CallManager>(
        af: NDIS_HANDLE as Arc<AfShared<M>>,
        vc: NDIS_HANDLE as Option<Vc<M>>,
        party: NDIS_HANDLE as NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST as *mut NDIS_OID_REQUEST,
    ) at UpToDispatch, else FAILURE -> NDIS_STATUS => on_oid_request;
}

fn on_open_af<'r, M: CallManager>(
    base: M::Base,
    family: AddressFamily,
    handle: NDIS_HANDLE,
    out: Out<'r, NDIS_HANDLE>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    match OpenAf::try_new(&base, family, handle, out, request) {
        Ok(request) => {
            let af = request.shared();
            let answer = base.driver().open_af(&base, request, irql);
            if !answer.is_pending() {
                AfShared::open_returns(&af);
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
    vc: Vc<M>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let deleted = VcShared::delete_by_client(&vc, irql);
    request.answer(deleted.err().unwrap_or(Status::SUCCESS))
}

fn on_make_call<'r, M: CallManager>(
    vc: Vc<M>,
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
    if !vc.shared.look(|state, _| state.begin_make(parameters)) {
        return request.answer(Status::FAILURE);
    }
    let request = MakeCall::new(vc.clone(), request);
    vc.shared.af.driver().make_call(&vc, request, irql)
}

fn on_close_call<'r, M: CallManager>(
    vc: Vc<M>,
    _party: NDIS_HANDLE,
    data: *mut c_void,
    size: u32,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    if !vc.shared.with(|state, _| state.begin_close()) {
        return request.answer(Status::FAILURE);
    }
    let request = CloseCall::new(vc.clone(), data, size, request);
    vc.shared.af.driver().close_call(&vc, request, irql)
}

fn on_incoming_call_complete<M: CallManager>(
    status: Status,
    vc: Vc<M>,
    parameters: *mut CO_CALL_PARAMETERS,
    irql: &mut UpToDispatch,
) {
    VcShared::answered(&vc, status, parameters, false, irql);
}

/// Possibly after the activation has already succeeded (rule VC-34).
pub(super) fn on_activate_vc_complete<M: CallManager>(
    status: Status,
    vc: Vc<M>,
    _parameters: *mut CO_CALL_PARAMETERS,
    irql: &mut UpToDispatch,
) {
    VcShared::change(&vc, |state| state.activated(status), irql);
}

/// Possibly after the deactivation has already succeeded (rule VC-45).
pub(super) fn on_deactivate_vc_complete<M: CallManager>(
    _status: Status,
    vc: Vc<M>,
    irql: &mut UpToDispatch,
) {
    VcShared::change(&vc, State::deactivated, irql);
}

/// `ProtocolCmAddParty`: calls are point-to-point (rule REG-14).
extern "system" fn add_party(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
    _party: NDIS_HANDLE,
    _out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    Status::NOT_SUPPORTED.raw()
}

/// `ProtocolCmDropParty`: calls are point-to-point (rule REG-14).
extern "system" fn drop_party(_party: NDIS_HANDLE, _data: *mut c_void, _size: u32) -> NDIS_STATUS {
    Status::NOT_SUPPORTED.raw()
}

/// `ProtocolCmModifyCallQoS` (rules REG-14, QOS-04).
extern "system" fn modify_qos(
    _vc: NDIS_HANDLE,
    _parameters: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    Status::NOT_SUPPORTED.raw()
}
