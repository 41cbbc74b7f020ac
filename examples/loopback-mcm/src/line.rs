//! [`Line`]: what the switch keeps for one end of a call.

use crate::Loopback;
use ndis_co::{irql::Irql, lock::SpinLock};
use ndis_mcm::{PendingMakeCall, Status, Vc, WeakVc};

/// One end of a call.
#[derive(Debug)]
pub struct Line {
    state: SpinLock<State>,
}

#[derive(Debug)]
struct State {
    /// The other end, from the connection to the hang-up. Either may go first: neither keeps the
    /// other.
    peer: Option<WeakVc<Loopback>>,
    /// The caller who waits, while this end rings, and since when.
    caller: Option<(PendingMakeCall<Loopback>, u32)>,
    /// This end was told that it is connected.
    ready: bool,
    /// Frames from this end wait, and later ones behind them.
    blocked: bool,
}

impl Line {
    /// The end of a client that will place a call.
    pub(crate) fn calling() -> Self {
        Self {
            state: SpinLock::new(State {
                peer: None,
                caller: None,
                ready: false,
                blocked: false,
            }),
        }
    }

    /// The end of a client that is called.
    pub(crate) fn ringing(caller: PendingMakeCall<Loopback>, since: u32) -> Self {
        let state = State {
            peer: None,
            caller: Some((caller, since)),
            ready: false,
            blocked: false,
        };
        Self {
            state: SpinLock::new(state),
        }
    }

    /// The caller who waits for this end; from now on nobody does.
    pub(crate) fn take_caller(&self, irql: &mut impl Irql) -> Option<PendingMakeCall<Loopback>> {
        self.state
            .with(irql, |state, _| state.caller.take())
            .map(|(caller, _)| caller)
    }

    /// The caller, if it has waited since `then` or longer.
    pub(crate) fn give_up(
        &self,
        then: u32,
        irql: &mut impl Irql,
    ) -> Option<PendingMakeCall<Loopback>> {
        self.state.with(irql, |state, _| match &state.caller {
            Some((_, since)) if *since <= then => state.caller.take().map(|(caller, _)| caller),
            _ => None,
        })
    }

    /// Whether a caller waits for this end.
    pub(crate) fn is_ringing(&self, irql: &mut impl Irql) -> bool {
        self.state.with(irql, |state, _| state.caller.is_some())
    }

    /// Joins this end to the other one.
    pub(crate) fn join(&self, peer: &Vc<Loopback>, irql: &mut impl Irql) -> Result<(), Status> {
        let peer = Some(peer.downgrade()?);
        let before = self
            .state
            .with(irql, |state, _| core::mem::replace(&mut state.peer, peer));
        drop(before);
        Ok(())
    }

    /// This end can take frames.
    pub(crate) fn set_ready(&self, irql: &mut impl Irql) {
        self.state.with(irql, |state, _| state.ready = true);
    }

    /// Whether this end can take frames.
    pub(crate) fn is_ready(&self, irql: &mut impl Irql) -> bool {
        self.state.with(irql, |state, _| state.ready)
    }

    /// Frames from this end wait, or wait no more.
    pub(crate) fn set_blocked(&self, blocked: bool, irql: &mut impl Irql) {
        self.state.with(irql, |state, _| state.blocked = blocked);
    }

    /// Whether frames from this end wait.
    pub(crate) fn is_blocked(&self, irql: &mut impl Irql) -> bool {
        self.state.with(irql, |state, _| state.blocked)
    }

    /// The other end.
    pub(crate) fn peer(&self, irql: &mut impl Irql) -> Option<Vc<Loopback>> {
        self.state
            .with(irql, |state, _| state.peer.clone())?
            .upgrade()
    }

    /// Takes this end off the call; the other end is returned to the first who
    /// asks.
    pub(crate) fn part(&self, irql: &mut impl Irql) -> Option<WeakVc<Loopback>> {
        self.state.with(irql, |state, _| state.peer.take())
    }
}
