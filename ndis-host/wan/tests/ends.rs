//! Adapters and drivers that go while calls are up, ring, or are being placed.

use crate::support;

use ndis_co::tapi::Disconnect;
use ndis_host::Readings;
use ndis_wan_models::{Answering, HangUp, Settings, Windows};
use support::*;

/// An adapter goes at any moment.
#[test]
fn an_adapter_goes() {
    for readings in readings() {
        for seed in 0..12 {
            let settings = Settings {
                answering: [Answering::Answer, Answering::Ring][seed as usize % 2],
                hang_up: [HangUp::DataFirst, HangUp::AtOnce][seed as usize / 2 % 2],
                ..Settings::default()
            };
            let config = Config {
                lines: vec![2, 2],
                ..Config::default()
            };
            on(seed, readings, config, settings, |world| {
                let calls = [(0, 0, "1/0"), (1, 1, "0/1"), (0, 0, "1/0")];
                let calls = calls.map(|(from, line, to)| world.windows().dial(from, line, to));
                world.host.run_for(seed % 5);
                for call in calls {
                    world.windows().send(call, b"anything");
                }
                let adapter = world.adapters.remove((seed / 4) as usize % 2);
                if seed % 3 == 0 {
                    world.host.surprise_remove(&adapter);
                } else {
                    world.host.remove_adapter(&adapter);
                }
                world.host.run();
                if seed % 2 == 0 {
                    for call in calls {
                        let why = world.ended(call);
                        assert!(Disconnect::from_status(why).is_some(), "seed {seed}: {why}");
                    }
                }
            });
        }
    }
}

/// Both drivers go while calls are up, in either order.
#[test]
fn the_drivers_go() {
    for seed in seeds() {
        on(
            seed,
            Readings::default(),
            Config::default(),
            Settings::default(),
            |world| {
                world.connect(0, 0, "1");
                world.windows().dial(1, 0, "0");
                world.host.run_for(seed % 3);
                let windows = world.take_windows();
                if seed % 2 == 0 {
                    windows.unload();
                } else {
                    windows.unload_ndproxy_first();
                }
                world.host.run();
            },
        );
    }
}

/// A paused adapter keeps its calls, and the frames wait.
#[test]
fn frames_wait_for_a_pause() {
    for seed in seeds() {
        on(
            seed,
            Readings::default(),
            Config::default(),
            Settings::default(),
            |world| {
                let (call, other) = world.connect(0, 0, "1");
                world.host.pause(&world.adapters[0]);
                for index in 0..6 {
                    world.windows().send(call, &[index; 20]);
                }
                world.host.run();
                assert_eq!(world.windows().received(other), []);
                world.host.restart(&world.adapters[0]).unwrap();
                world.host.run();
                let received = world.windows().received(other);
                let firsts: Vec<_> = received.iter().map(|frame| frame.payload[0]).collect();
                assert_eq!(firsts, [0, 1, 2, 3, 4, 5], "seed {seed}");
            },
        );
    }
}

/// The drivers come when the adapters are there already, and go and come again.
#[test]
fn the_drivers_come_late() {
    for readings in readings() {
        for seed in 0..2 {
            on(
                seed,
                readings,
                Config::default(),
                Settings::default(),
                |world| {
                    world.connect(0, 0, "1");
                    world.take_windows().unload();
                    let windows = Windows::load(world.host).unwrap();
                    world.host.run();
                    world.give_windows(windows);
                    // Which adapter was bound first, nobody knows: it may call itself.
                    let call = world.windows().dial(0, 0, "1");
                    world.host.run();
                    assert!(world.view(call).is_up, "seed {seed}");
                    world.windows().terminate(call);
                    world.host.run();
                    assert_eq!(world.ended(call), Disconnect::Normal.status());
                },
            );
        }
    }
}

/// An adapter goes and comes again, with the next number.
#[test]
fn an_adapter_comes_again() {
    for seed in seeds() {
        on(
            seed,
            Readings::default(),
            Config::default(),
            Settings::default(),
            |world| {
                let (_, other) = world.connect(0, 0, "1");
                let adapter = world.adapters.remove(0);
                world.host.remove_adapter(&adapter);
                world.host.run();
                assert!(world.view(other).ended().is_some(), "seed {seed}");
                world.add_adapter();
                // The wire counts on, too.
                world.connect(2, 0, "1");
                world.connect(1, 0, "2");
            },
        );
    }
}

/// An adapter is reset, or its device sleeps, with a call up.
#[test]
fn an_adapter_rests() {
    for seed in seeds() {
        on(
            seed,
            Readings::default(),
            Config::default(),
            Settings::default(),
            |world| {
                let (call, other) = world.connect(0, 0, "1");
                let sleeps = seed % 2 == 0;
                if sleeps {
                    world.host.set_power(&world.adapters[1], 4).unwrap();
                    world.windows().send(other, b"asleep");
                    world.host.run();
                    world.host.set_power(&world.adapters[1], 1).unwrap();
                } else {
                    world.host.pause(&world.adapters[1]);
                    world.windows().send(other, b"asleep");
                    world.host.run();
                    world.host.restart(&world.adapters[1]).unwrap();
                }
                world.host.run();
                world.windows().send(other, b"awake");
                world.host.run();
                let received = world.windows().received(call);
                let last = received.last().map(|frame| &*frame.payload);
                assert_eq!(last, Some(&b"awake"[..]), "seed {seed}");
            },
        );
    }
}
