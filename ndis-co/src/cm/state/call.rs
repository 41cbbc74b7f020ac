//! The call: placed or offered, connected, closed.

use super::{Call, Life, Link, Origin, Parameters, State};
use crate::{
    Status,
    cm::gates::Part,
    mem::{Arc, Vec},
    params::CallParametersBuf,
};
use core::ptr;
use ndis_sys::CO_CALL_PARAMETERS;

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

/// A call that the client places.
impl State {
    /// On a VC of its own, which no other call is to come to (rules VC-01, VC-53).
    pub(crate) fn begin_make(&mut self, parameters: *mut CO_CALL_PARAMETERS) -> bool {
        let idle = self.call == Call::None && self.link == Link::Inactive;
        let free = self.origin == Origin::Client && self.life == Life::Alive && idle;
        if free {
            self.call = Call::Making;
            self.number = self.number.wrapping_add(1);
            self.parameters = Parameters::Client(parameters);
            self.reply = None;
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

    /// The driver accepts, with the client's parameters or its own; the VC is activated with
    /// the same, or with others. A call fails that has none (rule CALL-01): NDIS and the miniport
    /// would look at them.
    pub(crate) fn accept_make(
        &mut self,
        own: Option<CallParametersBuf>,
        link: Option<CallParametersBuf>,
    ) {
        if let Some(own) = own {
            self.parameters = Parameters::Own(own.into_shared());
        }
        if self.parameters.as_raw().is_null() {
            return self.refuse(Status::INVALID_DATA);
        }
        self.reply = Some(Status::SUCCESS);
        self.activation = match link {
            Some(link) => Parameters::Own(link.into_shared()),
            None => self.parameters.clone(),
        };
        self.want_activate = true;
    }

    /// Whatever the driver says, the client hears of a failure (rule CALL-14).
    pub(crate) fn refuse(&mut self, status: Status) {
        self.reply = Some(status.as_failure());
    }

    /// The driver refuses from within the request's own callback.
    pub(crate) fn refuse_now(&mut self, status: Status) -> Status {
        let status = status.as_failure();
        self.made(status);
        status
    }

    /// The final status of the call that is being made, once it has one: a
    /// success needs the VC active (rule CALL-10).
    pub(super) fn make_status(&self) -> Option<Status> {
        match (self.reply, self.failed) {
            (None, _) => None,
            (Some(_), Some(failure)) => Some(failure),
            (Some(status), None) => {
                let ready = !status.is_success() || self.link == Link::Active;
                ready.then_some(status)
            }
        }
    }

    /// The made call gets its final status.
    pub(super) fn made(&mut self, status: Status) {
        self.parameters = Parameters::None;
        self.reply = None;
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
}

/// A call that is offered to the client.
impl State {
    /// The driver offers a call, with parameters of its own or those of the activation.
    pub(crate) fn offer(&mut self, own: Option<CallParametersBuf>) {
        self.parameters = match own {
            Some(own) => Parameters::Own(own.into_shared()),
            None => self.activation.clone(),
        };
        self.call = Call::Offering;
        self.told = false;
        self.close_dispatched = false;
        self.want_connect = false;
        self.announced = None;
    }

    /// The client has answered, by the result of the dispatch or its
    /// completion: whether it accepts, and the parameters that it was offered;
    /// `None` when it had answered before, or the driver has taken the offer back. The
    /// driver is to be told, which counts as busy, unless that is `held` already.
    pub(crate) fn answered(&mut self, status: Status, held: bool) -> Option<(bool, Parameters)> {
        if self.call != Call::Offered {
            return None;
        }
        if self.close_dispatched {
            // Taken back: the client closes it, whatever it has answered (CALL-39).
            self.call = Call::Accepted;
            return None;
        }
        let offered = self.parameters.clone();
        if !held {
            self.enter();
        }
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
}

/// What the client knows.
impl State {
    /// Whether an incoming close may be dispatched: the client must know of the
    /// call that is to end.
    pub(super) fn can_dispatch_close(&self) -> bool {
        match self.call {
            Call::Accepted => true,
            Call::Offered | Call::Connected => self.told,
            _ => false,
        }
    }

    /// The offer was made, and the client takes its time to answer.
    pub(super) fn ringing(&mut self) {
        self.told |= self.call == Call::Offered;
    }

    /// The client was told that its call is up.
    #[cfg(test)]
    pub(super) fn tell(&mut self) {
        self.told = true;
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.life == Life::Alive && self.call == Call::Connected
    }

    /// The client was told that its call is up. The driver is to be told, too, unless the
    /// call is over already: then it holds the VC, so that neither the deletion nor the halt
    /// overtakes the callback. `held` says that it is held.
    pub(crate) fn hold_connected(&mut self, number: u32, held: bool) -> bool {
        // Within the call that told it the client may have closed it, and placed another.
        let this_one = number == self.number;
        self.told |= this_one;
        let connected = this_one && self.is_connected();
        match (held, connected) {
            (false, true) => self.enter(),
            (true, false) => self.leave(),
            _ => {}
        }
        connected
    }

    /// The client has used the call, if it is up: so it knows of it.
    pub(crate) fn used(&mut self) {
        self.told |= self.is_connected();
    }
}

/// The close.
impl State {
    /// The driver wants the client to close (rules CALL-58, CALL-61). `None`:
    /// dispatch it now, which counts as busy. The number of the call: the client does not
    /// know of it yet, or little is left of the stack, so [announce](Self::announce) it.
    pub(crate) fn begin_dispatch_close(
        &mut self,
        low: impl FnOnce() -> bool,
    ) -> Result<Option<u32>, Status> {
        self.may_announce()?;
        if !self.can_dispatch_close() || low() {
            return Ok(Some(self.number));
        }
        self.close_dispatched = true;
        self.enter();
        Ok(None)
    }

    /// The number of the call that there is, or was last.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The end is to be dispatched as soon as it may be, if there is still this call.
    pub(crate) fn announce(&mut self, number: u32, end: End) -> Result<(), Status> {
        self.may_announce()?;
        if number != self.number {
            return Err(Status::CLOSING);
        }
        self.announced = Some(end);
        Ok(())
    }

    /// The end that was announced, to be dispatched: once.
    pub(crate) fn take_announced(&mut self) -> Option<End> {
        self.announced.take()
    }

    /// Whether there is a call whose end the client was not told.
    pub(super) fn may_announce(&self) -> Result<(), Status> {
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
            self.reply = None;
            self.pended = false;
        }
        open
    }

    /// The driver has nothing against the close, within the request's own callback.
    pub(crate) fn finish_close(&mut self) {
        self.reply = Some(Status::SUCCESS);
    }

    /// The same for a close that was pended. (That it was is of no interest before.)
    pub(crate) fn finish_pended_close(&mut self) {
        self.pended = true;
        self.finish_close();
    }

    /// The driver will not close; the call goes on (rule CALL-57). An end that
    /// was announced stays announced: once is enough (rule CALL-61), and no data
    /// comes after it (rule CALL-63). One of the call beneath that has come meanwhile is.
    pub(crate) fn refuse_close(&mut self) {
        self.call = self.before_close;
        self.reply = None;
        self.pended = false;
        self.announce_beneath();
    }

    /// The answer to give from the close's own callback. The VC of a call that
    /// the driver offered is deleted after the completion, so that one is
    /// always completed later.
    pub(crate) fn settle_close(&mut self, part: &impl Part) -> Settled {
        let free = self.link == Link::Inactive && self.is_quiet(part);
        if free && self.origin == Origin::Client {
            self.closed();
            return Settled::Now(Status::SUCCESS);
        }
        self.pended = true;
        Settled::Later
    }

    pub(super) fn closed(&mut self) {
        self.call = Call::None;
        self.reply = None;
        self.pended = false;
        self.parameters = Parameters::None;
        // The client may place its next call on its own (rule CALL-55).
        self.want_delete = self.origin == Origin::Manager;
    }

    /// The completion of the close has returned.
    pub(super) fn completed(&mut self) {
        self.completing = false;
    }
}
