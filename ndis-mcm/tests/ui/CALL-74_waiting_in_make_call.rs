//! Rules: CALL-74, IRQL-86
//!
//! Signaling takes time, and the callback has none: pend the call and let the
//! network's answer complete it.

use ndis_co::{Answer, event::Event, irql::UpToDispatch};
use ndis_mcm::{CallManager, MakeCall, Vc};

fn make_call<'r, M: CallManager<Vc = Event>>(
    vc: &Vc<M>,
    request: MakeCall<'r, M>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    vc.wait_for(1000, irql);
    request.accept(irql)
}

fn main() {}
