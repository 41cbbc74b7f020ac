//! Registration: from `DriverEntry` to unload.

use super::{Protocol, driver::DriverShared, handlers};
use crate::{
    Status,
    irql::Passive,
    mem::{Arc, Tag},
    raw,
};
use core::{
    fmt, ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use ndis_sys::{DRIVER_OBJECT, NDIS_HANDLE, NTSTATUS, PDRIVER_UNLOAD, UNICODE_STRING};

/// Names a protocol's entry in the extensions of its driver object.
static SLOT: u8 = b'P';

/// What `DriverEntry` does for a protocol: registers `driver`.
///
/// The [`driver_entry!`](crate::driver_entry) macro makes one from the
/// driver's [`Load`](crate::Load); a test makes one from any value, for
/// instance one that shares state with the test.
///
/// Source pages: [`NdisSetOptionalHandlers`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndissetoptionalhandlers),
/// [`NdisDeregisterProtocolDriver`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisderegisterprotocoldriver).
#[doc(alias = "DriverEntry")]
#[doc(alias = "NdisSetOptionalHandlers")]
#[doc(alias = "NdisDeregisterProtocolDriver")]
pub struct Entry<P: Protocol> {
    driver: P,
}

impl<P: Protocol> Entry<P> {
    /// Prepares the registration of a driver.
    pub const fn new(driver: P) -> Self {
        Self { driver }
    }

    /// Registers the protocol driver (rule [REG-02]).
    ///
    /// Returns what `DriverEntry` returns. On failure nothing stays behind
    /// (rule [REG-31]).
    ///
    /// Source page: [`NdisRegisterProtocolDriver`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisregisterprotocoldriver).
    ///
    /// # Safety
    ///
    /// Called once, at PASSIVE_LEVEL, from `DriverEntry` with its own
    /// arguments. The driver object is of no other entry, of a miniport either: each sets the
    /// unload routine, of which there is one (rules [REG-28], [REG-29]).
    ///
    /// [REG-02]: ndis_sys::rules#REG-02
    /// [REG-28]: ndis_sys::rules#REG-28
    /// [REG-29]: ndis_sys::rules#REG-29
    /// [REG-31]: ndis_sys::rules#REG-31
    #[doc(alias = "NdisRegisterProtocolDriver")]
    pub unsafe fn run(self, object: *mut DRIVER_OBJECT, _path: *mut UNICODE_STRING) -> NTSTATUS {
        let shared = DriverShared {
            driver: self.driver,
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
        unsafe { member.cast::<PDRIVER_UNLOAD>().write(Some(unload::<P>)) };

        let mut wide: [u16; 31] = raw::utf16(P::NAME);
        let mut characteristics = handlers::protocol_characteristics::<P>();
        characteristics.Name = raw::unicode_string_over(&mut wide, P::NAME.len());
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
        drop(unsafe { Arc::<DriverShared<P>>::from_raw(context) });
        // SAFETY: the slot holds the reference that was put there above.
        let own = unsafe { slot.replace(ptr::null_mut()) };
        // SAFETY: as above; unload will not run.
        drop(unsafe { Arc::<DriverShared<P>>::from_raw(own) });
        // SAFETY: as above.
        unsafe { (*object).DriverUnload = None };
        // Whatever NDIS calls it: to the loader only a negative code is a
        // failure.
        Status::from_raw(status).as_failure().raw()
    }
}

impl<P: Protocol + crate::Load> Entry<P> {
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
        match P::load(&key, &mut irql) {
            // SAFETY: the caller's contract is the same.
            Ok(driver) => unsafe { Self::new(driver).run(object, path) },
            Err(failure) => failure.as_failure().raw(),
        }
    }
}

// SAFETY: `load` is all of `DriverEntry`.
unsafe impl<P: Protocol + crate::Load> crate::EntryPoint for Entry<P> {
    unsafe fn enter(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: the caller's contract is the same.
        unsafe { Self::load(object, path) }
    }
}

impl<P: Protocol> fmt::Debug for Entry<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &P::NAME).finish()
    }
}

/// `DriverUnload`: deregisters, which unbinds every adapter first (REG-30).
unsafe extern "system" fn unload<P: Protocol>(object: *mut DRIVER_OBJECT) {
    // SAFETY: Windows passes this driver's own object.
    let Ok(slot) = (unsafe { raw::driver_slot(object, &SLOT) }) else {
        return;
    };
    // SAFETY: the slot holds the reference that `run` put there.
    let own = unsafe { slot.replace(ptr::null_mut()) };
    // SAFETY: as above.
    let shared = unsafe { Arc::<DriverShared<P>>::from_raw(own) };
    let Some(shared) = shared else { return };
    // It stays where it is: a bind that is under way uses it, and the deregistration waits
    // for that one.
    let handle = shared.handle.load(Ordering::Acquire);
    // SAFETY: from the unload routine, at PASSIVE_LEVEL, once (rule REG-29).
    unsafe { ndis_sys::NdisDeregisterProtocolDriver(handle) };
    // SAFETY: NDIS calls nothing any more; its reference is the one `run` made.
    drop(unsafe { Arc::<DriverShared<P>>::from_raw(Arc::as_raw(&shared)) });
    // SAFETY: the unload routine runs at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    // Who has completed the last unbind: the driver's own value goes here, not there.
    Arc::wait_for_others(&shared, 1, &mut irql);
}
