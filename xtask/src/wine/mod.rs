//! `cargo xtask wine`: the images, run by a loader that is not ours.
//!
//! Wine loads kernel drivers: it maps an image, relocates it, resolves its imports, calls its entry
//! point. In place of its own `ndis.sys` it gets ours, which is `ndis-host`. So the two drivers, and
//! a client that is written in C, run as images against images; what the host finds comes back in a
//! file. The same drivers then run in this process with the same seed, and both event logs must be
//! the same, line by line.

mod account;
mod log;
pub mod panics;
mod prefix;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use ::c_client as c_client_here;
use anyhow::{Context, Result, bail};
use ndis_host::{EntryPoint, EventMode, Host};
use serde::Serialize;

use self::{
    account::{Account, Figures, Violation},
    log::Module,
    prefix::{Parameter, Prefix, Session, Wine},
};
use crate::{
    arch::Arch,
    c_client,
    steps::Outcome,
    sys::{self, exports, pe::Image},
    workspace,
};

/// What to run, and where to put the account.
#[derive(clap::Args)]
pub struct WineArgs {
    /// How many calls the caller places.
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
    /// Images with optimizations.
    #[arg(long)]
    release: bool,
    /// Write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The services. The caller is the client's image once more, under another name: two services
/// cannot share a file.
const NDIS: &str = "ndis";
const SWITCH: &str = "loopback_mcm";
const CALLEE: &str = "echo_client";
const CALLER: &str = "echo_caller";
const C_CLIENT: &str = "c_client";
const C_BROKEN: &str = "c_broken";
const C_MANAGER: &str = "c_mcm";
const C_PENDING: &str = "c_mcm_pended";

/// The account, on Wine's drive `C:`.
const ACCOUNT: &str = "account.json";

/// What came of it; this is what `--json` writes.
#[derive(Serialize)]
struct Summary {
    wine: String,
    seed: u32,
    seeds: u32,
    #[serde(flatten)]
    caller: Figures,
    /// Frames that the callee took and echoed.
    frames_received: u64,
    violations: usize,
    objects_left: usize,
    deadlocks: usize,
    /// Events of the runs, and how many of them were the same in this process.
    events: usize,
    events_equal: usize,
    /// The drivers' modules that Wine loaded, and from whom they were.
    modules: BTreeMap<String, String>,
    /// How many of the drivers' imports from the kernel the host answered.
    imports_routed: usize,
    /// What the client in C saw.
    c_client: Option<Figures>,
    /// What the broken client was reported for.
    broken: Option<Violation>,
    /// How a driver that panics has ended.
    panic: String,
    seconds: f64,
}

/// Runs the command.
pub fn run(args: &WineArgs) -> Result<()> {
    execute(args)?.said()
}

/// The step of `cargo xtask test`: images as they are shipped, and several seeds.
pub fn prove() -> Result<Outcome> {
    execute(&WineArgs {
        calls: 3,
        frames: 8,
        seed: 1,
        seeds: 5,
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
    if let Err(missing) = sys::build(Arch::X64, args.release)? {
        return Ok(missing);
    }
    let images = sys::folder(Arch::X64);
    let version = wine.version();
    println!("{version}");
    let mut world = World::new(wine, &images)?;
    let mut summary = Summary {
        wine: version,
        seed: args.seed,
        seeds: args.seeds,
        caller: Figures::default(),
        frames_received: 0,
        violations: 0,
        objects_left: 0,
        deadlocks: 0,
        events: 0,
        events_equal: 0,
        modules: BTreeMap::new(),
        imports_routed: 0,
        c_client: None,
        broken: None,
        panic: String::new(),
        seconds: 0.0,
    };

    // The same in both worlds.
    let parameters = [
        ("Listen", 0),
        ("Dial", 7),
        ("Calls", args.calls),
        ("Frames", args.frames),
    ];
    world.prefix.set(CALLER, &parameters)?;
    for seed in (args.seed..).take(args.seeds as usize) {
        world.prefix.set(NDIS, &[("Seed", seed)])?;
        let account = world.drive(&[SWITCH, CALLEE, CALLER])?;
        summary.enter(&account)?;
        let drivers: [(_, EntryPoint); 3] = [
            (SWITCH, loopback_mcm::driver_entry),
            (CALLEE, echo_client::driver_entry),
            (CALLER, echo_client::driver_entry),
        ];
        let here = in_process(seed, &parameters, drivers)?;
        summary.events += account.events.len().max(here.len());
        summary.events_equal += compare(seed, &account.events, &here);
    }

    // A second compiler, and a driver that breaks a rule.
    world.prefix.set(NDIS, &[("Seed", args.seed)])?;
    match run_c(&mut world, &images, &mut summary, args.seed)? {
        Ok((figures, broken)) => {
            summary.c_client = Some(figures);
            summary.broken = Some(broken);
        }
        Err(Outcome::Missing(why) | Outcome::Skipped(why) | Outcome::Passed(why)) => {
            if workspace::on_ci() {
                return Ok(Outcome::Missing(why));
            }
            println!("SKIPPED, the client in C: {why}");
        }
    }

    // The last one: the system has stopped afterwards.
    world.install(panics::SERVICE, &panics::build(&images)?)?;
    let account = world.start(&[panics::SERVICE])?;
    summary.panic = panics::judge(&account)?;
    world.prefix.kill()?;

    world.judge_modules(&mut summary)?;
    summary.seconds = start.elapsed().as_secs_f64();
    let text = serde_json::to_string_pretty(&summary)? + "\n";
    print!("{text}");
    if let Some(path) = &args.json {
        fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    summary.judge()?;
    Ok(Outcome::Passed(format!(
        "{} calls, {} frames, {} of {} events equal, {} modules native",
        summary.caller.calls_completed,
        summary.caller.frames_echoed,
        summary.events_equal,
        summary.events,
        summary.modules.len(),
    )))
}

/// Wine with our images in it.
struct World {
    /// Keeps Wine's session alive while services run. Ends before the prefix does.
    session: Option<Session>,
    prefix: Prefix,
    /// The image behind each service.
    images: BTreeMap<String, PathBuf>,
    /// How often each service was loaded, and how often it went.
    runs: BTreeMap<String, Runs>,
}

#[derive(Clone, Copy, Default)]
struct Runs {
    begun: usize,
    ended: usize,
}

impl World {
    fn new(wine: Wine, images: &Path) -> Result<Self> {
        let mut world = Self {
            session: None,
            prefix: Prefix::create(wine, &workspace::target().join("wine"))?,
            images: BTreeMap::new(),
            runs: BTreeMap::new(),
        };
        let image = |service: &str| images.join(service).with_extension("sys");
        world.prefix.replace(NDIS, &image(NDIS))?;
        world.install(SWITCH, &image(SWITCH))?;
        world.install(CALLEE, &image(CALLEE))?;
        world.install(CALLER, &image(CALLEE))?;
        Ok(world)
    }

    fn install(&mut self, service: &str, image: &Path) -> Result<()> {
        self.images.insert(service.to_owned(), image.to_owned());
        self.prefix.install(service, image)
    }

    /// Has the host's image run these services, and takes it away again; gives its account.
    fn drive(&mut self, services: &[&str]) -> Result<Account> {
        let account = self.start(services)?;
        if let Some(failure) = &account.failure {
            bail!("the run ended early: {failure}");
        }
        self.prefix.stop(NDIS)?;
        for service in services.iter().chain([&NDIS]) {
            self.runs.entry((*service).to_owned()).or_default().ended += 1;
        }
        self.judge_routes(services, &account)?;
        Ok(account)
    }

    /// Starts the host's image with these services, and waits for its account.
    fn start(&mut self, services: &[&str]) -> Result<Account> {
        for service in services.iter().chain([&NDIS]) {
            self.runs.entry((*service).to_owned()).or_default().begun += 1;
        }
        let path = self.prefix.file(ACCOUNT);
        if path.exists() {
            fs::remove_file(&path)?;
        }
        let report = format!("\\??\\C:\\{ACCOUNT}");
        self.prefix
            .set_strings(NDIS, ("Drivers", services), ("Report", &report))?;
        // The services are started anew, with their messages in the log.
        self.session = None;
        self.prefix.settle()?;
        self.session = Some(self.prefix.session()?);
        // An account says more than the command, which knows only that the service is gone.
        let started = self.prefix.start(NDIS);
        let account = prefix::wait_for(&path, started.is_ok(), |data| {
            serde_json::from_slice(data).ok()
        });
        // A service that Wine has ended together with its session says nothing else.
        if account.is_err() && self.session.as_mut().is_some_and(|s| !s.is_alive()) {
            bail!("Wine's session has ended under the services");
        }
        match (account, started) {
            (Ok(account), _) => Ok(account),
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        }
    }

    /// A run in which the client in C gets back all that it sends, and nothing is reported.
    fn good_run(&mut self, services: &[&str]) -> Result<(Figures, Account)> {
        let account = self.drive(services)?;
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

    /// Each import from the kernel that the host has must have been answered by the host: a call
    /// that went past it is a call that nobody checked.
    fn judge_routes(&self, services: &[&str], account: &Account) -> Result<()> {
        let host: BTreeSet<&str> = ndis_host::exported().map(|(name, _)| name).collect();
        let mut due = BTreeSet::new();
        for service in services {
            let path = self.images.get(*service).context("an unknown service")?;
            let image = Image::read(path)?;
            for (module, names) in &image.imports {
                if module == exports::MODULES[0] {
                    continue;
                }
                for name in names {
                    if host.contains(name.as_str()) && !account.kept.contains(name) {
                        due.insert((format!("{service}.sys"), name.clone()));
                    }
                }
            }
        }
        let routed: BTreeSet<_> = account.routed.iter().cloned().collect();
        if due.is_empty() || due != routed {
            let missing: Vec<_> = due.symmetric_difference(&routed).collect();
            bail!("imports that should have been routed, or should not: {missing:?}");
        }
        Ok(())
    }

    /// Every module was ours, and went as often as it came.
    fn judge_modules(&self, summary: &mut Summary) -> Result<()> {
        let mut services: Vec<&str> = self.images.keys().map(String::as_str).collect();
        services.push(NDIS);
        let modules = log::modules(self.prefix.log(), &services)?;
        for (service, runs) in &self.runs {
            let name = format!("{service}.sys");
            let Module {
                kind,
                loaded,
                unloaded,
            } = modules.get(&name).cloned().unwrap_or_default();
            if kind != "native" || loaded != runs.begun || unloaded != runs.ended {
                bail!(
                    "{name}: {loaded} times loaded as {kind:?}, not {}, and {unloaded} times unloaded, not {}",
                    runs.begun,
                    runs.ended
                );
            }
            summary.modules.insert(name, kind);
        }
        Ok(())
    }
}

/// The same drivers, loaded into this process; gives the event log.
fn in_process(
    seed: u32,
    caller: &[Parameter<'_>],
    drivers: [(&'static str, EntryPoint); 3],
) -> Result<Vec<String>> {
    let host = Host::builder()
        .seed(seed.into())
        .events(EventMode::All)
        .build();
    for (name, value) in caller {
        host.set_parameter(CALLER, name, *value);
    }
    // SAFETY: the drivers' entry points, which the host calls as Windows does.
    let loads = drivers.map(|(name, entry)| move |host: &Host| unsafe { host.load(name, entry) });
    let outcome = host.whole_life(loads);
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
fn compare(seed: u32, images: &[String], here: &[String]) -> usize {
    let equal = images
        .iter()
        .zip(here)
        .take_while(|(image, here)| image == here)
        .count();
    if equal < images.len().max(here.len()) {
        let end = "(the end)".to_owned();
        println!(
            "seed {seed}, first difference of the event logs:\n  images:       {}\n  this process: {}",
            images.get(equal).unwrap_or(&end),
            here.get(equal).unwrap_or(&end)
        );
    }
    equal
}

/// The client in C, as it should be and broken.
fn run_c(
    world: &mut World,
    images: &Path,
    summary: &mut Summary,
    seed: u32,
) -> Result<Result<(Figures, Violation), Outcome>> {
    for (service, driver) in [
        (C_CLIENT, c_client::CLIENT),
        (C_BROKEN, c_client::BROKEN),
        (C_MANAGER, c_client::MANAGER),
        (C_PENDING, c_client::PENDING),
    ] {
        let folder = images.join(service);
        match c_client::build(Arch::X64, &driver, &folder)? {
            Outcome::Passed(what) => println!("{what}"),
            missing => return Ok(Err(missing)),
        }
        world.install(service, &folder.join(driver.image))?;
    }
    // Both ends in C, the call manager in both of its builds; and the switch in Rust.
    world.good_run(&[C_MANAGER, C_CLIENT])?;
    world.good_run(&[C_PENDING, C_CLIENT])?;
    let (figures, account) = world.good_run(&[SWITCH, CALLEE, C_CLIENT])?;
    // In this process by another compiler, and where there is one.
    if let Some(entry) = c_client_here::ENTRY {
        let drivers: [(_, EntryPoint); 3] = [
            (SWITCH, loopback_mcm::driver_entry),
            (CALLEE, echo_client::driver_entry),
            (C_CLIENT, entry),
        ];
        let here = in_process(seed, &[], drivers)?;
        summary.events += account.events.len().max(here.len());
        summary.events_equal += compare(seed, &account.events, &here);
    }

    let account = world.drive(&[SWITCH, CALLEE, C_BROKEN])?;
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
    Ok(Ok((figures, broken.clone())))
}

impl Summary {
    /// Takes a run in.
    fn enter(&mut self, account: &Account) -> Result<()> {
        let report = account.report()?;
        report.show();
        self.caller.add(account.figures(CALLER)?);
        self.frames_received += account.figures(CALLEE)?.frames_taken;
        self.violations += report.violations.len();
        self.objects_left += report.objects_left.len();
        self.deadlocks += report.deadlocks.len();
        self.imports_routed = account.routed.len();
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
        need(self.caller.is_good(), "not every frame came back");
        need(
            self.frames_received == self.caller.frames_sent,
            "frames were lost",
        );
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
