//! `cargo xtask bench --host`: what the host itself costs, and whether that grows with the calls
//! that are up.
//!
//! `ndis-host/load` has the drivers, which do next to nothing. Callgrind counts the whole program
//! twice, with some rounds and with twice as many, and the difference is what those take. The
//! program then measures itself, with more calls than can be counted in a minute.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use super::callgrind;
use crate::{steps, toolchain::cargo, workspace};

const PACKAGE: &str = "ndis-host-load";
/// What is counted: its word, how often, and how it is called in the table.
const GROWING: [(&str, u64, &str); 2] = [
    ("call", 300, "a call, up and down"),
    ("send", 3_000, "a frame, sent and completed"),
];
const CROWDS: [u64; 3] = [10, 1_000, 10_000];
const SCHEDULES: u64 = 10;

/// Runs the command.
pub fn run() -> Result<()> {
    if let Some(missing) = callgrind::missing() {
        return missing.said();
    }
    steps::run(&mut cargo(&["build", "--release", "--package", PACKAGE]))?;
    println!("instructions of the host and two small drivers, with so many calls up");
    for (word, times, name) in GROWING {
        let mut line = format!("{name:28}");
        let mut first = None;
        for crowd in CROWDS {
            let each = each(word, &crowd.to_string(), times)?;
            let growth = each / *first.get_or_insert(each);
            line += &format!(" {:>24}", format!("{crowd}: {each:.0} ({growth:.2})"));
        }
        println!("{line}");
    }
    let each = each("schedule", "-", SCHEDULES)?;
    println!("{:28} {each:>24.0}", "both hang up, one schedule");
    println!("\nin time, on this machine");
    let measured = Command::new(program()).status();
    if !measured.context("cannot start the program")?.success() {
        bail!("the program failed");
    }
    Ok(())
}

fn program() -> PathBuf {
    workspace::target().join("release").join(PACKAGE)
}

/// Instructions for each time of the second half of a run.
fn each(word: &str, crowd: &str, times: u64) -> Result<f64> {
    let once = count(word, crowd, times)?;
    let twice = count(word, crowd, 2 * times)?;
    Ok((twice as f64 - once as f64) / times as f64)
}

/// Instructions of a whole run.
fn count(word: &str, crowd: &str, times: u64) -> Result<u64> {
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program())
        .args([word, crowd, &times.to_string()])
        .output()
        .context("cannot start valgrind")?;
    let text = String::from_utf8_lossy(&out.stderr);
    let found = text.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected :")?;
        count.trim().parse().ok()
    });
    match found {
        Some(count) if out.status.success() => Ok(count),
        _ => bail!("valgrind says: {text}"),
    }
}
