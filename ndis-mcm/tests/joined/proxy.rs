//! In the place of NDPROXY: hands each call up that has come up beneath.

use super::{ABOVE, BELOW, parameters};
use ndis_co::{
    AsBoth, Status,
    client::{self, AfOffer, Client, Received},
    cm::{self, StandaloneCallManager},
    irql::{NoLock, Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists},
    params::CallParameters,
    protocol::{Binding, NewBinding, OpenedBinding, Protocol},
};
use ndis_mcm::{
    AcceptedCall, Af, Answer, CallManager, CloseCall, MakeCall, OpenAf, RegisterSap, Vc,
};
use std::convert::Infallible;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

#[derive(Clone, Default)]
pub struct Proxy(pub Arc<Desk>);

#[derive(Default)]
pub struct Desk {
    pub af: Mutex<Option<client::Af<Proxy>>>,
    pub sap: Mutex<Option<cm::Sap<Proxy>>>,
    /// Calls, below and above.
    pub pairs: Mutex<Vec<(client::Vc<Proxy>, cm::Vc<Proxy>)>>,
    /// What came of handing them up.
    pub handed: Mutex<Vec<Result<(), Status>>>,
    /// Whether it sends a frame of its own before that, and on which VC.
    pub greets: AtomicU32,
    pub greeted: Mutex<Option<client::Vc<Proxy>>>,
    pub lower_gone: AtomicU32,
    pub upper_gone: AtomicU32,
    pub received: AtomicU32,
}

impl Desk {
    pub fn above(&self, lower: &client::Vc<Proxy>) -> Option<cm::Vc<Proxy>> {
        let pairs = self.pairs.lock().unwrap();
        let pair = pairs.iter().find(|pair| pair.0.is(lower))?;
        Some(pair.1.clone())
    }

    pub fn below(&self, upper: &cm::Vc<Proxy>) -> Option<client::Vc<Proxy>> {
        let pairs = self.pairs.lock().unwrap();
        let pair = pairs.iter().find(|pair| pair.1.is(upper))?;
        Some(pair.0.clone())
    }

    /// The call is up: offers it to the one that listens.
    pub fn hand_up(
        &self,
        lower: &client::Vc<Proxy>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let sap = self.sap.lock().unwrap().clone().ok_or(Status::FAILURE)?;
        let vc = sap.create_vc_joined(lower, (), irql)?;
        // Rule VC-70: one VC shares another.
        let second = sap.create_vc_joined(lower, (), irql);
        let refused = [Status::INVALID_STATE, Status::CLOSING];
        assert!(second.is_err_and(|status| refused.contains(&status)));
        // One at a time.
        self.pairs.lock().unwrap().push((lower.clone(), vc.clone()));
        let vc = vc.activate(parameters()?, irql)?;
        let _ = vc.dispatch_incoming_call(parameters()?, irql);
        Ok(())
    }

    /// Sends a frame of its own beneath.
    pub fn send(&self, lower: &client::Vc<Proxy>, irql: &mut impl NoLock) -> Result<(), Status> {
        let binding = lower.af().binding();
        let pool = NetBufferListPool::for_sends(binding.scope(), Tag::new(*b"Test"))?;
        let mut frame = pool.allocate(1)?;
        frame.set_data(b"!")?;
        Ok(lower.send(frame.into(), irql)?)
    }

    pub fn dial(&self) -> Result<(), Status> {
        // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
        let mut irql = unsafe { Passive::assume() };
        let af = self.af.lock().unwrap().clone().ok_or(Status::CLOSING)?;
        let vc = af.create_vc((), &mut irql)?;
        let _ = vc.make_call(parameters()?, &mut irql).keep();
        Ok(())
    }
}

impl Protocol for Proxy {
    const NAME: &'static str = "PROXY";
    type Binding = ();
    type Role = AsBoth;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        binding.register_address_family(ABOVE, irql).unwrap();
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
        let sap = self.0.sap.lock().unwrap().take();
        drop(sap);
    }
}

impl Client for Proxy {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, offer: AfOffer<'_, Self>, irql: &mut Passive) {
        if offer.family() == BELOW {
            let _ = offer.open((), irql);
        }
    }

    fn af_opened(&self, af: client::OpenAf<Self>, _: &mut Passive) {
        let before = self.0.af.lock().unwrap().replace(af.keep());
        drop(before);
    }

    fn af_closed(&self, _: &client::Af<Self>, _: &mut UpToDispatch) {
        let af = self.0.af.lock().unwrap().take();
        drop(af);
    }

    fn call_connected(
        &self,
        vc: &client::Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        if self.0.greets.load(SeqCst) != 0 {
            *self.0.greeted.lock().unwrap() = Some(vc.clone());
            self.0.send(vc, irql).unwrap();
            return;
        }
        let handed = self.0.hand_up(vc, irql);
        if handed.is_err() {
            let _ = vc.hang_up(&[], irql);
        }
        self.0.handed.lock().unwrap().push(handed);
    }

    fn incoming_close(
        &self,
        vc: &client::Vc<Self>,
        status: Status,
        data: &[u8],
        irql: &mut UpToDispatch,
    ) {
        if let Some(upper) = self.0.above(vc) {
            let _ = upper.dispatch_incoming_close(status, data, irql);
        }
    }

    fn call_closed(&self, vc: &client::Vc<Self>, irql: &mut UpToDispatch) {
        self.incoming_close(vc, Status::SUCCESS, &[], irql);
    }

    fn vc_deleted(&self, _: &client::Vc<Self>, _: &mut UpToDispatch) {
        assert_eq!(
            self.0.pairs.lock().unwrap().len(),
            0,
            "the upper one goes first"
        );
        self.0.lower_gone.fetch_add(1, SeqCst);
    }

    fn receive(&self, _: &client::Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {
        self.0.received.fetch_add(1, SeqCst);
    }

    /// A frame of its own is back, and still counted.
    fn send_complete(&self, vc: &client::Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        drop(lists);
        let handed = self.0.hand_up(vc, irql);
        self.0.handed.lock().unwrap().push(handed);
    }
}

impl StandaloneCallManager for Proxy {
    type Signaling = Infallible;
}

impl CallManager for Proxy {
    type Base = Binding<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Binding<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, sap) = request.accept(());
        let before = self.0.sap.lock().unwrap().replace(sap);
        drop(before);
        answer
    }

    fn deregister_sap<'r>(
        &self,
        _: &cm::Sap<Self>,
        request: cm::DeregisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        let sap = self.0.sap.lock().unwrap().take();
        drop(sap);
        request.finish()
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Err(Status::NOT_SUPPORTED)
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
        call.connect(irql);
    }

    fn incoming_call_refused(&self, vc: &Vc<Self>, _: Status, irql: &mut UpToDispatch) {
        if let Some(lower) = self.0.below(vc) {
            let _ = lower.hang_up(&[], irql);
        }
    }

    fn close_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if let Some(lower) = self.0.below(vc) {
            let _ = lower.hang_up(&[], irql);
        }
        request.finish(irql)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, _: &mut UpToDispatch) {
        let gone = {
            let mut pairs = self.0.pairs.lock().unwrap();
            pairs
                .extract_if(.., |pair| pair.1.is(vc))
                .collect::<Vec<_>>()
        };
        drop(gone);
        self.0.upper_gone.fetch_add(1, SeqCst);
    }
}
