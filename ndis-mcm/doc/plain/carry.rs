impl ndis_mcm::Carry for Driver {
    type Vc = ndis_mcm::Vc<Self>;

    fn send(
        &self,
        _: &ndis_mcm::Vc<Self>,
        lists: ndis_mcm::SendLists<Self>,
        irql: &mut ndis_co::irql::UpToDispatch,
    ) {
        lists.complete(ndis_mcm::Status::SUCCESS, irql);
    }
}
