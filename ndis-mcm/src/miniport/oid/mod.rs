//! OID requests that reach a miniport, by either of its doors: what the layer answers itself,
//! and the driver's handler for the rest.
//!
//! By which door a request comes that is not of connection-oriented NDIS, the pages leave
//! open: `MiniportOidRequest` or `MiniportCoOidRequest`. So both lead here, where one handler
//! answers, and each request is completed by the function of the door that it came through
//! (rules [OID-14], [OID-58]).
//!
//! # Invariants
//!
//! ASKED: the pointer is what a callback that runs was given as its request, and the callback's
//! answer is made of it: null, or as NDIS demands of a request (rules [OID-03], [OID-47]).
//!
//! [OID-03]: ndis_sys::rules#OID-03
//! [OID-14]: ndis_sys::rules#OID-14
//! [OID-47]: ndis_sys::rules#OID-47
//! [OID-58]: ndis_sys::rules#OID-58

pub(crate) mod door;
pub(crate) mod lost;
pub(crate) mod standard;
mod statistics;

pub use door::AdapterDoor;
pub use ndis_co::channel::Statistics;

use super::{Adapter, Miniport};
use ndis_co::{
    Answer, Status,
    answer::Request,
    callback::{Argument, FromNdis},
    irql::UpToDispatch,
    oid::{self, RequestId, known},
    power::PowerState,
    stack,
};
use ndis_sys::{NDIS_DEVICE_POWER_STATE, NDIS_OID_REQUEST};
use standard::Counted;

/// A request that reached the adapter of a miniport, see
/// [`OidRequest`](ndis_co::oid::OidRequest).
pub type OidRequest<'r, M> = oid::OidRequest<'r, AdapterDoor<M>>;

/// A request that is answered later, see
/// [`PendingOidRequest`](ndis_co::oid::PendingOidRequest).
///
/// It keeps the adapter: answer it in bounded time, for the halt waits (rule [HALT-08]).
///
/// [HALT-08]: ndis_sys::rules#HALT-08
pub type PendingOidRequest<M> = oid::PendingOidRequest<AdapterDoor<M>>;

/// The request of a callback, as ASKED says.
pub(crate) struct Asked(*mut NDIS_OID_REQUEST);

impl Argument<*mut NDIS_OID_REQUEST> for Asked {
    fn from_ndis(argument: FromNdis<*mut NDIS_OID_REQUEST, Self>) -> Option<Self> {
        Some(Self(argument.raw()))
    }
}

/// A request has come: answers it, or has the driver do so. `of_vc` are the counters of the VC that
/// it is about.
pub(crate) fn arrived<'r, M: Miniport>(
    door: AdapterDoor<M>,
    of_vc: Option<&Statistics>,
    asked: Asked,
    request: Request<'r>,
    irql: &mut UpToDispatch,
    ask: impl FnOnce(OidRequest<'r, M>, &mut UpToDispatch) -> Answer<'r>,
) -> Answer<'r> {
    let adapter = door.adapter().clone();
    // Not a failure to everybody, so no token can say it (rule HALT-13).
    if adapter.is_removed() {
        return request.answer(Status::NOT_ACCEPTED);
    }
    // SAFETY: by ASKED.
    let request = match unsafe { oid::OidRequest::new(asked.0, door, request) } {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let request = match power(&adapter, request, irql) {
        Ok(answer) => return answer,
        Err(request) => request,
    };
    let connected = adapter.shared.medium.is_connected();
    let standing = &adapter.shared.standing;
    let counted = match of_vc {
        Some(counters) => Counted::OfVc(counters),
        None => Counted::OfAdapter(adapter.statistics()),
    };
    let request = match standing.answer(counted, connected, request) {
        Ok(answer) => return answer,
        Err(request) => request,
    };
    // Who asks again within the completion of a request, and so on, comes by here.
    if stack::is_low() {
        return request.refuse(Status::RESOURCES);
    }
    ask(request, irql)
}

/// The two requests that may not be refused (rules DV-08, OID-62): a change of the power state,
/// of which the driver hears, and the question whether it would succeed. An adapter without
/// hardware has nothing to do for either.
///
/// Source pages: `ns-ndis-_ndis_miniport_adapter_registration_attributes`,
/// `oid-pnp-query-power`.
fn power<'r, M: Miniport>(
    adapter: &Adapter<M>,
    request: OidRequest<'r, M>,
    irql: &mut UpToDispatch,
) -> Result<Answer<'r>, OidRequest<'r, M>> {
    if request.is(known::PNP_QUERY_POWER) {
        return Ok(request.reply(&[]));
    }
    if !request.is(known::PNP_SET_POWER) {
        return Err(request);
    }
    let state = request.input_as::<NDIS_DEVICE_POWER_STATE>();
    // What is none changes nothing.
    if let Some(state) = state.and_then(PowerState::from_raw) {
        if state == PowerState::D0 {
            adapter.scope().wake(crate::key::key());
            adapter.shared.medium.wake();
        } else {
            adapter.scope().sleep(crate::key::key());
            adapter.shared.medium.sleep();
        }
        adapter.driver().set_power(adapter, state, irql);
    }
    Ok(request.accept(state.map_or(0, |state| size_of_val(&state))))
}

/// NDIS wants the requests with this identifier ended (rule OID-25).
pub(crate) fn cancelled<M: Miniport>(
    adapter: &Adapter<M>,
    id: *mut core::ffi::c_void,
    irql: &mut UpToDispatch,
) {
    // By none, nothing is found.
    if let Some(id) = RequestId::from_raw(id) {
        adapter.driver().oid_cancelled(adapter, id, irql);
    }
}
