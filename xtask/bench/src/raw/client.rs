//! The raw client.

use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, LIST_ENTRY, MdlMappingNoExecute,
    MmGetSystemAddressForMdlSafe, NDIS_BIND_PARAMETERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS,
    NDIS_HANDLE, NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
    NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS, NDIS_OPEN_PARAMETERS,
    NDIS_PROTOCOL_CO_CHARACTERISTICS, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    NDIS_RECEIVE_FLAGS_RESOURCES, NDIS_SPIN_LOCK, NDIS_STATUS, NET_BUFFER_CURRENT_MDL,
    NET_BUFFER_CURRENT_MDL_OFFSET, NET_BUFFER_DATA_LENGTH, NET_BUFFER_LIST,
    NET_BUFFER_LIST_FIRST_NB, NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_NEXT_NB,
    NET_PNP_EVENT_NOTIFICATION, NdisAcquireSpinLock, NdisAllocateNetBufferListPool,
    NdisClCloseCall, NdisClMakeCall, NdisClOpenAddressFamilyEx, NdisClRegisterSap, NdisCoCreateVc,
    NdisCoDeleteVc, NdisCoSendNetBufferLists, NdisOpenAdapterEx, NdisRegisterProtocolDriver,
    NdisReleaseSpinLock, NdisReturnNetBufferLists, NdisSetEvent, NdisSetOptionalHandlers,
    NetEventRestart, NormalPagePriority, zeroed,
};
use std::{
    ptr::null_mut,
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use super::{
    COUNT, ENDING, FAILURE, FRAME, OK, PENDING, RESOURCES, SENDS, UP, header, make, next,
    parameters, release,
};
use crate::place::Place;

/// The family, the call that is up, and the one that came in last.
static AF: Place<*mut Af> = Place::new();
static CALL: Place<*mut Vc> = Place::new();
static TAKEN: Place<*mut Vc> = Place::new();
/// Are frames copied?
static READ: AtomicBool = AtomicBool::new(false);

struct Port {
    handle: NDIS_HANDLE,
    running: AtomicBool,
    sends: AtomicU64,
    pool: NDIS_HANDLE,
}

struct Af {
    port: *mut Port,
    handle: NDIS_HANDLE,
    lock: NDIS_SPIN_LOCK,
    vcs: LIST_ENTRY,
}

struct Vc {
    link: LIST_ENTRY,
    af: *mut Af,
    port: *mut Port,
    handle: NDIS_HANDLE,
    word: AtomicU64,
    ours: bool,
    params: *mut CO_CALL_PARAMETERS,
}

pub unsafe fn register() {
    let mut handlers: NDIS_PROTOCOL_DRIVER_CHARACTERISTICS = zeroed();
    handlers.SetOptionsHandler = Some(options);
    handlers.BindAdapterHandlerEx = Some(bind);
    handlers.NetPnPEventHandler = Some(event);
    let mut driver: NDIS_HANDLE = null_mut();
    NdisRegisterProtocolDriver(null_mut(), &raw mut handlers, &raw mut driver);
}

pub unsafe fn pool() -> NDIS_HANDLE {
    AF.with(|af| (*(**af).port).pool).unwrap_or(null_mut())
}

unsafe extern "system" fn options(driver: NDIS_HANDLE, _context: NDIS_HANDLE) -> NDIS_STATUS {
    let mut data: NDIS_PROTOCOL_CO_CHARACTERISTICS = zeroed();
    let kind = i64::from(NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS);
    data.Header = header(kind, 1, size_of_val(&data));
    data.CoAfRegisterNotifyHandler = Some(family);
    data.CoReceiveNetBufferListsHandler = Some(receive);
    data.CoSendNetBufferListsCompleteHandler = Some(send_complete);
    NdisSetOptionalHandlers(driver, (&raw mut data).cast());
    let mut calls: NDIS_CO_CLIENT_OPTIONAL_HANDLERS = zeroed();
    let kind = i64::from(NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS);
    calls.Header = header(kind, 1, size_of_val(&calls));
    calls.ClCreateVcHandler = Some(create_vc);
    calls.ClDeleteVcHandler = Some(delete_vc);
    calls.ClMakeCallCompleteHandler = Some(make_call_complete);
    calls.ClCloseCallCompleteHandler = Some(close_call_complete);
    calls.ClIncomingCallHandler = Some(incoming_call);
    calls.ClCallConnectedHandler = Some(call_connected);
    NdisSetOptionalHandlers(driver, (&raw mut calls).cast())
}

unsafe extern "system" fn bind(
    _driver: NDIS_HANDLE,
    context: NDIS_HANDLE,
    _parameters: *mut NDIS_BIND_PARAMETERS,
) -> NDIS_STATUS {
    let port = make(Port {
        handle: null_mut(),
        running: AtomicBool::new(false),
        sends: AtomicU64::new(0),
        pool: null_mut(),
    });
    if port.is_null() {
        return RESOURCES;
    }
    let mut open: NDIS_OPEN_PARAMETERS = zeroed();
    let handle = &raw mut (*port).handle;
    NdisOpenAdapterEx(null_mut(), port.cast(), &raw mut open, context, handle);
    let mut pool: NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
    pool.fAllocateNetBuffer = 1;
    pool.DataSize = 1500;
    (*port).pool = NdisAllocateNetBufferListPool((*port).handle, &raw const pool);
    OK
}

unsafe extern "system" fn event(
    context: NDIS_HANDLE,
    event: *mut NET_PNP_EVENT_NOTIFICATION,
) -> NDIS_STATUS {
    if (*event).NetPnPEvent.NetEvent == NetEventRestart {
        (*context.cast::<Port>()).running.store(true, Release);
    }
    OK
}

unsafe extern "system" fn family(context: NDIS_HANDLE, family: *mut CO_ADDRESS_FAMILY) {
    let port: *mut Port = context.cast();
    let af = make(Af {
        port,
        handle: null_mut(),
        lock: zeroed(),
        vcs: zeroed(),
    });
    if af.is_null() {
        return;
    }
    (*af).vcs.Flink = &raw mut (*af).vcs;
    (*af).vcs.Blink = &raw mut (*af).vcs;
    AF.put(af);
    NdisClOpenAddressFamilyEx((*port).handle, family, af.cast(), &raw mut (*af).handle);
    let address = make(CO_SAP {
        SapType: 1,
        SapLength: 1,
        Sap: [7],
    });
    let mut sap: NDIS_HANDLE = null_mut();
    NdisClRegisterSap((*af).handle, af.cast(), address, &raw mut sap);
}

unsafe fn new_vc(af: *mut Af, handle: NDIS_HANDLE, ours: bool) -> *mut Vc {
    let vc = make(Vc {
        link: LIST_ENTRY {
            Flink: null_mut(),
            Blink: null_mut(),
        },
        af,
        port: (*af).port,
        handle,
        word: AtomicU64::new(0),
        ours,
        params: null_mut(),
    });
    if vc.is_null() {
        return vc;
    }
    // Into the family's list, which its close walks.
    NdisAcquireSpinLock(&raw mut (*af).lock);
    let head = &raw mut (*af).vcs;
    let link = &raw mut (*vc).link;
    (*link).Flink = head;
    (*link).Blink = (*head).Blink;
    (*(*head).Blink).Flink = link;
    (*head).Blink = link;
    NdisReleaseSpinLock(&raw mut (*af).lock);
    vc
}

unsafe fn free_vc(vc: *mut Vc) {
    let af = (*vc).af;
    NdisAcquireSpinLock(&raw mut (*af).lock);
    let link = &raw mut (*vc).link;
    (*(*link).Blink).Flink = (*link).Flink;
    (*(*link).Flink).Blink = (*link).Blink;
    NdisReleaseSpinLock(&raw mut (*af).lock);
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

unsafe extern "system" fn make_call_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    _params: *mut CO_CALL_PARAMETERS,
) {
    made(context.cast(), status);
}

unsafe fn made(vc: *mut Vc, status: NDIS_STATUS) {
    if status == OK {
        (*vc).word.fetch_or(UP, AcqRel);
    }
    let params = std::mem::replace(&mut (*vc).params, null_mut());
    if !params.is_null() {
        release(params);
    }
}

unsafe extern "system" fn close_call_complete(
    _status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _party: NDIS_HANDLE,
) {
    closed(context.cast());
}

unsafe fn closed(vc: *mut Vc) {
    if (*vc).ours {
        NdisCoDeleteVc((*vc).handle);
        free_vc(vc);
    }
}

unsafe extern "system" fn incoming_call(
    _sap: NDIS_HANDLE,
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    if params.is_null() {
        return FAILURE;
    }
    TAKEN.put(context.cast());
    OK
}

unsafe extern "system" fn call_connected(context: NDIS_HANDLE) {
    (*context.cast::<Vc>()).word.fetch_or(UP, AcqRel);
}

unsafe extern "system" fn receive(
    context: NDIS_HANDLE,
    _vc: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _count: u32,
    flags: u32,
) {
    if READ.load(Relaxed) {
        let mut frame = [0; FRAME.len()];
        let mut list = lists;
        while !list.is_null() {
            assert!(copy(list, &mut frame));
            std::hint::black_box(&frame);
            list = next(list);
        }
    }
    if flags & NDIS_RECEIVE_FLAGS_RESOURCES as u32 == 0 {
        NdisReturnNetBufferLists((*context.cast::<Port>()).handle, lists, 0);
    }
}

/// Copies the data of a list, buffer by buffer and MDL by MDL.
unsafe fn copy(list: *mut NET_BUFFER_LIST, to: &mut [u8; FRAME.len()]) -> bool {
    let mut at = 0;
    let mut buffer = *NET_BUFFER_LIST_FIRST_NB(list);
    while !buffer.is_null() {
        let mut left = *NET_BUFFER_DATA_LENGTH(buffer) as usize;
        if at + left > to.len() {
            return false;
        }
        let mut mdl = *NET_BUFFER_CURRENT_MDL(buffer);
        let mut skip = *NET_BUFFER_CURRENT_MDL_OFFSET(buffer) as usize;
        while left > 0 {
            let priority = (NormalPagePriority | MdlMappingNoExecute) as u32;
            let start = MmGetSystemAddressForMdlSafe(mdl, priority).cast::<u8>();
            if start.is_null() {
                return false;
            }
            let count = left.min((*mdl).ByteCount as usize - skip);
            let target = to.as_mut_ptr().add(at);
            std::ptr::copy_nonoverlapping(start.add(skip), target, count);
            at += count;
            left -= count;
            skip = 0;
            mdl = (*mdl).Next;
        }
        buffer = *NET_BUFFER_NEXT_NB(buffer);
    }
    true
}

unsafe extern "system" fn send_complete(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
    let vc: *mut Vc = context.cast();
    let port = (*vc).port;
    SENDS.put(lists);
    let mut count = 0;
    let mut list = lists;
    while !list.is_null() {
        count += 1;
        list = next(list);
    }
    port_home(port, count);
    vc_home(vc, count);
}

/// So many of a binding's lists are home.
#[inline(always)]
unsafe fn port_home(port: *mut Port, count: u64) {
    let last = (*port).sends.fetch_sub(count, AcqRel) == count;
    if last && !(*port).running.load(Acquire) {
        // The pause waits for it.
        NdisSetEvent(null_mut());
    }
}

/// So many of a VC's lists are home.
#[inline(always)]
unsafe fn vc_home(vc: *mut Vc, count: u64) {
    let before = (*vc).word.fetch_sub(count, AcqRel);
    if before & (ENDING | COUNT) == ENDING | count {
        close(vc);
    }
}

unsafe fn send_lists(vc: *mut Vc, lists: *mut NET_BUFFER_LIST, count: u64) -> bool {
    let port = (*vc).port;
    (*port).sends.fetch_add(count, AcqRel);
    if !(*port).running.load(Acquire) {
        port_home(port, count);
        return false;
    }
    if (*vc).word.fetch_add(count, AcqRel) & (UP | ENDING) != UP {
        vc_home(vc, count);
        port_home(port, count);
        return false;
    }
    let handle = (*vc).handle;
    let mut list = lists;
    while !list.is_null() {
        (*list).SourceHandle = handle;
        list = next(list);
    }
    NdisCoSendNetBufferLists(handle, lists, 0);
    true
}

unsafe fn close(vc: *mut Vc) {
    let status = NdisClCloseCall((*vc).handle, null_mut(), null_mut(), 0);
    if status != PENDING {
        closed(vc);
    }
}

unsafe fn hang_up(vc: *mut Vc) {
    if (*vc).word.fetch_or(ENDING, AcqRel) & (ENDING | COUNT) == 0 {
        close(vc);
    }
}

pub unsafe fn hang_up_taken() {
    hang_up(TAKEN.take().expect("a call that was taken"));
}

unsafe fn dial() -> *mut Vc {
    let af = AF.with(|af| *af).expect("a family");
    let vc = new_vc(af, null_mut(), true);
    if vc.is_null() {
        return vc;
    }
    let port = (*(*af).port).handle;
    if NdisCoCreateVc(port, (*af).handle, vc.cast(), &raw mut (*vc).handle) != OK {
        free_vc(vc);
        return null_mut();
    }
    let params = parameters();
    (*vc).params = params;
    let status = NdisClMakeCall((*vc).handle, params, null_mut(), null_mut());
    if status != PENDING {
        made(vc, status);
    }
    vc
}

pub unsafe extern "C" fn up(_: usize) {
    CALL.put(dial());
}

pub unsafe extern "C" fn call(_: usize) {
    hang_up(dial());
}

pub unsafe extern "C" fn crowd(count: usize) {
    for _ in 0..count {
        dial();
    }
}

pub unsafe extern "C" fn send(count: usize) {
    let lists = SENDS.take().expect("lists at home");
    CALL.with(|vc| assert!(send_lists(*vc, lists, count as u64)));
}

/// From now on frames are copied.
#[inline(always)]
pub unsafe fn read() {
    READ.store(true, Relaxed);
}
