//! [`Extension`]: from a device object to what this crate keeps for the device.
//!
//! NDIS gives the driver memory with the device object. There is a lock and a reference in it. A
//! device can be opened as soon as NDIS has made it, before its driver knows of it, and it goes
//! while somebody opens it: neither may find a pointer that leads nowhere.
//!
//! # Invariants
//!
//! EXTENSION: the reserved extension of a device of `D`'s, of this crate's size, is zeros at first:
//! a free lock around a null pointer. The pointer is null or one of [`Arc::into_raw`], of an
//! `Opened<D>`, with its reference, and changes under the lock. The memory is there as long as
//! the device is registered, and as long as a request to open it is under way (rules [DEV-06],
//! [DEV-08]).
//!
//! [DEV-06]: ndis_sys::rules#DEV-06
//! [DEV-08]: ndis_sys::rules#DEV-08

use super::{ControlDevice, files::Opened};
use crate::lock::StateLock;
use core::{marker::PhantomData, ptr::NonNull};
use ndis_co::{
    callback::{Argument, FromNdis},
    mem::Arc,
    raw::{Opaque, Token},
};
use ndis_sys::DEVICE_OBJECT;

/// What is in the memory.
pub(super) type Memory = StateLock<Opaque>;

/// The device object of a device of `D`'s.
pub(super) struct Extension<D> {
    object: Token<DEVICE_OBJECT>,
    _of: PhantomData<fn() -> D>,
}

impl<D: ControlDevice> Argument<*mut DEVICE_OBJECT> for Extension<D> {
    fn from_ndis(object: FromNdis<*mut DEVICE_OBJECT, Self>) -> Option<Self> {
        // SAFETY: by ARGUMENT the device object of the dispatch routine that runs, which is `D`'s.
        Some(unsafe { Self::new(object.raw()) })
    }
}

impl<D: ControlDevice> Extension<D> {
    /// # Safety
    ///
    /// The object is that of a device of `D`'s. The value is used while it is registered, or by the
    /// routine that is called to open it.
    pub(super) const unsafe fn new(object: *mut DEVICE_OBJECT) -> Self {
        Self {
            object: Token(object),
            _of: PhantomData,
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
            // SAFETY: by EXTENSION null or a reference of this type, which stays while the lock is
            // held.
            let kept = unsafe { Arc::<Opened<D>>::borrow_raw(kept.get()) };
            kept.map(|kept| Arc::clone(&kept))
        })
    }

    /// Keeps this for the device; it comes back where that is impossible.
    pub(super) fn set(&self, opened: Arc<Opened<D>>) -> Result<(), Arc<Opened<D>>> {
        let Some(memory) = self.memory() else {
            return Err(opened);
        };
        let opened = Arc::into_raw(opened);
        memory.with(|kept| kept.set(opened));
        Ok(())
    }

    /// What is kept no longer.
    pub(super) fn take(&self) -> Option<Arc<Opened<D>>> {
        let kept = self.memory()?.with(|kept| kept.take());
        // SAFETY: by EXTENSION; the reference has left the memory.
        unsafe { Arc::from_raw(kept) }
    }
}
