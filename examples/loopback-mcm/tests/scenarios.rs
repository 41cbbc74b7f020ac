//! The switch with two clients, step by step and under every reading.

use crate::support;

use echo_client::Ring;
use ndis_co::{Status, oid::number};
use ndis_host::Readings;
use support::*;

/// One call that carries frames both ways and hangs up.
fn one_call(seed: u64, readings: Readings) {
    let world = World::new(seed, readings, vec![callee(), caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    let seen = world.end(adapter);
    assert_eq!(seen[0].listening, [Ok(())]);
    assert_eq!((seen[0].rang, seen[0].far), (1, 3));
    assert_eq!((seen[1].near, seen[1].mismatches), (3, 0));
    assert_eq!(seen[1].ended[&0], [Ok(())]);
}

#[test]
fn a_call_carries_frames_and_hangs_up() {
    one_call(1, Readings::default());
}

/// What the adapter says of itself, after a call with three frames of 100 bytes each way.
#[test]
fn the_adapter_answers() {
    let frames = if cfg!(miri) { 1 } else { 3 };
    let world = World::new(1, Readings::default(), vec![callee(), caller(frames, 100)]);
    let adapter = world.start();
    let ask = |oid: u32, room| world.host.query(&adapter, oid, room).unwrap();
    assert_eq!(ask(loopback_mcm::NUMBERS.number(), 4), [1, 0, 0, 0]);
    world.call(1, 0, CALLEE);
    world.host.run();
    let name = ask(number::GEN_CO_VENDOR_DESCRIPTION, 64);
    assert_eq!(name, b"Loopback switch\0");
    let count = |oid| u64::from_le_bytes(ask(oid, 8).try_into().unwrap());
    // There and back.
    let frames = 2 * u64::from(frames);
    assert_eq!(count(number::GEN_CO_XMIT_PDUS_OK), frames);
    assert_eq!(count(number::GEN_CO_BYTES_RCV), 100 * frames);
    assert_eq!(count(number::GEN_CO_XMIT_PDUS_ERROR), 0);
    let nothing = world.host.query(&adapter, 0xFF4C_0099, 4);
    assert_eq!(nothing, Err(Status::NOT_SUPPORTED.raw()));
    world.end(adapter);
}

#[test]
fn a_call_goes_well_under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 400 } else { 1 }) {
        for seed in 0..if cfg!(miri) { 1 } else { 8 } {
            println!("seed {seed}, {}", readings.describe());
            one_call(seed, readings);
        }
    }
}

#[test]
fn nobody_there_refuses_the_call() {
    let world = World::new(3, Readings::default(), vec![callee(), caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, 99);
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&0], [Err(Status::NO_ROUTE_TO_DESTINATION)]);
}

#[test]
fn the_callee_may_refuse() {
    let mut script = callee();
    *script.ring.get_mut().unwrap() = Some(Ring::Refuse(Status::REQUEST_ABORTED));
    let world = World::new(4, Readings::default(), vec![script, caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended[&0], [Err(Status::REQUEST_ABORTED)]);
}

/// Both sides hang up at once, in a thousand orders (rule CALL-69).
#[test]
fn both_sides_hang_up_at_once() {
    let mut outcomes = std::collections::BTreeMap::new();
    for seed in seeds(1000) {
        let world = World::new(
            seed,
            Readings::default(),
            vec![slow_callee(), caller(long(40), 64)],
        );
        let adapter = world.start();
        let (desk, script) = (
            world.clients[1].desk.clone(),
            world.clients[1].script.clone(),
        );
        let (host, callee) = (&world.host, world.clients[0].desk.clone());
        host.spawn("caller", move || {
            passive(|irql| match desk.place_call(0, CALLEE, irql) {
                Ok(vc) => {
                    for _ in 0..seed % 7 {
                        sleep(irql);
                    }
                    vc.hang_up(b"bye", irql).unwrap();
                }
                Err(status) => echo_client::Application::ended(&App(script), 0, Err(status)),
            });
        });
        host.spawn("callee", move || {
            passive(|irql| {
                for _ in 0..20 {
                    if let Some(vc) = callee.accept(irql) {
                        for _ in 0..seed % 3 {
                            sleep(irql);
                        }
                        vc.hang_up(&[], irql).unwrap();
                        return;
                    }
                    sleep(irql);
                }
            });
        });
        let mut seen = world.end(adapter);
        let ended = seen.remove(1).ended.remove(&0).unwrap();
        assert_eq!(ended.len(), 1, "seed {seed}: the call ends once");
        *outcomes.entry(format!("{ended:?}")).or_insert(0) += 1;
    }
    println!("how the calls ended: {outcomes:?}");
}

/// How many frames a long call carries: fewer under Miri.
fn long(frames: u32) -> u32 {
    if cfg!(miri) { 5 } else { frames }
}

/// Lets virtual time pass: other work goes on.
fn sleep(irql: &mut ndis_co::irql::Passive) {
    let event = ndis_co::event::Event::try_new(ndis_co::mem::Tag::new(*b"Test")).unwrap();
    event.wait_for(1, irql);
}

/// Many calls at the same time, each with its own frames.
#[test]
fn many_calls_at_once() {
    let (calls, frames) = if cfg!(miri) { (2, 2) } else { (50, 10) };
    let world = World::new(7, Readings::default(), vec![callee(), caller(frames, 200)]);
    let adapter = world.start();
    for call in 0..calls {
        world.call(1, call, CALLEE);
    }
    let seen = world.end(adapter);
    assert_eq!(seen[1].ended.len() as u32, calls);
    assert!(seen[1].ended.values().all(|ended| *ended == [Ok(())]));
    assert_eq!(
        (seen[0].far, seen[1].near, seen[1].mismatches),
        (calls * frames, calls * frames, 0)
    );
}

/// The adapter pauses and restarts while frames are under way.
#[test]
fn pause_and_restart_with_a_call_up() {
    for seed in seeds(50) {
        let world = World::new(
            seed,
            Readings::default(),
            vec![callee(), caller(long(200), 64)],
        );
        let adapter = world.start();
        world.call(1, 0, CALLEE);
        world.host.run_for(seed % 4);
        world.host.pause(&adapter);
        world.host.restart(&adapter).unwrap();
        let seen = world.end(adapter);
        assert_eq!(seen[1].ended[&0].len(), 1, "seed {seed}");
        assert_eq!(seen[1].mismatches + seen[0].mismatches, 0);
    }
}

/// The adapter goes away while a call rings, or while frames are under way.
#[test]
fn removal_with_a_call_up() {
    for seed in seeds(50) {
        let callee = if seed % 2 == 0 {
            callee()
        } else {
            slow_callee()
        };
        let world = World::new(
            seed,
            Readings::default(),
            vec![callee, caller(long(200), 64)],
        );
        let adapter = world.start();
        world.call(1, 0, CALLEE);
        world.host.run_for(seed % 4);
        if seed % 3 == 0 {
            world.host.surprise_remove(&adapter);
        } else {
            world.host.remove_adapter(&adapter);
        }
        let World {
            host,
            switch,
            clients,
        } = world;
        for client in clients {
            host.unload(&client.driver);
        }
        host.unload(&switch);
        clean(&host.finish());
    }
}

/// A client is unloaded while its call is up; the other end goes on.
#[test]
fn a_client_unloads_in_the_middle_of_a_call() {
    for seed in seeds(50) {
        let world = World::new(
            seed,
            Readings::default(),
            vec![callee(), caller(long(200), 64)],
        );
        let adapter = world.start();
        world.call(1, 0, CALLEE);
        world.host.run_for(seed % 4);
        let World {
            host,
            switch,
            mut clients,
        } = world;
        let first = clients.remove((seed % 2) as usize);
        host.unload(&first.driver);
        drop(first);
        host.run();
        host.remove_adapter(&adapter);
        for client in clients {
            host.unload(&client.driver);
        }
        host.unload(&switch);
        clean(&host.finish());
    }
}

/// Two adapters and three clients: a number is free again on each adapter.
#[test]
fn two_adapters() {
    let scripts = vec![callee(), caller(3, 50), callee()];
    let world = World::new(8, Readings::default(), scripts);
    let first = world.start();
    let second = world.start();
    world.call(1, 0, CALLEE);
    world.call(1, 1, CALLEE);
    world.host.run();
    world.host.remove_adapter(&first);
    let seen = world.end(second);
    // On each adapter one of the callees was too late (rule SAP-16).
    let mut listening = [seen[0].listening.clone(), seen[2].listening.clone()].concat();
    listening.sort_by_key(Result::is_err);
    let refused = Err(Status::INVALID_DATA);
    assert_eq!(listening, [Ok(()), Ok(()), refused, refused]);
    assert_eq!(seen[1].ended[&0], [Ok(())]);
    assert_eq!(seen[1].ended[&1], [Ok(())]);
}

/// Every allocation fails once, one at a time: nothing is lost or left over.
#[test]
fn every_allocation_may_fail() {
    for nth in (1..150).step_by(if cfg!(miri) { 80 } else { 1 }) {
        let world = World::new(9, Readings::default(), vec![]);
        let World { host, switch, .. } = world;
        let clients =
            [callee(), caller(3, 100)].map(|script| Client::load(&host, "client", script));
        host.fail_allocation(nth);
        let adapter = host.add_adapter(&switch);
        if let Ok(adapter) = adapter {
            let desk = clients[1].desk.clone();
            host.spawn("caller", move || {
                passive(|irql| drop(desk.place_call(0, CALLEE, irql)))
            });
            host.run();
            host.remove_adapter(&adapter);
        }
        for client in clients {
            host.unload(&client.driver);
        }
        host.unload(&switch);
        let report = host.finish();
        assert!(report.is_clean(), "allocation {nth}: {report}");
    }
}

/// The device loses its power while a call rings: the switch's clock stops (rule OID-63), and goes on
/// when it is back.
#[test]
fn a_call_rings_while_the_device_sleeps() {
    let mut script = callee();
    *script.ring.get_mut().unwrap() = Some(Ring::Later);
    let world = World::new(4, Readings::default(), vec![script, caller(3, 100)]);
    let adapter = world.start();
    world.call(1, 0, CALLEE);
    world.host.run_for(20);
    for state in [ndis_sys::NdisDeviceStateD3, ndis_sys::NdisDeviceStateD0] {
        world.host.set_power(&adapter, state).unwrap();
    }
    world.end(adapter);
}
