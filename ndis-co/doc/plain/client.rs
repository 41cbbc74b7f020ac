impl ndis_co::client::Client for Driver {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(
        &self,
        _: &ndis_co::Binding<Self>,
        _: ndis_co::client::AfOffer<'_, Self>,
        _: &mut ndis_co::irql::Passive,
    ) {
    }

    fn af_opened(&self, _: ndis_co::client::OpenAf<Self>, _: &mut ndis_co::irql::Passive) {}

    fn incoming_call<'r>(
        &self,
        _: &ndis_co::client::Sap<Self>,
        call: ndis_co::client::IncomingCall<'r, Self>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) -> ndis_co::Answer<'r> {
        call.refuse(ndis_co::Status::NOT_SUPPORTED)
    }

    fn call_connected(
        &self,
        _: &ndis_co::client::Vc<Self>,
        _: Option<ndis_co::params::CallParameters<'_>>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) {
    }

    fn receive(
        &self,
        _: &ndis_co::client::Vc<Self>,
        _: ndis_co::client::Received<'_, Self>,
        _: &mut ndis_co::irql::UpToDispatch,
    ) {
    }
}
