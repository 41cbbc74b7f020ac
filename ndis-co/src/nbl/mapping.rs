//! Where the memory of an MDL is.
//!
//! Windows wants one thread at a time to ask for the address of an MDL that is not mapped
//! yet (rule KE-38). A view stays on its thread, but several lists may share one MDL: a
//! transport cuts a large buffer into packets. So this driver asks one at a time.

use crate::lock::SpinLock;
use core::{
    ffi::c_void,
    sync::atomic::{AtomicI16, Ordering},
};
use ndis_sys::MDL;

/// Held while an MDL is mapped; nothing else is locked within.
static MAPPING: SpinLock<()> = SpinLock::new(());

/// The system address of the memory; null when Windows cannot map it. At or below
/// DISPATCH_LEVEL.
///
/// # Safety
///
/// The MDL is valid; its pages are locked or from the nonpaged pool.
pub(super) unsafe fn address(mdl: *mut MDL) -> *mut c_void {
    // SAFETY: a field of the caller's MDL.
    let flags = unsafe { &raw mut (*mdl).MdlFlags };
    // SAFETY: valid, aligned, and written by others in one piece, if at all.
    let flags = unsafe { AtomicI16::from_ptr(flags) }.load(Ordering::Acquire);
    // Memory of the nonpaged pool has its address from the start, and nobody maps it.
    if i32::from(flags) & ndis_sys::MDL_SOURCE_IS_NONPAGED_POOL != 0 {
        // SAFETY: a field of the caller's MDL.
        return unsafe { (*mdl).MappedSystemVa };
    }
    // SAFETY: the caller's contract is the same.
    MAPPING.locked(|()| unsafe { ask(mdl) })
}

/// # Safety
///
/// As [`address`], and nobody else asks for this MDL meanwhile, unless it is mapped.
unsafe fn ask(mdl: *mut MDL) -> *mut c_void {
    let priority = ndis_sys::NormalPagePriority | ndis_sys::MdlMappingNoExecute;
    // SAFETY: by the caller.
    unsafe { ndis_sys::MmGetSystemAddressForMdlSafe(mdl, priority as u32) }
}
