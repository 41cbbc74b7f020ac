//! An entry macro takes a type: nothing of the caller's is evaluated within the
//! `unsafe` of its expansion, so the driver can go on forbidding unsafe code.
#![forbid(unsafe_code)]

mod by_the_hidden_macro {
    ndis_co::__entry_point! { ({ let byte: u8 = core::ptr::read(8 as *const u8); byte }) }
}

mod by_the_macro {
    ndis_co::driver_entry!(core::mem::transmute::<usize, fn()>(8)());
}

fn main() {}
