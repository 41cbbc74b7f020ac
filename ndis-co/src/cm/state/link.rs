//! The link: activation and deactivation.

use super::{Link, Parameters, State};
use crate::{Status, params::CallParametersBuf};

impl State {
    /// The driver activates its own VC with parameters of its own; gives them back when there is
    /// nothing left to activate it for.
    pub(crate) fn want_activate(&mut self, own: CallParametersBuf) -> Option<CallParametersBuf> {
        if self.is_over_beneath() {
            return Some(own);
        }
        self.activation = Parameters::Own(own.into_shared());
        self.want_activate = true;
        self.want_deactivate = false;
        None
    }

    /// An activation has come to an end, by its result or its completion; the
    /// first one counts.
    pub(crate) fn activated(&mut self, status: Status) {
        if self.link == Link::Activating {
            if status.is_success() {
                self.link = Link::Active;
            } else {
                self.link = Link::Inactive;
                self.failed = Some(status.as_failure());
            }
        }
    }

    /// A failed activation, for the one who waits for it on the spot.
    pub(crate) fn take_failed(&mut self) -> Option<Status> {
        self.failed.take()
    }

    /// A deactivation has come to an end; the first report counts. The parameters go with it,
    /// so that the next activation has its own (rule VC-47), and a close that waited for this is the
    /// next step (rule VC-52).
    pub(crate) fn deactivated(&mut self) {
        if self.link == Link::Deactivating {
            self.link = Link::Inactive;
            self.want_deactivate = false;
            self.activation = Parameters::None;
        }
    }
}
