//! The end of the call beneath, on a VC that is joined with another one: nothing carries its data any
//! more. What has been offered ends as if the driver had said so; what has not is not offered.

use super::{Call, End, State};
use crate::Status;

impl State {
    /// The call beneath is over. The client hears of it as of any end, unless it was told of one
    /// before, or closes the call already.
    pub(crate) fn end_beneath(&mut self, status: Status) {
        self.beneath = Some(status.as_final());
        self.announce_beneath();
    }

    /// Has the end announced, if there is a call and nothing has been.
    pub(super) fn announce_beneath(&mut self) {
        let there = matches!(self.call, Call::Offered | Call::Accepted | Call::Connected);
        if let (true, Some(status)) = (there, self.beneath)
            && self.may_announce().is_ok()
        {
            self.announced = Some(End { status, data: None });
        }
    }

    /// Whether nothing is left that a call could be offered for.
    pub(crate) fn is_over_beneath(&self) -> bool {
        self.beneath.is_some()
    }
}
