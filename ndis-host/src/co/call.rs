//! Calls that a client places, and the closing of calls from either end.

use crate::callback::{Context, handle};
use crate::co::settle::Settled;
use crate::co::world::{Activity, AdapterPhase, Asked, CallPhase, Party};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::readings::{CallControlWhilePaused, CloseOrder, VcAfterClose};
use crate::state::State;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};
const MAKE: Call = Call::new("NdisClMakeCall");
const MAKE_COMPLETE: Call = Call::new("NdisMCmMakeCallComplete").unlocked("GEN-01");
const CLOSE: Call = Call::new("NdisClCloseCall");
const CLOSE_COMPLETE: Call = Call::new("NdisMCmCloseCallComplete").unlocked("GEN-01");

impl State {
    /// Gives an outgoing call its number.
    fn new_call(&mut self, vc: u32) {
        self.world.last_call += 1;
        let call = self.world.last_call;
        self.world.calls.insert(vc, call);
    }

    /// Guesses which call an incoming leg belongs to, for the log alone: the one
    /// that the running code is about, else the oldest that has one leg only.
    pub(crate) fn join_call(&mut self, vc: u32) {
        let from_frames = self
            .sched
            .current()
            .and_then(|task| task.frames.iter().rev().find_map(|frame| frame.about));
        let call = from_frames.or_else(|| {
            let mut legs = alloc::collections::BTreeMap::new();
            for (vc, record) in &self.world.vcs {
                if let Some(call) = self.world.calls.get(vc) {
                    let entry = legs.entry(*call).or_insert((0u32, false));
                    entry.0 += 1;
                    entry.1 |= record.phase == CallPhase::Making;
                }
            }
            legs.into_iter()
                .find(|(_, (count, making))| *count == 1 && *making)
                .map(|(call, _)| call)
        });
        match call {
            Some(call) => {
                self.world.calls.insert(vc, call);
            }
            None => self.new_call(vc),
        }
    }

    pub(super) fn refuses_calls(&self, af: u32) -> bool {
        self.readings.call_control_while_paused == CallControlWhilePaused::Refused
            && self
                .world
                .afs
                .get(&af)
                .and_then(|af| self.world.adapters.get(&af.adapter))
                .is_none_or(|a| a.phase != AdapterPhase::Running)
    }

    /// GEN-08: a size without a buffer, or the other way round.
    pub(super) fn check_data(
        &mut self,
        call: &str,
        object: ObjectId,
        buffer: *mut c_void,
        size: u32,
    ) {
        if buffer.is_null() != (size == 0) {
            let message = alloc::format!(
                "{call}: the buffer is {} and its size is {size}",
                if buffer.is_null() { "NULL" } else { "not NULL" }
            );
            self.violate("GEN-08", Some(object), message);
        }
    }

    /// CALL-10: a successful call has an active VC.
    fn check_active(&mut self, call: &str, who: alloc::sync::Arc<str>, number: u32) {
        let object = ObjectId::new(Kind::ClientVc, number);
        let activity = self.world.vcs.get(&number).map(|vc| vc.activity);
        if activity != Some(Activity::Active) {
            let message = alloc::format!(
                "{call} reports success for {object}, which is not active ({})",
                match activity {
                    Some(activity) => alloc::format!("{activity}"),
                    None => "gone".into(),
                }
            );
            self.violate_by(who, "CALL-10", Some(object), message);
        }
    }

    /// The call on a VC has ended.
    fn call_over(&mut self, number: u32) {
        let mut party = None;
        if let Some(vc) = self.world.vcs.get_mut(&number) {
            vc.phase = CallPhase::None;
            vc.refusals = 0;
            vc.incoming_close = false;
            vc.told = false;
            vc.blamed = false;
            vc.heard_at = u64::MAX;
            party = vc.first_party.take();
        }
        if let Some(party) = party {
            self.end_party(party);
        }
    }

    /// Clients that were told of a hang-up and have not answered (CALL-62). The answer
    /// waits for the client's own sends (CALL-42), and while a run goes on it may still
    /// come; so it is due when nothing is left to do. `binding`: when that ends.
    pub(crate) fn check_unanswered(&mut self, binding: Option<u32>) {
        let found: alloc::vec::Vec<_> = self
            .world
            .vcs
            .iter()
            .filter(|(_, vc)| {
                vc.told
                    && !vc.blamed
                    && vc.sends == 0
                    && !matches!(vc.phase, CallPhase::None | CallPhase::Closing)
            })
            .filter_map(|(number, vc)| {
                let af = self.world.afs.get(&vc.af)?;
                binding
                    .is_none_or(|b| af.binding == b)
                    .then(|| (ObjectId::new(Kind::ClientVc, *number), af.client.clone()))
            })
            .collect();
        for (object, who) in found {
            let message = alloc::format!(
                "ProtocolClIncomingCloseCall for {object} was never answered with NdisClCloseCall"
            );
            self.violate_by(who, "CALL-62", Some(object), message);
            if let Some(vc) = self.world.vcs.get_mut(&object.number) {
                vc.blamed = true;
            }
        }
    }

    /// The call manager has closed a call, or has refused to.
    fn close_answered(&mut self, call: &str, who: alloc::sync::Arc<str>, number: u32, status: i32) {
        if status == n::NDIS_STATUS_SUCCESS {
            self.check_close_order(call, who, number);
            self.call_over(number);
        } else if let Some(vc) = self.world.vcs.get_mut(&number) {
            vc.phase = vc.before_close;
            vc.refusals = vc.refusals.saturating_add(1);
        }
    }

    fn check_close_order(&mut self, call: &str, who: alloc::sync::Arc<str>, number: u32) {
        let object = ObjectId::new(Kind::ClientVc, number);
        let active = self
            .world
            .vcs
            .get(&number)
            .is_some_and(|vc| matches!(vc.activity, Activity::Active | Activity::Activating));
        if active && self.readings.close_order == CloseOrder::DeactivateFirst {
            let message = alloc::format!(
                "{call} reports the close of {object} while it is active (reading close_order)"
            );
            self.violate_by(who, "CALL-49", Some(object), message);
        }
    }
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
            let (af, by_client, phase, calls) = (vc.af, vc.by_client, vc.phase, vc.calls);
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
            s.new_call(number);
            let what = alloc::format!("the call on {object} is being made with these parameters");
            let loan = s.memory.lend(parameters.addr(), "CALL-02", Some(object), &what);
            let Some(vc) = s.world.vcs.get_mut(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            vc.phase = CallPhase::Making;
            vc.calls += 1;
            vc.multipoint = multipoint;
            vc.first_party = party.map(|(party, ..)| party);
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
                    s.check_active("ProtocolCmMakeCall", who, number);
                    if let Some((party, ..)) = party
                        && let Some(record) = s.world.parties.get_mut(&party)
                    {
                        record.manager_context = Context(slot);
                    }
                    if let Some(vc) = s.world.vcs.get_mut(&number) {
                        vc.phase = CallPhase::Up;
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

    /// Completes a pended `ProtocolCmMakeCall`.
    fn NdisCmMakeCallComplete(
        status: i32,
        vc: NDIS_HANDLE,
        party: NDIS_HANDLE,
        party_context: NDIS_HANDLE,
        parameters: *mut CO_CALL_PARAMETERS,
    ) {
        let call = MAKE_COMPLETE.name;
        let cx = Cx::enter(MAKE_COMPLETE, &[vc]);
        cx.done(status);
        let prepared = cx.with(|s| {
            let number = s.take(call, vc.addr(), Kind::CallManagerVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            let vc = s.world.vcs.get(&number)?;
            let (af, context, first) = (vc.af, vc.client_context, vc.first_party);
            if !vc.by_client {
                let message = alloc::format!("{call} on {object}, which is no client's");
                s.violate("CALL-72", Some(object), message);
                return None;
            }
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
                s.check_active(call, who, number);
                if let Some(record) = first.and_then(|party| s.world.parties.get_mut(&party)) {
                    record.manager_context = Context(party_context);
                    party_raw = record.client_raw;
                }
                if let Some(vc) = s.world.vcs.get_mut(&number) {
                    vc.phase = CallPhase::Up;
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
            let number = s.take(call, vc.addr(), Kind::ClientVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            s.check_data(call, object, buffer, size);
            let vc = s.world.vcs.get(&number)?;
            let (af, phase, sends) = (vc.af, vc.phase, vc.sends);
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
                return None;
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
            let handler = s.world.manager(af)?.CmCloseCallHandler?;
            let vc = s.world.vcs.get_mut(&number)?;
            vc.before_close = phase;
            vc.phase = CallPhase::Closing;
            // An offer that was withdrawn ends here, unless its handler still runs.
            let loan = if vc.offer.pended() {
                vc.offer.loan.take()
            } else {
                None
            };
            s.memory.give_back(loan);
            let callback = s.to_manager("ProtocolCmCloseCall", af, object);
            let question = s.question(callback, Asked::CloseCall(number), None);
            Some((number, context, party_context, handler, question))
        });
        let Some((number, context, party_context, handler, question)) = prepared else {
            return cx.done(n::NDIS_STATUS_FAILURE);
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

    /// Completes a pended `ProtocolCmCloseCall`.
    fn NdisCmCloseCallComplete(status: i32, vc: NDIS_HANDLE, _party: NDIS_HANDLE) {
        let call = CLOSE_COMPLETE.name;
        let cx = Cx::enter(CLOSE_COMPLETE, &[vc]);
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
            let (af, context, first) = (vc.af, vc.client_context, vc.first_party);
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
