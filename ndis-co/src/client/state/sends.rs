//! What is sent on a client's VC: when it may be, and what waits for it.

use super::{Call, Life, State, join::Join};
use crate::nbl::Chain;

impl State {
    /// Whether a call is up, and neither side ends it.
    pub(in crate::client) fn is_up(&self) -> bool {
        self.life == Life::Alive && self.call == Call::Up && !self.want_close && !self.hung_up
    }

    /// Whether the client may send: not on a VC that another one shares, for whose client its data
    /// are then.
    pub(in crate::client) fn can_send(&self) -> bool {
        self.is_up() && self.join == Join::None
    }

    /// Whether lists are out, or calls of NDIS under way.
    pub(in crate::client) fn is_busy(&self) -> bool {
        self.out || self.busy > 0
    }

    /// Whether lists are out, which is so for this lock's time.
    pub(in crate::client) fn set_out(&mut self, out: bool) {
        self.out = out;
    }

    /// Whether lists may go, as was said last.
    pub(in crate::client) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether lists may go, if that has changed: a call is up, and none are queued.
    pub(in crate::client) fn changed_gate(&mut self) -> Option<bool> {
        let open = self.can_send() && !self.sending && self.queued.is_empty();
        let changed = core::mem::replace(&mut self.open, open) != open;
        changed.then_some(open)
    }

    /// Lists, counted, are to be sent: gives those to send now, or queues them
    /// for the work item, for `later` or because others are queued already.
    pub(in crate::client) fn send(&mut self, lists: Chain, later: bool) -> Option<Chain> {
        if later || self.sending || !self.queued.is_empty() {
            self.queued.append(lists);
            return None;
        }
        Some(lists)
    }

    /// What the work item is to send next; it holds the VC busy meanwhile.
    pub(in crate::client) fn next_queued(&mut self) -> Option<Chain> {
        let lists = core::mem::take(&mut self.queued);
        if lists.is_empty() {
            return None;
        }
        self.busy = self.busy.saturating_add(1);
        self.begin_sending();
        Some(lists)
    }

    /// What is sent now queues up.
    pub(in crate::client) fn begin_sending(&mut self) {
        self.sending = true;
    }

    /// The work item has sent them; whether others have queued up meanwhile.
    pub(in crate::client) fn queued_sent(&mut self) -> bool {
        self.sending = false;
        !self.queued.is_empty()
    }

    /// A call of NDIS has returned; `true` when none is left.
    pub(in crate::client) fn leave(&mut self) -> bool {
        self.busy = self.busy.saturating_sub(1);
        self.busy == 0
    }
}
