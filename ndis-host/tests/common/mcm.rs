//! The raw call manager.

use super::{PENDING, SUCCESS, TAG, Twist, header, put, telephony, zeroed};
use ndis_host::{Driver, Host};
use ndis_sys as n;
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, DRIVER_OBJECT, NDIS_HANDLE, NDIS_STATUS,
    NET_BUFFER_LIST, UNICODE_STRING,
};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering::SeqCst};

pub struct Mcm {
    pub driver: Driver,
    pub shared: Arc<Shared>,
}

/// What the test and the driver both see.
pub struct Shared {
    pub twist: Twist,
    pub driver: AtomicPtr<c_void>,
    pub nic: AtomicPtr<Nic>,
    pub delivered: AtomicU32,
    pub held: AtomicPtr<NET_BUFFER_LIST>,
    /// The VC that was up at a pause.
    pub paused: AtomicPtr<c_void>,
    pub pended: std::sync::atomic::AtomicBool,
    /// The device is gone.
    pub removed: std::sync::atomic::AtomicBool,
    /// And somebody asks for an OID.
    pub asked: std::sync::atomic::AtomicBool,
    /// Calls that indicate data and have not returned.
    pub indicating: AtomicU32,
    /// A pause pends.
    pub pausing: std::sync::atomic::AtomicBool,
    /// A request that pends.
    pub request: AtomicPtr<n::NDIS_OID_REQUEST>,
    pub statuses: std::sync::Mutex<Vec<NDIS_STATUS>>,
    pub line: Line,
    pub oids: Arc<super::oids::Oids>,
    pub life: super::life::Life,
    /// How often it was asked to activate or deactivate a VC that another shares.
    pub beneath: AtomicU32,
    /// What the next adapter's initialization begins with; whether it goes on.
    pub starting: std::sync::Mutex<Option<Starting>>,
}

/// It gets the handle of the adapter.
pub type Starting = Box<dyn FnOnce(NDIS_HANDLE) -> bool + Send>;

/// A VC of the call manager's own, on which a test offers calls to the first client.
#[derive(Default)]
pub struct Line {
    vc: AtomicPtr<Vc>,
    /// How the client answered each offer.
    pub answers: std::sync::Mutex<Vec<NDIS_STATUS>>,
    /// The data with which it closed each call.
    pub closes: std::sync::Mutex<Vec<Vec<u8>>>,
    /// How often the close of its family was refused meanwhile.
    pub refused: AtomicU32,
}

impl Shared {
    /// The handle of the adapter that is up.
    pub fn adapter(&self) -> NDIS_HANDLE {
        // SAFETY: it is up.
        unsafe { at(self.nic.load(SeqCst)) }.handle
    }

    /// Whether this is its context of that client's family.
    pub fn is_of(&self, client: usize, context: usize) -> bool {
        // SAFETY: the adapter is up.
        let nic = unsafe { at(self.nic.load(SeqCst)) };
        nic.afs[client].load(SeqCst).addr() == context
    }

    /// Its handle of the family that a client has open, by the order of the opens.
    pub fn af(&self, client: usize) -> NDIS_HANDLE {
        // SAFETY: as above.
        let af = unsafe { at(self.nic.load(SeqCst)) }.afs[client].load(SeqCst);
        // SAFETY: the client has it open.
        unsafe { at(af) }.handle
    }

    pub fn open_line(&self) {
        // SAFETY: the adapter is up.
        let nic = unsafe { at(self.nic.load(SeqCst)) };
        let af = nic.afs[0].load(SeqCst);
        let mut handle: NDIS_HANDLE = null_mut();
        let vc = make(vc_of(af, handle, false));
        // SAFETY: a family that a client has open.
        let family = unsafe { at(af) }.handle;
        // SAFETY: handles of this driver.
        let status = unsafe { n::NdisMCmCreateVc(nic.handle, family, vc.cast(), &raw mut handle) };
        assert_eq!(status, SUCCESS);
        // SAFETY: made above.
        let line = unsafe { at(vc) };
        line.handle.store(handle, SeqCst);
        line.params.store(parameters(0), SeqCst);
        self.line.vc.store(vc, SeqCst);
    }

    /// Its handle, or null.
    pub fn line(&self) -> NDIS_HANDLE {
        let vc = self.line.vc.load(SeqCst);
        if vc.is_null() {
            return null_mut();
        }
        // SAFETY: there until the line is closed.
        unsafe { at(vc) }.handle.load(SeqCst)
    }

    /// Offers a call.
    pub fn offer(&self) {
        let vc = self.line.vc.load(SeqCst);
        // SAFETY: the line is there.
        let params = unsafe { at(vc) }.params.load(SeqCst);
        // SAFETY: it is idle.
        unsafe { activate(vc, params) };
        // SAFETY: the adapter is up.
        let sap = unsafe { at(self.nic.load(SeqCst)) }.saps[0].load(SeqCst);
        // SAFETY: the client listens.
        let sap = unsafe { at(sap) }.handle;
        // SAFETY: live handles; the parameters stay as long as the line.
        let status = unsafe { n::NdisMCmDispatchIncomingCall(sap, self.line(), params) };
        assert_eq!(status, PENDING);
    }

    /// The offer was refused: the line is idle again.
    pub fn refused(&self) {
        // SAFETY: an active VC without a call.
        assert_eq!(unsafe { n::NdisMCmDeactivateVc(self.line()) }, SUCCESS);
    }

    pub fn connect(&self) {
        // SAFETY: an accepted call.
        unsafe { n::NdisMCmDispatchCallConnected(self.line()) };
    }

    pub fn end_call(&self) {
        // SAFETY: a call that is up.
        unsafe { n::NdisMCmDispatchIncomingCloseCall(SUCCESS, self.line(), null_mut(), 0) };
    }

    /// Ends the line, if it is there.
    pub fn close_line(&self) {
        let vc = self.line.vc.load(SeqCst);
        if vc.is_null() {
            return;
        }
        // SAFETY: an idle VC of this driver.
        assert_eq!(unsafe { n::NdisMCmDeleteVc(self.line()) }, SUCCESS);
        self.line.vc.store(null_mut(), SeqCst);
        // SAFETY: its last use.
        let vc = unsafe { Box::from_raw(vc) };
        // SAFETY: made with the line.
        unsafe { n::ExFreePoolWithTag(vc.params.load(SeqCst).cast(), TAG) };
    }
}

/// An adapter.
pub struct Nic {
    pub shared: Arc<Shared>,
    pub handle: NDIS_HANDLE,
    pub pool: NDIS_HANDLE,
    pub saps: [AtomicPtr<Sap>; 4],
    afs: [AtomicPtr<AfCtx>; 4],
    pub lock: n::KSPIN_LOCK,
    pub timer: AtomicPtr<c_void>,
    pub item: AtomicPtr<c_void>,
    pub stale: AtomicPtr<c_void>,
    pub up: AtomicPtr<Vc>,
    /// A second packet, and its pool.
    second: AtomicPtr<n::NET_BUFFER>,
    seconds: AtomicPtr<c_void>,
}

impl Nic {
    /// A packet of its own, freed at halt.
    fn second(&self) -> *mut n::NET_BUFFER {
        let mut pool: n::NET_BUFFER_POOL_PARAMETERS = zeroed();
        pool.Header = header(
            n::NDIS_OBJECT_TYPE_DEFAULT,
            1,
            n::NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
        );
        pool.PoolTag = TAG;
        pool.DataSize = 4;
        // SAFETY: complete parameters.
        let pool = unsafe { n::NdisAllocateNetBufferPool(self.handle, &raw mut pool) };
        self.seconds.store(pool, SeqCst);
        // SAFETY: a pool with data.
        let buffer = unsafe { n::NdisAllocateNetBufferMdlAndData(pool) };
        self.second.store(buffer, SeqCst);
        buffer
    }
}

struct AfCtx {
    nic: *mut Nic,
    handle: NDIS_HANDLE,
    vcs: AtomicUsize,
}

pub struct Sap {
    af: *mut AfCtx,
    handle: NDIS_HANDLE,
}

impl Vc {
    /// The handle of its family.
    pub fn family(&self) -> NDIS_HANDLE {
        // SAFETY: the family stays as long as its VCs.
        unsafe { at(self.af) }.handle
    }
}

pub struct Vc {
    af: *mut AfCtx,
    pub handle: AtomicPtr<c_void>,
    by_client: bool,
    peer: AtomicPtr<Vc>,
    params: AtomicPtr<CO_CALL_PARAMETERS>,
    active: AtomicU32,
    /// Its offer was withdrawn.
    withdrawn: AtomicU32,
    /// Who made the call that was withdrawn, and is to be told at its end.
    caller: AtomicPtr<Vc>,
    /// A function of this driver still looks at it.
    busy: AtomicU32,
    /// Its call is closed; whoever looks at it last deletes it.
    over: AtomicU32,
}

/// The object behind a context.
///
/// # Safety
///
/// `pointer` is a live object of this driver.
unsafe fn at<'a, T>(pointer: *mut T) -> &'a T {
    // SAFETY: by contract; what changes in it is atomic.
    unsafe { &*pointer }
}

fn make<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

impl Mcm {
    pub fn load(host: &Host, twist: Twist) -> Self {
        let shared = Arc::new(Shared {
            twist,
            driver: AtomicPtr::new(null_mut()),
            nic: AtomicPtr::new(null_mut()),
            delivered: AtomicU32::new(0),
            held: AtomicPtr::new(null_mut()),
            paused: AtomicPtr::new(null_mut()),
            pended: std::sync::atomic::AtomicBool::new(false),
            removed: std::sync::atomic::AtomicBool::new(false),
            asked: std::sync::atomic::AtomicBool::new(false),
            indicating: AtomicU32::new(0),
            pausing: std::sync::atomic::AtomicBool::new(false),
            request: AtomicPtr::default(),
            statuses: std::sync::Mutex::new(Vec::new()),
            line: Line::default(),
            oids: Arc::default(),
            life: super::life::Life::default(),
            beneath: AtomicU32::new(0),
            starting: std::sync::Mutex::new(None),
        });
        let own = shared.clone();
        let driver = host
            .load_with("raw-mcm", move |object, path| {
                // SAFETY: the host calls with a driver object and a path.
                unsafe { entry(own, object, path) }
            })
            .expect("the call manager loads");
        Self { driver, shared }
    }
}

unsafe fn entry(shared: Arc<Shared>, object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> i32 {
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
    if shared.twist == Twist::ResetWithoutCheck {
        let mut broken = table_of(&table);
        broken.ResetHandlerEx = Some(reset);
        let mut none: NDIS_HANDLE = null_mut();
        // SAFETY: all structures are valid for the call.
        let status = unsafe {
            n::NdisMRegisterMiniportDriver(object, path, null_mut(), &raw mut broken, &raw mut none)
        };
        assert_eq!(status, n::NDIS_STATUS_BAD_CHARACTERISTICS);
    }
    if shared.twist == Twist::Resets {
        table.CheckForHangHandlerEx = Some(check_for_hang);
        table.ResetHandlerEx = Some(reset);
    }
    if shared.twist == Twist::WrongHeader {
        table.Header.Type = 0;
    }
    let twist = shared.twist;
    if twist == Twist::OldNdis {
        table.MinorNdisVersion = 0;
    }
    let keep = shared.clone();
    let context = Arc::into_raw(shared).cast_mut();
    let mut driver: NDIS_HANDLE = null_mut();
    // SAFETY: all structures are valid for the call.
    let mut status = unsafe {
        n::NdisMRegisterMiniportDriver(
            object,
            path,
            context.cast(),
            &raw mut table,
            &raw mut driver,
        )
    };
    if twist == Twist::WrongHeader {
        assert_eq!(status, n::NDIS_STATUS_BAD_CHARACTERISTICS);
        table.Header.Type = n::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS as u8;
        // SAFETY: as above.
        status = unsafe {
            n::NdisMRegisterMiniportDriver(
                object,
                path,
                context.cast(),
                &raw mut table,
                &raw mut driver,
            )
        };
    }
    if status != SUCCESS {
        return status;
    }
    keep.driver.store(driver, SeqCst);
    let id = (&raw const EXTENSION).cast_mut().cast();
    let mut slot: *mut c_void = null_mut();
    // SAFETY: the driver's own object.
    let status = unsafe { n::IoAllocateDriverObjectExtension(object, id, 8, &raw mut slot) };
    assert_eq!(status, 0);
    // SAFETY: a pointer fits in the extension.
    unsafe { slot.cast::<*const Shared>().write(context.cast_const()) };
    if twist == Twist::OptionsLate {
        // SAFETY: the handle is the driver's own.
        let status = unsafe { set_options(driver, context.cast()) };
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
    }
    SUCCESS
}

/// A copy of the characteristics.
fn table_of(
    table: &n::NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
) -> n::NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
    // SAFETY: numbers and function pointers.
    unsafe { std::ptr::read(table) }
}

unsafe extern "system" fn reset(context: NDIS_HANDLE, lost: *mut u8) -> NDIS_STATUS {
    // SAFETY: the adapter's context.
    let nic = unsafe { at(context.cast::<Nic>()) };
    let (status, addresses) = nic.shared.life.reset(()).unwrap_or((SUCCESS, false));
    put(lost, addresses.into());
    status
}

unsafe extern "system" fn check_for_hang(context: NDIS_HANDLE) -> u8 {
    // SAFETY: the adapter's context.
    let nic = unsafe { at(context.cast::<Nic>()) };
    nic.shared.life.hang(()).unwrap_or_default().into()
}

unsafe extern "system" fn set_options(driver: NDIS_HANDLE, context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: the context is the `Arc` that `entry` leaked.
    let twist = unsafe { (*context.cast::<Shared>()).twist };
    if matches!(
        twist,
        Twist::NotConnectionOriented | Twist::IndicatesConnectionless
    ) {
        return SUCCESS;
    }
    let mut co: n::NDIS_MINIPORT_CO_CHARACTERISTICS = zeroed();
    co.Header = header(
        n::NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS,
        1,
        size_of_val(&co),
    );
    co.CoSendNetBufferListsHandler = Some(send);
    co.CoOidRequestHandler = Some(oid);
    if matches!(twist, Twist::ActivationAnswered | Twist::ActivationRefused) {
        co.CoActivateVcHandler = Some(co_activate);
        co.CoDeactivateVcHandler = Some(co_deactivate);
    }
    // SAFETY: a complete structure.
    let status = unsafe { n::NdisSetOptionalHandlers(driver, (&raw mut co).cast()) };
    if status != SUCCESS {
        return status;
    }
    let mut cm: n::NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS = zeroed();
    cm.Header = header(
        n::NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
        1,
        n::NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1,
    );
    cm.CmCreateVcHandler = Some(create_vc);
    cm.CmDeleteVcHandler = Some(delete_vc);
    cm.CmOpenAfHandler = Some(open_af);
    cm.CmCloseAfHandler = Some(close_af);
    cm.CmRegisterSapHandler = Some(register_sap);
    cm.CmDeregisterSapHandler = Some(deregister_sap);
    cm.CmMakeCallHandler = Some(make_call);
    cm.CmCloseCallHandler = Some(close_call);
    cm.CmIncomingCallCompleteHandler = Some(incoming_call_complete);
    cm.CmAddPartyHandler = Some(add_party);
    cm.CmDropPartyHandler = Some(drop_party);
    cm.CmActivateVcCompleteHandler = Some(activate_complete);
    cm.CmDeactivateVcCompleteHandler = Some(deactivate_complete);
    cm.CmModifyCallQoSHandler = Some(modify);
    cm.CmOidRequestHandler = Some(oid_of_client);
    cm.CmOidRequestCompleteHandler = Some(super::oids::complete);
    cm.CmNotifyCloseAfCompleteHandler = Some(notify_close_complete);
    if twist == Twist::NullHandler {
        let mut broken: n::NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS = zeroed();
        broken.Header = cm.Header;
        // SAFETY: a structure of the announced size.
        let status = unsafe { n::NdisSetOptionalHandlers(driver, (&raw mut broken).cast()) };
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
    }
    // SAFETY: a complete structure.
    unsafe { n::NdisSetOptionalHandlers(driver, (&raw mut cm).cast()) }
}

unsafe extern "system" fn initialize(
    handle: NDIS_HANDLE,
    context: NDIS_HANDLE,
    _parameters: *mut n::NDIS_MINIPORT_INIT_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: the context is the `Arc` that `entry` leaked.
    unsafe { Arc::increment_strong_count(context.cast::<Shared>()) };
    // SAFETY: as above; the count was just raised.
    let shared = unsafe { Arc::from_raw(context.cast::<Shared>()) };
    let twist = shared.twist;
    let starting = shared.starting.lock().unwrap().take();
    if starting.is_some_and(|starting| !starting(handle)) {
        return n::NDIS_STATUS_FAILURE;
    }
    if matches!(
        twist,
        Twist::IndicatesOthers | Twist::IndicatesConnectionless
    ) {
        let mut registration: n::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES = zeroed();
        registration.Header = header(
            n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
            1,
            size_of_val(&registration),
        );
        // SAFETY: complete attributes.
        let status =
            unsafe { n::NdisMSetMiniportAttributes(handle, (&raw mut registration).cast()) };
        assert_eq!(status, SUCCESS);
        let it = super::oids::indication(handle, n::NDIS_STATUS_LINK_STATE, &mut []);
        super::oids::indicate(handle, shared.paused.load(SeqCst), it);
        return n::NDIS_STATUS_FAILURE;
    }
    let which = if telephony::is_for_ndproxy(twist) {
        n::CO_ADDRESS_FAMILY_TAPI_PROXY
    } else if twist == Twist::ForNdiswan {
        n::CO_ADDRESS_FAMILY_TAPI
    } else {
        n::CO_ADDRESS_FAMILY_L2TP
    };
    let mut family = CO_ADDRESS_FAMILY {
        AddressFamily: which as _,
        MajorVersion: 1,
        MinorVersion: 0,
    };
    if twist == Twist::FamilyBeforeAttributes {
        // SAFETY: the handle and a family.
        let status = unsafe { n::NdisMCmRegisterAddressFamilyEx(handle, &raw mut family) };
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
    }
    let mut pool: n::NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
    pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 16);
    pool.fAllocateNetBuffer = 1;
    pool.PoolTag = TAG;
    pool.DataSize = 1500;
    // SAFETY: complete parameters.
    let pool = unsafe { n::NdisAllocateNetBufferListPool(handle, &raw const pool) };
    let nic = make(Nic {
        shared: shared.clone(),
        handle,
        pool,
        saps: Default::default(),
        afs: Default::default(),
        lock: 0,
        timer: AtomicPtr::new(null_mut()),
        item: AtomicPtr::new(null_mut()),
        stale: AtomicPtr::new(null_mut()),
        up: AtomicPtr::new(null_mut()),
        second: AtomicPtr::default(),
        seconds: AtomicPtr::default(),
    });
    shared.nic.store(nic, SeqCst);
    if twist == Twist::IndicatesEarly {
        let it = super::oids::indication(handle, n::NDIS_STATUS_LINK_STATE, &mut []);
        super::oids::indicate(handle, null_mut(), it);
    }
    let mut registration: n::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES = zeroed();
    registration.Header = header(
        n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
        1,
        size_of_val(&registration),
    );
    registration.MiniportAdapterContext = nic.cast();
    if twist == Twist::BusBeneath {
        registration.AttributeFlags = n::NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM as u32;
    }
    if twist == Twist::BugChecks {
        let wants = n::NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK;
        registration.AttributeFlags = wants as u32;
    }
    // SAFETY: complete attributes.
    let status = unsafe { n::NdisMSetMiniportAttributes(handle, (&raw mut registration).cast()) };
    assert_eq!(status, SUCCESS);
    if twist != Twist::NoGeneralAttributes {
        let mut general: n::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES = zeroed();
        general.Header = header(
            n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
            2,
            size_of_val(&general),
        );
        general.MediaType = n::NdisMediumCoWan;
        if twist != Twist::ConnectionUnknown {
            general.MediaConnectState = n::MediaConnectStateConnected;
        }
        let mut oids = OIDS;
        general.SupportedOidList = oids.as_mut_ptr();
        general.SupportedOidListLength = size_of_val(&oids) as u32;
        let mut power: n::NDIS_PM_CAPABILITIES = zeroed();
        power.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 2, size_of_val(&power));
        if twist != Twist::NoPowerCapabilities {
            general.PowerManagementCapabilitiesEx = &raw mut power;
        }
        // SAFETY: complete attributes.
        let status = unsafe { n::NdisMSetMiniportAttributes(handle, (&raw mut general).cast()) };
        assert_eq!(status, SUCCESS);
    }
    let mut irql = 0;
    // SAFETY: a lock that lives until halt.
    let lock = unsafe { &raw mut (*nic).lock };
    if twist == Twist::FamilyAtDispatch {
        // SAFETY: the lock is free.
        irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(lock) };
    }
    let target = if twist == Twist::FamilyWithContext {
        nic.cast()
    } else {
        handle
    };
    // SAFETY: the handle (or a wrong one) and a family.
    let status = unsafe { n::NdisMCmRegisterAddressFamilyEx(target, &raw mut family) };
    shared.statuses.lock().unwrap().push(status);
    if twist == Twist::FamilyAtDispatch {
        // SAFETY: held since above.
        unsafe { n::KeReleaseSpinLock(lock, irql) };
    }
    if twist == Twist::DuplicateFamily {
        // SAFETY: as above.
        let again = unsafe { n::NdisMCmRegisterAddressFamilyEx(handle, &raw mut family) };
        shared.statuses.lock().unwrap().push(again);
    }
    if twist == Twist::HaltWithTimer {
        let mut timer: n::NDIS_TIMER_CHARACTERISTICS = zeroed();
        timer.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, size_of_val(&timer));
        timer.TimerFunction = Some(on_timer);
        timer.FunctionContext = nic.cast();
        let mut out = null_mut();
        // SAFETY: complete characteristics.
        let status = unsafe { n::NdisAllocateTimerObject(handle, &raw mut timer, &raw mut out) };
        assert_eq!(status, SUCCESS);
        // SAFETY: the timer was just made.
        unsafe {
            n::NdisSetTimerObject(out, n::LARGE_INTEGER { QuadPart: -10_000 }, 10, null_mut());
        }
    }
    if twist == Twist::ItemWaits {
        // SAFETY: the adapter's handle.
        let item = unsafe { n::NdisAllocateIoWorkItem(handle) };
        let event = Box::into_raw(Box::new(zeroed::<n::NDIS_EVENT>()));
        // SAFETY: a live item.
        unsafe { n::NdisQueueIoWorkItem(item, Some(waiting), event.cast()) };
    }
    if twist == Twist::HaltWithWorkItem {
        // SAFETY: the adapter's handle.
        unsafe { n::NdisAllocateIoWorkItem(handle) };
    }
    if twist == Twist::InitializePends {
        // SAFETY: nobody but this function knows the pool.
        unsafe { n::NdisFreeNetBufferListPool(pool) };
        // SAFETY: nor the context, now that the adapter is refused.
        drop(unsafe { Box::from_raw(nic) });
        return PENDING;
    }
    SUCCESS
}

unsafe extern "system" fn on_timer(_: *mut c_void, _: *mut c_void, _: *mut c_void, _: *mut c_void) {
}

unsafe extern "system" fn halt(context: NDIS_HANDLE, _action: n::NDIS_HALT_ACTION) {
    let nic: *mut Nic = context.cast();
    // SAFETY: the adapter's context.
    let open = unsafe { at(nic) };
    let twist = open.shared.twist;
    open.shared.life.halt(open.handle);
    for slot in &open.afs {
        let af = slot.load(SeqCst);
        if af.is_null() || twist == Twist::KeepsAfOpen {
            continue;
        }
        // SAFETY: an AF that a client has open.
        let handle = unsafe { at(af) }.handle;
        // SAFETY: as above.
        unsafe { n::NdisMCmNotifyCloseAddressFamily(handle) };
        if twist == Twist::NotifyTwice {
            // SAFETY: handles may be anything.
            unsafe { n::NdisMCmNotifyCloseAddressFamily(handle) };
        }
    }
    // SAFETY: the adapter's context, freed here.
    let nic = unsafe { Box::from_raw(nic) };
    let second = nic.second.load(SeqCst);
    if !second.is_null() {
        // SAFETY: made in `second`, and in no list any more.
        unsafe { n::NdisFreeNetBuffer(second) };
        // SAFETY: as above.
        unsafe { n::NdisFreeNetBufferPool(nic.seconds.load(SeqCst)) };
    }
    if twist != Twist::HaltWithPool {
        // SAFETY: the pool of `initialize`.
        unsafe { n::NdisFreeNetBufferListPool(nic.pool) };
    }
    if twist == Twist::FamilyLate {
        let mut family: CO_ADDRESS_FAMILY = zeroed();
        // SAFETY: the handle and a family.
        unsafe { n::NdisMCmRegisterAddressFamilyEx(nic.handle, &raw mut family) };
    }
    if twist == Twist::LockKept {
        // SAFETY: a lock on the stack of nobody: the host knows its address only.
        unsafe { n::KeAcquireSpinLockRaiseToDpc((&raw const nic.lock).cast_mut()) };
    }
    nic.shared.nic.store(null_mut(), SeqCst);
    if matches!(twist, Twist::KeepsAfOpen | Twist::HaltsHastily) {
        // The clients still come with their AFs, which point here.
        std::mem::forget(nic);
    }
}

/// The address that names this driver's extension of its driver object.
static EXTENSION: u8 = 0;

unsafe extern "system" fn unload(object: *mut DRIVER_OBJECT) {
    let id = (&raw const EXTENSION).cast_mut().cast();
    // SAFETY: the extension that `entry` made.
    let slot: *mut *const Shared = unsafe { n::IoGetDriverObjectExtension(object, id) }.cast();
    // SAFETY: as above.
    let pointer = unsafe { slot.read() };
    // SAFETY: the count that `entry` leaked.
    let shared = unsafe { Arc::from_raw(pointer) };
    if shared.twist != Twist::NotDeregistered {
        // SAFETY: the handle of the registration.
        unsafe { n::NdisMDeregisterMiniportDriver(shared.driver.load(SeqCst)) };
    }
}

unsafe extern "system" fn pause(
    context: NDIS_HANDLE,
    _parameters: *mut n::NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: the adapter's context.
    let nic = unsafe { &*context.cast::<Nic>() };
    nic.shared.life.pause(nic.handle);
    if nic.shared.twist == Twist::PauseTwice {
        for _ in 0..2 {
            // SAFETY: the adapter's handle.
            unsafe { n::NdisMPauseComplete(nic.handle) };
        }
        return PENDING;
    }
    if nic.shared.twist == Twist::PauseNeverEnds {
        return PENDING;
    }
    let waits = matches!(
        nic.shared.twist,
        Twist::PauseWithinIndication | Twist::PauseAfterIndication
    );
    if waits && nic.shared.indicating.load(SeqCst) > 0 {
        nic.shared.pausing.store(true, SeqCst);
        return PENDING;
    }
    if nic.shared.twist == Twist::PauseFails {
        return n::NDIS_STATUS_FAILURE;
    }
    if nic.shared.twist == Twist::IndicatePaused {
        let vc = nic.up.load(SeqCst);
        nic.shared.paused.store(vc.cast(), SeqCst);
    }
    SUCCESS
}

unsafe extern "system" fn restart(
    context: NDIS_HANDLE,
    _parameters: *mut n::NDIS_MINIPORT_RESTART_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: the adapter's context.
    let nic = unsafe { &*context.cast::<Nic>() };
    if nic.shared.twist == Twist::RestartTwice {
        for _ in 0..2 {
            // SAFETY: the adapter's handle.
            unsafe { n::NdisMRestartComplete(nic.handle, SUCCESS) };
        }
        return PENDING;
    }
    if nic.shared.twist == Twist::IrqlKept {
        // SAFETY: the adapter's lock, which is free.
        let lock = (&raw const nic.lock).cast_mut();
        // SAFETY: as above.
        unsafe { n::KeAcquireSpinLockRaiseToDpc(lock) };
        // SAFETY: held since the line above; the IRQL stays up.
        unsafe { n::KeReleaseSpinLockFromDpcLevel(lock) };
    }
    SUCCESS
}

/// Completes the pause that pends.
fn end_pause(nic: &Nic) {
    if nic.shared.pausing.swap(false, SeqCst) {
        // SAFETY: the adapter's handle.
        unsafe { n::NdisMPauseComplete(nic.handle) };
    }
}

unsafe extern "system" fn return_lists(context: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, _: u32) {
    let mut at = lists;
    while !at.is_null() {
        // SAFETY: lists of this driver's pool, which come back.
        let next = unsafe { next_of(at) };
        // SAFETY: as above.
        unsafe { n::NdisFreeNetBufferList(at) };
        at = next;
    }
    // SAFETY: the adapter's context.
    let nic = unsafe { &*context.cast::<Nic>() };
    if nic.shared.twist == Twist::PauseWithinIndication {
        end_pause(nic);
    }
}

/// # Safety
///
/// `list` is a live list.
pub unsafe fn next_of(list: *mut NET_BUFFER_LIST) -> *mut NET_BUFFER_LIST {
    // SAFETY: by contract; the field is the first of the list.
    unsafe { list.cast::<*mut NET_BUFFER_LIST>().read() }
}

unsafe extern "system" fn send_bare(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _port: u32,
    _flags: u32,
) {
    // SAFETY: the adapter's context.
    let nic = unsafe { at(context.cast::<Nic>()) };
    let status = match nic.shared.twist {
        Twist::BareSendKept => return,
        Twist::BareSendRefused => n::NDIS_STATUS_NOT_SUPPORTED,
        _ => n::NDIS_STATUS_FAILURE,
    };
    // SAFETY: a list that is this driver's.
    let field = unsafe { &raw mut (*lists).u2.Status };
    // SAFETY: as above.
    unsafe { field.write(status) };
    // SAFETY: as above.
    unsafe { n::NdisMSendNetBufferListsComplete(nic.handle, lists, 0) };
}

/// Waits for what never comes.
unsafe extern "system" fn waiting(context: *mut c_void, _: NDIS_HANDLE) {
    // SAFETY: memory for an event, which nobody frees.
    unsafe { n::NdisInitializeEvent(context.cast()) };
    // SAFETY: initialized above; nobody sets it.
    unsafe { n::NdisWaitEvent(context.cast(), 0) };
}

unsafe extern "system" fn cancel_send(_: NDIS_HANDLE, _: *mut c_void) {}
unsafe extern "system" fn pnp_event(context: NDIS_HANDLE, event: *mut n::NET_DEVICE_PNP_EVENT) {
    // SAFETY: the adapter's context.
    let nic = unsafe { at(context.cast::<Nic>()) };
    // SAFETY: NDIS's event.
    if unsafe { (*event).DevicePnPEvent } == n::NdisDevicePnPEventSurpriseRemoved {
        nic.shared.removed.store(true, SeqCst);
    }
}
unsafe extern "system" fn shutdown(context: NDIS_HANDLE, action: n::NDIS_SHUTDOWN_ACTION) {
    // SAFETY: the adapter's context.
    let nic = unsafe { at(context.cast::<Nic>()) };
    nic.shared.life.told.lock().unwrap().push(action);
    nic.shared.life.shutdown(action);
}
unsafe extern "system" fn cancel_oid(context: NDIS_HANDLE, id: *mut c_void) {
    // SAFETY: the adapter's context.
    unsafe { at(context.cast::<Nic>()) }.shared.oids.cancel(id);
}
/// What the general attributes list.
pub const OIDS: [u32; 2] = [
    n::OID_GEN_CO_SUPPORTED_LIST as u32,
    n::OID_GEN_CO_LINK_SPEED as u32,
];

unsafe extern "system" fn oid_of_ndis(
    context: NDIS_HANDLE,
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    // SAFETY: the adapter's context and NDIS's request.
    unsafe { answer("MiniportOidRequest", [context, null_mut()], request) }
}

unsafe extern "system" fn oid(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    // SAFETY: as above.
    unsafe { answer("MiniportCoOidRequest", [context, vc], request) }
}

unsafe fn answer(
    door: &'static str,
    [context, vc]: [NDIS_HANDLE; 2],
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    // SAFETY: the adapter's context.
    let nic = unsafe { at(context.cast::<Nic>()) };
    let shared = &nic.shared;
    if let Some(answer) = shared.oids.ask(door, [context, vc, null_mut()], request) {
        return answer;
    }
    if shared.removed.load(SeqCst) {
        shared.asked.store(true, SeqCst);
        // The clients have their turn.
        // SAFETY: at PASSIVE_LEVEL, to which this host does not raise anything.
        unsafe { n::NdisMSleep(1000) };
        if shared.twist != Twist::AnswersAfterRemoval {
            return n::NDIS_STATUS_NOT_ACCEPTED;
        }
    }
    // SAFETY: NDIS's request.
    let asked = unsafe { &mut (*request).DATA };
    // SAFETY: the first member of each of the union's structures.
    let wanted = unsafe { asked.Oid };
    match (wanted, shared.twist) {
        (n::OID_PNP_QUERY_POWER, Twist::QueryPowerRefused)
        | (n::OID_PNP_SET_POWER, Twist::PowerRefused) => n::NDIS_STATUS_FAILURE,
        (n::OID_PNP_SET_POWER, Twist::PowerPends | Twist::PowerCompletedTwice) => {
            shared.request.store(request, SeqCst);
            // SAFETY: the adapter's handle.
            let item = unsafe { n::NdisAllocateIoWorkItem(nic.handle) };
            // SAFETY: a live item; the adapter stays until the request is completed.
            unsafe { n::NdisQueueIoWorkItem(item, Some(complete_oid), context) };
            PENDING
        }
        (n::OID_PNP_QUERY_POWER | n::OID_PNP_SET_POWER, _) => SUCCESS,
        (wanted, twist) if wanted == OIDS[1] && twist != Twist::ListsUnknownOid => {
            // SAFETY: a query, whose buffer is as large as the test makes it.
            let query = unsafe { &mut asked.QUERY_INFORMATION };
            // SAFETY: as above.
            unsafe { query.InformationBuffer.cast::<u32>().write(1_000_000) };
            query.BytesWritten = 4;
            SUCCESS
        }
        _ => n::NDIS_STATUS_NOT_SUPPORTED,
    }
}

unsafe extern "system" fn complete_oid(context: *mut c_void, item: NDIS_HANDLE) {
    // SAFETY: the item is no longer queued.
    unsafe { n::NdisFreeIoWorkItem(item) };
    // SAFETY: the adapter's context.
    let nic = unsafe { at(context.cast::<Nic>()) };
    let (handle, request) = (nic.handle, nic.shared.request.load(SeqCst));
    let times = 1 + u32::from(nic.shared.twist == Twist::PowerCompletedTwice);
    for _ in 0..times {
        // SAFETY: the request is open the first time.
        unsafe { n::NdisMCoOidRequestComplete(handle, null_mut(), request, SUCCESS) };
    }
}

unsafe extern "system" fn oid_of_client(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    party: NDIS_HANDLE,
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    // SAFETY: the context of a family that a client has open.
    let nic = unsafe { at(context.cast::<AfCtx>()) }.nic;
    // SAFETY: the adapter stays as long.
    let oids = &unsafe { at(nic) }.shared.oids;
    let answer = oids.ask("ProtocolCoOidRequest", [context, vc, party], request);
    answer.unwrap_or(n::NDIS_STATUS_NOT_SUPPORTED)
}
unsafe extern "system" fn add_party(
    _: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
    _: NDIS_HANDLE,
    _: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn drop_party(_: NDIS_HANDLE, _: *mut c_void, _: u32) -> NDIS_STATUS {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn modify(_: NDIS_HANDLE, _: *mut CO_CALL_PARAMETERS) -> NDIS_STATUS {
    n::NDIS_STATUS_NOT_SUPPORTED
}
unsafe extern "system" fn activate_complete(
    _: NDIS_STATUS,
    _: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
) {
}
unsafe extern "system" fn deactivate_complete(_: NDIS_STATUS, _: NDIS_HANDLE) {}
unsafe extern "system" fn notify_close_complete(_: NDIS_HANDLE, _: NDIS_STATUS) {}

unsafe extern "system" fn open_af(
    context: NDIS_HANDLE,
    _family: *mut CO_ADDRESS_FAMILY,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let nic: *mut Nic = context.cast();
    let af = make(AfCtx {
        nic,
        handle,
        vcs: AtomicUsize::new(0),
    });
    // SAFETY: the adapter's context.
    let nic = unsafe { at(nic) };
    let twist = nic.shared.twist;
    for slot in &nic.afs {
        if slot
            .compare_exchange(null_mut(), af, SeqCst, SeqCst)
            .is_ok()
        {
            break;
        }
    }
    let completions = match twist {
        Twist::OpenPends => 1,
        Twist::OpenForgotten => 0,
        Twist::OpenCompletedTwice => 2,
        Twist::OpenPendingStatus => {
            // SAFETY: the request is open, the status is not a final one.
            unsafe { n::NdisMCmOpenAddressFamilyComplete(PENDING, handle, af.cast()) };
            1
        }
        Twist::AnswersTwice => {
            // SAFETY: the request is open.
            unsafe { n::NdisMCmOpenAddressFamilyComplete(SUCCESS, handle, af.cast()) };
            return SUCCESS;
        }
        Twist::RefusesAndAccepts => {
            for slot in &nic.afs {
                let _ = slot.compare_exchange(af, null_mut(), SeqCst, SeqCst);
            }
            let refused = n::NDIS_STATUS_FAILURE;
            // SAFETY: the request is open.
            unsafe { n::NdisMCmOpenAddressFamilyComplete(refused, handle, null_mut()) };
            // SAFETY: the last use of the context.
            drop(unsafe { Box::from_raw(af) });
            return SUCCESS;
        }
        Twist::NotifyBeforeOpened
        | Twist::NotifyBeforeRefused
        | Twist::AsksBeforeRefusing
        | Twist::OpenFromWorkItem => {
            // SAFETY: the adapter's handle.
            let item = unsafe { n::NdisAllocateIoWorkItem(nic.handle) };
            // SAFETY: a live item; the AF stays until its routine has run.
            unsafe { n::NdisQueueIoWorkItem(item, Some(complete_open), af.cast()) };
            return PENDING;
        }
        _ => {
            // SAFETY: the variable for the context.
            unsafe { out.write(af.cast()) };
            return SUCCESS;
        }
    };
    for _ in 0..completions {
        // SAFETY: the request is open the first time.
        unsafe { n::NdisMCmOpenAddressFamilyComplete(SUCCESS, handle, af.cast()) };
    }
    PENDING
}

/// Asks for the close of a family whose open still pends, or for an OID, and completes the open.
unsafe extern "system" fn complete_open(context: *mut c_void, item: NDIS_HANDLE) {
    // SAFETY: the item is no longer queued.
    unsafe { n::NdisFreeIoWorkItem(item) };
    let af: *mut AfCtx = context.cast();
    // SAFETY: the AF of the open.
    let opening = unsafe { at(af) };
    let handle = opening.handle;
    // SAFETY: the adapter's context.
    let nic = unsafe { at(opening.nic) };
    let shared = &nic.shared;
    match shared.twist {
        Twist::OpenFromWorkItem => {}
        Twist::AsksBeforeRefusing => {
            let ask = super::oids::Ask::query(&shared.oids, 0xFF01_0001, 4);
            shared.request.store(ask.at(), SeqCst);
            let status = super::oids::mcm(handle, null_mut(), &ask);
            shared.statuses.lock().unwrap().push(status);
        }
        _ => {
            // SAFETY: its handle.
            let status = unsafe { n::NdisMCmNotifyCloseAddressFamily(handle) };
            assert_eq!(status, n::NDIS_STATUS_FAILURE);
        }
    }
    if !matches!(
        shared.twist,
        Twist::NotifyBeforeRefused | Twist::AsksBeforeRefusing
    ) {
        // SAFETY: the request is open.
        unsafe { n::NdisMCmOpenAddressFamilyComplete(SUCCESS, handle, af.cast()) };
        return;
    }
    for slot in &nic.afs {
        let _ = slot.compare_exchange(af, null_mut(), SeqCst, SeqCst);
    }
    // SAFETY: as above.
    unsafe { n::NdisMCmOpenAddressFamilyComplete(n::NDIS_STATUS_FAILURE, handle, null_mut()) };
    // SAFETY: the last use of the context.
    drop(unsafe { Box::from_raw(af) });
}

unsafe extern "system" fn close_af(context: NDIS_HANDLE) -> NDIS_STATUS {
    let af: *mut AfCtx = context.cast();
    // SAFETY: the context of `open_af`.
    let owned = unsafe { at(af) };
    let handle = owned.handle;
    // SAFETY: the adapter's context.
    let nic = unsafe { at(owned.nic) };
    if !nic.shared.line().is_null() {
        // What asks for ever comes to an end, too.
        if nic.shared.line.refused.fetch_add(1, SeqCst) < 1000 {
            return n::NDIS_STATUS_NOT_ACCEPTED;
        }
        nic.shared.close_line();
    }
    for slot in &nic.afs {
        let _ = slot.compare_exchange(af, null_mut(), SeqCst, SeqCst);
    }
    let failing = nic.shared.twist == Twist::CloseAfFails;
    // SAFETY: the last use of the context.
    drop(unsafe { Box::from_raw(af) });
    if failing {
        // SAFETY: the request is open.
        unsafe { n::NdisMCmCloseAddressFamilyComplete(n::NDIS_STATUS_FAILURE, handle) };
        return PENDING;
    }
    SUCCESS
}

unsafe extern "system" fn register_sap(
    context: NDIS_HANDLE,
    _sap: *mut CO_SAP,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let af: *mut AfCtx = context.cast();
    let sap = make(Sap { af, handle });
    // SAFETY: the AF's context.
    let owner = unsafe { at(af) };
    // SAFETY: the adapter's context.
    let nic = unsafe { at(owner.nic) };
    for slot in &nic.saps {
        if slot
            .compare_exchange(null_mut(), sap, SeqCst, SeqCst)
            .is_ok()
        {
            if nic.shared.twist == Twist::SapCompletedTwice {
                for _ in 0..2 {
                    // SAFETY: the request is open the first time.
                    unsafe { n::NdisMCmRegisterSapComplete(SUCCESS, handle, sap.cast()) };
                }
                return PENDING;
            }
            // SAFETY: the variable for the context.
            unsafe { out.write(sap.cast()) };
            return SUCCESS;
        }
    }
    // SAFETY: made above, known to nobody.
    drop(unsafe { Box::from_raw(sap) });
    n::NDIS_STATUS_RESOURCES
}

unsafe extern "system" fn deregister_sap(context: NDIS_HANDLE) -> NDIS_STATUS {
    let sap: *mut Sap = context.cast();
    // SAFETY: the SAP's context.
    let af = unsafe { at(sap) }.af;
    // SAFETY: the AF's context.
    let af = unsafe { at(af) };
    // SAFETY: the adapter's context.
    let nic = unsafe { at(af.nic) };
    for slot in &nic.saps {
        let _ = slot.compare_exchange(sap, null_mut(), SeqCst, SeqCst);
    }
    // SAFETY: as above.
    let handle = unsafe { (*sap).handle };
    let failing = nic.shared.twist == Twist::SapCompleteFailure;
    // SAFETY: the last use of the context.
    drop(unsafe { Box::from_raw(sap) });
    if failing {
        // SAFETY: the request is open.
        unsafe { n::NdisMCmDeregisterSapComplete(n::NDIS_STATUS_FAILURE, handle) };
        return PENDING;
    }
    SUCCESS
}

fn vc_of(af: *mut AfCtx, handle: NDIS_HANDLE, by_client: bool) -> Vc {
    Vc {
        af,
        handle: AtomicPtr::new(handle),
        by_client,
        peer: AtomicPtr::new(null_mut()),
        params: AtomicPtr::new(null_mut()),
        active: AtomicU32::new(0),
        withdrawn: AtomicU32::new(0),
        caller: AtomicPtr::new(null_mut()),
        busy: AtomicU32::new(0),
        over: AtomicU32::new(0),
    }
}

unsafe extern "system" fn create_vc(
    context: NDIS_HANDLE,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let vc = make(vc_of(context.cast(), handle, true));
    // SAFETY: the AF's context.
    let af = unsafe { at(context.cast::<AfCtx>()) };
    // SAFETY: the adapter's context.
    let nic = unsafe { at(af.nic) };
    if nic.shared.twist == Twist::CreateVcPends && !nic.shared.pended.swap(true, SeqCst) {
        // SAFETY: made above, known to nobody.
        drop(unsafe { Box::from_raw(vc) });
        return PENDING;
    }
    // SAFETY: the variable for the context.
    unsafe { out.write(vc.cast()) };
    SUCCESS
}

unsafe extern "system" fn delete_vc(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: the context of `create_vc`, whose last use this is.
    let vc = unsafe { Box::from_raw(context.cast::<Vc>()) };
    // SAFETY: the AF's context.
    let af = unsafe { at(vc.af) };
    // SAFETY: the adapter's context.
    if unsafe { at(af.nic) }.shared.twist == Twist::DeleteVcPends {
        return PENDING;
    }
    SUCCESS
}

/// What a VC that shares this one is activated with.
unsafe extern "system" fn co_activate(
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    assert!(!params.is_null());
    // SAFETY: a live VC.
    unsafe { asked_beneath(context.cast()) }
}

unsafe extern "system" fn co_deactivate(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: a live VC.
    unsafe { asked_beneath(context.cast()) }
}

unsafe fn asked_beneath(vc: *mut Vc) -> NDIS_STATUS {
    // SAFETY: a live VC.
    let af = unsafe { at(vc) }.af;
    // SAFETY: the AF outlives its VCs.
    let af = unsafe { at(af) };
    // SAFETY: the adapter's context.
    let shared = &unsafe { at(af.nic) }.shared;
    shared.beneath.fetch_add(1, SeqCst);
    if shared.twist == Twist::ActivationRefused {
        return n::NDIS_STATUS_INVALID_DATA;
    }
    SUCCESS
}

unsafe fn activate(vc: *mut Vc, params: *mut CO_CALL_PARAMETERS) {
    // SAFETY: a live VC.
    let vc = unsafe { at(vc) };
    // SAFETY: the AF outlives its VCs.
    let af = unsafe { at(vc.af) };
    // SAFETY: the adapter's context.
    let nic = unsafe { at(af.nic) };
    if nic.shared.twist == Twist::StandAlone {
        let handle = vc.handle.load(SeqCst);
        let mut out = null_mut();
        // SAFETY: handles may be anything.
        let made = unsafe { n::NdisCoCreateVc(nic.handle, null_mut(), null_mut(), &raw mut out) };
        // SAFETY: as above.
        let deleted = unsafe { n::NdisCoDeleteVc(handle) };
        // SAFETY: as above.
        let activated = unsafe { n::NdisCmActivateVc(handle, params) };
        // SAFETY: as above.
        let deactivated = unsafe { n::NdisCmDeactivateVc(handle) };
        assert_eq!(
            [made, deleted, activated, deactivated],
            [n::NDIS_STATUS_FAILURE; 4]
        );
    }
    // SAFETY: its handle.
    let status = unsafe { n::NdisMCmActivateVc(vc.handle.load(SeqCst), params) };
    assert_eq!(status, SUCCESS);
    vc.active.store(1, SeqCst);
}

unsafe extern "system" fn make_call(
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
    _party: NDIS_HANDLE,
    _out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let vc: *mut Vc = context.cast();
    // SAFETY: the VC's context.
    let caller = unsafe { at(vc) };
    // SAFETY: the AF's context.
    let af = unsafe { at(caller.af) };
    // SAFETY: the adapter's context.
    let nic = unsafe { at(af.nic) };
    let twist = nic.shared.twist;
    let saps = &nic.saps;
    let Some(sap) = saps
        .iter()
        .map(|slot| slot.load(SeqCst))
        .find(|sap| !sap.is_null())
    else {
        return n::NDIS_STATUS_NO_ROUTE_TO_DESTINATION;
    };
    // SAFETY: a registered SAP.
    let sap = unsafe { at(sap) };
    let (sap_handle, callee_af) = (sap.handle, sap.af);
    // SAFETY: the callee's AF.
    let callee_af_handle = unsafe { at(callee_af) }.handle;
    let callee = make(Vc {
        peer: AtomicPtr::new(vc),
        params: AtomicPtr::new(params),
        ..vc_of(callee_af, null_mut(), false)
    });
    caller.peer.store(callee, SeqCst);
    caller.params.store(params, SeqCst);
    let mut handle: NDIS_HANDLE = null_mut();
    if twist == Twist::HandleVariableUsed {
        handle = sap_handle;
    }
    // SAFETY: the handles of this adapter and of the callee.
    let status =
        unsafe { n::NdisMCmCreateVc(nic.handle, callee_af_handle, callee.cast(), &raw mut handle) };
    if status != SUCCESS {
        // SAFETY: made above, known to nobody.
        drop(unsafe { Box::from_raw(callee) });
        return status;
    }
    // SAFETY: live since above.
    unsafe { at(callee) }.handle.store(handle, SeqCst);
    match twist {
        Twist::ForgedVc => {
            for forged in [1usize, 0x1000, usize::MAX, handle.addr() ^ (1 << 36)] {
                let forged = std::ptr::without_provenance_mut(forged);
                // SAFETY: a handle may be anything.
                unsafe { n::NdisMCmDeactivateVc(forged) };
            }
        }
        Twist::WrongKind => {
            // SAFETY: a handle may be anything.
            unsafe { n::NdisMCmDeactivateVc(sap_handle) };
        }
        Twist::DispatchInactive => {
            // SAFETY: the handles are live; the VC is not active.
            let status = unsafe { n::NdisMCmDispatchIncomingCall(sap_handle, handle, params) };
            assert_eq!(status, n::NDIS_STATUS_VC_NOT_ACTIVATED);
        }
        _ => {}
    }
    let offers = twist == Twist::LongOffer || telephony::is_for_ndproxy(twist);
    let own = if matches!(twist, Twist::LongActivation | Twist::LongOffer) {
        long_parameters()
    } else if telephony::is_for_ndproxy(twist) {
        telephony::offer(twist)
    } else {
        params
    };
    let activation = if offers { params } else { own };
    // SAFETY: a live VC.
    unsafe { activate(callee, activation) };
    if twist == Twist::ActivateTwice {
        // SAFETY: a live VC.
        unsafe { activate(callee, params) };
    }
    if twist == Twist::DeleteActive {
        // SAFETY: a live VC, which is active.
        let status = unsafe { n::NdisMCmDeleteVc(handle) };
        assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
    }
    if twist == Twist::DeleteForeign {
        // SAFETY: a live VC of the client's.
        let status = unsafe { n::NdisMCmDeleteVc(caller.handle.load(SeqCst)) };
        assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
    }
    if matches!(twist, Twist::WithdrawsRinging | Twist::DeletesRinging) {
        withdraw_later(nic, callee);
    }
    let withdraws = [
        Twist::Withdraws,
        Twist::WithdrawsTwice,
        Twist::WithdrawsHastily,
        Twist::WithdrawsRinging,
        Twist::DeletesRinging,
    ]
    .contains(&twist);
    // SAFETY: a live VC.
    unsafe { at(callee) }.busy.store(withdraws.into(), SeqCst);
    let offered = if offers { own } else { params };
    // SAFETY: the handles are live; the parameters stay until the answer.
    let status = unsafe { n::NdisMCmDispatchIncomingCall(sap_handle, handle, offered) };
    assert_eq!(status, PENDING);
    if own != params {
        // SAFETY: the client has answered.
        unsafe { n::ExFreePoolWithTag(own.cast(), TAG) };
    }
    if matches!(
        twist,
        Twist::Withdraws | Twist::WithdrawsTwice | Twist::WithdrawsHastily
    ) {
        // SAFETY: a live VC.
        unsafe { withdraw(callee) };
    }
    if withdraws {
        // SAFETY: a live VC, which is not deleted while it is busy.
        unsafe { let_go(callee) };
    }
    PENDING
}

/// Call parameters, and memory behind them.
fn parameters(more: usize) -> *mut CO_CALL_PARAMETERS {
    let size = size_of::<CO_CALL_PARAMETERS>() + more;
    // SAFETY: plain pool memory.
    let params: *mut CO_CALL_PARAMETERS =
        unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size as _, TAG) }.cast();
    // SAFETY: as large as that.
    unsafe { params.write(zeroed()) };
    params
}

/// Call parameters whose manager's part is longer than their memory.
fn long_parameters() -> *mut CO_CALL_PARAMETERS {
    let params = parameters(size_of::<n::CO_CALL_MANAGER_PARAMETERS>());
    let manager: *mut n::CO_CALL_MANAGER_PARAMETERS = params.wrapping_add(1).cast();
    let mut parameters: n::CO_CALL_MANAGER_PARAMETERS = zeroed();
    parameters.CallMgrSpecific.Length = 100;
    // SAFETY: the memory behind the parameters is as large as that.
    unsafe { manager.write(parameters) };
    // SAFETY: as above.
    unsafe { (*params).CallMgrParameters = manager };
    params
}

/// A function no longer looks at a VC.
unsafe fn let_go(vc: *mut Vc) {
    // SAFETY: by contract.
    let this = unsafe { at(vc) };
    this.busy.store(0, SeqCst);
    if this.over.load(SeqCst) == 1 {
        // SAFETY: as above.
        unsafe { bury(vc) };
    }
}

/// Deletes the VC of a withdrawn offer that is closed, and tells the caller.
unsafe fn bury(vc: *mut Vc) {
    // SAFETY: by contract.
    let this = unsafe { at(vc) };
    let caller = this.caller.load(SeqCst);
    let params = this.params.load(SeqCst);
    // SAFETY: an idle VC of this driver.
    let status = unsafe { n::NdisMCmDeleteVc(this.handle.load(SeqCst)) };
    assert_eq!(status, SUCCESS);
    // SAFETY: its last use.
    drop(unsafe { Box::from_raw(vc) });
    if !caller.is_null() {
        // SAFETY: the other leg, whose request is open.
        let caller = unsafe { at(caller) };
        let (vc, status) = (caller.handle.load(SeqCst), n::NDIS_STATUS_FAILURE);
        // SAFETY: as above.
        unsafe { n::NdisMCmMakeCallComplete(status, vc, null_mut(), null_mut(), params) };
    }
}

/// Takes an offer back.
unsafe fn withdraw(callee: *mut Vc) {
    // SAFETY: by contract.
    let this = unsafe { at(callee) };
    let handle = this.handle.load(SeqCst);
    // SAFETY: the AF's context.
    let nic = unsafe { at(this.af) }.nic;
    // SAFETY: the adapter.
    let twist = unsafe { at(nic) }.shared.twist;
    this.withdrawn.store(1, SeqCst);
    let caller = this.peer.swap(null_mut(), SeqCst);
    this.caller.store(caller, SeqCst);
    if !caller.is_null() {
        // SAFETY: the other leg.
        unsafe { at(caller) }.peer.store(null_mut(), SeqCst);
    }
    // SAFETY: an offer that rings.
    unsafe { n::NdisMCmDispatchIncomingCloseCall(SUCCESS, handle, null_mut(), 0) };
    if twist == Twist::WithdrawsTwice {
        // SAFETY: the second time breaks the rule that is tested.
        unsafe { n::NdisMCmDispatchIncomingCloseCall(SUCCESS, handle, null_mut(), 0) };
    }
    if twist == Twist::WithdrawsHastily {
        this.active.store(0, SeqCst);
        // SAFETY: breaks the rule that is tested.
        unsafe { n::NdisMCmDeactivateVc(handle) };
    }
}

/// Queues the withdrawal of an offer.
fn withdraw_later(nic: &Nic, callee: *mut Vc) {
    // SAFETY: the adapter's handle.
    let item = unsafe { n::NdisAllocateIoWorkItem(nic.handle) };
    // SAFETY: a live item; the VC stays while it is busy.
    unsafe { n::NdisQueueIoWorkItem(item, Some(withdrawing), callee.cast()) };
}

unsafe extern "system" fn withdrawing(context: *mut c_void, item: NDIS_HANDLE) {
    // SAFETY: the item is no longer queued.
    unsafe { n::NdisFreeIoWorkItem(item) };
    // SAFETY: the VC of the offer.
    unsafe { withdraw(context.cast()) };
}

unsafe extern "system" fn incoming_call_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _params: *mut CO_CALL_PARAMETERS,
) {
    let callee: *mut Vc = context.cast();
    // SAFETY: a live VC.
    let answering = unsafe { at(callee) };
    let caller = answering.peer.load(SeqCst);
    // The caller's own, which the offer may have had copied.
    let params = answering.params.load(SeqCst);
    // SAFETY: the AF's context.
    let nic = unsafe { at(answering.af) }.nic;
    // SAFETY: the adapter.
    let twist = unsafe { at(nic) }.shared.twist;
    let callee_handle = answering.handle.load(SeqCst);
    // SAFETY: as above.
    let line = unsafe { &at(nic).shared.line };
    if line.vc.load(SeqCst) == callee {
        line.answers.lock().unwrap().push(status);
        return;
    }
    // SAFETY: as above.
    let statuses = unsafe { &at(nic).shared.statuses };
    if answering.withdrawn.load(SeqCst) == 1 {
        statuses.lock().unwrap().push(status);
        return;
    }
    if twist == Twist::WithdrawsCrossing {
        answering.busy.store(1, SeqCst);
        // SAFETY: as above.
        withdraw_later(unsafe { at(nic) }, callee);
        // SAFETY: at PASSIVE_LEVEL, to which this host does not raise anything.
        unsafe { n::NdisMSleep(1000) };
        statuses.lock().unwrap().push(status);
        // SAFETY: a live VC, which is not deleted while it is busy.
        unsafe { let_go(callee) };
        return;
    }
    if twist == Twist::WithdrawsRefused {
        // SAFETY: breaks the rule that is tested.
        unsafe { n::NdisMCmDispatchIncomingCloseCall(SUCCESS, callee_handle, null_mut(), 0) };
    }
    // SAFETY: its other leg.
    let calling = unsafe { at(caller) };
    let caller_handle = calling.handle.load(SeqCst);
    if status != SUCCESS {
        calling.peer.store(null_mut(), SeqCst);
        // SAFETY: an active VC whose offer was refused.
        unsafe { n::NdisMCmDeactivateVc(callee_handle) };
        if twist != Twist::KeepIncomingVc {
            // SAFETY: an idle VC of this driver.
            unsafe { n::NdisMCmDeleteVc(callee_handle) };
            // SAFETY: its last use.
            drop(unsafe { Box::from_raw(callee) });
        }
        // SAFETY: the caller's request is open.
        unsafe {
            n::NdisMCmMakeCallComplete(status, caller_handle, null_mut(), null_mut(), params)
        };
        return;
    }
    if twist != Twist::MakeCallWithoutActivation {
        // SAFETY: a live VC.
        unsafe { activate(caller, params) };
    }
    // SAFETY: the adapter's lock.
    let lock = unsafe { &raw mut (*nic).lock };
    let mut irql = 0;
    if twist == Twist::LockAcrossCompletion {
        // SAFETY: the lock is free.
        irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(lock) };
    }
    if telephony::is_for_ndproxy(twist) {
        telephony::accept(twist, params);
    }
    // SAFETY: the caller's request is open.
    unsafe { n::NdisMCmMakeCallComplete(SUCCESS, caller_handle, null_mut(), null_mut(), params) };
    if twist == Twist::LockAcrossCompletion {
        // SAFETY: held since above.
        unsafe { n::KeReleaseSpinLock(lock, irql) };
    }
    if twist == Twist::MakeCallCompletedTwice {
        // SAFETY: handles may be anything; the request is no longer open.
        unsafe {
            n::NdisMCmMakeCallComplete(SUCCESS, caller_handle, null_mut(), null_mut(), params)
        };
    }
    nic_up(nic, callee);
    // SAFETY: the callee has accepted.
    unsafe { n::NdisMCmDispatchCallConnected(callee_handle) };
    if twist == Twist::ConnectTwice {
        // SAFETY: handles may be anything.
        unsafe { n::NdisMCmDispatchCallConnected(callee_handle) };
    }
    if twist == Twist::DeactivateEarly {
        // SAFETY: handles may be anything.
        unsafe { n::NdisMCmDeactivateVc(callee_handle) };
        // SAFETY: as above; active again with the old parameters.
        unsafe { activate(callee, params) };
    }
    if twist == Twist::LockTwice {
        for _ in 0..2 {
            // SAFETY: the second time breaks the rule that is tested.
            unsafe { n::KeAcquireSpinLockRaiseToDpc(lock) };
        }
        for _ in 0..2 {
            // SAFETY: as often as acquired.
            unsafe { n::KeReleaseSpinLock(lock, 0) };
        }
    }
    if twist == Twist::MemoryTwice {
        // SAFETY: plain pool memory.
        let memory = unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 16, TAG) };
        for _ in 0..2 {
            // SAFETY: the second time breaks the rule that is tested.
            unsafe { n::ExFreePoolWithTag(memory, TAG) };
        }
    }
    if twist == Twist::MemoryLeft {
        // SAFETY: plain pool memory, never freed.
        unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 16, TAG) };
    }
}

/// Notes which VC is up.
fn nic_up(nic: *mut Nic, vc: *mut Vc) {
    // SAFETY: the adapter lives while calls are up.
    unsafe { at(nic) }.up.store(vc, SeqCst);
}

/// Indicates a list on a VC that was up when the adapter was paused.
pub fn indicate_paused(shared: &Shared) {
    let vc: *mut Vc = shared.paused.load(SeqCst).cast();
    // SAFETY: the call is still up.
    let handle = unsafe { at(vc) }.handle.load(SeqCst);
    // SAFETY: the adapter is paused, not gone.
    let pool = unsafe { at(shared.nic.load(SeqCst)) }.pool;
    // SAFETY: this driver's pool.
    let list = unsafe { n::NdisAllocateNetBufferList(pool, 0, 0) };
    // SAFETY: a list of this driver.
    unsafe { (*list).SourceHandle = handle };
    // SAFETY: as above; the adapter is paused, which is what is tested.
    unsafe { n::NdisMCoIndicateReceiveNetBufferLists(handle, list, 1, 0) };
}

unsafe extern "system" fn close_call(
    context: NDIS_HANDLE,
    _party: NDIS_HANDLE,
    data: *mut c_void,
    size: u32,
) -> NDIS_STATUS {
    let vc: *mut Vc = context.cast();
    // SAFETY: a live VC.
    let this = unsafe { at(vc) };
    let sent = if data.is_null() {
        Vec::new()
    } else {
        // SAFETY: the client's data, for the call.
        unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size as usize) }.to_vec()
    };
    let (handle, by_client) = (this.handle.load(SeqCst), this.by_client);
    let peer = this.peer.swap(null_mut(), SeqCst);
    // SAFETY: the AF's context.
    let af = unsafe { at(this.af) };
    // SAFETY: the adapter.
    let twist = unsafe { at(af.nic) }.shared.twist;
    if !peer.is_null() {
        // SAFETY: the other leg, which is live while it points back.
        let other = unsafe { at(peer) };
        other.peer.store(null_mut(), SeqCst);
        let peer_handle = other.handle.load(SeqCst);
        // SAFETY: the other leg's call stands.
        let size = u32::from(twist == Twist::DataWithoutSize);
        // SAFETY: the size is wrong at most.
        unsafe { n::NdisMCmDispatchIncomingCloseCall(SUCCESS, peer_handle, null_mut(), size) };
    }
    if this.active.swap(0, SeqCst) == 1 {
        // SAFETY: as above.
        unsafe { n::NdisMCmDeactivateVc(handle) };
        if twist == Twist::DeactivateTwice {
            // SAFETY: handles may be anything.
            unsafe { n::NdisMCmDeactivateVc(handle) };
        }
    }
    if twist == Twist::CloseCallPendingStatus {
        // SAFETY: the request is open; the status is not a final one.
        unsafe { n::NdisMCmCloseCallComplete(PENDING, handle, null_mut()) };
    }
    // SAFETY: the request is open.
    unsafe { n::NdisMCmCloseCallComplete(SUCCESS, handle, null_mut()) };
    // SAFETY: the adapter.
    let line = unsafe { &at(af.nic).shared.line };
    if line.vc.load(SeqCst) == vc {
        line.closes.lock().unwrap().push(sent);
        return PENDING;
    }
    if twist == Twist::CloseCompletedTwice && !by_client {
        // SAFETY: handles may be anything.
        unsafe { n::NdisMCmCloseCallComplete(SUCCESS, handle, null_mut()) };
    }
    if twist == Twist::DeletesRinging && !by_client && this.busy.load(SeqCst) == 1 {
        // SAFETY: breaks the rule that is tested.
        let status = unsafe { n::NdisMCmDeleteVc(handle) };
        assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
    }
    if !by_client && this.withdrawn.load(SeqCst) == 1 {
        if this.busy.load(SeqCst) == 1 {
            this.over.store(1, SeqCst);
        } else {
            // SAFETY: nothing else looks at it.
            unsafe { bury(vc) };
        }
        return PENDING;
    }
    if !by_client {
        // SAFETY: an idle VC of this driver.
        let status = unsafe { n::NdisMCmDeleteVc(handle) };
        assert_eq!(status, SUCCESS);
        if twist == Twist::StaleVc {
            // SAFETY: handles may be anything.
            unsafe { n::NdisMCmDispatchCallConnected(handle) };
        }
        // SAFETY: its last use.
        drop(unsafe { Box::from_raw(vc) });
    }
    PENDING
}

/// The first MDL of a list.
///
/// # Safety
///
/// `list` is a live list with a buffer.
unsafe fn first_buffer(list: *mut NET_BUFFER_LIST) -> *mut n::NET_BUFFER {
    // SAFETY: the second pointer of a list.
    unsafe { *list.cast::<*mut n::NET_BUFFER>().wrapping_add(1) }
}

unsafe extern "system" fn send(context: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, _flags: u32) {
    let vc: *mut Vc = context.cast();
    // SAFETY: a live VC.
    let this = unsafe { at(vc) };
    // SAFETY: the AF's context.
    let af = unsafe { at(this.af) };
    // SAFETY: the adapter.
    let nic = unsafe { at(af.nic) };
    let peer = this.peer.load(SeqCst);
    let handle = this.handle.load(SeqCst);
    let twist = nic.shared.twist;
    let last = [
        Twist::IndicatesLast,
        Twist::IndicatesLent,
        Twist::PauseWithinIndication,
        Twist::PauseAfterIndication,
    ]
    .contains(&twist);
    let mut deferred = Vec::new();
    let mut list = lists;
    while !list.is_null() {
        // SAFETY: a list that is this driver's until it completes it.
        let next = unsafe { next_of(list) };
        // SAFETY: as above.
        let buffer = unsafe { first_buffer(list) };
        if !peer.is_null() {
            // SAFETY: this driver's pool has a buffer of 1500 bytes in each list.
            let copy = unsafe { n::NdisAllocateNetBufferList(nic.pool, 0, 0) };
            // SAFETY: as above.
            let own = unsafe { first_buffer(copy) };
            // SAFETY: as above.
            let target = unsafe { n::NdisGetDataBuffer(own, 8, null_mut(), 1, 0) };
            let mut storage = [0u8; 8];
            // SAFETY: the client's buffer has 8 bytes.
            let source =
                unsafe { n::NdisGetDataBuffer(buffer, 8, storage.as_mut_ptr().cast(), 1, 0) };
            assert!(!target.is_null() && !source.is_null());
            // SAFETY: 8 bytes each.
            unsafe { target.cast::<u8>().copy_from(source.cast(), 8) };
            // SAFETY: the other leg.
            let peer_handle = unsafe { at(peer) }.handle.load(SeqCst);
            let named = if twist == Twist::IndicateWrongSource {
                handle
            } else {
                peer_handle
            };
            // SAFETY: this driver's own list.
            unsafe { (*copy).SourceHandle = named };
            let count = if twist == Twist::IndicateWrongCount {
                2
            } else {
                1
            };
            if twist == Twist::IndicateTwoPackets {
                // SAFETY: as above.
                put(unsafe { n::NET_BUFFER_NEXT_NB(own) }, nic.second());
            }
            if twist == Twist::IndicateLyingLength {
                // SAFETY: as above.
                put(unsafe { n::NET_BUFFER_DATA_LENGTH(own) }, 5000);
            }
            if last {
                deferred.push((peer_handle, copy));
            } else {
                // SAFETY: a list of this driver for an active VC.
                unsafe { n::NdisMCoIndicateReceiveNetBufferLists(peer_handle, copy, count, 0) };
                nic.shared.delivered.fetch_add(1, SeqCst);
            }
        }
        let removed = nic.shared.removed.load(SeqCst);
        let inactive = this.active.load(SeqCst) == 0;
        let answer = if removed && twist != Twist::SendsAfterRemoval {
            n::NDIS_STATUS_NOT_ACCEPTED
        } else if inactive && twist != Twist::SendsInactive {
            n::NDIS_STATUS_VC_NOT_ACTIVATED
        } else if twist == Twist::RefusesLength {
            n::NDIS_STATUS_INVALID_LENGTH
        } else {
            SUCCESS
        };
        // SAFETY: the list is still this driver's.
        let status = unsafe { &raw mut (*list).u2.Status };
        // SAFETY: as above.
        unsafe { status.write(answer) };
        // SAFETY: as above.
        unsafe { list.cast::<*mut NET_BUFFER_LIST>().write(null_mut()) };
        match twist {
            Twist::SendNeverCompleted => {
                nic.shared.held.store(list, SeqCst);
            }
            Twist::SendOnWrongVc => {
                // SAFETY: the other leg.
                let wrong = unsafe { at(peer) }.handle.load(SeqCst);
                // SAFETY: a list of this driver, on the wrong VC.
                unsafe { n::NdisMCoSendNetBufferListsComplete(wrong, list, 0) };
            }
            Twist::SendTouched => {
                // SAFETY: a list of this driver.
                unsafe { (*list).SourceHandle = null_mut() };
                // SAFETY: as above.
                unsafe { n::NdisMCoSendNetBufferListsComplete(handle, list, 0) };
            }
            Twist::SendRepacked => {
                // SAFETY: a list of this driver.
                put(unsafe { n::NET_BUFFER_LIST_FIRST_NB(list) }, null_mut());
                // SAFETY: as above.
                unsafe { n::NdisMCoSendNetBufferListsComplete(handle, list, 0) };
            }
            Twist::SendAdvanced => {
                // SAFETY: a list of this driver.
                unsafe { n::NdisAdvanceNetBufferDataStart(buffer, 1, 0, None) };
                // SAFETY: as above.
                unsafe { n::NdisMCoSendNetBufferListsComplete(handle, list, 0) };
            }
            Twist::SendParentChanged => {
                // SAFETY: a list of this driver.
                unsafe { (*list).ParentNetBufferList = list };
                // SAFETY: as above.
                unsafe { n::NdisMCoSendNetBufferListsComplete(handle, list, 0) };
            }
            Twist::SendCompletedUnderClone => {
                let null = null_mut();
                // SAFETY: a list of this driver.
                let clone = unsafe { n::NdisAllocateCloneNetBufferList(list, null, null, 0) };
                // SAFETY: as above.
                unsafe { n::NdisMCoSendNetBufferListsComplete(handle, list, 0) };
                // SAFETY: made above.
                unsafe { n::NdisFreeCloneNetBufferList(clone, 0) };
            }
            Twist::SendCompletedTwice => {
                for _ in 0..2 {
                    // SAFETY: the second time breaks the rule that is tested.
                    unsafe { n::NdisMCoSendNetBufferListsComplete(handle, list, 0) };
                }
            }
            _ => {
                // SAFETY: a list of this driver.
                unsafe { n::NdisMCoSendNetBufferListsComplete(handle, list, 0) };
            }
        }
        list = next;
    }
    for (vc, copy) in deferred {
        indicate_last(nic, vc, copy);
    }
}

/// Indicates a list when the send that it comes from is complete.
fn indicate_last(nic: &Nic, vc: NDIS_HANDLE, copy: *mut NET_BUFFER_LIST) {
    let twist = nic.shared.twist;
    let lent = twist == Twist::IndicatesLent;
    let flags = n::NDIS_RECEIVE_FLAGS_RESOURCES as u32 * u32::from(lent);
    nic.shared.indicating.fetch_add(1, SeqCst);
    // SAFETY: a list of this driver for an active VC.
    unsafe { n::NdisMCoIndicateReceiveNetBufferLists(vc, copy, 1, flags) };
    nic.shared.indicating.fetch_sub(1, SeqCst);
    nic.shared.delivered.fetch_add(1, SeqCst);
    if lent {
        // SAFETY: the list is this driver's again.
        unsafe { n::NdisFreeNetBufferList(copy) };
    }
    if twist == Twist::PauseAfterIndication {
        end_pause(nic);
    }
}
