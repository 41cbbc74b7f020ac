//! [`Adapter`]: one adapter, from initialization to halt.

use crate::{
    Miniport, Role, driver::DriverShared, init::Initialize, lock::StateLock,
    miniport::sealed::Token,
};
use core::{
    ffi::c_void,
    fmt, ops,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use ndis_co::{
    Answer, Status,
    answer::Request,
    callback::{Argument, FromNdis},
    cm::Advertised,
    irql::Passive,
    mem::{Anchored, Arc, Parent, Tag},
    once::Slot,
    owner::{Live, Owner, Teardown},
    raw::Opaque,
};
use ndis_sys::{
    NDIS_HANDLE, NDIS_MINIPORT_INIT_PARAMETERS, NDIS_MINIPORT_PAUSE_PARAMETERS,
    NDIS_MINIPORT_RESTART_PARAMETERS, NDIS_STATUS, NET_DEVICE_PNP_EVENT,
};

/// What NDIS knows as the adapter context: alive from the attributes until the
/// halt is over (rule INIT-14), longer than the driver's own part.
#[doc(hidden)]
pub struct AdapterCore<M: Miniport> {
    pub(crate) driver: Arc<DriverShared<M>>,
    /// From the attributes on.
    teardown: Slot<Teardown>,
    /// The driver's part, from its context's making to the halt.
    shared: StateLock<Option<Arc<AdapterShared<M>>>>,
}

/// The adapter as the driver knows it. When the last reference goes, so does
/// the driver's context; the halt waits for that.
#[doc(hidden)]
pub struct AdapterShared<M: Miniport> {
    pub(crate) driver: Arc<DriverShared<M>>,
    pub(crate) handle: Opaque,
    flow: Flow,
    pub(crate) advertised: Advertised,
    pub(crate) role: <M::Role as Role<M>>::State,
    context: M::Adapter,
    /// Holds the owner's teardown up until this is gone.
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
/// has indicated; a pended pause is completed by whoever brings it to zero,
/// once.
struct Flow {
    running: AtomicBool,
    /// The device is gone, without a word before (rule HALT-13).
    removed: AtomicBool,
    out: AtomicUsize,
    pause_pended: AtomicBool,
}

/// A counted reference to an adapter; it derefs to the driver's context.
pub struct Adapter<M: Miniport> {
    pub(crate) shared: Arc<AdapterShared<M>>,
}

impl<M: Miniport> Adapter<M> {
    /// What pools, timers and work items of the adapter are allocated on.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        self.shared.owner()
    }

    /// The driver.
    #[must_use]
    pub fn driver(&self) -> &M {
        &self.shared.driver.driver
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
}

impl<M: Miniport> Clone for Adapter<M> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

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
    pub(crate) fn set_teardown(&self, teardown: Teardown) {
        self.teardown.set(teardown);
    }

    /// What resources are allocated on.
    ///
    /// # Safety
    ///
    /// The attributes are set.
    pub(crate) unsafe fn owner(&self) -> &Owner {
        // SAFETY: the teardown is set with the attributes.
        unsafe { self.teardown.get_unchecked() }.owner()
    }

    pub(crate) fn set_shared(&self, shared: Arc<AdapterShared<M>>) {
        drop(self.shared.with(|slot| slot.replace(shared)));
    }

    /// The driver's part, if the adapter is up.
    pub(crate) fn shared(&self) -> Option<Arc<AdapterShared<M>>> {
        self.shared.with(|shared| shared.clone())
    }

    /// Drops the driver's part and waits until it is gone.
    ///
    /// # Safety
    ///
    /// Called once, at the end of the adapter.
    unsafe fn tear_down(&self, irql: &mut Passive) {
        drop(self.shared.with(Option::take));
        if let Some(teardown) = self.teardown.get() {
            // SAFETY: opened with the attributes, closed once by the caller.
            unsafe { teardown.close(irql) };
        }
    }
}

impl<M: Miniport> AdapterShared<M> {
    pub(crate) fn try_new(
        core: &AdapterCore<M>,
        handle: NDIS_HANDLE,
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
                pause_pended: AtomicBool::new(false),
            },
            advertised: Advertised::new(),
            role: <M::Role as Role<M>>::new_state()?,
            context,
            live: Parent::new(live),
        };
        Ok(Arc::try_new_anchored(shared, Tag::NDIS)?)
    }

    /// What resources are allocated on.
    pub(crate) fn owner(&self) -> &Owner {
        self.live.owner()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.flow.running.load(Ordering::SeqCst)
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.flow.removed.load(Ordering::SeqCst)
    }

    /// Counts lists that go under way, if data flows. Whatever this answers,
    /// the caller counts them home with [`Self::home`].
    pub(crate) fn out(&self, lists: usize) -> bool {
        self.flow.out.fetch_add(lists, Ordering::SeqCst);
        self.is_running()
    }

    /// Counts lists home, and completes a pause that waited for them.
    pub(crate) fn home(&self, lists: usize) {
        if self.flow.out.fetch_sub(lists, Ordering::SeqCst) == lists {
            self.complete_pause();
        }
    }

    /// Completes the pause if it was pended and everything is home.
    fn complete_pause(&self) {
        let drained = self.flow.out.load(Ordering::SeqCst) == 0;
        if drained && self.flow.pause_pended.swap(false, Ordering::SeqCst) {
            // SAFETY: the pause was answered with pending (or is about to be,
            // rule GEN-04), and by FLOW is completed once (rule PAUSE-02).
            unsafe { ndis_sys::NdisMPauseComplete(self.handle.get()) };
        }
    }
}

/// `MiniportInitializeEx`.
pub(crate) unsafe extern "system" fn initialize<M: Miniport>(
    handle: NDIS_HANDLE,
    driver: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_INIT_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: the context of the registration lives until unload.
    let Some(driver) = (unsafe { Arc::<DriverShared<M>>::borrow_raw(driver) }) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: NDIS initializes at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    let core = AdapterCore {
        driver: Arc::clone(&driver),
        teardown: Slot::new(),
        shared: StateLock::new(None),
    };
    let Ok(core) = Arc::try_new(core, Tag::NDIS) else {
        return Status::RESOURCES.raw();
    };
    let init = Initialize::new(core.clone(), handle);
    match driver.driver.initialize(init, &mut irql) {
        Ok(_) => {
            if let Some(shared) = core.shared() {
                let adapter = Adapter { shared };
                driver.driver.initialized(&adapter, &mut irql);
            }
            // NDIS's reference to the context, which the halt takes back.
            let _ = Arc::into_raw(core);
            Status::SUCCESS.raw()
        }
        Err(failure) => {
            // SAFETY: no halt will come (rule INIT-10), so this is the end.
            unsafe { core.tear_down(&mut irql) };
            documented_initialize_failure(failure).raw()
        }
    }
}

/// Only these may come out of an initialization (rule INIT-09), of which a third
/// one, `NDIS_STATUS_NOT_ACCEPTED`, is no negative code.
fn documented_initialize_failure(status: Status) -> Status {
    match status {
        Status::RESOURCES => status,
        _ => Status::FAILURE,
    }
}

/// `MiniportHaltEx`: cannot fail, and waits until everything is gone (rules
/// HALT-01, HALT-04, HALT-05, HALT-06).
pub(crate) unsafe extern "system" fn halt<M: Miniport>(
    context: NDIS_HANDLE,
    _action: ndis_sys::NDIS_HALT_ACTION,
) {
    // SAFETY: NDIS's share of its context comes back with the halt.
    let Some(core) = (unsafe { Arc::<AdapterCore<M>>::from_raw(context) }) else {
        return;
    };
    // SAFETY: NDIS halts at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    let Some(shared) = core.shared() else { return };
    let adapter = Adapter { shared };
    <M::Role as Role<M>>::close_families(&adapter, &mut irql, Token(()));
    adapter.driver().halt(&adapter, &mut irql);
    drop(adapter);
    // SAFETY: the halt is the one end of an initialized adapter.
    unsafe { core.tear_down(&mut irql) };
}

/// The adapter context, which is good until the halt has ended.
impl<M: Miniport> Argument<*mut c_void> for Adapter<M> {
    fn from_ndis(context: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // SAFETY: it is what NDIS is given of an adapter.
        let core = unsafe { context.object::<AdapterCore<M>>() }?;
        core.shared().map(|shared| Self { shared })
    }
}

/// Notes a removal, which pause and halt follow, and tells the driver.
pub(crate) fn on_device_pnp_event<M: Miniport>(
    adapter: Adapter<M>,
    event: &NET_DEVICE_PNP_EVENT,
    irql: &mut Passive,
) {
    if event.DevicePnPEvent == ndis_sys::NdisDevicePnPEventSurpriseRemoved {
        adapter.shared.flow.removed.store(true, Ordering::SeqCst);
        adapter.driver().surprise_removed(&adapter, irql);
    }
}

pub(crate) fn on_pause<'r, M: Miniport>(
    adapter: Adapter<M>,
    _parameters: *mut NDIS_MINIPORT_PAUSE_PARAMETERS,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    let flow = &adapter.shared.flow;
    flow.running.store(false, Ordering::SeqCst);
    adapter.driver().pause(&adapter, irql);
    if flow.out.load(Ordering::SeqCst) == 0 {
        return request.answer(Status::SUCCESS);
    }
    flow.pause_pended.store(true, Ordering::SeqCst);
    // The last list may have come home in between.
    if flow.out.load(Ordering::SeqCst) == 0 && flow.pause_pended.swap(false, Ordering::SeqCst) {
        return request.answer(Status::SUCCESS);
    }
    request.answer(Status::PENDING)
}

pub(crate) fn on_restart<'r, M: Miniport>(
    adapter: Adapter<M>,
    _parameters: *mut NDIS_MINIPORT_RESTART_PARAMETERS,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    request.answer(match adapter.driver().restart(&adapter, irql) {
        Ok(()) => {
            // Receives may be indicated from here on (rule PAUSE-10); not before, for
            // nothing may be out when the restart fails (rule PAUSE-05).
            adapter.shared.flow.running.store(true, Ordering::SeqCst);
            Status::SUCCESS
        }
        Err(Status::RESOURCES) => Status::RESOURCES,
        Err(_) => Status::FAILURE,
    })
}
