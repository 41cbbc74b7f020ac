//! Telling protocols what happens to the adapter below them.

use super::{header, zeroed};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::binding::PendedEvent;
use crate::model::request::{Asked, Request};
use alloc::boxed::Box;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::NET_PNP_EVENT_NOTIFICATION;

/// Tells a protocol about an event, and waits for its answer.
fn tell(cx: &Cx, binding: u32, event: i32, what: &str) {
    tell_with(cx, binding, event, what, None, "PAUSE-13");
}

/// Tells a protocol about the power of the device beneath.
pub(super) fn tell_power(cx: &Cx, binding: u32, event: i32, what: &str, state: i32) {
    tell_with(cx, binding, event, what, Some(state), "BIND-26");
}

fn tell_with(
    cx: &Cx,
    binding: u32,
    event: i32,
    what: &str,
    mut state: Option<i32>,
    rule: &'static str,
) {
    let prepared = cx.with(|s| {
        let mut callback = s.to_binding("ProtocolNetPnPEvent", binding);
        callback.passive = Some("IRQL-143");
        let record = s.world.bindings.get(&binding).filter(|b| !b.closing)?;
        let handler = s
            .world
            .protocols
            .get(&record.protocol)?
            .handlers
            .0
            .NetPnPEventHandler?;
        let text = alloc::format!("event: {what}");
        let object = ObjectId::new(Kind::Binding, binding);
        let context = record.context;
        s.note(Some(object), &text);
        Some((callback, handler, context))
    });
    let Some((callback, handler, context)) = prepared else {
        return;
    };
    let object = ObjectId::new(Kind::Binding, binding);
    // SAFETY: pointers and numbers.
    let mut notification: Box<NET_PNP_EVENT_NOTIFICATION> = Box::new(unsafe { zeroed() });
    notification.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NET_PNP_EVENT_NOTIFICATION_REVISION_1,
        n::NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1,
    );
    notification.NetPnPEvent.NetEvent = event;
    if let Some(state) = &mut state {
        notification.NetPnPEvent.Buffer = (&raw mut *state).cast();
        notification.NetPnPEvent.BufferLength = size_of::<i32>() as u32;
    }
    let pointer = &raw mut *notification;
    let key = pointer.addr();
    let question = cx.with(|s| {
        let request = Request::default();
        s.world.events.insert(key, PendedEvent { binding, request });
        s.question(callback, Asked::Event(key), None)
    });
    let missing = alloc::format!("NdisCompleteNetPnPEvent ({what})");
    let status = cx.ask_and_wait(&question, ("PAUSE-14", &missing), || {
        // SAFETY: the driver's handler with its own context; the notification
        // lives until the answer.
        unsafe { handler(context.0, pointer) }
    });
    cx.with(|s| {
        s.world.events.remove(&key);
        if status != n::NDIS_STATUS_SUCCESS {
            let message = alloc::format!(
                "ProtocolNetPnPEvent answered {what} with {}",
                crate::status::Name(status)
            );
            let who = question.callback.who.clone();
            s.violate_by(who, rule, Some(object), message);
        }
    });
    drop(notification);
}

/// Pauses a binding, as far as its protocol is concerned.
pub(super) fn pause_binding(cx: &Cx, binding: u32) {
    let running = cx.with(|s| s.world.bindings.get(&binding).is_some_and(|b| b.running));
    if !running {
        return;
    }
    tell(cx, binding, n::NetEventPause, "NetEventPause");
    cx.with(|s| {
        let sends = s.sends_of(binding);
        let Some(record) = s.world.bindings.get_mut(&binding) else {
            return;
        };
        record.running = false;
        let who = record.who.clone();
        if sends > 0 {
            let object = ObjectId::new(Kind::Binding, binding);
            let message =
                alloc::format!("the pause of {object} was answered with {sends} sends outstanding");
            s.violate_by(who, "PAUSE-12", Some(object), message);
        }
    });
}

pub(super) fn bindings_of(cx: &Cx, adapter: u32) -> Vec<u32> {
    cx.with(|s| {
        let mut all: Vec<u32> = s
            .world
            .bindings
            .iter()
            .filter(|(_, b)| b.adapter == adapter && !b.closing)
            .map(|(number, _)| *number)
            .collect();
        s.rng.shuffle(&mut all);
        all
    })
}

pub(super) fn restart_bindings(cx: &Cx, adapter: u32) {
    for binding in bindings_of(cx, adapter) {
        let running = cx.with(|s| s.world.bindings.get(&binding).is_none_or(|b| b.running));
        if running {
            continue;
        }
        tell(cx, binding, n::NetEventRestart, "NetEventRestart");
        cx.with(|s| {
            if let Some(record) = s.world.bindings.get_mut(&binding) {
                record.running = true;
                record.started = true;
            }
        });
    }
}
