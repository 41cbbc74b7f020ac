//! What a dispatch routine does with an I/O request packet. `wdm.h` has these as macros and
//! inline functions.

use crate::*;
use core::{
    ffi::c_void,
    mem, ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

/// Where a request says which stack location is the current one: behind levels without a name.
///
/// # Safety
/// `irp` points to a request.
#[doc(hidden)]
#[inline]
#[must_use]
pub const unsafe fn irp_current_stack_location(irp: PIRP) -> *mut PIO_STACK_LOCATION {
    // SAFETY: the caller passes a request; only a place is computed.
    let overlay = unsafe { &raw mut (*irp).Tail.Overlay };
    #[cfg(not(all(windows, feature = "wdk-sys")))]
    // SAFETY: as above.
    unsafe {
        &raw mut (*overlay).s.u.CurrentStackLocation
    }
    #[cfg(all(windows, feature = "wdk-sys"))]
    // SAFETY: as above.
    unsafe {
        (&raw mut (*overlay)
            .__bindgen_anon_2
            .__bindgen_anon_1
            .CurrentStackLocation)
            .cast()
    }
}

/// Where the request's parameters for this driver are.
///
/// # Safety
/// `irp` points to a request that is the calling driver's now.
#[inline]
#[must_use]
pub const unsafe fn IoGetCurrentIrpStackLocation(irp: PIRP) -> PIO_STACK_LOCATION {
    // SAFETY: the caller passes a request.
    let place = unsafe { irp_current_stack_location(irp) };
    // SAFETY: the I/O manager has set it before it called the driver.
    unsafe { place.read() }
}

/// Gives a request back to the I/O manager; its I/O status block holds the answer.
///
/// # Safety
/// `irp` points to a request that is the calling driver's now, and is nobody's from here on;
/// the IRQL is at most DISPATCH_LEVEL.
#[inline]
pub unsafe fn IoCompleteRequest(irp: PIRP, boost: CCHAR) {
    // SAFETY: the caller's promise.
    unsafe { IofCompleteRequest(irp, boost) }
}

/// Says that the request is completed later: the dispatch routine returns `STATUS_PENDING`.
///
/// # Safety
/// `irp` points to a request that is the calling driver's now.
#[inline]
pub unsafe fn IoMarkIrpPending(irp: PIRP) {
    // SAFETY: the caller's promise.
    let location = unsafe { IoGetCurrentIrpStackLocation(irp) };
    // SAFETY: the location belongs to the request; only a place is computed.
    let control = unsafe { &raw mut (*location).Control };
    // SAFETY: as above.
    let value = unsafe { control.read() };
    // SAFETY: as above.
    unsafe { control.write(value | SL_PENDING_RETURNED) }
}

/// The words of a request that are its driver's: `Tail.Overlay.DriverContext`.
///
/// # Safety
/// `irp` points to a request.
#[doc(hidden)]
#[inline]
#[must_use]
pub const unsafe fn irp_driver_context(irp: PIRP) -> *mut [PVOID; 4] {
    // SAFETY: the caller passes a request; only a place is computed. The words are the first of all
    // there.
    unsafe { &raw mut (*irp).Tail.Overlay }.cast()
}

/// Sets the routine that is called when the request is cancelled, or takes it away with `None`. The
/// routine that was set; none when it is being called.
///
/// # Safety
/// `irp` points to a request that is the calling driver's now.
#[inline]
pub unsafe fn IoSetCancelRoutine(irp: PIRP, routine: PDRIVER_CANCEL) -> PDRIVER_CANCEL {
    // SAFETY: the caller's promise; only a place is computed.
    let place = unsafe { &raw mut (*irp).CancelRoutine };
    // SAFETY: the place of a pointer, aligned as one, that all change in this way.
    let place = unsafe { AtomicPtr::<c_void>::from_ptr(place.cast()) };
    let routine = routine.map_or(ptr::null_mut(), |routine| routine as *mut c_void);
    let before = place.swap(routine, Ordering::SeqCst);
    // SAFETY: null, or what was such a routine when it was stored; both have the size of a pointer.
    unsafe { mem::transmute::<*mut c_void, PDRIVER_CANCEL>(before) }
}
