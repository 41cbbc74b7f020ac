//! The call manager at both ends of a link, with clients, step by step and under every
//! reading.

use crate::support;

use echo_client::Ring;
use ndis_co::Status;
use ndis_host::{EventMode, Host, Readings};
use support::*;

/// One call that carries frames both ways and hangs up.
fn one_call(seed: u64, readings: Readings, pends: bool) {
    let world = World::new(seed, readings, pends, vec![callee(), caller(3, 100)]);
    let adapters = world.start_both();
    world.call(1, 0, CALLEE);
    let seen = world.end(adapters);
    assert_eq!(seen[0].listening, [Ok(()), Ok(())], "on each adapter");
    assert_eq!((seen[0].rang, seen[0].far), (1, 3));
    assert_eq!((seen[1].near, seen[1].mismatches), (3, 0));
    assert_eq!(ended(&seen[1], 0), [Ok(())]);
}

#[test]
fn a_call_goes_over_the_link_and_back() {
    one_call(1, Readings::default(), false);
}

#[test]
fn a_call_goes_well_under_every_reading() {
    for readings in Readings::all().step_by(if cfg!(miri) { 400 } else { 1 }) {
        for seed in 0..if cfg!(miri) { 1 } else { 4 } {
            println!("seed {seed}, {}", readings.describe());
            one_call(seed, readings, seed % 2 == 1);
        }
    }
}

/// The whole of it without a line of unsafe code.
#[test]
fn a_call_over_a_link_of_safe_code() {
    for readings in Readings::all().step_by(if cfg!(miri) { 400 } else { 2 }) {
        for seed in 0..if cfg!(miri) { 1 } else { 2 } {
            let scripts = vec![callee(), caller(3, 1400)];
            let world = World::over_link_co(seed, readings, scripts);
            let [first, second] = world.start_both();
            world.call(1, 0, CALLEE);
            world.call(1, 1, 99);
            world.host.run();
            world.host.remove_adapter(&first);
            let third = world.start();
            world.call(1, 2, CALLEE);
            let seen = world.end([second, third]);
            assert_eq!(ended(&seen[1], 0), [Ok(())]);
            assert_eq!(ended(&seen[1], 1), [Err(Status::NO_ROUTE_TO_DESTINATION)]);
            assert_eq!(ended(&seen[1], 2), [Ok(())]);
            assert_eq!((seen[1].near, seen[1].mismatches), (6, 0));
        }
    }
}

#[test]
fn nobody_there_refuses_the_call() {
    for seed in seeds(40) {
        let world = World::new(
            seed,
            Readings::default(),
            seed % 2 == 1,
            vec![callee(), caller(3, 100)],
        );
        let adapters = world.start_both();
        world.call(1, 0, 99);
        let seen = world.end(adapters);
        assert_eq!(ended(&seen[1], 0), [Err(Status::NO_ROUTE_TO_DESTINATION)]);
    }
}

#[test]
fn the_callee_may_refuse() {
    for seed in seeds(40) {
        let mut script = callee();
        *script.ring.get_mut().unwrap() = Some(Ring::Refuse(Status::REQUEST_ABORTED));
        let world = World::new(
            seed,
            Readings::default(),
            seed % 2 == 1,
            vec![script, caller(3, 100)],
        );
        let adapters = world.start_both();
        world.call(1, 0, CALLEE);
        let seen = world.end(adapters);
        assert_eq!(ended(&seen[1], 0), [Err(Status::REQUEST_ABORTED)]);
    }
}

/// Nobody answers the other end's call, or there is no other end.
#[test]
fn the_caller_gives_up_in_the_end() {
    for seed in seeds(20) {
        for ends in 1..=2 {
            let world = World::new(
                seed,
                Readings::default(),
                false,
                vec![slow_callee(), caller(3, 100)],
            );
            let adapters: Vec<_> = (0..ends).map(|_| world.start()).collect();
            world.call(1, 0, CALLEE);
            let seen = world.end(adapters);
            assert_eq!(ended(&seen[1], 0), [Err(Status::DEST_OUT_OF_ORDER)]);
            assert_eq!(seen[0].rang, ends - 1);
        }
    }
}

/// Without a signaling VC nobody is called.
#[test]
fn a_miniport_without_signaling() {
    for seed in seeds(20) {
        let world = World::mute(seed, vec![callee(), caller(3, 100)]);
        let adapters = [world.start()];
        world.call(1, 0, CALLEE);
        world.host.run();
        for adapter in &adapters {
            world.host.remove_adapter(adapter);
        }
        // The miniport's answer is one that is not documented, which is reported.
        let (seen, _) = world.down();
        assert_eq!(ended(&seen[1], 0), [Err(Status::DEST_OUT_OF_ORDER)]);
    }
}

/// Many calls at the same time, each with its own frames.
#[test]
fn many_calls_at_once() {
    let (calls, frames) = if cfg!(miri) { (2, 2) } else { (50, 10) };
    for seed in seeds(4) {
        let scripts = vec![callee(), caller(frames, 200)];
        let world = World::new(seed, Readings::default(), seed % 2 == 1, scripts);
        let adapters = world.start_both();
        for call in 0..calls {
            world.call(1, call, CALLEE);
        }
        let seen = world.end(adapters);
        assert_eq!(seen[1].ended.len() as u32, calls);
        assert!(seen[1].ended.values().all(|ended| *ended == [Ok(())]));
        assert_eq!(
            (seen[0].far, seen[1].near, seen[1].mismatches),
            (calls * frames, calls * frames, 0)
        );
    }
}

/// Two clients, each at one end only, call each other at the same time.
#[test]
fn calls_from_both_ends_at_once() {
    for seed in seeds(100) {
        let (world, adapters) = World::at_each_end(seed, seed % 2 == 1, |number| Script {
            number: Some(number),
            ..caller(3, 100)
        });
        for call in 0..3 {
            world.call(0, call, OTHER);
            world.call(1, call, CALLEE);
        }
        let seen = world.end(adapters);
        for client in &seen {
            assert_eq!((client.rang, client.far, client.near), (3, 9, 9), "{seed}");
            assert_eq!(client.mismatches, 0);
            assert_eq!(client.ended.len(), 3);
            assert!(client.ended.values().all(|ended| *ended == [Ok(())]));
        }
    }
}

/// Both ends hang up at once, in many orders (rule CALL-69).
#[test]
fn both_ends_hang_up_at_once() {
    let mut outcomes = std::collections::BTreeMap::new();
    for seed in seeds(400) {
        let scripts = vec![slow_callee(), caller(long(40), 64)];
        let world = World::new(seed, Readings::default(), seed % 2 == 1, scripts);
        let adapters = world.start_both();
        let desk = world.clients[1].desk.clone();
        let callee = world.clients[0].desk.clone();
        world.host.spawn("caller", move || {
            passive(|irql| {
                let vc = desk.place_call(0, CALLEE, irql).unwrap();
                for _ in 0..seed % 7 {
                    sleep(irql);
                }
                vc.hang_up(b"bye", irql).unwrap();
            });
        });
        world.host.spawn("callee", move || {
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
        let seen = world.end(adapters);
        let ended = ended(&seen[1], 0);
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

/// An adapter pauses and restarts, shortly or for so long that the other end gives it up.
#[test]
fn pause_and_restart_with_calls_up() {
    for seed in seeds(60) {
        let scripts = vec![callee(), caller(long(60), 64)];
        let world = World::new(seed, Readings::default(), seed % 5 == 1, scripts);
        let adapters = world.start_both();
        for call in 0..3 {
            world.call(1, call, CALLEE);
        }
        world.host.run_for(seed % 4);
        let paused = &adapters[(seed % 2) as usize];
        world.host.pause(paused);
        world.call(1, 3, CALLEE);
        world.host.run_for([0, 500, 20_000][(seed % 3) as usize]);
        world.host.restart(paused).unwrap();
        world.host.run_for(60_000);
        // They know each other again.
        world.call(1, 4, CALLEE);
        world.host.run_for(60_000);
        let seen = world.end(adapters);
        for call in 0..4 {
            assert!(ended(&seen[1], call).len() <= 1, "seed {seed}");
        }
        assert_eq!(ended(&seen[1], 4), [Ok(())], "seed {seed}");
    }
}

/// One adapter goes in the middle of calls: those at the other end are over, too.
#[test]
fn removal_with_calls_up() {
    for seed in seeds(60) {
        let callee = if seed % 2 == 0 {
            callee()
        } else {
            slow_callee()
        };
        let scripts = vec![callee, caller(long(60), 64)];
        let world = World::new(seed, Readings::default(), seed % 5 == 1, scripts);
        let [first, second] = world.start_both();
        for call in 0..3 {
            world.call(1, call, CALLEE);
        }
        world.host.run_for(seed % 4);
        let (gone, stays) = if seed % 4 < 2 {
            (first, second)
        } else {
            (second, first)
        };
        if seed % 3 == 0 {
            world.host.surprise_remove(&gone);
        } else {
            world.host.remove_adapter(&gone);
        }
        world.host.run_for(60_000);
        for call in 0..3 {
            let script = world.clients[1].script.clone();
            let seen = script.seen.lock().unwrap();
            assert_eq!(ended(&seen, call).len(), 1, "seed {seed}");
        }
        // Another one is the other end.
        let new = world.start();
        *world.clients[0].script.ring.lock().unwrap() = None;
        world.call(1, 3, CALLEE);
        let seen = world.end([stays, new]);
        assert_eq!(ended(&seen[1], 3), [Ok(())], "seed {seed}");
    }
}

/// A client, or the call manager, is unloaded in the middle of calls.
#[test]
fn drivers_unload_in_the_middle_of_calls() {
    for seed in seeds(60) {
        let scripts = vec![callee(), caller(long(60), 64)];
        let mut world = World::new(seed, Readings::default(), seed % 5 == 1, scripts);
        let adapters = world.start_both();
        for call in 0..3 {
            world.call(1, call, CALLEE);
        }
        world.host.run_for(seed % 4);
        match seed % 3 {
            2 => world.host.unload(&world.manager),
            client => {
                let client = world.clients.remove(client as usize);
                world.host.unload(&client.driver);
            }
        }
        world.host.run_for(60_000);
        for adapter in &adapters {
            world.host.remove_adapter(adapter);
        }
        if seed % 3 == 2 {
            let World {
                host,
                link,
                clients,
                ..
            } = world;
            for client in clients {
                host.unload(&client.driver);
            }
            host.unload(&link);
            clean(&host.finish());
        } else {
            world.unload();
        }
    }
}

/// Every allocation fails once, one at a time: nothing is lost or left over.
#[test]
fn every_allocation_may_fail() {
    for nth in (1..250).step_by(if cfg!(miri) { 80 } else { 1 }) {
        let host = Host::builder().seed(9).events(EventMode::Last(400)).build();
        let link = Link::load(&host, Flaw::None, false);
        let adapters = [(); 2].map(|()| host.add_adapter(&link.driver).unwrap());
        let clients =
            [callee(), caller(3, 100)].map(|script| Client::load(&host, "client", script));
        host.run();
        // From here on memory is asked for by the call manager, the clients and the link.
        host.fail_allocation(nth);
        if let Ok(manager) = load_manager(&host) {
            host.run();
            for call in 0..2 {
                let desk = clients[1].desk.clone();
                host.spawn("caller", move || {
                    passive(|irql| drop(desk.place_call(call, CALLEE, irql)))
                });
            }
            host.run_for(60_000);
            host.unload(&manager);
        }
        for adapter in &adapters {
            host.remove_adapter(adapter);
        }
        for client in clients {
            host.unload(&client.driver);
        }
        host.unload(&link.driver);
        let report = host.finish();
        assert!(report.is_clean(), "allocation {nth}: {report}");
    }
}

/// A stack that is nearly used up puts much off.
#[test]
fn calls_on_a_low_stack() {
    for seed in seeds(60) {
        let world = World::on_low_stack(seed, vec![callee(), caller(5, 100)]);
        let adapters = world.start_both();
        for call in 0..3 {
            world.call(1, call, CALLEE);
        }
        world.host.run_for(60_000);
        let seen = world.end(adapters);
        for call in 0..3 {
            assert_eq!(ended(&seen[1], call).len(), 1, "seed {seed}");
        }
        assert_eq!(seen[1].mismatches, 0);
    }
}
