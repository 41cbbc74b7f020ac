//! What the work item does: sends what is to be sent, and does what messages and the clock
//! ask for.

use crate::{
    SignalCm,
    call::{Call, Line, Stage},
    link::{Heard, PATIENCE},
    message::{Kind, Message},
    port::{Inner, Port, State},
};
use ndis_co::{
    Status,
    cm::{Sap, SignalingVc},
    irql::{NoLock, Passive},
    mem::{Arc, Vec},
    nbl::NetBufferLists,
    work::Work,
};

/// How many ticks a call rings before the caller is told that nobody answers.
pub(crate) const RING_TICKS: u32 = 30;

impl Work for Inner {
    fn run(this: &Arc<Self>, irql: &mut Passive) {
        let port = Port {
            inner: this.clone(),
        };
        port.pump(irql);
    }
}

impl Port {
    fn pump(&self, irql: &mut Passive) {
        let pumping = self.inner.state.with(irql, |state, _| {
            core::mem::replace(&mut state.pumping, true)
        });
        if pumping {
            return;
        }
        loop {
            let work = self.inner.state.with(irql, |state, _| {
                state.pumping = core::mem::take(&mut state.woken);
                state.pumping.then(|| {
                    let ticked = core::mem::take(&mut state.ticked);
                    (state.arrived.take(), ticked)
                })
            });
            let Some((arrived, ticked)) = work else {
                return;
            };
            for message in arrived {
                self.handle(&message, irql);
            }
            if ticked {
                self.tick(irql);
            }
            self.send_all(irql);
        }
    }
}

/// Sending.
impl Port {
    /// Sends what is to be sent, if data flow. If not, it waits for the restart.
    fn send_all(&self, irql: &mut Passive) {
        let way = self.inner.state.with(irql, |state, _| state.way.clone());
        let Some(way) = way else { return };
        if !way.is_active() || !way.binding().is_running() {
            return;
        }
        let (greeting, messages) = self.inner.state.with(irql, |state, _| {
            let greet = core::mem::take(&mut state.greet);
            let greeting = greet.then(|| Message::new(Kind::Hello, 0, 0));
            (greeting, state.to_send.take())
        });
        let mut unsent = Vec::new(crate::TAG);
        for message in greeting.into_iter().chain(messages) {
            let refused = !unsent.is_empty() || self.send(&way, message, irql);
            if refused && unsent.try_push(message).is_err() {
                // As if it were lost on the way.
                return;
            }
        }
        if !unsent.is_empty() {
            self.inner
                .state
                .with(irql, |state, _| state.put_back(unsent));
        }
    }

    /// Sends a message; `true` when that has to wait. What fails for another reason is made
    /// good by the clock.
    fn send(&self, way: &SignalingVc<SignalCm>, message: Message, irql: &mut Passive) -> bool {
        let message = self
            .inner
            .state
            .with(irql, |state, _| state.link.sign(message));
        let Ok(mut list) = self.inner.pool.allocate(crate::message::LEN) else {
            return false;
        };
        if list.set_data(&message.encode()).is_err() {
            return false;
        }
        match way.send(NetBufferLists::from(list), irql) {
            Ok(()) => false,
            Err(unsent) => {
                let waits = unsent.status == Status::PAUSED;
                unsent.lists.free(irql);
                waits
            }
        }
    }
}

impl State {
    /// Messages that could not be sent go before those that were left since.
    fn put_back(&mut self, mut unsent: Vec<Message>) {
        for message in &self.to_send {
            // Without memory it is as if they were lost on the way.
            if unsent.try_push(*message).is_err() {
                break;
            }
        }
        self.to_send = unsent;
    }
}

/// Messages.
impl Port {
    fn handle(&self, message: &Message, irql: &mut Passive) {
        let heard = self.inner.state.with(irql, |state, _| {
            if state.closed {
                return Heard::Itself;
            }
            let heard = state.link.hear(message);
            match heard {
                Heard::Stranger => state.greet = true,
                Heard::Greeting { answer, fresh } => {
                    state.greet |= answer;
                    if fresh {
                        // It is for whoever was there before.
                        state.to_send = Vec::new(crate::TAG);
                    }
                }
                Heard::Itself | Heard::Word => {}
            }
            heard
        });
        match heard {
            Heard::Itself | Heard::Stranger => {}
            Heard::Greeting { fresh, .. } => {
                if fresh {
                    self.begin_anew(irql);
                }
            }
            Heard::Word => match message.kind {
                Kind::Hello => {}
                Kind::SetUp => self.set_up(message, irql),
                Kind::Connect => self.connect(message, irql),
                Kind::Release => self.released_there(message, irql),
                Kind::Released => self.confirmed(message, irql),
            },
        }
    }

    /// Somebody else is at the other end, or nobody: ends the calls with who was there, and
    /// places those that nobody has heard of.
    fn begin_anew(&self, irql: &mut Passive) {
        loop {
            let old = self.inner.state.with(irql, |state, _| {
                let peer = state.link.peer().unwrap_or(0);
                let old = |call: &Call| call.told != 0 && call.told != peer && call.can_end();
                state.calls.find(old)
            });
            let Some(reference) = old else { break };
            self.end(reference, Status::DEST_OUT_OF_ORDER, irql.up_to_dispatch());
        }
        loop {
            let placed = self.inner.state.with(irql, |state, _| {
                state.link.peer()?;
                let waits = |call: &Call| call.told == 0 && matches!(call.stage, Stage::Placed(_));
                let reference = state.calls.find(waits)?;
                state.set_up(reference);
                // Without memory it waits for the next tick.
                let told = state.calls.get(reference)?.told;
                (told != 0).then_some(())
            });
            if placed.is_none() {
                return;
            }
        }
    }

    /// The other end places a call.
    fn set_up(&self, message: &Message, irql: &mut Passive) {
        let (theirs, channel) = (message.from, message.channel);
        let arriving = self.inner.state.with(irql, |state, _| {
            let told = state.link.peer().unwrap_or(0);
            let taken = |call: &Call| {
                call.told == told && (call.channel == channel || call.theirs == theirs)
            };
            if theirs == 0
                || !state.link.may_be_theirs(channel)
                || state.calls.find(taken).is_some()
            {
                return Err(Status::INVALID_DATA);
            }
            let sap = state.numbers.find(message.number);
            let sap = sap.ok_or(Status::NO_ROUTE_TO_DESTINATION)?;
            let mut call = Call::new(Stage::Arriving, message.number);
            call.told = told;
            call.theirs = theirs;
            call.channel = channel;
            let reference = state.calls.insert(call).ok_or(Status::RESOURCES)?;
            self.start_clock(state);
            Ok((reference, sap))
        });
        match arriving {
            Ok((reference, sap)) => {
                if let Err(status) = self.ring(reference, &sap, message, irql) {
                    self.release(reference, status, irql);
                }
            }
            Err(status) => self.refuse(message, status, irql),
        }
    }

    /// Turns a message down that is about no call of this end's.
    fn refuse(&self, message: &Message, status: Status, irql: &mut Passive) {
        self.inner.state.with(irql, |state, _| {
            // Whoever is at the other end gives up after a while anyway.
            let _ = state.say(Message::release(message.from, message.to, status.raw()));
        });
    }

    /// Rings at a SAP.
    fn ring(
        &self,
        reference: u32,
        sap: &Sap<SignalCm>,
        message: &Message,
        irql: &mut Passive,
    ) -> Result<(), Status> {
        let on_link = crate::on_channel(message.channel)?;
        let offered = crate::offer(message.number)?;
        let vc = sap.create_vc(Line::new(reference), irql)?;
        let vc = vc.activate(on_link, irql).map_err(|failed| failed.status)?;
        let wanted = self.inner.state.with(irql, |state, _| {
            let call = state.calls.get_mut(reference)?;
            // Else the adapter goes.
            matches!(call.stage, Stage::Arriving).then(|| call.go(Stage::Offered((*vc).clone())))
        });
        // A VC that is dropped is deleted.
        if wanted.is_some() {
            vc.dispatch_incoming_call(offered, irql);
        }
        Ok(())
    }

    /// The other end has answered.
    fn connect(&self, message: &Message, irql: &mut Passive) {
        let answered = self.inner.state.with(irql, |state, _| {
            let call = state.calls.get_mut(message.to).ok_or(())?;
            if let Stage::Placed(caller) = &call.stage {
                let vc = caller.vc().clone();
                call.theirs = message.from;
                return Ok(Some((call.go(Stage::Answered(vc)), call.channel)));
            }
            // It has ended here meanwhile, of which the other end learns.
            Ok(None)
        });
        match answered {
            Ok(Some((Stage::Placed(caller), channel))) => match crate::on_channel(channel) {
                Ok(on_link) => caller.accept_with_link(on_link, irql),
                Err(status) => {
                    self.release(message.to, status, irql);
                    caller.refuse(status, irql);
                }
            },
            Ok(_) => {}
            Err(()) => self.refuse(message, Status::FAILURE, irql),
        }
    }

    /// The other end has hung up, or refuses a call.
    fn released_there(&self, message: &Message, irql: &mut Passive) {
        let call = self.inner.state.with(irql, |state, _| {
            if message.from != 0 {
                // Without memory the other end says it again.
                let _ = state.say(Message::new(Kind::Released, message.from, message.to));
            }
            let reference = if message.to == 0 {
                // It has not heard how the call is called here.
                let told = state.link.peer().unwrap_or(0);
                let theirs = |call: &Call| call.told == told && call.theirs == message.from;
                state.calls.find(theirs)?
            } else {
                message.to
            };
            let call = state.calls.get(reference)?;
            let known = message.from == 0 || call.theirs == 0 || call.theirs == message.from;
            known.then_some(reference)
        });
        if let Some(reference) = call {
            let status = Status::from_raw(message.status);
            self.end(reference, status, irql.up_to_dispatch());
        }
    }

    /// The other end has let go of a call.
    fn confirmed(&self, message: &Message, irql: &mut Passive) {
        let gone = self.inner.state.with(irql, |state, _| {
            let releasing = state.calls.get(message.to)?.is_releasing();
            releasing.then(|| state.calls.remove(message.to))
        });
        drop(gone);
    }
}

/// The clock.
impl Port {
    /// A tick has passed.
    fn tick(&self, irql: &mut Passive) {
        let lost = self.inner.state.with(irql, |state, _| {
            for (_, call) in state.calls.iter_mut() {
                call.age = call.age.saturating_add(1);
            }
            state.greet = true;
            let way = state.way.as_ref();
            let hears = way.is_some_and(|way| way.binding().is_running());
            let told = state.calls.find(|call| call.told != 0).is_some();
            hears && told && state.link.is_lost()
        });
        if lost {
            self.inner.state.with(irql, |state, _| {
                // It is for whoever was there.
                state.to_send = Vec::new(crate::TAG);
            });
        }
        // Calls that wait for memory, too.
        self.begin_anew(irql);
        self.give_up(irql);
        self.inner.state.with(irql, |state, _| {
            state.say_releases_again();
            self.start_clock(state);
        });
    }

    /// Ends calls that have waited for too long.
    fn give_up(&self, irql: &mut Passive) {
        loop {
            let old = self.inner.state.with(irql, |state, _| {
                state.calls.find(|call| match call.stage {
                    Stage::Placed(_) => call.age >= RING_TICKS,
                    Stage::Releasing(_) => call.age > PATIENCE,
                    _ => false,
                })
            });
            let Some(reference) = old else { return };
            let status = Status::DEST_OUT_OF_ORDER;
            match self.release(reference, status, irql) {
                Some(Stage::Placed(caller)) => caller.refuse(status, irql),
                Some(_) => {}
                // It was released, and nobody confirms it.
                None => self.end(reference, status, irql.up_to_dispatch()),
            }
        }
    }
}

impl State {
    fn say_releases_again(&mut self) {
        let mut messages = Vec::new(crate::TAG);
        for (reference, call) in self.calls.iter_mut() {
            if let Stage::Releasing(status) = call.stage {
                let message = Message::release(call.theirs, reference, status.raw());
                // Without memory at the tick after this.
                let _ = messages.try_push(message);
            }
        }
        for message in messages {
            let _ = self.say(message);
        }
    }
}
