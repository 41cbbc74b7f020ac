//! In the place of NDISWAN: carries the frames of a call that is handed up.

use super::ABOVE;
use ndis_co::{
    Status,
    address::SapAddressBuf,
    client::{self, AfOffer, AsClient, Client, IncomingCall, Received},
    irql::{NoLock, Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists},
    params::CallParameters,
    protocol::{Binding, NewBinding, Protocol},
};
use ndis_mcm::Answer;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

#[derive(Clone, Default)]
pub struct Wan(pub Arc<Link>);

#[derive(Default)]
pub struct Link {
    pub pool: Mutex<Option<NetBufferListPool>>,
    pub af: Mutex<Option<client::Af<Wan>>>,
    pub vc: Mutex<Option<client::Vc<Wan>>>,
    /// Whether it takes no calls.
    pub refuses: AtomicU32,
    pub received: Mutex<Vec<Vec<u8>>>,
    /// Frames that were taken from it, each of which is to come back.
    pub taken: AtomicU32,
    pub completed: Mutex<Vec<Status>>,
    pub closed: AtomicU32,
}

impl Link {
    pub fn send(&self, bytes: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        let vc = self.vc.lock().unwrap().clone().ok_or(Status::CLOSING)?;
        let frame = {
            let pool = self.pool.lock().unwrap();
            let mut frame = pool
                .as_ref()
                .ok_or(Status::CLOSING)?
                .allocate(bytes.len())?;
            frame.set_data(bytes)?;
            frame
        };
        vc.send(frame.into(), irql)?;
        self.taken.fetch_add(1, SeqCst);
        Ok(())
    }
}

impl Protocol for Wan {
    const NAME: &'static str = "WAN";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let left = (
            self.0.af.lock().unwrap().take(),
            self.0.vc.lock().unwrap().take(),
            self.0.pool.lock().unwrap().take(),
        );
        drop(left);
    }
}

impl Client for Wan {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family() == ABOVE {
            let _ = offer.open((), irql);
        }
    }

    fn af_opened(&self, af: client::OpenAf<Self>, irql: &mut Passive) {
        let pool = NetBufferListPool::for_sends(af.binding().scope(), Tag::new(*b"Test")).unwrap();
        let before = self.0.pool.lock().unwrap().replace(pool);
        drop(before);
        let address = SapAddressBuf::try_new(0x8000, b"NDIS").unwrap();
        let _ = af.register_sap((), address, irql).unwrap().keep();
        let before = self.0.af.lock().unwrap().replace(af.keep());
        drop(before);
    }

    fn af_closed(&self, _: &client::Af<Self>, _: &mut UpToDispatch) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
        let pool = self.0.pool.lock().unwrap().take();
        drop(pool);
    }

    fn create_vc(&self, _: &client::Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn incoming_call<'r>(
        &self,
        _: &client::Sap<Self>,
        call: IncomingCall<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.0.refuses.load(SeqCst) == 1 {
            return call.refuse(Status::NOT_ACCEPTED);
        }
        let (answer, call) = call.accept();
        let before = self.0.vc.lock().unwrap().replace(call.keep());
        drop(before);
        answer
    }

    fn call_connected(
        &self,
        _: &client::Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let _ = self.0.send(b"hello", irql);
    }

    fn call_closed(&self, _: &client::Vc<Self>, _: &mut UpToDispatch) {
        let vc = self.0.vc.lock().unwrap().take();
        drop(vc);
        self.0.closed.fetch_add(1, SeqCst);
    }

    fn receive(&self, _: &client::Vc<Self>, lists: Received<'_, Self>, _: &mut UpToDispatch) {
        for packet in lists.buffers() {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            self.0.received.lock().unwrap().push(bytes);
        }
    }

    fn send_complete(&self, _: &client::Vc<Self>, lists: NetBufferLists, _: &mut UpToDispatch) {
        let mut completed = self.0.completed.lock().unwrap();
        completed.extend(lists.iter().map(|list| list.status()));
    }
}
