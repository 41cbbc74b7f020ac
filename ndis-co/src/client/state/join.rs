//! The VC of this driver's that shares a client's VC: from when to when there is one, and when it is
//! to hear that the call is over which it carries on.

use super::{Call, State, Step};
use crate::Status;

/// How far another VC is joined to this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Join {
    /// No VC shares it.
    None,
    /// One that does is being made, for the call of this number.
    Begun(u32),
    /// There is one, for that call.
    Joined(u32),
    /// There is one, and it has been told of the end of that call.
    Told,
}

impl State {
    /// Another VC is to share it, which is to be the only one (rule VC-70): the number of the call
    /// that it is for, which is up; `None` when there is none that is, or another VC already. No list
    /// goes out from here on.
    pub(in crate::client) fn share(&mut self) -> Option<u32> {
        if !self.is_up() || self.join != Join::None {
            return None;
        }
        self.join = Join::Begun(self.number);
        Some(self.number)
    }

    /// The other VC is there; the end of the call may have come before.
    pub(in crate::client) fn joined(&mut self) {
        if let Join::Begun(number) = self.join {
            self.join = Join::Joined(number);
        }
    }

    /// No other VC shares it any more.
    pub(in crate::client) fn unshare(&mut self) {
        self.join = Join::None;
    }

    /// The end of the call, if it is over or about to be and the VC above is to hear of that: the
    /// first that says so counts. While the driver is told that the other side has hung up, it may
    /// end the call above itself, with data.
    pub(super) fn end_above(&self) -> Option<Step> {
        let Join::Joined(number) = self.join else {
            return None;
        };
        let this_one = number == self.number;
        if this_one && self.call == Call::Up && !self.want_close {
            return None;
        }
        let status = if this_one && self.hung_up {
            self.reason
        } else if self.ending {
            Status::CLOSING
        } else {
            Status::SUCCESS
        };
        Some(Step::EndAbove { status, number })
    }
}
