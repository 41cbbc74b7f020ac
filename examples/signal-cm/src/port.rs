//! [`Port`]: one end of the link, on one adapter, and what its clients ask of it.
//!
//! Requests change the table of calls and leave messages to be sent; what arrives is left to
//! be looked at. One work item does both (see [`pump`](crate::pump)): at PASSIVE_LEVEL, with
//! no lock held, one at a time. So messages keep their order, and nothing nests.
//!
//! Whatever is lost, on the way or for want of memory, is made good: who waits for an answer
//! gives up after a while, the end of a call is said again until the other end confirms it,
//! and an end that says nothing any more is taken for gone.

use crate::{
    SignalCm, TAG,
    call::{Call, Stage},
    calls::{Calls, MAX_CALLS},
    link::Link,
    message::{Kind, Message},
    numbers::Numbers,
};
use ndis_co::{
    Answer, Status,
    cm::{AcceptedCall, CloseCall, PendingMakeCall, Sap, SignalingVc, Vc},
    irql::{Irql, NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, OutOfMemory, Vec},
    nbl::NetBufferListPool,
    scope::Scope,
    timer::{Expire, Timer},
    work::WorkItem,
};

/// The clock's pace while there are calls, in milliseconds.
const TICK: u32 = 1_000;

/// How many messages may wait for the work item, each way. More are lost.
const MAX_WAITING: usize = 4 * MAX_CALLS;

/// One end of the link.
#[derive(Debug)]
pub struct Port {
    pub(crate) inner: Arc<Inner>,
}

/// What the work item and the clock work on.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: SpinLock<State>,
    pump: WorkItem<Self>,
    clock: Timer<Self>,
    pub(crate) pool: NetBufferListPool,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) link: Link,
    pub(crate) calls: Calls<Call>,
    pub(crate) numbers: Numbers<Sap<SignalCm>>,
    /// The way to the other end, while there is one.
    pub(crate) way: Option<SignalingVc<SignalCm>>,
    /// There will be none.
    broken: bool,
    /// The adapter goes.
    pub(crate) closed: bool,
    pub(crate) arrived: Vec<Message>,
    pub(crate) to_send: Vec<Message>,
    /// A greeting is to be sent.
    pub(crate) greet: bool,
    /// The clock has ticked.
    pub(crate) ticked: bool,
    clock_runs: bool,
    /// The work item is at it, and looks again before it goes.
    pub(crate) pumping: bool,
    /// There is something new for it.
    pub(crate) woken: bool,
}

impl State {
    /// Leaves a message to be sent.
    pub(crate) fn say(&mut self, message: Message) -> Result<(), OutOfMemory> {
        if self.to_send.len() >= MAX_WAITING {
            return Err(OutOfMemory);
        }
        self.to_send.try_push(message)
    }

    /// Tells the other end of a call that is placed here; it waits until there is one.
    pub(crate) fn set_up(&mut self, reference: u32) {
        let Some((peer, channel)) = self.link.peer().zip(self.link.channel(reference)) else {
            self.greet = true;
            return;
        };
        let Some(call) = self.calls.get_mut(reference) else {
            return;
        };
        call.channel = channel;
        let mut message = Message::new(Kind::SetUp, 0, reference);
        message.channel = channel;
        message.number = call.number;
        // Without memory it is tried again at the next tick.
        if self.say(message).is_ok()
            && let Some(call) = self.calls.get_mut(reference)
        {
            call.told = peer;
        }
    }

    /// A call is over at this end: takes it out, or has the other end confirm it first. What
    /// it was is to be dropped where no lock is held.
    fn release(&mut self, reference: u32, status: Status) -> Option<Stage> {
        let call = self.calls.get_mut(reference)?;
        if !call.can_end() || call.is_releasing() {
            return None;
        }
        if call.told == 0 || Some(call.told) != self.link.peer() {
            return self.calls.remove(reference).map(|call| call.stage);
        }
        let before = call.go(Stage::Releasing(status));
        let message = Message::release(call.theirs, reference, status.raw());
        // Said again at the next tick.
        let _ = self.say(message);
        Some(before)
    }
}

impl Port {
    /// One whose resources hang on the binding. `number` tells it from the other end.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub(crate) fn try_new(number: u16, scope: &Scope) -> Result<Self, Status> {
        let state = State {
            link: Link::new(number),
            calls: Calls::new(TAG),
            numbers: Numbers::new(TAG),
            way: None,
            broken: false,
            closed: false,
            arrived: Vec::new(TAG),
            to_send: Vec::new(TAG),
            greet: true,
            ticked: false,
            clock_runs: false,
            pumping: false,
            woken: false,
        };
        let inner = Inner {
            state: SpinLock::new(state),
            pump: WorkItem::try_new(scope)?,
            clock: Timer::try_new(scope)?,
            pool: NetBufferListPool::for_sends(scope, TAG)?,
        };
        Ok(Self {
            inner: Arc::try_new(inner, TAG)?,
        })
    }

    // The way to the other end.

    /// There is a way.
    pub(crate) fn opened(&self, way: &SignalingVc<SignalCm>, irql: &mut impl Irql) {
        self.inner.state.with(irql, |state, _| {
            state.way = Some(way.clone());
            self.wake(state);
        });
    }

    /// There will be none: nobody can be called.
    pub(crate) fn broken(&self, irql: &mut impl NoLock) {
        let irql = irql.up_to_dispatch();
        self.inner.state.with(irql, |state, _| state.broken = true);
        self.end_all(Status::DEST_OUT_OF_ORDER, irql);
    }

    /// It is gone.
    pub(crate) fn shut(&self, irql: &mut impl Irql) {
        let way = self.inner.state.with(irql, |state, _| state.way.take());
        drop(way);
    }

    /// Data flow again: what waited can go. While they did not, nothing could be heard.
    pub(crate) fn restarted(&self, irql: &mut impl Irql) {
        self.inner.state.with(irql, |state, _| {
            state.link.forgive();
            state.greet = true;
            self.wake(state);
        });
    }

    /// A message has arrived. One too many is lost.
    pub(crate) fn arrived(&self, message: Message, irql: &mut impl Irql) {
        self.inner.state.with(irql, |state, _| {
            if state.closed || state.arrived.len() >= MAX_WAITING {
                return;
            }
            if state.arrived.try_push(message).is_ok() {
                self.wake(state);
            }
        });
    }

    /// The adapter goes: ends every call, and keeps nothing.
    pub(crate) fn close(&self, irql: &mut Passive) {
        let numbers = self.inner.state.with(irql, |state, _| {
            state.closed = true;
            state.numbers.take()
        });
        drop(numbers);
        self.inner.clock.cancel();
        self.end_all(Status::CLOSING, irql.up_to_dispatch());
    }

    // Numbers.

    /// Keeps a number for a SAP that is about to be accepted.
    pub(crate) fn reserve(&self, number: u32, irql: &mut impl Irql) -> Result<(), Status> {
        self.inner.state.with(irql, |state, _| {
            if state.closed {
                return Err(Status::CLOSING);
            }
            state.numbers.reserve(number)
        })
    }

    /// The SAP of a reserved number is accepted.
    pub(crate) fn publish(&self, number: u32, sap: Sap<SignalCm>, irql: &mut impl Irql) {
        let over = self
            .inner
            .state
            .with(irql, |state, _| state.numbers.publish(number, sap));
        drop(over);
    }

    /// The number is free again.
    pub(crate) fn withdraw(&self, number: u32, irql: &mut impl Irql) {
        let sap = self
            .inner
            .state
            .with(irql, |state, _| state.numbers.withdraw(number));
        drop(sap);
    }

    // Calls.

    /// Makes room for a call to `number`; gives its reference.
    pub(crate) fn dial(&self, number: u32, irql: &mut impl Irql) -> Result<u32, Status> {
        self.inner.state.with(irql, |state, _| {
            if state.closed {
                return Err(Status::CLOSING);
            }
            if state.broken {
                return Err(Status::DEST_OUT_OF_ORDER);
            }
            let call = Call::new(Stage::Dialled, number);
            let reference = state.calls.insert(call).ok_or(Status::RESOURCES)?;
            self.start_clock(state);
            Ok(reference)
        })
    }

    /// The client waits for its call.
    pub(crate) fn place(
        &self,
        reference: u32,
        caller: PendingMakeCall<SignalCm>,
        irql: &mut impl NoLock,
    ) {
        let over = self.inner.state.with(irql, |state, _| {
            match state.calls.get_mut(reference) {
                Some(call) if matches!(call.stage, Stage::Dialled) => {
                    call.go(Stage::Placed(caller));
                    state.set_up(reference);
                    self.wake(state);
                    None
                }
                // The adapter goes.
                _ => Some(caller),
            }
        });
        if let Some(caller) = over {
            caller.refuse(Status::CLOSING, irql);
        }
    }

    /// The client that is called has accepted.
    pub(crate) fn accepted(&self, call: AcceptedCall<SignalCm>, irql: &mut impl NoLock) {
        let reference = call.vc().reference();
        let wanted = self.inner.state.with(irql, |state, _| {
            let call = state.calls.get_mut(reference)?;
            let Stage::Offered(vc) = &call.stage else {
                return None;
            };
            let vc = vc.clone();
            Some(call.go(Stage::Accepted(vc)))
        });
        if wanted.is_none() {
            // The caller has given up meanwhile.
            call.close(Status::FAILURE, irql);
        } else {
            // It may be over already; then the client is just closing it.
            call.connect(irql);
        }
    }

    /// The client knows that its call is up.
    pub(crate) fn connected(&self, vc: &Vc<SignalCm>, irql: &mut impl Irql) {
        let reference = vc.reference();
        let before = self.inner.state.with(irql, |state, _| {
            let call = state.calls.get_mut(reference)?;
            let accepted = match call.stage {
                Stage::Accepted(_) => true,
                Stage::Answered(_) => false,
                // It is over already.
                _ => return None,
            };
            let before = call.go(Stage::Up(vc.clone()));
            if accepted {
                let answer = Message::new(Kind::Connect, call.theirs, reference);
                // Without memory the caller gives up after a while, and says so.
                let _ = state.say(answer);
                self.wake(state);
            }
            Some(before)
        });
        drop(before);
    }

    /// The call on this VC has ended at this end, or was not wanted.
    pub(crate) fn over(&self, vc: &Vc<SignalCm>, status: Status, irql: &mut impl Irql) {
        self.release(vc.end(), status, irql);
    }

    /// The client closes a call.
    pub(crate) fn hang_up<'r>(
        &self,
        vc: &Vc<SignalCm>,
        request: CloseCall<'r, SignalCm>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let reference = vc.end();
        let is_ending = self.inner.state.with(irql, |state, _| {
            let call = state.calls.get(reference);
            call.is_some_and(|call| !call.can_end())
        });
        if !is_ending {
            self.release(reference, Status::SUCCESS, irql);
            return request.finish(irql);
        }
        let (answer, close) = request.pend();
        let late = self.inner.state.with(irql, |state, _| {
            match state.calls.get_mut(reference).map(|call| &mut call.stage) {
                Some(Stage::Ending(waits)) => waits.replace(close),
                _ => Some(close),
            }
        });
        if let Some(close) = late {
            close.finish(irql);
        }
        answer
    }
}

impl Port {
    /// Has the work item look at what is new.
    pub(crate) fn wake(&self, state: &mut State) {
        state.woken = true;
        if !state.pumping {
            self.inner.pump.queue(&self.inner);
        }
    }

    /// The clock runs while there are calls.
    pub(crate) fn start_clock(&self, state: &mut State) {
        if !state.clock_runs && !state.closed && !state.calls.is_empty() {
            state.clock_runs = true;
            self.inner.clock.set(&self.inner, TICK);
        }
    }

    /// A call is over at this end.
    pub(crate) fn release(
        &self,
        reference: u32,
        status: Status,
        irql: &mut impl Irql,
    ) -> Option<Stage> {
        self.inner.state.with(irql, |state, _| {
            let before = state.release(reference, status);
            self.wake(state);
            before
        })
    }

    /// A call is over at the other end, or that is gone: tells the client.
    pub(crate) fn end(&self, reference: u32, status: Status, irql: &mut UpToDispatch) {
        let before = self.inner.state.with(irql, |state, _| {
            let call = state.calls.get_mut(reference)?;
            call.can_end().then(|| call.go(Stage::Ending(None)))
        });
        match before {
            // Somebody else is at it.
            None => return,
            Some(Stage::Placed(caller)) => caller.refuse(status, irql),
            Some(
                Stage::Answered(vc) | Stage::Offered(vc) | Stage::Accepted(vc) | Stage::Up(vc),
            ) => {
                // It may be closing the call itself, or refusing it.
                let _ = vc.dispatch_incoming_close(status, &[], irql);
            }
            // Nobody is to be told; whoever makes the call notices.
            Some(_) => {}
        }
        let gone = self
            .inner
            .state
            .with(irql, |state, _| state.calls.remove(reference));
        if let Some(Stage::Ending(Some(close))) = gone.map(|call| call.stage) {
            close.finish(irql);
        }
    }

    /// Ends every call.
    fn end_all(&self, status: Status, irql: &mut UpToDispatch) {
        loop {
            let next = self
                .inner
                .state
                .with(irql, |state, _| state.calls.find(Call::can_end));
            let Some(reference) = next else { return };
            self.end(reference, status, irql);
        }
    }
}

impl Expire for Inner {
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let port = Port {
            inner: this.clone(),
        };
        this.state.with(irql, |state, _| {
            state.clock_runs = false;
            state.ticked = true;
            port.wake(state);
        });
    }
}
