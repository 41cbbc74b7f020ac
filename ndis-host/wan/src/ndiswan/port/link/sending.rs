//! Sending frames: in order, and no more at a time than the window.

use super::{Link, Stage};
use crate::ndiswan::{
    Ppp,
    frame::{Header, LCP},
};
use ndis_co::{
    Status,
    irql::{NoLock, UpToDispatch},
    mem::{Arc, Vec},
    nbl::{NetBufferList, NetBufferLists},
};

/// What has gone over a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that were sent, and came back with success.
    pub sent: u32,
    /// Frames that came back with a failure, or could not be sent.
    pub failed: u32,
    /// Frames that have arrived.
    pub received: u32,
    /// Packets that have arrived, and were no frames.
    pub damaged: u32,
    /// Frames that are under way.
    pub under_way: u32,
    /// The most of them that there were at a time.
    pub most_under_way: u32,
}

/// What waits to be sent.
pub(super) struct Queue {
    frames: Vec<NetBufferList>,
    /// Somebody is sending: frames leave one by one.
    pumping: bool,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            frames: Vec::new(crate::ndiswan::TAG),
            pumping: false,
        }
    }

    pub(super) fn clear(&mut self) -> Vec<NetBufferList> {
        self.frames.take()
    }
}

impl<P: Ppp> Link<P> {
    /// Sends a frame; when the window is full, or as long as the link is not set up, it waits.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when the call is over, [`Status::INVALID_LENGTH`] for more bytes than
    /// the link takes, [`Status::RESOURCES`].
    pub fn send(
        this: &Arc<Self>,
        protocol: u16,
        payload: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let set = this.state.with(irql, |state, _| {
            (state.stage != Stage::Over).then_some(state.view.set)
        });
        let set = set.ok_or(Status::CLOSING)?;
        // Until it is set it is in PPP framing (rule WAN-06).
        let framing = set.map_or(ndis_co::wan::Framing::PPP, |set| set.send_framing);
        if let Ok(set) = set
            && payload.len() > set.max_send_frame_size as usize
            && protocol != LCP
        {
            return Err(Status::INVALID_LENGTH);
        }
        let header = Header::new(protocol, framing);
        let bytes = header.bytes();
        let len = bytes.len().saturating_add(payload.len());
        let mut list = this.port.pool.allocate(len)?;
        list.fill(len, |room| {
            for (to, from) in room.iter_mut().zip(bytes.iter().chain(payload)) {
                *to = *from;
            }
            Ok(())
        })?;
        let unused = this.state.with(irql, |state, _| {
            if state.stage == Stage::Over {
                return Err((Status::CLOSING, Some(list)));
            }
            let pushed = state.queue.frames.try_push(list);
            pushed.map_err(|none| (Status::from(none), None))
        });
        match unused {
            Ok(()) => {
                Self::pump(this, irql.up_to_dispatch());
                Ok(())
            }
            Err((status, list)) => {
                drop(list);
                Err(status)
            }
        }
    }

    /// Sends what waits, as far as the window lets it.
    pub(in crate::ndiswan::port) fn pump(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let mut mine = false;
        loop {
            let next = this.state.with(irql, |state, _| {
                if state.queue.pumping && !mine {
                    // Who pumps sees what has changed.
                    return None;
                }
                let up = matches!(state.stage, Stage::Telling | Stage::Up);
                let room = state.view.counts.under_way < state.view.window;
                let vc = state.vc.clone().filter(|_| up && room);
                let next = vc.and_then(|vc| Some((state.queue.frames.remove(0)?, vc)));
                state.queue.pumping = next.is_some();
                if next.is_some() {
                    let counts = &mut state.view.counts;
                    counts.under_way = counts.under_way.saturating_add(1);
                    counts.most_under_way = counts.most_under_way.max(counts.under_way);
                }
                next
            });
            let Some((list, vc)) = next else {
                if mine {
                    this.ppp().changed(this, irql);
                }
                return;
            };
            mine = true;
            let Err(refused) = vc.send(NetBufferLists::from(list), irql) else {
                continue;
            };
            // While the binding is paused it waits; else it is lost with the call.
            let waits = refused.status == Status::PAUSED;
            let list = refused.lists.into_iter().next();
            let lost = this.state.with(irql, |state, _| {
                let counts = &mut state.view.counts;
                counts.under_way = counts.under_way.saturating_sub(1);
                let mut lost = list;
                if waits {
                    // There is room where it was taken out.
                    if let Some(list) = lost.take()
                        && state.queue.frames.try_push(list).is_ok()
                    {
                        let len = state.queue.frames.len();
                        for place in (1..len).rev() {
                            state.queue.frames.swap(place, place - 1);
                        }
                    }
                    state.queue.pumping = false;
                } else {
                    counts.failed = counts.failed.saturating_add(1);
                }
                lost
            });
            drop(lost);
            if waits {
                return this.ppp().changed(this, irql);
            }
        }
    }

    /// Frames come back.
    pub(in crate::ndiswan) fn sent(
        this: &Arc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) {
        let (mut good, mut bad) = (0_u32, 0_u32);
        for list in lists.iter() {
            if list.status().is_success() {
                good = good.saturating_add(1);
            } else {
                bad = bad.saturating_add(1);
            }
        }
        lists.free(irql);
        this.state.with(irql, |state, _| {
            let counts = &mut state.view.counts;
            counts.sent = counts.sent.saturating_add(good);
            counts.failed = counts.failed.saturating_add(bad);
            counts.under_way = counts.under_way.saturating_sub(good.saturating_add(bad));
        });
        this.ppp().changed(this, irql);
        Self::pump(this, irql);
    }
}
