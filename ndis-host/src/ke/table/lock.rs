//! Spin locks, by their addresses.

use super::lock_order::LockOrder;
use crate::sched::TaskId;
use alloc::collections::{BTreeMap, BTreeSet};

/// Spin locks that somebody holds, and how many times; and those of lists.
#[derive(Default)]
pub(crate) struct Locks {
    pub(in crate::ke) held: BTreeMap<usize, (TaskId, u32)>,
    /// Those of interlocked lists.
    pub(in crate::ke) lists: BTreeSet<usize>,
    pub(crate) order: LockOrder,
}

impl Locks {
    /// Memory ends, and with it the locks there.
    pub(crate) fn end_lists(&mut self, memory: &core::ops::Range<usize>) {
        self.lists.retain(|address| !memory.contains(address));
    }

    /// Releases a lock whose holder is gone.
    pub(crate) fn forget(&mut self, address: usize) {
        self.held.remove(&address);
    }
}
