//! What the work item of an end does: has the line ring that is called, and carries frames to the
//! other end.
//!
//! It runs at PASSIVE_LEVEL with no lock held, one at a time for each end. So nothing is delivered
//! from within a request, frames keep their order, and two ends that answer each frame with
//! another do not nest.

use crate::{
    NullModem,
    leg::{Half, Leg},
};
use ndis_co::{
    Status, irql::Passive, mem::Arc, nbl::Parent, tapi::Disconnect, wan::FrameErrors, work::Work,
};
use ndis_mcm::wan::{Adapter, Call, Frames, Offer};

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
        let called = self.state.with(irql, |state, _| state.called.take());
        let (Some((adapter, line)), Some(caller)) = (called, self.waiting(irql)) else {
            return;
        };
        let status = match ring(&adapter, line, &caller, irql) {
            Ok(()) => return,
            Err(status) => status,
        };
        if let Some(dialing) = self.take_caller(irql) {
            dialing.refuse(reason(status), irql);
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
        // An end that goes takes itself off, and has this run again.
        let far = self.far(irql);
        if far.as_ref().is_some_and(|far| !far.is_connected()) {
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
fn ring(
    adapter: &Adapter<NullModem>,
    line: u32,
    caller: &Call<NullModem>,
    irql: &mut Passive,
) -> Result<(), Status> {
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
    let known = adapter.calls().add(&call, irql);
    match known.and_then(|()| caller.join(&call, irql)) {
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
    let count = frames.iter().count();
    let parent = match Parent::try_new(frames.into_lists()) {
        Ok(parent) => parent,
        Err(refused) => {
            lose(far, count, irql);
            return refused.original.complete(Status::SUCCESS, irql);
        }
    };
    match parent.allocate_packet_clones(far.adapter().pool()) {
        Ok(clones) => {
            if let Err(refused) = far.receive_lists(clones, irql) {
                refused.lists.free(irql);
                lose(far, count, irql);
            }
        }
        Err(_) => lose(far, count, irql),
    }
    // With clones under way, the last of them completes it.
    if let Ok(lists) = parent.into_original() {
        lists.complete(Status::SUCCESS, irql);
    }
}

/// Counts frames that an end could not take; NDISWAN hears of them there.
fn lose(far: &Call<NullModem>, frames: usize, irql: &mut Passive) {
    for _ in 0..frames {
        far.damaged(FrameErrors::BUFFER_OVERRUN, irql);
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
