//! [`Calls`]: the calls of one adapter, and the clock of those that ring.

use crate::{NullModem, leg::Ringing};
use ndis_co::{
    Status,
    irql::{Irql, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    power::PowerState,
    scope::Scope,
    tapi::Disconnect,
    timer::{Expire, Timer},
};
use ndis_mcm::wan::{Call, WeakCall};

/// How often ringing calls are looked at, in milliseconds.
const TICK: u32 = 1_000;

/// The calls of one adapter: one for each address of each line at most.
#[derive(Debug)]
pub(crate) struct Calls {
    inner: Arc<Inner>,
}

/// What the clock works on.
#[derive(Debug)]
struct Inner {
    table: SpinLock<Table>,
    clock: Timer<Inner>,
    /// How many addresses a line has.
    addresses: u32,
}

#[derive(Debug)]
struct Table {
    /// The last call of each address. It may be over: nobody has to take it out.
    calls: Vec<Option<WeakCall<NullModem>>>,
    clock_runs: bool,
    /// A call has begun to ring since the clock has looked.
    begun: bool,
    /// The device has no power, in which no clock may run.
    asleep: bool,
}

impl Calls {
    /// Of an adapter with so many lines, and so many addresses of each.
    pub(crate) fn try_new(lines: u32, addresses: u32, scope: &Scope) -> Result<Self, Status> {
        let mut calls = Vec::new(crate::TAG);
        for _ in 0..lines.saturating_mul(addresses) {
            calls.try_push(None)?;
        }
        let table = Table {
            calls,
            clock_runs: false,
            begun: false,
            asleep: false,
        };
        let inner = Inner {
            table: SpinLock::new(table),
            clock: Timer::try_new(scope)?,
            addresses,
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

    /// A call has begun.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`]: it is not among them, and must not go on.
    pub(crate) fn add(&self, call: &Call<NullModem>, irql: &mut impl Irql) -> Result<(), Status> {
        let weak = call.downgrade()?;
        let of_line = call.line().saturating_mul(self.inner.addresses);
        let index = of_line.saturating_add(call.address());
        let before = self.inner.table.with(irql, |table, _| {
            let place = table.calls.get_mut(usize::try_from(index).ok()?)?;
            place.replace(weak)
        });
        drop(before);
        Ok(())
    }

    /// Does something with each call that anybody still has.
    pub(crate) fn each(
        &self,
        irql: &mut UpToDispatch,
        act: impl FnMut(&Call<NullModem>, &mut UpToDispatch),
    ) {
        self.inner.each(irql, act);
    }

    /// A call of these rings: it is looked at until it does no more.
    pub(crate) fn watch(&self, irql: &mut impl Irql) {
        self.inner.table.with(irql, |table, _| {
            table.begun = true;
            Inner::start_clock(&self.inner, table);
        });
    }

    /// The device loses its power, or has it back.
    pub(crate) fn set_power(&self, power: PowerState, irql: &mut impl Irql) {
        self.inner.table.with(irql, |table, _| {
            table.asleep = power != PowerState::D0;
            if table.asleep {
                self.inner.clock.cancel();
                table.clock_runs = false;
            }
            // Whether anything rings, the clock will find out.
            Inner::start_clock(&self.inner, table);
        });
    }

    /// The adapter goes, and no call is left.
    pub(crate) fn forget(&self, irql: &mut impl Irql) {
        let calls = self.inner.table.with(irql, |table, _| {
            table.asleep = true;
            table.calls.take()
        });
        drop(calls);
        self.inner.clock.cancel();
    }
}

impl Inner {
    fn each(
        &self,
        irql: &mut UpToDispatch,
        mut act: impl FnMut(&Call<NullModem>, &mut UpToDispatch),
    ) {
        for index in 0.. {
            let place = self
                .table
                .with(irql, |table, _| table.calls.get(index).cloned());
            let Some(place) = place else { return };
            if let Some(call) = place.and_then(|call| call.upgrade()) {
                act(&call, irql);
            }
        }
    }

    fn start_clock(this: &Arc<Self>, table: &mut Table) {
        if !table.asleep && !table.clock_runs {
            table.clock_runs = true;
            this.clock.set(this, TICK);
        }
    }
}

impl Expire for Inner {
    /// Tells callers who have waited for too long that nobody answers.
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.table.with(irql, |table, _| {
            table.begun = false;
            table.clock_runs = false;
        });
        let mut rings = false;
        this.each(irql, |call, irql| match call.tick(irql) {
            Ringing::No => {}
            Ringing::Yes => rings = true,
            Ringing::TooLong(dialing) => dialing.refuse(Disconnect::NoAnswer, irql),
        });
        this.table.with(irql, |table, _| {
            if rings || table.begun {
                Self::start_clock(this, table);
            }
        });
    }
}
