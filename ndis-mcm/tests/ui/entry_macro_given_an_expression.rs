//! The entry macro takes a type: nothing of the caller's is evaluated within the
//! `unsafe` of its expansion, so the driver can go on forbidding unsafe code.
#![forbid(unsafe_code)]

mod an_expression {
    ndis_mcm::driver_entry!(core::mem::transmute::<usize, fn()>(8)());
}

fn main() {}
