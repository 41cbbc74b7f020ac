//! [`Orders`]: what a test wants done, each order for the adapter that carries it out.

use std::{
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};

/// Orders that wait, of all adapters.
pub(super) struct Orders<O> {
    waiting: VecDeque<(u32, O)>,
    /// The adapters whose orders are being carried out.
    working: BTreeSet<u32>,
}

impl<O> Default for Orders<O> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            working: BTreeSet::new(),
        }
    }
}

impl<O> Orders<O> {
    /// One that is to be carried out after those before.
    pub(super) fn push(&mut self, adapter: u32, order: O) {
        self.waiting.push_back((adapter, order));
    }

    /// The next one for an adapter, for the one thread that carries them out: who has begun goes on
    /// until there are none.
    pub(super) fn next(&mut self, adapter: u32, begun: bool) -> Option<O> {
        if !begun && !self.working.insert(adapter) {
            return None;
        }
        let place = self.waiting.iter().position(|(of, _)| *of == adapter);
        let Some((_, order)) = place.and_then(|place| self.waiting.remove(place)) else {
            self.working.remove(&adapter);
            return None;
        };
        Some(order)
    }

    /// All that wait for an adapter: they cannot be carried out.
    pub(super) fn take_all(&mut self, adapter: u32) -> Vec<O> {
        let waiting = std::mem::take(&mut self.waiting);
        let (of_it, others): (VecDeque<_>, _) =
            waiting.into_iter().partition(|(of, _)| *of == adapter);
        self.waiting = others;
        of_it.into_iter().map(|(_, order)| order).collect()
    }
}
