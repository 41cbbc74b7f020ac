//! Does a driver that mixes these crates with `wdk-sys` compile?
//!
//! The feature `wdk-sys` of ndis-sys takes the NT types from that crate. The real one is made by a
//! build script that needs Windows and a WDK; in its place stands the crate in
//! `ndis-sys/tests/wdk-sys/stand-in`, whose types came from the same bindgen with the same settings.
//! Against it a small driver is checked for the three Windows targets: what it does by hand, and for
//! each name of the list that ndis-sys re-exports that a pointer of the one crate is a pointer of
//! the other. Checking ndis-sys also evaluates its layout assertions on the stand-in's types. Where
//! drivers are made, their tests are checked too, which have `ndis-host` beside `wdk-sys`.
//!
//! Then the same must fail: without the feature, and with a type of another layout. And without the
//! feature nobody may need `wdk-sys`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    arch::Arch,
    say::say,
    steps::{self, Outcome},
    toolchain::{self, cargo},
    workspace,
};

/// Of the types that both crates define, those that drivers meet first: without the feature these
/// have to be different types. (An integer is the same in any crate.)
const DISTINCT: [&str; 12] = [
    "DEVICE_OBJECT",
    "DRIVER_OBJECT",
    "GUID",
    "IRP",
    "KEVENT",
    "KSPIN_LOCK",
    "LARGE_INTEGER",
    "LIST_ENTRY",
    "MDL",
    "PEPROCESS",
    "SLIST_HEADER",
    "UNICODE_STRING",
];

/// The record that the spoiled stand-in has another layout of, and where it begins.
const SPOILED: (&str, &str) = ("UNICODE_STRING", "pub struct _UNICODE_STRING {");

/// Runs the step.
pub fn run() -> Result<Outcome> {
    for target in Arch::ALL.map(Arch::target) {
        if let Some(missing) = toolchain::need_target(target)? {
            return Ok(missing);
        }
    }
    nobody_builds_it()?;
    let root = workspace::root();
    let scratch = Scratch::new()?;
    let stand_in = root.join("ndis-sys/tests/wdk-sys/stand-in");

    let mut counts = Vec::new();
    for arch in Arch::ALL {
        let target = arch.target();
        // With the tests the raw crate has the host's feature; without them, for the last, it has not.
        let with: &[&str] = match Arch::IMAGES.contains(&arch) {
            true => &["--tests"],
            false => &[],
        };
        let names = names(&root, target)?;
        let driver = scratch.driver(&names, &stand_in, Some("wdk-sys"))?;
        let said = check(&driver, target, with)?;
        ensure!(said.accepted, "{target} {with:?}: refused:\n{}", said.text);
        counts.push(format!("{} for {target}", names.len()));
    }
    say!("types that are one: {}", counts.join(", "));

    // The rest is about the test: once is enough.
    let target = Arch::X64.target();
    let names = names(&root, target)?;
    let driver = scratch.driver(&names, &stand_in, None)?;
    let said = check(&driver, target, &[])?;
    ensure!(!said.accepted, "{target}: accepted without the feature");
    let differ = mismatched(&said.text, &names);
    for name in DISTINCT {
        ensure!(
            differ.contains(&name),
            "{target}: without the feature, {name} of both crates is one type:\n{}",
            said.text
        );
    }
    say!("types that differ without the feature: {}", differ.len());

    let spoiled = scratch.spoiled(&stand_in)?;
    let driver = scratch.driver(&names, &spoiled, Some("wdk-sys"))?;
    let said = check(&driver, target, &[])?;
    ensure!(
        !said.accepted
            && said
                .text
                .contains(&format!("evaluation panicked: {}", SPOILED.0)),
        "{target}: another layout of {} was not noticed:\n{}",
        SPOILED.0,
        said.text
    );
    say!("another layout of {} is refused", SPOILED.0);

    Ok(Outcome::Passed(format!(
        "{} types are one in both crates on {target}; {} differ without the feature",
        names.len(),
        differ.len()
    )))
}

/// The names that ndis-sys takes from `wdk-sys` on a target.
fn names(root: &Path, target: &str) -> Result<Vec<String>> {
    let arch = match target.split('-').next() {
        Some("i686") => "x86",
        Some(arch) => arch,
        None => bail!("{target} is no target"),
    };
    let mut names = Vec::new();
    for file in ["common", arch] {
        let path = root.join(format!("ndis-sys/src/generated/wdk/{file}.rs"));
        let text = workspace::read(&path)?;
        let list = text
            .split_once("pub use wdk_sys::{")
            .and_then(|(_, rest)| rest.split_once("};"));
        let list = list.map(|(list, _)| list).unwrap_or_default();
        names.extend(
            list.split(',')
                .map(str::trim)
                .filter(|n| !n.is_empty())
                .map(str::to_owned),
        );
    }
    ensure!(
        names.len() > DISTINCT.len(),
        "{target}: ndis-sys re-exports next to nothing"
    );
    Ok(names)
}

/// What cargo said about a driver.
struct Said {
    accepted: bool,
    text: String,
}

fn check(driver: &Path, target: &str, with: &[&str]) -> Result<Said> {
    let mut check = cargo(&[
        "check",
        "--quiet",
        "--message-format",
        "short",
        "--target",
        target,
    ]);
    check
        .args(with)
        .arg("--manifest-path")
        .arg(driver.join("Cargo.toml"));
    // One folder for all of them, so that what they share is checked once.
    check
        .arg("--target-dir")
        .arg(workspace::target().join("wdk-sys"));
    let output = check.output().context("cannot start cargo")?;
    Ok(Said {
        accepted: output.status.success(),
        text: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Nothing of the workspace builds `wdk-sys`, for whatever target, unless it is asked to.
fn nobody_builds_it() -> Result<()> {
    let mut tree = cargo(&["tree", "--workspace", "--edges", "all", "--prefix", "none"]);
    for target in Arch::ALL.map(Arch::target) {
        tree.args(["--target", target]);
    }
    let text = steps::output(&mut tree).context("cargo tree failed")?;
    ensure!(
        text.contains("ndis-sys v"),
        "cargo tree does not show ndis-sys"
    );
    if let Some(line) = text.lines().find(|line| line.starts_with("wdk-")) {
        bail!("without the feature {line} is built");
    }
    Ok(())
}

/// The names whose line in `identities.rs` has mismatched types. Line n is about name n.
fn mismatched<'a>(text: &str, names: &'a [String]) -> Vec<&'a str> {
    let mut found: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("error[E0308]"))
        .filter_map(|line| {
            line.split_once("identities.rs:")?
                .1
                .split(':')
                .next()?
                .parse()
                .ok()
        })
        .filter_map(|line: usize| names.get(line.checked_sub(1)?).map(String::as_str))
        .collect();
    found.dedup();
    found
}

/// A temporary folder for the drivers, gone when this is dropped.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Result<Self> {
        Ok(Self(
            tempfile::Builder::new().prefix("ndis-wdk-sys-").tempdir()?,
        ))
    }

    /// Writes the driver, to be built against `stand_in`, with or without a feature of ndis-sys.
    fn driver(&self, names: &[String], stand_in: &Path, feature: Option<&str>) -> Result<PathBuf> {
        let root = workspace::root();
        let folder = self.0.path().join("driver");
        fs::create_dir_all(folder.join("src"))?;
        let mut manifest = String::from(
            "[package]\nname = \"mixed\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nwdk-sys = \"0.5.2\"\n",
        );
        for name in ["ndis-sys", "ndis-co", "ndis-mcm"] {
            let features: Vec<&str> = feature.filter(|_| name == "ndis-sys").into_iter().collect();
            let path = root.join(name);
            manifest += &format!("{name} = {{ path = {path:?}, features = {features:?} }}\n");
        }
        let host = root.join("ndis-host");
        manifest += &format!("\n[dev-dependencies]\nndis-host = {{ path = {host:?} }}\n");
        manifest += &format!("\n[patch.crates-io]\nwdk-sys = {{ path = {stand_in:?} }}\n");
        fs::write(folder.join("Cargo.toml"), manifest)?;
        workspace::lend_versions(&folder)?;
        fs::copy(
            root.join("ndis-sys/tests/wdk-sys/driver.rs"),
            folder.join("src/lib.rs"),
        )?;
        let mut identities = String::new();
        for name in names {
            identities +=
                &format!("const _: fn(*mut wdk_sys::{name}) -> *mut ndis_sys::{name} = |p| p;\n");
        }
        fs::write(folder.join("src/identities.rs"), identities)?;
        Ok(folder)
    }

    /// A copy of the stand-in in which one record has a member too many.
    fn spoiled(&self, stand_in: &Path) -> Result<PathBuf> {
        let copy = self.0.path().join("spoiled");
        for entry in walkdir::WalkDir::new(stand_in) {
            let entry = entry?;
            let to = copy.join(entry.path().strip_prefix(stand_in)?);
            if entry.file_type().is_dir() {
                fs::create_dir_all(to)?;
            } else {
                fs::copy(entry.path(), to)?;
            }
        }
        let file = copy.join("src/types/common.rs");
        let text = workspace::read(&file)?;
        ensure!(
            text.matches(SPOILED.1).count() == 1,
            "no {} to spoil",
            SPOILED.0
        );
        let more = format!("{} pub TooMany: u64,", SPOILED.1);
        fs::write(&file, text.replace(SPOILED.1, &more))?;
        Ok(copy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_is_found_by_its_line() {
        let names = ["A", "B", "C"].map(String::from);
        let text = "src/identities.rs:2:61: error[E0308]: mismatched types\n\
                    src/identities.rs:3:61: error[E0412]: no such type\n\
                    src/lib.rs:1:1: error[E0308]: mismatched types\n";
        assert_eq!(mismatched(text, &names), ["B"]);
    }
}
