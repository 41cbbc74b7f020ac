//! The run: load the drivers, bring their adapters up, let things happen, take
//! everything down, account for it.
//!
//! Each driver's image is loaded by the system's own loader, from a task of the
//! host, so that what the driver does in its entry point is part of the run
//! like all the rest, and the same seed gives the same run as in a test.

use crate::account::{self, Account};
use crate::kernel::{self, NTSTATUS};
use crate::route;
use crate::settings::Settings;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ndis_host::{Driver, EventMode, Host};

/// Where Windows keeps its services. The loader knows them by this path.
const SERVICES: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";

/// Calls a function of the loader with a service's path.
fn with_service(
    name: &str,
    function: unsafe extern "system" fn(*mut kernel::UNICODE_STRING) -> NTSTATUS,
) -> NTSTATUS {
    let mut path = kernel::wide(&alloc::format!("{SERVICES}{name}"));
    let mut path = kernel::counted(&mut path);
    // SAFETY: a counted string that lives for the call, at PASSIVE_LEVEL.
    unsafe { function(&mut path) }
}

/// Loads a service's image, to be unloaded by the same loader.
fn load(host: &Host, name: &str) -> Result<Driver, NTSTATUS> {
    let (load, unload) = (String::from(name), String::from(name));
    host.load_image(
        name,
        move || with_service(&load, kernel::ZwLoadDriver),
        move || with_service(&unload, kernel::ZwUnloadDriver),
    )
}

/// Does what the settings say.
pub fn run(settings: &Settings) {
    account::set_path(&settings.report);
    let host = Host::builder()
        .seed(settings.seed)
        .events(EventMode::All)
        .build();
    let loads = settings
        .drivers
        .iter()
        .map(|name| move |host: &Host| load(host, name));
    let failure = host
        .whole_life(loads)
        .err()
        .map(|status| ndis_host::StatusName(status).to_string());
    let printed = host.printed();
    let events: Vec<String> = host.events().iter().map(ToString::to_string).collect();
    let report = host.finish();
    account::write(&Account {
        failure: failure.as_deref(),
        report: Some(&report),
        printed: &printed,
        events: &events,
        routed: &route::routed(),
    });
}
