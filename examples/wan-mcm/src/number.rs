//! [`Number`]: by what a line is called.

use core::fmt;
use ndis_mcm::Status;

/// The most lines of an adapter: each has two digits of its own.
pub const MAX_LINES: u32 = 100;

/// The longest prefix, in digits.
pub const MAX_PREFIX: usize = 14;

/// What the numbers of an adapter's lines begin with: digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; MAX_PREFIX],
    len: usize,
}

impl Prefix {
    /// These digits.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when there is none, or one that is no digit, or there are more than
    /// [`MAX_PREFIX`].
    pub fn new(digits: impl IntoIterator<Item = char>) -> Result<Self, Status> {
        let (mut bytes, mut len) = ([0; MAX_PREFIX], 0_usize);
        for digit in digits {
            let place = bytes.get_mut(len).filter(|_| digit.is_ascii_digit());
            *place.ok_or(Status::INVALID_DATA)? = digit as u8;
            len = len.saturating_add(1);
        }
        if len == 0 {
            return Err(Status::INVALID_DATA);
        }
        Ok(Self { bytes, len })
    }

    /// The prefix that is one digit, from 1 to 9.
    pub(crate) fn digit(digit: u8) -> Option<Self> {
        let digit = char::from_digit(u32::from(digit), 10).filter(|digit| *digit != '0')?;
        Self::new([digit]).ok()
    }

    /// The number of a line: the prefix, and the line in two digits.
    #[must_use]
    pub fn line(self, line: u32) -> Number {
        let mut bytes = [0; MAX_PREFIX + 2];
        let digits = [line / 10 % 10, line % 10].map(|digit| b'0'.wrapping_add(digit as u8));
        let prefix = self.bytes.iter().take(self.len);
        for (to, from) in bytes.iter_mut().zip(prefix.chain(&digits)) {
            *to = *from;
        }
        let len = self.len.saturating_add(2);
        Number { bytes, len }
    }
}

impl Prefix {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.bytes, self.len)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The number of a line.
#[derive(Clone, Copy)]
pub struct Number {
    bytes: [u8; MAX_PREFIX + 2],
    len: usize,
}

impl Number {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.bytes, self.len)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// It is of digits.
fn text(bytes: &[u8], len: usize) -> &str {
    let text = bytes.get(..len).unwrap_or_default();
    core::str::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn each_line_has_its_number() {
        let prefix = Prefix::new("555".chars()).unwrap();
        assert_eq!(prefix.line(0).as_str(), "55500");
        assert_eq!(prefix.line(MAX_LINES - 1).as_str(), "55599");
        assert_eq!(Prefix::digit(3).unwrap().line(12).as_str(), "312");
        assert_eq!(Prefix::digit(0), None);
        assert_eq!(Prefix::digit(10), None);
    }

    #[test]
    fn a_prefix_is_of_digits() {
        let longest = "1".repeat(MAX_PREFIX);
        assert_eq!(
            Prefix::new(longest.chars()).unwrap().line(1).as_str().len(),
            16
        );
        for wrong in [
            "",
            "12a",
            "1 ",
            "+49",
            "\u{661}",
            &"1".repeat(MAX_PREFIX + 1),
        ] {
            assert_eq!(
                Prefix::new(wrong.chars()),
                Err(Status::INVALID_DATA),
                "{wrong}"
            );
        }
    }
}
