//! Reads as much of object files and images as the building of a driver needs: which symbols an
//! object leaves undefined, and what an image imports.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// The names that an object leaves to others.
pub fn undefined(object: &[u8]) -> Result<Vec<String>> {
    const SYMBOL: usize = 18;
    const EXTERNAL: u8 = 2;
    let table = long(object, 8)?;
    let count = long(object, 12)?;
    let strings = table + count * SYMBOL;
    let mut names = Vec::new();
    let mut index = 0;
    while index < count {
        let at = table + index * SYMBOL;
        let symbol = bytes(object, at, SYMBOL)?;
        let (value, section) = (long(symbol, 8)?, short(symbol, 12)?);
        let (class, more) = (symbol[16], usize::from(symbol[17]));
        // With a value it would be a common block, which the object itself makes.
        if section == 0 && class == EXTERNAL && value == 0 {
            names.push(if long(symbol, 0)? == 0 {
                text(object, strings + long(symbol, 4)?)?
            } else {
                let short = symbol[..8].split(|byte| *byte == 0).next();
                String::from_utf8_lossy(short.unwrap_or_default()).into_owned()
            });
        }
        index += 1 + more;
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// What an image imports: for each other image the names.
pub fn imports(image: &[u8]) -> Result<BTreeMap<String, Vec<String>>> {
    const DESCRIPTOR: usize = 20;
    let header = long(image, 0x3C)? + 4;
    let sections = usize::from(short(image, header + 2)?);
    let optional = header + 20;
    let table = optional + usize::from(short(image, header + 16)?);
    let wide = short(image, optional)? == 0x20B;
    // Where something is in the file, of which the address in memory is known.
    let place = |address: usize| -> Result<usize> {
        for number in 0..sections {
            let section = bytes(image, table + number * 40, 40)?;
            let (size, start, file) = (long(section, 16)?, long(section, 12)?, long(section, 20)?);
            if (start..start + size).contains(&address) {
                return Ok(address - start + file);
            }
        }
        anyhow::bail!("no section has the address {address:#x}")
    };
    let directory = optional + if wide { 120 } else { 104 };
    let mut descriptor = place(long(image, directory)?)?;
    let mut all = BTreeMap::new();
    loop {
        let (lookup, name) = (long(image, descriptor)?, long(image, descriptor + 12)?);
        if name == 0 {
            return Ok(all);
        }
        let mut names = Vec::new();
        let mut entry = place(lookup)?;
        loop {
            let hint = long(image, entry)?;
            if hint == 0 {
                break;
            }
            names.push(text(image, place(hint)? + 2)?);
            entry += if wide { 8 } else { 4 };
        }
        all.insert(text(image, place(name)?)?, names);
        descriptor += DESCRIPTOR;
    }
}

fn bytes(of: &[u8], at: usize, count: usize) -> Result<&[u8]> {
    of.get(at..at + count).context("the file is cut off")
}

fn short(of: &[u8], at: usize) -> Result<u16> {
    let bytes = bytes(of, at, 2)?;
    Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn long(of: &[u8], at: usize) -> Result<usize> {
    let bytes = bytes(of, at, 4)?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
}

fn text(of: &[u8], at: usize) -> Result<String> {
    let rest = of.get(at..).context("the file is cut off")?;
    let text = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}
