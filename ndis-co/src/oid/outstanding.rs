//! [`Outstanding`]: the OID requests about a VC, and whether they let it go.
//!
//! A request is completed with the VC's handle. So the VC is not deleted before that: a driver does
//! not delete its own (rule OID-68), and does not let another side delete one (rule VC-27).
//!
//! When it is over depends on who looks. Whoever has asked hears of it within the call that completes it,
//! and may delete its VC from there on, within its handler or by another thread: it need not try
//! twice. Whoever completes it is done when that call has returned. So a request is *told* from the moment when that
//! call begins, and from then on
//!
//! - a VC of this driver's own stays until the call has returned,
//! - a peer's is let go, if the peer is who has asked: while it has not heard it does not delete (rule
//!   OID-68), so it has. That is so of each request between a client and its call manager, for
//!   who deletes is the other one of the two,
//! - otherwise NDIS may have asked, of which the peer that deletes knows nothing. It is let go where
//!   the peer surely has heard: by the thread that completes the request, so within that call.
//!   Another thread is refused until the call has returned. (A DPC that interrupts the thread is taken for
//!   it: it would have to come between the count and NDIS's look at the handle, to delete a VC
//!   that NDIS asks about.)

use crate::thread::Thread;

/// See the module. All of it changes under the VC's lock.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    /// Not answered.
    open: u32,
    /// Told, by calls that have not returned.
    told: u32,
    /// How many of those NDIS may have made.
    any: u32,
    /// The thread that completes all of these, if it is one.
    by: Option<Thread>,
}

/// How far a request is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Not answered.
    Open,
    /// Told, to the peer.
    Told,
    /// Told, to whoever has asked.
    ToldAny,
}

impl Outstanding {
    pub(crate) const fn new() -> Self {
        Self {
            open: 0,
            told: 0,
            any: 0,
            by: None,
        }
    }

    /// One more, or one more value that stands for one.
    pub(crate) fn add(&mut self, stage: Stage) {
        let count = match stage {
            Stage::Open => &mut self.open,
            Stage::Told | Stage::ToldAny => &mut self.told,
        };
        *count = count.saturating_add(1);
        if stage == Stage::ToldAny {
            self.any = self.any.saturating_add(1);
        }
    }

    /// The call that completes one begins; the peer has asked.
    pub(crate) fn tell_peer(&mut self) {
        self.remove(Stage::Open);
        self.add(Stage::Told);
    }

    /// The call that completes one begins, on this thread; anybody has asked.
    pub(crate) fn tell_any(&mut self, thread: Thread) {
        self.by = (self.any == 0 || self.by == Some(thread)).then_some(thread);
        self.remove(Stage::Open);
        self.add(Stage::ToldAny);
    }

    /// One is over; whether that was the last.
    pub(crate) fn remove(&mut self, stage: Stage) -> bool {
        let count = match stage {
            Stage::Open => &mut self.open,
            Stage::Told | Stage::ToldAny => &mut self.told,
        };
        *count = count.saturating_sub(1);
        if stage == Stage::ToldAny {
            self.any = self.any.saturating_sub(1);
        }
        self.is_empty()
    }

    /// Whether none is left, so that this driver may delete its VC.
    pub(crate) fn is_empty(&self) -> bool {
        self.open == 0 && self.told == 0
    }

    /// Whether the peer may delete its VC, on this thread.
    pub(crate) fn lets_go(&self, thread: impl FnOnce() -> Thread) -> bool {
        self.open == 0 && (self.any == 0 || self.by == Some(thread()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    fn never() -> Thread {
        panic!("nobody is to be compared with");
    }

    #[test]
    fn a_request_of_the_peers_lets_its_vc_go_when_it_is_told() {
        let mut all = Outstanding::new();
        assert!(all.lets_go(never) && all.is_empty());
        all.add(Stage::Open);
        assert!(!all.lets_go(never));
        all.tell_peer();
        assert!(all.lets_go(never), "it has heard");
        assert!(!all.is_empty(), "the call has not returned");
        // A value that stands for the same one, while the memory goes.
        all.add(Stage::Told);
        assert!(!all.remove(Stage::Told));
        assert!(all.remove(Stage::Told));
        assert!(all.lets_go(never) && all.is_empty());
    }

    #[test]
    fn a_request_of_anybodys_lets_a_vc_go_on_the_thread_that_tells() {
        let [one, other] = [1, 2].map(Thread::numbered);
        let mut all = Outstanding::new();
        all.add(Stage::Open);
        all.add(Stage::Open);
        all.tell_any(one);
        assert!(!all.lets_go(|| one), "the other one is not answered");
        all.tell_any(one);
        assert!(all.lets_go(|| one), "one is told within the other");
        assert!(!all.lets_go(|| other));
        assert!(!all.remove(Stage::ToldAny));
        all.add(Stage::Open);
        all.tell_any(other);
        assert!(!all.lets_go(|| one) && !all.lets_go(|| other));
        assert!(!all.remove(Stage::ToldAny));
        assert!(all.remove(Stage::ToldAny));
        assert!(all.lets_go(never));
        all.add(Stage::Open);
        all.tell_any(other);
        assert!(all.lets_go(|| other), "the first one is forgotten");
    }
}
