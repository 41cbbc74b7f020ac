//! DPCs and timers of the kernel's own, by their addresses.

use crate::callback::{Context, Ptr};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::ffi::c_void;
use ndis_sys::{KDPC, KTIMER};

/// A DPC's routine.
pub(in crate::ke) type DpcRoutine =
    unsafe extern "system" fn(*mut KDPC, *mut c_void, *mut c_void, *mut c_void);

/// A DPC in the queue.
pub(in crate::ke) struct Queued {
    pub(in crate::ke) expiry: u64,
    pub(in crate::ke) arguments: (Context, Context),
}

pub(in crate::ke) struct Dpc {
    pub(in crate::ke) number: u32,
    pub(in crate::ke) routine: DpcRoutine,
    pub(in crate::ke) context: Context,
    pub(in crate::ke) driver: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    pub(in crate::ke) queued: Option<Queued>,
    /// How often its routine runs now.
    pub(in crate::ke) running: u32,
    /// A timer was set with it; it was queued without one.
    pub(in crate::ke) of_timer: bool,
    pub(in crate::ke) inserted: bool,
}

/// A timer, where it lies in the driver's memory.
pub(in crate::ke) struct Timer {
    pub(in crate::ke) number: u32,
    pub(in crate::ke) place: Ptr<KTIMER>,
    pub(in crate::ke) driver: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    /// The current setting, if it is set.
    pub(in crate::ke) set: Option<u64>,
    pub(in crate::ke) period: u64,
    /// How often its time has come.
    pub(in crate::ke) expiries: u32,
    pub(in crate::ke) dpc: Option<Ptr<KDPC>>,
}

#[derive(Default)]
pub(crate) struct Dpcs {
    pub(in crate::ke) dpcs: BTreeMap<usize, Dpc>,
    pub(in crate::ke) timers: BTreeMap<usize, Timer>,
    pub(in crate::ke) numbers: u32,
}

impl Dpcs {
    /// Whether a timer was initialised at this address.
    pub(crate) fn is_timer(&self, address: usize) -> bool {
        self.timers.contains_key(&address)
    }

    /// Whether no DPC of this driver is queued or runs.
    pub(in crate::ke) fn is_quiet(&self, driver: u32) -> bool {
        let mut own = self.dpcs.values().filter(|d| d.driver == Some(driver));
        own.all(|dpc| dpc.queued.is_none() && dpc.running == 0)
    }
}

impl Timer {
    /// Where it keeps whether it is signalled: the header's second long.
    pub(in crate::ke) fn signal(&self) -> *mut i32 {
        self.place.0.cast::<i32>().wrapping_add(1)
    }
}
