//! The settings of a binding.

use super::{Binding, Protocol};
use crate::{Status, configuration::Configuration, irql::Passive};

impl<P: Protocol> Binding<P> {
    /// Opens the settings that this driver has for the adapter.
    ///
    /// PASSIVE_LEVEL. Source page: [`NdisOpenConfigurationEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisopenconfigurationex).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or what NDIS answers.
    ///
    /// ```
    /// # use ndis_co::{Status, irql::Passive, protocol::{Binding, Protocol}};
    /// # use ndis_host as _;
    /// /// As the user has set it since the bind.
    /// fn volume<P: Protocol>(binding: &Binding<P>, irql: &mut Passive) -> Result<u32, Status> {
    ///     let volume = binding.configuration(irql)?.get_u32("Volume")?;
    ///     Ok(volume.filter(|volume| *volume <= 100).unwrap_or(50))
    /// }
    /// ```
    #[doc(alias = "NdisOpenConfigurationEx")]
    pub fn configuration<'c>(&'c self, irql: &'c mut Passive) -> Result<Configuration<'c>, Status> {
        // SAFETY: the handle of an open adapter (rule CFG-03); it is not closed before the last
        // reference to the binding is gone (rule CFG-06).
        unsafe { Configuration::open(self.shared.handle(), irql) }
    }
}
