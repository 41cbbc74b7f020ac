//! What the engine and an adapter ask of each other takes a key, of which a driver has none.

#![forbid(unsafe_code)]

use ndis_co::{
    channel::{self, Channel},
    cm::{Base, Carrier, Families, Gates, Key, Part},
    irql::{Passive, UpToDispatch},
    nbl::Original,
};
use ndis_mcm::{
    Adapter, MiniportCallManager, Status, Vc,
    co::{self, VcMiniport},
};

fn opened<M: MiniportCallManager>(vc: &Vc<M>) {
    let gates = Gates {
        sends: true,
        receives: true,
    };
    vc.path().open(gates);
    vc.count_in(1);
}

fn early<M: VcMiniport>(vc: &co::Vc<M>, irql: &mut UpToDispatch) {
    channel::indicate_early(vc, 1, irql);
    channel::complete_dropped(vc, irql);
}

fn mark<M: VcMiniport>(lists: &co::SendLists<M>) {
    channel::mark(lists.chain(), Status::SUCCESS);
}

fn counted<M: MiniportCallManager>(adapter: &Adapter<M>, irql: &mut Passive) {
    adapter.count_in(1, Key::assume());
    adapter.families_closed(Key(()));
    Families::<M>::close(adapter, irql);
}

fn main() {}
