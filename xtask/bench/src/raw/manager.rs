//! The raw call manager.

use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES, NDIS_MINIPORT_CO_CHARACTERISTICS,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_MINIPORT_INIT_PARAMETERS,
    NDIS_MINIPORT_RESTART_PARAMETERS, NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES, NDIS_STATUS, NET_BUFFER_LIST,
    NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_LIST_STATUS, NdisAllocateNetBufferListPool,
    NdisMCmActivateVc, NdisMCmCloseAddressFamilyComplete, NdisMCmCloseCallComplete,
    NdisMCmCreateVc, NdisMCmDeactivateVc, NdisMCmDeleteVc, NdisMCmDispatchCallConnected,
    NdisMCmDispatchIncomingCall, NdisMCmMakeCallComplete, NdisMCmRegisterAddressFamilyEx,
    NdisMCoIndicateReceiveNetBufferLists, NdisMCoSendNetBufferListsComplete, NdisMPauseComplete,
    NdisMRegisterMiniportDriver, NdisMSetMiniportAttributes, NdisSetOptionalHandlers, c_void,
    zeroed,
};
use std::{
    ptr::null_mut,
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{AcqRel, Acquire, Release},
    },
};

use super::{
    COUNT, ENDING, FAILURE, NUMBER, OK, PENDING, RECEIVES, RESOURCES, UP, header, make, next,
    parameters, release,
};
use crate::place::Place;

const CLOSING: NDIS_STATUS = 0xC001_0002_u32 as NDIS_STATUS;
const PAUSED: NDIS_STATUS = 0xC023_002A_u32 as NDIS_STATUS;

/// The one adapter, its family, and the call that came up first.
static NIC: Place<*mut Nic> = Place::new();
static AF: Place<*mut Af> = Place::new();
static CALL: Place<*mut Vc> = Place::new();

struct Nic {
    handle: NDIS_HANDLE,
    running: AtomicBool,
    pausing: AtomicBool,
    out: AtomicU64,
    pool: NDIS_HANDLE,
    family: CO_ADDRESS_FAMILY,
}

struct Af {
    nic: *mut Nic,
    handle: NDIS_HANDLE,
    children: AtomicU64,
    sap: NDIS_HANDLE,
}

struct Vc {
    af: *mut Af,
    nic: *mut Nic,
    handle: NDIS_HANDLE,
    word: AtomicU64,
    ours: bool,
    params: *mut CO_CALL_PARAMETERS,
}

pub unsafe fn register() {
    let mut handlers: NDIS_MINIPORT_DRIVER_CHARACTERISTICS = zeroed();
    handlers.SetOptionsHandler = Some(options);
    handlers.InitializeHandlerEx = Some(initialize);
    handlers.RestartHandler = Some(restart);
    handlers.ReturnNetBufferListsHandler = Some(take_back);
    let (object, path, context) = (null_mut(), null_mut(), null_mut());
    let mut driver: NDIS_HANDLE = null_mut();
    NdisMRegisterMiniportDriver(object, path, context, &raw mut handlers, &raw mut driver);
}

pub unsafe fn pool() -> NDIS_HANDLE {
    NIC.with(|nic| (**nic).pool).unwrap_or(null_mut())
}

unsafe extern "system" fn options(driver: NDIS_HANDLE, _context: NDIS_HANDLE) -> NDIS_STATUS {
    let mut data: NDIS_MINIPORT_CO_CHARACTERISTICS = zeroed();
    let kind = i64::from(NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS);
    data.Header = header(kind, 1, size_of_val(&data));
    data.CoSendNetBufferListsHandler = Some(send);
    NdisSetOptionalHandlers(driver, (&raw mut data).cast());
    let mut calls: NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS = zeroed();
    let kind = i64::from(NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS);
    calls.Header = header(kind, 1, size_of_val(&calls));
    calls.CmOpenAfHandler = Some(open_af);
    calls.CmRegisterSapHandler = Some(register_sap);
    calls.CmCreateVcHandler = Some(create_vc);
    calls.CmDeleteVcHandler = Some(delete_vc);
    calls.CmMakeCallHandler = Some(make_call);
    calls.CmCloseCallHandler = Some(close_call);
    calls.CmIncomingCallCompleteHandler = Some(incoming_complete);
    NdisSetOptionalHandlers(driver, (&raw mut calls).cast())
}

unsafe extern "system" fn initialize(
    handle: NDIS_HANDLE,
    _context: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_INIT_PARAMETERS,
) -> NDIS_STATUS {
    let mut pool: NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
    pool.fAllocateNetBuffer = 1;
    pool.DataSize = 1500;
    let nic = make(Nic {
        handle,
        running: AtomicBool::new(false),
        pausing: AtomicBool::new(false),
        out: AtomicU64::new(0),
        pool: NdisAllocateNetBufferListPool(handle, &raw const pool),
        family: CO_ADDRESS_FAMILY {
            AddressFamily: 0x4C6F_6F70,
            MajorVersion: 1,
            MinorVersion: 0,
        },
    });
    if nic.is_null() {
        return RESOURCES;
    }
    NIC.put(nic);
    let mut attributes: NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES = zeroed();
    let kind = i64::from(NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES);
    attributes.Header = header(kind, 1, size_of_val(&attributes));
    attributes.MiniportAdapterContext = nic.cast();
    NdisMSetMiniportAttributes(handle, (&raw mut attributes).cast());
    NdisMCmRegisterAddressFamilyEx(handle, &raw mut (*nic).family)
}

unsafe extern "system" fn restart(
    context: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_RESTART_PARAMETERS,
) -> NDIS_STATUS {
    (*context.cast::<Nic>()).running.store(true, Release);
    OK
}

unsafe extern "system" fn open_af(
    context: NDIS_HANDLE,
    _family: *mut CO_ADDRESS_FAMILY,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let af = make(Af {
        nic: context.cast(),
        handle,
        children: AtomicU64::new(0),
        sap: null_mut(),
    });
    if af.is_null() {
        return RESOURCES;
    }
    AF.put(af);
    *out = af.cast();
    OK
}

unsafe extern "system" fn register_sap(
    context: NDIS_HANDLE,
    _address: *mut CO_SAP,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    (*context.cast::<Af>()).sap = handle;
    *out = context;
    OK
}

unsafe fn new_vc(af: *mut Af, handle: NDIS_HANDLE, ours: bool) -> *mut Vc {
    let vc = make(Vc {
        af,
        nic: (*af).nic,
        handle,
        word: AtomicU64::new(0),
        ours,
        params: null_mut(),
    });
    if !vc.is_null() {
        (*af).children.fetch_add(1, AcqRel);
    }
    vc
}

unsafe fn free_vc(vc: *mut Vc) {
    let af = (*vc).af;
    // The last child ends a close that waits.
    let last = (*af).children.fetch_sub(1, AcqRel) & COUNT == 1;
    if last && (*af).children.load(Acquire) & ENDING != 0 {
        NdisMCmCloseAddressFamilyComplete(OK, (*af).handle);
    }
    release(vc);
}

unsafe extern "system" fn create_vc(
    context: NDIS_HANDLE,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let vc = new_vc(context.cast(), handle, false);
    if vc.is_null() {
        return RESOURCES;
    }
    *out = vc.cast();
    OK
}

unsafe extern "system" fn delete_vc(context: NDIS_HANDLE) -> NDIS_STATUS {
    free_vc(context.cast());
    OK
}

unsafe extern "system" fn make_call(
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
    _party: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let vc: *mut Vc = context.cast();
    if !out.is_null() {
        *out = null_mut();
    }
    if params.is_null() || (*params).CallMgrParameters.is_null() {
        return FAILURE;
    }
    let specific = &raw const (*(*params).CallMgrParameters).CallMgrSpecific;
    let number = (&raw const (*specific).Parameters).cast::<u32>();
    if (*specific).Length != 4 || number.read_unaligned() != NUMBER {
        return FAILURE;
    }
    (*vc).params = params;
    if NdisMCmActivateVc((*vc).handle, params) == PENDING {
        // Goes on in the completion.
        return PENDING;
    }
    (*vc).word.fetch_or(UP, AcqRel);
    NdisMCmMakeCallComplete(OK, (*vc).handle, null_mut(), null_mut(), params);
    if CALL.with(|_| ()).is_none() {
        CALL.put(vc);
    }
    PENDING
}

unsafe extern "system" fn close_call(
    context: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    _data: *mut c_void,
    _size: u32,
) -> NDIS_STATUS {
    let vc: *mut Vc = context.cast();
    if (*vc).word.fetch_and(!UP, AcqRel) & UP == 0 {
        return FAILURE;
    }
    if (*vc).word.fetch_or(ENDING, AcqRel) & COUNT == 0 {
        closed(vc);
    }
    PENDING
}

/// Nothing is out any more: the close goes on.
unsafe fn closed(vc: *mut Vc) {
    if NdisMCmDeactivateVc((*vc).handle) == PENDING {
        // Goes on in the completion.
        return;
    }
    let ours = (*vc).ours;
    NdisMCmCloseCallComplete(OK, (*vc).handle, null_mut());
    if ours {
        NdisMCmDeleteVc((*vc).handle);
        if !(*vc).params.is_null() {
            release((*vc).params);
        }
        free_vc(vc);
    }
}

unsafe extern "system" fn incoming_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _params: *mut CO_CALL_PARAMETERS,
) {
    answered(context.cast(), status);
}

unsafe fn answered(vc: *mut Vc, status: NDIS_STATUS) {
    if status == OK {
        (*vc).word.fetch_or(UP, AcqRel);
        NdisMCmDispatchCallConnected((*vc).handle);
    }
}

/// So many of a VC's lists are home.
#[inline(always)]
unsafe fn vc_home(vc: *mut Vc, count: u64) {
    let before = (*vc).word.fetch_sub(count, AcqRel);
    if before & (ENDING | COUNT) == ENDING | count {
        closed(vc);
    }
}

/// So many of an adapter's lists are home.
#[inline(always)]
unsafe fn nic_home(nic: *mut Nic, count: u64) {
    let last = (*nic).out.fetch_sub(count, AcqRel) == count;
    if last && (*nic).pausing.load(Acquire) && (*nic).pausing.swap(false, AcqRel) {
        NdisMPauseComplete((*nic).handle);
    }
}

unsafe extern "system" fn send(context: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, _flags: u32) {
    let vc: *mut Vc = context.cast();
    let nic = (*vc).nic;
    // A driver that is done at once needs one walk, for the status.
    let mut count = 0;
    let mut list = lists;
    while !list.is_null() {
        *NET_BUFFER_LIST_STATUS(list) = OK;
        count += 1;
        list = next(list);
    }
    (*nic).out.fetch_add(count, AcqRel);
    let word = (*vc).word.fetch_add(count, AcqRel);
    let running = (*nic).running.load(Acquire);
    if !running || word & UP == 0 {
        let status = if running { CLOSING } else { PAUSED };
        let mut list = lists;
        while !list.is_null() {
            *NET_BUFFER_LIST_STATUS(list) = status;
            list = next(list);
        }
    }
    NdisMCoSendNetBufferListsComplete((*vc).handle, lists, 0);
    nic_home(nic, count);
    vc_home(vc, count);
}

unsafe extern "system" fn take_back(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
    // A run of lists of one VC is counted at once.
    let mut vc: *mut Vc = null_mut();
    let mut run = 0;
    let mut count = 0;
    let mut list = lists;
    while !list.is_null() {
        let its = (*list).MiniportReserved[1].cast::<Vc>();
        if its != vc {
            if run > 0 {
                vc_home(vc, run);
            }
            vc = its;
            run = 0;
        }
        run += 1;
        count += 1;
        list = next(list);
    }
    if run > 0 {
        vc_home(vc, run);
    }
    RECEIVES.put(lists);
    nic_home(context.cast(), count);
}

unsafe fn indicate(vc: *mut Vc, lists: *mut NET_BUFFER_LIST, count: u64) -> bool {
    let nic = (*vc).nic;
    (*nic).out.fetch_add(count, AcqRel);
    if !(*nic).running.load(Acquire) {
        nic_home(nic, count);
        return false;
    }
    if (*vc).word.fetch_add(count, AcqRel) & UP == 0 {
        vc_home(vc, count);
        nic_home(nic, count);
        return false;
    }
    let handle = (*vc).handle;
    let mut list = lists;
    while !list.is_null() {
        (*list).SourceHandle = handle;
        (*list).MiniportReserved[1] = vc.cast();
        list = next(list);
    }
    NdisMCoIndicateReceiveNetBufferLists(handle, lists, count as u32, 0);
    true
}

pub unsafe extern "C" fn receive(count: usize) {
    let lists = RECEIVES.take().expect("lists at home");
    CALL.with(|vc| assert!(indicate(*vc, lists, count as u64)));
}

/// Brings a call; whether there is one.
#[inline(always)]
pub unsafe fn call_in() -> bool {
    let af = AF.with(|af| *af).expect("a family");
    let vc = new_vc(af, null_mut(), true);
    let nic = (*(*af).nic).handle;
    if NdisMCmCreateVc(nic, (*af).handle, vc.cast(), &raw mut (*vc).handle) != OK {
        free_vc(vc);
        return false;
    }
    // A careful C driver uses one block for both.
    let params = parameters();
    (*vc).params = params;
    if NdisMCmActivateVc((*vc).handle, params) == OK {
        let status = NdisMCmDispatchIncomingCall((*af).sap, (*vc).handle, params);
        if status != PENDING {
            answered(vc, status);
        }
    }
    true
}
