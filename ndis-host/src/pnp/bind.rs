//! A protocol is bound to an adapter and unbound from it.

use super::event::pause_binding;
use super::offer::wait_for_offers_of;
use super::{Text, header, lock, unlock, zeroed};
use crate::callback::{Callback, handle};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::binding::BindRequest;
use crate::model::request::{Asked, Request};
use crate::settle::Settled;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::NDIS_BIND_PARAMETERS;

/// Binds one protocol to one adapter.
pub(super) fn bind(cx: &Cx, adapter: u32, protocol: u32) {
    let prepared = cx.with(|s| {
        let record = s.world.protocols.get(&protocol)?;
        let bound = s
            .world
            .bindings
            .values()
            .any(|b| b.adapter == adapter && b.protocol == protocol);
        if record.leaving || record.setting_options || bound {
            return None;
        }
        let handler = record.handlers.0.BindAdapterHandlerEx?;
        let (driver, who, context) = (record.driver, record.who.clone(), record.context);
        let (name, media) = s
            .world
            .adapters
            .get(&adapter)
            .map(|a| (a.name.clone(), a.media))?;
        let number = s.number(Kind::Bind);
        let raw = s.handles.make(Kind::Bind, number);
        s.world.binds.insert(
            number,
            BindRequest {
                adapter,
                protocol,
                binding: None,
                parameters: 0,
                request: Request::default(),
            },
        );
        let callback = Callback {
            name: "ProtocolBindAdapterEx",
            driver,
            who,
            passive: Some("IRQL-139"),
            objects: [
                Some(ObjectId::new(Kind::Bind, number)),
                Some(ObjectId::new(Kind::Adapter, adapter)),
                None,
            ],
        };
        let question = s.question(callback, Asked::Bind(number), None);
        Some((number, raw, handler, context, name, media, question))
    });
    let Some((number, raw, handler, context, name, media, question)) = prepared else {
        return;
    };
    let object = ObjectId::new(Kind::Bind, number);
    let mut text = Text::new(&name);
    let mut string = text.unicode();
    // SAFETY: pointers and numbers.
    let mut parameters: NDIS_BIND_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_BIND_PARAMETERS,
        n::NDIS_BIND_PARAMETERS_REVISION_4,
        size_of::<NDIS_BIND_PARAMETERS>(),
    );
    parameters.AdapterName = &raw mut string;
    parameters.BoundAdapterName = &raw mut string;
    parameters.MediaType = media;
    parameters.BoundIfIndex = adapter;
    // By them the protocol may open its configuration for the binding.
    let place = (&raw const parameters).addr();
    cx.with(|s| {
        if let Some(bind) = s.world.binds.get_mut(&number) {
            bind.parameters = place;
        }
    });
    let settled = cx.ask(&question, || {
        // SAFETY: the driver's handler, called as documented.
        unsafe { handler(context.0, handle(raw), &raw mut parameters) }
    });
    let who = &question.callback.who;
    let status = match settled {
        Settled::Now(status) | Settled::Twice(status) => status,
        Settled::Elsewhere => {
            let over = move |s: &State| s.is_answered(Asked::Bind(number));
            // A bind that fails may have NDIS unbind it, and complete when that is done.
            let goes = move |s: &State| {
                let binding = s.world.binds.get(&number).and_then(|b| b.binding);
                binding.filter(|b| {
                    let binding = s.world.bindings.get(b);
                    binding.is_some_and(|b| b.asked_to_go && !b.closing)
                })
            };
            let missing = "NdisCompleteBindAdapterEx";
            cx.wait_until("BIND-05", who, Some(object), missing, move |s| {
                over(s) || goes(s).is_some()
            });
            if let Some(binding) = cx.with(|s| goes(s).filter(|_| !over(s))) {
                unbind_locked(cx, binding);
                cx.wait_for_answer(&question, "BIND-05", missing);
            }
            cx.with(|s| s.answer(Asked::Bind(number)))
        }
    };
    cx.with(|s| {
        s.handles.kill(raw);
        s.end_configurations(Kind::Bind, number, "CFG-07", "the bind is complete");
        let binding = s.world.binds.remove(&number).and_then(|b| b.binding);
        s.histories.end(object);
        let Some(binding) = binding else {
            return;
        };
        let Some(record) = s.world.bindings.get(&binding) else {
            return;
        };
        let (open, opened) = (!record.closing, record.opened);
        let (closed, asked_to_go) = (record.closed, record.asked_to_go);
        let object = ObjectId::new(Kind::Binding, binding);
        let who = who.clone();
        if status != n::NDIS_STATUS_SUCCESS {
            let name = crate::status::Name(status);
            if open && !asked_to_go {
                let message =
                    alloc::format!("the bind failed with {name} and the adapter is still open");
                s.violate_by(who, "BIND-08", Some(object), message);
                s.queue_step("unbind after a failed bind", move |cx| unbind(cx, binding));
            } else if !open && !closed {
                let message = alloc::format!(
                    "the bind failed with {name} and the close of the adapter has not completed"
                );
                s.violate_by(who, "BIND-08", Some(object), message);
            }
            return;
        }
        if !opened {
            let message = "the bind has succeeded and its open has not completed".into();
            s.violate_by(who, "BIND-27", Some(object), message);
        }
        if open && opened {
            s.notify_families(binding);
            s.offer_families_of(binding);
        }
    });
}

/// Unbinds a protocol from an adapter, as a step of its own.
pub(crate) fn unbind(cx: &Cx, binding: u32) {
    lock(cx);
    unbind_locked(cx, binding);
    unlock(cx);
}

pub(super) fn unbind_locked(cx: &Cx, binding: u32) {
    let object = ObjectId::new(Kind::Binding, binding);
    let known = cx.with(|s| match s.world.bindings.get_mut(&binding) {
        Some(record) if !record.closing && !record.unbinding => {
            record.unbinding = true;
            Some(record.who.clone())
        }
        _ => None,
    });
    let Some(who) = known else {
        return;
    };
    cx.wait_until(
        "BIND-14",
        &who,
        Some(object),
        "the return of ProtocolCoAfRegisterNotify",
        move |s| {
            s.world
                .bindings
                .get(&binding)
                .is_none_or(|b| b.notifications == 0)
        },
    );
    wait_for_offers_of(cx, binding);
    pause_binding(cx, binding);
    let prepared = cx.with(|s| {
        let mut callback = s.to_binding("ProtocolUnbindAdapterEx", binding);
        callback.passive = Some("IRQL-140");
        let record = s.world.bindings.get(&binding)?;
        let (adapter, protocol, context) = (record.adapter, record.protocol, record.context);
        let handler = s
            .world
            .protocols
            .get(&protocol)?
            .handlers
            .0
            .UnbindAdapterHandlerEx?;
        let number = s.number(Kind::Unbind);
        let raw = s.handles.make(Kind::Unbind, number);
        s.world.unbinds.insert(
            number,
            BindRequest {
                adapter,
                protocol,
                binding: Some(binding),
                parameters: 0,
                request: Request::default(),
            },
        );
        callback.objects[1] = Some(ObjectId::new(Kind::Unbind, number));
        let question = s.question(callback, Asked::Unbind(number), None);
        Some((number, raw, context, handler, question))
    });
    let Some((number, raw, context, handler, question)) = prepared else {
        return;
    };
    let settled = cx.ask(&question, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(handle(raw), context.0) }
    });
    match settled {
        Settled::Now(status) => {
            if status != n::NDIS_STATUS_SUCCESS {
                let message = alloc::format!(
                    "ProtocolUnbindAdapterEx returned {}",
                    crate::status::Name(status)
                );
                cx.with(|s| s.violate_by(who.clone(), "BIND-09", Some(object), message));
            } else {
                let what = "ProtocolUnbindAdapterEx has returned SUCCESS";
                cx.with(|s| s.check_unbound(binding, what));
            }
        }
        Settled::Twice(_) => {}
        Settled::Elsewhere => {
            let missing = "NdisCompleteUnbindAdapterEx";
            if !cx.wait_for_answer(&question, "BIND-10", missing) {
                // Reported; it may still come.
                return;
            }
        }
    }
    let closed = cx.with(|s| {
        s.handles.kill(raw);
        s.world.unbinds.remove(&number);
        s.histories.end(ObjectId::new(Kind::Unbind, number));
        let closed = s.world.bindings.get(&binding).is_none_or(|b| b.closing);
        if !closed {
            s.violate_by(
                who.clone(),
                "BIND-11",
                Some(object),
                "the unbind is complete and NdisCloseAdapterEx was never called".into(),
            );
            if let Some(raw) = s.world.bindings.get(&binding).map(|b| b.raw) {
                s.handles.kill(raw);
            }
            s.end_binding(binding);
        }
        closed
    });
    if closed {
        cx.wait_until(
            "BIND-15",
            &who,
            Some(object),
            "the end of the close",
            move |s| !s.world.bindings.contains_key(&binding),
        );
    }
}

/// Unbinds a protocol from every adapter.
pub(crate) fn unbind_protocol(cx: &Cx, protocol: u32) {
    lock(cx);
    loop {
        let next = cx.with(|s| {
            s.world
                .bindings
                .iter()
                .find(|(_, b)| b.protocol == protocol && !b.closing && !b.unbinding)
                .map(|(number, _)| *number)
        });
        match next {
            Some(binding) => unbind_locked(cx, binding),
            None => break,
        }
    }
    unlock(cx);
}
