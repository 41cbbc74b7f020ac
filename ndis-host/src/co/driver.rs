//! Registration of drivers, and what an adapter says about itself.

use crate::co::world::{AdapterPhase, Copied, Miniport, Protocol};
use crate::cx::{Call, Callback, Context, Cx, handle};
use crate::export::exports;
use crate::handle::{Kind, Lookup, ObjectId};
use crate::state::State;
use alloc::string::String;
use core::mem::MaybeUninit;
use ndis_sys as n;
use ndis_sys::{
    DRIVER_OBJECT, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS,
    NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_ATTRIBUTES, NDIS_MINIPORT_CO_CHARACTERISTICS,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_OBJECT_HEADER, NDIS_PROTOCOL_CO_CHARACTERISTICS,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, UNICODE_STRING,
};

/// Copies a structure of which `size` bytes are there.
///
/// # Safety
///
/// `from` points to `size` readable bytes, and zeroes are a valid `T`.
unsafe fn copy<T>(from: *const T, size: usize) -> Copied<T> {
    let mut copy = MaybeUninit::<T>::zeroed();
    let size = size.min(size_of::<T>());
    // SAFETY: `size` bytes are readable by contract, and as many fit.
    unsafe {
        core::ptr::copy_nonoverlapping(from.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), size);
    };
    // SAFETY: zeroes are valid by contract, and the rest is the caller's `T`.
    Copied(unsafe { copy.assume_init() })
}

/// Whether `header` is what a structure of this type needs.
fn fits(header: NDIS_OBJECT_HEADER, kind: u8, least: usize) -> bool {
    header.Type == kind && header.Revision >= 1 && usize::from(header.Size) >= least
}

macro_rules! null_slots {
    ($table:expr; $($slot:ident)+) => {{
        let mut names = String::new();
        $(if $table.$slot.is_none() {
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(stringify!($slot));
        })+
        names
    }};
}

fn header_text(header: NDIS_OBJECT_HEADER) -> String {
    alloc::format!(
        "type {:#x}, revision {}, size {}",
        header.Type,
        header.Revision,
        header.Size
    )
}

/// What an optional set of handlers is for.
enum Optional {
    Miniport(Copied<NDIS_MINIPORT_CO_CHARACTERISTICS>),
    Manager(Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>),
    Protocol(Copied<NDIS_PROTOCOL_CO_CHARACTERISTICS>),
    Client(Copied<NDIS_CO_CLIENT_OPTIONAL_HANDLERS>),
    Other,
}

/// Reads a set of optional handlers; the error is a rule and what breaks it.
///
/// # Safety
///
/// `from` points to the structure that its header announces.
unsafe fn read_optional(
    from: *const NDIS_OBJECT_HEADER,
) -> Result<Optional, (&'static str, String)> {
    // SAFETY: every such structure starts with a header.
    let header = unsafe { from.read() };
    let size = usize::from(header.Size);
    let wrong = |rule| {
        Err((
            rule,
            alloc::format!("the header says {}", header_text(header)),
        ))
    };
    if header.Type == n::NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS as u8 {
        let least = size_of::<NDIS_MINIPORT_CO_CHARACTERISTICS>();
        if !fits(header, header.Type, least) {
            return wrong("REG-22");
        }
        // SAFETY: the header announces this type and the size is enough.
        let table: Copied<NDIS_MINIPORT_CO_CHARACTERISTICS> = unsafe { copy(from.cast(), size) };
        let missing = null_slots!(table.0; CoSendNetBufferListsHandler CoOidRequestHandler);
        if !missing.is_empty() {
            return Err(("REG-11", alloc::format!("NULL handlers: {missing}")));
        }
        return Ok(Optional::Miniport(table));
    }
    if header.Type == n::NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS as u8 {
        // The size constant stops before the last slot (REG-20), which the
        // documentation demands nevertheless: the whole structure is read.
        let whole = size_of::<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>();
        if !fits(header, header.Type, whole - size_of::<usize>()) {
            return wrong("REG-19");
        }
        // SAFETY: the header announces this type, whose last slot is there.
        let table: Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS> =
            unsafe { copy(from.cast(), whole) };
        let missing = null_slots!(table.0; CmCreateVcHandler CmDeleteVcHandler CmOpenAfHandler
            CmCloseAfHandler CmRegisterSapHandler CmDeregisterSapHandler CmMakeCallHandler
            CmCloseCallHandler CmIncomingCallCompleteHandler CmAddPartyHandler CmDropPartyHandler
            CmActivateVcCompleteHandler CmDeactivateVcCompleteHandler CmModifyCallQoSHandler);
        if !missing.is_empty() {
            return Err(("REG-13", alloc::format!("NULL handlers: {missing}")));
        }
        let missing = null_slots!(table.0; CmOidRequestHandler CmOidRequestCompleteHandler
            CmNotifyCloseAfCompleteHandler);
        if !missing.is_empty() {
            return Err(("REG-18", alloc::format!("NULL handlers: {missing}")));
        }
        return Ok(Optional::Manager(table));
    }
    if header.Type == n::NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS as u8 {
        let least = size_of::<NDIS_PROTOCOL_CO_CHARACTERISTICS>();
        if !fits(header, header.Type, least) {
            return wrong("REG-23");
        }
        // SAFETY: the header announces this type and the size is enough.
        let table: Copied<NDIS_PROTOCOL_CO_CHARACTERISTICS> = unsafe { copy(from.cast(), size) };
        let missing = null_slots!(table.0; CoStatusHandlerEx CoAfRegisterNotifyHandler
            CoReceiveNetBufferListsHandler CoSendNetBufferListsCompleteHandler);
        if !missing.is_empty() {
            return Err(("REG-45", alloc::format!("NULL handlers: {missing}")));
        }
        return Ok(Optional::Protocol(table));
    }
    if header.Type == n::NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS as u8 {
        let least = size_of::<NDIS_CO_CLIENT_OPTIONAL_HANDLERS>();
        if !fits(header, header.Type, least) {
            return wrong("REG-21");
        }
        // SAFETY: the header announces this type and the size is enough.
        let table: Copied<NDIS_CO_CLIENT_OPTIONAL_HANDLERS> = unsafe { copy(from.cast(), size) };
        let missing = null_slots!(table.0; ClCreateVcHandler ClDeleteVcHandler ClOidRequestHandler
            ClOidRequestCompleteHandler ClOpenAfCompleteHandlerEx ClCloseAfCompleteHandler
            ClRegisterSapCompleteHandler ClDeregisterSapCompleteHandler ClMakeCallCompleteHandler
            ClModifyCallQoSCompleteHandler ClCloseCallCompleteHandler ClAddPartyCompleteHandler
            ClDropPartyCompleteHandler ClIncomingCallHandler ClIncomingCallQoSChangeHandler
            ClIncomingCloseCallHandler ClIncomingDropPartyHandler ClCallConnectedHandler
            ClNotifyCloseAfHandler);
        if !missing.is_empty() {
            return Err(("REG-15", alloc::format!("NULL handlers: {missing}")));
        }
        return Ok(Optional::Client(table));
    }
    Ok(Optional::Other)
}

impl State {
    fn install(&mut self, call: &'static str, raw: usize, table: Optional) -> i32 {
        match self.handles.look(raw) {
            Lookup::Live(Kind::MiniportDriver, number) => {
                let Some(miniport) = self.world.miniports.get_mut(&number) else {
                    return n::NDIS_STATUS_FAILURE;
                };
                let object = ObjectId::new(Kind::MiniportDriver, number);
                if !miniport.setting_options {
                    let message = alloc::format!("{call} outside MiniportSetOptions");
                    self.violate("REG-04", Some(object), message);
                    return n::NDIS_STATUS_FAILURE;
                }
                match table {
                    Optional::Miniport(table) => miniport.co = Some(table),
                    Optional::Manager(table) => miniport.cm = Some(table),
                    Optional::Protocol(_) | Optional::Client(_) => {
                        let message =
                            alloc::format!("{call}: a miniport cannot have a protocol's handlers");
                        self.violate("REG-06", Some(object), message);
                        return n::NDIS_STATUS_NOT_SUPPORTED;
                    }
                    Optional::Other => {}
                }
                n::NDIS_STATUS_SUCCESS
            }
            Lookup::Live(Kind::ProtocolDriver, number) => {
                let Some(protocol) = self.world.protocols.get_mut(&number) else {
                    return n::NDIS_STATUS_FAILURE;
                };
                let object = ObjectId::new(Kind::ProtocolDriver, number);
                if !protocol.setting_options {
                    let message =
                        alloc::format!("{call} with a driver handle outside ProtocolSetOptions");
                    self.violate("REG-05", Some(object), message);
                    return n::NDIS_STATUS_FAILURE;
                }
                match table {
                    Optional::Protocol(table) => protocol.co = Some(table),
                    Optional::Client(table) => protocol.client = Some(table),
                    Optional::Manager(table) => protocol.cm = Some(table),
                    Optional::Miniport(_) => {
                        let message =
                            alloc::format!("{call}: a protocol cannot have a miniport's handlers");
                        self.violate("REG-07", Some(object), message);
                        return n::NDIS_STATUS_NOT_SUPPORTED;
                    }
                    Optional::Other => {}
                }
                n::NDIS_STATUS_SUCCESS
            }
            Lookup::Live(Kind::Binding, number) => {
                // Per binding (REG-09); the host keeps one set a protocol.
                let protocol = self.world.bindings.get(&number).map(|b| b.protocol);
                let Some(protocol) = protocol.and_then(|p| self.world.protocols.get_mut(&p)) else {
                    return n::NDIS_STATUS_FAILURE;
                };
                match table {
                    Optional::Protocol(table) => protocol.co = Some(table),
                    Optional::Client(table) => protocol.client = Some(table),
                    Optional::Manager(table) => protocol.cm = Some(table),
                    Optional::Miniport(_) => return n::NDIS_STATUS_NOT_SUPPORTED,
                    Optional::Other => {}
                }
                n::NDIS_STATUS_SUCCESS
            }
            other => {
                self.bad_handle(call, other, "the handle of a driver that registers");
                n::NDIS_STATUS_FAILURE
            }
        }
    }

    fn check_miniport(
        &self,
        table: &NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    ) -> Result<(), (i32, &'static str, String)> {
        let header = table.Header;
        let kind = n::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS as u8;
        let least = n::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
        if !fits(header, kind, least) {
            return Err((
                n::NDIS_STATUS_BAD_CHARACTERISTICS,
                "REG-36",
                alloc::format!("the header says {}", header_text(header)),
            ));
        }
        if table.MajorNdisVersion != 6 {
            return Err((
                n::NDIS_STATUS_BAD_VERSION,
                "REG-36",
                alloc::format!(
                    "NDIS {}.{} is declared",
                    table.MajorNdisVersion,
                    table.MinorNdisVersion
                ),
            ));
        }
        let missing = null_slots!(table; InitializeHandlerEx HaltHandlerEx UnloadHandler
            PauseHandler RestartHandler ReturnNetBufferListsHandler CancelSendHandler
            DevicePnPEventNotifyHandler ShutdownHandlerEx CancelOidRequestHandler);
        if !missing.is_empty() {
            return Err((
                n::NDIS_STATUS_BAD_CHARACTERISTICS,
                "REG-42",
                alloc::format!("NULL handlers: {missing}"),
            ));
        }
        if table.CheckForHangHandlerEx.is_some() != table.ResetHandlerEx.is_some() {
            return Err((
                n::NDIS_STATUS_BAD_CHARACTERISTICS,
                "REG-41",
                "a check-for-hang handler without a reset handler, or the other way round".into(),
            ));
        }
        Ok(())
    }

    fn check_protocol(
        &self,
        table: &NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    ) -> Result<(), (i32, &'static str, String)> {
        let header = table.Header;
        let kind = n::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS as u8;
        let least = n::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
        if !fits(header, kind, least) {
            return Err((
                n::NDIS_STATUS_BAD_CHARACTERISTICS,
                "REG-36",
                alloc::format!("the header says {}", header_text(header)),
            ));
        }
        if table.MajorNdisVersion != 6 {
            return Err((
                n::NDIS_STATUS_BAD_VERSION,
                "REG-36",
                alloc::format!(
                    "NDIS {}.{} is declared",
                    table.MajorNdisVersion,
                    table.MinorNdisVersion
                ),
            ));
        }
        let missing = null_slots!(table; BindAdapterHandlerEx UnbindAdapterHandlerEx
            OpenAdapterCompleteHandlerEx CloseAdapterCompleteHandlerEx NetPnPEventHandler);
        if !missing.is_empty() {
            return Err((
                n::NDIS_STATUS_BAD_CHARACTERISTICS,
                "REG-42",
                alloc::format!("NULL handlers: {missing}"),
            ));
        }
        Ok(())
    }

    fn set_attributes(&mut self, call: &'static str, raw: usize, found: Attributes) -> i32 {
        let Some(number) = self.take(call, raw, Kind::Adapter) else {
            return n::NDIS_STATUS_FAILURE;
        };
        let object = ObjectId::new(Kind::Adapter, number);
        let Some(adapter) = self.world.adapters.get_mut(&number) else {
            return n::NDIS_STATUS_FAILURE;
        };
        if adapter.phase != AdapterPhase::Initializing {
            let message = alloc::format!("{call} after MiniportInitializeEx has returned");
            self.violate("INIT-01", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        match found {
            Attributes::Registration(context) => {
                adapter.context = Some(context);
                n::NDIS_STATUS_SUCCESS
            }
            Attributes::General(media) => {
                if adapter.context.is_none() {
                    let message = alloc::format!(
                        "{call}: general attributes before the registration attributes"
                    );
                    self.violate("INIT-02", Some(object), message);
                    return n::NDIS_STATUS_FAILURE;
                }
                adapter.general = true;
                adapter.media = media;
                n::NDIS_STATUS_SUCCESS
            }
            Attributes::Other => {
                if !adapter.general {
                    let message =
                        alloc::format!("{call}: other attributes before the general ones");
                    self.violate("INIT-02", Some(object), message);
                    return n::NDIS_STATUS_FAILURE;
                }
                n::NDIS_STATUS_SUCCESS
            }
        }
    }
}

enum Attributes {
    Registration(Context),
    General(i32),
    Other,
}

const REGISTER_MINIPORT: Call = Call::new("NdisMRegisterMiniportDriver").passive("IRQL-108");
const DEREGISTER_MINIPORT: Call = Call::new("NdisMDeregisterMiniportDriver").passive("IRQL-109");
const SET_ATTRIBUTES: Call = Call::new("NdisMSetMiniportAttributes").passive("IRQL-110");
const SET_OPTIONAL: Call = Call::new("NdisSetOptionalHandlers").passive("IRQL-111");
const PAUSE_COMPLETE: Call = Call::new("NdisMPauseComplete").unlocked("GEN-01");
const RESTART_COMPLETE: Call = Call::new("NdisMRestartComplete").unlocked("GEN-01");
const REGISTER_PROTOCOL: Call = Call::new("NdisRegisterProtocolDriver").passive("IRQL-115");
const DEREGISTER_PROTOCOL: Call = Call::new("NdisDeregisterProtocolDriver").passive("IRQL-116");

exports! { EXPORTS {
    /// Registers a miniport driver.
    fn NdisMRegisterMiniportDriver(
        _object: *mut DRIVER_OBJECT,
        _path: *mut UNICODE_STRING,
        context: NDIS_HANDLE,
        characteristics: *mut NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(REGISTER_MINIPORT, &[]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if characteristics.is_null() || out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        // SAFETY: the caller's structure, which starts with its header.
        let size = unsafe { (*characteristics).Header.Size };
        // SAFETY: the header says how much of the structure is there.
        let table = unsafe { copy(characteristics.cast_const(), size.into()) };
        let made = cx.with(|s| {
            if let Err((status, rule, text)) = s.check_miniport(&table.0) {
                let message = alloc::format!("NdisMRegisterMiniportDriver: {text}");
                s.violate(rule, None, message);
                return Err(status);
            }
            let (Some(driver), who) = (s.driver(), s.who()) else {
                s.violate(
                    crate::rules::ARGUMENT,
                    None,
                    "NdisMRegisterMiniportDriver outside a driver".into(),
                );
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let number = s.number(Kind::MiniportDriver);
            let raw = s.handles.make(Kind::MiniportDriver, number);
            let options = table.0.SetOptionsHandler;
            s.world.miniports.insert(
                number,
                Miniport {
                    raw,
                    driver,
                    who: who.clone(),
                    context: Context(context),
                    handlers: table,
                    co: None,
                    cm: None,
                    setting_options: true,
                },
            );
            if let Some(record) = s.world.drivers.get_mut(&driver) {
                record.miniport = Some(number);
            }
            let callback = Callback {
                name: "MiniportSetOptions",
                driver,
                who,
                passive: Some("IRQL-125"),
                objects: [Some(ObjectId::new(Kind::MiniportDriver, number)), None, None],
            };
            Ok((number, raw, options, callback))
        });
        let (number, raw, options, callback) = match made {
            Ok(made) => made,
            Err(status) => return cx.done(status),
        };
        cx.about(ObjectId::new(Kind::MiniportDriver, number));
        // SAFETY: the caller's variable for the result. NDIS documents it as
        // not yet available inside MiniportSetOptions, so it is written after.
        let status = match options {
            Some(options) => cx.call(&callback, || {
                // SAFETY: the driver's handler, called as documented.
                unsafe { options(handle(raw), context) }
            }),
            None => n::NDIS_STATUS_SUCCESS,
        };
        cx.with(|s| {
            if status == n::NDIS_STATUS_SUCCESS {
                if let Some(miniport) = s.world.miniports.get_mut(&number) {
                    miniport.setting_options = false;
                }
            } else {
                s.handles.kill(raw);
                if let Some(miniport) = s.world.miniports.remove(&number)
                    && let Some(record) = s.world.drivers.get_mut(&miniport.driver)
                {
                    record.miniport = None;
                }
            }
        });
        if status == n::NDIS_STATUS_SUCCESS {
            // SAFETY: the caller's variable for the result.
            unsafe { out.write(handle(raw)) };
        }
        cx.done(status)
    }

    /// Undoes `NdisMRegisterMiniportDriver`.
    fn NdisMDeregisterMiniportDriver(driver: NDIS_HANDLE) {
        let cx = Cx::enter(DEREGISTER_MINIPORT, &[driver]);
        cx.with(|s| {
            let call = "NdisMDeregisterMiniportDriver";
            let Some(number) = s.take(call, driver.addr(), Kind::MiniportDriver) else {
                return;
            };
            let object = ObjectId::new(Kind::MiniportDriver, number);
            let adapters = s
                .world
                .adapters
                .values()
                .filter(|adapter| adapter.miniport == number)
                .count();
            if adapters > 0 {
                let message =
                    alloc::format!("{call} while {adapters} adapters of the driver are there");
                s.violate("HALT-17", Some(object), message);
            }
            s.handles.kill(driver.addr());
            if let Some(miniport) = s.world.miniports.remove(&number)
                && let Some(record) = s.world.drivers.get_mut(&miniport.driver)
            {
                record.miniport = None;
            }
            s.histories.end(object);
        });
    }

    /// Tells NDIS about an adapter that is being initialized.
    fn NdisMSetMiniportAttributes(
        adapter: NDIS_HANDLE,
        attributes: *mut NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    ) -> i32 {
        let cx = Cx::enter(SET_ATTRIBUTES, &[adapter]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if attributes.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        // SAFETY: each of the union's structures starts with a header.
        let header = unsafe { attributes.cast::<NDIS_OBJECT_HEADER>().read() };
        let registration = n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES as u8;
        let general = n::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES as u8;
        let found = if header.Type == registration {
            let structure = attributes.cast::<n::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES>();
            // SAFETY: the header announces this structure.
            Attributes::Registration(Context(unsafe { (*structure).MiniportAdapterContext }))
        } else if header.Type == general {
            let structure = attributes.cast::<n::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES>();
            // SAFETY: the header announces this structure.
            Attributes::General(unsafe { (*structure).MediaType })
        } else {
            Attributes::Other
        };
        cx.done(cx.with(|s| {
            s.set_attributes("NdisMSetMiniportAttributes", adapter.addr(), found)
        }))
    }

    /// Installs handlers beyond the ones of the registration.
    fn NdisSetOptionalHandlers(
        driver: NDIS_HANDLE,
        handlers: *mut core::ffi::c_void,
    ) -> i32 {
        let call = "NdisSetOptionalHandlers";
        let cx = Cx::enter(SET_OPTIONAL, &[driver]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if handlers.is_null() {
            return cx.done(n::NDIS_STATUS_SUCCESS);
        }
        // SAFETY: the caller's structure starts with a header.
        let table = match unsafe { read_optional(handlers.cast_const().cast()) } {
            Ok(table) => table,
            Err((rule, text)) => {
                let object = cx.with(|s| s.handles.look(driver.addr()).object());
                cx.with(|s| s.violate(rule, object, alloc::format!("{call}: {text}")));
                return cx.done(n::NDIS_STATUS_FAILURE);
            }
        };
        cx.done(cx.with(|s| s.install(call, driver.addr(), table)))
    }

    /// Completes a pended `MiniportPause`.
    fn NdisMPauseComplete(adapter: NDIS_HANDLE) {
        let cx = Cx::enter(PAUSE_COMPLETE, &[adapter]);
        cx.with(|s| {
            let Some(number) = s.take("NdisMPauseComplete", adapter.addr(), Kind::Adapter) else {
                return;
            };
            let object = ObjectId::new(Kind::Adapter, number);
            let asked = s
                .world
                .adapters
                .get_mut(&number)
                .is_some_and(|adapter| adapter.pause.complete());
            if asked {
                s.check_drained(number, "NdisMPauseComplete");
            } else {
                s.not_asked("NdisMPauseComplete", "PAUSE-02", object);
            }
        });
    }

    /// Completes a pended `MiniportRestart`.
    fn NdisMRestartComplete(adapter: NDIS_HANDLE, status: i32) {
        let cx = Cx::enter(RESTART_COMPLETE, &[adapter]);
        cx.done(status);
        cx.with(|s| {
            let call = "NdisMRestartComplete";
            let Some(number) = s.take(call, adapter.addr(), Kind::Adapter) else {
                return;
            };
            let object = ObjectId::new(Kind::Adapter, number);
            if !s.final_status(call, status, object) {
                return;
            }
            let asked = s.world.adapters.get_mut(&number).is_some_and(|adapter| {
                adapter.restart_status = status;
                adapter.restart.complete()
            });
            if !asked {
                s.not_asked(call, "PAUSE-08", object);
            }
        });
    }

    /// Registers a protocol driver.
    fn NdisRegisterProtocolDriver(
        context: NDIS_HANDLE,
        characteristics: *mut NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(REGISTER_PROTOCOL, &[]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if characteristics.is_null() || out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        // SAFETY: the caller's structure, which starts with its header.
        let size = unsafe { (*characteristics).Header.Size };
        // SAFETY: the header says how much of the structure is there.
        let table = unsafe { copy(characteristics.cast_const(), size.into()) };
        let made = cx.with(|s| {
            if let Err((status, rule, text)) = s.check_protocol(&table.0) {
                let message = alloc::format!("NdisRegisterProtocolDriver: {text}");
                s.violate(rule, None, message);
                return Err(status);
            }
            let (Some(driver), who) = (s.driver(), s.who()) else {
                s.violate(
                    crate::rules::ARGUMENT,
                    None,
                    "NdisRegisterProtocolDriver outside a driver".into(),
                );
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let number = s.number(Kind::ProtocolDriver);
            let raw = s.handles.make(Kind::ProtocolDriver, number);
            let options = table.0.SetOptionsHandler;
            s.world.protocols.insert(
                number,
                Protocol {
                    raw,
                    driver,
                    who: who.clone(),
                    context: Context(context),
                    handlers: table,
                    co: None,
                    client: None,
                    cm: None,
                    setting_options: true,
                    leaving: false,
                },
            );
            let callback = Callback {
                name: "ProtocolSetOptions",
                driver,
                who,
                passive: Some("IRQL-126"),
                objects: [Some(ObjectId::new(Kind::ProtocolDriver, number)), None, None],
            };
            Ok((number, raw, options, callback))
        });
        let (number, raw, options, callback) = match made {
            Ok(made) => made,
            Err(status) => return cx.done(status),
        };
        cx.about(ObjectId::new(Kind::ProtocolDriver, number));
        let status = match options {
            Some(options) => cx.call(&callback, || {
                // SAFETY: the driver's handler, called as documented.
                unsafe { options(handle(raw), context) }
            }),
            None => n::NDIS_STATUS_SUCCESS,
        };
        cx.with(|s| {
            if status != n::NDIS_STATUS_SUCCESS {
                s.handles.kill(raw);
                s.world.protocols.remove(&number);
                return;
            }
            if let Some(protocol) = s.world.protocols.get_mut(&number) {
                protocol.setting_options = false;
            }
            // The protocol is bound to every adapter that is there, perhaps
            // before this call has returned (REG-27).
            s.queue_binding_of(number);
        });
        if status == n::NDIS_STATUS_SUCCESS {
            // SAFETY: the caller's variable for the result.
            unsafe { out.write(handle(raw)) };
        }
        cx.done(status)
    }

    /// Undoes `NdisRegisterProtocolDriver`, after unbinding from every adapter.
    fn NdisDeregisterProtocolDriver(protocol: NDIS_HANDLE) {
        let call = "NdisDeregisterProtocolDriver";
        let cx = Cx::enter(DEREGISTER_PROTOCOL, &[protocol]);
        let number = cx.with(|s| {
            let number = s.take(call, protocol.addr(), Kind::ProtocolDriver)?;
            let object = ObjectId::new(Kind::ProtocolDriver, number);
            let inside = s.sched.current().and_then(|task| {
                task.frames
                    .iter()
                    .map(|frame| frame.name)
                    .find(|name| name.starts_with("Protocol") || name.starts_with("Miniport"))
            });
            if let Some(inside) = inside
                && inside != "MiniportDriverUnload"
            {
                let message = alloc::format!("{call} from {inside}, a function that NDIS called");
                s.violate("REG-29", Some(object), message);
                return None;
            }
            if let Some(protocol) = s.world.protocols.get_mut(&number) {
                protocol.leaving = true;
            }
            Some(number)
        });
        let Some(number) = number else {
            return;
        };
        crate::co::pnp::unbind_protocol(&cx, number);
        cx.with(|s| {
            s.handles.kill(protocol.addr());
            s.world.protocols.remove(&number);
            s.histories.end(ObjectId::new(Kind::ProtocolDriver, number));
        });
    }
}}
