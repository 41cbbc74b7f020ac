//! What can be code within a type, the length of an array, is not within the
//! `unsafe` of the entry macro's expansion.
#![forbid(unsafe_code)]

mod entry {
    ndis_co::driver_entry!([(); core::mem::zeroed::<usize>()]);
}

fn main() {}
