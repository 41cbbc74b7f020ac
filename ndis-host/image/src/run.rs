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
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_host::platform::Lock;
use ndis_host::{Driver, Event, EventMode, Host, Printed, Report, SERVICES, StatusName};

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

/// The host of this run, for its last words.
static HOST: Lock<Option<Arc<Host>>> = Lock::new(None);

/// Does what the settings say.
pub fn run(settings: &Settings) {
    let host = Host::builder()
        .seed(settings.seed)
        .readings(settings.readings)
        .watchdog(settings.watchdog)
        .limit(settings.steps)
        .events(EventMode::All)
        .last_words(last_words)
        .build();
    for (driver, of_adapters) in &settings.of_adapters {
        host.set_adapter_settings(driver, of_adapters.clone());
    }
    let host = Arc::new(host);
    *HOST.lock() = Some(host.clone());
    let loads = settings
        .drivers
        .iter()
        .map(|name| move |host: &Host| load(host, name));
    let failure = host
        .whole_life_on(settings.adapters, loads)
        .err()
        .map(|status| StatusName(status).to_string());
    *HOST.lock() = None;
    if let Some(host) = Arc::into_inner(host) {
        let (printed, events) = (host.printed(), host.events());
        // The host's threads end with it, before this image can go.
        account_for(&host.finish(), &printed, &events, failure.as_deref());
    }
}

/// The run cannot go on; the host panics next.
fn last_words(reason: &str) {
    let host = HOST.lock().clone();
    if let Some(host) = host {
        account_for(
            &host.report(),
            &host.printed(),
            &host.events(),
            Some(reason),
        );
    }
}

fn account_for(report: &Report, printed: &[Printed], events: &[Event], failure: Option<&str>) {
    let unrouted = route::unrouted();
    let events: Vec<String> = events.iter().map(ToString::to_string).collect();
    account::write(&Account {
        failure: failure.or(unrouted.as_deref()),
        report: Some(report),
        printed,
        events: &events,
        routed: &route::routed(),
        kept: &route::KEPT,
    });
}
