//! Call managers say what became of a call that a client placed or closed.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::manager::Names;
use crate::model::request::Asked;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

const MAKE_COMPLETE: Call = Call::of_managers(Names::MAKE_CALL_COMPLETE).unlocked("GEN-01");
const CLOSE_COMPLETE: Call = Call::of_managers(Names::CLOSE_CALL_COMPLETE).unlocked("GEN-01");

exports! { EXPORTS {
    /// Completes a pended `ProtocolCmMakeCall`.
    fn NdisCmMakeCallComplete(
        status: i32,
        vc: NDIS_HANDLE,
        party: NDIS_HANDLE,
        party_context: NDIS_HANDLE,
        parameters: *mut CO_CALL_PARAMETERS,
    ) {
        let cx = Cx::enter(MAKE_COMPLETE, &[vc]);
        let call = cx.name();
        cx.done(status);
        let prepared = cx.with(|s| {
            let number = s.take(call, vc.addr(), Kind::CallManagerVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            let vc = s.world.vcs.get(&number)?;
            let (context, first) = (vc.client_context, vc.first_party);
            let af = vc.af.filter(|_| vc.by_client);
            let Some(af) = af else {
                let message = alloc::format!("{call} on {object}, which is no client's");
                s.violate("CALL-72", Some(object), message);
                return None;
            };
            if !s.completes(call, "CALL-13", object, Asked::MakeCall(number), status) {
                return None;
            }
            let expected = first
                .and_then(|party| s.world.parties.get(&party))
                .map_or(0, |party| party.manager_raw);
            if party.addr() != expected {
                let message = alloc::format!(
                    "{call} on {object}: the party handle is not the one of ProtocolCmMakeCall"
                );
                s.violate("CALL-15", Some(object), message);
            }
            let mut party_raw = 0;
            if status == n::NDIS_STATUS_SUCCESS {
                let who = s.who();
                s.check_active(call, who.clone(), number);
                // SAFETY: the call manager's parameters.
                unsafe { s.check_placed(call, who, number, parameters) };
                if let Some(record) = first.and_then(|party| s.world.parties.get_mut(&party)) {
                    record.manager_context = Context(party_context);
                    party_raw = record.client_raw;
                }
                if let Some(vc) = s.world.vcs.get_mut(&number) {
                    vc.placed();
                }
            } else {
                s.call_over(number);
            }
            let handler = s.world.client(af)?.ClMakeCallCompleteHandler?;
            let callback = s.to_client("ProtocolClMakeCallComplete", af, object);
            Some((context, party_raw, handler, callback))
        });
        if let Some((context, party_raw, handler, callback)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context.
                unsafe { handler(status, context.0, handle(party_raw), parameters) };
            });
        }
    }

    /// Completes a pended `ProtocolCmCloseCall`.
    fn NdisCmCloseCallComplete(status: i32, vc: NDIS_HANDLE, _party: NDIS_HANDLE) {
        let cx = Cx::enter(CLOSE_COMPLETE, &[vc]);
        let call = cx.name();
        cx.done(status);
        let prepared = cx.with(|s| {
            let number = s.take(call, vc.addr(), Kind::CallManagerVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "CALL-52", object, Asked::CloseCall(number), status) {
                return None;
            }
            let vc = s.world.vcs.get(&number)?;
            let (af, context, first) = (vc.af?, vc.client_context, vc.first_party);
            let party_context = first
                .and_then(|party| s.world.parties.get(&party))
                .map_or(Context::NULL, |party| party.client_context);
            let who = s.who();
            s.close_answered(call, who, number, status);
            let handler = s.world.client(af)?.ClCloseCallCompleteHandler?;
            let callback = s.to_client("ProtocolClCloseCallComplete", af, object);
            Some((context, party_context, handler, callback))
        });
        if let Some((context, party_context, handler, callback)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own contexts.
                unsafe { handler(status, context.0, party_context.0) };
            });
        }
    }
}}
