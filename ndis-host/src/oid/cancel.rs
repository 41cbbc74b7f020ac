//! Requests that are not to be waited for any longer: their asker cancels them, or their
//! time is up. The miniport is told, and ends them (OID-25, OID-26).

use super::names::name_of;
use super::tell;
use crate::callback::{Context, handle};
use crate::cx::{Cx, job};
use crate::export::{Call, exports};
use crate::handle::Kind;
use crate::model::oid::OidRequest;
use crate::sched::{Due, Work};
use crate::state::State;
use alloc::vec::Vec;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const CANCEL: Call = Call::new("NdisCancelOidRequest");
/// A second, in units of 100 ns.
const SECOND: u64 = 10_000_000;

impl State {
    /// The miniport is told when a request has taken its time (OID-26).
    pub(super) fn due_oid(&mut self, number: u32, timeout: u32) {
        if timeout > 0 {
            let time = self.sched.now + u64::from(timeout) * SECOND;
            self.sched.at(time, Due::Oid(number));
        }
    }

    pub(super) fn not_due_oid(&mut self, number: u32) {
        self.sched.forget_oid(number);
    }

    /// The time of a request is up.
    pub(crate) fn oid_timed_out(&mut self, number: u32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        let (id, object) = (record.given.id, record.object(number));
        let text = alloc::format!("the time of {} is up", name_of(record.given.oid));
        self.note(Some(object), &text);
        if let Some(record) = self.world.oids.get_mut(&number) {
            record.timed_out = true;
        }
        self.sched.queue(Work {
            id: 0,
            name: "an OID request that timed out".into(),
            irql: 0,
            frame: None,
            system: false,
            plug_and_play: false,
            run: job(move |cx| cancel(cx, &[number], id)),
        });
    }

    /// The outstanding requests to the miniport that a binding has made under an id.
    fn requests_with(&self, binding: u32, id: usize) -> Vec<u32> {
        let is_it = |r: &OidRequest| {
            r.asker.binding() == Some(binding)
                && r.given.id == id
                && r.door.is_miniports()
                && r.is_outstanding()
        };
        let all = self.world.oids.iter().filter(|(_, r)| is_it(r));
        all.map(|(number, _)| *number).collect()
    }

    /// Requests that their miniport was told to end, and has not when nothing is left to do.
    pub(crate) fn check_cancelled(&mut self) {
        let mut found = Vec::new();
        for (number, record) in &mut self.world.oids {
            if record.cancelled && !record.blamed && record.request.pended() {
                record.blamed = true;
                let (rule, why) = if record.timed_out {
                    ("OID-26", ", as its time was up")
                } else {
                    ("OID-25", "")
                };
                let message = alloc::format!(
                    "{} has pended on after MiniportCancelOidRequest{why}",
                    name_of(record.given.oid)
                );
                found.push((record.to.who.clone(), rule, record.object(*number), message));
            }
        }
        for (who, rule, object, message) in found {
            self.violate_by(who, rule, Some(object), message);
        }
    }
}

/// Ends requests of one adapter under one id.
fn cancel(cx: &Cx, numbers: &[u32], id: usize) {
    let mut adapter = None;
    for number in numbers {
        let heard = cx.with(|s| {
            let record = s.world.oids.get_mut(number)?;
            if record.queued {
                return s.end_of(*number, n::NDIS_STATUS_REQUEST_ABORTED);
            }
            if record.is_open() && record.door.is_miniports() {
                adapter = Some(record.subject.adapter);
                // Without an id the miniport has nothing to find it by.
                record.cancelled = id != 0;
            }
            None
        });
        tell(cx, heard);
    }
    let prepared = cx.with(|s| {
        let number = adapter?;
        let record = s.world.adapters.get(&number)?;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = s.world.miniports.get(&record.miniport)?;
        let handler = miniport.handlers.0.CancelOidRequestHandler?;
        let callback = s.to_adapter("MiniportCancelOidRequest", number);
        Some((context, handler, callback))
    });
    if let Some((context, handler, callback)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context; the id is any number.
            unsafe { handler(context.0, handle(id)) };
        });
    }
}

exports! { EXPORTS {
    /// Cancels requests that the caller has made on a binding. (The page speaks of those of
    /// `NdisOidRequest` only, that of the miniport's handler of connection-oriented ones too.)
    fn NdisCancelOidRequest(binding: NDIS_HANDLE, id: *mut c_void) {
        let cx = Cx::enter(CANCEL, &[binding]);
        let id = id.addr();
        let numbers = cx.with(|s| {
            let binding = s.take(CANCEL.name, binding.addr(), Kind::Binding)?;
            Some(s.requests_with(binding, id))
        });
        cancel(&cx, &numbers.unwrap_or_default(), id);
    }
}}
