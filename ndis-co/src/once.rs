//! [`Slot`]: a value that comes after its memory.
//!
//! NDIS asks first and the driver makes its context while answering, possibly
//! later and on another thread. The memory for the object is taken at the
//! question, so that a late answer cannot run out of it; the context follows.

use core::{
    cell::UnsafeCell,
    fmt,
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

/// A place that is filled at most once.
///
/// ```
/// # use ndis_co::once::Slot;
/// # use ndis_host as _;
/// let slot = Slot::new();
/// assert_eq!(slot.get(), None);
/// slot.set(7);
/// slot.set(8); // Too late.
/// assert_eq!(slot.get(), Some(&7));
/// ```
///
/// # Invariants
///
/// SLOT: `value` is initialised exactly when `full` is set, and not changed
/// after that. Who sets `taken` fills the place.
pub struct Slot<T> {
    taken: AtomicBool,
    full: AtomicBool,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value moves with the slot.
unsafe impl<T: Send> Send for Slot<T> {}
// SAFETY: by SLOT a shared slot gives out shared references, and one thread fills it;
// the value travels from the setter to the readers.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

impl<T> Slot<T> {
    /// An empty place.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            full: AtomicBool::new(false),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Fills the place, or drops the value when it is full already.
    pub fn set(&self, value: T) {
        if self.taken.swap(true, Ordering::Relaxed) {
            return;
        }
        // SAFETY: by SLOT nobody else writes, and nobody reads before `full` is set.
        unsafe { (*self.value.get()).write(value) };
        self.full.store(true, Ordering::Release);
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        if !self.full.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: by SLOT the value is initialised and no longer written.
        let value = unsafe { &*self.value.get() };
        // SAFETY: as above.
        Some(unsafe { value.assume_init_ref() })
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// [`Slot::set`] has returned before.
    pub unsafe fn get_unchecked(&self) -> &T {
        // SAFETY: by the caller the value is initialised.
        let value = unsafe { &*self.value.get() };
        // SAFETY: as above.
        unsafe { value.assume_init_ref() }
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if *self.full.get_mut() {
            // SAFETY: by SLOT the value is initialised, and dropped only here.
            unsafe { self.value.get_mut().assume_init_drop() };
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.get()).finish()
    }
}
