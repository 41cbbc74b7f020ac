//! The order in which spin locks are taken. Two locks that are taken in both orders
//! are a deadlock that waits for the right moment, so the second order is reported
//! when it is seen, though nothing hangs in this run.
//!
//! An edge leads from a lock that is held to one that is taken meanwhile. It goes when
//! either lock goes: with the pool memory that the lock lies in, with its end
//! ([`NdisFreeSpinLock`](ndis_sys::NdisFreeSpinLock)), or, where the host sees neither,
//! with the driver that took it. A lock on a stack has no end that the host sees and is
//! left out.

use crate::ke::table::lock_order::Edge;
use crate::rules;
use crate::sched::Task;
use crate::state::State;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt::Write as _;

/// Whether an address lies in the part of the task's stack that is in use.
fn on_stack<C>(task: &Task<C>, address: usize) -> bool {
    let here = 0_u8;
    // Under Miri a stack is no range of addresses.
    !cfg!(miri) && (&raw const here).addr() <= address && address < task.stack_base
}

impl State {
    /// The running task is about to take a lock: reports it when that closes a cycle.
    pub(crate) fn check_lock_order(&mut self, call: &str, taken: usize) {
        let Some(task) = self.sched.current() else {
            return;
        };
        if task.locks.is_empty() || task.locks.contains(&taken) || on_stack(task, taken) {
            return;
        }
        let held: Vec<usize> = task
            .locks
            .iter()
            .copied()
            .filter(|held| !on_stack(task, *held) && !self.locks.order.knows(*held, taken))
            .collect();
        for held in held {
            let edge = Edge {
                driver: self.driver(),
                who: self.who(),
                chain: self.backtrace(),
            };
            // An edge is looked at once, when it is new; so a cycle is reported once.
            let way = self.locks.order.way(taken, held);
            self.locks.order.add(held, taken, edge);
            if let Some(way) = way {
                self.report_lock_order(call, held, taken, &way);
            }
        }
    }

    fn report_lock_order(&mut self, call: &str, held: usize, taken: usize, way: &[usize]) {
        let mut names = BTreeMap::new();
        let mut name = |lock: usize| {
            let next = char::from(b'A'.saturating_add(u8::try_from(names.len()).unwrap_or(25)));
            *names.entry(lock).or_insert(next)
        };
        let mut message = alloc::format!(
            "{call} takes spin lock {} while {} is held",
            name(taken),
            name(held)
        );
        for pair in way.windows(2) {
            let [before, after] = pair else { continue };
            let edge = self
                .locks
                .order
                .edges
                .get(before)
                .and_then(|e| e.get(after));
            if let Some(edge) = edge {
                let _ = write!(
                    message,
                    "; {} took {} while {} was held, in {}",
                    edge.who,
                    name(*after),
                    name(*before),
                    edge.chain
                );
            }
        }
        for (lock, name) in &names {
            if let Some(place) = self.memory.place(*lock) {
                let _ = write!(message, "; {name} is at {place}");
            }
        }
        self.violate(rules::LOCK_ORDER, None, message);
    }
}
