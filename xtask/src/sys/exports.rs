//! What Windows' modules export, from lists that are not ours: those of Debian's mingw-w64 import
//! libraries, which the raw crate keeps for its own proofs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Result, bail};
use object::read::{archive::ArchiveFile, coff::ImportFile};

use crate::{arch::Arch, workspace};

/// Who takes the arguments off the stack, on x86; elsewhere the caller does, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// The caller: C's own, and everything on 64 bits.
    Caller,
    /// The function, so many bytes.
    Stdcall(u32),
    /// The same, but the first two arguments come in registers.
    Fastcall(u32),
}

impl Convention {
    /// Whether a caller of this convention may call a function of that one.
    pub fn suits(self, function: Self) -> bool {
        // Nothing is to be taken off, so nobody has to.
        let plain = |convention| match convention {
            Self::Stdcall(0) => Self::Caller,
            other => other,
        };
        plain(self) == plain(function)
    }
}

/// Functions by name.
pub type Exports = BTreeMap<String, Convention>;

/// The modules that a driver may import from.
pub const MODULES: [&str; 2] = ["ndis.sys", "ntoskrnl.exe"];

/// The compiler's own functions on x86: their callers are generated, and take them for what they
/// are, whatever the declaration says that only makes the linker find them.
pub const GENERATED: [&str; 6] = [
    "_alldiv", "_allmul", "_allrem", "_aulldiv", "_aullrem", "_alldvrm",
];

/// Whether Windows exports something that the lists do not have: the stack probe, of which mingw
/// brings its own, so that its import library leaves the kernel's out.
pub fn is_unlisted(arch: Arch, module: &str, name: &str) -> bool {
    let probe = match arch {
        Arch::X86 => "_chkstk",
        Arch::X64 | Arch::Arm64 => "__chkstk",
    };
    module == "ntoskrnl.exe" && name == probe
}

/// What `module` exports. There is no list for arm64: that its names are those of x64 is an
/// assumption.
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

/// `_Name@8` is `Name`, a stdcall, and `@Name@8` is `Name`, a fastcall; on x86.
fn undecorated(symbol: &str, arch: Arch) -> (String, Convention) {
    if arch != Arch::X86 {
        return (symbol.to_owned(), Convention::Caller);
    }
    let sized = symbol
        .rsplit_once('@')
        .and_then(|(name, bytes)| Some((name, bytes.parse().ok()?)));
    match sized {
        Some((name, bytes)) => match name.strip_prefix('@') {
            Some(name) => (name.to_owned(), Convention::Fastcall(bytes)),
            None => {
                let name = name.strip_prefix('_').unwrap_or(name);
                (name.to_owned(), Convention::Stdcall(bytes))
            }
        },
        None => {
            let name = symbol.strip_prefix('_').unwrap_or(symbol);
            (name.to_owned(), Convention::Caller)
        }
    }
}

/// What an image was linked with, by module and name.
pub type Declared = BTreeMap<(String, String), Convention>;

/// The import records in the libraries of a build, with what the caller's side has in mind.
pub fn declared(libraries: &[impl AsRef<Path>], arch: Arch) -> Result<Declared> {
    let mut found = Declared::new();
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
            let Ok(import) = ImportFile::parse(data) else {
                continue;
            };
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            let (name, convention) = undecorated(&text(import.symbol()), arch);
            let key = (text(import.dll()), name);
            if let Some(other) = found.insert(key.clone(), convention)
                && other != convention
            {
                bail!("{key:?} is declared as {other:?} and as {convention:?}");
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decorations_say_who_takes_the_arguments_off() {
        let x86 = |symbol| undecorated(symbol, Arch::X86);
        let named = |name: &str, convention| (name.to_owned(), convention);
        assert_eq!(x86("_A@8"), named("A", Convention::Stdcall(8)));
        assert_eq!(x86("@A@8"), named("A", Convention::Fastcall(8)));
        assert_eq!(x86("_a"), named("a", Convention::Caller));
        assert_eq!(
            x86("__aulldiv@16"),
            named("_aulldiv", Convention::Stdcall(16))
        );
        let x64 = undecorated("_a", Arch::X64);
        assert_eq!(x64, named("_a", Convention::Caller));
    }

    #[test]
    fn conventions_suit_only_each_other() {
        let all = [
            Convention::Caller,
            Convention::Stdcall(4),
            Convention::Stdcall(8),
            Convention::Fastcall(8),
        ];
        for (i, one) in all.iter().enumerate() {
            for (j, other) in all.iter().enumerate() {
                assert_eq!(one.suits(*other), i == j, "{one:?} {other:?}");
            }
        }
        assert!(Convention::Caller.suits(Convention::Stdcall(0)));
    }
}
