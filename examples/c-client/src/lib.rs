//! The client in C, so that a Rust program can load it into a host.
//!
//! Whoever links this has to link what the client calls: `ndis-host`.

use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

/// The type of a driver's entry point.
pub type EntryPoint =
    unsafe extern "system" fn(*mut DRIVER_OBJECT, *mut UNICODE_STRING) -> NTSTATUS;

/// The client's entry point; None where it could not be compiled.
#[cfg(not(no_c_client))]
pub const ENTRY: Option<EntryPoint> = Some(c_client_entry);
/// The client's entry point; None where it could not be compiled.
#[cfg(no_c_client)]
pub const ENTRY: Option<EntryPoint> = None;

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
