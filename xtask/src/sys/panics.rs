//! Whether an optimised image can panic: then the handler of panics is in it, which stops the system.
//! Nothing in a driver made here should need it; what does is named, with the function that reaches
//! it.
//!
//! The linker's map says which functions an image has and where, and the linker leaves out what
//! nothing refers to. So a map without panics is a proof; who calls them in one with is read from
//! the calls in the image's code.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};
use iced_x86::{Decoder, DecoderOptions, Instruction};
use object::{Object, ObjectSection};

use super::{
    finding::Finding,
    map::{Map, readable},
};
use crate::arch::Arch;

/// What is in the names of the functions that panic, and of the handler: in both of rustc's ways to
/// encode a path. Whatever panics otherwise (`unwrap_failed`, `slice_index_fail`) ends in one of
/// these.
const PANICS: [&str; 2] = ["4core9panicking", "17rust_begin_unwind"];

/// Looks for panics in an image, by the map that was made with it.
pub fn check(image: &Path, map: &Path, arch: Arch) -> Result<Vec<Finding>> {
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let map = Map::parse(&String::from_utf8_lossy(&read(map)?))?;
    let panics = map.panics();
    if panics.is_empty() {
        return Ok(Vec::new());
    }
    let calls = calls(&read(image)?, arch, &map)?;
    let reach = map.who_reaches(&panics, &calls);
    Ok(match reach.is_empty() {
        true => vec![Finding::error(format!(
            "it can panic: {} is in it",
            names(&panics.iter().map(|at| map.name(*at)).collect::<Vec<_>>())
        ))],
        false => vec![Finding::error(format!(
            "it can panic: from {}",
            names(&reach.iter().map(|at| map.name(*at)).collect::<Vec<_>>())
        ))],
    })
}

fn names(all: &[&str]) -> String {
    all.iter()
        .map(|name| readable(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The panics of a map, and who leads to them.
impl Map {
    fn panics(&self) -> BTreeSet<u64> {
        let all = self.functions.iter();
        let panics = all.filter(|(_, name)| PANICS.iter().any(|part| name.contains(part)));
        panics.map(|(at, _)| *at).collect()
    }

    /// The functions, other than the standard library's, from which calls lead to one of `goals`.
    fn who_reaches(&self, goals: &BTreeSet<u64>, calls: &[(u64, u64)]) -> BTreeSet<u64> {
        let mut found = BTreeSet::new();
        let mut seen = goals.clone();
        let mut waiting: Vec<_> = goals.iter().copied().collect();
        while let Some(goal) = waiting.pop() {
            for (from, to) in calls {
                if *to != goal || !seen.insert(*from) {
                    continue;
                }
                if is_of_core(self.name(*from)) {
                    waiting.push(*from);
                } else {
                    found.insert(*from);
                }
            }
        }
        found
    }
}

/// Whether a function is of Rust's own library. (A trait's method is of whom it is implemented for.)
fn is_of_core(name: &str) -> bool {
    name.starts_with("_ZN4core") || name.starts_with("_RNv") && name.contains("_4core")
}

/// Direct calls and jumps between functions, by where these begin.
fn calls(image: &[u8], arch: Arch, map: &Map) -> Result<Vec<(u64, u64)>> {
    let file = object::File::parse(image)?;
    let mut found = Vec::new();
    for section in file.sections() {
        if section.kind() != object::SectionKind::Text {
            continue;
        }
        // `object` gives addresses with the base of the headers, which the map has too.
        let start = section.address() - file.relative_address_base() + map.base;
        let data = section.data()?;
        for (from, to) in branches(arch, start, data, map) {
            if let (Some(from), Some(to)) = (map.function(from), map.function(to))
                && from != to
            {
                found.push((from, to));
            }
        }
    }
    Ok(found)
}

/// Where branches are, and where they go.
fn branches(arch: Arch, start: u64, data: &[u8], map: &Map) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    if arch == Arch::Arm64 {
        for (word, at) in data.as_chunks().0.iter().zip((start..).step_by(4)) {
            let word = u32::from_le_bytes(*word);
            // B and BL: 26 bits, signed, of words.
            if word & 0x7C00_0000 == 0x1400_0000 {
                let offset = i64::from((word << 6).cast_signed() >> 6) * 4;
                found.push((at, at.wrapping_add_signed(offset)));
            }
        }
        return found;
    }
    // Each function is read from its beginning: in between may be tables.
    let end = start + data.len() as u64;
    let starts: Vec<_> = map.functions.range(start..end).map(|(at, _)| *at).collect();
    for (index, at) in starts.iter().enumerate() {
        let next = starts.get(index + 1).copied().unwrap_or(end);
        let range = (at - start) as usize..(next - start) as usize;
        let Some(code) = data.get(range) else {
            continue;
        };
        let mut decoder = Decoder::with_ip(64, code, *at, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            decoder.decode_out(&mut instruction);
            let target = instruction.near_branch_target();
            if target != 0 {
                found.push((instruction.ip(), target));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "\
 mirror

 Preferred load address is 0000000180000000

 Start         Length     Name                   Class
 0001:00000000 0000c4a4H .text                   CODE

  Address         Publics by Value              Rva+Base               Lib:Object

 0001:00000000       DriverEntry                0000000180001000     mirror.o
 0001:00000010       _ZN6mirror4send17h0123456789abcdefE 0000000180001010     mirror.o
 0001:00000020       _ZN4core6option13unwrap_failed17h0123456789abcdefE 0000000180001020     libcore.rlib:core.o
 0001:00000030       _ZN4core9panicking9panic_fmt17h0123456789abcdefE 0000000180001030     libcore.rlib:core.o
";

    #[test]
    fn a_map_with_panics_is_found() {
        let map = Map::parse(MAP).unwrap();
        assert_eq!(map.base, 0x1_8000_0000);
        assert_eq!(map.functions.len(), 4);
        assert_eq!(map.panics(), [0x1_8000_1030].into());
        let without: String = MAP
            .lines()
            .filter(|line| !line.contains("panic"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(Map::parse(&without).unwrap().panics().is_empty());
        // The handler, in the new way to encode names.
        let handler = " 0001:00000040 _RNvCs1_7___rustc17rust_begin_unwind 0000000180001040 a.o\n";
        let map = Map::parse(&(without + handler)).unwrap();
        assert_eq!(map.panics(), [0x1_8000_1040].into());
    }

    /// `send` calls `unwrap_failed`, which calls `panic_fmt`.
    #[test]
    fn who_panics_is_named() {
        let map = Map::parse(MAP).unwrap();
        let mut code = vec![0xCC; 0x40];
        // call: five bytes, relative to what follows.
        code[0x10..0x15].copy_from_slice(&[0xE8, 0x0B, 0, 0, 0]);
        code[0x20..0x25].copy_from_slice(&[0xE8, 0x0B, 0, 0, 0]);
        let start = 0x1_8000_1000;
        let x64 = branches(Arch::X64, start, &code, &map);
        let call = |from: u64| (start + from, start + from + 0x10);
        assert_eq!(x64, [call(0x10), call(0x20)]);
        let reach = map.who_reaches(&map.panics(), &x64);
        let named: Vec<_> = reach.iter().map(|at| readable(map.name(*at))).collect();
        assert_eq!(named, ["mirror::send"]);

        // bl: the same, in words; and one backwards.
        let mut code = [0x1F, 0x20, 0x03, 0xD5].repeat(16);
        code[0x10..0x14].copy_from_slice(&[4, 0, 0, 0x94]);
        code[0x20..0x24].copy_from_slice(&[4, 0, 0, 0x94]);
        code[0x30..0x34].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0x17]);
        let arm64 = branches(Arch::Arm64, start, &code, &map);
        let back = (start + 0x30, start + 0x2C);
        assert_eq!(arm64, [call(0x10), call(0x20), back]);
    }
}
