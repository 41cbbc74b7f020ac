//! What is checked of a call from either side, and how it ends.

use crate::handle::{Kind, ObjectId};
use crate::model::World;
use crate::model::adapter::AdapterPhase;
use crate::model::vc::{Activity, CallPhase, Vc};
use crate::readings::{CallControlWhilePaused, CloseOrder};
use crate::state::State;
use core::ffi::c_void;
use ndis_sys as n;

impl State {
    /// Gives an outgoing call its number.
    pub(crate) fn new_call(&mut self, vc: u32) {
        self.world.calls.begin(vc);
    }

    /// Guesses which call an incoming leg belongs to, for the log alone: that of the VC that it
    /// shares, the one that the running code is about, or the oldest that has one leg only.
    pub(crate) fn join_call(&mut self, vc: u32) {
        let shared = self.world.vcs.get(&vc).and_then(|vc| vc.lower);
        let shared = shared.and_then(|lower| self.world.calls.of(lower));
        let from_frames = self
            .sched
            .current()
            .and_then(|task| task.frames.iter().rev().find_map(|frame| frame.about));
        let call = shared.or(from_frames).or_else(|| {
            let World { calls, vcs, .. } = &mut *self.world;
            let phase = |vc| vcs.get(&vc).map(|vc| vc.phase);
            calls.oldest_alone(|vc| phase(vc) == Some(CallPhase::Making))
        });
        match call {
            Some(call) => self.world.calls.join(vc, call),
            None => self.new_call(vc),
        }
    }

    pub(crate) fn refuses_calls(&self, af: u32) -> bool {
        self.readings.call_control_while_paused == CallControlWhilePaused::Refused
            && self
                .world
                .afs
                .get(&af)
                .and_then(|af| self.world.adapters.get(&af.adapter))
                .is_none_or(|a| a.phase != AdapterPhase::Running)
    }

    /// GEN-08: a size without a buffer, or the other way round.
    pub(crate) fn check_data(
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
    pub(crate) fn check_active(&mut self, call: &str, who: alloc::sync::Arc<str>, number: u32) {
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
    pub(crate) fn call_over(&mut self, number: u32) {
        let vc = self.world.vcs.get_mut(&number);
        if let Some(party) = vc.and_then(Vc::call_over) {
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
                let af = self.world.afs.get(&vc.af?)?;
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

    pub(crate) fn check_close_order(
        &mut self,
        call: &str,
        who: alloc::sync::Arc<str>,
        number: u32,
    ) {
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

    /// The call manager has closed a call, or has refused to.
    pub(crate) fn close_answered(
        &mut self,
        call: &str,
        who: alloc::sync::Arc<str>,
        number: u32,
        status: i32,
    ) {
        if status == n::NDIS_STATUS_SUCCESS {
            self.check_close_order(call, who, number);
            self.call_over(number);
        } else if let Some(vc) = self.world.vcs.get_mut(&number) {
            vc.close_refused();
        }
    }

    /// The call manager has been told how its offer was answered.
    pub(crate) fn refusal_known(&mut self, vc: u32) {
        let now = self.log.seq();
        if let Some(vc) = self.world.vcs.get_mut(&vc)
            && vc.refused_at == Some(u64::MAX)
        {
            vc.refused_at = Some(now);
        }
    }

    /// Whether the running code knows that the offer on a VC was refused, which was told at `at`; the
    /// handler that is told does.
    pub(crate) fn knows_of_refusal(&self, vc: u32, at: u64) -> bool {
        let call = self.world.call_of(ObjectId::new(Kind::ClientVc, vc));
        let inside = self.sched.current().is_some_and(|task| {
            task.frames
                .iter()
                .any(|frame| frame.name == "ProtocolCmIncomingCallComplete" && frame.about == call)
        });
        inside || self.knew(at)
    }
}
