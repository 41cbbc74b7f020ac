fn initialize<'i>(
    init: ndis_mcm::Initialize<'i, Driver, ndis_mcm::New>,
    irql: &mut ndis_co::irql::Passive,
) -> Result<ndis_mcm::Initialized<'i>, ndis_mcm::Status> {
    let init = init.attributes(&ndis_mcm::Attributes::wan(), irql)?;
    Ok(init.adapter(())?.finish())
}
