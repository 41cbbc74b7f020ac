//! Runs a list of steps one after another, each under a heading, and closes with a summary.
//!
//! A failing step does not stop the ones after it: one run tells everything that is wrong. What
//! cannot be done on this machine is skipped with its reason, never in silence; on a CI machine a
//! skip that an installation would have avoided counts as a failure.

use crate::say::say;
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
                say!("{remark}");
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
    /// What its programs had of the processors, where the system tells.
    processor: Option<Duration>,
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

/// What a step does.
type Work<'a> = Box<dyn FnOnce() -> Result<Outcome> + 'a>;

/// Steps that are going to be run.
pub struct Steps<'a> {
    planned: Vec<(String, Work<'a>)>,
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
        self.planned.push((name.to_owned(), Box::new(work)));
    }

    /// The names of all steps, a line each.
    pub fn list(&self) -> String {
        let lines: Vec<_> = self
            .planned
            .iter()
            .map(|(name, _)| format!("  {name}"))
            .collect();
        lines.join("\n")
    }

    /// Runs the steps whose names contain one of the words `only`, all when there is no word, and
    /// prints a summary. Its last line is what CI reads.
    pub fn run(self, only: &[String]) -> Result<()> {
        let only: Vec<String> = only.iter().map(|word| word.to_lowercase()).collect();
        let named = |name: &str, word: &String| name.to_lowercase().contains(word.as_str());
        let unknown = only
            .iter()
            .find(|word| !self.planned.iter().any(|(name, _)| named(name, word)));
        if let Some(word) = unknown {
            bail!(
                "no step has {word:?} in its name; the steps are\n{}",
                self.list()
            );
        }
        let mut done = Vec::new();
        for (name, work) in self.planned {
            if only.is_empty() || only.iter().any(|word| named(&name, word)) {
                done.push(run_one(name, work, self.strict));
            }
        }
        say!("\n==== summary ====\n{}", summary(&done).trim_end());
        if done.iter().any(|done| done.verdict == Verdict::Failed) {
            std::process::exit(1);
        }
        if !done.iter().any(|done| done.verdict == Verdict::Passed) {
            bail!("no step was run");
        }
        Ok(())
    }
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

/// How many of the slowest steps are named.
const SLOWEST: usize = 3;

/// The table of the steps, in their order, with each one's time, its share of the whole, and the
/// time of all processors together, which is about twice as much where two have enough to do.
fn summary(done: &[Done]) -> String {
    let mut text = String::new();
    let width = done
        .iter()
        .map(|done| done.name.len())
        .max()
        .unwrap_or_default();
    let all: Duration = done.iter().map(|done| done.time).sum();
    let share = |time: Duration| {
        // A run that took no time at all has no shares.
        100.0 * time.as_secs_f64() / all.as_secs_f64().max(f64::MIN_POSITIVE)
    };
    for done in done {
        // The whole remark stands under the step's heading.
        let first = done.remark.lines().next().unwrap_or_default();
        let mut remark: String = first.chars().take(LONGEST_REMARK).collect();
        if remark.len() < first.len() {
            remark += "...";
        }
        let processor = done.processor.map_or(String::new(), |time| {
            format!("{:6.1} s CPU", time.as_secs_f64())
        });
        let line = format!(
            "{:7}  {:width$} {:8.1} s {:3.0} % {processor:12}  {remark}",
            done.verdict,
            done.name,
            done.time.as_secs_f64(),
            share(done.time)
        );
        text += line.trim_end();
        text.push('\n');
    }
    let mut slowest: Vec<&Done> = done.iter().collect();
    slowest.sort_by_key(|done| std::cmp::Reverse(done.time));
    let slowest: Vec<_> = slowest
        .into_iter()
        .take(SLOWEST)
        .map(|done| format!("{} ({:.0} %)", done.name, share(done.time)))
        .collect();
    text += &format!(
        "in {:.1} s; slowest: {}\n",
        all.as_secs_f64(),
        slowest.join(", ")
    );
    let count = |verdict| done.iter().filter(|done| done.verdict == verdict).count();
    let [passed, failed, skipped] = [Verdict::Passed, Verdict::Failed, Verdict::Skipped].map(count);
    text += &format!("{passed} passed, {failed} failed, {skipped} skipped\n");
    text
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

    fn done(name: &str, verdict: Verdict, seconds: u64) -> Done {
        Done {
            name: name.to_owned(),
            verdict,
            remark: String::new(),
            time: Duration::from_secs(seconds),
            processor: (seconds > 1).then(|| Duration::from_secs(2 * seconds)),
        }
    }

    #[test]
    fn the_summary_has_shares_and_ends_with_the_counts() {
        let text = summary(&[
            done("quick", Verdict::Passed, 1),
            done("dear", Verdict::Passed, 70),
            done("broken", Verdict::Failed, 29),
        ]);
        assert_eq!(
            text,
            "passed   quick       1.0 s   1 %\n\
             passed   dear       70.0 s  70 %  140.0 s CPU\n\
             FAILED   broken     29.0 s  29 %   58.0 s CPU\n\
             in 100.0 s; slowest: dear (70 %), broken (29 %), quick (1 %)\n\
             2 passed, 1 failed, 0 skipped\n"
        );
    }

    #[test]
    fn a_word_that_no_step_has_runs_nothing_and_lists_the_steps() {
        let ran = std::cell::Cell::new(false);
        let mut steps = Steps::new(false);
        steps.step("One of them", || {
            ran.set(true);
            Ok(Outcome::PASSED)
        });
        let error = steps
            .run(&["one".to_owned(), "nosuchstep".to_owned()])
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
        steps.run(&["miri".to_owned()]).unwrap();
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
