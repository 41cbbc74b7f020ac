//! The entry points of the client in C, so that a Rust program can load it into a host.
//!
//! Whoever links this has to link what the client calls: `ndis-host`, or something in its place.

#![cfg(not(no_c_client))]

use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

unsafe extern "system" {
    /// The client's `DriverEntry`.
    ///
    /// # Safety
    ///
    /// Called once for each load, with the driver's object, as Windows does.
    pub fn c_client_entry(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS;

    /// The `DriverEntry` of the client that breaks a rule.
    ///
    /// # Safety
    ///
    /// As for [`c_client_entry`].
    pub fn c_client_broken_entry(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING)
    -> NTSTATUS;
}
