//! [`Input`]: what the fuzzer gives, read as decisions.

/// What follows when bytes are used up.
const PATTERN: [u8; 251] = {
    let mut pattern = [0; 251];
    let mut at = 0;
    while at < pattern.len() {
        pattern[at] = at as u8 ^ 0x5A;
        at += 1;
    }
    pattern
};

/// The bytes of one run, taken from the front. When they are used up, zeros
/// follow, so every input means something.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left but zeros.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Yes or no; no when the input is used up.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 != 0
    }

    /// Four bytes.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// A number below `count`, of at most 256.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// `len` bytes: those of the input, then a pattern that tells a shifted
    /// copy from a right one.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let (own, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        let mut bytes = own.to_vec();
        while bytes.len() < len {
            let more = PATTERN.len().min(len - bytes.len());
            bytes.extend_from_slice(&PATTERN[..more]);
        }
        bytes
    }
}
