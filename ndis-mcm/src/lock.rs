//! [`StateLock`]: the lock around this crate's own state.

use core::fmt;
use ndis_co::lock::SpinLock;

/// A spin lock for state machines, taken also where there is no proof of a
/// level to lend: in destructors and in answers of tokens.
///
/// # Invariants
///
/// STATE: no closure that this crate gives to [`with`](Self::with) runs code of
/// the driver (a clone or a destructor of its types) or makes a call that needs
/// a proof; what is to be dropped is moved out. The type is private to this
/// crate, so there are no other closures.
pub(crate) struct StateLock<T>(SpinLock<T>);

impl<T> StateLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(SpinLock::new(value))
    }

    /// Runs a short piece of code under the lock.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: STATE.
        unsafe { self.0.with_unproven(f) }
    }
}

impl<T> fmt::Debug for StateLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
