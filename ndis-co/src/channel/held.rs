//! [`Held`]: a VC as long as an OID request about it is not answered.
//!
//! The completion of such a request takes the VC's handle. Who has made the VC does not delete
//! it while a request of its own is out (rule [OID-68]), and the other side does not let it be
//! deleted while one of its is (rule [VC-27]). NDIS asks as well, and no page says that it
//! holds the VC then: so one that this driver has made is held here.
//!
//! # Invariants
//!
//! HELD: from the arrival of a request until its answer the VC's handle is valid, and NDIS has
//! its reference as the context: by those rules for a VC that somebody else has made, and for
//! one of this driver's because one more is counted out on it, as a list is (TRAFFIC).
//!
//! [OID-68]: ndis_sys::rules#OID-68
//! [VC-27]: ndis_sys::rules#VC-27

use super::{Channel, Key};
use core::{ffi::c_void, fmt};
use ndis_sys::NDIS_HANDLE;

/// The VC of a request that is not answered.
pub struct Held<V: Channel> {
    vc: V,
}

impl<V: Channel> Held<V> {
    /// A request about the VC has come.
    #[must_use]
    pub fn new(vc: V, _: Key) -> Self {
        Self::count(&vc);
        Self { vc }
    }

    fn count(vc: &V) {
        if vc.made_here(Key::new()) {
            vc.path(Key::new()).traffic.enter(1);
        }
    }

    /// The VC.
    #[must_use]
    pub fn vc(&self) -> &V {
        &self.vc
    }

    /// NDIS's handle.
    #[must_use]
    pub fn handle(&self) -> NDIS_HANDLE {
        self.vc.handle()
    }

    /// The VC without a reference, for [`again`](Self::again); it stays held.
    #[must_use]
    pub fn into_context(self) -> *mut c_void {
        // For what is made of it. This value's own goes with it.
        Self::count(&self.vc);
        self.vc.context()
    }

    /// The value that was made a context, of which `vc` was made; once.
    #[must_use]
    pub fn again(vc: V, _: Key) -> Self {
        Self { vc }
    }
}

impl<V: Channel> Drop for Held<V> {
    fn drop(&mut self) {
        // What waited for it goes on soon, for a lock may be held here.
        if self.vc.made_here(Key::new()) && self.vc.path(Key::new()).traffic.leave(1) {
            self.vc.defer();
        }
    }
}

impl<V: Channel> fmt::Debug for Held<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
