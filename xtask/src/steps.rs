//! Runs a list of steps one after another, each under a heading, and closes with a summary.
//!
//! A failing step does not stop the ones after it: one run tells everything that is wrong. What
//! cannot be done on this machine is skipped with its reason, never in silence; on a CI machine a
//! skip that an installation would have avoided counts as a failure.

use std::{
    fmt,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How a step ended.
pub enum Outcome {
    /// All is well; a few words about what was done, or nothing.
    Passed(String),
    /// It cannot be done here, whatever is installed.
    Skipped(String),
    /// It needs something that can be installed.
    Missing(String),
}

impl Outcome {
    /// Passed, with nothing to add.
    pub const PASSED: Self = Self::Passed(String::new());

    /// The same as the outcome of a command: what was done is printed, and what was not is an error.
    pub fn said(self) -> Result<()> {
        match self {
            Self::Passed(remark) => {
                println!("{remark}");
                Ok(())
            }
            Self::Skipped(why) | Self::Missing(why) => bail!(why),
        }
    }
}

/// How much of a remark the summary repeats.
const LONGEST_REMARK: usize = 110;

/// What became of one step.
struct Done {
    name: String,
    verdict: Verdict,
    remark: String,
    time: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

/// The steps so far.
pub struct Steps {
    done: Vec<Done>,
    /// Only steps whose names contain one of these are run; all when there are none.
    only: Vec<String>,
    /// Is a missing tool a failure?
    strict: bool,
}

impl Steps {
    pub fn new(only: &[String], strict: bool) -> Self {
        Self {
            done: Vec::new(),
            only: only.to_vec(),
            strict,
        }
    }

    /// Runs one step, unless the caller's selection leaves it out.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome>) {
        if !self.only.is_empty() && !self.only.iter().any(|part| name.contains(part.as_str())) {
            return;
        }
        println!("\n==== {name} ====");
        let start = Instant::now();
        let (verdict, remark) = match work() {
            Ok(Outcome::Passed(remark)) => (Verdict::Passed, remark),
            Ok(Outcome::Skipped(why)) => (Verdict::Skipped, why),
            Ok(Outcome::Missing(what)) if self.strict => (Verdict::Failed, what),
            Ok(Outcome::Missing(what)) => (Verdict::Skipped, what),
            Err(error) => (Verdict::Failed, format!("{error:#}")),
        };
        if !remark.is_empty() {
            println!("{verdict}: {remark}");
        }
        self.done.push(Done {
            name: name.to_owned(),
            verdict,
            remark,
            time: start.elapsed(),
        });
    }

    /// Prints the summary. Its last line is what CI reads.
    pub fn finish(self) -> Result<()> {
        println!("\n==== summary ====");
        let width = self
            .done
            .iter()
            .map(|done| done.name.len())
            .max()
            .unwrap_or_default();
        for done in &self.done {
            // The whole remark stands under the step's heading.
            let first = done.remark.lines().next().unwrap_or_default();
            let mut remark: String = first.chars().take(LONGEST_REMARK).collect();
            if remark.len() < first.len() {
                remark += "...";
            }
            let seconds = done.time.as_secs_f64();
            println!(
                "{}",
                format!(
                    "{:7}  {:width$} {seconds:8.1} s  {remark}",
                    done.verdict, done.name
                )
                .trim_end()
            );
        }
        let count = |verdict| {
            self.done
                .iter()
                .filter(|done| done.verdict == verdict)
                .count()
        };
        let [passed, failed, skipped] =
            [Verdict::Passed, Verdict::Failed, Verdict::Skipped].map(count);
        let time: Duration = self.done.iter().map(|done| done.time).sum();
        println!("in {:.1} s", time.as_secs_f64());
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 {
            std::process::exit(1);
        }
        if passed == 0 {
            bail!("no step was run");
        }
        Ok(())
    }
}

/// Runs a command with its output on the terminal; fails when it does.
pub fn run(command: &mut Command) -> Result<Outcome> {
    say(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(Outcome::PASSED)
}

/// Runs a `cargo test`, passes its output on, and counts: a run of no test at all is a failure.
pub fn run_tests(command: &mut Command) -> Result<Outcome> {
    say(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let mut counts = Counts::default();
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).split(b'\n') {
            let text = text?;
            let text = String::from_utf8_lossy(&text);
            println!("{}", text.trim_end_matches('\r'));
            counts.take(&text);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}; {counts}", line(command));
    }
    if counts.passed == 0 {
        bail!("{} ran no test", line(command));
    }
    Ok(Outcome::Passed(counts.to_string()))
}

/// The sums of the test harnesses' own last lines.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Takes in a line like `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn take(&mut self, text: &str) {
        let Some((_, result)) = text.trim_start().split_once("test result: ") else {
            return;
        };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<usize>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tests", self.passed + self.failed)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        Ok(())
    }
}

/// What a command prints, or `None` when it cannot be started or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn say(command: &Command) {
    let variables = command.get_envs().filter_map(|(name, value)| {
        Some(format!(
            "{}={:?} ",
            name.to_string_lossy(),
            value?.to_string_lossy()
        ))
    });
    println!("$ {}{}", variables.collect::<String>(), line(command));
}

/// A command as one would type it.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_harnesses_are_added() {
        let mut counts = Counts::default();
        counts.take("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        counts
            .take("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out");
        counts.take("test some_name ... ok");
        assert_eq!(counts.to_string(), "6 tests, 1 failed, 1 ignored");
    }
}
