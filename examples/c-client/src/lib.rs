//! The client in C, so that a Rust program can load it into a host.
//!
//! Whoever links this has to link what the client calls: `ndis-host`.

#[cfg(not(no_c_client))]
use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

#[cfg(not(no_c_client))]
#[link(name = "c_client", kind = "static")]
unsafe extern "system" {
    /// The client's `DriverEntry`.
    ///
    /// # Safety
    ///
    /// Called once for each load, with the driver's object, as Windows does.
    pub fn c_client_entry(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS;
}

/// Stands for all tests where the client cannot be compiled, so that they are seen to be missing.
#[cfg(all(test, no_c_client))]
mod tests {
    #[test]
    #[ignore = "the client in C was not compiled; a warning of the build says why"]
    fn the_client_in_c() {
        panic!("the client in C was not compiled; a warning of the build says why");
    }
}
