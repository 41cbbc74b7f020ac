//! Pausing an adapter with everything above it, and restarting it.

use super::event::{bindings_of, pause_binding, restart_bindings};
use super::{header, zeroed};
use crate::callback::Context;
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::AdapterPhase;
use crate::model::request::Asked;
use crate::settle::Settled;
use ndis_sys as n;
use ndis_sys::{NDIS_MINIPORT_PAUSE_PARAMETERS, NDIS_MINIPORT_RESTART_PARAMETERS};

/// Pauses an adapter and everything above it.
pub(crate) fn pause(cx: &Cx, adapter: u32, reason: i32) {
    let running = cx.with(|s| {
        s.world
            .adapters
            .get(&adapter)
            .is_some_and(|a| a.phase == AdapterPhase::Running)
    });
    if !running {
        return;
    }
    for binding in bindings_of(cx, adapter) {
        pause_binding(cx, binding);
    }
    let object = ObjectId::new(Kind::Adapter, adapter);
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportPause", adapter);
        callback.passive = Some("IRQL-129");
        let record = s.world.adapters.get_mut(&adapter)?;
        record.enter(AdapterPhase::Pausing);
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        let handler = s.world.miniports.get(&miniport)?.handlers.0.PauseHandler?;
        let question = s.question(callback, Asked::Pause(adapter), None);
        Some((question, context, handler))
    });
    let Some((question, context, handler)) = prepared else {
        return;
    };
    // SAFETY: numbers.
    let mut parameters: NDIS_MINIPORT_PAUSE_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NDIS_MINIPORT_PAUSE_PARAMETERS_REVISION_1,
        size_of::<NDIS_MINIPORT_PAUSE_PARAMETERS>(),
    );
    parameters.PauseReason = reason as u32;
    let settled = cx.ask(&question, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, &raw mut parameters) }
    });
    match settled {
        Settled::Now(status) => cx.with(|s| {
            if status != n::NDIS_STATUS_SUCCESS {
                let message =
                    alloc::format!("MiniportPause returned {}", crate::status::Name(status));
                let who = question.callback.who.clone();
                s.violate_by(who, "DV-12", Some(object), message);
            }
            s.check_drained(adapter, "MiniportPause");
        }),
        Settled::Twice(_) => {}
        Settled::Elsewhere => {
            cx.wait_for_answer(&question, "PAUSE-02", "NdisMPauseComplete");
        }
    }
    cx.with(|s| {
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.enter(AdapterPhase::Paused);
        }
    });
}

/// Restarts a paused adapter and everything above it.
pub(crate) fn restart(cx: &Cx, adapter: u32) -> i32 {
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportRestart", adapter);
        callback.passive = Some("IRQL-130");
        let record = s.world.adapters.get_mut(&adapter)?;
        if record.phase != AdapterPhase::Paused || record.power != n::NdisDeviceStateD0 {
            return None;
        }
        record.enter(AdapterPhase::Restarting);
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        let handler = s
            .world
            .miniports
            .get(&miniport)?
            .handlers
            .0
            .RestartHandler?;
        let question = s.question(callback, Asked::Restart(adapter), None);
        Some((question, context, handler))
    });
    let Some((question, context, handler)) = prepared else {
        return n::NDIS_STATUS_FAILURE;
    };
    // SAFETY: pointers and numbers.
    let mut parameters: NDIS_MINIPORT_RESTART_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NDIS_MINIPORT_RESTART_PARAMETERS_REVISION_1,
        size_of::<NDIS_MINIPORT_RESTART_PARAMETERS>(),
    );
    let missing = ("PAUSE-08", "NdisMRestartComplete");
    let status = cx.ask_and_wait(&question, missing, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, &raw mut parameters) }
    });
    cx.with(|s| {
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.enter(if status == n::NDIS_STATUS_SUCCESS {
                AdapterPhase::Running
            } else {
                AdapterPhase::Paused
            });
        }
    });
    if status == n::NDIS_STATUS_SUCCESS {
        restart_bindings(cx, adapter);
    }
    status
}
