//! How the host calls a driver: the callback, and what crosses the border with it.

use crate::log::Objects;
use alloc::sync::Arc;
use core::ffi::c_void;

/// A context pointer of a driver: kept, handed back, never followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Context(pub(crate) *mut c_void);

// SAFETY: the host never dereferences a context; it only hands it back to the
// driver that gave it.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    pub(crate) const NULL: Self = Self(core::ptr::null_mut());
}

/// A handle as drivers see it.
pub(crate) fn handle(raw: usize) -> *mut c_void {
    core::ptr::without_provenance_mut(raw)
}

/// A pointer that crosses threads inside the host.
#[derive(Debug)]
pub(crate) struct Ptr<T>(pub(crate) *mut T);

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ptr<T> {}

impl<T> PartialEq for Ptr<T> {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.0, other.0)
    }
}

impl<T> Eq for Ptr<T> {}

// SAFETY: a `Ptr` is an address with the right to use it; each use has its own
// argument for being exclusive (the baton: one task runs at a time).
unsafe impl<T> Send for Ptr<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Ptr<T> {}

/// A callback that the host is about to make.
#[derive(Clone)]
pub(crate) struct Callback {
    pub(crate) name: &'static str,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    /// The rule that promises the driver PASSIVE_LEVEL.
    pub(crate) passive: Option<&'static str>,
    pub(crate) objects: Objects,
}

/// A result that the log can show.
pub(crate) trait Outcome {
    fn status(&self) -> Option<i32> {
        None
    }
}

impl Outcome for () {}

impl Outcome for i32 {
    fn status(&self) -> Option<i32> {
        Some(*self)
    }
}
