//! A miniport of safe code in the role `CoMiniport`: VCs on one channel are joined, and a VC
//! alone on its channel hears itself. How it answers is the test's to say.

use ndis_co::{
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferList, NetBufferListPool, NetBufferLists, fields::Side},
    params::{CallParameters, FlowSpec, Rounding},
};
use ndis_mcm::{
    Adapter, Answer, Attributes, Carry, CoMiniport, Initialize, Initialized, Miniport, New,
    OidRequest, PendingOidRequest, Status,
    co::{
        ActivateVc, DeactivateVc, PendingActivateVc, PendingDeactivateVc, SendLists, Vc,
        VcMiniport, WeakVc,
    },
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// How a request is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    Now,
    /// By a pending token, within the handler.
    Within,
    /// By a thread of the device's.
    Later,
    /// By dropping the pending token.
    Dropped,
    /// As a failure, at once.
    Refused,
    /// As a failure, by a thread of the device's.
    RefusedLater,
}

/// What each VC answers when it is asked anything.
pub const ANSWER: u32 = 42;

/// The driver.
#[derive(Clone)]
pub struct Wire(pub Arc<Desk>);

/// What the test and the driver both see.
pub struct Desk {
    /// How each request is answered in turn; the last one goes on.
    pub activations: Mutex<Vec<How>>,
    /// Those that change the parameters of an active VC.
    pub changes: Mutex<Vec<How>>,
    pub deactivations: Mutex<Vec<How>>,
    /// Requests about a VC.
    pub asks: Mutex<How>,
    /// What is sent is held until the VC is deactivated.
    pub holds: AtomicU32,
    /// What waits for the device's thread.
    waiting: Mutex<Vec<Waiting>>,
    pub vcs: Mutex<Vec<Vc<Wire>>>,
    /// Each that was ever active, until it is deleted; none is kept by this.
    known: Mutex<Vec<WeakVc<Wire>>>,
    held: Mutex<Vec<(Vc<Wire>, SendLists<Wire>)>>,
    pub made: AtomicU32,
    pub deleted: AtomicU32,
    pub activated: AtomicU32,
    pub changed: AtomicU32,
    pub deactivated: AtomicU32,
    pub delivered: AtomicU32,
    /// Lists that have come home.
    pub home: AtomicU32,
    pub refusals: Mutex<Vec<Status>>,
}

enum Waiting {
    Activate(PendingActivateVc<Wire>, bool),
    Deactivate(PendingDeactivateVc<Wire>),
    Ask(PendingOidRequest<Wire>),
}

impl Desk {
    pub fn new(activations: &[How], deactivations: &[How]) -> Arc<Self> {
        Arc::new(Self {
            activations: Mutex::new(activations.to_vec()),
            changes: Mutex::new(vec![How::Now]),
            deactivations: Mutex::new(deactivations.to_vec()),
            asks: Mutex::new(How::Later),
            holds: AtomicU32::new(0),
            waiting: Mutex::default(),
            vcs: Mutex::default(),
            known: Mutex::default(),
            held: Mutex::default(),
            made: AtomicU32::new(0),
            deleted: AtomicU32::new(0),
            activated: AtomicU32::new(0),
            changed: AtomicU32::new(0),
            deactivated: AtomicU32::new(0),
            delivered: AtomicU32::new(0),
            home: AtomicU32::new(0),
            refusals: Mutex::default(),
        })
    }

    /// Answers what waits; whether there was anything.
    pub fn work(&self, irql: &mut Passive) -> bool {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap());
        let some = !waiting.is_empty();
        for request in waiting {
            match request {
                Waiting::Activate(request, true) => {
                    assert!(channel(request.parameters()).is_some());
                    request.accept(irql);
                }
                Waiting::Activate(request, false) => request.refuse(Status::RESOURCES, irql),
                Waiting::Deactivate(request) => request.finish(irql),
                Waiting::Ask(request) => request.reply_u32(ANSWER, irql),
            }
        }
        some
    }

    pub fn waits(&self) -> bool {
        !self.waiting.lock().unwrap().is_empty()
    }

    /// Where the frames of this VC go.
    fn other_end(&self, vc: &Vc<Wire>) -> Option<Vc<Wire>> {
        let channel = vc.load(SeqCst);
        let vcs = self.vcs.lock().unwrap();
        let ends = || vcs.iter().filter(|end| end.load(SeqCst) == channel);
        ends()
            .find(|end| !end.is(vc))
            .or_else(|| ends().next())
            .cloned()
    }

    /// Takes out what is held of this VC.
    fn release(&self, vc: &Vc<Wire>) -> Vec<(Vc<Wire>, SendLists<Wire>)> {
        let mut held = self.held.lock().unwrap();
        held.extract_if(.., |(on, _)| on.is(vc)).collect()
    }
}

/// The next of a list of answers.
fn next(turns: &Mutex<Vec<How>>) -> How {
    let mut turns = turns.lock().unwrap();
    if turns.len() > 1 {
        turns.remove(0)
    } else {
        turns[0]
    }
}

/// The channel that call parameters name.
pub fn channel(parameters: Option<CallParameters<'_>>) -> Option<u32> {
    let specific = parameters?.media()?.specific().ok()?;
    Some(u32::from_le_bytes(specific.bytes.try_into().ok()?))
}

/// Whether call parameters ask for rounding up.
fn rounding(parameters: Option<CallParameters<'_>>) -> bool {
    let media = parameters.and_then(CallParameters::media);
    media.and_then(|media| media.rounding()) == Some(Rounding::Up)
}

/// A frame of the driver's own.
pub fn frame(adapter: &Adapter<Wire>, bytes: &[u8]) -> NetBufferList {
    let mut frame = adapter.allocate(bytes.len()).unwrap();
    frame.set_data(bytes).unwrap();
    frame
}

impl Miniport for Wire {
    type Adapter = NetBufferListPool;
    type Role = CoMiniport;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let pool = NetBufferListPool::for_receives(init.scope(), Tag::NDIS)?;
        Ok(init.adapter(pool)?.finish())
    }
}

impl VcMiniport for Wire {
    /// The channel.
    type VcContext = AtomicU32;

    fn create_vc(&self, _: &Adapter<Self>, _: &mut UpToDispatch) -> Result<AtomicU32, Status> {
        self.0.made.fetch_add(1, SeqCst);
        Ok(AtomicU32::new(u32::MAX))
    }

    fn vc_deleted(&self, vc: &Vc<Self>, _: &mut UpToDispatch) {
        assert!(!vc.is_active());
        self.0.deleted.fetch_add(1, SeqCst);
        let gone = {
            let mut vcs = self.0.vcs.lock().unwrap();
            vcs.extract_if(.., |other| other.is(vc)).collect::<Vec<_>>()
        };
        drop(gone);
        let weak = vc.downgrade().unwrap();
        let known = {
            let mut known = self.0.known.lock().unwrap();
            known
                .extract_if(.., |known| known.is(&weak))
                .collect::<Vec<_>>()
        };
        for known in known {
            assert!(known.upgrade().is_some_and(|known| known.is(vc)));
        }
    }

    fn activate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        mut request: ActivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let Some(channel) = channel(request.parameters()) else {
            return request.refuse(Status::INVALID_DATA);
        };
        assert_eq!(request.is_change(), vc.is_active());
        let turns = if request.is_change() {
            self.0.changed.fetch_add(1, SeqCst);
            &self.0.changes
        } else {
            self.0.activated.fetch_add(1, SeqCst);
            vc.store(channel, SeqCst);
            let weak = vc.downgrade().unwrap();
            self.0.vcs.lock().unwrap().push(vc.clone());
            self.0.known.lock().unwrap().push(weak);
            &self.0.activations
        };
        let how = next(turns);
        let rounds = rounding(request.parameters());
        let rate = |rate| FlowSpec {
            token_rate: rate,
            ..FlowSpec::best_effort(1500)
        };
        if how == How::Now {
            let rounded = request.round(rate(1000), rate(2000));
            assert_eq!(rounded.is_ok(), rounds, "{rounded:?}");
        }
        match how {
            How::Now => request.accept(),
            // Any failure.
            How::Refused => request.refuse(Status::NOT_SUPPORTED),
            How::Within => {
                let (answer, mut request) = request.pend();
                let rounded = request.round(rate(3000), rate(4000));
                assert_eq!(rounded.is_ok(), rounds, "{rounded:?}");
                request.accept(irql);
                answer
            }
            how @ (How::Later | How::RefusedLater) => {
                let (answer, request) = request.pend();
                let waiting = Waiting::Activate(request, how == How::Later);
                self.0.waiting.lock().unwrap().push(waiting);
                answer
            }
            How::Dropped => request.pend().0,
        }
    }

    fn deactivate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        request: DeactivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        assert!(!vc.is_active());
        self.0.deactivated.fetch_add(1, SeqCst);
        // Nobody else sends to it.
        let gone = {
            let mut vcs = self.0.vcs.lock().unwrap();
            vcs.extract_if(.., |other| other.is(vc)).collect::<Vec<_>>()
        };
        drop(gone);
        let refused = vc.indicate_receive(frame(vc.adapter(), b"too late").into(), irql);
        let status = refused.unwrap_err().status;
        assert!(status == Status::CLOSING || status == Status::PAUSED);
        let held = self.0.release(vc);
        match next(&self.0.deactivations) {
            How::Now | How::Refused => {
                let answer = request.finish();
                // Dropped: completed by the work item, and then the deactivation.
                drop(held);
                answer
            }
            How::Within => {
                let (answer, request) = request.pend();
                request.finish(irql);
                for (_, lists) in held {
                    lists.complete(Status::FAILURE, irql);
                }
                answer
            }
            How::Later | How::RefusedLater => {
                let (answer, request) = request.pend();
                for (_, lists) in held {
                    lists.complete(Status::FAILURE, irql);
                }
                self.0
                    .waiting
                    .lock()
                    .unwrap()
                    .push(Waiting::Deactivate(request));
                answer
            }
            How::Dropped => {
                drop(held);
                request.pend().0
            }
        }
    }
}

impl Carry for Wire {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let desk = &self.0;
        let end = desk.other_end(vc);
        let mut copies = NetBufferLists::new(Side::Miniport);
        for packet in lists.buffers() {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            copies.push_back(frame(vc.adapter(), &bytes)).unwrap();
        }
        // Before the other end hears of it, for that may end the call.
        if desk.holds.load(SeqCst) == 1 {
            desk.held.lock().unwrap().push((vc.clone(), lists));
        } else {
            lists.complete(Status::SUCCESS, irql);
        }
        let Some(end) = end else { return };
        let count = u32::try_from(copies.len()).unwrap();
        match end.indicate_receive(copies, irql) {
            Ok(()) => _ = desk.delivered.fetch_add(count, SeqCst),
            Err(refused) => desk.refusals.lock().unwrap().push(refused.status),
        }
    }

    fn returned(&self, _: &Adapter<Self>, lists: NetBufferLists, _: &mut UpToDispatch) {
        let lists_home = u32::try_from(lists.len()).unwrap();
        self.0.home.fetch_add(lists_home, SeqCst);
    }

    fn vc_oid_request<'r>(
        &self,
        _vc: &Vc<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let how = *self.0.asks.lock().unwrap();
        if how == How::Now {
            return request.reply_u32(ANSWER);
        }
        let (answer, request) = request.pend();
        match how {
            How::Within => request.reply_u32(ANSWER, irql),
            How::Dropped => drop(request),
            _ => self.0.waiting.lock().unwrap().push(Waiting::Ask(request)),
        }
        answer
    }
}
