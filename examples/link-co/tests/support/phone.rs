//! [`Phone`]: a client at one end of the link. The one at the second end takes calls.

use super::FAMILY;
use ndis_co::{
    Answer, AsClient, NewBinding, Protocol, Status,
    address::SapAddressBuf,
    client::{Af, AfOffer, Binding, Client, IncomingCall, OpenAf, Received, Sap, Vc},
    irql::{NoLock, Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists},
    params::{CallParameters, CallParametersBuf},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

#[derive(Clone)]
pub struct Phone(Arc<Desk>);

struct Desk {
    side: usize,
    /// How many adapters it was asked to bind to.
    binds: AtomicUsize,
    af: Mutex<Option<Af<Phone>>>,
    calls: Mutex<Vec<Vc<Phone>>>,
    heard: Mutex<Vec<Vec<u8>>>,
    failures: Mutex<Vec<Status>>,
    sent: AtomicUsize,
}

impl Phone {
    /// The phone at the first or the second of the adapters.
    pub fn at(side: usize) -> Self {
        Self(Arc::new(Desk {
            side,
            binds: AtomicUsize::new(0),
            af: Mutex::default(),
            calls: Mutex::default(),
            heard: Mutex::default(),
            failures: Mutex::default(),
            sent: AtomicUsize::new(0),
        }))
    }

    /// Places a call; what comes of it is told later.
    pub fn call(&self, irql: &mut Passive) -> Result<(), Status> {
        let af = self.0.af.lock().unwrap().clone().ok_or(Status::CLOSING)?;
        let vc = af.create_vc((), irql)?;
        let parameters = CallParametersBuf::builder().build()?;
        // It goes on without an owner, until somebody hangs up.
        let _ = vc.make_call(parameters, irql).keep();
        Ok(())
    }

    /// The calls that are up.
    pub fn calls(&self) -> Vec<Vc<Self>> {
        self.0.calls.lock().unwrap().clone()
    }

    pub fn failures(&self) -> Vec<Status> {
        self.0.failures.lock().unwrap().clone()
    }

    pub fn take_heard(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.0.heard.lock().unwrap())
    }

    /// How many frames have come back.
    pub fn sent(&self) -> usize {
        self.0.sent.load(SeqCst)
    }

    /// Says something on a call.
    pub fn try_say(
        &self,
        vc: &Vc<Self>,
        word: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let mut frame = vc.af().binding().allocate(word.len())?;
        frame.set_data(word)?;
        vc.send(frame.into(), irql).map_err(Status::from)
    }

    /// As above, on a call that is up.
    pub fn say(&self, vc: &Vc<Self>, word: &[u8], irql: &mut impl NoLock) {
        self.try_say(vc, word, irql).expect("it is sent");
    }

    pub fn hang_up(&self, irql: &mut impl NoLock) {
        for vc in self.calls() {
            // The other side may have done so.
            let _ = vc.hang_up(&[], irql);
        }
    }

    fn forget(&self, vc: &Vc<Self>) {
        let mut calls = self.0.calls.lock().unwrap();
        let gone: Vec<_> = calls.extract_if(.., |call| call.is(vc)).collect();
        drop(calls);
        drop(gone);
    }
}

impl Protocol for Phone {
    const NAME: &'static str = "PHONE";
    type Binding = NetBufferListPool;
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, _: &mut Passive) -> Result<NetBufferListPool, Status> {
        if self.0.binds.fetch_add(1, SeqCst) % 2 != self.0.side {
            return Err(Status::NOT_ACCEPTED);
        }
        NetBufferListPool::for_sends(adapter.scope(), Tag::NDIS)
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let calls = std::mem::take(&mut *self.0.calls.lock().unwrap());
        drop(calls);
        let af = self.0.af.lock().unwrap().take();
        drop(af);
    }
}

impl Client for Phone {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        assert_eq!(offer.family(), FAMILY);
        // Without it, no call goes.
        let _ = offer.open((), irql);
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        if self.0.side == 1 {
            let address = SapAddressBuf::try_new(1, b"second").unwrap();
            // Without it, no call comes.
            if let Ok(sap) = af.register_sap((), address, irql) {
                let _ = sap.keep();
            }
        }
        *self.0.af.lock().unwrap() = Some(af.keep());
    }

    fn af_closing(&self, _: &Af<Self>, _: &mut UpToDispatch) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn incoming_call<'r>(
        &self,
        _: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, call) = call.accept();
        let _ = call.keep();
        answer
    }

    fn call_connected(&self, vc: &Vc<Self>, _: Option<CallParameters<'_>>, _: &mut UpToDispatch) {
        self.0.calls.lock().unwrap().push(vc.clone());
    }

    fn call_failed(&self, _: &Vc<Self>, status: Status, _: &mut UpToDispatch) {
        self.0.failures.lock().unwrap().push(status);
    }

    fn call_closed(&self, vc: &Vc<Self>, _: &mut UpToDispatch) {
        self.forget(vc);
    }

    fn receive(&self, _: &Vc<Self>, lists: Received<'_, Self>, _: &mut UpToDispatch) {
        for packet in lists.buffers() {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            self.0.heard.lock().unwrap().push(bytes);
        }
    }

    fn send_complete(&self, _: &Vc<Self>, lists: NetBufferLists, _: &mut UpToDispatch) {
        self.0.sent.fetch_add(lists.len(), SeqCst);
    }
}
