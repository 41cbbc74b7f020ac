//! Registration of drivers, and what an adapter says about itself.

use super::options::{copy, fits, header_text, null_slots};
use crate::callback::{Callback, Context, handle};
use crate::co::world::{AdapterPhase, Asked, Miniport, Protocol};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::state::State;
use alloc::string::String;
use ndis_sys as n;
use ndis_sys::{
    DRIVER_OBJECT, NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_OBJECT_HEADER, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    PDRIVER_UNLOAD, UNICODE_STRING,
};

impl State {
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
        let (mut version, mut by_wdm) = ((0, 0), false);
        if let Some(miniport) = self.world.miniports.get(&adapter.miniport) {
            let table = &miniport.handlers.0;
            version = (table.MajorNdisVersion, table.MinorNdisVersion);
            by_wdm = table.Flags & n::NDIS_WDM_DRIVER as u32 != 0;
        }
        let edge = |wdm| {
            if wdm {
                "there is a bus driver beneath"
            } else {
                "there is none"
            }
        };
        match found {
            Attributes::Registration { context, wdm } => {
                adapter.context = Some(context);
                if wdm != by_wdm {
                    let message = alloc::format!(
                        "{call}: the registration attributes say {}, the driver's characteristics {}",
                        edge(wdm),
                        edge(by_wdm)
                    );
                    self.violate("INIT-29", Some(object), message);
                }
                n::NDIS_STATUS_SUCCESS
            }
            Attributes::General { media, power, oids } => {
                if adapter.context.is_none() {
                    let message = alloc::format!(
                        "{call}: general attributes before the registration attributes"
                    );
                    self.violate("INIT-02", Some(object), message);
                    return n::NDIS_STATUS_FAILURE;
                }
                adapter.general = true;
                adapter.oids = oids;
                adapter.media = media;
                if version >= (6, 20) && !power {
                    let message = alloc::format!(
                        "{call}: no PowerManagementCapabilitiesEx from a driver for NDIS {}.{}",
                        version.0,
                        version.1
                    );
                    self.violate("INIT-32", Some(object), message);
                }
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

/// The unload routine that NDIS gives a miniport driver's object.
unsafe extern "system" fn unload_miniport(object: *mut DRIVER_OBJECT) {
    let Some((core, _)) = crate::core::current() else {
        return;
    };
    let handler = {
        let state = core.state.lock();
        state
            .driver()
            .and_then(|driver| state.world.drivers.get(&driver)?.miniport)
            .and_then(|miniport| {
                state
                    .world
                    .miniports
                    .get(&miniport)?
                    .handlers
                    .0
                    .UnloadHandler
            })
    };
    if let Some(handler) = handler {
        // SAFETY: the driver's routine with its driver object.
        unsafe { handler(object) };
    }
}

enum Attributes {
    Registration {
        context: Context,
        /// With a bus driver beneath.
        wdm: bool,
    },
    General {
        media: i32,
        /// With what it can do about power.
        power: bool,
        /// The OIDs that it supports.
        oids: alloc::vec::Vec<u32>,
    },
    Other,
}

const REGISTER_MINIPORT: Call = Call::new("NdisMRegisterMiniportDriver").passive("IRQL-108");
const DEREGISTER_MINIPORT: Call = Call::new("NdisMDeregisterMiniportDriver").passive("IRQL-109");
const SET_ATTRIBUTES: Call = Call::new("NdisMSetMiniportAttributes").passive("IRQL-110");
const PAUSE_COMPLETE: Call = Call::new("NdisMPauseComplete").unlocked("GEN-01");
const RESTART_COMPLETE: Call = Call::new("NdisMRestartComplete").unlocked("GEN-01");
const REGISTER_PROTOCOL: Call = Call::new("NdisRegisterProtocolDriver").passive("IRQL-115");
const DEREGISTER_PROTOCOL: Call = Call::new("NdisDeregisterProtocolDriver").passive("IRQL-116");

exports! { EXPORTS {
    /// Registers a miniport driver.
    fn NdisMRegisterMiniportDriver(
        object: *mut DRIVER_OBJECT,
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
            let own = s
                .world
                .drivers
                .get(&driver)
                .is_some_and(|record| record.is_object(object));
            if !own {
                s.violate(
                    crate::rules::ARGUMENT,
                    None,
                    "NdisMRegisterMiniportDriver with another driver's object".into(),
                );
                return Err(n::NDIS_STATUS_FAILURE);
            }
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
            // SAFETY: the driver's own object, checked above.
            let member = unsafe { &raw mut (*object).DriverUnload };
            // SAFETY: as above. Where the type is `wdk-sys`'s, the member's type
            // names the same calling convention by another word.
            unsafe { member.cast::<PDRIVER_UNLOAD>().write(Some(unload_miniport)) };
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
            let structure = unsafe { &*structure };
            let wdm = n::NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM as u32;
            Attributes::Registration {
                context: Context(structure.MiniportAdapterContext),
                wdm: structure.AttributeFlags & wdm != 0,
            }
        } else if header.Type == general {
            let structure = attributes.cast::<n::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES>();
            // SAFETY: the header announces this structure.
            let media = unsafe { (*structure).MediaType };
            let power = i32::from(header.Revision)
                >= n::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2
                // SAFETY: the structure of this revision has the member.
                && unsafe { !(*structure).PowerManagementCapabilitiesEx.is_null() };
            // SAFETY: the header announces this structure.
            let list = unsafe { (*structure).SupportedOidList };
            // SAFETY: as above.
            let length = unsafe { (*structure).SupportedOidListLength };
            let oids = if list.is_null() {
                alloc::vec::Vec::new()
            } else {
                // SAFETY: the driver's list of that many bytes.
                unsafe { core::slice::from_raw_parts(list, length as usize / size_of::<u32>()) }
                    .to_vec()
            };
            Attributes::General { media, power, oids }
        } else {
            Attributes::Other
        };
        cx.done(cx.with(|s| {
            s.set_attributes("NdisMSetMiniportAttributes", adapter.addr(), found)
        }))
    }

    /// Completes a pended `MiniportPause`.
    fn NdisMPauseComplete(adapter: NDIS_HANDLE) {
        let cx = Cx::enter(PAUSE_COMPLETE, &[adapter]);
        cx.with(|s| {
            let Some(number) = s.take("NdisMPauseComplete", adapter.addr(), Kind::Adapter) else {
                return;
            };
            let object = ObjectId::new(Kind::Adapter, number);
            let (call, done) = ("NdisMPauseComplete", n::NDIS_STATUS_SUCCESS);
            if s.completes(call, "PAUSE-02", object, Asked::Pause(number), done) {
                s.check_drained(number, call);
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
            s.completes(call, "PAUSE-08", object, Asked::Restart(number), status);
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
