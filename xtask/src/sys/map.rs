//! The linker's map of an image (`/MAP`): which functions and tables it has, where, and how long.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// The functions of an image: names by where they begin, in the address space that the map has.
#[derive(Debug)]
pub struct Map {
    pub base: u64,
    pub functions: BTreeMap<u64, String>,
    pub parts: Vec<Part>,
}

/// A part of a section, as the linker has put it together.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    /// Of the section.
    number: u16,
    /// From where in the section, and how long.
    start: u64,
    pub len: u64,
    pub is_code: bool,
}

/// One function or table.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'m> {
    /// As the linker knows it.
    pub name: &'m str,
    pub len: u64,
    pub is_code: bool,
}

impl Map {
    /// Lines like ` 0001:00000250  name  0000000180001250  file.o`, in the linker's own list or in that
    /// of what is local to a file; and before them ` 0001:00000000 0000c4a4H .text  CODE`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut base = None;
        let mut functions = BTreeMap::new();
        let mut parts = Vec::new();
        let mut sections = BTreeMap::new();
        for line in text.lines() {
            if let Some(rest) = line.trim().strip_prefix("Preferred load address is ") {
                base = u64::from_str_radix(rest.trim(), 16).ok();
            }
            let words: Vec<_> = line.split_whitespace().take(4).collect();
            let [place, second, third, ..] = words[..] else {
                continue;
            };
            let place = place.split_once(':').and_then(|(section, offset)| {
                let section = u16::from_str_radix(section, 16).ok()?;
                Some((section, u64::from(u32::from_str_radix(offset, 16).ok()?)))
            });
            let Some((number, start)) = place else {
                continue;
            };
            let length = second.strip_suffix('H').filter(|len| len.len() == 8);
            if let Some(len) = length.and_then(|len| u64::from_str_radix(len, 16).ok()) {
                parts.push(Part {
                    name: third.to_owned(),
                    number,
                    start,
                    len,
                    is_code: words.get(3) == Some(&"CODE"),
                });
            } else if third.len() == 16
                && let Ok(address) = u64::from_str_radix(third, 16)
            {
                functions
                    .entry(address)
                    .or_insert_with(|| second.to_owned());
                if number > 0 {
                    sections.insert(number, address - start);
                }
            }
        }
        let base = base.context("the map says no load address")?;
        if functions.is_empty() {
            bail!("the map has no functions");
        }
        // From here on a part's start is an address.
        for part in &mut parts {
            part.start += sections.get(&part.number).copied().unwrap_or_default();
        }
        Ok(Self {
            base,
            functions,
            parts,
        })
    }

    /// The name of the function that begins at an address.
    pub fn name(&self, at: u64) -> &str {
        self.functions.get(&at).map_or("?", String::as_str)
    }

    /// The function that has this address in it.
    pub fn function(&self, address: u64) -> Option<u64> {
        let (at, _) = self.functions.range(..=address).next_back()?;
        Some(*at)
    }

    /// What has a name, with its length: up to the next one, or the end of its part.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        for part in &self.parts {
            let end = part.start + part.len;
            let mut inside = self.functions.range(part.start..end).peekable();
            while let Some((at, name)) = inside.next() {
                let next = inside.peek().map_or(end, |(next, _)| **next);
                pieces.push(Piece {
                    name,
                    len: next - at,
                    is_code: part.is_code,
                });
            }
        }
        pieces
    }
}

/// The path in a name that rustc has encoded the old way; any other name as it is.
pub fn readable(name: &str) -> String {
    let mut rest = name.strip_prefix("_ZN").unwrap_or_default();
    let mut parts = Vec::new();
    while let Some(end) = rest.find(|letter: char| !letter.is_ascii_digit())
        && let Ok(length) = rest[..end].parse::<usize>()
        && let Some(part) = rest.get(end..end + length)
    {
        parts.push(part);
        rest = &rest[end + length..];
    }
    // The last part is a hash.
    parts.pop();
    match parts.is_empty() {
        true => name.to_owned(),
        false => parts.join("::"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "\
 Preferred load address is 0000000180000000

 Start         Length     Name                   Class
 0001:00000000 00000030H .text                   CODE
 0001:00000030 00000008H .text$unlikely          CODE
 0002:00000000 00000010H .rdata                  DATA

 0001:00000000       DriverEntry                0000000180001000     mirror.o
 0001:00000010       _ZN6mirror4send17h0123456789abcdefE 0000000180001010     mirror.o
 0001:00000010       _ZN6mirror5again17h0123456789abcdefE 0000000180001010     mirror.o
 0001:00000030       rare                       0000000180001030     mirror.o
 0002:00000004       table                      0000000180002004     mirror.o
";

    #[test]
    fn a_piece_ends_where_the_next_begins_or_its_part_ends() {
        let map = Map::parse(MAP).unwrap();
        let pieces = map.pieces();
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| (readable(piece.name), piece.len, piece.is_code))
            .collect();
        let piece = |name: &str, len, is_code| (name.to_owned(), len, is_code);
        // Of two names for the same code one counts.
        let expected = [
            piece("DriverEntry", 0x10, true),
            piece("mirror::send", 0x20, true),
            piece("rare", 8, true),
            piece("table", 12, false),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        assert!(Map::parse("").is_err());
        let head = " Preferred load address is 0000000180000000\n";
        assert!(Map::parse(head).is_err());
    }
}
