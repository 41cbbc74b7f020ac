//! Where the memory of an MDL is.
//!
//! Windows wants one thread at a time to ask for the address of an MDL that is not mapped
//! yet (rule KE-38). A view stays on its thread, but several lists may share one MDL: a
//! transport cuts a large buffer into packets. So this driver asks one at a time.

use super::fields::At;
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
#[inline]
pub(super) fn address(mdl: At<'_, MDL>) -> *mut c_void {
    // SAFETY: by AT a field of a valid MDL.
    let flags = unsafe { &raw mut (*mdl.as_raw()).MdlFlags };
    // SAFETY: as above, aligned, and written by others in one piece, if at all.
    let flags = unsafe { AtomicI16::from_ptr(flags) }.load(Ordering::Acquire);
    // Memory of the nonpaged pool has its address from the start, and nobody maps it.
    if i32::from(flags) & ndis_sys::MDL_SOURCE_IS_NONPAGED_POOL != 0 {
        return ask(mdl);
    }
    ask_alone(mdl)
}

#[cold]
fn ask_alone(mdl: At<'_, MDL>) -> *mut c_void {
    MAPPING.locked(|()| ask(mdl))
}

#[inline]
fn ask(mdl: At<'_, MDL>) -> *mut c_void {
    let priority = ndis_sys::NormalPagePriority | ndis_sys::MdlMappingNoExecute;
    // SAFETY: by AT the MDL is valid, and its pages are there; nobody else of this driver
    // asks for it meanwhile, unless it has its address already.
    unsafe { ndis_sys::MmGetSystemAddressForMdlSafe(mdl.as_raw(), priority as u32) }
}
