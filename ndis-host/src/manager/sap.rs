//! Call managers say what became of the registration of a SAP and of its end.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::manager::Names;
use crate::model::request::Asked;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const REGISTER_COMPLETE: Call = Call::of_managers(Names::REGISTER_SAP_COMPLETE).unlocked("GEN-01");
const DEREGISTER_COMPLETE: Call =
    Call::of_managers(Names::DEREGISTER_SAP_COMPLETE).unlocked("GEN-01");

/// Tells the client that its SAP is deregistered.
pub(crate) fn deregistered(cx: &Cx, number: u32, status: i32) {
    let prepared = cx.with(|s| {
        let object = ObjectId::new(Kind::ClientSap, number);
        let sap = s.world.saps.get(&number)?;
        let (af, context) = (sap.af, sap.client_context);
        let callback = s.to_client("ProtocolClDeregisterSapComplete", af, object);
        let handler = s.world.client(af)?.ClDeregisterSapCompleteHandler?;
        s.end_sap(number);
        Some((callback, context, handler))
    });
    if let Some((callback, context, handler)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(status, context.0) };
        });
    }
}

exports! { EXPORTS {
    /// Completes a pended `ProtocolCmRegisterSap`.
    fn NdisCmRegisterSapComplete(status: i32, sap: NDIS_HANDLE, context: NDIS_HANDLE) {
        let cx = Cx::enter(REGISTER_COMPLETE, &[sap]);
        let call = cx.name();
        cx.done(status);
        let prepared = cx.with(|s| {
            let number = s.take(call, sap.addr(), Kind::CallManagerSap)?;
            let object = ObjectId::new(Kind::ClientSap, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "SAP-19", object, Asked::RegisterSap(number), status) {
                return None;
            }
            let sap = s.world.saps.get_mut(&number)?;
            let success = status == n::NDIS_STATUS_SUCCESS;
            if success {
                sap.registered(Context(context));
            }
            let (af, client, pointer) = (sap.af, sap.client_context, sap.sap);
            let raw = if success { sap.client_raw } else { 0 };
            let callback = s.to_client("ProtocolClRegisterSapComplete", af, object);
            let handler = s.world.client(af)?.ClRegisterSapCompleteHandler?;
            if !success {
                s.end_sap(number);
            }
            Some((callback, handler, client, pointer, raw))
        });
        if let Some((callback, handler, client, pointer, raw)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context and SAP.
                unsafe { handler(status, client.0, pointer.0, handle(raw)) };
            });
        }
    }

    /// Completes a pended `ProtocolCmDeregisterSap`.
    fn NdisCmDeregisterSapComplete(status: i32, sap: NDIS_HANDLE) {
        let cx = Cx::enter(DEREGISTER_COMPLETE, &[sap]);
        let call = cx.name();
        cx.done(status);
        let number = cx.with(|s| {
            let number = s.take(call, sap.addr(), Kind::CallManagerSap)?;
            let object = ObjectId::new(Kind::ClientSap, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "SAP-23", object, Asked::DeregisterSap(number), status) {
                return None;
            }
            if status != n::NDIS_STATUS_SUCCESS {
                let message = alloc::format!(
                    "{call} reports {}; the only status allowed is SUCCESS",
                    crate::status::Name(status)
                );
                s.violate("SAP-23", Some(object), message);
            }
            Some(number)
        });
        if let Some(number) = number {
            deregistered(&cx, number, status);
        }
    }
}}
