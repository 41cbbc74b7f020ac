//! Registration: from `DriverEntry` to unload.

use super::{Client, handlers};
use crate::{
    Status,
    irql::Passive,
    mem::{Arc, Tag},
    raw,
};
use core::{
    ffi::c_void,
    fmt, ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use ndis_sys::{
    DRIVER_OBJECT, NDIS_HANDLE, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_STATUS, NTSTATUS,
    PDRIVER_UNLOAD, UNICODE_STRING,
};

/// The driver as a whole. NDIS holds one share as the protocol's context, the
/// driver object another one.
pub(super) struct DriverShared<C: Client> {
    pub(super) client: C,
    /// What work items are allocated on: alive until the unload has returned.
    pub(super) object: AtomicPtr<DRIVER_OBJECT>,
    pub(super) handle: AtomicPtr<c_void>,
}

/// Names a protocol's entry in the extensions of its driver object.
static SLOT: u8 = b'P';

/// What `DriverEntry` does for a client: registers `client` as protocol driver.
///
/// The [`driver_entry!`](crate::driver_entry) macro makes one from the
/// driver's [`Load`](crate::Load); a test makes one from any value, for
/// instance one that shares state with the test.
///
/// Source pages: `nf-ndis-ndissetoptionalhandlers`,
/// `nf-ndis-ndisderegisterprotocoldriver`.
#[doc(alias = "DriverEntry")]
#[doc(alias = "NdisSetOptionalHandlers")]
#[doc(alias = "NdisDeregisterProtocolDriver")]
pub struct Entry<C: Client> {
    client: C,
}

impl<C: Client> Entry<C> {
    /// Prepares the registration of a driver.
    pub const fn new(client: C) -> Self {
        Self { client }
    }

    /// Registers the protocol driver (rule REG-02).
    ///
    /// Returns what `DriverEntry` returns. On failure nothing stays behind
    /// (rule REG-31).
    ///
    /// Source page: `nf-ndis-ndisregisterprotocoldriver`.
    ///
    /// # Safety
    ///
    /// Called once, at PASSIVE_LEVEL, from `DriverEntry` with its own
    /// arguments. The driver object is of no other entry, of a miniport either: each sets the
    /// unload routine, of which there is one (rules REG-28, REG-29).
    #[doc(alias = "NdisRegisterProtocolDriver")]
    pub unsafe fn run(self, object: *mut DRIVER_OBJECT, _path: *mut UNICODE_STRING) -> NTSTATUS {
        let shared = DriverShared {
            client: self.client,
            object: AtomicPtr::new(object),
            handle: AtomicPtr::new(ptr::null_mut()),
        };
        let Ok(shared) = Arc::try_new(shared, Tag::NDIS) else {
            return Status::RESOURCES.raw();
        };
        // SAFETY: `object` is this driver's, by the caller.
        let slot = match unsafe { raw::driver_slot(object, &SLOT) } {
            Ok(slot) => slot,
            Err(status) => return status.raw(),
        };
        // SAFETY: the slot is this driver's own; nobody reads it before unload.
        unsafe { slot.write(Arc::into_raw(shared.clone())) };
        // SAFETY: a field of this driver's own object.
        let member = unsafe { &raw mut (*object).DriverUnload };
        // SAFETY: as above. Where the type is `wdk-sys`'s, the member's type names
        // the same calling convention by another word.
        unsafe { member.cast::<PDRIVER_UNLOAD>().write(Some(unload::<C>)) };

        let mut wide: [u16; 31] = raw::utf16(C::NAME);
        let mut characteristics = handlers::protocol_characteristics::<C>();
        characteristics.Name = raw::unicode_string_over(&mut wide, C::NAME.len());
        let context = Arc::into_raw(shared.clone());
        let mut handle: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: PASSIVE_LEVEL by the caller; NDIS copies the characteristics
        // (rule REG-25); the context lives until `unload`.
        let status = unsafe {
            ndis_sys::NdisRegisterProtocolDriver(context, &mut characteristics, &mut handle)
        };
        if Status::from_raw(status).is_success() {
            shared.handle.store(handle, Ordering::Release);
            return status;
        }
        // SAFETY: NDIS did not keep the context.
        drop(unsafe { Arc::<DriverShared<C>>::from_raw(context) });
        // SAFETY: the slot holds the share that was put there above.
        let own = unsafe { slot.replace(ptr::null_mut()) };
        // SAFETY: as above; unload will not run.
        drop(unsafe { Arc::<DriverShared<C>>::from_raw(own) });
        // SAFETY: as above.
        unsafe { (*object).DriverUnload = None };
        // Whatever NDIS calls it: to the loader only a negative code is a
        // failure.
        Status::from_raw(status).as_failure().raw()
    }
}

impl<C: Client + crate::Load> Entry<C> {
    /// Makes the driver and registers it: all of `DriverEntry`.
    ///
    /// # Safety
    ///
    /// As [`Entry::run`].
    pub unsafe fn load(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: PASSIVE_LEVEL by the caller.
        let mut irql = unsafe { Passive::assume() };
        // SAFETY: the registry path of DriverEntry, by the caller.
        let key = unsafe { crate::ServiceKey::from_raw(path) };
        match C::load(&key, &mut irql) {
            // SAFETY: the caller's contract is the same.
            Ok(client) => unsafe { Self::new(client).run(object, path) },
            Err(failure) => failure.as_failure().raw(),
        }
    }
}

// SAFETY: `load` is all of `DriverEntry`.
unsafe impl<C: Client + crate::Load> crate::EntryPoint for Entry<C> {
    unsafe fn enter(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: the caller's contract is the same.
        unsafe { Self::load(object, path) }
    }
}

impl<C: Client> fmt::Debug for Entry<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &C::NAME).finish()
    }
}

/// Fills the mandatory characteristics; the CoNDIS ones follow in the options
/// callback.
pub(super) fn base_characteristics() -> NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
    let mut characteristics: NDIS_PROTOCOL_DRIVER_CHARACTERISTICS = ndis_sys::zeroed();
    characteristics.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
        ndis_sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
        ndis_sys::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
    );
    characteristics.MajorNdisVersion = raw::NDIS_VERSION.0;
    characteristics.MinorNdisVersion = raw::NDIS_VERSION.1;
    characteristics.MajorDriverVersion = 1;
    characteristics
}

/// `ProtocolSetOptions`: installs the CoNDIS handlers (rule REG-07).
pub(super) unsafe extern "system" fn set_options<C: Client>(
    driver: NDIS_HANDLE,
    context: NDIS_HANDLE,
) -> NDIS_STATUS {
    // SAFETY: the context is the registration's, alive for the call.
    if let Some(shared) = unsafe { Arc::<DriverShared<C>>::borrow_raw(context) } {
        // The handle argument is the driver's handle (rule REG-05); binds may
        // come before the registration has returned it (rule REG-27).
        shared.handle.store(driver, Ordering::Release);
    }
    let mut protocol = handlers::protocol_co_characteristics::<C>();
    // SAFETY: within the options callback, with its handle (rule REG-05).
    let status = unsafe { ndis_sys::NdisSetOptionalHandlers(driver, (&raw mut protocol).cast()) };
    let status = Status::from_raw(status).as_final();
    if !status.is_success() {
        return status.raw();
    }
    let mut client = handlers::client_handlers::<C>();
    // SAFETY: as above.
    let status = unsafe { ndis_sys::NdisSetOptionalHandlers(driver, (&raw mut client).cast()) };
    Status::from_raw(status).as_final().raw()
}

/// `DriverUnload`: deregisters, which unbinds every adapter first (REG-30).
unsafe extern "system" fn unload<C: Client>(object: *mut DRIVER_OBJECT) {
    // SAFETY: Windows passes this driver's own object.
    let Ok(slot) = (unsafe { raw::driver_slot(object, &SLOT) }) else {
        return;
    };
    // SAFETY: the slot holds the share that `run` put there.
    let own = unsafe { slot.replace(ptr::null_mut()) };
    // SAFETY: as above.
    let shared = unsafe { Arc::<DriverShared<C>>::from_raw(own) };
    let Some(shared) = shared else { return };
    // It stays where it is: a bind that is under way uses it, and the deregistration waits
    // for that one.
    let handle = shared.handle.load(Ordering::Acquire);
    // SAFETY: from the unload routine, at PASSIVE_LEVEL, once (rule REG-29).
    unsafe { ndis_sys::NdisDeregisterProtocolDriver(handle) };
    // SAFETY: NDIS calls nothing any more; its share is the one `run` made.
    drop(unsafe { Arc::<DriverShared<C>>::from_raw(Arc::as_raw(&shared)) });
    // SAFETY: the unload routine runs at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    // Who has completed the last unbind: the driver's own value goes here, not there.
    Arc::wait_for_others(&shared, 1, &mut irql);
}
