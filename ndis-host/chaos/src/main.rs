//! The process of the long run: `cargo xtask chaos` starts it and draws the picture.
//!
//! It is a process of its own because a hole may kill it: each run is announced
//! before it begins, so that whoever reads along knows the seed.
//!
//! ```text
//! begin WORKER SEED          a run begins
//! end WORKER SEED EVENTS     it is over
//! finding SEED               something is wrong; the lines that follow begin with "| "
//! act COUNT GROUP/NAME       how often an act was done, in all runs
//! digest SEED FINGERPRINT    of the run's events, with --digest: equal for two builds of
//!                            the host when the change between them changes no behaviour
//! ```
#![forbid(unsafe_code)]

use ndis_chaos::{ACTS, Act, Cast, Options, Outcome, say};
use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
};

struct Args {
    first: u64,
    seeds: u64,
    threads: u64,
    keep_going: bool,
    cover: bool,
    options: Options,
}

fn parse() -> Result<Args, String> {
    let mut args = Args {
        first: 0,
        seeds: 1,
        threads: 1,
        keep_going: false,
        cover: false,
        options: Options::default(),
    };
    let mut given = std::env::args().skip(1);
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or(format!("{option} wants a value"));
        let number = |text: String| text.parse().map_err(|_| format!("\"{text}\" is no number"));
        match option.as_str() {
            "--first" => args.first = number(value()?)?,
            "--seeds" => args.seeds = number(value()?)?,
            "--threads" => args.threads = number(value()?)?.max(1),
            "--keep-going" => args.keep_going = true,
            "--cover" => args.cover = true,
            "--digest" => args.options.digest = true,
            "--verbose" => args.options.verbose = true,
            "--cast" => {
                let name = value()?;
                let cast = Cast::named(&name).ok_or(format!("there is no cast \"{name}\""))?;
                args.options.cast = Some(cast);
            }
            "--without" => {
                for name in value()?.split(',') {
                    let act = Act::named(name).ok_or(format!("there is no act \"{name}\""))?;
                    args.options.without.push(act);
                }
            }
            _ => return Err(format!("unknown option {option}")),
        }
    }
    Ok(args)
}

fn findings(outcome: &Outcome) -> String {
    let mut text = format!("finding {}", outcome.seed);
    for line in outcome.findings.iter().flat_map(|finding| finding.lines()) {
        text.push_str("\n| ");
        text.push_str(line);
    }
    text
}

/// Chooses seeds that together do as many acts as can be done, in little time:
/// for the part of the tests that runs under Miri. (Miri sees no assertions about
/// the level, so a build without `debug-assertions` has its runs.)
fn cover(args: &Args) {
    let mut outcomes: Vec<Outcome> = (0..args.seeds)
        .map(|at| ndis_chaos::run(args.first.wrapping_add(at), &args.options))
        .filter(|outcome| outcome.findings.is_empty())
        .collect();
    let mut done = [false; ACTS];
    loop {
        let fresh = |outcome: &Outcome| {
            let counts = outcome.counts.iter().zip(&done);
            counts
                .filter(|(count, done)| **count > 0 && !**done)
                .count() as u64
        };
        // The most of new acts an event.
        let best = outcomes
            .iter()
            .enumerate()
            .max_by_key(|(_, outcome)| fresh(outcome) * 1_000_000 / (outcome.events + 200));
        let Some((at, new)) = best.map(|(at, outcome)| (at, fresh(outcome))) else {
            break;
        };
        if new == 0 {
            break;
        }
        let outcome = outcomes.swap_remove(at);
        for (done, count) in done.iter_mut().zip(outcome.counts) {
            *done |= count > 0;
        }
        let sum = done.iter().filter(|done| **done).count();
        say(&format!(
            "seed {}: {} events, {new} new acts, {sum} of {ACTS}",
            outcome.seed, outcome.events
        ));
    }
}

fn main() -> ExitCode {
    let args = match parse() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    // The host's own panics are findings; they are reported as such.
    std::panic::set_hook(Box::new(|info| {
        if thread::current().name() == Some("ndis-host") {
            eprintln!("{info}");
        }
    }));
    if args.cover {
        cover(&args);
        return ExitCode::SUCCESS;
    }
    let next = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let counts = Mutex::new([0_u64; ACTS]);
    thread::scope(|scope| {
        for worker in 0..args.threads {
            let (args, next, failed, counts) = (&args, &next, &failed, &counts);
            scope.spawn(move || {
                while args.keep_going || !failed.load(SeqCst) {
                    let at = next.fetch_add(1, SeqCst);
                    if at >= args.seeds {
                        break;
                    }
                    let seed = args.first.wrapping_add(at);
                    say(&format!("begin {worker} {seed}"));
                    let outcome = ndis_chaos::run(seed, &args.options);
                    if !outcome.findings.is_empty() {
                        failed.store(true, SeqCst);
                        say(&findings(&outcome));
                    }
                    if let Some(digest) = outcome.digest {
                        say(&format!("digest {seed} {digest:016x}"));
                    }
                    say(&format!("end {worker} {seed} {}", outcome.events));
                    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                    for (sum, count) in counts.iter_mut().zip(outcome.counts) {
                        *sum += u64::from(count);
                    }
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    for ((group, act), count) in Act::ALL.iter().zip(counts) {
        say(&format!("act {count} {group}/{}", act.name()));
    }
    ExitCode::from(u8::from(failed.load(SeqCst)))
}
