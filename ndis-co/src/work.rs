//! [`WorkItem`]: code that must run at PASSIVE_LEVEL, soon.

use crate::{
    Status,
    irql::Passive,
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    owner::{Live, Owner},
    raw::Token,
};
use core::{ffi::c_void, fmt, mem::ManuallyDrop};
use ndis_sys::{
    DRIVER_OBJECT, NDIS_HANDLE, NDIS_IO_WORKITEM_ROUTINE, PIO_WORKITEM, PIO_WORKITEM_ROUTINE_EX,
};

/// What resources are allocated on.
///
/// NDIS has work items for miniports only (rule DV-37): a protocol driver takes
/// those of the I/O manager, on its driver object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    /// An adapter's handle, for everything.
    Adapter(Token),
    /// The handle of a protocol driver's registration, and its driver object.
    Protocol {
        handle: Token,
        object: Token<DRIVER_OBJECT>,
    },
}

impl Base {
    /// The handle for pools, timers and MDLs.
    pub(crate) fn handle(self) -> NDIS_HANDLE {
        match self {
            Self::Adapter(handle) | Self::Protocol { handle, .. } => handle.0,
        }
    }
}

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
/// Source pages: [`NdisAllocateIoWorkItem`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisallocateioworkitem),
/// [`NdisFreeIoWorkItem`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisfreeioworkitem),
/// [`IoAllocateWorkItem`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioallocateworkitem).
#[doc(alias = "IoAllocateWorkItem")]
#[doc(alias = "IoFreeWorkItem")]
#[doc(alias = "NdisAllocateIoWorkItem")]
#[doc(alias = "NdisFreeIoWorkItem")]
pub struct WorkItem<T: Work> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    state: SpinLock<State<T>>,
    /// The item is allocated on its owner's handle.
    live: Parent<Live>,
}

/// Where the item is.
enum State<T> {
    Idle(RawWorkItem),
    /// The item is queued, and its run has a reference to this.
    Queued(Arc<T>),
    /// Only while the lock is held.
    Between,
}

impl<T> Anchored for Inner<T> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
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
            state: SpinLock::new(State::Idle(item)),
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
    /// Source pages: [`NdisQueueIoWorkItem`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisqueueioworkitem),
    /// [`IoQueueWorkItemEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioqueueworkitemex).
    #[doc(alias = "IoQueueWorkItemEx")]
    #[doc(alias = "NdisQueueIoWorkItem")]
    pub fn queue(&self, target: &Arc<T>) -> bool {
        let fresh =
            self.inner
                .state
                .locked(|state| match core::mem::replace(state, State::Between) {
                    State::Idle(item) => {
                        *state = State::Queued(target.clone());
                        Some(item)
                    }
                    waits => {
                        *state = waits;
                        None
                    }
                });
        let Some(item) = fresh else { return false };
        item.bind(self.inner.clone()).queue();
        true
    }
}

impl<T: Work> Routine for Inner<T> {
    fn run(inner: Arc<Self>, item: RawWorkItem, irql: &mut Passive) {
        // `inner` goes last: it keeps the owner, and this code, in place.
        let was = inner
            .state
            .locked(|state| core::mem::replace(state, State::Idle(item)));
        if let State::Queued(target) = was {
            T::run(&target, irql);
        }
    }
}

impl<T: Work> fmt::Debug for WorkItem<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkItem").finish_non_exhaustive()
    }
}
