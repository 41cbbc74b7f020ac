//! Where a round leaves things for the next one.
//!
//! A driver has such things behind a lock or in a context. Here neither pair is charged for that: a
//! place is a variable that nobody contends for.

use std::cell::UnsafeCell;

/// A variable of the one thread that there is.
pub struct Place<T>(UnsafeCell<Option<T>>);

// SAFETY: the drivers are loaded by a program of one thread, and neither they nor the stub make another.
unsafe impl<T> Sync for Place<T> {}

impl<T> Place<T> {
    pub const fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    #[inline(always)]
    pub fn put(&self, value: T) {
        // SAFETY: one thread, and no borrow of a place is kept while this one is written: see `with`.
        let before = unsafe { (*self.0.get()).replace(value) };
        // Whatever that does, it finds the new value.
        drop(before);
    }

    #[inline(always)]
    pub fn take(&self) -> Option<T> {
        // SAFETY: as in `put`.
        unsafe { (*self.0.get()).take() }
    }

    /// Shows what is there. The round that does so has no callback that touches the same place.
    #[inline(always)]
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: as in `put`.
        unsafe { (*self.0.get()).as_ref() }.map(look)
    }
}
