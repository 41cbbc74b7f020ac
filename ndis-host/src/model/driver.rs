//! Drivers: loaded, and registered as miniport or protocol drivers.

use crate::callback::{Context, Ptr};
use alloc::alloc::{alloc_zeroed, dealloc};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::alloc::Layout;
use ndis_sys::{
    DRIVER_OBJECT, NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS,
    NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_PROTOCOL_CO_CHARACTERISTICS, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, NTSTATUS,
};

/// A structure of a driver, copied when it was handed over.
pub(crate) struct Copied<T>(pub(crate) T);

// SAFETY: the structures hold function pointers, numbers, and strings that the
// host never follows again.
unsafe impl<T> Send for Copied<T> {}

/// A loader's way to unload an image.
pub(crate) type Unload = Box<dyn FnOnce() -> NTSTATUS + Send>;

/// A loaded driver.
pub(crate) struct Driver {
    pub(crate) name: Arc<str>,
    pub(crate) object: Ptr<DRIVER_OBJECT>,
    pub(crate) miniport: Option<u32>,
    /// How a loader that is not the host's takes the image away. That loader
    /// has made a driver object of its own, and calls its unload routine.
    pub(crate) loader: Option<Unload>,
}

impl Driver {
    /// Whether `object` can be this driver's. One that another loader made is
    /// known to that loader only.
    pub(crate) fn is_object(&self, object: *mut DRIVER_OBJECT) -> bool {
        match self.loader {
            None => object == self.object.0,
            Some(_) => !object.is_null(),
        }
    }
}

/// A registration as miniport driver.
pub(crate) struct Miniport {
    pub(crate) raw: usize,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) context: Context,
    pub(crate) handlers: Copied<NDIS_MINIPORT_DRIVER_CHARACTERISTICS>,
    pub(crate) co: Option<Copied<NDIS_MINIPORT_CO_CHARACTERISTICS>>,
    pub(crate) cm: Option<Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>>,
    /// Inside `MiniportSetOptions`.
    pub(crate) setting_options: bool,
}

/// A registration as protocol driver.
pub(crate) struct Protocol {
    pub(crate) raw: usize,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) context: Context,
    pub(crate) handlers: Copied<NDIS_PROTOCOL_DRIVER_CHARACTERISTICS>,
    pub(crate) co: Option<Copied<NDIS_PROTOCOL_CO_CHARACTERISTICS>>,
    pub(crate) client: Option<Copied<NDIS_CO_CLIENT_OPTIONAL_HANDLERS>>,
    pub(crate) cm: Option<Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>>,
    pub(crate) setting_options: bool,
    /// Deregistration has begun.
    pub(crate) leaving: bool,
}

/// Memory that belongs to a driver object.
pub(crate) struct Extension {
    /// Whose it is: it goes with the driver.
    pub(crate) driver: Option<u32>,
    pub(crate) object: usize,
    pub(crate) id: usize,
    pub(crate) start: Ptr<u8>,
    layout: Layout,
}

impl Extension {
    pub(crate) fn new(driver: Option<u32>, object: usize, id: usize, size: u32) -> Option<Self> {
        let layout = Layout::from_size_align(size.max(1) as usize, 16).ok()?;
        // SAFETY: the size is at least 1.
        let start = unsafe { alloc_zeroed(layout) };
        (!start.is_null()).then_some(Self {
            driver,
            object,
            id,
            start: Ptr(start),
            layout,
        })
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, freed here only.
        unsafe { dealloc(self.start.0, self.layout) };
    }
}
