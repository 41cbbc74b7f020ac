//! [`Lent`]: the reference that NDIS has to an object.

use super::Arc;
use core::{
    ffi::c_void,
    fmt,
    marker::PhantomData,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

/// A field of an object for the reference that NDIS has to it, as its context: from the
/// call that gives NDIS the context until the one that ends it.
///
/// # Invariants
///
/// LENT: the pointer is null, or a reference that [`lend`](Self::lend) put there.
pub struct Lent<T> {
    reference: AtomicPtr<c_void>,
    // As the reference that it is: who may not send an `Arc<T>` may not send this.
    _object: PhantomData<Arc<T>>,
}

impl<T> Lent<T> {
    /// Nothing is lent.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            reference: AtomicPtr::new(ptr::null_mut()),
            _object: PhantomData,
        }
    }

    /// Lends `object`, which lives until [`end`](Self::end) at least. The result is the
    /// context.
    pub fn lend(&self, object: &Arc<T>) -> *mut c_void {
        let context = Arc::into_raw(object.clone());
        let before = self.reference.swap(context, Ordering::AcqRel);
        // SAFETY: by LENT.
        drop(unsafe { Arc::<T>::from_raw(before) });
        context
    }

    /// NDIS does not use the context any more: its reference comes back, for whoever
    /// asks first.
    pub fn end(&self) -> Option<Arc<T>> {
        let reference = self.reference.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: by LENT.
        unsafe { Arc::from_raw(reference) }
    }
}

impl<T> Default for Lent<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl<T> fmt::Debug for Lent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}
