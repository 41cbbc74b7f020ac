//! How far a run has come, on standard error: a line that is drawn again and again on a terminal, a
//! line every now and then elsewhere.
//!
//! Frames alone do not tell it: of a thousand calls with one frame each, most of the time goes into
//! setting them up and taking them down. So there is a bar for each: for the calls that are up, counted
//! when one is placed and when it comes up, for the frames whose echo is back, for the calls that have
//! ended. All three move at the same time, for each call goes its own way.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::traffic::{Ledger, Traffic};

/// What the run is at, and what it has done so far.
pub struct Progress {
    stage: Mutex<&'static str>,
    ledger: Arc<Ledger>,
    calls: u64,
    frames: u64,
}

impl Progress {
    pub fn new(traffic: &Traffic, ledger: &Arc<Ledger>) -> Self {
        let calls = u64::from(traffic.calls());
        Self {
            stage: Mutex::new(""),
            ledger: Arc::clone(ledger),
            calls,
            frames: calls * u64::from(traffic.frames()),
        }
    }

    /// The run comes to this.
    pub fn stage(&self, name: &'static str) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// What is done of it, and due: set-up, data, teardown.
    fn parts(&self) -> [(&'static str, u64, u64); 3] {
        let tally = self.ledger.tally();
        let (calls, frames) = (self.calls, self.frames);
        [
            ("set-up", tally.placed + tally.begun, 2 * calls),
            ("data", tally.echoed, frames),
            ("teardown", tally.ended, calls),
        ]
    }

    /// A line about it, in words.
    fn line(&self) -> String {
        let stage = *self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = self.ledger.tally();
        let (calls, frames) = (self.calls, self.frames);
        format!(
            "{stage}: of {calls} calls {} placed, {} up, {} ended; {} of {frames} frames back",
            tally.placed, tally.begun, tally.ended, tally.echoed
        )
    }

    /// The same, drawn.
    fn bars(&self) -> String {
        let parts = self.parts();
        let bars = parts.map(|(name, done, due)| format!("{name} [{}] ", bar(done, due, 10)));
        bars.concat() + &self.line()
    }
}

/// A bar of `width` places.
fn bar(done: u64, due: u64, width: u64) -> String {
    let full = (done.min(due) * width).checked_div(due).unwrap_or(width);
    (0..width)
        .map(|place| if place < full { '#' } else { '-' })
        .collect()
}

/// The thread that shows it.
pub struct Watch {
    done: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Watch {
    pub fn start(progress: &Arc<Progress>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (progress, stop) = (Arc::clone(progress), Arc::clone(&done));
        let show = if stderr().is_terminal() { draw } else { report };
        let thread = thread::spawn(move || show(&progress, &stop));
        Self { done, thread }
    }

    pub fn stop(self) {
        self.done.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // The thread only draws; that it ended badly changes nothing.
        let _ = self.thread.join();
    }
}

/// For a terminal: a line that changes, and is gone at the end.
fn draw(progress: &Progress, stop: &AtomicBool) {
    let mut drawn = false;
    // What is over at once is not worth a line.
    thread::park_timeout(Duration::from_millis(200));
    while !stop.load(Ordering::Relaxed) {
        // In one piece, and never wrapped: a second line would not be drawn over.
        let text = format!("\r\x1b[?7l{}\x1b[K\x1b[?7h", progress.bars());
        drawn = stderr().write_all(text.as_bytes()).is_ok();
        thread::park_timeout(Duration::from_millis(100));
    }
    if drawn {
        eprint!("\r\x1b[K");
    }
}

/// For a file: a line every ten seconds.
fn report(progress: &Progress, stop: &AtomicBool) {
    const EVERY: Duration = Duration::from_secs(10);
    let mut last = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        thread::park_timeout(EVERY);
        if last.elapsed() >= EVERY {
            last = Instant::now();
            eprintln!("demo: {}", progress.line());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(0, 3, 6), "------");
        assert_eq!(bar(1, 3, 6), "##----");
        assert_eq!(bar(3, 3, 6), "######");
        assert_eq!(bar(9, 3, 6), "######");
    }

    #[test]
    fn calls_without_frames_so_far_show_too() {
        let traffic = Traffic::pattern(10, 1, 100, 1);
        let ledger = Arc::new(Ledger::default());
        let progress = Progress::new(&traffic, &ledger);
        progress.stage("calling");
        let done = |progress: &Progress| progress.parts().map(|(_, done, _)| done);
        assert_eq!(done(&progress), [0, 0, 0]);
        assert_eq!(progress.parts().map(|(.., due)| due), [20, 10, 10]);
        ledger.begun();
        assert_eq!(done(&progress), [1, 0, 0]);
        let text = progress.line();
        assert!(
            text.starts_with("calling: of 10 calls 0 placed, 1 up, 0 ended"),
            "{text}"
        );
        ledger.ended();
        assert_eq!(done(&progress), [1, 0, 1]);
        ledger.placed();
        let bars = progress.bars();
        assert!(
            bars.starts_with("set-up [#---------] data [----------] teardown [#---------] calling"),
            "{bars}"
        );
    }
}
