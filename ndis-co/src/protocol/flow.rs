//! [`Flow`]: whether data may be sent on a binding, and what the driver knows of it.
//!
//! NDIS pauses and restarts a binding by calls whose end no driver sees. The driver is
//! told of a restart by a work item a little later, and never while, or after, a pause
//! or the unbind goes on: these wait until it has been told.

use crate::{
    Status,
    event::Event,
    irql::Passive,
    mem::{OutOfMemory, Tag},
};
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Nothing is sent.
const PAUSED: u8 = 0;
/// NDIS restarts the binding: nothing may be sent before its call has returned (rule
/// BIND-07).
const RESTARTING: u8 = 1;
/// Data may be sent; the driver is still to be told.
const DUE: u8 = 2;
/// Data may be sent; the driver is just being told.
const TELLING: u8 = 3;
/// Data may be sent, and the driver knows.
const RUNNING: u8 = 4;

/// The flow of data on a binding.
pub(crate) struct Flow {
    state: AtomicU8,
    /// The unbind has begun.
    ended: AtomicBool,
    /// The adapter is being reset, as far as NDIS has told.
    resetting: AtomicBool,
    /// Set when the driver has been told of a restart that a pause overtook.
    told: Event,
}

/// What the work item does that is to tell the driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tell {
    /// Tell, then call [`Flow::told`].
    Now,
    /// NDIS's call still runs.
    Later,
    /// The driver knows already, or a pause came first.
    No,
}

impl Flow {
    /// A binding starts paused.
    pub(crate) fn try_new(tag: Tag) -> Result<Self, OutOfMemory> {
        Ok(Self {
            state: AtomicU8::new(PAUSED),
            ended: AtomicBool::new(false),
            resetting: AtomicBool::new(false),
            told: Event::try_new(tag)?,
        })
    }

    /// Whether data may be sent.
    pub(crate) fn is_running(&self) -> bool {
        self.state.load(Ordering::SeqCst) >= DUE
    }

    /// NDIS's call of the restart has come.
    pub(crate) fn restarting(&self) {
        self.state.store(RESTARTING, Ordering::SeqCst);
    }

    /// It is about to return.
    pub(crate) fn restarted(&self) {
        self.state.store(DUE, Ordering::SeqCst);
    }

    /// The work item has come to it.
    pub(crate) fn tell(&self) -> Tell {
        let due = self
            .state
            .compare_exchange(DUE, TELLING, Ordering::SeqCst, Ordering::SeqCst);
        match due {
            Ok(_) => Tell::Now,
            Err(RESTARTING) => Tell::Later,
            Err(_) => Tell::No,
        }
    }

    /// The driver has been told.
    pub(crate) fn told(&self) {
        let told =
            self.state
                .compare_exchange(TELLING, RUNNING, Ordering::SeqCst, Ordering::SeqCst);
        if told.is_err() {
            self.told.set();
        }
    }

    /// Nothing goes out from here on, and nobody tells the driver of a restart any more.
    pub(crate) fn pause(&self, irql: &mut Passive) {
        self.told.reset();
        if self.state.swap(PAUSED, Ordering::SeqCst) == TELLING {
            self.told.wait(irql);
        }
    }

    /// The unbind has begun: a pause that does not end.
    pub(crate) fn end(&self, irql: &mut Passive) {
        self.ended.store(true, Ordering::SeqCst);
        self.pause(irql);
    }

    /// A reset of the adapter begins or ends: nothing is sent or asked in between (rule RESET-01).
    pub(crate) fn reset(&self, begins: bool) {
        self.resetting.store(begins, Ordering::SeqCst);
    }

    /// Whether the adapter is being reset.
    pub(crate) fn is_resetting(&self) -> bool {
        self.resetting.load(Ordering::SeqCst)
    }

    /// Whether nothing keeps data from being sent, see [`check`](Self::check).
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.is_running() && !self.is_resetting()
    }

    /// Why nothing may be sent, if so.
    pub(crate) fn check(&self) -> Result<(), Status> {
        if !self.is_running() {
            Err(Status::PAUSED)
        } else if self.is_resetting() {
            Err(Status::RESET_IN_PROGRESS)
        } else {
            Ok(())
        }
    }

    /// Whether the unbind has begun.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}
