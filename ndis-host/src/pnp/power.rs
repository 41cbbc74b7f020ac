//! A device goes to a low-power state and comes back: what protocols and the miniport see.

use super::adapter::notify;
use super::event::{bindings_of, tell_power};
use super::restart::{pause, restart};
use super::{lock, unlock};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::AdapterPhase;
use crate::oid::own::{OidAsk, ask};
use ndis_sys as n;

/// Takes an adapter to a device power state, `NdisDeviceStateD0` to `D3`; the status of the
/// miniport, and of its restart.
pub(crate) fn set_power(cx: &Cx, adapter: u32, state: i32) -> i32 {
    lock(cx);
    let status = change(cx, adapter, state);
    unlock(cx);
    status
}

fn change(cx: &Cx, adapter: u32, state: i32) -> i32 {
    let now = cx.with(|s| {
        let record = s.world.adapters.get(&adapter)?;
        let steady = matches!(record.phase, AdapterPhase::Running | AdapterPhase::Paused);
        steady.then_some(record.power)
    });
    let Some(now) = now else {
        return n::NDIS_STATUS_FAILURE;
    };
    let bytes = state.to_ne_bytes();
    if state != n::NdisDeviceStateD0 {
        for binding in bindings_of(cx, adapter) {
            tell_power(
                cx,
                binding,
                n::NetEventQueryPower,
                "NetEventQueryPower",
                state,
            );
        }
        let question = OidAsk::query(n::OID_PNP_QUERY_POWER, bytes.len());
        ask(cx, adapter, question.with(&bytes));
        for binding in bindings_of(cx, adapter) {
            tell_power(cx, binding, n::NetEventSetPower, "NetEventSetPower", state);
        }
        pause(cx, adapter, n::NDIS_PAUSE_LOW_POWER);
    }
    let wakes = state == n::NdisDeviceStateD0;
    if wakes {
        // The device has power: the driver may say what has become of the medium before it has
        // answered.
        cx.with(|s| s.sleeps(adapter, false));
    }
    let answer = ask(cx, adapter, OidAsk::set(n::OID_PNP_SET_POWER, bytes));
    let status = answer.map_or(n::NDIS_STATUS_FAILURE, |answer| answer.status);
    if status != n::NDIS_STATUS_SUCCESS && wakes && now != state {
        cx.with(|s| s.sleeps(adapter, true));
    }
    if status == n::NDIS_STATUS_SUCCESS {
        cx.with(|s| {
            if let Some(record) = s.world.adapters.get_mut(&adapter) {
                record.power = state;
            }
            if !wakes {
                s.sleeps(adapter, true);
            }
            if state == n::NdisDeviceStateD3 {
                s.check_timers_cancelled(adapter);
            }
        });
    }
    if state != n::NdisDeviceStateD0 || now == state {
        return status;
    }
    if status != n::NDIS_STATUS_SUCCESS {
        return status;
    }
    notify(cx, adapter, n::NdisDevicePnPEventPowerProfileChanged);
    let status = restart(cx, adapter);
    for binding in bindings_of(cx, adapter) {
        tell_power(cx, binding, n::NetEventSetPower, "NetEventSetPower", state);
    }
    status
}

impl crate::state::State {
    /// The device loses its power, or has it again (STATUS-11).
    fn sleeps(&mut self, adapter: u32, asleep: bool) {
        let moment = self.moment();
        if let Some(record) = self.world.adapters.get_mut(&adapter) {
            record.asleep_since = asleep.then_some(moment);
        }
    }

    /// A device without power has no timers that look at it.
    fn check_timers_cancelled(&mut self, adapter: u32) {
        let mut set: alloc::vec::Vec<u32> = self
            .timers
            .all
            .iter()
            .filter(|(_, timer)| timer.adapter == Some(adapter) && timer.set.is_some())
            .map(|(number, _)| *number)
            .collect();
        set.sort_unstable();
        let object = ObjectId::new(Kind::Adapter, adapter);
        let Some(who) = self.world.adapters.get(&adapter).map(|a| a.who.clone()) else {
            return;
        };
        for timer in set {
            let message = alloc::format!("{object} goes to D3 and timer {timer} is still set");
            self.violate_by(who.clone(), "OID-63", Some(object), message);
        }
    }
}
