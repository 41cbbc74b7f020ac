//! The call beneath ends, whatever the state of the one that is joined to it, and whoever ends it: the
//! layer ends the upper one. The driver between them does nothing about it.
//!
//! Each state is reached and each end done without a race, but for those of the last test, which come
//! at any moment.

mod drivers;

use drivers::{Desk, Modem, Proxy, Wan, parameters};
use ndis_co::{
    Status,
    client::Entry,
    irql::{NoLock, Passive},
};
use ndis_host::{Adapter, Driver, Host, McmDisplaces, Readings};
use std::sync::{Arc, atomic::Ordering::SeqCst};

/// How far the call above has come when the one beneath ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    /// Its VC is there.
    Created,
    /// And active.
    Active,
    /// The driver has offered it a moment ago; its VC may not be active yet.
    JustOffered,
    /// The client is being asked, and takes it.
    Offering,
    /// It leaves the answer for later.
    OfferingPends,
    /// It refuses.
    OfferingRefuses,
    /// The client has not answered yet.
    Ringing,
    /// It has, and the driver is to connect it.
    Accepted,
    /// The client is being told that it is up.
    Connecting,
    #[default]
    Up,
    /// The client has hung up, and the driver takes its time.
    Closing,
    /// The client hangs up, and the driver will not have it the first time.
    Refusing,
    /// There is none: the driver comes to it when the call beneath is over, or was not placed.
    TooLate,
    /// It is up, and the driver ends it itself.
    OwnWord,
}

impl Stage {
    const ALL: [Self; 12] = [
        Self::Created,
        Self::Active,
        Self::JustOffered,
        Self::Offering,
        Self::OfferingPends,
        Self::OfferingRefuses,
        Self::Ringing,
        Self::Accepted,
        Self::Connecting,
        Self::Up,
        Self::Closing,
        Self::Refusing,
    ];

    /// Whether the end comes from within a callback.
    fn is_within(self) -> bool {
        matches!(
            self,
            Self::JustOffered
                | Self::Offering
                | Self::OfferingPends
                | Self::OfferingRefuses
                | Self::Connecting
                | Self::Refusing
        )
    }
}

/// What ends the call beneath.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The proxy hangs up.
    HangUp,
    /// The other side does.
    Peer,
    /// The proxy closes its family.
    Family,
    /// The miniport call manager asks for that.
    Asked,
}

impl End {
    const ALL: [Self; 4] = [Self::HangUp, Self::Peer, Self::Family, Self::Asked];

    fn come(self, desk: &Desk, irql: &mut impl NoLock) {
        match self {
            Self::HangUp => {
                let lower = desk.lower.get().unwrap().upgrade().unwrap();
                lower.hang_up(&[], irql).unwrap();
            }
            Self::Peer => {
                let modem = desk.modem.get().unwrap().upgrade().unwrap();
                let why = Status::NO_ROUTE_TO_DESTINATION;
                modem.dispatch_incoming_close(why, b"why", irql).unwrap();
            }
            Self::Family => {
                let af = desk.af.get().unwrap();
                af.close(irql);
            }
            Self::Asked => {
                let modem = desk.modem.get().unwrap().upgrade().unwrap();
                modem.af().notify_close();
            }
        }
    }

    /// What the client above hears.
    fn status(self) -> Status {
        match self {
            Self::HangUp => Status::SUCCESS,
            Self::Peer => Status::NO_ROUTE_TO_DESTINATION,
            Self::Family | Self::Asked => Status::CLOSING,
        }
    }
}

/// What the drivers notice, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The VC above is there.
    Joined,
    NotHandedUp(Status),
    /// The client above knows that its call is up.
    Connected,
    /// The client above is told of the end.
    Told(Status),
    /// The proxy is told that the call above was not offered.
    Failed(Status),
    /// The client has refused it.
    Refused,
    UpperGone,
    LowerGone,
}

struct World {
    host: Host,
    desk: Arc<Desk>,
    drivers: [Driver; 3],
    adapter: Adapter,
}

impl World {
    fn new(seed: u64, readings: Readings, stage: Stage) -> Self {
        let host = Host::builder().seed(seed).readings(readings).build();
        let desk = Arc::<Desk>::default();
        *desk.stage.lock().unwrap() = stage;
        let entry = ndis_mcm::Entry::new(Modem(desk.clone()));
        // SAFETY: the host calls this once, as DriverEntry.
        let below = host.load_with("modem", move |object, path| unsafe {
            entry.run(object, path)
        });
        let entry = Entry::new(Proxy(desk.clone()));
        // SAFETY: as above.
        let between = host.load_with("proxy", move |object, path| unsafe {
            entry.run(object, path)
        });
        let entry = Entry::new(Wan(desk.clone()));
        // SAFETY: as above.
        let above = host.load_with("wan", move |object, path| unsafe {
            entry.run(object, path)
        });
        let drivers = [above, between, below].map(|driver| driver.expect("the driver loads"));
        let adapter = host.add_adapter(&drivers[2]).expect("the adapter starts");
        host.run();
        Self {
            host,
            desk,
            drivers,
            adapter,
        }
    }

    fn spawn(&self, f: impl FnOnce(&Desk, &mut Passive) + Send + 'static) {
        let desk = self.desk.clone();
        self.host.spawn("user", move || {
            // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
            f(&desk, &mut unsafe { Passive::assume() });
        });
    }

    fn dial(&self) {
        self.spawn(|desk, irql| desk.dial(irql).unwrap());
    }

    /// Has the call come as far as it is to come, and the end after that or within.
    fn run(&self, stage: Stage, end: End) {
        if stage.is_within() {
            let desk = self.desk.clone();
            let hook = move |irql: &mut _| end.come(&desk, irql);
            *self.desk.hook.lock().unwrap() = Some(Box::new(hook));
        }
        self.dial();
        self.host.run();
        if matches!(stage, Stage::Closing | Stage::Refusing) {
            self.spawn(|desk, irql| {
                let vc = desk.vc.get().unwrap().upgrade().unwrap();
                vc.hang_up(&[], irql).unwrap();
            });
            self.host.run();
        }
        if !stage.is_within() {
            assert_eq!(self.heard_of_ends(), [], "{stage:?}");
            self.spawn(move |desk, irql| end.come(desk, irql));
            self.host.run();
        }
    }

    fn heard_of_ends(&self) -> Vec<Heard> {
        let mut heard = self.desk.heard();
        heard.retain(|what| !matches!(what, Heard::Joined | Heard::Connected));
        heard
    }

    /// The proxy goes on with what it has in its hands.
    fn go_on(&self) {
        self.spawn(|desk, irql| {
            if let Some(vc) = desk.created.take() {
                let refused = vc.activate(parameters().unwrap(), irql).unwrap_err();
                assert_eq!(refused.status, Status::CLOSING);
            }
            if let Some(vc) = desk.active.take() {
                let _ = vc.dispatch_incoming_call(parameters().unwrap(), irql);
            }
            if let Some(accepted) = desk.accepted.take() {
                assert!(!accepted.connect(irql), "it is over");
            }
            if let Some(closing) = desk.closing.take() {
                closing.finish(irql);
            }
        });
        self.host.run();
    }

    fn down(self, seed: u64) {
        let Self {
            host,
            desk,
            drivers: [above, between, below],
            adapter,
        } = self;
        match seed % 4 {
            0 => host.remove_adapter(&adapter),
            1 => host.surprise_remove(&adapter),
            2 => host.unload(&between),
            _ => {}
        }
        host.unload(&above);
        if seed % 4 != 2 {
            host.unload(&between);
        }
        if seed % 4 >= 2 {
            host.remove_adapter(&adapter);
        }
        host.unload(&below);
        drop(desk);
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
    }
}

/// All under which there can be a call manager above the miniport's own.
fn readings() -> impl Iterator<Item = Readings> {
    let all = Readings::all().step_by(if cfg!(miri) { 1000 } else { 1 });
    all.filter(|readings| readings.mcm_displaces != McmDisplaces::TheDevice)
}

/// Every state, every end, every reading.
#[test]
fn the_end_beneath_ends_what_is_above() {
    for (seed, readings) in (0..).zip(readings()) {
        for stage in Stage::ALL {
            for end in End::ALL {
                let world = World::new(seed, readings, stage);
                let case = format!("{stage:?}, {end:?}, {readings:?}");
                world.run(stage, end);
                let told = Heard::Told(end.status());
                let gone = [Heard::UpperGone, Heard::LowerGone];
                let failed = Heard::Failed(Status::CLOSING);
                let mut heard = world.heard_of_ends();
                match stage {
                    // Nothing yet: it is in the driver's hands, or on its way to the end.
                    Stage::Created | Stage::Active | Stage::Closing => {
                        assert_eq!(heard, [], "{case}");
                        world.go_on();
                        heard = world.heard_of_ends();
                        if stage == Stage::Active {
                            assert_eq!(heard.remove(0), failed, "{case}");
                        }
                    }
                    Stage::JustOffered => {
                        let first = heard.remove(0);
                        assert!([told, failed].contains(&first), "{first:?}: {case}");
                    }
                    // The client's next try may be first.
                    Stage::Refusing if heard.len() == gone.len() => {}
                    Stage::OfferingRefuses => {
                        assert_eq!(heard.remove(0), Heard::Refused, "{case}");
                    }
                    Stage::Offering
                    | Stage::OfferingPends
                    | Stage::Ringing
                    | Stage::Accepted
                    | Stage::Connecting
                    | Stage::Up
                    | Stage::Refusing => {
                        assert_eq!(heard.remove(0), told, "{case}");
                    }
                    Stage::TooLate | Stage::OwnWord => unreachable!(),
                }
                assert_eq!(heard, gone, "{case}");
                // A token of a call that is over does nothing.
                world.go_on();
                assert!(world.heard_of_ends().ends_with(&gone), "{case}");
                world.down(seed);
            }
        }
    }
}

/// What the driver says itself counts, when it is first.
#[test]
fn the_drivers_own_word_counts() {
    for (seed, readings) in (0..).zip(readings()) {
        let world = World::new(seed, readings, Stage::OwnWord);
        world.run(Stage::OwnWord, End::Peer);
        let told = Heard::Told(Status::INVALID_ADDRESS);
        let all = [told, Heard::UpperGone, Heard::LowerGone];
        assert_eq!(world.heard_of_ends(), all, "{readings:?}");
        world.down(seed);
    }
}

/// A call that is over, or was not placed, is not handed up.
#[test]
fn nothing_is_joined_to_a_call_that_is_not_up() {
    let refused = Heard::NotHandedUp(Status::INVALID_STATE);
    for (seed, readings) in (0..).zip(readings()) {
        for end in [Some(End::Peer), Some(End::HangUp), None] {
            let world = World::new(seed, readings, Stage::TooLate);
            match end {
                Some(end) => world.run(Stage::TooLate, end),
                None => {
                    world.desk.refuses.store(1, SeqCst);
                    world.dial();
                    world.host.run();
                }
            }
            let mut heard = world.desk.heard();
            assert_eq!(heard.pop(), Some(Heard::LowerGone), "{end:?}");
            // Within each callback that tells of the end.
            let times = if end == Some(End::Peer) { 2 } else { 1 };
            assert_eq!(heard, vec![refused; times], "{end:?}, {readings:?}");
            world.down(seed);
        }
    }
}

/// The end comes at any moment of the call's way up, with that of the adapter, of the binding or of a
/// driver.
#[test]
fn the_end_may_come_at_any_moment() {
    let all: Vec<_> = readings().collect();
    // What the proxy keeps in its hands is in nobody else's.
    let kept = [
        Stage::Created,
        Stage::Active,
        Stage::Accepted,
        Stage::Closing,
    ];
    let stages = Stage::ALL.iter().filter(|stage| !kept.contains(stage));
    let stages: Vec<Stage> = stages.copied().collect();
    let (mut joined, mut failed, mut told) = (0, 0, 0);
    for seed in 0..if cfg!(miri) { 2 } else { 1500 } {
        let readings = all[seed as usize % all.len()];
        let stage = stages[seed as usize % stages.len()];
        let world = World::new(seed, readings, stage);
        world.spawn(|desk, irql| {
            // Or the adapter goes first.
            let _ = desk.dial(irql);
        });
        if seed % 3 == 0 {
            // Of those that work when there is no call, too.
            world.spawn(|desk, irql| {
                let lower = desk.lower.get();
                if let Some(lower) = lower.and_then(|vc| vc.upgrade()) {
                    lower.hang_up(&[], irql).unwrap();
                }
            });
        } else if seed % 3 == 1 {
            world.spawn(|desk, irql| {
                let modem = desk.modem.get();
                if let Some(modem) = modem.and_then(|vc| vc.upgrade()) {
                    let _ = modem.dispatch_incoming_close(Status::SUCCESS, &[], irql);
                }
            });
        }
        if seed % 2 == 0 {
            world.host.run_for(seed / 2 % 3);
        }
        let desk = world.desk.clone();
        world.down(seed / 3);
        let heard = desk.heard();
        let count = |what: Heard| heard.iter().filter(|heard| **heard == what).count();
        assert_eq!(count(Heard::UpperGone), count(Heard::Joined), "seed {seed}");
        assert!(count(Heard::LowerGone) <= 1, "seed {seed}");
        let last = heard.iter().rposition(|what| *what == Heard::UpperGone);
        assert!(
            last.is_none_or(|last| heard[last..].contains(&Heard::LowerGone)),
            "seed {seed}: {heard:?}"
        );
        joined += count(Heard::Joined);
        failed += count(Heard::Failed(Status::CLOSING));
        told += count(Heard::Told(Status::SUCCESS)) + count(Heard::Told(Status::CLOSING));
    }
    assert!(
        cfg!(miri) || (joined > 100 && failed > 0 && told > 20),
        "{joined}, {failed}, {told}"
    );
}
