//! The raw stand-alone call manager: a switch for the clients of one adapter, over a
//! connection-oriented miniport that joins VCs of one channel. It has a VC of its own, on
//! which it says hello to itself.

mod calls;

use super::link::{at, free, ndis};
use super::{P, SUCCESS, TAG, get, header, put, zeroed};
use calls::*;
use ndis_host::{Driver, Host};
use ndis_sys as n;
use ndis_sys::{
    CO_ADDRESS_FAMILY, CO_CALL_PARAMETERS, CO_SAP, DRIVER_OBJECT, NDIS_HANDLE, NDIS_STATUS,
};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Where the call manager misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Slip {
    #[default]
    None,
    /// Registers its family twice.
    FamilyTwice,
    /// Registers its family from an event, long after the bind.
    FamilyLate,
    /// Registers its family with a spin lock held.
    FamilyAtDispatch,
    /// Frees its family's structure before it closes the binding.
    FamilyFreed,
    /// Has the handlers of a call manager only.
    NoProtocolHandlers,
    /// Calls the functions of MCMs too.
    AsMcm,
    /// Unbinds without a word to its clients.
    UnbindsSilently,
    /// Asks its clients to close with a spin lock held.
    NotifiesAtDispatch,
    /// Asks each client twice.
    NotifiesTwice,
    /// Closes its binding with its own VC.
    KeepsOwnVc,
    /// Makes a VC for a client on no binding of its own.
    CreatesElsewhere,
    /// Deletes a client's VC.
    DeletesClients,
    /// Deletes a VC that is active, and again while it is being deactivated.
    DeletesEarly,
    /// Activates a VC while its activation pends.
    ActivatesTwice,
    /// Frees the parameters of an activation that pends.
    FreesParameters,
    DeactivatesTwice,
    /// Deactivates while the client's call stands.
    DeactivatesUnasked,
    /// Offers a call on a VC that is not active.
    DispatchesInactive,
    /// Reports a call on a VC that is not active.
    ConnectsInactive,
    /// Completes a call twice.
    CompletesTwice,
    /// Sends on its client's VC.
    SendsOnClients,
    /// Sends on its own VC before that is active.
    SendsEarly,
    /// Names its client's VC, and asks for its string.
    Names,
    /// Changes the parameters of a call that stands.
    Changes,
    /// Has the miniport round the flow rates of its clients' VCs, of one byte a second.
    Rounds,
    /// Activates VCs with parameters that name no channel.
    NoChannel,
    /// Makes calls of its own VC.
    CallsOnOwnVc,
    /// Installs its handlers of a call manager for each binding.
    HandlersPerBinding,
    /// And again when it has registered its family.
    HandlersAgain,
    /// And from an event, long after the bind.
    HandlersLate,
}

#[derive(Clone)]
pub struct Alone {
    pub driver: Driver,
    pub shared: Arc<Shared>,
}

/// What the test and the driver both see, and what the driver has on its one binding.
pub struct Shared {
    pub slip: Slip,
    pub family: u32,
    pub oids: Arc<super::oids::Oids>,
    registered: AtomicPtr<CO_ADDRESS_FAMILY>,
    pub handle: AtomicPtr<c_void>,
    pub binding: AtomicPtr<c_void>,
    pub bind: AtomicPtr<c_void>,
    pub unbind: AtomicPtr<c_void>,
    pool: AtomicPtr<c_void>,
    mdl: AtomicPtr<n::MDL>,
    data: AtomicPtr<u8>,
    /// The frames that came back on its own VC.
    pub heard: AtomicU32,
    channels: AtomicU32,
    /// Never locked while NDIS is called.
    tables: Mutex<Tables>,
    pub statuses: Mutex<Vec<NDIS_STATUS>>,
    /// The rates both ways that came of the rounding of a client's VC.
    pub rates: Mutex<Vec<[u32; 2]>>,
}

#[derive(Default)]
struct Tables {
    afs: Vec<P<AfCtx>>,
    saps: Vec<P<Sap>>,
    own: Option<P<Vc>>,
}

struct AfCtx {
    shared: *const Shared,
    handle: NDIS_HANDLE,
}

struct Sap {
    af: *mut AfCtx,
    handle: NDIS_HANDLE,
}

/// What a VC is on its way to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
enum Stage {
    Idle,
    /// An offer was refused.
    Refused,
    /// The client closes.
    Closing,
    /// The binding goes.
    Leaving,
}

/// The call manager's third of a VC.
struct Vc {
    shared: *const Shared,
    /// None for its own.
    af: *mut AfCtx,
    handle: AtomicPtr<c_void>,
    by_client: bool,
    peer: AtomicPtr<Vc>,
    stage: AtomicU32,
    /// What the client has called with.
    params: AtomicPtr<CO_CALL_PARAMETERS>,
    sap: AtomicPtr<Sap>,
    /// What the refused call is answered with.
    answer: AtomicU32,
    /// A change of its parameters is under way.
    changing: AtomicU32,
    /// What it is activated with.
    media: AtomicPtr<Media>,
}

/// Call parameters for the miniport, in one block.
#[repr(C)]
struct Media {
    call: CO_CALL_PARAMETERS,
    media: n::CO_MEDIA_PARAMETERS,
    /// The other half, if there is one.
    manager: n::CO_CALL_MANAGER_PARAMETERS,
}

fn media(channel: u32) -> *mut Media {
    // SAFETY: plain pool memory.
    let block: *mut Media =
        unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size_of::<Media>() as _, TAG) }.cast();
    let mut value: Media = zeroed();
    value.media.MediaSpecific.Length = 4;
    // SAFETY: as large as that.
    unsafe { block.write(value) };
    // SAFETY: as above.
    let specific = unsafe { &raw mut (*block).media.MediaSpecific.Parameters };
    // SAFETY: the structure is padded to four bytes from here on.
    unsafe { specific.cast::<u32>().write_unaligned(channel) };
    // SAFETY: as above.
    let own = unsafe { &raw mut (*block).media };
    // SAFETY: as above.
    unsafe { (*block).call.MediaParameters = own };
    block
}

/// Adds flow rates, and has the miniport round them up.
fn ask_to_round(media: *mut Media) {
    // SAFETY: made by `media`.
    let flags = unsafe { &raw mut (*media).media.Flags };
    put(flags, n::ROUND_UP_FLOW as u32);
    // SAFETY: as above.
    let manager = unsafe { &raw mut (*media).manager };
    let mut half: n::CO_CALL_MANAGER_PARAMETERS = zeroed();
    half.Transmit.TokenRate = 1;
    half.Receive.TokenRate = 1;
    put(manager, half);
    // SAFETY: as above.
    put(unsafe { &raw mut (*media).call.CallMgrParameters }, manager);
}

/// The flow rates that are there now.
fn rates(media: *mut Media) -> [u32; 2] {
    // SAFETY: made by `media`.
    let half = get(unsafe { &raw mut (*media).manager });
    [half.Transmit.TokenRate, half.Receive.TokenRate]
}

impl Vc {
    fn new(
        shared: *const Shared,
        af: *mut AfCtx,
        handle: NDIS_HANDLE,
        by_client: bool,
    ) -> *mut Self {
        let channel = if af.is_null() {
            0
        } else {
            of(shared).channels.fetch_add(1, SeqCst) + 1
        };
        let media = media(channel);
        if of(shared).slip == Slip::Rounds && !af.is_null() {
            ask_to_round(media);
        }
        Box::into_raw(Box::new(Self {
            shared,
            af,
            handle: AtomicPtr::new(handle),
            by_client,
            peer: AtomicPtr::default(),
            stage: AtomicU32::new(Stage::Idle as u32),
            params: AtomicPtr::default(),
            sap: AtomicPtr::default(),
            answer: AtomicU32::new(0),
            changing: AtomicU32::new(0),
            media: AtomicPtr::new(media),
        }))
    }

    fn params(&self) -> *mut CO_CALL_PARAMETERS {
        self.media.load(SeqCst).cast()
    }
}

fn free_vc(vc: *mut Vc) {
    ndis!(ExFreePoolWithTag(at(vc).params().cast(), TAG));
    free(vc);
}

fn of<'a>(shared: *const Shared) -> &'a Shared {
    at(shared.cast_mut())
}

/// The call manager behind a context of a binding.
fn me<'a>(context: NDIS_HANDLE) -> &'a Shared {
    at(context.cast::<Shared>())
}

impl Shared {
    /// Its handle of the family that a client has open, by the order of the opens.
    pub fn af(&self, client: usize) -> NDIS_HANDLE {
        at(self.tables.lock().unwrap().afs[client].0).handle
    }

    /// Its handle of the family of this context.
    pub fn handle_of(&self, context: usize) -> NDIS_HANDLE {
        let tables = self.tables.lock().unwrap();
        let mut afs = tables.afs.iter();
        let af = afs.find(|af| af.0.addr() == context).expect("open");
        at(af.0).handle
    }

    /// The handle of its own VC.
    pub fn own_vc(&self) -> NDIS_HANDLE {
        let own = self.tables.lock().unwrap().own.expect("it has one");
        at(own.0).handle.load(SeqCst)
    }
}

impl Alone {
    pub fn load(host: &Host, slip: Slip) -> Self {
        Self::of_family(host, slip, n::CO_ADDRESS_FAMILY_TAPI)
    }

    pub fn of_family(host: &Host, slip: Slip, family: u32) -> Self {
        let shared = Arc::new(Shared {
            slip,
            family,
            oids: Arc::default(),
            registered: AtomicPtr::default(),
            handle: AtomicPtr::default(),
            binding: AtomicPtr::default(),
            bind: AtomicPtr::default(),
            unbind: AtomicPtr::default(),
            pool: AtomicPtr::default(),
            mdl: AtomicPtr::default(),
            data: AtomicPtr::default(),
            heard: AtomicU32::new(0),
            channels: AtomicU32::new(0),
            tables: Mutex::default(),
            statuses: Mutex::default(),
            rates: Mutex::default(),
        });
        let own = shared.clone();
        let driver = host
            .load_with("raw-alone", move |object, _path| entry(own, object))
            .expect("the call manager loads");
        Self { driver, shared }
    }

    /// Says hello on its own VC.
    pub fn greet(&self) {
        greet(&self.shared);
    }
}

static EXTENSION: u8 = 0;

fn entry(shared: Arc<Shared>, object: *mut DRIVER_OBJECT) -> i32 {
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
    // SAFETY: the driver's own object.
    unsafe { (*object).DriverUnload = Some(unload) };
    let mut slot: *mut c_void = null_mut();
    let id = (&raw const EXTENSION).cast_mut().cast();
    let status = ndis!(IoAllocateDriverObjectExtension(
        object,
        id,
        8,
        &raw mut slot
    ));
    assert_eq!(status, 0);
    let keep = shared.clone();
    let context = Arc::into_raw(shared);
    // SAFETY: a pointer fits in the extension.
    unsafe { slot.cast::<*const Shared>().write(context) };
    let mut handle = null_mut();
    let status = ndis!(NdisRegisterProtocolDriver(
        context.cast_mut().cast(),
        &raw mut table,
        &raw mut handle
    ));
    if status == SUCCESS {
        keep.handle.store(handle, SeqCst);
    }
    status
}

unsafe extern "system" fn unload(object: *mut DRIVER_OBJECT) {
    let id = (&raw const EXTENSION).cast_mut().cast();
    let slot: *mut *const Shared = ndis!(IoGetDriverObjectExtension(object, id)).cast();
    // SAFETY: the extension that `entry` made.
    let pointer = unsafe { slot.read() };
    // SAFETY: the count that `entry` leaked.
    let shared = unsafe { Arc::from_raw(pointer) };
    ndis!(NdisDeregisterProtocolDriver(shared.handle.load(SeqCst)));
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
    if me(context).slip != Slip::NoProtocolHandlers {
        let status = ndis!(NdisSetOptionalHandlers(driver, (&raw mut co).cast()));
        if status != SUCCESS {
            return status;
        }
    }
    if me(context).slip == Slip::HandlersPerBinding {
        return SUCCESS;
    }
    set_handlers(driver)
}

/// Installs the handlers of a call manager, for the driver or for a binding.
fn set_handlers(of: NDIS_HANDLE) -> NDIS_STATUS {
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
    cm.CmOidRequestHandler = Some(oid);
    cm.CmOidRequestCompleteHandler = Some(super::oids::complete);
    cm.CmNotifyCloseAfCompleteHandler = Some(notify_close_complete);
    ndis!(NdisSetOptionalHandlers(of, (&raw mut cm).cast()))
}

unsafe extern "system" fn bind(
    context: NDIS_HANDLE,
    bind: NDIS_HANDLE,
    parameters: *mut n::NDIS_BIND_PARAMETERS,
) -> NDIS_STATUS {
    let shared = me(context);
    let mut medium = n::NdisMediumCoWan;
    let mut index = 0u32;
    let mut open: n::NDIS_OPEN_PARAMETERS = zeroed();
    open.Header = header(n::NDIS_OBJECT_TYPE_OPEN_PARAMETERS, 1, 0x34);
    // SAFETY: the parameters of the bind.
    open.AdapterName = unsafe { (*parameters).AdapterName };
    open.MediumArray = &raw mut medium;
    open.MediumArraySize = 1;
    open.SelectedMediumIndex = &raw mut index;
    shared.bind.store(bind, SeqCst);
    let handle = shared.handle.load(SeqCst);
    let mut pool: n::NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
    pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 16);
    pool.fAllocateNetBuffer = 1;
    pool.PoolTag = TAG;
    let pool = ndis!(NdisAllocateNetBufferListPool(handle, &raw const pool));
    shared.pool.store(pool, SeqCst);
    let data: *mut u8 = ndis!(ExAllocatePoolWithTag(n::NonPagedPoolNx, 8, TAG)).cast();
    // SAFETY: as large as that.
    unsafe { data.write_bytes(0xA5, 8) };
    shared.data.store(data, SeqCst);
    let mdl = ndis!(NdisAllocateMdl(handle, data.cast(), 8));
    shared.mdl.store(mdl, SeqCst);
    let status = ndis!(NdisOpenAdapterEx(
        handle,
        context,
        &raw mut open,
        bind,
        shared.binding.as_ptr()
    ));
    if status == SUCCESS {
        opened(shared);
    }
    status
}

unsafe extern "system" fn open_complete(context: NDIS_HANDLE, status: NDIS_STATUS) {
    let shared = me(context);
    if status == SUCCESS {
        opened(shared);
    }
    ndis!(NdisCompleteBindAdapterEx(shared.bind.load(SeqCst), status));
}

/// The adapter is open: the last step of the bind.
fn opened(shared: &Shared) {
    if shared.slip == Slip::HandlersPerBinding {
        let status = set_handlers(shared.binding.load(SeqCst));
        assert_eq!(status, SUCCESS);
    }
    let own = Vc::new(shared, null_mut(), null_mut(), false);
    let mut handle: NDIS_HANDLE = null_mut();
    let binding = shared.binding.load(SeqCst);
    let status = ndis!(NdisCoCreateVc(
        binding,
        null_mut(),
        own.cast(),
        &raw mut handle
    ));
    if status == SUCCESS {
        at(own).handle.store(handle, SeqCst);
        if shared.slip == Slip::SendsEarly {
            hello(shared, handle);
        }
        activate(own);
    } else {
        // Over an MCM.
        free_vc(own);
    }
    if shared.slip != Slip::FamilyLate {
        register(shared);
    }
}

fn register(shared: &Shared) {
    // It stays as long as the binding: NDIS may show it to clients.
    let size = size_of::<CO_ADDRESS_FAMILY>();
    let family: *mut CO_ADDRESS_FAMILY =
        ndis!(ExAllocatePool2(n::POOL_FLAG_NON_PAGED, size, TAG)).cast();
    let value = CO_ADDRESS_FAMILY {
        AddressFamily: shared.family as _,
        MajorVersion: 1,
        MinorVersion: 0,
    };
    put(family, value);
    shared.registered.store(family, SeqCst);
    let binding = shared.binding.load(SeqCst);
    let mut lock: n::KSPIN_LOCK = 0;
    let mut irql = 0;
    if shared.slip == Slip::FamilyAtDispatch {
        irql = ndis!(KeAcquireSpinLockRaiseToDpc(&raw mut lock));
    }
    let times = 1 + u32::from(shared.slip == Slip::FamilyTwice);
    for _ in 0..times {
        let status = ndis!(NdisCmRegisterAddressFamilyEx(binding, family));
        shared.statuses.lock().unwrap().push(status);
    }
    if shared.slip == Slip::FamilyAtDispatch {
        ndis!(KeReleaseSpinLock(&raw mut lock, irql));
    }
    if shared.slip == Slip::HandlersAgain {
        assert_eq!(set_handlers(binding), n::NDIS_STATUS_FAILURE);
    }
    if shared.slip == Slip::AsMcm {
        let status = ndis!(NdisMCmRegisterAddressFamilyEx(binding, family));
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
    }
}

unsafe extern "system" fn unbind(unbind: NDIS_HANDLE, context: NDIS_HANDLE) -> NDIS_STATUS {
    let shared = me(context);
    shared.unbind.store(unbind, SeqCst);
    if shared.slip != Slip::UnbindsSilently {
        let afs: Vec<NDIS_HANDLE> = {
            let tables = shared.tables.lock().unwrap();
            tables.afs.iter().map(|af| at(af.0).handle).collect()
        };
        for af in afs {
            let mut lock: n::KSPIN_LOCK = 0;
            let mut irql = 0;
            if shared.slip == Slip::NotifiesAtDispatch {
                irql = ndis!(KeAcquireSpinLockRaiseToDpc(&raw mut lock));
            }
            ndis!(NdisCmNotifyCloseAddressFamily(af));
            if shared.slip == Slip::NotifiesAtDispatch {
                ndis!(KeReleaseSpinLock(&raw mut lock, irql));
            }
            if shared.slip == Slip::NotifiesTwice {
                ndis!(NdisCmNotifyCloseAddressFamily(af));
            }
        }
        while !shared.tables.lock().unwrap().afs.is_empty() {
            ndis!(NdisMSleep(100));
        }
    }
    let own = shared.tables.lock().unwrap().own;
    if let Some(own) = own.filter(|_| shared.slip == Slip::KeepsOwnVc) {
        // Only the memory goes.
        free_vc(own.0);
        shared.tables.lock().unwrap().own = None;
    } else if let Some(own) = own {
        deactivate(own.0, Stage::Leaving);
        while shared.tables.lock().unwrap().own.is_some() {
            ndis!(NdisMSleep(100));
        }
    }
    if shared.slip == Slip::FamilyFreed {
        free_family(shared);
    }
    ndis!(NdisFreeMdl(shared.mdl.swap(null_mut(), SeqCst)));
    let data = shared.data.swap(null_mut(), SeqCst);
    ndis!(ExFreePoolWithTag(data.cast(), TAG));
    ndis!(NdisFreeNetBufferListPool(
        shared.pool.swap(null_mut(), SeqCst)
    ));
    let status = ndis!(NdisCloseAdapterEx(shared.binding.load(SeqCst)));
    if status == SUCCESS {
        free_family(shared);
    }
    status
}

fn free_family(shared: &Shared) {
    let family = shared.registered.swap(null_mut(), SeqCst);
    if !family.is_null() {
        ndis!(ExFreePoolWithTag(family.cast(), TAG));
    }
}

unsafe extern "system" fn close_complete(context: NDIS_HANDLE) {
    let shared = me(context);
    free_family(shared);
    ndis!(NdisCompleteUnbindAdapterEx(shared.unbind.load(SeqCst)));
}

unsafe extern "system" fn pnp_event(
    context: NDIS_HANDLE,
    notification: *mut n::NET_PNP_EVENT_NOTIFICATION,
) -> NDIS_STATUS {
    let shared = me(context);
    // SAFETY: NDIS's notification.
    let event = unsafe { (*notification).NetPnPEvent.NetEvent };
    if event == n::NetEventRestart {
        if shared.slip == Slip::FamilyLate {
            register(shared);
        }
        if shared.slip == Slip::HandlersLate {
            let binding = shared.binding.load(SeqCst);
            assert_eq!(set_handlers(binding), n::NDIS_STATUS_FAILURE);
        }
    }
    SUCCESS
}

unsafe extern "system" fn status(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    indication: *mut n::NDIS_STATUS_INDICATION,
) {
    me(context).oids.tell(vc, indication);
}

unsafe extern "system" fn af_register_notify(_: NDIS_HANDLE, _: *mut CO_ADDRESS_FAMILY) {}
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
unsafe extern "system" fn oid(
    context: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    party: NDIS_HANDLE,
    request: *mut n::NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    let oids = &of(at(context.cast::<AfCtx>()).shared).oids;
    let answer = oids.ask("ProtocolCoOidRequest", [context, vc, party], request);
    answer.unwrap_or(n::NDIS_STATUS_NOT_SUPPORTED)
}
unsafe extern "system" fn notify_close_complete(_: NDIS_HANDLE, _: NDIS_STATUS) {}

unsafe extern "system" fn open_af(
    context: NDIS_HANDLE,
    family: *mut CO_ADDRESS_FAMILY,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let shared = me(context);
    // SAFETY: what this driver has registered, or a copy.
    let family = unsafe { (*family).AddressFamily };
    assert_eq!(family, shared.family);
    let af = Box::into_raw(Box::new(AfCtx { shared, handle }));
    shared.tables.lock().unwrap().afs.push(P(af));
    if shared.slip == Slip::AsMcm {
        let (vc, party, request) = (null_mut(), null_mut(), null_mut());
        let status = ndis!(NdisMCmOidRequest(handle, vc, party, request));
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
    }
    // SAFETY: the variable for the context.
    unsafe { out.write(af.cast()) };
    SUCCESS
}

unsafe extern "system" fn close_af(context: NDIS_HANDLE) -> NDIS_STATUS {
    let af: *mut AfCtx = context.cast();
    let shared = of(at(af).shared);
    shared.tables.lock().unwrap().afs.retain(|one| one.0 != af);
    free(af);
    SUCCESS
}

unsafe extern "system" fn register_sap(
    context: NDIS_HANDLE,
    _: *mut CO_SAP,
    handle: NDIS_HANDLE,
    out: *mut NDIS_HANDLE,
) -> NDIS_STATUS {
    let af: *mut AfCtx = context.cast();
    let sap = Box::into_raw(Box::new(Sap { af, handle }));
    let shared = of(at(af).shared);
    shared.tables.lock().unwrap().saps.push(P(sap));
    // SAFETY: the variable for the context.
    unsafe { out.write(sap.cast()) };
    SUCCESS
}

unsafe extern "system" fn deregister_sap(context: NDIS_HANDLE) -> NDIS_STATUS {
    let sap: *mut Sap = context.cast();
    let shared = of(at(at(sap).af).shared);
    shared
        .tables
        .lock()
        .unwrap()
        .saps
        .retain(|one| one.0 != sap);
    free(sap);
    SUCCESS
}
