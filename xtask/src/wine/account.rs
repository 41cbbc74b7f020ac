//! What the host's image has to say of a run, and what the drivers printed in it.

use crate::say::say;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// The file that the image writes.
#[derive(Deserialize)]
pub struct Account {
    pub failure: Option<String>,
    pub report: Option<Report>,
    pub printed: Vec<Printed>,
    pub events: Vec<String>,
    /// Imports from the kernel that the host answered: image, function.
    pub routed: Vec<(String, String)>,
    /// Functions that the kernel keeps although the host has them.
    pub kept: Vec<String>,
}

/// The part of the host's report that is looked at here.
#[derive(Deserialize)]
pub struct Report {
    pub violations: Vec<Violation>,
    pub not_simulated: Vec<Violation>,
    pub objects_left: Vec<Left>,
    pub deadlocks: Vec<String>,
}

impl Report {
    /// How many things were found.
    pub fn count(&self) -> usize {
        self.violations.len()
            + self.not_simulated.len()
            + self.objects_left.len()
            + self.deadlocks.len()
    }

    /// Prints what was found.
    pub fn show(&self) {
        for violation in &self.violations {
            say!(
                "{}: {} ({})\n    the rule: {}",
                violation.rule,
                violation.message,
                violation.who,
                violation.sentence
            );
        }
        for call in &self.not_simulated {
            say!("{}: {} ({})", call.rule, call.message, call.who);
        }
        for left in &self.objects_left {
            say!("left over: {} of {}", left.name, left.owner);
        }
        for deadlock in &self.deadlocks {
            say!("deadlock: {deadlock}");
        }
    }
}

/// A broken rule.
#[derive(Clone, Deserialize, Serialize)]
pub struct Violation {
    pub rule: String,
    /// What the rule demands.
    pub sentence: String,
    pub message: String,
    pub who: String,
}

/// An object that nobody gave back.
#[derive(Deserialize)]
pub struct Left {
    pub name: String,
    pub owner: String,
}

/// What a driver printed.
#[derive(Deserialize)]
pub struct Printed {
    pub who: String,
    pub text: String,
}

/// The figures that a client prints when it is unloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub calls: u64,
    pub calls_completed: u64,
    pub frames_sent: u64,
    pub frames_echoed: u64,
    pub bytes: u64,
    pub mismatches: u64,
    /// Frames of calls that the client took.
    pub frames_taken: u64,
}

impl Account {
    /// The report, of a run that came to its end.
    pub fn report(&self) -> Result<&Report> {
        if let Some(failure) = &self.failure {
            bail!("the run ended early: {failure}");
        }
        self.report.as_ref().context("the account has no report")
    }

    /// The figures that `service` has printed.
    pub fn figures(&self, service: &str) -> Result<Figures> {
        let mut found = self
            .printed
            .iter()
            .filter(|printed| printed.who == service)
            .filter_map(|printed| Figures::read(&printed.text));
        found
            .next()
            .with_context(|| format!("{service} has printed no figures"))
    }

    /// The figures of the models of NDPROXY and NDISWAN, who were to carry so many frames on each call.
    pub fn of_models(&self, ndproxy: &str, ndiswan: &str, frames: u32) -> Result<Figures> {
        let printed = |service: &str, line: &str| {
            let mut printed = self.printed.iter().filter(|printed| printed.who == service);
            let found = printed.find_map(|printed| {
                let (shape, numbers) = numbers(&printed.text)?;
                (shape == line).then_some(numbers)
            });
            found.with_context(|| format!("{service} has printed no figures"))
        };
        let (proxy, wan) = (printed(ndproxy, OF_NDPROXY)?, printed(ndiswan, OF_NDISWAN)?);
        Ok(Figures::of_models(&proxy, &wan, frames))
    }
}

/// The numbers of a line, in order, with the line in which each is a `#`.
fn numbers(text: &str) -> Option<(String, Vec<u64>)> {
    let (_, text) = text.trim_end().split_once(": ")?;
    let mut numbers = Vec::new();
    let mut shape = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 {
            numbers.push(rest[..digits].parse::<u64>().ok()?);
            shape.push('#');
            rest = &rest[digits..];
        } else {
            shape.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some((shape, numbers))
}

/// What NDPROXY prints: the calls that came up and that it was to place, those that it took.
const OF_NDPROXY: &str = "# of # calls connected, # taken";

/// What NDISWAN prints: the links at both ends, the frames that came back, their payloads in bytes, the
/// frames that differed, those that it sent back.
const OF_NDISWAN: &str = "# links, # frames back, # bytes compared, # mismatches, # echoed";

/// The line of figures, with a `#` for each number.
const LINE: &str =
    "# of # calls, # frames sent, # echoed, # bytes compared, # mismatches, # frames taken";

impl Figures {
    /// Reads a line such as a client prints: its name, then the figures.
    fn read(text: &str) -> Option<Self> {
        let (shape, numbers) = numbers(text)?;
        // A client that takes no calls may leave the last figure out.
        let short = LINE.strip_suffix(", # frames taken")?;
        if shape != LINE && shape != short {
            return None;
        }
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next().unwrap_or_default();
        let (calls_completed, calls) = (next(), next());
        Some(Self {
            calls,
            calls_completed,
            frames_sent: next(),
            frames_echoed: next(),
            bytes: next(),
            mismatches: next(),
            frames_taken: next(),
        })
    }

    /// From the numbers of both models' lines.
    fn of_models(ndproxy: &[u64], ndiswan: &[u64], frames: u32) -> Self {
        let at = |numbers: &[u64], index| numbers.get(index).copied().unwrap_or_default();
        let [connected, calls, taken] = [0, 1, 2].map(|index| at(ndproxy, index));
        let [links, back, bytes, mismatches, echoed] =
            [0, 1, 2, 3, 4].map(|index| at(ndiswan, index));
        Self {
            calls,
            // At both ends, and with a link at each.
            calls_completed: connected.min(taken).min(links / 2),
            frames_sent: calls * u64::from(frames),
            frames_echoed: back,
            bytes,
            mismatches,
            frames_taken: echoed,
        }
    }

    /// Adds the figures of another run.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.calls_completed += other.calls_completed;
        self.frames_sent += other.frames_sent;
        self.frames_echoed += other.frames_echoed;
        self.bytes += other.bytes;
        self.mismatches += other.mismatches;
        self.frames_taken += other.frames_taken;
    }

    /// Did everything come back as it was sent?
    pub fn is_good(&self) -> bool {
        self.calls > 0
            && self.calls_completed == self.calls
            && self.frames_sent > 0
            && self.frames_echoed == self.frames_sent
            && self.bytes > 0
            && self.mismatches == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_a_client_s_line() {
        let line = "echo-client: 2 of 3 calls, 8 frames sent, 7 echoed, 4170 bytes compared, \
                    1 mismatches, 0 frames taken\n";
        let figures = Figures::read(line).unwrap();
        assert_eq!((figures.calls, figures.calls_completed), (3, 2));
        assert_eq!((figures.frames_sent, figures.frames_echoed), (8, 7));
        assert_eq!((figures.bytes, figures.mismatches), (4170, 1));
        assert!(!figures.is_good());
    }

    #[test]
    fn figures_of_models_are_those_of_both() {
        let of = |proxy: &str, wan: &str| {
            let ((proxy_line, proxy), (wan_line, wan)) =
                (numbers(proxy).unwrap(), numbers(wan).unwrap());
            assert_eq!((&*proxy_line, &*wan_line), (OF_NDPROXY, OF_NDISWAN));
            Figures::of_models(&proxy, &wan, 4)
        };
        let proxy = "ndproxy: 2 of 2 calls connected, 2 taken\n";
        let good = of(
            proxy,
            "ndiswan: 4 links, 8 frames back, 3970 bytes compared, 0 mismatches, 9 echoed\n",
        );
        assert!(good.is_good(), "{good:?}");
        assert_eq!((good.frames_taken, good.bytes), (9, 3970));
        for (proxy, wan) in [
            (
                proxy,
                "ndiswan: 3 links, 8 frames back, 3970 bytes compared, 0 mismatches, 8 echoed",
            ),
            (
                proxy,
                "ndiswan: 4 links, 7 frames back, 3458 bytes compared, 0 mismatches, 8 echoed",
            ),
            (
                proxy,
                "ndiswan: 4 links, 8 frames back, 3970 bytes compared, 1 mismatches, 8 echoed",
            ),
            (
                proxy,
                "ndiswan: 4 links, 8 frames back, 0 bytes compared, 0 mismatches, 8 echoed",
            ),
            (
                "ndproxy: 2 of 2 calls connected, 1 taken",
                "ndiswan: 4 links, 8 frames back, 3970 bytes compared, 0 mismatches, 8 echoed",
            ),
        ] {
            assert!(!of(proxy, wan).is_good(), "{proxy}, {wan}");
        }
    }

    #[test]
    fn other_lines_are_no_figures() {
        assert!(Figures::read("echo-client: call 0 failed: NO_ROUTE_TO_DESTINATION\n").is_none());
        assert!(Figures::read("2 of 3 calls").is_none());
    }
}
