//! Spin locks, mutexes and the IRQL.

use crate::*;

/// Prepares a spin lock; nothing has to be freed later.
///
/// # Safety
/// `lock` points to memory for a lock that nobody uses now.
#[inline]
pub const unsafe fn KeInitializeSpinLock(lock: PKSPIN_LOCK) {
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

/// Raises the IRQL to DISPATCH_LEVEL and writes the old one to `old`. Not for
/// arm64, where nothing says what the kernel exports for it.
///
/// # Safety
/// The IRQL is at most DISPATCH_LEVEL; `old` may be written.
#[cfg(not(target_arch = "aarch64"))]
#[inline]
pub unsafe fn NDIS_RAISE_IRQL_TO_DISPATCH(old: *mut KIRQL) {
    // SAFETY: the caller says that the IRQL is low enough.
    let before = unsafe { KeRaiseIrqlToDpcLevel() };
    // SAFETY: the caller says that it may be written.
    unsafe { old.write(before) }
}

/// Lowers the IRQL to `old` from `current`. Not for arm64.
///
/// # Safety
/// `current` is the IRQL, `old` what it was before it was raised, and no spin
/// lock is held.
#[cfg(not(target_arch = "aarch64"))]
#[inline]
pub unsafe fn NDIS_LOWER_IRQL(old: KIRQL, current: KIRQL) {
    if old != current {
        // SAFETY: the caller's promise.
        unsafe { KeLowerIrql(old) }
    }
}

/// Prepares a mutex.
///
/// # Safety
/// `mutex` points to memory for one that nobody uses now.
#[inline]
pub unsafe fn NDIS_INIT_MUTEX(mutex: PRKMUTEX) {
    // SAFETY: the caller's promise is the callee's.
    unsafe { KeInitializeMutex(mutex, 0xFFFF) }
}

/// Releases a mutex; not 0 if it was owned more than once.
///
/// # Safety
/// This thread owns the mutex, at PASSIVE_LEVEL.
#[inline]
pub unsafe fn NDIS_RELEASE_MUTEX(mutex: PRKMUTEX) -> LONG {
    // SAFETY: the caller's promise is the callee's.
    unsafe { KeReleaseMutex(mutex, FALSE as BOOLEAN) }
}

/// Waits for a mutex and owns it then.
///
/// # Safety
/// `mutex` points to a prepared one, at PASSIVE_LEVEL.
#[inline]
pub unsafe fn NDIS_WAIT_FOR_MUTEX(mutex: PRKMUTEX) -> NTSTATUS {
    // SAFETY: the caller's promise is the callee's.
    unsafe {
        KeWaitForSingleObject(
            mutex.cast(),
            Executive,
            KernelMode as KPROCESSOR_MODE,
            FALSE as BOOLEAN,
            core::ptr::null_mut(),
        )
    }
}
