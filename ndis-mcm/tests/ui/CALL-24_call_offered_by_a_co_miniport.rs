//! Rules: CALL-24, REG-12
//!
//! A miniport that is no call manager knows nothing of calls: its VCs have none to be
//! offered, and it has none of a call manager's VCs.

use ndis_co::{
    Answer,
    irql::{Passive, UpToDispatch},
};
use ndis_mcm::{
    Adapter, Attributes, Carry, CoMiniport, Initialize, Initialized, Miniport, New, Status,
    co::{ActivateVc, SendLists, Vc, VcMiniport},
};

struct Card;

impl Miniport for Card {
    type Adapter = ();
    type Role = CoMiniport;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Ok(init
            .attributes(&Attributes::wan(), irql)?
            .adapter(())?
            .finish())
    }
}

impl VcMiniport for Card {
    type VcContext = ();

    fn create_vc(&self, _: &Adapter<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn activate_vc<'r>(
        &self,
        _: &Vc<Self>,
        request: ActivateVc<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept()
    }
}

impl Carry for Card {
    type Vc = Vc<Self>;

    fn send(&self, _: &Vc<Self>, _: SendLists<Self>, _: &mut UpToDispatch) {}
}

fn offered(vc: &Vc<Card>, irql: &mut UpToDispatch) {
    vc.dispatch_incoming_call(irql);
}

fn hung_up(vc: &ndis_mcm::Vc<Card>, irql: &mut UpToDispatch) {
    let _ = vc.dispatch_incoming_close(Status::SUCCESS, &[], irql);
}

fn main() {}
