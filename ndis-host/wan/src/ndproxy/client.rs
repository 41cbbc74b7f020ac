//! NDPROXY as the client of an adapter's call manager, on the family TAPI_PROXY.

use super::{Call, Ndproxy, Port, Tapi};
use ndis_co::{
    Answer, Binding, Status,
    client::{Af, AfOffer, Client, IncomingCall, OpenAf, Received, Sap, Vc},
    family::Family,
    irql::{Passive, UpToDispatch},
    mem::Arc,
    oid::{Answered, OutgoingRequest, ToManager, number},
    params::CallParameters,
    tapi::{CallDiagnostics, LineSap},
};

impl<T: Tapi> Client for Ndproxy<T> {
    type Af = ();
    /// The first line that it is for, and what it is found by.
    type Sap = (u32, LineSap);
    type Vc = Arc<Call<T>>;

    /// Of whatever version: which one NDPROXY wants, no page says.
    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family().family == Family::TAPI_PROXY {
            // A failure leaves this adapter without lines.
            let _ = offer.open((), irql);
        }
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let port = Arc::clone(&af.binding());
        Port::family_opened(&port, af, irql);
    }

    fn af_closing(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        Port::end_all(&af.binding(), irql);
    }

    fn af_closed(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        Port::family_closed(&af.binding(), irql);
    }

    fn sap_registered(&self, sap: &Sap<Self>, result: Result<(), Status>, irql: &mut UpToDispatch) {
        let port = Arc::clone(&sap.af().binding());
        let (line, key) = **sap;
        if result.is_err() {
            Port::forget_sap(&port, key, irql);
        }
        self.desk.tapi.line_opened(&port, line, result, irql);
    }

    fn create_vc(&self, af: &Af<Self>, _: &mut UpToDispatch) -> Result<Arc<Call<T>>, Status> {
        Call::try_new(&af.binding(), self.desk.number())
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        Call::over(vc, None, irql);
    }

    fn incoming_call<'r>(
        &self,
        sap: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        Call::ring(&sap.1, call, irql)
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        Call::connected(vc, vc, parameters, irql);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        diagnose(vc, irql);
        Call::over(vc, Some(status), irql);
    }

    fn incoming_close(&self, vc: &Vc<Self>, status: Status, _: &[u8], irql: &mut UpToDispatch) {
        diagnose(vc, irql);
        Call::ended_there(vc, status, irql);
    }

    fn call_closed(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        Call::over(vc, None, irql);
    }

    fn oid_completed(
        &self,
        _: &Af<Self>,
        vc: Option<&Vc<Self>>,
        answered: Answered<ToManager>,
        irql: &mut UpToDispatch,
    ) {
        if let Some(call) = vc
            && answered.oid() == number::CO_TAPI_GET_CALL_DIAGNOSTICS
        {
            let said = answered.result();
            let said = said.and_then(|()| CallDiagnostics::parse(answered.bytes()));
            let tapi = &self.desk.tapi;
            tapi.diagnosed(call.port(), call.number(), said, irql);
        }
    }

    /// Data are NDISWAN's.
    fn receive(&self, _: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        lists.give_back(irql);
    }
}

/// Room for what a call manager has to say of a call, in bytes.
const DIAGNOSTICS: usize = 256;

/// Asks why a call has failed, or was closed by the other end.
fn diagnose<T: Tapi>(vc: &Vc<Ndproxy<T>>, irql: &mut UpToDispatch) {
    let query = OutgoingRequest::query_bytes(number::CO_TAPI_GET_CALL_DIAGNOSTICS, DIAGNOSTICS);
    if let Ok(query) = query {
        // It is only to be known; when the VC goes already it is not.
        let _ = vc.request(query, irql);
    }
}
