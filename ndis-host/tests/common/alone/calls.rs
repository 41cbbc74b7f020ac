//! The calls of the raw stand-alone call manager, and what it says on its own VC.

use super::super::link::{at, channel_of, ndis};
use super::super::mcm::next_of;
use super::super::{P, PENDING, SUCCESS, TAG};
use super::{AfCtx, Shared, Slip, Stage, Vc, free_vc, me, media, of, rates};
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_STATUS, NET_BUFFER_LIST};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;

pub(super) unsafe extern "system" fn create_vc(
    context: NDIS_HANDLE,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let af: *mut AfCtx = context.cast();
    let vc = Vc::new(at(af).shared, af, handle, true);
    // SAFETY: the variable for the context.
    unsafe { out.write(vc.cast()) };
    SUCCESS
}

pub(super) unsafe extern "system" fn delete_vc(context: NDIS_HANDLE) -> NDIS_STATUS {
    free_vc(context.cast());
    SUCCESS
}

/// A call comes to its SAP: a VC for the callee, and the rest when that is active.
pub(super) unsafe extern "system" fn make_call(
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
    _: NDIS_HANDLE,
    _: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let caller: *mut Vc = context.cast();
    let shared = of(at(caller).shared);
    let sap = shared.tables.lock().unwrap().saps.first().copied();
    let Some(sap) = sap else {
        return n::NDIS_STATUS_NO_ROUTE_TO_DESTINATION;
    };
    at(caller).params.store(params, SeqCst);
    let af = at(sap.0).af;
    let callee = Vc::new(shared, af, null_mut(), false);
    // One channel for both ends.
    let channel = channel_of(at(caller).params()).expect("a channel");
    set_channel(callee, channel);
    if shared.slip == Slip::NoChannel {
        let media = at(callee).media.load(SeqCst);
        // SAFETY: made by `media`.
        unsafe { (*media).media.MediaSpecific.Length = 0 };
    }
    at(callee).sap.store(sap.0, SeqCst);
    at(callee).peer.store(caller, SeqCst);
    at(caller).peer.store(callee, SeqCst);
    let mut handle: NDIS_HANDLE = null_mut();
    let binding = shared.binding.load(SeqCst);
    match shared.slip {
        Slip::CreatesElsewhere => {
            let other = shared.handle.load(SeqCst);
            let af = at(af).handle;
            let status = ndis!(NdisCoCreateVc(other, af, callee.cast(), &raw mut handle));
            assert_eq!(status, n::NDIS_STATUS_FAILURE);
        }
        Slip::DeletesClients => {
            let status = ndis!(NdisCoDeleteVc(at(caller).handle.load(SeqCst)));
            assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
        }
        Slip::Names => {
            let handle = at(caller).handle.load(SeqCst);
            let named = super::super::names::name(handle, Some("Call"), true).map(|_| SUCCESS);
            let told = super::super::names::call_id(handle).map(|_| SUCCESS);
            let mut statuses = shared.statuses.lock().unwrap();
            statuses.extend([named, told].map(|result| result.unwrap_or_else(|status| status)));
        }
        Slip::SendsOnClients => hello(shared, at(caller).handle.load(SeqCst)),
        _ => {}
    }
    let status = ndis!(NdisCoCreateVc(
        binding,
        at(af).handle,
        callee.cast(),
        &raw mut handle
    ));
    if status != SUCCESS {
        at(caller).peer.store(null_mut(), SeqCst);
        free_vc(callee);
        return status;
    }
    at(callee).handle.store(handle, SeqCst);
    if shared.slip == Slip::DispatchesInactive {
        let sap = at(sap.0).handle;
        let status = ndis!(NdisCmDispatchIncomingCall(sap, handle, params));
        assert_eq!(status, n::NDIS_STATUS_VC_NOT_ACTIVATED);
    }
    activate(callee);
    if shared.slip == Slip::DeletesEarly {
        let status = ndis!(NdisCoDeleteVc(handle));
        assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
    }
    PENDING
}

fn set_channel(vc: *mut Vc, channel: u32) {
    let media = at(vc).media.load(SeqCst);
    // SAFETY: made by `media`.
    let specific = unsafe { &raw mut (*media).media.MediaSpecific.Parameters };
    // SAFETY: as there.
    unsafe { specific.cast::<u32>().write_unaligned(channel) };
}

pub(super) fn activate(vc: *mut Vc) {
    let (handle, params) = (at(vc).handle.load(SeqCst), at(vc).params());
    let shared = of(at(vc).shared);
    if shared.slip == Slip::AsMcm {
        let activated = ndis!(NdisMCmActivateVc(handle, params));
        let deactivated = ndis!(NdisMCmDeactivateVc(handle));
        let deleted = ndis!(NdisMCmDeleteVc(handle));
        let binding = shared.binding.load(SeqCst);
        let mut out = null_mut();
        let made = ndis!(NdisMCmCreateVc(
            binding,
            null_mut(),
            null_mut(),
            &raw mut out
        ));
        assert_eq!(
            [activated, deactivated, deleted, made],
            [n::NDIS_STATUS_FAILURE; 4]
        );
    }
    let status = ndis!(NdisCmActivateVc(handle, params));
    if status != PENDING {
        activated(status, vc);
        return;
    }
    match shared.slip {
        Slip::ActivatesTwice if !at(vc).by_client => {
            let status = ndis!(NdisCmActivateVc(handle, params));
            assert_eq!(status, n::NDIS_STATUS_FAILURE);
        }
        Slip::FreesParameters => {
            let again = media(channel_of(params).expect("a channel"));
            ndis!(ExFreePoolWithTag(params.cast(), TAG));
            at(vc).media.store(again, SeqCst);
        }
        _ => {}
    }
}

pub(super) unsafe extern "system" fn activate_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
) {
    let vc: *mut Vc = context.cast();
    if of(at(vc).shared).slip != Slip::FreesParameters {
        assert_eq!(params, at(vc).params());
    }
    activated(status, vc);
}

fn activated(status: NDIS_STATUS, vc: *mut Vc) {
    let this = at(vc);
    let shared = of(this.shared);
    if this.af.is_null() {
        if shared.slip == Slip::CallsOnOwnVc {
            calls_on(this.handle.load(SeqCst), this.params());
        }
        if status != SUCCESS {
            bury(vc);
            return;
        }
        shared.tables.lock().unwrap().own = Some(P(vc));
        return;
    }
    if shared.slip == Slip::Rounds && status == SUCCESS {
        let rates = rates(this.media.load(SeqCst));
        shared.rates.lock().unwrap().push(rates);
    }
    let handle = this.handle.load(SeqCst);
    let peer = this.peer.load(SeqCst);
    if this.by_client {
        let params = this.params.load(SeqCst);
        if this.changing.swap(0, SeqCst) == 1 {
            shared.statuses.lock().unwrap().push(status);
            return;
        }
        if status != SUCCESS {
            // The callee has accepted: it hears that there is no call after all.
            at(peer).peer.store(null_mut(), SeqCst);
            let callee = at(peer).handle.load(SeqCst);
            this.peer.store(null_mut(), SeqCst);
            ndis!(NdisCmDispatchIncomingCloseCall(
                status,
                callee,
                null_mut(),
                0
            ));
            complete_make(status, vc);
            return;
        }
        let times = 1 + u32::from(shared.slip == Slip::CompletesTwice);
        for _ in 0..times {
            ndis!(NdisCmMakeCallComplete(
                SUCCESS,
                handle,
                null_mut(),
                null_mut(),
                params
            ));
        }
        let callee = at(peer).handle.load(SeqCst);
        ndis!(NdisCmDispatchCallConnected(callee));
        match shared.slip {
            Slip::Changes => {
                this.changing.store(1, SeqCst);
                let status = ndis!(NdisCmActivateVc(handle, this.params()));
                if status != PENDING {
                    this.changing.store(0, SeqCst);
                    shared.statuses.lock().unwrap().push(status);
                }
            }
            Slip::DeactivatesUnasked => {
                ndis!(NdisCmDeactivateVc(callee));
                let params = at(peer).params();
                ndis!(NdisCmActivateVc(callee, params));
            }
            _ => {}
        }
        return;
    }
    if status != SUCCESS {
        at(peer).peer.store(null_mut(), SeqCst);
        bury(vc);
        complete_make(status, peer);
        return;
    }
    let sap = at(this.sap.load(SeqCst)).handle;
    let params = at(peer).params.load(SeqCst);
    let status = ndis!(NdisCmDispatchIncomingCall(sap, handle, params));
    if status != PENDING {
        answered(status, vc);
    }
}

/// What is for VCs with clients.
fn calls_on(vc: NDIS_HANDLE, params: *mut CO_CALL_PARAMETERS) {
    let none = null_mut();
    ndis!(NdisCmMakeCallComplete(SUCCESS, vc, none, none, params));
    ndis!(NdisCmCloseCallComplete(SUCCESS, vc, none));
    ndis!(NdisCmDispatchCallConnected(vc));
    ndis!(NdisCmDispatchIncomingCloseCall(SUCCESS, vc, none, 0));
}

/// Deletes an idle VC of its own.
fn bury(vc: *mut Vc) {
    let handle = at(vc).handle.load(SeqCst);
    let status = ndis!(NdisCoDeleteVc(handle));
    assert_eq!(status, SUCCESS);
    free_vc(vc);
}

fn complete_make(status: NDIS_STATUS, caller: *mut Vc) {
    let (handle, params) = (
        at(caller).handle.load(SeqCst),
        at(caller).params.load(SeqCst),
    );
    ndis!(NdisCmMakeCallComplete(
        status,
        handle,
        null_mut(),
        null_mut(),
        params
    ));
}

pub(super) unsafe extern "system" fn incoming_call_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
) {
    answered(status, context.cast());
}

fn answered(status: NDIS_STATUS, callee: *mut Vc) {
    let this = at(callee);
    if status == SUCCESS && of(this.shared).slip == Slip::ConnectsInactive {
        complete_make(SUCCESS, this.peer.load(SeqCst));
        return;
    }
    if status == SUCCESS {
        activate(this.peer.load(SeqCst));
        return;
    }
    this.answer.store(status as u32, SeqCst);
    deactivate(callee, Stage::Refused);
}

pub(super) unsafe extern "system" fn close_call(
    context: NDIS_HANDLE,
    _: NDIS_HANDLE,
    _: *mut c_void,
    _: u32,
) -> NDIS_STATUS {
    let vc: *mut Vc = context.cast();
    let peer = {
        let _tables = of(at(vc).shared).tables.lock().unwrap();
        let peer = at(vc).peer.swap(null_mut(), SeqCst);
        if !peer.is_null() {
            at(peer).peer.store(null_mut(), SeqCst);
        }
        peer
    };
    if !peer.is_null() {
        let other = at(peer).handle.load(SeqCst);
        ndis!(NdisCmDispatchIncomingCloseCall(
            SUCCESS,
            other,
            null_mut(),
            0
        ));
    }
    deactivate(vc, Stage::Closing);
    PENDING
}

pub(super) fn deactivate(vc: *mut Vc, stage: Stage) {
    at(vc).stage.store(stage as u32, SeqCst);
    let (handle, slip) = (at(vc).handle.load(SeqCst), of(at(vc).shared).slip);
    let status = ndis!(NdisCmDeactivateVc(handle));
    if slip == Slip::DeactivatesTwice {
        let status = ndis!(NdisCmDeactivateVc(handle));
        assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
    }
    // Its own is not gone before this function has returned, unlike others.
    if slip == Slip::DeletesEarly && stage == Stage::Leaving && status == PENDING {
        let status = ndis!(NdisCoDeleteVc(handle));
        assert!(matches!(
            status,
            n::NDIS_STATUS_CLOSING | n::NDIS_STATUS_NOT_ACCEPTED
        ));
        of(at(vc).shared).statuses.lock().unwrap().push(status);
    }
    if status != PENDING {
        deactivated(status, vc);
    }
}

pub(super) unsafe extern "system" fn deactivate_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
) {
    deactivated(status, context.cast());
}

fn deactivated(status: NDIS_STATUS, vc: *mut Vc) {
    assert_eq!(status, SUCCESS);
    let this = at(vc);
    let stage = this.stage.swap(Stage::Idle as u32, SeqCst);
    let (handle, by_client) = (this.handle.load(SeqCst), this.by_client);
    if stage == Stage::Closing as u32 {
        // A client's VC can be gone with this call.
        ndis!(NdisCmCloseCallComplete(SUCCESS, handle, null_mut()));
        if !by_client {
            bury(vc);
        }
    } else if stage == Stage::Refused as u32 {
        let (caller, answer) = (this.peer.load(SeqCst), this.answer.load(SeqCst));
        at(caller).peer.store(null_mut(), SeqCst);
        bury(vc);
        complete_make(answer as i32, caller);
    } else if stage == Stage::Leaving as u32 {
        let shared = of(this.shared);
        bury(vc);
        shared.tables.lock().unwrap().own = None;
    }
}

/// Says hello on its own VC.
pub(super) fn greet(shared: &Shared) {
    let own = shared.tables.lock().unwrap().own.expect("it is active");
    hello(shared, at(own.0).handle.load(SeqCst));
}

pub(super) fn hello(shared: &Shared, handle: NDIS_HANDLE) {
    let (pool, mdl) = (shared.pool.load(SeqCst), shared.mdl.load(SeqCst));
    let list = ndis!(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, 8));
    // SAFETY: the list was just allocated.
    unsafe { (*list).SourceHandle = handle };
    ndis!(NdisCoSendNetBufferLists(handle, list, 0));
}

pub(super) unsafe extern "system" fn send_complete(
    _: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _: u32,
) {
    let mut list = lists;
    while !list.is_null() {
        // SAFETY: a list that came back.
        let next = unsafe { next_of(list) };
        ndis!(NdisFreeNetBufferList(list));
        list = next;
    }
}

pub(super) unsafe extern "system" fn receive(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    count: u32,
    _: u32,
) {
    let shared = me(context);
    let own = shared.tables.lock().unwrap().own;
    assert_eq!(own.map(|own| own.0), Some(vc.cast()));
    shared.heard.fetch_add(count, SeqCst);
    ndis!(NdisReturnNetBufferLists(
        shared.binding.load(SeqCst),
        lists,
        0
    ));
}
