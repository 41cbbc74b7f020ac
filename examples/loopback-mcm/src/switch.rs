//! [`Switch`]: the numbers of one adapter, and the network between its lines.
//!
//! Requests only put signals into a queue. One work item takes them out and
//! carries them to the other end: at PASSIVE_LEVEL, with no lock held, one at
//! a time. So frames keep their order, and whatever a client does when it is
//! called back cannot nest into what it was just doing.

use crate::{Loopback, line::Line};
use ndis_co::{
    Status,
    channel::Channel,
    irql::{Irql, NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, OutOfMemory, Tag, Vec},
    nbl::{BufferView, NetBufferList, NetBufferListPool, NetBufferLists, Side},
    params::{CallParametersBuf, FlowSpec},
    power::PowerState,
    scope::Scope,
    timer::{Expire, Timer},
    work::{Work, WorkItem},
};
use ndis_mcm::{AcceptedCall, PendingMakeCall, Sap, SendLists, Vc};

/// The tag of the switch's memory.
const TAG: Tag = Tag::new(*b"Loop");

/// How often ringing calls are looked at, in milliseconds.
const TICK: u32 = 1_000;

/// How many ticks a call rings before the caller is told that nobody answers.
pub const RING_TICKS: u32 = 30;

/// The switch of one adapter.
#[derive(Debug)]
pub struct Switch {
    inner: Arc<Inner>,
}

/// What the work item and the clock work on.
#[derive(Debug)]
struct Inner {
    state: SpinLock<State>,
    pump: WorkItem<Inner>,
    clock: Timer<Inner>,
    pool: NetBufferListPool,
}

#[derive(Debug)]
struct State {
    numbers: Vec<Number>,
    signals: Vec<Signal>,
    /// Frames whose receiver is not ready yet, in order.
    held: Vec<SendLists<Loopback>>,
    /// Ends that ring.
    ringing: Vec<Vc<Loopback>>,
    /// The clock's ticks since the switch was made.
    now: u32,
    clock_runs: bool,
    /// The device has no power.
    asleep: bool,
    /// The work item is at it; whoever adds a signal need not queue it.
    pumping: bool,
    paused: bool,
}

/// A number that somebody has registered.
#[derive(Debug)]
struct Number {
    number: u32,
    /// `None` while the registration is being answered.
    sap: Option<Sap<Loopback>>,
}

/// What travels through the network.
#[derive(Debug)]
enum Signal {
    /// A call to a SAP.
    Setup(Sap<Loopback>, PendingMakeCall<Loopback>),
    /// Frames from one end of a call.
    Frames(SendLists<Loopback>),
    /// An end has become ready: frames held for it can go on.
    Ready,
    /// The other end hung up, with data.
    HangUp(Vc<Loopback>, Vec<u8>),
}

impl Switch {
    /// Makes a switch whose resources hang on the adapter.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(scope: &Scope) -> Result<Self, Status> {
        let state = State {
            numbers: Vec::new(TAG),
            signals: Vec::new(TAG),
            held: Vec::new(TAG),
            ringing: Vec::new(TAG),
            now: 0,
            clock_runs: false,
            asleep: false,
            pumping: false,
            paused: true,
        };
        let inner = Inner {
            state: SpinLock::new(state),
            pump: WorkItem::try_new(scope)?,
            clock: Timer::try_new(scope)?,
            pool: NetBufferListPool::for_receives(scope, TAG)?,
        };
        Ok(Self {
            inner: Arc::try_new(inner, TAG)?,
        })
    }

    // Numbers.

    /// Keeps a number for a SAP that is about to be accepted.
    pub(crate) fn reserve(&self, number: u32, irql: &mut impl Irql) -> Result<(), Status> {
        self.inner.state.with(irql, |state, _| {
            if state.numbers.iter().any(|entry| entry.number == number) {
                // Taken by another client (rule SAP-16).
                return Err(Status::INVALID_DATA);
            }
            state.numbers.try_push(Number { number, sap: None })?;
            Ok(())
        })
    }

    /// The SAP of a reserved number is accepted.
    pub(crate) fn publish(&self, number: u32, sap: Sap<Loopback>, irql: &mut impl Irql) {
        self.inner.state.with(irql, |state, _| {
            if let Some(entry) = state
                .numbers
                .iter_mut()
                .find(|entry| entry.number == number)
            {
                entry.sap = Some(sap);
            }
        });
    }

    /// The number is free again.
    pub(crate) fn withdraw(&self, number: u32, irql: &mut impl Irql) {
        let gone = self.inner.state.with(irql, |state, _| {
            state.numbers.take_first(|entry| entry.number == number)
        });
        drop(gone);
    }

    /// Who has the number.
    pub(crate) fn find(&self, number: u32, irql: &mut impl Irql) -> Option<Sap<Loopback>> {
        self.inner.state.with(irql, |state, _| {
            let mut numbers = state.numbers.iter();
            numbers.find(|entry| entry.number == number)?.sap.clone()
        })
    }

    /// How many numbers there are.
    pub(crate) fn count(&self, irql: &mut impl Irql) -> u32 {
        let count = self.inner.state.with(irql, |state, _| state.numbers.len());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    // Calls.

    /// Sends a call on its way; the answer comes later.
    pub(crate) fn ring(
        &self,
        sap: Sap<Loopback>,
        caller: PendingMakeCall<Loopback>,
        irql: &mut impl Irql,
    ) {
        // Without memory the caller is dropped, and that refuses the call.
        let _ = self.signal(Signal::Setup(sap, caller), irql);
    }

    /// The callee has accepted: connects both ends.
    pub(crate) fn connect(&self, call: AcceptedCall<Loopback>, irql: &mut impl NoLock) {
        let callee = call.vc().clone();
        let up = irql.up_to_dispatch();
        let Some(caller) = callee.take_caller(up) else {
            // The caller has given up meanwhile.
            call.close(Status::FAILURE, up);
            return;
        };
        let calling = caller.vc().clone();
        let joined = callee.join(&calling, up);
        if let Err(status) = joined.and_then(|()| calling.join(&callee, up)) {
            callee.part(up);
            call.close(status, up);
            caller.refuse(status, up);
            return;
        }
        if !call.connect(up) {
            // The callee is closing already.
            callee.part(up);
            calling.part(up);
            caller.refuse(Status::FAILURE, up);
            return;
        }
        // Either end may learn of it later; until then frames for it wait.
        caller.accept(up);
    }

    /// One end is up: frames that waited for it can go on.
    pub(crate) fn connected(&self, vc: &Vc<Loopback>, irql: &mut UpToDispatch) {
        vc.set_ready(irql);
        // Without memory the frames wait for the next signal.
        let _ = self.signal(Signal::Ready, irql);
    }

    /// One end of a call that was on its way did not come up.
    pub(crate) fn broken(&self, vc: &Vc<Loopback>, status: Status, irql: &mut UpToDispatch) {
        if let Some(caller) = vc.take_caller(irql) {
            caller.refuse(status, irql);
        }
        self.hang_up(vc, &[], irql);
    }

    /// One end hangs up; the other end learns of it.
    pub(crate) fn hang_up(&self, vc: &Vc<Loopback>, data: &[u8], irql: &mut UpToDispatch) {
        let Some(peer) = vc.part(irql) else { return };
        let Some(peer) = peer.upgrade() else {
            // It has gone already. Frames that waited for it come back.
            let _ = self.signal(Signal::Ready, irql);
            return;
        };
        let copy = Vec::try_from_slice(data, TAG);
        let sent = match copy {
            Ok(data) => self.signal(Signal::HangUp(peer.clone(), data), irql),
            Err(error) => Err(error),
        };
        if sent.is_err() {
            // A hang-up must not get lost for want of memory. Closed already
            // is as good.
            let _ = peer.dispatch_incoming_close(Status::SUCCESS, data, irql);
        }
    }

    // Frames.

    /// Takes frames from one end.
    pub(crate) fn carry(&self, lists: SendLists<Loopback>, irql: &mut UpToDispatch) {
        // Without memory the lists are dropped, which fails them.
        let _ = self.signal(Signal::Frames(lists), irql);
    }

    /// The flow of data stops: gives everything back that is held.
    pub(crate) fn pause(&self, irql: &mut Passive) {
        let frames = self.inner.state.with(irql, |state, _| {
            state.paused = true;
            state.held.take()
        });
        for lists in frames {
            lists.complete(Status::PAUSED, irql);
        }
        // What is still in the queue the work item completes.
    }

    /// The flow of data starts.
    pub(crate) fn restart(&self, irql: &mut Passive) {
        self.inner.state.with(irql, |state, _| state.paused = false);
    }

    /// The device loses its power, in which no clock may run, or has it back.
    pub(crate) fn set_power(&self, power: PowerState, irql: &mut UpToDispatch) {
        self.inner.state.with(irql, |state, _| {
            state.asleep = power != PowerState::D0;
            if state.asleep {
                self.inner.clock.cancel();
                state.clock_runs = false;
            } else if !state.clock_runs {
                Inner::start_clock(&self.inner, state);
            }
        });
    }

    /// The adapter goes: nothing may refer to it any more.
    pub(crate) fn halt(&self, irql: &mut Passive) {
        self.inner.clock.cancel();
        let (numbers, ringing) = self.inner.state.with(irql, |state, _| {
            (state.numbers.take(), state.ringing.take())
        });
        drop(numbers);
        drop(ringing);
    }

    // The network.

    /// Puts a signal into the queue and has it carried on.
    fn signal(&self, signal: Signal, irql: &mut impl Irql) -> Result<(), OutOfMemory> {
        self.inner.state.with(irql, |state, _| {
            state.signals.try_push(signal)?;
            if !state.pumping {
                self.inner.pump.queue(&self.inner);
            }
            Ok(())
        })
    }

    fn handle(&self, signal: Signal, irql: &mut Passive) {
        match signal {
            Signal::Setup(sap, caller) => self.set_up(&sap, caller, irql),
            Signal::Frames(lists) => self.deliver(lists, irql),
            Signal::Ready => self.deliver_held(irql),
            Signal::HangUp(vc, data) => {
                vc.part(irql);
                // Frames from this end that waited for the other one come back.
                self.deliver_held(irql);
                // Closing already, by itself: nothing is left to tell.
                let _ = vc.dispatch_incoming_close(Status::SUCCESS, &data, irql);
            }
        }
    }

    /// Rings at a SAP.
    fn set_up(&self, sap: &Sap<Loopback>, caller: PendingMakeCall<Loopback>, irql: &mut Passive) {
        let now = self.inner.state.with(irql, |state, _| state.now);
        // Made before the caller is handed over, so that a failure still can
        // tell it.
        let parameters = (offer(&caller), offer(&caller));
        let (Ok(for_vc), Ok(for_client)) = parameters else {
            caller.refuse(Status::RESOURCES, irql);
            return;
        };
        // A refused VC drops its line, and with it the caller: refused too.
        let Ok(vc) = sap.create_vc(Line::ringing(caller, now), irql) else {
            return;
        };
        match vc.activate(for_vc, irql) {
            Ok(vc) => {
                self.watch(&vc, irql);
                vc.dispatch_incoming_call(for_client, irql);
            }
            Err(failed) => {
                if let Some(caller) = failed.vc.take_caller(irql) {
                    caller.refuse(failed.status, irql);
                }
            }
        }
    }

    /// Has the clock look after a ringing end.
    fn watch(&self, vc: &Vc<Loopback>, irql: &mut Passive) {
        self.inner.state.with(irql, |state, _| {
            // Without memory the call rings as long as the callee lets it.
            let watched = state.ringing.try_push(vc.clone()).is_ok();
            if watched && !state.clock_runs {
                Inner::start_clock(&self.inner, state);
            }
        });
    }

    /// Carries frames to the other end, behind those that wait for it.
    fn deliver(&self, lists: SendLists<Loopback>, irql: &mut Passive) {
        let refused = self.inner.state.with(irql, |state, _| {
            if state.paused {
                return Some(lists);
            }
            // Without memory the lists are dropped, which fails them.
            let _ = state.held.try_push(lists);
            None
        });
        match refused {
            Some(lists) => lists.complete(Status::PAUSED, irql),
            None => self.deliver_held(irql),
        }
    }

    /// Carries on the frames whose receiver has become ready, or has gone.
    fn deliver_held(&self, irql: &mut Passive) {
        loop {
            let candidates = self.inner.state.with(irql, |state, _| state.held.take());
            if candidates.is_empty() {
                return;
            }
            for lists in &candidates {
                lists.vc().set_blocked(false, irql);
            }
            let mut moved = false;
            let mut waiting = Vec::new(TAG);
            for lists in candidates {
                // A receiver may become ready at any moment: what one end has
                // sent stays in order all the same.
                let vc = lists.vc();
                let blocked = vc.is_blocked(irql);
                let ready = vc.peer(irql).is_none_or(|peer| peer.is_ready(irql));
                if ready && !blocked {
                    moved = true;
                    self.deliver_now(lists, irql);
                } else {
                    vc.set_blocked(true, irql);
                    // Without memory the lists are dropped, which fails them.
                    let _ = waiting.try_push(lists);
                }
            }
            let refused = self.inner.state.with(irql, |state, _| {
                if state.paused {
                    return Some(waiting);
                }
                state.held = waiting;
                None
            });
            if let Some(refused) = refused {
                for lists in refused {
                    lists.complete(Status::PAUSED, irql);
                }
                return;
            }
            if !moved {
                return;
            }
        }
    }

    /// Carries frames to an end that is ready or gone.
    fn deliver_now(&self, lists: SendLists<Loopback>, irql: &mut Passive) {
        let result = match lists.vc().peer(irql) {
            None => Err(Status::VC_NOT_ACTIVATED),
            Some(peer) => self
                .copy(&lists)
                .and_then(|frames| peer.indicate_receive(frames, irql).map_err(Status::from)),
        };
        count(&lists, result.is_ok());
        lists.complete(result.err().unwrap_or(Status::SUCCESS), irql);
    }

    /// Copies frames into receive buffers of the switch, each into a list of
    /// its own: the sender may have put several into one.
    fn copy(&self, lists: &SendLists<Loopback>) -> Result<NetBufferLists, Status> {
        let mut copies = NetBufferLists::new(Side::Miniport);
        for frame in lists.buffers() {
            let copy = self.copy_frame(frame)?;
            // Both are receive lists, so this cannot fail.
            copies
                .push_back(copy)
                .map_err(|_| Status::INVALID_PARAMETER)?;
        }
        Ok(copies)
    }

    fn copy_frame(&self, frame: BufferView<'_>) -> Result<NetBufferList, Status> {
        let len = frame.len();
        let mut copy = self.inner.pool.allocate(len)?;
        copy.fill(len, |to| frame.copy_to(to).map(drop))?;
        Ok(copy)
    }
}

/// Counts frames that one line has sent and another one received.
fn count(lists: &SendLists<Loopback>, delivered: bool) {
    let vc = lists.vc();
    for frame in lists.buffers() {
        let bytes = u64::try_from(frame.len()).unwrap_or(0);
        for counters in [vc.statistics(), vc.base().statistics()] {
            if delivered {
                counters.sent(1, bytes);
                counters.received(1, bytes);
            } else {
                counters.not_sent(1);
            }
        }
    }
}

/// The parameters of the call, as the callee's end is offered them.
fn offer(caller: &PendingMakeCall<Loopback>) -> Result<CallParametersBuf, Status> {
    let mut builder = CallParametersBuf::builder()
        .transmit(FlowSpec::best_effort(crate::MAX_FRAME))
        .receive(FlowSpec::best_effort(crate::MAX_FRAME));
    if let Some(manager) = caller
        .parameters()
        .and_then(|parameters| parameters.call_manager())
    {
        builder = builder
            .transmit(manager.transmit())
            .receive(manager.receive())
            .call_manager_specific(manager.specific()?);
    }
    builder.build()
}

impl Work for Inner {
    /// Empties the queue.
    fn run(this: &Arc<Self>, irql: &mut Passive) {
        let this = Switch {
            inner: this.clone(),
        };
        let pumping = this.inner.state.with(irql, |state, _| {
            core::mem::replace(&mut state.pumping, true)
        });
        if pumping {
            return;
        }
        loop {
            let signals = this.inner.state.with(irql, |state, _| {
                let signals = state.signals.take();
                state.pumping = !signals.is_empty();
                signals
            });
            if signals.is_empty() {
                return;
            }
            for signal in signals {
                this.handle(signal, irql);
            }
        }
    }
}

impl Inner {
    /// Sets the clock if something rings, and the device has power.
    fn start_clock(this: &Arc<Self>, state: &mut State) {
        state.clock_runs = !state.asleep && !state.ringing.is_empty();
        if state.clock_runs {
            this.clock.set(this, TICK);
        }
    }
}

impl Expire for Inner {
    /// Tells callers who have waited for too long that nobody answers.
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let (now, ringing) = this.state.with(irql, |state, _| {
            state.now = state.now.saturating_add(1);
            (state.now, state.ringing.take())
        });
        let mut still = Vec::new(TAG);
        for vc in ringing {
            if let Some(then) = now.checked_sub(RING_TICKS)
                && let Some(caller) = vc.give_up(then, irql)
            {
                caller.refuse(Status::DEST_OUT_OF_ORDER, irql);
            } else if vc.is_ringing(irql) {
                // Without memory the call rings on unwatched.
                let _ = still.try_push(vc);
            }
        }
        this.state.with(irql, |state, _| {
            for vc in still {
                let _ = state.ringing.try_push(vc);
            }
            Self::start_clock(this, state);
        });
    }
}
