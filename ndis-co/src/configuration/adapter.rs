//! What only an adapter's own driver reads: the address that somebody has set.

use super::{Configuration, shown, there};
use crate::{
    Status,
    callback::{Argument, FromNdis},
    irql::Passive,
    kernel::Base,
    scope::Scope,
};
use core::{fmt, ops, ptr, slice};
use ndis_sys::NDIS_HANDLE;

/// The open settings of an adapter, for its miniport driver. It derefs to the
/// [`Configuration`].
///
/// ```
/// use ndis_co::{Status, configuration::AdapterConfiguration};
/// # use ndis_host as _;
///
/// const PERMANENT: [u8; 6] = [0x02, 0, 0, 0, 0, 7];
///
/// /// The address that the user has set, if it is one, else that of the device.
/// fn address(configuration: &AdapterConfiguration<'_>) -> Result<[u8; 6], Status> {
///     match configuration.mac_address() {
///         Ok(address) => Ok(address.unwrap_or(PERMANENT)),
///         Err(Status::INVALID_DATA) => Ok(PERMANENT),
///         Err(failure) => Err(failure),
///     }
/// }
/// ```
pub struct AdapterConfiguration<'c>(Configuration<'c>);

impl<'c> AdapterConfiguration<'c> {
    /// That of the adapter on which a scope's resources are.
    #[doc(hidden)]
    pub fn on(scope: &'c Scope, irql: &'c mut Passive) -> Result<Self, Status> {
        let Base::Adapter(adapter) = scope.base() else {
            return Err(Status::NOT_SUPPORTED);
        };
        // SAFETY: the handle of an adapter (rule CFG-03), which by SCOPE is good while the scope is
        // borrowed.
        unsafe { Configuration::open(adapter.0, irql) }.map(Self)
    }

    /// The address that somebody has set for the adapter, in the value `NetworkAddress`: as many
    /// bytes as there are pairs of digits, whatever they are (rule [CFG-13]). `None` when there is
    /// none, or what there is is no text.
    ///
    /// Source page: [`NdisReadNetworkAddress`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreadnetworkaddress).
    ///
    /// # Errors
    ///
    /// What NDIS answers.
    ///
    /// [CFG-13]: ndis_sys::rules#CFG-13
    #[doc(alias = "NdisReadNetworkAddress")]
    pub fn network_address(&self) -> Result<Option<&[u8]>, Status> {
        let mut status = Status::FAILURE.raw();
        let mut address = ptr::null_mut();
        let mut length = 0;
        let handle = self.0.handle;
        // SAFETY: by OPEN the handle is open and this is PASSIVE_LEVEL; it is an adapter's (rule
        // CFG-12); the variables live for the call.
        unsafe {
            ndis_sys::NdisReadNetworkAddress(&mut status, &mut address, &mut length, handle);
        };
        if !there(status)? {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| Status::INVALID_DATA)?;
        let address = shown(address.cast_const().cast::<u8>(), length)?;
        // SAFETY: by LENT NDIS's memory, with as many bytes.
        Ok(Some(unsafe { slice::from_raw_parts(address, length) }))
    }

    /// The same as the address of a station in a network like Ethernet: six bytes, not all zero,
    /// not the address of a group.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when it is no such address (the driver then uses the permanent one,
    /// or a default), or what NDIS answers.
    pub fn mac_address(&self) -> Result<Option<[u8; 6]>, Status> {
        let Some(bytes) = self.network_address()? else {
            return Ok(None);
        };
        match <[u8; 6]>::try_from(bytes) {
            Ok(address @ [first, ..]) if first & 1 == 0 && address != [0; 6] => Ok(Some(address)),
            _ => Err(Status::INVALID_DATA),
        }
    }
}

impl<'c> ops::Deref for AdapterConfiguration<'c> {
    type Target = Configuration<'c>;

    fn deref(&self) -> &Configuration<'c> {
        &self.0
    }
}

impl fmt::Debug for AdapterConfiguration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterConfiguration")
            .finish_non_exhaustive()
    }
}

/// NDIS's handle of the adapter that `MiniportInitializeEx` is about.
///
/// # Invariants
///
/// NEW: it is made by a C function of the layer's from what NDIS calls it with, and does not
/// outlive that call; so the handle is good.
#[doc(hidden)]
#[derive(Debug)]
pub struct NewAdapter(NDIS_HANDLE);

impl NewAdapter {
    /// The handle.
    #[must_use]
    pub const fn get(&self) -> NDIS_HANDLE {
        self.0
    }

    /// Its configuration.
    ///
    /// # Errors
    ///
    /// What NDIS answers.
    pub fn configuration<'c>(
        &'c self,
        irql: &'c mut Passive,
    ) -> Result<AdapterConfiguration<'c>, Status> {
        // SAFETY: the handle of an adapter (rule CFG-03), which by NEW is good.
        unsafe { Configuration::open(self.0, irql) }.map(AdapterConfiguration)
    }
}

impl Argument<NDIS_HANDLE> for NewAdapter {
    fn from_ndis(argument: FromNdis<NDIS_HANDLE, Self>) -> Option<Self> {
        Some(Self(argument.argument()))
    }
}
