//! Wine with our images in it: runs of drivers over the host's image, one after the other, all in
//! one session of Wine's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ndis_host::Readings;

use super::{
    account::Account,
    log::{self, Module},
    prefix::{GLANCE, Parameters, Prefix},
};
use crate::sys::{exports, pe::Image};

/// The service of the host's image.
pub const NDIS: &str = "ndis";

/// The account, on Wine's drive `C:`.
const ACCOUNT: &str = "account.json";

/// How often is looked, while an account does not come, whether its writer is still there.
const ROUND: Duration = Duration::from_secs(2);
/// The host's image ends a run that does not get on, however fast the machine is. This is for an
/// image that cannot even do that.
const LAST_RESORT: Duration = Duration::from_secs(3600);

/// What the host's image is told of a run.
#[derive(Clone, Copy)]
pub struct Settings {
    pub seed: u32,
    pub readings: Readings,
    /// How many adapters a miniport has.
    pub adapters: u32,
    /// How long, in milliseconds, a driver may say nothing.
    pub watchdog: u32,
    /// How often the baton may be handed on.
    pub steps: u32,
}

pub struct World {
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
    /// Makes services of images, the host's among them, and begins the session.
    pub fn new(mut prefix: Prefix, images: BTreeMap<String, PathBuf>) -> Result<Self> {
        prefix.install(&images)?;
        prefix.begin()?;
        Ok(Self {
            prefix,
            images,
            runs: BTreeMap::new(),
        })
    }

    /// Has the host's image run these services, and takes it away again; gives its account.
    pub fn drive(
        &mut self,
        settings: &Settings,
        services: &[&str],
        parameters: Vec<Parameters>,
    ) -> Result<Account> {
        let account = self.start(settings, services, parameters)?;
        if let Some(failure) = &account.failure {
            bail!("the run of {} ended early: {failure}", services.join(", "));
        }
        self.prefix.stop(NDIS)?;
        for service in services.iter().chain([&NDIS]) {
            self.runs.entry((*service).to_owned()).or_default().ended += 1;
        }
        self.prefix.lasts()?;
        self.judge_routes(services, &account)?;
        Ok(account)
    }

    /// The same for a run that does not come to its end: the host's image stops its system, which
    /// is a process of Wine's, after it has written the account.
    pub fn drive_to_failure(&mut self, settings: &Settings, services: &[&str]) -> Result<Account> {
        let account = self.start(settings, services, Vec::new())?;
        if account.failure.is_none() {
            bail!("the run of {} has come to its end", services.join(", "));
        }
        let end = Instant::now() + LAST_RESORT;
        while self.prefix.is_mapped(NDIS) {
            if Instant::now() > end {
                bail!("the host's image has not stopped its system");
            }
            thread::sleep(GLANCE);
        }
        self.prefix.lasts()?;
        Ok(account)
    }

    /// The same for a setting of the host's image that it does not take: gives what it says of it.
    pub fn drive_with_a_wrong_setting(
        &mut self,
        settings: &Settings,
        wrong: Parameters,
    ) -> Result<String> {
        let account = self.start(settings, &[], vec![wrong])?;
        // Wine keeps the image of a driver whose entry point has failed for the next start.
        self.runs.entry(NDIS.to_owned()).or_default().begun -= 1;
        account.failure.context("a wrong setting has been taken")
    }

    /// Starts the host's image with these services, and waits for its account.
    fn start(
        &mut self,
        settings: &Settings,
        services: &[&str],
        parameters: Vec<Parameters>,
    ) -> Result<Account> {
        for service in services.iter().chain([&NDIS]) {
            self.runs.entry((*service).to_owned()).or_default().begun += 1;
        }
        let path = self.prefix.file(ACCOUNT);
        if path.exists() {
            fs::remove_file(&path)?;
        }
        let mut all = vec![
            Parameters::of(NDIS)
                .list("Drivers", services)
                .number("Adapters", settings.adapters)
                .string("Report", &format!("\\??\\C:\\{ACCOUNT}"))
                .number("Seed", settings.seed)
                .string("Readings", &settings.readings.describe())
                .number("Watchdog", settings.watchdog)
                .number("Steps", settings.steps),
        ];
        // What is written later counts.
        all.extend(parameters);
        self.prefix.set(&all)?;
        let started = self.prefix.start(NDIS);
        let account = self.wait_for(&path, started.is_ok());
        match (account, started) {
            (Ok(account), _) => Ok(account),
            // What has become of the session says more than the command, which knows only that
            // the service is gone.
            (Err(_), Err(error)) => Err(self.prefix.lasts().err().unwrap_or(error)),
            (Err(error), Ok(())) => Err(error),
        }
    }

    /// Waits for an account as long as there is somebody to write it.
    fn wait_for(&mut self, path: &Path, started: bool) -> Result<Account> {
        let begin = Instant::now();
        let mut round = begin;
        let mut writer = started;
        loop {
            if let Some(text) = whole(path)? {
                return serde_json::from_slice(&text)
                    .with_context(|| format!("{} makes no sense", path.display()));
            }
            if !writer {
                bail!("the host's image has ended and left no account");
            }
            if round.elapsed() > ROUND {
                self.prefix.lasts()?;
                writer = self.prefix.is_mapped(NDIS);
                round = Instant::now();
                if begin.elapsed() > LAST_RESORT {
                    bail!("the host's image does not come to an end");
                }
                continue;
            }
            thread::sleep(GLANCE);
        }
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

    /// Ends the session. Every module was ours, and went as often as it came: gives their kinds.
    pub fn end(mut self) -> Result<BTreeMap<String, String>> {
        self.prefix.lasts()?;
        self.prefix.end()?;
        let services: Vec<&str> = self.images.keys().map(String::as_str).collect();
        let modules = log::modules(self.prefix.log(), &services)?;
        let mut kinds = BTreeMap::new();
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
            kinds.insert(name, kind);
        }
        Ok(kinds)
    }
}

/// The account, once all of it is there: it ends with a line's end, and has no other.
fn whole(path: &Path) -> Result<Option<Vec<u8>>> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let Ok(mut file) = fs::File::open(path) else {
        return Ok(None);
    };
    let mut last = [0];
    if file.seek(SeekFrom::End(-1)).is_err() || file.read(&mut last)? == 0 || last != *b"\n" {
        return Ok(None);
    }
    file.rewind()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(Some(text))
}
