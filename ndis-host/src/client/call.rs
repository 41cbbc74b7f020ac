//! Clients place calls, answer those that are offered, and hang up.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::party::Party;
use crate::model::request::Asked;
use crate::model::vc::CallPhase;
use crate::readings::{VcAfterClose, WithdrawnOfferAnswer};
use crate::settle::Settled;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

const MAKE: Call = Call::new("NdisClMakeCall");
const CLOSE: Call = Call::new("NdisClCloseCall");
const INCOMING_COMPLETE: Call = Call::new("NdisClIncomingCallComplete").unlocked("GEN-01");

/// Tells the call manager how the client answered an offer.
pub(crate) fn answered(cx: &Cx, number: u32, status: i32, parameters: *mut CO_CALL_PARAMETERS) {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get(&number)?;
        if vc.withdrawn && s.readings.withdrawn_offer_answer == WithdrawnOfferAnswer::KeptBack {
            s.note(
                Some(object),
                "the offer was withdrawn: its answer ends here",
            );
            return None;
        }
        let (af, context) = (vc.af?, vc.manager_context);
        let handler = s.world.manager(af)?.CmIncomingCallCompleteHandler?;
        let callback = s.to_manager("ProtocolCmIncomingCallComplete", af, object);
        Some((context, handler, callback))
    });
    if let Some((context, handler, callback)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context and parameters.
            unsafe { handler(status, context.0, parameters) };
        });
    }
    cx.with(|s| s.refusal_known(number));
}

exports! { EXPORTS {
    /// Places a call.
    fn NdisClMakeCall(
        vc: NDIS_HANDLE,
        parameters: *mut CO_CALL_PARAMETERS,
        party_context: NDIS_HANDLE,
        party_out: *mut NDIS_HANDLE,
    ) -> i32 {
        let call = MAKE.name;
        let cx = Cx::enter(MAKE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let number = s
                .take(call, vc.addr(), Kind::ClientVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let Some(vc) = s.world.vcs.get(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let (by_client, phase, calls) = (vc.by_client, vc.phase, vc.calls);
            let af = vc.af.ok_or(n::NDIS_STATUS_FAILURE)?;
            if parameters.is_null() {
                let message = alloc::format!("{call} on {object} without call parameters");
                s.violate("CALL-01", Some(object), message);
                return Err(n::NDIS_STATUS_INVALID_DATA);
            }
            if !by_client {
                let message =
                    alloc::format!("{call} on {object}, which the call manager made");
                s.violate("VC-01", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if phase != CallPhase::None {
                let message = alloc::format!("{call} on {object}, which has a call ({phase})");
                s.violate("VC-53", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if calls > 0 && s.readings.vc_after_close == VcAfterClose::DeleteOnly {
                let message = alloc::format!(
                    "{call} on {object} after the close of its call (reading vc_after_close)"
                );
                s.violate("CALL-55", Some(object), message);
                return Err(n::NDIS_STATUS_CLOSING);
            }
            let multipoint = !party_context.is_null();
            if multipoint == party_out.is_null() {
                let message = alloc::format!(
                    "{call} on {object}: a party context and a party handle go together"
                );
                s.violate("CALL-04", Some(object), message);
                return Err(n::NDIS_STATUS_INVALID_DATA);
            }
            if s.refuses_calls(af) {
                return Err(n::NDIS_STATUS_NOT_ACCEPTED);
            }
            let handler = s.world.manager(af).and_then(|m| m.CmMakeCallHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            let mut party = None;
            if multipoint {
                let number_of_party = s.number(Kind::ClientParty);
                let client_raw = s.handles.make(Kind::ClientParty, number_of_party);
                let manager_raw = s.handles.make(Kind::CallManagerParty, number_of_party);
                s.world.parties.insert(
                    number_of_party,
                    Party {
                        client_raw,
                        manager_raw,
                        vc: number,
                        client_context: Context(party_context),
                        manager_context: Context::NULL,
                    },
                );
                party = Some((number_of_party, client_raw, manager_raw));
            }
            // SAFETY: the client's parameters, as far as its memory goes.
            unsafe { s.check_call_parameters(call, "CALL-01", object, parameters) };
            // SAFETY: as above.
            unsafe { s.note_flow(number, parameters) };
            s.new_call(number);
            let what = alloc::format!("the call on {object} is being made with these parameters");
            let loan = s.memory.lend(parameters.addr(), "CALL-02", Some(object), &what);
            let Some(vc) = s.world.vcs.get_mut(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            vc.place(party.map(|(party, ..)| party));
            let context = vc.manager_context;
            let callback = s.to_manager("ProtocolCmMakeCall", af, object);
            let question = s.question(callback, Asked::MakeCall(number), loan);
            Ok((number, context, party, handler, question))
        });
        let (number, context, party, handler, question) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let party_raw = party.map_or(0, |(_, _, raw)| raw);
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its own context; the parameters
            // are the client's and stay valid until the call has completed.
            unsafe { handler(context.0, parameters, handle(party_raw), &raw mut slot) }
        });
        match settled {
            Settled::Now(status) => {
                cx.with(|s| {
                    if status != n::NDIS_STATUS_SUCCESS {
                        s.call_over(number);
                        return;
                    }
                    let who = question.callback.who.clone();
                    s.check_active("ProtocolCmMakeCall", who.clone(), number);
                    // SAFETY: the client's parameters, which stay until the call is made.
                    unsafe { s.check_placed("ProtocolCmMakeCall", who, number, parameters) };
                    if let Some((party, ..)) = party
                        && let Some(record) = s.world.parties.get_mut(&party)
                    {
                        record.manager_context = Context(slot);
                    }
                    if let Some(vc) = s.world.vcs.get_mut(&number) {
                        vc.placed();
                    }
                });
                if status == n::NDIS_STATUS_SUCCESS
                    && let Some((_, raw, _)) = party
                {
                    // SAFETY: the caller's variable for the result.
                    unsafe { party_out.write(handle(raw)) };
                }
                cx.done(status)
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }

    /// Closes a call.
    fn NdisClCloseCall(
        vc: NDIS_HANDLE,
        party: NDIS_HANDLE,
        buffer: *mut c_void,
        size: u32,
    ) -> i32 {
        let call = CLOSE.name;
        let cx = Cx::enter(CLOSE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let failure = n::NDIS_STATUS_FAILURE;
            let number = s.take(call, vc.addr(), Kind::ClientVc).ok_or(failure)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            s.check_data(call, object, buffer, size);
            let vc = s.world.vcs.get(&number).ok_or(failure)?;
            let af = vc.af.ok_or(failure)?;
            let (phase, sends) = (vc.phase, vc.sends);
            let (context, first) = (vc.manager_context, vc.first_party);
            if !matches!(
                phase,
                CallPhase::Up
                    | CallPhase::Accepted
                    | CallPhase::Connected
                    | CallPhase::Withdrawn
            ) {
                let message = alloc::format!(
                    "{call} on {object}, which has no call to close ({phase})"
                );
                s.violate("CALL-70", Some(object), message);
                return Err(failure);
            }
            if sends > 0 {
                let message = alloc::format!("{call} on {object} with {sends} sends outstanding");
                s.violate("CALL-42", Some(object), message);
            }
            let expected = first
                .and_then(|party| s.world.parties.get(&party))
                .map_or(0, |party| party.client_raw);
            if party.addr() != expected {
                let message = alloc::format!("{call} on {object}: not the handle of its last party");
                s.violate("CALL-45", Some(object), message);
            }
            let party_context = first
                .and_then(|party| s.world.parties.get(&party))
                .map_or(Context::NULL, |party| party.manager_context);
            let handler = s.world.manager(af).and_then(|m| m.CmCloseCallHandler);
            let vc = s.world.vcs.get_mut(&number).ok_or(failure)?;
            vc.begin_close();
            // An offer that was withdrawn ends here, unless its handler still runs.
            let loan = if vc.offer.pended() {
                vc.offer.loan.take()
            } else {
                None
            };
            s.memory.give_back(loan);
            let Some(handler) = handler else {
                // A call manager that has gone without a word is reported (BIND-19).
                s.call_over(number);
                return Err(n::NDIS_STATUS_SUCCESS);
            };
            let callback = s.to_manager("ProtocolCmCloseCall", af, object);
            let question = s.question(callback, Asked::CloseCall(number), None);
            Ok((number, context, party_context, handler, question))
        });
        let (number, context, party_context, handler, question) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its own contexts; the close data
            // is the client's and stays valid until the close has completed.
            unsafe { handler(context.0, party_context.0, buffer, size) }
        });
        match settled {
            Settled::Now(status) => {
                let who = question.callback.who.clone();
                cx.with(|s| s.close_answered("ProtocolCmCloseCall", who, number, status));
                cx.done(status)
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }

    /// Answers an offered call that was pended.
    fn NdisClIncomingCallComplete(
        status: i32,
        vc: NDIS_HANDLE,
        parameters: *mut CO_CALL_PARAMETERS,
    ) {
        let call = INCOMING_COMPLETE.name;
        let cx = Cx::enter(INCOMING_COMPLETE, &[vc]);
        cx.done(status);
        let number = cx.with(|s| {
            let number = s.take(call, vc.addr(), Kind::ClientVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "CALL-29", object, Asked::OfferCall(number), status) {
                return None;
            }
            s.world.vcs.get_mut(&number)?.take_answer(status);
            Some(number)
        });
        if let Some(number) = number {
            answered(&cx, number, status, parameters);
        }
    }
}}
