impl ndis_co::cm::CallManager for Driver {
    type Base = ndis_mcm::Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Self::Base,
        request: ndis_co::cm::OpenAf<'r, Self>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) -> ndis_co::Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &ndis_co::cm::Af<Self>,
        request: ndis_co::cm::RegisterSap<'r, Self>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) -> ndis_co::Answer<'r> {
        request.refuse(ndis_co::Status::NOT_SUPPORTED)
    }

    fn create_vc(
        &self,
        _: &ndis_co::cm::Af<Self>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) -> Result<(), ndis_co::Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        _: &ndis_co::cm::Vc<Self>,
        request: ndis_co::cm::MakeCall<'r, Self>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) -> ndis_co::Answer<'r> {
        request.refuse(ndis_co::Status::NOT_SUPPORTED)
    }

    fn incoming_call_accepted(
        &self,
        _: ndis_co::cm::AcceptedCall<Self>,
        _: Option<ndis_co::params::CallParameters<'_>>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) {
    }

    fn close_call<'r>(
        &self,
        _: &ndis_co::cm::Vc<Self>,
        request: ndis_co::cm::CloseCall<'r, Self>,
        irql: &mut ndis_co::irql::UpToDispatch,
    ) -> ndis_co::Answer<'r> {
        request.finish(irql)
    }
}
