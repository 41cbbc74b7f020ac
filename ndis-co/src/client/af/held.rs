//! [`Held`]: what an OID request of a family, or of a VC there, keeps from ending.
//!
//! A request of the call manager's is answered with the family's handle, which ends with the
//! call that closes the family (rules AF-30, OID-15): the close waits for the answer. A
//! request of this driver's needs that handle until the call that makes it has returned. The
//! close does not wait for its answer, for the call manager may give that only when it hears
//! of the close; it has to before that completes.
//!
//! A VC is not deleted before the requests of it are over, whoever has made them (rule
//! OID-68). Its call may be closed meanwhile. When the call manager hears of the end of its own, it may
//! delete the VC within that (see [`Outstanding`](crate::oid::Outstanding)).

use super::{Af, AfShared, Client, Phase, State, Vc, vc::VcShared};
use crate::{
    Status,
    client::state::State as VcState,
    deferred::Deferred,
    irql::UpToDispatch,
    mem::Arc,
    oid::{Hold, Stage, ToClient},
    scope::Scope,
};
use core::{
    any::Any,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};
use ndis_sys::NDIS_HANDLE;

/// See the module.
///
/// # Invariants
///
/// HELD: each value is counted at the family, if it says so, and at the VC, if there is one, by
/// its stage.
#[doc(hidden)]
pub struct Held<C: Client> {
    af: Arc<AfShared<C>>,
    /// Whether it is counted there.
    counted: bool,
    vc: Option<Arc<VcShared<C>>>,
    /// The call manager is being told of the end.
    told: AtomicBool,
}

impl<C: Client> Held<C> {
    /// For a request of this driver's: what is held until the call that makes it has returned,
    /// and what until its answer.
    pub(in crate::client) fn to_ask(
        af: &Arc<AfShared<C>>,
        vc: Option<&Arc<VcShared<C>>>,
    ) -> Result<(Self, Self), Status> {
        let call = Self::try_new(af, None, |phase| phase == Phase::Open)?;
        let request = Self {
            af: af.clone(),
            counted: false,
            vc: None,
            told: AtomicBool::new(false),
        };
        Ok((call, request.with_vc(vc)?))
    }

    /// For a request of the call manager's. It may come before this driver knows that the
    /// family is open.
    pub(in crate::client) fn asked(
        af: &Arc<AfShared<C>>,
        vc: Option<&Arc<VcShared<C>>>,
    ) -> Result<Self, Status> {
        Self::try_new(af, vc, |phase| {
            matches!(phase, Phase::Opening | Phase::Open | Phase::Closing)
        })
    }

    fn try_new(
        af: &Arc<AfShared<C>>,
        vc: Option<&Arc<VcShared<C>>>,
        good: impl FnOnce(Phase) -> bool,
    ) -> Result<Self, Status> {
        let held = af.state.locked(|state| {
            let good = good(state.phase);
            state.requests = state.requests.saturating_add(usize::from(good));
            good
        });
        if !held {
            return Err(Status::CLOSING);
        }
        // From here on its drop gives back what was counted.
        let held = Self {
            af: af.clone(),
            counted: true,
            vc: None,
            told: AtomicBool::new(false),
        };
        held.with_vc(vc)
    }

    fn with_vc(mut self, vc: Option<&Arc<VcShared<C>>>) -> Result<Self, Status> {
        if let Some(vc) = vc {
            if !vc.state().locked(VcState::ask) {
                return Err(Status::CLOSING);
            }
            self.vc = Some(vc.clone());
        }
        Ok(self)
    }

    fn stage(&self) -> Stage {
        if self.told.load(Ordering::Relaxed) {
            Stage::Told
        } else {
            Stage::Open
        }
    }

    pub(in crate::client) fn client(&self) -> &C {
        self.af.client()
    }

    pub(in crate::client) fn af(&self) -> Af<C> {
        Af {
            shared: self.af.clone(),
        }
    }

    pub(in crate::client) fn vc(&self) -> Option<Vc<C>> {
        let shared = self.vc.clone()?;
        Some(Vc { shared })
    }
}

/// A VC as long as another one of this driver's shares it.
///
/// # Invariants
///
/// LOWER: it is held, and marked in its state as shared, until this is dropped: no other value is of
/// the same VC (rule [VC-70]).
///
/// [VC-70]: ndis_sys::rules#VC-70
pub(crate) struct Lower<C: Client> {
    held: Held<C>,
    number: u32,
}

impl<C: Client> Lower<C> {
    pub(crate) fn try_new(vc: &Vc<C>) -> Result<Self, Status> {
        let held = Held {
            af: Arc::clone(&vc.shared.af),
            counted: false,
            vc: None,
            told: AtomicBool::new(false),
        };
        let held = held.with_vc(Some(&vc.shared))?;
        let call = vc.shared.state().locked(VcState::share);
        let number = call.ok_or(Status::INVALID_STATE)?;
        let lower = Self { held, number };
        // Now that no more may go out. Whose the lists would be when they come back, no page says.
        if vc.shared.state().locked(|state| state.is_busy()) {
            return Err(Status::INVALID_STATE);
        }
        Ok(lower)
    }

    pub(crate) fn handle(&self) -> NDIS_HANDLE {
        Hold::vc(&self.held)
    }

    /// The number of the call that goes on above.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The VC that shares `vc` is there: it hears of the end of the call, which may have come.
    pub(crate) fn joined(vc: &Vc<C>, above: &mut dyn Any, irql: &mut UpToDispatch) {
        VcShared::joined(vc, above, irql);
    }
}

impl<C: Client> Drop for Lower<C> {
    fn drop(&mut self) {
        if let Some(vc) = &self.held.vc {
            vc.parted();
        }
    }
}

impl<C: Client> Clone for Held<C> {
    fn clone(&self) -> Self {
        if self.counted {
            self.af.state.locked(State::hold_for_request);
        }
        let stage = self.stage();
        if let Some(vc) = &self.vc {
            vc.state().locked(|state| state.ask_more(stage));
        }
        Self {
            af: self.af.clone(),
            counted: self.counted,
            vc: self.vc.clone(),
            told: AtomicBool::new(stage == Stage::Told),
        }
    }
}

impl<C: Client> Drop for Held<C> {
    fn drop(&mut self) {
        if let Some(vc) = &self.vc
            && vc.state().locked(|state| state.asked(self.stage()))
        {
            VcShared::defer(vc);
            // For a VC of the call manager's there is nothing else to do.
            AfShared::advance_later(&self.af);
        }
        // A moment later: NDIS may be about to learn of the answer by the callback's return.
        if self.counted && self.af.state.locked(State::request_over) {
            AfShared::defer_later(&self.af);
        }
    }
}

impl<C: Client> AfShared<C> {
    /// The VC with this context, if it is one of the family's.
    pub(super) fn vc_of(&self, context: NDIS_HANDLE) -> Option<Arc<VcShared<C>>> {
        self.state
            .locked(|state| state.vcs.find(|vc| Arc::as_raw(vc) == context))
    }
}

impl<C: Client> State<C> {
    fn hold_for_request(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    /// A request is over; whether the close may have waited for that.
    fn request_over(&mut self) -> bool {
        self.requests = self.requests.saturating_sub(1);
        self.requests == 0 && self.phase == Phase::Closing
    }
}

// SAFETY: by HELD neither is the family closed nor the VC deleted meanwhile, before the call manager
// has heard: what a door holds is made by `asked`, which counts it.
unsafe impl<C: Client> Hold for Held<C> {
    type Asked = ToClient;

    fn af(&self) -> NDIS_HANDLE {
        self.af.handle()
    }

    fn has_failed(&self) -> bool {
        // Not after a close, which waits for what is held.
        self.af.phase() == Phase::Closed
    }

    fn vc(&self) -> NDIS_HANDLE {
        self.vc
            .as_ref()
            .map_or(core::ptr::null_mut(), |vc| vc.handle())
    }

    fn tell(&self) {
        if let (Some(vc), false) = (&self.vc, self.told.swap(true, Ordering::Relaxed)) {
            vc.state().locked(VcState::tell_peer);
        }
    }

    fn scope(&self) -> &Scope {
        self.af.binding.scope()
    }
}

impl<C: Client> fmt::Debug for Held<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

/// The call manager wants the family closed, by `OID_CO_AF_CLOSE` (rule OID-40): as its
/// notification does, and whichever comes second finds the close under way.
pub(in crate::client) fn wanted_closed<C: Client>(af: &Arc<AfShared<C>>, irql: &mut UpToDispatch) {
    let first = af.state.locked(|state| {
        let going = matches!(
            state.phase,
            Phase::Closing | Phase::CloseIssued | Phase::Closed
        );
        !core::mem::replace(&mut state.unwanted, true) && !going
    });
    if first {
        af.client().af_closing(&Af { shared: af.clone() }, irql);
    }
    AfShared::request_close(af, irql);
}
