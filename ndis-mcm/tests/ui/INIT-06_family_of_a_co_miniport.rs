//! Rules: INIT-06, REG-12
//!
//! A miniport that is no call manager has no family to offer: the call manager above it has.

use ndis_co::{
    Answer,
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
};
use ndis_mcm::{
    Adapter, Attributes, Carry, CoMiniport, Initialize, Initialized, Miniport, New, Status,
    co::{ActivateVc, SendLists, Vc, VcMiniport},
};

const FAMILY: AddressFamily = AddressFamily::new(Family::new(77), 1, 0);

struct Card;

impl Miniport for Card {
    type Adapter = ();
    type Role = CoMiniport;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let mut init = init.adapter(())?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
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

fn main() {}
