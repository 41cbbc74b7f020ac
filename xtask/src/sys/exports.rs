//! What Windows' modules export, from lists that are not ours: those of Debian's mingw-w64 import
//! libraries, which the raw crate keeps for its own proofs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use object::read::{archive::ArchiveFile, coff::ImportFile};

use crate::{arch::Arch, workspace};

/// Exported by Windows, and not in the lists: mingw brings its own stack probe, so that its
/// import library leaves the kernel's out.
pub const UNLISTED: [&str; 2] = ["__chkstk", "_chkstk"];

/// For each name how many bytes a stdcall function takes off the stack, where the list says so.
pub type Exports = BTreeMap<String, Option<u32>>;

/// The modules that a driver may import from.
pub const MODULES: [&str; 2] = ["ndis.sys", "ntoskrnl.exe"];

/// What `module` exports. (There is no list for arm64; its names are those of x64.)
pub fn of(arch: Arch, module: &str) -> Result<Exports> {
    let list = match arch {
        Arch::X86 => "x86",
        Arch::X64 | Arch::Arm64 => "x86_64",
    };
    let stem = module.split('.').next().unwrap_or(module);
    let name = format!("ndis-sys/tests/facts/exports_{list}_{stem}.txt");
    let text = workspace::read(&workspace::root().join(name))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.map(|line| undecorated(line, arch)).collect())
}

/// `_Name@8` and `@Name@8` are `Name`, on x86.
fn undecorated(symbol: &str, arch: Arch) -> (String, Option<u32>) {
    if arch != Arch::X86 {
        return (symbol.to_owned(), None);
    }
    match symbol.rsplit_once('@') {
        Some((name, bytes)) if bytes.parse::<u32>().is_ok() => {
            let name = name.strip_prefix(['_', '@']).unwrap_or(name);
            (name.to_owned(), bytes.parse().ok())
        }
        _ => {
            let name = symbol.strip_prefix('_').unwrap_or(symbol);
            (name.to_owned(), None)
        }
    }
}

/// What an image was linked with: the import records in the libraries of its build, with the size
/// that the caller's side has in mind.
pub fn declared(libraries: &[impl AsRef<Path>], arch: Arch) -> Result<Exports> {
    let mut found = Exports::new();
    let mut seen = BTreeSet::new();
    for library in libraries {
        let library = library.as_ref();
        if !seen.insert(library.to_owned()) {
            continue;
        }
        let data = std::fs::read(library)?;
        let archive = ArchiveFile::parse(&*data)?;
        for member in archive.members() {
            let data = member?.data(&*data)?;
            if let Ok(import) = ImportFile::parse(data) {
                let symbol = String::from_utf8_lossy(import.symbol()).into_owned();
                let (name, bytes) = undecorated(&symbol, arch);
                found.insert(name, bytes);
            }
        }
    }
    Ok(found)
}
