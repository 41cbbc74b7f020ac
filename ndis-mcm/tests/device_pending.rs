//! Requests of programs that a device answers later: answered, cancelled meanwhile, dropped, and left
//! when their file or their device goes.

use ndis_co::irql::NoLock;
use ndis_co::lock::SpinLock;
use ndis_host::{Adapter as Card, Driver as Loaded, Host, OpenFile};
use ndis_mcm::{
    Entry,
    device::{
        Access, Control, ControlCode, ControlDevice, Device, DeviceAttributes, PendingControl,
    },
    prelude::*,
};
use ndis_sys as n;
use std::sync::{Arc, Mutex, Weak};

const RING: ControlCode = ControlCode::new::<0x800>(Access::Any);
const NAME: &str = r"\\.\Bell";

/// Who waits for the bell; the device has them.
type Waits = Mutex<Vec<PendingControl>>;

struct Bell(Arc<Waits>);

impl ControlDevice for Bell {
    type File = ();

    fn open(&self, _irql: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn device_control<'r>(
        &self,
        _file: &(),
        request: Control<'r>,
        irql: &mut Passive,
    ) -> Answer<'r> {
        match request.pend(irql) {
            Ok((answer, request)) => {
                self.0.lock().unwrap().push(request);
                answer
            }
            Err(request) => request.refuse(Status::RESOURCES),
        }
    }
}

struct Driver(Arc<Mutex<Weak<Waits>>>);

impl Miniport for Driver {
    type Adapter = Device<Bell>;
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let waits = Arc::new(Mutex::new(Vec::new()));
        *self.0.lock().unwrap() = Arc::downgrade(&waits);
        let device = Device::register(&init, &DeviceAttributes::new("Bell"), Bell(waits), irql)?;
        Ok(init.adapter(device)?.finish())
    }
}

struct World {
    host: Host,
    driver: Loaded,
    card: Card,
    waits: Weak<Waits>,
}

impl World {
    fn new(seed: u64) -> Self {
        let host = Host::builder().seed(seed).build();
        let found = Arc::new(Mutex::new(Weak::new()));
        let entry = Entry::new(Driver(found.clone()));
        let driver = host
            .load_with("bell", |object, path| {
                // SAFETY: the host calls this as Windows calls a DriverEntry.
                unsafe { entry.run(object, path) }
            })
            .expect("the driver loads");
        let card = host.add_adapter(&driver).expect("the adapter starts");
        let waits = found.lock().unwrap().clone();
        Self {
            host,
            driver,
            card,
            waits,
        }
    }

    /// A program asks, and keeps the answer; another thread of it has the file.
    fn asks(&self) -> (Asked, Arc<OpenFile>) {
        let file = Arc::new(self.host.open(NAME).expect("it is there"));
        let asked = Asked::default();
        let (own, answer) = (file.clone(), asked.clone());
        self.host.spawn("a program", move || {
            let told = own.device_control(RING.raw(), &[1, 2], 4);
            *answer.0.lock().unwrap() = Some(told);
        });
        (asked, file)
    }

    /// The driver does something with a request when there is one.
    fn has(&self, does: impl FnOnce(PendingControl, &mut Passive) + Send + 'static) {
        let waits = self.waits.clone();
        self.host.spawn_of(&self.driver, "the driver", move || {
            let request = loop {
                let waits = waits.upgrade().expect("the device is there");
                let request = waits.lock().unwrap().pop();
                drop(waits);
                if let Some(request) = request {
                    break request;
                }
                // SAFETY: at PASSIVE_LEVEL.
                unsafe { n::NdisMSleep(10) };
            };
            // SAFETY: a thread at PASSIVE_LEVEL without a lock.
            does(request, &mut unsafe { Passive::assume() });
        });
    }

    /// A thread of the program does something when the driver has its request.
    fn then(&self, does: impl FnOnce() + Send + 'static) {
        let waits = self.waits.clone();
        self.host.spawn("a thread of it", move || {
            let empty = || {
                waits
                    .upgrade()
                    .is_none_or(|waits| waits.lock().unwrap().is_empty())
            };
            while empty() {
                // SAFETY: at PASSIVE_LEVEL.
                unsafe { n::NdisMSleep(10) };
            }
            does();
        });
    }

    #[track_caller]
    fn end(self) {
        self.host.remove_adapter(&self.card);
        self.finish();
    }

    #[track_caller]
    fn finish(self) {
        self.host.unload(&self.driver);
        let report = self.host.finish();
        assert!(report.is_clean(), "{report}");
        assert!(report.rules().is_empty(), "{report}");
    }
}

type Told = Result<Vec<u8>, i32>;

#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Option<Told>>>);

impl Asked {
    #[track_caller]
    fn told(&self) -> Told {
        self.0.lock().unwrap().take().expect("it was answered")
    }
}

/// Answered later in each way; what was not written is zero.
#[test]
fn answered_later() {
    type Does = fn(PendingControl, &mut Passive);
    let ways: [(Does, Told); 6] = [
        (
            |request, irql| assert!(request.reply(&[7, 8, 9], irql)),
            Ok(vec![7, 8, 9]),
        ),
        (
            |request, irql| assert!(request.reply(&[], irql)),
            Ok(vec![]),
        ),
        (|request, irql| assert!(request.done(irql)), Ok(vec![])),
        (
            |request, irql| assert!(!request.reply(&[0; 5], irql)),
            Err(n::STATUS_BUFFER_TOO_SMALL),
        ),
        (
            |request, irql| request.refuse(Status::INVALID_PARAMETER, irql),
            Err(n::STATUS_INVALID_PARAMETER),
        ),
        // No failure is made one.
        (
            |request, irql| request.refuse(Status::PENDING, irql.up_to_dispatch()),
            Err(n::NDIS_STATUS_FAILURE),
        ),
    ];
    for (does, told) in ways {
        let world = World::new(1);
        let (asked, file) = world.asks();
        world.has(move |request, irql| {
            assert!(!request.is_cancelled());
            does(request, irql);
        });
        world.host.run();
        assert_eq!(asked.told(), told);
        world.host.close(Arc::into_inner(file).unwrap());
        world.end();
    }
}

/// A token is dropped where a lock is held.
#[test]
fn dropped_under_a_lock() {
    let world = World::new(2);
    let (asked, file) = world.asks();
    world.has(|request, irql| {
        let lock = SpinLock::new(Some(request));
        lock.with(irql, |request, _| *request = None);
    });
    world.host.run();
    assert_eq!(asked.told(), Err(n::NDIS_STATUS_FAILURE));
    world.host.close(Arc::into_inner(file).unwrap());
    world.end();
}

/// Cancelled while the driver has the token: it is told so, and its answer goes nowhere.
#[test]
fn cancelled_before_the_answer() {
    let world = World::new(3);
    let (asked, file) = world.asks();
    let own = file.clone();
    world.has(move |request, irql| {
        own.cancel();
        assert!(request.is_cancelled());
        assert!(!request.reply(&[1], irql));
    });
    world.host.run();
    assert_eq!(asked.told(), Err(n::STATUS_CANCELLED));
    world.host.close(Arc::into_inner(file).unwrap());
    world.end();
}

/// The answer and the cancellation at the same time: one of them completes the request.
#[test]
fn a_race_of_both() {
    let mut seen = [0, 0];
    for seed in 0..if cfg!(miri) { 6 } else { 300 } {
        let world = World::new(seed);
        let (asked, file) = world.asks();
        let own = file.clone();
        world.host.spawn("a thread of it", move || own.cancel());
        let won = Arc::new(Mutex::new(None));
        let answered = won.clone();
        world.has(move |request, irql| {
            let told = request.reply(&[5], irql);
            *answered.lock().unwrap() = Some(told);
        });
        world.host.run();
        let told = asked.told();
        let won = won.lock().unwrap().expect("it was answered");
        assert_eq!(
            told,
            if won {
                Ok(vec![5])
            } else {
                Err(n::STATUS_CANCELLED)
            }
        );
        seen[usize::from(won)] += 1;
        world.host.close(Arc::into_inner(file).unwrap());
        world.end();
    }
    assert!(
        cfg!(miri) || seen.iter().all(|times| *times > 0),
        "{seen:?}"
    );
}

/// The program's last handle goes while it waits.
#[test]
fn the_file_is_closed() {
    for seed in 0..if cfg!(miri) { 2 } else { 50 } {
        let world = World::new(seed);
        let (asked, file) = world.asks();
        world.then(move || file.close_handle());
        world.host.run();
        assert_eq!(asked.told(), Err(n::STATUS_CANCELLED));
        world.end();
    }
}

/// The device goes while a program waits for it.
#[test]
fn the_device_goes() {
    for seed in 0..if cfg!(miri) { 2 } else { 50 } {
        let world = World::new(seed);
        let (asked, file) = world.asks();
        world.host.remove_adapter(&world.card);
        world.host.run();
        // Or it came when nothing could be kept any more, or was about to be kept.
        let told = asked.told().expect_err("nobody rings");
        let late = [n::NDIS_STATUS_RESOURCES, n::STATUS_CANCELLED];
        assert!(
            told == n::STATUS_DEVICE_REMOVED || late.contains(&told),
            "{told:#x}"
        );
        world.host.close(Arc::into_inner(file).unwrap());
        world.finish();
    }
}

/// Nobody rings, and nothing else is left to do: the program goes, and the system cancels what it has
/// asked. The driver has done nothing wrong, and what it says afterwards reaches nobody.
#[test]
fn nobody_rings() {
    let world = World::new(5);
    let (asked, file) = world.asks();
    world.host.run();
    assert_eq!(asked.told(), Err(n::STATUS_CANCELLED));
    let told = world.host.device_control(&file, RING.raw(), &[], 4);
    assert_eq!(told, Err(n::STATUS_CANCELLED));
    for _ in 0..2 {
        world.has(|request, irql| assert!(!request.reply(&[1], irql)));
    }
    world.host.run();
    world.host.close(Arc::into_inner(file).unwrap());
    world.end();
}

/// While time passes a program waits.
#[test]
fn a_program_is_patient() {
    let world = World::new(6);
    let (asked, file) = world.asks();
    world.host.run_for(1000);
    assert!(asked.0.lock().unwrap().is_none());
    world.has(|request, irql| assert!(request.reply(&[1], irql)));
    world.host.run();
    assert_eq!(asked.told(), Ok(vec![1]));
    world.host.close(Arc::into_inner(file).unwrap());
    world.end();
}

/// The answer or the loss of the token, the cancellation, and the end of the device at the same time: one
/// of them completes the request, and nothing is left behind.
#[test]
fn a_race_of_all() {
    let mut seen = [0; 4];
    for seed in 0..if cfg!(miri) { 8 } else { 400 } {
        let world = World::new(seed);
        let (asked, file) = world.asks();
        let own = file.clone();
        world.host.spawn("a thread of it", move || own.cancel());
        let waits = world.waits.clone();
        world.host.spawn_of(&world.driver, "the driver", move || {
            for _ in 0..20 {
                // The device may be gone, and with it the token.
                let request = waits
                    .upgrade()
                    .and_then(|waits| waits.lock().unwrap().pop());
                match request {
                    Some(request) if seed % 2 == 0 => {
                        // SAFETY: a thread at PASSIVE_LEVEL without a lock.
                        let _ = request.reply(&[5], &mut unsafe { Passive::assume() });
                        break;
                    }
                    Some(request) => {
                        drop(request);
                        break;
                    }
                    // SAFETY: at PASSIVE_LEVEL.
                    None => unsafe { n::NdisMSleep(1 + (seed as u32 % 7)) },
                }
            }
        });
        world.host.run_for(seed % 40);
        world.host.remove_adapter(&world.card);
        world.host.run();
        let told = match asked.told() {
            Ok(_) => 0,
            Err(n::NDIS_STATUS_FAILURE) => 1,
            Err(n::STATUS_CANCELLED) => 2,
            Err(n::STATUS_DEVICE_REMOVED | n::NDIS_STATUS_RESOURCES) => 3,
            Err(other) => panic!("{other:#x}"),
        };
        seen[told] += 1;
        world.host.close(Arc::into_inner(file).unwrap());
        world.finish();
    }
    assert!(
        cfg!(miri) || seen.iter().all(|times| *times > 0),
        "{seen:?}"
    );
}

/// Without memory for its place a request comes back to the driver, which answers it at once.
#[test]
fn without_memory() {
    let mut refused = 0;
    for nth in 1..10 {
        let world = World::new(nth);
        let file = Arc::new(world.host.open(NAME).expect("it is there"));
        world.host.fail_allocation(nth);
        let (asked, own) = (Asked::default(), file.clone());
        let answer = asked.clone();
        world.host.spawn("a program", move || {
            let told = own.device_control(RING.raw(), &[], 4);
            *answer.0.lock().unwrap() = Some(told);
        });
        world.host.run_for(100);
        let at_once = asked.0.lock().unwrap().take();
        match &at_once {
            Some(told) => {
                assert_eq!(*told, Err(n::NDIS_STATUS_RESOURCES));
                refused += 1;
            }
            None => {
                world.has(|request, irql| assert!(request.reply(&[9], irql)));
                world.host.run();
                assert_eq!(asked.told(), Ok(vec![9]));
            }
        }
        world.host.close(Arc::into_inner(file).unwrap());
        world.end();
        if at_once.is_none() {
            break;
        }
    }
    // The slot, and its entry in the list.
    assert_eq!(refused, 2);
}
