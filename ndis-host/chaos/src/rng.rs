//! The random numbers of the test: one generator a run, so that a seed is the whole run.
#![forbid(unsafe_code)]

/// SplitMix64, as the host's own; another stream of it.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        // Not the stream that the host draws its schedule from.
        Self(seed.rotate_left(32) ^ 0xA5A5_5A5A_C3C3_3C3C)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 when `limit` is 0.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        if limit < 2 {
            return 0;
        }
        (self.next() % u64::from(limit)) as u32
    }
}
