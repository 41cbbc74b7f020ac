//! A client of safe code that notes what it is told, and tries to send and to ask while the
//! adapter beneath it is reset.

use super::card::FAMILY;
use ndis_co::{
    Status,
    client::{Af, AfOffer, AsClient, Binding, Client, NewBinding, OpenAf, Protocol, Received, Vc},
    indication::{StatusIndication, StatusKind},
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists},
    oid::{OutgoingRequest, known},
    params::{CallParameters, CallParametersBuf},
};
use std::sync::{Arc, Mutex};

/// What it has been told of its call, and of the adapter.
#[derive(Default)]
pub struct Notes {
    pub of_call: Mutex<Vec<String>>,
    pub of_adapter: Mutex<Vec<String>>,
    pub af: Mutex<Option<Af<Phone>>>,
    pub vc: Mutex<Option<Vc<Phone>>>,
    /// What became of a send and of a request within the handler of the reset's begin.
    pub refused: Mutex<Vec<Status>>,
    pub sent: Mutex<Vec<Status>>,
}

pub struct Phone(pub Arc<Notes>);

impl Protocol for Phone {
    const NAME: &'static str = "PHONE";
    type Binding = NetBufferListPool;
    type Role = AsClient;

    fn bind(&self, new: &NewBinding<'_>, _: &mut Passive) -> Result<NetBufferListPool, Status> {
        NetBufferListPool::for_sends(new.scope(), Tag::new(*b"Phon"))
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        self.0.vc.lock().unwrap().take();
        self.0.af.lock().unwrap().take();
    }

    fn status(
        &self,
        binding: &Binding<Self>,
        status: StatusIndication<'_>,
        irql: &mut UpToDispatch,
    ) {
        let kind = status.kind();
        self.0.of_adapter.lock().unwrap().push(format!("{kind:?}"));
        if kind != StatusKind::ResetStart {
            return;
        }
        let vc = self.0.vc.lock().unwrap().clone();
        if let Some(vc) = vc {
            let unsent = vc.send(frame(binding), irql).unwrap_err();
            self.0.refused.lock().unwrap().push(unsent.status);
        }
        let request = OutgoingRequest::query(known::GEN_CO_LINK_SPEED).unwrap();
        let unasked = binding.request(request, irql).unwrap_err();
        self.0.refused.lock().unwrap().push(unasked.status);
    }
}

/// One that it sends.
pub fn frame(pool: &NetBufferListPool) -> NetBufferLists {
    let mut list = pool.allocate(4).unwrap();
    list.set_data(&[1, 2, 3, 4]).unwrap();
    list.into()
}

impl Client for Phone {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        assert_eq!(offer.family(), FAMILY);
        offer.open((), irql).unwrap();
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        let af = af.keep();
        let vc = af.create_vc((), irql).unwrap();
        let parameters = CallParametersBuf::builder().build().unwrap();
        *self.0.vc.lock().unwrap() = Some(vc.make_call(parameters, irql).keep());
        *self.0.af.lock().unwrap() = Some(af);
    }

    fn call_connected(&self, _: &Vc<Self>, _: Option<CallParameters<'_>>, _: &mut UpToDispatch) {}

    fn receive(&self, _: &Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}

    fn send_complete(&self, _: &Vc<Self>, lists: NetBufferLists, _: &mut UpToDispatch) {
        let status = lists.iter().next().unwrap().status();
        self.0.sent.lock().unwrap().push(status);
    }

    fn vc_status(&self, vc: &Vc<Self>, status: StatusIndication<'_>, _: &mut UpToDispatch) {
        let known = self.0.vc.lock().unwrap();
        assert!(known.as_ref().is_none_or(|own| own.is(vc)));
        let kind = format!("{:?}", status.kind());
        self.0.of_call.lock().unwrap().push(kind);
    }
}
