//! OID requests that reach a miniport of safe code, by either of its doors: what the layer
//! answers, and what the driver does, at once, later, too late or never.

use crate::raw;

mod board;
mod goes;

use board::{ALL, Board, DOUBLE, Desk, How, LAMP, LIT, Lamp, TAG};
use ndis_co::{event::Event, irql::Passive};
use ndis_host::{
    Adapter, Builder, Driver, Host, NotifyClose, OidAnswer, OidAsk, OwnRequests, Readings,
};
use ndis_mcm::{Entry, Status};
use ndis_sys as n;
use raw::{
    Client, Twist,
    oids::{Ask, NO, co, within},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::SeqCst},
};

const SUCCESS: i32 = n::NDIS_STATUS_SUCCESS;

/// What a lamp is as bytes.
fn bytes(lamp: Lamp) -> Vec<u8> {
    let mut all = lamp.colour.to_le_bytes().to_vec();
    all.extend(lamp.brightness.to_le_bytes());
    all.extend(lamp.blinks.to_le_bytes());
    all
}

struct World {
    host: Host,
    desk: Arc<Desk>,
    board: Driver,
    client: Client,
    adapter: Adapter,
    /// What the client has asked, until it frees it.
    asks: Arc<Mutex<Vec<Ask>>>,
}

fn builder(seed: u64) -> Builder {
    let host = Host::builder().seed(seed).preemption(1, 3);
    host.no_events_under_miri()
}

/// The readings that matter to a miniport's requests, or all there are.
fn doors() -> Vec<Readings> {
    let plain = raw::plain();
    OwnRequests::ALL
        .iter()
        .map(|own| Readings {
            own_requests: *own,
            ..plain
        })
        .collect()
}

fn load(host: &Host, desk: &Arc<Desk>) -> Driver {
    let entry = Entry::new(Board(desk.clone()));
    host.load_with("board", move |object, path| {
        // SAFETY: the host calls this once, as DriverEntry.
        unsafe { entry.run(object, path) }
    })
    .expect("the miniport loads")
}

impl World {
    fn new(host: Host, how: How, listens: bool) -> Self {
        let desk = Desk::new(how);
        let board = load(&host, &desk);
        let client = Client::load(&host, "client", Twist::None, listens);
        let adapter = host.add_adapter(&board).expect("initialize");
        host.run();
        Self {
            host,
            desk,
            board,
            client,
            adapter,
            asks: Arc::default(),
        }
    }

    /// Asks, while the device's thread answers what waits.
    fn ask(&self, what: OidAsk) -> OidAnswer {
        self.with_device(|| self.host.ask(&self.adapter, what))
    }

    fn with_device<R>(&self, body: impl FnOnce() -> R) -> R {
        let stop = Arc::new(AtomicBool::new(false));
        if *self.desk.how.lock().unwrap() == How::Later {
            let (desk, stop) = (self.desk.clone(), stop.clone());
            thread(&self.host, move |irql| {
                let never = Event::try_new(TAG).unwrap();
                while !stop.load(SeqCst) || desk.waits() > 0 {
                    if !desk.work(irql) {
                        never.wait_for(1, irql);
                    }
                }
            });
        }
        let result = body();
        stop.store(true, SeqCst);
        self.host.run();
        result
    }

    fn call(&self) -> usize {
        let client = self.client.clone();
        self.host.spawn("user", move || client.call());
        self.host.run();
        assert_eq!(self.client.shared.up.load(SeqCst), 1, "the call is up");
        self.client.shared.vc.load(SeqCst).addr()
    }

    fn hang_up(&self) {
        let client = self.client.clone();
        self.host.spawn("user", move || client.hang_up());
        self.host.run();
    }

    /// What the client has asked is over.
    fn free_asks(&self) {
        let asks = self.asks.clone();
        within(&self.host, &self.client.driver, move || {
            for ask in asks.lock().unwrap().drain(..) {
                ask.free();
            }
        });
    }

    #[track_caller]
    fn end(self, what: &str) {
        self.host.remove_adapter(&self.adapter);
        self.finish(what);
    }

    #[track_caller]
    fn finish(self, what: &str) {
        self.host.unload(&self.client.driver);
        self.host.unload(&self.board);
        let report = self.host.finish();
        assert!(report.is_clean(), "{what}: {report}");
        assert!(report.rules().is_empty(), "{what}: {report}");
        assert_eq!(self.desk.vcs.load(SeqCst), 0, "{what}");
    }
}

fn thread(host: &Host, body: impl FnOnce(&mut Passive) + Send + 'static) {
    // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
    host.spawn("device", move || body(&mut unsafe { Passive::assume() }));
}

fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) { 1 } else { native }
}

/// What each connection-oriented adapter answers, and what this one says.
fn mandatory() -> Vec<(i32, Vec<u8>)> {
    let u32s = |all: &[u32]| all.iter().flat_map(|one| one.to_le_bytes()).collect();
    let u64s = |one: u64| one.to_le_bytes().to_vec();
    let medium = n::NdisMediumCoWan.to_le_bytes().to_vec();
    let speed: Vec<u8> = u32s(&[2_500_000, 2_500_000]);
    let counts = Desk::new(How::Now).counts;
    vec![
        (n::OID_GEN_CO_HARDWARE_STATUS, u32s(&[0])),
        (n::OID_GEN_CO_MEDIA_SUPPORTED, medium.clone()),
        (n::OID_GEN_CO_MEDIA_IN_USE, medium),
        (n::OID_GEN_CO_LINK_SPEED, speed.clone()),
        (n::OID_GEN_CO_VENDOR_ID, vec![0, 0x11, 0x22, 7]),
        (
            n::OID_GEN_CO_VENDOR_DESCRIPTION,
            b"A board with a lamp\0".to_vec(),
        ),
        (n::OID_GEN_CO_VENDOR_DRIVER_VERSION, u32s(&[3 << 16 | 14])),
        (
            n::OID_GEN_CO_DRIVER_VERSION,
            vec![ndis_co::raw::NDIS_VERSION.1, ndis_co::raw::NDIS_VERSION.0],
        ),
        (
            n::OID_GEN_CO_MAC_OPTIONS,
            u32s(&[n::NDIS_MAC_OPTION_NO_LOOPBACK as u32]),
        ),
        (n::OID_GEN_CO_MEDIA_CONNECT_STATUS, u32s(&[0])),
        (n::OID_GEN_CO_MINIMUM_LINK_SPEED, speed),
        (n::OID_GEN_CO_XMIT_PDUS_OK, u64s(counts)),
        (n::OID_GEN_CO_RCV_PDUS_OK, u64s(2 * counts)),
        (n::OID_GEN_CO_XMIT_PDUS_ERROR, u64s(3)),
        (n::OID_GEN_CO_RCV_PDUS_ERROR, u64s(4)),
        (n::OID_GEN_CO_RCV_PDUS_NO_BUFFER, u64s(5)),
        (n::OID_GEN_CO_BYTES_XMIT, u64s(10 * counts)),
        (n::OID_GEN_CO_BYTES_RCV, u64s(20 * counts)),
    ]
}

/// Rule OID-24: under every reading, and the driver is asked nothing.
#[test]
#[cfg_attr(miri, ignore = "the small life is enough")]
fn what_every_adapter_answers() {
    for readings in Readings::all() {
        let world = World::new(builder(1).readings(readings).build(), How::Now, false);
        for (oid, answer) in world.host.ask_mandatory(&world.adapter) {
            assert_eq!(answer.status, SUCCESS, "{oid:#x}");
            let expected = mandatory().into_iter().find(|it| it.0 as u32 == oid);
            if let Some((_, bytes)) = expected {
                assert_eq!(answer.bytes().unwrap(), bytes, "{oid:#x}");
            }
        }
        assert_eq!(world.desk.asked.load(SeqCst), 0);
        world.end(&readings.describe());
    }
}

/// Too little room: nothing is written, and how much it takes is said (rules OID-21, OID-33);
/// more room than that changes nothing.
#[test]
fn rooms_of_every_size() {
    for readings in doors() {
        let world = World::new(builder(2).readings(readings).build(), How::Now, false);
        for (oid, bytes) in mandatory() {
            let counter = bytes.len() == 8
                && oid != n::OID_GEN_CO_LINK_SPEED
                && oid != n::OID_GEN_CO_MINIMUM_LINK_SPEED;
            let full = u32::try_from(bytes.len()).unwrap();
            for room in 0..bytes.len() + 3 {
                let answer = world.ask(OidAsk::query(oid as u32, room));
                let (status, written) = match room {
                    room if room >= bytes.len() => (SUCCESS, full),
                    4.. if counter => (SUCCESS, 4),
                    _ if counter => (n::NDIS_STATUS_INVALID_LENGTH, 0),
                    _ => (n::NDIS_STATUS_BUFFER_TOO_SHORT, 0),
                };
                assert_eq!(answer.status, status, "{oid:#x} in {room}");
                assert_eq!((answer.written, answer.needed), (written, full));
                let written = written as usize;
                assert_eq!(answer.data[..written], bytes[..written]);
                assert!(answer.data[written..].iter().all(|byte| *byte == 0));
            }
        }
        world.end("rooms");
    }
}

/// Rules INIT-30, OID-28: the list is in rising order, has the driver's own, and nothing that is
/// not answered.
#[test]
fn the_list_of_oids() {
    let world = World::new(builder(3).readings(raw::plain()).build(), How::Now, false);
    let list = OidAsk::query(n::OID_GEN_CO_SUPPORTED_LIST as u32, 1024);
    let list = world.ask(list).bytes().unwrap();
    let list: Vec<u32> = list
        .chunks_exact(4)
        .map(|one| u32::from_le_bytes(one.try_into().unwrap()))
        .collect();
    assert!(list.is_sorted_by(|one, next| one < next), "{list:x?}");
    for own in [LAMP.number(), DOUBLE.number()] {
        assert!(list.contains(&own));
    }
    for (oid, _) in mandatory() {
        assert!(list.contains(&(oid as u32)), "{oid:#x}");
    }
    for oid in list {
        let ask = match oid {
            n::OID_PNP_SET_POWER => OidAsk::set(oid, n::NdisDeviceStateD0.to_le_bytes()),
            _ if oid == n::OID_GEN_CO_PROTOCOL_OPTIONS as u32 => OidAsk::set(oid, [0; 4]),
            _ if oid == DOUBLE.number() => OidAsk::method(oid, 0, [0; 4], 8),
            _ => OidAsk::query(oid, 1024),
        };
        assert_eq!(world.ask(ask).status, SUCCESS, "{oid:#x}");
    }
    world.end("the list");
}

/// Rules OID-22, OID-60.
#[test]
fn what_makes_no_sense() {
    for readings in doors() {
        let world = World::new(builder(4).readings(readings).build(), How::Now, false);
        let not_supported = n::NDIS_STATUS_NOT_SUPPORTED;
        let speed = n::OID_GEN_CO_LINK_SPEED as u32;
        for (ask, status) in [
            (OidAsk::query(0xFF01_0099, 4), not_supported),
            (OidAsk::set(0xFF01_0099, [1]), not_supported),
            (OidAsk::set(speed, [0; 8]), not_supported),
            (
                OidAsk::set(n::OID_GEN_CO_PROTOCOL_OPTIONS as u32, [0; 3]),
                n::NDIS_STATUS_INVALID_LENGTH,
            ),
            (
                OidAsk::set(LAMP.number(), [0; 7]),
                n::NDIS_STATUS_INVALID_LENGTH,
            ),
        ] {
            let what = format!("{ask:?}");
            let answer = world.ask(ask);
            assert_eq!((answer.status, answer.written), (status, 0), "{what}");
        }
        let query = OidAsk::query(n::OID_PNP_QUERY_POWER, 4);
        assert_eq!(world.ask(query).status, SUCCESS, "OID-62");
        for state in [&[4][..], &[99, 0, 0, 0], &[]] {
            let set = OidAsk::set(n::OID_PNP_SET_POWER, state);
            assert_eq!(world.ask(set).status, SUCCESS, "DV-08");
        }
        world.end("no sense");
    }
}

/// What the layer counts of an adapter and of each VC.
const COUNTERS: [i32; 7] = [
    n::OID_GEN_CO_XMIT_PDUS_OK,
    n::OID_GEN_CO_RCV_PDUS_OK,
    n::OID_GEN_CO_XMIT_PDUS_ERROR,
    n::OID_GEN_CO_RCV_PDUS_ERROR,
    n::OID_GEN_CO_RCV_PDUS_NO_BUFFER,
    n::OID_GEN_CO_BYTES_XMIT,
    n::OID_GEN_CO_BYTES_RCV,
];

/// The driver's own OIDs, answered in every way, by either door.
fn life(seed: u64, readings: Readings, how: How) {
    let what = format!("seed {seed}, {how:?}, {}", readings.describe());
    let co = readings.own_requests == OwnRequests::CoOidRequest;
    let host = builder(seed).readings(readings).build();
    let world = World::new(host, how, false);
    let vc = std::ptr::without_provenance_mut(world.call());
    let green = Lamp {
        colour: 0x0000_FF00,
        ..LIT
    };
    let refused = matches!(how, How::Dropped | How::Locked);
    let status = if refused {
        n::NDIS_STATUS_FAILURE
    } else {
        SUCCESS
    };
    let mut lamp = LIT;
    for of_vc in [false, true] {
        let of = |ask: OidAsk| if of_vc { ask.of_vc(vc) } else { ask };
        let answer = world.ask(of(OidAsk::statistics(LAMP.number(), 8)));
        assert_eq!(answer.status, status, "{what}");
        if !refused {
            assert_eq!(answer.bytes().unwrap(), bytes(lamp), "{what}");
        }
        let answer = world.ask(of(OidAsk::set(LAMP.number(), bytes(green))));
        assert_eq!(answer.status, status, "{what}");
        assert_eq!(answer.read, if refused { 0 } else { 8 });
        if !refused {
            lamp = green;
        }
        assert_eq!(*world.desk.lamp.lock().unwrap(), lamp, "{what}");
        let answer = world.ask(of(OidAsk::method(DOUBLE.number(), 0, [21, 0, 0, 0], 8)));
        assert_eq!(answer.status, status, "{what}");
        if !refused {
            assert_eq!(answer.bytes().unwrap(), 42_u64.to_le_bytes(), "{what}");
        }
        // What is the same for every VC.
        let speed = OidAsk::query(n::OID_GEN_CO_LINK_SPEED as u32, 8);
        assert_eq!(world.ask(of(speed)).status, SUCCESS, "{what}");
        // What is known of the adapter is known of a VC, and nothing has flowed there (OID-23).
        for (at, oid) in COUNTERS.into_iter().enumerate() {
            let answer = world.ask(of(OidAsk::query(oid as u32, 8)));
            assert_eq!(answer.status, SUCCESS, "{what}");
            let counted = answer.bytes().unwrap() != [0; 8];
            assert_eq!(counted, !(of_vc && co), "{what}, counter {at}");
        }
    }
    // The other door knows no VCs.
    let asked = [&world.desk.asked, &world.desk.asked_of_vc].map(|count| count.load(SeqCst));
    assert_eq!(asked, if co { [3, 3] } else { [6, 0] }, "{what}");
    world.hang_up();
    world.end(&what);
}

/// A client places two calls in a row on its VC (rule CALL-55): what NDIS asks about the VC reaches
/// the driver during the second one as during the first.
#[test]
fn requests_of_the_second_call_of_a_vc_are_taken() {
    let mut of_vc = 0;
    for (seed, readings) in (0..).zip(doors()) {
        for how in [How::Now, How::Later] {
            let host = builder(seed).readings(readings).build();
            let world = World::new(host, how, false);
            let number = world.call();
            let vc = world.client.shared.vc.load(SeqCst);
            let asks = |place: &str| {
                let what = format!("{readings:?}, {how:?}, {place}");
                let answer = world.ask(OidAsk::query(LAMP.number(), 8).of_vc(vc));
                assert_eq!(answer.status, SUCCESS, "{what}");
                assert_eq!(answer.bytes().unwrap(), bytes(LIT), "{what}");
            };
            asks("first call");
            // It keeps the VC.
            *world.client.shared.when_closed.lock().unwrap() = Some(Box::new(|| {}));
            world.hang_up();
            let client = world.client.clone();
            world.host.spawn("user", move || client.call_again());
            world.host.run();
            assert_eq!(world.client.shared.vc.load(SeqCst).addr(), number);
            asks("second call");
            of_vc += world.desk.asked_of_vc.load(SeqCst);
            world.hang_up();
            world.end(&format!("{readings:?}, {how:?}"));
        }
    }
    assert!(of_vc > 0, "no reading asks of a VC");
}

/// For Miri: answered later, and dropped under a lock.
#[test]
fn a_small_life() {
    for readings in doors() {
        life(1, readings, How::Later);
        life(2, readings, How::Locked);
    }
}

#[test]
#[cfg_attr(miri, ignore = "the small one is enough")]
fn a_life_under_every_reading() {
    for readings in Readings::all() {
        for how in ALL.into_iter().filter(|how| *how != How::Kept) {
            life(3, readings, how);
        }
    }
    for readings in doors() {
        for how in ALL.into_iter().filter(|how| *how != How::Kept) {
            for seed in seeds(8) {
                life(seed, readings, how);
            }
        }
    }
}

/// Rules OID-25, OID-26: its time is up, and the driver ends that one, and no other.
#[test]
fn a_request_that_takes_too_long() {
    for readings in doors() {
        for seed in seeds(8) {
            let world = World::new(builder(seed).readings(readings).build(), How::Kept, false);
            let ask = OidAsk::query(LAMP.number(), 8).id(0x77).timeout(1);
            let answer = world.ask(ask);
            assert_eq!(answer.status, Status::REQUEST_ABORTED.raw());
            assert_eq!((answer.written, answer.needed), (0, 0));
            assert_eq!(*world.desk.cancelled.lock().unwrap(), [0x77]);
            world.end("a timeout");
        }
    }
}

/// Rule HALT-13: what is asked of a device that has gone does not reach the driver.
#[test]
fn after_a_surprise() {
    for readings in doors() {
        let world = World::new(builder(5).readings(readings).build(), How::Now, false);
        world
            .host
            .surprise_remove_asking(&world.adapter, LAMP.number());
        assert_eq!(world.desk.asked.load(SeqCst), 0);
        world.finish("a surprise");
    }
}

/// Rule OID-19: any number may be out, of a VC and of the adapter, and they are answered in
/// another order; a halt waits for them (rule HALT-08).
#[test]
fn many_at_once() {
    const MANY: usize = 24;
    for how in [How::Later, How::Dropped, How::Kept] {
        for seed in seeds(10) {
            let readings = Readings {
                notify_close: if how == How::Kept {
                    NotifyClose::HaltFirst
                } else {
                    raw::plain().notify_close
                },
                ..raw::plain()
            };
            let world = World::new(builder(seed).readings(readings).build(), how, false);
            if how != How::Kept {
                world.call();
            }
            let (shared, asks) = (world.client.shared.clone(), world.asks.clone());
            within(&world.host, &world.client.driver, move || {
                let binding = shared.binding.load(SeqCst);
                shared.oids.when_heard(|_| ());
                for number in 0..MANY {
                    let vc = shared.vc.load(SeqCst);
                    let vc = if number % 3 == 0 { vc } else { NO };
                    let ask = Ask::query(&shared.oids, LAMP.number(), 8);
                    assert_eq!(co(binding, NO, vc, &ask), raw::PENDING);
                    asks.lock().unwrap().push(ask);
                }
            });
            if how == How::Later {
                world.with_device(|| world.host.run());
            }
            if how == How::Kept {
                assert_eq!(world.desk.waits(), MANY);
                let desk = world.desk.clone();
                // The adapter goes meanwhile, and waits.
                thread(&world.host, move |irql| {
                    let never = Event::try_new(TAG).unwrap();
                    never.wait_for(20, irql);
                    while desk.work(irql) {}
                });
                world.host.remove_adapter(&world.adapter);
            } else {
                world.hang_up();
            }
            let heard = world.client.shared.oids.heard.lock().unwrap().clone();
            assert_eq!(heard.len(), MANY, "{how:?}, seed {seed}");
            let refused = heard.iter().filter(|it| it.status != SUCCESS).count();
            assert_eq!(refused, if how == How::Dropped { MANY } else { 0 });
            world.free_asks();
            let what = format!("{how:?}, seed {seed}");
            if how == How::Kept {
                world.finish(&what);
            } else {
                world.end(&what);
            }
        }
    }
}

/// A client deletes its VC as soon as it hears the answer to what it has asked about it.
#[test]
fn about_a_vc_that_goes_then() {
    for how in [How::Later, How::Dropped, How::Locked] {
        for seed in seeds(10) {
            let world = World::new(builder(seed).readings(raw::plain()).build(), how, false);
            let shared = world.client.shared.clone();
            let heard = shared.clone();
            shared.oids.when_heard(move |_| {
                let vc = heard.vc.swap(NO, SeqCst);
                // SAFETY: the client's own VC, without a call, and of nobody else's use.
                assert_eq!(unsafe { n::NdisCoDeleteVc(vc) }, SUCCESS);
            });
            let (client, asks) = (world.client.clone(), world.asks.clone());
            within(&world.host, &world.client.driver, move || {
                make_vc(&client);
                let ask = Ask::query(&shared.oids, LAMP.number(), 8);
                let binding = shared.binding.load(SeqCst);
                let status = co(binding, NO, shared.vc.load(SeqCst), &ask);
                assert_eq!(status, raw::PENDING);
                asks.lock().unwrap().push(ask);
            });
            world.with_device(|| world.host.run());
            assert_eq!(world.desk.vcs.load(SeqCst), 0, "{how:?}, seed {seed}");
            world.free_asks();
            world.end(&format!("{how:?}, seed {seed}"));
        }
    }
}

/// A VC without a call.
fn make_vc(client: &Client) {
    let shared = &client.shared;
    let context = Arc::as_ptr(shared).cast_mut().cast();
    let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
    let mut vc = NO;
    // SAFETY: handles of this client.
    let status = unsafe { n::NdisCoCreateVc(binding, af, context, &raw mut vc) };
    assert_eq!(status, SUCCESS);
    shared.vc.store(vc, SeqCst);
}

/// Whoever asks within the completion of a request comes back with less stack, and so on: the
/// driver is not asked when it is nearly used up.
#[test]
fn on_little_stack() {
    for seed in seeds(20) {
        let host = builder(seed).readings(raw::plain()).low_stack(1, 2);
        let world = World::new(host.build(), How::Within, false);
        let mut refused = 0;
        for _ in 0..10 {
            let answer = world.ask(OidAsk::query(LAMP.number(), 8));
            if answer.status == n::NDIS_STATUS_RESOURCES {
                refused += 1;
            } else {
                assert_eq!(answer.bytes().unwrap(), bytes(LIT));
            }
            let power = OidAsk::set(n::OID_PNP_SET_POWER, n::NdisDeviceStateD0.to_le_bytes());
            assert_eq!(world.ask(power).status, SUCCESS, "DV-08");
        }
        assert!(cfg!(miri) || refused > 0, "seed {seed}");
        world.end("little stack");
    }
}

/// Memory runs out at every place in turn; then the adapter is refused, or all is well.
#[test]
#[cfg_attr(miri, ignore = "many runs")]
fn without_memory() {
    for nth in 1..40 {
        let host = builder(nth).readings(raw::plain()).build();
        let desk = Desk::new(How::Locked);
        let board = load(&host, &desk);
        host.fail_allocation(nth);
        if let Ok(adapter) = host.add_adapter(&board) {
            let ask = OidAsk::query(LAMP.number(), 8);
            assert_eq!(host.ask(&adapter, ask).status, n::NDIS_STATUS_FAILURE);
            host.remove_adapter(&adapter);
        }
        host.unload(&board);
        let report = host.finish();
        assert!(report.is_clean(), "{nth}: {report}");
    }
}
