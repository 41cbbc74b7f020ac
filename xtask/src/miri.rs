//! `cargo xtask miri`: the scenario tests of both examples under Miri.
//!
//! Driver, safe layer and host are Rust in one process, so Miri sees whole scenarios: the raw
//! crate's `extern` declarations resolve to the functions that the host defines.

use std::thread;

use anyhow::{Result, anyhow};

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
    let packages = if packages.is_empty() {
        &PACKAGES
    } else {
        packages.as_slice()
    };
    check(packages, &args.harness)?.said()
}

/// The step of `cargo xtask test`.
pub fn scenarios() -> Result<Outcome> {
    check(&PACKAGES, &[])
}

fn check(packages: &[&str], harness: &[String]) -> Result<Outcome> {
    if let Some(missing) = toolchain::need_miri()? {
        return Ok(missing);
    }
    // Miri interprets on one thread: the packages run side by side. Cargo lets one build at a time.
    let outcomes: Vec<Result<Outcome>> = thread::scope(|scope| {
        let run = |package: &&str| {
            let mut cargo = toolchain::nightly_cargo(&["miri", "test", "--no-fail-fast"]);
            cargo
                .args(["--package", package, "--tests", "--"])
                .args(harness)
                .env("MIRIFLAGS", flags());
            scope.spawn(move || steps::run_tests(&mut cargo))
        };
        let running: Vec<_> = packages.iter().map(run).collect();
        running
            .into_iter()
            .map(|run| {
                run.join()
                    .unwrap_or_else(|_| Err(anyhow!("a run under Miri panicked")))
            })
            .collect()
    });
    let mut remarks = Vec::new();
    for (package, outcome) in packages.iter().zip(outcomes) {
        match outcome? {
            Outcome::Passed(remark) => remarks.push(format!("{package}: {remark}")),
            other => return Ok(other),
        }
    }
    Ok(Outcome::Passed(remarks.join(", ")))
}

/// The flags, with the caller's own after them.
fn flags() -> String {
    match std::env::var("MIRIFLAGS") {
        Ok(own) if !own.is_empty() => format!("{FLAGS} {own}"),
        _ => FLAGS.to_owned(),
    }
}
