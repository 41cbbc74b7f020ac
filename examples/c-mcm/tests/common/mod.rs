//! What the two test programs share: lives of the call manager with clients in C and in Rust.

use c_client::c_client_entry;
use ndis_host::{CallControlWhilePaused, EntryPoint, Host, Readings, Report};

/// What the client in C prints when all went well.
const GOOD: &str =
    "c-client: 2 of 2 calls, 8 frames sent, 8 echoed, 4278 bytes compared, 0 mismatches\n";

/// What happens to the adapter in the middle.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Middle {
    Nothing,
    Pause,
    SurpriseRemoval,
    Removal,
}

fn life(seed: u64, readings: Readings, entry: EntryPoint, middle: Middle, failing: u64) -> Report {
    let host = Host::builder().seed(seed).readings(readings).build();
    for (name, value) in [("Listen", 1), ("Dial", 7), ("Calls", 2), ("Frames", 3)] {
        host.set_parameter("echo", name, value);
    }
    // SAFETY: the entry points of drivers that keep nothing in variables of their own.
    let load = |name: &str, entry| unsafe { host.load(name, entry) }.unwrap();
    let manager = load("c-mcm", entry);
    let clients = [
        load("c-client", c_client_entry),
        load("echo", echo_client::driver_entry),
    ];
    if failing > 0 {
        host.fail_allocation(failing);
    }
    let adapter = host.add_adapter(&manager);
    if let Ok(adapter) = &adapter {
        match middle {
            Middle::Nothing => host.run(),
            Middle::Pause => {
                host.run_for(seed % 30);
                host.pause(adapter);
                host.restart(adapter).unwrap();
                host.run();
            }
            Middle::SurpriseRemoval => {
                host.run_for(seed % 30);
                host.surprise_remove(adapter);
            }
            Middle::Removal => {
                host.run_for(seed % 30);
                host.remove_adapter(adapter);
            }
        }
    }
    // Where NDIS refuses calls before the restart, a client may come too early.
    let refused = readings.call_control_while_paused == CallControlWhilePaused::Refused;
    if middle == Middle::Nothing && failing == 0 && !refused {
        let printed: Vec<String> = host.printed().into_iter().map(|p| p.text).collect();
        assert!(
            printed.contains(&GOOD.to_owned()),
            "seed {seed}, {}: {printed:?}",
            readings.describe()
        );
        if seed.is_multiple_of(2) {
            host.remove_adapter(&adapter.unwrap());
        }
    }
    for client in clients {
        host.unload(&client);
    }
    host.unload(&manager);
    let report = host.finish();
    assert!(
        report.is_clean(),
        "seed {seed}, {middle:?}, {}, allocation {failing}: {report}",
        readings.describe()
    );
    report
}

pub fn lives(entry: EntryPoint) {
    for seed in 0..150 {
        life(seed, Readings::default(), entry, Middle::Nothing, 0);
    }
}

pub fn every_reading(entry: EntryPoint) {
    for readings in Readings::all() {
        for seed in 0..10 {
            life(seed, readings, entry, Middle::Nothing, 0);
        }
    }
}

pub fn interrupted(entry: EntryPoint) {
    for seed in 0..200 {
        let readings = Readings::all()
            .nth(seed as usize % 5 * 7)
            .unwrap_or_default();
        for middle in [Middle::Pause, Middle::SurpriseRemoval, Middle::Removal] {
            life(seed, readings, entry, middle, 0);
        }
    }
}

pub fn every_allocation_may_fail(entry: EntryPoint) {
    for nth in 1..150 {
        life(nth, Readings::default(), entry, Middle::Nothing, nth);
    }
}
