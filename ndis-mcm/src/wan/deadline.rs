//! For how long a dialled call may go without an answer.
//!
//! An application cannot take a call back that it has placed: until that is answered it waits, and
//! its driver cannot go. So a driver that may hear of no answer from its network needs a clock for
//! each call. This is one: the answer is the module's when the time is up before the driver's.
//!
//! A timer refers to the call that it is for, and the call to its timer. They are one value with
//! the client who waits: a timer is set only as long as that is there, and whoever takes it to give
//! the answer takes the timer along.
//!
//! While the device has no power no timer runs (rule [OID-63]). The time begins anew when the power
//! is back.
//!
//! [OID-63]: ndis_sys::rules#OID-63

use super::{
    Adapter, WanMiniport,
    call::Call,
    state::{CallCore, Deadline, Waiting},
};
use crate::Status;
use ndis_co::{
    irql::{Irql, UpToDispatch},
    mem::Arc,
    power::PowerState,
    tapi::Disconnect,
    timer::{Expire, Timer},
};

impl<W: WanMiniport> Deadline<W> {
    /// The time does not count any more. How many expiries come all the same: one that is under way on
    /// another processor cannot be taken back.
    fn stop(&mut self) -> u32 {
        let comes = self.runs && !self.timer.cancel();
        self.runs = false;
        u32::from(comes)
    }

    fn run(&mut self, core: &Arc<CallCore<W>>) {
        self.timer.set(core, self.milliseconds);
        self.runs = true;
    }
}

impl<W: WanMiniport, P> Waiting<W, P> {
    fn stop(&mut self) {
        let comes = self.deadline.as_mut().map_or(0, Deadline::stop);
        self.overtaken = self.overtaken.saturating_add(comes);
    }

    /// The time begins, or begins anew, unless the device has no power.
    fn begin(&mut self, call: &Call<W>) {
        self.stop();
        if let Some(deadline) = &mut self.deadline {
            deadline.run(call.shared_core());
        }
        // Afterwards: who takes the power away says so first, and then comes by here.
        if call.adapter().is_asleep() {
            self.stop();
        }
    }

    /// A time is up; whether it is the one that holds. If not, that begins anew: of two expiries of a
    /// timer that are due there may be one run.
    fn is_up(&mut self, core: &Arc<CallCore<W>>) -> bool {
        if self.overtaken == 0 {
            return true;
        }
        self.overtaken = self.overtaken.saturating_sub(1);
        if let Some(deadline) = self.deadline.as_mut().filter(|deadline| deadline.runs) {
            deadline.run(core);
        }
        false
    }
}

impl<W: WanMiniport> Expire for CallCore<W> {
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let waiting = this.dialing.with(irql, |waiting, _| {
            if waiting.as_mut().is_some_and(|it| it.is_up(this)) {
                waiting.take()
            } else {
                None
            }
        });
        if let Some(waiting) = waiting {
            waiting.waits.refuse(Disconnect::NoAnswer.status(), irql);
        }
    }
}

/// The timer of a call that is about to be dialled.
pub(super) fn timer<W: WanMiniport>(adapter: &Adapter<W>) -> Result<Timer<CallCore<W>>, Status> {
    Timer::try_new(adapter.scope())
}

/// Whoever waits has so many milliseconds from now; whether anybody does.
pub(super) fn begin<W: WanMiniport>(
    call: &Call<W>,
    timer: Timer<CallCore<W>>,
    milliseconds: u32,
    irql: &mut impl Irql,
) -> bool {
    let deadline = Deadline {
        timer,
        milliseconds,
        runs: false,
    };
    let unused = call.core().dialing.with(irql, |waiting, _| {
        let Some(waiting) = waiting else {
            return Err(deadline);
        };
        waiting.stop();
        let before = waiting.deadline.replace(deadline);
        waiting.begin(call);
        Ok(before)
    });
    // Not under the lock.
    unused.map(drop).is_ok()
}

/// The device loses its power, or has it back.
pub(super) fn set_power<W: WanMiniport>(
    adapter: &Adapter<W>,
    state: PowerState,
    irql: &mut UpToDispatch,
) {
    let sleeps = state != PowerState::D0;
    adapter.set_asleep(sleeps);
    let mut calls = adapter.calls();
    while let Some(call) = calls.next(irql) {
        call.core().dialing.with(irql, |waiting, _| match waiting {
            Some(waiting) if sleeps => waiting.stop(),
            Some(waiting) => waiting.begin(&call),
            None => {}
        });
    }
}

impl<W: WanMiniport> Call<W> {
    /// A dialled call is to be answered within so many milliseconds from now, whatever was said
    /// before. When nobody has answered it by then, the module refuses it with
    /// [`Disconnect::NoAnswer`], and [`WanMiniport::failed`] is next.
    ///
    /// A network that says that the other end rings may give it more time by this.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when it is not dialled any more; [`Status::RESOURCES`], and the time that
    /// was stated before stays.
    pub fn answer_within(&self, milliseconds: u32, irql: &mut impl Irql) -> Result<(), Status> {
        let timer = timer(self.adapter())?;
        if begin(self, timer, milliseconds, irql) {
            Ok(())
        } else {
            Err(Status::CLOSING)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Answer, Initialized,
        wan::{Dial, Frames, LinkParams, NewWan, Speeds, lines::Place, state::Direction},
    };
    use ndis_co::irql::Passive;
    use ndis_host::Host;

    /// A driver of which nothing but its calls is there.
    struct Nowhere;

    impl WanMiniport for Nowhere {
        type Adapter = ();
        type Call = ();

        fn initialize<'i>(
            &self,
            _: NewWan<'i, Self>,
            _: &mut Passive,
        ) -> Result<Initialized<'i>, Status> {
            Err(Status::FAILURE)
        }

        fn dial<'r>(&self, dial: Dial<'r, Self>, _: &mut UpToDispatch) -> Answer<'r> {
            dial.refuse(Disconnect::NoAnswer)
        }

        fn send(&self, _: &Call<Self>, frames: Frames<Self>, irql: &mut UpToDispatch) {
            frames.complete(Status::FAILURE, irql);
        }
    }

    fn core() -> Arc<CallCore<Nowhere>> {
        let place = Place {
            line: 0,
            address: 0,
            index: 0,
        };
        let params = LinkParams::new(Speeds::both(64_000), 4);
        CallCore::try_new((), place, Direction::Outgoing, params).expect("there is memory")
    }

    /// An expiry that was under way when its time was taken back says nothing of the time that holds
    /// now: each of them is passed over once, and the next one counts.
    #[test]
    fn an_expiry_that_was_overtaken_does_not_refuse() {
        let host = Host::builder().build();
        let core = core();
        let mut waiting = Waiting::<Nowhere, ()> {
            waits: (),
            deadline: None,
            overtaken: 2,
        };
        assert!(!waiting.is_up(&core));
        // Nothing was set, so nothing is under way.
        waiting.stop();
        assert!(!waiting.is_up(&core));
        assert!(waiting.is_up(&core));
        assert!(waiting.is_up(&core), "no more were");
        drop(core);
        assert!(host.finish().is_clean());
    }
}
