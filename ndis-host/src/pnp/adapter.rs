//! An adapter comes and goes.

use super::bind::{bind, unbind_locked};
use super::event::bindings_of;
use super::restart::{pause, restart};
use super::shutdown::bug_check;
use super::{header, lock, unlock, zeroed};
use crate::callback::{Callback, Context, handle};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::{Adapter, AdapterPhase};
use crate::model::manager::Manager;
use crate::net::ListState;
use crate::oid::own::{OidAsk, ask, ask_after_initialize};
use crate::oid::wait_for_requests_to_adapter;
use crate::readings::NotifyClose;
use crate::rules;
use crate::state::State;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_MINIPORT_INIT_PARAMETERS, NET_DEVICE_PNP_EVENT};

/// Starts an adapter of `miniport`; the number of the adapter, or the status
/// that its initialization failed with.
pub(crate) fn add_adapter(cx: &Cx, miniport: u32) -> Result<u32, i32> {
    lock(cx);
    let result = start(cx, miniport);
    unlock(cx);
    result
}

fn start(cx: &Cx, miniport: u32) -> Result<u32, i32> {
    let prepared = cx.with(|s| {
        let (driver, who, handler, context) = s.world.miniports.get(&miniport).map(|m| {
            (
                m.driver,
                m.who.clone(),
                m.handlers.0.InitializeHandlerEx,
                m.context,
            )
        })?;
        let handler = handler?;
        let number = s.number(Kind::Adapter);
        let raw = s.handles.make(Kind::Adapter, number);
        let name = alloc::format!("\\Device\\{{adapter-{number}}}").into();
        let adapter = Adapter::new(raw, miniport, driver, who.clone(), name);
        s.configurations.add(&who, number);
        s.world.adapters.insert(number, adapter);
        let callback = Callback {
            name: "MiniportInitializeEx",
            driver,
            who,
            passive: Some("IRQL-127"),
            objects: [Some(ObjectId::new(Kind::Adapter, number)), None, None],
        };
        Some((number, raw, handler, context, callback))
    });
    let Some((number, raw, handler, context, callback)) = prepared else {
        return Err(n::NDIS_STATUS_FAILURE);
    };
    let object = ObjectId::new(Kind::Adapter, number);
    // SAFETY: pointers and numbers.
    let mut parameters: NDIS_MINIPORT_INIT_PARAMETERS = unsafe { zeroed() };
    parameters.Header = header(
        n::NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS,
        n::NDIS_MINIPORT_INIT_PARAMETERS_REVISION_1,
        size_of::<NDIS_MINIPORT_INIT_PARAMETERS>(),
    );
    parameters.IfIndex = number;
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler, called as documented.
        unsafe { handler(handle(raw), context.0, &raw mut parameters) }
    });
    if status != n::NDIS_STATUS_SUCCESS {
        cx.with(|s| {
            let allowed = [
                n::NDIS_STATUS_NOT_ACCEPTED,
                n::NDIS_STATUS_RESOURCES,
                n::NDIS_STATUS_FAILURE,
            ];
            if !allowed.contains(&status) {
                let message = alloc::format!(
                    "MiniportInitializeEx returned {}",
                    crate::status::Name(status)
                );
                s.violate_by(callback.who.clone(), "INIT-09", Some(object), message);
            }
            s.check_adapter_left(number, "INIT-10");
            let when = "MiniportInitializeEx has failed";
            s.end_configurations(Kind::Adapter, number, "INIT-10", when);
            s.end_adapter(number);
        });
        return Err(if status == n::NDIS_STATUS_PENDING {
            n::NDIS_STATUS_FAILURE
        } else {
            status
        });
    }
    cx.with(|s| {
        let general = s.world.adapters.get(&number).is_some_and(|a| a.general);
        if !general {
            s.violate_by(
                callback.who.clone(),
                "INIT-02",
                Some(object),
                "MiniportInitializeEx succeeded without setting the general attributes".into(),
            );
        }
        if let Some(adapter) = s.world.adapters.get_mut(&number) {
            adapter.enter(AdapterPhase::Paused);
        }
        s.lend_families(number, Manager::Mcm { adapter: number });
    });
    if cx.with(|s| s.asks_after_initialize) {
        ask_after_initialize(cx, number);
    }
    let protocols: Vec<u32> = cx.with(|s| {
        let mut all: Vec<u32> = s.world.protocols.keys().copied().collect();
        s.rng.shuffle(&mut all);
        all
    });
    for protocol in protocols {
        bind(cx, number, protocol);
    }
    restart(cx, number);
    Ok(number)
}

impl State {
    /// Reports what an adapter's driver has not given back.
    fn check_adapter_left(&mut self, adapter: u32, rule: &'static str) {
        let Some(who) = self.world.adapters.get(&adapter).map(|a| a.who.clone()) else {
            return;
        };
        let object = ObjectId::new(Kind::Adapter, adapter);
        let mut found: Vec<(&'static str, alloc::string::String)> = Vec::new();
        for (number, timer) in &self.timers.all {
            if timer.adapter == Some(adapter) && timer.set.is_some() {
                found.push((
                    "DV-15",
                    alloc::format!("timer {number}{} is still set", timer.origin),
                ));
            }
            if timer.adapter == Some(adapter) {
                found.push((
                    rule,
                    alloc::format!("timer {number}{} is not freed", timer.origin),
                ));
            }
        }
        for (number, item) in &self.work_items.all {
            if item.adapter == Some(adapter) {
                found.push((
                    "DV-20",
                    alloc::format!("work item {number}{} is not freed", item.origin),
                ));
            }
        }
        for (number, pool) in &self.buffers.pools {
            if pool.adapter == Some(adapter) {
                let number = number & !(1 << 31);
                found.push((
                    rule,
                    alloc::format!("pool {number}{} is not freed", pool.origin),
                ));
            }
        }
        for (rule, text) in found {
            let message = alloc::format!("{object} is gone and {text}");
            self.violate_by(who.clone(), rule, Some(object), message);
        }
    }

    fn end_adapter(&mut self, number: u32) {
        if let Some(adapter) = self.world.adapters.remove(&number) {
            self.handles.kill(adapter.raw);
        }
        self.histories.end(ObjectId::new(Kind::Adapter, number));
    }
}

/// Tells an adapter's driver that the device is gone.
fn surprise(cx: &Cx, adapter: u32) {
    notify(cx, adapter, n::NdisDevicePnPEventSurpriseRemoved);
    cx.with(|s| {
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.removal_told = true;
        }
    });
}

/// Tells an adapter's driver about an event of the device.
pub(super) fn notify(cx: &Cx, adapter: u32, code: n::NDIS_DEVICE_PNP_EVENT) {
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportDevicePnPEventNotify", adapter);
        callback.passive = Some("IRQL-137");
        let record = s.world.adapters.get(&adapter)?;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        let handler = s
            .world
            .miniports
            .get(&miniport)?
            .handlers
            .0
            .DevicePnPEventNotifyHandler?;
        Some((callback, context, handler))
    });
    let Some((callback, context, handler)) = prepared else {
        return;
    };
    // SAFETY: pointers and numbers.
    let mut event: NET_DEVICE_PNP_EVENT = unsafe { zeroed() };
    event.Header = header(
        n::NDIS_OBJECT_TYPE_DEFAULT,
        n::NET_DEVICE_PNP_EVENT_REVISION_1,
        size_of::<NET_DEVICE_PNP_EVENT>(),
    );
    event.DevicePnPEvent = code;
    let mut profile = n::NdisPowerProfileAcOnLine;
    if code == n::NdisDevicePnPEventPowerProfileChanged {
        event.InformationBuffer = (&raw mut profile).cast();
        event.InformationBufferLength = size_of_val(&profile) as u32;
    }
    cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, &raw mut event) };
    });
}

/// Stops an adapter in the documented order, and the system fails in its halt handler, at the
/// first instruction.
pub(crate) fn fail_in_halt(cx: &Cx, adapter: u32) {
    lock(cx);
    pause(cx, adapter, n::NDIS_PAUSE_MINIPORT_DEVICE_REMOVE);
    for binding in bindings_of(cx, adapter) {
        unbind_locked(cx, binding);
    }
    let callback = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportHaltEx", adapter);
        callback.passive = Some("IRQL-128");
        let moment = s.moment();
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.halt(moment);
        }
        callback
    });
    cx.call(&callback, || bug_check(cx));
    unlock(cx);
}

/// Stops an adapter in the documented order and removes it.
pub(crate) fn remove(cx: &Cx, adapter: u32, surprised: bool) {
    remove_asking(cx, adapter, surprised, None);
}

/// As [`remove`]; after a surprise the miniport is asked for an OID.
pub(crate) fn remove_asking(cx: &Cx, adapter: u32, surprised: bool, oid: Option<u32>) {
    lock(cx);
    if cx.with(|s| !s.down && s.world.adapters.contains_key(&adapter)) {
        if surprised {
            surprise(cx, adapter);
            if let Some(oid) = oid {
                ask(cx, adapter, OidAsk::query(oid, 64));
            }
        }
        pause(cx, adapter, n::NDIS_PAUSE_MINIPORT_DEVICE_REMOVE);
        // The question is one of MCMs: another miniport has no families to close.
        let halt_first = cx.with(|s| {
            let mcm = s.world.manager_handlers(Manager::Mcm { adapter });
            s.readings.notify_close == NotifyClose::HaltFirst && mcm.is_some()
        }) && !surprised;
        if !halt_first {
            for binding in bindings_of(cx, adapter) {
                unbind_locked(cx, binding);
            }
        }
        halt(cx, adapter, surprised);
        for binding in bindings_of(cx, adapter) {
            unbind_locked(cx, binding);
        }
        cx.with(|s| s.end_adapter(adapter));
    }
    unlock(cx);
}

fn halt(cx: &Cx, adapter: u32, surprised: bool) {
    wait_for_requests_to_adapter(cx, adapter);
    let object = ObjectId::new(Kind::Adapter, adapter);
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportHaltEx", adapter);
        callback.passive = Some("IRQL-128");
        let moment = s.moment();
        let record = s.world.adapters.get_mut(&adapter)?;
        record.halt(moment);
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = record.miniport;
        s.give_families_back(adapter, Manager::Mcm { adapter });
        let handler = s.world.miniports.get(&miniport)?.handlers.0.HaltHandlerEx?;
        Some((callback, context, handler))
    });
    let Some((callback, context, handler)) = prepared else {
        return;
    };
    let action = if surprised {
        n::NdisHaltDeviceSurpriseRemoved
    } else {
        n::NdisHaltDeviceDisabled
    };
    cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0, action) };
    });
    cx.with(|s| {
        let who: Arc<str> = callback.who.clone();
        if let Some(record) = s.world.adapters.get_mut(&adapter) {
            record.halted = true;
        }
        let open: Vec<(u32, bool)> = s
            .world
            .afs
            .iter()
            .filter(|(_, af)| af.served_by == Manager::Mcm { adapter } && !af.ended)
            .map(|(number, af)| (*number, af.notified))
            .collect();
        for (af, notified) in open {
            let af = ObjectId::new(Kind::ClientAf, af);
            let (rule, why) = if notified {
                ("HALT-04", ", and its client closes it")
            } else {
                ("HALT-01", "")
            };
            let message = alloc::format!("MiniportHaltEx returned with {af} still open{why}");
            s.violate_by(who.clone(), rule, Some(af), message);
        }
        let held = s
            .buffers
            .lists
            .values()
            .filter(|l| matches!(l.state, ListState::Indicated { adapter: a, .. } if a == adapter))
            .count();
        if held > 0 {
            let message = alloc::format!(
                "MiniportHaltEx returned while {held} indicated lists are with the clients"
            );
            s.violate_by(who.clone(), "HALT-07", Some(object), message);
        }
        let mut sends: Vec<ObjectId> = s
            .buffers
            .lists
            .values()
            .filter(|l| match l.state {
                ListState::Sent { vc, .. } => s.world.adapter_of_vc(vc) == Some(adapter),
                _ => false,
            })
            .map(|list| crate::net::list_id(list))
            .collect();
        sends.sort_unstable();
        for list in sends {
            let message = alloc::format!("MiniportHaltEx returned and {list} was never completed");
            s.violate_by(who.clone(), "NBL-11", Some(list), message);
        }
        s.check_adapter_left(adapter, rules::LEAK);
        s.end_configurations(
            Kind::Adapter,
            adapter,
            "DV-16",
            "MiniportHaltEx has returned",
        );
    });
}
