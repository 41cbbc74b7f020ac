//! What is to be said of calls through a WAN miniport beside their frames.

use std::fmt::Write as _;

/// Sums over all calls of a run.
#[derive(Default)]
pub struct Figures {
    /// Calls that came up, carried their frames, and ended as they should.
    pub completed: u32,
    /// How many ends of calls NDISWAN has.
    pub ends: u32,
    /// At how many of them the miniport has told NDISWAN of the speed that TAPI was told, and of the
    /// window of the adapter.
    pub told: u32,
    /// The speed and the window, in bytes a second and in frames, of the last one.
    pub link: (u32, u32),
    /// Answers to queries of statistics.
    pub statistics: u32,
    /// Those of them that are equal to what was sent and what arrived.
    pub equal: u32,
    /// How many calls each way of hanging up has ended.
    pub hung_up: [u32; 3],
    /// What did not go well, in words.
    pub troubles: Vec<String>,
}

impl Figures {
    /// Did everything go as it must? (That all calls are completed is judged with the calls.)
    pub fn is_good(&self) -> bool {
        self.told == self.ends && self.equal == self.statistics && self.troubles.is_empty()
    }

    /// Rows for a program.
    pub fn json(&self) -> [(&'static str, String); 7] {
        let [caller, callee, ndiswan] = self.hung_up;
        [
            ("links", self.ends.to_string()),
            ("links_told", self.told.to_string()),
            ("statistics", self.statistics.to_string()),
            ("statistics_equal", self.equal.to_string()),
            ("hung_up_by_caller", caller.to_string()),
            ("hung_up_by_callee", callee.to_string()),
            ("hung_up_by_ndiswan", ndiswan.to_string()),
        ]
    }

    /// Rows for a person.
    pub fn rows(&self) -> [(&'static str, String); 3] {
        let (speed, window) = self.link;
        let [caller, callee, ndiswan] = self.hung_up;
        [
            (
                "link status",
                format!(
                    "{} of {} ends told: {speed} bytes/s, window {window}",
                    self.told, self.ends
                ),
            ),
            (
                "statistics",
                format!(
                    "{} of {} answers equal to what flowed",
                    self.equal, self.statistics
                ),
            ),
            (
                "hung up",
                format!("{caller} by the caller, {callee} by the callee, {ndiswan} by NDISWAN"),
            ),
        ]
    }

    /// What did not go well, a line each.
    pub fn troubles(&self) -> String {
        const SHOWN: usize = 20;
        let mut text = String::new();
        for trouble in self.troubles.iter().take(SHOWN) {
            let _ = writeln!(text, "{trouble}");
        }
        let more = self.troubles.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(text, "... and {more} more");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_end_or_answer_that_is_wrong_is_not_good() {
        let good = || Figures {
            ends: 4,
            told: 4,
            statistics: 8,
            equal: 8,
            ..Figures::default()
        };
        assert!(good().is_good());
        assert!(!Figures { told: 3, ..good() }.is_good());
        assert!(!Figures { equal: 7, ..good() }.is_good());
        let troubles = vec![String::new()];
        assert!(!Figures { troubles, ..good() }.is_good());
    }

    #[test]
    fn of_many_troubles_some_are_told() {
        let troubles = vec!["no answer".to_owned(); 23];
        let figures = Figures {
            troubles,
            ..Figures::default()
        };
        let told = figures.troubles();
        assert_eq!(told.lines().count(), 21);
        assert!(told.ends_with("... and 3 more\n"), "{told}");
    }
}
