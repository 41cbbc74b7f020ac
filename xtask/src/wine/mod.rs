//! `cargo xtask wine`: the images, run by a loader that is not ours.
//!
//! Wine loads kernel drivers: it maps an image, relocates it, resolves its imports, calls its entry
//! point. In place of its own `ndis.sys` it gets ours, which is `ndis-host`. So the two drivers, and
//! a client that is written in C, run as images against images; what the host finds comes back in a
//! file. The same drivers then run in this process with the same seed, and both event logs must be
//! the same, line by line.

mod account;
mod panics;
mod prefix;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use ndis_host::{EntryPoint, EventMode, Host};
use serde::Serialize;

use self::{
    account::{Account, Figures, Violation},
    prefix::{Parameter, Prefix, Wine},
};
use crate::{arch::Arch, c_client, steps::Outcome, sys, workspace};

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

/// The account, on Wine's drive `C:`.
const ACCOUNT: &str = "account.json";

/// What came of it; this is what `--json` writes.
#[derive(Serialize)]
struct Summary {
    wine: String,
    seed: u32,
    #[serde(flatten)]
    caller: Figures,
    /// Frames that the callee took and echoed.
    frames_received: u64,
    violations: usize,
    objects_left: usize,
    deadlocks: usize,
    /// Events of the run, and how many of them were the same in this process.
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
    match execute(args)? {
        Outcome::Passed(remark) => println!("{remark}"),
        Outcome::Skipped(why) | Outcome::Missing(why) => bail!(why),
    }
    Ok(())
}

/// The step of `cargo xtask test`.
pub fn prove() -> Result<Outcome> {
    execute(&WineArgs {
        calls: 2,
        frames: 4,
        seed: 1,
        release: false,
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
    let prefix = Prefix::create(wine, &workspace::target().join("wine"))?;
    let image = |service: &str| images.join(service).with_extension("sys");
    prefix.replace(NDIS, &image(NDIS))?;
    prefix.install(SWITCH, &image(SWITCH))?;
    prefix.install(CALLEE, &image(CALLEE))?;
    prefix.install(CALLER, &image(CALLEE))?;
    let parameters = [
        ("Listen", 0),
        ("Dial", 7),
        ("Calls", args.calls),
        ("Frames", args.frames),
    ];
    prefix.set(CALLER, &parameters)?;
    prefix.set(NDIS, &[("Seed", args.seed)])?;

    // The same in both worlds.
    let account = drive(&prefix, &[SWITCH, CALLEE, CALLER])?;
    let report = account.report()?;
    for violation in &report.violations {
        println!(
            "{}: {} ({})",
            violation.rule, violation.message, violation.who
        );
    }
    for left in &report.objects_left {
        println!("left over: {} of {}", left.name, left.owner);
    }
    let here = in_process(args.seed, &parameters)?;
    let events_equal = compare(&account.events, &here);

    // A second compiler, and a driver that breaks a rule.
    let (c_client, broken) = match run_c(&prefix, &images)? {
        Ok((figures, broken)) => (Some(figures), Some(broken)),
        Err(Outcome::Missing(why) | Outcome::Skipped(why) | Outcome::Passed(why)) => {
            if workspace::on_ci() {
                return Ok(Outcome::Missing(why));
            }
            println!("SKIPPED, the client in C: {why}");
            (None, None)
        }
    };

    // The last one: the system has stopped afterwards.
    panics::install(&prefix, &images)?;
    let panic = panics::judge(start_with(&prefix, &[panics::SERVICE])?.failure.as_deref())?;
    prefix.kill()?;

    let summary = Summary {
        wine: version,
        seed: args.seed,
        caller: account.figures(CALLER)?,
        frames_received: account.figures(CALLEE)?.frames_taken,
        violations: report.violations.len(),
        objects_left: report.objects_left.len(),
        deadlocks: report.deadlocks.len(),
        events: account.events.len().max(here.len()),
        events_equal,
        modules: modules(prefix.log())?,
        imports_routed: account.routed.len(),
        c_client,
        broken,
        panic,
        seconds: start.elapsed().as_secs_f64(),
    };
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

/// Has the host's image run these services, and takes it away again; gives its account.
fn drive(prefix: &Prefix, services: &[&str]) -> Result<Account> {
    let account = start_with(prefix, services)?;
    prefix.stop(NDIS)?;
    Ok(account)
}

/// Starts the host's image with these services, and waits for its account.
fn start_with(prefix: &Prefix, services: &[&str]) -> Result<Account> {
    let path = prefix.file(ACCOUNT);
    if path.exists() {
        fs::remove_file(&path)?;
    }
    let report = format!("\\??\\C:\\{ACCOUNT}");
    prefix.set_strings(NDIS, ("Drivers", services), ("Report", &report))?;
    // The services are started anew, with their messages in the log.
    prefix.settle()?;
    prefix.start(NDIS)?;
    prefix::wait_for(&path, |data| serde_json::from_slice(data).ok())
}

/// The same drivers, loaded into this process; gives the event log.
fn in_process(seed: u32, caller: &[Parameter<'_>]) -> Result<Vec<String>> {
    let host = Host::builder()
        .seed(seed.into())
        .events(EventMode::All)
        .build();
    for (name, value) in caller {
        host.set_parameter(CALLER, name, *value);
    }
    let drivers: [(_, EntryPoint); 3] = [
        (SWITCH, loopback_mcm::driver_entry),
        (CALLEE, echo_client::driver_entry),
        (CALLER, echo_client::driver_entry),
    ];
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
fn compare(images: &[String], here: &[String]) -> usize {
    let equal = images
        .iter()
        .zip(here)
        .take_while(|(image, here)| image == here)
        .count();
    if equal < images.len().max(here.len()) {
        let end = "(the end)".to_owned();
        println!(
            "first difference of the event logs:\n  images:       {}\n  this process: {}",
            images.get(equal).unwrap_or(&end),
            here.get(equal).unwrap_or(&end)
        );
    }
    equal
}

/// The client in C, as it should be and broken.
fn run_c(prefix: &Prefix, images: &Path) -> Result<Result<(Figures, Violation), Outcome>> {
    for (service, broken) in [(C_CLIENT, false), (C_BROKEN, true)] {
        let folder = images.join(service);
        match c_client::build(Arch::X64, broken, &folder)? {
            Outcome::Passed(what) => println!("{what}"),
            missing => return Ok(Err(missing)),
        }
        prefix.install(service, &folder.join(c_client::IMAGE))?;
    }
    let account = drive(prefix, &[SWITCH, CALLEE, C_CLIENT])?;
    let report = account.report()?;
    if !report.violations.is_empty() || !report.objects_left.is_empty() {
        let rules: Vec<_> = report.violations.iter().map(|v| &v.rule).collect();
        bail!(
            "the client in C breaks {rules:?} and leaves {} objects",
            report.objects_left.len()
        );
    }
    let figures = account.figures(C_CLIENT)?;

    let account = drive(prefix, &[SWITCH, CALLEE, C_BROKEN])?;
    let found = account
        .report()?
        .violations
        .iter()
        .find(|violation| violation.rule == c_client::BROKEN_RULE);
    let broken = found.with_context(|| {
        format!(
            "the broken client was not reported for {}",
            c_client::BROKEN_RULE
        )
    })?;
    Ok(Ok((figures, broken.clone())))
}

/// The `.sys` modules that Wine's log says it loaded, each with `native` or `builtin`.
fn modules(log: &Path) -> Result<BTreeMap<String, String>> {
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains(":loaddll:")) {
        let Some((_, rest)) = line.split_once("Loaded L\"") else {
            continue;
        };
        let (Some((path, _)), Some((_, kind))) = (rest.split_once('"'), rest.rsplit_once(": "))
        else {
            continue;
        };
        let name = path.rsplit('\\').next().unwrap_or(path).to_lowercase();
        if [NDIS, SWITCH, CALLEE, CALLER, C_CLIENT, C_BROKEN]
            .iter()
            .any(|service| name == format!("{service}.sys"))
        {
            found.insert(name, kind.trim().to_owned());
        }
    }
    Ok(found)
}

impl Summary {
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
        let native = |name: &str| {
            let kind = self.modules.get(&format!("{name}.sys"));
            kind.is_some_and(|kind| kind == "native")
        };
        need(
            [NDIS, SWITCH, CALLEE, CALLER].into_iter().all(native),
            "a module is not native",
        );
        if let Some(figures) = &self.c_client {
            need(
                figures.is_good(),
                "not every frame of the client in C came back",
            );
            need(native(C_CLIENT), "the client in C is not native");
        }
        if !wrong.is_empty() {
            bail!(wrong.join("; "));
        }
        Ok(())
    }
}
