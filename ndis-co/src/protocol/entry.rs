//! Registration: from `DriverEntry` to unload.

use super::{Protocol, handlers};
use crate::{
    Status,
    irql::Passive,
    raw,
    registration::{self, Deregistration, Registers, Registration},
};
use core::fmt;
use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

/// What `DriverEntry` does for a protocol: registers `driver`.
///
/// The [`driver_entry!`](crate::driver_entry) macro makes one from the
/// driver's [`Load`](crate::Load); a test makes one from any value, for
/// instance one that shares state with the test.
///
/// ```
/// # use ndis_co::prelude::*;
/// # struct Driver { lines: u32 }
/// # impl Protocol for Driver {
/// #     const NAME: &'static str = "DRIVER";
/// #     type Binding = ();
/// #     type Role = AsClient;
/// #     fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> { Ok(()) }
/// # }
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/plain/client.rs"));
/// # fn main() {
/// # let host = ndis_host::Host::builder().build();
/// // A test gives the driver a value that it can look at.
/// let entry = ndis_co::client::Entry::new(Driver { lines: 4 });
/// let driver = host.load_with("driver", |object, path| {
///     // SAFETY: the host calls this as Windows calls a DriverEntry.
///     unsafe { entry.run(object, path) }
/// });
/// # host.unload(&driver.unwrap());
/// # assert!(host.finish().is_clean());
/// # }
/// ```
///
/// Source pages: [`NdisSetOptionalHandlers`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndissetoptionalhandlers),
/// [`NdisDeregisterProtocolDriver`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisderegisterprotocoldriver).
#[doc(alias = "DriverEntry")]
#[doc(alias = "NdisSetOptionalHandlers")]
#[doc(alias = "NdisDeregisterProtocolDriver")]
#[doc(alias = "IoAllocateDriverObjectExtension")]
#[doc(alias = "IoGetDriverObjectExtension")]
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
    pub unsafe fn run(self, object: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: the caller's contract is the same.
        unsafe { registration::run::<Self>(self.driver, object, path) }
    }
}

impl<P: Protocol + crate::Load> Entry<P> {
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

// SAFETY: NDIS has the protocol's registration, and unloads the driver; it is ended below.
unsafe impl<P: Protocol> Registers for Entry<P> {
    type Driver = P;

    fn register(now: &Registration<'_, Self>) -> Status {
        now.set_unload(now.unload());
        let mut wide: [u16; 31] = raw::utf16(P::NAME);
        let mut characteristics = handlers::protocol_characteristics::<P>();
        characteristics.Name = raw::unicode_string_over(&mut wide, P::NAME.len());
        // SAFETY: by REGISTRATION at PASSIVE_LEVEL, with a context that lives until the
        // deregistration; NDIS copies the characteristics (rule REG-25).
        let status = unsafe {
            ndis_sys::NdisRegisterProtocolDriver(now.context(), &mut characteristics, now.handle())
        };
        let status = Status::from_raw(status);
        if !status.is_success() {
            now.set_unload(None);
        }
        status
    }

    /// Unbinds every adapter first (rule [REG-30]).
    ///
    /// [REG-30]: ndis_sys::rules#REG-30
    fn deregister(now: &Deregistration<'_, Self>, irql: &mut Passive) {
        // SAFETY: by DEREGISTRATION from the unload routine, at PASSIVE_LEVEL, once (rule
        // REG-29).
        unsafe { ndis_sys::NdisDeregisterProtocolDriver(now.handle()) };
        now.wait_for_others(irql);
    }
}

impl<P: Protocol> fmt::Debug for Entry<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &P::NAME).finish()
    }
}
