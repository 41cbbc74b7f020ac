//! Calls that end while something is under way, adapters that stop or go, and memory that runs
//! out.

use crate::support;

use ndis_co::{Status, oid::known, sys as ndis_sys, tapi::Disconnect};
use ndis_host::{Host, Readings};
use ndis_wan_models::{Answering, CallId, CallView, Settings, State, Windows, ndproxy::HangUp};
use support::*;

/// One that switches often, with a reading of the documentation that goes with the seed.
fn host(seed: u64) -> Host {
    let count = readings().count();
    let readings = readings().nth(seed as usize * 7919 % count);
    builder(seed, readings.unwrap_or_default())
        .preemption(1, 2)
        .build()
}

/// Both ends hang up, while frames are under way both ways.
#[test]
fn both_ends_hang_up_at_once() {
    for seed in seeds(50) {
        let host = host(seed);
        let hang_up = [HangUp::DataFirst, HangUp::AtOnce][(seed % 2) as usize];
        let world = World::with(
            &host,
            Settings {
                hang_up,
                ..Settings::default()
            },
        );
        let ends = world.connect();
        for end in ends {
            for frame in 0..20 {
                world.windows.send(end, &[frame; 64]);
            }
            world.windows.drop_call(end);
        }
        host.run();
        for end in ends {
            let reason = world.ended(end);
            assert_eq!(reason, Disconnect::Normal.into(), "seed {seed}");
            let counts = world.windows.link(end).unwrap().counts;
            assert_eq!(counts.under_way, 0, "seed {seed}: {counts:?}");
        }
        // The addresses are free again.
        world.connect();
        world.end();
        clean(&host.finish());
    }
}

/// NDISWAN ends a call: PPP has come to an end.
#[test]
fn ndiswan_ends_a_call() {
    let host = host(1);
    let world = World::new(&host);
    let ends = world.connect();
    world.windows.terminate(ends[1]);
    host.run();
    for end in ends {
        assert_eq!(world.ended(end), Disconnect::Normal.into());
    }
    world.end();
    clean(&host.finish());
}

/// An adapter goes away: with calls up, or ringing, or on their way.
#[test]
fn removal_with_calls() {
    for seed in seeds(50) {
        let host = host(seed);
        let answering = [Answering::Answer, Answering::Ring][(seed % 2) as usize];
        let world = World::with(
            &host,
            Settings {
                answering,
                ..Settings::default()
            },
        );
        let calls: Vec<_> = [(0, 0, "200"), (1, 2, "103"), (0, 1, "102")]
            .map(|(adapter, line, number)| world.windows.dial(adapter, line, number))
            .into();
        host.run_for(seed % 5);
        for call in &calls {
            for frame in 0..20 {
                world.windows.send(*call, &[frame; 64]);
            }
        }
        host.run_for(seed % 3);
        let goes = &world.adapters[(seed % 2) as usize];
        if seed % 3 == 0 {
            host.surprise_remove(goes);
        } else {
            host.remove_adapter(goes);
        }
        host.run();
        // The first two are between both adapters.
        for call in &calls[..2] {
            let view = world.windows.call(*call).unwrap();
            assert!(view.ended().is_some(), "seed {seed}: {view:?}");
        }
        // Whoever is left can be called, and nobody else.
        let left = u32::from(seed % 2 == 0);
        let number = ["101", "201"][left as usize];
        world.windows.set_answering(Answering::Answer);
        let call = world.dial(left, 3, number);
        world.is_up(call);
        let call = world.dial(left, 0, ["201", "101"][left as usize]);
        assert_eq!(world.ended(call), Disconnect::BadAddress.into());
        let other = &world.adapters[left as usize];
        host.remove_adapter(other);
        world.unload();
        clean(&host.finish());
    }
}

/// An adapter that comes back has its numbers again, and can be called.
#[test]
fn a_number_is_free_again() {
    let host = host(2);
    let mut world = World::new(&host);
    for _ in 0..2 {
        host.remove_adapter(&world.adapters[1]);
        world.adapters[1] = host.add_adapter(&world.driver).unwrap();
        host.run();
        let call = world.dial(0, 0, "200");
        world.is_up(call);
    }
    world.end();
    clean(&host.finish());
}

/// An adapter pauses and restarts with a call up: what is sent meanwhile may be lost, the call is
/// not, and every frame is sent, failed, or refused.
#[test]
fn pause_and_restart() {
    for seed in seeds(50) {
        let host = host(seed);
        let world = World::new(&host);
        let ends = world.connect();
        for end in ends {
            for frame in 0..40 {
                world.windows.send(end, &[frame; 64]);
            }
        }
        let pauses = &world.adapters[(seed % 2) as usize];
        host.run_for(seed % 4);
        host.pause(pauses);
        host.run_for(seed % 4);
        host.restart(pauses).unwrap();
        host.run();
        for end in ends {
            let view = world.windows.call(end).unwrap();
            let counts = view.link.unwrap().counts;
            assert_eq!(counts.under_way, 0, "seed {seed}");
            let all = counts.sent + counts.failed + view.refused.len() as u32;
            assert_eq!(all, 40, "seed {seed}: {view:?}");
        }
        // What the one has sent, the other one has got, or lost and counted.
        for (from, to) in [(0, 1), (1, 0)] {
            let sent = world.statistics(ends[from]).frames_sent;
            let got = world.statistics(ends[to]);
            let all = got.frames_received + got.buffer_overrun_errors;
            assert_eq!(sent, all, "seed {seed}");
        }
        for end in ends {
            let before = world.received(end).len();
            let other = if end == ends[0] { ends[1] } else { ends[0] };
            world.send(other, &[b"on again"]);
            assert_eq!(world.received(end).len(), before + 1, "seed {seed}");
        }
        world.end();
        clean(&host.finish());
    }
}

/// Frames for an end that is paused wait, and arrive when it runs again, in order.
#[test]
fn frames_wait_for_a_paused_end() {
    for seed in seeds(20) {
        let host = host(seed);
        let world = World::new(&host);
        let [near, far] = world.connect();
        host.pause(&world.adapters[1]);
        let frames: Vec<_> = (0..40).map(|frame| [frame; 64]).collect();
        world.windows.send_all(near, &frames);
        host.run();
        assert_eq!(world.received(far).len(), 0, "seed {seed}");
        host.restart(&world.adapters[1]).unwrap();
        host.run();
        assert_eq!(world.received(far), frames, "seed {seed}");
        let counts = world.windows.link(near).unwrap().counts;
        assert_eq!((counts.sent, counts.failed), (40, 0), "seed {seed}");
        assert_eq!(world.statistics(far).buffer_overrun_errors, 0);
        world.end();
        clean(&host.finish());
    }
}

/// What is sent in order arrives in order, both ways at once, with a full window under way.
#[test]
fn frames_arrive_in_order() {
    for seed in seeds(30) {
        let host = host(seed);
        let world = World::new(&host);
        let ends = world.connect();
        let frames: Vec<_> = (0..100).map(|frame| [frame; 64]).collect();
        for end in ends {
            world.windows.send_all(end, &frames);
        }
        host.run();
        let mut most = 0;
        for end in ends {
            assert_eq!(world.received(end), frames, "seed {seed}");
            let counts = world.windows.link(end).unwrap().counts;
            most = most.max(counts.most_under_way);
        }
        assert!(most > 4, "seed {seed}: {most}");
        world.end();
        clean(&host.finish());
    }
}

/// The window is kept, and frames beyond it wait above.
#[test]
fn as_many_frames_as_the_window_says() {
    for seed in seeds(20) {
        let host = host(seed);
        let world = World::new(&host);
        let [near, far] = world.connect();
        for frame in 0..100 {
            world.windows.send(near, &[frame; 64]);
        }
        host.run();
        assert_eq!(world.received(far).len(), 100);
        let counts = world.windows.link(near).unwrap().counts;
        assert_eq!((counts.sent, counts.failed), (100, 0));
        assert!(counts.most_under_way <= 16, "{counts:?}");
        world.end();
        clean(&host.finish());
    }
}

/// The device loses its power while a call rings: the clock stops (rule OID-63), and goes on when
/// it is back.
#[test]
fn a_call_rings_while_the_device_sleeps() {
    let host = host(3);
    let answering = Answering::Ring;
    let world = World::with(
        &host,
        Settings {
            answering,
            ..Settings::default()
        },
    );
    let call = world.windows.dial(0, 0, "200");
    host.run_for(20);
    assert_eq!(world.windows.call(call).unwrap().state, State::Dialing);
    for state in [ndis_sys::NdisDeviceStateD3, ndis_sys::NdisDeviceStateD0] {
        host.set_power(&world.adapters[0], state).unwrap();
    }
    host.run();
    assert_eq!(world.ended(call), Disconnect::NoAnswer.into());
    world.end();
    clean(&host.finish());
}

/// The drivers above go, with calls up; NDPROXY or NDISWAN first.
#[test]
fn windows_unloads_with_calls() {
    for seed in seeds(30) {
        let host = host(seed);
        let world = World::new(&host);
        for end in world.connect() {
            for frame in 0..20 {
                world.windows.send(end, &[frame; 64]);
            }
        }
        host.run_for(seed % 3);
        let World {
            windows,
            driver,
            adapters,
            ..
        } = world;
        if seed % 2 == 0 {
            windows.unload();
        } else {
            windows.unload_ndproxy_first();
        }
        for adapter in &adapters {
            host.remove_adapter(adapter);
        }
        host.unload(&driver);
        clean(&host.finish());
    }
}

/// Whether both ends were connected, and all their frames arrived.
fn is_good(windows: &Windows<'_>, call: CallId) -> bool {
    let calls = windows.calls();
    let carried = |call: &CallView| call.was_connected && call.carried == Some(Ok(()));
    let arrived = |call| windows.received(call).len();
    calls.len() == 2
        && calls.iter().all(carried)
        && arrived(call) == 1
        && windows.came_in(1).is_some_and(|far| arrived(far) == 3)
}

/// Every allocation fails once, one at a time: nothing is lost or left over, and what cannot be is
/// said.
#[test]
fn every_allocation_may_fail() {
    let mut unharmed = 0;
    for nth in (1..).step_by(if cfg!(miri) { 200 } else { 1 }) {
        if unharmed == if cfg!(miri) { 1 } else { 50 } {
            assert!(nth > 200, "hardly anything has failed");
            return;
        }
        let host = builder(9, Readings::default()).build();
        let windows = Windows::load(&host).unwrap();
        let driver = load(&host);
        let near = host.add_adapter(&driver).unwrap();
        host.run();
        host.fail_allocation(nth);
        let far = host.add_adapter(&driver);
        host.run();
        let call = windows.dial(0, 0, "200");
        host.run();
        for frame in 0..3 {
            windows.send(call, &[frame; 64]);
        }
        host.run();
        if let Some(far) = windows.came_in(1) {
            windows.send(far, b"back");
            host.run();
            windows.drop_call(far);
        }
        host.run();
        // With enough of them in a row that nothing has happened to, there was no such allocation.
        let good = is_good(&windows, call);
        unharmed = if good { unharmed + 1 } else { 0 };
        for view in windows.calls() {
            assert!(view.ended().is_some(), "allocation {nth}: {view:?}");
        }
        if let Ok(far) = far {
            host.remove_adapter(&far);
        }
        host.remove_adapter(&near);
        windows.unload();
        host.unload(&driver);
        let report = host.finish();
        assert!(report.is_clean(), "allocation {nth}: {report}");
    }
}

/// The adapter's counters are those of its calls together.
#[test]
fn counters_of_ended_calls_stay() {
    let host = host(4);
    let world = World::new(&host);
    for _ in 0..3 {
        let [near, _] = world.connect();
        world.send(near, &[b"word"]);
        world.windows.drop_call(near);
        host.run();
    }
    world.windows.ask_counter(0, known::GEN_CO_XMIT_PDUS_OK);
    host.run();
    let sent = world.windows.counter(0, known::GEN_CO_XMIT_PDUS_OK);
    assert_eq!(sent, Some(Ok::<_, Status>(3)));
    world.end();
    clean(&host.finish());
}
