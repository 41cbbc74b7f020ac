//! The call manager in C, so that a Rust program can load it into a host.
//!
//! Whoever links this has to link what the driver calls: `ndis-host`.

#[cfg(not(no_c_mcm))]
use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

#[cfg(not(no_c_mcm))]
#[link(name = "c_mcm", kind = "static")]
unsafe extern "system" {
    /// The driver's `DriverEntry`; it answers each request on the spot.
    ///
    /// # Safety
    ///
    /// Called once for each load, with the driver's object, as Windows does.
    pub fn c_mcm_entry(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS;
}

/// Stands for all tests where the driver cannot be compiled, so that they are seen to be missing.
#[cfg(all(test, no_c_mcm))]
mod tests {
    #[test]
    #[ignore = "the call manager in C was not compiled; a warning of the build says why"]
    fn the_call_manager_in_c() {
        panic!("the call manager in C was not compiled; a warning of the build says why");
    }
}
