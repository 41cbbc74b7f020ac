//! How the steps of a run ended, and the table of it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// How much of a remark the summary repeats.
const LONGEST_REMARK: usize = 110;

/// What became of one step.
#[derive(Serialize, Deserialize)]
pub struct Done {
    pub name: String,
    pub verdict: Verdict,
    pub remark: String,
    pub time: Duration,
    /// What its programs had of the processors, where the system tells.
    pub processor: Option<Duration>,
}

/// How.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
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

/// How many of the slowest steps are named.
const SLOWEST: usize = 3;

/// The table of the steps, in their order, with each one's time, its share of all steps' times,
/// and the time of all processors together. Where steps ran beside others, `whole` is less than their sum.
pub fn summary(done: &[Done], whole: Duration) -> String {
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
        whole.as_secs_f64(),
        slowest.join(", ")
    );
    let count = |verdict| done.iter().filter(|done| done.verdict == verdict).count();
    let [passed, failed, skipped] = [Verdict::Passed, Verdict::Failed, Verdict::Skipped].map(count);
    text += &format!("{passed} passed, {failed} failed, {skipped} skipped\n");
    text
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
        let text = summary(
            &[
                done("quick", Verdict::Passed, 1),
                done("dear", Verdict::Passed, 70),
                done("broken", Verdict::Failed, 29),
            ],
            Duration::from_secs(80),
        );
        assert_eq!(
            text,
            "passed   quick       1.0 s   1 %\n\
             passed   dear       70.0 s  70 %  140.0 s CPU\n\
             FAILED   broken     29.0 s  29 %   58.0 s CPU\n\
             in 80.0 s; slowest: dear (70 %), broken (29 %), quick (1 %)\n\
             2 passed, 1 failed, 0 skipped\n"
        );
    }
}
