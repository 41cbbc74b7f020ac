//! Miniport drivers register and deregister.

use crate::callback::{Callback, Context, handle};
use crate::characteristics::{copy, fits, header_text, null_slots};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::driver::Miniport;
use crate::state::State;
use alloc::string::String;
use ndis_sys as n;
use ndis_sys::{
    DRIVER_OBJECT, NDIS_HANDLE, NDIS_MINIPORT_DRIVER_CHARACTERISTICS, PDRIVER_UNLOAD,
    UNICODE_STRING,
};

const REGISTER_MINIPORT: Call = Call::new("NdisMRegisterMiniportDriver").passive("IRQL-108");
const DEREGISTER_MINIPORT: Call = Call::new("NdisMDeregisterMiniportDriver").passive("IRQL-109");

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
        let lacks = cx.with(|s| {
            let text = s.lacks_co_handlers(number).filter(|_| status == n::NDIS_STATUS_SUCCESS)?;
            let object = ObjectId::new(Kind::MiniportDriver, number);
            let message = alloc::format!("NdisMRegisterMiniportDriver: {text}");
            s.violate("REG-12", Some(object), message);
            Some(n::NDIS_STATUS_BAD_CHARACTERISTICS)
        });
        let status = lacks.unwrap_or(status);
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
            s.end_configurations(Kind::MiniportDriver, number, "CFG-08", call);
            s.check_devices_gone(call, number);
            s.handles.kill(driver.addr());
            if let Some(miniport) = s.world.miniports.remove(&number)
                && let Some(record) = s.world.drivers.get_mut(&miniport.driver)
            {
                record.miniport = None;
            }
            s.histories.end(object);
        });
    }
}}
