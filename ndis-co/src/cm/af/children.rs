//! [`Children`]: how much there is beneath a family that a client has opened.
//!
//! Each VC counts twice in its life, and each OID request: without the family's lock, for the one
//! who closes it asks last.

use crate::Status;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The SAPs, VCs and requests beneath, and whether more may come: in one word.
///
/// Who has [refused](Self::refuse) and then finds some there is told of the last one's
/// [removal](Self::remove): that comes before the look, or after the refusal.
pub(super) struct Children(AtomicUsize);

/// No more may come.
const REFUSES: usize = 1;
/// One of them.
const CHILD: usize = 2;

impl Children {
    /// None, and none may come.
    pub(super) const fn new() -> Self {
        Self(AtomicUsize::new(REFUSES))
    }

    /// They may come.
    pub(super) fn admit(&self) {
        self.0.fetch_and(!REFUSES, Ordering::AcqRel);
    }

    /// No more may come.
    pub(super) fn refuse(&self) {
        self.0.fetch_or(REFUSES, Ordering::AcqRel);
    }

    /// One more.
    pub(super) fn add(&self) -> Result<(), Status> {
        let more = |word: usize| (word & REFUSES == 0).then(|| word.wrapping_add(CHILD));
        let added = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        added.map(drop).map_err(|_| Status::CLOSING)
    }

    /// One more beside one that is there, whether more may come or not.
    pub(super) fn add_one_more(&self) {
        self.0.fetch_add(CHILD, Ordering::AcqRel);
    }

    /// One less; whether it was the last and no more may come.
    #[must_use]
    pub(super) fn remove(&self) -> bool {
        self.0.fetch_sub(CHILD, Ordering::AcqRel) == CHILD | REFUSES
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) < CHILD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn the_last_child_is_told_to_who_refuses() {
        let children = Children::new();
        assert_eq!(children.add(), Err(Status::CLOSING), "not open");
        children.admit();
        children.add().unwrap();
        assert!(!children.remove(), "nobody waits");
        children.add().unwrap();
        children.add_one_more();
        children.refuse();
        assert_eq!(children.add(), Err(Status::CLOSING));
        children.add_one_more();
        assert!(!children.remove());
        assert!(!children.remove());
        assert!(!children.is_empty());
        assert!(children.remove());
        assert!(children.is_empty());
    }
}
