//! What a call manager has told one of its clients that it tells all of them, and in which order.

use alloc::vec::Vec;

/// What a client was told since it opened its family; each with its place in the run.
#[derive(Clone, Default)]
pub(crate) struct Announced {
    /// That the address has changed.
    pub(crate) addresses: Vec<u64>,
    /// That the call manager can signal, or not.
    pub(crate) signaling: Vec<(u64, bool)>,
}

impl Announced {
    /// How often it was told of an address after that place.
    pub(crate) fn addresses_since(&self, place: u64) -> usize {
        let since = self.addresses.iter().filter(|at| **at > place);
        since.count()
    }

    /// Whether the call manager can signal, by what it was told last: it can until it says
    /// otherwise.
    pub(crate) fn signals(&self) -> bool {
        self.signaling.last().is_none_or(|(_, signals)| *signals)
    }

    /// The place in the run at which it was told that.
    pub(crate) fn signals_since(&self) -> u64 {
        self.signaling.last().map_or(0, |(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_last_counts() {
        let mut told = Announced {
            addresses: [3, 8].into(),
            ..Announced::default()
        };
        assert_eq!([told.addresses_since(3), told.addresses_since(8)], [1, 0]);
        assert!(told.signals() && told.signals_since() == 0);
        told.signaling = [(2, true), (4, false)].into();
        assert!(!told.signals() && told.signals_since() == 4);
    }
}
