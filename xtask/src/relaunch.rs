//! Some chores need dependencies that the others should not have to build: those sit behind a
//! cargo feature of xtask, and the plain xtask starts itself again with the feature on.

use std::{ffi::OsString, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The arguments of a command that is only understood after the relaunch.
#[derive(clap::Args)]
pub struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Debian's and apt.llvm.org's place of the libclang that the generator is pinned to.
const LIBCLANG: &str = "/usr/lib/llvm-19/lib";

/// Runs `cargo xtask <command> <passed>` again, built with `feature`.
pub fn with_feature(feature: &str, command: &str, passed: &Passed) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(workspace::root())
        .args([
            "run",
            "--quiet",
            "--package",
            "xtask",
            "--features",
            feature,
            "--",
            command,
        ])
        .args(&passed.args);
    if std::env::var_os("LIBCLANG_PATH").is_none() && Path::new(LIBCLANG).exists() {
        cargo.env("LIBCLANG_PATH", LIBCLANG);
    }
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("{command} failed ({status})");
    }
    Ok(())
}
