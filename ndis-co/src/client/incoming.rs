//! [`IncomingCall`] and [`PendingIncomingCall`]: the tokens of a call to a client.

use super::{
    Call, Client, Vc,
    af::vc::{Numbered, VcShared},
    state::State,
};
use crate::{
    Status,
    answer::{Answer, Request},
    armed::{Alarm, Armed},
    deferred::Deferred,
    irql::NoLock,
    params::CallParameters,
};
use core::fmt;
use ndis_sys::CO_CALL_PARAMETERS;

/// Someone calls a SAP of this client: the token of the request.
///
/// Its parameters are the call manager's and lent for the answer (rule
/// [CALL-30]).
///
/// ```
/// # use ndis_co::{Answer, Status, client::{Call, Client, IncomingCall}};
/// # use ndis_host as _;
/// /// Takes calls with parameters; whoever has the [`Call`] can hang up.
/// fn ring<'r, C: Client>(call: IncomingCall<'r, C>) -> (Answer<'r>, Option<Call<'static, C>>) {
///     if call.parameters().is_none() {
///         return (call.refuse(Status::INVALID_DATA), None);
///     }
///     let (answer, call) = call.accept();
///     (answer, Some(call))
/// }
/// ```
///
/// [CALL-30]: ndis_sys::rules#CALL-30
#[must_use = "an incoming call must be answered"]
pub struct IncomingCall<'r, C: Client> {
    vc: Vc<C>,
    parameters: *mut CO_CALL_PARAMETERS,
    /// Which call on this VC it is.
    number: u32,
    request: Request<'r>,
}

impl<'r, C: Client> IncomingCall<'r, C> {
    pub(super) fn new(
        vc: Vc<C>,
        parameters: *mut CO_CALL_PARAMETERS,
        number: u32,
        request: Request<'r>,
    ) -> Self {
        Self {
            vc,
            parameters,
            number,
            request,
        }
    }

    /// The VC that the call manager made for the call.
    #[must_use]
    pub fn vc(&self) -> &Vc<C> {
        &self.vc
    }

    /// The parameters offered, if the call manager gave any (rule [CALL-32]).
    ///
    /// [CALL-32]: ndis_sys::rules#CALL-32
    #[must_use]
    pub fn parameters(&self) -> Option<CallParameters<'_>> {
        // SAFETY: the call manager owns them and keeps them until the answer
        // (CALL-26), for which the token is consumed that is borrowed here.
        unsafe { CallParameters::from_raw(self.parameters) }.ok()
    }

    /// Takes the call. Data may flow once [`Client::call_connected`] tells so
    /// (rule [CALL-40]).
    ///
    /// [CALL-40]: ndis_sys::rules#CALL-40
    pub fn accept(self) -> (Answer<'r>, Call<'static, C>) {
        self.vc.shared.state().locked(State::accept);
        let call = Call::new(self.vc, self.number);
        (self.request.answer(Status::SUCCESS), call)
    }

    /// Refuses the call; the call manager deletes the VC.
    pub fn refuse(self, status: Status) -> Answer<'r> {
        if !self.vc.shared.state().locked(State::refuse) {
            // Taken back meanwhile: there is nothing to refuse any more.
            return self.pend().0;
        }
        self.request.answer(status.as_failure())
    }

    /// Answers later, with the second value, from any thread.
    pub fn pend(self) -> (Answer<'r>, PendingIncomingCall<C>) {
        let shared = &self.vc.shared;
        if shared.state().locked(|state| state.pend(self.parameters)) {
            // The call is over already.
            VcShared::defer(shared);
        }
        let pending = PendingIncomingCall {
            offer: Armed::new(Numbered {
                vc: self.vc,
                number: self.number,
            }),
        };
        (self.request.answer(Status::PENDING), pending)
    }
}

impl<C: Client> fmt::Debug for IncomingCall<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingCall")
            .field("parameters", &self.parameters())
            .finish_non_exhaustive()
    }
}

/// An incoming call that is ringing: the token of a pended request.
///
/// The call manager may take the offer back meanwhile: [`Client::incoming_close`] tells
/// so, the call is closed as any other, and the token answers nothing any more.
/// Dropping it refuses the call with [`Status::FAILURE`] (rule [CALL-29]).
///
/// ```
/// # use ndis_co::{Status, client::{Client, PendingIncomingCall, Vc}, irql::Passive};
/// # use ndis_host as _;
/// /// The user has picked up, or has not.
/// fn decided<C: Client>(
///     call: PendingIncomingCall<C>,
///     picked_up: bool,
///     irql: &mut Passive,
/// ) -> Option<Vc<C>> {
///     if picked_up {
///         Some(call.accept(irql).keep())
///     } else {
///         call.refuse(Status::NOT_ACCEPTED, irql);
///         None
///     }
/// }
/// ```
///
/// [CALL-29]: ndis_sys::rules#CALL-29
#[must_use = "dropping a pending incoming call refuses it"]
pub struct PendingIncomingCall<C: Client> {
    offer: Armed<Numbered<C>, Refuse>,
}

impl<C: Client> Numbered<C> {
    fn want_answer(&self, state: &mut State, status: Status) {
        state.want_answer(self.number, status);
    }
}

/// Refuses a pended offer.
struct Refuse;

impl<C: Client> Alarm<Numbered<C>> for Refuse {
    fn lost(offer: Numbered<C>) {
        let state = offer.vc.shared.state();
        state.locked(|state| offer.want_answer(state, Status::FAILURE));
        VcShared::defer(&offer.vc.shared);
    }
}

impl<C: Client> PendingIncomingCall<C> {
    /// The VC that the call manager made for the call.
    #[must_use]
    pub fn vc(&self) -> &Vc<C> {
        &self.offer.vc
    }

    /// Takes the call.
    ///
    /// Source page: [`NdisClIncomingCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclincomingcallcomplete).
    #[doc(alias = "NdisClIncomingCallComplete")]
    pub fn accept(self, irql: &mut impl NoLock) -> Call<'static, C> {
        let Numbered { vc, number } = self.answer(Status::SUCCESS, irql);
        Call::new(vc, number)
    }

    /// Refuses the call.
    ///
    /// Source page: [`NdisClIncomingCallComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclincomingcallcomplete).
    #[doc(alias = "NdisClIncomingCallComplete")]
    pub fn refuse(self, status: Status, irql: &mut impl NoLock) {
        drop(self.answer(status.as_failure(), irql));
    }

    fn answer(self, status: Status, irql: &mut impl NoLock) -> Numbered<C> {
        let offer = self.offer.disarm();
        let answer = |state: &mut State| offer.want_answer(state, status);
        VcShared::change(&offer.vc, answer, irql.up_to_dispatch());
        offer
    }
}

impl<C: Client> fmt::Debug for PendingIncomingCall<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingIncomingCall")
            .field(self.vc())
            .finish()
    }
}
