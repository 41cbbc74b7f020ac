//! `cargo xtask demo`: the main job, in one process.
//!
//! Loads a WAN miniport and what Windows has above one, or a call manager and two clients, into the
//! host, brings the adapters up, places calls, carries bytes and compares them at both ends, tears
//! everything down and unloads it. Prints the life of one call and the figures of the whole run; the
//! exit code is not 0 when a rule was broken, a byte differs, or an object is left over.

mod args;
#[cfg(feature = "clients")]
mod beneath;
#[cfg(feature = "clients")]
mod drivers;
mod oids;
mod output;
mod progress;
mod summary;
mod traffic;
mod wan;

use std::{
    env, fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use ndis_host::{Event, EventMode, Host};

use self::{
    args::{Args, HELP, Load, Topology},
    output::Output,
    progress::{Progress, Watch},
    summary::Summary,
    traffic::{Ledger, Traffic},
};

/// The longest frame that is sent, in bytes.
const LONGEST_FRAME: usize = 1500;

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
    let done = if args.oids {
        oids::run(args.seed).and_then(|text| print(&text))
    } else {
        run(&args)
    };
    match done {
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
        "demo: {}; calls {}, frames in each {}, seed {}",
        match args.topology {
            Topology::Wan => "a WAN miniport, NDPROXY and NDISWAN".to_owned(),
            #[cfg(feature = "clients")]
            Topology::Clients(below) => format!("{} and two clients", beneath::name(below)),
        },
        traffic.calls(),
        traffic.frames(),
        args.seed
    );
    let start = Instant::now();
    let host = Host::builder()
        .seed(args.seed)
        // The one that is told. Those of a hundred thousand would take the whole memory.
        .events(EventMode::Call(1))
        .build();

    let watch = Watch::start(&progress);
    let carried = match args.topology {
        Topology::Wan => wan::carry(&host, &traffic, &ledger, &progress)
            .map(|figures| (figures.completed, Some(figures))),
        #[cfg(feature = "clients")]
        Topology::Clients(below) => drivers::carry(&host, below, &traffic, &ledger, &progress)
            .map(|completed| (completed, None)),
    };
    let carried = carried.map_err(|status| format!("the run stopped with status {status:#010x}"));
    progress.stage("the account");
    let events = host.events();
    let report = host.finish();
    let tally = ledger.tally();
    let story = ndis_host::text::story(&events, one_call(&events));
    watch.stop();

    let summary = carried.map(|(completed, wan)| Summary {
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
        wan,
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
        file.write(&ndis_host::chart::svg(&events, one_call(&events)))?;
    }
    if !summary.is_good() {
        return Err("the run was not good".to_owned());
    }
    Ok(())
}

/// The events of the first call, from both ends.
fn one_call(events: &[Event]) -> impl Fn(&Event) -> bool + use<> {
    let first = events.iter().find_map(|event| event.call).unwrap_or(0);
    ndis_host::chart::call(first)
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
            Ok(Traffic::file(file, LONGEST_FRAME))
        }
        &Load::Made { calls, frames } => {
            Ok(Traffic::pattern(calls, frames, LONGEST_FRAME, args.seed))
        }
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
