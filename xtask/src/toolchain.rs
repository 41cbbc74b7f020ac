//! What of the Rust toolchain is there, and how to get the rest.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    steps::{self, Outcome},
    workspace,
};

/// The toolchain that Miri comes with. (`NDIS_NIGHTLY` names another one.)
pub fn nightly() -> String {
    std::env::var("NDIS_NIGHTLY").unwrap_or_else(|_| "nightly".to_owned())
}

/// `cargo` of the toolchain that runs this xtask, in the workspace's folder.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(workspace::root()).args(words);
    command
}

/// Builds a program of the workspace, and gives its place. It is selected among all packages, so that its
/// dependencies have the features that they have in the tests, and are not built again. (The raw crate's tests
/// are a step of their own, and want others.)
pub fn program(name: &str) -> Result<PathBuf> {
    let words = ["build", "--quiet", "--workspace", "--exclude", "ndis-sys"];
    steps::run(cargo(&words).args(["--bin", name]))?;
    let folder = workspace::target().join("debug");
    Ok(folder
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION))
}

/// `cargo` of the nightly toolchain. (`cargo +nightly` needs rustup's proxy to come first in
/// the path, which is not so below a `cargo run`.)
pub fn nightly_cargo(words: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command
        .current_dir(workspace::root())
        .args(["run", &nightly(), "cargo"])
        .args(words);
    command
}

/// Makes sure that the standard library for `target` is installed; says why not otherwise.
pub fn need_target(target: &str) -> Result<Option<Outcome>> {
    let mut ask = Command::new("rustc");
    let folder = steps::output(ask.args(["--print", "target-libdir", "--target", target]));
    if folder.is_some_and(|folder| std::path::Path::new(folder.trim()).is_dir()) {
        return Ok(None);
    }
    if steps::output(Command::new("rustup").arg("--version")).is_none() {
        return Ok(Some(Outcome::Missing(format!(
            "this toolchain has no standard library for {target}, and there is no rustup to add it \
             with: rustup target add {target}"
        ))));
    }
    match steps::run(Command::new("rustup").args(["target", "add", target])) {
        Ok(_) => Ok(None),
        Err(error) => Ok(Some(Outcome::Missing(format!(
            "the target {target} cannot be installed: {error:#}"
        )))),
    }
}

/// Makes sure that Miri can be run; says why not otherwise.
pub fn need_miri() -> Result<Option<Outcome>> {
    let nightly = nightly();
    let Some(toolchains) = steps::output(Command::new("rustup").args(["toolchain", "list"])) else {
        return Ok(Some(Outcome::Missing(
            "no rustup to run a nightly toolchain with".to_owned(),
        )));
    };
    if !toolchains.lines().any(|line| line.starts_with(&nightly)) {
        return Ok(Some(Outcome::Missing(format!(
            "no {nightly} toolchain: rustup toolchain install {nightly} --profile minimal -c miri -c rust-src"
        ))));
    }
    // The version is printed only where the component is there; `rust-src` is seen by its files.
    let has_miri = steps::output(&mut nightly_cargo(&["miri", "--version"])).is_some();
    let sysroot = steps::output(
        Command::new("rustup").args(["run", &nightly, "rustc", "--print", "sysroot"]),
    );
    let has_source = sysroot.is_some_and(|path| {
        std::path::Path::new(path.trim())
            .join("lib/rustlib/src/rust/library/Cargo.lock")
            .exists()
    });
    if has_miri && has_source {
        return Ok(None);
    }
    let mut add = Command::new("rustup");
    add.args([
        "component",
        "add",
        "--toolchain",
        &nightly,
        "miri",
        "rust-src",
    ]);
    match steps::run(&mut add) {
        Ok(_) => Ok(None),
        Err(error) => Ok(Some(Outcome::Missing(format!(
            "miri cannot be installed: {error:#}"
        )))),
    }
}

/// `rustc 1.95.0 (...)` without what is in the brackets.
pub fn version() -> Result<String> {
    let text = steps::output(Command::new("rustc").arg("--version"));
    let text = text.context("cannot ask rustc for its version")?;
    let words: Vec<_> = text.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}
