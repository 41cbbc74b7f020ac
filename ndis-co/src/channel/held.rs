//! [`Held`]: a VC as long as an OID request about it is not over.
//!
//! The completion of such a request takes the VC's handle. So each is counted on the VC, which is
//! not deleted while one is out: a call manager does not delete its own (rule [OID-68]), and does not
//! let a client delete one (rule [VC-27]) that has not heard. NDIS asks as well as clients do, and no
//! page says that it holds the VC of a call manager then.
//!
//! A miniport that is no call manager cannot refuse a deletion (rule [VC-29]), and has to complete what
//! it has pended with the VC's handle (rule [OID-18]). Both can be only if NDIS deletes no VC that it
//! asks about, and for its drivers' requests it has rule [OID-68]. So nothing is counted there.
//!
//! # Invariants
//!
//! HELD: while `counted` is set the VC is counted in its state, under its lock, so until whoever has
//! asked has heard it is not deleted and its handle is valid; the memory is kept by the
//! reference in any case.
//!
//! [OID-18]: ndis_sys::rules#OID-18
//! [OID-68]: ndis_sys::rules#OID-68
//! [VC-27]: ndis_sys::rules#VC-27
//! [VC-29]: ndis_sys::rules#VC-29

use super::{Channel, Key};
use crate::mem::Arc;
use core::{
    ffi::c_void,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};
use ndis_sys::NDIS_HANDLE;

/// The VC of a request, as the request's door keeps it: a [`Held`], or of a type without values where
/// there are no VCs.
pub trait OfVc: Sized + Send + 'static {
    /// NDIS's handle, for the completion, which begins now and is over when this is dropped.
    fn handle_to_complete(&self) -> NDIS_HANDLE;

    /// The VC as a pointer that is not null, with a reference; it stays held.
    fn into_raw(self) -> *mut c_void;

    /// The VC that was made a pointer.
    ///
    /// # Safety
    ///
    /// The pointer came from [`into_raw`](Self::into_raw) of this type, or is null, and is used
    /// once.
    unsafe fn from_raw(raw: *mut c_void) -> Option<Self>;
}

/// The VC of a request that is not over.
pub struct Held<V: Channel> {
    vc: V,
    counted: AtomicBool,
    /// Whoever has asked is being told.
    told: AtomicBool,
}

impl<V: Channel> Held<V> {
    /// A request about the VC has come; `None` when the VC is being deleted.
    #[must_use]
    pub fn try_new(vc: V, key: Key) -> Option<Self> {
        vc.ask(key).then(|| Self::counted(vc))
    }

    /// The count is this value's.
    fn counted(vc: V) -> Self {
        Self {
            vc,
            counted: AtomicBool::new(true),
            told: AtomicBool::new(false),
        }
    }
}

impl<V: Channel> OfVc for Held<V> {
    fn handle_to_complete(&self) -> NDIS_HANDLE {
        if !self.told.swap(true, Ordering::Relaxed) {
            self.vc.tell(Key::new());
        }
        self.vc.handle()
    }

    fn into_raw(self) -> *mut c_void {
        let raw = Arc::into_raw(Arc::clone(self.vc.object(Key::new())));
        // The count is that of the value that is made of it.
        self.counted.store(false, Ordering::Relaxed);
        raw
    }

    unsafe fn from_raw(raw: *mut c_void) -> Option<Self> {
        // SAFETY: by the caller, with the reference that was put there; of null there is none.
        let object = unsafe { Arc::<V::Object>::from_raw(raw) }?;
        Some(Self::counted(V::of(object, Key::new())))
    }
}

impl<V: Channel> Drop for Held<V> {
    fn drop(&mut self) {
        // What waited for it goes on soon, for a lock may be held here.
        if *self.counted.get_mut() && self.vc.asked(*self.told.get_mut(), Key::new()) {
            self.vc.defer();
        }
    }
}

impl<V: Channel> fmt::Debug for Held<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
