//! [`SpinLock`]: shared state that callbacks on several processors change.
//!
//! CoNDIS drivers are never serialised by NDIS (rule REG-43), so every
//! callback takes `&self` and changes state only under a lock. A lock borrows
//! the caller's proof of level for as long as it is held, see [`crate::irql`].

use crate::irql::{AtDispatch, Irql};
use core::{
    cell::UnsafeCell,
    fmt,
    ops::{Deref, DerefMut},
};

/// A value that is reached by one processor at a time.
///
/// Source page: `nf-ndis-ndisallocatespinlock`.
///
/// # Invariants
///
/// LOCK: `value` is touched only by the holder of `raw`.
#[doc(alias = "NDIS_SPIN_LOCK")]
#[doc(alias = "NdisAllocateSpinLock")]
#[doc(alias = "KSPIN_LOCK")]
pub struct SpinLock<T> {
    raw: UnsafeCell<ndis_sys::NDIS_SPIN_LOCK>,
    value: UnsafeCell<T>,
}

// SAFETY: the value moves with the lock.
unsafe impl<T: Send> Send for SpinLock<T> {}
// SAFETY: by LOCK only one processor at a time reaches the value, which may
// travel between them.
unsafe impl<T: Send> Sync for SpinLock<T> {}

/// Code that has no proof of a level at hand, as [`SpinLock::with`] demands it.
///
/// Such is all that is `Send`, for a proof is not.
#[diagnostic::on_unimplemented(
    message = "inside `SpinLock::with` the lock is held: no proof of a level may be used there",
    label = "captures a proof, or something else that is not `Send`",
    note = "rule GEN-01: take what is needed out of the lock, then make the call"
)]
pub trait BringsNoProof {}
#[diagnostic::do_not_recommend]
impl<F: Send> BringsNoProof for F {}

/// The lock is held as long as this lives.
///
/// It runs at DISPATCH_LEVEL, gives the value, and lends the proof of that
/// level with [`irql`](Self::irql). It cannot leave its thread.
///
/// Source pages: `nf-ndis-ndisreleasespinlock`, `nf-wdm-kereleasespinlock`.
#[must_use = "the lock is released when the guard is dropped"]
#[doc(alias = "NdisReleaseSpinLock")]
#[doc(alias = "KeReleaseSpinLock")]
pub struct SpinLockGuard<'l, T> {
    lock: &'l SpinLock<T>,
    /// Also keeps the guard on its thread.
    proof: AtDispatch,
}

impl<T> SpinLock<T> {
    /// Makes a free lock around a value.
    pub const fn new(value: T) -> Self {
        // An all-zero KSPIN_LOCK is a free one; that is what
        // KeInitializeSpinLock writes on every architecture.
        let raw = ndis_sys::NDIS_SPIN_LOCK {
            SpinLock: 0,
            OldIrql: 0,
        };
        Self {
            raw: UnsafeCell::new(raw),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock and raises to DISPATCH_LEVEL.
    ///
    /// The proof stays borrowed while the guard lives, so neither a
    /// PASSIVE_LEVEL call nor a re-entrant NDIS call can be made meanwhile.
    /// A second lock can be taken with the guard's own proof. Taking the same
    /// lock twice on one thread never ends, as with every spin lock.
    ///
    /// Source pages: `nf-ndis-ndisacquirespinlock`, `nf-wdm-keacquirespinlock`.
    #[doc(alias = "NdisAcquireSpinLock")]
    #[doc(alias = "KeAcquireSpinLock")]
    pub fn lock<'l>(&'l self, irql: &'l mut impl Irql) -> SpinLockGuard<'l, T> {
        let _ = irql;
        self.acquire()
    }

    /// The value without locking: exclusive access is proof enough.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, by move.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// Runs a short piece of code under the lock, for callers that have no
    /// proof to lend, such as destructors.
    ///
    /// No proof is lent to `f`, and [`BringsNoProof`] keeps it from bringing one
    /// along, also in the value, so it makes no call that demands one.
    ///
    /// Source page: `nf-ndis-ndisacquirespinlock`.
    #[doc(alias = "NdisAcquireSpinLock")]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R + BringsNoProof) -> R
    where
        T: BringsNoProof,
    {
        f(&mut self.acquire())
    }

    /// As [`with`](Self::with), for this crate's own code that takes raw
    /// pointers, and no proof, under the lock.
    pub(crate) fn with_raw<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.acquire())
    }

    fn acquire(&self) -> SpinLockGuard<'_, T> {
        // SAFETY: every proof type (and every caller of `with`) is at or below
        // DISPATCH_LEVEL; the lock is initialised and lives as long as `self`.
        unsafe { ndis_sys::NdisAcquireSpinLock(self.raw.get()) };
        // SAFETY: holding a spin lock means DISPATCH_LEVEL until the guard's
        // drop releases it.
        let proof = unsafe { AtDispatch::assume() };
        SpinLockGuard { lock: self, proof }
    }
}

impl<T> SpinLockGuard<'_, T> {
    /// The proof that this code runs at DISPATCH_LEVEL, to take another lock.
    pub fn irql(&mut self) -> &mut AtDispatch {
        &mut self.proof
    }

    /// The value together with the proof, for a second lock while the first
    /// value stays in use.
    pub fn split(&mut self) -> (&mut T, &mut AtDispatch) {
        // SAFETY: by LOCK the value is ours as long as the guard lives.
        let value = unsafe { &mut *self.lock.value.get() };
        (value, &mut self.proof)
    }
}

impl<T> Drop for SpinLockGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this guard holds the lock and releases it once.
        unsafe { ndis_sys::NdisReleaseSpinLock(self.lock.raw.get()) };
    }
}

impl<T> Deref for SpinLockGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: by LOCK the value is ours as long as the guard lives.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for SpinLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: by LOCK the value is ours as long as the guard lives.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: Default> Default for SpinLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for SpinLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpinLock").finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for SpinLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
