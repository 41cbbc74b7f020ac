//! `cargo xtask ci`: exactly what the CI machine does, started by hand.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Runs `.ci/run`.
pub fn run() -> Result<()> {
    let root = workspace::root();
    let status = Command::new("bash")
        .arg(root.join(".ci/run"))
        .current_dir(&root)
        .status()
        .context("cannot start bash")?;
    if !status.success() {
        bail!(".ci/run failed ({status})");
    }
    Ok(())
}
