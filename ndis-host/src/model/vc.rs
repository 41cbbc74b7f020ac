//! Virtual connections, and the call that each has: the states that both go through.

use crate::callback::Context;
use crate::model::request::{Loan, Request};
use core::fmt;
use ndis_sys::NDIS_STATUS_SUCCESS;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Activity {
    Inactive,
    Activating,
    Active,
    Deactivating,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallPhase {
    /// No call.
    None,
    /// The client asked for one.
    Making,
    /// An outgoing call stands.
    Up,
    /// The call manager offers one.
    Offered,
    /// And has hung up before or while the client answered.
    Withdrawn,
    /// The client took it.
    Accepted,
    /// And was told that it is connected.
    Connected,
    /// The client asked to close it.
    Closing,
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inactive => "inactive",
            Self::Activating => "being activated",
            Self::Active => "active",
            Self::Deactivating => "being deactivated",
        })
    }
}

impl fmt::Display for CallPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no call",
            Self::Making => "a call being made",
            Self::Up => "a call that is up",
            Self::Offered => "a call being offered",
            Self::Withdrawn => "an offer that was withdrawn",
            Self::Accepted => "an accepted call",
            Self::Connected => "a connected call",
            Self::Closing => "a call being closed",
        })
    }
}

/// A virtual connection.
pub(crate) struct Vc {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) af: u32,
    pub(crate) by_client: bool,
    pub(crate) client_context: Context,
    /// For an MCM, its one context for both halves.
    pub(crate) manager_context: Context,
    pub(crate) activity: Activity,
    pub(crate) activations: u32,
    pub(crate) deactivations: u32,
    pub(crate) activation_loan: Option<Loan>,
    pub(crate) phase: CallPhase,
    /// The phase that a refused close goes back to.
    pub(crate) before_close: CallPhase,
    /// How often the call manager has refused to close the call.
    pub(crate) refusals: u32,
    pub(crate) calls: u32,
    pub(crate) make: Request,
    pub(crate) close: Request,
    pub(crate) offer: Request,
    /// When the call manager had been told that the client refused the offer; the end of
    /// time before that, None when it did not refuse.
    pub(crate) refused_at: Option<u64>,
    /// The offer was withdrawn: no answer makes a call of it.
    pub(crate) withdrawn: bool,
    /// The client's answer, when the offer's handler has not returned yet.
    pub(crate) modify: Request,
    /// The call manager has announced the end of the call.
    pub(crate) incoming_close: bool,
    /// That announcement has reached the client.
    pub(crate) told: bool,
    /// And that the client has not answered it is reported.
    pub(crate) blamed: bool,
    /// When the announcement was over; the end of time while it is being made.
    pub(crate) told_at: u64,
    /// When the client's handler for that had returned: what it begins to send
    /// afterwards it sends knowingly.
    pub(crate) heard_at: u64,
    /// Lists that the miniport has not completed.
    pub(crate) sends: u32,
    /// Lists that the client has not returned.
    pub(crate) receives: u32,
    /// Calls that indicate data on it and have not returned.
    pub(crate) indicating: u32,
    /// Those of them whose lists come back with their return.
    pub(crate) lending: u32,
    pub(crate) multipoint: bool,
    /// The party that came with the call.
    pub(crate) first_party: Option<u32>,
    /// The client has deleted its VC before the call manager deactivated it.
    pub(crate) deleting: bool,
}

impl Vc {
    /// The client has answered the offer, which nobody may have withdrawn before.
    pub(crate) fn take_answer(&mut self, status: i32) {
        let accepted = status == NDIS_STATUS_SUCCESS;
        if !accepted {
            self.refused_at = Some(u64::MAX);
        }
        if self.phase == CallPhase::Offered {
            self.phase = if accepted {
                CallPhase::Accepted
            } else {
                CallPhase::None
            };
        }
    }

    /// The call manager hangs up before it has heard what the client says to its offer.
    pub(crate) fn withdraw(&mut self) {
        self.phase = CallPhase::Withdrawn;
        self.withdrawn = true;
        self.incoming_close = true;
        self.told = true;
        self.told_at = u64::MAX;
    }
}
