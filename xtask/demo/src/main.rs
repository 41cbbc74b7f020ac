//! `cargo xtask demo`: the main job, in one process.
//!
//! Loads a call manager and two clients into the host, brings its adapters up, places calls
//! from one client to the other, carries bytes and compares them at both ends, tears everything
//! down and unloads it. Prints the life of one call and the figures of the whole run; the exit
//! code is not 0 when a rule was broken, a byte differs, or an object is left over.

mod args;
mod beneath;
mod drivers;
mod output;
mod progress;
mod summary;
mod traffic;

use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use ndis_host::{EventMode, Host};

use self::{
    args::{Args, HELP, Load},
    output::Output,
    progress::{Progress, Watch},
    summary::Summary,
    traffic::{Ledger, Traffic},
};

fn main() -> ExitCode {
    let args = match Args::read(env::args_os().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}\n\nFor the options: cargo xtask demo --help");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let traffic = Arc::new(traffic(args)?);
    let open = |path: &PathBuf| Output::open(path);
    let json = args.json.as_ref().map(open).transpose()?;
    let svg = args.svg.as_ref().map(open).transpose()?;
    let ledger = Arc::new(Ledger::default());
    let progress = Arc::new(Progress::new(&traffic, &ledger));
    eprintln!(
        "demo: {} and two clients; calls {}, frames in each {}, seed {}",
        beneath::name(args.topology),
        traffic.calls(),
        traffic.frames(),
        args.seed
    );
    let start = Instant::now();
    let host = Host::builder()
        .seed(args.seed)
        .events(EventMode::All)
        .build();

    let watch = Watch::start(&progress);
    let completed = drivers::carry(&host, args.topology, &traffic, &ledger, &progress)
        .map_err(|status| format!("the run stopped with status {status:#010x}"));
    progress.stage("the account");
    let events = host.events();
    let report = host.finish();
    let tally = ledger.tally();
    let story = ndis_host::text::story(&events, drivers::one_call(&events));
    watch.stop();

    let summary = completed.map(|completed| Summary {
        seed: args.seed,
        calls: traffic.calls(),
        calls_completed: completed,
        frames_sent: tally.sent,
        frames_received: tally.received,
        frames_echoed: tally.echoed,
        bytes: tally.bytes,
        mismatches: tally.mismatches,
        violations: report.violations.len(),
        objects_left: report.objects_left.len(),
        seconds: start.elapsed().as_secs_f64(),
        file_equal: matches!(args.load, Load::File(_)).then(|| ledger.complete(&traffic)),
    });
    let mut text = format!("{story}\n");
    if !report.is_clean() {
        text += &format!("{report}\n");
    }
    if let Ok(summary) = &summary {
        text += &format!("{summary}\n");
    }
    print(&text)?;
    let summary = summary?;
    if let Some(file) = json {
        file.write(&summary.json())?;
    }
    if let Some(file) = svg {
        file.write(&ndis_host::chart::svg(&events, drivers::one_call(&events)))?;
    }
    if !summary.is_good() {
        return Err("the run was not good".to_owned());
    }
    Ok(())
}

/// What is to be carried.
fn traffic(args: &Args) -> Result<Traffic, String> {
    match &args.load {
        Load::File(path) => {
            let name = path.display();
            let file = fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
            if file.is_empty() {
                return Err(format!("{name} is empty: there is nothing to send"));
            }
            Ok(Traffic::file(file, drivers::LONGEST_FRAME))
        }
        &Load::Made { calls, frames } => Ok(Traffic::pattern(
            calls,
            frames,
            drivers::LONGEST_FRAME,
            args.seed,
        )),
    }
}

/// Prints the account. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> Result<(), String> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot print: {error}"))
        }
        _ => Ok(()),
    }
}
