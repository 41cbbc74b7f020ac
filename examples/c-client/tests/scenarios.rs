//! The client in C with the switch and the echo client in Rust, on the embedded NDIS.

#![cfg(not(no_c_client))]

#[path = "../../loopback-mcm/tests/support/mod.rs"]
mod support;

use c_client::{c_client_broken_entry, c_client_entry};
use ndis_host::{Driver, EntryPoint, Host, Readings};
use std::{
    ffi::{CStr, c_char},
    sync::{Mutex, MutexGuard, PoisonError},
};
use support::{Client, World, callee, clean};

/// What the client prints when all went well.
const GOOD: &str =
    "c-client: 2 of 2 calls, 8 frames sent, 8 echoed, 4278 bytes compared, 0 mismatches\n";

/// What it prints when nobody could be called.
const NOBODY: &str =
    "c-client: 0 of 2 calls, 0 frames sent, 0 echoed, 0 bytes compared, 0 mismatches\n";

/// The lines printed so far.
static PRINTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The kernel's debugger output, which all hosts share.
///
/// # Safety
///
/// `format` is a C string without a `%`.
#[unsafe(no_mangle)]
unsafe extern "system" fn vDbgPrintEx(
    component: u32,
    level: u32,
    format: *const c_char,
    arguments: *mut c_char,
) -> u32 {
    // SAFETY: the caller passes a C string.
    let text = unsafe { CStr::from_ptr(format) };
    let text = text.to_str().unwrap();
    assert!((component, level) == (77, 3) && arguments.is_null() && !text.contains('%'));
    lock(&PRINTED).push(text.to_owned());
    0
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one test at a time, because the output is shared.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = lock(&ALONE);
    lock(&PRINTED).clear();
    alone
}

fn printed() -> Vec<String> {
    std::mem::take(&mut *lock(&PRINTED))
}

fn load(host: &Host, entry: EntryPoint) -> Driver {
    // SAFETY: the entry point of a driver that keeps nothing in variables of its own.
    unsafe { host.load("c-client", entry) }.unwrap()
}

/// Unloads everything; the client before or after the adapter goes, as the seed says.
fn down(world: World, client: Driver, adapter: ndis_host::Adapter, seed: u64) -> ndis_host::Report {
    let World {
        host,
        switch,
        clients,
    } = world;
    if seed.is_multiple_of(2) {
        host.unload(&client);
        host.remove_adapter(&adapter);
    } else {
        host.remove_adapter(&adapter);
        host.unload(&client);
    }
    for client in clients {
        host.unload(&client.driver);
    }
    host.unload(&switch);
    host.finish()
}

/// From the load to the unload, with nothing in the way.
fn life(seed: u64, readings: Readings, entry: EntryPoint, broken: &[&str]) {
    let world = World::new(seed, readings, vec![callee()]);
    for rule in broken {
        world.host.expect(rule);
    }
    // The client may be there before the adapter, or come later.
    let (adapter, client) = if seed % 4 < 2 {
        let client = load(&world.host, entry);
        (world.start(), client)
    } else {
        (world.start(), load(&world.host, entry))
    };
    world.host.run();
    assert_eq!(printed(), [GOOD], "seed {seed}, {}", readings.describe());
    let report = down(world, client, adapter, seed);
    clean(&report);
    let found: std::collections::BTreeSet<_> = report.rules().into_iter().collect();
    assert!(found.iter().eq(broken), "seed {seed}: {report}");
}

#[test]
fn two_calls_in_a_thousand_schedules() {
    let _alone = alone();
    for seed in 0..1000 {
        life(seed, Readings::default(), c_client_entry, &[]);
    }
}

#[test]
fn two_calls_under_every_reading() {
    let _alone = alone();
    for readings in Readings::all() {
        for seed in 0..8 {
            life(seed, readings, c_client_entry, &[]);
        }
    }
}

/// The variant that breaks a rule on purpose is caught at that rule and nothing else.
#[test]
fn the_broken_rule_is_named() {
    let _alone = alone();
    for seed in 0..50 {
        life(seed, Readings::default(), c_client_broken_entry, &["VC-23"]);
    }
}

/// Whoever is called comes late: the client dials again.
#[test]
fn it_redials_until_somebody_is_there() {
    let _alone = alone();
    for seed in 0..50 {
        let mut world = World::new(seed, Readings::default(), vec![]);
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        world.host.run_for(250);
        assert_eq!(printed(), [""; 0]);
        let late = Client::load(&world.host, "late", callee());
        world.clients.push(late);
        world.host.run();
        assert_eq!(printed(), [GOOD], "seed {seed}");
        clean(&down(world, client, adapter, seed));
    }
}

#[test]
fn it_gives_up_when_nobody_comes() {
    let _alone = alone();
    for seed in 0..10 {
        let world = World::new(seed, Readings::default(), vec![]);
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        world.host.run();
        assert_eq!(printed(), [NOBODY], "seed {seed}");
        let report = down(world, client, adapter, seed);
        // Each call once, and fifty times again.
        assert_eq!(report.counters["NdisClMakeCall"], 2 * 51);
        clean(&report);
    }
}

/// Something happens in the middle: pause, removal, unload of either end.
#[test]
fn interrupted_at_any_moment() {
    let _alone = alone();
    let mut lines = std::collections::BTreeMap::new();
    for seed in 0..600 {
        let readings = Readings::all()
            .nth(seed as usize % 5 * 7)
            .unwrap_or_default();
        let mut world = World::new(seed, readings, vec![callee()]);
        let client = load(&world.host, c_client_entry);
        let adapter = world.start();
        world.host.run_for(seed % 7);
        match seed / 7 % 5 {
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
        clean(&host.finish());
        let printed = printed();
        assert!(printed.len() <= 1, "seed {seed}: {printed:?}");
        *lines.entry(printed).or_insert(0) += 1;
    }
    println!("what was printed how often: {lines:#?}");
}

/// Every allocation fails once, one at a time: nothing is lost or left over.
#[test]
fn every_allocation_may_fail() {
    let _alone = alone();
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
        let report = host.finish();
        assert!(report.is_clean(), "allocation {nth}: {report}");
        assert!(printed().len() <= 1);
    }
}
