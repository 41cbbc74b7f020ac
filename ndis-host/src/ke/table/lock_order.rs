//! The order in which spin locks have been taken: a graph. An edge leads from a lock that was
//! held to one that was taken meanwhile.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

/// Where a lock was taken while another was held.
pub(in crate::ke) struct Edge {
    pub(in crate::ke) driver: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    /// The chain of calls and callbacks, with the task.
    pub(in crate::ke) chain: String,
}

#[derive(Default)]
pub(crate) struct LockOrder {
    /// For each lock, those that were taken while it was held.
    pub(in crate::ke) edges: BTreeMap<usize, BTreeMap<usize, Edge>>,
    /// For each lock, those that were held when it was taken.
    back: BTreeMap<usize, BTreeSet<usize>>,
}

impl LockOrder {
    pub(in crate::ke) fn knows(&self, held: usize, taken: usize) -> bool {
        self.edges
            .get(&held)
            .is_some_and(|next| next.contains_key(&taken))
    }

    pub(in crate::ke) fn add(&mut self, held: usize, taken: usize, edge: Edge) {
        self.edges.entry(held).or_default().insert(taken, edge);
        self.back.entry(taken).or_default().insert(held);
    }

    /// The locks on a shortest way between two, both included.
    pub(in crate::ke) fn way(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let mut came = BTreeMap::new();
        let mut open = VecDeque::from([from]);
        while let Some(at) = open.pop_front() {
            if at == to {
                let mut way = alloc::vec![to];
                let mut at = to;
                while at != from {
                    at = *came.get(&at)?;
                    way.push(at);
                }
                way.reverse();
                return Some(way);
            }
            for next in self.edges.get(&at).into_iter().flat_map(BTreeMap::keys) {
                if *next != from && !came.contains_key(next) {
                    came.insert(*next, at);
                    open.push_back(*next);
                }
            }
        }
        None
    }

    /// The memory is no longer a lock's, or not yet.
    pub(crate) fn forget(&mut self, memory: Range<usize>) {
        if self.edges.is_empty() || memory.is_empty() {
            return;
        }
        let outgoing = self.edges.range(memory.clone()).map(|(lock, _)| *lock);
        let incoming = self.back.range(memory).map(|(lock, _)| *lock);
        let gone: BTreeSet<usize> = outgoing.chain(incoming).collect();
        for lock in gone {
            for taken in self.edges.remove(&lock).unwrap_or_default().into_keys() {
                self.remove_back(lock, taken);
            }
            for held in self.back.remove(&lock).unwrap_or_default() {
                self.remove_edge(held, lock);
            }
        }
    }

    /// The driver and its image are gone.
    pub(crate) fn forget_driver(&mut self, driver: u32) {
        let gone: Vec<(usize, usize)> = self
            .edges
            .iter()
            .flat_map(|(held, next)| next.iter().map(move |(taken, edge)| (*held, *taken, edge)))
            .filter(|(.., edge)| edge.driver == Some(driver))
            .map(|(held, taken, _)| (held, taken))
            .collect();
        for (held, taken) in gone {
            self.remove_edge(held, taken);
            self.remove_back(held, taken);
        }
    }

    fn remove_edge(&mut self, held: usize, taken: usize) {
        if let Some(next) = self.edges.get_mut(&held) {
            next.remove(&taken);
            if next.is_empty() {
                self.edges.remove(&held);
            }
        }
    }

    fn remove_back(&mut self, held: usize, taken: usize) {
        if let Some(before) = self.back.get_mut(&taken) {
            before.remove(&held);
            if before.is_empty() {
                self.back.remove(&taken);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(driver: Option<u32>) -> Edge {
        Edge {
            driver,
            who: Arc::from("test"),
            chain: String::new(),
        }
    }

    #[test]
    fn a_way_is_found_until_one_of_its_locks_is_gone() {
        let mut order = LockOrder::default();
        order.add(10, 20, edge(None));
        order.add(20, 30, edge(None));
        assert_eq!(order.way(10, 30), Some(alloc::vec![10, 20, 30]));
        assert_eq!(order.way(30, 10), None);
        order.forget(21..30);
        assert!(order.way(10, 30).is_some());
        order.forget(16..24);
        assert_eq!(order.way(10, 30), None);
        assert!(order.edges.is_empty() && order.back.is_empty());
    }

    #[test]
    fn the_edges_of_a_driver_go_with_it() {
        let mut order = LockOrder::default();
        order.add(10, 20, edge(Some(1)));
        order.add(20, 10, edge(Some(2)));
        order.forget_driver(1);
        assert!(!order.knows(10, 20) && order.knows(20, 10));
        order.forget_driver(2);
        assert!(order.edges.is_empty() && order.back.is_empty());
    }
}
