//! Which instructions of an object lock the bus: what they cost is not to be seen in a count of
//! instructions, so they are counted apart.

use std::{collections::HashSet, fs, path::Path};

use anyhow::{Context, Result};
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind};
use object::{Architecture, Object, ObjectSection, SectionKind};

/// Where they are, in the address space of the object's file.
pub fn places(object: &Path) -> Result<HashSet<u64>> {
    let data = fs::read(object).with_context(|| format!("cannot read {}", object.display()))?;
    let file = object::File::parse(&*data)?;
    let mut places = HashSet::new();
    // Of other processors' code none is known.
    if file.architecture() != Architecture::X86_64 {
        return Ok(places);
    }
    for section in file.sections() {
        if section.kind() == SectionKind::Text {
            places.extend(in_code(section.data()?, section.address()));
        }
    }
    Ok(places)
}

/// With the prefix, or an exchange with memory, which has no need of it.
fn in_code(code: &[u8], start: u64) -> Vec<u64> {
    let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut found = Vec::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let memory =
            (0..instruction.op_count()).any(|op| instruction.op_kind(op) == OpKind::Memory);
        let exchange = instruction.mnemonic() == Mnemonic::Xchg && memory;
        if instruction.has_lock_prefix() || exchange {
            found.push(instruction.ip());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_and_the_exchange_with_memory_are_found() {
        let code = [
            0x90, // nop
            0xF0, 0x48, 0xFF, 0x07, // lock inc qword ptr [rdi]
            0x87, 0x07, // xchg [rdi], eax
            0x87, 0xC8, // xchg eax, ecx
            0xF0, 0x0F, 0xB1, 0x0F, // lock cmpxchg [rdi], ecx
            0x48, 0xFF, 0x07, // inc qword ptr [rdi]
        ];
        assert_eq!(in_code(&code, 0x100), [0x101, 0x105, 0x109]);
    }
}
