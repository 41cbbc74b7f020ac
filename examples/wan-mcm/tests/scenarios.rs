//! What Windows does with the lines, step by step.

use crate::support;

use ndis_co::{
    Status,
    oid::{Counter, Oid, ToAdapter, known},
    tapi::Disconnect,
};
use ndis_host::{Host, OidAsk, Readings};
use ndis_wan_models::{Answering, LineView, Settings, State};
use support::*;

fn host(seed: u64) -> Host {
    builder(seed, Readings::default()).build()
}

/// What TAPI hears of the lines.
#[test]
fn the_lines_are_enumerated() {
    let host = host(1);
    let world = World::new(&host);
    for adapter in [0, 1] {
        let lines = world.windows.lines(adapter);
        assert_eq!(lines.len(), 4);
        for (number, line) in (0..).zip(&lines) {
            assert_eq!((line.line, line.addresses), (number, 2));
            assert_eq!((line.max_active_calls, line.max_address_calls), (2, 1));
            assert_eq!(line.max_rate, 10_000_000);
            assert!(!line.per_address, "they are alike");
            assert_eq!(world.windows.line(adapter, number), LineView::Open);
        }
        let info = world.windows.info(adapter).unwrap().unwrap();
        assert_eq!((info.max_frame_size, info.max_send_window), (1500, 16));
    }
    assert_eq!(world.windows.faults(), [""; 0]);
    world.end();
    clean(&host.finish());
}

/// A call from adapter to adapter: dialled, answered, with frames both ways, hung up by either end.
fn one_call(seed: u64, readings: Readings) {
    let host = builder(seed, readings).build();
    let world = World::new(&host);
    for who in [0, 1] {
        let ends = world.connect();
        let [near, far] = ends;
        let view = world.windows.call(far).unwrap();
        assert_eq!(
            (view.caller.as_str(), view.came_in_on),
            ("100", Some((0, 0)))
        );
        let there = [&b"one"[..], b"two", &[3; 1400]];
        world.send(near, &there);
        assert_eq!(world.received(far), there);
        let back = [&b"four"[..], b"five"];
        world.send(far, &back);
        assert_eq!(world.received(near), back);
        for end in ends {
            let counts = world.windows.link(end).unwrap().counts;
            assert_eq!((counts.failed, counts.damaged, counts.under_way), (0, 0, 0));
        }
        world.windows.drop_call(ends[who]);
        world.host.run();
        for end in ends {
            assert_eq!(world.ended(end), Disconnect::Normal.into());
        }
    }
    assert_eq!(world.windows.faults(), [""; 0]);
    world.end();
    clean(&host.finish());
}

#[test]
fn a_call_carries_frames_and_hangs_up() {
    one_call(1, Readings::default());
}

#[test]
fn a_call_goes_well_under_every_reading() {
    for readings in readings().step_by(if cfg!(miri) { 400 } else { 1 }) {
        for seed in seeds(2) {
            println!("seed {seed}, {}", readings.describe());
            one_call(seed, readings);
        }
    }
}

/// From a line to the other one of the same adapter, and to itself.
#[test]
fn lines_of_one_adapter_call_each_other() {
    let host = host(2);
    let world = World::new(&host);
    for number in ["101", "100"] {
        let near = world.dial(0, 0, number);
        let far = world.windows.came_in(0).unwrap();
        world.is_up(near);
        world.send(near, &[b"there"]);
        world.send(far, &[b"back"]);
        assert_eq!(world.received(far), [b"there"]);
        assert_eq!(world.received(near), [b"back"]);
        world.windows.drop_call(far);
        world.host.run();
    }
    world.end();
    clean(&host.finish());
}

/// What cannot be: a number that nobody has, a line whose addresses all have calls, a line that no
/// application has opened, one who does not want to talk.
#[test]
fn a_call_is_refused() {
    let host = host(3);
    let world = World::new(&host);
    for unknown in ["300", "204", "20", "2000", "", "line"] {
        let call = world.dial(0, 0, unknown);
        assert_eq!(
            world.ended(call),
            Disconnect::BadAddress.into(),
            "{unknown}"
        );
    }
    let bytes = [0xFF; 3];
    let call = world.windows.dial_bytes(0, 0, &bytes);
    host.run();
    assert_eq!(world.ended(call), Disconnect::BadAddress.into());
    let calls = [0, 0].map(|line| world.dial(0, line, "200"));
    let third = world.dial(0, 2, "200");
    assert_eq!(world.ended(third), Disconnect::Busy.into());
    let no_address_here = world.dial(0, 0, "201");
    assert_eq!(world.ended(no_address_here), Status::TAPI_CALLUNAVAIL);
    for call in calls {
        world.is_up(call);
        world.windows.drop_call(call);
    }
    host.run();
    world.windows.set_answering(Answering::Reject);
    let unwanted = world.dial(0, 0, "200");
    assert_eq!(world.ended(unwanted), Disconnect::Reject.into());
    world.windows.close_line(1, 1);
    host.run();
    let closed = world.dial(0, 0, "201");
    assert_eq!(world.ended(closed), Disconnect::Unreachable.into());
    world.end();
    clean(&host.finish());
}

/// Calls in both directions at the same time, each with its own frames.
#[test]
fn many_calls_at_once() {
    for seed in seeds(50) {
        let host = builder(seed, Readings::default()).preemption(1, 2).build();
        let world = World::new(&host);
        let placed: Vec<_> = [(0, 0, "202"), (0, 1, "203"), (1, 0, "103"), (1, 1, "102")]
            .map(|(adapter, line, number)| world.windows.dial(adapter, line, number))
            .into();
        host.run();
        let calls = world.windows.calls();
        let came_in = calls.iter().filter(|call| !call.placed);
        let all: Vec<_> = came_in.map(|call| call.id).chain(placed).collect();
        assert_eq!(all.len(), 8, "seed {seed}");
        for (index, call) in all.iter().enumerate() {
            world.is_up(*call);
            for frame in 0..10 {
                world.windows.send(*call, &[index as u8, frame]);
            }
        }
        host.run();
        // Each is sent by a thread of its own.
        let mut heard = Vec::new();
        for call in &all {
            let mut frames = world.received(*call);
            frames.sort();
            assert_eq!(frames.len(), 10, "seed {seed}");
            let from = frames[0][0];
            assert!((0..).zip(&frames).all(|(at, frame)| *frame == [from, at]));
            heard.push(from);
        }
        heard.sort_unstable();
        assert_eq!(heard, [0, 1, 2, 3, 4, 5, 6, 7]);
        for call in all {
            world.windows.drop_call(call);
        }
        world.end();
        clean(&host.finish());
    }
}

/// The application thinks, and then answers, or does not.
#[test]
fn a_call_rings() {
    let host = host(5);
    let answering = Answering::Ring;
    let world = World::with(
        &host,
        Settings {
            answering,
            ..Settings::default()
        },
    );
    let call = world.windows.dial(0, 0, "200");
    host.run_for(10);
    assert_eq!(world.windows.call(call).unwrap().state, State::Dialing);
    world.windows.answer(world.windows.ringing(1)[0]);
    host.run_for(10);
    world.is_up(call);
    // Nobody answers: the caller hears so, and it rings no more.
    let waits = world.windows.dial(0, 1, "200");
    host.run();
    assert_eq!(world.ended(waits), Disconnect::NoAnswer.into());
    assert_eq!(world.windows.ringing(1), []);
    let rang = world.windows.came_in(1).unwrap();
    assert_eq!(world.ended(rang), Disconnect::NoAnswer.into());
    world.is_up(call);
    world.end();
    clean(&host.finish());
}

/// What NDISWAN is told is what has flowed.
#[test]
fn what_flows_is_counted() {
    let host = host(6);
    let world = World::new(&host);
    let [near, far] = world.connect();
    world.send(near, &[&[1; 100], &[2; 200], &[3; 300]]);
    world.send(far, &[&[4; 50]]);
    // Each frame of the model's has four bytes in front of its payload: PPP's.
    let (there, back) = (600 + 3 * 4, 50 + 4);
    let seen = world.statistics(near);
    assert_eq!((seen.frames_sent, seen.frames_received), (3, 1));
    assert_eq!((seen.bytes_sent, seen.bytes_received), (there, back));
    let seen = world.statistics(far);
    assert_eq!((seen.frames_sent, seen.frames_received), (1, 3));
    assert_eq!((seen.bytes_sent, seen.bytes_received), (back, there));
    let counter = |adapter, oid: Oid<u64, Counter, ToAdapter>| {
        world.windows.ask_counter(adapter, oid);
        host.run();
        world.windows.counter(adapter, oid).unwrap().unwrap()
    };
    for (adapter, sent, received) in [(0, (3, there), (1, back)), (1, (1, back), (3, there))] {
        assert_eq!(counter(adapter, known::GEN_CO_XMIT_PDUS_OK), sent.0);
        assert_eq!(counter(adapter, known::GEN_CO_BYTES_XMIT), sent.1.into());
        assert_eq!(counter(adapter, known::GEN_CO_RCV_PDUS_OK), received.0);
        assert_eq!(counter(adapter, known::GEN_CO_BYTES_RCV), received.1.into());
        assert_eq!(counter(adapter, known::GEN_CO_XMIT_PDUS_ERROR), 0);
        assert_eq!(counter(adapter, known::GEN_CO_RCV_PDUS_NO_BUFFER), 0);
    }
    world.end();
    clean(&host.finish());
}

/// The driver's own OID.
#[test]
fn the_speed_can_be_asked_and_set() {
    let host = host(7);
    let world = World::new(&host);
    let oid = wan_mcm::SPEED.number();
    let ask = |ask| host.ask(&world.adapters[0], ask);
    assert_eq!(
        host.query(&world.adapters[0], oid, 4),
        Ok(10_000_000_u32.to_le_bytes().into())
    );
    for (speed, answer) in [
        (64_000_u32, Status::SUCCESS),
        (0, Status::INVALID_DATA),
        (10_000_001, Status::INVALID_DATA),
    ] {
        let set = ask(OidAsk::set(oid, speed.to_le_bytes()));
        assert_eq!(set.status, answer.raw());
    }
    assert_eq!(
        host.query(&world.adapters[0], oid, 4),
        Ok(64_000_u32.to_le_bytes().into())
    );
    assert_eq!(
        ask(OidAsk::set(oid, [0; 2])).status,
        Status::INVALID_LENGTH.raw()
    );
    // The slower end counts.
    for end in world.connect() {
        let link = world.windows.link(end).unwrap();
        let said = link.parameters.unwrap();
        let speeds = (said.transmit_speed, said.receive_speed);
        assert_eq!((link.transmit_bandwidth, speeds), (8_000, (8_000, 8_000)));
    }
    world.end();
    clean(&host.finish());
}

/// NDISWAN hears what a link is when a call is up, and at each change, at both ends.
#[test]
fn ndiswan_is_told_of_the_link() {
    for seed in seeds(20) {
        let host = builder(seed, Readings::default()).preemption(1, 2).build();
        let world = World::new(&host);
        let ends = world.connect();
        let told = |speed: u32| {
            for end in ends {
                let said = world.windows.link(end).unwrap().parameters.unwrap();
                let speeds = (said.transmit_speed, said.receive_speed);
                assert_eq!(
                    (speeds, said.send_window),
                    ((speed, speed), 16),
                    "seed {seed}"
                );
            }
        };
        told(1_250_000);
        // The slower of both ends counts.
        for (adapter, speed, counts) in [
            (0, 64_000_u32, 8_000),
            (1, 32_000, 4_000),
            (0, 80_000, 4_000),
            (1, 10_000_000, 10_000),
        ] {
            let ask = OidAsk::set(wan_mcm::SPEED.number(), speed.to_le_bytes());
            let done = host.ask(&world.adapters[adapter], ask);
            assert_eq!(done.status, Status::SUCCESS.raw());
            host.run();
            told(counts);
        }
        world.end();
        clean(&host.finish());
    }
}
