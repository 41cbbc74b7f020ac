//! Pools of net buffers and their lists. Of a pool whose lists have a buffer, a list is one block with it,
//! an MDL and the data.

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc},
    ptr::null_mut,
};

use ndis_sys::{
    MDL, MDL_SOURCE_IS_NONPAGED_POOL, NDIS_HANDLE, NET_BUFFER, NET_BUFFER_CURRENT_MDL,
    NET_BUFFER_CURRENT_MDL_OFFSET, NET_BUFFER_DATA_LENGTH, NET_BUFFER_DATA_OFFSET,
    NET_BUFFER_FIRST_MDL, NET_BUFFER_LIST, NET_BUFFER_LIST_FIRST_NB,
    NET_BUFFER_LIST_POOL_PARAMETERS, PNET_BUFFER_POOL_PARAMETERS, PVOID, SIZE_T, ULONG, USHORT,
};

use crate::{export, never_called, world};

#[repr(C)]
struct Block {
    list: NET_BUFFER_LIST,
    buffer: NET_BUFFER,
    mdl: MDL,
}

struct Pool {
    /// How much data a list has; none of a pool of bare lists.
    data: Option<usize>,
}

unsafe fn block(pool: NDIS_HANDLE) -> Layout {
    let Some(data) = (*pool.cast::<Pool>()).data else {
        return Layout::new::<NET_BUFFER_LIST>();
    };
    Layout::from_size_align_unchecked(size_of::<Block>() + data, 16)
}

unsafe fn point(buffer: *mut NET_BUFFER, mdl: *mut MDL, offset: ULONG, length: SIZE_T) {
    *NET_BUFFER_CURRENT_MDL(buffer) = mdl;
    *NET_BUFFER_FIRST_MDL(buffer) = mdl;
    *NET_BUFFER_CURRENT_MDL_OFFSET(buffer) = offset;
    *NET_BUFFER_DATA_OFFSET(buffer) = offset;
    *NET_BUFFER_DATA_LENGTH(buffer) = length as ULONG;
}

unsafe fn describe(mdl: *mut MDL, start: PVOID, length: ULONG) {
    (*mdl).Next = null_mut();
    (*mdl).MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL as _;
    (*mdl).MappedSystemVa = start;
    (*mdl).ByteCount = length;
    (*mdl).ByteOffset = 0;
}

export! {
    NdisAllocateNetBufferListPool(_object: NDIS_HANDLE, parameters: *const NET_BUFFER_LIST_POOL_PARAMETERS) -> NDIS_HANDLE {
        let with_buffer = (*parameters).fAllocateNetBuffer != 0;
        let data = with_buffer.then_some((*parameters).DataSize as usize);
        Box::into_raw(Box::new(Pool { data })).cast()
    }
    NdisFreeNetBufferListPool(pool: NDIS_HANDLE) {
        drop(Box::from_raw(pool.cast::<Pool>()));
    }
    NdisAllocateMdl(_object: NDIS_HANDLE, start: PVOID, length: ULONG) -> *mut MDL {
        (*world()).counts.allocations += 1;
        let mdl = alloc(Layout::new::<MDL>()).cast();
        describe(mdl, start, length);
        mdl
    }
    NdisFreeMdl(mdl: *mut MDL) {
        dealloc(mdl.cast(), Layout::new::<MDL>());
    }
    NdisAllocateNetBufferPool(_object: NDIS_HANDLE, _parameters: PNET_BUFFER_POOL_PARAMETERS) -> NDIS_HANDLE {
        Box::into_raw(Box::new(0_u64)).cast()
    }
    NdisFreeNetBufferPool(pool: NDIS_HANDLE) {
        drop(Box::from_raw(pool.cast::<u64>()));
    }
    NdisAllocateNetBuffer(_pool: NDIS_HANDLE, mdl: *mut MDL, offset: ULONG, length: SIZE_T) -> *mut NET_BUFFER {
        (*world()).counts.allocations += 1;
        let buffer = alloc_zeroed(Layout::new::<NET_BUFFER>()).cast();
        point(buffer, mdl, offset, length);
        buffer
    }
    NdisFreeNetBuffer(buffer: *mut NET_BUFFER) {
        dealloc(buffer.cast(), Layout::new::<NET_BUFFER>());
    }
    NdisAllocateNetBufferList(pool: NDIS_HANDLE, _context: USHORT, _backfill: USHORT) -> *mut NET_BUFFER_LIST {
        (*world()).counts.allocations += 1;
        let Some(data) = (*pool.cast::<Pool>()).data else {
            let list: *mut NET_BUFFER_LIST = alloc_zeroed(block(pool)).cast();
            (*list).NdisPoolHandle = pool;
            return list;
        };
        let all = alloc(block(pool)).cast::<Block>();
        all.cast::<u8>().write_bytes(0, size_of::<Block>());
        let mdl = &raw mut (*all).mdl;
        describe(mdl, all.add(1).cast(), data as ULONG);
        let buffer = &raw mut (*all).buffer;
        point(buffer, mdl, 0, data as SIZE_T);
        let list = &raw mut (*all).list;
        *NET_BUFFER_LIST_FIRST_NB(list) = buffer;
        (*list).NdisPoolHandle = pool;
        list
    }
    NdisFreeNetBufferList(list: *mut NET_BUFFER_LIST) {
        dealloc(list.cast(), block((*list).NdisPoolHandle));
    }
}

never_called! {
    NdisAllocateCloneNetBufferList
    NdisFreeCloneNetBufferList
    NdisAdvanceNetBufferDataStart
    NdisRetreatNetBufferDataStart
}
