//! The smallest images, byte by byte, for the tests of what reads images.

use object::pe;

use super::pe::checksum;

/// Where the code begins, in memory; and the image's base.
pub const CODE: u32 = 0x1000;
const BASE: u32 = 0x1_0000;
const HEADERS: usize = 0x200;
const SIGNATURE: usize = 0x40;

/// An image of a driver for x86 or ARM64 with nothing but code, entered at its beginning. At each
/// place of `addresses`, an offset into the code, the loader adjusts an address; the code has them
/// without the image's base.
pub fn image(machine: pe::Machine, code: &[u8], addresses: &[u16]) -> Vec<u8> {
    let wide = machine != pe::IMAGE_FILE_MACHINE_I386;
    let mut text = code.to_vec();
    for place in addresses {
        let place = usize::from(*place);
        let field = text.get_mut(place..place + 4).expect("within the code");
        let address = u32::from_le_bytes(field.try_into().expect("four bytes"));
        field.copy_from_slice(&(address + BASE).to_le_bytes());
    }
    let text_size = text.len() as u32;
    text.resize(0x200, 0xCC);
    // One block of relocations: of the page, with their places in it, an even number.
    let mut places: Vec<u16> = addresses.iter().map(|place| 0x3000 | place).collect();
    places.resize(places.len().next_multiple_of(2), 0);
    let mut block: Vec<u8> = Vec::new();
    if !places.is_empty() {
        block.extend(CODE.to_le_bytes());
        block.extend((8 + 2 * places.len() as u32).to_le_bytes());
        block.extend(places.iter().flat_map(|place| place.to_le_bytes()));
    }
    let block_size = block.len() as u32;
    block.resize(0x200, 0);

    let mut out = vec![0; SIGNATURE];
    out[..2].copy_from_slice(b"MZ");
    out[0x3C..0x40].copy_from_slice(&(SIGNATURE as u32).to_le_bytes());
    let mut put = |values: &[(u64, usize)]| {
        for (value, size) in values {
            out.extend(&value.to_le_bytes()[..*size]);
        }
    };
    put(&[(u64::from(u32::from_le_bytes(*b"PE\0\0")), 4)]);
    let optional_size = if wide { 240 } else { 224 };
    let flags = if wide { 0x22 } else { 0x102 };
    // The file's header: two sections.
    put(&[(u64::from(machine.0), 2), (2, 2), (0, 4), (0, 4), (0, 4)]);
    put(&[(optional_size, 2), (flags, 2)]);
    put(&[(if wide { 0x20B } else { 0x10B }, 2), (0, 2), (0x200, 4)]);
    put(&[(0, 4), (0, 4), (u64::from(CODE), 4), (u64::from(CODE), 4)]);
    // 32 bits also say where data begins.
    if !wide {
        put(&[(0x2000, 4)]);
    }
    let pointer = if wide { 8 } else { 4 };
    put(&[(u64::from(BASE), pointer), (0x1000, 4), (0x200, 4)]);
    // Windows 10, thrice over.
    put(&[(10, 2), (0, 2), (0, 2), (0, 2), (10, 2), (0, 2), (0, 4)]);
    put(&[
        (0x3000, 4),
        (HEADERS as u64, 4),
        (0, 4),
        (1, 2),
        (0x2140, 2),
    ]);
    put(&[(0, pointer), (0, pointer), (0, pointer), (0, pointer)]);
    put(&[(0, 4), (16, 4)]);
    for directory in 0..16 {
        match directory {
            pe::IMAGE_DIRECTORY_ENTRY_BASERELOC if block_size > 0 => {
                put(&[(0x2000, 4), (u64::from(block_size), 4)]);
            }
            _ => put(&[(0, 8)]),
        }
    }
    for (name, start, size, place, flags) in [
        (b".text\0\0\0", CODE, text_size, 0x200, 0x6000_0020_u64),
        (b".reloc\0\0", 0x2000, block_size, 0x400, 0x4200_0040),
    ] {
        put(&[(u64::from_le_bytes(*name), 8), (u64::from(size), 4)]);
        put(&[(u64::from(start), 4), (0x200, 4), (place, 4)]);
        put(&[(0, 4), (0, 4), (0, 4), (flags, 4)]);
    }
    out.resize(HEADERS, 0);
    out.extend(text);
    out.extend(block);
    let sum = checksum(&out);
    let field = SIGNATURE + 4 + 20 + 64;
    out[field..field + 4].copy_from_slice(&sum.to_le_bytes());
    out
}
