//! NDIS looks whether an adapter's hardware hangs, and resets it.
//!
//! A reset is no step of plug and play: it leaves the adapter's state as it is, and may overlap
//! a pause, for which it does not wait (RESET-07).

use super::event::bindings_of;
use crate::callback::Context;
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::miniport::status::{Notice, indicate_own};
use crate::model::adapter::AdapterPhase;
use crate::model::request::Asked;
use crate::model::reset::HeldAtReset;
use crate::net::ListState;
use crate::oid::own::{OidAsk, ask};
use crate::readings::ResetStart;
use crate::settle::Settled;
use crate::state::State;
use ndis_sys as n;

/// Asks an adapter's driver whether its hardware hangs; None when it has no handler for that.
pub(crate) fn check_for_hang(cx: &Cx, adapter: u32) -> Option<bool> {
    let (callback, context, handler) = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportCheckForHangEx", adapter);
        callback.passive = Some("IRQL-133");
        let record = s.world.adapters.get(&adapter)?;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = s.world.miniports.get(&record.miniport)?;
        let handler = miniport.handlers.0.CheckForHangHandlerEx?;
        Some((callback, context, handler))
    })?;
    let hung = cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        i32::from(unsafe { handler(context.0) })
    });
    Some(hung != 0)
}

/// Resets an adapter: the status that the driver ended it with, None when it has no handler for
/// that.
pub(crate) fn reset(cx: &Cx, adapter: u32) -> Option<i32> {
    let (question, context, handler, first) = cx.with(|s| {
        let callback = s.to_adapter("MiniportResetEx", adapter);
        let first = s.readings.reset_start == ResetStart::First;
        let record = s.world.adapters.get_mut(&adapter)?;
        let context = record.context.unwrap_or(Context::NULL);
        let gone = matches!(
            record.phase,
            AdapterPhase::Initializing | AdapterPhase::Halting
        );
        if gone || record.halted || record.resetting {
            return None;
        }
        let miniport = s.world.miniports.get(&record.miniport)?;
        let handler = miniport.handlers.0.ResetHandlerEx?;
        record.resetting = true;
        record.addressing_lost = false;
        let held = s.held_by_miniport(adapter);
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.held_at_reset = held;
        }
        let question = s.question(callback, Asked::Reset(adapter), None);
        Some((question, context, handler, first))
    })?;
    if first {
        tell(cx, adapter, Notice::ResetStart);
    }
    let mut addressing = 0;
    let settled = cx.ask(&question, || {
        // SAFETY: the driver's handler with its own context; the variable is the host's.
        unsafe { handler(context.0, &raw mut addressing) }
    });
    let status = match settled {
        Settled::Now(status) | Settled::Twice(status) => {
            cx.with(|s| s.reset_ends(adapter, "MiniportResetEx", addressing != 0));
            status
        }
        Settled::Elsewhere => {
            if !first {
                tell(cx, adapter, Notice::ResetStart);
            }
            cx.wait_for_answer(&question, "RESET-04", "NdisMResetComplete");
            cx.with(|s| s.answer(question.asked))
        }
    };
    let lost = cx.with(|s| {
        s.no_reset(adapter);
        let record = s.world.adapters.get(&adapter);
        record.is_some_and(|record| record.addressing_lost)
    });
    if lost && status == n::NDIS_STATUS_SUCCESS {
        // What NDIS has set before (RESET-05): no protocol of the host's sets a filter.
        let filter = OidAsk::set(n::OID_GEN_CURRENT_PACKET_FILTER as u32, [0; 4]);
        ask(cx, adapter, filter);
    }
    tell(cx, adapter, Notice::ResetEnd);
    Some(status)
}

/// Tells each protocol on the adapter.
fn tell(cx: &Cx, adapter: u32, notice: Notice) {
    for binding in bindings_of(cx, adapter) {
        indicate_own(cx, adapter, binding, notice);
    }
}

impl State {
    /// The lists and requests that a miniport has not given back.
    fn held_by_miniport(&self, adapter: u32) -> HeldAtReset {
        let lists = self.buffers.lists.iter().filter(|(_, list)| {
            matches!(list.state, ListState::Sent { vc, .. }
                if self.world.adapter_of_vc(vc) == Some(adapter))
        });
        let requests = self.world.oids.iter().filter(|(_, request)| {
            request.door.is_miniports() && request.subject.adapter == adapter && request.is_open()
        });
        HeldAtReset {
            lists: lists.map(|(address, _)| *address).collect(),
            requests: requests.map(|(number, _)| *number).collect(),
        }
    }

    /// A miniport says that its reset is over: what it held when that began is to be back
    /// (RESET-03).
    pub(crate) fn reset_ends(&mut self, adapter: u32, call: &str, addressing_lost: bool) {
        let now = self.held_by_miniport(adapter);
        let Some(record) = self.world.adapters.get_mut(&adapter) else {
            return;
        };
        record.addressing_lost = addressing_lost;
        let before = core::mem::take(&mut record.held_at_reset);
        let who = record.who.clone();
        let miniport = self.world.miniports.get(&record.miniport);
        let version = miniport.map_or((0, 0), |miniport| {
            let table = &miniport.handlers.0;
            (table.MajorNdisVersion, table.MinorNdisVersion)
        });
        if version < (6, 30) {
            return;
        }
        let lists = before.lists.iter().filter(|it| now.lists.contains(it));
        let requests = before
            .requests
            .iter()
            .filter(|it| now.requests.contains(it));
        let (lists, requests) = (lists.count(), requests.count());
        if lists + requests > 0 {
            let object = ObjectId::new(Kind::Adapter, adapter);
            let message = alloc::format!(
                "{call}: the reset of {object} is over with {lists} sends not completed and \
                 {requests} OID requests not answered that it had when the reset began"
            );
            self.violate_by(who, "RESET-03", Some(object), message);
        }
    }

    /// What is sent and asked reaches the miniport again.
    fn no_reset(&mut self, adapter: u32) {
        if let Some(record) = self.world.adapters.get_mut(&adapter) {
            record.resetting = false;
        }
    }

    /// Whether the running code is a handler that only looks whether hardware hangs.
    pub(crate) fn looks_for_hang(&self) -> bool {
        let task = self.sched.current();
        let frame = task.and_then(|task| task.frames.last());
        frame.is_some_and(|frame| frame.name == "MiniportCheckForHangEx")
    }

    /// Whether an adapter is being reset, and whether the protocol of a binding must have known
    /// that, for it has been told.
    pub(crate) fn in_reset(&self, binding: u32) -> Option<bool> {
        let record = self.world.bindings.get(&binding)?;
        let adapter = self.world.adapters.get(&record.adapter)?;
        let told = record.reset_told.is_some_and(|seq| self.knew(seq));
        (adapter.resetting || told).then_some(told)
    }
}
