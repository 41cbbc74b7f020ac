//! The handlers that make a driver connection-oriented.

use crate::characteristics::{copy, fits, header_text, null_slots};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::driver::Copied;
use crate::model::manager::Manager;
use crate::state::State;
use alloc::string::String;
use ndis_sys as n;
use ndis_sys::{
    NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS, NDIS_HANDLE,
    NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_OBJECT_HEADER, NDIS_PROTOCOL_CO_CHARACTERISTICS,
};

const SET_OPTIONAL: Call = Call::new("NdisSetOptionalHandlers").passive("IRQL-111");

/// What an optional set of handlers is for.
enum Optional {
    Miniport(Copied<NDIS_MINIPORT_CO_CHARACTERISTICS>),
    Manager(Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>),
    Protocol(Copied<NDIS_PROTOCOL_CO_CHARACTERISTICS>),
    Client(Copied<NDIS_CO_CLIENT_OPTIONAL_HANDLERS>),
    Other,
}

impl Optional {
    /// Puts the handlers where a protocol's are, or one binding's; `false` for a miniport's.
    fn give_to_protocol(
        self,
        co: &mut Option<Copied<NDIS_PROTOCOL_CO_CHARACTERISTICS>>,
        client: &mut Option<Copied<NDIS_CO_CLIENT_OPTIONAL_HANDLERS>>,
        cm: &mut Option<Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>>,
    ) -> bool {
        match self {
            Self::Protocol(table) => *co = Some(table),
            Self::Client(table) => *client = Some(table),
            Self::Manager(table) => *cm = Some(table),
            Self::Miniport(_) => return false,
            Self::Other => {}
        }
        true
    }
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
                let (co, client, cm) = (&mut protocol.co, &mut protocol.client, &mut protocol.cm);
                let fits = table.give_to_protocol(co, client, cm);
                self.installed_on_protocol(call, object, fits)
            }
            Lookup::Live(Kind::Binding, number) => self.install_on_binding(call, number, table),
            other => {
                self.bad_handle(call, other, "the handle of a driver that registers");
                n::NDIS_STATUS_FAILURE
            }
        }
    }
}

impl State {
    /// Handlers for one binding alone, while it is made.
    fn install_on_binding(&mut self, call: &str, number: u32, table: Optional) -> i32 {
        let object = ObjectId::new(Kind::Binding, number);
        if !self.is_being_bound(number) {
            let message = alloc::format!("{call} on {object}, whose bind is over");
            self.violate("REG-09", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        let alone = Manager::Alone { binding: number };
        let mut adapters = self.world.adapters.values();
        let serves = adapters.any(|a| a.families.iter().any(|f| f.manager == alone));
        if serves && matches!(table, Optional::Manager(_)) {
            let message = alloc::format!(
                "{call} on {object}, on which an address family is registered with others"
            );
            self.violate("AF-04", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        let Some(binding) = self.world.bindings.get_mut(&number) else {
            return n::NDIS_STATUS_FAILURE;
        };
        let (co, client, cm) = (&mut binding.co, &mut binding.client, &mut binding.cm);
        let fits = table.give_to_protocol(co, client, cm);
        self.installed_on_protocol(call, object, fits)
    }

    /// The answer to a protocol that has installed handlers, if they fit one.
    fn installed_on_protocol(&mut self, call: &str, object: ObjectId, fits: bool) -> i32 {
        if fits {
            return n::NDIS_STATUS_SUCCESS;
        }
        let message = alloc::format!("{call}: a protocol cannot have a miniport's handlers");
        self.violate("REG-07", Some(object), message);
        n::NDIS_STATUS_NOT_SUPPORTED
    }

    /// REG-12: a connection-oriented miniport that is no MCM and leaves a handler out.
    pub(crate) fn lacks_co_handlers(&self, miniport: u32) -> Option<String> {
        let miniport = self.world.miniports.get(&miniport)?;
        let table = &miniport.co.as_ref().filter(|_| miniport.cm.is_none())?.0;
        let missing = null_slots!(table; CoCreateVcHandler CoDeleteVcHandler CoActivateVcHandler
            CoDeactivateVcHandler CoSendNetBufferListsHandler CoOidRequestHandler);
        (!missing.is_empty()).then(|| alloc::format!("NULL handlers: {missing}"))
    }
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
        if table.0.CoStatusHandlerEx.is_none() {
            return Err(("STATUS-09", "no CoStatusHandlerEx".into()));
        }
        let missing = null_slots!(table.0; CoAfRegisterNotifyHandler
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

exports! { EXPORTS {
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
}}
