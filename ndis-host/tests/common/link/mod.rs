//! The raw connection-oriented miniport that is no call manager: VCs on one channel are
//! joined, and what is sent on one comes out at the other; a VC alone on its channel hears
//! itself.

mod data;

use super::{P, PENDING, SUCCESS, TAG, header, zeroed};
use data::{release, return_lists, send};
use ndis_host::{Driver, Host};
use ndis_sys as n;
use ndis_sys::{
    CO_CALL_PARAMETERS, DRIVER_OBJECT, NDIS_HANDLE, NDIS_STATUS, NET_BUFFER_LIST, UNICODE_STRING,
};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// The longest frame, in bytes.
const MAX_FRAME: u32 = 1500;

/// Where the miniport misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flaw {
    #[default]
    None,
    /// Registers without a handler for deactivations.
    NoDeactivateHandler,
    CreatePends,
    /// Refuses a VC with a status that is not documented.
    CreateRefused,
    /// Is short of memory for a VC.
    CreateShort,
    CreateWithoutContext,
    DeletePends,
    DeleteRefused,
    /// Refuses an activation with a status that is not documented.
    ActivateOdd,
    /// Refuses each change of parameters, and keeps the old ones.
    ChangeRefused,
    ActivatedTwice,
    ActivatedWithOthers,
    ActivatedPending,
    /// Completes an activation and returns SUCCESS as well.
    ActivatedAndReturned,
    DeactivateRefused,
    DeactivatedPending,
    /// Is done with a deactivation before its client has returned what it has.
    DeactivatesBusy,
    /// Indicates data on a VC that is not active yet.
    IndicatesInactive,
    /// Indicates data when it is asked to deactivate, and is done then.
    IndicatesLast,
    /// Completes a deactivation that nobody has asked for.
    CompletesUnasked,
    /// Sleeps in its handlers of VCs, which may run at DISPATCH_LEVEL.
    Sleeps,
    /// Never completes what it is sent.
    KeepsSends,
    /// Never completes an activation.
    ActivationForgotten,
    /// Says that its device is no connection-oriented one.
    Connectionless,
}

pub struct Link {
    pub driver: Driver,
    pub shared: Arc<Shared>,
}

/// What the test and the driver both see.
pub struct Shared {
    pub flaw: Flaw,
    /// Of five activations and deactivations three pend, and are completed later or at once.
    pub pends: bool,
    pub driver: AtomicPtr<c_void>,
    pub delivered: AtomicU32,
    pub made: AtomicU32,
    pub deleted: AtomicU32,
    pub activated: AtomicU32,
    pub deactivated: AtomicU32,
    turns: AtomicU32,
    pub oids: Arc<super::oids::Oids>,
    pub nics: Mutex<Vec<P<Nic>>>,
    /// The live VCs; never locked while NDIS is called.
    vcs: Mutex<Vec<P<Vc>>>,
}

/// An adapter.
pub struct Nic {
    pub shared: Arc<Shared>,
    pub handle: NDIS_HANDLE,
    pub pool: NDIS_HANDLE,
    /// Whether data flow; under the lock of the VCs.
    running: AtomicU32,
    /// The handle, while a pause pends.
    pausing: AtomicPtr<c_void>,
}

/// The miniport's third of a VC.
pub struct Vc {
    pub nic: *mut Nic,
    pub handle: NDIS_HANDLE,
    pub channel: AtomicU32,
    pub active: AtomicU32,
    /// Sends, calls that indicate and indicated lists that are not over.
    pub busy: AtomicU32,
    /// A deactivation waits for them.
    closing: AtomicU32,
    pub params: AtomicPtr<CO_CALL_PARAMETERS>,
}

/// Calls NDIS.
macro_rules! ndis {
    ($name:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: handles may be anything; what is pointed to is this driver's, and lives as
        // long as the call's page asks for.
        unsafe { n::$name($($argument),*) }
    }};
}
pub(super) use ndis;

/// The object behind a context.
pub(super) fn at<'a, T>(pointer: *mut T) -> &'a T {
    // SAFETY: only live objects of these drivers are passed; what changes in one is atomic.
    unsafe { &*pointer }
}

/// Gives the object behind a context back.
pub(super) fn free<T>(pointer: *mut T) {
    // SAFETY: made by `Box::into_raw`, and this is its last use.
    drop(unsafe { Box::from_raw(pointer) });
}

/// The channel that call parameters name.
pub fn channel_of(params: *mut CO_CALL_PARAMETERS) -> Option<u32> {
    // SAFETY: call parameters of the raw call manager.
    let media = unsafe { (*params).MediaParameters };
    if media.is_null() {
        return None;
    }
    // SAFETY: as above.
    let specific = unsafe { &raw mut (*media).MediaSpecific };
    // SAFETY: as above.
    let length = unsafe { (*specific).Length };
    if length != 4 {
        return None;
    }
    // SAFETY: as above.
    let bytes = unsafe { &raw const (*specific).Parameters };
    // SAFETY: four bytes long.
    Some(unsafe { bytes.cast::<u32>().read_unaligned() })
}

impl Shared {
    fn new(flaw: Flaw, pends: bool) -> Arc<Self> {
        Arc::new(Self {
            flaw,
            pends,
            driver: AtomicPtr::default(),
            delivered: AtomicU32::new(0),
            made: AtomicU32::new(0),
            deleted: AtomicU32::new(0),
            activated: AtomicU32::new(0),
            deactivated: AtomicU32::new(0),
            turns: AtomicU32::new(0),
            oids: Arc::default(),
            nics: Mutex::default(),
            vcs: Mutex::default(),
        })
    }
}

impl Shared {
    /// The handle of the adapter that is up.
    pub fn adapter(&self) -> NDIS_HANDLE {
        at(self.nics.lock().unwrap()[0].0).handle
    }

    /// Its handles of the VCs, oldest first.
    pub fn all_vcs(&self) -> Vec<P<c_void>> {
        let vcs = self.vcs.lock().unwrap();
        vcs.iter().map(|vc| P(at(vc.0).handle)).collect()
    }
}

impl Nic {
    /// Whether something of a VC of this adapter is not over.
    fn is_busy_with(&self, vc: *mut Vc) -> bool {
        let vc = at(vc);
        std::ptr::eq(vc.nic, self) && vc.busy.load(SeqCst) > 0
    }
}

impl Link {
    /// What the driver begins with, for a test in which it does not load.
    pub fn entry_with(
        flaw: Flaw,
    ) -> impl FnOnce(*mut DRIVER_OBJECT, *mut UNICODE_STRING) -> i32 + Send + 'static {
        let shared = Shared::new(flaw, false);
        move |object, path| entry(shared, object, path)
    }

    pub fn load(host: &Host, flaw: Flaw, pends: bool) -> Self {
        let shared = Shared::new(flaw, pends);
        let own = shared.clone();
        let driver = host
            .load_with("raw-link", move |object, path| entry(own, object, path))
            .expect("the miniport loads");
        Self { driver, shared }
    }
}

static EXTENSION: u8 = 0;

fn entry(shared: Arc<Shared>, object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> i32 {
    let mut table: n::NDIS_MINIPORT_DRIVER_CHARACTERISTICS = zeroed();
    table.Header = header(
        n::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
        2,
        n::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
    );
    table.MajorNdisVersion = 6;
    table.MinorNdisVersion = 30;
    table.SetOptionsHandler = Some(set_options);
    table.InitializeHandlerEx = Some(initialize);
    table.HaltHandlerEx = Some(halt);
    table.UnloadHandler = Some(unload);
    table.PauseHandler = Some(pause);
    table.RestartHandler = Some(restart);
    table.ReturnNetBufferListsHandler = Some(return_lists);
    table.CancelSendHandler = Some(cancel_send);
    table.DevicePnPEventNotifyHandler = Some(pnp_event);
    table.ShutdownHandlerEx = Some(shutdown);
    table.OidRequestHandler = Some(oid_of_ndis);
    table.SendNetBufferListsHandler = Some(send_bare);
    table.CancelOidRequestHandler = Some(cancel_oid);
    let keep = shared.clone();
    let context = Arc::into_raw(shared).cast_mut();
    let mut driver: NDIS_HANDLE = null_mut();
    let status = ndis!(NdisMRegisterMiniportDriver(
        object,
        path,
        context.cast(),
        &raw mut table,
        &raw mut driver
    ));
    if status != SUCCESS {
        // SAFETY: nobody else has the context now.
        drop(unsafe { Arc::from_raw(context) });
        return status;
    }
    keep.driver.store(driver, SeqCst);
    let id = (&raw const EXTENSION).cast_mut().cast();
    let mut slot: *mut c_void = null_mut();
    let status = ndis!(IoAllocateDriverObjectExtension(
        object,
        id,
        8,
        &raw mut slot
    ));
    assert_eq!(status, 0);
    // SAFETY: a pointer fits in the extension.
    unsafe { slot.cast::<*const Shared>().write(context.cast_const()) };
    SUCCESS
}

unsafe extern "system" fn unload(object: *mut DRIVER_OBJECT) {
    let id = (&raw const EXTENSION).cast_mut().cast();
    let slot: *mut *const Shared = ndis!(IoGetDriverObjectExtension(object, id)).cast();
    // SAFETY: the extension that `entry` made.
    let pointer = unsafe { slot.read() };
    // SAFETY: the count that `entry` leaked.
    let shared = unsafe { Arc::from_raw(pointer) };
    ndis!(NdisMDeregisterMiniportDriver(shared.driver.load(SeqCst)));
}

unsafe extern "system" fn set_options(driver: NDIS_HANDLE, context: NDIS_HANDLE) -> NDIS_STATUS {
    let mut co: n::NDIS_MINIPORT_CO_CHARACTERISTICS = zeroed();
    co.Header = header(
        n::NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS,
        1,
        size_of_val(&co),
    );
    // SAFETY: the context is the `Arc` that `entry` leaked.
    let flaw = unsafe { (*context.cast::<Shared>()).flaw };
    co.CoCreateVcHandler = Some(create_vc);
    co.CoDeleteVcHandler = Some(delete_vc);
    co.CoActivateVcHandler = Some(activate_vc);
    if flaw != Flaw::NoDeactivateHandler {
        co.CoDeactivateVcHandler = Some(deactivate_vc);
    }
    co.CoSendNetBufferListsHandler = Some(send);
    co.CoOidRequestHandler = Some(oid);
    ndis!(NdisSetOptionalHandlers(driver, (&raw mut co).cast()))
}

unsafe extern "system" fn initialize(
    handle: NDIS_HANDLE,
    context: NDIS_HANDLE,
    _: *mut n::NDIS_MINIPORT_INIT_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: the context is the `Arc` that `entry` leaked.
    unsafe { Arc::increment_strong_count(context.cast::<Shared>()) };
    // SAFETY: as above; the count was just raised.
    let shared = unsafe { Arc::from_raw(context.cast::<Shared>()) };
    let mut pool: n::NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
    pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 16);
    pool.fAllocateNetBuffer = 1;
    pool.PoolTag = TAG;
    pool.DataSize = MAX_FRAME;
    let pool = ndis!(NdisAllocateNetBufferListPool(handle, &raw const pool));
    let nic = Box::into_raw(Box::new(Nic {
        shared,
        handle,
        pool,
        running: AtomicU32::new(0),
        pausing: AtomicPtr::default(),
    }));
    at(nic).shared.nics.lock().unwrap().push(P(nic));
    let mut registration: n::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES = zeroed();
    registration.Header = header(
        n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
        1,
        size_of_val(&registration),
    );
    registration.MiniportAdapterContext = nic.cast();
    if at(nic).shared.flaw == Flaw::Connectionless {
        registration.AttributeFlags = n::NDIS_MINIPORT_ATTRIBUTES_NOT_CO_NDIS as u32;
    }
    let status = ndis!(NdisMSetMiniportAttributes(
        handle,
        (&raw mut registration).cast()
    ));
    assert_eq!(status, SUCCESS);
    let mut general: n::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES = zeroed();
    general.Header = header(
        n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
        2,
        size_of_val(&general),
    );
    general.MediaType = n::NdisMediumCoWan;
    let mut power: n::NDIS_PM_CAPABILITIES = zeroed();
    power.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 2, size_of_val(&power));
    general.PowerManagementCapabilitiesEx = &raw mut power;
    let status = ndis!(NdisMSetMiniportAttributes(
        handle,
        (&raw mut general).cast()
    ));
    assert_eq!(status, SUCCESS);
    SUCCESS
}

unsafe extern "system" fn halt(context: NDIS_HANDLE, _: n::NDIS_HALT_ACTION) {
    let nic: *mut Nic = context.cast();
    ndis!(NdisFreeNetBufferListPool(at(nic).pool));
    let shared = &at(nic).shared;
    shared.nics.lock().unwrap().retain(|one| one.0 != nic);
    free(nic);
}

unsafe extern "system" fn pause(
    context: NDIS_HANDLE,
    _: *mut n::NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> NDIS_STATUS {
    let nic = at(context.cast::<Nic>());
    let vcs = nic.shared.vcs.lock().unwrap();
    nic.running.store(0, SeqCst);
    if vcs.iter().any(|vc| nic.is_busy_with(vc.0)) {
        nic.pausing.store(nic.handle, SeqCst);
        return PENDING;
    }
    SUCCESS
}

unsafe extern "system" fn restart(
    context: NDIS_HANDLE,
    _: *mut n::NDIS_MINIPORT_RESTART_PARAMETERS,
) -> NDIS_STATUS {
    at(context.cast::<Nic>()).running.store(1, SeqCst);
    SUCCESS
}

unsafe extern "system" fn cancel_send(_: NDIS_HANDLE, _: *mut c_void) {}
unsafe extern "system" fn pnp_event(_: NDIS_HANDLE, _: *mut n::NET_DEVICE_PNP_EVENT) {}
unsafe extern "system" fn shutdown(_: NDIS_HANDLE, _: n::NDIS_SHUTDOWN_ACTION) {}
unsafe extern "system" fn cancel_oid(context: NDIS_HANDLE, id: *mut c_void) {
    at(context.cast::<Nic>()).shared.oids.cancel(id);
}

unsafe extern "system" fn oid_of_ndis(
    context: NDIS_HANDLE,
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    let oids = &at(context.cast::<Nic>()).shared.oids;
    let answer = oids.ask(
        "MiniportOidRequest",
        [context, null_mut(), null_mut()],
        request,
    );
    answer.unwrap_or(n::NDIS_STATUS_NOT_SUPPORTED)
}

unsafe extern "system" fn oid(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    let oids = &at(context.cast::<Nic>()).shared.oids;
    let answer = oids.ask("MiniportCoOidRequest", [context, vc, null_mut()], request);
    answer.unwrap_or(n::NDIS_STATUS_NOT_SUPPORTED)
}

unsafe extern "system" fn send_bare(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _: u32,
    _: u32,
) {
    set_status(lists, n::NDIS_STATUS_FAILURE);
    let nic = at(context.cast::<Nic>());
    ndis!(NdisMSendNetBufferListsComplete(nic.handle, lists, 0));
}

fn set_status(list: *mut NET_BUFFER_LIST, status: NDIS_STATUS) {
    // SAFETY: a list that is this driver's until it gives it back.
    let field = unsafe { &raw mut (*list).u2.Status };
    // SAFETY: as above.
    unsafe { field.write(status) };
}

unsafe extern "system" fn create_vc(
    context: NDIS_HANDLE,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let nic: *mut Nic = context.cast();
    let shared = &at(nic).shared;
    match shared.flaw {
        Flaw::CreatePends => return PENDING,
        Flaw::CreateRefused => return n::NDIS_STATUS_FAILURE,
        Flaw::CreateShort => return n::NDIS_STATUS_RESOURCES,
        Flaw::CreateWithoutContext => return SUCCESS,
        Flaw::Sleeps => ndis!(NdisMSleep(10)),
        _ => {}
    }
    let vc = Box::into_raw(Box::new(Vc {
        nic,
        handle,
        channel: AtomicU32::new(0),
        active: AtomicU32::new(0),
        busy: AtomicU32::new(0),
        closing: AtomicU32::new(0),
        params: AtomicPtr::default(),
    }));
    shared.vcs.lock().unwrap().push(P(vc));
    shared.made.fetch_add(1, SeqCst);
    // SAFETY: the variable for the context.
    unsafe { out.write(vc.cast()) };
    SUCCESS
}

unsafe extern "system" fn delete_vc(context: NDIS_HANDLE) -> NDIS_STATUS {
    if context.is_null() {
        // One without a context.
        return SUCCESS;
    }
    let vc: *mut Vc = context.cast();
    let shared = &at(at(vc).nic).shared;
    let answer = match shared.flaw {
        Flaw::Sleeps => {
            ndis!(NdisMSleep(10));
            SUCCESS
        }
        Flaw::DeletePends => PENDING,
        Flaw::DeleteRefused => n::NDIS_STATUS_FAILURE,
        _ => SUCCESS,
    };
    let shared = &shared.clone();
    shared.vcs.lock().unwrap().retain(|other| other.0 != vc);
    shared.deleted.fetch_add(1, SeqCst);
    free(vc);
    answer
}

/// How a request is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Now,
    Later,
    /// By a completion, before PENDING is returned (GEN-04).
    Within,
}

/// How this request is answered.
fn turn(shared: &Shared) -> Turn {
    if !shared.pends {
        return Turn::Now;
    }
    match shared.turns.fetch_add(1, SeqCst) % 5 {
        1 | 4 => Turn::Later,
        2 => Turn::Within,
        _ => Turn::Now,
    }
}

/// Completes a request from a work item.
fn later(nic: &Nic, routine: n::NDIS_IO_WORKITEM_FUNCTION, vc: *mut Vc) {
    let item = ndis!(NdisAllocateIoWorkItem(nic.handle));
    ndis!(NdisQueueIoWorkItem(item, Some(routine), vc.cast()));
}

unsafe extern "system" fn activate_vc(
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    if context.is_null() {
        return SUCCESS;
    }
    let vc: *mut Vc = context.cast();
    let this = at(vc);
    let nic = at(this.nic);
    let again = this.active.load(SeqCst) == 1;
    match nic.shared.flaw {
        Flaw::ActivateOdd => return n::NDIS_STATUS_FAILURE,
        Flaw::IndicatesInactive if !again && channel_of(params) != Some(0) => invent(nic, vc),
        Flaw::ChangeRefused if again => return n::NDIS_STATUS_INVALID_DATA,
        _ => {}
    }
    let Some(channel) = channel_of(params) else {
        return n::NDIS_STATUS_INVALID_DATA;
    };
    nic.shared.activated.fetch_add(1, SeqCst);
    this.channel.store(channel, SeqCst);
    this.params.store(params, SeqCst);
    let handle = this.handle;
    match nic.shared.flaw {
        Flaw::ActivatedAndReturned => {
            this.active.store(1, SeqCst);
            ndis!(NdisMCoActivateVcComplete(SUCCESS, handle, params));
            return SUCCESS;
        }
        Flaw::ActivationForgotten if channel != 0 => return PENDING,
        Flaw::ActivatedPending => {
            ndis!(NdisMCoActivateVcComplete(PENDING, handle, params));
        }
        Flaw::ActivatedTwice | Flaw::ActivatedWithOthers => {
            later(nic, activated, vc);
            return PENDING;
        }
        _ => {}
    }
    match turn(&nic.shared) {
        Turn::Later => {
            later(nic, activated, vc);
            return PENDING;
        }
        Turn::Within => {
            this.active.store(1, SeqCst);
            ndis!(NdisMCoActivateVcComplete(SUCCESS, handle, params));
            return PENDING;
        }
        Turn::Now => {}
    }
    this.active.store(1, SeqCst);
    if nic.shared.flaw == Flaw::CompletesUnasked {
        ndis!(NdisMCoDeactivateVcComplete(SUCCESS, handle));
    }
    SUCCESS
}

unsafe extern "system" fn activated(context: *mut c_void, item: NDIS_HANDLE) {
    ndis!(NdisFreeIoWorkItem(item));
    let vc = at(context.cast::<Vc>());
    vc.active.store(1, SeqCst);
    let params = vc.params.load(SeqCst);
    let flaw = at(vc.nic).shared.flaw;
    let handle = vc.handle;
    if flaw == Flaw::ActivatedWithOthers {
        let mut others: CO_CALL_PARAMETERS = zeroed();
        ndis!(NdisMCoActivateVcComplete(SUCCESS, handle, &raw mut others));
        return;
    }
    ndis!(NdisMCoActivateVcComplete(SUCCESS, handle, params));
    if flaw == Flaw::ActivatedTwice {
        ndis!(NdisMCoActivateVcComplete(SUCCESS, handle, params));
    }
}

unsafe extern "system" fn deactivate_vc(context: NDIS_HANDLE) -> NDIS_STATUS {
    if context.is_null() {
        return SUCCESS;
    }
    let vc: *mut Vc = context.cast();
    let this = at(vc);
    let nic = at(this.nic);
    if nic.shared.flaw == Flaw::IndicatesLast && this.channel.load(SeqCst) != 0 {
        invent(nic, vc);
    }
    nic.shared.deactivated.fetch_add(1, SeqCst);
    let waits = {
        let _vcs = nic.shared.vcs.lock().unwrap();
        this.active.store(0, SeqCst);
        let waits = this.busy.load(SeqCst) > 0;
        this.closing.store(u32::from(waits), SeqCst);
        waits
    };
    match nic.shared.flaw {
        Flaw::DeactivatesBusy => {
            this.closing.store(0, SeqCst);
            return SUCCESS;
        }
        Flaw::DeactivateRefused => return n::NDIS_STATUS_FAILURE,
        Flaw::DeactivatedPending => {
            ndis!(NdisMCoDeactivateVcComplete(PENDING, this.handle));
        }
        _ => {}
    }
    if waits {
        return PENDING;
    }
    match turn(&nic.shared) {
        Turn::Later => {
            later(nic, deactivated, vc);
            PENDING
        }
        Turn::Within => {
            ndis!(NdisMCoDeactivateVcComplete(SUCCESS, this.handle));
            PENDING
        }
        Turn::Now => SUCCESS,
    }
}

unsafe extern "system" fn deactivated(context: *mut c_void, item: NDIS_HANDLE) {
    ndis!(NdisFreeIoWorkItem(item));
    let vc = at(context.cast::<Vc>());
    ndis!(NdisMCoDeactivateVcComplete(SUCCESS, vc.handle));
}

/// Indicates data out of nothing.
fn invent(nic: &Nic, vc: *mut Vc) {
    let list = ndis!(NdisAllocateNetBufferList(nic.pool, 0, 0));
    at(vc).busy.fetch_add(2, SeqCst);
    indicate(nic, vc, list);
}

/// Indicates a list on a VC, which is held for the call and for the list.
fn indicate(nic: &Nic, vc: *mut Vc, list: *mut NET_BUFFER_LIST) {
    let handle = at(vc).handle;
    // SAFETY: this driver's own list.
    unsafe { (*list).SourceHandle = handle };
    ndis!(NdisMCoIndicateReceiveNetBufferLists(handle, list, 1, 0));
    release(nic, vc);
}
