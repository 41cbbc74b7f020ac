//! Call managers make VCs for incoming calls and delete them.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::manager::Manager;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const CREATE: Call = Call::new("NdisMCmCreateVc").unlocked("VC-10");
const DELETE: Call = Call::new("NdisMCmDeleteVc").unlocked("VC-26");

exports! { EXPORTS {
    /// Makes a VC for an incoming call.
    fn NdisMCmCreateVc(
        adapter: NDIS_HANDLE,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let call = CREATE.name;
        let cx = Cx::enter(CREATE, &[adapter, af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let prepared = cx.with(|s| {
            s.check_out(call, out);
            let adapter = s
                .take_adapter(call, adapter.addr())
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let af = s
                .take(call, af.addr(), Kind::CallManagerAf)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let Some(record) = s.world.afs.get(&af) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let client_context = record.client_context;
            if record.served_by != (Manager::Mcm { adapter }) {
                let object = ObjectId::new(Kind::ClientAf, af);
                let message = alloc::format!("{call}: {object} is not of that adapter");
                s.violate("VC-06", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if !record.is_usable() {
                // The client is closing it; the call manager could not know.
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let handler = s.world.client(af).and_then(|c| c.ClCreateVcHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            let made = s.make_vc(af, false, Context(context));
            let (number, client_raw, manager_raw) = made.ok_or(n::NDIS_STATUS_RESOURCES)?;
            s.join_call(number);
            let object = ObjectId::new(Kind::ClientVc, number);
            let callback = s.to_client("ProtocolCoCreateVc", af, object);
            Ok((number, client_raw, manager_raw, client_context, handler, callback))
        });
        let (number, client_raw, manager_raw, client_context, handler, callback) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let object = ObjectId::new(Kind::ClientVc, number);
        cx.about(object);
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let status = cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(client_context.0, handle(client_raw), &raw mut slot) }
        });
        if status != n::NDIS_STATUS_SUCCESS {
            cx.with(|s| {
                if status == n::NDIS_STATUS_PENDING {
                    let message = alloc::format!("ProtocolCoCreateVc of {object} returned PENDING");
                    s.violate_by(callback.who.clone(), "VC-12", Some(object), message);
                }
                s.end_vc(number);
            });
            return cx.done(if status == n::NDIS_STATUS_PENDING {
                n::NDIS_STATUS_FAILURE
            } else {
                status
            });
        }
        cx.with(|s| {
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.client_context = Context(slot);
            }
        });
        // SAFETY: the caller's variable for the result.
        unsafe { out.write(handle(manager_raw)) };
        cx.done(status)
    }

    /// Deletes a VC that the call manager made.
    fn NdisMCmDeleteVc(vc: NDIS_HANDLE) -> i32 {
        let call = DELETE.name;
        let cx = Cx::enter(DELETE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let number = s
                .take(call, vc.addr(), Kind::CallManagerVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if s.world.vcs.get(&number).is_some_and(|vc| vc.by_client) {
                let message = alloc::format!("{call} on {object}, which the client made");
                s.violate("VC-22", Some(object), message);
                return Err(n::NDIS_STATUS_NOT_ACCEPTED);
            }
            s.deletable(call, number)?;
            let Some(record) = s.world.vcs.get(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let (af, context) = (record.af, record.client_context);
            let handler = s.world.client(af).and_then(|c| c.ClDeleteVcHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            Ok((number, context, handler, s.to_client("ProtocolCoDeleteVc", af, object)))
        });
        let (number, context, handler, callback) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let object = ObjectId::new(Kind::ClientVc, number);
        let status = cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(context.0) }
        });
        cx.with(|s| {
            if status == n::NDIS_STATUS_PENDING {
                let message = alloc::format!("ProtocolCoDeleteVc of {object} returned PENDING");
                s.violate_by(callback.who.clone(), "VC-14", Some(object), message);
            }
            if status == n::NDIS_STATUS_SUCCESS || status == n::NDIS_STATUS_PENDING {
                s.end_vc(number);
            }
        });
        cx.done(status)
    }
}}
