//! [`Guarded`]: the state of a client's VC under its lock, and the lists that are out beside it.
//!
//! Lists go by the [word](crate::traffic) alone. The state says after each change whether they may, and
//! finds before each whether any is out. What it decides by that, a close or a deletion, comes when none
//! may go: so what is found out then is all that there is, and the last of it is told to go on.

use super::state::State;
use crate::{
    lock::SpinLock,
    nbl::Chain,
    traffic::{Open, Traffic},
};

/// A state, and what is out.
pub(in crate::client) struct Guarded {
    state: SpinLock<State>,
    traffic: Traffic,
}

impl Guarded {
    pub(in crate::client) const fn new(state: State) -> Self {
        Self {
            state: SpinLock::new(state),
            traffic: Traffic::new(),
        }
    }

    /// Looks at the state, or changes it, and says whether lists may go from then on.
    pub(in crate::client) fn locked<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        self.locked_then(f, |_, result| result)
    }

    /// Changes the state, and decides what is due then: by the lists that are out once none may go
    /// any more, when the change has said so. (Until then one may go out at any moment, for that takes
    /// no lock.) A decision does not change whether lists may go.
    #[inline]
    pub(in crate::client) fn locked_then<R, T>(
        &self,
        change: impl FnOnce(&mut State) -> R,
        decide: impl FnOnce(&mut State, R) -> T,
    ) -> T {
        self.state.locked(|state| {
            // While they may go, nobody waits for them.
            let out = if state.is_open() {
                self.traffic.is_used()
            } else {
                !self.traffic.is_quiet()
            };
            state.set_out(out);
            let result = change(state);
            if let Some(open) = state.changed_gate() {
                self.say(state, open);
            }
            decide(state, result)
        })
    }

    /// Says whether lists may go from now on. What is out when they may no more is all that is.
    #[inline(never)]
    fn say(&self, state: &mut State, open: bool) {
        if open {
            self.traffic.open(Open::SENDS);
        } else {
            self.traffic.open(Open::NONE);
            state.set_out(!self.traffic.is_quiet());
        }
    }

    /// Counts lists out, if they may go at once.
    #[inline]
    pub(in crate::client) fn enter(&self, lists: usize) -> bool {
        self.traffic.enter_if(Open::SENDS, lists)
    }

    /// So many lists may not go at once: counts them out, and gives them back if they may now, which
    /// counts one more for the call that sends them, or queues them, for `later` or behind others. An
    /// error when no call is up.
    pub(in crate::client) fn queue(
        &self,
        lists: Chain,
        count: usize,
        later: bool,
    ) -> Result<Option<Chain>, Chain> {
        self.locked(|state| {
            if !state.can_send() {
                return Err(lists);
            }
            // Under the lock: no close is decided meanwhile.
            let _ = self.traffic.enter(count);
            let now = state.send(lists, later);
            if now.is_some() {
                let _ = self.traffic.enter(1);
            }
            Ok(now)
        })
    }

    /// Where lists are counted in: this may be gone when they are.
    #[inline]
    pub(in crate::client) fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

#[cfg(test)]
mod tests {
    use super::{super::state::Step, *};
    use crate::params::{CallParametersBuf, FlowSpec};
    // Defines what the crates import.
    use ndis_host as _;

    fn next(vc: &Guarded) -> Option<Step> {
        vc.locked(|state| state.next(|| false))
    }

    /// A VC with a call that the client has placed.
    fn up() -> Guarded {
        let vc = Guarded::new(State::new(super::super::state::Origin::Client));
        let parameters = CallParametersBuf::builder()
            .transmit(FlowSpec::best_effort(1500))
            .build()
            .expect("there is memory");
        vc.locked(|state| {
            state.created();
            state.dial(parameters, Ok(()));
        });
        assert!(!vc.enter(1), "there is no call yet");
        assert!(matches!(next(&vc), Some(Step::Dial { .. })));
        drop(vc.locked(|state| state.dialled(true)));
        vc
    }

    /// The close waits for the last list, which goes on with it; nothing goes out meanwhile.
    #[test]
    fn the_close_comes_after_the_last_list() {
        let _host = ndis_host::Host::builder().build();
        let vc = up();
        assert!(vc.enter(2));
        vc.locked(State::want_close);
        assert!(!vc.enter(1), "no more from here on");
        assert!(next(&vc).is_none());
        assert!(!vc.traffic().leave(1));
        assert!(next(&vc).is_none());
        assert!(vc.traffic().leave(1), "the last goes on");
        assert!(next(&vc).is_none(), "it is still counted");
        vc.traffic().wake(1);
        assert!(matches!(next(&vc), Some(Step::Close { .. })));
    }

    /// A list goes out, which takes no lock, while the hang-up is decided.
    #[test]
    fn what_goes_out_while_the_close_is_decided_is_waited_for() {
        let _host = ndis_host::Host::builder().build();
        let vc = up();
        let closes = vc.locked_then(
            |state| {
                assert!(vc.enter(1), "on another processor: they may go");
                drop(state.hang_up(None, None));
            },
            |state, ()| state.close(),
        );
        assert!(closes.is_none(), "a list is out");
        assert!(vc.traffic().leave(1), "which goes on");
        vc.traffic().wake(1);
        assert!(matches!(next(&vc), Some(Step::Close { .. })));
    }

    /// Lists that are sent after queued ones queue up behind them, until these are sent.
    #[test]
    fn what_is_queued_keeps_its_place() {
        let _host = ndis_host::Host::builder().build();
        let vc = up();
        assert!(vc.enter(1));
        assert!(!vc.traffic().leave(1), "nobody waits");
        assert!(
            vc.queue(Chain::new(), 1, false)
                .is_ok_and(|now| now.is_some())
        );
        assert!(!vc.traffic().leave(1), "the call that sends them");
        vc.locked(State::begin_sending);
        assert!(!vc.enter(1));
        assert!(
            vc.queue(Chain::new(), 1, false)
                .is_ok_and(|now| now.is_none())
        );
        assert!(!vc.locked(State::queued_sent));
        assert!(vc.enter(1), "they are sent");
    }
}
