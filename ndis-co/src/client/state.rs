//! The state of a client's VC, as a plain value: what has happened, what is
//! wanted, and what is to be done next. No NDIS call is made here; the methods
//! run under the VC's lock.

use crate::{
    Status, instance_name,
    mem::{Arc, Vec},
    nbl::Chain,
    oid::{Outstanding, Stage},
    params::CallParametersBuf,
    thread::Thread,
};
use ndis_sys::CO_CALL_PARAMETERS;

mod join;
mod sends;
mod usual;

use join::Join;

/// Who created the VC, and so deletes it (rule VC-22).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    Client,
    CallManager,
}

/// Where the call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    /// There is none.
    None,
    /// The client is to place it, as soon as there is stack for it.
    Wanted,
    /// The client places it.
    Dialing,
    /// It is offered to the client, which has not answered.
    Offered,
    /// The client has accepted; the call manager has not yet connected it.
    Accepted,
    /// The client has refused it; NDIS is being told. Until it knows, the family is
    /// not closed (rule AF-29). The VC may be deleted meanwhile.
    Refused,
    /// It is up.
    Up,
    /// The close request is under way.
    Closing,
    /// It is closed, and the client is just being told.
    Closed,
}

/// Whether the VC exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Creating,
    Alive,
    Deleting,
    Deleted,
}

/// An answer on the spot, which NDIS learns of when the callback has returned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnTheSpot {
    None,
    /// The callback still runs.
    Accepted,
    /// The callback still runs.
    Refused,
    /// It is about to return.
    Returns,
    /// A moment has passed since.
    Returned,
}

/// What an incoming close comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HungUp {
    /// Tell the client, then close; the number of the call.
    Tell(u32),
    /// Close: the client has done with the call.
    Close,
    /// The client has closed it already.
    Nothing,
}

/// A call that was pended, and its answer once there is one.
#[derive(Clone, Copy)]
struct Ringing {
    parameters: *mut CO_CALL_PARAMETERS,
    answer: Option<Status>,
}

pub(super) struct State {
    origin: Origin,
    life: Life,
    call: Call,
    /// The parameters of the call that is being placed.
    parameters: Option<CallParametersBuf>,
    ringing: Option<Ringing>,
    /// Whether the offer is being answered on the spot.
    on_the_spot: OnTheSpot,
    /// NDIS is just being told the answer to a pended offer: no close overtakes it.
    answering: bool,
    /// The offer was refused: the driver hears no more of it.
    refused: bool,
    /// Counts the calls on the VC, of which the call manager may have several in a row
    /// on one of its own (rule CALL-56): what was begun for one call is not done to the next.
    number: u32,
    /// What the hang-up sends to the other side.
    close_data: Option<Arc<Vec<u8>>>,
    /// Lists to be sent by the work item, because the stack was nearly used up;
    /// those that are sent after them queue up behind.
    queued: Chain,
    /// The work item is sending what was queued.
    sending: bool,
    /// NDIS calls under way on the VC.
    busy: usize,
    /// Lists are out for sending, as [`Guarded`](super::guarded::Guarded) has found.
    out: bool,
    /// Whether lists may go, as it has been told.
    open: bool,
    /// OID requests of the VC that are not over, of either side's.
    requests: Outstanding,
    /// What the VC is called outside of NDIS.
    name: instance_name::Slot,
    /// Whether another VC of this driver's shares it.
    join: Join,
    want_close: bool,
    /// The other side hung up, or takes its offer back.
    hung_up: bool,
    /// Why, as it said.
    reason: Status,
    want_delete: bool,
    /// A call was not placed, and the client is to be told why.
    undialled: Option<Status>,
    /// The address family is being closed.
    ending: bool,
    /// Something was refused: the next try waits a little.
    back_off: bool,
}

// SAFETY: the parameters pointer is a token that any thread may pass to NDIS.
unsafe impl Send for State {}

/// What is to be done next.
#[derive(Clone)]
pub(super) enum Step {
    Answer {
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        /// Of which call.
        number: u32,
    },
    Dial {
        parameters: *mut CO_CALL_PARAMETERS,
    },
    Close {
        /// For the other side.
        data: Option<Arc<Vec<u8>>>,
    },
    Delete,
    /// The call that another VC shares has ended: end the one on that.
    EndAbove {
        status: Status,
        /// Of the call that has ended.
        number: u32,
    },
    /// Tell the client that its call was not placed, and why.
    TellUndialled(Status),
    /// There is something to do, on a stack with more room.
    Later,
}

impl State {
    pub(super) const fn new(origin: Origin) -> Self {
        Self {
            origin,
            life: Life::Creating,
            call: Call::None,
            parameters: None,
            ringing: None,
            on_the_spot: OnTheSpot::None,
            answering: false,
            refused: false,
            number: 0,
            close_data: None,
            queued: Chain::new(),
            sending: false,
            busy: 0,
            out: false,
            open: false,
            requests: Outstanding::new(),
            name: instance_name::Slot::new(),
            join: Join::None,
            want_close: false,
            hung_up: false,
            reason: Status::SUCCESS,
            want_delete: false,
            undialled: None,
            ending: false,
            back_off: false,
        }
    }

    /// Picks the next step and marks it as taken; [`Step::Later`] when one is
    /// due and `low` says that there is too little stack for it.
    #[inline(never)]
    pub(super) fn next(&mut self, low: impl FnOnce() -> bool) -> Option<Step> {
        let step = self.due()?;
        if low() {
            return Some(Step::Later);
        }
        self.take(&step);
        Some(step)
    }

    /// What is to be done next.
    fn due(&self) -> Option<Step> {
        if let Some(status) = self.undialled {
            return Some(Step::TellUndialled(status));
        }
        // Before the close, so that the data above end first.
        if let Some(step) = self.end_above() {
            return Some(step);
        }
        if self.life != Life::Alive || self.back_off {
            return None;
        }
        if let (
            Call::Offered,
            Some(Ringing {
                parameters,
                answer: Some(status),
            }),
        ) = (self.call, self.ringing)
        {
            return Some(Step::Answer {
                status,
                parameters,
                number: self.number,
            });
        }
        if let (Call::Wanted, Some(parameters)) = (self.call, &self.parameters) {
            return Some(Step::Dial {
                parameters: parameters.as_raw(),
            });
        }
        if self.is_busy() {
            return None;
        }
        // An accepted call is first connected or hung up by the call manager
        // (rule CALL-37), and that has our answer before the close.
        let answered = !self.answering && self.on_the_spot == OnTheSpot::None;
        let closable = match self.call {
            Call::Up => !self.answering,
            Call::Accepted => self.hung_up && answered,
            _ => false,
        };
        if self.want_close && closable {
            return Some(Step::Close {
                data: self.close_data.clone(),
            });
        }
        let own = self.origin == Origin::Client;
        // With a request of it outstanding it is not (rule OID-68).
        let deletable = self.call == Call::None && own && self.requests.is_empty();
        (self.want_delete && deletable).then_some(Step::Delete)
    }

    /// Marks a step that was due as taken.
    fn take(&mut self, step: &Step) {
        match step {
            Step::Later => {}
            Step::TellUndialled(_) => self.undialled = None,
            Step::EndAbove { .. } => self.join = Join::Told,
            Step::Answer { status, .. } => {
                self.ringing = None;
                self.answering = true;
                self.refused = !status.is_success();
                // One that was taken back is closed in any case (rule CALL-62).
                self.call = if self.refused && !self.hung_up {
                    Call::Refused
                } else {
                    Call::Accepted
                };
            }
            Step::Dial { .. } => self.call = Call::Dialing,
            Step::Close { .. } => self.call = Call::Closing,
            Step::Delete => self.life = Life::Deleting,
        }
    }

    /// A while has passed since something was refused.
    pub(super) fn retry(&mut self) {
        self.back_off = false;
    }

    /// The VC exists from here on.
    pub(super) fn created(&mut self) {
        self.life = Life::Alive;
    }

    /// What the VC is called outside of NDIS.
    pub(super) fn name(&mut self) -> &mut instance_name::Slot {
        &mut self.name
    }

    /// Whether it exists, and its deletion has not begun.
    pub(super) fn is_alive(&self) -> bool {
        self.life == Life::Alive
    }

    pub(super) fn deleted(&mut self) {
        self.life = Life::Deleted;
    }

    /// The peer would not have it deleted: to be tried again later.
    pub(super) fn delete_refused(&mut self) {
        self.back_off = true;
        self.life = Life::Alive;
    }

    /// The call manager deletes it, if nothing is outstanding (rule VC-27).
    pub(super) fn try_delete(&mut self) -> bool {
        let quiet = !self.is_busy() && self.requests.lets_go(Thread::current);
        let free = self.life == Life::Alive && !self.has_call() && quiet;
        if free {
            self.life = Life::Deleted;
        }
        free
    }

    /// One more OID request of it, unless it is about to be deleted.
    pub(super) fn ask(&mut self) -> bool {
        let there = self.life == Life::Alive && !self.want_delete;
        if there {
            self.requests.add(Stage::Open);
        }
        there
    }

    /// One more of those that there are.
    pub(super) fn ask_more(&mut self, stage: Stage) {
        self.requests.add(stage);
    }

    /// The call manager is being told of the end of one that it has made.
    pub(super) fn tell_peer(&mut self) {
        self.requests.tell_peer();
    }

    /// A request is over; whether the deletion may have waited for it.
    pub(super) fn asked(&mut self, stage: Stage) -> bool {
        self.requests.remove(stage) && self.want_delete
    }

    /// Whether there is a call, from the first attempt or offer to the last word.
    fn has_call(&self) -> bool {
        !matches!(self.call, Call::None | Call::Refused)
    }

    pub(super) fn want_delete(&mut self) {
        self.want_delete = true;
    }

    /// Asks for the hang-up of whatever call there is or is to be.
    pub(super) fn want_close(&mut self) {
        if self.has_call() {
            self.want_close = true;
        }
    }

    /// The number of the call that there is, or was last.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// As [`want_close`](Self::want_close), if there is still this call.
    pub(super) fn want_close_of(&mut self, number: u32) {
        if number == self.number {
            self.want_close();
        }
    }

    /// As [`want_close_of`](Self::want_close_of), with data: those of the first hang-up
    /// count, others are given back. Without a number it is of whatever call there is.
    pub(super) fn hang_up(
        &mut self,
        number: Option<u32>,
        data: Option<Arc<Vec<u8>>>,
    ) -> Option<Arc<Vec<u8>>> {
        let number = number.unwrap_or(self.number);
        let first = number == self.number && self.has_call() && !self.want_close;
        let spare = if first && data.is_some() {
            core::mem::replace(&mut self.close_data, data)
        } else {
            data
        };
        self.want_close_of(number);
        spare
    }

    /// They are used no more.
    pub(super) fn take_close_data(&mut self) -> Option<Arc<Vec<u8>>> {
        self.close_data.take()
    }

    /// The address family is being closed; `true` the first time.
    pub(super) fn mark_ending(&mut self) -> bool {
        if self.life == Life::Creating {
            return false;
        }
        let first = !core::mem::replace(&mut self.ending, true);
        if first {
            self.want_close();
            self.want_delete = true;
            // A call that rings is refused, also when its token still lives.
            if let Some(ringing) = &mut self.ringing {
                ringing.answer.get_or_insert(Status::FAILURE);
            }
        }
        first
    }

    pub(super) fn holds_af_open(&self) -> bool {
        match self.origin {
            Origin::Client => self.life != Life::Deleted,
            Origin::CallManager => {
                self.call != Call::None || self.is_busy() || !self.requests.is_empty()
            }
        }
    }

    /// A call is to be placed, unless it is refused. When the address family is being closed, so
    /// that the VC is, or is about to be, deleted, the client is told that. What cannot be asked
    /// for is not, and the VC is deleted as that of any call that fails.
    pub(super) fn dial(&mut self, parameters: CallParametersBuf, checked: Result<(), Status>) {
        let free = self.life == Life::Alive && self.call == Call::None && !self.ending;
        let checked = if free { checked } else { Err(Status::CLOSING) };
        match checked {
            Ok(()) => {
                self.parameters = Some(parameters);
                self.call = Call::Wanted;
                self.number = self.number.wrapping_add(1);
            }
            Err(status) => {
                self.undialled = Some(status);
                // The end of the family takes the VC with it.
                self.want_delete |= status != Status::CLOSING;
            }
        }
    }

    /// The call was placed, or not; gives the parameters back, and says whether there is more to
    /// do once the client knows that it is up: it was hung up before.
    pub(super) fn dialled(&mut self, success: bool) -> (Option<CallParametersBuf>, bool) {
        if self.call == Call::Dialing {
            self.call = if success { Call::Up } else { Call::None };
        }
        let more = self.want_close || self.undialled.is_some() || self.end_above().is_some();
        (self.parameters.take(), more)
    }

    /// A call is offered: its number, or `None` when there is a call already. With it
    /// goes what an earlier call has left, to be dropped outside of the lock.
    pub(super) fn offer(&mut self) -> Option<(u32, Option<Arc<Vec<u8>>>)> {
        let free = self.life == Life::Alive && !self.has_call() && !self.ending;
        if !free {
            return None;
        }
        self.call = Call::Offered;
        self.want_close = false;
        self.hung_up = false;
        self.ringing = None;
        self.on_the_spot = OnTheSpot::None;
        self.refused = false;
        self.answering = false;
        self.number = self.number.wrapping_add(1);
        Some((self.number, self.close_data.take()))
    }

    /// The client accepts on the spot, by what its callback returns.
    pub(super) fn accept(&mut self) {
        self.call = Call::Accepted;
        self.on_the_spot = OnTheSpot::Accepted;
    }

    /// The client refuses on the spot, by what its callback returns. `false`: the
    /// offer was taken back meanwhile, and is to be [pended](Self::pend).
    pub(super) fn refuse(&mut self) -> bool {
        if self.hung_up {
            return false;
        }
        self.call = Call::Refused;
        self.refused = true;
        self.on_the_spot = OnTheSpot::Refused;
        true
    }

    /// The callback of the offer returns with its answer; whether something waits for
    /// NDIS to know that, which it does a moment later: the end of a refused call, or
    /// the close of one that was accepted and is over already. (What another thread has
    /// just answered for a pended offer is none of this callback's, nor is a later offer.)
    pub(super) fn returns(&mut self, number: u32) -> bool {
        if number != self.number {
            return false;
        }
        let waits = match self.on_the_spot {
            OnTheSpot::Accepted => self.hung_up,
            OnTheSpot::Refused => true,
            OnTheSpot::None | OnTheSpot::Returns | OnTheSpot::Returned => false,
        };
        self.on_the_spot = if waits {
            OnTheSpot::Returns
        } else {
            OnTheSpot::None
        };
        waits
    }

    /// The work item has come to it: whether it is to come once more, a moment later, for
    /// the callback may not have returned yet.
    pub(super) fn waits_for_return(&mut self) -> bool {
        let waits = self.on_the_spot == OnTheSpot::Returns;
        if waits {
            self.on_the_spot = OnTheSpot::Returned;
        }
        waits
    }

    /// The moment has passed; as [`Self::refusal_told`].
    pub(super) fn has_returned(&mut self) -> bool {
        let returned = self.on_the_spot == OnTheSpot::Returned;
        if returned {
            self.on_the_spot = OnTheSpot::None;
        }
        returned && self.refusal_told()
    }

    /// NDIS has the answer to a pended offer; as [`Self::refusal_told`].
    pub(super) fn answer_told(&mut self, number: u32) -> bool {
        if number != self.number {
            // The call manager has offered another call meanwhile.
            return false;
        }
        self.answering = false;
        self.refusal_told()
    }

    /// NDIS knows of the refusal; whether there was one.
    fn refusal_told(&mut self) -> bool {
        let refused = self.call == Call::Refused;
        if refused {
            self.call = Call::None;
        }
        refused
    }

    /// The client answers later; `true` when the answer is due already: its family is
    /// being closed, and the call therefore refused, or the offer was taken back.
    pub(super) fn pend(&mut self, parameters: *mut CO_CALL_PARAMETERS) -> bool {
        let answer = if self.hung_up {
            Some(Status::SUCCESS)
        } else {
            self.ending.then_some(Status::FAILURE)
        };
        self.ringing = Some(Ringing { parameters, answer });
        answer.is_some()
    }

    /// The pended call is answered; the first answer counts, and only one for
    /// this very offer. One that was taken back is closed rather than refused.
    pub(super) fn want_answer(&mut self, number: u32, status: Status) {
        let status = if self.hung_up {
            Status::SUCCESS
        } else {
            status
        };
        if let (true, Some(ringing)) = (number == self.number, &mut self.ringing) {
            ringing.answer.get_or_insert(status);
        }
    }

    /// The call manager has connected the accepted call: whether there is one, and whether there
    /// is more to do once the client knows.
    pub(super) fn connected(&mut self) -> (bool, bool) {
        let accepted = self.call == Call::Accepted;
        if accepted {
            self.call = Call::Up;
        }
        (
            accepted,
            self.want_close || !accepted || self.end_above().is_some(),
        )
    }

    /// The other side hung up, or takes its offer back: what the client does about it.
    pub(super) fn hung_up(&mut self, reason: Status) -> HungUp {
        // Before the call is up there is nothing to close; then it is.
        self.want_close |= self.call == Call::Dialing;
        let refused = match (self.call, self.ringing) {
            (Call::Offered, Some(Ringing { answer, .. })) => {
                answer.is_some_and(|status| !status.is_success())
            }
            _ => self.refused,
        };
        if refused {
            if self.life != Life::Alive || self.hung_up {
                return HungUp::Nothing;
            }
            // The two have crossed: the call is closed all the same (rule CALL-62).
            self.hung_up = true;
            self.want_close = true;
            if self.call != Call::Offered {
                self.call = Call::Accepted;
            }
            return HungUp::Close;
        }
        let open = matches!(self.call, Call::Offered | Call::Accepted | Call::Up);
        if open {
            self.hung_up = true;
            self.reason = reason;
            HungUp::Tell(self.number)
        } else {
            HungUp::Nothing
        }
    }

    /// The client knows that the other side hung up: its call is closed, and one that
    /// still rings is answered first, for NDIS waits for an answer, and for the close
    /// (rule CALL-62).
    pub(super) fn close_hung_up(&mut self, number: u32) {
        if number != self.number {
            // The client has closed it, and there is another one.
            return;
        }
        self.want_close();
        if let (Call::Offered, Some(ringing)) = (self.call, &mut self.ringing) {
            ringing.answer.get_or_insert(Status::SUCCESS);
        }
    }

    /// Whether the other side has hung up.
    pub(super) fn is_hung_up(&self) -> bool {
        self.hung_up
    }

    /// The close has completed; whether the client is told next: not of a call that it
    /// has refused.
    pub(super) fn closed(&mut self) -> bool {
        self.call = Call::Closed;
        self.want_close = false;
        !core::mem::replace(&mut self.refused, false)
    }

    /// The client was told; its own VC is not used again.
    pub(super) fn closed_and_told(&mut self) {
        if self.call == Call::Closed {
            self.call = Call::None;
        }
        if self.origin == Origin::Client {
            self.want_delete = true;
        }
    }

    /// The call manager would not close: to be tried again later, for the call
    /// still exists (rule CALL-57).
    pub(super) fn close_refused(&mut self) {
        self.call = if self.refused {
            Call::Accepted
        } else {
            Call::Up
        };
        self.want_close = true;
        self.back_off = true;
    }
}

#[cfg(test)]
mod tests;
