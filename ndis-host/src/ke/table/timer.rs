//! Timers of NDIS, and whose routines are queued or running.

use crate::callback::Context;
use crate::handle::Kind;
use crate::log::Origin;
use crate::report::{ObjectLeft, tag_text};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;

pub(in crate::ke) type TimerRoutine =
    unsafe extern "system" fn(*mut c_void, *mut c_void, *mut c_void, *mut c_void);

pub(crate) struct Timer {
    pub(in crate::ke) raw: usize,
    pub(in crate::ke) routine: TimerRoutine,
    pub(in crate::ke) context: Context,
    pub(in crate::ke) tag: u32,
    pub(crate) driver: Option<u32>,
    /// The adapter whose handle it was allocated with.
    pub(crate) adapter: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    pub(crate) origin: Origin,
    /// The current setting, if it is set.
    pub(crate) set: Option<u64>,
    pub(in crate::ke) period: u64,
    /// How often its time has come.
    pub(in crate::ke) expiries: u32,
}

#[derive(Default)]
pub(crate) struct Timers {
    pub(crate) all: BTreeMap<u32, Timer>,
    pub(in crate::ke) sets: u64,
    /// The timers whose routines are queued or running, in the order of their
    /// expiries, and whether they run already.
    pub(in crate::ke) expired: BTreeMap<u64, (u32, bool)>,
    pub(in crate::ke) expiries: u64,
}

impl Timers {
    /// The number of a new setting.
    pub(crate) fn new_set(&mut self) -> u64 {
        self.sets += 1;
        self.sets
    }

    /// A DPC that is no timer's of NDIS is queued.
    pub(crate) fn begin_expiry(&mut self) -> u64 {
        self.expiries += 1;
        // No timer has the number 0.
        self.expired.insert(self.expiries, (0, false));
        self.expiries
    }

    /// It has run, or never will.
    pub(crate) fn end_expiry(&mut self, expiry: u64) {
        self.expired.remove(&expiry);
    }

    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        self.all
            .iter()
            .filter(|(_, timer)| driver.is_none() || timer.driver == driver)
            .map(|(number, timer)| ObjectLeft {
                kind: Kind::Timer.name(),
                name: alloc::format!("timer {number}{}", timer.origin),
                tag: tag_text(timer.tag),
                owner: timer.who.clone(),
            })
            .collect()
    }
}
