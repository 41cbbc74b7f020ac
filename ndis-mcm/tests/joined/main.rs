//! A call of a miniport call manager is handed up: a protocol in the place of NDPROXY, client and
//! call manager at once, offers it to one in the place of NDISWAN, whose frames go straight to the
//! miniport call manager and come straight from there.

mod link;
mod modem;
mod proxy;

use link::{Link, Wan};
use modem::Modem;
use ndis_co::{
    Status,
    client::Entry,
    family::{AddressFamily, Family},
    irql::{NoLock, Passive},
    params::CallParametersBuf,
    tapi::CallId,
    wide::Name,
};
use ndis_host::{
    Adapter as HostAdapter, CallIdText, Driver, Host, JoinedActivation, JoinedVc, Readings,
};
use proxy::Proxy;
use std::sync::{Arc, Mutex, atomic::Ordering::SeqCst};

/// Between the MCM and the proxy.
const BELOW: AddressFamily = AddressFamily::new(Family::TAPI_PROXY, 1, 0);
/// Between the proxy and the one that carries frames.
const ABOVE: AddressFamily = AddressFamily::new(Family::TAPI, 1, 0);

fn parameters() -> Result<CallParametersBuf, Status> {
    CallParametersBuf::builder().build()
}

struct World {
    host: Host,
    modem: Modem,
    proxy: Proxy,
    wan: Wan,
    drivers: [Driver; 3],
    adapter: HostAdapter,
}

impl World {
    fn new(seed: u64, readings: Readings) -> Self {
        Self::on(Host::builder().seed(seed).readings(readings).build())
    }

    fn on(host: Host) -> Self {
        let (modem, proxy, wan) = (Modem::default(), Proxy::default(), Wan::default());
        let entry = ndis_mcm::Entry::new(modem.clone());
        let below = host
            // SAFETY: the host calls this once, as DriverEntry.
            .load_with("modem", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the miniport loads");
        let entry = Entry::new(proxy.clone());
        let between = host
            // SAFETY: as above.
            .load_with("proxy", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the proxy loads");
        let entry = Entry::new(wan.clone());
        let above = host
            // SAFETY: as above.
            .load_with("wan", move |object, path| unsafe {
                entry.run(object, path)
            })
            .expect("the client loads");
        let adapter = host.add_adapter(&below).expect("the adapter starts");
        host.run();
        Self {
            host,
            modem,
            proxy,
            wan,
            drivers: [above, between, below],
            adapter,
        }
    }

    /// Places a call, and runs until all is quiet.
    fn dial(&self) {
        let desk = self.proxy.0.clone();
        self.host.spawn("user", move || desk.dial().unwrap());
        self.host.run();
    }

    fn spawn(&self, f: impl FnOnce(&Link, &mut Passive) + Send + 'static) {
        let link = self.wan.0.clone();
        self.host.spawn("user", move || {
            // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
            f(&link, &mut unsafe { Passive::assume() });
        });
    }

    fn down(self, adapter_first: bool) {
        let Self {
            host,
            drivers,
            adapter,
            ..
        } = self;
        if adapter_first {
            host.remove_adapter(&adapter);
        }
        let [above, between, below] = drivers;
        host.unload(&above);
        host.unload(&between);
        if !adapter_first {
            host.remove_adapter(&adapter);
        }
        host.unload(&below);
        let report = host.finish();
        assert!(report.is_clean(), "{report}");
    }
}

/// What may be behind the join, with some of the other open questions.
fn all() -> impl Iterator<Item = (u64, Readings)> {
    let seeds = if cfg!(miri) { 1 } else { 12 };
    (0..seeds).flat_map(|seed| {
        JoinedVc::ALL.iter().flat_map(move |vc| {
            JoinedActivation::ALL.iter().map(move |activation| {
                let readings = Readings {
                    joined_vc: *vc,
                    joined_activation: *activation,
                    ..Readings::default()
                };
                (seed, readings)
            })
        })
    })
}

#[test]
fn frames_go_past_the_proxy() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.dial();
        assert_eq!(
            *world.proxy.0.handed.lock().unwrap(),
            [Ok(())],
            "{readings:?}"
        );
        world.spawn(|link, irql| link.send(b"again", irql).unwrap());
        world.host.run();
        let received = world.wan.0.received.lock().unwrap().clone();
        assert_eq!(received, [b"hello", b"again"], "seed {seed}, {readings:?}");
        assert_eq!(*world.wan.0.completed.lock().unwrap(), [Status::SUCCESS; 2]);
        assert_eq!(world.proxy.0.received.load(SeqCst), 0);

        // What the proxy would send beneath might come back to the upper client.
        let desk = world.proxy.0.clone();
        world.spawn(move |_, irql| {
            let lower = desk.pairs.lock().unwrap()[0].0.clone();
            assert!(lower.is_connected());
            assert_eq!(desk.send(&lower, irql), Err(Status::INVALID_STATE));
        });
        world.host.run();

        // The upper end hangs up, and all goes, the upper VC first.
        world.spawn(|link, irql| {
            let vc = link.vc.lock().unwrap().clone().unwrap();
            vc.hang_up(&[], irql).unwrap();
        });
        world.host.run();
        let desk = &world.proxy.0;
        let gone = (desk.upper_gone.load(SeqCst), desk.lower_gone.load(SeqCst));
        assert_eq!(gone, (1, 1), "seed {seed}, {readings:?}");
        assert_eq!(world.wan.0.closed.load(SeqCst), 1);
        // And once more.
        world.dial();
        assert_eq!(world.wan.0.received.lock().unwrap().len(), 3);
        world.down(seed % 2 == 0);
    }
}

/// What the proxy has sent beneath is back before the call is handed up.
#[test]
fn a_call_is_not_handed_up_while_frames_of_the_proxy_are_out() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.proxy.0.greets.store(1, SeqCst);
        world.dial();
        let desk = world.proxy.0.clone();
        let handed = std::mem::take(&mut *desk.handed.lock().unwrap());
        assert_eq!(handed, [Err(Status::INVALID_STATE)], "seed {seed}");
        world.spawn(move |_, irql| {
            let lower = desk.greeted.lock().unwrap().take().unwrap();
            desk.hand_up(&lower, irql.up_to_dispatch()).unwrap();
        });
        world.host.run();
        assert_eq!(*world.wan.0.received.lock().unwrap(), [b"hello"]);
        world.down(seed % 2 == 0);
    }
}

/// The far end hangs up with frames of the upper client's outstanding, while it sends on.
///
/// A send takes no lock, so the end can overtake a frame at one place only: where NDIS is called with
/// it. On one processor, with every callback at DISPATCH_LEVEL, the whole end comes while the threads
/// that send stay where they are, and with several of them one is there.
#[test]
fn a_call_may_end_beneath_what_is_sent() {
    let (mut late, mut ends) = (0, 0);
    let all: Vec<_> = all().flat_map(|one| [(false, one), (true, one)]).collect();
    for (at_once, (seed, readings)) in all.iter().copied() {
        let host = Host::builder().seed(seed).readings(readings);
        let world = World::on(if at_once {
            host.processors(1).raise(1, 1).preemption(1, 2).build()
        } else {
            host.build()
        });
        world.modem.0.holds.store(1, SeqCst);
        world.dial();
        for _ in 0..3 {
            world.spawn(|link, irql| {
                // Until it is told of the end.
                while link.send(b"more", irql).is_ok() {}
            });
        }
        let modem = world.modem.0.clone();
        let desk = world.proxy.0.clone();
        let from_below = seed % 2 == 0;
        world.host.spawn("network", move || {
            // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
            let mut irql = unsafe { Passive::assume() };
            if from_below {
                let vc = modem.vc.lock().unwrap().clone().unwrap();
                let _ = vc.dispatch_incoming_close(Status::SUCCESS, &[], &mut irql);
            } else {
                // The user of the proxy does.
                let lower = desk.pairs.lock().unwrap()[0].0.clone();
                lower.hang_up(&[], &mut irql).unwrap();
            }
        });
        world.host.run();
        let completed = world.wan.0.completed.lock().unwrap().clone();
        let taken = world.wan.0.taken.load(SeqCst) as usize;
        assert_eq!(completed.len(), taken, "seed {seed}, {readings:?}");
        // What the miniport call manager has had it has completed; the others came too late.
        let sent = world.modem.0.sent.load(SeqCst) as usize;
        let refused = completed.iter().filter(|status| !status.is_success());
        assert!(refused.clone().all(|status| *status == Status::CLOSING));
        assert_eq!(refused.clone().count(), taken - sent, "seed {seed}");
        late += refused.count();
        ends += world.proxy.0.lower_gone.load(SeqCst);
        assert_eq!(
            world.wan.0.closed.load(SeqCst),
            1,
            "seed {seed}, {readings:?}"
        );
        world.down(seed % 3 == 0);
    }
    assert!(late > 0, "none came after the end");
    assert_eq!(ends as usize, all.len());
}

#[test]
fn a_call_that_is_not_taken_ends_beneath() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.wan.0.refuses.store(1, SeqCst);
        world.dial();
        let desk = &world.proxy.0;
        let gone = (desk.upper_gone.load(SeqCst), desk.lower_gone.load(SeqCst));
        assert_eq!(gone, (1, 1), "seed {seed}, {readings:?}");
        assert_eq!(world.modem.0.sent.load(SeqCst), 0);
        world.down(seed % 2 == 0);
    }
}

/// Each allocation fails once: the call is not handed up, and ends.
#[test]
fn nothing_is_left_when_memory_is_short() {
    let mut failed = 0;
    for nth in 0..if cfg!(miri) { 8 } else { 60 } {
        let world = World::new(nth, Readings::default());
        world.host.fail_allocation(nth);
        let desk = world.proxy.0.clone();
        world.host.spawn("user", move || {
            let _ = desk.dial();
        });
        world.host.run();
        failed += usize::from(world.proxy.0.handed.lock().unwrap().first() != Some(&Ok(())));
        world.down(nth % 2 == 0);
    }
    assert!(failed > 0);
}

/// An unbind with calls up.
#[test]
fn an_adapter_goes_with_a_call_that_is_handed_up() {
    for (seed, readings) in all() {
        let world = World::new(seed, readings);
        world.dial();
        assert_eq!(world.modem.0.echoed.load(SeqCst), 1);
        let desk = world.proxy.0.clone();
        world.down(seed % 2 == 0);
        let gone = (desk.upper_gone.load(SeqCst), desk.lower_gone.load(SeqCst));
        assert_eq!(gone, (1, 1), "seed {seed}, {readings:?}");
    }
}

/// A name of the driver's own type.
struct Own(&'static str);

impl From<Own> for Name<'static> {
    /// Code of the driver, which may take what lock it likes: none is held.
    fn from(own: Own) -> Self {
        // SAFETY: any thread at any level may ask.
        assert_eq!(unsafe { ndis_sys::KeGetCurrentIrql() }, 0, "under a lock");
        own.0.into()
    }
}

/// Each finds its own call by the string for it, and nobody else's.
#[test]
fn calls_are_found_by_the_strings_for_them() {
    for call_id_text in CallIdText::ALL {
        for seed in 0..if cfg!(miri) { 1 } else { 4 } {
            let readings = Readings {
                call_id_text: *call_id_text,
                ..Readings::default()
            };
            let world = World::new(seed, readings);
            world.dial();
            let (link, desk) = (world.wan.0.clone(), world.proxy.0.clone());
            let kept = Arc::new(Mutex::new(None));
            let gone = kept.clone();
            world.host.spawn("user", move || {
                // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
                let mut irql = unsafe { Passive::assume() };
                let wan = link.vc.lock().unwrap().clone().unwrap();
                let (lower, upper) = desk.pairs.lock().unwrap()[0].clone();
                let ids = [wan.tapi_call_id().unwrap(), lower.tapi_call_id().unwrap()];
                assert_ne!(ids[0], ids[1]);
                assert!(ids[0].to_string().starts_with("VC"), "{}", ids[0]);
                let (above, below) = (wan.af().binding(), lower.af().binding());
                assert!(above.vc_of_tapi_call(&ids[0]).unwrap().is(&wan));
                assert!(below.vc_of_tapi_call(&ids[1]).unwrap().is(&lower));
                // The context that comes back is another driver's.
                assert!(above.vc_of_tapi_call(&ids[1]).is_none());
                assert!(below.vc_of_tapi_call(&ids[0]).is_none());
                let unknown = CallId::try_from_units(&[0x41; 300]).unwrap();
                assert!(above.vc_of_tapi_call(&unknown).is_none());
                let none = CallId::try_from_units(&[]).unwrap_err();
                assert_eq!(none, Status::INVALID_LENGTH);
                // The call manager of a VC knows by what its client finds it.
                assert_eq!(upper.tapi_call_id().unwrap(), ids[0]);
                // And both have one name for it.
                let name = upper.assign_instance_name(Own("Call")).unwrap();
                assert!(name.to_string().starts_with("Call"));
                assert_eq!(wan.assign_instance_name(Own("Other")).unwrap(), name);
                assert_eq!(upper.assign_instance_name("Other").unwrap(), name);
                assert_ne!(lower.assign_instance_name("Line").unwrap(), name);
                let none = wan.assign_instance_name("").unwrap_err();
                assert_eq!(none, Status::INVALID_PARAMETER);
                drop((lower, upper));
                drop((above, below));
                wan.hang_up(&[], &mut irql).unwrap();
                *gone.lock().unwrap() = Some((wan, ids));
            });
            world.host.run();
            let gone = kept.clone();
            world.host.spawn("user", move || {
                let (wan, ids) = gone.lock().unwrap().take().unwrap();
                assert_eq!(wan.tapi_call_id(), Err(Status::CLOSING));
                let late = wan.assign_instance_name("Late").unwrap_err();
                assert_eq!(late, Status::CLOSING);
                assert!(wan.af().binding().vc_of_tapi_call(&ids[0]).is_none());
            });
            world.host.run();
            world.down(seed % 2 == 0);
        }
    }
}
