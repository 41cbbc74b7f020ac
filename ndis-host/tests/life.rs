//! Whole lives of two raw drivers, done right: no rule may be broken, in any
//! order of things and under any reading.

mod common;

use common::{Bench, Twist};
use ndis_host::{EventMode, Host, Readings};
use std::sync::atomic::Ordering::SeqCst;

#[track_caller]
fn clean(bench: Bench) {
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_life_without_a_mistake() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.life(3);
    assert_eq!(bench.b.shared.received.load(SeqCst), 3);
    assert_eq!(bench.a.shared.sent.load(SeqCst), 3);
    clean(bench);
}

#[test]
fn a_pended_open_is_completed_at_once() {
    let bench = Bench::new(Twist::OpenPends, Twist::None);
    bench.life(1);
    clean(bench);
}

#[test]
fn a_refused_call_leaves_nothing() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.b.shared.refuse.store(1, SeqCst);
    bench.life(0);
    assert_eq!(
        *bench.a.shared.last.lock().unwrap(),
        Some(ndis_sys::NDIS_STATUS_NOT_ACCEPTED)
    );
    clean(bench);
}

#[test]
fn unbinding_with_a_call_hangs_up() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.host.remove_adapter(&adapter);
    clean(bench);
}

#[test]
fn surprise_removal_is_a_removal() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.host.surprise_remove(&adapter);
    clean(bench);
}

#[test]
fn pause_and_restart_with_a_call_up() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.host.pause(&adapter);
    bench.host.restart(&adapter).expect("restart");
    bench.spawn("caller", |a| a.send());
    assert_eq!(bench.b.shared.received.load(SeqCst), 1);
    bench.host.remove_adapter(&adapter);
    clean(bench);
}

#[test]
fn a_failed_initialization_is_reported_to_the_caller() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.fail_call(
        "NdisMCmRegisterAddressFamilyEx",
        1,
        ndis_sys::NDIS_STATUS_RESOURCES,
    );
    let adapter = bench.host.add_adapter(&bench.mcm.driver).expect("starts");
    assert_eq!(
        bench.mcm.shared.statuses.lock().unwrap().as_slice(),
        [ndis_sys::NDIS_STATUS_RESOURCES]
    );
    bench.host.remove_adapter(&adapter);
    clean(bench);
}

/// The drivers answer everything at once, so every seed must be clean.
#[test]
fn any_schedule_is_clean() {
    for seed in 0..if cfg!(miri) { 2 } else { 200 } {
        let host = Host::builder()
            .seed(seed)
            .readings(Readings {
                activate_complete: ndis_host::ActivateComplete::Never,
                deactivate_complete: ndis_host::DeactivateComplete::Never,
                ..Readings::default()
            })
            .build();
        let bench = Bench::on(host, Twist::None, Twist::None);
        bench.life(2);
        clean(bench);
    }
}

/// A second host of the same process does not disturb the first.
#[test]
fn two_hosts_at_once() {
    let one = Bench::new(Twist::None, Twist::None);
    let two = Bench::new(Twist::None, Twist::None);
    let first = one.up();
    let second = two.up();
    one.spawn("caller", |a| a.call());
    two.spawn("caller", |a| a.call());
    one.host.remove_adapter(&first);
    two.host.remove_adapter(&second);
    clean(one);
    clean(two);
}

/// The same seed is the same run, event by event, whatever its tasks are run by.
#[test]
fn a_seed_replays() {
    let run = |seed, threads| {
        let host = Host::builder().seed(seed).threads(threads);
        let host = host.events(EventMode::All).build();
        let bench = Bench::on(host, Twist::OpenPends, Twist::None);
        let adapter = bench.up();
        bench.host.remove_adapter(&adapter);
        let events: Vec<String> = bench
            .host
            .events()
            .iter()
            .map(ToString::to_string)
            .collect();
        clean(bench);
        events
    };
    for seed in 42..if cfg!(miri) { 43 } else { 52 } {
        let first = run(seed, false);
        assert!(first.len() > 20);
        assert_eq!(first, run(seed, false));
        assert_eq!(first, run(seed, true));
    }
}

/// A thread that the host did not start may call a driver's side of NDIS.
#[test]
fn a_foreign_thread_is_served() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    let client = bench.a.clone();
    std::thread::spawn(move || {
        client.call();
        client.send();
        client.hang_up();
    })
    .join()
    .expect("the thread ends");
    bench.host.run();
    assert_eq!(bench.b.shared.received.load(SeqCst), 1);
    bench.host.remove_adapter(&adapter);
    clean(bench);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_wait_that_nothing_ends_is_a_deadlock() {
    let host = common::host();
    host.spawn("waiter", || {
        let mut event: ndis_sys::NDIS_EVENT = common::zeroed();
        // SAFETY: an event of this thread.
        unsafe { ndis_sys::NdisInitializeEvent(&raw mut event) };
        // SAFETY: as above.
        unsafe { ndis_sys::NdisWaitEvent(&raw mut event, 0) };
    });
    host.run();
}

#[test]
fn a_wait_with_a_limit_ends_in_virtual_time() {
    let host = common::host();
    host.spawn("waiter", || {
        let mut event: ndis_sys::NDIS_EVENT = common::zeroed();
        // SAFETY: an event of this thread.
        unsafe { ndis_sys::NdisInitializeEvent(&raw mut event) };
        // SAFETY: as above.
        let signalled = unsafe { ndis_sys::NdisWaitEvent(&raw mut event, 60_000) };
        assert_eq!(signalled, 0);
    });
    host.run();
    assert!(host.finish().is_clean());
}

#[test]
fn the_exports_are_linked() {
    let names: Vec<&str> = ndis_host::exported().map(|(name, _)| name).collect();
    assert!(names.contains(&"NdisMCmCreateVc"));
    assert!(ndis_host::exported().all(|(_, address)| address != 0));
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len());
}
