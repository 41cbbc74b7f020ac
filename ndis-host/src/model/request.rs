//! A request that a handler answers: now, later, or before it has returned.
//!
//! Nearly everything in connection-oriented NDIS is such a request. The answer is
//! the handler's return value or, after PENDING, one completion; a completion may
//! come from another processor before PENDING has been returned (GEN-04), and two
//! answers to one request break GEN-02.

use alloc::vec::Vec;
use ndis_sys as n;

/// A promise of memory's owner not to free it: the block, and the promise in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loan(pub(crate) usize, pub(crate) u64);

/// A request that a handler answers at once or later.
#[derive(Default)]
pub(crate) struct Request {
    phase: Phase,
    serial: u32,
    /// Completed before the handler returned, which is fine if it returns PENDING.
    early: Vec<u32>,
    /// What the last completion said.
    answer: i32,
    /// The memory that the handler may look at until it has answered.
    pub(crate) loan: Option<Loan>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    Calling,
    Pended,
}

/// What the return of a handler means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Returned {
    /// Answered now, with this status.
    Now(i32),
    /// To be answered later.
    Later,
    /// Already answered by a completion; PENDING it is.
    Before,
    /// Answered by a completion and by the return value as well.
    Twice(i32),
}

impl Request {
    /// The handler is about to be called.
    pub(crate) fn begin(&mut self) -> u32 {
        self.serial += 1;
        self.phase = Phase::Calling;
        self.serial
    }

    /// Whether an answer is still owed.
    pub(crate) fn open(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether the handler runs and has not answered.
    pub(crate) fn calling(&self) -> bool {
        self.phase == Phase::Calling
    }

    /// Whether the handler has returned PENDING and the completion is owed.
    pub(crate) fn pended(&self) -> bool {
        self.phase == Phase::Pended
    }

    /// The handler has returned `status`.
    pub(crate) fn returned(&mut self, serial: u32, status: i32) -> Returned {
        if let Some(place) = self.early.iter().position(|s| *s == serial) {
            self.early.remove(place);
            return if status == n::NDIS_STATUS_PENDING {
                Returned::Before
            } else {
                Returned::Twice(status)
            };
        }
        if status == n::NDIS_STATUS_PENDING {
            self.phase = Phase::Pended;
            return Returned::Later;
        }
        self.phase = Phase::Idle;
        Returned::Now(status)
    }

    /// A completion has come; false when nothing was asked, or all answered.
    pub(crate) fn complete(&mut self, status: i32) -> bool {
        match self.phase {
            Phase::Idle => return false,
            Phase::Calling => self.early.push(self.serial),
            Phase::Pended => {}
        }
        self.phase = Phase::Idle;
        self.answer = status;
        true
    }

    /// What the last completion said.
    pub(crate) fn answer(&self) -> i32 {
        self.answer
    }
}

/// A request, by what it is asked of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// `MiniportPause` of an adapter.
    Pause(u32),
    /// `MiniportRestart` of an adapter.
    Restart(u32),
    /// `MiniportResetEx` of an adapter.
    Reset(u32),
    /// The handler of an OID request.
    Oid(u32),
    /// `ProtocolBindAdapterEx`.
    Bind(u32),
    /// `ProtocolUnbindAdapterEx`.
    Unbind(u32),
    /// `ProtocolNetPnPEvent` with the notification at this address.
    Event(usize),
    /// `ProtocolCmOpenAf`.
    OpenAf(u32),
    /// `ProtocolCmCloseAf`.
    CloseAf(u32),
    /// `ProtocolClNotifyCloseAf`.
    NotifyCloseAf(u32),
    /// `ProtocolCmRegisterSap`.
    RegisterSap(u32),
    /// `ProtocolCmDeregisterSap`.
    DeregisterSap(u32),
    /// `ProtocolCmMakeCall` on a VC.
    MakeCall(u32),
    /// `ProtocolCmCloseCall` on a VC.
    CloseCall(u32),
    /// `ProtocolClIncomingCall` on a VC.
    OfferCall(u32),
    /// `MiniportCoActivateVc` of a VC.
    ActivateVc(u32),
    /// `MiniportCoDeactivateVc` of a VC.
    DeactivateVc(u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    const PENDING: i32 = n::NDIS_STATUS_PENDING;

    #[test]
    fn one_answer_is_right_and_two_are_not() {
        let mut now = Request::default();
        let serial = now.begin();
        assert_eq!(now.returned(serial, 0), Returned::Now(0));
        assert!(!now.complete(0));

        let mut later = Request::default();
        let serial = later.begin();
        assert_eq!(later.returned(serial, PENDING), Returned::Later);
        assert!(later.open());
        assert!(later.complete(0));
        assert!(!later.complete(0));

        let mut before = Request::default();
        let serial = before.begin();
        assert!(before.complete(7));
        assert!(!before.complete(8));
        assert!(!before.open());
        assert_eq!(before.answer(), 7);
        assert_eq!(before.returned(serial, PENDING), Returned::Before);

        let mut twice = Request::default();
        let serial = twice.begin();
        assert!(twice.complete(0));
        assert_eq!(twice.returned(serial, 0), Returned::Twice(0));
    }

    #[test]
    fn a_request_made_again_before_the_first_has_returned() {
        let mut request = Request::default();
        let first = request.begin();
        assert!(request.complete(0));
        let second = request.begin();
        assert_eq!(request.returned(first, PENDING), Returned::Before);
        assert!(request.open());
        assert_eq!(request.returned(second, PENDING), Returned::Later);
        assert!(request.complete(0));
    }
}
