//! Service access points: registered by clients to be called at.

use crate::callback::{Context, Ptr, handle};
use crate::co::settle::Settled;
use crate::co::world::{AfPhase, Asked, Request, Sap};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::readings::DeregisterSapResult;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::{CO_SAP, NDIS_HANDLE};

const REGISTER: Call = Call::new("NdisClRegisterSap");
const REGISTER_COMPLETE: Call = Call::new("NdisMCmRegisterSapComplete").unlocked("GEN-01");
const DEREGISTER: Call = Call::new("NdisClDeregisterSap");
const DEREGISTER_COMPLETE: Call = Call::new("NdisMCmDeregisterSapComplete").unlocked("GEN-01");

impl State {
    /// Removes a SAP.
    pub(crate) fn end_sap(&mut self, number: u32) {
        if let Some(sap) = self.world.saps.remove(&number) {
            self.handles.kill(sap.client_raw);
            self.handles.kill(sap.manager_raw);
            self.memory.give_back(sap.register.loan);
        }
        self.histories.end(ObjectId::new(Kind::ClientSap, number));
    }
}

/// Tells the client that its SAP is deregistered.
fn deregistered(cx: &Cx, number: u32, status: i32) {
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
    /// Registers a SAP.
    fn NdisClRegisterSap(
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        sap: *mut CO_SAP,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let call = REGISTER.name;
        let cx = Cx::enter(REGISTER, &[af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if sap.is_null() || out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let prepared = cx.with(|s| {
            let af = s.take_client_af(call, af.addr())?;
            let record = s.world.afs.get(&af)?;
            if record.phase != AfPhase::Open {
                let object = ObjectId::new(Kind::ClientAf, af);
                let message = alloc::format!("{call} on {object} before its open has completed");
                s.violate("SAP-01", Some(object), message);
                return None;
            }
            let manager_context = record.manager_context;
            if s.faults.allocation() {
                return None;
            }
            let number = s.number(Kind::ClientSap);
            let object = ObjectId::new(Kind::ClientSap, number);
            let client_raw = s.handles.make(Kind::ClientSap, number);
            let manager_raw = s.handles.make(Kind::CallManagerSap, number);
            // SAFETY: the client's structure, as far as its memory goes.
            unsafe { s.check_sap(call, ObjectId::new(Kind::ClientAf, af), sap) };
            let what = alloc::format!("the CO_SAP of {object} is being registered");
            let loan = s.memory.lend(sap.addr(), "SAP-04", Some(object), &what);
            s.world.saps.insert(
                number,
                Sap {
                    client_raw,
                    manager_raw,
                    af,
                    client_context: Context(context),
                    manager_context: Context::NULL,
                    sap: Ptr(sap),
                    registered: false,
                    register: Request::default(),
                    deregister: Request::default(),
                    leaving: false,
                },
            );
            let handler = s.world.manager(af)?.CmRegisterSapHandler?;
            let callback = s.to_manager("ProtocolCmRegisterSap", af, object);
            let question = s.question(callback, Asked::RegisterSap(number), loan);
            Some((number, client_raw, manager_raw, manager_context, handler, question))
        });
        let Some((number, client_raw, manager_raw, manager_context, handler, question)) = prepared
        else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        cx.about(ObjectId::new(Kind::ClientSap, number));
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its own context; the SAP is the
            // client's and stays valid until the registration completes.
            unsafe { handler(manager_context.0, sap, handle(manager_raw), &raw mut slot) }
        });
        match settled {
            Settled::Now(n::NDIS_STATUS_SUCCESS) => {
                cx.with(|s| {
                    if let Some(sap) = s.world.saps.get_mut(&number) {
                        sap.manager_context = Context(slot);
                        sap.registered = true;
                    }
                });
                // SAFETY: the caller's variable for the result.
                unsafe { out.write(handle(client_raw)) };
                cx.done(n::NDIS_STATUS_SUCCESS)
            }
            Settled::Now(status) => {
                cx.with(|s| s.end_sap(number));
                cx.done(status)
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }

    /// Completes a pended `ProtocolCmRegisterSap`.
    fn NdisCmRegisterSapComplete(status: i32, sap: NDIS_HANDLE, context: NDIS_HANDLE) {
        let call = REGISTER_COMPLETE.name;
        let cx = Cx::enter(REGISTER_COMPLETE, &[sap]);
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
                sap.registered = true;
                sap.manager_context = Context(context);
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

    /// Deregisters a SAP.
    fn NdisClDeregisterSap(sap: NDIS_HANDLE) -> i32 {
        let call = DEREGISTER.name;
        let cx = Cx::enter(DEREGISTER, &[sap]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let number = s.take(call, sap.addr(), Kind::ClientSap)?;
            let object = ObjectId::new(Kind::ClientSap, number);
            let sap = s.world.saps.get_mut(&number)?;
            if !sap.registered {
                let message = alloc::format!("{call} on {object}, whose registration is pending");
                s.violate("SAP-01", Some(object), message);
                return None;
            }
            sap.leaving = true;
            let (af, context, client) = (sap.af, sap.manager_context, sap.client_raw);
            s.handles.kill(client);
            let handler = s.world.manager(af)?.CmDeregisterSapHandler?;
            let callback = s.to_manager("ProtocolCmDeregisterSap", af, object);
            let question = s.question(callback, Asked::DeregisterSap(number), None);
            Some((number, context, handler, question))
        });
        let Some((number, context, handler, question)) = prepared else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        let object = ObjectId::new(Kind::ClientSap, number);
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(context.0) }
        });
        match settled {
            Settled::Now(status) => {
                if status != n::NDIS_STATUS_SUCCESS {
                    let message = alloc::format!(
                        "ProtocolCmDeregisterSap returned {}",
                        crate::status::Name(status)
                    );
                    let who = question.callback.who.clone();
                    cx.with(|s| s.violate_by(who, "SAP-21", Some(object), message));
                }
                let tell = cx.with(|s| {
                    s.readings.deregister_sap_result == DeregisterSapResult::PendingThenCallback
                });
                if tell {
                    deregistered(&cx, number, n::NDIS_STATUS_SUCCESS);
                    cx.done(n::NDIS_STATUS_PENDING)
                } else {
                    cx.with(|s| s.end_sap(number));
                    cx.done(n::NDIS_STATUS_SUCCESS)
                }
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }

    /// Completes a pended `ProtocolCmDeregisterSap`.
    fn NdisCmDeregisterSapComplete(status: i32, sap: NDIS_HANDLE) {
        let call = DEREGISTER_COMPLETE.name;
        let cx = Cx::enter(DEREGISTER_COMPLETE, &[sap]);
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
