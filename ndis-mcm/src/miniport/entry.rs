//! Registration: from `DriverEntry` to unload.

use super::{Miniport, driver::DriverShared, handlers};
use core::{
    fmt, ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use ndis_co::{
    EntryPoint, Load, ServiceKey, Status,
    irql::Passive,
    mem::{Arc, Tag},
    raw,
};
use ndis_sys::{DRIVER_OBJECT, NDIS_HANDLE, NTSTATUS, UNICODE_STRING};

/// What `DriverEntry` does for a miniport: registers `driver`.
///
/// The [`driver_entry!`](crate::driver_entry) macro makes one from the
/// driver's [`Load`]; a test makes one from any value.
///
/// Source pages: [`NdisSetOptionalHandlers`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndissetoptionalhandlers),
/// [`MINIPORT_UNLOAD`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_unload),
/// [`NdisMDeregisterMiniportDriver`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismderegisterminiportdriver).
#[doc(alias = "DriverEntry")]
#[doc(alias = "NdisSetOptionalHandlers")]
#[doc(alias = "MiniportDriverUnload")]
#[doc(alias = "NdisMDeregisterMiniportDriver")]
pub struct Entry<M: Miniport> {
    driver: M,
}

/// Names a miniport's entry in the extensions of its driver object.
static SLOT: u8 = b'M';

impl<M: Miniport> Entry<M> {
    /// Prepares the registration of a driver.
    pub const fn new(driver: M) -> Self {
        Self { driver }
    }

    /// Registers the miniport driver (rule [REG-01]), with its role's handlers.
    ///
    /// Returns what `DriverEntry` returns. On failure nothing stays behind.
    ///
    /// Source page: [`NdisMRegisterMiniportDriver`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismregisterminiportdriver).
    ///
    /// # Safety
    ///
    /// Called once, at PASSIVE_LEVEL, from `DriverEntry` with its own
    /// arguments. The driver object is of no other entry, of a protocol either: each sets the
    /// unload routine, of which there is one (rules [REG-28], [REG-29]).
    ///
    /// [REG-01]: ndis_sys::rules#REG-01
    /// [REG-28]: ndis_sys::rules#REG-28
    /// [REG-29]: ndis_sys::rules#REG-29
    #[doc(alias = "NdisMRegisterMiniportDriver")]
    pub unsafe fn run(self, object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        let shared = DriverShared {
            driver: self.driver,
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
        let mut characteristics = handlers::miniport_characteristics::<M>();
        characteristics.UnloadHandler = Some(unload::<M>);
        let context = Arc::into_raw(shared.clone());
        let mut handle: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: PASSIVE_LEVEL by the caller; NDIS copies the characteristics
        // (rule REG-25); the context lives until `unload`, and the driver is
        // ready for an adapter at any moment from now on (rule REG-26).
        let status = unsafe {
            ndis_sys::NdisMRegisterMiniportDriver(
                object,
                path,
                context,
                &mut characteristics,
                &mut handle,
            )
        };
        if Status::from_raw(status).is_success() {
            shared.handle.store(handle, Ordering::Release);
            return status;
        }
        // SAFETY: NDIS did not keep the context.
        drop(unsafe { Arc::<DriverShared<M>>::from_raw(context) });
        // SAFETY: the slot holds the reference that was put there above.
        let own = unsafe { slot.replace(ptr::null_mut()) };
        // SAFETY: as above; unload will not run.
        drop(unsafe { Arc::<DriverShared<M>>::from_raw(own) });
        // Whatever NDIS calls it: to the loader only a negative code is a
        // failure.
        Status::from_raw(status).as_failure().raw()
    }
}

impl<M: Miniport + Load> Entry<M> {
    /// Makes the driver and registers it: all of `DriverEntry`.
    ///
    /// # Safety
    ///
    /// As [`Entry::run`].
    pub unsafe fn load(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: PASSIVE_LEVEL by the caller.
        let mut irql = unsafe { Passive::assume() };
        // SAFETY: the registry path of DriverEntry, by the caller.
        let key = unsafe { ServiceKey::from_raw(path) };
        match M::load(&key, &mut irql) {
            // SAFETY: the caller's contract is the same.
            Ok(driver) => unsafe { Self::new(driver).run(object, path) },
            Err(failure) => failure.as_failure().raw(),
        }
    }
}

// SAFETY: `load` is all of `DriverEntry`.
unsafe impl<M: Miniport + Load> EntryPoint for Entry<M> {
    unsafe fn enter(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: the caller's contract is the same.
        unsafe { Self::load(object, path) }
    }
}

impl<M: Miniport> fmt::Debug for Entry<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("version", &M::VERSION)
            .finish()
    }
}

/// `MiniportDriverUnload`: after the last adapter was halted (HALT-17).
unsafe extern "system" fn unload<M: Miniport>(object: *mut DRIVER_OBJECT) {
    // SAFETY: Windows passes this driver's own object.
    let Ok(slot) = (unsafe { raw::driver_slot(object, &SLOT) }) else {
        return;
    };
    // SAFETY: the slot holds the reference that `run` put there.
    let own = unsafe { slot.replace(ptr::null_mut()) };
    // SAFETY: as above.
    let Some(shared) = (unsafe { Arc::<DriverShared<M>>::from_raw(own) }) else {
        return;
    };
    let handle = shared.handle.load(Ordering::Acquire);
    // SAFETY: from the unload routine, at PASSIVE_LEVEL, once (rule REG-28).
    unsafe { ndis_sys::NdisMDeregisterMiniportDriver(handle) };
    // SAFETY: NDIS calls nothing any more; its reference is the one `run` made.
    drop(unsafe { Arc::<DriverShared<M>>::from_raw(Arc::as_raw(&shared)) });
}

/// Makes a [`Miniport`] that implements [`Load`] the driver of this crate:
/// defines `driver_entry`.
///
/// In a Windows image that is the exported entry point, `DriverEntry`. Under
/// `ndis-host`, where several drivers share one process, it is a plain public
/// function.
#[macro_export]
macro_rules! driver_entry {
    ($miniport:ty) => {
        $crate::__co::__entry_point! { $crate::Entry<$miniport> }
    };
}
