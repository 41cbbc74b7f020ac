//! [`WorkItem`]: code that must run at PASSIVE_LEVEL, soon.

use crate::{
    Status,
    irql::Passive,
    kernel::{RawWorkItem, Routine},
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    scope::{Live, Scope},
};
use core::fmt;

/// What a [`WorkItem`] does.
///
/// ```
/// # use ndis_co::{event::Event, irql::Passive, mem::Arc, work::Work};
/// # use ndis_host as _;
/// struct Restart {
///     line_is_up: Event,
/// }
///
/// impl Work for Restart {
///     /// Here the driver may wait.
///     fn run(this: &Arc<Self>, irql: &mut Passive) {
///         this.line_is_up.wait_for(1_000, irql);
///     }
/// }
/// ```
pub trait Work: Sized + Send + Sync + 'static {
    /// Runs at PASSIVE_LEVEL on a system thread.
    fn run(this: &Arc<Self>, irql: &mut Passive);
}

/// Queues [`Work`] to a system thread.
///
/// One item holds one target at a time; it can be queued again as soon as its
/// run has begun. A queued run takes place even when the item is dropped
/// meanwhile, and the scope (the adapter) does not go before it.
///
/// An adapter's are NDIS's; a binding's are the I/O manager's, for NDIS has none for
/// protocol drivers.
///
/// ```
/// # use ndis_co::{Status, irql::Passive, mem::{Arc, Tag}, scope::Scope, work::{Work, WorkItem}};
/// # use ndis_host as _;
/// struct Pump {
///     item: WorkItem<Self>,
/// }
///
/// impl Work for Pump {
///     fn run(_this: &Arc<Self>, _irql: &mut Passive) {
///         // Empty a queue.
///     }
/// }
///
/// fn start(scope: &Scope) -> Result<Arc<Pump>, Status> {
///     let pump = Arc::try_new(Pump { item: WorkItem::try_new(scope)? }, Tag::new(*b"Pump"))?;
///     pump.item.queue(&pump);
///     Ok(pump)
/// }
/// ```
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
    /// The item is allocated on its scope's handle.
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
    /// Allocates a work item on `scope`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(scope: &Scope) -> Result<Self, Status> {
        let live = scope.enter();
        // SAFETY: the scope's handle is valid as long as `live` is, which goes
        // after the item.
        let item = unsafe { RawWorkItem::try_new(scope.base()) }?;
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
        // `inner` goes last: it keeps the scope, and this code, in place.
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
