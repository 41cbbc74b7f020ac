//! The client with `BREAK_RULE`: it is caught at that rule and at nothing else.
//!
//! A program of its own, because the two variants have the same names.

#![cfg(not(no_c_client))]

mod common;

use common::life;
use ndis_host::Readings;
use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

#[link(name = "c_client_broken", kind = "static")]
unsafe extern "system" {
    fn c_client_entry(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS;
}

#[test]
fn vc_23_a_vc_deleted_while_its_call_is_up() {
    for seed in 0..100 {
        life(seed, Readings::default(), c_client_entry, &["VC-23"]);
    }
    for readings in Readings::all() {
        life(1, readings, c_client_entry, &["VC-23"]);
    }
}
