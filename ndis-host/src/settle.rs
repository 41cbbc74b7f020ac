//! How a request comes to its answer, for every kind of request alike.
//!
//! Whoever asks a driver builds a [`Question`], calls the handler through [`Cx::ask`] and
//! is told how it was [`Settled`]; the completion functions go through
//! [`State::completes`]. Answers that are one too many are reported here.

use crate::callback::Callback;
use crate::cx::Cx;
use crate::handle::ObjectId;
use crate::model::request::{Asked, Loan, Returned};
use crate::state::State;
use ndis_sys as n;

/// A request that a handler is about to be called with.
pub(crate) struct Question {
    pub(crate) callback: Callback,
    pub(crate) asked: Asked,
    serial: u32,
}

/// How a request was settled when its handler had returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Settled {
    /// By the return value.
    Now(i32),
    /// By a completion and by this return value, which is reported.
    Twice(i32),
    /// By a completion, which has come or is still to come.
    Elsewhere,
}

impl Cx {
    /// Calls the handler of a request.
    pub(crate) fn ask(&self, question: &Question, handler: impl FnOnce() -> i32) -> Settled {
        let status = self.call(&question.callback, handler);
        self.with(|s| s.settle(question, status))
    }

    /// Waits, as a step of plug and play does, for a completion; false if it never comes,
    /// which breaks `rule`.
    pub(crate) fn wait_for_answer(
        &self,
        question: &Question,
        rule: &'static str,
        what: &str,
    ) -> bool {
        let (asked, callback) = (question.asked, &question.callback);
        let (who, object) = (&callback.who, callback.objects[0]);
        self.wait_until(rule, who, object, what, move |s| s.is_answered(asked))
    }

    /// As [`ask`](Self::ask), and waits for the completion: the answer.
    pub(crate) fn ask_and_wait(
        &self,
        question: &Question,
        (rule, what): (&'static str, &str),
        handler: impl FnOnce() -> i32,
    ) -> i32 {
        match self.ask(question, handler) {
            Settled::Now(status) | Settled::Twice(status) => status,
            Settled::Elsewhere => {
                self.wait_for_answer(question, rule, what);
                self.with(|s| s.answer(question.asked))
            }
        }
    }
}

impl State {
    /// A handler is about to be asked; it may look at the memory of `loan` until it has
    /// answered.
    pub(crate) fn question(
        &mut self,
        callback: Callback,
        asked: Asked,
        loan: Option<Loan>,
    ) -> Question {
        let serial = self.world.request_mut(asked).map_or(0, |request| {
            request.loan = loan;
            request.begin()
        });
        Question {
            callback,
            asked,
            serial,
        }
    }

    fn settle(&mut self, question: &Question, status: i32) -> Settled {
        let request = self.world.request_mut(question.asked);
        let returned = request.map(|request| {
            let returned = request.returned(question.serial, status);
            let over = matches!(returned, Returned::Now(_));
            (returned, over.then(|| request.loan.take()).flatten())
        });
        match returned {
            Some((Returned::Now(status), loan)) => {
                self.memory.give_back(loan);
                Settled::Now(status)
            }
            Some((Returned::Later | Returned::Before, _)) => Settled::Elsewhere,
            // The object can be gone with the completion.
            None if status == n::NDIS_STATUS_PENDING => Settled::Elsewhere,
            Some((Returned::Twice(_), _)) | None => {
                self.answered_twice(&question.callback, status);
                Settled::Twice(status)
            }
        }
    }

    /// A driver completes a request; false, and reported as a breach of `rule`, when
    /// nobody waits for that.
    pub(crate) fn completes(
        &mut self,
        call: &str,
        rule: &'static str,
        object: ObjectId,
        asked: Asked,
        status: i32,
    ) -> bool {
        let request = self.world.request_mut(asked);
        let Some(request) = request.filter(|request| request.open()) else {
            self.not_asked(call, rule, object);
            return false;
        };
        request.complete(status);
        let loan = request.loan.take();
        self.memory.give_back(loan);
        true
    }

    /// Whether nobody owes an answer (any more).
    pub(crate) fn is_answered(&self, asked: Asked) -> bool {
        self.world.request(asked).is_none_or(|r| !r.open())
    }

    /// What the last completion said.
    pub(crate) fn answer(&self, asked: Asked) -> i32 {
        self.world.request(asked).map_or(0, |r| r.answer())
    }

    /// Checks the final status that a completion carries.
    pub(crate) fn final_status(&mut self, call: &str, status: i32, object: ObjectId) -> bool {
        if status == n::NDIS_STATUS_PENDING {
            let message = alloc::format!("{call} reports PENDING as the final status of {object}");
            self.violate("GEN-05", Some(object), message);
            return false;
        }
        true
    }

    /// Reports a completion that nobody waits for.
    pub(crate) fn not_asked(&mut self, call: &str, rule: &'static str, object: ObjectId) {
        let message = alloc::format!(
            "{call}: no such request of {object} is pending: it was never made, was answered \
             by the handler's return value, or has been completed before"
        );
        self.violate(rule, Some(object), message);
    }

    /// Reports a handler that answered by completion and by return value: the driver
    /// whose handler it was, not the one whose call it served.
    fn answered_twice(&mut self, callback: &Callback, status: i32) {
        let message = alloc::format!(
            "{} completed its request before it returned, and returned {} instead of PENDING",
            callback.name,
            crate::status::Name(status)
        );
        self.violate_by(callback.who.clone(), "GEN-02", callback.objects[0], message);
    }
}
