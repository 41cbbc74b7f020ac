//! OID requests to the adapter beneath, and the status that it indicates.

use super::{Binding, BindingShared, Protocol, Role};
use crate::{
    Status, callbacks,
    indication::{StatusIndication, StatusKind},
    irql::{AtPassive, NoLock, UpToDispatch},
    mem::Arc,
    oid::{self, Answered, AskError, Ear, OutgoingRequest, ToAdapter, Trip},
    stack,
};
use core::ptr;
use ndis_sys::{NDIS_HANDLE, NDIS_STATUS_INDICATION, PROTOCOL_CO_STATUS_EX, PROTOCOL_STATUS_EX};

impl<P: Protocol> Binding<P> {
    /// Asks the miniport, or the miniport half of an MCM, about the adapter as a whole (rules
    /// [OID-05], [OID-07]).
    ///
    /// The answer comes to [`Protocol::oid_completed`], possibly before this returns, and the
    /// request comes back with it. The adapter is not closed before. Requests are not
    /// serialized: any number may be under way (rule [OID-19]).
    ///
    /// Source page: [`NdisCoOidRequest`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscooidrequest).
    ///
    /// # Errors
    ///
    /// Gives the request back with [`Status::CLOSING`] once the unbind has begun (rule
    /// [OID-08]), [`Status::NOT_SUPPORTED`] for an OID of power management, which is no
    /// connection-oriented one (rule [OID-09]), [`Status::RESET_IN_PROGRESS`] while the adapter is
    /// reset (rule [RESET-01]), [`Status::RESOURCES`] when the stack is nearly used up.
    ///
    /// [OID-05]: ndis_sys::rules#OID-05
    /// [OID-07]: ndis_sys::rules#OID-07
    /// [OID-08]: ndis_sys::rules#OID-08
    /// [OID-09]: ndis_sys::rules#OID-09
    /// [OID-19]: ndis_sys::rules#OID-19
    /// [RESET-01]: ndis_sys::rules#RESET-01
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request(
        &self,
        request: OutgoingRequest<ToAdapter>,
        irql: &mut impl NoLock,
    ) -> Result<(), AskError<ToAdapter>> {
        ask(&self.shared, request, Ear::handler(), irql.up_to_dispatch())
    }

    /// As [`request`](Self::request), and waits for the answer, which comes to no handler.
    ///
    /// PASSIVE_LEVEL, where nothing that the miniport needs for its answer waits for this
    /// thread.
    ///
    /// # Errors
    ///
    /// As there; [`Status::RESOURCES`] also when memory is short.
    #[doc(alias = "NdisCoOidRequest")]
    pub fn request_and_wait(
        &self,
        request: OutgoingRequest<ToAdapter>,
        irql: &mut impl AtPassive,
    ) -> Result<Answered<ToAdapter>, AskError<ToAdapter>> {
        oid::wait(request, irql, |request, ear, irql| {
            ask(&self.shared, request, ear, irql)
        })
    }
}

/// A request of a binding's. The reference keeps the adapter open.
struct OfBinding<P: Protocol> {
    ear: Ear<ToAdapter>,
    binding: Arc<BindingShared<P>>,
}

impl<P: Protocol> Trip for OfBinding<P> {
    type Asked = ToAdapter;

    fn over(self, answered: Answered<ToAdapter>, irql: &mut UpToDispatch) {
        let Self { ear, binding } = self;
        if let Some(answered) = ear.hear(answered) {
            let binding = Binding { shared: binding };
            binding.driver().oid_completed(&binding, answered, irql);
        }
    }
}

fn ask<P: Protocol>(
    shared: &Arc<BindingShared<P>>,
    request: OutgoingRequest<ToAdapter>,
    ear: Ear<ToAdapter>,
    irql: &mut UpToDispatch,
) -> Result<(), AskError<ToAdapter>> {
    let request = to_adapter(shared, request)?;
    let binding = shared.clone();
    let trip = OfBinding { ear, binding };
    oid::go(request, trip, irql, |request| {
        // SAFETY: the adapter is open as long as there is a reference to the binding's part,
        // of which the trip has one; no family, VC or party (rules OID-06, OID-07). Request
        // and buffer are resident, and nobody's but NDIS's until the end (rule OID-03).
        unsafe {
            ndis_sys::NdisCoOidRequest(
                shared.handle(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                request,
            )
        }
    });
    Ok(())
}

/// Whether the adapter can be asked that on this binding; gives the request back.
pub(crate) fn to_adapter<P: Protocol>(
    binding: &BindingShared<P>,
    request: OutgoingRequest<ToAdapter>,
) -> Result<OutgoingRequest<ToAdapter>, AskError<ToAdapter>> {
    let status = if binding.flow.is_ended() {
        Status::CLOSING
    } else if binding.flow.is_resetting() {
        Status::RESET_IN_PROGRESS
    } else if matches!(request.oid() >> 24, 0xFC | 0xFD) {
        Status::NOT_SUPPORTED
    } else if stack::is_low() {
        Status::RESOURCES
    } else {
        return Ok(request);
    };
    Err(AskError { request, status })
}

callbacks! {
    /// `ProtocolCoStatusEx`.
    co_status<P: Protocol>(
        context: NDIS_HANDLE as Binding<P>,
        vc: NDIS_HANDLE as NDIS_HANDLE,
        status: *mut NDIS_STATUS_INDICATION as StatusIndication<'_>,
    ) at UpToDispatch => on_co_status;

    /// `ProtocolStatusEx`.
    plain_status<P: Protocol>(
        context: NDIS_HANDLE as Binding<P>,
        status: *mut NDIS_STATUS_INDICATION as StatusIndication<'_>,
    ) at UpToDispatch => on_status;
}

/// For the table of CoNDIS handlers (rule [STATUS-09]).
///
/// [STATUS-09]: ndis_sys::rules#STATUS-09
pub(super) fn co_status_handler<P: Protocol>() -> PROTOCOL_CO_STATUS_EX {
    co_status::<P>
}

pub(super) fn status_handler<P: Protocol>() -> PROTOCOL_STATUS_EX {
    plain_status::<P>
}

/// Without a VC it is the binding's (rule [STATUS-07]).
///
/// [STATUS-07]: ndis_sys::rules#STATUS-07
fn on_co_status<P: Protocol>(
    binding: Binding<P>,
    vc: NDIS_HANDLE,
    status: StatusIndication<'_>,
    irql: &mut UpToDispatch,
) {
    if vc.is_null() {
        return on_status(binding, status, irql);
    }
    // SAFETY: by CALLBACK it is the context of a VC of this driver's on the binding.
    unsafe { <P::Role as Role<P>>::vc_status(&binding, vc, status, irql) };
}

fn on_status<P: Protocol>(
    binding: Binding<P>,
    status: StatusIndication<'_>,
    irql: &mut UpToDispatch,
) {
    match status.kind() {
        StatusKind::ResetStart => binding.shared.flow.reset(true),
        StatusKind::ResetEnd => binding.shared.flow.reset(false),
        _ => {}
    }
    binding.driver().status(&binding, status, irql);
}
