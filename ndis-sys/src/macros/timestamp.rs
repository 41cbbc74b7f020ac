//! The hardware's time stamp on a list of network buffers: 64 bits, in one
//! out-of-band word or, on x86, in two.

use crate::*;

/// Sets the time stamp of the list.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the words now, and
/// `stamp` may be read.
#[inline]
pub unsafe fn NdisSetNblTimestampInfo(
    nbl: *mut NET_BUFFER_LIST,
    stamp: *const NET_BUFFER_LIST_TIMESTAMP,
) {
    // SAFETY: the caller's promise.
    let time = unsafe { (*stamp).Timestamp };
    // SAFETY: the caller passes a valid list.
    let low = unsafe { NET_BUFFER_LIST_INFO(nbl, NetBufferListInfoReserved3) };
    #[cfg(not(target_arch = "x86"))]
    // SAFETY: the word is inside the list, and 64 bits wide here.
    unsafe {
        low.cast::<ULONG64>().write(time)
    }
    #[cfg(target_arch = "x86")]
    {
        // SAFETY: the word is inside the list.
        unsafe { low.cast::<ULONG>().write(time as ULONG) }
        // SAFETY: the caller passes a valid list.
        let high = unsafe { NET_BUFFER_LIST_INFO(nbl, NetBufferListInfoReserved4) };
        // SAFETY: the word is inside the list.
        unsafe { high.cast::<ULONG>().write((time >> 32) as ULONG) }
    }
}

/// Reads the time stamp of the list.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; `stamp` may be written.
#[inline]
pub unsafe fn NdisGetNblTimestampInfo(
    nbl: *const NET_BUFFER_LIST,
    stamp: *mut NET_BUFFER_LIST_TIMESTAMP,
) {
    // SAFETY: the caller passes a valid list; only a place is computed.
    let low = unsafe { NET_BUFFER_LIST_INFO(nbl.cast_mut(), NetBufferListInfoReserved3) };
    #[cfg(not(target_arch = "x86"))]
    // SAFETY: the word is inside the list, and 64 bits wide here.
    let time = unsafe { low.cast::<ULONG64>().read() };
    #[cfg(target_arch = "x86")]
    let time = {
        // SAFETY: the caller passes a valid list; only a place is computed.
        let high = unsafe { NET_BUFFER_LIST_INFO(nbl.cast_mut(), NetBufferListInfoReserved4) };
        // SAFETY: the word is inside the list.
        let low = unsafe { low.cast::<ULONG>().read() };
        // SAFETY: the word is inside the list.
        let high = unsafe { high.cast::<ULONG>().read() };
        u64::from(high) << 32 | u64::from(low)
    };
    // SAFETY: the caller's promise.
    unsafe { (*stamp).Timestamp = time }
}

/// Copies the time stamp from one list to another.
///
/// # Safety
/// As for [`NdisGetNblTimestampInfo`] and [`NdisSetNblTimestampInfo`].
#[inline]
pub unsafe fn NdisCopyNblTimestampInfo(to: *mut NET_BUFFER_LIST, from: *const NET_BUFFER_LIST) {
    let mut stamp = NET_BUFFER_LIST_TIMESTAMP { Timestamp: 0 };
    // SAFETY: the caller's promise.
    unsafe { NdisGetNblTimestampInfo(from, &mut stamp) }
    // SAFETY: the caller's promise.
    unsafe { NdisSetNblTimestampInfo(to, &stamp) }
}
