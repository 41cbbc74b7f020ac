//! Runs a list of steps one after another, each under a heading, and closes with a summary.
//!
//! Steps that build nothing that the others build may run beside them ([`Steps::step_beside`]).
//!
//! A failing step does not stop the ones after it: one run tells everything that is wrong. What
//! cannot be done on this machine is skipped with its reason, never in silence; on a CI machine a
//! skip that an installation would have avoided counts as a failure.

use crate::{
    beside::{self, Beside},
    say::say,
    summary::{Done, Verdict, summary},
};
use std::{
    fmt,
    io::{BufRead, BufReader},
    path::Path,
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
                say!("{remark}");
                Ok(())
            }
            Self::Skipped(why) | Self::Missing(why) => bail!(why),
        }
    }
}

/// What a step does.
type Work<'a> = Box<dyn FnOnce() -> Result<Outcome> + 'a>;

/// One step.
struct Planned<'a> {
    name: String,
    work: Work<'a>,
    /// It may run beside the others.
    beside: bool,
}

/// Steps that are going to be run.
pub struct Steps<'a> {
    planned: Vec<Planned<'a>>,
    /// Is a missing tool a failure?
    strict: bool,
}

impl<'a> Steps<'a> {
    pub fn new(strict: bool) -> Self {
        Self {
            planned: Vec::new(),
            strict,
        }
    }

    /// Plans one step.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome> + 'a) {
        self.plan(name, work, false);
    }

    /// Plans one that builds in folders of its own, so that it does not wait for the others: where
    /// there are two processors it runs beside them, in another process.
    pub fn step_beside(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome> + 'a) {
        self.plan(name, work, true);
    }

    fn plan(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome> + 'a, beside: bool) {
        self.planned.push(Planned {
            name: name.to_owned(),
            work: Box::new(work),
            beside,
        });
    }

    /// The names of all steps, a line each.
    pub fn list(&self) -> String {
        let lines: Vec<_> = self
            .planned
            .iter()
            .map(|step| format!("  {}", step.name))
            .collect();
        lines.join("\n")
    }

    /// Runs the steps whose names contain one of the words `only`, all when there is no word, and
    /// prints a summary. Its last line is what CI reads.
    ///
    /// With a `report` it is the process beside another: it runs those steps that may, and writes
    /// there how they ended.
    pub fn run(mut self, only: &[String], report: Option<&Path>) -> Result<()> {
        let start = Instant::now();
        let words: Vec<String> = only.iter().map(|word| word.to_lowercase()).collect();
        let named = |name: &str, word: &String| name.to_lowercase().contains(word.as_str());
        let unknown = words
            .iter()
            .find(|word| !self.planned.iter().any(|step| named(&step.name, word)));
        if let Some(word) = unknown {
            bail!(
                "no step has {word:?} in its name; the steps are\n{}",
                self.list()
            );
        }
        if !words.is_empty() {
            self.planned
                .retain(|step| words.iter().any(|word| named(&step.name, word)));
        }
        if let Some(report) = report {
            self.planned.retain(|step| step.beside);
            return beside::write(report, &run_all(self.planned, self.strict));
        }
        let order: Vec<String> = self.planned.iter().map(|step| step.name.clone()).collect();
        let (mut apart, mut here): (Vec<_>, Vec<_>) =
            self.planned.into_iter().partition(|step| step.beside);
        let other = if apart.is_empty() || here.is_empty() || !beside::worth_it() {
            here.append(&mut apart);
            None
        } else {
            Some(Beside::start(only)?)
        };
        let mut done = run_all(here, self.strict);
        if let Some(other) = other {
            done.extend(other.finish()?);
        }
        done.sort_by_key(|done| order.iter().position(|name| *name == done.name));
        say!(
            "\n==== summary ====\n{}",
            summary(&done, start.elapsed()).trim_end()
        );
        if done.iter().any(|done| done.verdict == Verdict::Failed) {
            std::process::exit(1);
        }
        if !done.iter().any(|done| done.verdict == Verdict::Passed) {
            bail!("no step was run");
        }
        Ok(())
    }
}

fn run_all(steps: Vec<Planned<'_>>, strict: bool) -> Vec<Done> {
    let run = |step: Planned<'_>| run_one(step.name, step.work, strict);
    steps.into_iter().map(run).collect()
}

fn run_one(name: String, work: Work<'_>, strict: bool) -> Done {
    say!("\n==== {name} ====");
    let (start, before) = (Instant::now(), processor_time());
    let (verdict, remark) = match work() {
        Ok(Outcome::Passed(remark)) => (Verdict::Passed, remark),
        Ok(Outcome::Skipped(why)) => (Verdict::Skipped, why),
        Ok(Outcome::Missing(what)) if strict => (Verdict::Failed, what),
        Ok(Outcome::Missing(what)) => (Verdict::Skipped, what),
        Err(error) => (Verdict::Failed, format!("{error:#}")),
    };
    if !remark.is_empty() {
        say!("{verdict}: {remark}");
    }
    Done {
        name,
        verdict,
        remark,
        time: start.elapsed(),
        processor: processor_time()
            .zip(before)
            .map(|(now, before)| now.saturating_sub(before)),
    }
}

/// The time on a processor of this program and of all that it has started and waited for.
/// (`/proc/self/stat`, fields 14 to 17, of Linux only; in hundredths of a second on every system that
/// has it.)
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in parentheses, which may have blanks in it.
    let (_, fields) = text.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(4);
    let ticks: Option<u64> = ticks.map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks? * 10))
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
            say!("{}", text.trim_end_matches('\r'));
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

/// The same for commands that run side by side: what one prints comes in one piece, at its end.
/// Gives the number of tests that passed.
pub fn run_tests_apart(command: &mut Command) -> Result<usize> {
    say(command);
    let start = Instant::now();
    let output = command
        .output()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let mut counts = Counts::default();
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().for_each(|line| counts.take(line));
    say!(
        "$ {}: {:.1} s\n{text}{}",
        line(command),
        start.elapsed().as_secs_f64(),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() {
        bail!("{} ended with {}; {counts}", line(command), output.status);
    }
    if counts.passed == 0 {
        bail!("{} ran no test", line(command));
    }
    Ok(counts.passed)
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
    say!("$ {}{}", variables.collect::<String>(), line(command));
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
    fn a_word_that_no_step_has_runs_nothing_and_lists_the_steps() {
        let ran = std::cell::Cell::new(false);
        let mut steps = Steps::new(false);
        steps.step("One of them", || {
            ran.set(true);
            Ok(Outcome::PASSED)
        });
        let error = steps
            .run(&["one".to_owned(), "nosuchstep".to_owned()], None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("nosuchstep") && error.contains("  One of them"),
            "{error}"
        );
        assert!(!ran.get());
    }

    #[test]
    fn words_choose_steps_whatever_their_case() {
        let ran = std::cell::Cell::new(0);
        let mut steps = Steps::new(false);
        for (name, bit) in [("Miri: this", 1), ("tests", 2)] {
            let ran = &ran;
            steps.step(name, move || {
                ran.set(ran.get() | bit);
                Ok(Outcome::PASSED)
            });
        }
        steps.run(&["miri".to_owned()], None).unwrap();
        assert_eq!(ran.get(), 1);
    }

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
