//! What a client has learnt of the lines of a call manager of TAPI's.

use alloc::collections::BTreeSet;

/// What it has asked, and has been answered, since it opened the family.
#[derive(Clone, Default)]
pub(crate) struct Capabilities {
    /// Whether lines differ, once it has asked.
    pub(crate) lines_differ: Option<bool>,
    /// The lines that it has asked about.
    pub(crate) asked: BTreeSet<u32>,
    /// How many of these questions were answered.
    pub(crate) answers: u32,
}

impl Capabilities {
    /// Whether it knows what this line can do: one stands for all that do not differ.
    pub(crate) fn has_line(&self, line: Option<u32>) -> bool {
        let differ = self.lines_differ == Some(true);
        self.answers > 0 && (!differ || line.is_none_or(|line| self.asked.contains(&line)))
    }
}
