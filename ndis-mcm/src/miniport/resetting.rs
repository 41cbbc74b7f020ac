//! [`Resetting`]: whether an adapter is being reset, and who completes that.

use core::sync::atomic::{AtomicU8, Ordering};

/// Whether an adapter is being reset.
///
/// # Invariants
///
/// RESET: `ASKED` from the handler's begin to its answer or, when that is later, to the one
/// completion; `LOST` from the drop of the pended token to the completion. Whoever takes either
/// away answers or completes.
#[derive(Debug, Default)]
pub(super) struct Resetting(AtomicU8);

const NONE: u8 = 0;
const ASKED: u8 = 1;
const LOST: u8 = 2;

impl Resetting {
    pub(super) fn begin(&self) -> bool {
        let begun = self
            .0
            .compare_exchange(NONE, ASKED, Ordering::SeqCst, Ordering::SeqCst);
        begun.is_ok()
    }

    pub(super) fn end(&self) {
        self.0.store(NONE, Ordering::SeqCst);
    }

    pub(super) fn lose(&self) {
        self.0.store(LOST, Ordering::SeqCst);
    }

    pub(super) fn take_lost(&self) -> bool {
        let lost = self
            .0
            .compare_exchange(LOST, NONE, Ordering::SeqCst, Ordering::SeqCst);
        lost.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn one_reset_at_a_time_and_one_completion_of_a_lost_one() {
        let resetting = Resetting::default();
        assert!(resetting.begin());
        assert!(!resetting.begin());
        resetting.end();
        assert!(!resetting.take_lost());
        assert!(resetting.begin());
        resetting.lose();
        assert!(!resetting.begin(), "it is not completed");
        assert!(resetting.take_lost());
        assert!(!resetting.take_lost());
        assert!(resetting.begin());
    }
}
