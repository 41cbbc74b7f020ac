//! Spin locks, by their addresses.

use super::lock_order::LockOrder;
use crate::sched::TaskId;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The holder of each lock that is held, and how many times. They are few at any time, and taken
/// and released in nearly every call of a driver: a tree would allocate each time.
#[derive(Default)]
pub(in crate::ke) struct Held(Vec<(usize, (TaskId, u32))>);

impl Held {
    pub(in crate::ke) fn contains_key(&self, address: &usize) -> bool {
        self.0.iter().any(|(held, _)| held == address)
    }

    pub(in crate::ke) fn get_mut(&mut self, address: &usize) -> Option<&mut (TaskId, u32)> {
        let found = self.0.iter_mut().find(|(held, _)| held == address);
        found.map(|(_, holder)| holder)
    }

    /// A lock that nobody holds is held from now on.
    pub(in crate::ke) fn insert(&mut self, address: usize, holder: (TaskId, u32)) {
        self.0.push((address, holder));
    }

    pub(in crate::ke) fn remove(&mut self, address: &usize) {
        if let Some(place) = self.0.iter().position(|(held, _)| held == address) {
            self.0.swap_remove(place);
        }
    }
}

/// Spin locks that somebody holds, and how many times; and those of lists.
#[derive(Default)]
pub(crate) struct Locks {
    pub(in crate::ke) held: Held,
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
