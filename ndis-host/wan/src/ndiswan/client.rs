//! NDISWAN as NDPROXY's client, on the family TAPI.

use super::{Link, Ndiswan, Port, Ppp};
use ndis_co::{
    Answer, Binding, Status,
    client::{Af, AfOffer, Client, IncomingCall, OpenAf, Received, Sap, Vc},
    family::Family,
    indication::StatusIndication,
    irql::{NoLock, Passive, UpToDispatch},
    mem::Arc,
    nbl::NetBufferLists,
    oid::{Answered, ToAdapter},
    params::CallParameters,
    tapi::{ClassSap, NDIS_CLASS},
};

impl<P: Ppp> Client for Ndiswan<P> {
    type Af = ();
    type Sap = ();
    type Vc = Arc<Link<P>>;

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family().family == Family::TAPI {
            // A failure leaves the calls of this adapter without data.
            let _ = offer.open((), irql);
        }
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let port = Arc::clone(&af.binding());
        // First, for calls come as soon as there is a SAP.
        Port::family_opened(&port, Af::clone(&af), irql);
        if let Ok(class) = ClassSap::address_of(NDIS_CLASS)
            && let Ok(sap) = af.register_sap((), class, irql)
        {
            // As long as the family is open.
            let _ = sap.keep();
        }
        let _ = af.keep();
    }

    fn af_closed(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        Port::family_closed(&af.binding(), irql);
    }

    fn create_vc(&self, af: &Af<Self>, _: &mut UpToDispatch) -> Result<Arc<Link<P>>, Status> {
        Link::try_new(&af.binding())
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        Link::over(vc, irql);
    }

    fn incoming_call<'r>(
        &self,
        _: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let link = Arc::clone(call.vc());
        let known = call.parameters().ok_or(Status::INVALID_DATA);
        if let Err(status) = known.and_then(|all| link.begin(all, irql)) {
            return call.refuse(status);
        }
        // Either is fine, so both happen.
        if link.number().is_multiple_of(2) {
            let (answer, call) = call.accept();
            // It ends by a hang-up of either side.
            let _ = call.keep();
            answer
        } else {
            let (answer, call) = call.pend();
            Port::accept_soon(link.port(), call, irql);
            answer
        }
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        Link::connected(vc, vc, irql);
    }

    fn call_closed(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        Link::over(vc, irql);
    }

    fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        for packet in lists.buffers() {
            Link::received(vc, packet, irql);
        }
        lists.give_back(irql);
    }

    fn send_complete(&self, vc: &Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        Link::sent(vc, lists, irql);
    }

    fn vc_oid_completed(
        &self,
        vc: &Vc<Self>,
        answered: Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        Link::answered(vc, &answered, irql);
    }

    fn vc_status(&self, vc: &Vc<Self>, status: StatusIndication<'_>, irql: &mut UpToDispatch) {
        Link::status(vc, status, irql.up_to_dispatch());
    }
}
