//! The settings of an adapter, while it is initialized and afterwards.

use super::{Adapter, Initialize, Miniport};
use ndis_co::{Status, configuration::AdapterConfiguration, irql::Passive};

impl<M: Miniport, S> Initialize<'_, M, S> {
    /// Opens the adapter's settings in the registry.
    ///
    /// PASSIVE_LEVEL. Source page: [`NdisOpenConfigurationEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisopenconfigurationex).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or what NDIS answers.
    ///
    /// ```
    /// # use ndis_co::irql::Passive;
    /// # use ndis_mcm::{Attributes, Initialize, Initialized, Miniport, New, Status};
    /// # use ndis_host as _;
    /// /// [`Miniport::initialize`] of a driver that keeps how many lines there are.
    /// fn initialize<'i, M: Miniport<Adapter = u32>>(
    ///     init: Initialize<'i, M, New>,
    ///     irql: &mut Passive,
    /// ) -> Result<Initialized<'i>, Status> {
    ///     let lines = init.configuration(irql)?.get_u32("Lines")?;
    ///     let lines = lines.filter(|lines| (1..=64).contains(lines)).unwrap_or(4);
    ///     Ok(init.attributes(&Attributes::wan(), irql)?.adapter(lines)?.finish())
    /// }
    /// ```
    #[doc(alias = "NdisOpenConfigurationEx")]
    pub fn configuration<'c>(
        &'c self,
        irql: &'c mut Passive,
    ) -> Result<AdapterConfiguration<'c>, Status> {
        self.adapter_handle().configuration(irql)
    }
}

impl<M: Miniport> Adapter<M> {
    /// Opens the adapter's settings in the registry, until the halt has ended: that waits for this
    /// reference.
    ///
    /// PASSIVE_LEVEL. Source page: [`NdisOpenConfigurationEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisopenconfigurationex).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or what NDIS answers.
    ///
    /// ```
    /// # use ndis_co::irql::Passive;
    /// # use ndis_mcm::{Adapter, Miniport, Status};
    /// # use ndis_host as _;
    /// /// What is to be known at the next start.
    /// fn remember<M: Miniport>(adapter: &Adapter<M>, irql: &mut Passive) -> Result<(), Status> {
    ///     adapter.configuration(irql)?.set_u32("Busy", 1)
    /// }
    /// ```
    #[doc(alias = "NdisOpenConfigurationEx")]
    pub fn configuration<'c>(
        &'c self,
        irql: &'c mut Passive,
    ) -> Result<AdapterConfiguration<'c>, Status> {
        // The halt waits for the driver's part, which is borrowed here (rule DV-16).
        AdapterConfiguration::on(self.scope(), irql)
    }
}
