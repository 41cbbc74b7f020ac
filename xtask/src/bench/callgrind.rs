//! Builds the pairs of drivers, runs them under callgrind, and reads what it has counted.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::interlocked;
use crate::{
    steps::{self, Outcome},
    toolchain::cargo,
    workspace,
};

/// The program that loads both objects, and the object whose instructions are counted.
const PROGRAM: &str = "ndis-bench";
const STUB: &str = "libndis_bench_stub.so";
const DRIVERS: &str = "libndis_bench_drivers.so";
/// Counted is within this function of the stub's.
const WINDOW: &str = "stub_window";

/// Why nothing can be counted here, if so.
pub fn missing() -> Option<Outcome> {
    if !cfg!(target_os = "linux") {
        return Some(Outcome::Skipped(
            "the pairs are shared objects of Linux's".to_owned(),
        ));
    }
    let version = steps::output(Command::new("valgrind").arg("--version"));
    let what = "no valgrind to count instructions with: apt-get install valgrind";
    version.is_none().then(|| Outcome::Missing(what.to_owned()))
}

/// Where the counts are left.
pub fn folder() -> PathBuf {
    workspace::target().join("bench")
}

/// What to count.
pub struct Job {
    pub pair: &'static str,
    pub operation: &'static str,
    pub argument: usize,
    pub rounds: usize,
    /// The round leaves other memory than it has found.
    pub stays: bool,
}

/// What one round costs.
#[derive(Clone, Copy, Serialize)]
pub struct Count {
    pub instructions: f64,
    /// Those of them that are interlocked.
    pub interlocked: f64,
    /// Spin locks taken.
    pub locks: f64,
    /// From the pool, and of lists and MDLs.
    pub allocations: f64,
    /// Bytes of the pool that it leaves.
    pub left: f64,
}

/// The built pairs.
pub struct Bench {
    folder: PathBuf,
    /// Where the drivers' object has interlocked instructions.
    interlocked: HashSet<u64>,
}

impl Bench {
    pub fn build(profile: &str) -> Result<Self> {
        let packages = ["--package", "ndis-bench", "--package", "ndis-bench-stub"];
        steps::run(cargo(&["build", "--profile", profile]).args(packages))?;
        let folder = match profile {
            "dev" => "debug",
            other => other,
        };
        let folder = workspace::target().join(folder);
        let interlocked = interlocked::places(&folder.join(DRIVERS))?;
        Ok(Self {
            folder,
            interlocked,
        })
    }

    /// Counts all jobs, on every processor, in the order in which they are given.
    pub fn count(&self, jobs: &[Job]) -> Result<Vec<Count>> {
        fs::create_dir_all(folder())?;
        let next = AtomicUsize::new(0);
        let counts = Mutex::new(Vec::new());
        let processors = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..processors {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Relaxed);
                        let Some(job) = jobs.get(at) else {
                            return;
                        };
                        let count = self.one(job);
                        if let Ok(mut counts) = counts.lock() {
                            counts.push((at, count));
                        }
                    }
                });
            }
        });
        let mut counts = counts.into_inner().unwrap_or_default();
        counts.sort_by_key(|(at, _)| *at);
        counts.into_iter().map(|(_, count)| count).collect()
    }

    fn one(&self, job: &Job) -> Result<Count> {
        let name = format!("{}-{}-{}", job.pair, job.operation, job.argument);
        let profile = folder().join(format!("{name}.callgrind"));
        let mut command = Command::new("valgrind");
        command
            .args(["--quiet", "--tool=callgrind", "--dump-instr=yes"])
            .arg(format!("--toggle-collect={WINDOW}"))
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(self.folder.join(PROGRAM))
            .args([self.folder.join(STUB), self.folder.join(DRIVERS)])
            .args([job.pair, job.operation])
            .args([job.argument.to_string(), job.rounds.to_string()]);
        let output = command.output().context("cannot start valgrind")?;
        if !output.status.success() {
            bail!(
                "{} ended with {}:\n{}",
                steps::line(&command),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let stub = counted_by_the_stub(&text);
        let of = |what: &str| {
            let value = stub.get(what).copied();
            value.with_context(|| format!("{name}: the program does not say {what:?}: {text}"))
        };
        // What a round makes is gone when it is over: otherwise it does not do what it should.
        if !job.stays && of("live")? != 0.0 {
            bail!("{name}: the rounds leave {} bytes behind", of("live")?);
        }
        let profile_text = workspace::read(&profile)?;
        let (instructions, interlocked) = executed(&profile_text, DRIVERS, &self.interlocked);
        if instructions == 0 {
            bail!("{name}: nothing was counted in {}", profile.display());
        }
        let rounds = job.rounds as f64;
        Ok(Count {
            instructions: instructions as f64 / rounds,
            interlocked: interlocked as f64 / rounds,
            locks: of("locks")? / rounds,
            allocations: of("allocations")? / rounds,
            left: of("live")? / rounds,
        })
    }
}

/// `locks 4 allocations 2`.
fn counted_by_the_stub(text: &str) -> HashMap<&str, f64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.chunks_exact(2).filter_map(|pair| match pair {
        [what, value] => Some((*what, value.parse().ok()?)),
        _ => None,
    });
    pairs.collect()
}

/// The instructions in the object file named `object`, of a profile of callgrind's, and how many of them
/// are at one of `places`.
///
/// A line `ob=(3) name` says of which object the costs below it are, `ob=(3)` the same once the name is
/// known. A line of cost begins with its address, which may be relative to the line before, and its line
/// number. The one below a line `calls=` is that of the callee, which is counted where it stands.
fn executed(profile: &str, object: &str, places: &HashSet<u64>) -> (u64, u64) {
    let mut ours = HashMap::new();
    let mut inside = false;
    let mut of_callee = false;
    let mut address = 0;
    let (mut sum, mut marked) = (0, 0);
    for line in profile.lines() {
        let named = line.strip_prefix("ob=").map(|name| (name, true));
        let named = named.or_else(|| Some((line.strip_prefix("cob=")?, false)));
        if let Some((name, here)) = named {
            let (id, name) = name.split_once(' ').unwrap_or((name, ""));
            if !name.is_empty() {
                ours.insert(id, Path::new(name).ends_with(object));
            }
            if here {
                inside = ours.get(id).copied().unwrap_or(false);
            }
        } else if line.starts_with("calls=") {
            of_callee = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let mut words = line.split_whitespace();
            address = moved(address, words.next().unwrap_or_default());
            if inside && !of_callee {
                let cost = words.nth(1);
                let cost = cost.and_then(|cost| cost.parse::<u64>().ok()).unwrap_or(0);
                sum += cost;
                if places.contains(&address) {
                    marked += cost;
                }
            }
            of_callee = false;
        }
    }
    (sum, marked)
}

/// The address of a line, after that of the line before.
fn moved(before: u64, position: &str) -> u64 {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(text) => u64::from_str_radix(text, 16).unwrap_or(0),
        None => text.parse().unwrap_or(0),
    };
    match (position.strip_prefix('+'), position.strip_prefix('-')) {
        (Some(up), _) => before.wrapping_add(number(up)),
        (_, Some(down)) => before.wrapping_sub(number(down)),
        _ if position == "*" => before,
        _ => number(position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
# callgrind format
version: 1
positions: instr line
events: Ir
summary: 1234

ob=(1) /x/libstub.so
fl=(1) a.rs
fn=(1) window
0x10 10 5
cob=(2) /x/libdrivers.so
cfn=(2) round
calls=2 7
+1 * 300

ob=(2)
fn=(2)
0x7 70 100
fi=(2) inlined.rs
+5 * 20
cob=(1)
cfn=(3) NdisSomething
calls=2 9
-2 +8 70
+3 1 3

ob=(1)
fn=(3)
0x9 1 70
";

    #[test]
    fn what_an_object_executes_itself_is_summed() {
        // One of the drivers' instructions is at 12, and one, after a call from 10, at 13.
        let places = [12, 13, 99].into();
        assert_eq!(executed(PROFILE, "libdrivers.so", &places), (123, 23));
        assert_eq!(executed(PROFILE, "libstub.so", &places), (75, 0));
        assert_eq!(executed(PROFILE, "drivers.so", &places), (0, 0));
    }

    #[test]
    fn the_stubs_counts_are_read() {
        let read = counted_by_the_stub("locks 4 allocations 20 live -3\n");
        assert_eq!(read.get("allocations"), Some(&20.0));
        assert_eq!(read.get("live"), Some(&-3.0));
    }
}
