//! The order of what is done on a VC.

use super::{Call, Life, Link, Origin, Parameters, State};
use crate::{Status, cm::gates::Part};
use core::mem;

/// What is to be done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// With the parameters.
    Activate,
    /// With the status and the parameters; the number of the call.
    CompleteMakeCall,
    /// With the parameters.
    Dispatch,
    /// The number of the call.
    Connect,
    /// [What](State::announced) was announced.
    DispatchClose,
    Deactivate,
    /// With the status.
    CompleteClose,
    Delete,
    /// The offered call never got to the client; tell the driver the status.
    TellFailed,
    /// There is something to do, on a stack with more room.
    Later,
}

/// A step that was taken, with what it needs.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) number: u32,
    pub(crate) parameters: Parameters,
}

/// What came of a step.
#[derive(Debug)]
pub(crate) enum Done {
    /// The state is as it was when the step was taken, and nothing else is due.
    Unchanged,
    /// Nothing that the state is to know.
    Nothing,
    /// The step has returned, and holds the VC no longer.
    Left,
    /// The activation has returned; with its result, unless that comes later.
    Activated(Option<Status>),
    /// The call was offered, and the client takes its time to answer.
    Rang,
    /// The deactivation has returned; `true` when that is its end.
    Deactivated(bool),
    /// The completion of the close has returned.
    Closed,
}

impl State {
    /// Notes what came of a step.
    pub(crate) fn settle(&mut self, done: Done) {
        match done {
            Done::Unchanged | Done::Nothing => {}
            Done::Left => self.leave(),
            Done::Activated(result) => self.activation_returned(result),
            Done::Rang => {
                self.ringing();
                self.leave();
            }
            Done::Deactivated(over) => self.deactivation_returned(over),
            Done::Closed => self.completed(),
        }
    }

    /// The activation has returned; with its result, unless that comes later.
    #[inline]
    pub(crate) fn activation_returned(&mut self, result: Option<Status>) {
        if let Some(status) = result {
            self.activated(status);
        }
        self.leave();
    }

    /// The deactivation has returned; `over` when that is its end.
    #[inline]
    pub(crate) fn deactivation_returned(&mut self, over: bool) {
        if over {
            self.deactivated();
        }
        self.leave();
    }

    /// Picks the next step and marks it as taken; [`Kind::Later`] when one is due
    /// and `low` says that there is too little stack for it. Steps that call NDIS
    /// on the VC count as busy until [`Self::leave`].
    #[inline]
    pub(crate) fn next(&mut self, part: &impl Part, low: impl FnOnce() -> bool) -> Option<Step> {
        if self.rests() {
            return None;
        }
        self.look_for_next(part, low)
    }

    /// Whether nothing is due, as can be seen at once: after most changes.
    #[inline]
    fn rests(&self) -> bool {
        let wanted = match self.call {
            Call::None => self.want_deactivate || self.want_delete,
            Call::Making | Call::Closing => self.reply.is_some(),
            Call::Offering => true,
            Call::Offered | Call::Accepted => false,
            Call::Connected => self.want_connect,
        };
        !wanted && !self.want_activate && self.announced.is_none()
    }

    #[inline(never)]
    fn look_for_next(&mut self, part: &impl Part, low: impl FnOnce() -> bool) -> Option<Step> {
        let kind = self.due(part)?;
        let kind = if low() { Kind::Later } else { kind };
        Some(self.take(kind))
    }

    /// What is to be done next.
    fn due(&self, part: &impl Part) -> Option<Kind> {
        if self.life != Life::Alive {
            return None;
        }
        if self.want_activate && self.link == Link::Inactive {
            return Some(Kind::Activate);
        }
        if self.call == Call::Offering && self.is_over_beneath() {
            return Some(Kind::TellFailed);
        }
        match self.call {
            Call::Making if matches!(self.link, Link::Active | Link::Inactive) => {
                // Within a failure the client deletes its VC, which must be
                // free for that.
                let status = self.make_status();
                if status.is_some_and(|status| status.is_success() || self.is_quiet(part)) {
                    return Some(Kind::CompleteMakeCall);
                }
            }
            Call::Offering if self.link == Link::Active => return Some(Kind::Dispatch),
            Call::Offering if self.link == Link::Inactive && self.failed.is_some() => {
                return Some(Kind::TellFailed);
            }
            Call::Connected if self.want_connect => return Some(Kind::Connect),
            _ => {}
        }
        if self.announced.is_some() && self.can_dispatch_close() && !self.close_dispatched {
            return Some(Kind::DispatchClose);
        }
        // What ends the call or the VC waits until nothing is under way on it.
        let kind = self.ending()?;
        self.is_quiet(part).then_some(kind)
    }

    /// What comes next on the way to the end.
    fn ending(&self) -> Option<Kind> {
        let closing = self.call == Call::Closing && self.reply.is_some();
        let leaving = self.call == Call::None && self.want_deactivate;
        if self.link == Link::Active {
            return (closing || leaving).then_some(Kind::Deactivate);
        }
        if self.link != Link::Inactive {
            return None;
        }
        if closing {
            return self.pended.then_some(Kind::CompleteClose);
        }
        let free = self.call == Call::None && !self.completing;
        // With a request of it outstanding it is not (rule OID-68).
        let free = free && self.requests.is_empty();
        let delete = self.want_delete && !self.delete_blocked && self.origin == Origin::Manager;
        (free && delete).then_some(Kind::Delete)
    }

    /// Marks a step that was due as taken.
    fn take(&mut self, kind: Kind) -> Step {
        // Within these the peer may delete the VC, so they do not hold it.
        let free = matches!(
            kind,
            Kind::Later | Kind::Delete | Kind::CompleteClose | Kind::CompleteMakeCall
        );
        if !free {
            self.enter();
        }
        let mut step = Step {
            kind,
            status: Status::SUCCESS,
            number: self.number,
            parameters: Parameters::None,
        };
        match kind {
            Kind::Later => {}
            Kind::Activate => {
                step.parameters = self.activation.clone();
                self.want_activate = false;
                self.link = Link::Activating;
            }
            Kind::CompleteMakeCall => {
                step.status = self.make_status().unwrap_or(Status::FAILURE);
                step.parameters = mem::take(&mut self.parameters);
                self.made(step.status);
            }
            Kind::Dispatch => {
                step.parameters = self.parameters.clone();
                self.call = Call::Offered;
            }
            Kind::Connect => self.want_connect = false,
            Kind::DispatchClose => self.close_dispatched = true,
            Kind::TellFailed => {
                let failed = self.failed.take().filter(|_| !self.is_over_beneath());
                step.status = failed.unwrap_or(Status::CLOSING);
                self.call = Call::None;
                self.want_delete();
            }
            Kind::Deactivate => self.link = Link::Deactivating,
            Kind::CompleteClose => {
                step.status = self.reply.unwrap_or(Status::SUCCESS);
                self.closed();
                self.completing = true;
            }
            Kind::Delete => self.life = Life::Deleting,
        }
        step
    }

    /// The first step of a call that was accepted, when that is the next one: as
    /// [`next`](Self::next) takes it.
    #[inline]
    pub(crate) fn activate(&mut self) -> Option<Parameters> {
        let due = self.life == Life::Alive && self.want_activate && self.link == Link::Inactive;
        due.then(|| {
            self.enter();
            self.want_activate = false;
            self.link = Link::Activating;
            self.activation.clone()
        })
    }

    /// Completes the call that was accepted and whose VC is active, when that is the next step.
    #[inline]
    pub(crate) fn complete_made(&mut self) -> Option<(Parameters, u32)> {
        let made = self.life == Life::Alive && self.call == Call::Making;
        let good = self.failed.is_none() && self.reply.is_some_and(Status::is_success);
        (made && good && self.link == Link::Active).then(|| {
            let parameters = mem::take(&mut self.parameters);
            self.made(Status::SUCCESS);
            (parameters, self.number)
        })
    }

    /// Offers the call on the VC that is active, when that is the next step; the parameters to
    /// offer it with.
    #[inline]
    pub(crate) fn dispatch(&mut self) -> Option<Parameters> {
        let offering = self.life == Life::Alive && self.call == Call::Offering;
        let due = offering && self.link == Link::Active && !self.is_over_beneath();
        due.then(|| {
            self.enter();
            self.call = Call::Offered;
            self.parameters.clone()
        })
    }

    /// Tells the client that its call is connected, when that is the next step; the call's number.
    #[inline]
    pub(crate) fn tell_client(&mut self) -> Option<u32> {
        let connected = self.is_connected() && self.want_connect;
        let due = connected && !(self.want_activate && self.link == Link::Inactive);
        due.then(|| {
            self.enter();
            self.want_connect = false;
            self.number
        })
    }

    /// Deactivates the VC of a call whose close is being finished, when that is the next step.
    #[inline]
    pub(crate) fn deactivate(&mut self, part: &impl Part) -> bool {
        let closing = self.life == Life::Alive && self.call == Call::Closing;
        let closing = closing && self.reply.is_some() && self.link == Link::Active;
        let due = closing && self.is_quiet(part);
        if due {
            self.enter();
            self.link = Link::Deactivating;
        }
        due
    }

    /// Whether the close has come to its end, but for the answer to its request: nothing else is
    /// due then.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        let closing = self.call == Call::Closing && self.link == Link::Inactive;
        closing && !self.pended && !self.want_activate
    }
}

#[cfg(test)]
mod tests {
    use super::{super::End, *};
    // Defines what the crates import.
    use core::ptr;
    use ndis_host as _;

    /// A call that a client has placed and that was accepted.
    fn accepted() -> State {
        let mut state = State::new(Origin::Client);
        state.created();
        assert!(state.begin_make(ptr::dangling_mut()));
        state.accept_make(None, None);
        state
    }

    fn next(state: &mut State) -> Option<Kind> {
        assert!(!state.rests() || state.due(&()).is_none());
        state.next(&(), || false).map(|step| step.kind)
    }

    fn all(state: &State) -> impl PartialEq + core::fmt::Debug {
        let calls = (state.life, state.link, state.call, state.number, state.busy);
        let wants = (
            state.want_activate,
            state.want_deactivate,
            state.want_delete,
        );
        let said = (
            state.reply,
            state.failed,
            state.told,
            state.pended,
            state.gates(),
        );
        (calls, wants, said)
    }

    /// What is taken at once is what would have been picked, and leaves the same state.
    #[test]
    fn the_usual_steps_are_the_next_ones() {
        let (mut one, mut other) = (accepted(), accepted());
        let done = || Done::Activated(Some(Status::SUCCESS));
        assert!(one.activate().is_some());
        assert_eq!(next(&mut other), Some(Kind::Activate));
        assert_eq!(all(&one), all(&other));
        assert!(one.complete_made().is_none(), "not active yet");
        for state in [&mut one, &mut other] {
            state.settle(done());
        }
        assert!(one.complete_made().is_some());
        assert_eq!(next(&mut other), Some(Kind::CompleteMakeCall));
        assert_eq!(all(&one), all(&other));
        assert!(one.rests() && one.due(&()).is_none());
        for state in [&mut one, &mut other] {
            assert!(state.hold_connected(state.number, false));
            assert!(state.begin_close());
            state.finish_close();
        }
        assert!(!one.deactivate(&()), "the driver is being told");
        for state in [&mut one, &mut other] {
            state.settle(Done::Left);
        }
        assert!(one.deactivate(&()));
        assert_eq!(next(&mut other), Some(Kind::Deactivate));
        assert_eq!(all(&one), all(&other));
        assert!(!one.is_closed());
        one.settle(Done::Deactivated(true));
        assert!(one.is_closed() && one.due(&()).is_none());
    }

    /// The same of a call that is brought in.
    #[test]
    fn the_usual_steps_of_an_offer_are_the_next_ones() {
        let offered = || {
            let mut state = State::new(Origin::Manager);
            state.created();
            (state.link, state.call) = (Link::Active, Call::Offering);
            state
        };
        let (mut one, mut other) = (offered(), offered());
        assert!(one.tell_client().is_none(), "not accepted yet");
        assert!(one.dispatch().is_some());
        assert_eq!(next(&mut other), Some(Kind::Dispatch));
        assert_eq!(all(&one), all(&other));
        assert!(one.dispatch().is_none(), "offered once");
        for state in [&mut one, &mut other] {
            assert!(state.answered(Status::SUCCESS, true).is_some());
            assert!(state.connect());
        }
        assert_eq!(one.tell_client(), Some(one.number));
        assert_eq!(next(&mut other), Some(Kind::Connect));
        assert_eq!(all(&one), all(&other));
        assert!(one.tell_client().is_none(), "told once");
    }

    /// They are the next ones whatever else is the case.
    #[test]
    fn an_offer_is_made_as_it_would_be_picked() {
        use {Call as C, Link as L};
        let links = [L::Inactive, L::Activating, L::Active, L::Deactivating];
        let mut taken = [0; 2];
        for (call, link) in [C::Offering, C::Offered, C::Accepted, C::Connected]
            .iter()
            .flat_map(|call| links.map(|link| (*call, link)))
        {
            for bits in 0..1_u32 << 8 {
                let bit = |number: u32| bits >> number & 1 != 0;
                let state = || {
                    let mut state = State::new(Origin::Manager);
                    if bit(0) {
                        state.created();
                    }
                    (state.call, state.link) = (call, link);
                    (state.want_activate, state.want_deactivate) = (bit(1), bit(2));
                    (state.want_delete, state.want_connect) = (bit(3), bit(4));
                    state.failed = bit(5).then_some(Status::FAILURE);
                    (state.told, state.beneath) = (bit(6), bit(7).then_some(Status::SUCCESS));
                    state
                };
                let (mut one, mut other) = (state(), state());
                let kind = next(&mut other);
                let offers = one.dispatch().is_some();
                let tells = !offers && one.tell_client().is_some();
                assert_eq!(offers, kind == Some(Kind::Dispatch));
                assert_eq!(tells, kind == Some(Kind::Connect));
                if offers || tells {
                    assert_eq!(all(&one), all(&other));
                    taken[usize::from(tells)] += 1;
                }
            }
        }
        assert!(taken.iter().all(|taken| *taken > 8), "{taken:?}");
    }

    /// What rests has nothing that is due, whatever else is the case.
    #[test]
    fn nothing_is_due_where_nothing_is_looked_for() {
        use {Call as C, Link as L};
        let calls = [
            C::None,
            C::Making,
            C::Offering,
            C::Offered,
            C::Accepted,
            C::Connected,
            C::Closing,
        ];
        let links = [L::Inactive, L::Activating, L::Active, L::Deactivating];
        let mut resting = 0;
        for (call, link) in calls
            .iter()
            .flat_map(|call| links.map(|link| (*call, link)))
        {
            for bits in 0..1_u32 << 10 {
                let bit = |number: u32| bits >> number & 1 != 0;
                let origin = if bit(0) {
                    Origin::Client
                } else {
                    Origin::Manager
                };
                let mut state = State::new(origin);
                state.created();
                (state.call, state.link) = (call, link);
                (state.want_activate, state.want_deactivate) = (bit(1), bit(2));
                (state.want_delete, state.want_connect) = (bit(3), bit(4));
                state.reply = bit(5).then_some(Status::SUCCESS);
                state.failed = bit(6).then_some(Status::FAILURE);
                (state.pended, state.told) = (bit(7), bit(8));
                state.announced = bit(9).then_some(End {
                    status: Status::SUCCESS,
                    data: None,
                });
                resting += u32::from(state.rests());
                assert!(!state.rests() || state.due(&()).is_none());
            }
        }
        assert!(resting > 1_000);
    }

    /// They are not taken when something else comes first.
    #[test]
    fn unusual_steps_are_looked_for() {
        let mut state = accepted();
        state.refuse(Status::FAILURE);
        state.want_activate = false;
        assert!(state.activate().is_none() && state.complete_made().is_none());
        assert_eq!(next(&mut state), Some(Kind::CompleteMakeCall));

        let mut state = accepted();
        assert!(state.activate().is_some());
        state.settle(Done::Activated(Some(Status::RESOURCES)));
        assert!(state.complete_made().is_none());
        assert_eq!(next(&mut state), Some(Kind::CompleteMakeCall));
        assert!(state.activate().is_none(), "over");
    }
}
