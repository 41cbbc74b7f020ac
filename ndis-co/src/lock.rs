//! [`SpinLock`]: shared state that callbacks on several processors change.
//!
//! CoNDIS drivers are never serialised by NDIS (rule [REG-43]), so every
//! callback takes `&self` and changes state only under a lock. A lock is held
//! for the time of a closure, and the caller's proof of its level is borrowed
//! for that time, see [`crate::irql`]: there is no guard that could be leaked
//! or dropped in the wrong order.
//!
//! [REG-43]: ndis_sys::rules#REG-43

use crate::irql::{AtDispatch, Irql};
use core::{cell::UnsafeCell, fmt};

/// A value that is reached by one processor at a time.
///
/// ```
/// # use ndis_co::{irql::Irql, lock::SpinLock};
/// struct Counter {
///     calls: SpinLock<u32>,
/// }
///
/// impl Counter {
///     fn count(&self, irql: &mut impl Irql) -> u32 {
///         self.calls.with(irql, |calls, _| {
///             *calls += 1;
///             *calls
///         })
///     }
/// }
/// ```
///
/// Code that has no proof of its level at hand, a destructor for instance, can
/// still exchange the whole value: [`get`](Self::get), [`set`](Self::set),
/// [`replace`](Self::replace) and [`take`](Self::take) run no code of the
/// driver while the lock is held.
///
/// Source page: [`NdisAllocateSpinLock`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisallocatespinlock).
///
/// # Invariants
///
/// LOCK: `value` is touched only by the holder of `raw`, and `raw` is released
/// by the function that acquired it, also when the closure panics.
#[doc(alias = "NDIS_SPIN_LOCK")]
#[doc(alias = "NdisAllocateSpinLock")]
#[doc(alias = "KSPIN_LOCK")]
pub struct SpinLock<T> {
    raw: UnsafeCell<Raw>,
    value: UnsafeCell<T>,
}

// SAFETY: the value moves with the lock.
unsafe impl<T: Send> Send for SpinLock<T> {}
// SAFETY: by LOCK only one processor at a time reaches the value, which may
// travel between them.
unsafe impl<T: Send> Sync for SpinLock<T> {}

/// The lock alone: its holder keeps the level that it goes back to. An
/// `NDIS_SPIN_LOCK` is this and, twice as large, room for the level.
#[cfg(not(target_arch = "x86"))]
type Raw = ndis_sys::KSPIN_LOCK;

/// On x86 the way to the HAL's spin locks is NDIS's.
#[cfg(target_arch = "x86")]
type Raw = ndis_sys::NDIS_SPIN_LOCK;

/// The lock is held as long as this lives. It never leaves this module, so it
/// is dropped where it was made.
struct Held<'l> {
    lock: &'l UnsafeCell<Raw>,
    /// The level before.
    #[cfg(not(target_arch = "x86"))]
    level: ndis_sys::KIRQL,
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `acquire` took the lock for this value, which releases it
        // once.
        #[cfg(not(target_arch = "x86"))]
        unsafe {
            ndis_sys::KeReleaseSpinLock(self.lock.get(), self.level);
        }
        // SAFETY: as above.
        #[cfg(target_arch = "x86")]
        unsafe {
            ndis_sys::NdisReleaseSpinLock(self.lock.get());
        }
    }
}

impl<T> SpinLock<T> {
    /// Makes a free lock around a value.
    pub const fn new(value: T) -> Self {
        Self {
            // An all-zero KSPIN_LOCK is a free one; that is what
            // KeInitializeSpinLock writes on every architecture.
            raw: UnsafeCell::new(ndis_sys::zeroed()),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock, raises to DISPATCH_LEVEL, and has `f` work on the
    /// value.
    ///
    /// The caller's proof is borrowed until `f` has returned, so neither a
    /// PASSIVE_LEVEL call nor one that may re-enter the driver (rule [GEN-01])
    /// can be made meanwhile: `f` receives the proof of DISPATCH_LEVEL, with
    /// which it can take another lock. Taking the same lock again within `f`
    /// never ends, as with every spin lock.
    ///
    /// At or below DISPATCH_LEVEL.
    ///
    /// Source pages: [`NdisAcquireSpinLock`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisacquirespinlock),
    /// [`NdisReleaseSpinLock`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreleasespinlock),
    /// [`KeAcquireSpinLock`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-keacquirespinlock),
    /// [`KeReleaseSpinLock`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kereleasespinlock).
    ///
    /// [GEN-01]: ndis_sys::rules#GEN-01
    #[doc(alias = "NdisAcquireSpinLock")]
    #[doc(alias = "NdisReleaseSpinLock")]
    #[doc(alias = "KeAcquireSpinLock")]
    #[doc(alias = "KeReleaseSpinLock")]
    #[doc(alias = "lock")]
    #[inline(always)]
    pub fn with<R>(&self, irql: &mut impl Irql, f: impl FnOnce(&mut T, &mut AtDispatch) -> R) -> R {
        let _ = irql;
        self.locked(|value| {
            // SAFETY: holding a spin lock means DISPATCH_LEVEL, until `f` has
            // returned and `locked` releases it.
            let mut proof = unsafe { AtDispatch::assume() };
            f(value, &mut proof)
        })
    }

    /// Puts a value in and returns the one before, which is dropped (or kept)
    /// outside of the lock.
    ///
    /// At or below DISPATCH_LEVEL.
    pub fn replace(&self, value: T) -> T {
        self.locked(|place| core::mem::replace(place, value))
    }

    /// Puts a value in. The one before is dropped after the lock was released.
    ///
    /// At or below DISPATCH_LEVEL.
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Takes the value out and leaves the default.
    ///
    /// At or below DISPATCH_LEVEL.
    pub fn take(&self) -> T
    where
        T: Default,
    {
        // `default` is code of the driver: it runs before the lock is taken.
        self.replace(T::default())
    }

    /// A copy of the value.
    ///
    /// At or below DISPATCH_LEVEL.
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.locked(|place| *place)
    }

    /// The value without locking: exclusive access is proof enough.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, by move.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    /// As [`with`](Self::with), where there is no proof to lend: for the state
    /// machines of the crates on top of this one.
    ///
    /// # Safety
    ///
    /// `f` runs no code of a driver (a clone, a destructor) and uses no proof
    /// of a level: it neither waits nor calls a function after which NDIS may
    /// call the driver.
    pub unsafe fn with_unproven<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.locked(f)
    }

    /// As [`with_unproven`](Self::with_unproven), within this crate.
    #[inline(always)]
    pub(crate) fn locked<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let _held = self.acquire();
        // SAFETY: by LOCK the value is ours until `_held` is dropped, at the
        // end of this function.
        f(unsafe { &mut *self.value.get() })
    }

    #[inline]
    fn acquire(&self) -> Held<'_> {
        let lock = &self.raw;
        // SAFETY: whoever reaches a lock is at or below DISPATCH_LEVEL (every
        // proof says so, and so does the contract of each function without);
        // the lock is initialised and lives as long as `self`.
        #[cfg(not(target_arch = "x86"))]
        let level = unsafe { ndis_sys::KeAcquireSpinLockRaiseToDpc(lock.get()) };
        // SAFETY: as above.
        #[cfg(target_arch = "x86")]
        unsafe {
            ndis_sys::NdisAcquireSpinLock(lock.get());
        }
        Held {
            lock,
            #[cfg(not(target_arch = "x86"))]
            level,
        }
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
