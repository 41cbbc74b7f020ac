//! A driver that mixes `wdk-sys` with the crates of this workspace: what the one calls a driver
//! object, an MDL or an event goes to the other as it is. It is compiled, never run.

#![no_std]
#![deny(warnings)]

mod identities;

use core::ptr;

use ndis_co::{Load, Status, client::Client};
use ndis_mcm::Miniport;
use ndis_sys::zeroed;
use wdk_sys::ntddk;

/// An MCM is loaded with what `wdk-sys` passes to `DriverEntry`.
///
/// # Safety
/// As for `DriverEntry`.
pub unsafe fn load_mcm<M: Miniport + Load>(
    object: wdk_sys::PDRIVER_OBJECT,
    path: *mut wdk_sys::UNICODE_STRING,
) -> wdk_sys::NTSTATUS {
    unsafe { ndis_mcm::Entry::<M>::load(object, path) }
}

/// And so is a client, which then takes its own device object out of the driver object.
///
/// # Safety
/// As for `DriverEntry`.
pub unsafe fn load_client<C: Client + Load>(
    object: &mut wdk_sys::DRIVER_OBJECT,
    path: wdk_sys::PUNICODE_STRING,
) -> Result<*mut wdk_sys::DEVICE_OBJECT, Status> {
    let status: ndis_sys::NTSTATUS = unsafe { ndis_co::client::Entry::<C>::load(object, path) };
    if !ndis_sys::NT_SUCCESS(status) {
        return Err(Status::from_raw(status));
    }
    let first: ndis_sys::PDEVICE_OBJECT = object.DeviceObject;
    Ok(first)
}

/// An extension of the driver object of `wdk-sys`, as `ndis-sys` gets it.
///
/// # Safety
/// `object` is the driver's own.
pub unsafe fn extension(object: *mut wdk_sys::DRIVER_OBJECT) -> wdk_sys::PVOID {
    static KEY: u8 = 0;
    let key = ptr::from_ref(&KEY).cast_mut().cast();
    unsafe { ndis_sys::IoGetDriverObjectExtension(object, key) }
}

/// Members that hold a function have the type that `wdk-sys` gives them. (It has none for x86, where
/// the stand-in says "stdcall".)
///
/// # Safety
/// `object` is the driver's own.
#[cfg(not(target_arch = "x86"))]
pub unsafe fn handlers(object: *mut wdk_sys::DRIVER_OBJECT) {
    unsafe extern "C" fn unload(_object: *mut wdk_sys::DRIVER_OBJECT) {}
    unsafe extern "C" fn dispatch(
        _device: *mut ndis_sys::DEVICE_OBJECT,
        _irp: *mut ndis_sys::IRP,
    ) -> wdk_sys::NTSTATUS {
        ndis_sys::STATUS_SUCCESS
    }
    unsafe { (*object).DriverUnload = Some(unload) };
    unsafe { (*object).MajorFunction[ndis_sys::IRP_MJ_CREATE as usize] = Some(dispatch) };
}

/// Handlers that NDIS calls have the types of `ndis-sys`, with arguments of either crate.
#[must_use]
pub fn characteristics() -> ndis_sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
    unsafe extern "system" fn unload(_object: wdk_sys::PDRIVER_OBJECT) {}
    unsafe extern "system" fn pnp(
        _context: ndis_sys::NDIS_HANDLE,
        _event: ndis_sys::PNET_DEVICE_PNP_EVENT,
    ) {
    }
    let mut characteristics: ndis_sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS = zeroed();
    characteristics.UnloadHandler = Some(unload);
    characteristics.DevicePnPEventNotifyHandler = Some(pnp);
    characteristics
}

/// An event: made by either crate, prepared by either, with enumerators of either.
///
/// # Safety
/// PASSIVE_LEVEL.
pub unsafe fn events() -> wdk_sys::NTSTATUS {
    let mut theirs = wdk_sys::KEVENT::default();
    let mut ours: ndis_sys::KEVENT = zeroed();
    unsafe {
        ndis_sys::KeInitializeEvent(&mut theirs, wdk_sys::_EVENT_TYPE::SynchronizationEvent, 0);
        ntddk::KeInitializeEvent(&mut ours, ndis_sys::NotificationEvent, 1);
        ntddk::KeSetEvent(&mut theirs, 0, 0);
        ndis_sys::KeSetEvent(&mut ours, 0, 0);
    }
    let mut timeout: wdk_sys::LARGE_INTEGER = ndis_co::raw::large_integer(-10_000);
    unsafe {
        ndis_sys::KeWaitForSingleObject(
            (&raw mut theirs).cast(),
            wdk_sys::_KWAIT_REASON::Executive,
            wdk_sys::_MODE::KernelMode as wdk_sys::KPROCESSOR_MODE,
            0,
            &mut timeout,
        );
        ntddk::KeWaitForSingleObject(
            (&raw mut ours).cast(),
            ndis_sys::Executive,
            ndis_sys::KernelMode as ndis_sys::KPROCESSOR_MODE,
            0,
            ptr::null_mut(),
        )
    }
}

/// An MDL of NDIS, filled in by the kernel, read by the macros of `ndis-sys`, chained to a buffer.
///
/// # Safety
/// `handle` is NDIS's, `memory` is resident, `buffer` is the driver's own.
pub unsafe fn mdls(
    handle: ndis_sys::NDIS_HANDLE,
    memory: &mut [u8; 64],
    buffer: *mut ndis_sys::NET_BUFFER,
) -> wdk_sys::PVOID {
    let mdl: *mut wdk_sys::MDL =
        unsafe { ndis_sys::NdisAllocateMdl(handle, memory.as_mut_ptr().cast(), 64) };
    unsafe { ntddk::MmBuildMdlForNonPagedPool(mdl) };
    unsafe { ndis_sys::MmBuildMdlForNonPagedPool(mdl) };
    unsafe { *ndis_sys::NET_BUFFER_FIRST_MDL(buffer) = mdl };
    let again: wdk_sys::PMDL = unsafe { *ndis_sys::NET_BUFFER_CURRENT_MDL(buffer) };
    let priority = wdk_sys::_MM_PAGE_PRIORITY::NormalPagePriority as u32;
    unsafe { ndis_sys::MmGetSystemAddressForMdlSafe(again, priority) }
}

/// Counted strings: a literal of `ndis-sys`, a buffer of the safe layer, compared by both.
///
/// # Safety
/// Any IRQL that the functions allow.
pub unsafe fn strings(text: &mut [u16]) -> bool {
    let literal: wdk_sys::UNICODE_STRING = ndis_sys::NDIS_STRING_CONST!("Upper");
    let mut ours = ndis_co::raw::unicode_string_over(text, text.len());
    let theirs: *mut wdk_sys::UNICODE_STRING = &mut ours;
    unsafe { ndis_sys::RtlInitUnicodeString(theirs, literal.Buffer) };
    let one = unsafe { ndis_sys::RtlEqualUnicodeString(&literal, theirs, 1) };
    let other = unsafe { ntddk::RtlEqualUnicodeString(&literal, &ours, 1) };
    one == other
}

/// A structure of NDIS that embeds NT types: `wdk-sys`'s values go in, and come out.
///
/// # Safety
/// `handle` is NDIS's, `name` outlives the call.
pub unsafe fn device(
    handle: ndis_sys::NDIS_HANDLE,
    name: &mut wdk_sys::UNICODE_STRING,
) -> Result<wdk_sys::PDEVICE_OBJECT, wdk_sys::NTSTATUS> {
    let mut attributes: ndis_sys::NDIS_DEVICE_OBJECT_ATTRIBUTES = zeroed();
    attributes.DeviceName = name;
    let class: wdk_sys::GUID = ndis_sys::GUID_NDIS_NDK_STATE;
    attributes.DeviceClassGuid = &class;
    let mut object: wdk_sys::PDEVICE_OBJECT = ptr::null_mut();
    let mut device: wdk_sys::HANDLE = ptr::null_mut();
    let status = unsafe {
        ndis_sys::NdisRegisterDeviceEx(handle, &mut attributes, &mut object, &mut device)
    };
    if ndis_sys::NT_SUCCESS(status) {
        Ok(object)
    } else {
        Err(status)
    }
}

/// Locks and lists: a lock of `wdk-sys` inside of NDIS's, a list of either crate's entries.
///
/// # Safety
/// IRQL at most DISPATCH_LEVEL.
pub unsafe fn lists(entry: &mut wdk_sys::LIST_ENTRY) -> wdk_sys::PLIST_ENTRY {
    let mut lock: ndis_sys::NDIS_SPIN_LOCK = zeroed();
    unsafe { ndis_sys::NdisAllocateSpinLock(&mut lock) };
    let inner: *mut wdk_sys::KSPIN_LOCK = &mut lock.SpinLock;
    unsafe { ndis_sys::KeInitializeSpinLock(inner) };
    let mut head: wdk_sys::LIST_ENTRY = zeroed();
    unsafe { ndis_sys::NdisInitializeListHead(&mut head) };
    unsafe { ndis_sys::NdisInterlockedInsertTailList(&mut head, entry, &mut lock) };
    let mut sequenced: wdk_sys::SLIST_HEADER = zeroed();
    unsafe { ndis_sys::NdisInitializeSListHead(&mut sequenced) };
    if unsafe { ndis_sys::NdisQueryDepthSList(&mut sequenced) } > 0 {
        return ptr::null_mut();
    }
    unsafe { ndis_sys::NdisInterlockedRemoveHeadList(&mut head, &mut lock) }
}

/// A lookaside list of `wdk-sys`: its members without a name in C are reached by the macros.
///
/// # Safety
/// `list` is prepared.
pub unsafe fn lookaside(list: &mut wdk_sys::NPAGED_LOOKASIDE_LIST) {
    let entry = unsafe { ndis_sys::NdisAllocateFromNPagedLookasideList(list) };
    unsafe { ndis_sys::NdisFreeToNPagedLookasideList(list, entry) };
}

/// Large integers by value, in halves and as a whole.
///
/// # Safety
/// `timer` is NDIS's.
pub unsafe fn time(timer: ndis_sys::NDIS_HANDLE) -> wdk_sys::LONG {
    let mut due = wdk_sys::LARGE_INTEGER { QuadPart: -1 };
    unsafe { ndis_sys::NdisSetTimerObject(timer, due, 0, ptr::null_mut()) };
    let address: wdk_sys::PHYSICAL_ADDRESS = ndis_sys::NDIS_PHYSICAL_ADDRESS_CONST(1, 2);
    ndis_sys::NdisSetPhysicalAddressHigh(&mut due, ndis_sys::NdisGetPhysicalAddressHigh(address));
    unsafe { due.u.HighPart }
}
