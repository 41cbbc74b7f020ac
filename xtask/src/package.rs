//! What crates.io would get: the packages that are published, made as cargo makes them, and compiled.
//!
//! `cargo package --workspace` itself cannot pass here: it also packages what is never published, and
//! an `xtask` that depends on the examples finds them in no registry. So the packages with
//! `publish = false` are left out, by their manifests. Nothing else is. (`--allow-dirty`: the step is about
//! the files as they are, committed or not.)
//!
//! Cargo would build each package from its archive, and once more for each that needs it: a minute of the
//! processor's. Here the archives are unpacked beside each other, and each is checked by itself, with its own
//! features, against the others.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    steps::{self, Outcome},
    toolchain::cargo,
    workspace,
};

/// The files that are in every package; the licences are those at the top of the tree.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
const FILES: [&str; 2] = ["README.md", "src/lib.rs"];

/// The part of `cargo metadata` that is looked at.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    /// The registries that it may go to; none at all is an empty list.
    publish: Option<Vec<String>>,
    description: Option<String>,
    license: Option<String>,
    repository: Option<String>,
    documentation: Option<String>,
    rust_version: Option<String>,
    #[serde(default)]
    metadata: serde_json::Value,
}

impl Package {
    fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|to| !to.is_empty())
    }

    /// What a user of crates.io or docs.rs would miss.
    fn faults(&self, files: &BTreeSet<&str>) -> Vec<String> {
        let said = |what: &Option<String>| what.as_ref().is_some_and(|text| !text.is_empty());
        let docs = &self.metadata["docs"]["rs"];
        let mut faults: Vec<String> = [
            ("description", said(&self.description)),
            ("license", said(&self.license)),
            ("repository", said(&self.repository)),
            ("documentation", said(&self.documentation)),
            ("rust-version", said(&self.rust_version)),
            ("metadata.docs.rs.targets", docs["targets"].is_array()),
        ]
        .into_iter()
        .filter(|(_, there)| !there)
        .map(|(what, _)| format!("{}: its manifest has no {what}", self.name))
        .collect();
        for file in LICENCES.iter().chain(&FILES) {
            if !files.contains(file) {
                faults.push(format!("{}: no {file} in the package", self.name));
            }
        }
        faults
    }
}

/// The step of `cargo xtask test`.
pub fn prove() -> Result<Outcome> {
    let text = steps::output(&mut cargo(&[
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]));
    let metadata: Metadata = serde_json::from_str(&text.context("cargo metadata failed")?)?;
    let (published, kept): (Vec<_>, Vec<_>) = metadata
        .packages
        .iter()
        .partition(|package| package.is_published());
    let mut faults = Vec::new();
    for package in &published {
        let list = ["package", "--list", "--allow-dirty", "--package"];
        let list = steps::output(cargo(&list).arg(&package.name))
            .with_context(|| format!("cargo package --list failed for {}", package.name))?;
        faults.extend(package.faults(&list.lines().collect()));
        faults.extend(other_licences(package)?);
    }
    if !faults.is_empty() {
        bail!(faults.join("; "));
    }
    let place = tempfile::Builder::new()
        .prefix("ndis-packages-")
        .tempdir()
        .context("no temporary folder")?;
    let mut command = cargo(&["package", "--workspace", "--allow-dirty", "--no-verify"]);
    command.arg("--target-dir").arg(place.path());
    for package in &kept {
        command.args(["--exclude", &package.name]);
    }
    steps::run(&mut command)?;
    compile(&published, &place.path().join("package"))?;
    let names: Vec<&str> = published.iter().map(|p| p.name.as_str()).collect();
    Ok(Outcome::Passed(format!(
        "{} packages: {}",
        names.len(),
        names.join(", ")
    )))
}

/// Unpacks the archives in a folder, and checks each package there: its dependencies of ours are the unpacked ones.
fn compile(packages: &[&Package], folder: &Path) -> Result<()> {
    let mut patches = String::from("[workspace]\nresolver = \"3\"\nmembers = [\"*-*.*.*\"]\n");
    patches += "exclude = [\"*.crate\"]\n\n[patch.crates-io]\n";
    for package in packages {
        let name = format!("{}-{}", package.name, package.version);
        let archive = format!("{name}.crate");
        steps::run(
            Command::new("tar")
                .args(["-xzf", &archive])
                .current_dir(folder),
        )?;
        patches += &format!("{} = {{ path = {name:?} }}\n", package.name);
    }
    fs::write(folder.join("Cargo.toml"), patches)?;
    workspace::lend_versions(folder)?;
    for package in packages {
        let mut check = cargo(&["check", "--package", &package.name]);
        check.arg("--manifest-path").arg(folder.join("Cargo.toml"));
        // Beside the packages: nobody else's folder.
        check.arg("--target-dir").arg(folder.join("target"));
        steps::run(&mut check)?;
    }
    Ok(())
}

/// A package's licences are copies: a link would not survive a checkout on Windows.
fn other_licences(package: &Package) -> Result<Vec<String>> {
    let folder = package
        .manifest_path
        .parent()
        .context("a manifest is in a folder")?;
    let mut faults = Vec::new();
    for name in LICENCES {
        let own = folder.join(name);
        if own.exists() && workspace::read(&own)? != workspace::read(&workspace::root().join(name))?
        {
            faults.push(format!(
                "{}: {name} is not the one at the top",
                package.name
            ));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_package_lacks_is_named() {
        let manifest = r#"{"name": "a", "version": "0.1.0", "manifest_path": "/a/Cargo.toml", "publish": null,
            "description": "A.", "license": "MIT", "repository": null, "documentation": "x",
            "rust_version": "1.95", "metadata": null}"#;
        let mut package: Package = serde_json::from_str(manifest).unwrap();
        assert!(package.is_published());
        let files = BTreeSet::from(["LICENSE-MIT", "README.md", "src/lib.rs"]);
        assert_eq!(
            package.faults(&files),
            [
                "a: its manifest has no repository",
                "a: its manifest has no metadata.docs.rs.targets",
                "a: no LICENSE-APACHE in the package"
            ]
        );
        package.publish = Some(Vec::new());
        assert!(!package.is_published());
    }
}
