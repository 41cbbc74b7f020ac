//! The pair on the raw interface, as a careful C driver is.
//!
//! Contexts are plain pointers. One interlocked word for each VC holds its flags and how many lists are
//! out; one for each adapter and each binding counts theirs. The client's VCs are doubly linked, under
//! their family's spin lock. That is what it takes for a close, a pause and an unbind to wait for what
//! is out.
//!
//! # Safety
//!
//! As in C: each function is unsafe as a whole. The contexts are those that these drivers have given to
//! NDIS, alive from the call that makes them to the one that deletes them; the rest is NDIS's contract.

#![allow(
    unsafe_op_in_unsafe_fn,
    clippy::multiple_unsafe_ops_per_block,
    clippy::undocumented_unsafe_blocks
)]

mod client;
mod manager;

use ndis_sys::{
    CO_CALL_MANAGER_PARAMETERS, CO_CALL_PARAMETERS, CO_MEDIA_PARAMETERS, ExAllocatePool2,
    ExFreePoolWithTag, FLOWSPEC, MmGetSystemAddressForMdlSafe, NDIS_HANDLE, NDIS_OBJECT_HEADER,
    NDIS_STATUS, NET_BUFFER_CURRENT_MDL, NET_BUFFER_DATA_LENGTH, NET_BUFFER_LIST,
    NET_BUFFER_LIST_FIRST_NB, NET_BUFFER_LIST_NEXT_NBL, NdisAllocateNetBufferList,
    NdisFreeNetBufferList, NormalPagePriority, POOL_FLAG_NON_PAGED,
};
use std::ptr::null_mut;

use crate::{pair::Pair, place::Place};

const OK: NDIS_STATUS = 0;
const PENDING: NDIS_STATUS = 0x103;
const FAILURE: NDIS_STATUS = 0xC000_0001_u32 as NDIS_STATUS;
const RESOURCES: NDIS_STATUS = 0xC000_009A_u32 as NDIS_STATUS;
const TAG: u32 = u32::from_le_bytes(*b"Bnch");
/// The number that is called.
const NUMBER: u32 = 7;
/// The data of a frame.
const FRAME: [u8; 64] = [1; 64];

/// The word of a VC: flags above, lists out below.
const UP: u64 = 1 << 63;
const ENDING: u64 = 1 << 62;
const COUNT: u64 = (1 << 32) - 1;

/// Lists at home.
static SENDS: Place<*mut NET_BUFFER_LIST> = Place::new();
static RECEIVES: Place<*mut NET_BUFFER_LIST> = Place::new();

pub static PAIR: Pair = Pair {
    load,
    up: client::up,
    fill,
    send: client::send,
    receive: manager::receive,
    read,
    allocate,
    call: client::call,
    call_later: client::call,
    call_in,
    crowd: client::crowd,
    close_family: None,
    close_family_later: None,
};

unsafe extern "C" fn load() {
    manager::register();
    client::register();
}

/// A context in memory of the pool; null when there is none.
unsafe fn make<T>(value: T) -> *mut T {
    let memory: *mut T = ExAllocatePool2(POOL_FLAG_NON_PAGED, size_of::<T>() as _, TAG).cast();
    if !memory.is_null() {
        memory.write(value);
    }
    memory
}

unsafe fn release<T>(memory: *mut T) {
    ExFreePoolWithTag(memory.cast(), TAG);
}

fn header(kind: i64, revision: u8, size: usize) -> NDIS_OBJECT_HEADER {
    NDIS_OBJECT_HEADER {
        Type: kind as u8,
        Revision: revision,
        Size: size as u16,
    }
}

#[inline(always)]
unsafe fn next(list: *mut NET_BUFFER_LIST) -> *mut NET_BUFFER_LIST {
    *NET_BUFFER_LIST_NEXT_NBL(list)
}

/// Call parameters and what they point to, in one block.
#[repr(C)]
struct Parameters {
    head: CO_CALL_PARAMETERS,
    manager: CO_CALL_MANAGER_PARAMETERS,
    /// The bytes of `manager` beyond those that it declares.
    rest: [u8; 8],
    media: CO_MEDIA_PARAMETERS,
}

/// The parameters of a call to the number.
unsafe fn parameters() -> *mut CO_CALL_PARAMETERS {
    let size = size_of::<Parameters>();
    // It comes zeroed.
    let memory: *mut Parameters = ExAllocatePool2(POOL_FLAG_NON_PAGED, size as _, TAG).cast();
    if memory.is_null() {
        return null_mut();
    }
    let flow = |flow: *mut FLOWSPEC| {
        (*flow).TokenRate = u32::MAX;
        (*flow).TokenBucketSize = u32::MAX;
        (*flow).PeakBandwidth = u32::MAX;
        (*flow).Latency = u32::MAX;
        (*flow).DelayVariation = u32::MAX;
        (*flow).ServiceType = 1;
        (*flow).MaxSduSize = 1500;
        (*flow).MinimumPolicedSize = u32::MAX;
    };
    flow(&raw mut (*memory).manager.Transmit);
    flow(&raw mut (*memory).manager.Receive);
    let specific = &raw mut (*memory).manager.CallMgrSpecific;
    (*specific).ParamType = 1;
    (*specific).Length = 4;
    (&raw mut (*specific).Parameters)
        .cast::<u32>()
        .write_unaligned(NUMBER);
    (*memory).media.Flags = 3;
    (*memory).head.CallMgrParameters = &raw mut (*memory).manager;
    (*memory).head.MediaParameters = &raw mut (*memory).media;
    memory.cast()
}

unsafe fn frame(pool: NDIS_HANDLE) -> *mut NET_BUFFER_LIST {
    // Of a pool with buffers and data: this is the function for it.
    let list = NdisAllocateNetBufferList(pool, 0, 0);
    let buffer = *NET_BUFFER_LIST_FIRST_NB(list);
    *NET_BUFFER_DATA_LENGTH(buffer) = FRAME.len() as _;
    let mdl = *NET_BUFFER_CURRENT_MDL(buffer);
    let start = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority as u32);
    start.cast::<[u8; FRAME.len()]>().write(FRAME);
    list
}

unsafe extern "C" fn fill(count: usize) {
    for (place, pool) in [(&SENDS, client::pool()), (&RECEIVES, manager::pool())] {
        let mut first = null_mut();
        for _ in 0..count {
            let list = frame(pool);
            *NET_BUFFER_LIST_NEXT_NBL(list) = first;
            first = list;
        }
        place.put(first);
    }
}

unsafe extern "C" fn read(count: usize) {
    client::read();
    manager::receive(count);
}

unsafe extern "C" fn call_in(_: usize) {
    if manager::call_in() {
        client::hang_up_taken();
    }
}

unsafe extern "C" fn allocate(_: usize) {
    NdisFreeNetBufferList(std::hint::black_box(frame(manager::pool())));
}
