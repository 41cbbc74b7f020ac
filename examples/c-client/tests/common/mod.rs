//! What the test programs share: a world with the switch and an echo client.

#![allow(dead_code)] // Each test program uses a part of it.

#[path = "../../../loopback-mcm/tests/support/mod.rs"]
pub mod support;

use ndis_host::{Adapter, Driver, EntryPoint, Host, Readings, Report};
use std::collections::BTreeSet;
use support::{World, callee, clean};

/// What the client prints when all went well.
pub const GOOD: &str =
    "c-client: 2 of 2 calls, 8 frames sent, 8 echoed, 4278 bytes compared, 0 mismatches\n";

/// What it prints when nobody could be called.
pub const NOBODY: &str =
    "c-client: 0 of 2 calls, 0 frames sent, 0 echoed, 0 bytes compared, 0 mismatches\n";

/// What was printed so far.
pub fn printed(host: &Host) -> Vec<String> {
    let printed = host.printed().into_iter();
    printed.map(|printed| printed.text).collect()
}

pub fn load(host: &Host, entry: EntryPoint) -> Driver {
    // SAFETY: the entry point of a driver that keeps nothing in variables of its own.
    unsafe { host.load("c-client", entry) }.unwrap()
}

/// Unloads everything; the client before or after the adapter goes, as the seed says.
pub fn down(world: World, client: Driver, adapter: Adapter, seed: u64) -> Report {
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
pub fn life(seed: u64, readings: Readings, entry: EntryPoint, broken: &[&str]) {
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
    assert_eq!(
        printed(&world.host),
        [GOOD],
        "seed {seed}, {}",
        readings.describe()
    );
    let report = down(world, client, adapter, seed);
    clean(&report);
    let found: BTreeSet<_> = report.rules().into_iter().collect();
    assert!(found.iter().eq(broken), "seed {seed}: {report}");
}
