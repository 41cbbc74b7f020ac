//! Plain memory, unaligned words and physical addresses.

use core::ptr;

use crate::*;

/// Copies bytes between places that do not overlap.
///
/// # Safety
/// `length` bytes may be read from `source` and written to `destination`.
#[inline]
pub const unsafe fn NdisMoveMemory(destination: PVOID, source: *const c_void, length: SIZE_T) {
    // SAFETY: the caller's promise.
    unsafe { ptr::copy_nonoverlapping(source.cast::<u8>(), destination.cast::<u8>(), length) }
}

/// Fills memory with zero.
///
/// # Safety
/// `length` bytes may be written to `destination`.
#[inline]
pub const unsafe fn NdisZeroMemory(destination: PVOID, length: SIZE_T) {
    // SAFETY: the caller's promise.
    unsafe { ptr::write_bytes(destination.cast::<u8>(), 0, length) }
}

/// Fills memory with a byte.
///
/// # Safety
/// `length` bytes may be written to `destination`.
#[inline]
pub const unsafe fn NdisFillMemory(destination: PVOID, length: SIZE_T, fill: UCHAR) {
    // SAFETY: the caller's promise.
    unsafe { ptr::write_bytes(destination.cast::<u8>(), fill, length) }
}

/// Whether two places hold the same bytes.
///
/// # Safety
/// `length` bytes may be read from each.
#[inline]
pub unsafe fn NdisEqualMemory(a: *const c_void, b: *const c_void, length: SIZE_T) -> bool {
    // SAFETY: the caller's promise.
    let a = unsafe { core::slice::from_raw_parts(a.cast::<u8>(), length) };
    // SAFETY: the caller's promise.
    let b = unsafe { core::slice::from_raw_parts(b.cast::<u8>(), length) };
    a == b
}

/// Reads a word from anywhere and writes it to an aligned place.
///
/// # Safety
/// A word may be read from `source` and written to `destination`.
#[inline]
pub const unsafe fn NdisRetrieveUlong(destination: PULONG, source: *const c_void) {
    // SAFETY: the caller's promise.
    let word = unsafe { source.cast::<ULONG>().read_unaligned() };
    // SAFETY: the caller's promise.
    unsafe { destination.write(word) }
}

/// Writes a word to anywhere.
///
/// # Safety
/// A word may be written to `destination`.
#[inline]
pub const unsafe fn NdisStoreUlong(destination: PVOID, value: ULONG) {
    // SAFETY: the caller's promise.
    unsafe { destination.cast::<ULONG>().write_unaligned(value) }
}

/// Makes the macros for memory of a device, which on x86 and x64 is reached
/// like any other. The header has none of them for arm64.
macro_rules! mapped {
    ($($(#[$doc:meta])* $name:ident = $target:ident($($arg:ident: $ty:ty),*);)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            #[doc = concat!("As for [`", stringify!($target), "`].")]
            #[cfg(not(target_arch = "aarch64"))]
            #[inline]
            pub const unsafe fn $name($($arg: $ty),*) {
                // SAFETY: the caller's promise is the callee's.
                unsafe { $target($($arg),*) }
            }
        )*
    };
}

mapped! {
    /// Copies within or between mapped device memory.
    NdisMoveMappedMemory = NdisMoveMemory(destination: PVOID, source: *const c_void, length: SIZE_T);
    /// Copies to mapped device memory.
    NdisMoveToMappedMemory = NdisMoveMemory(destination: PVOID, source: *const c_void, length: SIZE_T);
    /// Copies from mapped device memory.
    NdisMoveFromMappedMemory = NdisMoveMemory(destination: PVOID, source: *const c_void, length: SIZE_T);
    /// Fills mapped device memory with zero.
    NdisZeroMappedMemory = NdisZeroMemory(destination: PVOID, length: SIZE_T);
}

/// The high half of a physical address.
#[inline]
#[must_use]
pub const fn NdisGetPhysicalAddressHigh(address: NDIS_PHYSICAL_ADDRESS) -> LONG {
    // SAFETY: every bit pattern of the union is a value of each member.
    unsafe { address.u.HighPart }
}

/// The low half of a physical address.
#[inline]
#[must_use]
pub const fn NdisGetPhysicalAddressLow(address: NDIS_PHYSICAL_ADDRESS) -> ULONG {
    // SAFETY: every bit pattern of the union is a value of each member.
    unsafe { address.u.LowPart }
}

/// Sets the high half of a physical address.
#[inline]
pub const fn NdisSetPhysicalAddressHigh(address: &mut NDIS_PHYSICAL_ADDRESS, value: LONG) {
    address.u.HighPart = value;
}

/// Sets the low half of a physical address.
#[inline]
pub const fn NdisSetPhysicalAddressLow(address: &mut NDIS_PHYSICAL_ADDRESS, value: ULONG) {
    address.u.LowPart = value;
}

/// A physical address of two halves.
#[inline]
#[must_use]
pub const fn NDIS_PHYSICAL_ADDRESS_CONST(low: ULONG, high: LONG) -> NDIS_PHYSICAL_ADDRESS {
    let mut address: NDIS_PHYSICAL_ADDRESS = zeroed();
    NdisSetPhysicalAddressLow(&mut address, low);
    NdisSetPhysicalAddressHigh(&mut address, high);
    address
}
