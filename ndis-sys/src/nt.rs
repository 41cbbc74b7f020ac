//! NT names of `wdm.h` that drivers of this family use and that `ndis.h`
//! itself does not spell: the typedef of the driver object, and the inline
//! function that maps an MDL.

use crate::{MDL, PVOID, ULONG, _DRIVER_OBJECT};

/// The object that stands for a loaded driver.
pub type DRIVER_OBJECT = _DRIVER_OBJECT;

/// `MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL`: the MDL's system
/// address is already there.
const MAPPED: i32 = 0x0001 | 0x0004;

/// `MdlMappingNoExecute`: the mapping is for data only.
const NO_EXECUTE: ULONG = 0x4000_0000;

/// The system address of the memory that `mdl` describes, or null when there
/// is none to be had. `priority` is one of the `*PagePriority` constants.
///
/// # Safety
/// `mdl` is a valid MDL whose pages are locked. IRQL at most DISPATCH_LEVEL.
#[inline]
pub unsafe fn MmGetSystemAddressForMdlSafe(mdl: *mut MDL, priority: ULONG) -> PVOID {
    // SAFETY: a field of a valid structure.
    let flags = unsafe { (&raw const (*mdl).MdlFlags).read() };
    if i32::from(flags) & MAPPED != 0 {
        // SAFETY: a field of a valid structure.
        return unsafe { (&raw const (*mdl).MappedSystemVa).read() };
    }
    // SAFETY: the caller vouches for the MDL and the level; a failure of this
    // mode (0, kernel) with no bug check (0) is null.
    unsafe {
        crate::MmMapLockedPagesSpecifyCache(
            mdl,
            0,
            crate::MmCached,
            core::ptr::null_mut(),
            0,
            priority | NO_EXECUTE,
        )
    }
}
