//! `cargo xtask demo`: the main job, in one process.
//!
//! Loads the switch and two clients into the host, brings the switch's adapter up, places calls
//! from one client to the other, carries bytes and compares them at both ends, tears everything
//! down and unloads it. Prints the life of one call and the figures of the whole run; the exit
//! code is not 0 when a rule was broken, a byte differs, or an object is left over.

mod drivers;
mod summary;
mod traffic;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use ndis_host::{EventMode, Host};

use self::{
    summary::Summary,
    traffic::{Ledger, Traffic},
};

/// What to carry, and where to put the accounts.
#[derive(clap::Args)]
pub struct DemoArgs {
    /// How many calls are up at the same time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
    /// How many frames each call carries.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,
    /// Carry this file's bytes over one call, and compare them at the far end.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["calls", "frames"])]
    send: Option<PathBuf>,
    /// Decides the order of everything: the same seed gives the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw one call as a sequence chart.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &DemoArgs) -> Result<()> {
    let traffic = match &args.send {
        Some(path) => {
            let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            if file.is_empty() {
                bail!("{} is empty: there is nothing to send", path.display());
            }
            Traffic::file(file, drivers::LONGEST_FRAME)
        }
        None => Traffic::pattern(args.calls, args.frames, drivers::LONGEST_FRAME, args.seed),
    };
    let traffic = Arc::new(traffic);
    let ledger = Arc::new(Ledger::default());
    let start = Instant::now();
    let host = Host::builder()
        .seed(args.seed)
        .events(EventMode::All)
        .build();

    let watch = Watch::start(&traffic, &ledger);
    let completed = drivers::carry(&host, &traffic, &ledger)
        .map_err(|status| anyhow!("the run stopped with status {status:#010x}"));
    watch.stop();
    let events = host.events();
    let report = host.finish();
    let tally = ledger.tally();

    println!(
        "{}",
        ndis_host::text::story(&events, drivers::one_call(&events))
    );
    if !report.is_clean() {
        println!("{report}");
    }
    let summary = Summary {
        seed: args.seed,
        calls: traffic.calls(),
        calls_completed: completed?,
        frames_sent: tally.sent,
        frames_received: tally.received,
        frames_echoed: tally.echoed,
        bytes: tally.bytes,
        mismatches: tally.mismatches,
        violations: report.violations.len(),
        objects_left: report.objects_left.len(),
        seconds: start.elapsed().as_secs_f64(),
        file_equal: args.send.is_some().then(|| ledger.complete(&traffic)),
    };
    println!("{summary}");
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&summary)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &args.svg {
        let chart = ndis_host::chart::svg(&events, drivers::one_call(&events));
        fs::write(path, chart).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !summary.is_good() {
        bail!("the run was not good");
    }
    Ok(())
}

/// A thread that shows how far a long run has come. (On a terminal only: indicatif sees to that.)
struct Watch {
    done: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Watch {
    fn start(traffic: &Traffic, ledger: &Arc<Ledger>) -> Self {
        let all = u64::from(traffic.calls()) * u64::from(traffic.frames());
        let done = Arc::new(AtomicBool::new(false));
        let (ledger, stop) = (Arc::clone(ledger), Arc::clone(&done));
        let thread = thread::spawn(move || {
            let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} frames, {eta} left");
            let bar = ProgressBar::new(all);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            while !stop.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(100));
                bar.set_position(ledger.tally().echoed);
            }
            bar.finish_and_clear();
        });
        Self { done, thread }
    }

    fn stop(self) {
        self.done.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // The thread only draws; that it ended badly changes nothing.
        let _ = self.thread.join();
    }
}
