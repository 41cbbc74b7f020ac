//! Protocol drivers register and deregister.

use crate::callback::{Callback, Context, handle};
use crate::characteristics::{copy, fits, header_text, null_slots};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::driver::Protocol;
use crate::state::State;
use alloc::string::String;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS};

const REGISTER_PROTOCOL: Call = Call::new("NdisRegisterProtocolDriver").passive("IRQL-115");
const DEREGISTER_PROTOCOL: Call = Call::new("NdisDeregisterProtocolDriver").passive("IRQL-116");

impl State {
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
}

exports! { EXPORTS {
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
        crate::pnp::unbind_protocol(&cx, number);
        cx.with(|s| {
            s.end_configurations(Kind::ProtocolDriver, number, "CFG-08", call);
            s.handles.kill(protocol.addr());
            s.world.protocols.remove(&number);
            s.histories.end(ObjectId::new(Kind::ProtocolDriver, number));
        });
    }
}}
