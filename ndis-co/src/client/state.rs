//! The state of a client's VC, as a plain value: what has happened, what is
//! wanted, and what is to be done next. No NDIS call is made here; the methods
//! run under the VC's lock.

use crate::{
    Status,
    mem::{Arc, Vec},
    nbl::Chain,
    params::CallParametersBuf,
};
use ndis_sys::CO_CALL_PARAMETERS;

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
    /// Lists out for sending, and NDIS calls under way on the VC.
    busy: usize,
    want_close: bool,
    /// The other side hung up, or takes its offer back.
    hung_up: bool,
    want_delete: bool,
    /// A call was not placed because the family is being closed, and the client
    /// is to be told.
    undialled: bool,
    /// The address family is being closed.
    ending: bool,
    /// Something was refused: the next try waits a little.
    back_off: bool,
}

// SAFETY: the parameters pointer is a token that any thread may pass to NDIS.
unsafe impl Send for State {}

/// What is to be done next.
#[derive(Clone, Copy)]
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
    Close,
    Delete,
    /// Tell the client that its call was not placed.
    TellUndialled,
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
            want_close: false,
            hung_up: false,
            want_delete: false,
            undialled: false,
            ending: false,
            back_off: false,
        }
    }

    /// Picks the next step and marks it as taken; [`Step::Later`] when one is
    /// due and `low` says that there is too little stack for it.
    pub(super) fn next(&mut self, low: impl FnOnce() -> bool) -> Option<Step> {
        let step = self.due()?;
        if low() {
            return Some(Step::Later);
        }
        self.take(step);
        Some(step)
    }

    /// What is to be done next.
    fn due(&self) -> Option<Step> {
        if self.undialled {
            return Some(Step::TellUndialled);
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
        if self.busy > 0 {
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
            return Some(Step::Close);
        }
        let deletable = self.call == Call::None && self.origin == Origin::Client;
        (self.want_delete && deletable).then_some(Step::Delete)
    }

    /// Marks a step that was due as taken.
    fn take(&mut self, step: Step) {
        match step {
            Step::Later => {}
            Step::TellUndialled => self.undialled = false,
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
            Step::Close => self.call = Call::Closing,
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
        let free = self.life == Life::Alive && !self.has_call() && self.busy == 0;
        if free {
            self.life = Life::Deleted;
        }
        free
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
    /// count, others are given back.
    pub(super) fn hang_up(
        &mut self,
        number: u32,
        data: Option<Arc<Vec<u8>>>,
    ) -> Option<Arc<Vec<u8>>> {
        let first = number == self.number && self.has_call() && !self.want_close;
        let spare = if first && data.is_some() {
            core::mem::replace(&mut self.close_data, data)
        } else {
            data
        };
        self.want_close_of(number);
        spare
    }

    /// The data to close with.
    pub(super) fn close_data(&self) -> Option<Arc<Vec<u8>>> {
        self.close_data.clone()
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
            Origin::CallManager => self.call != Call::None || self.busy > 0,
        }
    }

    /// A call is to be placed. When the address family is being closed, so
    /// that the VC is, or is about to be, deleted, the client is told that.
    pub(super) fn dial(&mut self, parameters: CallParametersBuf, closing: bool) {
        let ending = self.ending || closing;
        if self.life == Life::Alive && self.call == Call::None && !ending {
            self.parameters = Some(parameters);
            self.call = Call::Wanted;
            self.number = self.number.wrapping_add(1);
        } else {
            self.undialled = true;
        }
    }

    /// The call was placed, or not; gives the parameters back.
    pub(super) fn dialled(&mut self, success: bool) -> Option<CallParametersBuf> {
        if self.call == Call::Dialing {
            self.call = if success { Call::Up } else { Call::None };
        }
        self.parameters.take()
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
            OnTheSpot::None | OnTheSpot::Returns => false,
        };
        self.on_the_spot = if waits {
            OnTheSpot::Returns
        } else {
            OnTheSpot::None
        };
        waits
    }

    /// The moment has passed; as [`Self::refusal_told`].
    pub(super) fn has_returned(&mut self) -> bool {
        let returned = self.on_the_spot == OnTheSpot::Returns;
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

    /// The call manager has connected the accepted call.
    pub(super) fn connected(&mut self) -> bool {
        let accepted = self.call == Call::Accepted;
        if accepted {
            self.call = Call::Up;
        }
        accepted
    }

    /// The other side hung up, or takes its offer back: what the client does about it.
    pub(super) fn hung_up(&mut self) -> HungUp {
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
        self.hung_up |= open;
        if open {
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

    pub(super) fn can_send(&self) -> bool {
        self.life == Life::Alive && self.call == Call::Up && !self.want_close && !self.hung_up
    }

    /// Counts work on the VC, unless no call is up.
    pub(super) fn busy(&mut self, count: usize) -> bool {
        let up = self.can_send();
        if up {
            self.busy = self.busy.saturating_add(count);
        }
        up
    }

    /// Lists, counted, are to be sent: gives those to send now, or queues them
    /// for the work item, for `later` or because others are queued already.
    pub(super) fn send(&mut self, lists: Chain, later: bool) -> Option<Chain> {
        if later || self.sending || !self.queued.is_empty() {
            self.queued.append(lists);
            return None;
        }
        Some(lists)
    }

    /// What the work item is to send next; it holds the VC busy meanwhile.
    pub(super) fn next_queued(&mut self) -> Option<Chain> {
        let lists = core::mem::take(&mut self.queued);
        if lists.is_empty() {
            return None;
        }
        self.busy = self.busy.saturating_add(1);
        self.sending = true;
        Some(lists)
    }

    /// The work item has sent them; whether others have queued up meanwhile.
    pub(super) fn queued_sent(&mut self) -> bool {
        self.sending = false;
        !self.queued.is_empty()
    }

    /// Gives counted work back; `true` when none is left.
    pub(super) fn calm(&mut self, count: usize) -> bool {
        self.busy = self.busy.saturating_sub(count);
        self.busy == 0
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
mod tests {
    use super::*;
    use core::ptr;
    // Defines what the crates import.
    use ndis_host as _;

    /// A VC of the call manager's, alive.
    fn called() -> State {
        let mut state = State::new(Origin::CallManager);
        state.created();
        state
    }

    /// Parameters of an offer: an address that nobody follows.
    fn parameters(number: usize) -> *mut CO_CALL_PARAMETERS {
        ptr::without_provenance_mut(number)
    }

    /// The answer that is due: the status, and of which offer.
    fn answer(state: &mut State) -> Option<(Status, usize)> {
        match state.next(|| false)? {
            Step::Answer {
                status, parameters, ..
            } => Some((status, parameters.addr())),
            _ => None,
        }
    }

    #[test]
    fn the_first_answer_counts() {
        let mut state = called();
        let offer = state.offer().unwrap().0;
        assert!(state.offer().is_none(), "one call on a VC");
        assert!(!state.pend(parameters(1)));
        assert_eq!(answer(&mut state), None);
        state.want_answer(offer, Status::SUCCESS);
        state.want_answer(offer, Status::FAILURE);
        assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
        assert_eq!(answer(&mut state), None);
    }

    /// A token that its request has outlived answers nothing: not the next offer on
    /// the same VC, neither before nor after that one was pended.
    #[test]
    fn a_stale_token_does_not_answer_a_later_offer() {
        let mut state = called();
        let first = state.offer().unwrap().0;
        state.pend(parameters(1));
        state.want_answer(first, Status::FAILURE);
        assert_eq!(answer(&mut state), Some((Status::FAILURE, 1)));

        let second = state.offer().unwrap().0;
        assert_ne!(first, second);
        state.want_answer(first, Status::SUCCESS);
        state.pend(parameters(2));
        assert_eq!(answer(&mut state), None);
        state.want_answer(first, Status::SUCCESS);
        assert_eq!(answer(&mut state), None);
        state.want_answer(second, Status::REQUEST_ABORTED);
        assert_eq!(answer(&mut state), Some((Status::REQUEST_ABORTED, 2)));
    }

    /// As above, when the first call was taken, and has come to its end.
    #[test]
    fn a_stale_token_does_not_answer_after_a_whole_call() {
        let mut state = called();
        let first = state.offer().unwrap().0;
        state.pend(parameters(1));
        state.want_answer(first, Status::SUCCESS);
        assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
        assert!(!state.answer_told(state.number));
        assert!(state.connected());
        state.want_close();
        assert!(matches!(state.next(|| false), Some(Step::Close)));
        state.closed();
        state.closed_and_told();

        let second = state.offer().unwrap().0;
        state.pend(parameters(2));
        state.want_answer(first, Status::FAILURE);
        assert_eq!(answer(&mut state), None);
        state.want_answer(second, Status::SUCCESS);
        assert_eq!(answer(&mut state), Some((Status::SUCCESS, 2)));
    }

    /// The client's next close, if it is due.
    fn closes(state: &mut State) -> bool {
        matches!(state.next(|| false), Some(Step::Close))
    }

    /// An offer that is taken back while it rings is answered, then closed; the close
    /// waits until NDIS has the answer.
    #[test]
    fn an_offer_that_is_taken_back_is_closed() {
        let mut state = called();
        let offer = state.offer().unwrap().0;
        state.pend(parameters(1));
        assert_eq!(state.hung_up(), HungUp::Tell(state.number));
        assert!(!closes(&mut state), "the client is just being told");
        // The driver's refusal comes too late to be one.
        state.want_answer(offer, Status::REQUEST_ABORTED);
        state.close_hung_up(state.number);
        assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
        assert!(!closes(&mut state), "NDIS has the answer soon");
        assert!(!state.try_delete());
        assert!(!state.answer_told(state.number));
        assert!(closes(&mut state));
        assert!(state.closed(), "the client is told");
        state.closed_and_told();
        assert!(state.try_delete());
    }

    /// As above, while the callback of the offer still runs.
    #[test]
    fn an_offer_may_be_taken_back_before_it_is_pended() {
        let mut state = called();
        state.offer().unwrap();
        assert_eq!(state.hung_up(), HungUp::Tell(state.number));
        state.close_hung_up(state.number);
        assert!(!closes(&mut state));
        assert!(!state.refuse(), "there is nothing to refuse");
        assert!(state.pend(parameters(1)), "the answer is due");
        assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
        assert!(!state.returns(state.number));
        assert!(!state.answer_told(state.number));
        assert!(closes(&mut state));

        let mut state = called();
        state.offer().unwrap();
        state.accept();
        assert_eq!(state.hung_up(), HungUp::Tell(state.number));
        state.close_hung_up(state.number);
        assert!(!closes(&mut state), "the callback still runs");
        assert!(state.returns(state.number));
        assert!(!closes(&mut state));
        assert!(!state.has_returned());
        assert!(closes(&mut state));
    }

    /// A refusal and the other side's end have crossed: the call is closed, of which
    /// the client hears nothing.
    #[test]
    fn a_call_that_was_refused_and_taken_back_is_closed() {
        fn ends(mut state: State) {
            assert_eq!(state.hung_up(), HungUp::Nothing, "once");
            assert!(closes(&mut state));
            assert!(!state.try_delete());
            assert!(!state.closed(), "the client has done with it");
            state.closed_and_told();
            assert_eq!(state.hung_up(), HungUp::Nothing);
            assert!(state.try_delete());
        }

        // The answer is due, NDIS is being told, or knows.
        for told in 0..3 {
            let mut state = called();
            let offer = state.offer().unwrap().0;
            state.pend(parameters(1));
            state.want_answer(offer, Status::REQUEST_ABORTED);
            if told == 0 {
                assert_eq!(state.hung_up(), HungUp::Close);
            }
            assert_eq!(answer(&mut state), Some((Status::REQUEST_ABORTED, 1)));
            if told == 1 {
                assert_eq!(state.hung_up(), HungUp::Close);
            }
            assert!(!closes(&mut state), "NDIS has the answer soon");
            assert_eq!(state.answer_told(state.number), told == 2);
            if told == 2 {
                assert_eq!(state.hung_up(), HungUp::Close);
            }
            ends(state);
        }

        // The same on the spot.
        let mut state = called();
        state.offer().unwrap();
        assert!(state.refuse());
        assert_eq!(state.hung_up(), HungUp::Close);
        assert!(!closes(&mut state), "the callback still runs");
        assert!(state.returns(state.number));
        assert!(!closes(&mut state));
        assert!(!state.has_returned());
        ends(state);
    }

    /// A refused offer that nobody takes back leaves the VC free.
    #[test]
    fn a_refused_offer_is_over() {
        let mut state = called();
        let offer = state.offer().unwrap().0;
        state.pend(parameters(1));
        state.want_answer(offer, Status::REQUEST_ABORTED);
        assert_eq!(answer(&mut state), Some((Status::REQUEST_ABORTED, 1)));
        assert!(state.answer_told(state.number));
        assert!(!closes(&mut state));
        assert!(state.try_delete());
        assert_eq!(state.hung_up(), HungUp::Nothing, "it is gone");
    }

    /// The count of offers starts again some day, and is still no excuse for a
    /// second call on the VC.
    #[test]
    fn the_number_of_an_offer_wraps() {
        let mut state = called();
        state.number = u32::MAX;
        assert_eq!(state.offer().unwrap().0, 0);
        state.pend(parameters(1));
        assert!(state.offer().is_none());
        state.want_answer(u32::MAX, Status::SUCCESS);
        assert_eq!(answer(&mut state), None);
    }

    /// A family that is being closed refuses what rings, and the token comes late.
    #[test]
    fn a_closing_family_answers_before_the_token() {
        let mut state = called();
        let offer = state.offer().unwrap().0;
        assert!(state.mark_ending());
        assert!(state.pend(parameters(1)), "refused at once");
        state.want_answer(offer, Status::SUCCESS);
        assert_eq!(answer(&mut state), Some((Status::FAILURE, 1)));
        assert!(state.offer().is_none(), "none while the family is closed");

        let mut state = called();
        let offer = state.offer().unwrap().0;
        assert!(!state.pend(parameters(2)));
        assert!(state.mark_ending());
        assert!(!state.mark_ending(), "the first time only");
        state.want_answer(offer, Status::SUCCESS);
        assert_eq!(answer(&mut state), Some((Status::FAILURE, 2)));
        assert!(state.holds_af_open(), "NDIS is just being told");
        state.refusal_told();
        assert!(!state.holds_af_open());
    }

    /// While NDIS is told of a refusal the call manager may delete the VC, or offer
    /// the next call on it; the family is not closed before.
    #[test]
    fn a_refusal_holds_the_family_and_not_the_vc() {
        let refused = || {
            let mut state = called();
            state.offer().unwrap();
            state.refuse();
            assert!(state.holds_af_open());
            state
        };
        assert!(refused().try_delete());

        let mut state = refused();
        drop(state.hang_up(state.number, None));
        assert!(!state.want_close, "there is nothing to hang up");
        state.offer().unwrap();
        state.refusal_told();
        assert!(state.holds_af_open(), "the next offer stands");
        assert!(state.next(|| false).is_none());

        let mut state = refused();
        state.refusal_told();
        assert!(!state.holds_af_open());

        let mut state = refused();
        assert!(!state.has_returned());
        assert!(state.returns(state.number));
        assert!(state.holds_af_open(), "on its way out of the callback");
        assert!(state.has_returned());
        assert!(!state.holds_af_open());

        let mut state = refused();
        assert!(state.returns(state.number));
        state.offer().unwrap();
        assert!(!state.has_returned(), "the next offer stands");
        assert!(state.holds_af_open());

        // Another thread refuses a pended offer while the callback returns.
        let mut state = called();
        let offer = state.offer().unwrap().0;
        assert!(!state.pend(parameters(1)));
        state.want_answer(offer, Status::FAILURE);
        assert!(matches!(state.next(|| false), Some(Step::Answer { .. })));
        assert!(!state.returns(state.number), "none of this callback's");
        assert!(!state.has_returned());
        assert!(state.holds_af_open(), "NDIS is being told");
        assert!(state.refusal_told());
    }

    /// A hang-up of an earlier call is none of the next one's.
    #[test]
    fn an_offer_begins_without_an_end() {
        let mut state = called();
        let first = state.offer().unwrap().0;
        state.pend(parameters(1));
        state.want_answer(first, Status::FAILURE);
        state.want_close();
        assert_eq!(answer(&mut state), Some((Status::FAILURE, 1)));
        assert!(state.answer_told(state.number));

        state.offer().unwrap();
        state.accept();
        assert!(state.connected());
        assert!(state.can_send());
        assert!(
            state.next(|| false).is_none(),
            "nobody has hung up this one"
        );
    }

    /// Nothing is closed or deleted while something is under way on the VC.
    #[test]
    fn the_end_waits_for_what_is_under_way() {
        let mut state = called();
        state.offer().unwrap();
        state.accept();
        assert!(state.connected());
        assert!(state.busy(2));
        state.want_close();
        assert!(!state.busy(1), "no more from here on");
        assert!(state.next(|| false).is_none());
        assert!(!state.try_delete());
        assert!(!state.calm(1));
        assert!(state.next(|| false).is_none());
        assert!(state.calm(1));
        assert!(matches!(state.next(|| false), Some(Step::Close)));
        assert!(!state.try_delete());
        state.closed();
        assert!(!state.try_delete(), "the client is just being told");
        state.closed_and_told();
        assert!(state.try_delete());
        assert!(!state.try_delete(), "once");
    }

    /// A refused close or deletion is tried again, each time a little later.
    #[test]
    fn what_was_refused_is_tried_again() {
        let mut state = State::new(Origin::Client);
        state.created();
        state.want_delete();
        for _ in 0..3 {
            assert!(matches!(state.next(|| false), Some(Step::Delete)));
            state.delete_refused();
            assert!(
                state.next(|| false).is_none(),
                "not before a while has passed"
            );
            assert!(state.holds_af_open());
            state.retry();
        }

        let mut state = called();
        state.offer().unwrap();
        state.accept();
        assert!(state.connected());
        state.want_close();
        for _ in 0..3 {
            assert!(matches!(state.next(|| false), Some(Step::Close)));
            state.close_refused();
            assert!(state.next(|| false).is_none());
            assert!(state.holds_af_open());
            state.retry();
        }
    }

    /// What is due stays due while there is too little stack for it.
    #[test]
    fn what_is_left_for_later_is_still_due() {
        let mut state = called();
        let offer = state.offer().unwrap().0;
        state.pend(parameters(1));
        state.want_answer(offer, Status::SUCCESS);
        for _ in 0..2 {
            assert!(matches!(state.next(|| true), Some(Step::Later)));
        }
        assert_eq!(answer(&mut state), Some((Status::SUCCESS, 1)));
        assert!(state.next(|| true).is_none(), "nothing is due");
    }
}
