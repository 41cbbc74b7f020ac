//! What the work item of an end does: has the line ring that is called, and carries frames to the
//! other end.
//!
//! It runs at PASSIVE_LEVEL with no lock held, one at a time for each end. So nothing is delivered
//! from within a request, frames keep their order, and two ends that answer each frame with
//! another do not nest.

use crate::{
    NullModem,
    leg::{Called, Half, Leg},
};
use ndis_co::{Status, irql::Passive, mem::Arc, tapi::Disconnect, work::Work};
use ndis_mcm::wan::{Call, Frames, Offer};

impl Work for Half {
    fn run(this: &Arc<Self>, irql: &mut Passive) {
        let busy = this.state.with(irql, |state, _| {
            state.again |= state.pumping;
            core::mem::replace(&mut state.pumping, true)
        });
        if busy {
            return;
        }
        loop {
            this.place_call(irql);
            this.carry(irql);
            let again = this.state.with(irql, |state, _| {
                state.pumping = state.again;
                core::mem::take(&mut state.again)
            });
            if !again {
                return;
            }
        }
    }
}

/// What becomes of the next frames.
enum Next {
    /// There are none, or the other end is not ready.
    Wait,
    Carry(Frames<NullModem>, Call<NullModem>),
    /// Nobody is there any more.
    Fail(Frames<NullModem>),
}

impl Half {
    /// Has the line ring that the application here calls.
    fn place_call(&self, irql: &mut Passive) {
        let (called, rings) = self
            .state
            .with(irql, |state, _| (state.called.take(), state.rings));
        let Some(called) = called.filter(|_| rings) else {
            return;
        };
        if let Err(status) = ring(&called, irql) {
            called.caller.stop_ringing(irql);
            called.caller.refuse(reason(status), irql);
        }
    }

    /// Carries frames to the other end as long as that takes them.
    fn carry(&self, irql: &mut Passive) {
        loop {
            match self.next(irql) {
                Next::Wait => return,
                Next::Carry(frames, far) => carry(frames, &far, irql),
                Next::Fail(frames) => frames.complete(Status::VC_NOT_ACTIVATED, irql),
            }
        }
    }

    fn next(&self, irql: &mut Passive) -> Next {
        // An end that goes takes itself off, and has this run again; so does one that is connected,
        // or whose adapter runs again.
        let far = self.far(irql);
        let ready = |far: &Call<NullModem>| far.is_connected() && far.adapter().is_running();
        if far.as_ref().is_some_and(|far| !ready(far)) {
            return Next::Wait;
        }
        let frames = self.state.with(irql, |state, _| state.queue.remove(0));
        match (frames, far) {
            (None, _) => Next::Wait,
            (Some(frames), Some(far)) => Next::Carry(frames, far),
            (Some(frames), None) => Next::Fail(frames),
        }
    }
}

/// Has a line ring for a call that is dialled at the other end.
fn ring(called: &Called, irql: &mut Passive) -> Result<(), Status> {
    let Called {
        caller,
        adapter,
        line,
    } = called;
    let line = *line;
    let leg = Leg::try_new(Some(caller.downgrade()?), adapter.scope())?;
    let from = caller.adapter().prefix().line(caller.line());
    let number = adapter.prefix().line(line);
    let offer = Offer {
        line,
        caller: from.as_str(),
        called: number.as_str(),
        params: Some(adapter.params(caller.adapter())),
        ..Offer::default()
    };
    let call = adapter.offer(&offer, leg, irql)?;
    match caller.join(&call, irql) {
        Ok(true) => Ok(()),
        Ok(false) => {
            // The caller has given up meanwhile; or the call has ended here already.
            let _ = call.hang_up(Disconnect::NoAnswer, irql);
            Ok(())
        }
        Err(status) => {
            let _ = call.hang_up(Disconnect::Congestion, irql);
            Err(status)
        }
    }
}

/// Hands frames up at the other end, without copying them: they are given back when all of them
/// have come back from there. What that end does not take is lost, as on any cable: it was sent.
fn carry(frames: Frames<NullModem>, far: &Call<NullModem>, irql: &mut Passive) {
    if let Err(refused) = frames.forward(far, irql) {
        far.lost(refused.frames.iter().count() as u64);
        refused.frames.complete(Status::SUCCESS, irql);
    }
}

/// Why nobody can be called, as TAPI has it.
fn reason(status: Status) -> Disconnect {
    match status {
        Status::INVALID_SAP => Disconnect::Unreachable,
        Status::TAPI_CALLUNAVAIL => Disconnect::Busy,
        Status::RESOURCES => Disconnect::Congestion,
        Status::CLOSING => Disconnect::Unavailable,
        other => Disconnect::from_status(other).unwrap_or(Disconnect::Unknown),
    }
}
