//! NDPROXY as the call manager of those who carry data, on the family TAPI.

use super::{Call, Ndproxy, TAPI, Tapi};
use core::convert::Infallible;
use ndis_co::{
    Answer, Binding, Status,
    cm::{
        AcceptedCall, Af, CallManager, CloseCall, DeregisterSap, MakeCall, OpenAf, RegisterSap,
        Sap, StandaloneCallManager, Vc,
    },
    irql::UpToDispatch,
    mem::Arc,
    params::CallParameters,
    tapi::ClassSap,
};

impl<T: Tapi> StandaloneCallManager for Ndproxy<T> {
    /// It signals over nothing of its own.
    type Signaling = Infallible;
}

impl<T: Tapi> CallManager for Ndproxy<T> {
    type Base = Binding<Self>;
    type Af = ();
    type Sap = ();
    type Vc = Arc<Call<T>>;

    fn open_af<'r>(
        &self,
        _: &Binding<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        if request.family() == TAPI {
            request.accept(())
        } else {
            request.refuse(Status::NOT_SUPPORTED)
        }
    }

    fn register_sap<'r>(
        &self,
        af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if let Err(status) = ClassSap::parse(request.address()) {
            return request.refuse(status);
        }
        let (answer, sap) = request.accept(());
        // Without memory nobody will be found under this class.
        let _ = af.base().add_class(&sap, irql);
        answer
    }

    fn deregister_sap<'r>(
        &self,
        sap: &Sap<Self>,
        request: DeregisterSap<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        sap.base().remove_class(sap, irql);
        request.finish()
    }

    /// A client would place a call: applications do.
    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<Arc<Call<T>>, Status> {
        Err(Status::NOT_SUPPORTED)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        Call::upper_over(vc, irql);
    }

    fn make_call<'r>(
        &self,
        _: &Vc<Self>,
        request: MakeCall<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::NOT_SUPPORTED)
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let this = Arc::clone(call.vc());
        Call::accepted(&this, call, irql);
    }

    /// Its VC is deleted next, and the call with it.
    fn incoming_call_refused(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let tapi = &self.desk.tapi;
        tapi.got_id(vc.port(), vc.number(), Err(status), irql);
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }
}
