//! What the host itself costs: `cargo run --release -p ndis-host-load`.
//!
//! Each figure is given for few calls and for many, from one run of the program: that the last line
//! is as the first says that cost does not grow. With words it does one thing so many times, for
//! callgrind to count:
//!
//! ```text
//! ndis-host-load call CROWD TIMES       calls are made and hung up, while so many are up
//! ndis-host-load send CROWD TIMES       lists of one frame are sent, on so many calls in turn
//! ndis-host-load schedule - TIMES       both hang up at once, each seed on a host of its own
//! ndis-host-load threads - TIMES        the same, each task on a thread of its own
//! ```
//!
//! The difference between two runs with another number of times is what one of them takes.

mod hang_up;
mod pair;
mod place;

use ndis_host::EventMode;
use std::{env, fs, time::Instant};

/// So many calls are up.
const CROWDS: [usize; 5] = [10, 1_000, 10_000, 50_000, 100_000];
const CALLS: usize = 20_000;
const FRAMES: usize = 200_000;
const SCHEDULES: u64 = 2_000;
/// A page of memory, in bytes.
const PAGE: usize = 4096;

/// Seconds that it takes: of the processor, where Linux says it (in hundredths), for others may want
/// that, too.
fn seconds(body: impl FnOnce()) -> f64 {
    let start = (Instant::now(), processor());
    body();
    match (start.1, processor()) {
        (Some(before), Some(now)) => now - before,
        _ => start.0.elapsed().as_secs_f64(),
    }
}

/// Seconds of the processor that the process has had, the system's for it included.
fn processor() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the program's name.
    let fields = text.rsplit(')').next()?.split_whitespace();
    let ticks = fields.skip(11).take(2).map(|field| field.parse::<f64>());
    Some(ticks.sum::<Result<f64, _>>().ok()? / 100.0)
}

/// The bytes of memory that the process has, where Linux says it.
fn resident() -> usize {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1);
    pages
        .and_then(|pages| pages.parse::<usize>().ok())
        .map_or(0, |pages| pages * PAGE)
}

fn schedules(times: u64, threads: bool) {
    for seed in 0..times {
        hang_up::schedule(seed, threads, EventMode::Off);
    }
}

fn all() {
    println!(
        "{:>8} {:>12} {:>12} {:>12} {:>12} {:>10} {:>10}",
        "calls",
        "us a call up",
        "up and down",
        "us a frame",
        "us a hang-up",
        "B a call",
        "B a frame"
    );
    for crowd in CROWDS {
        pair::on_a_host(move |it| {
            let micro = |seconds: f64, times: usize| seconds * 1e6 / times as f64;
            let before = resident();
            let up = seconds(|| it.call(crowd));
            let memory = resident().saturating_sub(before) / crowd;
            let down = seconds(|| it.call_and_hang_up(CALLS));
            let send = seconds(|| it.send(FRAMES));
            let before = resident();
            it.keep_frames(crowd);
            let frames = resident().saturating_sub(before) / crowd;
            let end = seconds(|| it.hang_up());
            println!(
                "{crowd:>8} {:>12.2} {:>12.2} {:>12.3} {:>12.2} {memory:>10} {frames:>10}",
                micro(up, crowd),
                micro(down, CALLS),
                micro(send, FRAMES),
                micro(end, crowd),
            );
        });
    }
    for (threads, what) in [(false, "strands"), (true, "threads")] {
        let time = seconds(|| schedules(SCHEDULES, threads));
        println!(
            "both hang up at once, tasks as {what}: {:.0} schedules a second",
            SCHEDULES as f64 / time
        );
    }
}

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let number = |place: usize| {
        let word: Option<usize> = words.get(place).and_then(|word| word.parse().ok());
        word.unwrap_or(0)
    };
    let (crowd, times) = (number(1), number(2));
    match words.first().map(String::as_str) {
        None => all(),
        Some("call") => pair::on_a_host(move |it| {
            it.call(crowd);
            it.call_and_hang_up(times);
            it.hang_up();
        }),
        Some("send") => pair::on_a_host(move |it| {
            it.call(crowd);
            it.send(times);
            it.hang_up();
        }),
        Some("schedule") => schedules(times as u64, false),
        Some("threads") => schedules(times as u64, true),
        Some(other) => panic!("{other}: it is `call`, `send`, `schedule` or `threads`"),
    }
}
