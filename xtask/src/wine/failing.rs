//! The drivers that fail on purpose, of the package `failing`: one that panics, one that faults, some that
//! do not get on. Whatever they do, an account must come of it that names them.
//!
//! Under the host a panic of a driver is a panic of the test, with its message. In an image it must
//! stop the system with the documented code, and nothing may unwind.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{
    account::{Account, Report},
    world::{Settings, World},
};
use crate::{arch::Arch, sys::Artifacts, workspace};

/// A driver that fails.
pub struct Failing {
    /// The service. What the driver does it decides by the last letter.
    pub service: &'static str,
    /// How the account must say it.
    judge: fn(&Account, service: &str) -> Result<String>,
    /// Whether the run comes to its end nevertheless.
    survives: bool,
}

/// One image, under several names.
pub const ALL: [Failing; 6] = [
    Failing {
        service: "fail_panic",
        judge: panicked,
        survives: false,
    },
    Failing {
        service: "fail_fault",
        judge: faulted,
        survives: false,
    },
    Failing {
        service: "fail_wild",
        judge: faulted_in_the_host,
        survives: false,
    },
    Failing {
        service: "fail_hang",
        judge: hung,
        survives: false,
    },
    Failing {
        service: "fail_poll",
        judge: polled,
        survives: false,
    },
    Failing {
        service: "fail_mute",
        judge: kept_silent,
        survives: true,
    },
];

/// How long the one that hangs may do so, in milliseconds. However busy the machine is, the host
/// finds it where it hangs: it comes there by calls, and each one begins the time anew.
const WATCHDOG: u32 = 2_000;

/// Its only source.
const SOURCE: &str = include_str!("../../failing/src/lib.rs");

/// Where that is, as the compiler writes it into the image.
const PLACE: &str = "xtask/failing/src/lib.rs";

/// The package's manifest.
pub fn manifest() -> PathBuf {
    workspace::root().join("xtask/failing/Cargo.toml")
}

/// Builds it into the folder `images`; gives the file.
pub fn build(images: &Path, release: bool) -> Result<PathBuf> {
    let built = Artifacts::build(&manifest(), Arch::X64, release)?;
    built.install(images)
}

impl Failing {
    /// Runs it, with `other` loaded before it; gives what the account says of that.
    pub fn prove(&self, world: &mut World, settings: &Settings, other: &str) -> Result<String> {
        let settings = Settings {
            watchdog: WATCHDOG,
            ..*settings
        };
        let services = [other, self.service];
        let account = if self.survives {
            world.drive(&settings, &services, Vec::new())?
        } else {
            world.drive_to_failure(&settings, &services)?
        };
        (self.judge)(&account, self.service).with_context(|| format!("the run of {}", self.service))
    }
}

/// The report of a run, which must have broken these rules, in this order, all by the same driver.
fn report<'a>(account: &'a Account, service: &str, rules: &[&str]) -> Result<&'a Report> {
    let report = account.report.as_ref().context("it left no report")?;
    let found = report.violations.iter();
    let found: Vec<_> = found
        .map(|one| (one.rule.as_str(), one.who.as_str()))
        .collect();
    let due: Vec<_> = rules.iter().map(|rule| (*rule, service)).collect();
    if found != due {
        bail!("reported were {found:?}, not {due:?}");
    }
    Ok(report)
}

/// Why the run ended, which must have all these words in it.
fn failure(account: &Account, words: &[&str]) -> Result<String> {
    let failure = account.failure.as_deref().unwrap_or_default();
    match words.iter().find(|word| !failure.contains(**word)) {
        Some(word) => bail!("there is no {word:?} in why it ended: {failure:?}"),
        None => Ok(failure.to_owned()),
    }
}

/// A report of the host's, and the bug check, by its code, its reason, and the place of the panic
/// (the address of the file's name, of which nothing is known here, its length, and the line).
fn panicked(account: &Account, service: &str) -> Result<String> {
    let code = ndis_co::bugcheck::CODE;
    let reason = ndis_co::bugcheck::Reason::Panic as usize;
    let line = SOURCE
        .lines()
        .take_while(|line| !line.contains("panic!"))
        .count()
        + 1;
    report(account, service, &[ndis_host::rules::BUG_CHECK])?;
    failure(
        account,
        &[
            &format!("bug check {code:#010x} ({reason:#x}, "),
            &format!(", {:#x}, {line:#x})", PLACE.len()),
            &format!("from DriverEntry ({service})"),
        ],
    )
}

fn faulted(account: &Account, service: &str) -> Result<String> {
    let rules = [ndis_host::rules::MEMORY, ndis_host::rules::FAULT];
    report(account, service, &rules)?;
    failure(
        account,
        &[
            &format!("a write to 0x0, by {service}.sys+0x"),
            &format!("ProtocolBindAdapterEx ({service})"),
        ],
    )
}

/// The host has followed the driver's pointer, and may have been in the middle of something.
fn faulted_in_the_host(account: &Account, service: &str) -> Result<String> {
    let rules = [ndis_host::rules::MEMORY, ndis_host::rules::FAULT];
    report(account, service, &rules)?;
    failure(
        account,
        &[
            "a read of 0x80",
            "by ndis.sys+0x",
            &format!("KeSetEvent from ProtocolBindAdapterEx ({service})"),
        ],
    )
}

fn hung(account: &Account, service: &str) -> Result<String> {
    let report = report(account, service, &[ndis_host::rules::MEMORY])?;
    if report.deadlocks.len() != 1 {
        bail!("deadlocks are {:?}", report.deadlocks);
    }
    failure(
        account,
        &[
            &format!("for {WATCHDOG} ms nobody else could run"),
            &format!("ProtocolBindAdapterEx ({service})"),
        ],
    )
}

fn polled(account: &Account, service: &str) -> Result<String> {
    report(account, service, &[ndis_host::rules::MEMORY])?;
    failure(
        account,
        &[
            "calls, now KeGetCurrentIrql, and nobody else has run",
            &format!("ProtocolBindAdapterEx ({service})"),
        ],
    )
}

fn kept_silent(account: &Account, service: &str) -> Result<String> {
    let report = report(account, service, &[ndis_host::rules::MEMORY, UNANSWERED])?;
    let last = report.violations.last().context("there is none")?;
    Ok(last.message.clone())
}

/// The rule that a protocol driver breaks that never says what became of a binding.
const UNANSWERED: &str = "BIND-05";
