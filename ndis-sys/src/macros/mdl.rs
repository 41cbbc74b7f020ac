//! Memory descriptor lists: what they describe and where it is mapped. The
//! `NdisXxxBuffer` names are the same things under the names they had before
//! NDIS 6.

use core::ptr;

use crate::*;

place! {
    /// The next MDL of the chain.
    NDIS_MDL_LINKAGE(MDL) -> PMDL, Next;
    /// The next MDL of the chain.
    NDIS_BUFFER_LINKAGE(MDL) -> PMDL, Next;
}

/// How many bytes the MDL describes.
///
/// # Safety
/// `mdl` points to an MDL.
#[inline]
pub const unsafe fn MmGetMdlByteCount(mdl: *const MDL) -> ULONG {
    // SAFETY: the caller passes an MDL.
    unsafe { (*mdl).ByteCount }
}

/// Where in its first page the described memory begins.
///
/// # Safety
/// `mdl` points to an MDL.
#[inline]
pub const unsafe fn MmGetMdlByteOffset(mdl: *const MDL) -> ULONG {
    // SAFETY: the caller passes an MDL.
    unsafe { (*mdl).ByteOffset }
}

/// The address that the memory had where the MDL was made.
///
/// # Safety
/// `mdl` points to an MDL.
#[inline]
pub const unsafe fn MmGetMdlVirtualAddress(mdl: *const MDL) -> PVOID {
    // SAFETY: the caller passes an MDL.
    let page = unsafe { (*mdl).StartVa };
    // SAFETY: the caller passes an MDL.
    let offset = unsafe { (*mdl).ByteOffset };
    page.wrapping_byte_add(offset as usize)
}

/// The system address of the memory, mapping it if it is not mapped; null if
/// that cannot be done. `priority` is a page priority with `MdlMapping*` flags.
///
/// # Safety
/// `mdl` points to an MDL whose pages are locked or from nonpaged pool, at an
/// IRQL of at most DISPATCH_LEVEL.
#[inline]
pub unsafe fn MmGetSystemAddressForMdlSafe(mdl: PMDL, priority: ULONG) -> PVOID {
    const MAPPED: i32 = MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL;
    // SAFETY: the caller passes an MDL.
    let flags = unsafe { (*mdl).MdlFlags };
    if i32::from(flags) & MAPPED != 0 {
        // SAFETY: the caller passes an MDL; the flags say that it is mapped.
        return unsafe { (*mdl).MappedSystemVa };
    }
    // SAFETY: the pages are locked and not mapped, the IRQL is low enough.
    unsafe {
        MmMapLockedPagesSpecifyCache(
            mdl,
            KernelMode as KPROCESSOR_MODE,
            MmCached,
            ptr::null_mut(),
            FALSE as ULONG,
            priority,
        )
    }
}

/// Answers the mapped address (if `address` is not null) and the length.
///
/// # Safety
/// As for [`MmGetSystemAddressForMdlSafe`]; `address` is null or may be
/// written, `length` may be written.
#[inline]
pub unsafe fn NdisQueryMdl(mdl: PMDL, address: *mut PVOID, length: *mut UINT, priority: ULONG) {
    // SAFETY: the caller's promise.
    unsafe {
        NdisQueryBufferSafe(
            mdl,
            address,
            length,
            priority | MdlMappingNoExecute as ULONG,
        )
    }
}

/// [`NdisQueryMdl`] without forbidding execution.
///
/// # Safety
/// As for [`NdisQueryMdl`].
#[inline]
pub unsafe fn NdisQueryBufferSafe(
    mdl: PMDL,
    address: *mut PVOID,
    length: *mut UINT,
    priority: ULONG,
) {
    if !address.is_null() {
        // SAFETY: the caller's promise about the MDL.
        let mapped = unsafe { MmGetSystemAddressForMdlSafe(mdl, priority) };
        // SAFETY: not null, so the caller says that it may be written.
        unsafe { address.write(mapped) }
    }
    // SAFETY: the caller passes an MDL.
    let bytes = unsafe { MmGetMdlByteCount(mdl) };
    // SAFETY: the caller says that it may be written.
    unsafe { length.write(bytes) }
}

/// Answers the offset in the first page and the length.
///
/// # Safety
/// `mdl` points to an MDL; `offset` and `length` may be written.
#[inline]
pub const unsafe fn NdisQueryMdlOffset(mdl: *const MDL, offset: *mut UINT, length: *mut UINT) {
    // SAFETY: the caller passes an MDL.
    let at = unsafe { MmGetMdlByteOffset(mdl) };
    // SAFETY: the caller passes an MDL.
    let bytes = unsafe { MmGetMdlByteCount(mdl) };
    // SAFETY: the caller says that it may be written.
    unsafe { offset.write(at) }
    // SAFETY: the caller says that it may be written.
    unsafe { length.write(bytes) }
}

/// How many pages the described memory touches; 1 for none.
///
/// # Safety
/// `mdl` points to an MDL.
#[inline]
pub unsafe fn NDIS_MDL_TO_SPAN_PAGES(mdl: *const MDL) -> ULONG {
    // SAFETY: the caller passes an MDL.
    let bytes = unsafe { MmGetMdlByteCount(mdl) };
    if bytes == 0 {
        return 1;
    }
    // SAFETY: the caller passes an MDL.
    let address = unsafe { MmGetMdlVirtualAddress(mdl) }.addr();
    let page = PAGE_SIZE as usize;
    ((address % page + bytes as usize).div_ceil(page)) as ULONG
}

/// Writes [`NDIS_MDL_TO_SPAN_PAGES`] to `size`.
///
/// # Safety
/// `mdl` points to an MDL; `size` may be written.
#[inline]
pub unsafe fn NdisGetMdlPhysicalArraySize(mdl: *const MDL, size: *mut ULONG) {
    // SAFETY: the caller passes an MDL.
    let pages = unsafe { NDIS_MDL_TO_SPAN_PAGES(mdl) };
    // SAFETY: the caller says that it may be written.
    unsafe { size.write(pages) }
}

/// Writes the next MDL of the chain to `next`.
///
/// # Safety
/// `mdl` points to an MDL; `next` may be written.
#[inline]
pub const unsafe fn NdisGetNextMdl(mdl: *const MDL, next: *mut PMDL) {
    // SAFETY: the caller passes an MDL.
    let following = unsafe { (*mdl).Next };
    // SAFETY: the caller says that it may be written.
    unsafe { next.write(following) }
}

/// Sets how many bytes the MDL describes.
///
/// # Safety
/// `mdl` points to an MDL that nobody else uses now, and the pages it lists
/// hold that many bytes.
#[inline]
pub const unsafe fn NdisAdjustMdlLength(mdl: PMDL, length: ULONG) {
    // SAFETY: the caller passes an MDL that is its own.
    unsafe { (*mdl).ByteCount = length }
}

/// `alias! { Old(args) -> Result = New; ... }`
macro_rules! alias {
    ($($name:ident = $target:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        $(
            #[doc = concat!("The older name of [`", stringify!($target), "`].")]
            ///
            /// # Safety
            /// As for the newer one.
            #[inline]
            pub unsafe fn $name($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller's promise is the callee's.
                unsafe { $target($($arg),*) }
            }
        )*
    };
}

alias! {
    NdisQueryBufferOffset = NdisQueryMdlOffset(mdl: *const MDL, offset: *mut UINT, length: *mut UINT);
    NDIS_BUFFER_TO_SPAN_PAGES = NDIS_MDL_TO_SPAN_PAGES(mdl: *const MDL) -> ULONG;
    NdisGetBufferPhysicalArraySize = NdisGetMdlPhysicalArraySize(mdl: *const MDL, size: *mut ULONG);
    NdisGetNextBuffer = NdisGetNextMdl(mdl: *const MDL, next: *mut PMDL);
    NdisAdjustBufferLength = NdisAdjustMdlLength(mdl: PMDL, length: ULONG);
    NdisBufferLength = MmGetMdlByteCount(mdl: *const MDL) -> ULONG;
    NdisBufferVirtualAddressSafe = MmGetSystemAddressForMdlSafe(mdl: PMDL, priority: ULONG) -> PVOID;
    NdisFreeBuffer = IoFreeMdl(mdl: PMDL);
}
