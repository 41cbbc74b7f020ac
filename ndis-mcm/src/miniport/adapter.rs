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
    fmt,
    mem::ManuallyDrop,
    ops,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
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
    /// The same, for those who know that it is there.
    part: Opaque,
}

/// The adapter as the driver knows it. When the last reference goes, so does
/// the driver's context; the halt waits for that.
#[doc(hidden)]
pub struct AdapterShared<M: Miniport> {
    pub(crate) driver: Arc<Registered<M>>,
    pub(crate) handle: Opaque,
    flow: Flow,
    /// The device is gone, without a word before (rule HALT-13).
    removed: AtomicBool,
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

/// The flow of data: whether it runs, and what is under way, in one word.
///
/// What is counted is each list that was indicated, and each batch of those that the driver holds for
/// sending. Who counts the last in, while a pause waits, ends the pause in the very operation that
/// counts: until then it has its count, so nobody else ends the pause; and afterwards, when the adapter
/// may be halted, it does not touch the word again.
///
/// # Invariants
///
/// FLOW: [`GO`] says that data flows, [`CALM`] that no pause waits, and the rest counts. A pause begins
/// when `GO` is clear, so while one waits the word is the count alone. Whoever brings it from there to
/// `CALM` ends the pause, once. As long as anything is counted, no pause is over, so no halt begins,
/// and the driver's part of the adapter, which goes in the halt, is there.
struct Flow(AtomicU64);

/// No pause waits for the last.
const CALM: u64 = 1;
/// Data flows.
const GO: u64 = 2;
/// One of what is counted: all of it has memory of its own, so there is room for their number.
const ONE: u64 = 4;

impl Flow {
    const fn new() -> Self {
        Self(AtomicU64::new(CALM))
    }

    const fn counted(count: usize) -> u64 {
        (count as u64).wrapping_mul(ONE)
    }

    fn set_running(&self, running: bool) {
        if running {
            self.0.fetch_or(GO, Ordering::Release);
        } else {
            self.0.fetch_and(!GO, Ordering::AcqRel);
        }
    }

    fn is_running(&self) -> bool {
        self.0.load(Ordering::Acquire) & GO != 0
    }

    /// Counts out; whether data flows. It is counted in in any case.
    #[inline]
    fn leave(&self, count: usize) -> bool {
        self.0.fetch_add(Self::counted(count), Ordering::Acquire) & GO != 0
    }

    /// Counts in; whether that ends a pause.
    #[inline]
    fn come_back(&self, count: usize) -> bool {
        let less = Self::counted(count);
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word == less {
                match self.end_pause(word) {
                    Ok(_) => return true,
                    // Somebody has counted out in between.
                    Err(now) => word = now,
                }
                continue;
            }
            let left = word.wrapping_sub(less);
            let done =
                self.0
                    .compare_exchange_weak(word, left, Ordering::Release, Ordering::Relaxed);
            match done {
                Ok(_) => return false,
                Err(now) => word = now,
            }
        }
    }

    /// Ends the pause that waits, if nothing but these is counted.
    #[cold]
    fn end_pause(&self, last: u64) -> Result<u64, u64> {
        self.0
            .compare_exchange(last, CALM, Ordering::AcqRel, Ordering::Relaxed)
    }

    /// A pause waits for the last; whether there is none, so that it is over.
    fn pause(&self) -> bool {
        // When something is counted, or was in between, whoever counts it in ends the pause.
        self.0.fetch_and(!CALM, Ordering::AcqRel) < ONE && self.end_pause(0).is_ok()
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
            part: Opaque::null(),
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
        self.part.set(Arc::as_raw(&shared));
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

    /// The adapter without a reference; `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// `context` is the adapter context, and something is counted out on the adapter as long as the
    /// result is used.
    #[inline]
    pub(crate) unsafe fn counted(context: NDIS_HANDLE) -> Option<ManuallyDrop<Adapter<M>>> {
        // SAFETY: by the caller, and by FLOW the halt, which ends the context, has not begun.
        let core = unsafe { Arc::<Self>::borrow_raw(context) }?;
        // SAFETY: by FLOW it is there: `shared` has a reference, which goes in the halt.
        let shared = unsafe { Arc::<AdapterShared<M>>::borrow_raw(core.part.get()) }?;
        let shared = ManuallyDrop::into_inner(shared);
        Some(ManuallyDrop::new(Adapter { shared }))
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
            flow: Flow::new(),
            removed: AtomicBool::new(false),
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
        self.removed.store(true, Ordering::SeqCst);
    }

    /// Whether data flow from here on.
    pub(super) fn set_running(&self, running: bool) {
        self.flow.set_running(running);
    }

    /// Begins a pause; whether nothing is under way. Otherwise the last list ends it.
    pub(super) fn pause(&self) -> bool {
        self.flow.pause()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.flow.is_running()
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::SeqCst)
    }

    /// Counts what goes under way, if data flows. Whatever this answers,
    /// the caller counts it in with [`Self::count_in`].
    #[inline]
    pub(crate) fn count_out(&self, count: usize) -> bool {
        self.flow.leave(count)
    }

    /// Counts in, and completes a pause that waited for that.
    #[inline]
    pub(crate) fn count_in(&self, count: usize) {
        if self.flow.come_back(count) {
            pause_over(self.handle.get());
        }
    }
}

impl<M: Miniport> Adapter<M> {
    /// As there, of what may be all that keeps the adapter, which is not used any more: by FLOW it may
    /// be halted, and gone, before this returns.
    #[inline]
    pub(crate) fn count_last_in(&self, count: usize) {
        let handle = self.shared.handle.get();
        if self.shared.flow.come_back(count) {
            pause_over(handle);
        }
    }
}

/// Completes a pause.
#[cold]
fn pause_over(adapter: NDIS_HANDLE) {
    // SAFETY: the pause was answered with pending (or is about to be, rule GEN-04), and by FLOW is
    // completed once (rule PAUSE-02); so the adapter is not halted before.
    unsafe { ndis_sys::NdisMPauseComplete(adapter) };
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
        let flow = Flow::new();
        flow.set_running(true);
        flow
    }

    /// A pause ends with the last list, once; a list that was back before does not end it.
    #[test]
    fn a_pause_ends_with_the_last_list() {
        let flow = flow();
        assert!(flow.leave(1));
        assert!(!flow.come_back(1), "there is no pause");
        flow.set_running(false);
        assert!(flow.pause(), "nothing is out");
        assert!(!flow.leave(1));
        assert!(!flow.come_back(1), "it is over");

        flow.set_running(true);
        assert!(flow.leave(2));
        flow.set_running(false);
        assert!(!flow.pause());
        // What is refused, for nothing runs, is counted for a moment.
        assert!(!flow.leave(3));
        assert!(!flow.come_back(2));
        assert!(!flow.come_back(2));
        assert!(flow.come_back(1));
        assert!(flow.pause(), "the next one");
    }

    /// Between the look and the end of the pause somebody else may have counted: he ends it.
    #[test]
    fn who_counts_last_ends_it() {
        let flow = flow();
        flow.set_running(false);
        assert!(!flow.leave(1));
        assert!(!flow.pause());
        assert!(!flow.leave(1));
        assert!(!flow.come_back(1), "one is out");
        assert!(flow.come_back(1));
        assert_eq!(flow.0.load(Ordering::Relaxed), CALM);
    }
}
