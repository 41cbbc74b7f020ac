//! [`Adapter`]: one adapter, from initialization to halt.

use super::{
    Miniport, Role,
    medium::MediumState,
    oid::{Statistics, lost::LostRequests, standard::Standing},
    resetting::Resetting,
};
use crate::lock::StateLock;
use core::{
    ffi::c_void,
    fmt, ops,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use ndis_co::{
    Status,
    advertised::Advertised,
    callback::{Argument, FromNdis},
    irql::Passive,
    later::Place,
    mem::{Anchored, Arc, Lent, OutOfMemory, Parent, Tag},
    once::Slot,
    raw::Opaque,
    reference,
    registration::Registered,
    scope::{Live, Scope, Teardown},
};
use ndis_sys::NDIS_HANDLE;

/// What NDIS knows as the adapter context: alive from the attributes until the
/// halt is over (rule INIT-14), longer than the driver's own part.
#[doc(hidden)]
pub struct AdapterCore<M: Miniport> {
    pub(crate) driver: Arc<Registered<M>>,
    /// NDIS's reference.
    lent: Lent<Self>,
    /// From the attributes on.
    teardown: Slot<Teardown>,
    /// What a call manager has registered here.
    pub(crate) advertised: Advertised,
    /// That of the driver's part, where it is reached without a lock.
    medium: Slot<Arc<MediumState>>,
    /// The driver's part, from its context's making to the halt.
    shared: StateLock<Option<Arc<AdapterShared<M>>>>,
}

/// The adapter as the driver knows it. When the last reference goes, so does
/// the driver's context; the halt waits for that.
#[doc(hidden)]
pub struct AdapterShared<M: Miniport> {
    pub(crate) driver: Arc<Registered<M>>,
    pub(crate) handle: Opaque,
    flow: Flow,
    pub(super) place: Place<Self>,
    pub(super) lost: LostRequests,
    pub(super) standing: Standing,
    pub(crate) medium: Arc<MediumState>,
    pub(super) resetting: Resetting,
    statistics: Statistics,
    pub(crate) role: <M::Role as Role<M>>::State,
    context: M::Adapter,
    /// Holds the scope's teardown up until this is gone.
    live: Parent<Live>,
}

impl<M: Miniport> Anchored for AdapterShared<M> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

/// The flow of data: whether it runs, and how many lists are under way.
///
/// # Invariants
///
/// FLOW: `out` counts the lists that the driver holds for sending and those it
/// has indicated, in twos; [`PAUSE`] says that a pause waits for the last. Whoever brings
/// the word from that alone to zero ends the pause, once.
struct Flow {
    running: AtomicBool,
    /// The device is gone, without a word before (rule HALT-13).
    removed: AtomicBool,
    out: AtomicUsize,
}

/// A pause waits for the last list.
const PAUSE: usize = 1;
/// One list.
const LIST: usize = 2;

impl Flow {
    /// Counts lists out.
    fn leave(&self, lists: usize) {
        self.out
            .fetch_add(lists.wrapping_mul(LIST), Ordering::SeqCst);
    }

    /// Counts lists in; whether that ends a pause.
    fn come_back(&self, lists: usize) -> bool {
        let lists = lists.wrapping_mul(LIST);
        let left = self
            .out
            .fetch_sub(lists, Ordering::SeqCst)
            .wrapping_sub(lists);
        left == PAUSE && self.end_pause()
    }

    /// A pause waits for the last list; whether there is none, so that it is over.
    fn pause(&self) -> bool {
        self.out.fetch_or(PAUSE, Ordering::SeqCst) < LIST && self.end_pause()
    }

    /// Ends the pause, if no list is out and nobody else has.
    fn end_pause(&self) -> bool {
        let ended = self
            .out
            .compare_exchange(PAUSE, 0, Ordering::SeqCst, Ordering::SeqCst);
        ended.is_ok()
    }
}

/// A counted reference to an adapter; it derefs to the driver's context.
///
/// ```
/// # use ndis_mcm::{Adapter, Miniport, Status};
/// # use ndis_co::nbl::{NetBufferList, NetBufferListPool};
/// # use ndis_host as _;
/// /// What the driver keeps for the adapter is behind the reference: here a pool.
/// fn frame<M: Miniport<Adapter = NetBufferListPool>>(
///     adapter: &Adapter<M>,
/// ) -> Result<NetBufferList, Status> {
///     if !adapter.is_running() || adapter.is_removed() {
///         return Err(Status::PAUSED);
///     }
///     adapter.allocate(1500)
/// }
/// ```
pub struct Adapter<M: Miniport> {
    pub(crate) shared: Arc<AdapterShared<M>>,
}

impl<M: Miniport> Adapter<M> {
    /// What pools, timers and work items of the adapter are allocated on.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.shared.scope()
    }

    /// The driver.
    #[must_use]
    pub fn driver(&self) -> &M {
        self.shared.driver.driver()
    }

    /// Whether data flows: the adapter was restarted and not paused since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.is_running()
    }

    /// Whether the device has gone without notice; what is sent or asked since then
    /// is refused with [`Status::NOT_ACCEPTED`] (rule [HALT-13]).
    ///
    /// Source page: [`MINIPORT_DEVICE_PNP_EVENT_NOTIFY`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_device_pnp_event_notify).
    ///
    /// [HALT-13]: ndis_sys::rules#HALT-13
    #[must_use]
    #[doc(alias = "NdisDevicePnPEventSurpriseRemoved")]
    pub fn is_removed(&self) -> bool {
        self.shared.is_removed()
    }

    /// The adapter's counters, for the driver to count: the layer answers the statistics' OIDs
    /// from them (rule [OID-24]).
    ///
    /// [OID-24]: ndis_sys::rules#OID-24
    #[must_use]
    pub fn statistics(&self) -> &Statistics {
        &self.shared.statistics
    }
}

reference!(Adapter<M: Miniport> to AdapterShared, "adapter", "adapter");

impl<M: Miniport> ops::Deref for Adapter<M> {
    type Target = M::Adapter;
    fn deref(&self) -> &M::Adapter {
        &self.shared.context
    }
}

impl<M: Miniport> fmt::Debug for Adapter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter")
            .field("running", &self.is_running())
            .finish_non_exhaustive()
    }
}

impl<M: Miniport> AdapterCore<M> {
    /// An adapter that is initialized: NDIS has its context.
    pub(super) fn try_new(driver: Arc<Registered<M>>) -> Result<Arc<Self>, OutOfMemory> {
        let core = Self {
            driver,
            lent: Lent::new(),
            teardown: Slot::new(),
            advertised: Advertised::new(),
            medium: Slot::new(),
            shared: StateLock::new(None),
        };
        let core = Arc::try_new(core, Tag::NDIS)?;
        core.lent.lend(&core);
        Ok(core)
    }

    pub(crate) fn set_teardown(&self, teardown: Teardown) {
        self.teardown.set(teardown);
    }

    /// What resources are allocated on.
    ///
    /// # Safety
    ///
    /// The attributes are set.
    pub(crate) unsafe fn scope(&self) -> &Scope {
        // SAFETY: the teardown is set with the attributes.
        unsafe { self.teardown.get_unchecked() }.scope()
    }

    /// What holds the teardown up; none before the attributes are set.
    pub(crate) fn live(&self) -> Option<Live> {
        self.teardown.get().map(Teardown::enter)
    }

    pub(crate) fn set_shared(&self, shared: Arc<AdapterShared<M>>) {
        self.medium.set(shared.medium.clone());
        drop(self.shared.with(|slot| slot.replace(shared)));
    }

    /// No change of the medium is indicated from here on (rule HALT-12). It takes no lock, at
    /// which others could go on: it is what a halt begins with.
    pub(super) fn close_medium(&self) {
        if let Some(medium) = self.medium.get() {
            medium.halt();
        }
    }

    /// The driver's part, if the adapter is up.
    pub(crate) fn shared(&self) -> Option<Arc<AdapterShared<M>>> {
        self.shared.with(|shared| shared.clone())
    }

    /// The end of the adapter, a halt or a failed initialization: drops the driver's part and
    /// waits until it is gone. Then NDIS's reference to the context goes.
    pub(super) fn tear_down(&self, irql: &mut Passive) {
        let Some(core) = self.lent.end() else { return };
        drop(core.shared.with(Option::take));
        if let Some(teardown) = core.teardown.get() {
            // SAFETY: opened with the attributes, and closed once: NDIS's reference was lent
            // once, before them, and is here.
            unsafe { teardown.close(irql) };
        }
    }
}

impl<M: Miniport> AdapterShared<M> {
    pub(crate) fn try_new(
        core: &AdapterCore<M>,
        handle: NDIS_HANDLE,
        standing: Standing,
        context: M::Adapter,
    ) -> Result<Arc<Self>, Status> {
        let live = core.teardown.get().ok_or(Status::FAILURE)?.enter();
        let shared = Self {
            driver: core.driver.clone(),
            handle: Opaque::new(handle),
            flow: Flow {
                running: AtomicBool::new(false),
                removed: AtomicBool::new(false),
                out: AtomicUsize::new(0),
            },
            place: Place::new(),
            lost: LostRequests::new(),
            medium: Arc::try_new(MediumState::new(standing.connected()), Tag::NDIS)?,
            resetting: Resetting::default(),
            standing,
            statistics: Statistics::new(),
            role: <M::Role as Role<M>>::new_state()?,
            context,
            live: Parent::new(live),
        };
        Ok(Arc::try_new_anchored(shared, Tag::NDIS)?)
    }

    /// What resources are allocated on.
    pub(crate) fn scope(&self) -> &Scope {
        self.live.scope()
    }

    /// What holds the teardown up.
    pub(crate) fn live(&self) -> Live {
        Live::clone(&self.live)
    }

    /// The device is gone.
    pub(super) fn remove(&self) {
        self.flow.removed.store(true, Ordering::SeqCst);
    }

    /// Whether data flow from here on.
    pub(super) fn set_running(&self, running: bool) {
        self.flow.running.store(running, Ordering::SeqCst);
    }

    /// Begins a pause; whether nothing is under way. Otherwise the last list ends it.
    pub(super) fn pause(&self) -> bool {
        self.flow.pause()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.flow.running.load(Ordering::SeqCst)
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.flow.removed.load(Ordering::SeqCst)
    }

    /// Counts lists that go under way, if data flows. Whatever this answers,
    /// the caller counts them in with [`Self::count_in`].
    pub(crate) fn count_out(&self, lists: usize) -> bool {
        self.flow.leave(lists);
        self.is_running()
    }

    /// Counts lists in, and completes a pause that waited for them.
    pub(crate) fn count_in(&self, lists: usize) {
        if self.flow.come_back(lists) {
            // SAFETY: the pause was answered with pending (or is about to be,
            // rule GEN-04), and by FLOW is completed once (rule PAUSE-02).
            unsafe { ndis_sys::NdisMPauseComplete(self.handle.get()) };
        }
    }
}

/// The adapter context, which is good until the halt has ended.
impl<M: Miniport> Argument<*mut c_void> for Adapter<M> {
    fn from_ndis(context: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // SAFETY: it is what NDIS is given of an adapter.
        let core = unsafe { context.object::<AdapterCore<M>>() }?;
        core.shared().map(|shared| Self { shared })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    fn flow() -> Flow {
        Flow {
            running: AtomicBool::new(true),
            removed: AtomicBool::new(false),
            out: AtomicUsize::new(0),
        }
    }

    /// A pause ends with the last list, once; a list that was back before does not end it.
    #[test]
    fn a_pause_ends_with_the_last_list() {
        let flow = flow();
        assert!(flow.pause(), "nothing is out");
        flow.leave(1);
        assert!(!flow.come_back(1), "there is no pause");

        flow.leave(2);
        assert!(!flow.pause());
        // What is refused, for nothing runs, is counted for a moment.
        flow.leave(3);
        assert!(!flow.come_back(2));
        assert!(!flow.come_back(2));
        assert!(flow.come_back(1));
        assert!(flow.pause(), "the next one");
    }

    /// Between the count and the end of the pause somebody else may have counted: he ends it.
    #[test]
    fn who_counts_last_ends_it() {
        let flow = flow();
        flow.leave(1);
        assert!(!flow.pause());
        // One processor counts in, and is interrupted before it ends the pause.
        assert_eq!(flow.out.fetch_sub(LIST, Ordering::SeqCst) - LIST, PAUSE);
        flow.leave(1);
        assert!(!flow.end_pause(), "a list is out");
        assert!(flow.come_back(1));
    }
}
