//! Drivers that fail on purpose, made for this test: one that panics, one that faults, some that do
//! not get on. Whatever they do, an account must come of it that names them.
//!
//! Under the host a panic of a driver is a panic of the test, with its message. In an image it must
//! stop the system with the documented code, and nothing may unwind.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    account::{Account, Report},
    world::{Settings, World},
};
use crate::{arch::Arch, sys::Artifacts, workspace};

/// The package; also its file.
const NAME: &str = "failing";

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

/// The panic handler is `ndis-co`'s. Those that get beyond their own entry point break a rule
/// before, which the account must still have.
const SOURCE: &str = r#"#![no_std]

use core::{
    ffi::c_void,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering},
};

use ndis_co as _;
use ndis_sys as n;

static PROTOCOL: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

#[unsafe(export_name = "DriverEntry")]
pub unsafe extern "system" fn driver_entry(
    object: *mut n::DRIVER_OBJECT,
    path: *const n::UNICODE_STRING,
) -> n::NTSTATUS {
    unsafe { n::NdisMSleep(1) };
    let letters = usize::from(unsafe { (*path).Length } / 2);
    let last = unsafe { (*path).Buffer.wrapping_add(letters).wrapping_sub(1).read() };
    if last == u16::from(b'c') {
        panic!("on purpose");
    }
    let mut name = [u16::from(b'R'), last];
    let mut table: n::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS = n::zeroed();
    table.Header.Type = n::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS as u8;
    table.Header.Revision = 2;
    table.Header.Size = n::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 as u16;
    table.MajorNdisVersion = 6;
    table.MinorNdisVersion = 30;
    table.Name.Length = 4;
    table.Name.MaximumLength = 4;
    table.Name.Buffer = name.as_mut_ptr();
    table.BindAdapterHandlerEx = Some(bind);
    table.UnbindAdapterHandlerEx = Some(unbind);
    table.OpenAdapterCompleteHandlerEx = Some(complete);
    table.CloseAdapterCompleteHandlerEx = Some(closed);
    table.NetPnPEventHandler = Some(event);
    unsafe { (*object).DriverUnload = Some(unload) };
    let context = core::ptr::without_provenance_mut(usize::from(last));
    unsafe { n::NdisRegisterProtocolDriver(context, &mut table, PROTOCOL.as_ptr()) }
}

unsafe extern "system" fn bind(
    context: n::NDIS_HANDLE,
    _bind: n::NDIS_HANDLE,
    _parameters: *mut n::NDIS_BIND_PARAMETERS,
) -> n::NDIS_STATUS {
    // Nobody has given it out.
    unsafe { n::ExFreePoolWithTag(core::ptr::without_provenance_mut(8), 0) };
    match context.addr() as u8 {
        b't' => unsafe { core::ptr::null_mut::<u32>().write_volatile(1) },
        b'd' => {
            unsafe { n::KeSetEvent(core::ptr::without_provenance_mut(0x8000), 0, 0) };
        }
        b'g' => loop {
            core::hint::spin_loop();
        },
        b'l' => while unsafe { n::KeGetCurrentIrql() } < 200 {},
        _ => return n::NDIS_STATUS_PENDING,
    }
    n::NDIS_STATUS_SUCCESS
}

unsafe extern "system" fn unbind(_: n::NDIS_HANDLE, _: n::NDIS_HANDLE) -> n::NDIS_STATUS {
    n::NDIS_STATUS_SUCCESS
}

unsafe extern "system" fn complete(_: n::NDIS_HANDLE, _: n::NDIS_STATUS) {}

unsafe extern "system" fn closed(_: n::NDIS_HANDLE) {}

unsafe extern "system" fn event(
    _: n::NDIS_HANDLE,
    _: *mut n::NET_PNP_EVENT_NOTIFICATION,
) -> n::NDIS_STATUS {
    n::NDIS_STATUS_SUCCESS
}

unsafe extern "system" fn unload(_: *mut n::DRIVER_OBJECT) {
    unsafe { n::NdisDeregisterProtocolDriver(PROTOCOL.load(Ordering::Relaxed)) };
}
"#;

/// Writes the package; gives the manifest.
pub fn write() -> Result<PathBuf> {
    let folder: PathBuf = workspace::target().join(NAME);
    fs::create_dir_all(folder.join("src"))?;
    let root = workspace::root();
    let manifest = format!(
        "[package]\nname = \"{NAME}\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [profile.release]\npanic = \"abort\"\n\n\
         [dependencies]\nndis-co = {{ path = {:?} }}\nndis-sys = {{ path = {:?} }}\n\n\
         [build-dependencies]\nndis-build = {{ path = {:?} }}\n",
        root.join("ndis-co"),
        root.join("ndis-sys"),
        root.join("ndis-build"),
    );
    // What is the same stays: cargo builds what is newer than what it has built.
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    put("Cargo.toml", &manifest)?;
    put("build.rs", "fn main() { ndis_build::link() }\n")?;
    put("src/lib.rs", SOURCE)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder.join("Cargo.toml"))
}

/// Builds it into the folder `images`; gives the file.
pub fn build(images: &Path, release: bool) -> Result<PathBuf> {
    let built = Artifacts::build(&write()?, Arch::X64, release)?;
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
            &format!(", {:#x}, {line:#x})", "src/lib.rs".len()),
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
