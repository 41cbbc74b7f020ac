//! [`RawWorkItem`]: a value that goes with its run.

use super::Base;
use crate::{Status, irql::Passive, mem::Arc, raw::Token};
use core::{ffi::c_void, mem::ManuallyDrop};
use ndis_sys::{NDIS_HANDLE, NDIS_IO_WORKITEM_ROUTINE, PIO_WORKITEM, PIO_WORKITEM_ROUTINE_EX};

/// A work item of NDIS or of the I/O manager, for the crate itself: a value that goes with
/// the run when it is queued, and comes back with it.
///
/// # Invariants
///
/// ITEM: the handle or pointer is that of an allocated work item, and neither queued nor
/// another value's.
pub(crate) enum RawWorkItem {
    Ndis(Token),
    Io(Token),
}

/// What a work item runs.
pub(crate) trait Routine: Send + Sync + 'static {
    /// Runs at PASSIVE_LEVEL on a system thread, with no lock held.
    fn run(this: Arc<Self>, item: RawWorkItem, irql: &mut Passive)
    where
        Self: Sized;
}

/// A work item with what it will run.
///
/// # Invariants
///
/// BOUND: `object` is a reference, given away by [`Arc::into_raw`], that both routines take.
pub(crate) struct Bound {
    item: RawWorkItem,
    object: Token,
    ndis: NDIS_IO_WORKITEM_ROUTINE,
    io: PIO_WORKITEM_ROUTINE_EX,
}

/// `NDIS_IO_WORKITEM_FUNCTION`.
unsafe extern "system" fn run_ndis<R: Routine>(context: *mut c_void, item: NDIS_HANDLE) {
    // SAFETY: NDIS passes on what was queued.
    unsafe { run::<R>(context, RawWorkItem::Ndis(Token(item))) };
}

/// `IO_WORKITEM_ROUTINE_EX`.
unsafe extern "system" fn run_io<R: Routine>(
    _object: *mut c_void,
    context: *mut c_void,
    item: PIO_WORKITEM,
) {
    // SAFETY: the I/O manager passes on what was queued.
    unsafe { run::<R>(context, RawWorkItem::Io(Token(item.cast()))) };
}

/// # Safety
///
/// As BOUND says of the object, in the run of the item.
unsafe fn run<R: Routine>(object: *mut c_void, item: RawWorkItem) {
    // SAFETY: by the caller.
    let Some(object) = (unsafe { Arc::<R>::from_raw(object) }) else {
        return;
    };
    // SAFETY: work items run at PASSIVE_LEVEL on a system thread, with no lock held.
    let mut irql = unsafe { Passive::assume() };
    R::run(object, item, &mut irql);
}

impl RawWorkItem {
    /// At or below DISPATCH_LEVEL.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    ///
    /// # Safety
    ///
    /// The adapter handle stays valid until the item was freed; the driver object
    /// is this driver's.
    pub(crate) unsafe fn try_new(base: Base) -> Result<Self, Status> {
        match base {
            Base::Adapter(handle) => {
                // SAFETY: the caller vouches for the handle.
                let item = unsafe { ndis_sys::NdisAllocateIoWorkItem(handle.0) };
                (!item.is_null()).then(|| Self::Ndis(Token(item)))
            }
            Base::Protocol { object, .. } => {
                // SAFETY: the function takes a driver object as well as a device's
                // (rule KE-53); the caller vouches for it.
                let item = unsafe { ndis_sys::IoAllocateWorkItem(object.0.cast()) };
                (!item.is_null()).then(|| Self::Io(Token(item.cast())))
            }
        }
        .ok_or(Status::RESOURCES)
    }

    /// Says what it will run.
    pub(crate) fn bind<R: Routine>(self, object: Arc<R>) -> Bound {
        Bound {
            item: self,
            object: Token(Arc::into_raw(object)),
            ndis: Some(run_ndis::<R>),
            io: Some(run_io::<R>),
        }
    }
}

impl Bound {
    /// Has it run at PASSIVE_LEVEL on a system thread. At or below DISPATCH_LEVEL.
    pub(crate) fn queue(self) {
        match *ManuallyDrop::new(self.item) {
            // SAFETY: by ITEM it is allocated and not queued; it is the run's from here on.
            RawWorkItem::Ndis(item) => unsafe {
                ndis_sys::NdisQueueIoWorkItem(item.0, self.ndis, self.object.0);
            },
            // SAFETY: as above. The queue is the one for what may wait.
            RawWorkItem::Io(item) => unsafe {
                ndis_sys::IoQueueWorkItemEx(
                    item.0.cast(),
                    self.io,
                    ndis_sys::DelayedWorkQueue,
                    self.object.0,
                );
            },
        }
    }
}

impl Drop for RawWorkItem {
    fn drop(&mut self) {
        match *self {
            // SAFETY: by ITEM. A run may free its own item.
            Self::Ndis(item) => unsafe { ndis_sys::NdisFreeIoWorkItem(item.0) },
            // SAFETY: as above.
            Self::Io(item) => unsafe { ndis_sys::IoFreeWorkItem(item.0.cast()) },
        }
    }
}
