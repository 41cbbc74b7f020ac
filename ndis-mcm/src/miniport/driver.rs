//! The driver as a whole: what its registration and its adapters refer to.

use super::Miniport;
use core::{ffi::c_void, sync::atomic::AtomicPtr};

/// The driver as a whole. NDIS holds one reference as the miniport driver context,
/// the driver object another one.
#[doc(hidden)]
pub struct DriverShared<M: Miniport> {
    pub(crate) driver: M,
    pub(crate) handle: AtomicPtr<c_void>,
}
