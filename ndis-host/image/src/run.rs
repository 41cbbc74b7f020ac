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
use ndis_host::{EventMode, Host};

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

/// Does what the settings say.
pub fn run(settings: &Settings) {
    account::set_path(&settings.report);
    let host = Host::builder()
        .seed(settings.seed)
        .events(EventMode::All)
        .build();
    let failure = drive(&host, &settings.drivers).err();
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

fn drive(host: &Host, services: &[String]) -> Result<(), String> {
    let mut drivers = Vec::new();
    let mut adapters = Vec::new();
    let mut outcome = Ok(());
    for name in services {
        let (load, unload) = (name.clone(), name.clone());
        let driver = host.load_image(
            name,
            move || with_service(&load, kernel::ZwLoadDriver),
            move || with_service(&unload, kernel::ZwUnloadDriver),
        );
        match driver {
            Ok(driver) => drivers.push(driver),
            Err(status) => {
                outcome = Err(alloc::format!("{name} does not load: {status:#010x}"));
                break;
            }
        }
    }
    if outcome.is_ok() {
        for driver in &drivers {
            match host.add_adapter(driver) {
                Ok(adapter) => adapters.push(adapter),
                // No miniport driver.
                Err(ndis_sys::NDIS_STATUS_ADAPTER_NOT_FOUND) => {}
                Err(status) => outcome = Err(alloc::format!("no adapter: {status:#010x}")),
            }
        }
        host.run();
    }
    for adapter in &adapters {
        host.remove_adapter(adapter);
    }
    for driver in drivers.iter().rev() {
        host.unload(driver);
    }
    outcome
}
