//! `cargo xtask bench`: what the safe layer costs, in instructions.
//!
//! The same pair of drivers, a call manager and its client, is written twice, on the safe layer and on the
//! raw interface (`xtask/bench`), over an NDIS that does next to nothing. Callgrind counts what the
//! drivers' object executes. Instructions are counted and never time, so the figures are the same on every
//! machine that has the same compiler, and a step of the tests keeps them from growing.

mod callgrind;
mod host;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    ceilings::{self, Figures, Room},
    steps::Outcome,
    toolchain, workspace,
};
use callgrind::{Bench, Count, Job};

const CEILINGS: &str = "xtask/data/bench.json";
const LOWER: &str = "cargo xtask bench --write";
/// Compilers differ a little.
const ROOM: Room = Room {
    written: 1.05,
    most: 1.2,
};
/// What the ceilings are for.
const PROFILE: &str = "counted";
const ARCH: &str = "x86_64";

/// What is compared: the name of the operation, its argument, and how it is called in the table.
const OPERATIONS: [(&str, usize, &str); 10] = [
    ("send", 1, "send, 1 list"),
    ("send", 32, "send, 32 lists"),
    ("receive", 1, "receive, 1 list"),
    ("receive", 32, "receive, 32 lists"),
    ("read", 1, "receive and copy, 1 list"),
    ("read", 32, "receive and copy, 32 lists"),
    ("allocate", 1, "allocate and free a list"),
    ("call", 1, "call, made and closed"),
    ("call_later", 1, "call, accepted by a work item"),
    ("call_in", 1, "call brought in, and closed"),
];
/// What a call takes that is up and does nothing, in bytes of the pool: both ends, whose drivers have
/// contexts without a byte.
const IDLE: &str = "idle call, bytes of both ends";
/// So many of them are made.
const IDLES: usize = 1_000;

/// So many rounds are counted of each.
const ROUNDS: usize = 50;

/// What must not depend on how many calls are up.
struct Growing {
    operation: &'static str,
    /// How it is called in the table.
    name: &'static str,
    /// It ends all calls: one round, whose instructions are divided among them.
    ends_all: bool,
    /// Its ceiling is on the growth from the first to the last.
    crowds: &'static [usize],
    /// Only the command shows it: it takes too long for a test while it grows.
    further: Option<usize>,
}

impl Growing {
    fn crowds(&self, all: bool) -> impl Iterator<Item = usize> {
        let further = self.further.filter(|_| all);
        self.crowds.iter().copied().chain(further)
    }
}

const GROWING: [Growing; 3] = [
    Growing {
        operation: "crowd",
        name: "call, made and closed",
        ends_all: false,
        crowds: &[1, 1_000, 10_000],
        further: None,
    },
    Growing {
        operation: "close_family",
        name: "family closed, for each call",
        ends_all: true,
        crowds: &[100, 1_000],
        further: Some(10_000),
    },
    Growing {
        operation: "close_family_later",
        name: "the same, closes pended",
        ends_all: true,
        crowds: &[100, 1_000],
        further: Some(10_000),
    },
];

/// What to do with the figures.
#[derive(clap::Args)]
pub struct BenchArgs {
    /// Write them to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Lower the ceilings to what is counted; none is raised.
    #[arg(long, conflicts_with = "profile")]
    write: bool,
    /// Build with another profile of cargo's. The ceilings are not for it.
    #[arg(long, default_value = PROFILE)]
    profile: String,
    /// Count what the host itself costs, in place of the drivers: among few calls and among many.
    #[arg(long, conflicts_with_all = ["json", "write", "profile"])]
    host: bool,
}

/// One operation, in both pairs.
#[derive(Serialize)]
struct Compared {
    operation: &'static str,
    safe: Count,
    raw: Count,
    ratio: f64,
}

/// One operation of the safe pair, among more and more calls.
#[derive(Serialize)]
struct Grown {
    operation: &'static str,
    #[serde(skip)]
    crowds: &'static [usize],
    /// Calls and instructions.
    with: Vec<(usize, f64)>,
}

impl Grown {
    /// What its ceiling is called.
    fn key(&self) -> String {
        let last = self.crowds.last().copied().unwrap_or_default();
        format!("growth to {last}: {}", self.operation)
    }

    /// How much dearer the largest of its crowds makes it.
    fn growth(&self) -> f64 {
        let of = |crowd: Option<&usize>| {
            let found = self.with.iter().find(|(with, _)| Some(with) == crowd);
            found.map_or(f64::NAN, |(_, instructions)| *instructions)
        };
        of(self.crowds.last()) / of(self.crowds.first())
    }
}

/// Bytes of an idle call, in both pairs.
#[derive(Serialize)]
struct Idle {
    safe: f64,
    raw: f64,
}

/// All figures.
#[derive(Serialize)]
struct Account {
    compiler: String,
    profile: String,
    arch: &'static str,
    idle: Idle,
    compared: Vec<Compared>,
    grown: Vec<Grown>,
}

/// Runs the command.
pub fn run(args: &BenchArgs) -> Result<()> {
    if args.host {
        return host::run();
    }
    if let Some(missing) = callgrind::missing() {
        return missing.said();
    }
    let account = account(&args.profile, true)?;
    account.print();
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&account)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!(
        "\nwhere they come from: callgrind_annotate {}/<pair>-<operation>-<argument>.callgrind",
        callgrind::folder().display()
    );
    if args.profile != PROFILE || std::env::consts::ARCH != ARCH {
        println!("(not compared: the ceilings are for {ARCH} and the profile {PROFILE})");
        return Ok(());
    }
    let file = workspace::root().join(CEILINGS);
    if args.write {
        ceilings::lower(&account.figures(), &file, ROOM)?;
    }
    ceilings::check(&account.figures(), &ceilings::read(&file)?, ROOM, LOWER)
}

/// The step of the tests.
pub fn prove() -> Result<Outcome> {
    if std::env::consts::ARCH != ARCH {
        return Ok(Outcome::Skipped(format!("the ceilings are for {ARCH}")));
    }
    if let Some(missing) = callgrind::missing() {
        return Ok(missing);
    }
    let account = account(PROFILE, false)?;
    account.print();
    let ceilings = ceilings::read(&workspace::root().join(CEILINGS))?;
    ceilings::check(&account.figures(), &ceilings, ROOM, LOWER)?;
    let ratios = account.compared.iter().map(|one| one.ratio);
    let most = ratios.fold(0.0, f64::max);
    Ok(Outcome::Passed(format!(
        "{} operations, at most {most:.2} times the raw instructions",
        account.compared.len()
    )))
}

/// Counts everything, or what has a ceiling.
fn account(profile: &str, all: bool) -> Result<Account> {
    let bench = Bench::build(profile)?;
    let mut jobs = Vec::new();
    for (operation, argument, _) in OPERATIONS {
        for pair in ["safe", "raw"] {
            jobs.push(Job {
                pair,
                operation,
                argument,
                rounds: ROUNDS,
                stays: false,
            });
        }
    }
    for pair in ["safe", "raw"] {
        jobs.push(Job {
            pair,
            operation: "idle",
            argument: IDLES,
            rounds: 1,
            stays: true,
        });
    }
    for one in GROWING {
        for argument in one.crowds(all) {
            jobs.push(Job {
                pair: "safe",
                operation: one.operation,
                argument,
                rounds: if one.ends_all { 1 } else { ROUNDS },
                stays: one.ends_all,
            });
        }
    }
    let counts = bench.count(&jobs)?;
    let of = |pair: &str, operation: &str, argument: usize| {
        let found = jobs.iter().zip(&counts).find(|(job, _)| {
            job.pair == pair && job.operation == operation && job.argument == argument
        });
        match found {
            Some((_, count)) => Ok(*count),
            None => bail!("{operation} was not counted"),
        }
    };
    let mut compared = Vec::new();
    for (operation, argument, name) in OPERATIONS {
        let safe = of("safe", operation, argument)?;
        let raw = of("raw", operation, argument)?;
        compared.push(Compared {
            operation: name,
            safe,
            raw,
            ratio: safe.instructions / raw.instructions,
        });
    }
    let mut grown = Vec::new();
    for one in GROWING {
        let mut with = Vec::new();
        for crowd in one.crowds(all) {
            let count = of("safe", one.operation, crowd)?;
            let each = if one.ends_all { crowd as f64 } else { 1.0 };
            with.push((crowd, count.instructions / each));
        }
        grown.push(Grown {
            operation: one.name,
            crowds: one.crowds,
            with,
        });
    }
    let idle = |pair: &str| Ok::<_, anyhow::Error>(of(pair, "idle", IDLES)?.left / IDLES as f64);
    Ok(Account {
        idle: Idle {
            safe: idle("safe")?,
            raw: idle("raw")?,
        },
        compiler: toolchain::version()?,
        profile: profile.to_owned(),
        arch: std::env::consts::ARCH,
        compared,
        grown,
    })
}

impl Account {
    /// What has a ceiling.
    fn figures(&self) -> Figures {
        let ratios = self
            .compared
            .iter()
            .map(|one| (one.operation.to_owned(), one.ratio));
        let growth = self.grown.iter().map(|one| (one.key(), one.growth()));
        let idle = [(IDLE.to_owned(), self.idle.safe)];
        ratios.chain(growth).chain(idle).collect()
    }

    fn print(&self) {
        let width = OPERATIONS
            .map(|(.., name)| name.len())
            .into_iter()
            .chain(GROWING.map(|one| one.name.len()))
            .max()
            .unwrap_or_default();
        println!(
            "\ninstructions of the drivers a round, {}, profile {}, {}",
            self.compiler, self.profile, self.arch
        );
        println!(
            "{:width$} {:>9} {:>9} {:>6}   {:>11} {:>11}",
            "", "safe", "raw", "ratio", "locks", "allocations"
        );
        let both = |safe: f64, raw: f64| format!("{safe:.0}/{raw:.0}");
        for one in &self.compared {
            println!(
                "{:width$} {:>9.0} {:>9.0} {:>6.2}   {:>11} {:>11}",
                one.operation,
                one.safe.instructions,
                one.raw.instructions,
                one.ratio,
                both(one.safe.locks, one.raw.locks),
                both(one.safe.allocations, one.raw.allocations),
            );
        }
        println!("\n{IDLE}: {:.0}, raw {:.0}", self.idle.safe, self.idle.raw);
        println!("\nthe same of the safe pair, with so many calls up");
        for one in &self.grown {
            let with = one.with.iter();
            let with =
                with.map(|(crowd, count)| format!(" {:>15}", format!("{crowd}: {count:.0}")));
            println!("{:width$}{}", one.operation, with.collect::<String>());
        }
        for one in &self.grown {
            println!("{}: {:.2}", one.key(), one.growth());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceilings_are_of_what_is_counted() {
        let ceilings = ceilings::read(&workspace::root().join(CEILINGS)).expect("a map");
        let growing = ceilings.keys().filter(|name| name.starts_with("growth to"));
        assert_eq!(growing.count(), GROWING.len());
        assert_eq!(ceilings.len(), OPERATIONS.len() + GROWING.len() + 1);
        assert!(ceilings.contains_key(IDLE));
        for (.., name) in OPERATIONS {
            assert!(ceilings.contains_key(name), "{name}");
        }
    }

    #[test]
    fn growth_is_from_the_smallest_to_the_largest_crowd() {
        let grown = Grown {
            operation: "",
            crowds: &[1, 10],
            with: vec![(1, 100.0), (10, 250.0), (100, 400.0)],
        };
        assert!((grown.growth() - 2.5).abs() < 1e-9);
    }
}
