//! [`Leg`]: what is kept for one end of a call.
//!
//! Either end knows the other one without keeping it, so either may go first. Who ends takes
//! itself off the other end, and tells it.

use crate::{NullModem, settings::WINDOW};
use ndis_co::{
    Status,
    irql::{Irql, NoLock},
    lock::SpinLock,
    mem::{Arc, Vec},
    scope::Scope,
    tapi::Disconnect,
    work::WorkItem,
};
use ndis_mcm::wan::{Adapter, Call, Frames, WeakCall};

/// One end of a call.
#[derive(Debug)]
pub struct Leg {
    pub(crate) half: Arc<Half>,
    pump: WorkItem<Half>,
}

/// What the work item works on.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) state: SpinLock<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    /// The other end, from when it is known to the end of either.
    pub(crate) far: Option<WeakCall<NullModem>>,
    /// The line that is to ring, until the work item has seen to that.
    pub(crate) called: Option<Called>,
    /// The application here waits until somebody answers.
    pub(crate) rings: bool,
    /// Frames from this end that are on their way, in order.
    pub(crate) queue: Vec<Frames<NullModem>>,
    /// The work item is at it.
    pub(crate) pumping: bool,
    /// Something has changed meanwhile.
    pub(crate) again: bool,
    /// The call has ended here.
    over: bool,
}

/// A line that is to ring.
#[derive(Debug)]
pub(crate) struct Called {
    /// For this very call, which is kept for so long.
    pub(crate) caller: Call<NullModem>,
    pub(crate) adapter: Adapter<NullModem>,
    pub(crate) line: u32,
}

impl Leg {
    /// An end of a call; of one that comes in, with the end that calls.
    pub(crate) fn try_new(far: Option<WeakCall<NullModem>>, scope: &Scope) -> Result<Self, Status> {
        let mut queue = Vec::new(crate::TAG);
        queue.try_reserve(WINDOW as usize)?;
        let state = State {
            far,
            called: None,
            rings: false,
            queue,
            pumping: false,
            again: false,
            over: false,
        };
        let half = Half {
            state: SpinLock::new(state),
        };
        Ok(Self {
            half: Arc::try_new(half, crate::TAG)?,
            pump: WorkItem::try_new(scope)?,
        })
    }

    /// Has the work item look at what is to be done here.
    pub(crate) fn wake(&self) {
        self.pump.queue(&self.half);
    }

    // The caller.

    /// Has a line ring for the application that dials here: `caller` is the call of this end.
    pub(crate) fn ring(
        &self,
        caller: &Call<NullModem>,
        (adapter, line): (Adapter<NullModem>, u32),
        irql: &mut impl Irql,
    ) {
        let called = Called {
            caller: caller.clone(),
            adapter,
            line,
        };
        let left = self.half.state.with(irql, move |state, _| {
            if state.over {
                // The adapter goes.
                return Some(called);
            }
            state.rings = true;
            state.called.replace(called)
        });
        drop(left);
        self.wake();
    }

    /// Whether the application here waits for an answer; from now on it does not.
    pub(crate) fn stop_ringing(&self, irql: &mut impl Irql) -> bool {
        self.half
            .state
            .with(irql, |state, _| core::mem::take(&mut state.rings))
    }

    // Both ends.

    /// The other end, as long as there is one.
    pub(crate) fn far(&self, irql: &mut impl Irql) -> Option<Call<NullModem>> {
        self.half.far(irql)
    }

    /// The other end is this one. Whether this end still is.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub(crate) fn join(&self, far: &Call<NullModem>, irql: &mut impl Irql) -> Result<bool, Status> {
        let far = far.downgrade()?;
        let (joined, before) = self.half.state.with(irql, |state, _| {
            if state.over {
                (false, Some(far))
            } else {
                (true, state.far.replace(far))
            }
        });
        drop(before);
        Ok(joined)
    }

    /// The other end is no more: frames for it come back.
    fn unlink(&self, irql: &mut impl Irql) {
        let far = self.half.state.with(irql, |state, _| state.far.take());
        drop(far);
        self.wake();
    }

    /// This end is over: gives back the frames that are on their way, and tells the other end why.
    pub(crate) fn end(&self, why: Disconnect, irql: &mut impl NoLock) {
        let (far, called) = self.half.state.with(irql, |state, _| {
            state.over = true;
            state.rings = false;
            (state.far.take(), state.called.take())
        });
        drop(called);
        self.give_back(Status::VC_NOT_ACTIVATED, irql);
        let Some(far) = far.and_then(|far| far.upgrade()) else {
            return;
        };
        far.unlink(irql);
        // It ends already: nothing is left to tell.
        let _ = far.hang_up(why, irql);
    }

    // Frames.

    /// Puts frames on their way. What the window does not allow, or comes too late, is failed.
    pub(crate) fn send(&self, frames: Frames<NullModem>, irql: &mut impl NoLock) {
        let refused = self.half.state.with(irql, move |state, _| {
            let status = if state.over {
                Status::VC_NOT_ACTIVATED
            } else if !frames.call().adapter().is_running() {
                Status::PAUSED
            } else if state.queue.len() >= WINDOW as usize {
                Status::RESOURCES
            } else {
                // There is room.
                let _ = state.queue.try_push(frames);
                return None;
            };
            Some((frames, status))
        });
        match refused {
            Some((frames, status)) => frames.complete(status, irql),
            None => self.wake(),
        }
    }

    /// Gives back the frames that are on their way.
    pub(crate) fn give_back(&self, status: Status, irql: &mut impl NoLock) {
        let take = |state: &mut State, _: &mut _| state.queue.remove(0);
        while let Some(frames) = self.half.state.with(irql, take) {
            frames.complete(status, irql);
        }
    }
}

impl Half {
    pub(crate) fn far(&self, irql: &mut impl Irql) -> Option<Call<NullModem>> {
        self.state
            .with(irql, |state, _| state.far.clone())?
            .upgrade()
    }
}
