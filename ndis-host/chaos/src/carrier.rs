//! What carries data on VCs, whatever VCs these are: a call manager's that is the miniport, or those
//! of a miniport that is none.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents,
    device::Board,
    frame::{self, End},
    indications, oids,
    stash::Stash,
    world::{Job, World},
};
use ndis_co::{
    Status,
    irql::UpToDispatch,
    nbl::{NetBufferListPool, NetBufferLists, Parent},
    oid::RequestId,
    sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION,
    wan::LinkParameters,
};
use ndis_mcm::{Channel, IndicateError, Miniport, PendingOidRequest, device::Device};
use std::sync::Arc;

type SendLists<V> = ndis_co::channel::SendLists<V>;

/// A VC of a random miniport's.
pub(crate) trait Wire: Channel {
    type Miniport: Miniport;
    /// Why nothing may be indicated when its data are over.
    const OVER: &str;

    fn end(&self) -> &End;
    fn place(&self) -> u32;
    fn pool(&self) -> &NetBufferListPool;
    fn indicate(&self, lists: NetBufferLists, irql: &mut UpToDispatch)
    -> Result<(), IndicateError>;
    /// Which of its ends it was at which its data were over, if they are.
    fn over(&self) -> Option<u32>;
    /// Indicates a status, of any kind or of the line.
    fn say(&self, code: Status, data: &[u8], irql: &mut UpToDispatch) -> Result<(), Status>;
    fn say_line(&self, line: &LinkParameters, irql: &mut UpToDispatch) -> Result<(), Status>;
    /// The VC that is at the other end.
    fn joined(&self, vcs: &Stash<Self>) -> Option<Self>;
}

/// The lists of a driver's VCs.
pub(crate) struct Carrier<V: Wire> {
    world: Arc<World>,
    vcs: Arc<Stash<V>>,
    sends: Stash<SendLists<V>>,
    returned: Stash<NetBufferLists>,
    parents: Stash<Parent<SendLists<V>>>,
    requests: Stash<PendingOidRequest<V::Miniport>>,
    pub(crate) devices: Stash<Device<Board>>,
}

impl<V: Wire> Carrier<V> {
    pub(crate) fn new(world: &Arc<World>, vcs: &Arc<Stash<V>>) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            vcs: vcs.clone(),
            sends: Stash::new(),
            returned: Stash::new(),
            parents: Stash::new(),
            requests: Stash::new(),
            devices: Stash::new(),
        })
    }

    pub(crate) fn let_go_first(self: &Arc<Self>, place: u32, irql: &mut UpToDispatch) {
        for lists in self.sends.close(place) {
            self.complete(lists, irql);
        }
        for request in self.requests.close(place) {
            oids::reply(&self.world, request, irql);
        }
    }

    pub(crate) fn let_go_then(&self, place: u32) {
        drop(self.devices.close(place));
        drop(self.parents.close(place));
        drop(self.returned.close(place));
    }

    /// The adapter is reset: what is kept of it is over.
    pub(crate) fn abort(&self, place: u32, irql: &mut UpToDispatch) {
        for lists in self.sends.take_all_of(place) {
            self.fate(&lists, Status::REQUEST_ABORTED);
            lists.complete(Status::REQUEST_ABORTED, irql);
        }
        for request in self.requests.take_all_of(place) {
            request.refuse(Status::REQUEST_ABORTED, irql);
        }
    }

    /// An act that is about data, or none.
    pub(crate) fn act(self: &Arc<Self>, act: Act, irql: &mut UpToDispatch) {
        let world = &self.world;
        match act {
            Act::ManagerIndicate => {
                if let Some(vc) = self.vcs.any(world) {
                    self.indicate(&vc, irql);
                }
            }
            Act::IndicateVc => {
                if let Some(vc) = self.vcs.any(world) {
                    tell(world, &vc, irql);
                }
            }
            Act::OidHeld => {
                if let Some((_, request)) = self.requests.take_any(world) {
                    world.did(act);
                    oids::reply(world, request, irql);
                }
            }
            Act::DeviceDrop => {
                if let Some((_, device)) = self.devices.take_any(world) {
                    world.did(act);
                    drop(device);
                }
            }
            Act::SendNow => {
                if let Some((_, lists)) = self.sends.take_any(world) {
                    self.complete(lists, irql);
                }
            }
            Act::ReturnedAgain => {
                if let Some(vc) = self.vcs.any(world)
                    && let Some(lists) = self.returned.take_of(vc.place())
                {
                    if world.dares(Act::OwnRelay, 1, 3) {
                        let up = |clones| self.up(&vc, clones, irql);
                        drop(frame::relay(world, lists, vc.pool(), up));
                    } else {
                        world.did(Act::ReturnedAgain);
                        vc.end()
                            .send_again(world, lists, |lists| self.up(&vc, lists, irql));
                    }
                }
            }
            _ => {}
        }
    }

    /// Keeps a request until it is cancelled, or somebody comes upon it.
    pub(crate) fn hold_request(
        self: &Arc<Self>,
        place: u32,
        request: PendingOidRequest<V::Miniport>,
    ) -> Option<PendingOidRequest<V::Miniport>> {
        let long = request.timeout().is_some();
        let number = match self.requests.put(place, request) {
            Ok(number) => number,
            Err(request) => return Some(request),
        };
        let carrier = self.clone();
        self.world.spawn("request sweeper", move |irql| {
            if long {
                carrier.world.wait_long(irql);
            } else {
                carrier.world.wait(irql);
            }
            if let Some(request) = carrier.requests.take(number) {
                oids::reply(&carrier.world, request, irql);
            }
        });
        None
    }

    /// Requests of this id are waited for no longer.
    pub(crate) fn cancel(&self, id: RequestId, irql: &mut UpToDispatch) {
        while let Some(request) = self.requests.take_the(|request| request.id() == Some(id)) {
            self.world.did(Act::OidCancelled);
            request.refuse(Status::REQUEST_ABORTED, irql);
        }
    }

    pub(crate) fn indicate(&self, vc: &V, irql: &mut UpToDispatch) {
        let world = &self.world;
        let count = 1 + world.below(3);
        let sent = vc
            .end()
            .send(world, vc.pool(), count, |lists| self.up(vc, lists, irql));
        if sent {
            world.did(Act::ManagerIndicate);
        }
    }

    /// Indicates lists, and checks that this is not possible any more once the VC's data are over.
    fn up(
        &self,
        vc: &V,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), NetBufferLists> {
        let over = vc.over();
        match vc.indicate(lists, irql) {
            Ok(()) if over.is_some() && self.world.allows(Act::IndicateAnnounced) => {
                // Or it is used once more.
                if vc.over() == over {
                    self.world.found(V::OVER);
                }
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(refused) => {
                if over.is_some() {
                    self.world.did(Act::IndicateAnnounced);
                }
                self.world.failure("indicate_receive", refused.status);
                Err(refused.lists)
            }
        }
    }

    /// Lists have arrived to be sent.
    pub(crate) fn arrived(&self, vc: &V, lists: &SendLists<V>) {
        let frames = frame::keys(&self.world, "sent", lists.iter());
        vc.end().arrived(&self.world, "sent", &frames);
    }

    /// Completes them, now or some time; `later` has something done later.
    pub(crate) fn carry(
        self: &Arc<Self>,
        lists: SendLists<V>,
        irql: &mut UpToDispatch,
        later: impl FnOnce(Job, &mut UpToDispatch),
    ) {
        let world = &self.world;
        if !world.chance(world.temper.pend, 16) {
            return self.complete(lists, irql);
        }
        if world.chance(1, 2) {
            world.did(Act::SendLater);
            let carrier = self.clone();
            later(Box::new(move |irql| carrier.complete(lists, irql)), irql);
        } else {
            world.did(Act::SendHold);
            let place = lists.vc().place();
            agents::hold(
                self,
                world,
                |carrier| &carrier.sends,
                place,
                lists,
                irql,
                |carrier, lists, irql| carrier.complete(lists, irql),
            );
        }
    }

    /// Lists that were indicated are back.
    pub(crate) fn returned(&self, place: u32, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let world = &self.world;
        let (own, clones) = frame::come_home(world, "returned", lists, |_, _, _| {});
        if let Some(clones) = clones {
            // What they were made from is waited for.
            self.free(clones, irql);
        }
        if let Some(own) = own {
            if world.chance(1, 3) {
                world.did(Act::ReturnedHold);
                let _ = self.returned.put(place, own);
            } else {
                world.did(Act::ReturnedDrop);
                self.free(own, irql);
            }
        }
        if world.pong()
            && let Some(vc) = self.vcs.any(world)
        {
            self.indicate(&vc, irql);
        }
    }

    fn free(&self, lists: NetBufferLists, irql: &mut UpToDispatch) {
        if self.world.dares(Act::ListsFree, 1, 2) {
            lists.free(irql);
        } else {
            drop(lists);
        }
    }

    /// Gives sent lists back, one way or another.
    pub(crate) fn complete(self: &Arc<Self>, mut lists: SendLists<V>, irql: &mut UpToDispatch) {
        let world = &self.world;
        if world.temper.pongs > 0 {
            // Whatever leaves it to another stack would spoil the game.
            return self.complete_now(lists, irql);
        }
        match world.decide(&[
            (4, Act::SendNow),
            (1, Act::SendDrop),
            (2, Act::SendSplit),
            (1, Act::SendAppend),
            (2, Act::SendRelay),
        ]) {
            Act::SendRelay => self.relay(lists, irql),
            Act::SendDrop => {
                self.fate(&lists, Status::FAILURE);
                drop(lists);
            }
            Act::SendSplit => {
                let front = lists.split_front(1 + world.below(2) as usize);
                let (first, second) = if world.chance(1, 2) {
                    (front, lists)
                } else {
                    (lists, front)
                };
                self.complete_now(first, irql);
                self.complete_now(second, irql);
            }
            Act::SendAppend => match self.sends.take_any(world) {
                Some((_, more)) => match lists.append(more) {
                    Ok(()) => self.complete_now(lists, irql),
                    Err(others) => {
                        self.complete_now(others, irql);
                        self.complete_now(lists, irql);
                    }
                },
                None => self.complete_now(lists, irql),
            },
            _ => self.complete_now(lists, irql),
        }
    }

    /// Indicates what was sent on a call, the same one or another, uncopied.
    fn relay(self: &Arc<Self>, lists: SendLists<V>, irql: &mut UpToDispatch) {
        let world = &self.world;
        let (from, place) = (lists.vc().clone(), lists.vc().place());
        let joined = from.joined(&self.vcs);
        let to = joined.or_else(|| self.vcs.any(world)).unwrap_or(from);
        let pool = to.pool();
        match frame::relay(world, lists, pool, |clones| self.up(&to, clones, irql)) {
            Ok(parent) => self.dispose(place, parent, irql),
            Err(lists) => self.complete_now(lists, irql),
        }
    }

    fn dispose(
        self: &Arc<Self>,
        place: u32,
        parent: Parent<SendLists<V>>,
        irql: &mut UpToDispatch,
    ) {
        match self.world.choose(&[
            (2, Act::ParentDrop),
            (1, Act::ParentHold),
            (2, Act::ParentBack),
        ]) {
            Act::ParentHold => {
                self.world.did(Act::ParentHold);
                agents::hold(
                    self,
                    &self.world,
                    |x| &x.parents,
                    place,
                    parent,
                    irql,
                    |x, parent, _| {
                        frame::keys(&x.world, "a parent that was held", parent.iter());
                        drop(parent);
                    },
                );
            }
            Act::ParentBack => match parent.into_original() {
                Ok(lists) => {
                    self.world.did(Act::ParentBack);
                    self.complete_now(lists, irql);
                }
                Err(parent) => drop(parent),
            },
            _ => {
                self.world.did(Act::ParentDrop);
                drop(parent);
            }
        }
    }

    fn complete_now(&self, lists: SendLists<V>, irql: &mut UpToDispatch) {
        let status = if self.world.chance(3, 4) {
            Status::SUCCESS
        } else {
            self.world.status()
        };
        // What is no success is told as a failure.
        self.fate(&lists, status.as_final());
        lists.complete(status, irql);
    }

    /// Notes with what the lists are completed, and that they are still whole.
    fn fate(&self, lists: &SendLists<V>, status: Status) {
        for (key, _) in frame::keys(&self.world, "held by the miniport", lists.iter()) {
            self.world.frame_fate(key, status);
        }
    }
}

/// Indicates a status of a VC.
fn tell<V: Wire>(world: &World, vc: &V, irql: &mut UpToDispatch) {
    if world.chance(1, 2) {
        let code = Status::from_raw(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
        let result = vc.say(code, &indications::data(world), irql);
        indications::said(world, Act::IndicateVc, result);
        return;
    }
    let line = LinkParameters {
        transmit_speed: world.below(9000),
        receive_speed: world.below(9000),
        send_window: world.below(8),
    };
    indications::said(world, Act::IndicateLine, vc.say_line(&line, irql));
}
