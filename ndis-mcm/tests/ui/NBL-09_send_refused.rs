//! Rules: NBL-09
//!
//! A send is taken in any case, and completed, if need be with a failure: the
//! callback has no way to say no.

use ndis_co::{
    Answer,
    irql::{Passive, UpToDispatch},
    params::CallParameters,
};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, CallManager, Carry, CloseCall, Initialize, Initialized, MakeCall, Mcm,
    Miniport, New, OpenAf, RegisterSap, SendLists, Status, Vc,
};

struct Choosy;

impl Miniport for Choosy {
    type Adapter = ();
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        _: Initialize<'i, Self, New>,
        _: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Err(Status::FAILURE)
    }
}

impl CallManager for Choosy {
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
        request.refuse(Status::NOT_SUPPORTED)
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        _: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(irql)
    }

    fn incoming_call_accepted(
        &self,
        _: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        _: &mut UpToDispatch,
    ) {
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

impl Carry for Choosy {
    type Vc = Vc<Self>;

    fn send(
        &self,
        _: &Vc<Self>,
        lists: SendLists<Self>,
        _: &mut UpToDispatch,
    ) -> Result<(), SendLists<Self>> {
        Err(lists)
    }
}

fn main() {}
