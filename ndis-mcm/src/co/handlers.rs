//! The C side of the VCs: the table that NDIS gets, and what each function in it does.
//!
//! No lock is held while the driver's code runs.

use super::{ActivateVc, DeactivateVc, Vc, VcMiniport, state::Begun, vc::VcShared};
use crate::miniport::{Adapter, handlers::on_co_oid_request, oid::Asked};
use ndis_co::{
    Answer, Status,
    answer::Request,
    callback::Out,
    callbacks,
    channel::{self, SendLists},
    irql::UpToDispatch,
    nbl::Chain,
    raw,
};
use ndis_sys::{
    CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_OID_REQUEST,
    NDIS_STATUS, NET_BUFFER_LIST,
};

/// All six handlers (rule REG-12).
pub(super) fn characteristics<M: VcMiniport>() -> NDIS_MINIPORT_CO_CHARACTERISTICS {
    let mut table: NDIS_MINIPORT_CO_CHARACTERISTICS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS,
        ndis_sys::NDIS_MINIPORT_CO_CHARACTERISTICS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_MINIPORT_CO_CHARACTERISTICS_REVISION_1,
    );
    table.CoCreateVcHandler = Some(create_vc::<M>);
    table.CoDeleteVcHandler = Some(delete_vc::<M>);
    table.CoActivateVcHandler = Some(activate_vc::<M>);
    table.CoDeactivateVcHandler = Some(deactivate_vc::<M>);
    table.CoSendNetBufferListsHandler = Some(send::<M>);
    table.CoOidRequestHandler = Some(oid_request::<M>);
    table
}

callbacks! {
    /// `MiniportCoCreateVc`.
    create_vc<M: VcMiniport>(
        context: NDIS_HANDLE as Adapter<M>,
        handle: NDIS_HANDLE as NDIS_HANDLE,
        out: *mut NDIS_HANDLE as Out<'_, NDIS_HANDLE>,
    ) at UpToDispatch, else RESOURCES -> NDIS_STATUS => on_create_vc;

    /// `MiniportCoDeleteVc`.
    delete_vc<M: VcMiniport>(context: NDIS_HANDLE as Vc<M>)
        at UpToDispatch, else SUCCESS -> NDIS_STATUS => on_delete_vc;

    /// `MiniportCoActivateVc`.
    activate_vc<M: VcMiniport>(
        context: NDIS_HANDLE as Vc<M>,
        parameters: *mut CO_CALL_PARAMETERS as *mut CO_CALL_PARAMETERS,
    ) at UpToDispatch, else INVALID_DATA -> NDIS_STATUS => on_activate_vc;

    /// `MiniportCoDeactivateVc`.
    deactivate_vc<M: VcMiniport>(context: NDIS_HANDLE as Vc<M>)
        at UpToDispatch, else SUCCESS -> NDIS_STATUS => on_deactivate_vc;

    /// `MiniportCoSendNetBufferLists`.
    send<M: VcMiniport>(
        context: NDIS_HANDLE as NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST as Chain,
        _flags: u32 as u32,
    ) at UpToDispatch => on_send::<M>;

    /// `MiniportCoOidRequest`.
    oid_request<M: VcMiniport>(
        context: NDIS_HANDLE as Adapter<M>,
        vc: NDIS_HANDLE as Option<Vc<M>>,
        request: *mut NDIS_OID_REQUEST as Asked,
    ) at UpToDispatch, else NOT_SUPPORTED -> NDIS_STATUS => on_co_oid_request;
}

/// Synchronous, with one documented failure (rules VC-13, VC-65).
fn on_create_vc<'r, M: VcMiniport>(
    adapter: Adapter<M>,
    handle: NDIS_HANDLE,
    out: Out<'_, NDIS_HANDLE>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    match VcShared::create(&adapter, handle, irql) {
        Ok(context) => {
            out.set(context);
            request.answer(Status::SUCCESS)
        }
        Err(_) => request.answer(Status::RESOURCES),
    }
}

/// Synchronous, and a success as long as NDIS deletes what is over (rules VC-13, VC-23,
/// VC-29).
fn on_delete_vc<'r, M: VcMiniport>(
    vc: Vc<M>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    request.answer(VcShared::delete(&vc, irql))
}

fn on_activate_vc<'r, M: VcMiniport>(
    vc: Vc<M>,
    parameters: *mut CO_CALL_PARAMETERS,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let Some(change) = vc.shared.begin_activation(parameters) else {
        return request.answer(Status::INVALID_DATA);
    };
    let token = ActivateVc::new(vc.clone(), change, request);
    let answer = vc.adapter().driver().activate_vc(&vc, token, irql);
    let status = answer.status();
    if !status.is_pending() {
        vc.shared.answered(status);
    }
    answer
}

fn on_deactivate_vc<'r, M: VcMiniport>(
    vc: Vc<M>,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    match vc.shared.begin_deactivation() {
        Begun::Nothing => request.answer(Status::SUCCESS),
        Begun::Asked => {
            let token = DeactivateVc::new(vc.clone(), request);
            vc.adapter().driver().deactivate_vc(&vc, token, irql)
        }
    }
}

fn on_send<M: VcMiniport>(
    context: NDIS_HANDLE,
    lists: Chain,
    _flags: u32,
    irql: &mut UpToDispatch,
) {
    let send = |vc: &Vc<M>, lists: SendLists<Vc<M>>, irql: &mut UpToDispatch| {
        vc.adapter().driver().send(vc, lists, irql);
    };
    // SAFETY: by CALLBACK NDIS hands them over on the VC of this context.
    unsafe { channel::arrived(context, lists, irql, send) };
}
