//! Rules: REG-43, NBL-28
//!
//! Callbacks run on several processors at once and share the contexts: what
//! changes in one goes into a `SpinLock`.

use core::cell::Cell;
use ndis_co::{
    Status,
    client::{AsClient, Protocol, AfOffer, Binding, Client, NewBinding, OpenAf, Received, Vc},
    irql::{Passive, UpToDispatch},
    params::CallParameters,
};

struct Counting;

impl Protocol for Counting {
    const NAME: &'static str = "COUNTING";
    type Binding = ();
    type Role = AsClient;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }
}

impl Client for Counting {
    type Af = ();
    type Sap = ();
    type Vc = Cell<u32>;

    fn address_family(&self, _: &Binding<Self>, _: AfOffer<'_, Self>, _: &mut Passive) {}

    fn af_opened(&self, _: OpenAf<Self>, _: &mut Passive) {}

    fn call_connected(&self, _: &Vc<Self>, _: Option<CallParameters<'_>>, _: &mut UpToDispatch) {}

    fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, _: &mut UpToDispatch) {
        vc.set(vc.get() + lists.len() as u32);
    }
}

fn main() {}
