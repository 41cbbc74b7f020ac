//! Spin locks and the IRQL.

use crate::*;

/// Prepares a spin lock; nothing has to be freed later.
///
/// # Safety
/// `lock` points to memory for a lock that nobody uses now.
#[inline]
pub const unsafe fn KeInitializeSpinLock(lock: *mut KSPIN_LOCK) {
    // SAFETY: the caller passes memory for a lock; free is zero.
    unsafe { lock.write(0) }
}

/// Prepares a spin lock.
///
/// # Safety
/// `lock` points to memory for a lock that nobody uses now.
#[inline]
pub const unsafe fn NdisAllocateSpinLock(lock: PNDIS_SPIN_LOCK) {
    // SAFETY: the caller passes memory for a lock; only a place is computed.
    let inner = unsafe { &raw mut (*lock).SpinLock };
    // SAFETY: the same memory.
    unsafe { KeInitializeSpinLock(inner) }
}

/// The end of a spin lock's life: nothing has to be done.
///
/// # Safety
/// `lock` points to a lock that nobody holds.
#[inline]
pub const unsafe fn NdisFreeSpinLock(_lock: PNDIS_SPIN_LOCK) {}

/// Takes the lock and raises the IRQL to DISPATCH_LEVEL.
///
/// # Safety
/// `lock` points to a prepared lock that this processor does not hold; the
/// IRQL is at most DISPATCH_LEVEL.
#[cfg(not(target_arch = "x86"))]
#[inline]
pub unsafe fn NdisAcquireSpinLock(lock: PNDIS_SPIN_LOCK) {
    // SAFETY: the caller passes a prepared lock; only a place is computed.
    let inner = unsafe { &raw mut (*lock).SpinLock };
    // SAFETY: the lock is prepared and the IRQL is low enough.
    let old = unsafe { KeAcquireSpinLockRaiseToDpc(inner) };
    // SAFETY: this processor holds the lock, and with it the field.
    unsafe { (*lock).OldIrql = old }
}

/// Releases the lock and restores the IRQL.
///
/// # Safety
/// This processor took the lock with [`NdisAcquireSpinLock`].
#[cfg(not(target_arch = "x86"))]
#[inline]
pub unsafe fn NdisReleaseSpinLock(lock: PNDIS_SPIN_LOCK) {
    // SAFETY: this processor holds the lock, and with it the field.
    let old = unsafe { (*lock).OldIrql };
    // SAFETY: the lock is valid; only a place is computed.
    let inner = unsafe { &raw mut (*lock).SpinLock };
    // SAFETY: this processor holds the lock and `old` is what it saved.
    unsafe { KeReleaseSpinLock(inner, old) }
}

/// Takes the lock at DISPATCH_LEVEL.
///
/// # Safety
/// `lock` points to a prepared lock that this processor does not hold; the
/// IRQL is DISPATCH_LEVEL.
#[cfg(not(target_arch = "x86"))]
#[inline]
pub unsafe fn NdisDprAcquireSpinLock(lock: PNDIS_SPIN_LOCK) {
    // SAFETY: the caller passes a prepared lock; only a place is computed.
    let inner = unsafe { &raw mut (*lock).SpinLock };
    // SAFETY: the lock is prepared and the IRQL is DISPATCH_LEVEL.
    unsafe { KeAcquireSpinLockAtDpcLevel(inner) }
}

/// Releases the lock at DISPATCH_LEVEL.
///
/// # Safety
/// This processor took the lock with [`NdisDprAcquireSpinLock`].
#[cfg(not(target_arch = "x86"))]
#[inline]
pub unsafe fn NdisDprReleaseSpinLock(lock: PNDIS_SPIN_LOCK) {
    // SAFETY: the lock is valid; only a place is computed.
    let inner = unsafe { &raw mut (*lock).SpinLock };
    // SAFETY: this processor holds the lock, taken at DISPATCH_LEVEL.
    unsafe { KeReleaseSpinLockFromDpcLevel(inner) }
}

/// The IRQL that this processor runs at.
///
/// # Safety
/// None beyond running in the kernel, or on a host that stands for it.
#[inline]
pub unsafe fn NDIS_CURRENT_IRQL() -> KIRQL {
    // SAFETY: the function may be called at any IRQL.
    unsafe { KeGetCurrentIrql() }
}
