//! Code in a 32-bit image that touches the x87, MMX or SSE registers. They belong to whatever program
//! was interrupted: the kernel saves them on 64 bits, and on 32 leaves that to the driver
//! (using-floating-point-or-mmx-in-a-wdm-driver.md). A compiler that was not told so uses them to
//! copy memory.
//!
//! The code is followed from where it is entered, not read from end to end: in between are tables.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use iced_x86::{CpuidFeature, Decoder, DecoderOptions, FlowControl, Instruction, Register};
use object::{
    LittleEndian as LE,
    pe::{self, ImageNtHeaders32},
    read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile},
};

use super::finding::Finding;

/// Whose registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    X87,
    Mmx,
    Sse,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::X87 => "x87",
            Self::Mmx => "MMX",
            Self::Sse => "SSE",
        }
    }
}

/// The findings about a 32-bit image: one a unit.
pub fn check(data: &[u8]) -> Result<Vec<Finding>> {
    let code = Code::read(data)?;
    let mut places: BTreeMap<Unit, Vec<u32>> = BTreeMap::new();
    for (place, unit) in code.walk() {
        places.entry(unit).or_default().push(place);
    }
    let findings = places.iter().map(|(unit, places)| {
        let first = places.iter().take(3).map(|place| format!("{place:#x}"));
        Finding::warning(format!(
            "{} instructions use {} registers, which a 32-bit kernel does not save: at {}{}",
            places.len(),
            unit.name(),
            first.collect::<Vec<_>>().join(", "),
            if places.len() > 3 {
                " and further on"
            } else {
                ""
            }
        ))
    });
    Ok(findings.collect())
}

/// An image's code, by its addresses from the image's start.
#[derive(Default)]
struct Code<'d> {
    parts: Vec<(u32, &'d [u8])>,
    /// Where the loader adjusts an address, and what that address is.
    addresses: BTreeMap<u32, u32>,
    entries: Vec<u32>,
}

impl<'d> Code<'d> {
    fn read(data: &'d [u8]) -> Result<Self> {
        let file = PeFile::<ImageNtHeaders32>::parse(data)?;
        let optional = file.nt_headers().optional_header();
        let base = u32::try_from(optional.image_base()).unwrap_or_default();
        let sections = file.section_table();
        let mut code = Self {
            entries: vec![optional.address_of_entry_point()],
            ..Self::default()
        };
        for section in sections.iter() {
            if section.characteristics.get(LE).0 & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0 {
                let bytes = section.pe_data(data)?;
                code.parts.push((section.virtual_address.get(LE), bytes));
            }
        }
        if let Some(table) = file.export_table()? {
            code.entries
                .extend(table.addresses().iter().map(|address| address.get(LE)));
        }
        let directories = file.data_directories();
        if let Some(mut blocks) = directories.relocation_blocks(data, &sections)? {
            while let Some(block) = blocks.next()? {
                for relocation in block {
                    let place = relocation.virtual_address;
                    let value = sections
                        .pe_data_at(data, place)
                        .and_then(|bytes| bytes.first_chunk().copied());
                    if let Some(value) = value {
                        let value = u32::from_le_bytes(value).wrapping_sub(base);
                        code.addresses.insert(place, value);
                    }
                }
            }
        }
        Ok(code)
    }

    /// The bytes from an address to the end of its part.
    fn at(&self, address: u32) -> Option<&'d [u8]> {
        self.parts.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(offset..).filter(|rest| !rest.is_empty())
        })
    }

    /// Every instruction that can be reached and uses one of the units.
    fn walk(&self) -> BTreeMap<u32, Unit> {
        let mut found = BTreeMap::new();
        let mut seen = BTreeSet::new();
        // Addresses in the image are those of functions and of the cases of a `switch`; what begins
        // with an address itself is a table of such, for no instruction does.
        let pointed = self.addresses.values().copied();
        let mut waiting: Vec<_> = self.entries.iter().copied().chain(pointed).collect();
        while let Some(start) = waiting.pop() {
            if self.addresses.contains_key(&start) {
                continue;
            }
            let Some(bytes) = self.at(start) else {
                continue;
            };
            let options = DecoderOptions::NONE;
            let decoder = Decoder::with_ip(32, bytes, u64::from(start), options);
            for instruction in decoder {
                let place = instruction.ip32();
                if instruction.is_invalid() || !seen.insert(place) {
                    break;
                }
                if let Some(unit) = unit(&instruction) {
                    found.insert(place, unit);
                }
                match instruction.flow_control() {
                    FlowControl::ConditionalBranch
                    | FlowControl::UnconditionalBranch
                    | FlowControl::Call
                        if instruction.near_branch_target() != 0 =>
                    {
                        waiting.push(instruction.near_branch32());
                    }
                    _ => {}
                }
                if matches!(
                    instruction.flow_control(),
                    FlowControl::UnconditionalBranch
                        | FlowControl::IndirectBranch
                        | FlowControl::Return
                        | FlowControl::Exception
                ) {
                    break;
                }
            }
        }
        found
    }
}

/// The unit whose registers an instruction reads or writes. To save all of them (`fxsave`), or to
/// order memory (`mfence`), uses none.
fn unit(instruction: &Instruction) -> Option<Unit> {
    let registers = || (0..instruction.op_count()).map(|at| instruction.op_register(at));
    let features = instruction.cpuid_features();
    if features.iter().any(|feature| {
        matches!(
            feature,
            CpuidFeature::FPU | CpuidFeature::FPU287 | CpuidFeature::FPU387
        )
    }) || registers().any(Register::is_st)
    {
        Some(Unit::X87)
    } else if registers().any(Register::is_mm) {
        Some(Unit::Mmx)
    } else if registers().any(Register::is_vector_register) {
        Some(Unit::Sse)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8], addresses: &[(u32, u32)]) -> Vec<(u32, Unit)> {
        let code = Code {
            parts: vec![(0x1000, bytes)],
            addresses: addresses.iter().copied().collect(),
            entries: vec![0x1000],
        };
        code.walk().into_iter().collect()
    }

    #[test]
    fn each_unit_is_told() {
        let code = [
            0xD9, 0xE8, // fld1
            0x0F, 0xEF, 0xC0, // pxor mm0, mm0
            0x0F, 0x57, 0xC0, // xorps xmm0, xmm0
            0x0F, 0xAE, 0xF0, // mfence
            0x0F, 0xAE, 0x00, // fxsave [eax]
            0x0F, 0x18, 0x08, // prefetcht0 [eax]
            0x31, 0xC0, // xor eax, eax
            0xC3, // ret
        ];
        let found = [
            (0x1000, Unit::X87),
            (0x1002, Unit::Mmx),
            (0x1005, Unit::Sse),
        ];
        assert_eq!(walk(&code, &[]), found);
    }

    #[test]
    fn what_is_never_entered_is_no_code() {
        // A function that ends, and bytes that would be `xorps xmm0, xmm0`.
        let data = [0xC3, 0x0F, 0x57, 0xC0];
        assert_eq!(walk(&data, &[]), []);
        // Somewhere is their address: they are a function.
        assert_eq!(walk(&data, &[(0x9000, 0x1001)]), [(0x1001, Unit::Sse)]);
        // Their first four bytes are an address themselves: a table.
        let table = [0xC3, 0x0F, 0x57, 0xC0, 0x00];
        assert_eq!(walk(&table, &[(0x9000, 0x1001), (0x1001, 0x1000)]), []);
    }

    #[test]
    fn branches_and_calls_are_followed() {
        let code = [
            0xE8, 0x03, 0x00, 0x00, 0x00, // call 0x1008
            0x74, 0x02, // je 0x1009
            0xC3, // ret
            0xC3, // 0x1008: ret
            0x0F, 0x57, 0xC0, // 0x1009: xorps xmm0, xmm0
            0xC3,
        ];
        assert_eq!(walk(&code, &[]), [(0x1009, Unit::Sse)]);
    }

    /// From the bytes of an image: its entry, and an address in it.
    #[test]
    fn an_image_is_read_from_its_entry_and_its_addresses() {
        let machine = pe::IMAGE_FILE_MACHINE_I386;
        let code = [
            0xB8, 0x08, 0x10, 0, 0, // mov eax, 0x1008, which is an address
            0x0F, 0x57, 0xC0, // xorps xmm0, xmm0
            0xD9, 0xE8, 0xC3, // 0x1008: fld1; ret
            0x0F, 0xEF, 0xC0, 0xC3, // pxor mm0, mm0; ret: nobody enters here
        ];
        let image = super::super::tiny::image(machine, &code, &[1]);
        let found: Vec<_> = check(&image).unwrap().into_iter().map(|f| f.what).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("1 instructions use x87") && found[0].ends_with("at 0x1008"));
        assert!(found[1].starts_with("1 instructions use SSE") && found[1].ends_with("at 0x1005"));
    }
}
