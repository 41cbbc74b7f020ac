//! [`WorkItem`]: code that must run at PASSIVE_LEVEL, soon.

use crate::{
    Status,
    irql::Passive,
    lock::SpinLock,
    mem::{Arc, Tag},
    owner::{Live, Owner},
};
use core::{ffi::c_void, fmt};
use ndis_sys::NDIS_HANDLE;

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
/// WORK: `item` is an allocated work item, freed by the last share; while
/// `target` is `Some`, the item is queued and its run owns one share.
struct Inner<T> {
    item: NDIS_HANDLE,
    target: SpinLock<Option<Arc<T>>>,
    /// Dropped after the item was freed, so the owner outlives it.
    _live: Live,
}

// SAFETY: the handle is a token for NDIS; the target is behind the lock.
unsafe impl<T: Send + Sync> Send for Inner<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Inner<T> {}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        // SAFETY: by WORK this is the last share, so the item is not queued; a
        // run that is just ending may free its own item.
        unsafe { ndis_sys::NdisFreeIoWorkItem(self.item) };
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
        // SAFETY: the owner's handle is valid as long as `live` is.
        let item = unsafe { ndis_sys::NdisAllocateIoWorkItem(live.handle()) };
        if item.is_null() {
            return Err(Status::RESOURCES);
        }
        let inner = Inner {
            item,
            target: SpinLock::new(None),
            _live: live,
        };
        Ok(Self {
            inner: Arc::try_new(inner, Tag::NDIS)?,
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
        let fresh = self.inner.target.with(|slot| {
            let fresh = slot.is_none();
            if fresh {
                *slot = Some(target.clone());
            }
            fresh
        });
        if fresh {
            let context = Arc::into_raw(self.inner.clone());
            // SAFETY: by WORK the item is allocated and was not queued; the
            // context is a share that the routine takes.
            unsafe { ndis_sys::NdisQueueIoWorkItem(self.inner.item, Some(run::<T>), context) };
        }
        fresh
    }
}

/// The work item's routine.
unsafe extern "system" fn run<T: Work>(context: *mut c_void, _item: NDIS_HANDLE) {
    // SAFETY: the context is the share that `queue` made for this run.
    let Some(inner) = (unsafe { Arc::<Inner<T>>::from_raw(context) }) else {
        return;
    };
    if let Some(target) = inner.target.with(Option::take) {
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
