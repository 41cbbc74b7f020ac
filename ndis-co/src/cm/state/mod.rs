//! The state of a call manager's VC, as a plain value: what has happened, what is
//! wanted, and what is to be done next. No NDIS call is made here; the methods
//! run under the VC's lock.
//!
//! Three things go on at once on a VC, and most rules are about their order:
//!
//! - *life*: it is created, and deleted when nothing is left (VC-23);
//! - *link*: it is activated before a call is up, and deactivated after the
//!   call, when every list is back (CALL-10, VC-30, VC-44, VC-49);
//! - *call*: placed by the client or offered to it, connected, closed.
//!
//! [`State::next`] holds the order: whoever changes something asks it for the
//! next step and carries it out, until there is none.

mod beneath;
mod call;
mod link;
mod order;
mod parameters;

#[cfg(test)]
mod tests;

pub(crate) use call::{End, Settled};
pub(crate) use order::{Done, Kind, Step};
pub(crate) use parameters::Parameters;

use super::gates::{Gates, Part};
use crate::{
    Status, instance_name,
    oid::{Outstanding, Stage},
    thread::Thread,
};

/// Who created the VC, and so deletes it (rule VC-22).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    Client,
    Manager,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Creating,
    Alive,
    Deleting,
    Deleted,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Inactive,
    Activating,
    Active,
    Deactivating,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    None,
    /// The client places it and waits for the answer.
    Making,
    /// It is to be offered to the client as soon as the VC is active.
    Offering,
    /// It is offered, and the client has not answered.
    Offered,
    /// The client has accepted; the driver has neither connected nor closed it.
    Accepted,
    Connected,
    /// The client closes it.
    Closing,
}

pub(crate) struct State {
    origin: Origin,
    life: Life,
    link: Link,
    call: Call,
    /// Counts the calls: a client may place several in a row on a VC of its own (rule
    /// CALL-55), and what came of one is nothing to the next.
    number: u32,
    /// What a refused close goes back to.
    before_close: Call,
    /// NDIS calls that run on the VC, and callbacks of the driver that hold it.
    busy: u32,
    /// OID requests of the VC that are not over, of either side's.
    requests: Outstanding,
    /// What the VC is called outside of NDIS.
    name: instance_name::Slot,
    /// The parameters of the call that is being made or offered.
    parameters: Parameters,
    /// The driver's answer to the request that is open: the final status, to be given when the
    /// link allows.
    reply: Option<Status>,
    /// The request to close was answered with pending, and may be completed.
    pended: bool,
    /// A status that the link failed with.
    failed: Option<Status>,
    /// An incoming close was dispatched (or is about to be).
    close_dispatched: bool,
    /// The client knows of its call, that it rings or that it is up: NDIS's call that
    /// tells it has returned, or the client has used the call already.
    told: bool,
    /// The client is to be told that its call is connected.
    want_connect: bool,
    /// An incoming close is to be dispatched as soon as it may be.
    announced: Option<End>,
    want_activate: bool,
    want_deactivate: bool,
    want_delete: bool,
    /// The close is being completed: the driver's own VC stays until that has
    /// returned.
    completing: bool,
    /// The client would not have the VC deleted yet: tried again a little later.
    delete_blocked: bool,
    /// Why the call beneath has ended, when the VC is joined with one and it has.
    beneath: Option<Status>,
    /// What to activate with; kept as long as the VC is active.
    activation: Parameters,
    /// What was last said of what data may go.
    shown: Gates,
}

impl State {
    pub(crate) const fn new(origin: Origin) -> Self {
        Self {
            origin,
            life: Life::Creating,
            link: Link::Inactive,
            call: Call::None,
            number: 0,
            before_close: Call::None,
            busy: 0,
            requests: Outstanding::new(),
            name: instance_name::Slot::new(),
            parameters: Parameters::None,
            reply: None,
            pended: false,
            failed: None,
            close_dispatched: false,
            told: false,
            want_connect: false,
            announced: None,
            want_activate: false,
            want_deactivate: false,
            want_delete: false,
            completing: false,
            delete_blocked: false,
            beneath: None,
            activation: Parameters::None,
            shown: Gates {
                sends: false,
                receives: false,
            },
        }
    }

    /// One more NDIS call or callback runs on the VC, which lasts as long.
    fn enter(&mut self) {
        self.busy = self.busy.saturating_add(1);
    }

    /// It has returned.
    pub(crate) fn leave(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// Whether nothing runs on the VC, and no list is out on it.
    fn is_quiet(&self, part: &impl Part) -> bool {
        self.busy == 0 && part.is_quiet()
    }

    /// What the VC is called outside of NDIS.
    pub(crate) fn name(&mut self) -> &mut instance_name::Slot {
        &mut self.name
    }

    /// Whether it exists, and its deletion has not begun.
    pub(crate) fn is_alive(&self) -> bool {
        self.life == Life::Alive
    }

    /// One more OID request of the VC, unless it is about to be deleted.
    pub(crate) fn ask(&mut self) -> bool {
        let there = self.life == Life::Alive && !self.want_delete;
        if there {
            self.requests.add(Stage::Open);
        }
        there
    }

    /// One more of those that there are.
    pub(crate) fn ask_more(&mut self, stage: Stage) {
        self.requests.add(stage);
    }

    /// The client is being told of the end of one that it has made.
    pub(crate) fn tell_peer(&mut self) {
        self.requests.tell_peer();
    }

    /// Whoever has made one is being told of its end, on this thread.
    pub(crate) fn tell_any(&mut self, thread: Thread) {
        self.requests.tell_any(thread);
    }

    /// A request is over; whether the deletion may have waited for it.
    pub(crate) fn asked(&mut self, stage: Stage) -> bool {
        self.requests.remove(stage) && self.want_delete
    }

    pub(crate) fn created(&mut self) {
        self.life = Life::Alive;
    }

    pub(crate) fn deleted(&mut self) {
        self.life = Life::Deleted;
    }

    /// The client still had something outstanding (rule VC-27): to be tried again
    /// later.
    pub(crate) fn delete_refused(&mut self) {
        self.life = Life::Alive;
        self.delete_blocked = true;
    }

    /// A while has passed since the deletion was refused.
    pub(crate) fn unblock(&mut self) {
        self.delete_blocked = false;
    }

    /// The client deletes its VC, if nothing is outstanding (rule VC-27).
    pub(crate) fn try_delete(&mut self, part: &impl Part) -> bool {
        let free = self.life == Life::Alive
            && self.call == Call::None
            && self.link == Link::Inactive
            && self.requests.lets_go(Thread::current)
            && self.is_quiet(part);
        if free {
            self.life = Life::Deleted;
        }
        free
    }

    /// The driver has no more use for its VC.
    pub(crate) fn want_delete(&mut self) {
        self.want_deactivate = true;
        self.want_delete = true;
    }

    /// What data may go (rules CALL-63, NBL-34).
    #[inline]
    pub(crate) fn gates(&self) -> Gates {
        let sends = self.is_connected();
        let ended = self.close_dispatched || self.announced.is_some();
        Gates {
            sends,
            receives: sends && self.told && !ended,
        }
    }

    /// What data may go, when that is not what the VC was told last.
    #[inline]
    pub(crate) fn changed_gates(&mut self) -> Option<Gates> {
        let gates = self.gates();
        if gates == self.shown {
            return None;
        }
        self.shown = gates;
        Some(gates)
    }

    /// Why nothing may be indicated, when it may not.
    pub(crate) fn refusal(&self) -> Status {
        let over = self.life != Life::Alive || matches!(self.call, Call::None | Call::Closing);
        if over || self.close_dispatched || self.announced.is_some() {
            Status::CLOSING
        } else {
            Status::INVALID_STATE
        }
    }
}
