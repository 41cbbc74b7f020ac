//! The drivers in C (`examples/c-client`, `examples/c-mcm`) as Windows drivers, without a WDK.
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

use object::{Object as _, ObjectSymbol as _};

use crate::{
    arch::Arch,
    c_header::{Header, clang},
    say::say,
    steps::{self, Outcome},
    sys::{self, exports, pe::Image},
    workspace,
};

/// A driver in C, in one of its variants.
pub struct Driver {
    /// Below `examples`.
    folder: &'static str,
    sources: &'static [&'static str],
    /// The file that Windows loads.
    pub image: &'static str,
    /// What the variant is made by.
    define: Option<&'static str>,
}

pub const CLIENT: Driver = Driver {
    folder: "c-client",
    sources: &["client.c", "driver.c", "watch.c"],
    image: "c_client.sys",
    define: None,
};

/// Breaks a rule on purpose.
pub const BROKEN: Driver = Driver {
    define: Some("-DBREAK_RULE"),
    ..CLIENT
};

/// The call manager; answers each request on the spot.
pub const MANAGER: Driver = Driver {
    folder: "c-mcm",
    sources: &["calls.c", "data.c", "driver.c", "worker.c"],
    image: "c_mcm.sys",
    define: None,
};

/// Pends each request.
pub const PENDING: Driver = Driver {
    define: Some("-DPEND"),
    ..MANAGER
};

/// The rule that the broken variant breaks.
pub const BROKEN_RULE: &str = "VC-23";

/// What compilers call on their own: the kernel has it.
const KERNEL: &str = "ntoskrnl.exe";
const OF_KERNEL: [&str; 3] = ["memcpy", "memset", "memcmp"];

/// What to build, and where.
#[derive(clap::Args)]
pub struct CClientArgs {
    /// The architecture.
    #[arg(long, value_enum, default_value = "x64")]
    arch: Arch,
    /// Build the variant that breaks a rule on purpose.
    #[arg(long)]
    broken: bool,
    /// The folder to build in [default: `target/c-client/ARCH`].
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &CClientArgs) -> Result<()> {
    let driver = if args.broken { BROKEN } else { CLIENT };
    let own = args.out.clone();
    let out = own.unwrap_or_else(|| driver.target(args.arch));
    build(args.arch, &driver, &out)?.said().context("not built")
}

/// Builds a driver into the folder `out`.
pub fn build(arch: Arch, driver: &Driver, out: &Path) -> Result<Outcome> {
    let Some(clang) = clang() else {
        return Ok(Outcome::Missing(
            "no clang to compile the C drivers with: install clang-19, or set CLANG".to_owned(),
        ));
    };
    let Some(linker) = linker()? else {
        return Ok(Outcome::Missing(
            "the toolchain has no rust-lld to link the C drivers with".to_owned(),
        ));
    };
    fs::create_dir_all(out)?;
    let header = Header::new(arch)?;
    header.write(&out.join("include/condis.h"))?;
    let objects: Vec<_> = driver
        .sources
        .iter()
        .map(|source| out.join(source).with_extension("obj"))
        .collect();
    for (source, object) in driver.sources.iter().zip(&objects) {
        compile(&clang, arch, driver, source, &out.join("include"), object)?;
    }
    let libraries = import_libraries(&linker, arch, &header, &objects, out)?;
    let image = out.join(driver.image);
    steps::run(
        Command::new(&linker)
            .args(["-flavor", "link", "/NOLOGO"])
            .args(ndis_build::orders())
            .arg(machine(arch))
            .arg(format!("/OUT:{}", image.display()))
            .args(&objects)
            .args(&libraries),
    )?;
    let found = Image::read(&image)?;
    sys::found(&sys::findings(&found, arch, &sys::host_exports())?)
        .with_context(|| image.display().to_string())?;
    let imports: Vec<_> = (found.imports.iter())
        .map(|(from, names)| format!("{} names of {from}", names.len()))
        .collect();
    Ok(Outcome::Passed(format!(
        "{}: {} bytes; imports {}",
        image.display(),
        found.size,
        imports.join(", ")
    )))
}

/// The step of `cargo xtask test`: the client for x64 and arm64, as it is and broken.
pub fn prove() -> Result<Outcome> {
    let mut built = 0;
    for arch in Arch::IMAGES {
        for driver in [CLIENT, BROKEN, MANAGER, PENDING] {
            match build(arch, &driver, &driver.target(arch))? {
                Outcome::Passed(what) => say!("{what}"),
                other => return Ok(other),
            }
            built += 1;
        }
    }
    Ok(Outcome::Passed(format!("{built} images without a finding")))
}

impl Driver {
    /// Where the variant is built.
    pub fn target(&self, arch: Arch) -> PathBuf {
        let variant = match self.define {
            Some("-DBREAK_RULE") => "-broken",
            Some(_) => "-pended",
            None => "",
        };
        workspace::target()
            .join(self.folder)
            .join(format!("{arch}{variant}"))
    }
}

fn compile(
    clang: &str,
    arch: Arch,
    driver: &Driver,
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
    } else {
        // Freestanding code has none by itself, and the kernel walks the stack by them.
        command.arg("-fasynchronous-unwind-tables");
    }
    let examples = workspace::root().join("examples");
    command
        .args(driver.define)
        .arg(examples.join(driver.folder).join(source))
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

/// The names that an object leaves to others.
fn undefined(object: &[u8]) -> Result<Vec<String>> {
    let file = object::File::parse(object)?;
    let symbols = file.symbols().filter(|symbol| symbol.is_undefined());
    symbols
        .map(|symbol| Ok(symbol.name()?.to_owned()))
        .collect()
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
        symbols.extend(undefined(&bytes)?);
    }
    let kernel = exports::of(arch, KERNEL)?;
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
            // What the header does not declare, the client does itself.
            None if imported.is_some() && kernel.contains(name) => KERNEL,
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
