//! The raw client.

use super::{PENDING, SUCCESS, TAG, Twist, get, header, put, zeroed};
use ndis_host::{Driver, Host};
use ndis_sys as n;
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, DRIVER_OBJECT, NDIS_HANDLE, NDIS_STATUS,
    NET_BUFFER_LIST,
};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::SeqCst};

#[derive(Clone)]
pub struct Client {
    pub driver: Driver,
    pub shared: Arc<Shared>,
}

/// The state of a client with one binding, one AF, one SAP and one VC.
pub struct Shared {
    pub twist: Twist,
    /// The only family that it opens; any, for 0.
    pub wants: AtomicU32,
    pub listen: bool,
    pub handle: AtomicPtr<c_void>,
    pub binding: AtomicPtr<c_void>,
    pub bind: AtomicPtr<c_void>,
    /// Where the open puts the handle of a client that keeps it late.
    pub opened: AtomicPtr<c_void>,
    pub unbind: AtomicPtr<c_void>,
    pub af: AtomicPtr<c_void>,
    pub sap: AtomicPtr<c_void>,
    pub vc: AtomicPtr<c_void>,
    /// The VC was made by the call manager.
    pub incoming: AtomicU32,
    /// A call stands.
    pub up: AtomicU32,
    pub refuse: AtomicU32,
    /// How often it will not close its family yet.
    pub unwilling: AtomicU32,
    /// How often it says so by the completion, within the handler, which then takes its time.
    pub hesitant: AtomicU32,
    /// How often it was asked to.
    pub asked: AtomicU32,
    /// Handlers that run, and how often one began within another's time.
    asking: AtomicU32,
    pub overlaps: AtomicU32,
    /// The family whose close pends, and with it the notification.
    closing: AtomicPtr<c_void>,
    /// Closes that have pended and are over.
    closed: AtomicU32,
    pub deregister: AtomicU32,
    pub received: AtomicU32,
    pub sent: AtomicU32,
    pub pool: AtomicPtr<c_void>,
    pub data: AtomicPtr<u8>,
    pub mdl: AtomicPtr<n::MDL>,
    pub sap_memory: AtomicPtr<CO_SAP>,
    /// The family is the one that NDPROXY speaks.
    pub proxy: std::sync::atomic::AtomicBool,
    pub params: AtomicPtr<CO_CALL_PARAMETERS>,
    /// The parameters of the offer that pends.
    pub offered: AtomicPtr<CO_CALL_PARAMETERS>,
    /// How often the end of a call was announced.
    pub told: AtomicU32,
    pub kept: AtomicPtr<NET_BUFFER_LIST>,
    pub last: std::sync::Mutex<Option<NDIS_STATUS>>,
    /// The events about the device's power.
    pub power: std::sync::Mutex<Vec<(i32, i32)>>,
    pub oids: Arc<super::oids::Oids>,
    /// What the next bind begins with; it gets the parameters.
    pub binding_to: std::sync::Mutex<Option<Binding>>,
    /// What the next call is followed by, within the completion that says that it is up.
    pub when_up: Hook,
    /// The same, when it is closed: the VC stays then.
    pub when_closed: Hook,
    /// What makes it a call manager as well.
    pub manages: Option<Manages>,
}

/// What a client that is a call manager as well does for that.
#[derive(Clone, Copy)]
pub struct Manages {
    /// Installs its handlers for the driver.
    pub install: fn(NDIS_HANDLE) -> NDIS_STATUS,
    /// Registers its family on the binding.
    pub register: fn(&Shared),
}

/// What a client does with the parameters of its bind.
pub type Binding = Box<dyn FnOnce(*mut n::NDIS_BIND_PARAMETERS) + Send>;

/// What a test has done at a certain point, once.
pub type Hook = std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>;

/// Whether there was something to do.
fn follow(hook: &Hook) -> bool {
    let then = hook.lock().unwrap().take();
    then.map(|then| then()).is_some()
}

impl Client {
    pub fn load(host: &Host, name: &str, twist: Twist, listen: bool) -> Self {
        Self::load_as(host, name, twist, listen, None)
    }

    pub fn load_as(
        host: &Host,
        name: &str,
        twist: Twist,
        listen: bool,
        manages: Option<Manages>,
    ) -> Self {
        let shared = Arc::new(Shared {
            twist,
            wants: AtomicU32::new(0),
            listen,
            handle: AtomicPtr::default(),
            binding: AtomicPtr::default(),
            bind: AtomicPtr::default(),
            opened: AtomicPtr::default(),
            unbind: AtomicPtr::default(),
            af: AtomicPtr::default(),
            sap: AtomicPtr::default(),
            vc: AtomicPtr::default(),
            incoming: AtomicU32::new(0),
            up: AtomicU32::new(0),
            refuse: AtomicU32::new(0),
            unwilling: AtomicU32::new(0),
            hesitant: AtomicU32::new(0),
            asked: AtomicU32::new(0),
            asking: AtomicU32::new(0),
            overlaps: AtomicU32::new(0),
            closing: AtomicPtr::default(),
            closed: AtomicU32::new(0),
            deregister: AtomicU32::new(0),
            received: AtomicU32::new(0),
            sent: AtomicU32::new(0),
            pool: AtomicPtr::default(),
            data: AtomicPtr::default(),
            mdl: AtomicPtr::default(),
            sap_memory: AtomicPtr::default(),
            proxy: std::sync::atomic::AtomicBool::new(false),
            params: AtomicPtr::default(),
            offered: AtomicPtr::default(),
            told: AtomicU32::new(0),
            kept: AtomicPtr::default(),
            last: std::sync::Mutex::new(None),
            power: std::sync::Mutex::default(),
            oids: Arc::default(),
            binding_to: std::sync::Mutex::new(None),
            when_up: Hook::default(),
            when_closed: Hook::default(),
            manages,
        });
        let own = shared.clone();
        let driver = host
            .load_with(name, move |object, _path| {
                // SAFETY: the host calls with a driver object.
                unsafe { entry(own, object) }
            })
            .expect("the client loads");
        Self { driver, shared }
    }

    /// Tries to make a VC, and nothing else; false when that is refused.
    pub fn try_call(&self) -> bool {
        let shared = &self.shared;
        let mut vc: NDIS_HANDLE = null_mut();
        let context = Arc::as_ptr(shared).cast_mut().cast();
        let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
        // SAFETY: handles of this client.
        let status = unsafe { n::NdisCoCreateVc(binding, af, context, &raw mut vc) };
        status == SUCCESS
    }

    /// Places a call.
    pub fn call(&self) {
        let shared = &self.shared;
        let mut vc: NDIS_HANDLE = null_mut();
        let context = Arc::as_ptr(shared).cast_mut().cast();
        // SAFETY: handles of this client.
        let status = unsafe {
            n::NdisCoCreateVc(
                shared.binding.load(SeqCst),
                shared.af.load(SeqCst),
                context,
                &raw mut vc,
            )
        };
        assert_eq!(status, SUCCESS);
        shared.vc.store(vc, SeqCst);
        self.call_again();
    }

    /// Places a call on the VC that there is.
    pub fn call_again(&self) {
        let shared = &self.shared;
        let vc = shared.vc.load(SeqCst);
        let context = Arc::as_ptr(shared).cast_mut().cast();
        let long = shared.twist == Twist::LongParameters;
        let more = size_of::<n::CO_CALL_MANAGER_PARAMETERS>() * usize::from(long);
        let size = size_of::<CO_CALL_PARAMETERS>() + more;
        // SAFETY: plain pool memory.
        let params: *mut CO_CALL_PARAMETERS =
            unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size as _, TAG) }.cast();
        // SAFETY: as large as that.
        unsafe { params.write(zeroed()) };
        let params = if shared.proxy.load(SeqCst) {
            // SAFETY: allocated above.
            unsafe { n::ExFreePoolWithTag(params.cast(), TAG) };
            let params = super::telephony::parameters();
            if shared.twist == Twist::AsksForSpeed {
                super::telephony::ask_for_speed(params);
            }
            params
        } else {
            params
        };
        if long {
            let manager: *mut n::CO_CALL_MANAGER_PARAMETERS = params.wrapping_add(1).cast();
            let mut parameters: n::CO_CALL_MANAGER_PARAMETERS = zeroed();
            parameters.CallMgrSpecific.Length = 100;
            // SAFETY: the memory behind the parameters is as large as that.
            unsafe { manager.write(parameters) };
            // SAFETY: as above.
            unsafe { (*params).CallMgrParameters = manager };
        }
        shared.params.store(params, SeqCst);
        if shared.twist == Twist::OpenOutside {
            let mut open: n::NDIS_OPEN_PARAMETERS = zeroed();
            let mut out = null_mut();
            let (handle, bind) = (shared.handle.load(SeqCst), shared.bind.load(SeqCst));
            // SAFETY: handles may be anything.
            let status =
                unsafe { n::NdisOpenAdapterEx(handle, context, &raw mut open, bind, &raw mut out) };
            assert_eq!(status, n::NDIS_STATUS_FAILURE);
        }
        if shared.twist == Twist::FamilyLater {
            let mut family = CO_ADDRESS_FAMILY {
                AddressFamily: n::CO_ADDRESS_FAMILY_L2TP as _,
                MajorVersion: 1,
                MinorVersion: 0,
            };
            let mut af = null_mut();
            let binding = shared.binding.load(SeqCst);
            // SAFETY: a binding of this client, and a family.
            let status = unsafe {
                n::NdisClOpenAddressFamilyEx(binding, &raw mut family, context, &raw mut af)
            };
            assert_eq!(status, SUCCESS);
            // SAFETY: just opened.
            unsafe { n::NdisClCloseAddressFamily(af) };
        }
        if shared.twist == Twist::DeregisterInside {
            shared.deregister.store(1, SeqCst);
        }
        if shared.twist == Twist::SendInactive {
            self.send();
        }
        // SAFETY: an idle VC; the parameters stay until the completion.
        let status = unsafe { n::NdisClMakeCall(vc, params, null_mut(), null_mut()) };
        if status != PENDING {
            // SAFETY: as the completion would.
            unsafe { make_call_complete(status, context, null_mut(), params) };
        }
    }

    /// Sends eight bytes.
    pub fn send(&self) {
        send(&self.shared);
    }

    /// Sends two lists of one packet each, cut from one buffer as a user's is: its pages
    /// are locked and have no address yet.
    pub fn send_two_of_one_buffer(&self) {
        let (pool, mdl) = (self.shared.pool.load(SeqCst), self.shared.mdl.load(SeqCst));
        // SAFETY: the client's MDL.
        put(
            unsafe { &raw mut (*mdl).MdlFlags },
            n::MDL_PAGES_LOCKED as i16,
        );
        let vc = self.shared.vc.load(SeqCst);
        let lists = [0, 4].map(|start| {
            // SAFETY: the client's pool and MDL, of eight bytes.
            let list =
                unsafe { n::NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, start, 4) };
            // SAFETY: just allocated.
            unsafe { (*list).SourceHandle = vc };
            list
        });
        // SAFETY: as above.
        put(unsafe { n::NET_BUFFER_LIST_NEXT_NBL(lists[0]) }, lists[1]);
        // SAFETY: lists of the client's on its call.
        unsafe { n::NdisCoSendNetBufferLists(vc, lists[0], 0) };
    }

    /// Refuses the offer that pends.
    pub fn refuse(&self) {
        refuse(&self.shared);
    }

    /// Closes the call that was withdrawn.
    pub fn close_withdrawn(&self) {
        self.shared.up.store(1, SeqCst);
        self.hang_up();
    }

    /// Closes the call.
    pub fn hang_up(&self) {
        // SAFETY: the client's own call.
        unsafe { close(&self.shared) };
    }
}

fn refuse(shared: &Shared) {
    let (vc, status) = (shared.vc.load(SeqCst), n::NDIS_STATUS_NOT_ACCEPTED);
    // SAFETY: handles may be anything; the parameters of a refusal are not looked at.
    unsafe { n::NdisClIncomingCallComplete(status, vc, shared.offered.load(SeqCst)) };
}

fn send(shared: &Shared) {
    let pool = shared.pool.load(SeqCst);
    // SAFETY: the client's pool and MDL.
    let list = unsafe {
        n::NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, shared.mdl.load(SeqCst), 0, 8)
    };
    let vc = shared.vc.load(SeqCst);
    if shared.twist != Twist::SendWrongSource {
        // SAFETY: the list was just allocated.
        unsafe { (*list).SourceHandle = vc };
    }
    if shared.twist == Twist::SendLyingLength {
        // SAFETY: as above.
        let buffer = get(unsafe { n::NET_BUFFER_LIST_FIRST_NB(list) });
        // SAFETY: as above.
        put(unsafe { n::NET_BUFFER_DATA_LENGTH(buffer) }, 9);
    }
    let clone = if shared.twist == Twist::SendUnderClone {
        // SAFETY: as above.
        unsafe { n::NdisAllocateCloneNetBufferList(list, null_mut(), null_mut(), 0) }
    } else {
        null_mut()
    };
    // SAFETY: as above.
    unsafe { n::NdisCoSendNetBufferLists(vc, list, 0) };
    if !clone.is_null() {
        // SAFETY: made above.
        unsafe { n::NdisFreeCloneNetBufferList(clone, 0) };
    }
}

unsafe fn close(shared: &Shared) {
    if shared.up.swap(0, SeqCst) == 0 {
        return;
    }
    let vc = shared.vc.load(SeqCst);
    if shared.twist == Twist::DeleteOthersVc && shared.incoming.load(SeqCst) == 1 {
        // SAFETY: handles may be anything.
        let status = unsafe { n::NdisCoDeleteVc(vc) };
        assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
    }
    if shared.twist == Twist::CloseAfWithCall {
        // SAFETY: handles may be anything.
        let status = unsafe { n::NdisClCloseAddressFamily(shared.af.load(SeqCst)) };
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
    }
    // SAFETY: a call that stands.
    let status = unsafe { n::NdisClCloseCall(vc, null_mut(), null_mut(), 0) };
    if status != PENDING {
        let context = (&raw const *shared).cast_mut().cast();
        // SAFETY: as the completion would.
        unsafe { close_call_complete(status, context, null_mut()) };
    }
    if shared.twist == Twist::CloseTwice {
        // SAFETY: handles may be anything.
        unsafe { n::NdisClCloseCall(vc, null_mut(), null_mut(), 0) };
    }
}

static EXTENSION: u8 = 0;

unsafe fn entry(shared: Arc<Shared>, object: *mut DRIVER_OBJECT) -> i32 {
    let mut table: n::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS = zeroed();
    table.Header = header(
        n::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
        2,
        n::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
    );
    table.MajorNdisVersion = 6;
    table.MinorNdisVersion = 30;
    table.SetOptionsHandler = Some(set_options);
    table.BindAdapterHandlerEx = Some(bind);
    table.UnbindAdapterHandlerEx = Some(unbind);
    table.OpenAdapterCompleteHandlerEx = Some(open_complete);
    table.CloseAdapterCompleteHandlerEx = Some(close_complete);
    table.NetPnPEventHandler = Some(pnp_event);
    table.OidRequestCompleteHandler = Some(super::oids::complete_plain);
    table.StatusHandlerEx = Some(status_plain);
    // SAFETY: the driver's own object.
    unsafe { (*object).DriverUnload = Some(unload) };
    let mut slot: *mut c_void = null_mut();
    let id = (&raw const EXTENSION).cast_mut().cast();
    // SAFETY: as above.
    let status = unsafe { n::IoAllocateDriverObjectExtension(object, id, 8, &raw mut slot) };
    assert_eq!(status, 0);
    let keep = shared.clone();
    let context = Arc::into_raw(shared);
    // SAFETY: a pointer fits in the extension.
    unsafe { slot.cast::<*const Shared>().write(context) };
    let mut handle = null_mut();
    // SAFETY: complete characteristics.
    let status = unsafe {
        n::NdisRegisterProtocolDriver(context.cast_mut().cast(), &raw mut table, &raw mut handle)
    };
    if status == SUCCESS {
        keep.handle.store(handle, SeqCst);
    }
    status
}

unsafe extern "system" fn unload(object: *mut DRIVER_OBJECT) {
    let id = (&raw const EXTENSION).cast_mut().cast();
    // SAFETY: the extension that `entry` made.
    let slot: *mut *const Shared = unsafe { n::IoGetDriverObjectExtension(object, id) }.cast();
    // SAFETY: as above.
    let pointer = unsafe { slot.read() };
    // SAFETY: the count that `entry` leaked.
    let shared = unsafe { Arc::from_raw(pointer) };
    // SAFETY: the handle of the registration.
    unsafe { n::NdisDeregisterProtocolDriver(shared.handle.load(SeqCst)) };
}

unsafe extern "system" fn set_options(driver: NDIS_HANDLE, context: NDIS_HANDLE) -> NDIS_STATUS {
    let mut co: n::NDIS_PROTOCOL_CO_CHARACTERISTICS = zeroed();
    co.Header = header(
        n::NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS,
        1,
        size_of_val(&co),
    );
    co.CoStatusHandlerEx = Some(status);
    co.CoAfRegisterNotifyHandler = Some(af_register_notify);
    co.CoReceiveNetBufferListsHandler = Some(receive);
    co.CoSendNetBufferListsCompleteHandler = Some(send_complete);
    // SAFETY: the context of the registration.
    if unsafe { me(context) }.twist == Twist::NoStatusHandler {
        co.CoStatusHandlerEx = None;
        // SAFETY: a structure of the announced size.
        let status = unsafe { n::NdisSetOptionalHandlers(driver, (&raw mut co).cast()) };
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
        co.CoStatusHandlerEx = Some(self::status);
    }
    // SAFETY: a complete structure.
    let status = unsafe { n::NdisSetOptionalHandlers(driver, (&raw mut co).cast()) };
    if status != SUCCESS {
        return status;
    }
    // SAFETY: the context of the registration.
    if let Some(manages) = unsafe { me(context) }.manages {
        let status = (manages.install)(driver);
        assert_eq!(status, SUCCESS);
    }
    let mut cl: n::NDIS_CO_CLIENT_OPTIONAL_HANDLERS = zeroed();
    cl.Header = header(
        n::NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
        1,
        size_of_val(&cl),
    );
    cl.ClCreateVcHandler = Some(create_vc);
    cl.ClDeleteVcHandler = Some(delete_vc);
    cl.ClOidRequestHandler = Some(oid);
    cl.ClOidRequestCompleteHandler = Some(super::oids::complete);
    cl.ClOpenAfCompleteHandlerEx = Some(open_af_complete);
    cl.ClCloseAfCompleteHandler = Some(close_af_complete);
    cl.ClRegisterSapCompleteHandler = Some(register_sap_complete);
    cl.ClDeregisterSapCompleteHandler = Some(deregister_sap_complete);
    cl.ClMakeCallCompleteHandler = Some(make_call_complete);
    cl.ClModifyCallQoSCompleteHandler = Some(modify_complete);
    cl.ClCloseCallCompleteHandler = Some(close_call_complete);
    cl.ClAddPartyCompleteHandler = Some(add_party_complete);
    cl.ClDropPartyCompleteHandler = Some(drop_party_complete);
    cl.ClIncomingCallHandler = Some(incoming_call);
    cl.ClIncomingCallQoSChangeHandler = Some(qos_change);
    cl.ClIncomingCloseCallHandler = Some(incoming_close);
    cl.ClIncomingDropPartyHandler = Some(incoming_drop);
    cl.ClCallConnectedHandler = Some(connected);
    cl.ClNotifyCloseAfHandler = Some(notify_close_af);
    // SAFETY: the context of the registration.
    if unsafe { me(context) }.twist == Twist::NullHandlers {
        let mut broken: n::NDIS_CO_CLIENT_OPTIONAL_HANDLERS = zeroed();
        broken.Header = cl.Header;
        // SAFETY: a structure of the announced size.
        let status = unsafe { n::NdisSetOptionalHandlers(driver, (&raw mut broken).cast()) };
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
    }
    // SAFETY: a complete structure.
    unsafe { n::NdisSetOptionalHandlers(driver, (&raw mut cl).cast()) }
}

/// The client behind a context.
///
/// # Safety
///
/// `context` is one that this driver gave NDIS, and the driver is loaded.
unsafe fn me<'a>(context: NDIS_HANDLE) -> &'a Shared {
    // SAFETY: every context of this driver is its `Arc`, leaked by `entry`.
    unsafe { &*context.cast::<Shared>() }
}

unsafe extern "system" fn bind(
    context: NDIS_HANDLE,
    bind: NDIS_HANDLE,
    parameters: *mut n::NDIS_BIND_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    if let Some(binding_to) = shared.binding_to.lock().unwrap().take() {
        binding_to(parameters);
    }
    let mut medium = n::NdisMediumCoWan;
    let mut index = 0u32;
    let mut open: n::NDIS_OPEN_PARAMETERS = zeroed();
    open.Header = header(n::NDIS_OBJECT_TYPE_OPEN_PARAMETERS, 1, 0x34);
    // SAFETY: the parameters of the bind.
    open.AdapterName = unsafe { (*parameters).AdapterName };
    open.MediumArray = &raw mut medium;
    open.MediumArraySize = 1;
    open.SelectedMediumIndex = &raw mut index;
    let mut pool: n::NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
    pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 16);
    pool.fAllocateNetBuffer = 1;
    pool.PoolTag = TAG;
    let handle = shared.handle.load(SeqCst);
    // SAFETY: complete parameters.
    let made = unsafe { n::NdisAllocateNetBufferListPool(handle, &raw const pool) };
    shared.pool.store(made, SeqCst);
    // SAFETY: plain pool memory.
    let data: *mut u8 = unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 8, TAG) }.cast();
    // SAFETY: as large as that.
    unsafe { data.write_bytes(0x5A, 8) };
    shared.data.store(data, SeqCst);
    // SAFETY: the memory outlives the MDL.
    let mdl = unsafe { n::NdisAllocateMdl(handle, data.cast(), 8) };
    shared.mdl.store(mdl, SeqCst);
    shared.bind.store(bind, SeqCst);
    // A pended open fills the handle in before its completion handler runs, and
    // the bind pends with it.
    let late = shared.twist == Twist::KeepsHandleLate;
    let out = if late {
        &shared.opened
    } else {
        &shared.binding
    };
    // SAFETY: the parameters live for the call, the variable as long as the driver.
    let status =
        unsafe { n::NdisOpenAdapterEx(handle, context, &raw mut open, bind, out.as_ptr()) };
    if late && status == SUCCESS {
        shared.binding.store(shared.opened.load(SeqCst), SeqCst);
    }
    if shared.twist == Twist::BindCompletedTwice && status == SUCCESS {
        for _ in 0..2 {
            // SAFETY: the second time breaks the rule that is tested.
            unsafe { n::NdisCompleteBindAdapterEx(bind, SUCCESS) };
        }
        return PENDING;
    }
    if shared.twist == Twist::BindFailsOpen && status == SUCCESS {
        return n::NDIS_STATUS_FAILURE;
    }
    if shared.twist == Twist::BindDoesNotWait && status == PENDING {
        return SUCCESS;
    }
    if status == SUCCESS {
        return opened(shared, status);
    }
    status
}

/// The open is complete: some clients have enough of it.
fn opened(shared: &Shared, status: NDIS_STATUS) -> NDIS_STATUS {
    let binding = shared.binding.load(SeqCst);
    if let Some(manages) = shared.manages {
        (manages.register)(shared);
    }
    match shared.twist {
        Twist::BindGoesAway | Twist::BindGoesFirst => {
            // SAFETY: the binding's handle, used for the last time.
            unsafe { n::NdisUnbindAdapter(binding) };
            if shared.twist == Twist::BindGoesAway {
                // SAFETY: the bind that pends.
                unsafe { n::NdisCompleteBindAdapterEx(shared.bind.load(SeqCst), FAILED) };
            }
            PENDING
        }
        Twist::BindFailsClosing => {
            // SAFETY: the binding's handle.
            unsafe { n::NdisCloseAdapterEx(binding) };
            free_data(shared);
            FAILED
        }
        _ => status,
    }
}

/// Frees what the bind made for sends.
fn free_data(shared: &Shared) {
    // SAFETY: made by `bind`.
    unsafe { n::NdisFreeMdl(shared.mdl.swap(null_mut(), SeqCst)) };
    // SAFETY: as above.
    unsafe { n::ExFreePoolWithTag(shared.data.swap(null_mut(), SeqCst).cast(), TAG) };
    // SAFETY: as above.
    unsafe { n::NdisFreeNetBufferListPool(shared.pool.swap(null_mut(), SeqCst)) };
}

unsafe extern "system" fn open_complete(context: NDIS_HANDLE, status: NDIS_STATUS) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    if shared.twist == Twist::KeepsHandleLate {
        shared.binding.store(shared.opened.load(SeqCst), SeqCst);
    }
    if shared.twist == Twist::BindDoesNotWait {
        return;
    }
    let status = opened(shared, status);
    if status != PENDING {
        // SAFETY: the bind that pends.
        unsafe { n::NdisCompleteBindAdapterEx(shared.bind.load(SeqCst), status) };
    }
}

unsafe extern "system" fn unbind(unbind: NDIS_HANDLE, context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    if shared.twist == Twist::ClosesLater {
        // Until the family is closed.
        // SAFETY: at PASSIVE_LEVEL.
        unsafe { n::NdisMSleep(50_000) };
    }
    if shared.twist == Twist::UnbindHangs {
        let event = Box::into_raw(Box::new(zeroed::<n::NDIS_EVENT>()));
        // SAFETY: memory for an event, which is not given back.
        unsafe { n::NdisInitializeEvent(event) };
        // SAFETY: initialized above.
        unsafe { n::NdisWaitEvent(event, 0) };
    }
    // SAFETY: as above.
    unsafe { close(shared) };
    let sap = shared.sap.swap(null_mut(), SeqCst);
    if !sap.is_null() && shared.twist != Twist::CloseAfWithSap {
        // SAFETY: a registered SAP.
        unsafe { n::NdisClDeregisterSap(sap) };
    }
    let af = shared.af.swap(null_mut(), SeqCst);
    if !af.is_null() {
        let closed = shared.closed.load(SeqCst);
        // SAFETY: an open AF.
        let status = unsafe { n::NdisClCloseAddressFamily(af) };
        while status == PENDING && shared.closed.load(SeqCst) == closed {
            // SAFETY: PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(100) };
        }
        if shared.twist == Twist::CloseAfWithSap && !sap.is_null() {
            // SAFETY: as above; the second time the SAP is gone.
            unsafe { n::NdisClDeregisterSap(sap) };
            // SAFETY: as above.
            unsafe { n::NdisClCloseAddressFamily(af) };
        }
        if shared.twist == Twist::StaleAf {
            // SAFETY: handles may be anything.
            unsafe { n::NdisClCloseAddressFamily(af) };
        }
    }
    let sap_memory = shared.sap_memory.swap(null_mut(), SeqCst);
    if !sap_memory.is_null() {
        // SAFETY: allocated with the SAP.
        unsafe { n::ExFreePoolWithTag(sap_memory.cast(), TAG) };
    }
    let kept = shared.kept.swap(null_mut(), SeqCst);
    if !kept.is_null() && shared.twist == Twist::KeepReceived {
        // SAFETY: an indicated list.
        unsafe { n::NdisReturnNetBufferLists(shared.binding.load(SeqCst), kept, 0) };
    }
    free_data(shared);
    shared.unbind.store(unbind, SeqCst);
    if shared.twist == Twist::UnbindNeverCompleted {
        return PENDING;
    }
    if shared.twist != Twist::UnbindWithoutClose {
        // SAFETY: the binding's handle.
        let status = unsafe { n::NdisCloseAdapterEx(shared.binding.load(SeqCst)) };
        match shared.twist {
            Twist::UnbindDoesNotWait => return SUCCESS,
            Twist::UnbindFails => return n::NDIS_STATUS_FAILURE,
            Twist::UnbindCompletedEarly => {
                // SAFETY: breaks the rule that is tested when the close pends.
                unsafe { n::NdisCompleteUnbindAdapterEx(unbind) };
                return PENDING;
            }
            // The rest is done when the close is complete.
            _ if status == PENDING => return PENDING,
            _ => {}
        }
    }
    unbound(shared, false)
}

/// The close is complete: the answer to the unbind, by a call when it pends.
fn unbound(shared: &Shared, pends: bool) -> NDIS_STATUS {
    let unbind = shared.unbind.load(SeqCst);
    match shared.twist {
        Twist::UnbindCompletedTwice => {
            for _ in 0..2 {
                // SAFETY: the second time breaks the rule that is tested.
                unsafe { n::NdisCompleteUnbindAdapterEx(unbind) };
            }
            return PENDING;
        }
        Twist::UnbindCompletedLate => {
            let object = std::ptr::dangling_mut::<n::DEVICE_OBJECT>();
            // SAFETY: the host only asks whether there is an object.
            let item = unsafe { n::IoAllocateWorkItem(object) };
            let (queue, routine) = (n::DelayedWorkQueue, Some(complete_unbind as _));
            // SAFETY: a live item; the routine frees it.
            unsafe { n::IoQueueWorkItemEx(item, routine, queue, unbind) };
            return PENDING;
        }
        Twist::BindGoesFirst => {
            // SAFETY: the bind that pends, which fails.
            unsafe { n::NdisCompleteBindAdapterEx(shared.bind.load(SeqCst), FAILED) };
        }
        _ => {}
    }
    if pends {
        // SAFETY: the unbind that pends.
        unsafe { n::NdisCompleteUnbindAdapterEx(unbind) };
    }
    SUCCESS
}

/// What a bind fails with.
const FAILED: NDIS_STATUS = n::NDIS_STATUS_RESOURCES;

unsafe extern "system" fn complete_unbind(
    _: *mut c_void,
    unbind: *mut c_void,
    item: n::PIO_WORKITEM,
) {
    // SAFETY: its own item, which is not queued any more.
    unsafe { n::IoFreeWorkItem(item) };
    // SAFETY: the unbind that pends.
    unsafe { n::NdisCompleteUnbindAdapterEx(unbind) };
}

unsafe extern "system" fn close_complete(context: NDIS_HANDLE) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    let answered = [
        Twist::UnbindDoesNotWait,
        Twist::UnbindFails,
        Twist::UnbindCompletedEarly,
        Twist::BindFailsClosing,
    ];
    if !answered.contains(&shared.twist) {
        unbound(shared, true);
    }
}

unsafe extern "system" fn pnp_event(
    context: NDIS_HANDLE,
    notification: *mut n::NET_PNP_EVENT_NOTIFICATION,
) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    // SAFETY: NDIS's notification.
    let event = unsafe { (*notification).NetPnPEvent };
    if matches!(event.NetEvent, n::NetEventSetPower | n::NetEventQueryPower) {
        // SAFETY: the buffer of these events has a power state.
        let state = unsafe { event.Buffer.cast::<i32>().read() };
        shared.power.lock().unwrap().push((event.NetEvent, state));
        if shared.twist == Twist::PowerEventFails {
            return n::NDIS_STATUS_FAILURE;
        }
        return SUCCESS;
    }
    if shared.deregister.swap(0, SeqCst) == 1 {
        // SAFETY: handles may be anything.
        unsafe { n::NdisDeregisterProtocolDriver(shared.handle.load(SeqCst)) };
    }
    if shared.twist == Twist::EventFails {
        return n::NDIS_STATUS_NOT_SUPPORTED;
    }
    allocate_wrongly(shared);
    SUCCESS
}

unsafe extern "system" fn status(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    indication: *mut n::NDIS_STATUS_INDICATION,
) {
    // SAFETY: this driver's context.
    unsafe { me(context) }.oids.tell(vc, indication);
}

unsafe extern "system" fn af_register_notify(context: NDIS_HANDLE, family: *mut CO_ADDRESS_FAMILY) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    // SAFETY: the family of the notification.
    let offered = unsafe { (*family).AddressFamily };
    if ![0, offered].contains(&shared.wants.load(SeqCst)) {
        return;
    }
    let proxys = offered == n::CO_ADDRESS_FAMILY_TAPI_PROXY as _;
    shared.proxy.store(proxys, SeqCst);
    let mut lock: n::KSPIN_LOCK = 0;
    let mut irql = 0;
    if shared.twist == Twist::OpenAtDispatch {
        // SAFETY: a lock of this function.
        irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(&raw mut lock) };
    }
    let mut af = null_mut();
    // SAFETY: the binding and the family of the notification.
    let status = unsafe {
        n::NdisClOpenAddressFamilyEx(shared.binding.load(SeqCst), family, context, &raw mut af)
    };
    if shared.twist == Twist::OpenAtDispatch {
        // SAFETY: held since above.
        unsafe { n::KeReleaseSpinLock(&raw mut lock, irql) };
    }
    if status != PENDING {
        // SAFETY: as the completion would.
        unsafe { open_af_complete(context, af, status) };
    }
}

unsafe extern "system" fn open_af_complete(
    context: NDIS_HANDLE,
    af: NDIS_HANDLE,
    status: NDIS_STATUS,
) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    *shared.last.lock().unwrap() = Some(status);
    if status != SUCCESS {
        return;
    }
    shared.af.store(af, SeqCst);
    if !shared.listen {
        return;
    }
    let sap: *mut CO_SAP = if shared.proxy.load(SeqCst) {
        super::telephony::sap(shared.twist)
    } else {
        // SAFETY: plain pool memory.
        let sap: *mut CO_SAP =
            unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size_of::<CO_SAP>() as _, TAG) }
                .cast();
        // SAFETY: as large as that.
        unsafe { sap.write(zeroed()) };
        sap
    };
    if shared.twist == Twist::LongSap {
        // The structure has room for four bytes at its end.
        // SAFETY: as above.
        unsafe { (*sap).SapLength = 5 };
    }
    shared.sap_memory.store(sap, SeqCst);
    let mut handle = null_mut();
    // SAFETY: an open AF; the SAP stays.
    let status = unsafe { n::NdisClRegisterSap(af, context, sap, &raw mut handle) };
    if status != PENDING {
        // SAFETY: as the completion would.
        unsafe { register_sap_complete(status, context, sap, handle) };
    }
}

unsafe extern "system" fn close_af_complete(_: NDIS_STATUS, context: NDIS_HANDLE) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    shared.closed.fetch_add(1, SeqCst);
    let af = shared.closing.swap(null_mut(), SeqCst);
    if !af.is_null() {
        // SAFETY: the notification pends.
        unsafe { n::NdisClNotifyCloseAddressFamilyComplete(af, SUCCESS) };
    }
}

unsafe extern "system" fn register_sap_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _: *mut CO_SAP,
    handle: NDIS_HANDLE,
) {
    assert_eq!(status, SUCCESS);
    // SAFETY: this driver's context.
    unsafe { me(context) }.sap.store(handle, SeqCst);
}

unsafe extern "system" fn deregister_sap_complete(_: NDIS_STATUS, _: NDIS_HANDLE) {}

unsafe extern "system" fn make_call_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    *shared.last.lock().unwrap() = Some(status);
    let kept = shared.params.swap(null_mut(), SeqCst);
    if !kept.is_null() {
        assert_eq!(kept, params);
        // SAFETY: allocated with the call.
        unsafe { n::ExFreePoolWithTag(kept.cast(), TAG) };
    }
    if status == SUCCESS {
        shared.up.store(1, SeqCst);
        follow(&shared.when_up);
        return;
    }
    let vc = shared.vc.swap(null_mut(), SeqCst);
    // SAFETY: the client's idle VC.
    unsafe { n::NdisCoDeleteVc(vc) };
}

unsafe extern "system" fn close_call_complete(
    status: NDIS_STATUS,
    context: NDIS_HANDLE,
    _: NDIS_HANDLE,
) {
    assert_eq!(status, SUCCESS);
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    if !follow(&shared.when_closed) && shared.incoming.load(SeqCst) == 0 {
        let vc = shared.vc.swap(null_mut(), SeqCst);
        // SAFETY: the client's idle VC.
        unsafe { n::NdisCoDeleteVc(vc) };
    }
}

unsafe extern "system" fn modify_complete(
    _: NDIS_STATUS,
    _: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
) {
}
unsafe extern "system" fn add_party_complete(
    _: NDIS_STATUS,
    _: NDIS_HANDLE,
    _: NDIS_HANDLE,
    _: *mut CO_CALL_PARAMETERS,
) {
}
unsafe extern "system" fn drop_party_complete(_: NDIS_STATUS, _: NDIS_HANDLE) {}
unsafe extern "system" fn qos_change(_: NDIS_HANDLE, _: *mut CO_CALL_PARAMETERS) {}
unsafe extern "system" fn incoming_drop(_: NDIS_STATUS, _: NDIS_HANDLE, _: *mut c_void, _: u32) {}
unsafe extern "system" fn oid(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    party: NDIS_HANDLE,
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let oids = &unsafe { me(context) }.oids;
    let answer = oids.ask("ProtocolCoOidRequest", [context, vc, party], request);
    answer.unwrap_or(n::NDIS_STATUS_NOT_SUPPORTED)
}
unsafe extern "system" fn status_plain(
    context: NDIS_HANDLE,
    indication: *mut n::NDIS_STATUS_INDICATION,
) {
    // SAFETY: this driver's context.
    unsafe { me(context) }.oids.tell(null_mut(), indication);
}

unsafe extern "system" fn create_vc(
    context: NDIS_HANDLE,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    shared.vc.store(handle, SeqCst);
    shared.incoming.store(1, SeqCst);
    // SAFETY: the variable for the context.
    unsafe { out.write(context) };
    SUCCESS
}

unsafe extern "system" fn delete_vc(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    shared.vc.store(null_mut(), SeqCst);
    shared.incoming.store(0, SeqCst);
    SUCCESS
}

unsafe extern "system" fn incoming_call(
    _: NDIS_HANDLE,
    context: NDIS_HANDLE,
    params: *mut CO_CALL_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    if shared.refuse.load(SeqCst) == 1 {
        return n::NDIS_STATUS_NOT_ACCEPTED;
    }
    if shared.twist == Twist::ParametersFreed {
        // The callee frees what the caller lent: both clients use one pool.
        // SAFETY: pool memory, lent to the call, which is what is tested.
        unsafe { n::ExFreePoolWithTag(params.cast(), TAG) };
    }
    if shared.twist == Twist::AnswerTwice {
        for _ in 0..2 {
            let vc = shared.vc.load(SeqCst);
            // SAFETY: the second time breaks the rule that is tested.
            unsafe { n::NdisClIncomingCallComplete(SUCCESS, vc, params) };
        }
        return PENDING;
    }
    shared.offered.store(params, SeqCst);
    match shared.twist {
        Twist::PendsOffer | Twist::ClosesBeforeAnswer | Twist::PendsOfferOnly => PENDING,
        Twist::AnswersSlowly | Twist::TakesSlowly => {
            while shared.told.load(SeqCst) == 0 {
                // SAFETY: at PASSIVE_LEVEL, to which this host does not raise anything.
                unsafe { n::NdisMSleep(100) };
            }
            if shared.twist == Twist::TakesSlowly {
                SUCCESS
            } else {
                n::NDIS_STATUS_NOT_ACCEPTED
            }
        }
        _ => SUCCESS,
    }
}

unsafe extern "system" fn connected(context: NDIS_HANDLE) {
    // SAFETY: this driver's context.
    unsafe { me(context) }.up.store(1, SeqCst);
}

unsafe extern "system" fn incoming_close(
    _: NDIS_STATUS,
    context: NDIS_HANDLE,
    _: *mut c_void,
    _: u32,
) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    shared.told.fetch_add(1, SeqCst);
    let withdrawn = [
        Twist::PendsOffer,
        Twist::ClosesBeforeAnswer,
        Twist::AnswersSlowly,
        Twist::TakesSlowly,
    ];
    if shared.twist == Twist::PendsOffer && shared.refuse.load(SeqCst) == 0 {
        refuse(shared);
    }
    if withdrawn.contains(&shared.twist) {
        shared.up.store(1, SeqCst);
    }
    let late = shared.vc.load(SeqCst);
    if shared.twist != Twist::IgnoreIncomingClose {
        // SAFETY: as above.
        unsafe { close(shared) };
    }
    if shared.twist == Twist::ClosesBeforeAnswer {
        let status = n::NDIS_STATUS_NOT_ACCEPTED;
        // SAFETY: handles may be anything.
        unsafe { n::NdisClIncomingCallComplete(status, late, shared.offered.load(SeqCst)) };
    }
}

unsafe extern "system" fn notify_close_af(context: NDIS_HANDLE) -> NDIS_STATUS {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    shared.asked.fetch_add(1, SeqCst);
    if shared.asking.fetch_add(1, SeqCst) > 0 {
        shared.overlaps.fetch_add(1, SeqCst);
    }
    let less = |left: u32| left.checked_sub(1);
    if shared.hesitant.fetch_update(SeqCst, SeqCst, less).is_ok() {
        let af = shared.af.load(SeqCst);
        // SAFETY: an open AF, whose notification is finished before it is pended.
        unsafe { n::NdisClNotifyCloseAddressFamilyComplete(af, n::NDIS_STATUS_FAILURE) };
        let mut lock: n::KSPIN_LOCK = 0;
        for _ in 0..300 {
            // SAFETY: a lock of this frame's, where others may run.
            let level = unsafe { n::KeAcquireSpinLockRaiseToDpc(&raw mut lock) };
            // SAFETY: as above.
            unsafe { n::KeReleaseSpinLock(&raw mut lock, level) };
        }
        shared.asking.fetch_sub(1, SeqCst);
        return PENDING;
    }
    shared.asking.fetch_sub(1, SeqCst);
    if shared.unwilling.fetch_update(SeqCst, SeqCst, less).is_ok() {
        return n::NDIS_STATUS_FAILURE;
    }
    // SAFETY: as above.
    unsafe { close(shared) };
    let sap = shared.sap.swap(null_mut(), SeqCst);
    if !sap.is_null() {
        // SAFETY: a registered SAP.
        unsafe { n::NdisClDeregisterSap(sap) };
    }
    let af = shared.af.swap(null_mut(), SeqCst);
    if shared.twist == Twist::ClosesLater {
        let af = super::P(af);
        super::oids::later(move || {
            let af = af;
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(10_000) };
            // SAFETY: an open AF of this client's.
            assert_eq!(unsafe { n::NdisClCloseAddressFamily(af.0) }, SUCCESS);
            // SAFETY: the notification pends.
            unsafe { n::NdisClNotifyCloseAddressFamilyComplete(af.0, SUCCESS) };
        });
        return PENDING;
    }
    // Before the call, within which the completion may come.
    shared.closing.store(af, SeqCst);
    // SAFETY: an open AF.
    let status = unsafe { n::NdisClCloseAddressFamily(af) };
    if status == PENDING {
        return PENDING;
    }
    shared.closing.store(null_mut(), SeqCst);
    assert_eq!(status, SUCCESS);
    if shared.twist == Twist::NotifyAnsweredTwice {
        for _ in 0..2 {
            // SAFETY: the second time breaks the rule that is tested.
            unsafe { n::NdisClNotifyCloseAddressFamilyComplete(af, SUCCESS) };
        }
        return PENDING;
    }
    SUCCESS
}

unsafe extern "system" fn receive(
    context: NDIS_HANDLE,
    _: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    count: u32,
    flags: u32,
) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    shared.received.fetch_add(count, SeqCst);
    if shared.twist == Twist::HangsUpReceiving && flags != 0 {
        // SAFETY: the call stands.
        unsafe { close(shared) };
    }
    if flags & n::NDIS_RECEIVE_FLAGS_RESOURCES as u32 != 0 {
        return;
    }
    if shared.twist == Twist::KeepForEver {
        return;
    }
    if shared.twist == Twist::KeepReceived {
        shared.kept.store(lists, SeqCst);
        return;
    }
    if shared.twist == Twist::ReceivedMdlsFreed {
        // SAFETY: a list that is the client's.
        let buffer = get(unsafe { n::NET_BUFFER_LIST_FIRST_NB(lists) });
        // SAFETY: as above; nothing a retreat made is in front.
        unsafe { n::NdisAdvanceNetBufferDataStart(buffer, 3, 1, None) };
        // SAFETY: as above.
        let status = unsafe { n::NdisRetreatNetBufferDataStart(buffer, 3, 0, None) };
        assert_eq!(status, SUCCESS);
    }
    let clone = if shared.twist == Twist::ReturnUnderClone {
        // SAFETY: a list that is the client's.
        unsafe { n::NdisAllocateCloneNetBufferList(lists, null_mut(), null_mut(), 0) }
    } else {
        null_mut()
    };
    let binding = shared.binding.load(SeqCst);
    if shared.twist == Twist::ReceivesSlowly {
        // SAFETY: at PASSIVE_LEVEL, to which this host does not raise anything.
        unsafe { n::NdisMSleep(10_000) };
    }
    // SAFETY: lists that are the client's.
    unsafe { n::NdisReturnNetBufferLists(binding, lists, 0) };
    if shared.twist == Twist::HangsUpReceiving {
        // SAFETY: the call stands.
        unsafe { close(shared) };
    }
    if !clone.is_null() {
        // SAFETY: made above.
        unsafe { n::NdisFreeCloneNetBufferList(clone, 0) };
    }
    if shared.twist == Twist::ReturnTwice {
        // SAFETY: pointers to lists may be anything.
        unsafe { n::NdisReturnNetBufferLists(binding, lists, 0) };
    }
}

unsafe extern "system" fn send_complete(context: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, _: u32) {
    // SAFETY: this driver's context.
    let shared = unsafe { me(context) };
    let mut at = lists;
    while !at.is_null() {
        // SAFETY: a list that came back.
        let next = unsafe { super::mcm::next_of(at) };
        // SAFETY: as above.
        unsafe { n::NdisFreeNetBufferList(at) };
        let sent = shared.sent.fetch_add(1, SeqCst);
        if shared.twist == Twist::SendsInCompletions && sent < 20 {
            send(shared);
        }
        at = next;
    }
}

/// What a protocol driver may not allocate, or not there.
fn allocate_wrongly(shared: &Shared) {
    let (binding, protocol) = (shared.binding.load(SeqCst), shared.handle.load(SeqCst));
    match shared.twist {
        Twist::NdisWorkItem => {
            for handle in [binding, protocol] {
                // SAFETY: breaks the rule that is tested.
                assert!(unsafe { n::NdisAllocateIoWorkItem(handle) }.is_null());
            }
        }
        Twist::UrgentWorkItem => {
            let object = std::ptr::dangling_mut::<n::DEVICE_OBJECT>();
            // SAFETY: the host only asks whether there is an object.
            let item = unsafe { n::IoAllocateWorkItem(object) };
            // SAFETY: breaks the rule that is tested; the routine frees the item.
            unsafe {
                n::IoQueueWorkItemEx(item, Some(free_item), n::CriticalWorkQueue, null_mut());
            }
        }
        Twist::PoolOnBinding => {
            let mut pool: n::NET_BUFFER_POOL_PARAMETERS = zeroed();
            pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 12);
            // SAFETY: breaks the rule that is tested.
            let made = unsafe { n::NdisAllocateNetBufferPool(binding, &raw mut pool) };
            assert!(made.is_null());
            let mut timer: n::NDIS_TIMER_CHARACTERISTICS = zeroed();
            timer.TimerFunction = Some(never);
            let mut made = null_mut();
            // SAFETY: as above.
            let status =
                unsafe { n::NdisAllocateTimerObject(binding, &raw mut timer, &raw mut made) };
            assert_ne!(status, SUCCESS);
            let mut byte = 0_u8;
            // SAFETY: as above.
            let mdl = unsafe { n::NdisAllocateMdl(binding, (&raw mut byte).cast(), 1) };
            assert!(mdl.is_null());
        }
        _ => {}
    }
}

unsafe extern "system" fn free_item(_: *mut c_void, _: *mut c_void, item: n::PIO_WORKITEM) {
    // SAFETY: its own item, which is not queued any more.
    unsafe { n::IoFreeWorkItem(item) };
}

unsafe extern "system" fn never(_: *mut c_void, _: *mut c_void, _: *mut c_void, _: *mut c_void) {}
