//! Devices that lose their power: which adapters are without, for no timer of theirs may be set then
//! (rule OID-63). A driver's threads set timers whenever they like, so each of them asks here.
#![forbid(unsafe_code)]

use ndis_co::{irql::UpToDispatch, lock::SpinLock};
use std::collections::BTreeSet;

/// The adapters without power, by the place of their things.
pub(crate) struct Power {
    /// Devices lose their power in this run. In the others nobody takes the lock.
    changes: bool,
    asleep: SpinLock<BTreeSet<u32>>,
}

impl Power {
    /// Of five seeds one has devices that lose their power.
    pub(crate) fn of(seed: u64) -> Self {
        Self {
            changes: seed % 5 == 4,
            asleep: SpinLock::new(BTreeSet::new()),
        }
    }

    pub(crate) fn changes(&self) -> bool {
        self.changes
    }

    /// For how many milliseconds a timer is set: `limit` at most, and longer where that is to be
    /// interrupted.
    pub(crate) fn delay(&self, limit: u32) -> u32 {
        if self.changes { 12 * limit } else { limit }
    }

    /// Does something while no device loses its power or has it back.
    pub(crate) fn still<R>(&self, irql: &mut UpToDispatch, what: impl FnOnce() -> R) -> R {
        if self.changes {
            self.asleep.with(irql, |_, _| what())
        } else {
            what()
        }
    }

    /// Has a timer of a place set, unless its device is without power. (What cannot be done is
    /// dropped without the lock.)
    pub(crate) fn awake<R>(
        &self,
        place: u32,
        irql: &mut UpToDispatch,
        set: impl FnOnce() -> R,
    ) -> Option<R> {
        if !self.changes {
            return Some(set());
        }
        let mut set = Some(set);
        self.asleep.with(irql, |asleep, _| {
            let set = set.take_if(|_| !asleep.contains(&place))?;
            Some(set())
        })
    }

    /// The device of a place loses its power: `cancel` cancels its timers.
    pub(crate) fn sleep<R>(
        &self,
        place: u32,
        irql: &mut UpToDispatch,
        cancel: impl FnOnce() -> R,
    ) -> R {
        self.asleep.with(irql, |asleep, _| {
            asleep.insert(place);
            cancel()
        })
    }

    /// It has power again: `set` sets its timers.
    pub(crate) fn wake<R>(
        &self,
        place: u32,
        irql: &mut UpToDispatch,
        set: impl FnOnce() -> R,
    ) -> R {
        self.asleep.with(irql, |asleep, _| {
            asleep.remove(&place);
            set()
        })
    }
}
