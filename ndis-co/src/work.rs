//! [`WorkItem`]: code that must run at PASSIVE_LEVEL, soon.

use crate::{
    Status,
    irql::Passive,
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    owner::{Live, Owner},
};
use core::{ffi::c_void, fmt};
use ndis_sys::NDIS_HANDLE;

/// A work item of NDIS, for the crate itself.
///
/// # Invariants
///
/// ITEM: the handle is that of an allocated work item until
/// [`free`](Self::free).
pub(crate) struct RawWorkItem(NDIS_HANDLE);

// SAFETY: the handle is a token that any thread may pass to NDIS.
unsafe impl Send for RawWorkItem {}
// SAFETY: as above.
unsafe impl Sync for RawWorkItem {}

/// The routine of a work item: its context, and the item's handle.
pub(crate) type Routine = unsafe extern "system" fn(*mut c_void, NDIS_HANDLE);

impl RawWorkItem {
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    ///
    /// # Safety
    ///
    /// `handle` is an adapter or binding handle that stays valid until the item
    /// was freed.
    pub(crate) unsafe fn try_new(handle: NDIS_HANDLE) -> Result<Self, Status> {
        // SAFETY: the caller vouches for the handle; any level up to DISPATCH.
        let item = unsafe { ndis_sys::NdisAllocateIoWorkItem(handle) };
        if item.is_null() {
            return Err(Status::RESOURCES);
        }
        Ok(Self(item))
    }

    /// Has `routine` run at PASSIVE_LEVEL on a system thread.
    ///
    /// # Safety
    ///
    /// The item is neither queued nor freed, nor freed before the routine
    /// begins; `context` is what the routine expects.
    pub(crate) unsafe fn queue(&self, routine: Routine, context: *mut c_void) {
        // SAFETY: by ITEM and the caller.
        unsafe { ndis_sys::NdisQueueIoWorkItem(self.0, Some(routine), context) };
    }

    /// # Safety
    ///
    /// Called once, when the item is not queued, and before its handle dies.
    pub(crate) unsafe fn free(&self) {
        // SAFETY: by ITEM and the caller.
        unsafe { ndis_sys::NdisFreeIoWorkItem(self.0) };
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
/// Source pages: `nf-ndis-ndisallocateioworkitem`,
/// `nf-ndis-ndisfreeioworkitem`.
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

// SAFETY: the field.
unsafe impl<T> Anchored for Inner<T> {
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
        let item = unsafe { RawWorkItem::try_new(owner.handle()) }?;
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
    /// Source page: `nf-ndis-ndisqueueioworkitem`.
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
            unsafe { self.inner.item.queue(run::<T>, context) };
        }
        fresh
    }
}

/// The work item's routine.
unsafe extern "system" fn run<T: Work>(context: *mut c_void, _item: NDIS_HANDLE) {
    // SAFETY: the context is the reference that `queue` made for this run.
    let Some(inner) = (unsafe { Arc::<Inner<T>>::from_raw(context) }) else {
        return;
    };
    // `inner` goes last: it keeps the adapter, and this code, in place.
    if let Some(target) = inner.target.locked(Option::take) {
        // SAFETY: NDIS calls work items at PASSIVE_LEVEL with no lock held.
        let mut irql = unsafe { Passive::assume() };
        T::run(&target, &mut irql);
    }
}

impl<T: Work> fmt::Debug for WorkItem<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkItem").finish_non_exhaustive()
    }
}
