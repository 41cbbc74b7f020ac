//! Registration: from `DriverEntry` to unload.

use super::{Miniport, handlers};
use core::fmt;
use ndis_co::{
    Load, Status,
    irql::Passive,
    registration::{self, Deregistration, Registers, Registration},
};
use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

/// What `DriverEntry` does for a miniport: registers `driver`.
///
/// The [`driver_entry!`](crate::driver_entry) macro makes one from the
/// driver's [`Load`]; a test makes one from any value.
///
/// ```
/// # use ndis_mcm::prelude::*;
/// # struct Driver { lines: u32 }
/// # impl Miniport for Driver {
/// #     type Adapter = ();
/// #     type Role = Connectionless;
/// #     fn initialize<'i>(&self, init: Initialize<'i, Self, New>, irql: &mut Passive) -> Result<Initialized<'i>, Status> {
/// #         let init = init.attributes(&Attributes::wan(), irql)?;
/// #         Ok(init.adapter(())?.finish())
/// #     }
/// # }
/// # let host = ndis_host::Host::builder().build();
/// // A test gives the driver a value that it can look at.
/// let entry = ndis_mcm::Entry::new(Driver { lines: 4 });
/// let driver = host.load_with("driver", |object, path| {
///     // SAFETY: the host calls this as Windows calls a DriverEntry.
///     unsafe { entry.run(object, path) }
/// });
/// # host.unload(&driver.unwrap());
/// # assert!(host.finish().is_clean());
/// ```
///
/// Source pages: [`NdisSetOptionalHandlers`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndissetoptionalhandlers),
/// [`MINIPORT_UNLOAD`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_unload),
/// [`NdisMDeregisterMiniportDriver`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismderegisterminiportdriver).
#[doc(alias = "DriverEntry")]
#[doc(alias = "NdisSetOptionalHandlers")]
#[doc(alias = "MiniportDriverUnload")]
#[doc(alias = "NdisMDeregisterMiniportDriver")]
#[doc(alias = "IoAllocateDriverObjectExtension")]
#[doc(alias = "IoGetDriverObjectExtension")]
pub struct Entry<M: Miniport> {
    driver: M,
}

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
        // SAFETY: the caller's contract is the same.
        unsafe { registration::run::<Self>(self.driver, object, path) }
    }
}

impl<M: Miniport + Load> Entry<M> {
    /// Makes the driver and registers it: all of `DriverEntry`.
    ///
    /// # Safety
    ///
    /// As [`Entry::run`].
    pub unsafe fn load(object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: the caller's contract is the same.
        unsafe { registration::enter::<Self>(object, path) }
    }
}

// SAFETY: NDIS has the miniport's registration, and unloads the driver; it is ended below.
unsafe impl<M: Miniport> Registers for Entry<M> {
    type Driver = M;

    fn register(now: &Registration<'_, Self>) -> Status {
        let mut characteristics = handlers::miniport_characteristics::<M>();
        characteristics.UnloadHandler = now.unload();
        // SAFETY: by REGISTRATION at PASSIVE_LEVEL, with DriverEntry's arguments and a context
        // that lives until the deregistration; NDIS copies the characteristics (rule REG-25).
        // The driver is ready for an adapter, which comes when DriverEntry has returned (rule REG-26).
        let status = unsafe {
            ndis_sys::NdisMRegisterMiniportDriver(
                now.object(),
                now.path(),
                now.context(),
                &mut characteristics,
                now.handle(),
            )
        };
        Status::from_raw(status)
    }

    /// After the last adapter was halted (rule [HALT-17]).
    ///
    /// [HALT-17]: ndis_sys::rules#HALT-17
    fn deregister(now: &Deregistration<'_, Self>, _irql: &mut Passive) {
        // SAFETY: by DEREGISTRATION from the unload routine, at PASSIVE_LEVEL, once (rule
        // REG-28).
        unsafe { ndis_sys::NdisMDeregisterMiniportDriver(now.handle()) };
    }
}

impl<M: Miniport> fmt::Debug for Entry<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("version", &M::VERSION)
            .finish()
    }
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
