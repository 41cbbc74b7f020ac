//! [`Origin`]: what a clone keeps of the list that it was made from.

use super::fields::At;
use crate::{Status, irql::UpToDispatch, raw::Token};
use core::{
    ffi::c_void,
    sync::atomic::{AtomicI32, Ordering},
};
use ndis_sys::NET_BUFFER_LIST;

/// Takes a reference back.
pub(super) type Release = unsafe fn(*mut c_void, Status, Option<&mut UpToDispatch>);

/// A clone's reference to its parent, whatever that is.
///
/// # Invariants
///
/// ORIGIN: `shared` is a reference to what holds the original, of the type that `release` takes
/// back. The list is one of the original's, and so in this driver's hands as long as the
/// reference.
pub(super) struct Origin {
    shared: Token,
    release: Release,
    list: Token<NET_BUFFER_LIST>,
}

impl Origin {
    /// Counts the clone in its parent.
    ///
    /// # Safety
    ///
    /// As ORIGIN says; the reference is handed over.
    pub(super) unsafe fn new(
        shared: Token,
        release: Release,
        list: At<'_, NET_BUFFER_LIST>,
    ) -> Self {
        let list = Token(list.as_raw());
        let origin = Self {
            shared,
            release,
            list,
        };
        origin.count(1);
        origin
    }

    /// The clone is freed.
    pub(super) fn release(self, status: Status, irql: Option<&mut UpToDispatch>) {
        self.count(-1);
        // SAFETY: by ORIGIN the reference that the function takes.
        unsafe { (self.release)(self.shared.0, status, irql) };
    }

    /// Counts the clone in its parent, or takes it off (rule NBL-36).
    fn count(&self, by: i32) {
        // SAFETY: by ORIGIN the list is valid.
        let field = unsafe { &raw mut (*self.list.0).ChildRefCount };
        // SAFETY: as above; nothing else is done with the field (AT).
        let count = unsafe { AtomicI32::from_ptr(field) };
        count.fetch_add(by, Ordering::AcqRel);
    }
}
