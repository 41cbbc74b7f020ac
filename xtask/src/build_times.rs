//! `cargo xtask build-times`: how long a user waits for the crates, measured.
//!
//! Each crate is built from an empty target directory, its dependencies downloaded beforehand.
//! The README's figures are these and no others.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    say::say,
    steps,
    toolchain::{self, cargo},
    workspace,
};

/// The raw crate alone, and the crate that a call manager depends on with all below it.
const CRATES: [&str; 2] = ["ndis-sys", "ndis-mcm"];

/// The lines of the README that the figures stand between.
const BEGIN: &str = "<!-- build-times -->\n";
const END: &str = "<!-- /build-times -->\n";

/// What to do with the figures.
#[derive(clap::Args)]
pub struct BuildTimesArgs {
    /// Put them into the README.
    #[arg(long)]
    write: bool,
}

/// Runs the command.
pub fn run(args: &BuildTimesArgs) -> Result<()> {
    let root = workspace::root();
    let target = root.join("target/build-times");
    steps::run(&mut cargo(&["fetch"]))?;
    let mut rows = String::from("| command | wall time |\n|---|---|\n");
    for name in CRATES {
        let time = measure(name, &target)?;
        rows += &format!(
            "| `cargo build -p {name}` | {:.1} s |\n",
            time.as_secs_f64()
        );
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = format!(
        "From an empty target directory, dependencies downloaded, on {cores} cores with {} (`cargo xtask build-times`):\n\n{rows}",
        toolchain::version()?,
    );
    say!("\n{text}");
    if args.write {
        let path = root.join("README.md");
        let readme = workspace::read(&path)?;
        fs::write(&path, put(&readme, &text)?)?;
    }
    Ok(())
}

fn measure(name: &str, target: &Path) -> Result<Duration> {
    if target.exists() {
        fs::remove_dir_all(target)?;
    }
    let start = Instant::now();
    steps::run(
        cargo(&["build", "--offline", "--package", name])
            .arg("--target-dir")
            .arg(target),
    )?;
    let time = start.elapsed();
    fs::remove_dir_all(target)?;
    Ok(time)
}

/// `readme` with `text` between its two markers.
fn put(readme: &str, text: &str) -> Result<String> {
    let (before, rest) = readme
        .split_once(BEGIN)
        .context("the README lacks the first marker")?;
    let (_, after) = rest
        .split_once(END)
        .context("the README lacks the second marker")?;
    Ok(format!("{before}{BEGIN}{text}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_replace_the_old_ones() {
        let readme = format!("a\n{BEGIN}old\n{END}b\n");
        let new = put(&readme, "new\n").expect("both markers are there");
        assert_eq!(new, format!("a\n{BEGIN}new\n{END}b\n"));
        assert!(put("nothing", "x").is_err());
    }

    #[test]
    fn the_readme_has_the_markers() {
        let readme = workspace::read(&workspace::root().join("README.md")).expect("a README");
        assert!(put(&readme, "").is_ok());
    }
}
