//! A WAN miniport for tests: its adapters hang on one wire, on which each is known by its number.

#![allow(dead_code)] // Each test program uses a part of it.

use ndis_co::{
    Status,
    irql::{Passive, UpToDispatch},
    mem::{Arc as PoolArc, Tag},
    tapi::Disconnect,
    timer::{Expire, Timer},
    wan::FrameErrors,
};
use ndis_host::{Adapter, Driver, Event, EventKind, EventMode, Host, McmDisplaces, Readings};
use ndis_mcm::{
    Answer, Initialized,
    wan::{
        self, Answered, Call, Dial, Dialing, Frames, HangUp, Line, Lines, Link, LinkParams, NewWan,
        Offer, Speeds, Subtype, Wan, WanMiniport, WeakCall,
    },
};
use ndis_wan_models::{CallId, CallView, Settings, State, Windows};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// How the miniport is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses of each line.
    pub lines: Vec<u32>,
    /// Each address has a number of its own, so that they differ.
    pub named: bool,
    /// The name of each line.
    pub name: String,
    /// How many frames may be under way.
    pub window: u32,
    /// How many frames it holds before it delivers them; with 0 it holds none.
    pub hold: usize,
    /// Frames are at most so long.
    pub max_frame: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lines: vec![2],
            named: false,
            name: "Cable".into(),
            window: 8,
            hold: 0,
            max_frame: 1400,
        }
    }
}

/// The driver.
pub struct Cable {
    config: Config,
    wire: Mutex<Wire>,
}

#[derive(Default)]
struct Wire {
    adapters: BTreeMap<u32, wan::Adapter<Cable>>,
    count: u32,
}

/// How long a call may ring, in milliseconds: whoever has placed it cannot take it back.
const PATIENCE: u32 = 30_000;

/// The bytes in front of a payload.
const HEADER: usize = 4;
/// Payloads of these lengths are orders: a damaged frame is indicated at the end that sends, it is
/// stopped until the other end sends, its window shrinks to two.
pub const DAMAGE: usize = 901;
pub const STOP: usize = 902;
pub const NARROW: usize = 903;

/// Both ends of a call.
struct Pair {
    /// The end that has sent [`STOP`] waits.
    stopped: AtomicBool,
    /// It has rung for too long.
    given_up: AtomicBool,
    /// The end that has placed it waits for the other one, for so long.
    dialing: Mutex<Option<(Dialing<Cable>, Timer<Self>)>>,
    ends: Mutex<[Option<WeakCall<Cable>>; 2]>,
}

impl Pair {
    fn end(&self, end: usize) -> Option<Call<Cable>> {
        let weak = self.ends.lock().unwrap()[end].clone();
        weak?.upgrade()
    }

    fn dialing(&self) -> Option<Dialing<Cable>> {
        let taken = self.dialing.lock().unwrap().take();
        taken.map(|(dialing, _)| dialing)
    }
}

impl Expire for Pair {
    fn expired(this: &PoolArc<Self>, irql: &mut UpToDispatch) {
        if let Some(dialing) = this.dialing() {
            this.given_up.store(true, Ordering::Relaxed);
            if let Some(rings) = this.end(1) {
                let _ = rings.hang_up(Disconnect::NoAnswer, irql);
            }
            dialing.refuse(Disconnect::NoAnswer, irql);
        }
    }
}

/// One end.
pub struct Leg {
    pair: PoolArc<Pair>,
    /// Which one: the first has placed the call.
    end: usize,
    /// And how many frames these are.
    held: Mutex<(Vec<Frames<Cable>>, usize)>,
}

impl Leg {
    fn new(pair: &PoolArc<Pair>, end: usize) -> Self {
        Self {
            pair: pair.clone(),
            end,
            held: Mutex::default(),
        }
    }

    fn peer(&self) -> Option<Call<Cable>> {
        self.pair.end(1 - self.end)
    }

    fn set(&self, call: &Call<Cable>) {
        let weak = call.downgrade().ok();
        let before = std::mem::replace(&mut self.pair.ends.lock().unwrap()[self.end], weak);
        drop(before);
    }

    fn dialing(&self) -> Option<Dialing<Cable>> {
        self.pair.dialing()
    }
}

impl Cable {
    /// Loads the driver.
    pub fn load(host: &Host, config: Config) -> Driver {
        let wire = Mutex::default();
        let entry = ndis_mcm::Entry::new(Wan::new(Self { config, wire }));
        let loaded = host.load_with("cable", move |object, path| {
            // SAFETY: the host calls this once, as DriverEntry.
            unsafe { entry.run(object, path) }
        });
        loaded.unwrap()
    }

    /// Frames of some lengths change the line of who sends them.
    fn obey(&self, call: &Call<Self>, len: usize, irql: &mut UpToDispatch) {
        // Nothing is left to do when the call is over.
        let _ = match len.checked_sub(HEADER) {
            Some(DAMAGE) => {
                call.damaged(FrameErrors::CRC | FrameErrors::FRAMING, irql);
                Ok(())
            }
            Some(STOP) => call.set_params(LinkParams::new(Speeds::both(1_000), 0), irql),
            Some(NARROW) => call.set_params(LinkParams::new(Speeds::both(2_000), 2), irql),
            _ => Ok(()),
        };
        if len == HEADER + STOP
            && let Some(peer) = call.peer()
        {
            // Its next frame starts this end again.
            call.pair.stopped.store(true, Ordering::Relaxed);
            drop(peer);
        } else if call.pair.stopped.swap(false, Ordering::Relaxed)
            && let Some(peer) = call.peer()
        {
            let _ = peer.set_params(LinkParams::new(Speeds::both(8_000), 8), irql);
        }
    }

    /// Offers a call where a number leads: the adapter's, or that and a line's, as in `1/2`.
    fn ring(
        &self,
        dialled: &str,
        pair: &PoolArc<Pair>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Disconnect> {
        let (adapter, line) = dialled.split_once('/').unwrap_or((dialled, "0"));
        let (adapter, line) = (adapter.parse(), line.parse());
        let (Ok(adapter), Ok(line)) = (adapter, line) else {
            return Err(Disconnect::BadAddress);
        };
        let adapter: u32 = adapter;
        let target = self.wire.lock().unwrap().adapters.get(&adapter).cloned();
        let target = target.ok_or(Disconnect::Unreachable)?;
        let addresses = self.config.lines.get(line as usize).copied();
        let addresses = addresses.ok_or(Disconnect::BadAddress)?;
        let mut why = Disconnect::Busy;
        for address in 0..addresses {
            let offer = Offer {
                line,
                address,
                caller: "somebody",
                ..Offer::default()
            };
            match target.offer(&offer, Leg::new(pair, 1), irql) {
                Ok(call) => {
                    call.set(&call);
                    return Ok(());
                }
                Err(refused) => match refused.status {
                    Status::TAPI_CALLUNAVAIL => {}
                    Status::INVALID_SAP => why = Disconnect::Unavailable,
                    _ => why = Disconnect::Congestion,
                },
            }
        }
        Err(why)
    }
}

impl WanMiniport for Cable {
    type Adapter = u32;
    type Call = Leg;

    fn initialize<'i>(
        &self,
        init: NewWan<'i, Self>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let mut lines = Lines::new();
        for (number, addresses) in self.config.lines.iter().enumerate() {
            let mut line = Line::new(&self.config.name, Speeds::both(8_000_000))?;
            if self.config.named {
                for address in 0..*addresses {
                    line = line.address(&format!("555-{number}-{address}"))?;
                }
            } else {
                line = line.addresses(*addresses)?;
            }
            lines.add(line)?;
        }
        let link = Link::new(Subtype::L2TP, self.config.max_frame, self.config.window);
        let number = {
            let mut wire = self.wire.lock().unwrap();
            wire.count += 1;
            wire.count - 1
        };
        init.declare(link, lines, irql)?.finish(number, irql)
    }

    fn initialized(&self, adapter: &wan::Adapter<Self>, _: &mut Passive) {
        let mut wire = self.wire.lock().unwrap();
        wire.adapters.insert(***adapter, adapter.clone());
    }

    fn halt(&self, adapter: &wan::Adapter<Self>, _: &mut Passive) {
        let held = self.wire.lock().unwrap().adapters.remove(&***adapter);
        drop(held);
    }

    fn dial<'r>(&self, dial: Dial<'r, Self>, irql: &mut UpToDispatch) -> Answer<'r> {
        let dialled = dial.number().to_string();
        let pair = PoolArc::try_new(
            Pair {
                stopped: AtomicBool::new(false),
                given_up: AtomicBool::new(false),
                dialing: Mutex::default(),
                ends: Mutex::default(),
            },
            Tag::new(*b"Cabl"),
        );
        let timer = Timer::try_new(dial.adapter().scope());
        let (Ok(pair), Ok(timer)) = (pair, timer) else {
            return dial.refuse(Disconnect::Congestion);
        };
        let (answer, dialing) = match dial.pend(Leg::new(&pair, 0)) {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        dialing.set(&dialing);
        timer.set(&pair, PATIENCE);
        *pair.dialing.lock().unwrap() = Some((dialing, timer));
        if let Err(why) = self.ring(&dialled, &pair, irql)
            && let Some(dialing) = pair.dialing()
        {
            dialing.refuse(why, irql);
        }
        answer
    }

    fn failed(&self, call: &Call<Self>, _: Status, irql: &mut UpToDispatch) {
        if let Some(peer) = call.peer() {
            let _ = peer.hang_up(Disconnect::Normal, irql);
        }
    }

    fn answered(&self, answered: Answered<Self>, irql: &mut UpToDispatch) {
        let call = answered.call().clone();
        call.set(&call);
        match call.dialing() {
            Some(dialing) => {
                answered.connect(irql);
                let speeds = Speeds::both(4_000_000);
                dialing.connect(LinkParams::new(speeds, self.config.window), irql);
            }
            None => answered.take_back(Disconnect::Normal, irql),
        }
    }

    fn refused(&self, call: &Call<Self>, _: Status, irql: &mut UpToDispatch) {
        if let Some(dialing) = call.dialing() {
            dialing.refuse(Disconnect::Reject, irql);
        }
    }

    fn hang_up<'r>(
        &self,
        call: &Call<Self>,
        end: HangUp<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if let Some(dialing) = call.dialing() {
            dialing.refuse(Disconnect::NoAnswer, irql);
        } else if let Some(peer) = call.peer() {
            let given_up = call.pair.given_up.load(Ordering::Relaxed);
            let why = [Disconnect::Normal, Disconnect::NoAnswer][usize::from(given_up)];
            let _ = peer.hang_up(why, irql);
        }
        let held = std::mem::take(&mut *call.held.lock().unwrap()).0;
        for frames in held {
            frames.complete(Status::CLOSING, irql);
        }
        end.finish()
    }

    fn send(&self, call: &Call<Self>, frames: Frames<Self>, irql: &mut UpToDispatch) {
        // No lock of ours is held while the driver's own are taken.
        let (count, holds) = (frames.iter().count(), call.is_connected());
        let due = {
            let mut held = call.held.lock().unwrap();
            held.1 += count;
            held.0.push(frames);
            if holds && held.1 < self.config.hold {
                Vec::new()
            } else {
                std::mem::take(&mut *held).0
            }
        };
        if due.is_empty() {
            return;
        }
        for frames in due {
            if let Some(peer) = call.peer() {
                for frame in frames.iter() {
                    self.obey(call, frame.len(), irql);
                    let mut bytes = vec![0; frame.len()];
                    if frame.copy_to(&mut bytes).is_ok() {
                        // Nobody may take it any more.
                        let _ = peer.receive(&bytes, irql);
                    }
                }
            }
            frames.complete(Status::SUCCESS, irql);
        }
    }
}

/// How often each test runs, in another order each time.
pub fn seeds() -> std::ops::Range<u64> {
    0..if cfg!(miri) { 1 } else { 50 }
}

/// Every reading under which NDPROXY can be what it is: it registers a family above an MCM. Under
/// the one that is left out nobody carries a call, as a test of its own shows.
pub fn readings() -> impl Iterator<Item = Readings> {
    Readings::all().filter(|readings| readings.mcm_displaces != McmDisplaces::TheDevice)
}

/// What a test works with.
pub struct World<'w> {
    pub host: &'w Host,
    windows: Option<Windows<'w>>,
    driver: &'w Driver,
    /// Those that are left.
    pub adapters: Vec<Adapter>,
}

impl<'w> World<'w> {
    pub fn windows(&self) -> &Windows<'w> {
        self.windows.as_ref().expect("they are loaded")
    }

    /// Both drivers, to be unloaded by the test.
    pub fn take_windows(&mut self) -> Windows<'w> {
        self.windows.take().expect("they are loaded")
    }

    pub fn give_windows(&mut self, windows: Windows<'w>) {
        self.windows = Some(windows);
    }

    pub fn add_adapter(&mut self) {
        let adapter = self.host.add_adapter(self.driver).unwrap();
        self.adapters.push(adapter);
        self.host.run();
    }

    pub fn view(&self, call: CallId) -> CallView {
        self.windows().call(call).unwrap()
    }

    /// How often the miniport's handler of this name was called so far.
    pub fn count(&self, name: &str) -> usize {
        let events = self.host.events();
        let called = |event: &&Event| event.kind == EventKind::Callback && event.name == name;
        events.iter().filter(called).count()
    }

    /// Places a call and lets it come about; gives both of its ends.
    pub fn connect(&self, from: u32, line: u32, to: &str) -> (CallId, CallId) {
        let call = self.windows().dial(from, line, to);
        self.host.run();
        let view = self.view(call);
        assert_eq!(view.state, State::Connected, "{view:?}");
        assert_eq!(view.carried, Some(Ok(())), "{view:?}");
        assert!(view.is_up, "{view:?}");
        let target = to.split('/').next().unwrap().parse().unwrap();
        let other = self.windows().came_in(target).expect("a call came in");
        let view = self.view(other);
        assert_eq!(view.state, State::Connected, "{view:?}");
        assert_eq!(view.carried, Some(Ok(())), "{view:?}");
        (call, other)
    }

    /// The reason for which a call ended.
    pub fn ended(&self, call: CallId) -> Status {
        let view = self.view(call);
        view.ended()
            .unwrap_or_else(|| panic!("it goes on: {view:?}"))
    }
}

/// Has a test done on a host with two adapters, takes everything down, and checks that nothing is
/// left.
pub fn on(
    seed: u64,
    readings: Readings,
    config: Config,
    settings: Settings,
    body: impl FnOnce(&mut World<'_>),
) {
    let host = Host::builder()
        .seed(seed)
        .readings(readings)
        .events(EventMode::Last(2000))
        .build();
    let windows = Windows::load_with(&host, settings).unwrap();
    let driver = Cable::load(&host, config);
    let adapters = (0..2).map(|_| host.add_adapter(&driver).unwrap()).collect();
    host.run();
    let mut world = World {
        host: &host,
        windows: Some(windows),
        driver: &driver,
        adapters,
    };
    body(&mut world);
    let World {
        windows, adapters, ..
    } = world;
    for adapter in &adapters {
        host.remove_adapter(adapter);
    }
    if let Some(windows) = windows {
        for call in windows.calls() {
            assert!(call.ended().is_some(), "seed {seed}: {call:?}");
            assert!(!call.is_up, "seed {seed}: {call:?}");
        }
        windows.unload();
    }
    host.unload(&driver);
    let report = host.finish();
    assert!(
        report.is_clean(),
        "seed {seed}, {}: {report}",
        readings.describe()
    );
}
