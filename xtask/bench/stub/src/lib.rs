//! An NDIS for one miniport call manager, one adapter, one client and one family, that does next to
//! nothing: every function calls straight into the other driver's handler.
//!
//! It checks no rule and knows no schedule; that is `ndis-host`'s business. What it is for is to cost
//! little and always the same, so that a count of the drivers' instructions is of nothing else. It is
//! a shared object of its own: a driver's calls go through a table of imports, as on Windows, and a
//! profile tells the two apart by object.
//!
//! # Safety
//!
//! As with the NDIS of Windows, a caller keeps the contract of each function's page. Beyond that, all
//! runs on one thread: the drivers make none, and work items run when the round is over.

#![cfg(target_os = "linux")]
// C by another spelling: each function is unsafe as a whole, and its contract is the page of its name.
#![allow(
    unsafe_op_in_unsafe_fn,
    clippy::missing_safety_doc,
    clippy::multiple_unsafe_ops_per_block,
    clippy::undocumented_unsafe_blocks
)]

mod calls;
mod kernel;
mod lists;
mod registration;
mod rounds;

use std::{cell::UnsafeCell, ptr::null_mut};

use ndis_sys::{
    CO_ADDRESS_FAMILY, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS,
    NDIS_HANDLE, NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_PROTOCOL_CO_CHARACTERISTICS, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_STATUS, PVOID,
    zeroed,
};

pub(crate) const SUCCESS: NDIS_STATUS = 0;

/// Defines exported functions. They are not inlined, so that a profile shows them.
macro_rules! export {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => { $(
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub unsafe extern "system" fn $name($($argument: $type),*) $(-> $result)? $body
    )* };
}

/// Functions that the safe layer imports and no round calls.
macro_rules! never_called {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        pub extern "system" fn $name() -> ! {
            $crate::refuse(stringify!($name))
        }
    )* };
}

pub(crate) use {export, never_called};

fn refuse(what: &str) -> ! {
    eprintln!("the stub of NDIS does not have {what}");
    std::process::abort()
}

/// What there is of each kind, and what was registered.
pub(crate) struct World {
    miniport: NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    miniport_driver: NDIS_HANDLE,
    miniport_co: NDIS_MINIPORT_CO_CHARACTERISTICS,
    call_manager: NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
    protocol: NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    protocol_driver: NDIS_HANDLE,
    protocol_co: NDIS_PROTOCOL_CO_CHARACTERISTICS,
    client: NDIS_CO_CLIENT_OPTIONAL_HANDLERS,
    /// The contexts of both sides.
    adapter: NDIS_HANDLE,
    binding: NDIS_HANDLE,
    family: *mut CO_ADDRESS_FAMILY,
    managers_af: NDIS_HANDLE,
    clients_af: NDIS_HANDLE,
    managers_sap: NDIS_HANDLE,
    clients_sap: NDIS_HANDLE,
    /// The extensions of driver objects, by their keys.
    extensions: Vec<(PVOID, *mut PVOID)>,
    /// Work items that wait.
    queue: Vec<kernel::Work>,
    counts: Counts,
}

/// What is counted besides instructions.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// Spin locks taken.
    pub locks: u64,
    /// Allocations from the pool, and of lists and MDLs.
    pub allocations: u64,
    /// Bytes from the pool that are not freed.
    pub live: u64,
}

struct One(UnsafeCell<World>);

// SAFETY: all runs on one thread.
unsafe impl Sync for One {}

static WORLD: One = One(UnsafeCell::new(World {
    miniport: zeroed(),
    miniport_driver: null_mut(),
    miniport_co: zeroed(),
    call_manager: zeroed(),
    protocol: zeroed(),
    protocol_driver: null_mut(),
    protocol_co: zeroed(),
    client: zeroed(),
    adapter: null_mut(),
    binding: null_mut(),
    family: null_mut(),
    managers_af: null_mut(),
    clients_af: null_mut(),
    managers_sap: null_mut(),
    clients_sap: null_mut(),
    extensions: Vec::new(),
    queue: Vec::new(),
    counts: Counts {
        locks: 0,
        allocations: 0,
        live: 0,
    },
}));

/// The world. A pointer, for a handler that is called calls in again.
pub(crate) fn world() -> *mut World {
    WORLD.0.get()
}
