//! `cargo xtask sys`: the example drivers, and the host, as images that a loader of Windows
//! drivers takes.
//!
//! Nothing here builds what an author of a driver could not build alike: it is a plain
//! `cargo build` for a Windows target, with a map from the linker beside. The rest is putting things into place
//! (`target/drivers/<arch>`), and looking them over with `--check`.
//!
//! There are images for x64 and arm64. In a 32-bit kernel nobody may touch the floating point units
//! without saving their state, and the `core` that stable Rust has for that target does; nor has
//! Windows had such a kernel since Windows 10. An image of somebody else's for x86 can be looked at.
//!
//! What looks at images is here and not in `ndis-build`, which is part of every driver's build: a
//! build script should not wait for a reader of images and a decoder of instructions.

mod build;
mod check;
pub mod exports;
mod finding;
mod float;
mod imports;
pub mod map;
mod panics;
pub mod pe;
mod spoil;
#[cfg(test)]
mod tiny;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use ndis_build::inf::{self, Severity};

pub use self::{
    build::{Artifacts, build, folder},
    finding::Finding,
};
use self::{
    build::{Built, DRIVERS, NDPROXY, PACKAGES, Package, UNOPTIMISED, build_some},
    pe::Image,
};
use crate::{arch::Arch, say::say, steps::Outcome, wine};

/// What to do.
#[derive(clap::Args)]
pub struct SysArgs {
    /// For which machines; `all` are x64 and arm64. Of an `--image` it is what its header says, if
    /// this is left out.
    #[arg(long, value_enum)]
    arch: Option<Which>,
    /// With optimizations.
    #[arg(long)]
    release: bool,
    /// Look the images over, and the INF files; of an optimised driver's also whether it can panic.
    /// They are ours: any finding is a failure.
    #[arg(long)]
    check: bool,
    /// Build nothing: look over this image, of any driver. A finding is an error where Windows refuses
    /// the image, a warning where it takes it and something may go wrong, and a hint where it does no
    /// harm. Only errors are a failure.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["release", "check"])]
    image: Option<PathBuf>,
}

/// One architecture, or all.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    X64,
    Arm64,
    /// To look at images only.
    X86,
    All,
}

impl Which {
    /// Those to build images for.
    fn images(self) -> Result<&'static [Arch]> {
        Ok(match self {
            Self::X64 => &[Arch::X64],
            Self::Arm64 => &[Arch::Arm64],
            Self::X86 => bail!(
                "no images are made for x86: stable Rust's code for it uses SSE, which a 32-bit \
                 kernel may not"
            ),
            Self::All => &Arch::IMAGES,
        })
    }

    /// The one to look at.
    fn one(self) -> Result<Arch> {
        Ok(match self {
            Self::X64 => Arch::X64,
            Self::Arm64 => Arch::Arm64,
            Self::X86 => Arch::X86,
            Self::All => bail!("an image is for one architecture"),
        })
    }
}

/// The module that drivers are run on.
const NDIS: &str = exports::MODULES[0];

/// Runs the command.
pub fn run(args: &SysArgs) -> Result<()> {
    let mut findings = 0;
    let mut images = 0;
    if let Some(path) = &args.image {
        return look_at(path, args.arch);
    }
    for arch in args.arch.unwrap_or(Which::X64).images()? {
        let built = match build(*arch, args.release)? {
            Ok(built) => built,
            Err(Outcome::Passed(why) | Outcome::Skipped(why) | Outcome::Missing(why)) => {
                bail!(why)
            }
        };
        if args.check {
            findings += look_over(*arch, &built)?;
            images += built.len();
        } else {
            for image in &built {
                say!("{}", image.path.display());
            }
        }
    }
    if findings > 0 {
        bail!("{findings} findings");
    }
    if args.check {
        let profile = if args.release { "release" } else { "debug" };
        say!("{images} images of the {profile} profile: no finding");
    }
    Ok(())
}

/// Looks over one image, of which nothing but the file is known.
fn look_at(path: &Path, arch: Option<Which>) -> Result<()> {
    let image = Image::read(path)?;
    let arch = match arch {
        Some(which) => which.one()?,
        None => Arch::of(image.machine).with_context(|| {
            let machine = image.machine.0;
            format!("{}: no driver is for machine {machine:#x}", path.display())
        })?,
    };
    say!("{}", describe(arch, path, &image)?);
    let mut all = findings(&image, arch, &host_exports())?;
    if arch == Arch::X86 {
        all.extend(float::check(&fs::read(path)?)?);
    }
    all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    show(&all);
    if all.is_empty() {
        say!("no finding");
    }
    let errors = all.iter().filter(|found| found.severity == Severity::Error);
    match errors.count() {
        0 => Ok(()),
        errors => bail!("{errors} errors"),
    }
}

/// A line about an image.
fn describe(arch: Arch, path: &Path, image: &Image) -> Result<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let imports: usize = image.imports.values().map(BTreeSet::len).sum();
    Ok(format!(
        "{arch:5}  {name:16} {:>9} bytes in memory, {:>9} in the file, {imports:3} imports from {}, {} exports, {} relocations",
        image.size,
        fs::metadata(path)?.len(),
        image.imports.keys().cloned().collect::<Vec<_>>().join(" "),
        image.exports.len(),
        image.relocations,
    ))
}

/// Everything that is wrong with an image. `exports` is what the `ndis.sys` of ours has.
pub fn findings(image: &Image, arch: Arch, exports: &BTreeSet<String>) -> Result<Vec<Finding>> {
    let mut findings = check::check(image, arch)?;
    let windows = exports::of(arch, NDIS)?;
    let missing: Vec<_> = image
        .imports
        .iter()
        .filter(|(module, _)| module.eq_ignore_ascii_case(NDIS))
        .flat_map(|(_, names)| names)
        // Of what Windows has not, that is enough to say.
        .filter(|name| windows.contains(*name) && !exports.contains(*name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        findings.push(Finding::hint(format!(
            "it cannot run on the host, whose {NDIS} has no {}",
            missing.join(", ")
        )));
    }
    Ok(findings)
}

/// The same for an INF file.
pub fn inf_findings(path: &Path, arch: Arch) -> Result<Vec<Finding>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = inf::check_file(&bytes, Some(arch.inf()));
    Ok(found.iter().map(Finding::from).collect())
}

/// What the host exports, in an image or not.
pub fn host_exports() -> BTreeSet<String> {
    ndis_host::exported()
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Prints findings about what is ours; fails when there are any.
pub fn found(findings: &[Finding]) -> Result<()> {
    show(findings);
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    Ok(())
}

fn show(findings: &[Finding]) {
    for finding in findings {
        say!("       FOUND: {finding}");
    }
}

/// Checks the images for an architecture and says what they are like; gives the number of findings.
fn look_over(arch: Arch, built: &[Built]) -> Result<usize> {
    // Of the image, where it was built; else of the host in this program, which is the same list.
    let exports = match built.iter().find(|built| built.path.ends_with(NDIS)) {
        Some(host) => Image::read(&host.path)?.exports,
        None => host_exports(),
    };
    let mut all = 0;
    for built in built {
        let image = Image::read(&built.path)?;
        let mut found = findings(&image, arch, &exports)?;
        if let Some(path) = &built.inf {
            found.extend(inf_findings(path, arch)?);
        }
        let mut also = String::new();
        if built.inf.is_some() {
            also += ", INF";
        }
        if let Some(map) = &built.map {
            found.extend(panics::check(&built.path, map, arch)?);
            also += ", panics";
        }
        say!("{}{also}", describe(arch, &built.path, &image)?);
        show(&found);
        all += found.len();
    }
    Ok(all)
}

/// The check for panics must find the one of a driver that is made for it.
fn one_that_panics(arch: Arch) -> Result<()> {
    let built = Artifacts::build(&wine::failing::manifest(), arch, true)?;
    let map = built.map.context("an optimised image has a map")?;
    let found = panics::check(&built.dynamic, &map, arch)?;
    match found.as_slice() {
        [found] if found.what.ends_with("from DriverEntry") => Ok(()),
        other => bail!("a driver that panics in DriverEntry was not found out: {other:?}"),
    }
}

/// The step of `cargo xtask test`: x64 and arm64, without and with optimizations. But for one thing:
/// the host is built with optimizations for x64 only, where Wine loads it. For arm64 its image is
/// only looked at.
pub fn prove() -> Result<Outcome> {
    let mut images = 0;
    let mut spoilt = 0;
    // What is wrong with an image for arm64 in one profile only is wrong for x64 as well, and what is wrong with
    // a driver that nobody has optimised is wrong with the first of each kind.
    for (arch, release) in [(Arch::X64, false), (Arch::X64, true), (Arch::Arm64, true)] {
        let mut packages: Vec<Package> = match arch {
            Arch::Arm64 => DRIVERS.to_vec(),
            _ if release => PACKAGES.to_vec(),
            _ => UNOPTIMISED.to_vec(),
        };
        if arch == Arch::X64 && release {
            packages.push(NDPROXY);
        }
        let built = match build_some(arch, release, &packages)? {
            Ok(built) => built,
            Err(missing) => return Ok(missing),
        };
        let findings = look_over(arch, &built)?;
        if findings > 0 {
            bail!("{findings} findings for {arch}");
        }
        images += built.len();
        if release {
            one_that_panics(arch)?;
        }
        if arch == Arch::X64 {
            let good = built.first().context("no image was built")?;
            spoilt = spoil::prove(&fs::read(&good.path)?)?;
        }
    }
    Ok(Outcome::Passed(format!(
        "{images} images without a finding; {spoilt} spoilt ones, each found out"
    )))
}

#[cfg(test)]
mod tests {
    use object::pe;

    use super::*;

    fn look(machine: pe::Machine, code: &[u8], arch: Option<Which>) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("driver.sys");
        fs::write(&path, tiny::image(machine, code, &[]))?;
        look_at(&path, arch)
    }

    #[test]
    fn an_image_says_what_machine_it_is_for() {
        let arm64 = pe::IMAGE_FILE_MACHINE_ARM64;
        // It imports nothing, which is a hint, and no failure.
        look(arm64, &[0; 4], None).unwrap();
        look(arm64, &[0; 4], Some(Which::Arm64)).unwrap();
        let error = look(arm64, &[0; 4], Some(Which::X64)).unwrap_err();
        assert_eq!(error.to_string(), "1 errors");
        let none = look(pe::IMAGE_FILE_MACHINE_IA64, &[0; 4], None).unwrap_err();
        assert!(none.to_string().contains("machine 0x200"), "{none}");
    }

    /// Code that uses SSE is named, and an image for x86 is looked at all the same.
    #[test]
    fn an_image_for_x86_is_looked_at_and_not_made() {
        look(pe::IMAGE_FILE_MACHINE_I386, &[0x0F, 0x57, 0xC0, 0xC3], None).unwrap();
        assert!(Which::X86.images().is_err());
        assert_eq!(Which::All.images().unwrap(), [Arch::X64, Arch::Arm64]);
    }
}
