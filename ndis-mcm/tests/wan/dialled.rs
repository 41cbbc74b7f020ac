//! Calls that are dialled and not answered, or not yet: by the network, or by an application that
//! lets them ring.

use super::{
    World, builder,
    modem::{DIALLED, PATIENCE},
    proxy::{Ring, passive},
    seeds,
};
use ndis_co::{delay::delay, nbl::NetBufferLists, tapi::Disconnect};
use ndis_mcm::{
    Status,
    wan::{Direction, OfferError},
};
use std::sync::{Arc, Mutex, atomic::Ordering::SeqCst};

const NO_ANSWER: Status = Disconnect::NoAnswer.status();

fn failed(world: &World) -> Vec<Status> {
    std::mem::take(&mut *world.proxy.0.failed.lock().unwrap())
}

/// The network says nothing: the application hears that, the driver too, and its own answer comes
/// too late.
#[test]
fn a_time_for_the_answer() {
    for seed in seeds(12) {
        let world = World::new(builder(seed).build());
        world.host.run_for(0);
        let proxy = world.proxy.clone();
        world.host.spawn("user", move || proxy.call(b"patient"));
        world.host.run_for(u64::from(PATIENCE) - 1_000);
        assert_eq!(failed(&world), [], "seed {seed}");
        if seed % 3 == 2 {
            // In time: nothing comes afterwards.
            let kept = world.modem.kept.lock().unwrap().pop().unwrap();
            world.user(move |_| assert!(kept.connect(DIALLED, &mut passive())));
            assert_eq!(world.up(), [1, 0]);
            assert_eq!(failed(&world), []);
            world.end(&format!("answered in time, seed {seed}"));
            continue;
        }
        let more = seed % 3 == 1;
        if more {
            // The other end rings: it has that long once more.
            let call = world.modem.kept.lock().unwrap()[0].clone();
            world.host.spawn("user", move || {
                call.answer_within(PATIENCE, &mut passive()).unwrap();
            });
            world.host.run_for(u64::from(PATIENCE) - 1_000);
            assert_eq!(failed(&world), [], "seed {seed}");
        }
        world.host.run();
        assert_eq!(failed(&world), [NO_ANSWER], "seed {seed}");
        let driver = std::mem::take(&mut *world.modem.failed.lock().unwrap());
        assert_eq!(driver, [NO_ANSWER], "seed {seed}");
        let late = world.modem.kept.lock().unwrap().pop().unwrap();
        world.user(move |_| {
            let irql = &mut passive();
            let stated = late.answer_within(1, irql);
            assert_eq!(stated, Err(Status::CLOSING));
            assert!(!late.connect(DIALLED, irql));
        });
        world.end(&format!("no answer, seed {seed}"));
    }
}

/// The call is answered, or has another time stated, at the very moment at which its time is up: either
/// is first, and the expiry that was overtaken refuses nothing.
#[test]
fn a_time_that_holds_no_more_refuses_nothing() {
    let mut counts = [[0; 2]; 2];
    for seed in seeds(120) {
        let answers = seed % 2 == 1;
        let world = World::new(builder(seed).processors(2).build());
        world.host.run_for(0);
        let proxy = world.proxy.clone();
        world.host.spawn("user", move || proxy.call(b"patient"));
        world.host.run_for(1_000);
        let call = world.modem.kept.lock().unwrap()[0].clone();
        let first = Arc::new(Mutex::new(None));
        let said = first.clone();
        world.host.spawn("user", move || {
            let irql = &mut passive();
            call.answer_within(10, irql).unwrap();
            // Some of the host's moments before.
            delay(9_999, irql);
            let first = if answers {
                call.connect(DIALLED, irql)
            } else {
                call.answer_within(PATIENCE, irql).is_ok()
            };
            *said.lock().unwrap() = Some(first);
        });
        world.host.run_for(u64::from(PATIENCE) - 1_000);
        let first = first.lock().unwrap().take().expect("it has asked");
        let expected = if first { vec![] } else { vec![NO_ANSWER] };
        assert_eq!(failed(&world), expected, "seed {seed}");
        counts[usize::from(answers)][usize::from(first)] += 1;
        world.host.run();
        if answers && first {
            assert_eq!(world.up(), [1, 0], "seed {seed}");
        }
        world.modem.kept.lock().unwrap().clear();
        world.end(&format!("overtaken, seed {seed}"));
    }
    let all = counts.iter().flatten().all(|count| *count > 0);
    assert!(cfg!(miri) || all, "{counts:?}");
}

/// Rule OID-63: no clock runs while the device sleeps, and the time begins anew when it wakes.
#[test]
fn no_time_passes_in_sleep() {
    for seed in seeds(6) {
        let world = World::new(builder(seed).build());
        let dial = |world: &World| {
            let proxy = world.proxy.clone();
            world.host.spawn("user", move || proxy.call(b"patient"));
            world.host.run_for(1_000);
        };
        if seed % 2 == 0 {
            dial(&world);
            world.host.set_power(&world.adapter, 4).unwrap();
        } else {
            world.host.set_power(&world.adapter, 4).unwrap();
            dial(&world);
        }
        world.host.run_for(10 * u64::from(PATIENCE));
        assert_eq!(failed(&world), [], "seed {seed}");
        world.host.set_power(&world.adapter, 1).unwrap();
        world.host.run();
        assert_eq!(failed(&world), [NO_ANSWER], "seed {seed}");
        world.modem.kept.lock().unwrap().clear();
        world.end(&format!("sleep, seed {seed}"));
    }
}

/// The adapter goes while a call is dialled that has a time.
#[test]
fn a_halt_is_before_the_time() {
    for seed in seeds(6) {
        let readings = ndis_host::Readings {
            notify_close: ndis_host::NotifyClose::HaltFirst,
            ..ndis_host::Readings::default()
        };
        let world = World::new(builder(seed).readings(readings).build());
        let proxy = world.proxy.clone();
        world.host.spawn("user", move || proxy.call(b"patient"));
        world.host.run_for(1_000);
        let proxy = world.proxy.clone();
        world.end(&format!("halt, seed {seed}"));
        let failed = proxy.0.failed.lock().unwrap().clone();
        assert_eq!(failed, [Disconnect::Unavailable.into()], "seed {seed}");
    }
}

/// The caller gives up while the call still rings: the application that is rung hears it, the
/// driver gets its end, and the address is free again.
#[test]
fn an_offer_is_taken_back_while_it_rings() {
    for seed in seeds(12) {
        let world = World::new(builder(seed).build());
        *world.proxy.0.ring.lock().unwrap() = Ring::Later;
        world.call("line 1");
        let adapter = world.modem.adapter.lock().unwrap().clone().unwrap();
        let rings = move || {
            let mut calls = adapter.calls();
            let irql = &mut passive();
            std::iter::from_fn(|| calls.next(irql))
                .find(|call| call.direction() == Direction::Incoming)
        };
        let find = rings.clone();
        world.user(move |_| {
            let irql = &mut passive();
            let call = find().expect("it rings");
            call.hang_up(Disconnect::NoAnswer, irql).unwrap();
            let twice = call.hang_up(Disconnect::Normal, irql);
            assert_eq!(twice, Err(Status::CLOSING));
        });
        let closing = std::mem::take(&mut *world.proxy.0.closing.lock().unwrap());
        assert_eq!(closing, [NO_ANSWER], "seed {seed}");
        // Who had dialled was in the leg that rang.
        assert_eq!(failed(&world), [NO_ANSWER], "seed {seed}");
        assert_eq!(world.modem.hung_up.load(SeqCst), 1, "seed {seed}");
        assert_eq!(world.modem.refused.lock().unwrap().len(), 0);
        assert_eq!(world.up(), [0, 0]);
        world.user(move |_| assert!(rings().is_none()));
        // An answer that comes now is nobody's.
        let late = std::mem::take(&mut *world.proxy.0.ringing.lock().unwrap());
        world.user(move |_| {
            for call in late {
                let _ = call.accept(&mut passive()).keep();
            }
        });
        assert_eq!(world.up(), [0, 0], "seed {seed}");
        *world.proxy.0.ring.lock().unwrap() = Ring::Accept;
        world.call("line 1");
        assert_eq!(world.up(), [1, 1], "seed {seed}");
        world.end(&format!("taken back, seed {seed}"));
    }
}

#[test]
fn why_a_call_was_not_offered() {
    for (status, why) in [
        (Status::INVALID_SAP, Disconnect::Unavailable),
        (Status::CLOSING, Disconnect::Unavailable),
        (Status::TAPI_CALLUNAVAIL, Disconnect::Busy),
        (Status::RESOURCES, Disconnect::Congestion),
        (Disconnect::Reject.status(), Disconnect::Reject),
    ] {
        let context = NetBufferLists::new(ndis_co::nbl::Side::Miniport);
        let refused = OfferError { context, status };
        assert_eq!(refused.why(), why);
        assert_eq!(Disconnect::from(refused), why);
    }
}
