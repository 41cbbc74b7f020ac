//! [`Held`]: a VC as long as an OID request about it is not answered.
//!
//! The completion of such a request takes the VC's handle. So each is counted on the VC, which is
//! not deleted while one is out: this driver does not delete its own (rule [OID-68]), and does not
//! let another side delete one (rule [VC-27]). NDIS asks as well as drivers do, and no page says that
//! it holds the VC then.
//!
//! A miniport that is no call manager cannot refuse a deletion (rule [VC-29]), and whoever deletes is
//! not one of its peers that ask: only a request of NDIS's own can be out then. It is completed
//! without the handle, which is no more.
//!
//! A client may delete its VC within the completion that it waits for. So for a VC that somebody else
//! has made the count is given back as the completion begins. From there the VC is whoever has
//! asked's: a driver that asks does not delete what it asks about, and NDIS, which has been asked to
//! delete a VC that it asks about itself, has both in its own hands.
//!
//! # Invariants
//!
//! HELD: while `counted` is set the VC is counted in its state, under its lock, so it is not deleted
//! and its handle is valid; the memory is kept by the reference in any case.
//!
//! [OID-68]: ndis_sys::rules#OID-68
//! [VC-27]: ndis_sys::rules#VC-27
//! [VC-29]: ndis_sys::rules#VC-29

use super::{Channel, Key};
use crate::mem::Arc;
use core::{
    ffi::c_void,
    fmt, ptr,
    sync::atomic::{AtomicBool, Ordering},
};
use ndis_sys::NDIS_HANDLE;

/// The VC of a request that is not answered.
pub struct Held<V: Channel> {
    vc: V,
    counted: AtomicBool,
}

impl<V: Channel> Held<V> {
    /// A request about the VC has come; `None` when the VC is being deleted.
    #[must_use]
    pub fn try_new(vc: V, key: Key) -> Option<Self> {
        vc.ask(key).then_some(Self {
            vc,
            counted: AtomicBool::new(true),
        })
    }

    /// A VC that this driver has made, for the time of the handler: it may be answered long before
    /// that returns.
    #[must_use]
    pub fn during(vc: &V, key: Key) -> Option<Self> {
        if !vc.made_here(key) {
            return None;
        }
        Self::try_new(vc.clone(), Key::new())
    }

    /// The VC.
    #[must_use]
    pub fn vc(&self) -> &V {
        &self.vc
    }

    /// NDIS's handle, for the completion, which begins now.
    #[must_use]
    pub fn handle_to_complete(&self) -> NDIS_HANDLE {
        if !self.vc.made_here(Key::new()) {
            self.give_back();
        }
        if self.vc.is_deleted(Key::new()) {
            return ptr::null_mut();
        }
        self.vc.handle()
    }

    /// The VC as a pointer with a reference; it stays held.
    #[must_use]
    pub fn into_raw(self) -> *mut c_void {
        let raw = Arc::into_raw(Arc::clone(self.vc.object(Key::new())));
        // The count is that of the value that is made of it.
        self.counted.store(false, Ordering::Relaxed);
        raw
    }

    /// The value that was made a pointer.
    ///
    /// # Safety
    ///
    /// The pointer came from [`into_raw`](Self::into_raw) of this type, and is used once.
    #[must_use]
    pub unsafe fn from_raw(raw: *mut c_void) -> Option<Self> {
        // SAFETY: by the caller, with the reference that was put there.
        let object = unsafe { Arc::<V::Object>::from_raw(raw) }?;
        Some(Self {
            vc: V::of(object, Key::new()),
            counted: AtomicBool::new(true),
        })
    }

    /// Gives the count back, once.
    fn give_back(&self) {
        // What waited for it goes on soon, for a lock may be held here.
        if self.counted.swap(false, Ordering::Relaxed) && self.vc.asked(Key::new()) {
            self.vc.defer();
        }
    }
}

impl<V: Channel> Drop for Held<V> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl<V: Channel> fmt::Debug for Held<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
