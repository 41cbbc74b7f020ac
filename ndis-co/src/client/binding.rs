//! [`Binding`]: one adapter that the client is bound to.

use super::{
    AfOffer, Client,
    af::{AfShared, Phase},
    driver::DriverShared,
    flow::{Flow, Tell},
};
use crate::{
    Status,
    event::Event,
    family::AddressFamily,
    irql::{NoLock, Passive},
    lock::SpinLock,
    mem::{Anchored, Arc, OutOfMemory, Parent, Tag, Vec},
    nbl::Chain,
    once::Slot,
    owner::{Live, Node, Owner, Teardown},
    raw, stack,
};
use core::{
    ffi::c_void,
    fmt, mem, ops, ptr,
    sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering},
};
use ndis_sys::{
    CO_ADDRESS_FAMILY, NDIS_BIND_PARAMETERS, NDIS_HANDLE, NDIS_OPEN_PARAMETERS, NDIS_STATUS,
};

/// What NDIS knows as the binding context: alive from the open until the
/// close has completed (rule BIND-14), longer than the driver's own part.
pub(super) struct BindingCore<C: Client> {
    pub(super) driver: Arc<DriverShared<C>>,
    stage: SpinLock<Stage<C>>,
    /// Set when a pended open or close has completed.
    done: Event,
    result: AtomicI32,
}

/// How far a binding is.
enum Stage<C: Client> {
    /// The bind goes on. Families may be offered already, which are kept for its end.
    Binding(Offers),
    /// Up.
    Bound(Parts<C>),
    /// The unbind is through with it, or the bind has failed.
    Gone,
}

impl<C: Client> Stage<C> {
    /// What to take down; the stage is over.
    fn end(&mut self) -> Option<Parts<C>> {
        match mem::replace(self, Self::Gone) {
            Self::Bound(parts) => Some(parts),
            _ => None,
        }
    }
}

/// Families that were offered while the bind goes on, or that one of them could not be
/// kept.
type Offers = Result<Vec<AddressFamily>, OutOfMemory>;

/// What there is once the driver has its part.
struct Parts<C: Client> {
    shared: Arc<BindingShared<C>>,
    teardown: Teardown,
}

/// The binding as the driver knows it. When the last reference goes, so does
/// the driver's context; the unbind waits for that.
#[repr(C)]
pub(super) struct BindingShared<C: Client> {
    /// First field: deferred work casts back from it.
    node: Node,
    /// Tells the driver of a restart when NDIS's call is over.
    restart: Node,
    /// Received lists that were dropped where nothing may be called.
    dropped: SpinLock<Chain>,
    pub(super) driver: Arc<DriverShared<C>>,
    pub(super) handle: AtomicPtr<c_void>,
    flow: Flow,
    /// Lists that are out for sending.
    sends: AtomicUsize,
    sends_home: Event,
    state: SpinLock<State<C>>,
    afs_gone: Event,
    /// Set before there is a [`Binding`].
    context: Slot<C::Binding>,
    /// Holds the owner's teardown up until this is gone.
    live: Parent<Live>,
}

// SAFETY: the field.
unsafe impl<C: Client> Anchored for BindingShared<C> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

struct State<C: Client> {
    closing: bool,
    afs: Vec<Arc<AfShared<C>>>,
}

/// An adapter that was opened, while the driver makes its context for it.
pub struct NewBinding<'a> {
    owner: &'a Owner,
    parameters: *const NDIS_BIND_PARAMETERS,
}

impl NewBinding<'_> {
    /// What pools, timers and work items of this binding are allocated on.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        self.owner
    }

    /// The largest frame of the adapter, in bytes, without its header.
    #[must_use]
    #[doc(alias = "MtuSize")]
    pub fn mtu(&self) -> u32 {
        // SAFETY: NDIS keeps the parameters for the time of the bind callback,
        // for which `self` is borrowed.
        unsafe { (*self.parameters).MtuSize }
    }
}

impl fmt::Debug for NewBinding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewBinding")
            .field("mtu", &self.mtu())
            .finish()
    }
}

/// A counted reference to one binding; it derefs to the driver's context.
pub struct Binding<C: Client> {
    pub(super) shared: Arc<BindingShared<C>>,
}

impl<C: Client> Binding<C> {
    /// What pools, timers and work items of this binding are allocated on.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        self.shared.owner()
    }

    /// The driver.
    #[must_use]
    pub fn client(&self) -> &C {
        &self.shared.driver.client
    }

    /// Whether data may be sent: NDIS has restarted the binding and not
    /// paused it since (rules BIND-07, PAUSE-12).
    ///
    /// Source page: `nc-ndis-protocol_net_pnp_event`.
    #[must_use]
    #[doc(alias = "ProtocolNetPnPEvent")]
    pub fn is_running(&self) -> bool {
        self.shared.is_running()
    }
}

impl<C: Client> Clone for Binding<C> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<C: Client> ops::Deref for Binding<C> {
    type Target = C::Binding;
    fn deref(&self) -> &C::Binding {
        // SAFETY: a `Binding` is made once the context is set.
        unsafe { self.shared.context.get_unchecked() }
    }
}

impl<C: Client> fmt::Debug for Binding<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("running", &self.is_running())
            .finish_non_exhaustive()
    }
}

/// The deferred node of a binding.
unsafe fn run_deferred<C: Client>(node: *const Node, _irql: &mut Passive) {
    // SAFETY: `give_back_later` gave a reference with the node, the first field.
    if let Some(binding) = unsafe { Arc::<BindingShared<C>>::from_value_ptr(node.cast()) } {
        let lists = binding.dropped.locked(mem::take);
        binding.return_lists(lists);
    }
}

/// The deferred node of a binding's restart.
unsafe fn run_restarted<C: Client>(node: *const Node, irql: &mut Passive) {
    let offset = mem::offset_of!(BindingShared<C>, restart);
    // SAFETY: `tell_restarted` made the pointer from the whole object's, at this offset.
    let binding = unsafe { node.byte_sub(offset) };
    // SAFETY: `tell_restarted` gave a reference with the node.
    let binding = unsafe { Arc::<BindingShared<C>>::from_value_ptr(binding.cast()) };
    let Some(shared) = binding else { return };
    match shared.flow.tell() {
        Tell::Later => BindingShared::tell_restarted(&shared),
        Tell::No => {}
        Tell::Now => {
            let binding = Binding { shared };
            binding.client().restarted(&binding, irql.up_to_dispatch());
            binding.shared.flow.told();
        }
    }
}

impl<C: Client> BindingShared<C> {
    /// What resources are allocated on.
    pub(super) fn owner(&self) -> &Owner {
        self.live.owner()
    }

    /// Returns received lists to their miniport: at once, or soon when the
    /// stack is nearly used up.
    pub(super) fn give_back(this: &Arc<Self>, lists: Chain) {
        if stack::is_low() {
            Self::give_back_later(this, lists);
        } else {
            this.return_lists(lists);
        }
    }

    /// Returns received lists to their miniport (rule NBL-26). The miniport's
    /// code runs before this returns.
    fn return_lists(&self, mut lists: Chain) {
        if lists.is_empty() {
            return;
        }
        // SAFETY: the lists came in on this binding (invariant RECEIVED), are
        // returned once, and are not used afterwards; no flag, since the level
        // is unknown.
        unsafe { ndis_sys::NdisReturnNetBufferLists(self.handle(), lists.take_raw(), 0) };
    }

    /// As above, soon, from a place of which nothing is known.
    pub(super) fn give_back_later(this: &Arc<Self>, lists: Chain) {
        if lists.is_empty() {
            return;
        }
        this.dropped.locked(|dropped| dropped.append(lists));
        let reference = Arc::into_raw(this.clone());
        let node = Arc::value_ptr(this).cast::<Node>();
        // SAFETY: the reference keeps the node valid until it has run.
        if !unsafe { this.owner().defer(node) } {
            // SAFETY: not queued, so the reference comes back.
            drop(unsafe { Arc::<Self>::from_raw(reference) });
        }
    }

    /// The handle for NDIS calls.
    pub(super) fn handle(&self) -> NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }

    /// Whether data may be sent.
    pub(super) fn is_running(&self) -> bool {
        self.flow.is_running()
    }

    /// NDIS restarts the binding, by a call whose end no driver sees: data may be sent
    /// from the handler's last instruction on, and the driver is told a little later.
    fn restart(this: &Arc<Self>) {
        this.flow.restarting();
        Self::tell_restarted(this);
        this.flow.restarted();
    }

    /// Has the driver told of a restart a little later. The work item may come to it
    /// while NDIS's call still runs: then it waits once more.
    fn tell_restarted(this: &Arc<Self>) {
        let reference = Arc::into_raw(this.clone());
        let whole = Arc::value_ptr(this);
        // SAFETY: the field's place in the object, which the reference keeps.
        let node = unsafe { whole.byte_add(mem::offset_of!(Self, restart)) }.cast::<Node>();
        // SAFETY: the reference keeps the node valid until it has run.
        if !unsafe { this.owner().defer_later(node) } {
            // SAFETY: not queued, so the reference comes back.
            drop(unsafe { Arc::<Self>::from_raw(reference) });
        }
    }

    /// Counts lists that go out. The caller gives them back with
    /// [`Self::sends_home`] in any case.
    pub(super) fn sends_out(&self, lists: usize) -> Result<(), Status> {
        self.sends.fetch_add(lists, Ordering::SeqCst);
        if self.is_running() {
            Ok(())
        } else {
            self.sends_home(lists);
            Err(Status::PAUSED)
        }
    }

    /// Counts lists that came home.
    pub(super) fn sends_home(&self, lists: usize) {
        let before = self.sends.fetch_sub(lists, Ordering::SeqCst);
        if before == lists && !self.is_running() {
            self.sends_home.set();
        }
    }

    /// Takes an address family into the list, unless the binding goes away.
    pub(super) fn add_af(&self, af: &Arc<AfShared<C>>) -> Result<(), Status> {
        self.state.locked(|state| {
            if state.closing {
                return Err(Status::CLOSING);
            }
            state.afs.try_push(af.clone()).map_err(Status::from)
        })
    }

    /// An address family is gone.
    pub(super) fn remove_af(&self, af: &Arc<AfShared<C>>) {
        let (gone, last) = self.state.locked(|state| {
            let gone = state.afs.take_first(|other| Arc::ptr_eq(other, af));
            (gone, state.closing && state.afs.is_empty())
        });
        drop(gone);
        if last {
            self.afs_gone.set();
        }
    }

    /// Whether the unbind has begun.
    pub(super) fn is_closing(&self) -> bool {
        self.state.locked(|state| state.closing)
    }

    /// Closes every address family and waits for the last one.
    fn close_afs(&self, irql: &mut Passive) {
        loop {
            let next = self.state.locked(|state| {
                state
                    .afs
                    .iter()
                    .find(|af| af.wants_close_request())
                    .cloned()
            });
            let Some(af) = next else { break };
            AfShared::request_close(&af, irql.up_to_dispatch());
        }
        if !self.state.locked(|state| state.afs.is_empty()) {
            self.afs_gone.wait(irql);
        }
    }
}

impl<C: Client> AfShared<C> {
    /// Whether nobody has asked to close it yet. One that is still opening
    /// looks at the binding itself once it is open.
    fn wants_close_request(&self) -> bool {
        self.phase() == Phase::Open
    }
}

impl<C: Client> BindingCore<C> {
    /// The driver's part, if the binding is up.
    pub(super) fn binding(&self) -> Option<Binding<C>> {
        let shared = self.stage.locked(|stage| match stage {
            Stage::Bound(parts) => Some(parts.shared.clone()),
            _ => None,
        })?;
        Some(Binding { shared })
    }

    /// A call manager offers a family: to the driver, or, when that has no part in the
    /// binding yet, at the end of the bind.
    ///
    /// # Safety
    ///
    /// Called from `ProtocolCoAfRegisterNotify` with its family.
    pub(super) unsafe fn offered(&self, family: *mut CO_ADDRESS_FAMILY, irql: &mut Passive) {
        // SAFETY: by the caller NDIS's, for this call.
        let Some(offered) = (unsafe { family.as_ref() }) else {
            return;
        };
        let copy = AddressFamily::from_raw(offered);
        let shared = self.stage.locked(|stage| match stage {
            Stage::Binding(offers) => {
                if let Ok(kept) = offers
                    && kept.try_push(copy).is_err()
                {
                    *offers = Err(OutOfMemory);
                }
                None
            }
            Stage::Bound(parts) => Some(parts.shared.clone()),
            Stage::Gone => None,
        });
        if let Some(shared) = shared {
            Self::offer(Binding { shared }, family, irql);
        }
    }

    fn offer(binding: Binding<C>, family: *mut CO_ADDRESS_FAMILY, irql: &mut Passive) {
        if let Some(offer) = AfOffer::new(&binding, family) {
            binding.client().address_family(&binding, offer, irql);
        }
    }

    /// The bind has succeeded: the binding is up, and the driver learns of the families
    /// that were offered meanwhile.
    ///
    /// # Errors
    ///
    /// One of them could not be kept. The parts come back, to be taken down.
    fn bound(&self, parts: Parts<C>, irql: &mut Passive) -> Result<(), Parts<C>> {
        let shared = parts.shared.clone();
        let offers = self.stage.locked(|stage| match stage {
            Stage::Binding(Ok(offers)) => {
                let offers = mem::replace(offers, Vec::new(Tag::NDIS));
                *stage = Stage::Bound(parts);
                Ok(offers)
            }
            _ => Err(parts),
        })?;
        for family in &offers {
            let binding = Binding {
                shared: shared.clone(),
            };
            Self::offer(binding, &mut family.to_raw(), irql);
        }
        Ok(())
    }

    /// Closes the adapter and waits for it (rules BIND-11, BIND-15). `known`
    /// references to this are the caller's and NDIS's.
    fn close_adapter(this: &Arc<Self>, handle: NDIS_HANDLE, known: usize, irql: &mut Passive) {
        this.done.reset();
        // SAFETY: PASSIVE_LEVEL, from bind or unbind (rule BIND-12); nothing
        // uses the handle any more (rule BIND-13).
        let status = unsafe { ndis_sys::NdisCloseAdapterEx(handle) };
        if Status::from_raw(status).is_pending() {
            Self::wait_until_done(this, known, irql);
        }
    }

    /// Waits for the completion of a pended open or close.
    ///
    /// The completion may still be on its way out when it has set the event,
    /// and holds a reference of its own until then. That one's end is waited
    /// for as well, so that the memory is not the completion's to free.
    fn wait_until_done(this: &Arc<Self>, known: usize, irql: &mut Passive) {
        this.done.wait(irql);
        while Arc::count(this) > known {
            // SAFETY: legal at PASSIVE_LEVEL, which the proof says.
            unsafe { ndis_sys::NdisMSleep(50) };
        }
    }
}

/// `ProtocolBindAdapterEx`: opens the adapter and has the driver make its
/// context.
pub(super) unsafe extern "system" fn bind<C: Client>(
    driver: NDIS_HANDLE,
    bind_context: NDIS_HANDLE,
    parameters: *mut NDIS_BIND_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: the context of the registration lives until unload.
    let driver = unsafe { Arc::<DriverShared<C>>::borrow_raw(driver) };
    let (Some(driver), false) = (driver, parameters.is_null()) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: NDIS binds at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    // SAFETY: the parameters are NDIS's, for this call.
    let result = unsafe { open(&driver, bind_context, parameters, &mut irql) };
    result.map_or_else(
        |failure| failure.as_failure().raw(),
        |()| Status::SUCCESS.raw(),
    )
}

/// # Safety
///
/// Called from the bind callback with its arguments.
unsafe fn open<C: Client>(
    driver: &Arc<DriverShared<C>>,
    bind_context: NDIS_HANDLE,
    parameters: *mut NDIS_BIND_PARAMETERS,
    irql: &mut Passive,
) -> Result<(), Status> {
    let done = Event::try_new(Tag::NDIS)?;
    let afs_gone = Event::try_new(Tag::NDIS)?;
    let sends_home = Event::try_new(Tag::NDIS)?;
    let flow = Flow::try_new(Tag::NDIS)?;
    let core = BindingCore {
        driver: driver.clone(),
        stage: SpinLock::new(Stage::Binding(Ok(Vec::new(Tag::NDIS)))),
        done,
        result: AtomicI32::new(Status::FAILURE.raw()),
    };
    let core = Arc::try_new(core, Tag::NDIS)?;

    // SAFETY: the caller's parameters are valid.
    let mut medium = unsafe { (*parameters).MediaType };
    let mut selected = 0_u32;
    let mut open: NDIS_OPEN_PARAMETERS = ndis_sys::zeroed();
    open.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
        ndis_sys::NDIS_OPEN_PARAMETERS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
    );
    // SAFETY: as above; the name lives as long as the call (rule BIND-03).
    open.AdapterName = unsafe { (*parameters).AdapterName };
    open.MediumArray = &mut medium;
    open.MediumArraySize = 1;
    open.SelectedMediumIndex = &mut selected;
    let mut handle: NDIS_HANDLE = ptr::null_mut();
    let context = Arc::into_raw(core.clone());
    let protocol = driver.handle.load(Ordering::Acquire);
    // SAFETY: within the bind callback (rule BIND-01); parameters and handle
    // variable stay until the open has completed, which is waited for below
    // (rule BIND-02).
    let status = unsafe {
        ndis_sys::NdisOpenAdapterEx(protocol, context, &mut open, bind_context, &mut handle)
    };
    let mut status = Status::from_raw(status);
    if status.is_pending() {
        BindingCore::wait_until_done(&core, OPENING, irql);
        status = Status::from_raw(core.result.load(Ordering::Acquire));
    }
    // SAFETY: NDIS's reference, to be given back when the binding is gone.
    let give_back = || drop(unsafe { Arc::<BindingCore<C>>::from_raw(context) });
    if let Err(failure) = status.result() {
        give_back();
        return Err(failure);
    }

    // From here on a failure closes the adapter within the bind (BIND-08).
    let object = driver.object.load(Ordering::Relaxed);
    // SAFETY: the registration's handle and the driver object live until every
    // binding is closed, and the teardown is closed before `close_adapter`.
    let teardown = match unsafe { Teardown::open_for_protocol(protocol, object) } {
        Ok(teardown) => teardown,
        Err(failure) => {
            BindingCore::close_adapter(&core, handle, OPENING, irql);
            give_back();
            return Err(failure);
        }
    };
    let new = NewBinding {
        owner: teardown.owner(),
        parameters,
    };
    // The memory first: once the driver has said yes, nothing fails any more.
    let made = {
        let shared = BindingShared {
            node: Node::new(run_deferred::<C>),
            restart: Node::new(run_restarted::<C>),
            dropped: SpinLock::new(Chain::new()),
            driver: driver.clone(),
            handle: AtomicPtr::new(handle),
            flow,
            sends: AtomicUsize::new(0),
            sends_home,
            state: SpinLock::new(State {
                closing: false,
                afs: Vec::new(Tag::NDIS),
            }),
            afs_gone,
            context: Slot::new(),
            live: Parent::new(teardown.enter()),
        };
        Arc::try_new_anchored(shared, Tag::NDIS)
    };
    let bound = made.map_err(Status::from).and_then(|shared| {
        let context = driver.client.bind(&new, irql)?;
        // SAFETY: once, before anybody else has a reference.
        unsafe { shared.context.set(context) };
        Ok(shared)
    });
    let (failure, teardown) = match bound {
        Ok(shared) => match core.bound(Parts { shared, teardown }, irql) {
            Ok(()) => return Ok(()),
            Err(Parts { shared, teardown }) => {
                drop(shared);
                (Status::RESOURCES, teardown)
            }
        },
        Err(failure) => (failure, teardown),
    };
    drop(core.stage.locked(Stage::end));
    // SAFETY: opened above, closed once.
    unsafe { teardown.close(irql) };
    BindingCore::close_adapter(&core, handle, OPENING, irql);
    give_back();
    Err(failure)
}

/// The references to a binding's core while it is opened: `open`'s own, and
/// NDIS's.
const OPENING: usize = 2;

/// `ProtocolUnbindAdapterEx`: ends everything on the binding, then closes it.
pub(super) unsafe extern "system" fn unbind<C: Client>(
    _unbind_context: NDIS_HANDLE,
    context: NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: the reference that the open gave to NDIS comes back with the
    // unbind.
    let Some(core) = (unsafe { Arc::<BindingCore<C>>::from_raw(context) }) else {
        return Status::SUCCESS.raw();
    };
    // SAFETY: NDIS unbinds at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    let Some(binding) = core.binding() else {
        return Status::SUCCESS.raw();
    };
    binding.shared.state.locked(|state| state.closing = true);
    binding.shared.flow.pause(&mut irql);
    core.driver.client.unbind(&binding, &mut irql);
    binding.shared.close_afs(&mut irql);
    let handle = binding.shared.handle();
    drop(binding);
    if let Some(Parts { shared, teardown }) = core.stage.locked(Stage::end) {
        drop(shared);
        // SAFETY: opened with the binding, and taken out, so closed once.
        unsafe { teardown.close(&mut irql) };
    }
    BindingCore::close_adapter(&core, handle, 1, &mut irql);
    // An unbind cannot be refused (rule BIND-09).
    Status::SUCCESS.raw()
}

/// `ProtocolOpenAdapterCompleteEx`.
pub(super) unsafe extern "system" fn open_complete<C: Client>(
    context: NDIS_HANDLE,
    status: NDIS_STATUS,
) {
    // SAFETY: NDIS's reference lives until the binding is closed.
    if let Some(core) = unsafe { Arc::<BindingCore<C>>::borrow_raw(context) } {
        let core = Arc::clone(&core);
        core.result.store(status, Ordering::Release);
        core.done.set();
    }
}

/// `ProtocolCloseAdapterCompleteEx`.
pub(super) unsafe extern "system" fn close_complete<C: Client>(context: NDIS_HANDLE) {
    // SAFETY: the unbind keeps its reference until this has returned: it waits
    // for the end of the one that is made here.
    if let Some(core) = unsafe { Arc::<BindingCore<C>>::borrow_raw(context) } {
        let core = Arc::clone(&core);
        core.done.set();
    }
}

/// `ProtocolNetPnPEvent`: pauses and restarts sends (rules PAUSE-12,
/// PAUSE-13).
pub(super) unsafe extern "system" fn net_pnp_event<C: Client>(
    context: NDIS_HANDLE,
    event: *mut ndis_sys::NET_PNP_EVENT_NOTIFICATION,
) -> NDIS_STATUS {
    // SAFETY: NDIS's share lives until the binding is closed; events that are
    // for no binding come without a context.
    let core = unsafe { Arc::<BindingCore<C>>::borrow_raw(context) };
    let Some(binding) = core.and_then(|core| core.binding()) else {
        return Status::SUCCESS.raw();
    };
    let shared = &binding.shared;
    if event.is_null() {
        return Status::FAILURE.raw();
    }
    // SAFETY: NDIS's notification, valid for the call.
    let code = unsafe { (*event).NetPnPEvent.NetEvent };
    match code {
        ndis_sys::NetEventPause => {
            // SAFETY: NDIS sends events at PASSIVE_LEVEL with no lock held.
            let mut irql = unsafe { Passive::assume() };
            shared.flow.pause(&mut irql);
            shared.driver.client.pause(&binding, &mut irql);
            // Reset, look, wait: an event of an earlier pause may come late.
            loop {
                shared.sends_home.reset();
                if shared.sends.load(Ordering::SeqCst) == 0 {
                    break;
                }
                shared.sends_home.wait(&mut irql);
            }
        }
        ndis_sys::NetEventRestart => BindingShared::restart(shared),
        _ => {}
    }
    Status::SUCCESS.raw()
}
