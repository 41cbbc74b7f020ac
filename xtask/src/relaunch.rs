//! Some commands need other dependencies than the rest: `bindgen` more, behind a cargo feature of
//! xtask, and `demo` hardly any, in a package of its own. The plain xtask lists them with the others
//! and hands them on.

use std::{ffi::OsString, process::Command};

use anyhow::{Context, Result, bail};

use crate::toolchain::cargo;

/// The arguments of a command that is only understood by the program that has it.
#[derive(clap::Args)]
pub struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the demo. (`cargo xtask demo` gets there without this program, see `xtask/launcher`.)
pub fn demo(passed: &Passed) -> Result<()> {
    hand_on(
        "demo",
        cargo(&["run", "--quiet", "--package", "xtask-demo", "--"]).args(&passed.args),
    )
}

/// Runs `cargo xtask bindgen` again, built with what it needs.
#[cfg(not(feature = "bindgen"))]
pub fn bindgen(passed: &Passed) -> Result<()> {
    /// Debian's and apt.llvm.org's place of the libclang that the generator is pinned to.
    const LIBCLANG: &str = "/usr/lib/llvm-19/lib";
    let mut run = cargo(&["run", "--package", "xtask", "--features", "bindgen", "--"]);
    run.arg("bindgen").args(&passed.args);
    if std::env::var_os("LIBCLANG_PATH").is_none() && std::path::Path::new(LIBCLANG).exists() {
        run.env("LIBCLANG_PATH", LIBCLANG);
    }
    hand_on("bindgen", &mut run)
}

fn hand_on(name: &str, command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}
