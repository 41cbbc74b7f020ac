//! What Windows' modules export, from lists that are not ours: those of Debian's mingw-w64 import
//! libraries, which the raw crate keeps for its own proofs; and, where these are too old or hold
//! functions only, the lists in `xtask/data/exports`.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;

use crate::{arch::Arch, workspace};

/// The modules that a driver made here imports from.
pub const MODULES: [&str; 2] = ["ndis.sys", "ntoskrnl.exe"];

/// Whether the names of a module are listed here at all.
pub fn is_listed(module: &str) -> bool {
    MODULES.contains(&module) || module == "hal.dll"
}

/// What Windows exports and no list has: the stack probe, of which mingw brings its own, so that its
/// import library leaves the kernel's out; and the rest of the compiler's helpers.
fn helpers(arch: Arch) -> &'static [&'static str] {
    match arch {
        Arch::X86 => &["_chkstk", "_alloca_probe"],
        Arch::X64 | Arch::Arm64 => &["__chkstk", "__C_specific_handler"],
    }
}

/// What `module` exports, if that is known. There is no list for arm64: that its names are those of
/// x64 is an assumption.
pub fn of(arch: Arch, module: &str) -> Result<BTreeSet<String>> {
    let list = match arch {
        Arch::X86 => "x86",
        Arch::X64 | Arch::Arm64 => "x86_64",
    };
    let stem = module.split('.').next().unwrap_or(module);
    let mut names = BTreeSet::new();
    if MODULES.contains(&module) {
        let facts = format!("ndis-sys/tests/facts/exports_{list}_{stem}.txt");
        let symbols = read(Path::new(&facts))?;
        names.extend(symbols.iter().map(|symbol| undecorated(symbol, arch)));
    }
    names.extend(read(
        &Path::new("xtask/data/exports").join(format!("{stem}.txt")),
    )?);
    if module == "ntoskrnl.exe" {
        names.extend(helpers(arch).iter().map(|name| (*name).to_owned()));
    }
    Ok(names)
}

/// The lines of a list.
fn read(path: &Path) -> Result<Vec<String>> {
    let text = workspace::read(&workspace::root().join(path))?;
    let lines = text.lines().map(str::trim);
    let names = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(names.map(str::to_owned).collect())
}

/// `_Name@8`, a stdcall, and `@Name@8`, a fastcall, are exported as `Name`, on x86.
fn undecorated(symbol: &str, arch: Arch) -> String {
    if arch != Arch::X86 {
        return symbol.to_owned();
    }
    let sized = symbol
        .rsplit_once('@')
        .filter(|(_, bytes)| bytes.parse::<u32>().is_ok());
    let name = sized.map_or(symbol, |(name, _)| name);
    match name.strip_prefix('@') {
        Some(name) => name.to_owned(),
        None => name.strip_prefix('_').unwrap_or(name).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decorations_are_taken_off_on_x86_alone() {
        let x86 = |symbol| undecorated(symbol, Arch::X86);
        assert_eq!(x86("_A@8"), "A");
        assert_eq!(x86("@A@8"), "A");
        assert_eq!(x86("_a"), "a");
        assert_eq!(x86("__aulldiv@16"), "_aulldiv");
        assert_eq!(undecorated("_a", Arch::X64), "_a");
    }

    #[test]
    fn variables_and_new_functions_are_exported() {
        for arch in [Arch::X64, Arch::Arm64, Arch::X86] {
            let kernel = of(arch, "ntoskrnl.exe").unwrap();
            for name in [
                "NtBuildNumber",
                "MmSystemRangeStart",
                "InitSafeBootMode",
                "ExAllocatePool2",
                "KeSetEvent",
            ] {
                assert!(kernel.contains(name), "{name} for {arch}");
            }
            assert!(!kernel.contains("KeSleepForEver"));
            assert!(of(arch, "ndis.sys").unwrap().contains("NdisRegisterPoll"));
            assert!(of(arch, "hal.dll").unwrap().contains("KeGetCurrentIrql"));
        }
    }
}
