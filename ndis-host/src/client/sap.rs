//! Clients register service access points, to be called at.

use crate::callback::{Context, Ptr, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::manager::sap::deregistered;
use crate::model::af::AfPhase;
use crate::model::request::Asked;
use crate::model::sap::Sap;
use crate::readings::DeregisterSapResult;
use crate::settle::Settled;
use ndis_sys as n;
use ndis_sys::{CO_SAP, NDIS_HANDLE};

const REGISTER: Call = Call::new("NdisClRegisterSap");
const DEREGISTER: Call = Call::new("NdisClDeregisterSap");

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
            // SAFETY: as above.
            unsafe { s.check_telephony_sap(call, af, sap) };
            let what = alloc::format!("the CO_SAP of {object} is being registered");
            let loan = s.memory.lend(sap.addr(), "SAP-04", Some(object), &what);
            let record = Sap::new((client_raw, manager_raw), af, Context(context), Ptr(sap));
            s.world.saps.insert(number, record);
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
                        sap.registered(Context(slot));
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

    /// Deregisters a SAP.
    fn NdisClDeregisterSap(sap: NDIS_HANDLE) -> i32 {
        let call = DEREGISTER.name;
        let cx = Cx::enter(DEREGISTER, &[sap]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let failure = n::NDIS_STATUS_FAILURE;
            let number = s.take(call, sap.addr(), Kind::ClientSap).ok_or(failure)?;
            let object = ObjectId::new(Kind::ClientSap, number);
            let sap = s.world.saps.get_mut(&number).ok_or(failure)?;
            if !sap.registered {
                let message = alloc::format!("{call} on {object}, whose registration is pending");
                s.violate("SAP-01", Some(object), message);
                return Err(failure);
            }
            sap.leaving = true;
            let (af, context, client) = (sap.af, sap.manager_context, sap.client_raw);
            s.handles.kill(client);
            let handler = s.world.manager(af).and_then(|m| m.CmDeregisterSapHandler);
            let Some(handler) = handler else {
                // A call manager that has gone without a word is reported (BIND-19).
                s.end_sap(number);
                return Err(n::NDIS_STATUS_SUCCESS);
            };
            let callback = s.to_manager("ProtocolCmDeregisterSap", af, object);
            let question = s.question(callback, Asked::DeregisterSap(number), None);
            Ok((number, context, handler, question))
        });
        let (number, context, handler, question) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
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
}}
