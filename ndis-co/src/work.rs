//! [`WorkItem`]: code that must run at PASSIVE_LEVEL, soon.

use crate::{
    Status,
    irql::Passive,
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    owner::{Live, Owner},
};
use core::{ffi::c_void, fmt};
use ndis_sys::{DRIVER_OBJECT, NDIS_HANDLE, PIO_WORKITEM};

/// What resources are allocated on.
///
/// NDIS has work items for miniports only (rule DV-37): a protocol driver takes
/// those of the I/O manager, on its driver object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    /// An adapter's handle, for everything.
    Adapter(NDIS_HANDLE),
    /// The handle of a protocol driver's registration, and its driver object.
    Protocol {
        handle: NDIS_HANDLE,
        object: *mut DRIVER_OBJECT,
    },
}

impl Base {
    /// The handle for pools, timers and MDLs.
    pub(crate) fn handle(self) -> NDIS_HANDLE {
        match self {
            Self::Adapter(handle) | Self::Protocol { handle, .. } => handle,
        }
    }
}

/// A work item of NDIS or of the I/O manager, for the crate itself.
///
/// # Invariants
///
/// ITEM: the handle or pointer is that of an allocated work item until
/// [`free`](Self::free).
pub(crate) enum RawWorkItem {
    Ndis(NDIS_HANDLE),
    Io(PIO_WORKITEM),
}

// SAFETY: the handle is a token that any thread may pass to NDIS.
unsafe impl Send for RawWorkItem {}
// SAFETY: as above.
unsafe impl Sync for RawWorkItem {}

/// What a work item runs.
pub(crate) trait Routine {
    /// Runs at PASSIVE_LEVEL on a system thread, with no lock held.
    ///
    /// # Safety
    ///
    /// `context` is what [`RawWorkItem::queue`] was given, once for each time.
    unsafe fn run(context: *mut c_void);
}

/// `NDIS_IO_WORKITEM_FUNCTION`.
unsafe extern "system" fn run_ndis<R: Routine>(context: *mut c_void, _item: NDIS_HANDLE) {
    // SAFETY: NDIS passes on what was queued.
    unsafe { R::run(context) };
}

/// `IO_WORKITEM_ROUTINE_EX`.
unsafe extern "system" fn run_io<R: Routine>(
    _object: *mut c_void,
    context: *mut c_void,
    _item: PIO_WORKITEM,
) {
    // SAFETY: the I/O manager passes on what was queued.
    unsafe { R::run(context) };
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
                let item = unsafe { ndis_sys::NdisAllocateIoWorkItem(handle) };
                (!item.is_null()).then_some(Self::Ndis(item))
            }
            Base::Protocol { object, .. } => {
                // SAFETY: the function takes a driver object as well as a device's
                // (rule KE-53); the caller vouches for it.
                let item = unsafe { ndis_sys::IoAllocateWorkItem(object.cast()) };
                (!item.is_null()).then_some(Self::Io(item))
            }
        }
        .ok_or(Status::RESOURCES)
    }

    /// Has `R` run at PASSIVE_LEVEL on a system thread.
    ///
    /// # Safety
    ///
    /// The item is neither queued nor freed, nor freed before the routine
    /// begins; `context` is what the routine expects.
    pub(crate) unsafe fn queue<R: Routine>(&self, context: *mut c_void) {
        match *self {
            // SAFETY: by ITEM and the caller.
            Self::Ndis(item) => unsafe {
                ndis_sys::NdisQueueIoWorkItem(item, Some(run_ndis::<R>), context);
            },
            // SAFETY: as above. The queue is the one for what may wait.
            Self::Io(item) => unsafe {
                ndis_sys::IoQueueWorkItemEx(
                    item,
                    Some(run_io::<R>),
                    ndis_sys::DelayedWorkQueue,
                    context,
                );
            },
        }
    }

    /// # Safety
    ///
    /// Called once, when the item is not queued, and before its handle dies.
    pub(crate) unsafe fn free(&self) {
        match *self {
            // SAFETY: by ITEM and the caller.
            Self::Ndis(item) => unsafe { ndis_sys::NdisFreeIoWorkItem(item) },
            // SAFETY: as above.
            Self::Io(item) => unsafe { ndis_sys::IoFreeWorkItem(item) },
        }
    }
}

/// What a [`WorkItem`] does.
pub trait Work: Sized + Send + Sync + 'static {
    /// Runs at PASSIVE_LEVEL on a system thread.
    fn run(this: &Arc<Self>, irql: &mut Passive);
}

/// Queues [`Work`] to a system thread.
///
/// One item holds one target at a time; it can be queued again as soon as its
/// run has begun. A queued run takes place even when the item is dropped
/// meanwhile, and the owner (the adapter) does not go before it.
///
/// An adapter's are NDIS's; a binding's are the I/O manager's, for NDIS has none for
/// protocol drivers.
///
/// Source pages: `nf-ndis-ndisallocateioworkitem`,
/// `nf-ndis-ndisfreeioworkitem`, `nf-wdm-ioallocateworkitem`.
#[doc(alias = "IoAllocateWorkItem")]
#[doc(alias = "IoFreeWorkItem")]
#[doc(alias = "NdisAllocateIoWorkItem")]
#[doc(alias = "NdisFreeIoWorkItem")]
pub struct WorkItem<T: Work> {
    inner: Arc<Inner<T>>,
}

/// # Invariants
///
/// WORK: while `target` is `Some`, `item` is queued and its run owns one
/// reference to this.
struct Inner<T> {
    item: RawWorkItem,
    target: SpinLock<Option<Arc<T>>>,
    /// The item is allocated on its owner's handle.
    live: Parent<Live>,
}

impl<T> Anchored for Inner<T> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        // SAFETY: by WORK this is the last reference, so the item is not
        // queued; a run that is just ending may free its own item. The handle
        // is valid while `live` is.
        unsafe { self.item.free() };
    }
}

impl<T: Work> WorkItem<T> {
    /// Allocates a work item on `owner`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(owner: &Owner) -> Result<Self, Status> {
        let live = owner.enter();
        // SAFETY: the owner's handle is valid as long as `live` is, which goes
        // after the item.
        let item = unsafe { RawWorkItem::try_new(owner.base()) }?;
        let inner = Inner {
            item,
            target: SpinLock::new(None),
            live: Parent::new(live),
        };
        Ok(Self {
            inner: Arc::try_new_anchored(inner, Tag::NDIS)?,
        })
    }

    /// Has `target` run soon. Returns `false` when the item waits already.
    ///
    /// At or below DISPATCH_LEVEL; legal under a lock, because nothing runs
    /// before this returns on this processor.
    ///
    /// Source pages: `nf-ndis-ndisqueueioworkitem`, `nf-wdm-ioqueueworkitemex`.
    #[doc(alias = "IoQueueWorkItemEx")]
    #[doc(alias = "NdisQueueIoWorkItem")]
    pub fn queue(&self, target: &Arc<T>) -> bool {
        let fresh = self.inner.target.locked(|slot| {
            let fresh = slot.is_none();
            if fresh {
                *slot = Some(target.clone());
            }
            fresh
        });
        if fresh {
            let context = Arc::into_raw(self.inner.clone());
            // SAFETY: by WORK the item was not queued; the context is a reference
            // that the routine takes.
            unsafe { self.inner.item.queue::<Inner<T>>(context) };
        }
        fresh
    }
}

impl<T: Work> Routine for Inner<T> {
    unsafe fn run(context: *mut c_void) {
        // SAFETY: the context is the reference that `queue` made for this run.
        let Some(inner) = (unsafe { Arc::<Self>::from_raw(context) }) else {
            return;
        };
        // `inner` goes last: it keeps the owner, and this code, in place.
        if let Some(target) = inner.target.locked(Option::take) {
            // SAFETY: work items run at PASSIVE_LEVEL with no lock held.
            let mut irql = unsafe { Passive::assume() };
            T::run(&target, &mut irql);
        }
    }
}

impl<T: Work> fmt::Debug for WorkItem<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkItem").finish_non_exhaustive()
    }
}
