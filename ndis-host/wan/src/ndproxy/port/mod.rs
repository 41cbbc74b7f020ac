//! [`Port`]: one adapter, with its lines and calls.

mod call;
mod lines;
mod oids;

pub use call::Call;
pub(super) use lines::Registered;

use super::{Desk, Line, Ndproxy, TAG, Tapi, caps, caps::Lines};
use core::fmt;
use lines::Open;
use ndis_co::{
    Status, client, cm,
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    scope::Scope,
    tapi::{ClassSap, Disconnect, Version},
    timer::{Expire, Timer},
    work::{Work, WorkItem},
};

/// One adapter, as an application sees it: its lines, and the calls on them.
///
/// Calls have the numbers that their application gives them, or those of
/// [`Desk::number`] when they come in.
pub struct Port<T: Tapi> {
    number: u32,
    desk: Arc<Desk<T>>,
    state: SpinLock<State<T>>,
    item: WorkItem<Self>,
    timer: Timer<Self>,
}

struct State<T: Tapi> {
    /// The adapter goes: nothing new.
    closing: bool,
    told: Told,
    /// The call manager's family.
    af: Option<client::Af<Ndproxy<T>>>,
    lines: Lines,
    open: Vec<Open>,
    /// Where calls are taken.
    saps: Vec<Registered<T>>,
    /// Who carries data: the classes that our own clients have registered.
    classes: Vec<cm::Sap<Ndproxy<T>>>,
    calls: Vec<Arc<Call<T>>>,
    /// Calls that are up, and to whom each is to be offered.
    to_carry: Vec<(Arc<Call<T>>, cm::Sap<Ndproxy<T>>)>,
}

/// What the application knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// It is just being told of the lines.
    Telling,
    Opened,
}

impl<T: Tapi> Port<T> {
    pub(super) fn try_new(
        desk: &Arc<Desk<T>>,
        number: u32,
        scope: &Scope,
    ) -> Result<Arc<Self>, Status> {
        let state = State {
            closing: false,
            told: Told::Nothing,
            af: None,
            lines: Lines::none(),
            open: Vec::new(TAG),
            saps: Vec::new(TAG),
            classes: Vec::new(TAG),
            calls: Vec::new(TAG),
            to_carry: Vec::new(TAG),
        };
        let port = Self {
            number,
            desk: desk.clone(),
            state: SpinLock::new(state),
            item: WorkItem::try_new(scope)?,
            timer: Timer::try_new(scope)?,
        };
        Ok(Arc::try_new(port, TAG)?)
    }

    /// Which adapter it is: they are counted as they are bound, from zero.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What all adapters share.
    #[must_use]
    pub fn desk(&self) -> &Desk<T> {
        &self.desk
    }

    pub(super) fn tapi(&self) -> &T {
        &self.desk.tapi
    }

    /// Has [`Tapi::work`] called soon, at PASSIVE_LEVEL. May be called at any time, at or below
    /// DISPATCH_LEVEL.
    pub fn wake(this: &Arc<Self>) {
        this.item.queue(this);
    }

    /// As [`wake`](Self::wake), so many milliseconds later. What was set before is replaced.
    pub fn wake_after(this: &Arc<Self>, milliseconds: u32) {
        this.timer.set(this, milliseconds);
    }

    /// The version of TAPI that the call manager said.
    pub fn version(&self, irql: &mut impl NoLock) -> Version {
        self.state.with(irql, |state, _| state.lines.version)
    }

    /// How many lines there are.
    pub fn lines(&self, irql: &mut impl NoLock) -> u32 {
        self.state.with(irql, |state, _| state.lines.all.len()) as u32
    }

    /// What is known of a line.
    pub fn line(&self, line: u32, irql: &mut impl NoLock) -> Option<Line> {
        self.state
            .with(irql, |state, _| state.lines.get(line).cloned())
    }

    /// The call manager's family is open: asks what the lines can do (rule [TAPI-04]).
    ///
    /// [TAPI-04]: ndis_sys::rules#TAPI-04
    pub(super) fn family_opened(
        this: &Arc<Self>,
        af: client::OpenAf<Ndproxy<T>>,
        irql: &mut Passive,
    ) {
        let asked = caps::enumerate(&af, irql);
        // It stays open until the call manager or the adapter goes.
        let af = af.keep();
        let lines = match asked {
            Ok(lines) => lines,
            Err(status) => return this.tapi().failed(this, status, irql),
        };
        let ours = this.state.with(irql, |state, _| {
            if state.closing {
                return false;
            }
            state.af = Some(af.clone());
            state.lines = lines;
            state.told = Told::Telling;
            true
        });
        if !ours {
            return;
        }
        this.tapi().opened(this, irql);
        let closed = this.state.with(irql, |state, _| {
            state.told = if state.closing {
                Told::Nothing
            } else {
                Told::Opened
            };
            state.closing
        });
        if closed {
            this.tapi().closed(this, irql.up_to_dispatch());
        }
    }

    /// The call manager's family is closed.
    pub(super) fn family_closed(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let gone = this.state.with(irql, |state, _| {
            (state.af.take(), state.saps.take(), state.open.take())
        });
        drop(gone);
    }

    /// The adapter goes.
    pub(super) fn close(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let tell = this.state.with(irql, |state, _| {
            state.closing = true;
            let tell = state.told == Told::Opened;
            if tell {
                state.told = Told::Nothing;
            }
            tell
        });
        this.timer.cancel();
        Self::end_all(this, irql);
        let gone = this.state.with(irql, |state, _| {
            (
                (state.af.take(), state.saps.take(), state.open.take()),
                state.classes.take(),
                state.to_carry.take(),
            )
        });
        drop(gone);
        if tell {
            this.tapi().closed(this, irql);
        }
    }

    /// Hangs up all calls.
    pub(super) fn end_all(this: &Arc<Self>, irql: &mut UpToDispatch) {
        Self::end_those(this, |_| true, irql);
    }

    /// Hangs up the calls that are picked. Each takes itself out of the list when it is over, so
    /// they are gone through by their numbers.
    fn end_those(this: &Arc<Self>, pick: impl Fn(u32) -> bool, irql: &mut UpToDispatch) {
        let mut last = None;
        loop {
            let next = this.state.with(irql, |state, _| {
                let later = state.calls.iter().filter(|call| Some(call.number()) > last);
                later.min_by_key(|call| call.number()).cloned()
            });
            let Some(call) = next else { return };
            last = Some(call.number());
            if pick(call.place(irql).0) {
                Call::hang_up(&call, Disconnect::Normal.into(), irql);
            }
        }
    }

    /// Somebody carries data for a class of devices.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`], [`Status::RESOURCES`].
    pub(super) fn add_class(
        &self,
        sap: &cm::Sap<Ndproxy<T>>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        self.state.with(irql, |state, _| {
            if state.closing {
                return Err(Status::CLOSING);
            }
            Ok(state.classes.try_push(sap.clone())?)
        })
    }

    /// Not any more.
    pub(super) fn remove_class(&self, sap: &cm::Sap<Ndproxy<T>>, irql: &mut UpToDispatch) {
        let gone = self.state.with(irql, |state, _| {
            state.classes.take_first(|other| other.is(sap))
        });
        drop(gone);
    }

    /// Who has registered a class.
    fn class(&self, name: &str, irql: &mut UpToDispatch) -> Option<cm::Sap<Ndproxy<T>>> {
        let is = |sap: &&cm::Sap<Ndproxy<T>>| {
            ClassSap::parse(sap.address()).is_ok_and(|sap| sap.class.is(name))
        };
        self.state
            .with(irql, |state, _| state.classes.iter().find(is).cloned())
    }

    /// The first address of a line that can have another call; the first one of all when none can,
    /// for the call manager to judge.
    fn free_address(&self, line: &Line, irql: &mut UpToDispatch) -> u32 {
        self.state.with(irql, |state, irql| {
            let most = line.max_address_calls.max(1) as usize;
            let mut free = |address: &u32| {
                let here = (line.line, *address);
                let calls = state.calls.iter();
                calls.filter(|call| call.place(irql) == here).count() < most
            };
            (0..line.addresses)
                .find(|address| free(address))
                .unwrap_or(0)
        })
    }

    /// A call begins.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`], [`Status::RESOURCES`].
    fn add(&self, call: &Arc<Call<T>>, irql: &mut impl NoLock) -> Result<(), Status> {
        self.state.with(irql, |state, _| {
            if state.closing {
                return Err(Status::CLOSING);
            }
            Ok(state.calls.try_push(call.clone())?)
        })
    }

    /// A call is over.
    fn remove(&self, call: &Arc<Call<T>>, irql: &mut UpToDispatch) {
        let gone = self.state.with(irql, |state, _| {
            let is = |other: &Arc<Call<T>>| Arc::ptr_eq(other, call);
            let waits = state.to_carry.take_first(|(other, _)| is(other));
            (state.calls.take_first(is), waits)
        });
        drop(gone);
    }

    /// Asks who carries the data of a call that is up, by a class of devices such as
    /// [`NDIS_CLASS`](ndis_co::tapi::NDIS_CLASS): what `lineGetID` does. The answer comes as
    /// [`Tapi::got_id`].
    ///
    /// # Errors
    ///
    /// [`Status::TAPI_INVALCALLHANDLE`] when there is no such call,
    /// [`Status::TAPI_INVALCALLSTATE`] when it is not up, or somebody carries it or was asked to,
    /// [`Status::TAPI_INVALDEVICECLASS`] when nobody has registered the class,
    /// [`Status::CLOSING`], [`Status::RESOURCES`].
    pub fn get_id(
        this: &Arc<Self>,
        number: u32,
        class: &str,
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let irql = irql.up_to_dispatch();
        let call = this.find(number, irql)?;
        let sap = this.class(class, irql);
        let sap = sap.ok_or(Status::TAPI_INVALDEVICECLASS)?;
        if !call.is_for_offer(irql) {
            return Err(Status::TAPI_INVALCALLSTATE);
        }
        this.state.with(irql, |state, _| {
            if state.closing {
                return Err(Status::CLOSING);
            }
            if state
                .to_carry
                .iter()
                .any(|(other, _)| Arc::ptr_eq(other, &call))
            {
                return Err(Status::TAPI_INVALCALLSTATE);
            }
            Ok(state.to_carry.try_push((call, sap))?)
        })?;
        Self::wake(this);
        Ok(())
    }

    /// The call of a number.
    fn find(&self, number: u32, irql: &mut impl NoLock) -> Result<Arc<Call<T>>, Status> {
        self.state
            .with(irql, |state, _| {
                let mut calls = state.calls.iter();
                calls.find(|call| call.number() == number).cloned()
            })
            .ok_or(Status::TAPI_INVALCALLHANDLE)
    }
}

impl<T: Tapi> Work for Port<T> {
    fn run(this: &Arc<Self>, irql: &mut Passive) {
        let to_carry = this.state.with(irql, |state, _| state.to_carry.take());
        for (call, sap) in to_carry {
            Call::carry(&call, &sap, irql.up_to_dispatch());
        }
        this.tapi().work(this, irql);
    }
}

impl<T: Tapi> Expire for Port<T> {
    fn expired(this: &Arc<Self>, _irql: &mut UpToDispatch) {
        Self::wake(this);
    }
}

impl<T: Tapi> fmt::Debug for Port<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
