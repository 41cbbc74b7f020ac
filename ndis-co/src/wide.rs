//! Texts of the registry: [`Name`], what a driver calls a value, and [`Utf16`], what it reads.
//!
//! The kernel's texts are UTF-16 with a length. A driver writes its names as it likes, and they
//! become that without memory of the pool, unless they are long; then to have none is an error.

use crate::{
    Status,
    mem::{Tag, Vec},
};
use core::fmt::{self, Write as _};
use ndis_sys::UNICODE_STRING;

/// The name of a value or a key in the registry, or a text to write there: a `&str`, or UTF-16
/// as [`utf16!`](crate::utf16) makes it of a literal.
///
/// ```
/// use ndis_co::{Status, configuration::Configuration, utf16};
/// # use ndis_host as _;
///
/// /// Either form will do.
/// fn lines(configuration: &Configuration<'_>) -> Result<u32, Status> {
///     let lines = configuration.get_u32(utf16!("Lines"))?;
///     Ok(lines.or(configuration.get_u32("Channels")?).unwrap_or(4))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Name<'n>(Form<'n>);

#[derive(Clone, Copy, Debug)]
enum Form<'n> {
    Text(&'n str),
    Units(&'n [u16]),
}

impl<'n> From<&'n str> for Name<'n> {
    fn from(text: &'n str) -> Self {
        Self(Form::Text(text))
    }
}

impl<'n> From<&'n [u16]> for Name<'n> {
    fn from(units: &'n [u16]) -> Self {
        Self(Form::Units(units))
    }
}

impl<'n, const N: usize> From<&'n [u16; N]> for Name<'n> {
    fn from(units: &'n [u16; N]) -> Self {
        Self(Form::Units(units))
    }
}

impl<'n> From<Utf16<'n>> for Name<'n> {
    fn from(text: Utf16<'n>) -> Self {
        Self(Form::Units(text.0))
    }
}

/// Names up to this length need no memory of the pool.
const SHORT: usize = 64;

impl Name<'_> {
    /// Calls `f` with the counted string, which lives for the call and is not to be written to.
    pub(crate) fn counted<R>(
        self,
        f: impl FnOnce(UNICODE_STRING) -> Result<R, Status>,
    ) -> Result<R, Status> {
        let mut short = [0; SHORT];
        let mut long = Vec::new(Tag::NDIS);
        // What this gives refers to one of the two, or to the name's own units.
        let text = self.encode(&mut short, &mut long)?;
        f(text)
    }

    /// Writes a text as UTF-16, into `short` if it fits.
    #[inline(never)]
    fn encode(
        self,
        short: &mut [u16; SHORT],
        long: &mut Vec<u16>,
    ) -> Result<UNICODE_STRING, Status> {
        let text = match self.0 {
            Form::Units(units) => return counted(units),
            Form::Text(text) => text,
        };
        let mut length = 0;
        for unit in text.encode_utf16() {
            let Some(place) = short.get_mut(length) else {
                self.append_to(long)?;
                return counted(long);
            };
            *place = unit;
            length += 1;
        }
        counted(short.get(..length).unwrap_or_default())
    }

    /// Adds the text to another.
    pub(crate) fn append_to(self, to: &mut Vec<u16>) -> Result<(), Status> {
        match self.0 {
            Form::Text(text) => {
                to.try_reserve(text.len())?;
                text.encode_utf16().try_for_each(|unit| to.try_push(unit))?;
            }
            Form::Units(units) => {
                to.try_reserve(units.len())?;
                units.iter().try_for_each(|unit| to.try_push(*unit))?;
            }
        }
        Ok(())
    }
}

/// A counted string over all of `units`, which must be shorter than 64 KiB. Nobody writes to it.
pub(crate) fn counted(units: &[u16]) -> Result<UNICODE_STRING, Status> {
    let bytes = u16::try_from(size_of_val(units)).map_err(|_| Status::INVALID_PARAMETER)?;
    Ok(UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    })
}

/// A text in UTF-16 that was read, without the zeros behind it.
///
/// ```
/// use ndis_co::{utf16, wide::Utf16};
/// # use ndis_host as _;
///
/// let text = Utf16::new(utf16!("Dial 30"));
/// assert!(text == *"Dial 30" && text.is("dial 30"));
/// assert_eq!(text.chars().filter(char::is_ascii_digit).count(), 2);
/// assert_eq!(text.to_string(), "Dial 30");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Utf16<'t>(&'t [u16]);

impl<'t> Utf16<'t> {
    /// The text of these units; zeros at its end are not of it.
    #[must_use]
    pub const fn new(mut units: &'t [u16]) -> Self {
        while let [rest @ .., 0] = units {
            units = rest;
        }
        Self(units)
    }

    /// The units.
    #[must_use]
    pub const fn units(self) -> &'t [u16] {
        self.0
    }

    /// The characters. Half of a surrogate pair becomes U+FFFD.
    pub fn chars(self) -> impl Iterator<Item = char> + use<'t> {
        let units = self.0.iter().copied();
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Whether it reads `text`, whatever the case of ASCII letters.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        let folded = |it: char| it.to_ascii_lowercase();
        self.chars().map(folded).eq(text.chars().map(folded))
    }

    /// The number that it is, in digits of this base (2 to 36): with a `-` before them, its two's
    /// complement, and in base 16 also with `0x`. `None` when it is no number of 32 bits.
    #[must_use]
    pub fn number(self, base: u32) -> Option<u32> {
        const MINUS: u16 = b'-' as u16;
        const ZERO: u16 = b'0' as u16;
        let (negative, digits) = match self.0 {
            [MINUS, digits @ ..] => (true, digits),
            [ZERO, x, digits @ ..] if base == 16 && [0x58, 0x78].contains(x) => (false, digits),
            digits => (false, digits),
        };
        if digits.is_empty() || !(2..=36).contains(&base) {
            return None;
        }
        let mut number = 0_u32;
        for unit in digits {
            let digit = char::from_u32(u32::from(*unit))?.to_digit(base)?;
            number = number.checked_mul(base)?.checked_add(digit)?;
        }
        match negative {
            false => Some(number),
            true if number <= i32::MIN.unsigned_abs() => Some(number.wrapping_neg()),
            true => None,
        }
    }
}

impl PartialEq<str> for Utf16<'_> {
    fn eq(&self, text: &str) -> bool {
        self.0.iter().copied().eq(text.encode_utf16())
    }
}

impl fmt::Display for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|it| f.write_char(it))
    }
}

impl fmt::Debug for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The texts of a list, which ends with an empty one or with its units.
///
/// ```
/// use ndis_co::{utf16, wide::Utf16List};
/// # use ndis_host as _;
///
/// let mut texts = Utf16List::new(utf16!("one\0two\0\0behind"));
/// assert!(texts.next().is_some_and(|text| text.is("One")));
/// assert_eq!(texts.count(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Utf16List<'t>(&'t [u16]);

impl<'t> Utf16List<'t> {
    /// The list in these units, each text with a zero behind it.
    #[must_use]
    pub const fn new(units: &'t [u16]) -> Self {
        Self(units)
    }
}

impl<'t> Iterator for Utf16List<'t> {
    type Item = Utf16<'t>;

    fn next(&mut self) -> Option<Utf16<'t>> {
        let mut parts = self.0.splitn(2, |unit| *unit == 0);
        let text = parts.next().filter(|text| !text.is_empty());
        self.0 = match text {
            Some(_) => parts.next().unwrap_or_default(),
            None => &[],
        };
        text.map(Utf16)
    }
}

impl core::iter::FusedIterator for Utf16List<'_> {}

/// An ASCII literal as UTF-16, made when the driver is compiled: `&'static [u16; N]`.
///
/// ```
/// const LINES: &[u16; 5] = ndis_co::utf16!("Lines");
/// # use ndis_host as _;
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! utf16 {
    ($text:literal) => {{
        const TEXT: &str = $text;
        const _: () = assert!(TEXT.is_ascii(), "the text is not ASCII");
        const UNITS: &[u16; TEXT.len()] = &$crate::wide::ascii(TEXT);
        UNITS
    }};
}

/// ASCII text as UTF-16.
#[doc(hidden)]
#[must_use]
pub const fn ascii<const N: usize>(text: &str) -> [u16; N] {
    let mut units = [0; N];
    let mut to: &mut [u16] = &mut units;
    let mut from = text.as_bytes();
    while let ([unit, more @ ..], [byte, rest @ ..]) = (to, from) {
        *unit = *byte as u16;
        to = more;
        from = rest;
    }
    units
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    // Defines what the crates import.
    use ndis_host as _;
    use std::{string::String, vec::Vec as StdVec};

    /// How long the kernel would take a name to be, in units.
    fn length(name: Name<'_>) -> Result<usize, Status> {
        name.counted(|string| {
            assert_eq!(string.Length, string.MaximumLength);
            Ok(usize::from(string.Length) / 2)
        })
    }

    #[test]
    fn names_of_every_form_are_counted() {
        let _host = ndis_host::Host::builder().build();
        for count in [0, 1, SHORT - 1, SHORT, SHORT + 1, 300] {
            let text: String = "äb𝄞".chars().cycle().take(count).collect();
            let units: StdVec<u16> = text.encode_utf16().collect();
            assert_eq!(length(text.as_str().into()), Ok(units.len()));
            assert_eq!(length(units.as_slice().into()), Ok(units.len()));
            let mut copy = Vec::new(Tag::NDIS);
            Name::from(text.as_str()).append_to(&mut copy).unwrap();
            assert_eq!(*copy, *units);
        }
        let long = "x".repeat(0x8000);
        let refused = Err(Status::INVALID_PARAMETER);
        assert_eq!(length(long.as_str().into()), refused);
        assert_eq!(length(utf16!("Lines").into()), Ok(5));
        assert_eq!(utf16!(""), &[0; 0]);
    }

    #[test]
    fn numbers_are_read() {
        let number = |text: &str, base| {
            let units: StdVec<u16> = text.encode_utf16().collect();
            Utf16::new(&units).number(base)
        };
        assert_eq!(number("4294967295\0", 10), Some(u32::MAX));
        assert_eq!(number("-1", 10), Some(u32::MAX));
        assert_eq!(number("-2147483648", 10), Some(1 << 31));
        assert_eq!(number("0xfF", 16), Some(255));
        assert_eq!(number("ff", 16), Some(255));
        let none = [
            "",
            "-",
            "0x",
            "4294967296",
            "-2147483649",
            "1 ",
            "1x",
            "\u{1F600}",
        ];
        for none in none {
            assert_eq!(number(none, 10), None, "{none}");
        }
        assert_eq!(number("0x", 16), None);
        assert_eq!(number("1", 1), None);
        assert_eq!(number("1", 37), None);
    }

    #[test]
    fn a_list_ends_with_an_empty_text_or_its_units() {
        let texts = |units: &'static [u16]| -> StdVec<String> {
            Utf16List::new(units)
                .map(|text| std::format!("{text}"))
                .collect()
        };
        assert_eq!(texts(utf16!("a\0bc\0\0")), ["a", "bc"]);
        assert_eq!(texts(utf16!("a\0bc")), ["a", "bc"]);
        assert_eq!(texts(utf16!("a\0\0bc\0")), ["a"]);
        assert_eq!(texts(utf16!("\0\0")), [""; 0]);
        assert_eq!(texts(&[]), [""; 0]);
    }

    #[test]
    fn half_a_pair_is_replaced() {
        let text = Utf16::new(&[0x41, 0xD83D, 0x42]);
        assert_eq!(std::format!("{text}"), "A\u{FFFD}B");
        assert!(!text.is("AB"));
        assert_eq!(std::format!("{text:?}"), "\"A\u{FFFD}B\"");
    }
}
