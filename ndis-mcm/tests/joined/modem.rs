//! The miniport call manager: each frame comes back.

use super::{BELOW, parameters};
use ndis_co::{
    Status,
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists, Side},
    params::CallParameters,
};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, OpenAf, RegisterSap, SendLists, Vc,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

#[derive(Clone, Default)]
pub struct Modem(pub Arc<Modulation>);

#[derive(Default)]
pub struct Modulation {
    /// The VC of the call that is up.
    pub vc: Mutex<Option<Vc<Modem>>>,
    /// Frames that have come to it.
    pub sent: AtomicU32,
    pub echoed: AtomicU32,
    /// Whether frames wait until the call is closed.
    pub holds: AtomicU32,
    pub held: Mutex<Vec<SendLists<Modem>>>,
}

impl Miniport for Modem {
    type Adapter = NetBufferListPool;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let pool = NetBufferListPool::for_receives(init.scope(), Tag::new(*b"Test"))?;
        let mut init = init.adapter(pool)?;
        init.register_address_family(BELOW, irql)?;
        Ok(init.finish())
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
        let before = self.0.vc.lock().unwrap().replace(vc.clone());
        drop(before);
        // Those that it was asked with are NDPROXY's guess (rule TAPI-09).
        match parameters() {
            Ok(own) => request.accept_with(own, irql),
            Err(status) => {
                drop(self.0.vc.lock().unwrap().take());
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
        let vc = self.0.vc.lock().unwrap().take();
        drop(vc);
        let over = {
            let mut held = self.0.held.lock().unwrap();
            // A frame may be on its way into this driver.
            self.0.holds.store(0, SeqCst);
            std::mem::take(&mut *held)
        };
        for lists in over {
            lists.complete(Status::SUCCESS, irql);
        }
        request.finish(irql)
    }
}

impl Carry for Modem {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let mut echo = NetBufferLists::new(Side::Miniport);
        for packet in lists.buffers() {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            // Without memory there is no echo.
            if let Ok(mut frame) = vc.base().allocate(bytes.len()) {
                frame.set_data(&bytes).unwrap();
                echo.push_back(frame).unwrap();
            }
        }
        self.0.sent.fetch_add(lists.len() as u32, SeqCst);
        let mut held = self.0.held.lock().unwrap();
        if self.0.holds.load(SeqCst) == 1 {
            held.push(lists);
            drop(held);
        } else {
            drop(held);
            lists.complete(Status::SUCCESS, irql);
        }
        if vc.indicate_receive(echo, irql).is_ok() {
            self.0.echoed.fetch_add(1, SeqCst);
        }
    }
}
