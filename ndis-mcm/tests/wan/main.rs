//! WAN miniports: a test one over a null-modem cable, and a client in the place of NDPROXY and
//! NDISWAN.

mod dialled;
mod handed_on;
mod modem;
mod numbers;
mod oids;
mod proxy;
mod races;

use modem::{DIALLED, MAX_FRAME, Modem, OFFERED};
use ndis_co::{
    client,
    tapi::{ANY_ADDRESS, ANY_LINE, Disconnect, LineSap, MediaModes},
    wan::{FrameErrors, LinkParameters},
};
use ndis_host::{Adapter, Builder, Driver, Host, NotifyClose, Readings};
use ndis_mcm::{
    Status,
    wan::{LinkParams, Wan},
};
use proxy::{Proxy, Ring, Told, passive};
use std::sync::{Arc, Mutex, atomic::Ordering::SeqCst};

pub struct World {
    pub host: Host,
    pub modem: Arc<modem::Notes>,
    pub proxy: Proxy,
    pub adapter: Adapter,
    drivers: [Driver; 2],
}

/// Calls on any address of line 1.
const ON_LINE_1: LineSap = LineSap {
    line: 1,
    address: ANY_ADDRESS,
    media_modes: MediaModes::DIGITALDATA,
};

fn builder(seed: u64) -> Builder {
    Host::builder().seed(seed).preemption(1, 3)
}

fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) { 1 } else { native }
}

fn load_proxy(host: &Host, proxy: &Proxy) -> Driver {
    let entry = client::Entry::new(proxy.clone());
    let driver = host.load_with("proxy", |object, path| {
        // SAFETY: the host calls this as Windows calls a DriverEntry.
        unsafe { entry.run(object, path) }
    });
    driver.expect("the client loads")
}

fn load_modem(host: &Host, notes: &Arc<modem::Notes>) -> Driver {
    let entry = ndis_mcm::Entry::new(Wan::new(Modem(notes.clone())));
    let driver = host.load_with("modem", |object, path| {
        // SAFETY: the host calls this as Windows calls a DriverEntry.
        unsafe { entry.run(object, path) }
    });
    driver.expect("the miniport loads")
}

impl World {
    pub fn new(host: Host) -> Self {
        Self::with_saps(host, &[ON_LINE_1])
    }

    fn with_saps(host: Host, saps: &[LineSap]) -> Self {
        Self::of_modem(host, Arc::default(), saps)
    }

    fn of_modem(host: Host, notes: Arc<modem::Notes>, saps: &[LineSap]) -> Self {
        let proxy = Proxy::default();
        *proxy.0.saps.lock().unwrap() = saps.to_vec();
        let modem = load_modem(&host, &notes);
        let client = load_proxy(&host, &proxy);
        let adapter = host.add_adapter(&modem).expect("the adapter starts");
        host.run();
        Self {
            host,
            modem: notes,
            proxy,
            adapter,
            drivers: [client, modem],
        }
    }

    pub fn user(&self, body: impl FnOnce(&Proxy) + Send + 'static) {
        let proxy = self.proxy.clone();
        self.host.spawn("user", move || body(&proxy));
        self.host.run();
    }

    pub fn call(&self, number: &'static str) {
        self.user(move |proxy| proxy.call(number.as_bytes()));
    }

    fn up(&self) -> [usize; 2] {
        let notes = &self.proxy.0;
        [&notes.placed, &notes.taken].map(|all| all.lock().unwrap().len())
    }

    #[track_caller]
    pub fn end(self, what: &str) {
        self.host.remove_adapter(&self.adapter);
        self.finish(what);
    }

    #[track_caller]
    fn finish(self, what: &str) {
        for driver in &self.drivers {
            self.host.unload(driver);
        }
        let up = self.up();
        let report = self.host.finish();
        assert_eq!(up, [0, 0], "{what}");
        assert!(report.is_clean(), "{what}: {report}");
        assert!(report.rules().is_empty(), "{what}: {report}");
        assert_eq!(self.modem.legs.load(SeqCst), 0, "{what}: contexts");
    }
}

/// Rules TAPI-09 to TAPI-11: both ends hear what the call is.
#[test]
fn a_call_over_the_cable() {
    for seed in seeds(20) {
        let world = World::new(builder(seed).build());
        world.call("line 1");
        assert_eq!(world.up(), [1, 1], "seed {seed}");
        assert_eq!(world.modem.connected.load(SeqCst), 2);
        let bytes = |bits: u64| u32::try_from(bits / 8).unwrap();
        let told = |line, params: LinkParams, caller: &str| Told {
            line,
            address: 0,
            transmit: bytes(params.speeds.transmit()),
            receive: bytes(params.speeds.receive()),
            largest: MAX_FRAME,
            caller: caller.into(),
        };
        let expected = [told(1, OFFERED, "555-0001"), told(0, DIALLED, "")];
        assert_eq!(*world.proxy.0.told.lock().unwrap(), expected);
        world.end("a call");
    }
}

/// Frames go both ways, several in a list, and the counters of the call and of the adapter say
/// what flowed.
#[test]
fn frames_both_ways() {
    for seed in seeds(20) {
        let world = World::new(builder(seed).build());
        world.call("line 1");
        world.user(|proxy| {
            let (one, other) = (proxy.placed(), proxy.taken());
            proxy.send(&one, &[&[0xFF, 3, 0xC0, 0x21, 1], &[1; 10], &[2; 100]]);
            proxy.send(&other, &[&[7; 132], &[8]]);
        });
        let mut heard = world.proxy.0.heard.lock().unwrap().clone();
        heard.sort();
        let mut sent = vec![
            vec![0xFF, 3, 0xC0, 0x21, 1],
            vec![1; 10],
            vec![2; 100],
            vec![7; 132],
            vec![8],
        ];
        sent.sort();
        assert_eq!(heard, sent, "seed {seed}");
        assert!(
            world
                .proxy
                .0
                .completed
                .lock()
                .unwrap()
                .iter()
                .all(|it| it.is_success())
        );
        let calls = world.modem.calls.lock().unwrap().clone();
        let mut counted: Vec<_> = calls
            .iter()
            .map(|call| {
                let all = call.upgrade().unwrap().statistics();
                [
                    all.frames_sent,
                    all.bytes_sent,
                    all.frames_received,
                    all.bytes_received,
                ]
            })
            .collect();
        counted.sort();
        assert_eq!(counted, [[2, 133, 3, 115], [3, 115, 2, 133]], "seed {seed}");
        let adapter = world.modem.adapter.lock().unwrap().clone().unwrap();
        let all = adapter.statistics();
        assert_eq!((all.packets_sent(), all.bytes_sent()), (5, 248));
        assert_eq!((all.packets_received(), all.bytes_received()), (5, 248));
        drop((adapter, calls));
        world.end("frames");
    }
}

/// NDISWAN hears of a link when its call is up, once, and of each change; a window of zero stops it
/// (rule WAN-04).
#[test]
fn what_is_told_of_a_link() {
    for seed in seeds(10) {
        let world = World::new(builder(seed).build());
        world.call("line 1");
        let told = |params: LinkParams| LinkParameters {
            transmit_speed: u32::try_from(params.speeds.transmit() / 8).unwrap(),
            receive_speed: u32::try_from(params.speeds.receive() / 8).unwrap(),
            send_window: params.send_window,
        };
        let heard = |world: &World| {
            let mut links = std::mem::take(&mut *world.proxy.0.links.lock().unwrap());
            links.sort_by_key(|link| link.send_window);
            links
        };
        assert_eq!(heard(&world), [told(DIALLED), told(OFFERED)], "seed {seed}");
        let calls = world.modem.calls.lock().unwrap().clone();
        let stopped = LinkParams {
            send_window: 0,
            ..OFFERED
        };
        world.user(move |_| {
            let call = calls[0].upgrade().unwrap();
            let irql = &mut passive();
            assert_eq!(call.set_params(stopped, irql), Ok(()));
            assert_eq!(call.params(), stopped);
            call.damaged(FrameErrors::CRC, irql);
            assert_eq!(call.statistics().crc_errors, 1);
            call.damaged(FrameErrors::BUFFER_OVERRUN, irql);
            call.lost(2);
            assert_eq!(call.statistics().buffer_overrun_errors, 3);
            // The adapter counts them in the same way.
            let all = call.adapter().statistics();
            assert_eq!((all.packets_received_wrong(), all.packets_lost()), (1, 3));
        });
        assert_eq!(heard(&world), [told(stopped)]);
        let fragments = world.proxy.0.fragments.lock().unwrap().clone();
        assert_eq!(fragments, [FrameErrors::CRC, FrameErrors::BUFFER_OVERRUN]);
        // Nothing is told twice.
        world.user(|proxy| proxy.send(&proxy.placed(), &[&[1; 5]]));
        assert_eq!(heard(&world), []);
        world.end("links");
    }
}

/// Rule WAN-03: 32 bytes more than declared are taken, and no more.
#[test]
fn frames_that_are_too_long() {
    let world = World::new(builder(1).build());
    world.call("mirror");
    world.user(|proxy| proxy.send(&proxy.placed(), &[&[1; 132], &[2; 133], &[3; 9], &[4; 133]]));
    // The lists with a long one fail; there are two frames in each.
    assert!(world.proxy.0.heard.lock().unwrap().is_empty());
    let bad = Status::INVALID_LENGTH;
    assert_eq!(*world.proxy.0.completed.lock().unwrap(), [bad, bad]);
    world.user(|proxy| {
        proxy.send(
            &proxy.placed(),
            &[&[1; 132], &[2; 9], &[3; 133], &[4], &[5; 2]],
        );
    });
    let heard = world.proxy.0.heard.lock().unwrap().clone();
    assert_eq!(heard, [vec![1; 132], vec![2; 9], vec![5; 2]]);
    let call = world.modem.calls.lock().unwrap()[0].upgrade().unwrap();
    let irql = &mut passive();
    assert_eq!(call.receive(&[0; 133], irql), Err(Status::INVALID_LENGTH));
    let all = call.statistics();
    assert_eq!((all.frames_sent, all.frames_received), (3, 3));
    assert_eq!(all.buffer_overrun_errors, 1);
    let adapter = call.adapter().statistics();
    assert_eq!((adapter.packets_not_sent(), adapter.packets_lost()), (6, 1));
    drop(call);
    world.end("long frames");
}

/// Each way in which a call does not come about.
#[test]
fn calls_that_fail() {
    for seed in seeds(10) {
        let world = World::new(builder(seed).build());
        for (number, status) in [
            ("nobody", Disconnect::BadAddress.into()),
            ("busy", Disconnect::Busy.into()),
            ("at once", Disconnect::Congestion.into()),
            ("lost", Status::FAILURE),
            // Nobody takes calls there: the leg comes back, and who has dialled in it.
            ("line 0", Status::FAILURE),
        ] {
            world.call(number);
            let failed = std::mem::take(&mut *world.proxy.0.failed.lock().unwrap());
            assert_eq!(failed, [status], "{number}, seed {seed}");
        }
        assert_eq!(*world.modem.offers.lock().unwrap(), [Status::INVALID_SAP]);
        // The driver hears of those that it has pended.
        assert_eq!(world.modem.failed.lock().unwrap().len(), 4);
        *world.proxy.0.ring.lock().unwrap() = Ring::Refuse;
        world.call("line 1");
        let failed = std::mem::take(&mut *world.proxy.0.failed.lock().unwrap());
        assert_eq!(failed, [Disconnect::Reject.into()], "seed {seed}");
        let refused = std::mem::take(&mut *world.modem.refused.lock().unwrap());
        assert_eq!(refused, [Status::REQUEST_ABORTED]);
        assert_eq!(world.up(), [0, 0]);
        world.end("failures");
    }
}

/// A call whose answer is kept is answered by whoever has the call, once; or by the halt.
#[test]
fn an_answer_that_is_kept() {
    for seed in seeds(10) {
        // So that the halt comes before the client waits for what it has dialled.
        let readings = Readings {
            notify_close: NotifyClose::HaltFirst,
            ..Readings::default()
        };
        let world = World::new(builder(seed).readings(readings).build());
        for _ in 0..3 {
            world.call("kept");
        }
        assert_eq!(world.up(), [0, 0]);
        let calls = std::mem::take(&mut *world.modem.calls.lock().unwrap());
        world.user(move |_| {
            let irql = &mut passive();
            let [one, other, _] = [0, 1, 2].map(|at| calls[at].upgrade().unwrap());
            assert!(one.connect(DIALLED, irql));
            assert!(!one.connect(DIALLED, irql) && !one.refuse(Disconnect::Busy, irql));
            assert!(other.refuse(Disconnect::Busy, irql));
            assert!(!other.refuse(Disconnect::Busy, irql) && !other.connect(DIALLED, irql));
            assert!(calls[0].is(&one.downgrade().unwrap()) && !calls[0].is(&calls[1]));
        });
        assert_eq!(world.up(), [1, 0]);
        let failed = std::mem::take(&mut *world.proxy.0.failed.lock().unwrap());
        assert_eq!(failed, [Disconnect::Busy.into()], "seed {seed}");
        let proxy = world.proxy.clone();
        world.end("kept");
        let failed = proxy.0.failed.lock().unwrap();
        assert_eq!(*failed, [Disconnect::Unavailable.into()], "seed {seed}");
    }
}

/// A walk finds the calls that there are, which may end on the way; what is said at the end of one
/// arrives.
#[test]
fn a_walk_over_calls() {
    for seed in seeds(10) {
        let world = World::new(builder(seed).build());
        for number in ["mirror", "silent", "mirror", "mirror"] {
            world.call(number);
        }
        assert_eq!(world.up(), [3, 0]);
        let adapter = world.modem.adapter.lock().unwrap().clone().unwrap();
        world.user(move |_| {
            let irql = &mut passive();
            let mut places = Vec::new();
            let mut calls = adapter.calls();
            while let Some(call) = calls.next(irql) {
                places.push((call.line(), call.address()));
                call.hang_up_with(Disconnect::Normal, b"bye", irql).unwrap();
            }
            assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        });
        let adapter = world.modem.adapter.lock().unwrap().clone().unwrap();
        assert!(adapter.calls().next(&mut passive()).is_none());
        drop(adapter);
        // What is only dialled fails, and nothing can be said with it.
        assert_eq!(*world.proxy.0.last_words.lock().unwrap(), [b"bye"; 3]);
        assert_eq!(world.proxy.0.failed.lock().unwrap().len(), 1);
        world.end("a walk");
    }
}

/// What is asked for is not there: line, address, or none is free.
#[test]
fn addresses_are_taken_and_free_again() {
    let world = World::new(builder(1).build());
    let failed = |world: &World| std::mem::take(&mut *world.proxy.0.failed.lock().unwrap());
    world.user(|proxy| proxy.call_on(2, ANY_ADDRESS, b"mirror"));
    assert_eq!(failed(&world), [Status::TAPI_NODEVICE]);
    world.user(|proxy| proxy.call_on(0, 2, b"mirror"));
    assert_eq!(failed(&world), [Status::TAPI_INVALADDRESSID]);
    for round in 0..2 {
        for (line, address) in [
            (1, 1),
            (ANY_LINE, 0),
            (0, ANY_ADDRESS),
            (ANY_LINE, ANY_ADDRESS),
        ] {
            world.user(move |proxy| proxy.call_on(line, address, b"mirror"));
        }
        assert_eq!(world.up(), [4, 0], "round {round}");
        for (line, address) in [(1, 1), (ANY_LINE, ANY_ADDRESS)] {
            world.user(move |proxy| proxy.call_on(line, address, b"mirror"));
            assert_eq!(failed(&world), [Status::TAPI_CALLUNAVAIL]);
        }
        world.user(|proxy| {
            let all = proxy.0.placed.lock().unwrap().clone();
            for vc in all {
                vc.hang_up(&[], &mut passive()).unwrap();
            }
        });
        assert_eq!(world.up(), [0, 0], "round {round}");
    }
    let told = world.proxy.0.told.lock().unwrap().clone();
    let places: Vec<_> = told.iter().map(|it| (it.line, it.address)).collect();
    let once = [(1, 1), (0, 0), (0, 1), (1, 0)];
    assert_eq!(places, [once, once].concat());
    world.end("addresses");
}

/// Rule TAPI-13: either end hangs up, the driver finishes at once or later, with frames held or
/// none.
#[test]
fn hanging_up() {
    for seed in seeds(12) {
        let bit = |bit: u64| seed & (1 << bit) != 0;
        let world = World::new(builder(seed).build());
        world.modem.pends.store(bit(0), SeqCst);
        world.modem.holds.store(bit(1), SeqCst);
        world.call("line 1");
        assert_eq!(world.up(), [1, 1]);
        let caller = bit(2);
        world.user(move |proxy| {
            proxy.send(&proxy.placed(), &[&[1; 5]]);
            proxy.send(&proxy.taken(), &[&[1; 6]]);
        });
        if bit(3) {
            // The network has lost it.
            let calls = world.modem.calls.lock().unwrap().clone();
            world.user(move |_| {
                let irql = &mut passive();
                for call in &calls {
                    if let Some(call) = call.upgrade() {
                        let _ = call.hang_up(Disconnect::Unreachable, irql);
                    }
                }
            });
        } else {
            world.user(move |proxy| {
                let vc = if caller {
                    proxy.placed()
                } else {
                    proxy.taken()
                };
                vc.hang_up(&[], &mut passive()).unwrap();
            });
        }
        world.host.run();
        assert_eq!(world.up(), [0, 0], "seed {seed}");
        assert_eq!(*world.proxy.0.closed.lock().unwrap(), 2, "seed {seed}");
        assert_eq!(world.modem.hung_up.load(SeqCst), 2, "seed {seed}");
        assert_eq!(world.modem.legs.load(SeqCst), 0, "seed {seed}");
        world.end(&format!("hang-up, seed {seed}"));
    }
}

/// An application that lets it ring: it answers, or the caller gives up first.
#[test]
fn ringing() {
    for seed in seeds(12) {
        let world = World::new(builder(seed).build());
        *world.proxy.0.ring.lock().unwrap() = Ring::Later;
        world.call("line 1");
        assert_eq!(world.up(), [0, 0]);
        if seed % 2 == 0 {
            world.user(|proxy| {
                let call = proxy.0.ringing.lock().unwrap().pop().unwrap();
                let _ = call.accept(&mut passive()).keep();
            });
            assert_eq!(world.up(), [1, 1], "seed {seed}");
        }
        world.end(&format!("ringing, seed {seed}"));
    }
}

/// Rule TAPI-14: the adapter goes with calls up, dialled and ringing.
#[test]
fn a_halt_ends_every_call() {
    for seed in seeds(20) {
        // The other way round the clients are unbound first, and wait for what they have dialled.
        let readings = Readings {
            notify_close: NotifyClose::HaltFirst,
            ..Readings::default()
        };
        let world = World::new(builder(seed).readings(readings).build());
        world.modem.pends.store(seed % 3 == 0, SeqCst);
        world.call("line 1");
        *world.proxy.0.ring.lock().unwrap() = Ring::Later;
        world.call("silent");
        if seed % 2 == 0 {
            world.user(|proxy| {
                let vc = proxy.placed();
                vc.hang_up(&[], &mut passive()).unwrap();
            });
        }
        let proxy = world.proxy.clone();
        let modem = world.modem.clone();
        world.end(&format!("halt, seed {seed}"));
        let failed = proxy.0.failed.lock().unwrap();
        assert_eq!(*failed, [Disconnect::Unavailable.into()], "seed {seed}");
        assert_eq!(modem.hung_up.load(SeqCst), 2, "seed {seed}");
        if seed % 2 == 1 {
            let closing = proxy.0.closing.lock().unwrap();
            assert!(
                closing.contains(&Disconnect::Unavailable.into()),
                "{closing:?}"
            );
        }
    }
}

/// Rules SAP-15, SAP-16, TAPI-12: SAPs for what there is; of two clients the first one has it.
#[test]
fn saps() {
    let media_modes = MediaModes::DIGITALDATA;
    let of = |line, address| LineSap {
        line,
        address,
        media_modes,
    };
    let voice = LineSap {
        media_modes: MediaModes::INTERACTIVEVOICE,
        ..ON_LINE_1
    };
    let saps = [
        of(ANY_LINE, ANY_ADDRESS),
        of(1, 0),
        of(2, ANY_ADDRESS),
        of(0, 2),
        voice,
    ];
    let world = World::with_saps(builder(1).build(), &saps);
    let mut registered = world.proxy.0.registered.lock().unwrap().clone();
    registered.sort_by_key(|it| it.is_err());
    let bad = Err(Status::INVALID_DATA);
    assert_eq!(registered, [Ok(()), Ok(()), bad, bad, bad]);
    world.call("line 0");
    assert_eq!(world.up(), [1, 1]);
    world.end("SAPs");
}

/// Rule SAP-16: of two clients the first one has the SAP, also by a wildcard.
#[test]
fn a_sap_of_another_client() {
    let host = builder(1).build();
    let (notes, proxies) = (
        Arc::<modem::Notes>::default(),
        [(), ()].map(|()| Proxy::default()),
    );
    let media_modes = MediaModes::DIGITALDATA;
    let any = LineSap {
        line: ANY_LINE,
        address: 1,
        media_modes,
    };
    let free = LineSap {
        line: 0,
        address: 0,
        media_modes,
    };
    *proxies[0].0.saps.lock().unwrap() = vec![ON_LINE_1];
    *proxies[1].0.saps.lock().unwrap() = vec![any, free];
    let modem = load_modem(&host, &notes);
    let drivers = proxies.each_ref().map(|proxy| load_proxy(&host, proxy));
    let adapter = host.add_adapter(&modem).expect("the adapter starts");
    host.run();
    let mut results = proxies.map(|proxy| proxy.0.registered.lock().unwrap().clone());
    results[1].sort_by_key(Result::is_err);
    let taken = Err(Status::INVALID_DATA);
    // Whoever is first has line 1.
    let first = [vec![Ok(())], vec![Ok(()), taken]];
    let second = [vec![taken], vec![Ok(()), Ok(())]];
    assert!(results == first || results == second, "{results:?}");
    host.remove_adapter(&adapter);
    for driver in drivers.iter().chain([&modem]) {
        host.unload(driver);
    }
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

/// Calls outlive a pause, in which no data flow.
#[test]
fn a_pause_with_calls_up() {
    for seed in seeds(10) {
        let world = World::new(builder(seed).build());
        world.call("line 1");
        world.host.pause(&world.adapter);
        let call = world.modem.calls.lock().unwrap()[0].upgrade().unwrap();
        world.user(move |_| {
            let irql = &mut passive();
            assert_eq!(call.receive(&[1; 8], irql), Err(Status::PAUSED));
            assert_eq!(call.statistics().buffer_overrun_errors, 1);
            assert!(call.is_connected());
        });
        world
            .host
            .restart(&world.adapter)
            .expect("the data flow again");
        // The driver heard so, as it had when the adapter came.
        assert_eq!(world.modem.running.load(SeqCst), 2);
        world.user(|proxy| proxy.send(&proxy.placed(), &[&[1; 5]]));
        assert_eq!(world.proxy.0.heard.lock().unwrap().len(), 1, "seed {seed}");
        world.end("a pause");
    }
}

/// The device goes without notice, with a call up.
#[test]
fn a_surprise() {
    for readings in [NotifyClose::UnbindFirst, NotifyClose::HaltFirst] {
        for seed in seeds(6) {
            let readings = Readings {
                notify_close: readings,
                ..Readings::default()
            };
            let world = World::new(builder(seed).readings(readings).build());
            world.call("line 1");
            world.host.surprise_remove(&world.adapter);
            world.finish("a surprise");
        }
    }
}

/// A driver that loses what it has to say of an answered call: it is taken back, and who has
/// dialled hears as well.
#[test]
fn an_answered_call_is_lost() {
    for seed in seeds(10) {
        let world = World::new(builder(seed).build());
        world.modem.loses.store(true, SeqCst);
        world.call("line 1");
        assert_eq!(world.up(), [0, 0], "seed {seed}");
        let closing = world.proxy.0.closing.lock().unwrap().clone();
        assert_eq!(closing, [Status::FAILURE], "seed {seed}");
        let failed = world.proxy.0.failed.lock().unwrap().clone();
        assert_eq!(failed, [Disconnect::NoAnswer.into()], "seed {seed}");
        world.end("a lost answer");
    }
}

/// Calls are placed, answered, let ring, hung up by either end and by the network, all at once,
/// while frames go both ways; then the adapter goes, in the middle of it.
#[test]
#[cfg_attr(miri, ignore = "many runs")]
fn a_storm() {
    let all: Vec<_> = Readings::all().collect();
    for (seed, readings) in (0..120_u64).zip(all.iter().copied().cycle()) {
        let what = format!("storm, seed {seed}, {}", readings.describe());
        let mut host = builder(seed).readings(readings);
        if seed.is_multiple_of(3) {
            host = host.low_stack(1, 4);
        }
        let world = World::new(host.build());
        world.modem.pends.store(seed.is_multiple_of(2), SeqCst);
        for user in 0..4_u64 {
            let (proxy, modem) = (world.proxy.clone(), world.modem.clone());
            world.host.spawn("user", move || {
                for step in 0..6 {
                    let dice = (seed * 31 + user * 7 + step * 13) % 8;
                    let irql = &mut passive();
                    let last = |all: &Mutex<Vec<_>>| all.lock().unwrap().last().cloned();
                    match dice {
                        0 | 1 => drop(proxy.try_call(ANY_LINE, ANY_ADDRESS, b"line 1")),
                        2 => drop(proxy.try_call(0, ANY_ADDRESS, b"mirror")),
                        3 => {
                            let ring = [Ring::Accept, Ring::Refuse][(user % 2) as usize];
                            *proxy.0.ring.lock().unwrap() = ring;
                        }
                        4 => {
                            if let Some(vc) = last(&proxy.0.placed) {
                                let _ = vc.hang_up(&[], irql);
                            }
                        }
                        5 => {
                            if let Some(vc) = last(&proxy.0.taken) {
                                let _ = vc.hang_up(&[], irql);
                            }
                        }
                        6 => {
                            let call = modem.calls.lock().unwrap().pop();
                            if let Some(call) = call.and_then(|call| call.upgrade()) {
                                let _ = call.hang_up(Disconnect::Unreachable, irql);
                            }
                        }
                        _ => {
                            if let Some(vc) = last(&proxy.0.placed) {
                                proxy.try_send(&vc, &[&[1; 20], &[2; 30], &[3; 40]]);
                            }
                        }
                    }
                }
            });
        }
        if seed % 4 < 3 {
            world.host.run();
        }
        world.host.remove_adapter(&world.adapter);
        world.host.run();
        for driver in &world.drivers {
            world.host.unload(driver);
        }
        let up = world.up();
        let report = world.host.finish();
        assert!(report.is_clean(), "{what}: {report}");
        assert!(report.rules().is_empty(), "{what}: {report}");
        assert_eq!(up, [0, 0], "{what}");
        assert_eq!(world.modem.legs.load(SeqCst), 0, "{what}: contexts");
    }
}

/// Memory runs out at every place in turn: nothing is lost, whatever became of the calls.
#[test]
#[cfg_attr(miri, ignore = "many runs")]
fn without_memory() {
    for nth in 1..120 {
        let world = World::new(builder(nth).build());
        world.host.fail_allocation(nth);
        let proxy = world.proxy.clone();
        world.host.spawn("user", move || {
            // A call that the client itself has no memory for is none.
            let _ = proxy.try_call(ANY_LINE, ANY_ADDRESS, b"line 1");
        });
        world.host.run();
        world.end(&format!("without memory, {nth}"));
    }
}

/// A life under every reading.
#[test]
fn under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 1000 } else { 1 }) {
        let what = readings.describe();
        let world = World::new(builder(3).readings(readings).build());
        world.call("line 1");
        assert_eq!(world.up(), [1, 1], "{what}");
        world.user(|proxy| proxy.send(&proxy.placed(), &[&[1; 50], &[2; 50]]));
        assert_eq!(world.proxy.0.heard.lock().unwrap().len(), 2, "{what}");
        world.user(|proxy| {
            let vc = proxy.taken();
            vc.hang_up(&[], &mut passive()).unwrap();
        });
        assert_eq!(world.up(), [0, 0], "{what}");
        world.call("busy");
        world.call("line 1");
        world.end(&what);
    }
}

/// The macro's entry point.
#[test]
fn the_entry_point() {
    let host = builder(1).build();
    // SAFETY: the entry point of a driver, which the host calls as Windows does.
    let driver = unsafe { host.load("modem", modem::entry::driver_entry) }.expect("it loads");
    let adapter = host.add_adapter(&driver).expect("the adapter starts");
    host.run();
    host.remove_adapter(&adapter);
    host.unload(&driver);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}
