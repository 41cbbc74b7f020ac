//! [`RawTimer`]: a one-shot timer object.

use crate::{
    Status,
    irql::Passive,
    mem::Tag,
    raw::{Token, header, large_integer},
};
use core::{ffi::c_void, ptr};
use ndis_sys::{NDIS_HANDLE, NDIS_TIMER_CHARACTERISTICS};

/// `NDIS_TIMER_FUNCTION`.
type Function = unsafe extern "system" fn(*mut c_void, *mut c_void, *mut c_void, *mut c_void);

/// A timer object, for the crate itself. It does nothing on drop.
///
/// # Invariants
///
/// CLOCK: allocated until [`free`](Self::free), after which it is not used.
pub(crate) struct RawTimer(Token);

impl RawTimer {
    /// Allocates one.
    ///
    /// # Safety
    ///
    /// The handle is valid until the timer was freed; `function` expects `context`.
    pub(crate) unsafe fn try_new(
        handle: NDIS_HANDLE,
        function: Function,
        context: *mut c_void,
    ) -> Result<Self, Status> {
        let mut characteristics: NDIS_TIMER_CHARACTERISTICS = ndis_sys::zeroed();
        characteristics.Header = header(
            ndis_sys::NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
            ndis_sys::NDIS_TIMER_CHARACTERISTICS_REVISION_1,
            ndis_sys::NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1,
        );
        characteristics.AllocationTag = Tag::NDIS.raw();
        characteristics.TimerFunction = Some(function);
        characteristics.FunctionContext = context;
        let mut timer: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: the handle is valid by the caller; the structures live for the call.
        let status =
            unsafe { ndis_sys::NdisAllocateTimerObject(handle, &mut characteristics, &mut timer) };
        Status::from_raw(status).result()?;
        Ok(Self(Token(timer)))
    }

    /// Sets it, with the context that it was allocated with; whether it was set
    /// already. At or below DISPATCH_LEVEL.
    pub(crate) fn set(&self, milliseconds: u32) -> bool {
        // A negative due time is relative, in units of 100 ns.
        let due = i64::from(milliseconds).saturating_mul(-10_000);
        let due = large_integer(due);
        // SAFETY: by CLOCK; a null context keeps the one given at allocation.
        unsafe { ndis_sys::NdisSetTimerObject(self.0.0, due, 0, ptr::null_mut()) != 0 }
    }

    /// Takes it back; whether it was set. At or below DISPATCH_LEVEL.
    pub(crate) fn cancel(&self) -> bool {
        // SAFETY: by CLOCK.
        unsafe { ndis_sys::NdisCancelTimerObject(self.0.0) != 0 }
    }

    /// Waits until its routine is over, and frees it.
    ///
    /// # Safety
    ///
    /// It is not set, and used no more.
    pub(crate) unsafe fn free(&self, irql: &mut Passive) {
        let _ = irql;
        // The routine may still be queued, or run on another processor, until every
        // processor's queue of DPCs was gone through.
        // SAFETY: PASSIVE_LEVEL, which the proof says.
        unsafe { ndis_sys::KeFlushQueuedDpcs() };
        // SAFETY: by CLOCK and the caller.
        unsafe { ndis_sys::NdisFreeTimerObject(self.0.0) };
    }
}
