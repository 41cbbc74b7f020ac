//! [`AcceptedCall`]: a call that the client has accepted.

use super::{CallManager, Vc, VcShared};
use crate::{
    Status,
    armed::{Alarm, Armed},
    cm::state::End,
    deferred::Deferred,
    irql::NoLock,
};
use core::fmt;

/// The client that was called has accepted: connect the call, or take it back,
/// in bounded time: the client's family is not closed before.
///
/// Dropping it takes the call back with [`Status::FAILURE`] (rule [CALL-37]).
///
/// ```
/// # use ndis_co::{Status, cm::{AcceptedCall, CallManager}, irql::UpToDispatch};
/// # use ndis_host as _;
/// fn accepted<M: CallManager>(call: AcceptedCall<M>, up: bool, irql: &mut UpToDispatch) {
///     if up {
///         // `false` when the client has closed it meanwhile.
///         call.connect(irql);
///     } else {
///         call.close(Status::NO_ROUTE_TO_DESTINATION, irql);
///     }
/// }
/// ```
///
/// [CALL-37]: ndis_sys::rules#CALL-37
#[must_use = "an accepted call is connected or closed"]
pub struct AcceptedCall<M: CallManager> {
    vc: Armed<Vc<M>, TakeBack>,
}

/// Takes an accepted call back.
struct TakeBack;

impl<M: CallManager> Alarm<Vc<M>> for TakeBack {
    fn lost(vc: Vc<M>) {
        let end = End {
            status: Status::FAILURE,
            data: None,
        };
        // An error means that the call is over already.
        let _ = vc
            .shared
            .with(|state, _| state.announce(state.number(), end));
        VcShared::defer(&vc.shared);
    }
}

impl<M: CallManager> AcceptedCall<M> {
    pub(crate) fn new(vc: Vc<M>) -> Self {
        Self { vc: Armed::new(vc) }
    }

    /// The VC of the call.
    #[must_use]
    pub fn vc(&self) -> &Vc<M> {
        &self.vc
    }

    /// Tells the client that the call is connected: data may flow (rules
    /// [CALL-35], [CALL-38], [CALL-40]).
    ///
    /// [`CallManager::call_connected`] tells when the client knows, usually before
    /// this returns; when little is left of the stack, a work item tells the client.
    /// `false` when the call is over already.
    ///
    /// Source page: [`NdisMCmDispatchCallConnected`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdispatchcallconnected).
    ///
    /// [CALL-35]: ndis_sys::rules#CALL-35
    /// [CALL-38]: ndis_sys::rules#CALL-38
    /// [CALL-40]: ndis_sys::rules#CALL-40
    #[doc(alias = "NdisCmDispatchCallConnected")]
    #[doc(alias = "NdisMCmDispatchCallConnected")]
    pub fn connect(self, irql: &mut impl NoLock) -> bool {
        let vc = self.vc.disarm();
        VcShared::connect(&vc, irql.up_to_dispatch())
    }

    /// Takes the call back: the client is told that it is over and closes it
    /// (rule [CALL-39]).
    ///
    /// Source page: [`NdisMCmDispatchIncomingCloseCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmdispatchincomingclosecall).
    ///
    /// [CALL-39]: ndis_sys::rules#CALL-39
    #[doc(alias = "NdisCmDispatchIncomingCloseCall")]
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    pub fn close(self, status: Status, irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        // An error means that the call is over already.
        let _ = vc.dispatch_incoming_close(status, &[], irql);
    }
}

impl<M: CallManager> fmt::Debug for AcceptedCall<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AcceptedCall").field(&self.vc).finish()
    }
}
