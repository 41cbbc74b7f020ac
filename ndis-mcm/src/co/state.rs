//! [`State`]: what is asked of a VC and not answered, and what data may go.

use ndis_co::{
    Status,
    channel::{DataPath, Early},
    cm::{Gates, Key, Part},
    raw::Token,
};
use ndis_sys::CO_CALL_PARAMETERS;

/// The state of a VC. All of it changes under the VC's lock, which shows the data path what
/// may go.
#[derive(Default)]
pub(super) struct State {
    /// Activated, and not asked to be deactivated since.
    active: bool,
    /// Counts the activations that have succeeded.
    number: u32,
    activation: Option<Activation>,
    deactivation: Option<Deactivation>,
}

/// An activation that is not answered.
struct Activation {
    /// The call manager's, until the activation is answered (rule VC-35).
    parameters: Token<CO_CALL_PARAMETERS>,
    /// What the pended one is to be completed with.
    answer: Option<Status>,
    /// The VC was to be deactivated meanwhile: it does not come up by this any more.
    overtaken: bool,
}

/// A deactivation that is not answered.
#[derive(Clone, Copy, Default)]
struct Deactivation {
    /// The driver has done its part.
    finished: bool,
    pended: bool,
}

/// What is to be done next.
pub(super) enum Step {
    /// Completes an activation; the number is that of one that has brought the VC up.
    Activated {
        status: Status,
        parameters: Token<CO_CALL_PARAMETERS>,
        number: Option<u32>,
    },
    Deactivated,
    /// There is something to do, on a stack with more room.
    Later,
}

/// What a deactivation begins with.
pub(super) enum Begun {
    /// The driver is asked.
    Asked,
    /// There is nothing to deactivate.
    Nothing,
}

impl State {
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// Why nothing may be indicated.
    pub(super) fn refusal(&self) -> Status {
        if self.deactivation.is_some() {
            Status::CLOSING
        } else {
            Status::INVALID_STATE
        }
    }

    /// An activation is asked for; whether it changes the parameters of an active VC. `None`
    /// when something is under way already, which NDIS rules out.
    pub(super) fn begin_activation(&mut self, parameters: *mut CO_CALL_PARAMETERS) -> Option<bool> {
        if self.activation.is_some() || self.deactivation.is_some() {
            return None;
        }
        self.activation = Some(Activation {
            parameters: Token(parameters),
            answer: None,
            overtaken: false,
        });
        Some(self.active)
    }

    /// The parameters of the activation that is asked for.
    pub(super) fn parameters(&self) -> *mut CO_CALL_PARAMETERS {
        let activation = self.activation.as_ref();
        activation.map_or(core::ptr::null_mut(), |it| it.parameters.0)
    }

    /// The handler has answered the activation at once. Data may go when it has returned.
    pub(super) fn answered(&mut self, status: Status, path: &DataPath, key: Key) {
        if self.comes_up(status).is_some() {
            path.arm(key);
        }
    }

    /// The pended activation is to be completed.
    pub(super) fn answer(&mut self, status: Status) {
        if let Some(activation) = &mut self.activation {
            activation.answer = Some(status);
        }
    }

    /// The activation is over, with this status; its number, if it brings the VC up.
    fn comes_up(&mut self, status: Status) -> Option<u32> {
        let counts = self.activation.take().is_some_and(|it| !it.overtaken);
        if self.active || !counts || !status.is_success() {
            return None;
        }
        self.active = true;
        self.number = self.number.wrapping_add(1);
        Some(self.number)
    }

    /// NDIS knows that the VC is active; whether nothing is left to be done for that. Lists
    /// that are kept are indicated first.
    pub(super) fn told(
        &mut self,
        number: u32,
        path: &DataPath,
        early: &Early,
        key: fn() -> Key,
    ) -> bool {
        if self.number != number {
            // It is over, and what was kept for it is gone: the deactivation waited for that.
            return true;
        }
        if !self.active {
            // No more are kept, but some may have been.
            return early.end(key());
        }
        let end = early.end(key());
        if end {
            path.open(Gates {
                sends: true,
                receives: true,
            });
        }
        end
    }

    /// A deactivation is asked for: no data from here on (rule VC-50).
    pub(super) fn begin_deactivation(&mut self, path: &DataPath, early: &Early, key: Key) -> Begun {
        if let Some(activation) = &mut self.activation {
            activation.overtaken = true;
        }
        if !self.active {
            return Begun::Nothing;
        }
        self.active = false;
        path.open(Gates::default());
        early.stop(key);
        self.deactivation = Some(Deactivation::default());
        Begun::Asked
    }

    /// The driver has done its part of a deactivation that it has not pended; whether that is
    /// all. If not, it is completed later.
    pub(super) fn finish_now(&mut self, path: &DataPath) -> bool {
        if path.is_quiet() {
            self.deactivation = None;
            return true;
        }
        self.pend();
        self.finish();
        false
    }

    pub(super) fn pend(&mut self) {
        if let Some(deactivation) = &mut self.deactivation {
            deactivation.pended = true;
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(deactivation) = &mut self.deactivation {
            deactivation.finished = true;
        }
    }

    /// NDIS deletes the VC; whether it can be.
    pub(super) fn is_deletable(&self, path: &DataPath) -> bool {
        let idle = !self.active && self.activation.is_none() && self.deactivation.is_none();
        idle && path.is_quiet()
    }

    /// Picks the next step and marks it as taken.
    pub(super) fn next(
        &mut self,
        path: &DataPath,
        early: &Early,
        key: Key,
        is_low: impl FnOnce() -> bool,
    ) -> Option<Step> {
        let activated = self.activation.as_ref().and_then(|it| it.answer);
        let waits = self.deactivation.is_some_and(|it| it.finished && it.pended);
        // Whoever brings the last list in goes on, when it is not quiet.
        let deactivated = waits && path.is_quiet();
        if activated.is_none() && !deactivated {
            return None;
        }
        if is_low() {
            return Some(Step::Later);
        }
        let Some(status) = activated else {
            self.deactivation = None;
            return Some(Step::Deactivated);
        };
        let parameters = self.parameters();
        let number = self.comes_up(status);
        if number.is_some() {
            // Before NDIS knows, for the client may send within that call.
            early.begin(self.number, key);
            path.open(Gates {
                sends: true,
                receives: false,
            });
        }
        Some(Step::Activated {
            status,
            parameters: Token(parameters),
            number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::key;
    use ndis_host::Host;

    /// A VC that is deactivated while an activation is under way is inactive whatever becomes of that,
    /// and can be deleted: nobody would deactivate it once more.
    #[test]
    fn a_deactivation_overtakes_an_activation() {
        let host = Host::builder().build();
        for change in [false, true] {
            let mut state = State::default();
            let (path, early) = (DataPath::default(), Early::default());
            let parameters = core::ptr::null_mut();
            if change {
                assert_eq!(state.begin_activation(parameters), Some(false));
                state.answered(Status::SUCCESS, &path, key());
                assert!(state.is_active());
            }
            assert_eq!(state.begin_activation(parameters), Some(change));
            let begun = state.begin_deactivation(&path, &early, key());
            assert_eq!(matches!(begun, Begun::Asked), change);
            if change {
                assert!(state.finish_now(&path));
            }
            state.answer(Status::SUCCESS);
            let step = state.next(&path, &early, key(), || false);
            assert!(matches!(step, Some(Step::Activated { number: None, .. })));
            assert!(!state.is_active() && state.is_deletable(&path));
            // The next one brings it up.
            assert_eq!(state.begin_activation(parameters), Some(false));
            state.answered(Status::SUCCESS, &path, key());
            assert!(state.is_active());
        }
        assert!(host.finish().is_clean());
    }
}
