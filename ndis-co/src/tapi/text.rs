//! [`Text`]: the strings of TAPI structures.
//!
//! One structure says how its strings are encoded, the others do not. Whether a terminator
//! counts, no page says. So what is read keeps its bytes, and is decoded without believing that it
//! is well-formed; what is written has a terminator.

use super::bytes::Field;
use crate::{
    Status,
    mem::{Tag, Vec},
};
use core::{fmt, ops};

/// How a string is encoded: a `STRINGFORMAT_*` number.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::{LineDevCaps, StringFormat};
///
/// let caps = LineDevCaps {
///     string_format: StringFormat::ASCII,
///     line_name: b"Tunnel\0",
///     ..LineDevCaps::data(1, 100_000_000)
/// };
/// assert_eq!(caps.text(caps.line_name).ascii(), Some("Tunnel"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "STRINGFORMAT")]
pub struct StringFormat(pub u32);

impl StringFormat {
    /// A byte a character.
    #[doc(alias = "STRINGFORMAT_ASCII")]
    pub const ASCII: Self = Self(ndis_sys::STRINGFORMAT_ASCII as u32);
    /// One or two bytes a character, as a code page says that is not named.
    #[doc(alias = "STRINGFORMAT_DBCS")]
    pub const DBCS: Self = Self(ndis_sys::STRINGFORMAT_DBCS as u32);
    /// UTF-16, little-endian.
    #[doc(alias = "STRINGFORMAT_UNICODE")]
    pub const UNICODE: Self = Self(ndis_sys::STRINGFORMAT_UNICODE as u32);
    /// No text.
    #[doc(alias = "STRINGFORMAT_BINARY")]
    pub const BINARY: Self = Self(ndis_sys::STRINGFORMAT_BINARY as u32);
}

impl Field for StringFormat {
    const SIZE: usize = u32::SIZE;

    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        u32::read(bytes, at).map(Self)
    }

    fn write(self, room: &mut [u8], at: usize) {
        self.0.write(room, at);
    }
}

/// A string of somebody else's: its bytes, and how they are said to be encoded.
///
/// ```
/// use ndis_co::tapi::{StringFormat, Text};
/// # use ndis_host as _;
///
/// let name = Text::new(StringFormat::UNICODE, b"L\0i\0n\0e\0\0\0");
/// assert!(name.chars().eq("Line".chars()));
/// assert!(name.is("LINE"));
/// assert!(Text::guess(b"NDIS\0").is("ndis"));
/// let classes = Text::new(StringFormat::ASCII, b"NDIS\0tapi/line\0\0");
/// assert_eq!(classes.strings().count(), 2);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    format: StringFormat,
    bytes: &'a [u8],
}

impl<'a> Text<'a> {
    /// A string in this encoding.
    #[must_use]
    pub const fn new(format: StringFormat, bytes: &'a [u8]) -> Self {
        Self { format, bytes }
    }

    /// A string whose encoding is not known: UTF-16 when there is an even number of bytes and the
    /// second one is zero, which no string of single bytes has but for its end; else ASCII.
    #[must_use]
    pub const fn guess(bytes: &'a [u8]) -> Self {
        let format = match bytes {
            [first, 0, ..] if *first != 0 && bytes.len().is_multiple_of(2) && bytes.len() > 2 => {
                StringFormat::UNICODE
            }
            _ => StringFormat::ASCII,
        };
        Self { format, bytes }
    }

    /// How it is said to be encoded.
    #[must_use]
    pub const fn format(self) -> StringFormat {
        self.format
    }

    /// The bytes, with a terminator where there is one.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The characters up to the first terminator or the end. What is none becomes U+FFFD: a half
    /// of a surrogate pair, an odd byte at the end, a byte above 127 of any other encoding.
    #[must_use]
    pub fn chars(self) -> Chars<'a> {
        Chars {
            rest: self.bytes,
            wide: self.format == StringFormat::UNICODE,
        }
    }

    /// Whether it reads `name`, whatever the case of ASCII letters.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        let folded = |it: char| it.to_ascii_lowercase();
        self.chars().map(folded).eq(name.chars().map(folded))
    }

    /// It as ASCII bytes without terminator; `None` when it has another encoding or other
    /// characters.
    #[must_use]
    pub fn ascii(self) -> Option<&'a str> {
        if self.format == StringFormat::UNICODE || self.format == StringFormat::BINARY {
            return None;
        }
        let end = self.bytes.iter().position(|byte| *byte == 0);
        let text = self.bytes.get(..end.unwrap_or(self.bytes.len()))?;
        core::str::from_utf8(text)
            .ok()
            .filter(|text| text.is_ascii())
    }

    /// The strings of a list: each ends with a terminator, and an empty one or the end of the
    /// bytes ends the list.
    #[must_use]
    pub const fn strings(self) -> Strings<'a> {
        Strings(self)
    }

    /// The bytes of a character at least.
    fn unit(self) -> usize {
        if self.format == StringFormat::UNICODE {
            2
        } else {
            1
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars()
            .try_for_each(|it| fmt::Write::write_char(f, it))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for it in self.chars().flat_map(char::escape_debug) {
            fmt::Write::write_char(f, it)?;
        }
        f.write_str("\"")
    }
}

/// The characters of a [`Text`].
#[derive(Clone, Debug)]
pub struct Chars<'a> {
    rest: &'a [u8],
    wide: bool,
}

impl Chars<'_> {
    /// The next unit; 0xFFFD for a half one.
    fn unit(&mut self) -> Option<u16> {
        let (unit, rest) = match (self.rest, self.wide) {
            ([low, high, rest @ ..], true) => (u16::from_le_bytes([*low, *high]), rest),
            ([_], true) => (0xFFFD, &[][..]),
            ([byte, rest @ ..], false) if byte.is_ascii() => (u16::from(*byte), rest),
            ([_, rest @ ..], false) => (0xFFFD, rest),
            ([], _) => return None,
        };
        self.rest = rest;
        (unit != 0).then_some(unit)
    }
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        const BAD: char = char::REPLACEMENT_CHARACTER;
        let Some(unit) = self.unit() else {
            // Behind a terminator is nothing.
            self.rest = &[];
            return None;
        };
        if !matches!(unit, 0xD800..=0xDBFF) {
            return Some(char::from_u32(unit.into()).unwrap_or(BAD));
        }
        let before = self.rest;
        match self.unit() {
            Some(low @ 0xDC00..=0xDFFF) => {
                let [high, low] = [unit, low].map(|half| u32::from(half & 0x3FF));
                Some(char::from_u32(0x1_0000 + (high << 10 | low)).unwrap_or(BAD))
            }
            _ => {
                self.rest = before;
                Some(BAD)
            }
        }
    }
}

/// The strings of a list, see [`Text::strings`].
#[derive(Clone, Debug)]
pub struct Strings<'a>(Text<'a>);

impl<'a> Iterator for Strings<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        let Text { format, bytes } = self.0;
        let unit = self.0.unit();
        let ends = |unit: &[u8]| unit.iter().all(|byte| *byte == 0);
        let len = match bytes.chunks(unit).position(ends) {
            Some(units) => units.saturating_mul(unit),
            None => bytes.len(),
        };
        let one = bytes.get(..len).filter(|one| !one.is_empty())?;
        let rest = bytes.get(len.saturating_add(unit)..).unwrap_or_default();
        self.0 = Text::new(format, rest);
        Some(Text::new(format, one))
    }
}

/// A string of one's own with its terminator, in resident memory: to be lent to a structure that
/// is written.
///
/// ```
/// use ndis_co::tapi::{LineDevCaps, TextBuf};
/// # fn caps() -> Result<(), ndis_co::Status> {
/// let name = TextBuf::utf16("Tunnel 1")?;
/// let caps = LineDevCaps { line_name: &name, ..LineDevCaps::data(1, 100_000_000) };
/// assert!(caps.text(caps.line_name).is("tunnel 1"));
/// # Ok(())
/// # }
/// # use ndis_host as _;
/// ```
#[derive(Debug)]
pub struct TextBuf(Vec<u8>);

impl TextBuf {
    /// As UTF-16.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn utf16(text: &str) -> Result<Self, Status> {
        Self::list_utf16(&[text], false)
    }

    /// As a list in UTF-16, such as that of device classes: each string with its terminator, and
    /// one more at the end.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn utf16_list(texts: &[&str]) -> Result<Self, Status> {
        Self::list_utf16(texts, true)
    }

    fn list_utf16(texts: &[&str], list: bool) -> Result<Self, Status> {
        let mut bytes = Vec::new(Tag::NDIS);
        for text in texts {
            for unit in text.encode_utf16().chain([0]) {
                for byte in unit.to_le_bytes() {
                    bytes.try_push(byte)?;
                }
            }
        }
        for _ in 0..if list { 2 } else { 0 } {
            bytes.try_push(0)?;
        }
        Ok(Self(bytes))
    }

    /// As ASCII.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when there is another character, [`Status::RESOURCES`].
    pub fn ascii(text: &str) -> Result<Self, Status> {
        if !text.is_ascii() {
            return Err(Status::INVALID_DATA);
        }
        let mut bytes = Vec::new(Tag::NDIS);
        bytes.try_reserve(text.len().saturating_add(1))?;
        for byte in text.bytes().chain([0]) {
            bytes.try_push(byte)?;
        }
        Ok(Self(bytes))
    }
}

impl ops::Deref for TextBuf {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}
