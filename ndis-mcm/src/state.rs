//! The state of an MCM's VC, as a plain value: what has happened, what is
//! wanted, and what is to be done next. No NDIS call is made here; the methods
//! run under the VC's lock.
//!
//! Three things go on at once on a VC, and most rules are about their order:
//!
//! - *life*: it is created, and deleted when nothing is left (VC-23);
//! - *link*: it is activated before a call is up, and deactivated after the
//!   call, when every list is home (CALL-10, VC-30, VC-44, VC-49);
//! - *call*: placed by the client or offered to it, connected, closed.
//!
//! [`State::next`] holds the order: whoever changes something asks it for the
//! next step and carries it out, until there is none.

use core::ptr;
use ndis_co::{
    Status,
    mem::{Arc, Vec},
    params::{CallParametersBuf, SharedCallParameters},
};
use ndis_sys::CO_CALL_PARAMETERS;

/// Call parameters, and whose they are.
#[derive(Clone, Debug, Default)]
pub(crate) enum Parameters {
    #[default]
    None,
    /// The client's, which keeps them until its call is completed (CALL-02).
    Client(*mut CO_CALL_PARAMETERS),
    /// The driver's own. Whoever shows them to NDIS holds a reference of its
    /// own meanwhile: a close that comes in between ends the call, and this.
    Own(SharedCallParameters),
}

// SAFETY: the client's pointer is a token that any thread may pass to NDIS.
unsafe impl Send for Parameters {}

impl Parameters {
    /// What NDIS takes.
    pub(crate) fn as_raw(&self) -> *mut CO_CALL_PARAMETERS {
        match self {
            Self::None => ptr::null_mut(),
            Self::Client(raw) => *raw,
            Self::Own(own) => own.as_raw(),
        }
    }
}

/// Who created the VC, and so deletes it (rule VC-22).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    Client,
    Mcm,
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

/// How far a request of the client has been answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reply {
    /// The driver has not decided.
    Open,
    /// It has: this is the final status, to be given when the link allows.
    Decided(Status),
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Step {
    Activate(Parameters),
    CompleteMakeCall {
        status: Status,
        parameters: Parameters,
    },
    Dispatch(Parameters),
    Connect,
    DispatchClose(End),
    Deactivate,
    CompleteClose(Status),
    Delete,
    /// The offered call never got to the client; tell the driver.
    TellFailed(Status),
    /// There is something to do, on a stack with more room.
    Later,
}

/// How an incoming close is to be announced: why, and with what data.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) status: Status,
    pub(crate) data: Option<Arc<Vec<u8>>>,
}

/// What a synchronous answer amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Settled {
    Now(Status),
    Later,
}

pub(crate) struct State {
    origin: Origin,
    life: Life,
    link: Link,
    call: Call,
    /// What a refused close goes back to.
    before_close: Call,
    /// Lists under way on the VC, and NDIS calls that run on it.
    busy: usize,
    /// The parameters of the call that is being made or offered.
    parameters: Parameters,
    reply: Reply,
    /// The request was answered with pending.
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
    /// What to activate with; kept as long as the VC is active.
    activation: Parameters,
}

impl State {
    pub(crate) const fn new(origin: Origin) -> Self {
        Self {
            origin,
            life: Life::Creating,
            link: Link::Inactive,
            call: Call::None,
            before_close: Call::None,
            busy: 0,
            parameters: Parameters::None,
            reply: Reply::Open,
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
            activation: Parameters::None,
        }
    }

    /// Picks the next step and marks it as taken; [`Step::Later`] when one is due
    /// and `low` says that there is too little stack for it. Steps that call NDIS
    /// on the VC count as busy until [`Self::calm`].
    pub(crate) fn next(&mut self, low: impl FnOnce() -> bool) -> Option<Step> {
        let step = self.due()?;
        if low() {
            return Some(Step::Later);
        }
        self.take(&step);
        Some(step)
    }

    /// What is to be done next.
    fn due(&self) -> Option<Step> {
        if self.life != Life::Alive {
            return None;
        }
        if self.want_activate && self.link == Link::Inactive {
            return Some(Step::Activate(self.activation.clone()));
        }
        match (self.call, self.link) {
            (Call::Making, Link::Active | Link::Inactive) if self.pended => {
                // Within a failure the client deletes its VC, which must be
                // free for that.
                let status = self.make_status();
                let status = status.filter(|status| status.is_success() || self.busy == 0);
                if let Some(status) = status {
                    let parameters = self.parameters.clone();
                    return Some(Step::CompleteMakeCall { status, parameters });
                }
            }
            (Call::Offering, Link::Active) => {
                return Some(Step::Dispatch(self.parameters.clone()));
            }
            (Call::Offering, Link::Inactive) => {
                if let Some(status) = self.failed {
                    return Some(Step::TellFailed(status));
                }
            }
            (Call::Connected, _) if self.want_connect => return Some(Step::Connect),
            _ => {}
        }
        if let Some(end) = &self.announced
            && self.can_dispatch_close()
            && !self.close_dispatched
        {
            return Some(Step::DispatchClose(end.clone()));
        }
        if self.busy > 0 {
            return None;
        }
        let closing = self.call == Call::Closing && self.reply != Reply::Open;
        let leaving = self.call == Call::None && self.want_deactivate;
        if self.link == Link::Active && (closing || leaving) {
            return Some(Step::Deactivate);
        }
        if let (true, Link::Inactive, Reply::Decided(status)) = (closing, self.link, self.reply) {
            return self.pended.then_some(Step::CompleteClose(status));
        }
        let free = self.call == Call::None && self.link == Link::Inactive && !self.completing;
        let delete = self.want_delete && !self.delete_blocked && self.origin == Origin::Mcm;
        (free && delete).then_some(Step::Delete)
    }

    /// Marks a step that was due as taken.
    fn take(&mut self, step: &Step) {
        // Within these the peer may delete the VC, so they do not hold it.
        let free = matches!(
            step,
            Step::Later
                | Step::Delete
                | Step::Deactivate
                | Step::CompleteClose(_)
                | Step::CompleteMakeCall { .. }
        );
        if !free {
            self.busy = self.busy.saturating_add(1);
        }
        match step {
            Step::Later => {}
            Step::Activate(_) => {
                self.want_activate = false;
                self.link = Link::Activating;
            }
            Step::CompleteMakeCall { status, .. } => self.made(*status),
            Step::Dispatch(_) => self.call = Call::Offered,
            Step::Connect => self.want_connect = false,
            Step::DispatchClose(_) => {
                self.announced = None;
                self.close_dispatched = true;
            }
            Step::TellFailed(_) => {
                self.failed = None;
                self.call = Call::None;
                self.want_delete = true;
            }
            Step::Deactivate => self.link = Link::Deactivating,
            Step::CompleteClose(_) => {
                self.closed();
                self.completing = true;
            }
            Step::Delete => self.life = Life::Deleting,
        }
    }

    /// The final status of the call that is being made, once it has one: a
    /// success needs the VC active (rule CALL-10).
    fn make_status(&self) -> Option<Status> {
        match (self.reply, self.failed) {
            (Reply::Open, _) => None,
            (Reply::Decided(_), Some(failure)) => Some(failure),
            (Reply::Decided(status), None) => {
                let ready = !status.is_success() || self.link == Link::Active;
                ready.then_some(status)
            }
        }
    }

    /// The made call gets its final status.
    fn made(&mut self, status: Status) {
        self.parameters = Parameters::None;
        self.reply = Reply::Open;
        self.pended = false;
        self.failed = None;
        self.call = if status.is_success() {
            Call::Connected
        } else {
            Call::None
        };
        self.want_deactivate = !status.is_success();
        self.told = false;
        if !status.is_success() {
            self.announced = None;
        }
    }

    /// Whether an incoming close may be dispatched: the client must know of the
    /// call that is to end.
    fn can_dispatch_close(&self) -> bool {
        match self.call {
            Call::Accepted => true,
            Call::Offered | Call::Connected => self.told,
            _ => false,
        }
    }

    /// The offer was made, and the client takes its time to answer.
    pub(crate) fn ringing(&mut self) {
        self.told |= self.call == Call::Offered;
    }

    /// The client was told that its call is up.
    pub(crate) fn tell(&mut self) {
        self.told = true;
    }

    fn closed(&mut self) {
        self.call = Call::None;
        self.reply = Reply::Open;
        self.pended = false;
        self.parameters = Parameters::None;
        self.want_delete = true;
    }

    /// The completion of the close has returned.
    pub(crate) fn completed(&mut self) {
        self.completing = false;
    }

    /// Gives counted work back; `true` when none is left.
    pub(crate) fn calm(&mut self, count: usize) -> bool {
        self.busy = self.busy.saturating_sub(count);
        self.busy == 0
    }

    // Life.

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
    pub(crate) fn try_delete(&mut self) -> bool {
        let free = self.life == Life::Alive
            && self.call == Call::None
            && self.link == Link::Inactive
            && self.busy == 0;
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

    // Link.

    /// The driver activates its own VC with parameters of its own.
    pub(crate) fn want_activate(&mut self, own: CallParametersBuf) {
        self.activation = Parameters::Own(own.into_shared());
        self.want_activate = true;
        self.want_deactivate = false;
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

    /// A deactivation has come to an end; the first report counts.
    pub(crate) fn deactivated(&mut self) {
        if self.link == Link::Deactivating {
            self.link = Link::Inactive;
            self.want_deactivate = false;
            self.activation = Parameters::None;
        }
    }

    // A call that the client places.

    pub(crate) fn begin_make(&mut self, parameters: *mut CO_CALL_PARAMETERS) -> bool {
        let free =
            self.life == Life::Alive && self.call == Call::None && self.link == Link::Inactive;
        if free {
            self.call = Call::Making;
            self.parameters = Parameters::Client(parameters);
            self.reply = Reply::Open;
            self.pended = false;
            self.failed = None;
            self.close_dispatched = false;
            self.want_connect = false;
            self.announced = None;
        }
        free
    }

    /// The client's parameters, as long as its call is not answered.
    pub(crate) fn client_parameters(&self) -> *mut CO_CALL_PARAMETERS {
        match self.parameters {
            Parameters::Client(raw) => raw,
            _ => ptr::null_mut(),
        }
    }

    /// The driver accepts, with the client's parameters or its own.
    pub(crate) fn accept_make(&mut self, own: Option<CallParametersBuf>) {
        if let Some(own) = own {
            self.parameters = Parameters::Own(own.into_shared());
        }
        self.reply = Reply::Decided(Status::SUCCESS);
        self.activation = self.parameters.clone();
        self.want_activate = true;
    }

    pub(crate) fn refuse(&mut self, status: Status) {
        self.reply = Reply::Decided(status.as_failure());
    }

    pub(crate) fn pend(&mut self) {
        self.pended = true;
    }

    /// The driver refuses from within the request's own callback.
    pub(crate) fn refuse_now(&mut self, status: Status) -> Status {
        let status = status.as_failure();
        self.made(status);
        status
    }

    // A call that is offered to the client.

    pub(crate) fn offer(&mut self, parameters: CallParametersBuf) {
        self.parameters = Parameters::Own(parameters.into_shared());
        self.call = Call::Offering;
        self.told = false;
        self.close_dispatched = false;
        self.want_connect = false;
        self.announced = None;
    }

    /// The client has answered, by the result of the dispatch or its
    /// completion: whether it accepts, and the parameters that it was offered;
    /// `None` when it had answered before, or the driver has taken the offer back. The
    /// driver is to be told, which counts as busy.
    pub(crate) fn answered(&mut self, status: Status) -> Option<(bool, Parameters)> {
        if self.call != Call::Offered {
            return None;
        }
        if self.close_dispatched {
            // Taken back: the client closes it, whatever it has answered (CALL-39).
            self.call = Call::Accepted;
            return None;
        }
        let offered = self.parameters.clone();
        self.busy = self.busy.saturating_add(1);
        let accepted = status.is_success();
        self.call = if accepted { Call::Accepted } else { Call::None };
        if !accepted {
            self.want_delete();
        }
        Some((accepted, offered))
    }

    /// The driver connects the accepted call; `false` when it is over already.
    pub(crate) fn connect(&mut self) -> bool {
        let accepted = self.call == Call::Accepted && !self.close_dispatched;
        if accepted {
            self.call = Call::Connected;
            self.told = false;
            self.want_connect = true;
        }
        accepted
    }

    // The close.

    /// The driver wants the client to close (rules CALL-58, CALL-61). `true`:
    /// dispatch it now, which counts as busy; `false`: the client does not know
    /// of the call yet, or little is left of the stack, so
    /// [announce](Self::announce) it.
    pub(crate) fn begin_dispatch_close(
        &mut self,
        low: impl FnOnce() -> bool,
    ) -> Result<bool, Status> {
        self.may_announce()?;
        let now = self.can_dispatch_close() && !low();
        if now {
            self.close_dispatched = true;
            self.busy = self.busy.saturating_add(1);
        }
        Ok(now)
    }

    /// The end is to be dispatched as soon as it may be.
    pub(crate) fn announce(&mut self, end: End) -> Result<(), Status> {
        self.may_announce()?;
        self.announced = Some(end);
        Ok(())
    }

    /// Whether there is a call whose end the client was not told.
    fn may_announce(&self) -> Result<(), Status> {
        let over = matches!(self.call, Call::None | Call::Closing);
        if over || self.close_dispatched || self.announced.is_some() {
            return Err(Status::CLOSING);
        }
        Ok(())
    }

    /// The client closes the call; one that still rings, when the driver has taken the
    /// offer back (rule CALL-62).
    pub(crate) fn begin_close(&mut self) -> bool {
        let taken_back = self.call == Call::Offered && self.close_dispatched;
        let open = taken_back || matches!(self.call, Call::Accepted | Call::Connected);
        if open {
            self.before_close = self.call;
            self.call = Call::Closing;
            self.reply = Reply::Open;
            self.pended = false;
        }
        open
    }

    pub(crate) fn finish_close(&mut self) {
        self.reply = Reply::Decided(Status::SUCCESS);
    }

    /// The driver will not close; the call goes on (rule CALL-57). An end that
    /// was announced stays announced: once is enough (rule CALL-61), and no data
    /// comes after it (rule CALL-63).
    pub(crate) fn refuse_close(&mut self) {
        self.call = self.before_close;
        self.reply = Reply::Open;
        self.pended = false;
    }

    /// The answer to give from the close's own callback. The VC of a call that
    /// the driver offered is deleted after the completion, so that one is
    /// always completed later.
    pub(crate) fn settle_close(&mut self) -> Settled {
        let free = self.link == Link::Inactive && self.busy == 0;
        if free && self.origin == Origin::Client {
            self.closed();
            return Settled::Now(Status::SUCCESS);
        }
        self.pended = true;
        Settled::Later
    }

    // Data.

    pub(crate) fn is_connected(&self) -> bool {
        self.life == Life::Alive && self.call == Call::Connected
    }

    /// The driver is to be told that its call is up, unless it is over already: counts
    /// as busy, so that neither the VC's deletion nor the halt overtakes the callback.
    pub(crate) fn hold_connected(&mut self) -> bool {
        let connected = self.is_connected();
        if connected {
            self.busy = self.busy.saturating_add(1);
        }
        connected
    }

    /// Lists arrive for sending; counted, also when the call is over.
    pub(crate) fn sends_in(&mut self, count: usize) -> bool {
        self.busy = self.busy.saturating_add(count);
        let connected = self.is_connected();
        self.told |= connected;
        connected
    }

    /// Lists are to be indicated, counted with the call itself, and
    /// only when the client may get data (rules CALL-63, NBL-34).
    pub(crate) fn indicate(&mut self, count: usize) -> Result<(), Status> {
        let over = self.life != Life::Alive || matches!(self.call, Call::None | Call::Closing);
        if over || self.close_dispatched || self.announced.is_some() {
            return Err(Status::CLOSING);
        }
        if !self.told || self.call != Call::Connected {
            return Err(Status::INVALID_STATE);
        }
        self.busy = self.busy.saturating_add(count);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    /// A VC of `origin`'s, alive.
    fn alive(origin: Origin) -> State {
        let mut state = State::new(origin);
        state.created();
        state
    }

    /// The client's VC with a placed call that is up, and of which it knows.
    fn connected() -> State {
        let mut state = alive(Origin::Client);
        assert!(state.begin_make(ptr::null_mut()));
        state.accept_make(None);
        state.pend();
        assert!(matches!(state.next(|| false), Some(Step::Activate(_))));
        state.activated(Status::SUCCESS);
        state.calm(1);
        let step = state.next(|| false);
        assert!(
            matches!(step, Some(Step::CompleteMakeCall { status, .. }) if status.is_success()),
            "{step:?}"
        );
        assert_eq!(
            state.indicate(1),
            Err(Status::INVALID_STATE),
            "the client does not know yet"
        );
        state.tell();
        state
    }

    /// An end without data.
    fn end() -> End {
        End {
            status: Status::REQUEST_ABORTED,
            data: None,
        }
    }

    #[test]
    fn an_end_is_announced_once() {
        let mut state = connected();
        assert_eq!(state.begin_dispatch_close(|| false), Ok(true));
        assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
        assert_eq!(
            state.indicate(1),
            Err(Status::CLOSING),
            "no data after the end (CALL-63)"
        );
        assert_eq!(state.busy, 1, "what was refused does not count");
    }

    /// A refused close goes back to the call, and to what was announced of it.
    #[test]
    fn a_refused_close_forgets_nothing() {
        let mut state = connected();
        assert_eq!(state.begin_dispatch_close(|| false), Ok(true));
        for _ in 0..3 {
            assert!(state.begin_close());
            assert!(!state.begin_close(), "one at a time");
            state.refuse_close();
            assert!(state.is_connected());
            assert_eq!(state.indicate(1), Err(Status::CLOSING));
            assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
            assert!(state.next(|| false).is_none());
        }
        state.calm(1);
        assert!(state.begin_close());
        state.finish_close();
        assert_eq!(state.settle_close(), Settled::Later, "it is active");
        assert!(matches!(state.next(|| false), Some(Step::Deactivate)));
        state.deactivated();
        assert!(matches!(state.next(|| false), Some(Step::CompleteClose(s)) if s.is_success()));
        state.completed();
        assert!(state.try_delete());
    }

    /// A refused close of a call whose end was not announced: all as before.
    #[test]
    fn a_refused_close_leaves_the_call_up() {
        let mut state = connected();
        assert!(state.begin_close());
        assert_eq!(
            state.indicate(1),
            Err(Status::CLOSING),
            "not while it is being closed"
        );
        assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
        state.refuse_close();
        assert_eq!(state.indicate(1), Ok(()));
        assert_eq!(state.begin_dispatch_close(|| false), Ok(true));
    }

    /// An end that waits until the client knows of its call is announced once, and
    /// no data goes before it.
    #[test]
    fn an_end_that_waits_is_an_end() {
        let mut state = alive(Origin::Client);
        assert!(state.begin_make(ptr::null_mut()));
        state.pend();
        let reason = Status::REQUEST_ABORTED;
        assert_eq!(state.begin_dispatch_close(|| false), Ok(false));
        assert_eq!(state.announce(end()), Ok(()));
        assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
        state.accept_make(None);
        assert!(matches!(state.next(|| false), Some(Step::Activate(_))));
        state.activated(Status::SUCCESS);
        state.calm(1);
        assert!(matches!(
            state.next(|| false),
            Some(Step::CompleteMakeCall { .. })
        ));
        assert!(
            state.next(|| false).is_none(),
            "the client does not know yet"
        );
        state.tell();
        assert_eq!(state.indicate(1), Err(Status::CLOSING));
        assert!(matches!(state.next(|| false), Some(Step::DispatchClose(e)) if e.status == reason));
        assert!(state.next(|| false).is_none());
        state.calm(1);
        assert_eq!(state.begin_dispatch_close(|| false), Err(Status::CLOSING));
    }

    /// The driver's own VC on which a call rings.
    fn ringing() -> State {
        let mut state = alive(Origin::Mcm);
        state.link = Link::Active;
        state.call = Call::Offering;
        assert!(matches!(state.next(|| false), Some(Step::Dispatch(_))));
        assert_eq!(
            state.begin_dispatch_close(|| false),
            Ok(false),
            "the client does not know of it yet"
        );
        state.ringing();
        state.calm(1);
        state
    }

    /// An offer is taken back; the client closes the call, with or without an answer,
    /// or its refusal crosses the end.
    #[test]
    fn an_offer_is_taken_back() {
        for answer in [Status::SUCCESS, Status::FAILURE] {
            let mut state = ringing();
            assert!(!state.begin_close(), "not of its own accord");
            assert_eq!(state.begin_dispatch_close(|| false), Ok(true));
            state.calm(1);
            assert!(state.answered(answer).is_none());
            assert!(state.next(|| false).is_none(), "the close is to come");
            assert!(state.begin_close());
        }

        let mut state = ringing();
        assert_eq!(state.announce(end()), Ok(()));
        assert!(matches!(state.next(|| false), Some(Step::DispatchClose(_))));
        state.calm(1);
        assert!(state.begin_close(), "before the answer, or without one");
        assert!(state.answered(Status::SUCCESS).is_none());
        state.finish_close();
        assert_eq!(state.settle_close(), Settled::Later);
        assert!(matches!(state.next(|| false), Some(Step::Deactivate)));
    }

    /// A call that is refused takes an end that waited along.
    #[test]
    fn a_refused_call_has_no_end_to_announce() {
        let mut state = alive(Origin::Client);
        assert!(state.begin_make(ptr::null_mut()));
        state.pend();
        assert_eq!(state.begin_dispatch_close(|| false), Ok(false));
        assert_eq!(state.announce(end()), Ok(()));
        state.refuse(Status::NOT_ACCEPTED);
        let step = state.next(|| false);
        assert!(
            matches!(step, Some(Step::CompleteMakeCall { status, .. }) if status == Status::FAILURE),
            "an informational code is no failure: {step:?}"
        );
        assert!(state.next(|| false).is_none());
        assert!(state.try_delete());
    }

    /// What a driver gives as a failure is a negative code on every way out.
    #[test]
    fn failures_are_negative_codes() {
        for code in [
            Status::SUCCESS,
            Status::PENDING,
            Status::NOT_ACCEPTED,
            Status::from_raw(0x4000_0006),
        ] {
            let mut state = alive(Origin::Client);
            assert!(state.begin_make(ptr::null_mut()));
            assert_eq!(state.refuse_now(code), Status::FAILURE, "{code:?}");

            let mut state = alive(Origin::Client);
            assert!(state.begin_make(ptr::null_mut()));
            state.accept_make(None);
            state.pend();
            assert!(matches!(state.next(|| false), Some(Step::Activate(_))));
            state.activated(code);
            state.calm(1);
            let expected = if code.is_success() {
                Status::SUCCESS
            } else {
                Status::FAILURE
            };
            let step = state.next(|| false);
            assert!(
                matches!(step, Some(Step::CompleteMakeCall { status, .. }) if status == expected),
                "{code:?}: {step:?}"
            );
        }
    }

    /// A call and its VC end when every list is home, and not before.
    #[test]
    fn the_end_waits_for_what_is_under_way() {
        let mut state = connected();
        assert!(state.sends_in(2));
        assert_eq!(state.indicate(4), Ok(()));
        assert!(state.begin_close());
        state.finish_close();
        assert_eq!(state.settle_close(), Settled::Later);
        for left in (1..=6).rev() {
            assert!(state.next(|| false).is_none(), "{left} under way");
            assert!(!state.try_delete());
            assert_eq!(state.calm(1), left == 1);
        }
        assert!(matches!(state.next(|| false), Some(Step::Deactivate)));
        assert!(state.next(|| false).is_none());
    }

    /// A deletion that the client refuses is tried again, each time a little later.
    #[test]
    fn what_was_refused_is_tried_again() {
        let mut state = alive(Origin::Mcm);
        state.want_delete();
        for _ in 0..3 {
            assert!(matches!(state.next(|| false), Some(Step::Delete)));
            state.delete_refused();
            assert!(
                state.next(|| false).is_none(),
                "not before a while has passed"
            );
            state.unblock();
        }
    }

    /// With too little stack an end is announced rather than dispatched, and stays
    /// due; a call is connected first, and its client told of the end after that.
    #[test]
    fn what_is_left_for_later_is_still_due() {
        let mut state = alive(Origin::Mcm);
        state.call = Call::Accepted;
        assert!(state.connect());
        assert!(matches!(state.next(|| true), Some(Step::Later)));
        assert_eq!(state.begin_dispatch_close(|| false), Ok(false));
        assert_eq!(state.announce(end()), Ok(()));
        assert!(matches!(state.next(|| false), Some(Step::Connect)));
        assert!(state.next(|| false).is_none(), "not told yet");
        state.tell();
        state.calm(1);
        assert!(matches!(state.next(|| true), Some(Step::Later)));
        assert!(matches!(state.next(|| false), Some(Step::DispatchClose(_))));
        state.calm(1);

        let mut state = connected();
        assert_eq!(state.begin_dispatch_close(|| true), Ok(false));
        assert_eq!(state.announce(end()), Ok(()));
        assert!(matches!(state.next(|| false), Some(Step::DispatchClose(_))));
    }
}
