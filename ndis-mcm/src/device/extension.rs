//! [`Extension`]: from a device object to what this crate keeps for the device.
//!
//! NDIS gives the driver memory with the device object. There is a lock and a reference in it. A
//! device can be opened as soon as NDIS has made it, before its driver knows of it, and it goes
//! while somebody opens it: neither may find a pointer that leads nowhere.
//!
//! # Invariants
//!
//! EXTENSION: an [`Extension`] is made here alone, of the device object that a dispatch routine of
//! a device of `D`'s is called with, or of one that NDIS has just made for `D`. The device's reserved
//! extension, of this crate's size, is zeros at first: a free lock around a null pointer. The
//! pointer is null or that of an `Opened<D>`, which is lent as long, and changes under the lock. The
//! memory is there as long as the device is registered, and as long as a request to open it is
//! under way (rules [DEV-06], [DEV-08]); at other times nobody asks for it.
//!
//! [DEV-06]: ndis_sys::rules#DEV-06
//! [DEV-08]: ndis_sys::rules#DEV-08

use super::{ControlDevice, files::Opened};
use crate::lock::StateLock;
use core::{marker::PhantomData, ptr, ptr::NonNull};
use ndis_co::{
    Status,
    callback::{Argument, FromNdis},
    irql::Passive,
    mem::Arc,
    raw::{Opaque, Token},
};
use ndis_sys::{DEVICE_OBJECT, NDIS_DEVICE_OBJECT_ATTRIBUTES, NDIS_HANDLE};

/// What is in the memory.
type Memory = StateLock<Opaque>;

/// The device object of a device of `D`'s.
pub(super) struct Extension<D> {
    object: Token<DEVICE_OBJECT>,
    // Of one type only: there is a reference to an `Opened<D>` in the memory.
    _of: PhantomData<fn(D) -> D>,
}

impl<D: ControlDevice> Argument<*mut DEVICE_OBJECT> for Extension<D> {
    fn from_ndis(object: FromNdis<*mut DEVICE_OBJECT, Self>) -> Option<Self> {
        // By ARGUMENT the device object of the dispatch routine that runs, which is `D`'s.
        Some(Self::new(object.raw()))
    }
}

impl<D: ControlDevice> Extension<D> {
    const fn new(object: *mut DEVICE_OBJECT) -> Self {
        Self {
            object: Token(object),
            _of: PhantomData,
        }
    }

    /// Has NDIS make a device, with memory for this, and keep `opened` with it; the device and
    /// NDIS's handle of it.
    ///
    /// # Safety
    ///
    /// `driver` is the handle of this driver's registration as a miniport. The settings are whole
    /// but for the size of the memory, with the dispatch routines of `D`, and what they point to
    /// lives as long as the call (rules [DEV-01], [DEV-21]).
    ///
    /// [DEV-01]: ndis_sys::rules#DEV-01
    /// [DEV-21]: ndis_sys::rules#DEV-21
    pub(super) unsafe fn register(
        driver: NDIS_HANDLE,
        mut settings: NDIS_DEVICE_OBJECT_ATTRIBUTES,
        opened: &Arc<Opened<D>>,
        irql: &mut Passive,
    ) -> Result<(Self, NDIS_HANDLE), Status> {
        settings.ExtensionSize = size_of::<Memory>() as u32;
        let (mut object, mut handle) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: by the caller, at PASSIVE_LEVEL (rule DEV-20).
        let status = unsafe {
            ndis_sys::NdisRegisterDeviceEx(driver, &mut settings, &mut object, &mut handle)
        };
        Status::from_raw(status).as_final().result()?;
        let extension = Self::new(object);
        match extension.memory() {
            Some(memory) => {
                let opened = opened.lent.lend(opened);
                memory.with(|kept| kept.set(opened));
                Ok((extension, handle))
            }
            None => {
                end(handle, irql);
                Err(Status::FAILURE)
            }
        }
    }

    /// The memory; none when NDIS has none.
    fn memory(&self) -> Option<&Memory> {
        // SAFETY: a device object that NDIS has made, which is there as EXTENSION says of its
        // memory.
        let memory = unsafe { ndis_sys::NdisGetDeviceReservedExtension(self.object.0) };
        let memory = NonNull::new(memory.cast::<Memory>()).filter(|place| place.is_aligned())?;
        // SAFETY: by EXTENSION.
        Some(unsafe { memory.as_ref() })
    }

    /// What is kept for the device.
    pub(super) fn get(&self) -> Option<Arc<Opened<D>>> {
        self.memory()?.with(|kept| {
            // SAFETY: by EXTENSION null or an object of this type, which stays lent while the lock
            // is held.
            let kept = unsafe { Arc::<Opened<D>>::borrow_raw(kept.get()) };
            kept.map(|kept| Arc::clone(&kept))
        })
    }

    /// Takes the device away, with NDIS's handle of it; `opened` is what is kept.
    pub(super) fn end(self, handle: NDIS_HANDLE, opened: &Opened<D>, irql: &mut Passive) {
        if let Some(memory) = self.memory() {
            memory.with(|kept| kept.take());
        }
        drop(opened.lent.end());
        end(handle, irql);
    }
}

/// Deregisters a device.
fn end(handle: NDIS_HANDLE, irql: &mut Passive) {
    let _ = irql;
    // SAFETY: of `register` and `Extension::end`, each with the handle that came with the device,
    // which ends with that, at PASSIVE_LEVEL (rules DEV-20, DEV-22).
    unsafe { ndis_sys::NdisDeregisterDeviceEx(handle) };
}
