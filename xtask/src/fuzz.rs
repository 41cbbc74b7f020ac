//! `cargo xtask fuzz`: hostile call parameters, SAPs and chains of buffers, from `fuzz/`.
//!
//! With AddressSanitizer, so on a nightly toolchain. Without `--seconds` it is the smoke run of the
//! tests: each target replays its corpus and some hundred inputs that a seed makes from it, the
//! same ones each time. With `--seconds` libFuzzer searches.
//!
//! Nothing has to be installed: building `cargo-fuzz` takes 85 seconds of a processor, and libFuzzer
//! itself 80 (it is C++), so the smoke run does without both; it is built in 30. The programs are
//! laid out as `cargo fuzz` wants them, for those who have it.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    say::say,
    steps::{self, Outcome},
    toolchain::{self, cargo, nightly_cargo},
    workspace,
};

/// How many inputs the smoke run makes for each target.
const SMOKE: u32 = 500;

/// As long as an input of a search gets. (Longer parts are made from few bytes.)
const LONGEST: u32 = 512;

/// Where AddressSanitizer comes with the toolchain, of the systems that drivers are developed on.
const SANITIZED: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

/// The sanitizer, alone.
const SANITIZER: &str = "-Zsanitizer=address";

/// What `cargo fuzz` gives the compiler, so that libFuzzer sees which ways an input takes.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Ccodegen-units=1";

/// What to run.
#[derive(clap::Args)]
pub struct FuzzArgs {
    /// The targets; all, when there is none.
    target: Vec<String>,
    /// Search for so long with libFuzzer, each target in turn; without it, the smoke run.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// After the search, replace the corpora in the tree by the fewest inputs that reach as much.
    #[arg(long, requires = "seconds")]
    keep: bool,
}

/// Runs the command.
pub fn run(args: &FuzzArgs) -> Result<()> {
    let all = targets()?;
    if let Some(unknown) = args.target.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    let chosen = if args.target.is_empty() {
        &all
    } else {
        &args.target
    };
    let fuzzer = match Fuzzer::find()? {
        Ok(fuzzer) => fuzzer,
        Err(missing) => return missing.said(),
    };
    match args.seconds {
        None => fuzzer.replay(chosen)?.said(),
        Some(seconds) => fuzzer.search(chosen, Duration::from_secs(seconds), args.keep),
    }
}

/// The step of `cargo xtask test`: the sources of the targets, and the smoke run.
pub fn smoke() -> Result<Outcome> {
    steps::run(own(&mut cargo(&["fmt"])).args(["--", "--check", "-l"]))?;
    // As libFuzzer's programs too, which the smoke run does not build; `libfuzzer` alone is that
    // without the C++.
    let lints = [
        "clippy",
        "--all-targets",
        "--no-default-features",
        "--locked",
    ];
    for features in [&[][..], &["--features", "libfuzzer"]] {
        let mut clippy = cargo(&lints);
        own(&mut clippy).args(features);
        steps::run(clippy.args(["--", "-D", "warnings"]))?;
    }
    match Fuzzer::find()? {
        Ok(fuzzer) => fuzzer.replay(&targets()?),
        Err(missing) => Ok(missing),
    }
}

/// The workspace of the targets.
fn folder() -> PathBuf {
    workspace::root().join("fuzz")
}

/// A command of cargo's about that workspace, which builds where the main one does.
fn own(command: &mut Command) -> &mut Command {
    command
        .arg("--manifest-path")
        .arg(folder().join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", workspace::target())
}

/// The names of the targets: each is one file.
fn targets() -> Result<Vec<String>> {
    let files = workspace::rust_files(&folder().join("fuzz_targets"))?;
    let names = files.iter().filter_map(|file| file.file_stem()?.to_str());
    Ok(names.map(str::to_owned).collect())
}

/// A toolchain that can fuzz.
struct Fuzzer {
    /// The system that it builds for: this one.
    host: String,
}

impl Fuzzer {
    /// Looks for one; says what is missing otherwise.
    fn find() -> Result<Result<Self, Outcome>> {
        let nightly = toolchain::nightly();
        let version = steps::output(Command::new("rustup").args(["run", &nightly, "rustc", "-vV"]));
        let Some(version) = version else {
            return Ok(Err(Outcome::Missing(format!(
                "no {nightly} toolchain, which has AddressSanitizer: rustup toolchain install \
                 {nightly} --profile minimal"
            ))));
        };
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("rustc does not say which system this is")?;
        if !SANITIZED.contains(&host) {
            return Ok(Err(Outcome::Skipped(format!(
                "AddressSanitizer is not used on {host}"
            ))));
        }
        Ok(Ok(Self {
            host: host.to_owned(),
        }))
    }

    /// Builds the programs and gives the folder that they are in.
    fn build(&self, words: &[&str], flags: &str, folder: &str) -> Result<PathBuf> {
        let mut build = nightly_cargo(&["build", "--bins", "--target", &self.host]);
        own(&mut build).args(words).env("RUSTFLAGS", flags);
        steps::run(&mut build)?;
        Ok(workspace::target().join(&self.host).join(folder))
    }

    /// The smoke run.
    fn replay(&self, targets: &[String]) -> Result<Outcome> {
        let programs = self.build(&["--no-default-features"], SANITIZER, "debug")?;
        let inputs = workspace::target().join("fuzz");
        make(&inputs)?;
        for target in targets {
            let input = inputs.join(format!("{target}.input"));
            let mut program = Command::new(programs.join(target));
            program
                .arg(format!("-runs={SMOKE}"))
                .arg(format!("-input={}", input.display()))
                .arg(corpus(target));
            steps::run(&mut program).with_context(|| {
                format!(
                    "{target} fails; the input is {}, to be given to the program in the place of \
                     the corpus",
                    input.display()
                )
            })?;
        }
        Ok(Outcome::Passed(format!(
            "{} targets, their corpora and {SMOKE} inputs more each",
            targets.len()
        )))
    }

    /// Searches for `time` in each of the targets.
    fn search(&self, targets: &[String], time: Duration, keep: bool) -> Result<()> {
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
        if steps::output(Command::new(&compiler).arg("--version")).is_none() {
            bail!("no C++ compiler to build libFuzzer with: {compiler} does not run");
        }
        let flags = format!("{SANITIZER} {COVERAGE} --cfg fuzzing");
        let programs = self.build(&["--release"], &flags, "release")?;
        let mut failed = Vec::new();
        for target in targets {
            let search = Search {
                program: programs.join(target),
                target,
                found: workspace::target().join("fuzz").join(target),
                artifacts: folder().join("artifacts").join(target),
            };
            if !search.run(time)? {
                failed.push(target.as_str());
            } else if keep {
                search.keep()?;
            }
        }
        if !failed.is_empty() {
            bail!("inputs that fail were found for {}", failed.join(", "));
        }
        Ok(())
    }
}

/// The corpus of a target that is in the tree.
fn corpus(target: &str) -> PathBuf {
    folder().join("corpus").join(target)
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// One target's search.
struct Search<'a> {
    program: PathBuf,
    target: &'a str,
    /// What a search found stays here, for the next one.
    found: PathBuf,
    /// Inputs that fail.
    artifacts: PathBuf,
}

impl Search<'_> {
    /// Searches; false when something was found. The last lines of libFuzzer are shown then.
    fn run(&self, time: Duration) -> Result<bool> {
        make(&self.found)?;
        make(&self.artifacts)?;
        let mut command = Command::new(&self.program);
        command
            .arg(format!("-max_total_time={}", time.as_secs()))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-artifact_prefix={}/", self.artifacts.display()))
            .arg(&self.found)
            .arg(corpus(self.target))
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let lines = child.stderr.take().context("libFuzzer has no output")?;
        let bar = ProgressBar::new(time.as_secs());
        bar.set_style(ProgressStyle::with_template(&format!(
            "{} {{wide_bar}} {{pos}}/{{len}} s  {{msg}}",
            self.target
        ))?);
        let start = Instant::now();
        let mut last = VecDeque::new();
        let mut sign = String::new();
        for line in BufReader::new(lines).lines() {
            let line = line?;
            if let Some(new) = figures(&line) {
                bar.set_message(new.clone());
                sign = new;
            }
            bar.set_position(start.elapsed().as_secs());
            last.push_back(line);
            if last.len() > 100 {
                last.pop_front();
            }
        }
        let status = child.wait()?;
        bar.finish_and_clear();
        let seconds = start.elapsed().as_secs();
        say!("{}: {seconds} s, {sign}, {status}", self.target);
        if !status.success() {
            for line in last {
                say!("  {line}");
            }
        }
        Ok(status.success())
    }

    /// Puts the fewest inputs that reach all that was reached into the tree.
    fn keep(&self) -> Result<()> {
        let fewest = self.found.with_extension("fewest");
        if fewest.exists() {
            fs::remove_dir_all(&fewest)?;
        }
        make(&fewest)?;
        let corpus = corpus(self.target);
        make(&corpus)?;
        let mut merge = Command::new(&self.program);
        merge
            // How often an input takes a way does not matter here.
            .args(["-set_cover_merge=1", "-use_counters=0"])
            .arg(&fewest)
            .args([&self.found, &corpus])
            .stderr(Stdio::null());
        steps::run(&mut merge)?;
        fs::remove_dir_all(&corpus)?;
        make(&corpus)?;
        for entry in fs::read_dir(&fewest)? {
            let entry = entry?;
            workspace::copy(&entry.path(), &corpus.join(entry.file_name()))?;
        }
        Ok(())
    }
}

/// What a line of libFuzzer says of how far it is, if it does: `#4096 pulse cov: 381 ft: 1204 ...
/// exec/s: 2048`.
fn figures(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let value = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1).copied()
    };
    Some(format!(
        "{} inputs, {} edges, {} a second",
        words.first()?.strip_prefix('#')?,
        value("cov:")?,
        value("exec/s:")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_libfuzzer_is_read() {
        let line = "#4096\tpulse  cov: 381 ft: 1204 corp: 99/2153b lim: 43 exec/s: 2048 rss: 77Mb";
        let read = figures(line);
        assert_eq!(
            read.as_deref(),
            Some("4096 inputs, 381 edges, 2048 a second")
        );
        assert_eq!(figures("###### Recommended dictionary. ######"), None);
    }

    #[test]
    fn each_target_is_a_program_and_has_a_corpus() {
        let manifest = workspace::read(&folder().join("Cargo.toml")).unwrap();
        let targets = targets().unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")));
            assert!(fs::read_dir(corpus(&target)).unwrap().next().is_some());
        }
    }
}
