//! Loading a driver that a test has made: the only unsafe code here.

use ndis_co::{Protocol, Status, client::Entry};
use ndis_host::{Driver, Host};

/// Loads the driver that `make` makes.
///
/// # Errors
///
/// Why it could not be made, or registered.
#[allow(unsafe_code)]
pub(super) fn load<P: Protocol>(
    host: &Host,
    name: &str,
    make: impl FnOnce() -> Result<P, Status> + Send + 'static,
) -> Result<Driver, Status> {
    let loaded = host.load_with(name, move |object, path| match make() {
        // SAFETY: the host calls this once, as a loader calls a DriverEntry: at PASSIVE_LEVEL, with
        // a driver object of this driver's alone (rules REG-28 and REG-29), both of which it keeps
        // for the call.
        Ok(driver) => unsafe { Entry::new(driver).run(object, path) },
        Err(status) => status.raw(),
    });
    loaded.map_err(Status::from_raw)
}
