//! Due times, as drivers give them.

use crate::sched::EPOCH;

/// A due time as an interval from now: negative is relative, positive a date.
pub(crate) fn interval(due: i64) -> u64 {
    if due <= 0 {
        due.unsigned_abs()
    } else {
        // A date; the host's clock has started at `EPOCH`.
        (due as u64).saturating_sub(EPOCH)
    }
}
