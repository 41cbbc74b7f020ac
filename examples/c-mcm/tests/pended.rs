//! The call manager in C with each request pended, on the embedded NDIS.

#![cfg(not(no_c_mcm))]

mod common;

use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

#[link(name = "c_mcm_pended", kind = "static")]
unsafe extern "system" {
    fn c_mcm_entry(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS;
}

#[test]
fn calls_in_many_schedules() {
    common::lives(c_mcm_entry);
}

#[test]
fn calls_under_every_reading() {
    common::every_reading(c_mcm_entry);
}

#[test]
fn interrupted_at_any_moment() {
    common::interrupted(c_mcm_entry);
}

#[test]
fn every_allocation_may_fail() {
    common::every_allocation_may_fail(c_mcm_entry);
}
