//! [`Backlog`]: work that objects have left to be done, and when its turn is.

mod links;

pub(crate) use links::{Job, Link, List, Queued};

use crate::kernel::RawWorkItem;
use core::mem;

/// The deferred work.
pub(crate) struct Backlog {
    /// What is to be done now.
    pub(crate) due: List,
    /// What is to be done a little later.
    pub(crate) later: List,
    /// How long that is, in milliseconds.
    pause: u32,
    /// How many pieces of work were done while others waited in `later`.
    passed: u32,
    /// The timer is set, or is about to be.
    pub(crate) ticking: bool,
    /// The work item is queued or running.
    pub(crate) scheduled: bool,
    /// It is here, unless it is queued, until the scope is closed.
    pub(crate) item: Option<RawWorkItem>,
}

/// What the work item does next.
pub(crate) enum Next {
    Run(Job),
    /// Ends, and sets the timer to so many milliseconds.
    Pause(u32),
    End,
}

/// The longest pause, in milliseconds.
const LONGEST_PAUSE: u32 = 64;

/// After so much work that came in between, what waits in `later` has its turn: a
/// scope that never runs out of work does not forget it.
const MOST_PASSED: u32 = 64;

impl Backlog {
    pub(crate) const fn new() -> Self {
        Self {
            due: List::new(),
            later: List::new(),
            pause: 1,
            passed: 0,
            ticking: false,
            scheduled: false,
            item: None,
        }
    }

    /// Picks what the work item does next; when it ends, that is noted.
    pub(crate) fn next(&mut self) -> Next {
        let waiting = !self.later.is_empty();
        if let Some(job) = self.due.next() {
            if waiting {
                self.passed = self.passed.saturating_add(1);
                if self.passed >= MOST_PASSED {
                    self.recall();
                }
            }
            return Next::Run(job);
        }
        self.scheduled = false;
        if !waiting {
            self.pause = 1;
            return Next::End;
        }
        if mem::replace(&mut self.ticking, true) {
            return Next::End;
        }
        Next::Pause(self.pause)
    }

    /// The pause is over: what waited for it is due. Whether the work item is to be
    /// queued for it.
    pub(crate) fn expired(&mut self) -> bool {
        self.ticking = false;
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        self.recall();
        !self.due.is_empty() && !mem::replace(&mut self.scheduled, true)
    }

    /// Makes due what was to be done later.
    fn recall(&mut self) {
        self.passed = 0;
        let later = mem::replace(&mut self.later, List::new());
        self.due.append(later);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::irql::Passive;
    use core::{ffi::c_void, ptr};
    // Defines what the crates import.
    use ndis_host as _;

    unsafe fn nothing(_: *mut c_void, _: &mut Passive) {}

    /// Links that are told apart by their object, of which they have no reference.
    fn links() -> [Link; 2] {
        let links = [Link::new(nothing), Link::new(nothing)];
        for (number, link) in links.iter().enumerate() {
            link.stands_for(ptr::without_provenance_mut(number + 1));
        }
        links
    }

    fn backlog() -> Backlog {
        Backlog {
            scheduled: true,
            ..Backlog::new()
        }
    }

    /// What was refused is tried again also while there is always other work.
    #[test]
    fn what_waits_has_its_turn_under_load() {
        let [refused, busy] = links();
        let mut backlog = backlog();
        // SAFETY: both links outlive the lists, which no other thread reaches.
        backlog.later.push(unsafe { refused.queued() });
        let mut tries = 0;
        for _ in 0..=MOST_PASSED {
            // SAFETY: as above; it was taken out before.
            backlog.due.push(unsafe { busy.queued() });
            while let Next::Run(job) = backlog.next() {
                if job.is_of(&busy) {
                    break;
                }
                tries += 1;
                // SAFETY: as above.
                backlog.later.push(unsafe { refused.queued() });
            }
        }
        assert_eq!(tries, 1);
    }

    /// The pauses between tries grow, and what is due does not wait for them.
    #[test]
    fn what_is_due_ends_a_pause() {
        let [refused, due] = links();
        let mut backlog = backlog();
        for pause in [1, 2, 4, 8, 16, 32, 64, 64] {
            // SAFETY: both links outlive the lists, which no other thread reaches.
            backlog.later.push(unsafe { refused.queued() });
            assert!(matches!(backlog.next(), Next::Pause(length) if length == pause));
            assert!(backlog.ticking && !backlog.scheduled);
            // SAFETY: as above.
            backlog.due.push(unsafe { due.queued() });
            assert!(matches!(backlog.next(), Next::Run(job) if job.is_of(&due)));
            assert!(matches!(backlog.next(), Next::End), "the timer is set");
            assert!(backlog.expired(), "the work item is to be queued");
            assert!(matches!(backlog.next(), Next::Run(job) if job.is_of(&refused)));
        }
        assert!(matches!(backlog.next(), Next::End));
        assert_eq!(backlog.pause, 1);
    }
}
