//! `cargo xtask image`: links the example drivers as the files that Windows loads.
//!
//! Stable Rust does it on any system: the linker is the `rust-lld` that comes with the toolchain,
//! and `raw-dylib` makes the imports without an import library. What comes out is read again and
//! checked: a native 64- or 32-bit image of the right machine, with an entry point, whose imports
//! are from the two modules that a network driver may import from.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use object::{
    LittleEndian as LE,
    pe::{
        IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_ARM64, IMAGE_FILE_MACHINE_I386,
        IMAGE_SUBSYSTEM_NATIVE, ImageNtHeaders32, ImageNtHeaders64,
    },
    read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile},
};

use crate::{
    steps::{self, Outcome},
    toolchain::{self, cargo},
    workspace,
};

/// The drivers that are linked.
pub const DRIVERS: [&str; 2] = ["loopback-mcm", "echo-client"];

/// The targets of Windows drivers, each with the machine that its images are for.
pub const TARGETS: [(&str, u16); 3] = [
    ("x86_64-pc-windows-msvc", IMAGE_FILE_MACHINE_AMD64),
    ("aarch64-pc-windows-msvc", IMAGE_FILE_MACHINE_ARM64),
    ("i686-pc-windows-msvc", IMAGE_FILE_MACHINE_I386),
];

/// What a driver may import from.
const MODULES: [&str; 2] = ["ndis.sys", "ntoskrnl.exe"];

/// Makes a library into a driver: no C runtime, the kernel's subsystem, the kernel's entry point.
const LINK: [&str; 12] = [
    "-C",
    "panic=abort",
    "-C",
    "linker=rust-lld",
    "-C",
    "link-arg=/NODEFAULTLIB",
    "-C",
    "link-arg=/SUBSYSTEM:NATIVE",
    "-C",
    "link-arg=/DRIVER",
    "-C",
    "link-arg=/ENTRY:DriverEntry",
];

/// What to link.
#[derive(clap::Args)]
pub struct ImageArgs {
    /// The drivers' packages; both examples when none is named.
    package: Vec<String>,
    /// A target; all three when none is named.
    #[arg(long)]
    target: Vec<String>,
}

/// Runs the command.
pub fn run(args: &ImageArgs) -> Result<()> {
    let packages: Vec<&str> = args.package.iter().map(String::as_str).collect();
    let packages = if packages.is_empty() {
        &DRIVERS[..]
    } else {
        &packages
    };
    for target in &args.target {
        if !TARGETS.iter().any(|(name, _)| name == target) {
            bail!("{target} is not a target of Windows drivers");
        }
    }
    for (target, _) in TARGETS {
        if args.target.is_empty() || args.target.iter().any(|name| name == target) {
            match link(target, packages)? {
                Outcome::Passed(remark) => println!("{remark}"),
                Outcome::Skipped(why) | Outcome::Missing(why) => bail!(why),
            }
        }
    }
    Ok(())
}

/// Links `packages` for `target` and checks what came out.
pub fn link(target: &str, packages: &[&str]) -> Result<Outcome> {
    if let Some(missing) = toolchain::need_target(target)? {
        return Ok(missing);
    }
    let machine = TARGETS
        .iter()
        .find_map(|(name, machine)| (*name == target).then_some(*machine))
        .with_context(|| format!("no machine for {target}"))?;
    let mut remarks = Vec::new();
    for package in packages {
        let library = ["rustc", "--release", "--lib", "--crate-type", "cdylib"];
        let mut rustc = cargo(&library);
        rustc.args(["--package", package, "--target", target, "--"]);
        steps::run(rustc.args(LINK))?;
        let built = output(target, package);
        let image = built.with_extension("sys");
        fs::copy(&built, &image).with_context(|| format!("no {}", built.display()))?;
        let imports = check(&image, machine)?;
        let size = fs::metadata(&image)?.len();
        remarks.push(format!("{package}.sys {size} bytes, {imports} imports"));
    }
    Ok(Outcome::Passed(remarks.join("; ")))
}

/// Where cargo puts the library.
fn output(target: &str, package: &str) -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace::root().join("target"), PathBuf::from);
    let name = format!("{}.dll", package.replace('-', "_"));
    folder.join(target).join("release").join(name)
}

/// Reads an image and fails when Windows would not load it as a driver for `machine`; returns how
/// many functions it imports.
fn check(image: &Path, machine: u16) -> Result<usize> {
    let data = fs::read(image)?;
    let imports = if machine == IMAGE_FILE_MACHINE_I386 {
        imports::<ImageNtHeaders32>(&data, machine)
    } else {
        imports::<ImageNtHeaders64>(&data, machine)
    };
    let imports = imports.with_context(|| image.display().to_string())?;
    if imports.is_empty() {
        bail!("{}: no imports; the driver is not in it", image.display());
    }
    let modules: BTreeSet<_> = imports.iter().map(|(module, _)| module.as_str()).collect();
    if let Some(other) = modules.iter().find(|module| !MODULES.contains(module)) {
        bail!("{}: imports from {other}", image.display());
    }
    Ok(imports.len())
}

/// The modules and names that an image imports, once its headers are found to be a driver's.
fn imports<H: ImageNtHeaders>(data: &[u8], machine: u16) -> Result<BTreeSet<(String, String)>> {
    let file = PeFile::<H>::parse(data)?;
    let headers = file.nt_headers();
    if headers.file_header().machine.get(LE) != machine {
        bail!("for another machine");
    }
    if headers.optional_header().subsystem() != IMAGE_SUBSYSTEM_NATIVE {
        bail!("not a native image");
    }
    if headers.optional_header().address_of_entry_point() == 0 {
        bail!("no entry point");
    }
    let mut found = BTreeSet::new();
    let Some(table) = file.import_table()? else {
        return Ok(found);
    };
    let mut modules = table.descriptors()?;
    while let Some(module) = modules.next()? {
        let name = String::from_utf8_lossy(table.name(module.name.get(LE))?).into_owned();
        let mut thunks = table.thunks(module.original_first_thunk.get(LE))?;
        while let Some(thunk) = thunks.next::<H>()? {
            let import = table.import::<H>(thunk)?;
            found.insert((name.clone(), format!("{import:?}")));
        }
    }
    Ok(found)
}
