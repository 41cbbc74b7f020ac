//! Small arithmetic of the headers: sizes, masks, identifiers, and the few
//! object-like macros that are no integers.

use crate::*;

/// The size of NDK's list of connections with `n` elements.
#[inline]
#[must_use]
pub const fn NDIS_SIZEOF_NDK_CONNECTIONS_REVISION_1(n: usize) -> usize {
    core::mem::offset_of!(NDIS_NDK_CONNECTIONS, Connections)
        + n * size_of::<NDIS_NDK_CONNECTION_ENTRY>()
}

/// The size of NDK's list of local endpoints with `n` elements.
#[inline]
#[must_use]
pub const fn NDIS_SIZEOF_NDK_LOCAL_ENDPOINTS_REVISION_1(n: usize) -> usize {
    core::mem::offset_of!(NDIS_NDK_LOCAL_ENDPOINTS, LocalEndpoints)
        + n * size_of::<NDIS_NDK_LOCAL_ENDPOINT_ENTRY>()
}

/// The bit that stands for one of NDK's performance counters, by its name.
///
/// ```
/// assert_eq!(ndis_sys::NDIS_NDK_PERFORMANCE_COUNTER_MASK!(Connect), 1);
/// ```
#[macro_export]
macro_rules! NDIS_NDK_PERFORMANCE_COUNTER_MASK {
    ($counter:ident) => {
        1u64 << (::core::mem::offset_of!($crate::NDIS_NDK_PERFORMANCE_COUNTERS, $counter) / 8)
    };
}

/// The affinity mask of one processor.
#[inline]
#[must_use]
pub const fn AFFINITY_MASK(processor: u32) -> KAFFINITY {
    (1 as KAFFINITY).wrapping_shl(processor)
}

/// A PCI requester's identifier.
#[inline]
#[must_use]
pub const fn NDIS_MAKE_RID(segment: ULONG, bus: ULONG, function: ULONG) -> ULONG {
    (segment << 16) | (bus << 8) | function
}

/// Makes the identifier of a network interface.
#[inline]
pub const fn NDIS_MAKE_NET_LUID(luid: &mut NET_LUID, ty: u64, index: u64) {
    let mut info: NET_LUID_LH_Info = zeroed();
    info.set_IfType(ty);
    info.set_NetLuidIndex(index);
    luid.Info = info;
}

/// Whether the oldest NDIS that this target may run on has an API of that
/// version. The parts are written as in the header: `(6, 0x30)` for 6.30.
#[inline]
#[must_use]
pub const fn NDIS_API_VERSION_AVAILABLE(major: i32, minor: i32) -> bool {
    (major << 8) + minor >= NDIS_MIN_API
}

/// An I/O control code of NDIS.
#[inline]
#[must_use]
pub const fn _NDIS_CONTROL_CODE(request: ULONG, method: ULONG) -> ULONG {
    ((FILE_DEVICE_PHYSICAL_NETCARD as ULONG) << 16)
        | ((FILE_ANY_ACCESS as ULONG) << 14)
        | (request << 2)
        | method
}

/// What [`NET_BUFFER_SHARED_MEM_HANDLE`] is for memory that the HAL allocated.
pub const NDIS_SHARED_MEM_HANDLE_HAL_ALLOCATED: NDIS_HANDLE = core::ptr::null_mut();

/// The type of an event log's error code.
pub type NDIS_ERROR_CODE = ULONG;

/// The older name of the structure.
pub type NDIS_SWITCH_NET_BUFFER_LIST_CONTEXT_TYPE = NDIS_SWITCH_NET_BUFFER_LIST_CONTEXT_TYPE_INFO;

/// The older name of the pointer.
pub type PNDIS_SWITCH_NET_BUFFER_LIST_CONTEXT_TYPE = PNDIS_SWITCH_NET_BUFFER_LIST_CONTEXT_TYPE_INFO;

/// The header's spelling of the type that makes it no tag.
pub type _NDIS_SWITCH_PORT_ID = NDIS_SWITCH_PORT_ID;

/// The path of NDIS' own device, in UTF-16 with a zero at the end.
pub const DD_NDIS_DEVICE_NAME: &[u16] = &wide::<13>("\\Device\\NDIS");

/// The keyword that switches PacketDirect on.
pub const PACKET_DIRECT_KEYWORD: NDIS_STRING = NDIS_STRING_CONST!("*PacketDirect");

/// Asks what NDK an adapter can do.
pub const GUID_NDIS_NDK_CAPABILITIES: GUID = GUID {
    Data1: 0x7969_ba4d,
    Data2: 0xdd80,
    Data3: 0x4bc7,
    Data4: [0xb3, 0xe6, 0x68, 0x04, 0x39, 0x97, 0xe5, 0x19],
};

/// Asks whether NDK is on, and sets it.
pub const GUID_NDIS_NDK_STATE: GUID = GUID {
    Data1: 0x530c_69c9,
    Data2: 0x2f51,
    Data3: 0x49de,
    Data4: [0xa1, 0xaf, 0x08, 0x8d, 0x54, 0xff, 0xa4, 0x74],
};

/// Which processor this is, counted over all groups.
///
/// # Safety
/// None beyond running in the kernel, or on a host that stands for it.
#[inline]
pub unsafe fn NdisCurrentProcessorIndex() -> ULONG {
    // SAFETY: the function may be called at any IRQL, and null asks for the
    // index only.
    unsafe { KeGetCurrentProcessorNumberEx(core::ptr::null_mut()) }
}

/// Which processor this is; an object-like macro in C.
///
/// # Safety
/// As for [`NdisCurrentProcessorIndex`].
#[inline]
pub unsafe fn NDIS_CURRENT_PROCESSOR_NUMBER() -> ULONG {
    // SAFETY: the caller's promise is the callee's.
    unsafe { NdisCurrentProcessorIndex() }
}
