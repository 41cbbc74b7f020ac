//! [`NewBinding`]: an adapter that a driver is asked to bind to.
//!
//! # Invariants
//!
//! BINDING: a [`NewBinding`] is made within the bind callback, of the parameters that NDIS keeps for
//! the time of that call, and is lent for less.

use crate::{Status, configuration::Configuration, irql::Passive, scope::Scope};
use core::{fmt, ptr};
use ndis_sys::NDIS_BIND_PARAMETERS;

/// An adapter that is to be opened, while the driver makes its context for it.
///
/// ```
/// # use ndis_co::{Status, mem::Tag, nbl::NetBufferListPool, protocol::NewBinding};
/// # use ndis_host as _;
/// /// [`Protocol::bind`] of a driver that needs frames of 1500 bytes.
/// fn bind(adapter: &NewBinding<'_>) -> Result<NetBufferListPool, Status> {
///     if adapter.mtu() < 1500 {
///         return Err(Status::NOT_SUPPORTED);
///     }
///     NetBufferListPool::for_sends(adapter.scope(), Tag::new(*b"Drvr"))
/// }
/// ```
pub struct NewBinding<'a> {
    scope: &'a Scope,
    parameters: &'a NDIS_BIND_PARAMETERS,
}

impl<'a> NewBinding<'a> {
    /// `parameters` are those of the bind callback, which has not returned while this lives
    /// (invariant BINDING).
    pub(super) fn new(scope: &'a Scope, parameters: &'a NDIS_BIND_PARAMETERS) -> Self {
        Self { scope, parameters }
    }

    /// What pools, timers and work items of this binding are allocated on.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.scope
    }

    /// The largest frame of the adapter, in bytes, without its header.
    #[must_use]
    #[doc(alias = "MtuSize")]
    pub fn mtu(&self) -> u32 {
        self.parameters.MtuSize
    }
}

impl NewBinding<'_> {
    /// Opens the settings that this driver has for the adapter.
    ///
    /// PASSIVE_LEVEL. Source page: [`NdisOpenConfigurationEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisopenconfigurationex).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or what NDIS answers.
    #[doc(alias = "NdisOpenConfigurationEx")]
    pub fn configuration<'c>(&'c self, irql: &'c mut Passive) -> Result<Configuration<'c>, Status> {
        let parameters = ptr::from_ref(self.parameters).cast_mut();
        // SAFETY: the parameters of a bind stand for its configuration (rule CFG-03) while it goes on
        // (rule CFG-07), and by BINDING it does.
        unsafe { Configuration::open(parameters.cast(), irql) }
    }
}

impl fmt::Debug for NewBinding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewBinding")
            .field("mtu", &self.mtu())
            .finish()
    }
}
