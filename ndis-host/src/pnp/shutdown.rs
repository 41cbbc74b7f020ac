//! The system shuts down, or has failed: what miniports are told, once and last of all.

use super::{lock, unlock};
use crate::callback::Context;
use crate::cx::Cx;
use crate::state::State;
use alloc::vec::Vec;
use ndis_sys as n;

/// The level of a system error: no other is as high.
const HIGH: u8 = 15;

/// Tells each adapter's driver that the system shuts down. Nothing more is called for any
/// (HALT-14).
pub(crate) fn shut_down(cx: &Cx) {
    lock(cx);
    for adapter in adapters(cx) {
        tell(cx, adapter, n::NdisShutdownPowerOff);
    }
    cx.with(|s| s.down = true);
    unlock(cx);
}

/// Tells the drivers that asked for it that the system has failed.
pub(crate) fn bug_check(cx: &Cx) {
    for adapter in adapters(cx) {
        if cx.with(|s| s.hears_of_bug_checks(adapter)) {
            tell(cx, adapter, n::NdisShutdownBugCheck);
        }
    }
    cx.with(|s| s.down = true);
}

fn adapters(cx: &Cx) -> Vec<u32> {
    cx.with(|s| {
        let up = s.world.adapters.iter();
        let up = up.filter(|(_, adapter)| adapter.context.is_some() && !adapter.halted);
        up.map(|(number, _)| *number).collect()
    })
}

fn tell(cx: &Cx, adapter: u32, action: n::NDIS_SHUTDOWN_ACTION) {
    let failed = action == n::NdisShutdownBugCheck;
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportShutdownEx", adapter);
        callback.passive = Some("IRQL-131");
        let record = s.world.adapters.get(&adapter)?;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = s.world.miniports.get(&record.miniport)?;
        let handler = miniport.handlers.0.ShutdownHandlerEx?;
        Some((callback, context, handler))
    });
    let Some((callback, context, handler)) = prepared else {
        return;
    };
    let before = cx.with(|s| {
        let task = s.sched.current_mut()?;
        let level = if failed { HIGH } else { task.irql };
        Some(core::mem::replace(&mut task.irql, level))
    });
    cx.call_as_is(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, action) };
    });
    cx.with(|s| {
        if let (Some(task), Some(before)) = (s.sched.current_mut(), before) {
            task.irql = before;
        }
    });
}

impl State {
    /// From NDIS 6.30 on a miniport says in its attributes that it wants to be called when the
    /// system has failed.
    fn hears_of_bug_checks(&self, adapter: u32) -> bool {
        let record = self.world.adapters.get(&adapter);
        let miniport = record.and_then(|record| self.world.miniports.get(&record.miniport));
        let (Some(record), Some(miniport)) = (record, miniport) else {
            return false;
        };
        let table = &miniport.handlers.0;
        record.wants_bug_checks || (table.MajorNdisVersion, table.MinorNdisVersion) < (6, 30)
    }

    /// The rule that a call breaks which is made after a system error, from the handler that is
    /// told of it.
    pub(crate) fn after_bug_check(&self) -> Option<&'static str> {
        let task = self.sched.current()?;
        let [rest @ .., last] = &task.frames[..] else {
            return None;
        };
        if last.name != "MiniportShutdownEx" || last.irql < HIGH {
            return None;
        }
        let halts = rest.iter().any(|frame| frame.name == "MiniportHaltEx");
        Some(if halts { "HALT-16" } else { "HALT-15" })
    }
}
