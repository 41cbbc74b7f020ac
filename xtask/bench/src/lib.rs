//! The pair of drivers that `cargo xtask bench` counts: once on the safe layer, once on the raw
//! interface, doing the same.
//!
//! The safe pair is written as an author would write it, without `unsafe`. The raw one is what a careful
//! author of a C driver writes, who counts what is out so that a close, a pause and an unbind can wait for
//! it. What is compared is this object's instructions; what the stub of NDIS executes is not in them.

#![cfg(target_os = "linux")]

mod pair;
mod place;
mod raw;
#[forbid(unsafe_code)]
mod safe;

use ndis_co::irql::UpToDispatch;
use pair::Pair;
use std::ptr::null_mut;

/// A round of the safe pair: a safe function with its proof of the IRQL.
macro_rules! round {
    ($round:path) => {{
        unsafe extern "C" fn round(argument: usize) {
            // SAFETY: the program calls this at PASSIVE_LEVEL, with no lock held.
            let mut irql = unsafe { UpToDispatch::assume() };
            $round(argument, &mut irql);
        }
        round
    }};
}

static SAFE: Pair = Pair {
    load: load_safe,
    up: round!(safe::up),
    fill: round!(safe::fill),
    send: round!(safe::send),
    receive: round!(safe::receive),
    read: round!(safe::read),
    allocate: round!(safe::allocate),
    call: round!(safe::call),
    call_later: round!(safe::call_later),
    call_in: round!(safe::call_in),
    crowd: round!(safe::crowd),
    close_family: Some(round!(safe::close_family)),
    close_family_later: Some(round!(safe::close_family_later)),
};

/// # Safety
///
/// Called once, at PASSIVE_LEVEL.
unsafe extern "C" fn load_safe() {
    let object = || Box::into_raw(Box::new(ndis_sys::zeroed::<ndis_sys::DRIVER_OBJECT>()));
    // SAFETY: called once by the loader, with a driver object that stays.
    let status = unsafe { ndis_mcm::Entry::new(safe::Manager).run(object(), null_mut()) };
    assert_eq!(status, 0, "the call manager");
    // SAFETY: as above.
    let status = unsafe { ndis_co::client::Entry::new(safe::Caller).run(object(), null_mut()) };
    assert_eq!(status, 0, "the client");
}

/// The pair on the safe layer.
#[unsafe(no_mangle)]
pub extern "C" fn safe_pair() -> *const Pair {
    &SAFE
}

/// The pair on the raw interface.
#[unsafe(no_mangle)]
pub extern "C" fn raw_pair() -> *const Pair {
    &raw::PAIR
}
