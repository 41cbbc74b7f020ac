//! What the engine and an adapter ask of each other takes a key, of which a driver has none.

#![forbid(unsafe_code)]

use ndis_co::{
    channel::Channel,
    cm::{Base, Carrier, Families, Gates, Key, Part},
    irql::Passive,
};
use ndis_mcm::{Adapter, MiniportCallManager, Vc};

fn opened<M: MiniportCallManager>(vc: &Vc<M>) {
    let gates = Gates {
        sends: true,
        receives: true,
    };
    vc.path().open(gates);
    vc.count_in(1);
}

fn counted<M: MiniportCallManager>(adapter: &Adapter<M>, irql: &mut Passive) {
    adapter.count_in(1, Key::assume());
    adapter.families_closed(Key(()));
    Families::<M>::close(adapter, irql);
}

fn main() {}
