//! Rules: NBL-11
//!
//! Lists know the VC that they came on: there is no place to name another one.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{MiniportCallManager, SendLists, Vc};

fn complete<M: MiniportCallManager>(on: &Vc<M>, lists: SendLists<M>, irql: &mut UpToDispatch) {
    lists.complete(on, Status::SUCCESS, irql);
}

fn main() {}
