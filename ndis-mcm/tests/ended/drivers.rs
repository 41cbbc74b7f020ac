//! The three drivers: a miniport call manager, a proxy that hands its call up and then forgets about
//! it, and a client above that takes it, as far as the test wants.

use super::{Heard, Stage};
use ndis_co::{
    AsBoth, Status,
    address::SapAddressBuf,
    client::{self, AfOffer, AsClient, Client, IncomingCall, PendingIncomingCall, Received},
    cm::{self, Active, CreatedVc, Inactive, PendingCloseCall, StandaloneCallManager},
    family::{AddressFamily, Family},
    irql::{NoLock, Passive, UpToDispatch},
    params::{CallParameters, CallParametersBuf},
    protocol::{Binding, NewBinding, OpenedBinding, Protocol},
};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, OpenAf, RegisterSap, SendLists, Vc,
};
use std::convert::Infallible;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// Between the MCM and the proxy.
const BELOW: AddressFamily = AddressFamily::new(Family::TAPI_PROXY, 1, 0);
/// Between the proxy and the client above.
const ABOVE: AddressFamily = AddressFamily::new(Family::TAPI, 1, 0);

pub fn parameters() -> Result<CallParametersBuf, Status> {
    CallParametersBuf::builder().build()
}

/// A place for one thing, until that is closed: what comes later is dropped.
pub struct Slot<T>(Mutex<(bool, Option<T>)>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new((false, None)))
    }
}

impl<T> Slot<T> {
    fn put(&self, thing: T) {
        let mut slot = self.0.lock().unwrap();
        let spare = if slot.0 {
            Some(thing)
        } else {
            slot.1.replace(thing)
        };
        drop(slot);
        drop(spare);
    }

    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap().1.take()
    }

    pub fn get(&self) -> Option<T>
    where
        T: Clone,
    {
        self.0.lock().unwrap().1.clone()
    }

    fn close(&self) {
        let mut slot = self.0.lock().unwrap();
        slot.0 = true;
        let last = slot.1.take();
        drop(slot);
        drop(last);
    }
}

/// What the drivers have of each other's, and the test of theirs.
#[derive(Default)]
pub struct Desk {
    /// How far the call above is to come.
    pub stage: Mutex<Stage>,
    /// What happens when it has come so far, if that is within a callback.
    pub hook: Mutex<Option<Hook>>,
    heard: Mutex<Vec<Heard>>,
    pub af: Slot<client::Af<Proxy>>,
    sap: Slot<cm::Sap<Proxy>>,
    pub lower: Slot<client::WeakVc<Proxy>>,
    upper: Slot<cm::WeakVc<Proxy>>,
    pub modem: Slot<cm::WeakVc<Modem>>,
    /// Whether the miniport call manager takes no calls.
    pub refuses: AtomicU32,
    /// Whether the proxy has refused to close.
    refused: AtomicU32,
    // What the proxy has in its hands.
    pub created: Slot<CreatedVc<'static, Proxy, Inactive>>,
    pub active: Slot<CreatedVc<'static, Proxy, Active>>,
    pub accepted: Slot<AcceptedCall<Proxy>>,
    pub closing: Slot<PendingCloseCall<Proxy>>,
    // The client's above.
    above: Slot<client::Af<Wan>>,
    ringing: Slot<PendingIncomingCall<Wan>>,
    pub vc: Slot<client::WeakVc<Wan>>,
}

type Hook = Box<dyn FnOnce(&mut UpToDispatch) + Send>;

impl Desk {
    pub fn is_at(&self, stage: Stage) -> bool {
        *self.stage.lock().unwrap() == stage
    }

    fn hear(&self, what: Heard) {
        self.heard.lock().unwrap().push(what);
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn happen(&self, stage: Stage, irql: &mut UpToDispatch) {
        if self.is_at(stage) {
            let hook = self.hook.lock().unwrap().take();
            if let Some(hook) = hook {
                hook(irql);
            }
        }
    }

    pub fn dial(&self, irql: &mut impl NoLock) -> Result<(), Status> {
        let af = self.af.get().ok_or(Status::CLOSING)?;
        let vc = af.create_vc((), irql)?;
        let call = vc.make_call(parameters()?, irql);
        // Dropped, the call is hung up as soon as it is up: what is made then comes too late.
        let _ = call.keep();
        Ok(())
    }

    fn try_to_hand_up(&self, lower: &client::Vc<Proxy>, irql: &mut UpToDispatch) {
        if let Err(status) = self.hand_up(lower, irql) {
            self.hear(Heard::NotHandedUp(status));
        }
    }

    fn hand_up(&self, lower: &client::Vc<Proxy>, irql: &mut UpToDispatch) -> Result<(), Status> {
        let sap = self.sap.get().ok_or(Status::FAILURE)?;
        let vc = sap.create_vc_joined(lower, (), irql)?;
        self.hear(Heard::Joined);
        self.upper.put(vc.downgrade()?);
        if self.is_at(Stage::Created) {
            self.created.put(vc.keep());
            return Ok(());
        }
        let vc = vc.activate(parameters()?, irql)?;
        if self.is_at(Stage::Active) {
            self.active.put(vc.keep());
            return Ok(());
        }
        let _ = vc.dispatch_incoming_call(parameters()?, irql);
        self.happen(Stage::JustOffered, irql);
        Ok(())
    }
}

// The miniport call manager.

#[derive(Clone, Default)]
pub struct Modem(pub Arc<Desk>);

impl Miniport for Modem {
    type Adapter = ();
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let mut init = init.adapter(())?;
        init.register_address_family(BELOW, irql)?;
        Ok(init.finish())
    }

    fn halt(&self, _: &Adapter<Self>, _: &mut Passive) {
        self.0.modem.close();
    }
}

impl CallManager for Modem {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Adapter<Self>,
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
        request.refuse(Status::INVALID_SAP)
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.0.refuses.load(SeqCst) == 1 {
            return request.refuse(Status::NO_ROUTE_TO_DESTINATION);
        }
        self.0.modem.put(vc.downgrade().unwrap());
        // Those that it was asked with are NDPROXY's guess (rule TAPI-09).
        match parameters() {
            Ok(own) => request.accept_with(own, irql),
            Err(status) => {
                drop(self.0.modem.take());
                request.refuse(status)
            }
        }
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.close(Status::FAILURE, irql);
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

impl Carry for Modem {
    type Vc = Vc<Self>;

    fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        lists.complete(Status::SUCCESS, irql);
    }
}

// The proxy. It never ends a call above because the one beneath has.

#[derive(Clone, Default)]
pub struct Proxy(pub Arc<Desk>);

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
        self.0.af.close();
        self.0.sap.close();
        self.0.created.close();
        self.0.active.close();
        self.0.accepted.close();
        self.0.closing.close();
        self.0.lower.close();
        self.0.upper.close();
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
        self.0.af.put(af.keep());
    }

    fn af_closed(&self, _: &client::Af<Self>, _: &mut UpToDispatch) {
        self.0.af.close();
    }

    fn call_connected(
        &self,
        vc: &client::Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        self.0.lower.put(vc.downgrade().unwrap());
        if !self.0.is_at(Stage::TooLate) {
            self.0.try_to_hand_up(vc, irql);
        }
    }

    fn call_failed(&self, vc: &client::Vc<Self>, _: Status, irql: &mut UpToDispatch) {
        self.0.try_to_hand_up(vc, irql);
    }

    fn incoming_close(&self, vc: &client::Vc<Self>, _: Status, _: &[u8], irql: &mut UpToDispatch) {
        if self.0.is_at(Stage::TooLate) {
            self.0.try_to_hand_up(vc, irql);
        } else if self.0.is_at(Stage::OwnWord) {
            let upper = self.0.upper.get().unwrap().upgrade().unwrap();
            let why = Status::INVALID_ADDRESS;
            upper.dispatch_incoming_close(why, &[], irql).unwrap();
        }
    }

    fn call_closed(&self, vc: &client::Vc<Self>, irql: &mut UpToDispatch) {
        if self.0.is_at(Stage::TooLate) {
            self.0.try_to_hand_up(vc, irql);
        }
    }

    fn vc_deleted(&self, _: &client::Vc<Self>, _: &mut UpToDispatch) {
        self.0.hear(Heard::LowerGone);
    }

    fn receive(&self, _: &client::Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}
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
        self.0.sap.put(sap);
        answer
    }

    fn deregister_sap<'r>(
        &self,
        _: &cm::Sap<Self>,
        request: cm::DeregisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.sap.close();
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
        if self.0.is_at(Stage::Accepted) {
            self.0.accepted.put(call);
        } else {
            call.connect(irql);
        }
    }

    fn incoming_call_refused(&self, _: &Vc<Self>, _: Status, _: &mut UpToDispatch) {
        self.0.hear(Heard::Refused);
    }

    fn call_failed(&self, _: &Vc<Self>, status: Status, _: &mut UpToDispatch) {
        self.0.hear(Heard::Failed(status));
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if self.0.is_at(Stage::Refusing) && self.0.refused.swap(1, SeqCst) == 0 {
            self.0.happen(Stage::Refusing, irql);
            return request.refuse(Status::FAILURE);
        }
        if !self.0.is_at(Stage::Closing) {
            return request.finish(irql);
        }
        let (answer, closing) = request.pend();
        self.0.closing.put(closing);
        answer
    }

    fn vc_deleted(&self, _: &Vc<Self>, _: &mut UpToDispatch) {
        self.0.hear(Heard::UpperGone);
    }
}

// The client above.

#[derive(Clone, Default)]
pub struct Wan(pub Arc<Desk>);

impl Protocol for Wan {
    const NAME: &'static str = "WAN";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) {
        self.0.above.close();
        self.0.ringing.close();
        self.0.vc.close();
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
        let address = SapAddressBuf::try_new(0x8000, b"NDIS").unwrap();
        let _ = af.register_sap((), address, irql).unwrap().keep();
        self.0.above.put(af.keep());
    }

    fn af_closed(&self, _: &client::Af<Self>, _: &mut UpToDispatch) {
        self.0.above.close();
        self.0.ringing.close();
    }

    fn create_vc(&self, _: &client::Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn incoming_call<'r>(
        &self,
        _: &client::Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        for stage in [
            Stage::Offering,
            Stage::OfferingPends,
            Stage::OfferingRefuses,
        ] {
            self.0.happen(stage, irql);
        }
        let stage = *self.0.stage.lock().unwrap();
        match stage {
            Stage::OfferingRefuses => call.refuse(Status::NOT_ACCEPTED),
            Stage::Ringing | Stage::OfferingPends => {
                let (answer, ringing) = call.pend();
                self.0.ringing.put(ringing);
                answer
            }
            _ => {
                let (answer, call) = call.accept();
                let _ = call.keep();
                answer
            }
        }
    }

    fn call_connected(
        &self,
        vc: &client::Vc<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        self.0.hear(Heard::Connected);
        self.0.vc.put(vc.downgrade().unwrap());
        self.0.happen(Stage::Connecting, irql);
    }

    fn incoming_close(
        &self,
        _: &client::Vc<Self>,
        status: Status,
        data: &[u8],
        _: &mut UpToDispatch,
    ) {
        assert!(data.is_empty());
        self.0.hear(Heard::Told(status));
    }

    fn receive(&self, _: &client::Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}
}
