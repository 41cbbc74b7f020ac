//! A place for something that a driver leaves to the program, and the other way round.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub struct Place<T>(Mutex<Option<T>>);

impl<T> Place<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was there goes when nobody holds the place: its end may be a call of NDIS.
    pub fn put(&self, value: T) {
        let before = self.lock().replace(value);
        drop(before);
    }

    pub fn take(&self) -> Option<T> {
        self.lock().take()
    }
}
