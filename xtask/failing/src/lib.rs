//! Drivers that fail on purpose, in one image: what its driver does it decides by the last letter of its service's
//! name. `xtask/src/wine/failing.rs` says how each must be found out.
//!
//! The panic handler is `ndis-co`'s. Those that get beyond their own entry point break a rule before, which the account
//! must still have.
//!
//! Empty on other systems: nothing of this is to be run but in an image.

#![cfg(windows)]
#![no_std]
#![allow(clippy::undocumented_unsafe_blocks, clippy::missing_safety_doc)] // Wrong on purpose.

use core::{
    ffi::c_void,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering},
};

use ndis_co as _;
use ndis_sys as n;

static PROTOCOL: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

#[unsafe(export_name = "DriverEntry")]
pub unsafe extern "system" fn driver_entry(
    object: *mut n::DRIVER_OBJECT,
    path: *const n::UNICODE_STRING,
) -> n::NTSTATUS {
    unsafe { n::NdisMSleep(1) };
    let letters = usize::from(unsafe { (*path).Length } / 2);
    let last = unsafe { (*path).Buffer.wrapping_add(letters).wrapping_sub(1).read() };
    if last == u16::from(b'c') {
        panic!("on purpose");
    }
    let mut name = [u16::from(b'R'), last];
    let mut table: n::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS = n::zeroed();
    table.Header.Type = n::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS as u8;
    table.Header.Revision = 2;
    table.Header.Size = n::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 as u16;
    table.MajorNdisVersion = 6;
    table.MinorNdisVersion = 30;
    table.Name.Length = 4;
    table.Name.MaximumLength = 4;
    table.Name.Buffer = name.as_mut_ptr();
    table.BindAdapterHandlerEx = Some(bind);
    table.UnbindAdapterHandlerEx = Some(unbind);
    table.OpenAdapterCompleteHandlerEx = Some(complete);
    table.CloseAdapterCompleteHandlerEx = Some(closed);
    table.NetPnPEventHandler = Some(event);
    unsafe { (*object).DriverUnload = Some(unload) };
    let context = core::ptr::without_provenance_mut(usize::from(last));
    unsafe { n::NdisRegisterProtocolDriver(context, &mut table, PROTOCOL.as_ptr()) }
}

unsafe extern "system" fn bind(
    context: n::NDIS_HANDLE,
    _bind: n::NDIS_HANDLE,
    _parameters: *mut n::NDIS_BIND_PARAMETERS,
) -> n::NDIS_STATUS {
    // Nobody has given it out.
    unsafe { n::ExFreePoolWithTag(core::ptr::without_provenance_mut(8), 0) };
    match context.addr() as u8 {
        b't' => unsafe { core::ptr::null_mut::<u32>().write_volatile(1) },
        b'd' => {
            unsafe { n::KeSetEvent(core::ptr::without_provenance_mut(0x8000), 0, 0) };
        }
        b'g' => loop {
            core::hint::spin_loop();
        },
        b'l' => while unsafe { n::KeGetCurrentIrql() } < 200 {},
        _ => return n::NDIS_STATUS_PENDING,
    }
    n::NDIS_STATUS_SUCCESS
}

unsafe extern "system" fn unbind(_: n::NDIS_HANDLE, _: n::NDIS_HANDLE) -> n::NDIS_STATUS {
    n::NDIS_STATUS_SUCCESS
}

unsafe extern "system" fn complete(_: n::NDIS_HANDLE, _: n::NDIS_STATUS) {}

unsafe extern "system" fn closed(_: n::NDIS_HANDLE) {}

unsafe extern "system" fn event(
    _: n::NDIS_HANDLE,
    _: *mut n::NET_PNP_EVENT_NOTIFICATION,
) -> n::NDIS_STATUS {
    n::NDIS_STATUS_SUCCESS
}

unsafe extern "system" fn unload(_: *mut n::DRIVER_OBJECT) {
    unsafe { n::NdisDeregisterProtocolDriver(PROTOCOL.load(Ordering::Relaxed)) };
}
