//! The driver as a whole: what its registration, its bindings and its callbacks refer to.

use super::Protocol;
use core::{ffi::c_void, sync::atomic::AtomicPtr};
use ndis_sys::DRIVER_OBJECT;

/// The driver as a whole. NDIS holds one reference as the protocol's context, the
/// driver object another one.
pub(crate) struct DriverShared<P: Protocol> {
    pub(crate) driver: P,
    /// What work items are allocated on: alive until the unload has returned.
    pub(crate) object: AtomicPtr<DRIVER_OBJECT>,
    pub(crate) handle: AtomicPtr<c_void>,
}
