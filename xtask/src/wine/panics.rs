//! A driver that panics: the smallest one, made for the occasion.
//!
//! Under the host a panic of a driver is a panic of the test, with its message. In an image it must
//! stop the system with the documented code, and nothing may unwind.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::account::Account;
use crate::{arch::Arch, sys::Artifacts, workspace};

/// The service, and the file.
pub const SERVICE: &str = "panics";

/// The panic handler is `ndis-co`'s. The call makes it a driver of NDIS's, in whose import table the
/// host looks.
const SOURCE: &str = r#"#![no_std]

use ndis_co as _;

#[unsafe(export_name = "DriverEntry")]
pub unsafe extern "system" fn driver_entry(_object: usize, _path: usize) -> i32 {
    unsafe { ndis_sys::NdisMSleep(1) };
    panic!("on purpose")
}
"#;

/// Writes its package; gives the manifest.
pub fn write() -> Result<PathBuf> {
    let folder: PathBuf = workspace::target().join(SERVICE);
    fs::create_dir_all(folder.join("src"))?;
    let root = workspace::root();
    let manifest = format!(
        "[package]\nname = \"{SERVICE}\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [profile.release]\npanic = \"abort\"\n\n\
         [dependencies]\nndis-co = {{ path = {:?} }}\nndis-sys = {{ path = {:?} }}\n\n\
         [build-dependencies]\nndis-build = {{ path = {:?} }}\n",
        root.join("ndis-co"),
        root.join("ndis-sys"),
        root.join("ndis-build"),
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(
        folder.join("build.rs"),
        "fn main() { ndis_build::link() }\n",
    )?;
    fs::write(folder.join("src/lib.rs"), SOURCE)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder.join("Cargo.toml"))
}

/// Builds it into the folder `images`; gives the file.
pub fn build(images: &Path) -> Result<PathBuf> {
    let built = Artifacts::build(&write()?, Arch::X64, false)?;
    built.install(images)
}

/// What the run must end with: a report of the host's, and the bug check, by its code, its reason, and the place of the panic
/// (the address of the file's name, of which nothing is known here, its length, and the line).
pub fn judge(account: &Account) -> Result<String> {
    let code = ndis_co::bugcheck::CODE;
    let reason = ndis_co::bugcheck::Reason::Panic as usize;
    let line = SOURCE
        .lines()
        .take_while(|line| !line.contains("panic!"))
        .count()
        + 1;
    let begin = format!("bug check {code:#010x} ({reason:#x}, ");
    let end = format!(", {:#x}, {line:#x})", "src/lib.rs".len());
    let report = account.report.as_ref().context("the run left no report")?;
    let rules: Vec<_> = report.violations.iter().map(|found| &found.rule).collect();
    if rules != [ndis_host::rules::BUG_CHECK] {
        bail!("a panic was reported as {rules:?}");
    }
    match &account.failure {
        Some(failure) if failure.contains(&begin) && failure.contains(&end) => Ok(failure.clone()),
        other => bail!("a panic must end in \"{begin}...{end}\", and ended in {other:?}"),
    }
}
