//! Rules: BIND-09
//!
//! An unbind cannot be refused: its callback has no way to say no.

use ndis_co::{
    Status,
    client::{AsClient, Protocol, AfOffer, Binding, Client, NewBinding, OpenAf, Received, Vc},
    irql::{Passive, UpToDispatch},
    params::CallParameters,
};

struct Clinging;

impl Protocol for Clinging {
    const NAME: &'static str = "CLINGING";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn unbind(&self, _: &Binding<Self>, _: &mut Passive) -> Result<(), Status> {
        Err(Status::NOT_ACCEPTED)
    }
}

impl Client for Clinging {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(&self, _: &Binding<Self>, _: AfOffer<'_, Self>, _: &mut Passive) {}

    fn af_opened(&self, _: OpenAf<Self>, _: &mut Passive) {}

    fn call_connected(&self, _: &Vc<Self>, _: Option<CallParameters<'_>>, _: &mut UpToDispatch) {}

    fn receive(&self, _: &Vc<Self>, _: Received<'_, Self>, _: &mut UpToDispatch) {}
}

fn main() {}
