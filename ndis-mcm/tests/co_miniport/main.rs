//! A connection-oriented miniport of safe code that is no call manager, under a raw
//! stand-alone call manager and raw clients: however it answers, each request is answered
//! once, and a VC is deactivated when its last list is home.

use crate::raw;

mod goes;
mod wire;

use ndis_co::{
    irql::Passive,
    wan::{Fragment, FrameErrors},
};
use ndis_host::{Adapter, Builder, Driver, Host, Readings, Report};
use ndis_mcm::{Entry, Status};
use raw::{
    Client, SUCCESS, Twist,
    alone::{Alone, Slip},
    oids::{Ask, NO, co, within},
};
use std::sync::{Arc, atomic::Ordering::SeqCst};
use wire::{Desk, How, Wire};

/// The miniport, the call manager above it, and two clients; the second one listens.
struct World {
    host: Host,
    desk: Arc<Desk>,
    wire: Driver,
    alone: Alone,
    a: Client,
    b: Client,
    adapter: Adapter,
}

fn builder(seed: u64) -> Builder {
    Host::builder().seed(seed).readings(raw::plain())
}

fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) { 1 } else { native }
}

/// A thread of the device's.
fn thread(host: &Host, body: impl FnOnce(&mut Passive) + Send + 'static) {
    // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
    host.spawn("device", move || body(&mut unsafe { Passive::assume() }));
}

/// Those of the cases that are gone through; the last one under Miri.
fn of<T, const N: usize>(cases: [T; N]) -> impl Iterator<Item = T> {
    cases.into_iter().skip(if cfg!(miri) { N - 1 } else { 0 })
}

impl World {
    fn new(host: Host, desk: &Arc<Desk>) -> Self {
        Self::with(host, desk, Slip::None, Twist::None)
    }

    fn with(host: Host, desk: &Arc<Desk>, slip: Slip, twist: Twist) -> Self {
        let entry = Entry::new(Wire(desk.clone()));
        let wire = host
            // SAFETY: the host calls this once, as DriverEntry.
            .load_with("wire", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the miniport loads");
        let alone = Alone::load(&host, slip);
        let a = Client::load(&host, "client-a", Twist::None, false);
        let b = Client::load(&host, "client-b", twist, true);
        let adapter = host.add_adapter(&wire).expect("initialize");
        let world = Self {
            host,
            desk: desk.clone(),
            wire,
            alone,
            a,
            b,
            adapter,
        };
        world.settle();
        world
    }

    /// Lets everything happen, with the device's thread.
    fn settle(&self) {
        self.host.run();
        while self.desk.waits() {
            let desk = self.desk.clone();
            thread(&self.host, move |irql| _ = desk.work(irql));
            self.host.run();
        }
    }

    fn run(&self, client: &Client, body: fn(&Client)) {
        let client = client.clone();
        self.host.spawn("user", move || body(&client));
        self.settle();
    }

    /// A call with frames both ways.
    fn call(&self, caller_hangs_up: bool) {
        let before = [&self.a, &self.b].map(|client| client.shared.received.load(SeqCst));
        self.run(&self.a, Client::call);
        assert_eq!(*self.a.shared.last.lock().unwrap(), Some(SUCCESS));
        for client in [&self.a, &self.b] {
            assert_eq!(client.shared.up.load(SeqCst), 1, "the call is up");
        }
        self.run(&self.a, Client::send);
        self.run(&self.b, Client::send);
        self.run(&self.b, Client::send);
        assert_eq!(self.a.shared.received.load(SeqCst), before[0] + 2);
        assert_eq!(self.b.shared.received.load(SeqCst), before[1] + 1);
        let who = if caller_hangs_up { &self.a } else { &self.b };
        self.run(who, Client::hang_up);
        self.hung_up();
    }

    fn hung_up(&self) {
        for client in [&self.a, &self.b] {
            assert_eq!(client.shared.up.load(SeqCst), 0);
            assert!(client.shared.vc.load(SeqCst).is_null(), "the VC is gone");
        }
    }

    /// Whether the call manager hears itself on its own VC.
    fn greet(&self) {
        let alone = self.alone.clone();
        self.host.spawn("signalling", move || alone.greet());
        self.settle();
        assert_eq!(self.alone.shared.heard.load(SeqCst), 1);
    }

    /// A call that fails, with this status.
    fn failed_call(&self, status: Status) {
        self.run(&self.a, Client::call);
        assert_eq!(*self.a.shared.last.lock().unwrap(), Some(status.raw()));
        for client in [&self.a, &self.b] {
            assert_eq!(client.shared.up.load(SeqCst), 0);
        }
    }

    fn down(self) -> Report {
        // A device whose thread does not stop before all is gone.
        let desk = self.desk.clone();
        thread(&self.host, move |irql| {
            while desk.made.load(SeqCst) > desk.deleted.load(SeqCst) {
                if !desk.work(irql) {
                    // SAFETY: at PASSIVE_LEVEL.
                    unsafe { ndis_sys::NdisMSleep(1000) };
                }
            }
        });
        self.host.remove_adapter(&self.adapter);
        self.host.run();
        for driver in [&self.a.driver, &self.b.driver, &self.alone.driver] {
            self.host.unload(driver);
        }
        self.host.unload(&self.wire);
        let report = self.host.finish();
        let desk = &self.desk;
        assert_eq!(desk.made.load(SeqCst), desk.deleted.load(SeqCst));
        assert!(desk.vcs.lock().unwrap().is_empty());
        assert_eq!(
            desk.delivered.load(SeqCst),
            desk.home.load(SeqCst),
            "what was indicated is home"
        );
        report
    }
}

#[track_caller]
fn clean(report: &Report, what: &str) {
    assert!(report.is_clean(), "{what}: {report}");
    assert!(report.rules().is_empty(), "{what}: {report}");
}

const TURNS: [[&[How]; 2]; 4] = [
    [&[How::Now], &[How::Now]],
    [&[How::Later], &[How::Later]],
    [&[How::Within], &[How::Within]],
    [
        &[How::Later, How::Within, How::Now, How::Later, How::Now],
        &[
            How::Now,
            How::Dropped,
            How::Within,
            How::Later,
            How::Dropped,
        ],
    ],
];

fn life(seed: u64, readings: Readings) {
    let [activations, deactivations] = TURNS[usize::try_from(seed % 4).unwrap()];
    let desk = Desk::new(activations, deactivations);
    let host = Host::builder().seed(seed).readings(readings);
    let world = World::new(host.preemption(1, 3).build(), &desk);
    world.greet();
    world.call(seed.is_multiple_of(2));
    world.call(!seed.is_multiple_of(2));
    assert!(desk.refusals.lock().unwrap().is_empty());
    let what = format!("seed {seed}, {}", readings.describe());
    clean(&world.down(), &what);
    for count in [
        &desk.made,
        &desk.deleted,
        &desk.activated,
        &desk.deactivated,
    ] {
        assert_eq!(
            count.load(SeqCst),
            5,
            "two calls, and the manager's own: {what}"
        );
    }
}

/// For Miri: the device answers in every way.
#[test]
fn a_small_life() {
    life(3, raw::plain());
}

#[test]
#[cfg_attr(miri, ignore = "the small one is enough")]
fn a_life_under_every_reading() {
    for readings in Readings::all() {
        for seed in seeds(24) {
            life(seed, readings);
        }
    }
}

/// The call of a VC that cannot be activated fails, and leaves nothing.
/// Rule STATUS-02: the client of a VC and the call manager hear of its line, nobody else, and when
/// it is not active nobody.
#[test]
fn a_status_of_each_vc() {
    let desk = Desk::new(&[How::Now], &[How::Now]);
    let world = World::new(builder(1).build(), &desk);
    world.run(&world.a, Client::call);
    let vcs: Vec<_> = desk.vcs.lock().unwrap().clone();
    // One for each client, and the call manager's own.
    assert_eq!(vcs.len(), 3);
    let of_line = vcs.clone();
    thread(&world.host, move |irql| {
        for vc in &of_line {
            let errors = FrameErrors::FRAMING;
            assert_eq!(vc.indicate(&Fragment { errors }, irql), Ok(()));
        }
    });
    world.settle();
    for client in [&world.a, &world.b] {
        let told = client.shared.oids.told.lock().unwrap().clone();
        assert_eq!(told.len(), 1, "of its own VC");
        assert_eq!(told[0].code, ndis_sys::NDIS_STATUS_WAN_CO_FRAGMENT);
        assert_eq!(told[0].vc, Arc::as_ptr(&client.shared).addr());
    }
    assert_eq!(world.alone.shared.oids.told.lock().unwrap().len(), 3);
    world.run(&world.a, Client::hang_up);
    thread(&world.host, move |irql| {
        let ended = vcs.iter().filter(|vc| !vc.is_active());
        for vc in ended {
            let errors = FrameErrors::FRAMING;
            assert!(vc.indicate(&Fragment { errors }, irql).is_err());
        }
        // The last references go.
        drop(vcs);
    });
    world.settle();
    clean(&world.down(), "a status of each VC");
}

#[test]
fn an_activation_that_fails() {
    let cases = [
        (How::Refused, Status::INVALID_DATA),
        (How::RefusedLater, Status::RESOURCES),
        (How::Dropped, Status::INVALID_DATA),
    ];
    for (how, status) in of(cases) {
        for seed in seeds(20) {
            // The manager's own VC, then the callee's, twice.
            let desk = Desk::new(&[How::Now, how, how, How::Now], &[How::Later]);
            let world = World::new(builder(seed).preemption(1, 3).build(), &desk);
            world.failed_call(status);
            world.failed_call(status);
            world.call(true);
            clean(&world.down(), &format!("{how:?}, seed {seed}"));
        }
    }
}

/// A change of an active VC's parameters: data goes on whatever becomes of it.
#[test]
fn a_change_of_parameters() {
    let cases = [
        (How::Now, Status::SUCCESS),
        (How::Within, Status::SUCCESS),
        (How::Later, Status::SUCCESS),
        (How::Refused, Status::INVALID_DATA),
        (How::RefusedLater, Status::RESOURCES),
        (How::Dropped, Status::INVALID_DATA),
    ];
    for (how, status) in of(cases) {
        for seed in seeds(10) {
            let desk = Desk::new(&[How::Now], &[How::Now]);
            *desk.changes.lock().unwrap() = vec![how];
            let host = builder(seed).preemption(1, 3).build();
            let world = World::with(host, &desk, Slip::Changes, Twist::None);
            world.call(true);
            let statuses = world.alone.shared.statuses.lock().unwrap().clone();
            assert_eq!(
                statuses,
                [SUCCESS, status.raw()],
                "the family, and the change"
            );
            assert_eq!(desk.changed.load(SeqCst), 1);
            clean(&world.down(), &format!("{how:?}, seed {seed}"));
        }
    }
}

/// The call manager asks for rounded rates, and reads those that came of it (VC-42). Its own
/// VC is not rounded.
#[test]
fn rates_that_are_rounded() {
    for seed in seeds(10) {
        let desk = Desk::new(&[How::Now, How::Now, How::Within], &[How::Now]);
        let world = World::with(builder(seed).build(), &desk, Slip::Rounds, Twist::None);
        world.call(true);
        let rates = world.alone.shared.rates.lock().unwrap().clone();
        assert_eq!(rates, [[1000, 2000], [3000, 4000]]);
        clean(&world.down(), &format!("seed {seed}"));
    }
}

/// Sent lists that the driver holds keep the deactivation up, and so do indicated ones.
#[test]
fn lists_that_are_out_at_the_deactivation() {
    for how in of([How::Now, How::Within, How::Later, How::Dropped]) {
        for seed in seeds(20) {
            let desk = Desk::new(&[How::Within, How::Later], &[how]);
            let host = builder(seed).preemption(1, 2).build();
            // The sender closes its call before its frame has come back.
            host.expect("CALL-42");
            let world = World::with(host, &desk, Slip::None, Twist::HangsUpReceiving);
            desk.holds.store(1, SeqCst);
            world.run(&world.a, Client::call);
            // Its frame is held; the other client hangs up while it looks at the copy.
            world.run(&world.a, Client::send);
            world.hung_up();
            assert_eq!(world.a.shared.sent.load(SeqCst), 1, "it has come back");
            assert_eq!(desk.deactivated.load(SeqCst), 2);
            let report = world.down();
            assert!(report.is_clean(), "{how:?}, seed {seed}: {report}");
            raw::only(&report, &["CALL-42"]);
        }
    }
}

/// The caller sends within the completion that brings its call up, while that of the callee's
/// activation still runs: the frame is kept until NDIS knows of that, and arrives.
#[test]
fn a_frame_that_comes_while_ndis_is_told() {
    for how in of([How::Later, How::Within]) {
        for seed in seeds(20) {
            let desk = Desk::new(&[how], &[How::Now]);
            let world = World::new(builder(seed).preemption(1, 3).build(), &desk);
            let a = world.a.clone();
            *world.a.shared.when_up.lock().unwrap() = Some(Box::new(move || a.send()));
            world.run(&world.a, Client::call);
            assert_eq!(world.a.shared.sent.load(SeqCst), 1, "{how:?}, seed {seed}");
            assert!(desk.refusals.lock().unwrap().is_empty());
            if how == How::Within {
                assert_eq!(world.b.shared.received.load(SeqCst), 1, "seed {seed}");
            }
            world.run(&world.a, Client::hang_up);
            world.hung_up();
            clean(&world.down(), &format!("{how:?}, seed {seed}"));
        }
    }
}

/// The whole machine stops and goes on.
#[test]
fn a_pause() {
    for seed in seeds(20) {
        let desk = Desk::new(&[How::Later], &[How::Now]);
        let world = World::new(builder(seed).preemption(1, 3).build(), &desk);
        world.run(&world.a, Client::call);
        world.run(&world.a, Client::send);
        world.host.pause(&world.adapter);
        let vcs = desk.vcs.lock().unwrap().clone();
        assert!(!vcs.is_empty());
        let paused = vcs.clone();
        thread(&world.host, move |irql| {
            for vc in paused {
                let frame = wire::frame(vc.adapter(), b"paused");
                let refused = vc.indicate_receive(frame.into(), irql).unwrap_err();
                assert_eq!(refused.status, Status::PAUSED);
            }
        });
        world.host.run();
        drop(vcs);
        world.host.restart(&world.adapter).expect("restart");
        world.run(&world.b, Client::send);
        assert_eq!(world.a.shared.received.load(SeqCst), 1);
        world.run(&world.b, Client::hang_up);
        world.hung_up();
        clean(&world.down(), &format!("seed {seed}"));
    }
}

/// The device goes in the middle of a call.
#[test]
fn a_surprise() {
    for seed in seeds(20) {
        let desk = Desk::new(&[How::Later, How::Now], &[How::Within]);
        let world = World::new(builder(seed).preemption(1, 3).build(), &desk);
        world.run(&world.a, Client::call);
        world.run(&world.a, Client::send);
        world.host.surprise_remove(&world.adapter);
        world.settle();
        assert_eq!(desk.deleted.load(SeqCst), desk.made.load(SeqCst));
        for driver in [&world.a.driver, &world.b.driver, &world.alone.driver] {
            world.host.unload(driver);
        }
        world.host.unload(&world.wire);
        clean(&world.host.finish(), &format!("seed {seed}"));
    }
}

/// A client deletes its VC as soon as it hears the answer to what it has asked about it.
#[test]
fn a_request_about_a_vc_that_goes_then() {
    for seed in seeds(20) {
        let desk = Desk::new(&[How::Now], &[How::Now]);
        let world = World::new(builder(seed).preemption(1, 3).build(), &desk);
        let shared = world.a.shared.clone();
        let heard = shared.clone();
        shared.oids.when_heard(move |_| {
            let vc = heard.vc.swap(std::ptr::null_mut(), SeqCst);
            // SAFETY: the client's own VC, without a call, and of nobody else's use.
            let status = unsafe { ndis_sys::NdisCoDeleteVc(vc) };
            assert_eq!(status, SUCCESS);
        });
        let a = world.a.clone();
        within(&world.host, &world.a.driver, move || {
            make_vc(&a);
            let shared = &a.shared;
            let ask = Ask::query(&shared.oids, 0xFF01_0003, 4);
            let binding = shared.binding.load(SeqCst);
            let status = co(binding, NO, shared.vc.load(SeqCst), &ask);
            assert_eq!(status, raw::PENDING);
            *asked().lock().unwrap() = Some(ask);
        });
        world.settle();
        assert_eq!(desk.deleted.load(SeqCst), 1);
        within(&world.host, &world.a.driver, || {
            let ask = asked().lock().unwrap().take().unwrap();
            assert_eq!(ask.written(), 4);
            ask.free();
        });
        clean(&world.down(), &format!("seed {seed}"));
    }
}

/// A VC without a call.
fn make_vc(client: &Client) {
    let shared = &client.shared;
    let context = Arc::as_ptr(shared).cast_mut().cast();
    let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
    let mut vc = NO;
    // SAFETY: handles of this client.
    let status = unsafe { ndis_sys::NdisCoCreateVc(binding, af, context, &raw mut vc) };
    assert_eq!(status, SUCCESS);
    shared.vc.store(vc, SeqCst);
}

/// What a test has asked, until it is freed.
fn asked() -> &'static std::sync::Mutex<Option<Ask>> {
    static ASKED: std::sync::Mutex<Option<Ask>> = std::sync::Mutex::new(None);
    &ASKED
}
