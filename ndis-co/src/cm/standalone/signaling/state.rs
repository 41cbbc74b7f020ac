//! The state of a signaling VC, as a plain value: what has happened, what is wanted, and
//! what is to be done next. No NDIS call is made here; the methods run under the VC's lock.
//!
//! The way is one: created, activated, used, deactivated, deleted. What branches off is that
//! an activation fails, and that the end may be wanted at any moment.

use crate::Status;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    /// NDIS's call that creates it has not returned.
    Creating,
    Inactive,
    Activating,
    Active,
    Deactivating,
    Deleting,
    Deleted,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Step<P> {
    /// With these parameters, which the state keeps as well.
    Activate(P),
    /// Tell the driver; the VC is [held](State::leave) meanwhile.
    TellActivated,
    /// The same, for an activation that failed.
    TellFailed(Status),
    Deactivate,
    Delete,
    /// There is something to do, on a stack with more room.
    Later,
}

/// `P` is what the VC is activated with.
#[derive(Debug)]
pub(super) struct State<P> {
    link: Link,
    /// What it is activated with: until it is deleted, for an activation may pend.
    parameters: Option<P>,
    want_activate: bool,
    /// The driver does not know yet that it is active.
    tell: bool,
    /// What an activation failed with.
    failed: Option<Status>,
    /// It is to be deactivated and deleted.
    want_end: bool,
    /// Lists that are out for sending, and calls that run on the VC.
    busy: usize,
    /// The deletion was refused: tried again a little later.
    blocked: bool,
}

impl<P: Clone> State<P> {
    pub(super) fn new(parameters: P) -> Self {
        Self {
            link: Link::Creating,
            parameters: Some(parameters),
            want_activate: true,
            tell: false,
            failed: None,
            want_end: false,
            busy: 0,
            blocked: false,
        }
    }

    /// Whether data may be sent.
    pub(super) fn is_active(&self) -> bool {
        self.link == Link::Active && !self.want_end
    }

    pub(super) fn created(&mut self) {
        self.link = Link::Inactive;
    }

    /// Wants its end; `true` when that is new.
    pub(super) fn want_end(&mut self) -> bool {
        !core::mem::replace(&mut self.want_end, true)
    }

    /// An activation has come to an end, by its result or its completion; the first one
    /// counts (rule VC-34).
    pub(super) fn activated(&mut self, status: Status) {
        if self.link != Link::Activating {
            return;
        }
        if status.is_success() {
            self.link = Link::Active;
            self.tell = true;
        } else {
            self.link = Link::Inactive;
            self.failed = Some(status.as_failure());
        }
    }

    /// A deactivation has come to an end; the first report counts (rule VC-45).
    pub(super) fn deactivated(&mut self) {
        if self.link == Link::Deactivating {
            self.link = Link::Inactive;
        }
    }

    /// NDIS's call that activates has returned; with its result, unless that comes by the completion,
    /// which may have come before. Until then it runs on the VC.
    pub(super) fn activation_returned(&mut self, result: Option<Status>) {
        if let Some(status) = result {
            self.activated(status);
        }
        let _ = self.leave(1);
    }

    /// The same of the one that deactivates; `over` when that is the end of the deactivation.
    pub(super) fn deactivation_returned(&mut self, over: bool) {
        if over {
            self.deactivated();
        }
        let _ = self.leave(1);
    }

    /// NDIS does not know the VC any more, or never did. The parameters are nobody's.
    #[must_use]
    pub(super) fn deleted(&mut self) -> Option<P> {
        self.link = Link::Deleted;
        self.parameters.take()
    }

    pub(super) fn delete_refused(&mut self) {
        self.link = Link::Inactive;
        self.blocked = true;
    }

    /// A while has passed since the deletion was refused.
    pub(super) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Counts what is about to run or to be sent on the VC, if it may.
    #[must_use]
    pub(super) fn enter(&mut self, count: usize) -> bool {
        let active = self.is_active();
        if active {
            self.busy = self.busy.saturating_add(count);
        }
        active
    }

    /// So much is over; `true` when there is something to do.
    #[must_use]
    pub(super) fn leave(&mut self, count: usize) -> bool {
        self.busy = self.busy.saturating_sub(count);
        self.busy == 0 && self.want_end
    }

    /// The next step, which the caller carries out. `is_low` says whether too little stack
    /// is left for it.
    pub(super) fn next(&mut self, is_low: impl FnOnce() -> bool) -> Option<Step<P>> {
        let due = match self.link {
            Link::Inactive => {
                self.failed.is_some()
                    || (self.want_activate && !self.want_end)
                    || (self.want_end && self.busy == 0 && !self.blocked)
            }
            Link::Active => self.tell || (self.want_end && self.busy == 0),
            _ => false,
        };
        if !due {
            return None;
        }
        if is_low() {
            return Some(Step::Later);
        }
        if self.link == Link::Active {
            if self.tell {
                self.tell = false;
                return self.begin(Step::TellActivated);
            }
            self.link = Link::Deactivating;
            return self.begin(Step::Deactivate);
        }
        if let Some(status) = self.failed.take() {
            // There is no other use for it.
            self.want_end = true;
            return self.begin(Step::TellFailed(status));
        }
        if self.want_end {
            self.link = Link::Deleting;
            return Some(Step::Delete);
        }
        self.want_activate = false;
        let parameters = self.parameters.clone()?;
        self.link = Link::Activating;
        self.begin(Step::Activate(parameters))
    }

    /// A step that runs on the VC until it is [left](Self::leave).
    fn begin(&mut self, step: Step<P>) -> Option<Step<P>> {
        self.busy = self.busy.saturating_add(1);
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    const PARAMETERS: u8 = 7;

    fn state() -> State<u8> {
        State::new(PARAMETERS)
    }

    fn next(state: &mut State<u8>) -> Option<Step<u8>> {
        state.next(|| false)
    }

    /// A VC that is active, and of which the driver knows.
    fn active() -> State<u8> {
        let mut state = state();
        assert!(next(&mut state).is_none(), "the handle is not there yet");
        state.created();
        assert!(matches!(next(&mut state), Some(Step::Activate(PARAMETERS))));
        assert!(next(&mut state).is_none());
        state.activation_returned(Some(Status::SUCCESS));
        assert!(matches!(next(&mut state), Some(Step::TellActivated)));
        assert!(!state.leave(1));
        assert!(next(&mut state).is_none());
        state
    }

    #[test]
    fn the_whole_way() {
        let mut state = active();
        assert!(state.enter(3));
        assert!(state.want_end());
        assert!(!state.want_end(), "once");
        assert!(!state.enter(1), "nothing new");
        assert!(next(&mut state).is_none(), "lists are out (rule VC-49)");
        assert!(!state.leave(2));
        assert!(state.leave(1));
        assert!(matches!(next(&mut state), Some(Step::Deactivate)));
        state.deactivation_returned(true);
        assert!(matches!(next(&mut state), Some(Step::Delete)));
        state.delete_refused();
        assert!(next(&mut state).is_none(), "a little later");
        state.unblock();
        assert!(matches!(next(&mut state), Some(Step::Delete)));
        assert_eq!(state.deleted(), Some(PARAMETERS));
        assert!(next(&mut state).is_none());
    }

    /// The end waits until the driver has been told of the beginning.
    #[test]
    fn an_end_that_is_wanted_early() {
        let mut state = state();
        state.created();
        assert!(matches!(next(&mut state), Some(Step::Activate(PARAMETERS))));
        state.want_end();
        assert!(next(&mut state).is_none());
        state.activation_returned(Some(Status::SUCCESS));
        assert!(matches!(next(&mut state), Some(Step::TellActivated)));
        assert!(next(&mut state).is_none());
        assert!(state.leave(1));
        assert!(matches!(next(&mut state), Some(Step::Deactivate)));
    }

    #[test]
    fn an_end_before_the_handle() {
        let mut state = state();
        state.want_end();
        assert!(next(&mut state).is_none());
        state.created();
        assert!(matches!(next(&mut state), Some(Step::Delete)));
    }

    /// A completion after the result, or the other way round, changes nothing.
    #[test]
    fn the_first_report_counts() {
        let mut state = active();
        state.activated(Status::FAILURE);
        assert!(state.is_active());
        state.deactivated();
        assert!(state.is_active());
    }

    #[test]
    fn a_failed_activation_is_the_end() {
        let mut state = state();
        state.created();
        assert!(matches!(next(&mut state), Some(Step::Activate(PARAMETERS))));
        state.activation_returned(Some(Status::RESOURCES));
        assert!(matches!(
            next(&mut state),
            Some(Step::TellFailed(Status::RESOURCES))
        ));
        assert!(next(&mut state).is_none());
        assert!(state.leave(1));
        assert!(matches!(next(&mut state), Some(Step::Delete)));
    }

    /// The completion may come, and the end be wanted, before NDIS's call has returned: what is next
    /// waits for that, as it does on the VC of a call.
    #[test]
    fn nothing_ends_while_a_call_runs_on_the_vc() {
        let mut state = state();
        state.created();
        assert!(matches!(next(&mut state), Some(Step::Activate(PARAMETERS))));
        state.activated(Status::SUCCESS);
        assert!(matches!(next(&mut state), Some(Step::TellActivated)));
        assert!(state.want_end());
        assert!(!state.leave(1));
        assert!(next(&mut state).is_none(), "the call that activates runs");
        state.activation_returned(None);
        assert!(matches!(next(&mut state), Some(Step::Deactivate)));
        state.deactivated();
        assert!(next(&mut state).is_none(), "the call that deactivates runs");
        state.deactivation_returned(false);
        assert!(matches!(next(&mut state), Some(Step::Delete)));
    }

    /// As above, of an activation that fails.
    #[test]
    fn a_failure_that_comes_early_waits_for_the_call() {
        let mut state = state();
        state.created();
        assert!(matches!(next(&mut state), Some(Step::Activate(PARAMETERS))));
        state.activated(Status::RESOURCES);
        assert!(matches!(next(&mut state), Some(Step::TellFailed(_))));
        assert!(!state.leave(1));
        assert!(next(&mut state).is_none(), "the call that activates runs");
        state.activation_returned(None);
        assert!(matches!(next(&mut state), Some(Step::Delete)));
    }

    #[test]
    fn a_low_stack_puts_off() {
        let mut state = state();
        state.created();
        assert!(matches!(state.next(|| true), Some(Step::Later)));
        assert!(matches!(next(&mut state), Some(Step::Activate(PARAMETERS))));
    }
}
