//! A WAN miniport over a null-modem cable: a call to `line 1` comes in there, on the same adapter.

use ndis_co::{
    Answer, Status,
    irql::{Passive, UpToDispatch},
    mem::{Arc as Shared, Tag},
    nbl::{NetBufferListPool, NetBufferLists},
    scope::Scope,
    tapi::Disconnect,
    wan::{CompressionInfo, LinkInfo},
    work::{Work, WorkItem},
};
use ndis_mcm::{
    Initialized, Load, ServiceKey,
    wan::{
        Adapter, Answered, Call, Dial, Dialing, Direction, Frames, HangUp, Line, Lines, Link,
        LinkParams, NewWan, Offer, Speeds, Subtype, Wan, WanMiniport, WeakCall,
    },
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

pub const MAX_FRAME: u32 = 100;
pub const ADDRESS: [u8; 6] = [2, 4, 6, 8, 10, 12];
/// What a dialled call has.
pub const DIALLED: LinkParams = LinkParams::new(Speeds::new(8_000_000, 4_000_000), 5);
/// What an offered one has.
pub const OFFERED: LinkParams = LinkParams::new(Speeds::new(4_000_000, 8_000_000), 6);

/// For how long a call to `patient` waits, in milliseconds.
pub const PATIENCE: u32 = 5_000;

/// How the modem ends calls.
#[derive(Default)]
pub struct Notes {
    /// Calls end later.
    pub pends: AtomicBool,
    /// Frames are completed later, and go nowhere.
    pub holds: AtomicBool,
    /// Answered calls are dropped.
    pub loses: AtomicBool,
    /// Frames are handed on without a copy.
    pub forwards: AtomicBool,
    /// What could not be handed on so.
    pub not_forwarded: Mutex<Vec<Status>>,
    /// What links can compress.
    pub compression: Mutex<Option<CompressionInfo>>,
    /// What NDISWAN has chosen of it.
    pub compressed: Mutex<Vec<CompressionInfo>>,
    pub connected: AtomicU32,
    pub failed: Mutex<Vec<Status>>,
    pub refused: Mutex<Vec<Status>>,
    pub hung_up: AtomicU32,
    pub set: Mutex<Vec<LinkInfo>>,
    pub offers: Mutex<Vec<Status>>,
    pub adapter: Mutex<Option<Adapter<Modem>>>,
    pub calls: Mutex<Vec<WeakCall<Modem>>>,
    /// What is dialled and never answered.
    pub kept: Mutex<Vec<Dialing<Modem>>>,
    pub legs: AtomicU32,
    /// How often data could flow from then on.
    pub running: AtomicU32,
}

pub struct Modem(pub Arc<Notes>);

impl Load for Modem {
    fn load(_: &ServiceKey<'_>, _: &mut Passive) -> Result<Self, Status> {
        Ok(Self(Arc::default()))
    }
}

type Chore = Box<dyn FnOnce(&mut Passive) + Send>;

/// What is done later.
#[derive(Default)]
struct Chores(Mutex<Vec<Chore>>);

impl Work for Chores {
    fn run(this: &Shared<Self>, irql: &mut Passive) {
        let chores = std::mem::take(&mut *this.0.lock().unwrap());
        for chore in chores {
            chore(irql);
        }
    }
}

pub struct Nic {
    chores: Shared<Chores>,
    item: WorkItem<Chores>,
}

impl Nic {
    fn try_new(scope: &Scope) -> Result<Self, Status> {
        Ok(Self {
            chores: Shared::try_new(Chores::default(), Tag::NDIS)?,
            item: WorkItem::try_new(scope)?,
        })
    }

    fn later(&self, chore: impl FnOnce(&mut Passive) + Send + 'static) {
        self.chores.0.lock().unwrap().push(Box::new(chore));
        self.item.queue(&self.chores);
    }
}

/// One end of a call.
pub struct Leg {
    peer: Mutex<Option<WeakCall<Modem>>>,
    /// Who has dialled, while this end rings.
    dialing: Mutex<Option<Dialing<Modem>>>,
    held: Mutex<Vec<Frames<Modem>>>,
    notes: Arc<Notes>,
}

impl Leg {
    fn new(notes: &Arc<Notes>, dialing: Option<Dialing<Modem>>) -> Self {
        notes.legs.fetch_add(1, SeqCst);
        Self {
            peer: Mutex::new(None),
            dialing: Mutex::new(dialing),
            held: Mutex::default(),
            notes: notes.clone(),
        }
    }

    fn take_dialing(&self) -> Option<Dialing<Modem>> {
        self.dialing.lock().unwrap().take()
    }

    fn peer(&self) -> Option<Call<Modem>> {
        // Not under the lock, of which the host knows nothing.
        let peer = self.peer.lock().unwrap().clone();
        peer?.upgrade()
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.notes.legs.fetch_sub(1, SeqCst);
    }
}

impl Modem {
    /// Rings the other end.
    fn ring(&self, dialing: Dialing<Self>, line: u32) {
        let (adapter, notes) = (dialing.adapter().clone(), self.0.clone());
        adapter.clone().later(move |irql| {
            let offer = Offer {
                line,
                caller: "555-0001",
                caller_name: "Nobody",
                called: "555-0002",
                params: Some(OFFERED),
                ..Offer::default()
            };
            let leg = Leg::new(&notes, Some(dialing));
            if let Err(refused) = adapter.offer(&offer, leg, irql) {
                notes.offers.lock().unwrap().push(refused.status);
                // Who has dialled is still in it.
                let dialing = refused.context.take_dialing().unwrap();
                dialing.refuse_with(Status::FAILURE, irql);
            }
        });
    }

    /// The other end is told.
    fn tell_peer(&self, call: &Call<Self>) {
        let Some(peer) = call.peer.lock().unwrap().take() else {
            return;
        };
        call.adapter().later(move |irql| {
            if let Some(peer) = peer.upgrade() {
                // An error: it has hung up itself.
                let _ = peer.hang_up(Disconnect::Normal, irql);
            }
        });
    }
}

impl WanMiniport for Modem {
    type Adapter = Nic;
    type Call = Leg;

    fn initialize<'i>(
        &self,
        init: NewWan<'i, Self>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let mut lines = Lines::new();
        lines.add(Line::new("Cable", Speeds::both(8_000_000))?.addresses(2)?)?;
        let numbered = Line::new("Other", Speeds::both(64_000))?;
        lines.add(numbered.address("555-1")?.address("555-2")?)?;
        let link = Link::new(Subtype::SERIAL, MAX_FRAME, 7)
            .speeds(Speeds::both(8_000_000))
            .address(ADDRESS)
            .vendor_description(c"Null modem");
        let can = *self.0.compression.lock().unwrap();
        let link = match can {
            Some(can) => link.compression(can),
            None => link,
        };
        let init = init.declare(link, lines, irql)?;
        let nic = Nic::try_new(init.scope())?;
        init.finish(nic, irql)
    }

    fn initialized(&self, adapter: &Adapter<Self>, _: &mut Passive) {
        *self.0.adapter.lock().unwrap() = Some(adapter.clone());
    }

    fn dial<'r>(&self, dial: Dial<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r> {
        let number: String = dial.number().chars().collect();
        match number.as_str() {
            "nobody" => return dial.refuse(Disconnect::BadAddress),
            "mirror" => return dial.connect(Leg::new(&self.0, None), DIALLED, irql),
            _ => {}
        }
        let leg = Leg::new(&self.0, None);
        let pended = match number.as_str() {
            "patient" => dial.pend_for(leg, PATIENCE, irql),
            _ => dial.pend(leg),
        };
        let (answer, dialing) = match pended {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        match number.as_str() {
            "busy" => {
                let adapter = dialing.adapter().clone();
                adapter.later(move |irql| dialing.refuse(Disconnect::Busy, irql));
            }
            "at once" => dialing.refuse(Disconnect::Congestion, irql),
            "lost" => drop(dialing),
            "silent" | "patient" => self.0.kept.lock().unwrap().push(dialing),
            "kept" => {
                let call = dialing.keep();
                self.0.calls.lock().unwrap().push(call.downgrade().unwrap());
            }
            "line 0" => self.ring(dialing, 0),
            "line 1" => self.ring(dialing, 1),
            other => panic!("{other}"),
        }
        answer
    }

    fn failed(&self, call: &Call<Self>, status: Status, _: &mut UpToDispatch) {
        assert_eq!(call.direction(), Direction::Outgoing);
        assert!(!call.is_connected());
        self.0.failed.lock().unwrap().push(status);
        self.tell_peer(call);
    }

    fn answered(&self, answered: Answered<Self>, irql: &mut UpToDispatch) {
        if self.0.loses.load(SeqCst) {
            return;
        }
        let call = answered.call().clone();
        let Some(dialing) = call.take_dialing() else {
            // Who has dialled is gone.
            return answered.take_back(Disconnect::NoAnswer, irql);
        };
        let (Ok(to), Ok(back)) = (dialing.downgrade(), call.downgrade()) else {
            answered.take_back(Disconnect::Congestion, irql);
            return dialing.refuse(Disconnect::Congestion, irql);
        };
        *call.peer.lock().unwrap() = Some(to);
        *dialing.peer.lock().unwrap() = Some(back);
        if !answered.connect(irql) || !dialing.connect(DIALLED, irql) {
            self.tell_peer(&call);
        }
    }

    fn refused(&self, call: &Call<Self>, status: Status, irql: &mut UpToDispatch) {
        assert_eq!(call.direction(), Direction::Incoming);
        self.0.refused.lock().unwrap().push(status);
        if let Some(dialing) = call.take_dialing() {
            dialing.refuse(Disconnect::Reject, irql);
        }
    }

    fn connected(&self, call: &Call<Self>, _: &mut UpToDispatch) {
        self.0.connected.fetch_add(1, SeqCst);
        if let Ok(call) = call.downgrade() {
            self.0.calls.lock().unwrap().push(call);
        }
    }

    fn hang_up<'r>(
        &self,
        call: &Call<Self>,
        end: HangUp<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.hung_up.fetch_add(1, SeqCst);
        if let Some(dialing) = call.take_dialing() {
            dialing.refuse(Disconnect::NoAnswer, irql);
        }
        self.tell_peer(call);
        if !self.0.pends.load(SeqCst) {
            return end.finish();
        }
        let (answer, ends) = end.pend();
        call.adapter().later(move |irql| {
            assert!(!ends.call().is_connected());
            ends.finish(irql);
        });
        answer
    }

    fn send(&self, call: &Call<Self>, frames: Frames<Self>, irql: &mut UpToDispatch) {
        if self.0.holds.load(SeqCst) {
            call.held.lock().unwrap().push(frames);
            let call = call.clone();
            call.adapter().clone().later(move |irql| {
                let held = std::mem::take(&mut *call.held.lock().unwrap());
                for frames in held {
                    frames.complete(Status::SUCCESS, irql);
                }
            });
            return;
        }
        // A mirror is one without a peer.
        let to = call.peer().unwrap_or_else(|| call.clone());
        if self.0.forwards.load(SeqCst) {
            if let Err(refused) = frames.forward(&to, irql) {
                self.0.not_forwarded.lock().unwrap().push(refused.status);
                if to.is(call) {
                    echo(refused.frames, &to, irql);
                    return;
                }
                to.lost(refused.frames.iter().count() as u64);
                refused.frames.complete(Status::SUCCESS, irql);
            }
            return;
        }
        let mut status = Status::SUCCESS;
        for frame in frames.iter() {
            let mut copy = vec![0; frame.len()];
            frame.copy_to(&mut copy).unwrap();
            if let Err(failure) = to.receive(&copy, irql) {
                status = failure;
            }
        }
        frames.complete(status, irql);
    }

    fn returned(&self, _: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        lists.free(irql);
    }

    fn link_set(&self, _: &Call<Self>, link: &LinkInfo, _: &mut UpToDispatch) {
        self.0.set.lock().unwrap().push(*link);
    }

    fn compression_set(&self, _: &Call<Self>, chosen: &CompressionInfo, _: &mut UpToDispatch) {
        self.0.compressed.lock().unwrap().push(*chosen);
    }

    fn running(&self, adapter: &Adapter<Self>, _: &mut Passive) {
        assert!(adapter.is_running());
        self.0.running.fetch_add(1, SeqCst);
    }

    fn halt(&self, _: &Adapter<Self>, _: &mut Passive) {
        let adapter = self.0.adapter.lock().unwrap().take();
        drop(adapter);
        let calls = std::mem::take(&mut *self.0.calls.lock().unwrap());
        drop(calls);
        let kept = std::mem::take(&mut *self.0.kept.lock().unwrap());
        for dialing in kept {
            // SAFETY: `halt` runs at PASSIVE_LEVEL, and no lock is held.
            let mut irql = unsafe { Passive::assume() };
            assert!(!dialing.connect(DIALLED, &mut irql), "the halt was first");
        }
    }
}

/// What a mirror at the other end of the line sends back, without a copy.
fn echo(frames: Frames<Modem>, call: &Call<Modem>, irql: &mut UpToDispatch) {
    let pool = NetBufferListPool::for_receives(call.adapter().scope(), Tag::new(*b"Echo"));
    let parent = frames.into_parent().map_err(|refused| refused.status);
    let (pool, parent) = (pool.unwrap(), parent.unwrap());
    let clones = parent.allocate_packet_clones(&pool).unwrap();
    if let Err(refused) = call.receive_lists(clones, irql) {
        refused.lists.free(irql);
    }
}

/// The entry point, which the tests load.
pub mod entry {
    use super::{Modem, Wan};

    ndis_mcm::driver_entry!(Wan<Modem>);
}
