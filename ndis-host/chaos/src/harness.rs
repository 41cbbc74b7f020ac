//! The world around the drivers: loads and unloads them, starts and stops
//! adapters, gives them threads, fails what may fail.
//!
//! This is the only place with unsafe code: what the loader and the system do.
//!
//! # Invariants
//!
//! ENTRY: a driver's entry is called by the host, once a loading, as Windows calls
//! a `DriverEntry`. THREAD: a thread of the host begins at PASSIVE_LEVEL with no
//! lock held, and the drivers leave it so.

use crate::{
    Cast, Options, Outcome,
    act::Act,
    actor::{Actor, threads},
    alone::{Above, Alone},
    both::{self, Both},
    client,
    driver::{Driver, Shared},
    link::{self, Link},
    loading, manager,
    mcm::Integrated,
    phone::Phone,
    program,
    readings::readings,
    say, turns,
    world::{Body, Life, World},
};
use ndis_co::{client::Entry, irql::Passive};
use ndis_host::{self as host, Adapter, CallControlWhilePaused, EventMode, Host, Report};
use std::{
    collections::hash_map::DefaultHasher,
    hash::Hasher as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

static RUNS: AtomicU64 = AtomicU64::new(0);

/// A run longer than this does not end.
const STEPS: u64 = 400_000;

/// An adapter, and what was done to it.
struct Device {
    adapter: Adapter,
    paused: bool,
    /// It has no power.
    asleep: bool,
}

struct Loaded {
    driver: host::Driver,
    life: Arc<Life>,
    actor: Arc<dyn Actor>,
}

struct Stage {
    world: Arc<World>,
    host: Arc<Host>,
    run: u64,
    loads: u32,
    cast: Cast,
    /// The miniport, when that is not the manager.
    link: Option<Loaded>,
    manager: Option<Loaded>,
    phones: [Option<Loaded>; 2],
    devices: Vec<Device>,
    verbose: bool,
}

/// One whole run.
pub(crate) fn run(seed: u64, options: &Options) -> Outcome {
    let world = World::new(seed, options);
    let mut digest = None;
    let result = catch_unwind(AssertUnwindSafe(|| {
        scenario(&world, seed, options, &mut digest)
    }));
    world.set_spawner(None);
    let mut findings = world.findings();
    let report = match result {
        Ok(report) => Some(report),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            findings.push(text.unwrap_or_else(|| "a panic".to_string()));
            None
        }
    };
    if let Some(report) = &report
        && !report.is_clean()
    {
        findings.push(report.to_string());
    }
    Outcome {
        seed,
        findings,
        counts: world.counts(),
        events: report.map_or(0, |report| report.events),
        digest,
    }
}

fn scenario(world: &Arc<World>, seed: u64, options: &Options, digest: &mut Option<u64>) -> Report {
    let readings = readings(world);
    if readings.call_control_while_paused == CallControlWhilePaused::Refused {
        world.ndis_does_not_accept();
    }
    let preemption = world.among(&[(1, 2), (1, 4), (1, 8), (1, 16), (1, 64)]);
    let raise = world.among(&[(0, 1), (1, 8), (1, 2), (1, 1)]);
    let low_stack = world.among(&[(0, 1), (0, 1), (1, 32), (1, 4)]);
    let host = Host::builder()
        .seed(seed)
        .processors(world.among(&[1, 2, 4]))
        .preemption(preemption.0, preemption.1)
        .raise(raise.0, raise.1)
        .low_stack(low_stack.0, low_stack.1)
        .readings(readings)
        .events(if options.verbose || options.digest {
            EventMode::All
        } else {
            EventMode::Off
        })
        .patience(1)
        .limit(STEPS)
        .build();
    let host = Arc::new(host);
    if options.verbose {
        say(&format!("{:?}, {}", world.temper, readings.describe()));
    }
    let weak = Arc::downgrade(&host);
    world.set_spawner(Some(Arc::new(move |name: &str, body: Body| {
        if let Some(host) = weak.upgrade() {
            host.spawn(name, move || {
                // SAFETY: THREAD.
                let mut irql = unsafe { Passive::assume() };
                body(&mut irql);
            });
        }
    })));
    let mut stage = Stage {
        world: world.clone(),
        host: host.clone(),
        run: RUNS.fetch_add(1, SeqCst),
        loads: 0,
        cast: options.cast.unwrap_or_else(|| Cast::of(seed)),
        link: None,
        manager: None,
        phones: [None, None],
        devices: Vec::new(),
        verbose: options.verbose,
    };
    let played = catch_unwind(AssertUnwindSafe(|| {
        stage.set();
        stage.play();
        stage.clear();
    }));
    if options.verbose {
        for event in host.events() {
            say(&event.to_string());
        }
    }
    if options.digest {
        *digest = Some(fingerprint(&host, stage.run));
    }
    if let Err(panic) = played {
        // What was found before it stopped. Suspended threads still look at
        // everything: it stays.
        let report = host.report();
        if !report.violations.is_empty() {
            world.found(report.to_string());
        }
        std::mem::forget(stage);
        std::mem::forget(host);
        std::panic::resume_unwind(panic);
    }
    drop(stage);
    world.settle();
    match Arc::try_unwrap(host) {
        Ok(host) => host.finish(),
        Err(host) => {
            world.found("a thread holds the host after the end");
            host.report()
        }
    }
}

/// The fingerprint of what has happened; the number of the run, which is in the names of
/// its drivers, is left out.
fn fingerprint(host: &Host, run: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    let run = format!(".{run}\"");
    for event in host.events() {
        hasher.write(format!("{event:?}").replace(&run, "\"").as_bytes());
    }
    hasher.finish()
}

impl Stage {
    fn say(&self, what: &str) {
        if self.verbose {
            say(&format!("-- {what}"));
        }
    }

    fn name(&mut self, what: &str) -> String {
        self.loads += 1;
        format!("{what}{}.{}", self.loads, self.run)
    }

    /// Loads a driver whose threads do what `actor` says.
    fn load<A: Shared>(
        &mut self,
        what: &str,
        actor: impl FnOnce(&Arc<World>, &Arc<Life>) -> Arc<A>,
        entry: impl FnOnce(*mut ndis_co::sys::DRIVER_OBJECT, *mut ndis_co::sys::UNICODE_STRING) -> i32
        + Send
        + 'static,
    ) -> Option<Loaded> {
        let name = self.name(what);
        self.say(&format!("load {name}"));
        let life = Life::new(name.clone());
        let actor = actor(&self.world, &life);
        loading::begin(&name, actor.clone());
        let result = self.host.load_with(&name, entry);
        loading::end(&name);
        let refused = life.refused.load(SeqCst);
        match result {
            Ok(driver) => {
                if refused {
                    self.world.found(format!(
                        "{name} has failed to load, and the loader takes it for loaded"
                    ));
                }
                Some(Loaded {
                    driver,
                    life,
                    actor: Arc::new(actor),
                })
            }
            Err(status) => {
                if status >= 0 {
                    self.world.found(format!("the load fails with {status:#x}"));
                }
                life.unloaded.store(true, SeqCst);
                None
            }
        }
    }

    fn load_manager(&mut self) {
        self.manager = match self.cast {
            // Whoever places calls is one.
            Cast::Both => None,
            Cast::Mcm | Cast::Joined => {
                let actor = manager::Exchange::<Integrated>::new;
                self.load("manager", actor, |object, path| {
                    // SAFETY: ENTRY.
                    unsafe { ndis_mcm::Entry::<Driver<Integrated>>::load(object, path) }
                })
            }
            Cast::Alone => {
                let actor = manager::Exchange::<Above<Alone>>::new;
                self.load("manager", actor, |object, path| {
                    // SAFETY: ENTRY.
                    unsafe { Entry::<Driver<Above<Alone>>>::load(object, path) }
                })
            }
        };
    }

    fn load_link(&mut self) {
        self.link = self.load("link", link::Exchange::new, |object, path| {
            // SAFETY: ENTRY.
            unsafe { ndis_mcm::Entry::<Driver<Link>>::load(object, path) }
        });
    }

    /// Whose adapters these are.
    fn miniport(&mut self) -> &mut Option<Loaded> {
        match self.cast {
            Cast::Mcm | Cast::Joined => &mut self.manager,
            Cast::Alone | Cast::Both => &mut self.link,
        }
    }

    /// Loads one of the two drivers that place calls.
    fn load_phone(&mut self, which: usize) {
        self.phones[which] = match (self.cast, which) {
            (Cast::Both | Cast::Joined, 0) => {
                self.load("both", both::Exchange::<0>::new, |object, path| {
                    // SAFETY: ENTRY.
                    unsafe { Entry::<Driver<Above<Both<0>>>>::load(object, path) }
                })
            }
            (Cast::Both, _) => self.load("peer", both::Exchange::<1>::new, |object, path| {
                // SAFETY: ENTRY.
                unsafe { Entry::<Driver<Above<Both<1>>>>::load(object, path) }
            }),
            (_, 0) => self.load(
                "phone",
                client::Exchange::<Phone<0>>::new,
                |object, path| {
                    // SAFETY: ENTRY.
                    unsafe { Entry::<Driver<Phone<0>>>::load(object, path) }
                },
            ),
            _ => self.load(
                "other",
                client::Exchange::<Phone<1>>::new,
                |object, path| {
                    // SAFETY: ENTRY.
                    unsafe { Entry::<Driver<Phone<1>>>::load(object, path) }
                },
            ),
        };
    }

    fn unload(&self, loaded: &Loaded) {
        self.say(&format!("unload {}", loaded.life.name));
        self.host.unload(&loaded.driver);
        loaded.life.unloaded.store(true, SeqCst);
        self.say("unloaded");
    }

    fn add_adapter(&mut self) {
        let Some(miniport) = self.miniport() else {
            return;
        };
        let driver = miniport.driver;
        self.say("add an adapter");
        match self.host.add_adapter(&driver) {
            Ok(adapter) => self.devices.push(Device {
                adapter,
                paused: false,
                asleep: false,
            }),
            Err(status) => {
                // One of the documented failures is none by its number (INIT-09).
                let status = ndis_co::Status::from_raw(status);
                if status != ndis_co::Status::NOT_ACCEPTED {
                    self.world.failure("the initialization", status);
                }
            }
        }
    }

    fn remove(&mut self, at: usize, surprise: bool) {
        let Device { adapter, .. } = self.devices.remove(at);
        self.say("remove an adapter");
        if surprise {
            self.host.surprise_remove(&adapter);
        } else {
            self.host.remove_adapter(&adapter);
        }
    }

    /// Drivers and adapters, in any order.
    fn set(&mut self) {
        let world = self.world.clone();
        if self.cast == Cast::Joined {
            world.join();
        }
        self.faults();
        let second = match self.cast {
            Cast::Both | Cast::Joined => world.dares(Act::SecondClient, 7, 8),
            _ => world.dares(Act::SecondClient, 1, 2),
        };
        let early = world.chance(1, 2);
        if early {
            self.load_phone(0);
        }
        match self.cast {
            Cast::Mcm | Cast::Joined => {
                self.load_manager();
                self.add_adapter();
            }
            Cast::Alone if world.chance(1, 2) => {
                self.load_manager();
                self.load_link();
                self.add_adapter();
            }
            Cast::Alone => {
                self.load_link();
                self.add_adapter();
                self.load_manager();
            }
            Cast::Both => {
                self.load_link();
                self.add_adapter();
            }
        }
        if !early {
            self.load_phone(0);
        }
        if second {
            self.load_phone(1);
        }
        if world.dares(Act::TwoAdapters, 1, 4) {
            self.add_adapter();
        }
    }

    fn faults(&self) {
        let world = &self.world;
        if !world.chance(1, 3) {
            return;
        }
        for _ in 0..=world.below(2) {
            let act = world.choose(&[(1, Act::FaultCall), (1, Act::FaultAllocation)]);
            if !world.allows(act) {
                return;
            }
            world.did(act);
            if act == Act::FaultCall {
                let name = world.among(&turns::refusable(self.cast));
                let status = world.among(&[
                    ndis_co::Status::RESOURCES,
                    ndis_co::Status::FAILURE,
                    ndis_co::Status::CLOSING,
                ]);
                let nth = u64::from(1 + world.below(3));
                self.say(&format!("{name} {nth} fails with {status}"));
                self.host.fail_call(name, nth, status.raw());
            } else {
                let nth = u64::from(1 + world.below(80));
                self.say(&format!("allocation {nth} fails"));
                self.host.fail_allocation(nth);
            }
        }
    }

    /// The drivers that there are.
    fn actors(&self) -> Vec<Arc<dyn Actor>> {
        let manager = self.manager.iter().chain(&self.link);
        let all = manager.chain(self.phones.iter().flatten());
        all.map(|loaded| loaded.actor.clone()).collect()
    }

    /// Gives some drivers a thread that does as it likes.
    fn threads(&self) {
        threads(&self.world, self.actors());
    }

    /// NDIS resets an adapter, or finds it hung. Before that the drivers have done all that they have
    /// begun: a random miniport cannot tell who has what it is to give back (rule RESET-03).
    fn reset(&self, at: usize, act: Act) {
        let (world, device) = (&self.world, &self.devices[at]);
        if device.asleep || !world.allows(act) {
            return;
        }
        self.host.run();
        let (actors, world_of) = (self.actors(), world.clone());
        world.set_meanwhile(Some(Box::new(move || threads(&world_of, actors))));
        self.say("reset an adapter");
        if act == Act::LookForHang {
            world.did(act);
            self.host.check_for_hang(&device.adapter);
        } else if world.dares(Act::ResetAside, 1, 2) {
            // It may pend when something else is done to the adapter.
            self.host.begin_reset(&device.adapter);
            self.host.run_for(u64::from(1 + world.below(3)));
        } else {
            world.did(act);
            self.host.reset(&device.adapter);
        }
        world.set_meanwhile(None);
    }

    fn play(&mut self) {
        let world = self.world.clone();
        for _ in 0..2 + world.below(8) {
            if !world.is_spent() {
                self.threads();
            }
            let act = world.choose(&turns::of(self.cast, world.power.changes()));
            let adapters = self.devices.len() as u32;
            match act {
                Act::RunToIdle => {
                    world.did(act);
                    self.say("run until nothing is left to do");
                    self.host.run();
                }
                Act::Pause | Act::Restart if adapters > 0 => {
                    let at = world.below(adapters) as usize;
                    let device = &mut self.devices[at];
                    let pause = act == Act::Pause;
                    if device.paused != pause && !device.asleep {
                        world.did(act);
                        if pause {
                            device.paused = true;
                            self.host.pause(&device.adapter);
                        } else {
                            // A failure leaves it paused.
                            device.paused = self.host.restart(&device.adapter).is_err();
                        }
                    }
                }
                Act::Remove | Act::SurpriseRemove if adapters > 0 => {
                    world.did(act);
                    let at = world.below(adapters) as usize;
                    self.remove(at, act == Act::SurpriseRemove);
                }
                Act::AddAdapter if adapters < 2 => {
                    world.did(act);
                    self.add_adapter();
                }
                Act::UnloadClient => {
                    let which = world.below(2) as usize;
                    if let Some(loaded) = self.phones[which].take() {
                        world.did(act);
                        self.unload(&loaded);
                    }
                }
                Act::LoadClientAgain => {
                    let which = world.below(2) as usize;
                    if self.phones[which].is_none() {
                        world.did(act);
                        self.load_phone(which);
                    }
                }
                Act::UnloadManager => {
                    if let Some(loaded) = self.manager.take() {
                        world.did(act);
                        self.unload(&loaded);
                    }
                }
                Act::LoadManagerAgain if self.manager.is_none() => {
                    world.did(act);
                    self.load_manager();
                }
                Act::FaultCall => self.faults(),
                Act::FaultDelete => self.refuse_deletions(),
                Act::PowerDown | Act::PowerUp | Act::RemoveAsleep if adapters > 0 => {
                    let at = world.below(adapters) as usize;
                    self.change_power(at, act);
                }
                Act::HostAsk if adapters > 0 => {
                    let at = world.below(adapters) as usize;
                    let adapter = self.devices[at].adapter;
                    let miniport = self.miniport().as_ref();
                    let vc = miniport.map_or(0, |loaded| loaded.actor.vc_handle());
                    program::ask(&self.world, &self.host, &adapter, vc);
                }
                Act::Program => program::start(&world),
                Act::Reset | Act::LookForHang if adapters > 0 => {
                    self.reset(world.below(adapters) as usize, act);
                }
                Act::SendWithoutVc if adapters > 0 => {
                    world.did(act);
                    let _ = self.host.send_without_vc(&self.devices[0].adapter);
                }
                _ => {
                    world.did(Act::RunForAWhile);
                    let milliseconds = u64::from(world.below(6));
                    self.say(&format!("run for {milliseconds} ms"));
                    self.host.run_for(milliseconds);
                }
            }
        }
    }

    /// VCs are not deleted at the first try: the layer tries again, after a while (rule VC-27).
    fn refuse_deletions(&self) {
        self.world.did(Act::FaultDelete);
        let status = ndis_co::Status::NOT_ACCEPTED.raw();
        for nth in 1..=u64::from(1 + self.world.below(12)) {
            for name in ["NdisMCmDeleteVc", "NdisCoDeleteVc"] {
                self.host.fail_call(name, nth, status);
            }
        }
    }

    /// A device loses its power, has it back, or is removed without.
    fn change_power(&mut self, at: usize, act: Act) {
        let device = &self.devices[at];
        if device.asleep == (act == Act::PowerDown) || device.paused {
            return;
        }
        if act == Act::PowerDown && self.world.chance(1, 2) {
            // Something is still being tried when the power goes.
            self.refuse_deletions();
            self.threads();
            self.host.run_for(u64::from(self.world.below(6)));
        }
        self.world.did(act);
        let state = match act {
            Act::PowerDown => self.world.among(&[
                ndis_co::sys::NdisDeviceStateD1,
                ndis_co::sys::NdisDeviceStateD3,
                ndis_co::sys::NdisDeviceStateD3,
            ]),
            Act::PowerUp => ndis_co::sys::NdisDeviceStateD0,
            _ => return self.remove(at, self.world.chance(1, 2)),
        };
        let device = &mut self.devices[at];
        device.asleep = act == Act::PowerDown;
        let changed = self.host.set_power(&device.adapter, state);
        if changed.is_err() {
            // The restart has failed.
            device.paused = true;
            if device.asleep {
                self.world.found("a device cannot lose its power");
            }
        }
        if act == Act::PowerDown {
            self.host.run_for(u64::from(self.world.below(4)));
            let act = self.world.choose(&[
                (4, Act::PowerUp),
                (2, Act::RemoveAsleep),
                (2, Act::RunForAWhile),
            ]);
            if act != Act::RunForAWhile {
                self.change_power(at, act);
            }
        }
    }

    /// Takes everything down, in any order.
    fn clear(&mut self) {
        let world = self.world.clone();
        if world.chance(1, 2) {
            self.threads();
            self.host.run_for(u64::from(world.below(3)));
        }
        let choices = match self.cast {
            Cast::Mcm | Cast::Both | Cast::Joined => 4,
            Cast::Alone => 5,
        };
        while self.manager.is_some()
            || self.link.is_some()
            || self.phones.iter().any(Option::is_some)
        {
            match world.below(choices) {
                0 if !self.devices.is_empty() => self.remove(0, false),
                1 => {
                    if let Some(loaded) = self.miniport().take() {
                        world.did(match self.cast {
                            Cast::Mcm | Cast::Joined => Act::UnloadManager,
                            Cast::Alone | Cast::Both => Act::UnloadLink,
                        });
                        self.unload(&loaded);
                        self.devices.clear();
                    }
                }
                4 => {
                    if let Some(loaded) = self.manager.take() {
                        world.did(Act::UnloadManager);
                        self.unload(&loaded);
                    }
                }
                which => {
                    let which = (which % 2) as usize;
                    if let Some(loaded) = self.phones[which].take() {
                        world.did(Act::UnloadClient);
                        self.unload(&loaded);
                    }
                }
            }
        }
        self.host.run();
    }
}
