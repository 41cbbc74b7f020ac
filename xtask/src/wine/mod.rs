//! `cargo xtask wine`: the images, run by a loader that is not ours.
//!
//! Wine loads kernel drivers: it maps an image, relocates it, resolves its imports, calls its entry
//! point. In place of its own `ndis.sys` it gets ours, which is `ndis-host`. So the example drivers,
//! in each topology (`topology.rs`), and a client that is written in C, run as images against images;
//! what the host finds comes back in a file. The same drivers then run in this process with the same
//! seed, and both event logs must be the same, line by line. In the end come drivers that panic, fault
//! and hang (`failing.rs`).
//!
//! Wine is made, and the images built, at the same time; all runs are in one session of Wine's.

mod account;
pub mod failing;
mod log;
mod prefix;
mod topology;
mod world;

use std::{collections::BTreeMap, fs, path::PathBuf, thread, time::Instant};

use ::c_client as c_client_here;
use anyhow::{Context, Result, bail};
use ndis_host::{EventMode, Host, Readings};
use serde::Serialize;

use self::{
    account::{Account, Figures, Violation},
    prefix::{Parameters, Prefix, Wine},
    topology::{CALLEE, CALLER, Driver, FILES, NDISWAN, NDPROXY, Parameter, SWITCH, Topology},
    world::{NDIS, Settings, World},
};
use crate::{arch::Arch, c_client, say::say, steps::Outcome, sys, workspace};

/// What to run, and where to put the account.
#[derive(clap::Args)]
pub struct WineArgs {
    /// Which drivers; without it, one topology after the other. The drivers in C and those that fail on
    /// purpose are run with `mcm` only.
    #[arg(long, value_enum)]
    topology: Option<Topology>,
    /// How many calls are placed.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
    /// How many frames each call carries.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,
    /// Decides the order of everything: the same seed gives the same run.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// How many seeds are tried, from that one on. The figures are the sums.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// Answers to questions that the documentation leaves open, as in "crossing_close: Delivered";
    /// each other one has its default. With `all`, each seed is tried under each reading there is.
    #[arg(long, default_value = "", value_parser = read_readings)]
    readings: Tried,
    /// How many milliseconds a driver may go without a call, before the run ends with its name; 0 is
    /// no limit.
    #[arg(long, default_value_t = 60_000)]
    watchdog: u32,
    /// How many times the host may pass from one task to another before a run is taken for one that
    /// never ends; 0 is no limit.
    #[arg(long, default_value_t = 10_000_000)]
    steps: u32,
    /// Images with optimizations.
    #[arg(long)]
    release: bool,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The readings to run under.
#[derive(Clone)]
enum Tried {
    All,
    /// The defaults, and those that differ from them in several answers.
    Several,
    One(Readings),
}

impl Tried {
    fn list(&self) -> Vec<Readings> {
        match self {
            Self::All => Readings::all().collect(),
            Self::Several => Readings::all()
                .filter(|readings| readings.describe().matches(':').count() != 1)
                .collect(),
            Self::One(readings) => vec![*readings],
        }
    }
}

fn read_readings(text: &str) -> Result<Tried, ndis_host::UnknownReading> {
    match text {
        "all" => Ok(Tried::All),
        text => Ok(Tried::One(text.parse()?)),
    }
}

/// The services of the drivers in C.
const C_CLIENT: &str = "c_client";
const C_BROKEN: &str = "c_broken";
const C_MANAGER: &str = "c_mcm";
const C_PENDING: &str = "c_mcm_pended";

/// What came of it; this is what `--json` writes.
#[derive(Default, Serialize)]
struct Summary {
    wine: String,
    seed: u32,
    seeds: u32,
    /// How many readings of the documentation.
    readings: usize,
    /// The sums of the runs in all topologies.
    #[serde(flatten)]
    clients: Clients,
    /// Those of each one.
    topologies: BTreeMap<&'static str, Clients>,
    violations: usize,
    objects_left: usize,
    deadlocks: usize,
    /// Events of the runs, and how many of them were the same in this process.
    events: usize,
    events_equal: usize,
    /// The drivers' modules that Wine loaded, and from whom they were.
    modules: BTreeMap<String, String>,
    /// How many of the drivers' imports from the kernel the host answered, in the run with the most.
    imports_routed: usize,
    /// What the client in C saw.
    c_client: Option<Figures>,
    /// What the broken client was reported for.
    broken: Option<Violation>,
    /// How the runs of drivers that panic, fault or hang have ended.
    failing: BTreeMap<String, String>,
    seconds: f64,
}

/// What the clients in Rust saw, or the models of NDPROXY and NDISWAN.
#[derive(Clone, Copy, Default, Serialize)]
struct Clients {
    #[serde(flatten)]
    caller: Figures,
    /// Frames that the callee took and echoed.
    frames_received: u64,
}

/// Runs the command.
pub fn run(args: &WineArgs) -> Result<()> {
    execute(args)?.said()
}

/// The step of `cargo xtask test`: images as they are shipped, several seeds and readings.
pub fn prove() -> Result<Outcome> {
    execute(&WineArgs {
        topology: None,
        calls: 3,
        frames: 8,
        seed: 1,
        seeds: 2,
        readings: Tried::Several,
        watchdog: 60_000,
        steps: 10_000_000,
        release: true,
        json: None,
    })
}

fn execute(args: &WineArgs) -> Result<Outcome> {
    let Some(wine) = Wine::find() else {
        return Ok(Outcome::Missing(
            "no 64-bit Wine; Debian's package is wine64".to_owned(),
        ));
    };
    let start = Instant::now();
    let version = wine.version();
    say!("{version}");
    // Neither needs the other, nor more than a part of the machine.
    let (prefix, built) = thread::scope(|scope| {
        let prefix = scope.spawn(|| Prefix::create(wine, &workspace::target().join("wine")));
        let built = build(args.release);
        let prefix = prefix
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (prefix, built)
    });
    let Built { images, without_c } = match built? {
        Ok(built) => built,
        Err(missing) => return Ok(missing),
    };
    let mut world = World::new(prefix?, images)?;
    let readings = args.readings.list();
    let mut summary = Summary {
        wine: version,
        seed: args.seed,
        seeds: args.seeds,
        readings: readings.len(),
        ..Summary::default()
    };
    let settings = |topology: Topology, seed, readings| Settings {
        seed,
        readings,
        adapters: topology.adapters(),
        watchdog: args.watchdog,
        steps: args.steps,
    };

    for topology in args.topologies() {
        let drivers = topology.drivers();
        let services: Vec<&str> = drivers.iter().map(|(service, _)| *service).collect();
        // The same in both worlds.
        let parameters = topology.parameters(args.calls, args.frames);
        for seed in (args.seed..).take(args.seeds as usize) {
            for readings in &readings {
                let settings = settings(*topology, seed, topology.readings(*readings));
                let account = world.drive(&settings, &services, of_services(&parameters))?;
                summary.enter(*topology, &account, args)?;
                let here = in_process(&settings, &parameters, &drivers)?;
                summary.compare(&settings, &account.events, &here);
            }
        }
    }

    if args.topologies().contains(&Topology::Mcm) {
        let readings = readings.first().copied().unwrap_or_default();
        let settings = settings(Topology::Mcm, args.seed, readings);
        // A second compiler, and a driver that breaks a rule.
        match without_c {
            None => {
                let (figures, broken) = run_c(&mut world, &mut summary, &settings)?;
                summary.c_client = Some(figures);
                summary.broken = Some(broken);
            }
            Some(why) if workspace::on_ci() => return Ok(Outcome::Missing(why)),
            Some(why) => say!("SKIPPED, the client in C: {why}"),
        }
        run_failing(&mut world, &mut summary, &settings)?;
    }

    summary.modules = world.end()?;
    summary.seconds = start.elapsed().as_secs_f64();
    let text = serde_json::to_string_pretty(&summary)? + "\n";
    say!("{}", text.trim_end());
    if let Some(path) = &args.json {
        fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    summary.judge()?;
    let mut topologies = String::new();
    for (name, Clients { caller, .. }) in &summary.topologies {
        topologies += &format!(
            "{name} {} calls, {} frames; ",
            caller.calls_completed, caller.frames_echoed
        );
    }
    Ok(Outcome::Passed(format!(
        "{topologies}{} of {} events equal, {} modules native",
        summary.events_equal,
        summary.events,
        summary.modules.len(),
    )))
}

impl WineArgs {
    fn topologies(&self) -> &[Topology] {
        self.topology
            .as_ref()
            .map_or(&Topology::ALL, std::slice::from_ref)
    }
}

/// What there is to run.
struct Built {
    /// The image of each service.
    images: BTreeMap<String, PathBuf>,
    /// Why the drivers in C are not among them, if so.
    without_c: Option<String>,
}

/// Builds all images; the inner error says what is missing here.
fn build(release: bool) -> Result<Result<Built, Outcome>> {
    if let Err(missing) = sys::build(Arch::X64, release)? {
        return Ok(Err(missing));
    }
    let folder = sys::folder(Arch::X64);
    let mut images = BTreeMap::new();
    for (service, file) in FILES.into_iter().chain([(NDIS, NDIS)]) {
        let path = folder.join(file).with_extension("sys");
        images.insert(service.to_owned(), path);
    }
    let failing = failing::build(&folder, release)?;
    for driver in &failing::ALL {
        images.insert(driver.service.to_owned(), failing.clone());
    }
    let mut without_c = None;
    for (service, driver) in [
        (C_CLIENT, c_client::CLIENT),
        (C_BROKEN, c_client::BROKEN),
        (C_MANAGER, c_client::MANAGER),
        (C_PENDING, c_client::PENDING),
    ] {
        let folder = folder.join(service);
        match c_client::build(Arch::X64, &driver, &folder)? {
            Outcome::Passed(what) => say!("{what}"),
            Outcome::Missing(why) | Outcome::Skipped(why) => {
                without_c = Some(why);
                break;
            }
        }
        images.insert(service.to_owned(), folder.join(driver.image));
    }
    Ok(Ok(Built { images, without_c }))
}

/// The parameters of each service.
fn of_services(parameters: &[Parameter]) -> Vec<Parameters> {
    let mut services: Vec<&str> = parameters.iter().map(|(service, ..)| *service).collect();
    services.dedup();
    let of = |service: &str| {
        let own = parameters.iter().filter(|(of, ..)| *of == service);
        own.fold(Parameters::of(service), |all, (_, name, value)| {
            all.number(name, *value)
        })
    };
    services.into_iter().map(of).collect()
}

/// The same drivers, loaded into this process; gives the event log.
fn in_process(
    settings: &Settings,
    parameters: &[Parameter],
    drivers: &[Driver],
) -> Result<Vec<String>> {
    let host = Host::builder()
        .seed(settings.seed.into())
        .readings(settings.readings)
        .watchdog(settings.watchdog)
        .limit(match settings.steps {
            0 => u64::MAX,
            steps => steps.into(),
        })
        .events(EventMode::All)
        .build();
    for (service, name, value) in parameters {
        host.set_parameter(service, name, *value);
    }
    let loads = drivers.iter().map(|(name, entry)| {
        // SAFETY: the drivers' entry points, which the host calls as Windows does.
        move |host: &Host| unsafe { host.load(name, *entry) }
    });
    let outcome = host.whole_life_on(settings.adapters, loads);
    let events = host.events().iter().map(ToString::to_string).collect();
    let report = host.finish();
    if let Err(status) = outcome {
        bail!("in this process the drivers fail with {status:#010x}");
    }
    if !report.is_clean() {
        bail!("in this process the run is not clean: {report}");
    }
    Ok(events)
}

/// How many lines are the same from the start on; the first difference is shown.
fn compare(settings: &Settings, images: &[String], here: &[String]) -> usize {
    let equal = images
        .iter()
        .zip(here)
        .take_while(|(image, here)| image == here)
        .count();
    if equal < images.len().max(here.len()) {
        let end = "(the end)".to_owned();
        say!(
            "seed {}, {{{}}}, first difference of the event logs:\n  images:       {}\n  this process: {}",
            settings.seed,
            settings.readings.describe(),
            images.get(equal).unwrap_or(&end),
            here.get(equal).unwrap_or(&end)
        );
    }
    equal
}

/// The client in C, as it should be and broken.
fn run_c(
    world: &mut World,
    summary: &mut Summary,
    settings: &Settings,
) -> Result<(Figures, Violation)> {
    // Both ends in C, the call manager in both of its builds; and the switch in Rust.
    good_run(world, settings, &[C_MANAGER, C_CLIENT])?;
    good_run(world, settings, &[C_PENDING, C_CLIENT])?;
    let (figures, account) = good_run(world, settings, &[SWITCH, CALLEE, C_CLIENT])?;
    // In this process by another compiler, and where there is one.
    if let Some(entry) = c_client_here::ENTRY {
        let drivers: [Driver; 3] = [
            (SWITCH, loopback_mcm::driver_entry),
            (CALLEE, echo_client::driver_entry),
            (C_CLIENT, entry),
        ];
        let here = in_process(settings, &[], &drivers)?;
        summary.compare(settings, &account.events, &here);
    }

    let account = world.drive(settings, &[SWITCH, CALLEE, C_BROKEN], Vec::new())?;
    let report = account.report()?;
    let Some(broken) = report
        .violations
        .iter()
        .find(|found| found.rule == c_client::BROKEN_RULE)
    else {
        bail!(
            "the broken client was not reported for {}",
            c_client::BROKEN_RULE
        );
    };
    if report
        .violations
        .iter()
        .any(|found| found.rule != broken.rule || found.who != C_BROKEN)
    {
        report.show();
        bail!("the broken client was reported for more than what it breaks");
    }
    Ok((figures, broken.clone()))
}

/// A wrong setting, and drivers that panic, fault or hang.
fn run_failing(world: &mut World, summary: &mut Summary, settings: &Settings) -> Result<()> {
    let wrong = Parameters::of(NDIS).string("Readings", "close_order: Never");
    let answer = world.drive_with_a_wrong_setting(settings, wrong)?;
    if !answer.ends_with("the answers are [Either, DeactivateFirst]") {
        bail!("a reading that there is not was answered with {answer:?}");
    }
    for driver in &failing::ALL {
        let end = driver.prove(world, settings, SWITCH)?;
        summary.failing.insert(driver.service.to_owned(), end);
    }
    Ok(())
}

/// A run in which the client in C gets back all that it sends, and nothing is reported.
fn good_run(
    world: &mut World,
    settings: &Settings,
    services: &[&str],
) -> Result<(Figures, Account)> {
    let account = world.drive(settings, services, Vec::new())?;
    let report = account.report()?;
    report.show();
    if report.count() > 0 {
        bail!("the run of {} is not clean", services.join(", "));
    }
    let figures = account.figures(C_CLIENT)?;
    if !figures.is_good() {
        bail!("not every frame of the client in C came back: {figures:?}");
    }
    Ok((figures, account))
}

impl Clients {
    fn add(&mut self, other: Self) {
        self.caller.add(other.caller);
        self.frames_received += other.frames_received;
    }
}

impl Summary {
    /// Takes in how far the logs of the images and of this process are the same.
    fn compare(&mut self, settings: &Settings, images: &[String], here: &[String]) {
        self.events += images.len().max(here.len());
        self.events_equal += compare(settings, images, here);
    }

    /// Takes a run in.
    fn enter(&mut self, topology: Topology, account: &Account, args: &WineArgs) -> Result<()> {
        let report = account.report()?;
        report.show();
        let seen = match topology {
            Topology::Mcm | Topology::Alone => Clients {
                caller: account.figures(CALLER)?,
                frames_received: account.figures(CALLEE)?.frames_taken,
            },
            Topology::Wan => {
                let caller = account.of_models(NDPROXY, NDISWAN, args.frames)?;
                Clients {
                    caller,
                    frames_received: caller.frames_taken,
                }
            }
        };
        self.clients.add(seen);
        self.topologies
            .entry(topology.name())
            .or_default()
            .add(seen);
        self.violations += report.violations.len();
        self.objects_left += report.objects_left.len();
        self.deadlocks += report.deadlocks.len();
        self.imports_routed = self.imports_routed.max(account.routed.len());
        Ok(())
    }

    /// Fails unless everything is as it must be.
    fn judge(&self) -> Result<()> {
        let mut wrong = Vec::new();
        let mut need = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        for (
            name,
            Clients {
                caller,
                frames_received,
            },
        ) in &self.topologies
        {
            need(
                caller.is_good(),
                &format!("{name}: not every frame came back"),
            );
            need(
                // NDISWAN sends a frame again that is not back after a while.
                *frames_received == caller.frames_sent
                    || *name == Topology::Wan.name() && *frames_received > caller.frames_sent,
                &format!("{name}: frames were lost"),
            );
        }
        need(
            self.violations == 0 && self.objects_left == 0 && self.deadlocks == 0,
            "the host has found something",
        );
        need(
            self.events > 0 && self.events_equal == self.events,
            "the event logs differ",
        );
        if !wrong.is_empty() {
            bail!(wrong.join("; "));
        }
        Ok(())
    }
}
