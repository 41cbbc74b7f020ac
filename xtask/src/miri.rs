//! `cargo xtask miri`: tests under Miri.
//!
//! Driver, safe layer and host are Rust in one process, so Miri sees whole scenarios: the raw
//! crate's `extern` declarations resolve to the functions that the host defines.
//!
//! It interprets, some thousand times slower than the machine. So `cargo xtask test` runs
//! [`REPRESENTATIVES`], and `cargo xtask miri --all` every test of the packages that they are from.

use std::{
    collections::VecDeque,
    num::NonZero,
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{
    steps::{self, Outcome},
    toolchain,
};

/// The scenarios that stand for all of them.
///
/// The rule: together they execute 94 of 100 regions of ndis-co and ndis-mcm that any scenario test of
/// the two examples executes. They were found with the compiler's coverage
/// (`-C instrument-coverage`, with `--cfg miri`, so that the tests are as short as they are here): the
/// test that executes most new regions for its cost, in instructions, then the one that adds most for its
/// cost, and so on. When they were chosen, they left out 614 of 10,842 regions, most of them what happens when
/// both sides hang up at once, which takes as long as five others. A test that brings new paths of its own
/// belongs on the list, unless it is long.
const REPRESENTATIVES: [Tests; 8] = [
    // Whatever safe drivers may do, at random. The longest comes first, so that both processors have
    // enough to do until the end.
    Tests {
        package: "ndis-chaos",
        target: "seeds",
        names: &["one_run"],
    },
    Tests {
        package: "loopback-mcm",
        target: "all",
        names: &["scenarios::the_adapter_answers"],
    },
    Tests {
        package: "echo-client",
        target: "configured",
        names: &["a_call_that_waits_ends_with_the_adapter"],
    },
    // A context that is told apart by a bit of its address.
    Tests {
        package: "ndis-co",
        target: "all",
        names: &["signaling::a_small_life"],
    },
    // A WAN miniport: a call, and a frame that is handed on.
    Tests {
        package: "ndis-mcm",
        target: "all",
        names: &["wan::handed_on::a_short_call"],
    },
    // Views over requests and structures of whom asks, and what is written into them, in one run. (The other
    // readers of `tapi`, and all of `wan`, are code without `unsafe` on slices: nothing in them is Miri's to find.)
    Tests {
        package: "ndis-co",
        target: LIBRARY,
        names: &[
            "oid::",
            "tapi::tests::calls::",
            "tapi::tests::the_c_structures_read_the_same",
        ],
    },
    // What only Miri sees for sure: memory that is lent and freed meanwhile. (Of the tests of that, the one
    // whose regions include all but two of the others'.)
    Tests {
        package: "ndis-mcm",
        target: "soundness",
        names: &["lent::parameters_of_an_offer_outlive_the_close_of_the_accepted_call"],
    },
    // And what is given back while a token that leads to it is an argument.
    Tests {
        package: "ndis-mcm",
        target: "all",
        names: &["device_at_once::answered_before_the_dispatch_routine_returns"],
    },
];

/// In the place of a test program's name: the tests in the library itself. Their names are parts of names, and one
/// run does all of them.
const LIBRARY: &str = "lib";

/// Tests of one test program.
struct Tests {
    package: &'static str,
    target: &'static str,
    names: &'static [&'static str],
}

/// The packages whose every test is run with `--all`: each that has a representative is one, and an
/// example whose data path is theirs. (Not `signal-cm`: one call there takes minutes.)
const PACKAGES: [&str; 6] = [
    "loopback-mcm",
    "echo-client",
    "link-co",
    "ndis-co",
    "ndis-mcm",
    "ndis-chaos",
];

/// A pointer must come from where it says it comes from; the host's threads and clock are its
/// own, but the test harness asks for the real ones.
const FLAGS: &str = concat!(
    "-Zmiri-strict-provenance -Zmiri-disable-isolation ",
    // Ten times as rare as by default: a run is short, and ends a fifth sooner.
    "-Zmiri-provenance-gc=100000",
);

/// For a scenario that stands for others. The host lets one of its threads run at a time, and each takes over through
/// a lock: whatever drivers do, their accesses to memory have an order, and there is no race to be seen. To look for one
/// takes an eighth of the time. (`--all` does.)
const ONE_AT_A_TIME: &str = " -Zmiri-disable-data-race-detector";

/// What to run.
#[derive(clap::Args)]
pub struct MiriArgs {
    /// Every test of each package that has a test on the default list, not only those on it.
    #[arg(long)]
    all: bool,
    /// Every test of this package instead.
    #[arg(long, short, conflicts_with = "all")]
    package: Vec<String>,
    /// Passed on to the test harness.
    #[arg(last = true)]
    harness: Vec<String>,
}

/// Runs the command.
pub fn run(args: &MiriArgs) -> Result<()> {
    let own: Vec<&str> = args.package.iter().map(String::as_str).collect();
    let packages = if args.all { &PACKAGES[..] } else { &own };
    let jobs = if !packages.is_empty() {
        packages.iter().map(|package| Job::all(package)).collect()
    } else if args.harness.is_empty() {
        representatives()
    } else {
        bail!("options for the test harness need --all or --package");
    };
    check(jobs, &args.harness)?.said()
}

/// The step of `cargo xtask test`.
pub fn prove() -> Result<Outcome> {
    check(representatives(), &[])
}

/// One run of Miri.
struct Job {
    package: String,
    /// A test program and tests in it; without it, all tests of the package.
    some: Option<(&'static str, &'static [&'static str])>,
}

impl Job {
    fn all(package: &str) -> Self {
        Self {
            package: package.to_owned(),
            some: None,
        }
    }

    fn command(&self, harness: &[String]) -> Command {
        let mut cargo = toolchain::nightly_cargo(&["miri", "test", "--no-fail-fast"]);
        cargo.args(["--package", &self.package]);
        match self.some {
            Some((LIBRARY, names)) => cargo.args(["--lib", "--"]).args(names),
            Some((target, names)) => cargo.args(["--test", target, "--", "--exact"]).args(names),
            None => cargo.args(["--tests", "--"]),
        };
        let is_scenario = self.some.is_some_and(|(target, _)| target != LIBRARY);
        let more = if is_scenario { ONE_AT_A_TIME } else { "" };
        cargo.args(harness).env("MIRIFLAGS", flags() + more);
        cargo
    }
}

/// A run for each test, so that the lanes end together; one for those of a library, which are short.
fn representatives() -> Vec<Job> {
    let mut jobs = Vec::new();
    for tests in &REPRESENTATIVES {
        let runs = match tests.target {
            LIBRARY => tests.names.len(),
            _ => 1,
        };
        jobs.extend(tests.names.chunks(runs).map(|names| Job {
            package: tests.package.to_owned(),
            some: Some((tests.target, names)),
        }));
    }
    jobs
}

/// Runs the jobs, as many side by side as there are processors: Miri interprets on one. (Cargo lets
/// one of them build at a time.)
fn check(jobs: Vec<Job>, harness: &[String]) -> Result<Outcome> {
    if let Some(missing) = toolchain::need_miri()? {
        return Ok(missing);
    }
    let lanes = thread::available_parallelism().map_or(1, NonZero::get);
    let waiting = Mutex::new(VecDeque::from(jobs));
    let next = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    };
    let lane = || {
        let mut outcomes = Vec::new();
        while let Some(job) = next() {
            let outcome = steps::run_tests_apart(&mut job.command(harness));
            outcomes.push((job, outcome));
        }
        outcomes
    };
    let mut outcomes = Vec::new();
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        for lane in lanes {
            outcomes.push(
                lane.join()
                    .map_err(|_| anyhow!("a run under Miri panicked")),
            );
        }
    });
    let mut passed = 0;
    let mut failed = Vec::new();
    for lane in outcomes {
        for (job, outcome) in lane? {
            match outcome.context(job.package) {
                Ok(count) => passed += count,
                Err(error) => failed.push(format!("{error:#}")),
            }
        }
    }
    if !failed.is_empty() {
        bail!(failed.join("; "));
    }
    Ok(Outcome::Passed(format!("{passed} tests")))
}

/// The flags, with the caller's own after them.
fn flags() -> String {
    match std::env::var("MIRIFLAGS") {
        Ok(own) if !own.is_empty() => format!("{FLAGS} {own}"),
        _ => FLAGS.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    /// Where the tests of a package are, from the root.
    fn folder(package: &str) -> String {
        let folder = match package {
            "loopback-mcm" | "echo-client" | "wan-mcm" => "examples",
            "ndis-chaos" => return "ndis-host/chaos/tests".to_owned(),
            _ => ".",
        };
        format!("{folder}/{package}/tests")
    }

    #[test]
    fn all_leaves_out_no_package_of_the_default_list() {
        for tests in &REPRESENTATIVES {
            let package = tests.package;
            assert!(PACKAGES.contains(&package), "--all leaves out {package}");
        }
    }

    /// A name that no test has any more would be noticed only by whoever has Miri.
    #[test]
    fn every_representative_is_a_test() {
        for tests in &REPRESENTATIVES {
            if tests.target == LIBRARY {
                for name in tests.names {
                    let modules: Vec<_> = name.split("::").filter(|it| !it.is_empty()).collect();
                    let (&last, above) = modules.split_last().unwrap();
                    let folder = folder(tests.package).replace("/tests", "/src");
                    let folder = workspace::root().join(folder);
                    // A module that has tests, one of them, or one test.
                    let (file, wanted) = match above {
                        [] => (folder.join(last), "mod tests;".to_owned()),
                        _ if name.ends_with("::") => {
                            (folder.join(above.join("/")), format!("mod {last};"))
                        }
                        _ => (
                            folder.join(above.join("/")),
                            format!("#[test]\nfn {last}()"),
                        ),
                    };
                    let text = workspace::read(&file.join("mod.rs")).unwrap();
                    assert!(text.contains(&wanted), "{wanted} of {name}");
                }
                continue;
            }
            for path in tests.names {
                let mut modules: Vec<_> = path.split("::").collect();
                let name = modules.pop().unwrap();
                // A program is a file, or a folder with its modules, or all files of the tests.
                if tests.target != "all" {
                    modules.insert(0, tests.target);
                }
                let folder = folder(tests.package);
                let path = workspace::root().join(folder).join(modules.join("/"));
                let path = match path.is_dir() {
                    true => path.join("main.rs"),
                    false => path.with_extension("rs"),
                };
                let text = workspace::read(&path).unwrap();
                assert!(
                    text.contains(&format!("#[test]\nfn {name}()")),
                    "{name} in {}",
                    path.display()
                );
            }
        }
    }
}
