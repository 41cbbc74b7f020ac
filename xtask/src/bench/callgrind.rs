//! Builds the pairs of drivers, runs them under callgrind, and reads what it has counted.

use std::{
    collections::HashMap,
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
}

impl Bench {
    pub fn build(profile: &str) -> Result<Self> {
        let packages = ["--package", "ndis-bench", "--package", "ndis-bench-stub"];
        steps::run(cargo(&["build", "--profile", profile]).args(packages))?;
        let folder = match profile {
            "dev" => "debug",
            other => other,
        };
        Ok(Self {
            folder: workspace::target().join(folder),
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
            .args(["--quiet", "--tool=callgrind"])
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
        let instructions = instructions(&workspace::read(&profile)?, DRIVERS);
        if instructions == 0 {
            bail!("{name}: nothing was counted in {}", profile.display());
        }
        let rounds = job.rounds as f64;
        Ok(Count {
            instructions: instructions as f64 / rounds,
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

/// The instructions in the object file named `object`, of a profile of callgrind's.
///
/// A line `ob=(3) name` says of which object the costs below it are, `ob=(3)` the same once the name is
/// known. A line of cost begins with its position. The one below a line `calls=` is that of the callee,
/// which is counted where it stands.
fn instructions(profile: &str, object: &str) -> u64 {
    let mut ours = HashMap::new();
    let mut inside = false;
    let mut of_callee = false;
    let mut sum = 0;
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
            if inside && !of_callee {
                let cost = line.split_whitespace().nth(1);
                sum += cost.and_then(|cost| cost.parse::<u64>().ok()).unwrap_or(0);
            }
            of_callee = false;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
# callgrind format
version: 1
positions: line
events: Ir
summary: 1234

ob=(1) /x/libstub.so
fl=(1) a.rs
fn=(1) window
10 5
cob=(2) /x/libdrivers.so
cfn=(2) round
calls=2 7
+1 300

ob=(2)
fn=(2)
7 100
fi=(2) inlined.rs
* 20
cob=(1)
cfn=(3) NdisSomething
calls=2 9
-2 70
+3 3

ob=(1)
fn=(3)
9 70
";

    #[test]
    fn what_an_object_executes_itself_is_summed() {
        assert_eq!(instructions(PROFILE, "libdrivers.so"), 123);
        assert_eq!(instructions(PROFILE, "libstub.so"), 75);
        assert_eq!(instructions(PROFILE, "drivers.so"), 0);
    }

    #[test]
    fn the_stubs_counts_are_read() {
        let read = counted_by_the_stub("locks 4 allocations 20 live -3\n");
        assert_eq!(read.get("allocations"), Some(&20.0));
        assert_eq!(read.get("live"), Some(&-3.0));
    }
}
