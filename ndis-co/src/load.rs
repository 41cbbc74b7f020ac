//! [`Load`] and [`driver_entry!`](crate::driver_entry): from a type to a driver.

use crate::{ServiceKey, Status, irql::Passive};

/// Makes the driver's one value when Windows loads it.
///
/// ```
/// # use ndis_co::prelude::*;
/// # use ndis_host as _;
/// struct Driver {
///     lines: u32,
/// }
///
/// impl Load for Driver {
///     fn load(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
///         let lines = key.parameter("Lines", irql)?.unwrap_or(4);
///         Ok(Self { lines })
///     }
/// }
/// ```
pub trait Load: Sized {
    /// Runs in `DriverEntry` at PASSIVE_LEVEL, before anything is registered.
    /// `key` has the driver's settings.
    ///
    /// # Errors
    ///
    /// A failure keeps the driver from loading.
    #[doc(alias = "DriverEntry")]
    fn load(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status>;
}

/// Makes a [`Protocol`](crate::protocol::Protocol) that implements [`Load`] the
/// driver of this crate: defines `driver_entry`.
///
/// In a Windows image that is the exported entry point, `DriverEntry`. Under
/// `ndis-host`, where several drivers share one process, it is a plain public
/// function.
#[macro_export]
macro_rules! driver_entry {
    ($driver:ty) => {
        $crate::__entry_point! { $crate::protocol::Entry<$driver> }
    };
}

/// The parts that `driver_entry!` of this crate and of `ndis-mcm` share. A
/// driver linked with the host needs no symbol, one for Windows does.
///
/// It takes a type, no expression: nothing of the caller's is evaluated in the
/// `unsafe` block of the expansion.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry_point {
    ($entry:ty) => {
        $crate::sys::__in_an_image! {
            { $crate::__entry_function! { exported $entry } }
            else {
                // A `no_std` library needs somebody's panic handler to link as a
                // shared object; beside the host the standard library's will do.
                extern crate std as _;
                $crate::__entry_function! { plain $entry }
            }
        }
    };
}

/// Takes no attribute of the caller's: one could name any symbol of the image.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry_function {
    (exported $entry:ty) => {
        $crate::__entry_function! { plain $entry }

        const _: () = {
            /// The entry point under the name that Windows looks for.
            #[unsafe(export_name = "DriverEntry")]
            unsafe extern "system" fn exported(
                ndis_driver_object: *mut $crate::sys::DRIVER_OBJECT,
                ndis_registry_path: *mut $crate::sys::UNICODE_STRING,
            ) -> $crate::sys::NTSTATUS {
                // SAFETY: the caller's contract is the same.
                unsafe { driver_entry(ndis_driver_object, ndis_registry_path) }
            }
        };
    };
    (plain $entry:ty) => {
        /// The driver's entry point.
        ///
        /// # Safety
        ///
        /// Called once, by the loader, at PASSIVE_LEVEL.
        pub unsafe extern "system" fn driver_entry(
            ndis_driver_object: *mut $crate::sys::DRIVER_OBJECT,
            ndis_registry_path: *mut $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            // A name of its own: nothing of the caller's is evaluated within `unsafe`.
            type NdisDriverEntry = $entry;
            // SAFETY: the caller's contract is the same.
            unsafe {
                $crate::registration::enter::<NdisDriverEntry>(
                    ndis_driver_object,
                    ndis_registry_path,
                )
            }
        }
    };
}
