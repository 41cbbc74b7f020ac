//! What a run of the demo comes to: for a person, for a program, and as an exit code.

use std::fmt;

use crate::wan::Figures;

/// The figures of one run; this is what `--json` writes.
pub struct Summary {
    pub seed: u64,
    pub calls: u32,
    /// Calls that were set up and torn down as they should.
    pub calls_completed: u32,
    pub frames_sent: u64,
    pub frames_received: u64,
    pub frames_echoed: u64,
    /// Bytes that arrived at the far ends.
    pub bytes: u64,
    pub mismatches: u64,
    pub violations: usize,
    pub objects_left: usize,
    pub seconds: f64,
    /// Of the file, when one was sent.
    pub file_equal: Option<bool>,
    /// Of calls through a WAN miniport.
    pub wan: Option<Figures>,
}

impl Summary {
    /// The same for a program. (Numbers and truth values only: nothing that needs an escape.)
    pub fn json(&self) -> String {
        let mut rows: Vec<(&str, String)> = vec![
            ("seed", self.seed.to_string()),
            ("calls", self.calls.to_string()),
            ("calls_completed", self.calls_completed.to_string()),
            ("frames_sent", self.frames_sent.to_string()),
            ("frames_received", self.frames_received.to_string()),
            ("frames_echoed", self.frames_echoed.to_string()),
            ("bytes", self.bytes.to_string()),
            ("mismatches", self.mismatches.to_string()),
            ("violations", self.violations.to_string()),
            ("objects_left", self.objects_left.to_string()),
            ("seconds", format!("{:.6}", self.seconds)),
        ];
        rows.extend(self.wan.iter().flat_map(Figures::json));
        rows.extend(
            self.file_equal
                .map(|equal| ("file_equal", equal.to_string())),
        );
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, value)| format!("  \"{name}\": {value}"))
            .collect();
        format!("{{\n{}\n}}\n", rows.join(",\n"))
    }

    /// Did everything go as it must?
    pub fn is_good(&self) -> bool {
        self.mismatches == 0
            && self.violations == 0
            && self.objects_left == 0
            && self.calls_completed == self.calls
            && self.frames_received == self.frames_sent
            && self.frames_echoed == self.frames_sent
            && self.file_equal != Some(false)
            && self.wan.as_ref().is_none_or(Figures::is_good)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: [(&str, String); 7] = [
            (
                "calls",
                format!("{} of {} completed", self.calls_completed, self.calls),
            ),
            (
                "frames",
                format!(
                    "{} sent, {} received, {} echoed back",
                    self.frames_sent, self.frames_received, self.frames_echoed
                ),
            ),
            ("bytes", format!("{} compared at the far end", self.bytes)),
            ("mismatches", self.mismatches.to_string()),
            ("violations", self.violations.to_string()),
            ("objects left", self.objects_left.to_string()),
            ("time", format!("{:.2} s, seed {}", self.seconds, self.seed)),
        ];
        if let Some(wan) = &self.wan {
            f.write_str(&wan.troubles())?;
        }
        let [calls, frames, bytes, rest @ ..] = rows;
        let wan = self.wan.iter().flat_map(Figures::rows);
        let rows = [calls, frames, bytes].into_iter().chain(wan).chain(rest);
        for (name, value) in rows {
            writeln!(f, "{name:>12}  {value}")?;
        }
        if let Some(equal) = self.file_equal {
            writeln!(
                f,
                "{:>12}  {}",
                "file",
                if equal {
                    "equal at the far end"
                } else {
                    "DIFFERS"
                }
            )?;
        }
        write!(
            f,
            "{}",
            if self.is_good() {
                "all good"
            } else {
                "NOT GOOD"
            }
        )
    }
}
