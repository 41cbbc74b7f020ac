//! [`Call`]: one call, of which there are two halves.
//!
//! ```text
//! placed:   New ── Dialing ──────┐
//!                                ├── Up ── Ending ── Over
//! comes in: New ── Offering ─────┘
//! ```
//!
//! The lower half is the call with the adapter's call manager: its stages are those of the call.
//! The upper half, to NDISWAN, is there while the call is up, and when it goes, so does the lower
//! one. From each stage the call can go to the last two.
//!
//! Both VCs refer to the call by their contexts, and the call to them: it lets go of each when that
//! is over.

use super::Port;
use crate::ndproxy::{CallState, HangUp, Ndproxy, TAG, Tapi, offer};
use core::fmt;
use ndis_co::{
    Answer, Status,
    client::{self, PendingIncomingCall},
    cm::{self, AcceptedCall},
    irql::{Irql, NoLock, UpToDispatch},
    lock::SpinLock,
    mem::Arc,
    params::{CallParameters, CallParametersBuf},
    tapi::{self, ANY_ADDRESS, ANY_LINE, LineSap, Text},
};

/// A call, for NDIS: the context of both of its VCs.
pub struct Call<T: Tapi> {
    number: u32,
    port: Arc<Port<T>>,
    state: SpinLock<State<T>>,
}

struct State<T: Tapi> {
    stage: Stage,
    /// The application knows of it.
    told: bool,
    /// The line, and the address on it.
    place: (u32, u32),
    /// The VC of the call manager beneath.
    lower: Option<client::Vc<Ndproxy<T>>>,
    /// It rings.
    ring: Option<PendingIncomingCall<Ndproxy<T>>>,
    /// The VC to NDISWAN.
    upper: Option<cm::Vc<Ndproxy<T>>>,
    /// What NDISWAN is to be offered.
    parameters: Option<CallParametersBuf>,
    /// Why it ends.
    reason: Status,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    New,
    Dialing,
    Offering,
    Up,
    Ending,
    Over,
}

impl<T: Tapi> Call<T> {
    pub(in crate::ndproxy) fn try_new(
        port: &Arc<Port<T>>,
        number: u32,
    ) -> Result<Arc<Self>, Status> {
        let state = State {
            stage: Stage::New,
            told: false,
            place: (0, 0),
            lower: None,
            ring: None,
            upper: None,
            parameters: None,
            reason: Status::FAILURE,
        };
        let call = Self {
            number,
            port: port.clone(),
            state: SpinLock::new(state),
        };
        Ok(Arc::try_new(call, TAG)?)
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The adapter.
    #[must_use]
    pub fn port(&self) -> &Arc<Port<T>> {
        &self.port
    }

    /// The line, and the address on it.
    pub(super) fn place(&self, irql: &mut impl Irql) -> (u32, u32) {
        self.state.with(irql, |state, _| state.place)
    }

    /// The VC of the call manager beneath, as long as there is one.
    pub(super) fn lower(&self, irql: &mut impl Irql) -> Option<client::Vc<Ndproxy<T>>> {
        self.state.with(irql, |state, _| state.lower.clone())
    }

    pub(super) fn rings(&self, irql: &mut impl NoLock) -> bool {
        self.state.with(irql, |state, _| state.ring.is_some())
    }

    fn tell(&self, state: CallState<'_>, irql: &mut UpToDispatch) {
        self.port.tapi().call(&self.port, self.number, state, irql);
    }

    /// Places the call. What becomes of it, the application is told, unless this fails.
    pub(super) fn dial(
        this: &Arc<Self>,
        place: (u32, u32),
        af: &client::Af<Ndproxy<T>>,
        parameters: CallParametersBuf,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let offered = offer::again(parameters.view())?;
        this.state.with(irql, |state, _| {
            state.stage = Stage::Dialing;
            state.told = true;
            state.place = place;
            state.parameters = Some(offered);
        });
        this.port.add(this, irql)?;
        this.tell(CallState::Dialing, irql);
        let vc = match af.create_vc(this.clone(), irql) {
            Ok(vc) => vc,
            Err(status) => {
                Self::over(this, Some(status), irql);
                return Ok(());
            }
        };
        let lower = (*vc).clone();
        let wanted = this.state.with(irql, |state, _| {
            let wanted = state.stage == Stage::Dialing;
            if wanted {
                state.lower = Some(lower);
            }
            wanted
        });
        if wanted {
            let _ = vc.make_call(parameters, irql).keep();
        } else {
            // It was dropped before anybody was called.
            vc.delete(irql);
        }
        Ok(())
    }

    /// Somebody calls, at this SAP: judges the call, and lets it ring.
    pub(in crate::ndproxy) fn ring<'r>(
        at: &LineSap,
        call: client::IncomingCall<'r, Ndproxy<T>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let lower = call.vc().clone();
        let this: Arc<Self> = Arc::clone(&lower);
        let Some(parameters) = call.parameters() else {
            return call.refuse(Status::INVALID_DATA);
        };
        // The token is used up when the call pends, and the parameters with it.
        let offered = match offer::again(parameters) {
            Ok(offered) => offered,
            Err(status) => return call.refuse(status),
        };
        let Ok(tapi::Call::Incoming(asked)) = tapi::Call::from_parameters(offered.view()) else {
            return call.refuse(Status::INVALID_DATA);
        };
        let (line, address) = (asked.info.line, asked.info.address);
        let is = |own, any, said| own == any || own == said;
        if !(is(at.line, ANY_LINE, line) && is(at.address, ANY_ADDRESS, address)) {
            return call.refuse(Status::INVALID_DATA);
        }
        if !this.port.takes(line, asked.info.media_mode, irql) {
            return call.refuse(Status::TAPI_INVALMEDIAMODE);
        }
        if let Err(status) = this.port.add(&this, irql) {
            return call.refuse(status);
        }
        let again = offer::again(offered.view());
        let (answer, ring) = call.pend();
        let unwanted = this.state.with(irql, |state, _| {
            state.place = (line, address);
            state.parameters = again.ok();
            state.lower = Some(lower);
            if state.stage != Stage::New {
                // The adapter goes.
                return Some(ring);
            }
            state.stage = Stage::Offering;
            state.told = true;
            state.ring = Some(ring);
            None
        });
        if let Some(ring) = unwanted {
            ring.refuse(Status::CLOSING, irql);
            return answer;
        }
        let caller = Text::guess(asked.info.caller);
        let offering = CallState::Offering {
            line,
            address,
            caller,
        };
        this.tell(offering, irql);
        answer
    }

    /// Answers a call that rings.
    pub(super) fn answer(this: &Arc<Self>, irql: &mut impl NoLock) -> Result<(), Status> {
        let ring = this.state.with(irql, |state, _| state.ring.take());
        let ring = ring.ok_or(Status::TAPI_INVALCALLSTATE)?;
        let _ = ring.accept(irql).keep();
        Ok(())
    }

    /// The call manager says that the call is up; for a call that was placed, with parameters of
    /// its own perhaps.
    pub(in crate::ndproxy) fn connected(
        this: &Arc<Self>,
        vc: &client::Vc<Ndproxy<T>>,
        parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let changed = parameters.and_then(|all| offer::again(all).ok());
        let (up, _before) = this.state.with(irql, |state, _| {
            let up = matches!(state.stage, Stage::Dialing | Stage::Offering);
            let mut before = None;
            if up {
                state.stage = Stage::Up;
                if changed.is_some() {
                    before = core::mem::replace(&mut state.parameters, changed);
                }
            }
            (up, before)
        });
        if !up {
            // It was dropped meanwhile. Nothing can fail without data.
            let _ = vc.hang_up(&[], irql);
            return;
        }
        this.tell(CallState::Connected, irql);
    }

    /// Whether it is up, and nobody was offered it.
    pub(super) fn is_for_offer(&self, irql: &mut impl Irql) -> bool {
        self.state.with(irql, |state, _| {
            state.stage == Stage::Up && state.upper.is_none() && state.parameters.is_some()
        })
    }

    /// The second half of `lineGetID`: offers the call to who has registered this class.
    pub(super) fn carry(this: &Arc<Self>, to: &cm::Sap<Ndproxy<T>>, irql: &mut UpToDispatch) {
        let Err(status) = Self::offer(this, to, irql) else {
            return;
        };
        // That a call is over already is nothing that is missing.
        if this.state.with(irql, |state, _| state.stage == Stage::Up) {
            let tapi = this.port.tapi();
            tapi.got_id(&this.port, this.number, Err(status), irql);
        }
    }

    fn offer(
        this: &Arc<Self>,
        to: &cm::Sap<Ndproxy<T>>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let (lower, parameters) = this.state.with(irql, |state, _| {
            let up = state.stage == Stage::Up && state.upper.is_none();
            let lower = state.lower.clone().filter(|_| up);
            let parameters = state.parameters.take().filter(|_| up);
            (lower, parameters)
        });
        let lower = lower.ok_or(Status::CLOSING)?;
        let offered = parameters.ok_or(Status::RESOURCES)?;
        let media = offer::again(offered.view())?;
        let vc = to.create_vc_joined(&lower, this.clone(), irql)?;
        let vc = vc.activate(media, irql)?;
        let upper = (*vc).clone();
        let wanted = this.state.with(irql, |state, _| {
            let wanted = state.stage == Stage::Up;
            if wanted {
                state.upper = Some(upper);
            }
            wanted
        });
        if !wanted {
            vc.delete(irql);
            return Err(Status::CLOSING);
        }
        vc.dispatch_incoming_call(offered, irql);
        Ok(())
    }

    /// NDISWAN takes the call: the application gets what NDISWAN finds it by.
    pub(in crate::ndproxy) fn accepted(
        this: &Arc<Self>,
        accepted: AcceptedCall<Ndproxy<T>>,
        irql: &mut UpToDispatch,
    ) {
        let (up, reason) = this
            .state
            .with(irql, |state, _| (state.stage == Stage::Up, state.reason));
        if up {
            let id = accepted.vc().tapi_call_id();
            let id = id.as_ref().map_err(|status| *status);
            this.port.tapi().got_id(&this.port, this.number, id, irql);
            accepted.connect(irql);
        } else {
            accepted.close(reason, irql);
        }
    }

    /// The upper half is over.
    pub(in crate::ndproxy) fn upper_over(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let (lower, _gone) = this.state.with(irql, |state, _| {
            let gone = state.upper.take();
            match state.stage {
                Stage::Up => {
                    // Nobody carries it any more.
                    state.stage = Stage::Ending;
                    state.reason = tapi::Disconnect::Normal.into();
                    (state.lower.clone(), gone)
                }
                Stage::Ending => (state.lower.clone(), gone),
                _ => (None, gone),
            }
        });
        if let Some(lower) = lower {
            let _ = lower.hang_up(&[], irql);
        }
    }

    /// Ends the call, for this reason, unless it ends already.
    pub(super) fn hang_up(this: &Arc<Self>, reason: Status, irql: &mut UpToDispatch) {
        let order = this.port.tapi().hang_up();
        let (ring, upper, lower) = this.state.with(irql, |state, _| {
            if matches!(state.stage, Stage::Ending | Stage::Over) {
                return (None, None, None);
            }
            state.stage = Stage::Ending;
            state.reason = reason;
            let upper = state.upper.clone();
            let waits = upper.is_some() && order == HangUp::DataFirst;
            let lower = state.lower.clone().filter(|_| !waits);
            (state.ring.take(), upper, lower)
        });
        if let Some(upper) = upper {
            // An error means that its end comes by itself.
            let _ = upper.dispatch_incoming_close(reason, &[], irql);
        }
        if let Some(ring) = ring {
            ring.refuse(reason, irql);
        } else if let Some(lower) = lower {
            let _ = lower.hang_up(&[], irql);
        }
    }

    /// The other end has hung up, or takes back a call that rings: the lower half is closed next.
    pub(in crate::ndproxy) fn ended_there(
        this: &Arc<Self>,
        reason: Status,
        irql: &mut UpToDispatch,
    ) {
        let (ring, upper) = this.state.with(irql, |state, _| {
            if state.stage == Stage::Over {
                return (None, None);
            }
            if state.stage != Stage::Ending {
                state.stage = Stage::Ending;
                state.reason = reason;
            }
            (state.ring.take(), state.upper.clone())
        });
        // What it would answer is of no more interest.
        drop(ring);
        if let Some(upper) = upper {
            let _ = upper.dispatch_incoming_close(reason, &[], irql);
        }
    }

    /// The lower half is over; with a reason, when it has failed for that.
    pub(in crate::ndproxy) fn over(
        this: &Arc<Self>,
        failed: Option<Status>,
        irql: &mut UpToDispatch,
    ) {
        let (known, reason, upper, gone) = this.state.with(irql, |state, _| {
            let known = state.told && state.stage != Stage::Over;
            if let Some(failed) = failed
                && state.stage != Stage::Ending
            {
                state.reason = failed;
            }
            state.stage = Stage::Over;
            let gone = (
                state.lower.take(),
                state.ring.take(),
                state.parameters.take(),
            );
            (known, state.reason, state.upper.clone(), gone)
        });
        drop(gone);
        if let Some(upper) = upper {
            let _ = upper.dispatch_incoming_close(reason, &[], irql);
        }
        this.port.remove(this, irql);
        if known {
            this.tell(CallState::Disconnected(reason), irql);
        }
    }
}

impl<T: Tapi> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
