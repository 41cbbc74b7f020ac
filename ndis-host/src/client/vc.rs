//! Clients make VCs for their outgoing calls and delete them.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::af::AfPhase;
use crate::model::vc::Activity;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const CO_CREATE: Call = Call::new("NdisCoCreateVc").unlocked("VC-10");
const CO_DELETE: Call = Call::new("NdisCoDeleteVc").unlocked("VC-26");

/// Runs the call manager's deletion of a VC that the client has deleted.
pub(crate) fn delete_at_manager(cx: &Cx, number: u32) -> i32 {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get(&number)?;
        let (af, context) = (vc.af, vc.manager_context);
        let handler = s.world.manager(af)?.CmDeleteVcHandler?;
        Some((
            s.to_manager("ProtocolCoDeleteVc", af, object),
            context,
            handler,
        ))
    });
    let Some((callback, context, handler)) = prepared else {
        return n::NDIS_STATUS_FAILURE;
    };
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
    status
}

exports! { EXPORTS {
    /// Makes a VC for a client's outgoing calls.
    fn NdisCoCreateVc(
        binding: NDIS_HANDLE,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let call = CO_CREATE.name;
        let cx = Cx::enter(CO_CREATE, &[binding, af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let prepared = cx.with(|s| {
            s.check_out(call, out);
            if s.is_mcm_handle(binding.addr()) {
                s.wrong_set(call, "NdisMCmCreateVc", binding.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let Some(binding) = s.take(call, binding.addr(), Kind::Binding) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let Some(af) = s.take_client_af(call, af.addr()) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let Some(record) = s.world.afs.get(&af) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let manager_context = record.manager_context;
            if record.binding != binding {
                let object = ObjectId::new(Kind::ClientAf, af);
                let message = alloc::format!("{call}: {object} is not of that binding");
                s.violate("VC-07", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if record.phase != AfPhase::Open {
                let object = ObjectId::new(Kind::ClientAf, af);
                let message = alloc::format!("{call} on {object}, which is not open");
                s.violate("AF-13", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let handler = s.world.manager(af).and_then(|m| m.CmCreateVcHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            let made = s.make_vc(af, true, Context(context));
            let (number, client_raw, manager_raw) = made.ok_or(n::NDIS_STATUS_RESOURCES)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let callback = s.to_manager("ProtocolCoCreateVc", af, object);
            Ok((number, client_raw, manager_raw, manager_context, handler, callback))
        });
        let (number, client_raw, manager_raw, manager_context, handler, callback) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let object = ObjectId::new(Kind::ClientVc, number);
        cx.about(object);
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let status = cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(manager_context.0, handle(manager_raw), &raw mut slot) }
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
                vc.manager_context = Context(slot);
            }
        });
        // SAFETY: the caller's variable for the result.
        unsafe { out.write(handle(client_raw)) };
        cx.done(status)
    }

    /// Deletes a client's VC.
    fn NdisCoDeleteVc(vc: NDIS_HANDLE) -> i32 {
        let call = CO_DELETE.name;
        let cx = Cx::enter(CO_DELETE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            if s.is_mcm_handle(vc.addr()) {
                s.wrong_set(call, "NdisMCmDeleteVc", vc.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let number = s
                .take(call, vc.addr(), Kind::ClientVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if s.world.vcs.get(&number).is_some_and(|vc| !vc.by_client) {
                let message = alloc::format!("{call} on {object}, which the call manager made");
                s.violate("VC-22", Some(object), message);
                return Err(n::NDIS_STATUS_NOT_ACCEPTED);
            }
            s.deletable(call, number)?;
            let Some(record) = s.world.vcs.get_mut(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let waits = record.activity != Activity::Inactive;
            if waits {
                // The call manager has completed the close and will deactivate.
                record.deleting = true;
                s.handles.kill(vc.addr());
            }
            Ok((number, waits))
        });
        let (number, waits) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        if waits {
            return cx.done(n::NDIS_STATUS_SUCCESS);
        }
        cx.done(delete_at_manager(&cx, number))
    }
}}
