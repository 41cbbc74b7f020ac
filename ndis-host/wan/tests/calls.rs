//! Calls between two adapters on one wire, from the application's order to its frames.

mod support;

use ndis_co::{
    Status,
    oid::known,
    tapi::{CallOrigin, Disconnect, MediaModes},
    wan::{FrameErrors, Framing},
};
use ndis_host::{McmDisplaces, Readings};
use ndis_wan_models::{
    Answering, CallId, LineView, Settings, State,
    ndiswan::frame::{IP, LCP},
    ndproxy::HangUp,
};
use support::*;

/// One call, a frame each way, and the end: under every reading.
#[test]
fn a_call_carries_frames_both_ways() {
    for readings in readings() {
        for seed in 0..3 {
            on(
                seed,
                readings,
                Config::default(),
                Settings::default(),
                |world| {
                    let (call, other) = world.connect(0, 0, "1");
                    world.windows().send(call, b"there");
                    world.windows().send(other, b"and back");
                    world.host.run();
                    let there = world.windows().received(other);
                    assert_eq!(there.len(), 1);
                    assert_eq!((there[0].protocol, &*there[0].payload), (IP, &b"there"[..]));
                    assert_eq!(world.windows().received(call)[0].payload, b"and back");
                    assert!(world.view(call).placed && !world.view(other).placed);
                    assert_eq!(world.view(other).caller, "somebody");
                    assert!(world.windows().link(call).unwrap().outgoing);
                    assert!(!world.windows().link(other).unwrap().outgoing);
                    world.windows().drop_call(call);
                    world.host.run();
                    let normal = Disconnect::Normal.status();
                    assert_eq!([call, other].map(|call| world.ended(call)), [normal; 2]);
                    assert_eq!(world.windows().faults(), [""; 0]);
                    // The end that was told asks why; the other one knows.
                    let diagnosis = world.view(other).diagnosis.unwrap().unwrap();
                    assert_eq!(diagnosis.origin, CallOrigin::EXTERNAL);
                    assert_eq!(world.view(call).diagnosis, None);
                },
            );
        }
    }
}

/// Under this reading NDPROXY can register nothing above an MCM, which its own pages say that it
/// does: calls come about, and nobody carries them.
#[test]
fn where_an_mcm_displaces_all_nobody_carries() {
    let readings = Readings {
        mcm_displaces: McmDisplaces::TheDevice,
        ..Readings::default()
    };
    on(
        1,
        readings,
        Config::default(),
        Settings::default(),
        |world| {
            let call = world.windows().dial(0, 0, "1");
            world.host.run();
            let view = world.view(call);
            assert_eq!(view.state, State::Connected);
            assert_eq!(view.carried, Some(Err(Status::TAPI_INVALDEVICECLASS)));
        },
    );
}

/// What `lineGetID` gives is NDISWAN's, and belongs to this call alone; another class nobody has.
#[test]
fn the_application_asks_for_the_data_of_its_calls() {
    for readings in readings() {
        let settings = Settings {
            device_class: None,
            ..Settings::default()
        };
        on(1, readings, Config::default(), settings, |world| {
            let windows = world.windows();
            let calls = [windows.dial(0, 0, "1"), windows.dial(0, 0, "1")];
            world.host.run();
            let all: Vec<_> = windows.calls().iter().map(|call| call.id).collect();
            assert_eq!(all.len(), 4);
            for call in &all {
                let view = world.view(*call);
                assert_eq!((view.state, view.carried), (State::Connected, None));
                windows.send(*call, b"nobody carries it");
            }
            windows.get_id(calls[0], "tapi/line");
            world.host.run();
            let view = world.view(calls[0]);
            assert_eq!(view.refused, [Status::TAPI_INVALCALLSTATE]);
            let none = Err(Status::TAPI_INVALDEVICECLASS);
            assert_eq!((view.carried, view.device), (Some(none), None));
            for call in &all {
                // The case of a class does not matter.
                windows.get_id(*call, "ndis");
            }
            world.host.run();
            let mut ids: Vec<_> = all
                .iter()
                .map(|call| world.view(*call).device.expect("it has one"))
                .collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), 4, "{ids:?}");
            for call in calls {
                windows.send(call, b"carried");
            }
            // It has one already.
            windows.get_id(calls[1], "NDIS");
            world.host.run();
            assert_eq!(windows.faults().len(), 2);
            let arrived = |call: &&CallId| windows.received(**call).len() == 1;
            assert_eq!(all.iter().filter(arrived).count(), 2);
        });
    }
}

/// Many calls at once, both ways, each with frames both ways; either end drops each.
#[test]
fn many_calls_at_once() {
    for seed in seeds() {
        let config = Config {
            lines: vec![3, 3],
            ..Config::default()
        };
        let hang_up = [HangUp::DataFirst, HangUp::AtOnce][seed as usize % 2];
        let settings = Settings {
            hang_up,
            ..Settings::default()
        };
        on(seed, Readings::default(), config, settings, |world| {
            let windows = world.windows();
            // What comes in has a line of its own: an address has one call at a time.
            let calls = [(0, 0, "1/0"), (1, 1, "0/1"), (0, 0, "1/0")];
            let calls = calls.map(|(from, line, to)| windows.dial(from, line, to));
            world.host.run();
            let all: Vec<_> = windows.calls().iter().map(|call| call.id).collect();
            assert_eq!(all.len(), 6, "seed {seed}");
            for call in &all {
                for index in 0..5 {
                    windows.send(*call, &[index; 40]);
                }
            }
            world.host.run();
            for call in &all {
                let view = world.view(*call);
                assert_eq!(view.state, State::Connected, "seed {seed}: {view:?}");
                let received: Vec<_> = windows.received(*call);
                let firsts: Vec<_> = received.iter().map(|frame| frame.payload[0]).collect();
                assert_eq!(firsts, [0, 1, 2, 3, 4], "seed {seed}: {view:?}");
            }
            for (index, call) in calls.into_iter().enumerate() {
                let end = if index == 1 {
                    windows.came_in(0).unwrap()
                } else {
                    call
                };
                windows.drop_call(end);
            }
            world.host.run();
            for call in all {
                assert_eq!(
                    world.ended(call),
                    Disconnect::Normal.status(),
                    "seed {seed}"
                );
            }
        });
    }
}

/// Calls are dropped at any moment, at both ends, while frames are under way.
#[test]
fn drops_cross_with_frames() {
    for readings in readings() {
        for seed in 0..10 {
            let settings = Settings {
                hang_up: [HangUp::DataFirst, HangUp::AtOnce][seed as usize % 2],
                ..Settings::default()
            };
            on(seed, readings, Config::default(), settings, |world| {
                let (call, other) = world.connect(0, 0, "1");
                for index in 0..10 {
                    world.windows().send(call, &[index; 100]);
                    world.windows().send(other, &[index; 100]);
                }
                match seed % 4 {
                    0 => world.windows().drop_call(call),
                    1 => world.windows().drop_call(other),
                    2 => {
                        world.windows().drop_call(call);
                        world.windows().drop_call(other);
                    }
                    _ => world.windows().terminate(call),
                }
                world.host.run();
                for call in [call, other] {
                    assert_eq!(
                        world.ended(call),
                        Disconnect::Normal.status(),
                        "seed {seed}"
                    );
                    let counts = world.windows().link(call).unwrap().counts;
                    assert_eq!(counts.under_way, 0, "seed {seed}");
                }
            });
        }
    }
}

#[test]
fn a_call_fails_for_the_reason_that_there_is() {
    for seed in seeds() {
        let config = Config {
            lines: vec![1, 1],
            named: true,
            ..Config::default()
        };
        on(
            seed,
            Readings::default(),
            config,
            Settings::default(),
            |world| {
                let windows = world.windows();
                for (from, line, to, why) in [
                    (0, 0, "somewhere", Disconnect::BadAddress.status()),
                    (0, 0, "7", Disconnect::Unreachable.status()),
                    (0, 5, "1", Status::TAPI_NODEVICE),
                    (9, 0, "1", Status::TAPI_NODEVICE),
                ] {
                    let call = windows.dial(from, line, to);
                    world.host.run();
                    assert_eq!(world.ended(call), why, "seed {seed}: {to}");
                }
                assert_eq!(windows.faults().len(), 2);
                windows.close_line(1, 0);
                world.host.run();
                let closed = windows.dial(0, 0, "1");
                world.host.run();
                assert_eq!(world.ended(closed), Disconnect::Unavailable.status());
                windows.open_line(1, 0, Some(MediaModes::DIGITALDATA));
                world.host.run();
                let (first, _) = world.connect(0, 0, "1");
                let second = windows.dial(0, 1, "1");
                world.host.run();
                assert_eq!(world.view(first).state, State::Connected);
                assert_eq!(
                    world.ended(second),
                    Disconnect::Busy.status(),
                    "seed {seed}"
                );
            },
        );
    }
}

#[test]
fn a_call_rings_until_it_is_answered() {
    for seed in seeds() {
        let settings = Settings {
            answering: Answering::Ring,
            ..Settings::default()
        };
        on(
            seed,
            Readings::default(),
            Config::default(),
            settings,
            |world| {
                let windows = world.windows();
                let call = windows.dial(0, 0, "1");
                // Not for so long that the network gives up.
                world.host.run_for(1_000);
                assert_eq!(world.view(call).state, State::Dialing);
                let ringing = windows.ringing(1);
                assert_eq!(ringing.len(), 1);
                assert_eq!(world.view(ringing[0]).came_in_on.unwrap().0, 0);
                match seed % 5 {
                    0 | 1 => {
                        windows.answer(ringing[0]);
                        world.host.run();
                        assert!(world.view(call).is_up && world.view(ringing[0]).is_up);
                    }
                    2 => {
                        windows.reject(ringing[0]);
                        world.host.run();
                        let reject = Disconnect::Reject.status();
                        assert_eq!(
                            [call, ringing[0]].map(|call| world.ended(call)),
                            [reject; 2]
                        );
                    }
                    3 => {
                        world.host.run();
                        let given_up = Disconnect::NoAnswer.status();
                        assert_eq!(
                            [call, ringing[0]].map(|call| world.ended(call)),
                            [given_up; 2]
                        );
                    }
                    _ => {
                        // It is too late to take it back: the call comes about, and ends.
                        windows.drop_call(call);
                        windows.answer(ringing[0]);
                        world.host.run();
                        assert!(world.view(call).ended().is_some());
                        assert!(world.view(ringing[0]).ended().is_some());
                    }
                }
            },
        );
    }
}

#[test]
fn calls_are_turned_away() {
    for seed in seeds() {
        let settings = Settings {
            answering: Answering::Reject,
            ..Settings::default()
        };
        on(
            seed,
            Readings::default(),
            Config::default(),
            settings,
            |world| {
                let call = world.windows().dial(1, 0, "0");
                world.host.run();
                assert_eq!(
                    world.ended(call),
                    Disconnect::Reject.status(),
                    "seed {seed}"
                );
                assert!(!world.view(call).was_connected);
            },
        );
    }
}

/// The capabilities are asked in order, and as often as they differ (rule TAPI-04).
#[test]
fn capabilities_are_asked_as_often_as_they_differ() {
    // For one adapter: how many lines, then each line, then each address.
    for (lines, named, asked) in [
        (vec![1], false, 3),
        (vec![4], false, 3),
        (vec![2, 2, 2], false, 3),
        (vec![1, 3], false, 1 + 2 + 2),
        (vec![3], true, 1 + 1 + 3),
        (vec![2, 1], true, 1 + 2 + 3),
    ] {
        let config = Config {
            lines: lines.clone(),
            named,
            ..Config::default()
        };
        on(
            3,
            Readings::default(),
            config,
            Settings::default(),
            |world| {
                let asked_of_both = world.count("ProtocolCoOidRequest");
                assert_eq!(asked_of_both, 2 * asked, "{lines:?}, {named}");
                for adapter in [0, 1] {
                    let known = world.windows().lines(adapter);
                    let addresses: Vec<_> = known.iter().map(|line| line.addresses).collect();
                    assert_eq!(addresses, lines);
                    for line in 0..lines.len() as u32 {
                        assert_eq!(world.windows().line(adapter, line), LineView::Open);
                    }
                }
                // A call to each line.
                for line in 0..lines.len() {
                    world.connect(0, line as u32, &format!("1/{line}"));
                }
            },
        );
    }
}

/// An answer that needs more room than there was is asked for once more.
#[test]
fn a_long_name_is_asked_for_twice() {
    let config = Config {
        name: "Cable".repeat(80),
        ..Config::default()
    };
    on(
        6,
        Readings::default(),
        config,
        Settings::default(),
        |world| {
            assert_eq!(world.count("ProtocolCoOidRequest"), 2 * 4);
            assert_eq!(world.windows().lines(0)[0].addresses, 2);
            world.connect(0, 0, "1");
        },
    );
}

/// A line for outgoing calls is none of the call manager's business.
#[test]
fn a_line_may_be_open_for_one_direction() {
    let settings = Settings {
        open_lines: None,
        ..Settings::default()
    };
    on(
        4,
        Readings::default(),
        Config::default(),
        settings,
        |world| {
            let windows = world.windows();
            let early = windows.dial(0, 0, "1");
            windows.open_line(0, 0, None);
            world.host.run();
            assert_eq!(world.ended(early), Status::TAPI_INVALLINEHANDLE);
            assert_eq!(world.count("ProtocolCmRegisterSap"), 2, "those of NDISWAN");
            assert_eq!(windows.line(0, 0), LineView::Outgoing);
            let in_vain = windows.dial(0, 0, "1");
            world.host.run();
            assert_eq!(world.ended(in_vain), Disconnect::Unavailable.status());
            windows.open_line(1, 0, Some(MediaModes::DIGITALDATA));
            world.host.run();
            let (_, other) = world.connect(0, 0, "1");
            // With the line its calls are closed.
            windows.close_line(1, 0);
            world.host.run();
            assert_eq!(world.ended(other), Disconnect::Normal.status());
            assert_eq!(windows.line(1, 0), LineView::Closed);
        },
    );
}

/// No more frames are under way than the adapter said, and they keep their order.
#[test]
fn the_window_is_honoured() {
    for seed in seeds() {
        let config = Config {
            window: 4,
            hold: 4,
            ..Config::default()
        };
        on(
            seed,
            Readings::default(),
            config,
            Settings::default(),
            |world| {
                let (call, other) = world.connect(0, 0, "1");
                for index in 0..14 {
                    world.windows().send(call, &[index; 30]);
                }
                world.host.run();
                let counts = world.windows().link(call).unwrap().counts;
                assert_eq!(counts.most_under_way, 4, "seed {seed}: {counts:?}");
                // Two are held by the driver, for there are no others.
                assert_eq!((counts.sent, counts.under_way), (12, 2), "seed {seed}");
                let firsts: Vec<_> = world.windows().received(other);
                let firsts: Vec<_> = firsts.iter().map(|frame| frame.payload[0]).collect();
                assert_eq!(firsts, (0..12).collect::<Vec<_>>(), "seed {seed}");
                world.windows().drop_call(other);
                world.host.run();
                let counts = world.windows().link(call).unwrap().counts;
                assert_eq!((counts.failed, counts.under_way), (2, 0), "seed {seed}");
            },
        );
    }
}

/// What the adapter says of a link counts: its speed, its window, damaged frames.
#[test]
fn the_adapter_changes_a_link() {
    for readings in readings() {
        for seed in 0..3 {
            on(
                seed,
                readings,
                Config::default(),
                Settings::default(),
                |world| {
                    let (call, other) = world.connect(0, 0, "1");
                    let windows = world.windows();
                    // That of the call, from when it came up.
                    let first = windows.link(call).unwrap();
                    assert_eq!(first.window, 8);
                    windows.send(call, &[1; DAMAGE]);
                    windows.send(call, &[2; DAMAGE]);
                    world.host.run();
                    let link = windows.link(call).unwrap();
                    let wrong = FrameErrors::CRC | FrameErrors::FRAMING;
                    assert_eq!((link.fragments, link.errors), (2, wrong), "seed {seed}");
                    windows.send(call, &[3; NARROW]);
                    world.host.run();
                    let link = windows.link(call).unwrap();
                    assert_eq!(link.window, 2, "seed {seed}");
                    assert_eq!(link.parameters.unwrap().send_window, 2);
                    windows.send(call, &[4; STOP]);
                    world.host.run();
                    for index in 5..9 {
                        windows.send(call, &[index; 10]);
                    }
                    world.host.run();
                    let received = windows.received(other).len();
                    assert_eq!(received, 4, "seed {seed}: a window of none stops it");
                    windows.send(other, b"go on");
                    world.host.run();
                    let firsts: Vec<_> = windows.received(other);
                    let firsts: Vec<_> = firsts.iter().map(|frame| frame.payload[0]).collect();
                    assert_eq!(firsts, [1, 2, 3, 4, 5, 6, 7, 8], "seed {seed}");
                    assert_eq!(windows.link(call).unwrap().window, 8);
                },
            );
        }
    }
}

#[test]
fn frames_look_as_was_negotiated() {
    let settings = Settings {
        framing: Framing::COMPRESS_ADDRESS_CONTROL | Framing::COMPRESS_PROTOCOL,
        ..Settings::default()
    };
    on(
        5,
        Readings::default(),
        Config::default(),
        settings,
        |world| {
            let windows = world.windows();
            let info = windows.info(0).unwrap().unwrap();
            assert_eq!((info.max_frame_size, info.max_send_window), (1400, 8));
            let (call, other) = world.connect(0, 0, "1");
            let set = windows.link(call).unwrap().set.unwrap();
            assert!(set.send_framing.contains(settings.framing | Framing::PPP));
            for protocol in [IP, LCP, 0x8021] {
                windows.send_frame(call, protocol, b"Protocol");
            }
            windows.send(call, &[0; 1401]);
            world.host.run();
            let protocols: Vec<_> = windows.received(other);
            let protocols: Vec<_> = protocols.iter().map(|frame| frame.protocol).collect();
            assert_eq!(protocols, [IP, LCP, 0x8021]);
            assert_eq!(world.view(call).refused, [Status::INVALID_LENGTH]);
            windows.ask_statistics(call);
            windows.ask_counter(0, known::GEN_CO_XMIT_PDUS_OK);
            world.host.run();
            let statistics = windows.statistics(call).unwrap().unwrap();
            assert_eq!(statistics.frames_sent, 3);
            let counter = windows.counter(0, known::GEN_CO_XMIT_PDUS_OK);
            assert_eq!(counter, Some(Ok(3)));
        },
    );
}
