//! The one source of chance: everything that a run leaves open is drawn here, so
//! that a seed is the whole schedule.

/// A small generator (SplitMix64): a full period, any seed is good, and the
/// same numbers on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 when `limit` is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        if limit < 2 {
            return 0;
        }
        // The bias of a plain remainder is far below what a schedule notices.
        (self.next() % limit as u64) as usize
    }

    /// True in `of` draws `times` times.
    pub(crate) fn chance(&mut self, times: u32, of: u32) -> bool {
        times != 0 && of != 0 && (self.next() % u64::from(of)) < u64::from(times)
    }

    /// Puts `items` into a random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn a_seed_is_a_sequence() {
        let draw = |seed| {
            let mut rng = Rng::new(seed);
            [rng.next(), rng.next(), rng.next()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn chances_are_kept() {
        let mut rng = Rng::new(1);
        let hits = (0..8000).filter(|_| rng.chance(1, 8)).count();
        assert!((800..1200).contains(&hits), "{hits}");
        assert!(!rng.chance(0, 8));
    }
}
