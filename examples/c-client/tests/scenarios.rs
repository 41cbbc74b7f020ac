//! The client in C with the switch and the echo client in Rust, on the embedded NDIS.

#![cfg(not(no_c_client))]

mod common;

use c_client::c_client_entry;
use common::{
    GOOD, NOBODY, down, life, load, printed,
    support::{Client, World, callee, clean, passive, slow_callee},
};
use ndis_co::{event::Event, irql::Passive, mem::Tag};
use ndis_host::{Host, Readings};
use std::collections::BTreeMap;

#[test]
fn two_calls_in_a_thousand_schedules() {
    for seed in 0..1000 {
        life(seed, Readings::default(), c_client_entry, &[]);
    }
}

#[test]
fn two_calls_under_every_reading() {
    for readings in Readings::all() {
        for seed in 0..8 {
            life(seed, readings, c_client_entry, &[]);
        }
    }
}

/// Whoever is called comes late: the client dials again.
#[test]
fn it_redials_until_somebody_is_there() {
    for seed in 0..50 {
        let mut world = World::new(seed, Readings::default(), Vec::new());
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        world.host.run_for(250);
        assert_eq!(printed(&world.host), [""; 0]);
        let late = Client::load(&world.host, "late", callee());
        world.clients.push(late);
        world.host.run();
        assert_eq!(printed(&world.host), [GOOD], "seed {seed}");
        clean(&down(world, client, adapter, seed));
    }
}

#[test]
fn it_gives_up_when_nobody_comes() {
    for seed in 0..10 {
        let world = World::new(seed, Readings::default(), Vec::new());
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        world.host.run();
        assert_eq!(printed(&world.host), [NOBODY], "seed {seed}");
        let report = down(world, client, adapter, seed);
        // Each call once, and fifty times again.
        assert_eq!(report.counters["NdisClMakeCall"], 2 * 51);
        clean(&report);
    }
}

/// The thread looks eight times, has a DPC take the ticks over each time, and is waited for.
#[test]
fn it_watches_its_clock() {
    for seed in 0..100 {
        let world = World::new(seed, Readings::default(), vec![callee()]);
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        world.host.run();
        let report = down(world, client, adapter, seed);
        clean(&report);
        let count = |name| report.counters.get(name).copied().unwrap_or_default();
        assert_eq!(count("PsCreateSystemThread"), 1);
        assert_eq!(count("PsTerminateSystemThread"), 1);
        assert_eq!(count("KeInsertQueueDpc"), 8, "seed {seed}");
        assert!((1..=8).contains(&count("CustomDpc")), "seed {seed}");
        assert!(count("CustomTimerDpc") > 8, "seed {seed}");
        assert_eq!(count("KeCancelTimer"), 1);
        assert_eq!(count("ObfDereferenceObject"), 1);
    }
}

/// It is unloaded at once, or while the thread is still looking.
#[test]
fn the_thread_is_stopped_at_any_moment() {
    let mut looks = BTreeMap::new();
    for seed in 0..400 {
        let world = World::new(seed, Readings::default(), Vec::new());
        let client = load(&world.host, c_client_entry);
        wait_and_stop(&world.host, (seed % 10 * 10) as u32, seed % 61);
        world.host.unload(&client);
        world.host.unload(&world.switch);
        let report = world.host.finish();
        clean(&report);
        let count = report.counters.get("KeInsertQueueDpc").copied();
        *looks.entry(count).or_insert(0) += 1;
    }
    assert!(looks.len() > 4, "always at the same moment: {looks:?}");
}

/// What the load allocates fails, one at a time.
#[test]
fn a_load_may_fail() {
    let mut failed = 0;
    for nth in 1..20 {
        let world = World::new(nth, Readings::default(), Vec::new());
        world.host.fail_allocation(nth);
        // SAFETY: the entry point of a driver that keeps nothing in variables of its own.
        match unsafe { world.host.load("c-client", c_client_entry) } {
            Ok(client) => world.host.unload(&client),
            Err(_) => failed += 1,
        }
        world.host.unload(&world.switch);
        let report = world.host.finish();
        assert!(report.is_clean(), "allocation {nth}: {report}");
    }
    assert!(failed >= 2, "the extension, and the memory of the watch");
}

/// Something happens in the middle: pause, removal, unload of either end.
#[test]
fn interrupted_at_any_moment() {
    let mut lines = BTreeMap::new();
    for seed in 0..1000 {
        let readings = Readings::all()
            .nth(seed as usize % 5 * 7)
            .unwrap_or_default();
        let mut world = World::new(seed, readings, vec![callee()]);
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        wait_and_stop(&world.host, [0, 9, 10, 110][seed as usize % 4], seed % 61);
        match seed / 4 % 5 {
            0 => {
                world.host.pause(&adapter);
                world.host.restart(&adapter).unwrap();
                world.host.run();
            }
            1 => world.host.surprise_remove(&adapter),
            2 => world.host.remove_adapter(&adapter),
            3 => {
                let callee = world.clients.remove(0);
                world.host.unload(&callee.driver);
            }
            _ => {}
        }
        let World {
            host,
            switch,
            clients,
        } = world;
        host.unload(&client);
        for client in clients {
            host.unload(&client.driver);
        }
        host.unload(&switch);
        let printed = printed(&host);
        clean(&host.finish());
        assert!(printed.len() <= 1, "seed {seed}: {printed:?}");
        *lines.entry(printed).or_insert(0) += 1;
    }
    assert!(lines.len() >= 3, "always at the same moment: {lines:#?}");
}

/// Every allocation fails once, one at a time: nothing is lost or left over.
#[test]
fn every_allocation_may_fail() {
    for nth in 1..200 {
        let world = World::new(nth, Readings::default(), vec![callee()]);
        let client = load(&world.host, c_client_entry);
        world.host.fail_allocation(nth);
        let adapter = world.host.add_adapter(&world.switch);
        world.host.run();
        let World {
            host,
            switch,
            clients,
        } = world;
        if let Ok(adapter) = adapter {
            host.remove_adapter(&adapter);
        }
        host.unload(&client);
        for client in clients {
            host.unload(&client.driver);
        }
        host.unload(&switch);
        assert!(printed(&host).len() <= 1);
        let report = host.finish();
        assert!(report.is_clean(), "allocation {nth}: {report}");
    }
}

/// The callee hangs up while frames are under way, or before the first.
#[test]
fn the_other_end_hangs_up() {
    let mut lines = BTreeMap::new();
    for seed in 0..400 {
        let world = World::new(seed, Readings::default(), vec![slow_callee()]);
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        let callee = world.clients[0].desk.clone();
        world.host.spawn("callee", move || {
            passive(|irql| {
                for turn in 0..60 {
                    match callee.accept(irql) {
                        Some(vc) if (seed + turn) % 3 > 0 => vc.hang_up(&[], irql).unwrap(),
                        // This one is echoed to its end.
                        Some(_) => {}
                        None => sleep(irql),
                    }
                }
            });
        });
        world.host.run();
        let printed = printed(&world.host);
        assert_eq!(printed.len(), 1, "seed {seed}");
        clean(&down(world, client, adapter, seed));
        *lines.entry(printed).or_insert(0) += 1;
    }
    assert!(
        lines.len() > 3,
        "the hang-ups came always at the same moment: {lines:#?}"
    );
}

/// The call comes up while the binding is paused: the frames wait for the restart.
#[test]
fn nothing_is_sent_while_paused() {
    for seed in 0..100 {
        let world = World::new(seed, Readings::default(), vec![slow_callee()]);
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        // Long enough for a second try, if the callee came late.
        world.host.run_for(150);
        world.host.pause(&adapter);
        let callee = world.clients[0].desk.clone();
        world.host.spawn("callee", move || {
            passive(|irql| {
                for _ in 0..60 {
                    if callee.accept(irql).is_none() {
                        sleep(irql);
                    }
                }
            });
        });
        world.host.run_for(20);
        let counters = world.host.report().counters;
        assert_eq!(counters["ProtocolClMakeCallComplete"], 1, "the call is up");
        assert_eq!(counters.get("NdisCoSendNetBufferLists"), None);
        world.host.restart(&adapter).unwrap();
        world.host.run();
        assert_eq!(printed(&world.host), [GOOD], "seed {seed}");
        clean(&down(world, client, adapter, seed));
    }
}

/// Lets virtual time pass: other work goes on.
fn sleep(irql: &mut Passive) {
    sleep_for(1, irql);
}

fn sleep_for(milliseconds: u32, irql: &mut Passive) {
    let event = Event::try_new(Tag::new(*b"Test")).unwrap();
    event.wait_for(milliseconds, irql);
}

/// Returns in the middle of what happens after some time: the driver that is loaded for it sleeps,
/// lets the others have a few turns, and fails. (The calls begin ten milliseconds after the
/// restart, or a hundred later if the callee is not there by then.)
fn wait_and_stop(host: &Host, milliseconds: u32, turns: u64) {
    let loaded = host.load_with("sleeper", move |_, _| {
        passive(|irql| {
            sleep_for(milliseconds, irql);
            for _ in 0..turns {
                // SAFETY: may be called at any IRQL.
                unsafe { ndis_sys::KeGetCurrentIrql() };
            }
        });
        ndis_sys::STATUS_UNSUCCESSFUL
    });
    assert!(loaded.is_err());
}

/// Each call that NDIS may refuse is refused once.
#[test]
fn ndis_refuses() {
    let calls = [
        ("NdisOpenAdapterEx", 1),
        ("NdisClOpenAddressFamilyEx", 2),
        ("NdisCoCreateVc", 1),
        ("NdisCoCreateVc", 2),
        ("NdisClMakeCall", 1),
        ("NdisClMakeCall", 2),
    ];
    for (call, nth) in calls {
        for seed in 0..20 {
            let world = World::new(seed, Readings::default(), vec![callee()]);
            let client = load(&world.host, c_client_entry);
            world
                .host
                .fail_call(call, nth, ndis_sys::NDIS_STATUS_RESOURCES);
            let adapter = world.start();
            world.host.run();
            assert!(
                printed(&world.host)
                    .iter()
                    .all(|line| line.ends_with(" 0 mismatches\n"))
            );
            let report = down(world, client, adapter, seed);
            assert!(report.is_clean(), "{call} {nth}, seed {seed}: {report}");
        }
    }
}
