//! [`Binding`]: one adapter that the driver is bound to.

use super::{
    NewBinding, Protocol, Role,
    flow::{Flow, Tell},
    sealed::Token,
};
use crate::{
    Answer, Status,
    advertised::Advertised,
    answer::Request,
    callback::{Argument, FromNdis},
    deferred::{Deferred, Node},
    event::Event,
    irql::{NoLock, Passive},
    kernel::{RawWorkItem, Routine},
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag},
    nbl::Chain,
    once::Slot,
    power::PowerState,
    raw, reference,
    registration::Registered,
    scope::{Live, Scope, Teardown},
    stack,
};
use core::{
    ffi::c_void,
    fmt, mem, ops, ptr,
    sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering},
};
use ndis_sys::{
    NDIS_BIND_PARAMETERS, NDIS_DEVICE_POWER_STATE, NDIS_HANDLE, NDIS_OPEN_PARAMETERS, NDIS_STATUS,
    NET_PNP_EVENT_NOTIFICATION,
};

/// What NDIS knows as the binding context: alive from the open until the close has
/// completed and the unbind is answered (rule BIND-14), longer than the driver's own part.
///
/// # Invariants
///
/// CORE: from the open until the unbind NDIS owns one reference, as its context. The
/// unbind takes it, and passes it on: to the finisher's one run, then back to NDIS until
/// the close has completed.
pub(crate) struct BindingCore<P: Protocol> {
    /// The driver's part, until the unbind is through with it.
    shared: SpinLock<Option<Arc<BindingShared<P>>>>,
    /// Set from the start.
    end: Slot<Ending>,
    /// NDIS's handle, when the driver's part is gone.
    handle: AtomicPtr<c_void>,
    /// What the unbind is answered with.
    unbind: AtomicPtr<c_void>,
    /// Set when a pended open has completed.
    opened: Event,
    result: AtomicI32,
    /// What a call manager has registered here.
    advertised: Advertised,
    /// The unload waits for this.
    driver: Parent<Arc<Registered<P>>>,
}

impl<P: Protocol> Anchored for BindingCore<P> {
    type Parent = Arc<Registered<P>>;
    fn parent(&mut self) -> &mut Parent<Arc<Registered<P>>> {
        &mut self.driver
    }
}

/// What ends a binding.
struct Ending {
    teardown: Teardown,
    /// Runs the rest of the unbind when everything of the binding is gone.
    finisher: SpinLock<Option<RawWorkItem>>,
}

/// The binding as the driver knows it. When the last reference goes, so does
/// the driver's context; the unbind waits for that.
#[doc(hidden)]
pub struct BindingShared<P: Protocol> {
    /// Gives dropped lists back.
    give_back: Node<Self, GiveBack>,
    /// Tells the driver of a restart when NDIS's call is over.
    restart: Node<Self, Restart>,
    /// Received lists that were dropped where nothing may be called.
    dropped: SpinLock<Chain>,
    pub(crate) driver: Arc<Registered<P>>,
    pub(crate) handle: AtomicPtr<c_void>,
    pub(super) flow: Flow,
    /// Lists that are out for sending.
    sends: AtomicUsize,
    sends_in: Event,
    /// What the driver's role keeps here.
    pub(crate) role: <P::Role as Role<P>>::State,
    /// Parts of the role that have not ended; the last one ends the binding.
    parts: AtomicUsize,
    /// NDIS's context, good from the unbind until this is gone: the core waits for that.
    core: AtomicPtr<c_void>,
    /// Set before there is a [`Binding`].
    context: Slot<P::Binding>,
    /// Holds the scope's teardown up until this is gone.
    live: Parent<Live>,
}

impl<P: Protocol> Anchored for BindingShared<P> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

/// A binding whose adapter has just been opened, within the bind: see
/// [`Protocol::opened`]. It derefs to the [`Binding`].
///
/// ```
/// # use ndis_co::{cm::StandaloneCallManager, family::AddressFamily, irql::Passive, protocol::OpenedBinding};
/// # use ndis_host as _;
/// /// From [`Protocol::opened`] of a stand-alone call manager.
/// fn offer<M: StandaloneCallManager>(
///     binding: &OpenedBinding<'_, M>,
///     family: AddressFamily,
///     irql: &mut Passive,
/// ) {
///     // A failure leaves this adapter without calls.
///     let _ = binding.register_address_family(family, irql);
/// }
/// ```
pub struct OpenedBinding<'b, P: Protocol> {
    binding: &'b Binding<P>,
    core: &'b BindingCore<P>,
}

impl<P: Protocol> OpenedBinding<'_, P> {
    /// The families that are registered here.
    pub(crate) fn advertised(&self) -> &Advertised {
        &self.core.advertised
    }
}

impl<P: Protocol> ops::Deref for OpenedBinding<'_, P> {
    type Target = Binding<P>;
    fn deref(&self) -> &Binding<P> {
        self.binding
    }
}

impl<P: Protocol> fmt::Debug for OpenedBinding<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.binding.fmt(f)
    }
}

/// A counted reference to one binding; it derefs to the driver's context.
///
/// ```
/// # use ndis_co::{Status, nbl::{NetBufferList, NetBufferListPool}, protocol::{Binding, Protocol}};
/// # use ndis_host as _;
/// /// A frame to send, of a driver that keeps a pool for each binding.
/// fn frame<P: Protocol<Binding = NetBufferListPool>>(
///     binding: &Binding<P>,
///     bytes: &[u8],
/// ) -> Result<NetBufferList, Status> {
///     if !binding.is_running() {
///         return Err(Status::PAUSED);
///     }
///     let mut frame = binding.allocate(bytes.len())?;
///     frame.set_data(bytes)?;
///     Ok(frame)
/// }
/// ```
pub struct Binding<P: Protocol> {
    pub(crate) shared: Arc<BindingShared<P>>,
}

impl<P: Protocol> Binding<P> {
    /// What pools, timers and work items of this binding are allocated on.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.shared.scope()
    }

    /// The driver.
    #[must_use]
    pub fn driver(&self) -> &P {
        self.shared.driver.driver()
    }

    /// Whether data may be sent: NDIS has restarted the binding and not
    /// paused it since (rules [BIND-07], [PAUSE-12]).
    ///
    /// Source page: [`PROTOCOL_NET_PNP_EVENT`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-protocol_net_pnp_event).
    ///
    /// [BIND-07]: ndis_sys::rules#BIND-07
    /// [PAUSE-12]: ndis_sys::rules#PAUSE-12
    #[must_use]
    #[doc(alias = "ProtocolNetPnPEvent")]
    pub fn is_running(&self) -> bool {
        self.shared.is_running()
    }
}

reference!(Binding<P: Protocol> to BindingShared, "binding", "binding");

impl<P: Protocol> ops::Deref for Binding<P> {
    type Target = P::Binding;
    fn deref(&self) -> &P::Binding {
        // SAFETY: a `Binding` is made once the context is set.
        unsafe { self.shared.context.get_unchecked() }
    }
}

impl<P: Protocol> fmt::Debug for Binding<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("running", &self.is_running())
            .finish_non_exhaustive()
    }
}

/// The work of giving back what was dropped.
struct GiveBack;

impl<P: Protocol> Deferred<GiveBack> for BindingShared<P> {
    fn node(&self) -> &Node<Self, GiveBack> {
        &self.give_back
    }

    fn scope(&self) -> &Scope {
        self.live.scope()
    }

    fn run(this: Arc<Self>, _irql: &mut Passive) {
        let lists = this.dropped.locked(mem::take);
        this.return_lists(lists);
    }
}

/// The work of telling the driver of a restart.
struct Restart;

impl<P: Protocol> Deferred<Restart> for BindingShared<P> {
    fn node(&self) -> &Node<Self, Restart> {
        &self.restart
    }

    fn scope(&self) -> &Scope {
        self.live.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        match this.flow.tell() {
            Tell::Later => Self::tell_restarted(&this),
            Tell::No => {}
            Tell::Now => {
                let binding = Binding { shared: this };
                binding.driver().restarted(&binding, irql.up_to_dispatch());
                binding.shared.flow.told();
            }
        }
    }
}

impl<P: Protocol> BindingShared<P> {
    /// What resources are allocated on.
    pub(crate) fn scope(&self) -> &Scope {
        self.live.scope()
    }

    /// Returns received lists to their miniport: at once, or soon when the
    /// stack is nearly used up.
    #[inline]
    pub(crate) fn give_back(this: &Arc<Self>, lists: Chain) {
        if stack::is_low() {
            Self::give_back_later(this, lists);
        } else {
            this.return_lists(lists);
        }
    }

    /// Returns received lists to their miniport (rule NBL-26). The miniport's
    /// code runs before this returns.
    #[inline]
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
    #[cold]
    pub(crate) fn give_back_later(this: &Arc<Self>, lists: Chain) {
        if lists.is_empty() {
            return;
        }
        this.dropped.locked(|dropped| dropped.append(lists));
        Deferred::<GiveBack>::defer(this);
    }

    /// The handle for NDIS calls.
    pub(crate) fn handle(&self) -> NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }

    /// Whether data may be sent.
    pub(crate) fn is_running(&self) -> bool {
        self.flow.is_running()
    }

    /// Whether data may be sent, or why not.
    pub(crate) fn may_send(&self) -> Result<(), Status> {
        self.flow.check()
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
        Deferred::<Restart>::defer_later(this);
    }

    /// Counts lists that go out; whether they may. They are counted in in any case.
    #[inline]
    pub(crate) fn lists_out(&self, lists: usize) -> bool {
        self.sends.fetch_add(lists, Ordering::SeqCst);
        self.flow.is_open()
    }

    /// As [`lists_out`](Self::lists_out); those that may not are counted in, and this says why.
    pub(crate) fn sends_out(&self, lists: usize) -> Result<(), Status> {
        self.sends.fetch_add(lists, Ordering::SeqCst);
        self.may_send().inspect_err(|_| self.sends_in(lists))
    }

    /// Counts lists that came back.
    pub(crate) fn sends_in(&self, lists: usize) {
        let before = self.sends.fetch_sub(lists, Ordering::SeqCst);
        if before == lists && !self.is_running() {
            self.sends_in.set();
        }
    }

    /// A part of the role has come to its end, in an unbind. The last one goes on with it.
    pub(crate) fn part_closed(this: &Arc<Self>) {
        if this.parts.fetch_sub(1, Ordering::AcqRel) == 1 {
            BindingCore::leave(this);
        }
    }
}

impl<P: Protocol> BindingCore<P> {
    /// The driver's part, if the binding is up.
    pub(crate) fn binding(&self) -> Option<Binding<P>> {
        let shared = self.shared.locked(|shared| shared.clone())?;
        Some(Binding { shared })
    }

    /// The driver has agreed to the unbind, and its role has ended: lets go of the
    /// driver's part. The finisher runs when all of it is gone.
    fn leave(shared: &Arc<BindingShared<P>>) {
        let context = shared.core.load(Ordering::Acquire);
        // SAFETY: by CORE the unbind's reference, which the finisher takes.
        let Some(core) = (unsafe { Arc::<Self>::from_raw(context) }) else {
            return;
        };
        core.handle.store(shared.handle(), Ordering::Release);
        drop(core.shared.locked(Option::take));
        let Some(Ending { teardown, finisher }) = core.end.get() else {
            return;
        };
        if let Some(finisher) = finisher.take() {
            // SAFETY: once, for the finisher is there once.
            unsafe { teardown.close_later(finisher, core.clone()) };
        }
    }

    /// The adapter is closed: answers the unbind.
    fn unbound(this: Arc<Self>) {
        let unbind = this.unbind.load(Ordering::Acquire);
        // SAFETY: the unbind was pended, and is completed once, when everything of the
        // binding is gone (rule BIND-10); at or below DISPATCH_LEVEL, as every reference's end
        // (rule IRQL-121).
        unsafe { ndis_sys::NdisCompleteUnbindAdapterEx(unbind) };
        // Kept until after that (rule BIND-14).
        drop(this);
    }

    /// Waits for the completion of the pended open.
    ///
    /// The completion may still be on its way out when it has set the event,
    /// and holds a reference of its own until then. That one's end is waited
    /// for as well, so that the memory is not the completion's to free.
    fn wait_until_opened(this: &Arc<Self>, irql: &mut Passive) {
        this.opened.wait(irql);
        Arc::wait_for_others(this, OPENING, irql);
    }
}

/// The finisher: everything of the binding is gone.
impl<P: Protocol> Routine for BindingCore<P> {
    fn run(core: Arc<Self>, item: RawWorkItem, irql: &mut Passive) {
        drop(item);
        if let Some(end) = core.end.get() {
            // SAFETY: the scope is idle; once, as this.
            unsafe { end.teardown.finish(irql) };
        }
        let handle = core.handle.load(Ordering::Acquire);
        // By CORE it is NDIS's again until the close has completed.
        let context = Arc::into_raw(core);
        // SAFETY: PASSIVE_LEVEL, in an unbind that was pended (rule BIND-12); nothing
        // uses the handle any more (rule BIND-13).
        let status = unsafe { ndis_sys::NdisCloseAdapterEx(handle) };
        if !Status::from_raw(status).is_pending() {
            // SAFETY: NDIS makes no call for a close that did not pend.
            if let Some(core) = unsafe { Arc::<Self>::from_raw(context) } {
                Self::unbound(core);
            }
        }
    }
}

/// `ProtocolBindAdapterEx`: has the driver make its context, and opens the
/// adapter.
pub(crate) unsafe extern "system" fn bind<P: Protocol>(
    driver: NDIS_HANDLE,
    bind_context: NDIS_HANDLE,
    parameters: *mut NDIS_BIND_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: the context of the registration lives until unload.
    let driver = unsafe { Arc::<Registered<P>>::borrow_raw(driver) };
    // SAFETY: null, or NDIS's parameters, which it keeps for this call.
    let parameters = unsafe { parameters.as_ref() };
    let (Some(driver), Some(parameters)) = (driver, parameters) else {
        return Status::FAILURE.raw();
    };
    // SAFETY: NDIS binds at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    let result = make::<P>(&driver, parameters, &mut irql).and_then(|core| {
        // SAFETY: within the bind callback, with its arguments.
        let opened = unsafe { open(&core, bind_context, parameters, &mut irql) };
        let opened = opened.inspect_err(|_| give_up(&core, &mut irql));
        opened.map(|binding| (binding, core))
    });
    match result {
        Ok((binding, core)) => {
            let opened = OpenedBinding {
                binding: &binding,
                core: &core,
            };
            driver.driver().opened(&opened, &mut irql);
            Status::SUCCESS.raw()
        }
        Err(failure) => failure.as_failure().raw(),
    }
}

/// Makes everything that a binding needs, the driver's part included: once the adapter
/// is open nothing fails any more, and NDIS may offer families at once.
///
/// Called from the bind callback with its parameters.
fn make<P: Protocol>(
    driver: &Arc<Registered<P>>,
    parameters: &NDIS_BIND_PARAMETERS,
    irql: &mut Passive,
) -> Result<Arc<BindingCore<P>>, Status> {
    let opened = Event::try_new(Tag::NDIS)?;
    let sends_in = Event::try_new(Tag::NDIS)?;
    let flow = Flow::try_new(Tag::NDIS)?;
    let core = BindingCore {
        shared: SpinLock::new(None),
        end: Slot::new(),
        handle: AtomicPtr::new(ptr::null_mut()),
        unbind: AtomicPtr::new(ptr::null_mut()),
        opened,
        result: AtomicI32::new(Status::FAILURE.raw()),
        advertised: Advertised::new(),
        driver: Parent::new(driver.clone()),
    };
    let core = Arc::try_new_anchored(core, Tag::NDIS)?;
    let protocol = driver.handle();
    let object = driver.object();
    // SAFETY: the registration's handle and the driver object live until every
    // binding is closed, and the teardown is closed before.
    let teardown = unsafe { Teardown::open_for_protocol(protocol, object) }?;
    // SAFETY: this driver's object.
    let finisher = match unsafe { RawWorkItem::try_new(teardown.scope().base()) } {
        Ok(finisher) => finisher,
        Err(failure) => {
            // SAFETY: opened above, closed once.
            unsafe { teardown.close(irql) };
            return Err(failure);
        }
    };
    let finisher = SpinLock::new(Some(finisher));
    core.end.set(Ending { teardown, finisher });
    // SAFETY: set just now.
    let teardown = unsafe { &core.end.get_unchecked().teardown };
    let shared = BindingShared {
        give_back: Node::new(),
        restart: Node::new(),
        dropped: SpinLock::new(Chain::new()),
        driver: driver.clone(),
        handle: AtomicPtr::new(ptr::null_mut()),
        flow,
        sends: AtomicUsize::new(0),
        sends_in,
        role: <P::Role as Role<P>>::new_state(),
        parts: AtomicUsize::new(<P::Role as Role<P>>::PARTS),
        core: AtomicPtr::new(Arc::as_raw(&core)),
        context: Slot::new(),
        live: Parent::new(teardown.enter()),
    };
    // By the caller as BINDING says.
    let new = NewBinding::new(teardown.scope(), parameters);
    let made = Arc::try_new_anchored(shared, Tag::NDIS)
        .map_err(Status::from)
        .and_then(|shared| {
            let context = driver.driver().bind(&new, irql)?;
            shared.context.set(context);
            Ok(shared)
        });
    match made {
        Ok(shared) => {
            core.shared.locked(|slot| *slot = Some(shared));
            Ok(core)
        }
        Err(failure) => {
            give_up(&core, irql);
            Err(failure)
        }
    }
}

/// The bind has failed: takes down what was made.
fn give_up<P: Protocol>(core: &Arc<BindingCore<P>>, irql: &mut Passive) {
    drop(core.shared.locked(Option::take));
    if let Some(end) = core.end.get() {
        // SAFETY: opened with the core, closed once: there is no unbind.
        unsafe { end.teardown.close(irql) };
    }
}

/// Opens the adapter.
///
/// # Safety
///
/// Called from the bind callback with its arguments.
unsafe fn open<P: Protocol>(
    core: &Arc<BindingCore<P>>,
    bind_context: NDIS_HANDLE,
    parameters: &NDIS_BIND_PARAMETERS,
    irql: &mut Passive,
) -> Result<Binding<P>, Status> {
    let Some(binding) = core.binding() else {
        return Err(Status::FAILURE);
    };
    let mut medium = parameters.MediaType;
    let mut selected = 0_u32;
    let mut open: NDIS_OPEN_PARAMETERS = ndis_sys::zeroed();
    open.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
        ndis_sys::NDIS_OPEN_PARAMETERS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
    );
    // The name lives as long as the call (rule BIND-03).
    open.AdapterName = parameters.AdapterName;
    open.MediumArray = &mut medium;
    open.MediumArraySize = 1;
    open.SelectedMediumIndex = &mut selected;
    let protocol = core.driver.handle();
    // The driver's part has it from the start: families may be offered before this
    // returns.
    let handle = binding.shared.handle.as_ptr();
    let context = Arc::into_raw(core.clone());
    // SAFETY: within the bind callback (rule BIND-01); the parameters stay until the open
    // has completed, which is waited for below (rule BIND-02), the handle variable as
    // long as the binding.
    let status =
        unsafe { ndis_sys::NdisOpenAdapterEx(protocol, context, &mut open, bind_context, handle) };
    let mut status = Status::from_raw(status);
    if status.is_pending() {
        BindingCore::wait_until_opened(core, irql);
        status = Status::from_raw(core.result.load(Ordering::Acquire));
    }
    match status.result() {
        Ok(()) => Ok(binding),
        Err(failure) => {
            // SAFETY: NDIS's reference, which it has no use for.
            drop(unsafe { Arc::<BindingCore<P>>::from_raw(context) });
            Err(failure)
        }
    }
}

/// The references to a binding's core while it is opened: `bind`'s own, and NDIS's.
const OPENING: usize = 2;

/// `ProtocolUnbindAdapterEx`: has everything on the binding end. The unbind is answered
/// when that is done and the adapter closed: this thread does not wait, for a call
/// manager may need it (rule AF-32).
pub(crate) unsafe extern "system" fn unbind<P: Protocol>(
    unbind_context: NDIS_HANDLE,
    context: NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: by CORE NDIS's reference, which the finisher takes at the end of this.
    let Some(core) = (unsafe { Arc::<BindingCore<P>>::borrow_raw(context) }) else {
        return Status::SUCCESS.raw();
    };
    // SAFETY: NDIS unbinds at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    let Some(binding) = core.binding() else {
        return Status::SUCCESS.raw();
    };
    core.unbind.store(unbind_context, Ordering::Release);
    <P::Role as Role<P>>::closing(&binding, Token(()));
    binding.shared.flow.end(&mut irql);
    binding.driver().unbind(&binding, &mut irql);
    <P::Role as Role<P>>::close(&binding, &mut irql, Token(()));
    // It is answered with success, sooner or later (rule BIND-09).
    Status::PENDING.raw()
}

/// `ProtocolOpenAdapterCompleteEx`.
pub(crate) unsafe extern "system" fn open_complete<P: Protocol>(
    context: NDIS_HANDLE,
    status: NDIS_STATUS,
) {
    // SAFETY: NDIS's reference lives until the binding is closed.
    if let Some(core) = unsafe { Arc::<BindingCore<P>>::borrow_raw(context) } {
        let core = Arc::clone(&core);
        core.result.store(status, Ordering::Release);
        core.opened.set();
    }
}

/// `ProtocolCloseAdapterCompleteEx`.
pub(crate) unsafe extern "system" fn close_complete<P: Protocol>(context: NDIS_HANDLE) {
    // SAFETY: by CORE the reference that the finisher gave back.
    if let Some(core) = unsafe { Arc::<BindingCore<P>>::from_raw(context) } {
        BindingCore::unbound(core);
    }
}

/// The binding context, which is good until the binding is closed.
impl<P: Protocol> Argument<*mut c_void> for Binding<P> {
    fn from_ndis(context: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // SAFETY: it is what NDIS is given of a binding.
        unsafe { context.object::<BindingCore<P>>() }?.binding()
    }
}

/// Pauses and restarts sends, and tells the driver of power (rules PAUSE-12, PAUSE-13).
pub(crate) fn on_net_pnp_event<'r, P: Protocol>(
    binding: Binding<P>,
    event: &NET_PNP_EVENT_NOTIFICATION,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    let shared = &binding.shared;
    match event.NetPnPEvent.NetEvent {
        ndis_sys::NetEventPause => {
            shared.flow.pause(irql);
            shared.driver.driver().pause(&binding, irql);
            // Reset, look, wait: an event of an earlier pause may come late.
            loop {
                shared.sends_in.reset();
                if shared.sends.load(Ordering::SeqCst) == 0 {
                    break;
                }
                shared.sends_in.wait(irql);
            }
        }
        ndis_sys::NetEventRestart => BindingShared::restart(shared),
        ndis_sys::NetEventSetPower => {
            if let Some(state) = power_state(event) {
                shared.driver.driver().power(&binding, state, irql);
            }
        }
        // A query of the power state is never refused (rule BIND-26).
        _ => {}
    }
    request.answer(Status::SUCCESS)
}

/// The state that a device goes to, by an event of `NetEventSetPower`.
fn power_state(event: &NET_PNP_EVENT_NOTIFICATION) -> Option<PowerState> {
    let buffer = event.NetPnPEvent.Buffer;
    let length = event.NetPnPEvent.BufferLength;
    if buffer.is_null() || (length as usize) < size_of::<NDIS_DEVICE_POWER_STATE>() {
        return None;
    }
    // SAFETY: the buffer has room for it, NDIS keeps it for the call, and nothing is said
    // of its alignment.
    let state = unsafe { buffer.cast::<NDIS_DEVICE_POWER_STATE>().read_unaligned() };
    PowerState::from_raw(state)
}
