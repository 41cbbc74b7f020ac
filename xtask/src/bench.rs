//! `cargo xtask bench`: what the safe layer costs, in instructions.
//!
//! The same pair of drivers, a call manager and its client, is written twice, on the safe layer and on the
//! raw interface (`xtask/bench`), over an NDIS that does next to nothing. Callgrind counts what the
//! drivers' object executes. Instructions are counted and never time, so the figures are the same on every
//! machine that has the same compiler, and a step of the tests keeps them from growing.

mod callgrind;
mod host;
mod images;
mod interlocked;
mod page;

use std::{fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    ceilings::{self, Figures, Room},
    steps::Outcome,
    toolchain, workspace,
};
use callgrind::{Bench, Count, Job};
use images::Image;

const CEILINGS: &str = "xtask/data/bench.json";
const LOWER: &str = "cargo xtask bench --write";
const ROOM: Room = Room {
    slack: 1.01,
    written: 1.0,
    most: 1.05,
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

/// The ratio that an operation is meant to have at most.
fn goal(operation: &str) -> f64 {
    match operation {
        "allocate" => 1.1,
        "call" | "call_later" | "call_in" => 1.3,
        _ => 1.05,
    }
}

/// The operation of which two more figures have a ceiling, each of the safe pair alone.
const COUNTED_APART: &str = "receive, 32 lists";
const INTERLOCKED: &str = "interlocked operations: receive, 32 lists";
const LOCKS: &str = "spin locks: receive, 32 lists";

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
    /// Lower the ceilings to what is counted, none is raised; and put the table into docs/performance.md.
    #[arg(long, conflicts_with = "profile")]
    write: bool,
    /// Fail when a figure is above its ceiling by more than one per cent, or is not in docs/performance.md.
    #[arg(long, conflicts_with = "profile")]
    check: bool,
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
    goal: f64,
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
    images: Vec<Image>,
    /// Why there are no images, or no image in C, if so.
    lacks: Option<String>,
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
    if args.write {
        if let Some(lacks) = &account.lacks {
            bail!("the table would lack something: {lacks}");
        }
        let file = workspace::root().join(CEILINGS);
        ceilings::lower(&account.figures(), &file, ROOM)?;
        page::write(&account.table())?;
    }
    match account.check() {
        Err(error) if !(args.check || args.write) => println!("\n{error:#}"),
        checked => checked?,
    }
    Ok(())
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
    account.check()?;
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
            goal: goal(operation),
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
    let (images, lacks) = match images::images()? {
        Ok(images) if images.iter().all(|image| image.raw.is_some()) => (images, None),
        Ok(images) => (images, Some("no clang for the drivers in C".to_owned())),
        Err(Outcome::Passed(why) | Outcome::Skipped(why) | Outcome::Missing(why)) => {
            (Vec::new(), Some(why))
        }
    };
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
        images,
        lacks,
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
        let apart = self
            .compared
            .iter()
            .filter(|one| one.operation == COUNTED_APART);
        let apart = apart.flat_map(|one| {
            [
                (INTERLOCKED.to_owned(), one.safe.interlocked),
                (LOCKS.to_owned(), one.safe.locks),
            ]
        });
        let images = images::figures(&self.images);
        ratios
            .chain(growth)
            .chain(idle)
            .chain(apart)
            .chain(images)
            .collect()
    }

    /// Compares with the ceilings and with the page.
    fn check(&self) -> Result<()> {
        let mut ceilings = ceilings::read(&workspace::root().join(CEILINGS))?;
        if self.images.is_empty() {
            ceilings.retain(|name, _| !images::is_key(name));
        }
        ceilings::check(&self.figures(), &ceilings, ROOM, LOWER)?;
        page::check(&self.table())
    }

    /// As docs/performance.md has it.
    fn table(&self) -> String {
        let mut text = format!(
            "With {}, {}. Nothing has been released yet, so there is no release to compare with.\n\n",
            self.compiler, self.arch
        );
        text += "| instructions a round | safe | raw | ratio | goal | interlocked | spin locks | allocations |\n";
        text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
        let both = |safe: f64, raw: f64| format!("{safe:.0} / {raw:.0}");
        for one in &self.compared {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.2} | {} | {} | {} | {} |",
                one.operation,
                grouped(one.safe.instructions),
                grouped(one.raw.instructions),
                one.ratio,
                one.goal,
                both(one.safe.interlocked, one.raw.interlocked),
                both(one.safe.locks, one.raw.locks),
                both(one.safe.allocations, one.raw.allocations),
            );
        }
        text += "\n| bytes | safe | raw | ratio | goal |\n|---|---:|---:|---:|---:|\n";
        let mut bytes = |name: &str, safe: f64, raw: Option<f64>, goal: &str| {
            let of_raw = raw.map(grouped).unwrap_or_default();
            let ratio = raw
                .map(|raw| format!("{:.2}", safe / raw))
                .unwrap_or_default();
            let safe = grouped(safe);
            let _ = writeln!(text, "| {name} | {safe} | {of_raw} | {ratio} | {goal} |");
        };
        bytes(IDLE, self.idle.safe, Some(self.idle.raw), "128");
        for image in &self.images {
            let raw = image.raw.map(|raw| raw as f64);
            bytes(&image.key(), image.safe as f64, raw, "1.2");
        }
        text += "\n| the safe pair among many calls | grows by |\n|---|---:|\n";
        for one in &self.grown {
            let _ = writeln!(text, "| {} | {:.2} |", one.key(), one.growth());
        }
        text
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
            "{:width$} {:>9} {:>9} {:>6} {:>5}   {:>11} {:>11} {:>11}",
            "", "safe", "raw", "ratio", "goal", "interlocked", "locks", "allocations"
        );
        let both = |safe: f64, raw: f64| format!("{safe:.0}/{raw:.0}");
        for one in &self.compared {
            println!(
                "{:width$} {:>9.0} {:>9.0} {:>6.2} {:>5}   {:>11} {:>11} {:>11}",
                one.operation,
                one.safe.instructions,
                one.raw.instructions,
                one.ratio,
                one.goal,
                both(one.safe.interlocked, one.raw.interlocked),
                both(one.safe.locks, one.raw.locks),
                both(one.safe.allocations, one.raw.allocations),
            );
        }
        println!("(no figures beside: nothing has been released yet)");
        for image in &self.images {
            let (safe, key) = (image.safe, image.key());
            match image.raw {
                Some(raw) => {
                    let ratio = safe as f64 / raw as f64;
                    println!("{key}: {safe} bytes, in C {raw}, ratio {ratio:.2}, goal 1.2");
                }
                None => println!("{key}: {safe} bytes"),
            }
        }
        if let Some(lacks) = &self.lacks {
            println!("(not compared: {lacks})");
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

/// A number with a comma before each three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        let all = [0.4, 999.0, 1_000.0, 83_456.0, 1_234_567.0].map(grouped);
        assert_eq!(all, ["0", "999", "1,000", "83,456", "1,234,567"]);
    }

    #[test]
    fn the_ceilings_are_of_what_is_counted() {
        let ceilings = ceilings::read(&workspace::root().join(CEILINGS)).expect("a map");
        let growing = ceilings.keys().filter(|name| name.starts_with("growth to"));
        assert_eq!(growing.count(), GROWING.len());
        let images = ceilings.keys().filter(|name| images::is_key(name)).count();
        assert_eq!(images, 2);
        assert_eq!(
            ceilings.len(),
            OPERATIONS.len() + GROWING.len() + images + 3
        );
        for name in [IDLE, INTERLOCKED, LOCKS] {
            assert!(ceilings.contains_key(name), "{name}");
        }
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
