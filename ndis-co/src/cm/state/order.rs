//! The order of what is done on a VC.

use super::{Call, End, Life, Link, Origin, Parameters, Reply, State};
use crate::{Status, cm::gates::Part};

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Step {
    Activate(Parameters),
    CompleteMakeCall {
        status: Status,
        parameters: Parameters,
        /// Of which call.
        number: u32,
    },
    Dispatch(Parameters),
    /// The number of the call.
    Connect(u32),
    DispatchClose(End),
    Deactivate,
    CompleteClose(Status),
    Delete,
    /// The offered call never got to the client; tell the driver.
    TellFailed(Status),
    /// There is something to do, on a stack with more room.
    Later,
}

/// What came of a step.
#[derive(Debug)]
pub(crate) enum Done {
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
            Done::Nothing => {}
            Done::Left => self.leave(),
            Done::Activated(result) => {
                if let Some(status) = result {
                    self.activated(status);
                }
                self.leave();
            }
            Done::Rang => {
                self.ringing();
                self.leave();
            }
            Done::Deactivated(over) => {
                if over {
                    self.deactivated();
                }
                self.leave();
            }
            Done::Closed => self.completed(),
        }
    }

    /// Picks the next step and marks it as taken; [`Step::Later`] when one is due
    /// and `low` says that there is too little stack for it. Steps that call NDIS
    /// on the VC count as busy until [`Self::leave`].
    pub(crate) fn next(&mut self, part: &impl Part, low: impl FnOnce() -> bool) -> Option<Step> {
        let step = self.due(part)?;
        if low() {
            return Some(Step::Later);
        }
        self.take(&step);
        Some(step)
    }

    /// What is to be done next.
    fn due(&self, part: &impl Part) -> Option<Step> {
        if self.life != Life::Alive {
            return None;
        }
        if self.want_activate && self.link == Link::Inactive {
            return Some(Step::Activate(self.activation.clone()));
        }
        if self.call == Call::Offering && self.is_over_beneath() {
            return Some(Step::TellFailed(Status::CLOSING));
        }
        match (self.call, self.link) {
            (Call::Making, Link::Active | Link::Inactive) if self.pended => {
                // Within a failure the client deletes its VC, which must be
                // free for that.
                let status = self.make_status();
                let status = status.filter(|status| status.is_success() || self.is_quiet(part));
                if let Some(status) = status {
                    let parameters = self.parameters.clone();
                    return Some(Step::CompleteMakeCall {
                        status,
                        parameters,
                        number: self.number,
                    });
                }
            }
            (Call::Offering, Link::Active) => {
                return Some(Step::Dispatch(self.parameters.clone()));
            }
            (Call::Offering, Link::Inactive) => {
                if let Some(status) = self.failed {
                    return Some(Step::TellFailed(status));
                }
            }
            (Call::Connected, _) if self.want_connect => return Some(Step::Connect(self.number)),
            _ => {}
        }
        if let Some(end) = &self.announced
            && self.can_dispatch_close()
            && !self.close_dispatched
        {
            return Some(Step::DispatchClose(end.clone()));
        }
        // What ends the call or the VC waits until nothing is under way on it.
        let step = self.ending()?;
        self.is_quiet(part).then_some(step)
    }

    /// What comes next on the way to the end.
    fn ending(&self) -> Option<Step> {
        let closing = self.call == Call::Closing && self.reply != Reply::Open;
        let leaving = self.call == Call::None && self.want_deactivate;
        if self.link == Link::Active && (closing || leaving) {
            return Some(Step::Deactivate);
        }
        if let (true, Link::Inactive, Reply::Decided(status)) = (closing, self.link, self.reply) {
            return self.pended.then_some(Step::CompleteClose(status));
        }
        let free = self.call == Call::None && self.link == Link::Inactive && !self.completing;
        // With a request of it outstanding it is not (rule OID-68).
        let free = free && self.requests.is_empty();
        let delete = self.want_delete && !self.delete_blocked && self.origin == Origin::Manager;
        (free && delete).then_some(Step::Delete)
    }

    /// Marks a step that was due as taken.
    fn take(&mut self, step: &Step) {
        // Within these the peer may delete the VC, so they do not hold it.
        let free = matches!(
            step,
            Step::Later | Step::Delete | Step::CompleteClose(_) | Step::CompleteMakeCall { .. }
        );
        if !free {
            self.enter();
        }
        match step {
            Step::Later => {}
            Step::Activate(_) => {
                self.want_activate = false;
                self.link = Link::Activating;
            }
            Step::CompleteMakeCall { status, .. } => self.made(*status),
            Step::Dispatch(_) => self.call = Call::Offered,
            Step::Connect(_) => self.want_connect = false,
            Step::DispatchClose(_) => {
                self.announced = None;
                self.close_dispatched = true;
            }
            Step::TellFailed(_) => {
                self.failed = None;
                self.call = Call::None;
                self.want_delete();
            }
            Step::Deactivate => self.link = Link::Deactivating,
            Step::CompleteClose(_) => {
                self.closed();
                self.completing = true;
            }
            Step::Delete => self.life = Life::Deleting,
        }
    }
}
