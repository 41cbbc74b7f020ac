//! What NDIS asks of a random miniport, whatever its VCs are: something by an OID, of an adapter or of
//! one VC, and a reset.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    carrier::{Carrier, Wire},
    driver::Shared,
    oids,
    world::Job,
};
use ndis_co::{Answer, irql::UpToDispatch, oid::RequestId};
use ndis_mcm::{Adapter, OidRequest, Reset, Resettable, Settings};
use std::sync::Arc;

/// What the threads of such a driver reach of it.
pub(crate) trait Asked: Shared + Sized {
    type Wire: Wire;

    fn carrier(x: &Arc<Self>) -> &Arc<Carrier<Self::Wire>>;
    fn place(adapter: &Adapter<Driver<Self>>) -> u32;
    /// Has a job done some time.
    fn later(x: &Arc<Self>, adapter: &Adapter<Driver<Self>>, irql: &mut UpToDispatch, job: Job);
}

type Driver<X> = <<X as Asked>::Wire as Wire>::Miniport;

/// NDIS asks an adapter, or a VC of its.
pub(crate) fn oid_request<'r, X: Asked>(
    x: &Arc<X>,
    adapter: &Adapter<Driver<X>>,
    request: OidRequest<'r, Driver<X>>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    X::mischief(x, irql);
    let place = X::place(adapter);
    let answer = oids::answer(
        x.world(),
        request,
        irql,
        |token, _| X::carrier(x).hold_request(place, token),
        |job, irql| X::later(x, adapter, irql, job),
    );
    X::mischief(x, irql);
    answer
}

/// Nobody waits any more for what it has asked.
pub(crate) fn oid_cancelled<X: Asked>(x: &Arc<X>, id: RequestId, irql: &mut UpToDispatch) {
    X::mischief(x, irql);
    X::carrier(x).cancel(id, irql);
}

/// Whether the hardware hangs.
pub(crate) fn is_hung<X: Asked>(x: &Arc<X>) -> bool {
    x.world().dares(Act::Hung, 1, 2)
}

/// NDIS resets an adapter. What the driver has of it is over before that is; and before it began, what
/// it has left to others was (rule RESET-03).
pub(crate) fn reset<'r, X: Asked>(
    x: &Arc<X>,
    adapter: &Adapter<Driver<X>>,
    reset: Reset<'r, Driver<X>>,
    irql: &mut UpToDispatch,
) -> Answer<'r>
where
    Driver<X>: Resettable,
{
    let world = x.world();
    X::carrier(x).abort(X::place(adapter), irql);
    world.go_on_meanwhile();
    X::mischief(x, irql);
    let act = world.decide(&[
        (2, Act::ResetDone),
        (1, Act::ResetFail),
        (1, Act::ResetPendFail),
        (1, Act::ResetPendDrop),
        (6, Act::ResetPendDone),
    ]);
    let settings = world.among(&[Settings::Kept, Settings::Lost]);
    match act {
        Act::ResetDone => return reset.done(settings),
        Act::ResetFail => return reset.fail(),
        _ => {}
    }
    let (answer, token) = reset.pend();
    let exchange = x.clone();
    let job = move |irql: &mut UpToDispatch| {
        match act {
            Act::ResetPendFail => token.fail(irql),
            Act::ResetPendDrop => drop(token),
            _ => token.done(settings, irql),
        }
        X::mischief(&exchange, irql);
    };
    X::later(x, adapter, irql, Box::new(job));
    X::mischief(x, irql);
    answer
}
