//! What a test sees of calls and lines.

use crate::ndiswan::LinkView;
use ndis_co::{
    Status,
    tapi::{CallOrigin, CallReason},
    wan::Statistics,
};
use std::{string::String, vec::Vec};

/// A call: no other one of the same [`Windows`](super::Windows) has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u32);

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is asked for, and was not placed yet.
    Asked,
    /// It is being placed.
    Dialing,
    /// It rings.
    Offering,
    /// Both ends are connected.
    Connected,
    /// It is over, for this reason: one of [`Disconnect`](ndis_co::tapi::Disconnect) as a rule.
    Disconnected(Status),
}

/// A call, as its application sees it.
#[derive(Clone, Debug)]
pub struct CallView {
    /// Which one.
    pub id: CallId,
    /// The adapter.
    pub adapter: u32,
    /// Whether it was placed here.
    pub placed: bool,
    /// Where it is.
    pub state: State,
    /// The line and the address that it came in on.
    pub came_in_on: Option<(u32, u32)>,
    /// Who calls, as far as the network tells.
    pub caller: String,
    /// Whether it was connected at any time.
    pub was_connected: bool,
    /// Whether somebody carries its data, or has: NDISWAN as a rule; else why not. `None` as long
    /// as nobody has asked.
    pub carried: Option<Result<(), Status>>,
    /// What `lineGetID` gave: the string by which NDISWAN finds its VC.
    pub device: Option<String>,
    /// What the call manager said of its end, when it had failed or the other end had closed it.
    pub diagnosis: Option<Result<Diagnosis, Status>>,
    /// How its link is, or last was; `None` when it never came up.
    pub link: Option<LinkView>,
    /// Whether the link is there.
    pub is_up: bool,
    /// What the adapter last answered about its counters.
    pub statistics: Option<Result<Statistics, Status>>,
    /// What could not be sent, or asked.
    pub refused: Vec<Status>,
}

impl CallView {
    /// Why it is over, if it is.
    #[must_use]
    pub fn ended(&self) -> Option<Status> {
        match self.state {
            State::Disconnected(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What a call manager says of the end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Where the call came from.
    pub origin: CallOrigin,
    /// Why it was made.
    pub reason: CallReason,
    /// In the call manager's own form.
    pub info: Vec<u8>,
}

/// What became of opening a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineView {
    /// It is closed, or not opened yet.
    #[default]
    Closed,
    /// It is open, for calls that go out.
    Outgoing,
    /// It is open, and the call manager has not said yet whether it takes calls there.
    Opening,
    /// It is open, and takes calls.
    Open,
    /// The call manager takes no calls there, for this reason.
    Refused(Status),
}

/// A call has come to another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which call.
    pub call: CallId,
    /// The state.
    pub state: State,
}

/// A frame that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its protocol.
    pub protocol: u16,
    /// What is behind it.
    pub payload: Vec<u8>,
}
