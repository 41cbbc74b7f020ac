//! The client in C (`examples/c-client`) as a Windows driver, without a WDK.
//!
//! clang compiles it against the header that `c-header` writes; the linker is the one that comes
//! with the Rust toolchain. The import libraries are made of just the names that the objects ask
//! for, and say which image has them because the header's model knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    c_header::{Arch, Header, clang, target},
    coff,
    steps::{self, Outcome},
    workspace,
};

const SOURCES: [&str; 2] = ["client.c", "driver.c"];

/// The file that Windows loads.
const IMAGE: &str = "c_client.sys";

/// What compilers call on their own, and what the header does not have yet: all in the kernel.
const KERNEL: &str = "ntoskrnl.exe";
const OF_KERNEL: [&str; 4] = ["memcpy", "memset", "memcmp", "vDbgPrintEx"];

/// What to build, and where.
#[derive(clap::Args)]
pub struct CClientArgs {
    /// The architecture.
    #[arg(long, value_enum, default_value = "x64")]
    arch: Arch,
    /// Build the variant that breaks a rule on purpose.
    #[arg(long)]
    broken: bool,
    /// The folder to build in [default: target/c-client/<arch>].
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &CClientArgs) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| {
        let variant = if args.broken { "-broken" } else { "" };
        target()
            .join("c-client")
            .join(format!("{}{variant}", args.arch.name()))
    });
    match build(args.arch, args.broken, &out)? {
        Outcome::Passed(what) => {
            println!("{what}");
            Ok(())
        }
        Outcome::Skipped(why) | Outcome::Missing(why) => bail!("not built: {why}"),
    }
}

/// Builds the driver into the folder `out`; `broken` is the variant that breaks a rule.
pub fn build(arch: Arch, broken: bool, out: &Path) -> Result<Outcome> {
    let Some(clang) = clang() else {
        return Ok(Outcome::Missing(
            "no clang to compile the C client with: install clang-19, or set CLANG".to_owned(),
        ));
    };
    let Some(linker) = linker()? else {
        return Ok(Outcome::Missing(
            "the toolchain has no rust-lld to link the C client with".to_owned(),
        ));
    };
    fs::create_dir_all(out)?;
    let header = Header::new(arch)?;
    header.write(&out.join("include/condis.h"))?;
    let objects: Vec<_> = SOURCES
        .iter()
        .map(|source| out.join(source).with_extension("obj"))
        .collect();
    for (source, object) in SOURCES.iter().zip(&objects) {
        compile(&clang, arch, broken, source, &out.join("include"), object)?;
    }
    let libraries = import_libraries(&linker, arch, &header, &objects, out)?;
    let image = out.join(IMAGE);
    steps::run(
        Command::new(&linker)
            .args(["-flavor", "link", "/NOLOGO", "/DRIVER:WDM"])
            .args(["/SUBSYSTEM:NATIVE", "/NODEFAULTLIB", "/DYNAMICBASE"])
            .args(["/ENTRY:DriverEntry", "/RELEASE"])
            .arg(machine(arch))
            .arg(format!("/OUT:{}", image.display()))
            .args(&objects)
            .args(&libraries),
    )?;
    let bytes = fs::read(&image)?;
    let imports: Vec<_> = (coff::imports(&bytes)?.iter())
        .map(|(from, names)| format!("{} names of {from}", names.len()))
        .collect();
    Ok(Outcome::Passed(format!(
        "{}: {} bytes; imports {}",
        image.display(),
        bytes.len(),
        imports.join(", ")
    )))
}

fn compile(
    clang: &str,
    arch: Arch,
    broken: bool,
    source: &str,
    include: &Path,
    object: &Path,
) -> Result<Outcome> {
    let mut command = Command::new(clang);
    command
        .arg(format!("--target={}", arch.target()))
        .args(["-std=c11", "-ffreestanding", "-O2", "-Wall", "-Wextra"])
        .args(["-Wno-unused-parameter", "-Werror", "-c", "-I"])
        .arg(include);
    if arch == Arch::X86 {
        // A driver may not touch the floating-point registers there.
        command.arg("-mno-sse");
    }
    if broken {
        command.arg("-DBREAK_RULE");
    }
    command
        .arg(workspace::root().join("examples/c-client").join(source))
        .arg("-o")
        .arg(object);
    steps::run(&mut command)
}

/// The linker of the toolchain.
fn linker() -> Result<Option<PathBuf>> {
    let rustc = |words: &[&str]| steps::output(Command::new("rustc").args(words));
    let sysroot = rustc(&["--print", "sysroot"]).context("cannot ask rustc for its sysroot")?;
    let version = rustc(&["-vV"]).context("cannot ask rustc for its version")?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not say what it runs on")?;
    let mut path: PathBuf = [sysroot.trim(), "lib/rustlib", host, "bin/rust-lld"]
        .iter()
        .collect();
    path.set_extension(std::env::consts::EXE_EXTENSION);
    Ok(path.exists().then_some(path))
}

fn machine(arch: Arch) -> String {
    format!("/MACHINE:{}", arch.name())
}

/// Makes an import library for each image that the objects need something of.
fn import_libraries(
    linker: &Path,
    arch: Arch,
    header: &Header,
    objects: &[PathBuf],
    out: &Path,
) -> Result<Vec<PathBuf>> {
    let mut images: BTreeMap<&str, String> = BTreeMap::new();
    let mut symbols = BTreeSet::new();
    for object in objects {
        let bytes =
            fs::read(object).with_context(|| format!("cannot read {}", object.display()))?;
        symbols.extend(coff::undefined(&bytes)?);
    }
    for symbol in symbols {
        let imported = symbol.strip_prefix("__imp_");
        let symbol = imported.unwrap_or(&symbol);
        // On x86, C names get an underscore, and stdcall ones the size of their parameters.
        let name = match arch {
            Arch::X86 => symbol.trim_start_matches('_').split('@').next(),
            Arch::X64 | Arch::Arm64 => None,
        };
        let name = name.unwrap_or(symbol);
        let image = match header.image(name) {
            Some(image) => image,
            None if OF_KERNEL.contains(&name) => KERNEL,
            None if imported.is_some() => bail!("no image is known to export {symbol}"),
            // It is in another object, or the linker will say so.
            None => continue,
        };
        let exports = images.entry(image).or_default();
        // The image exports the bare name, however the object calls it. (The linker adds the
        // underscore to a name without parameters' size itself.)
        if symbol.contains('@') {
            let _ = writeln!(exports, "  {symbol} == {name}");
        } else {
            let _ = writeln!(exports, "  {name}");
        }
    }
    let mut libraries = Vec::new();
    for (image, exports) in images {
        let definitions = out.join(image).with_extension("def");
        fs::write(
            &definitions,
            format!("LIBRARY \"{image}\"\nEXPORTS\n{exports}"),
        )?;
        let library = out.join(image).with_extension("lib");
        steps::run(
            Command::new(linker)
                .args(["-flavor", "link", "/LIB", "/NOLOGO"])
                .arg(machine(arch))
                .arg(format!("/DEF:{}", definitions.display()))
                .arg(format!("/OUT:{}", library.display())),
        )?;
        libraries.push(library);
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every architecture's driver imports bare names of the two images, and nothing else.
    #[test]
    fn the_driver_imports_undecorated_names() {
        for arch in Arch::ALL {
            let folder = tempfile::tempdir().unwrap();
            match build(arch, false, folder.path()).unwrap() {
                Outcome::Passed(what) => println!("{what}"),
                Outcome::Skipped(why) | Outcome::Missing(why) => {
                    println!("skipped: {why}");
                    return;
                }
            }
            let image = fs::read(folder.path().join(IMAGE)).unwrap();
            let imports = coff::imports(&image).unwrap();
            let images: Vec<_> = imports.keys().map(String::as_str).collect();
            assert_eq!(images, ["ndis.sys", "ntoskrnl.exe"], "{arch:?}");
            let names: Vec<_> = imports.values().flatten().collect();
            assert!(names.iter().any(|name| *name == "NdisClMakeCall"));
            assert!(names.iter().any(|name| *name == "vDbgPrintEx"));
            for name in names {
                assert!(name.chars().all(char::is_alphanumeric), "{arch:?}: {name}");
            }
        }
    }
}
