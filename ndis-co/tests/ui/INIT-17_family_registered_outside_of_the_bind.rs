//! Rules: INIT-17, AF-02
//!
//! A stand-alone call manager registers its families within the bind, not on a binding that
//! goes away; and what the bind lends it is not kept.

use ndis_co::{
    cm::StandaloneCallManager,
    family::{AddressFamily, Family},
    irql::Passive,
    protocol::{Binding, OpenedBinding},
};

fn unbinding<M: StandaloneCallManager>(binding: &Binding<M>, irql: &mut Passive) {
    let family = AddressFamily::new(Family::L2TP, 1, 0);
    let _ = binding.register_address_family(family, irql);
}

fn kept<M: StandaloneCallManager>(binding: OpenedBinding<'_, M>) -> OpenedBinding<'static, M> {
    binding
}

fn main() {}
