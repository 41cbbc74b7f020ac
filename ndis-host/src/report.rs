//! What a run found: broken rules, objects left over, how to replay it.

use crate::handle::ObjectId;
use crate::history::Past;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// A rule that a driver broke.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Violation {
    /// The rule's id in the rule book, or one of [`crate::rules`].
    pub rule: &'static str,
    /// What that rule demands: [`crate::rules::sentence`].
    pub sentence: &'static str,
    /// What happened.
    pub message: String,
    /// The object it happened to.
    pub object: Option<ObjectId>,
    /// That object's life so far.
    pub history: Vec<Past>,
    /// The call that broke the rule, with the callbacks it was made from.
    pub call: String,
    /// The place in the run.
    pub seq: u64,
    /// The driver (or thread) that is to blame.
    pub who: Arc<str>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.rule, self.message)?;
        if !self.sentence.is_empty() {
            writeln!(f, "    the rule: {}", self.sentence)?;
        }
        writeln!(f, "    at #{}, by {}", self.seq, self.who)?;
        if !self.call.is_empty() {
            writeln!(f, "    in {}", self.call)?;
        }
        if let Some(object) = self.object {
            writeln!(f, "    the life of {object}:")?;
            for past in &self.history {
                writeln!(f, "      {past}")?;
            }
        }
        Ok(())
    }
}

/// An object that nobody gave back.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ObjectLeft {
    /// What it is.
    pub kind: &'static str,
    /// Which one.
    pub name: String,
    /// Its pool tag, as text, where it has one.
    pub tag: String,
    /// The driver that made it.
    pub owner: Arc<str>,
}

impl fmt::Display for ObjectLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.owner)?;
        if !self.tag.is_empty() {
            write!(f, " (tag {})", self.tag)?;
        }
        Ok(())
    }
}

/// What a driver has printed for the debugger, in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Printed {
    /// The driver, or the thread.
    pub who: Arc<str>,
    /// The text.
    pub text: String,
}

/// An entry that a miniport has written into the system's error log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ErrorEntry {
    /// The driver.
    pub who: Arc<str>,
    /// One of the constants `NDIS_ERROR_CODE_XXX`.
    pub code: u32,
    /// The first of the values that belong to it.
    pub value: Option<u32>,
}

/// The result of a run.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// Broken rules that nobody announced.
    pub violations: Vec<Violation>,
    /// Broken rules that a test announced with [`crate::Host::expect`].
    pub expected: Vec<Violation>,
    /// Calls of what the host does not simulate: its own shortfall, and no driver's
    /// fault. What the run shows is worth nothing from there on, so it is not clean.
    pub not_simulated: Vec<Violation>,
    /// Requests that nobody had answered when the last run came to its end, with the
    /// driver that owes the answer. No fault by itself: the answer may come in the next.
    pub unanswered: Vec<String>,
    /// Objects that are still there.
    pub objects_left: Vec<ObjectLeft>,
    /// Each time nothing could go on although somebody waited: who, for what.
    pub deadlocks: Vec<String>,
    /// How often each NDIS function and callback ran.
    pub counters: BTreeMap<&'static str, u64>,
    /// The seed of the schedule.
    pub seed: u64,
    /// How many events the run had.
    pub events: u64,
}

impl Report {
    /// Nothing was broken, left over or stuck, and everything was simulated.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
            && self.not_simulated.is_empty()
            && self.objects_left.is_empty()
            && self.deadlocks.is_empty()
    }

    /// The ids of the broken rules, in order, the expected ones included.
    pub fn rules(&self) -> Vec<&'static str> {
        let mut all: Vec<_> = self
            .violations
            .iter()
            .chain(&self.not_simulated)
            .chain(&self.expected)
            .map(|v| (v.seq, v.rule))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, rule)| rule).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            write!(f, "clean: no rule broken, no object left")?;
            if !self.expected.is_empty() {
                write!(f, " ({} expected violations)", self.expected.len())?;
            }
            return writeln!(f, ", seed {}", self.seed);
        }
        for violation in &self.violations {
            write!(f, "{violation}")?;
        }
        if !self.not_simulated.is_empty() {
            writeln!(
                f,
                "not simulated by this host, and no fault of a driver's: {} calls{}",
                self.not_simulated.len(),
                if self.violations.is_empty() {
                    ""
                } else {
                    " (what is reported after them may follow from that)"
                }
            )?;
            for call in &self.not_simulated {
                write!(f, "{call}")?;
            }
        }
        for deadlock in &self.deadlocks {
            writeln!(f, "deadlock: {deadlock}")?;
        }
        for request in &self.unanswered {
            writeln!(f, "not answered: {request}")?;
        }
        for left in &self.objects_left {
            writeln!(f, "left over: {left}")?;
        }
        writeln!(
            f,
            "replay: Host::builder().seed({}) with the same settings ({} events)",
            self.seed, self.events
        )
    }
}

/// A pool tag as the four letters that it usually is.
pub(crate) fn tag_text(tag: u32) -> String {
    if tag == 0 {
        return String::new();
    }
    tag.to_le_bytes()
        .iter()
        .map(|b| {
            if b.is_ascii_graphic() {
                *b as char
            } else {
                '.'
            }
        })
        .collect()
}
