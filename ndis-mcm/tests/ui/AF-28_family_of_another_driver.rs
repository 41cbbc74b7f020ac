//! Rules: AF-28, VC-18
//!
//! Two call managers in one program are two types, and so is all that is
//! theirs.

use ndis_co::irql::UpToDispatch;
use ndis_mcm::{Adapter, Af, MiniportCallManager, Sap, Vc};

struct Line<M: MiniportCallManager> {
    adapter: Adapter<M>,
    af: Af<M>,
    sap: Sap<M>,
    vc: Vc<M>,
}

fn patch<A: MiniportCallManager, B: MiniportCallManager>(line: Line<A>, other: Line<B>, _: &mut UpToDispatch) {
    let _mixed: Line<A> = Line {
        adapter: line.adapter,
        af: other.af,
        sap: other.sap,
        vc: other.vc,
    };
}

fn main() {}
