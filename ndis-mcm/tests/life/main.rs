//! The rest of an adapter's life in safe code: statuses of its link and of its calls, resets, the
//! source of its power, shutdown, and what the error log says.

mod card;
mod phone;

use card::{Card, Desk, How};
use ndis_co::{
    delay::delay,
    indication::LinkState,
    irql::Passive,
    wan::{Fragment, FrameErrors, LinkParameters, MtuLinkParameters},
};
use ndis_host::{Adapter, Driver, Host, Readings, ResetStart};
use ndis_mcm::{Entry, PowerSource, Settings, Status};
use ndis_sys as n;
use phone::{Notes, Phone, frame};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

struct World<const HARD: bool> {
    host: Host,
    desk: Arc<Desk<HARD>>,
    notes: Arc<Notes>,
    card: Driver,
    phone: Driver,
}

fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) { 1 } else { native }
}

impl<const HARD: bool> World<HARD> {
    fn new(host: Host) -> Self {
        let (desk, notes) = (Arc::<Desk<HARD>>::default(), Arc::<Notes>::default());
        let entry = Entry::new(Card(desk.clone()));
        let card = host
            // SAFETY: the host calls this once, as DriverEntry.
            .load_with("card", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the miniport loads");
        let entry = ndis_co::client::Entry::new(Phone(notes.clone()));
        let phone = host
            // SAFETY: as above.
            .load_with("phone", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the client loads");
        Self {
            host,
            desk,
            notes,
            card,
            phone,
        }
    }

    /// With a call that is up.
    fn up(&self) -> Adapter {
        let adapter = self.host.add_adapter(&self.card).expect("initialize");
        self.host.run();
        adapter
    }

    /// A thread of the driver's.
    fn device(&self, body: impl FnOnce(&Desk<HARD>, &mut Passive) + Send + 'static) {
        let desk = self.desk.clone();
        self.host.spawn_of(&self.card, "device", move || {
            // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
            body(&desk, &mut unsafe { Passive::assume() });
        });
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.of_adapter.lock().unwrap())
    }

    #[track_caller]
    fn down(self, adapter: &Adapter) {
        self.host.remove_adapter(adapter);
        self.end();
    }

    #[track_caller]
    fn end(self) {
        self.host.unload(&self.phone);
        self.host.unload(&self.card);
        let report = self.host.finish();
        assert!(report.is_clean(), "{report}");
    }
}

const LINK: LinkParameters = LinkParameters {
    transmit_speed: 8000,
    receive_speed: 16_000,
    send_window: 4,
};

/// What no miniport on these crates indicates, with any data: of NDIS, and of another model.
const NEVER: [(i32, usize); 7] = [
    (n::NDIS_STATUS_RESET_START, 0),
    (n::NDIS_STATUS_RESET_END, 0),
    (n::NDIS_STATUS_TAPI_INDICATION, 64),
    (n::NDIS_STATUS_WAN_LINE_UP, 64),
    (n::NDIS_STATUS_WAN_LINE_DOWN, 64),
    (n::NDIS_STATUS_WAN_FRAGMENT, 64),
    (n::NDIS_STATUS_WAN_GET_STATS, 64),
];

/// What is of the adapter, and what has too few bytes.
const NOT_OF_A_VC: [(i32, usize); 6] = [
    (n::NDIS_STATUS_LINK_STATE, size_of::<n::NDIS_LINK_STATE>()),
    (n::NDIS_STATUS_MEDIA_CONNECT, 0),
    (n::NDIS_STATUS_MEDIA_DISCONNECT, 0),
    (n::NDIS_STATUS_WAN_CO_FRAGMENT, 3),
    (n::NDIS_STATUS_WAN_CO_LINKPARAMS, 11),
    (n::NDIS_STATUS_WAN_CO_MTULINKPARAMS, 19),
];

/// What is of a VC, and what has too few bytes.
const NOT_OF_AN_ADAPTER: [(i32, usize); 4] = [
    (n::NDIS_STATUS_WAN_CO_FRAGMENT, 4),
    (n::NDIS_STATUS_WAN_CO_LINKPARAMS, 12),
    (n::NDIS_STATUS_WAN_CO_MTULINKPARAMS, 20),
    (n::NDIS_STATUS_LINK_STATE, 3),
];

/// Rules STATUS-10, STATUS-12 and WAN-10.
#[test]
fn a_status_that_does_not_fit_is_not_indicated() {
    let world = World::<false>::new(Host::builder().build());
    let adapter = world.up();
    world.device(|desk, irql| {
        let adapter = desk.adapter.lock().unwrap().clone().expect("it is up");
        for (code, len) in NEVER.into_iter().chain(NOT_OF_AN_ADAPTER) {
            let refused = adapter.indicate_status(Status::from_raw(code), &[0; 64][..len], irql);
            assert_eq!(refused, Err(Status::INVALID_PARAMETER), "{code:#x}");
        }
    });
    world.host.run();
    assert!(world.told().is_empty());
    assert!(world.host.is_connected(&adapter));
    world.down(&adapter);
}

/// Rules HALT-12 and STATUS-11: threads indicate the medium in a loop, and a halt or the end of
/// the power comes in between at any time. What was indicated before is no breach, and nothing
/// is after.
#[test]
fn the_medium_changes_when_it_may_no_more() {
    let (mut said, mut refused) = (0, 0);
    for seed in seeds(60) {
        let host = Host::builder().seed(seed).preemption(1, 3).build();
        let world = World::<false>::new(host);
        let adapter = world.up();
        let counts = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        for thread in 0..3 {
            let counts = counts.clone();
            let card = world.desk.adapter.lock().unwrap().clone();
            world.device(move |_, irql| {
                let card = card.expect("it is up");
                let mut refusals = 0;
                for turn in 0..2000 {
                    let code = match turn % 2 {
                        0 => n::NDIS_STATUS_MEDIA_DISCONNECT,
                        _ => n::NDIS_STATUS_MEDIA_CONNECT,
                    };
                    let said = card.indicate_status(Status::from_raw(code), &[], irql);
                    counts[usize::from(said.is_err())].fetch_add(1, SeqCst);
                    refusals += u32::from(said.is_err());
                    if refusals > 20 {
                        break;
                    }
                    if turn % 30 == thread || said.is_err() {
                        delay(500 + 137 * thread, irql);
                    }
                }
            });
        }
        let states: &[i32] = match seed % 2 {
            0 => &[n::NdisDeviceStateD3, n::NdisDeviceStateD0],
            _ => &[],
        };
        for state in states {
            world.host.set_power(&adapter, *state).unwrap();
        }
        world.down(&adapter);
        said += counts[0].load(SeqCst);
        refused += counts[1].load(SeqCst);
    }
    assert!(said > 0 && (refused > 0 || cfg!(miri)), "{said} {refused}");
}

/// Rules STATUS-02 and STATUS-12: what is of a call comes to who has it, as the value that it was.
#[test]
fn a_call_hears_of_its_own_line() {
    for seed in seeds(20) {
        let world = World::<false>::new(Host::builder().seed(seed).build());
        let adapter = world.up();
        world.device(|desk, irql| {
            let vc = desk.vc.lock().unwrap().clone().expect("a call");
            assert_eq!(vc.indicate(&LINK, irql), Ok(()));
            let mtu = MtuLinkParameters::new(LINK, 1400);
            assert_eq!(vc.indicate(&mtu, irql), Ok(()));
            let errors = FrameErrors::CRC;
            assert_eq!(vc.indicate(&Fragment { errors }, irql), Ok(()));
            for (code, len) in NEVER.into_iter().chain(NOT_OF_A_VC) {
                let refused = vc.indicate_status(Status::from_raw(code), &[0; 64][..len], irql);
                assert_eq!(refused, Err(Status::INVALID_PARAMETER), "{code:#x}");
            }
        });
        world.host.run();
        let wanted = [
            format!("LinkParameters({LINK:?})"),
            format!(
                "MtuLinkParameters({:?})",
                MtuLinkParameters::new(LINK, 1400)
            ),
            format!(
                "Fragment({:?})",
                Fragment {
                    errors: FrameErrors::CRC
                }
            ),
        ];
        assert_eq!(*world.notes.of_call.lock().unwrap(), wanted);
        assert!(world.told().is_empty());
        // When the call is over nothing is said of it.
        let kept = world.desk.vc.lock().unwrap().clone();
        let notes = world.notes.clone();
        world.host.spawn("user", move || {
            // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
            let mut irql = unsafe { Passive::assume() };
            let vc = notes.vc.lock().unwrap().take().expect("a call");
            let _ = vc.hang_up(&[], &mut irql);
        });
        world.host.run();
        world.device(move |_, irql| {
            let vc = kept.expect("a call");
            assert!(vc.indicate(&LINK, irql).is_err());
        });
        world.host.run();
        assert_eq!(world.notes.of_call.lock().unwrap().len(), 3);
        world.down(&adapter);
    }
}

/// Rules STATUS-11, STATUS-14 and HALT-12: what was said last of the link is so, and nothing is
/// said asleep or in the halt.
#[test]
fn the_link_comes_and_goes() {
    let media = |world: &World<false>, adapter: &Adapter| {
        let oid = n::OID_GEN_CO_MEDIA_CONNECT_STATUS as u32;
        let state = world.host.query(adapter, oid, 4).expect("mandatory");
        let connected = state == n::NdisMediaStateConnected.to_ne_bytes();
        assert_eq!(world.host.is_connected(adapter), connected);
        connected
    };
    for disconnected in [false, true] {
        let world = World::<false>::new(Host::builder().build());
        world.desk.disconnected.store(disconnected.into(), SeqCst);
        let adapter = world.up();
        assert_ne!(media(&world, &adapter), disconnected);
        for state in [LinkState::connected(64_000), LinkState::disconnected()] {
            let connected = state == LinkState::connected(64_000);
            world.device(move |desk, irql| {
                let adapter = desk.adapter.lock().unwrap().clone().expect("it is up");
                assert_eq!(adapter.indicate(&state, irql), Ok(()));
            });
            world.host.run();
            assert_eq!(media(&world, &adapter), connected);
            assert_eq!(world.told(), [format!("LinkState({state:?})")]);
        }
        world
            .host
            .set_power(&adapter, n::NdisDeviceStateD3)
            .unwrap();
        world.device(|desk, irql| {
            let adapter = desk.adapter.lock().unwrap().clone().expect("it is there");
            let told = adapter.indicate(&LinkState::connected(1), irql);
            assert_eq!(told, Err(Status::INVALID_STATE));
        });
        world.host.run();
        world
            .host
            .set_power(&adapter, n::NdisDeviceStateD0)
            .unwrap();
        assert!(world.told().is_empty());
        assert_eq!(*world.desk.sources.lock().unwrap(), [PowerSource::Mains]);
        let desk = world.desk.clone();
        world.down(&adapter);
        let in_halt = *desk.in_halt.lock().unwrap();
        assert_eq!(in_halt, Some(Err(Status::INVALID_STATE)));
    }
}

/// Rules RESET-01 to RESET-05: each way to end one; the client neither sends nor asks meanwhile,
/// its call stays, and what was held comes back.
#[test]
fn each_way_to_end_a_reset() {
    let ends = [
        (How::Done, n::NDIS_STATUS_SUCCESS),
        (How::Fails, n::NDIS_STATUS_HARD_ERRORS),
        (How::Later(Settings::Kept), n::NDIS_STATUS_SUCCESS),
        (How::Later(Settings::Lost), n::NDIS_STATUS_SUCCESS),
        (How::FailsLater, n::NDIS_STATUS_HARD_ERRORS),
        (How::Dropped, n::NDIS_STATUS_HARD_ERRORS),
    ];
    for (how, status) in ends {
        for reset_start in ResetStart::ALL {
            for seed in seeds(6) {
                let readings = Readings {
                    reset_start: *reset_start,
                    ..Readings::default()
                };
                let host = Host::builder().seed(seed).readings(readings).build();
                one_reset(World::<true>::new(host), how, status);
            }
        }
    }
}

fn one_reset(world: World<true>, how: How, status: i32) {
    let adapter = world.up();
    *world.desk.how.lock().unwrap() = how;
    world.desk.holds.store(1, SeqCst);
    let notes = world.notes.clone();
    let send = move || {
        // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
        let mut irql = unsafe { Passive::assume() };
        let vc = notes.vc.lock().unwrap().clone().expect("a call");
        vc.send(frame(&vc.af().binding()), &mut irql).expect("sent");
    };
    world.host.spawn("user", send.clone());
    world.host.run();
    world.device(move |desk, irql| {
        let pending = loop {
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(1000) };
            if desk.resets.load(SeqCst) != 0 {
                break desk.pending.lock().unwrap().take();
            }
        };
        match (pending, how) {
            (Some(reset), How::Later(settings)) => reset.done(settings, irql),
            (Some(reset), _) => reset.fail(irql),
            (None, _) => {}
        }
    });
    assert_eq!(world.host.reset(&adapter), Some(status), "{how:?}");
    world.host.run();
    let log = world.host.error_log();
    assert_eq!(log.len(), usize::from(status != n::NDIS_STATUS_SUCCESS));
    let told = world.told();
    assert_eq!(told.last().map(String::as_str), Some("ResetEnd"));
    let refused = world.notes.refused.lock().unwrap().clone();
    let wanted = [Status::RESET_IN_PROGRESS; 2];
    assert_eq!(refused, wanted[..2 * (told.len() - 1)], "{how:?}");
    world.desk.holds.store(0, SeqCst);
    world.host.spawn("user", send);
    world.host.run();
    let sent = world.notes.sent.lock().unwrap().clone();
    assert_eq!(sent, [Status::REQUEST_ABORTED, Status::SUCCESS]);
    world.down(&adapter);
}

#[test]
fn a_hang_leads_to_a_reset() {
    let world = World::<true>::new(Host::builder().build());
    let adapter = world.up();
    assert_eq!(world.host.check_for_hang(&adapter), Some(false));
    world.desk.hung.store(1, SeqCst);
    assert_eq!(world.host.check_for_hang(&adapter), Some(true));
    assert_eq!(world.desk.resets.load(SeqCst), 1);
    world.down(&adapter);
}

/// Rules REG-41 and RESET-08: without hardware there are no handlers.
#[test]
fn nothing_is_registered_without_hardware() {
    let world = World::<false>::new(Host::builder().build());
    let adapter = world.up();
    assert_eq!(world.host.check_for_hang(&adapter), None);
    assert_eq!(world.host.reset(&adapter), None);
    world.down(&adapter);
}

/// Rules HALT-14 to HALT-16.
#[test]
fn the_system_goes_down() {
    for (bug_check, shutdowns) in [(false, 1), (true, 0)] {
        let world = World::<false>::new(Host::builder().build());
        let adapter = world.up();
        if bug_check {
            world.host.bug_check();
        } else {
            world.host.shut_down();
        }
        assert_eq!(world.desk.shutdowns.load(SeqCst), shutdowns);
        world.host.remove_adapter(&adapter);
        assert_eq!(world.desk.halts.load(SeqCst), 0);
        // What is left is the system's; here it belongs to the test.
        let desk = world.desk.clone();
        let notes = world.notes.clone();
        world.end();
        std::mem::forget((desk, notes));
    }
}

/// Rule INIT-31.
#[test]
fn the_error_log_says_why_an_adapter_does_not_start() {
    for (failure, code) in [
        (Status::RESOURCES, n::NDIS_ERROR_CODE_OUT_OF_RESOURCES),
        (Status::NOT_SUPPORTED, n::NDIS_ERROR_CODE_DRIVER_FAILURE),
    ] {
        let world = World::<false>::new(Host::builder().build());
        *world.desk.fails.lock().unwrap() = Some(failure);
        assert!(world.host.add_adapter(&world.card).is_err());
        *world.desk.fails.lock().unwrap() = None;
        *world.desk.restart_fails.lock().unwrap() = Some(failure);
        let adapter = world.host.add_adapter(&world.card).expect("initialize");
        let log = world.host.error_log();
        assert_eq!(log.len(), 2);
        for entry in log {
            assert_eq!((&*entry.who, entry.code), ("card", code));
            assert_eq!(entry.value, Some(failure.raw().cast_unsigned()));
        }
        world.down(&adapter);
    }
}
