//! Images that are wrong on purpose: the checks must refuse each one, for the reason that was put
//! into it.

use anyhow::{Context, Result, bail};

use super::{check, pe::Image};
use crate::arch::Arch;

/// Offsets of what the headers say, from the signature on.
const MACHINE: usize = 4;
const SECTIONS: usize = 6;
const FILE_FLAGS: usize = 22;
const OPTIONAL: usize = 24;
const ENTRY: usize = OPTIONAL + 16;
const SUBSYSTEM: usize = OPTIONAL + 68;
const DLL_FLAGS: usize = OPTIONAL + 70;
/// Of a 64-bit image: the directories, of which the tenth is that of thread-local storage.
const TLS: usize = OPTIONAL + 112 + 9 * 8;
const SECTION_TABLE: usize = OPTIONAL + 240;
const SECTION: usize = 40;
const SECTION_FLAGS: usize = 36;

/// What is spoilt, how, and a word of the finding that must come.
struct Case {
    what: &'static str,
    spoil: fn(&mut Bytes) -> Option<()>,
    finding: &'static str,
}

const CASES: [Case; 12] = [
    Case {
        what: "another machine",
        spoil: |image| image.set(MACHINE, 0x014C, 2),
        finding: "another machine",
    },
    Case {
        what: "a program for a console",
        spoil: |image| image.set(SUBSYSTEM, 3, 2),
        finding: "not NATIVE",
    },
    Case {
        what: "no WDM driver",
        spoil: |image| image.clear(DLL_FLAGS, 0x2000, 2),
        finding: "WDM driver",
    },
    Case {
        what: "executable data",
        spoil: |image| image.clear(DLL_FLAGS, 0x0100, 2),
        finding: "execute data",
    },
    Case {
        what: "a fixed address",
        spoil: |image| image.clear(DLL_FLAGS, 0x0040, 2),
        finding: "loaded anywhere",
    },
    Case {
        what: "no relocations",
        spoil: |image| {
            let flags = image.get(FILE_FLAGS, 2)?;
            image.set(FILE_FLAGS, flags | 1, 2)
        },
        finding: "relocations were taken",
    },
    Case {
        what: "an entry point outside of the code",
        spoil: |image| image.set(ENTRY, 0x10, 4),
        finding: "entry point",
    },
    Case {
        what: "thread-local storage",
        spoil: |image| {
            image.set(TLS, 0x1000, 4)?;
            image.set(TLS + 4, 40, 4)
        },
        finding: "TLS",
    },
    Case {
        what: "writable code",
        spoil: |image| {
            let place = image.section(".text")? + SECTION_FLAGS;
            let flags = image.get(place, 4)?;
            image.set(place, flags | 0x8000_0000, 4)
        },
        finding: "can be written",
    },
    Case {
        what: "discardable data",
        spoil: |image| {
            let place = image.section(".rdata")? + SECTION_FLAGS;
            let flags = image.get(place, 4)?;
            image.set(place, flags | 0x0200_0000, 4)
        },
        finding: "discardable",
    },
    Case {
        what: "an import that nobody exports",
        spoil: |image| image.rename(b"NdisAllocateMdl\0", b"NdisAllocateMdx\0"),
        finding: "does not export NdisAllocateMdx",
    },
    Case {
        what: "another module",
        spoil: |image| image.rename(b"ntoskrnl.exe\0", b"kernel32.dll\0"),
        finding: "imports from kernel32.dll",
    },
];

/// The bytes of an image.
struct Bytes(Vec<u8>);

impl Bytes {
    /// Where the signature is.
    fn base(&self) -> Option<usize> {
        let place = self.0.get(0x3C..0x40)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*place)).ok()
    }

    fn field(&mut self, at: usize, size: usize) -> Option<&mut [u8]> {
        let at = self.base()? + at;
        self.0.get_mut(at..at + size)
    }

    fn get(&mut self, at: usize, size: usize) -> Option<u32> {
        let bytes = self.field(at, size)?;
        Some(bytes.iter().rev().fold(0, |n, b| (n << 8) | u32::from(*b)))
    }

    fn set(&mut self, at: usize, value: u32, size: usize) -> Option<()> {
        for (to, from) in self.field(at, size)?.iter_mut().zip(value.to_le_bytes()) {
            *to = from;
        }
        Some(())
    }

    fn clear(&mut self, at: usize, bits: u32, size: usize) -> Option<()> {
        let value = self.get(at, size)?;
        self.set(at, value & !bits, size)
    }

    /// Where the section of this name is described.
    fn section(&mut self, name: &str) -> Option<usize> {
        let count = self.get(SECTIONS, 2)? as usize;
        (0..count)
            .map(|index| SECTION_TABLE + index * SECTION)
            .find(|place| {
                self.field(*place, 8)
                    .is_some_and(|bytes| bytes.starts_with(name.as_bytes()))
            })
    }

    /// Replaces a text by another one of the same length.
    fn rename(&mut self, from: &[u8], to: &[u8]) -> Option<()> {
        let at = self.0.windows(from.len()).position(|part| part == from)?;
        self.0.get_mut(at..at + from.len())?.copy_from_slice(to);
        Some(())
    }
}

/// Spoils the bytes of a good x64 image in every way; fails when a check misses one. Gives the
/// number of ways.
pub fn prove(good: &[u8]) -> Result<usize> {
    for case in &CASES {
        let mut image = Bytes(good.to_vec());
        (case.spoil)(&mut image).with_context(|| format!("cannot make: {}", case.what))?;
        let image = Image::parse(&image.0)?;
        let findings = check::check(&image, Arch::X64)?;
        if !findings
            .iter()
            .any(|finding| finding.what.contains(case.finding))
        {
            bail!("{}: not found; found were {findings:?}", case.what);
        }
        // Every change of a byte shows in the checksum.
        if !findings
            .iter()
            .any(|finding| finding.what.contains("checksum"))
        {
            bail!("{}: the checksum was not compared", case.what);
        }
    }
    Ok(CASES.len())
}
