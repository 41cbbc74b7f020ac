//! [`Registers`]: a driver as a whole, from `DriverEntry` to its unload.
//!
//! Miniports and protocols are registered by other functions, but the rest is the same for both:
//! NDIS gets the driver as its context, the unload routine finds it again without a global
//! variable, deregisters it, and lets go of it. So that is written once, and a kind of driver
//! adds the two calls of NDIS's.
//!
//! # Invariants
//!
//! KEPT: the pointer in a driver object's extension is null, or the reference of a
//! [`Registered`] that [`run`] put there. A driver object is of one entry, so the driver's type
//! is that of the entry whose unload routine asks.
//!
//! REGISTRATION: a [`Registration`] of `R` exists while [`run`] of `R` registers, within
//! `DriverEntry` with its arguments, at PASSIVE_LEVEL. Its context is the reference in KEPT, which
//! stays until the registration has failed or the deregistration has returned.
//!
//! DEREGISTRATION: a [`Deregistration`] of `R` exists while the unload routine of `R` runs, once,
//! at PASSIVE_LEVEL; its handle is that of a successful registration.

use crate::{
    Load, ServiceKey, Status,
    irql::Passive,
    mem::{Arc, Tag},
    raw::Opaque,
};
use core::{cell::Cell, ffi::c_void, fmt, marker::PhantomData, ptr};
use ndis_sys::{DRIVER_OBJECT, NDIS_HANDLE, NTSTATUS, PDRIVER_UNLOAD, UNICODE_STRING};

/// What registers drivers of one kind. `Registered<Self::Driver>` is the context that NDIS gets.
///
/// # Safety
///
/// A [`register`](Self::register) that answers success has registered the driver, so that its unload
/// comes; the [`deregister`](Self::deregister) ends all that it has begun.
pub unsafe trait Registers: Sized {
    /// The driver, which is dropped where it is unloaded.
    type Driver: Send + Sync + 'static;

    /// Registers it.
    fn register(now: &Registration<'_, Self>) -> Status;

    /// Ends the registration: NDIS calls nothing of the driver's any more when this returns.
    fn deregister(now: &Deregistration<'_, Self>, irql: &mut Passive);
}

/// The driver as a whole: what its registration, what it has beneath and its callbacks refer to.
pub struct Registered<D> {
    driver: D,
    /// Alive until the unload has returned.
    object: Opaque<DRIVER_OBJECT>,
    handle: Opaque,
}

impl<D> Registered<D> {
    /// The driver's own value.
    #[must_use]
    pub const fn driver(&self) -> &D {
        &self.driver
    }

    /// What work items are allocated on.
    #[must_use]
    pub(crate) fn object(&self) -> *mut DRIVER_OBJECT {
        self.object.get()
    }

    /// NDIS's handle of the registration: a protocol's from the options callback on, for binds may
    /// come before the registration has returned; a miniport's when that has, which is before any
    /// adapter comes.
    #[must_use]
    pub fn handle(&self) -> NDIS_HANDLE {
        self.handle.get()
    }

    /// NDIS has told its handle.
    pub(crate) fn set_handle(&self, handle: NDIS_HANDLE) {
        self.handle.set(handle);
    }

    /// What `slot` keeps, which keeps it no longer.
    ///
    /// # Safety
    ///
    /// The slot is that of KEPT, and `D` the driver that it was made for.
    unsafe fn take_back(slot: &Opaque) -> Option<Arc<Self>> {
        // SAFETY: by KEPT.
        unsafe { Arc::from_raw(slot.take()) }
    }
}

/// A registration that is made; see REGISTRATION.
#[derive(Debug)]
pub struct Registration<'e, R> {
    object: *mut DRIVER_OBJECT,
    path: *mut UNICODE_STRING,
    context: *mut c_void,
    handle: &'e Cell<NDIS_HANDLE>,
    // Of one type only: the context is of its driver.
    _entry: PhantomData<fn(R) -> R>,
}

impl<R: Registers> Registration<'_, R> {
    /// The driver object.
    #[must_use]
    pub const fn object(&self) -> *mut DRIVER_OBJECT {
        self.object
    }

    /// The path of the driver's key in the registry.
    #[must_use]
    pub const fn path(&self) -> *mut UNICODE_STRING {
        self.path
    }

    /// The context for NDIS.
    #[must_use]
    pub const fn context(&self) -> *mut c_void {
        self.context
    }

    /// Where NDIS writes its handle.
    #[must_use]
    pub const fn handle(&self) -> *mut NDIS_HANDLE {
        self.handle.as_ptr()
    }

    /// The unload routine.
    #[must_use]
    pub const fn unload(&self) -> PDRIVER_UNLOAD {
        Some(unload::<R>)
    }

    /// Sets the driver object's unload routine, where NDIS does not.
    pub(crate) fn set_unload(&self, routine: PDRIVER_UNLOAD) {
        // SAFETY: by REGISTRATION a field of this driver's own object.
        let member = unsafe { &raw mut (*self.object).DriverUnload };
        // SAFETY: as above. Where the type is `wdk-sys`'s, the member's type names
        // the same calling convention by another word.
        unsafe { member.cast::<PDRIVER_UNLOAD>().write(routine) };
    }
}

/// The end of a registration; see DEREGISTRATION.
pub struct Deregistration<'u, R: Registers> {
    registered: &'u Arc<Registered<R::Driver>>,
}

impl<R: Registers> Deregistration<'_, R> {
    /// The handle of the registration.
    #[must_use]
    pub fn handle(&self) -> NDIS_HANDLE {
        self.registered.handle()
    }

    /// Waits for who has completed the last unbind and is still on its way out: the driver's own
    /// value goes with the unload, not there.
    pub(crate) fn wait_for_others(&self, irql: &mut Passive) {
        Arc::wait_for_others(self.registered, 1, irql);
    }
}

impl<R: Registers> fmt::Debug for Deregistration<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deregistration").finish_non_exhaustive()
    }
}

/// All of `DriverEntry`: makes the driver and registers it.
///
/// # Safety
///
/// As [`run`].
pub unsafe fn enter<R: Registers>(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS
where
    R::Driver: Load,
{
    // SAFETY: PASSIVE_LEVEL by the caller.
    let mut irql = unsafe { Passive::assume() };
    // SAFETY: the registry path of DriverEntry, by the caller.
    let key = unsafe { ServiceKey::from_raw(path) };
    match R::Driver::load(&key, &mut irql) {
        // SAFETY: the caller's contract is the same.
        Ok(driver) => unsafe { run::<R>(driver, object, path) },
        Err(failure) => failure.as_failure().raw(),
    }
}

/// Registers `driver`. The result is what `DriverEntry` returns; on failure nothing stays behind.
///
/// # Safety
///
/// Called once, at PASSIVE_LEVEL, from `DriverEntry` with its own arguments. The driver object is
/// of no other entry: each sets the unload routine, of which there is one.
pub unsafe fn run<R: Registers>(
    driver: R::Driver,
    object: *mut DRIVER_OBJECT,
    path: *mut UNICODE_STRING,
) -> NTSTATUS {
    let shared = Registered {
        driver,
        object: Opaque::new(object),
        handle: Opaque::null(),
    };
    let Ok(shared) = Arc::try_new(shared, Tag::NDIS) else {
        return Status::RESOURCES.raw();
    };
    // SAFETY: `object` is this driver's, by the caller.
    let slot = match unsafe { slot(object) } {
        Ok(slot) => slot,
        Err(status) => return status.raw(),
    };
    let context = Arc::into_raw(shared.clone());
    slot.set(context);
    let handle = Cell::new(ptr::null_mut());
    let status = R::register(&Registration {
        object,
        path,
        context,
        handle: &handle,
        _entry: PhantomData,
    });
    if status.is_success() {
        shared.set_handle(handle.get());
        return status.raw();
    }
    // SAFETY: this driver's slot. NDIS did not keep the context, and unload will not run.
    drop(unsafe { Registered::<R::Driver>::take_back(slot) });
    // Whatever NDIS calls it: to the loader only a negative code is a failure.
    status.as_failure().raw()
}

/// The unload routine: deregisters the driver, which then goes.
unsafe extern "system" fn unload<R: Registers>(object: *mut DRIVER_OBJECT) {
    // SAFETY: Windows passes this driver's own object.
    let Ok(slot) = (unsafe { slot(object) }) else {
        return;
    };
    // SAFETY: this driver's slot.
    let Some(shared) = (unsafe { Registered::<R::Driver>::take_back(slot) }) else {
        return;
    };
    // SAFETY: the unload routine runs at PASSIVE_LEVEL with no lock held.
    let mut irql = unsafe { Passive::assume() };
    // It stays where it is: a callback that is under way uses it, and the deregistration waits
    // for that one.
    let now = Deregistration {
        registered: &shared,
    };
    R::deregister(&now, &mut irql);
}

/// Names the slot in the extensions of a driver object.
static KEY: u8 = b'N';

/// The pointer that a driver keeps with its driver object, so that unload finds the driver
/// without a global variable. Null at first.
///
/// Source pages: [`IoAllocateDriverObjectExtension`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioallocatedriverobjectextension),
/// [`IoGetDriverObjectExtension`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iogetdriverobjectextension).
///
/// # Errors
///
/// [`Status::RESOURCES`].
///
/// # Safety
///
/// `object` is the calling driver's own object, there for `'o`; PASSIVE_LEVEL.
unsafe fn slot<'o>(object: *mut DRIVER_OBJECT) -> Result<&'o Opaque, Status> {
    let key = ptr::from_ref(&KEY).cast_mut().cast::<c_void>();
    // SAFETY: the caller vouches for the object.
    let mut place = unsafe { ndis_sys::IoGetDriverObjectExtension(object, key) };
    if place.is_null() {
        let size = size_of::<Opaque>() as u32;
        // SAFETY: as above; the system frees the memory with the object.
        let status =
            unsafe { ndis_sys::IoAllocateDriverObjectExtension(object, key, size, &mut place) };
        if status < 0 || place.is_null() {
            return Err(Status::RESOURCES);
        }
        // SAFETY: just allocated for it.
        unsafe { place.cast::<Opaque>().write(Opaque::null()) };
    }
    // SAFETY: it lives as long as the object, and is nobody else's.
    Ok(unsafe { &*place.cast::<Opaque>() })
}
