//! `cargo xtask miri`: the scenario tests of both examples under Miri.
//!
//! Driver, safe layer and host are Rust in one process, so Miri sees whole scenarios: the raw
//! crate's `extern` declarations resolve to the functions that the host defines.

use anyhow::{Result, bail};

use crate::{
    steps::{self, Outcome},
    toolchain,
};

/// The packages whose tests are run.
const PACKAGES: [&str; 2] = ["loopback-mcm", "echo-client"];

/// A pointer must come from where it says it comes from; the host's threads and clock are its
/// own, but the test harness asks for the real ones.
const FLAGS: &str = "-Zmiri-strict-provenance -Zmiri-disable-isolation";

/// What to run.
#[derive(clap::Args)]
pub struct MiriArgs {
    /// Another package, instead of both examples.
    #[arg(long, short)]
    package: Vec<String>,
    /// Passed on to the test harness.
    #[arg(last = true)]
    harness: Vec<String>,
}

/// Runs the command.
pub fn run(args: &MiriArgs) -> Result<()> {
    let packages: Vec<&str> = args.package.iter().map(String::as_str).collect();
    match check(
        if packages.is_empty() {
            &PACKAGES
        } else {
            &packages
        },
        &args.harness,
    )? {
        Outcome::Passed(remark) => println!("{remark}"),
        Outcome::Skipped(why) | Outcome::Missing(why) => bail!(why),
    }
    Ok(())
}

/// The step of `cargo xtask test`.
pub fn scenarios() -> Result<Outcome> {
    check(&PACKAGES, &[])
}

fn check(packages: &[&str], harness: &[String]) -> Result<Outcome> {
    if let Some(missing) = toolchain::need_miri()? {
        return Ok(missing);
    }
    let mut cargo = toolchain::nightly_cargo(&["miri", "test", "--no-fail-fast"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    cargo
        .arg("--tests")
        .arg("--")
        .args(harness)
        .env("MIRIFLAGS", flags());
    steps::run_tests(&mut cargo)
}

/// The flags, with the caller's own after them.
fn flags() -> String {
    match std::env::var("MIRIFLAGS") {
        Ok(own) if !own.is_empty() => format!("{FLAGS} {own}"),
        _ => FLAGS.to_owned(),
    }
}
