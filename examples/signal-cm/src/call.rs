//! [`Call`]: how far a call has come, at one end of the link.
//!
//! ```text
//! placed here:    Dialled ── Placed ────────── Answered ─┐
//!                                                        ├─ Up ─┬─ Releasing   ended here
//! from the link:  Arriving ── Offered ── Accepted ───────┘      └─ Ending      ended there
//! ```
//!
//! From each stage a call can go to the last two.

use crate::SignalCm;
use core::sync::atomic::{AtomicU32, Ordering};
use ndis_co::{
    Status,
    cm::{PendingCloseCall, PendingMakeCall, Vc},
};

/// A call at one end.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) stage: Stage,
    /// The session of the other end that has heard of the call; zero while none has.
    pub(crate) told: u32,
    /// The other end's reference, zero while it is not known.
    pub(crate) theirs: u32,
    pub(crate) channel: u32,
    pub(crate) number: u32,
    /// The ticks in this stage.
    pub(crate) age: u32,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// The client's request is about to be pended.
    Dialled,
    /// The client waits for the other end.
    Placed(PendingMakeCall<SignalCm>),
    /// The other end has answered; the client is being told.
    Answered(Vc<SignalCm>),
    /// The VC for a call from the other end is being made.
    Arriving,
    /// The call rings.
    Offered(Vc<SignalCm>),
    /// The client has accepted, and is being told that it is connected.
    Accepted(Vc<SignalCm>),
    Up(Vc<SignalCm>),
    /// The client is being told that the other end has hung up. If it closes the call
    /// meanwhile, that waits: else it might place another one on its VC, and be told that
    /// this one were over.
    Ending(Option<PendingCloseCall<SignalCm>>),
    /// Over here; the other end is told, until it confirms.
    Releasing(Status),
}

impl Call {
    pub(crate) const fn new(stage: Stage, number: u32) -> Self {
        Self {
            stage,
            told: 0,
            theirs: 0,
            channel: 0,
            number,
            age: 0,
        }
    }

    /// Goes to another stage; gives the one before, to be dropped where no lock is held.
    pub(crate) fn go(&mut self, stage: Stage) -> Stage {
        self.age = 0;
        core::mem::replace(&mut self.stage, stage)
    }

    /// Whether the client is not being told of its end already.
    pub(crate) fn can_end(&self) -> bool {
        !matches!(self.stage, Stage::Ending(_))
    }

    pub(crate) fn is_releasing(&self) -> bool {
        matches!(self.stage, Stage::Releasing(_))
    }
}

/// What is kept for a VC: which call is on it.
#[derive(Debug)]
pub struct Line(AtomicU32);

impl Line {
    pub(crate) const fn new(reference: u32) -> Self {
        Self(AtomicU32::new(reference))
    }

    pub(crate) fn reference(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self, reference: u32) {
        self.0.store(reference, Ordering::Relaxed);
    }

    /// The call that was on it.
    pub(crate) fn end(&self) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}
