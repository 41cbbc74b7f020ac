//! [`Calls`]: the calls of one adapter, for whoever does not have the adapter, and the clock of
//! those that ring.

use crate::{NullModem, leg::Ringing};
use ndis_co::{
    Status,
    irql::{Irql, UpToDispatch},
    lock::SpinLock,
    mem::Arc,
    power::PowerState,
    scope::Scope,
    tapi::Disconnect,
    timer::{Expire, Timer},
};
use ndis_mcm::wan::{Adapter, Call};

/// How often ringing calls are looked at, in milliseconds.
const TICK: u32 = 1_000;

/// The calls of one adapter.
#[derive(Debug)]
pub(crate) struct Calls {
    inner: Arc<Inner>,
}

/// What the clock works on.
#[derive(Debug)]
struct Inner {
    /// From the end of the initialization to the halt.
    adapter: SpinLock<Option<Adapter<NullModem>>>,
    clock: Timer<Inner>,
    state: SpinLock<State>,
}

#[derive(Debug)]
struct State {
    clock_runs: bool,
    /// A call has begun to ring since the clock has looked.
    begun: bool,
    /// The device has no power, in which no clock may run.
    asleep: bool,
}

impl Calls {
    /// Of an adapter that is being initialized.
    pub(crate) fn try_new(scope: &Scope) -> Result<Self, Status> {
        let state = State {
            clock_runs: false,
            begun: false,
            asleep: false,
        };
        let inner = Inner {
            adapter: SpinLock::new(None),
            clock: Timer::try_new(scope)?,
            state: SpinLock::new(state),
        };
        Ok(Self {
            inner: Arc::try_new(inner, crate::TAG)?,
        })
    }

    /// The same calls again.
    pub(crate) fn share(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }

    /// The adapter is there.
    pub(crate) fn begin(&self, adapter: &Adapter<NullModem>) {
        self.inner.adapter.set(Some(adapter.clone()));
    }

    /// Does something with each call.
    pub(crate) fn each(
        &self,
        irql: &mut UpToDispatch,
        act: impl FnMut(&Call<NullModem>, &mut UpToDispatch),
    ) {
        self.inner.each(irql, act);
    }

    /// A call of these rings: it is looked at until it does no more.
    pub(crate) fn watch(&self, irql: &mut impl Irql) {
        self.inner.state.with(irql, |state, _| {
            state.begun = true;
            Inner::start_clock(&self.inner, state);
        });
    }

    /// The device loses its power, or has it back.
    pub(crate) fn set_power(&self, power: PowerState, irql: &mut impl Irql) {
        self.inner.state.with(irql, |state, _| {
            state.asleep = power != PowerState::D0;
            if state.asleep {
                self.inner.clock.cancel();
                state.clock_runs = false;
            }
            // Whether anything rings, the clock will find out.
            Inner::start_clock(&self.inner, state);
        });
    }

    /// The adapter goes, and no call is left.
    pub(crate) fn forget(&self, irql: &mut impl Irql) {
        self.inner.state.with(irql, |state, _| state.asleep = true);
        self.inner.clock.cancel();
        drop(self.inner.adapter.take());
    }
}

impl Inner {
    fn each(
        &self,
        irql: &mut UpToDispatch,
        mut act: impl FnMut(&Call<NullModem>, &mut UpToDispatch),
    ) {
        let adapter = self.adapter.with(irql, |adapter, _| adapter.clone());
        let Some(adapter) = adapter else { return };
        let mut calls = adapter.calls();
        while let Some(call) = calls.next(irql) {
            act(&call, irql);
        }
    }

    fn start_clock(this: &Arc<Self>, state: &mut State) {
        if !state.asleep && !state.clock_runs {
            state.clock_runs = true;
            this.clock.set(this, TICK);
        }
    }
}

impl Expire for Inner {
    /// Tells callers who have waited for too long that nobody answers.
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.state.with(irql, |state, _| {
            state.begun = false;
            state.clock_runs = false;
        });
        let mut rings = false;
        this.each(irql, |call, irql| match call.tick(irql) {
            Ringing::No => {}
            Ringing::Yes => rings = true,
            Ringing::TooLong => {
                call.refuse(Disconnect::NoAnswer, irql);
            }
        });
        this.state.with(irql, |state, _| {
            if rings || state.begun {
                Self::start_clock(this, state);
            }
        });
    }
}
