//! An attribute could name any symbol of the image, such as one that the compiler calls.

struct Driver;

mod named {
    ndis_co::__entry_function! {
        #[unsafe(export_name = "memcpy")]
        super::Driver
    }
}

ndis_co::callbacks! {
    #[unsafe(export_name = "memset")]
    named(context: *mut u8 as *mut u8) at ndis_co::irql::Passive => run;
}

fn run(_: *mut u8, _: &mut ndis_co::irql::Passive) {}

fn main() {}
