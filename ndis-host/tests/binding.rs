//! Binds and unbinds that pend, and what must be over when they are answered.

use crate::common;

use common::{Bench, Twist, only, plain};
use ndis_host::{EventKind, Host};

const SEEDS: u64 = if cfg!(miri) { 2 } else { 60 };

fn bench(seed: u64, twist: Twist) -> Bench {
    let host = Host::builder().seed(seed).readings(plain()).build();
    Bench::on(host, Twist::None, twist)
}

/// The halt comes when every unbind is complete, also one that was pended.
fn halted_last(host: &Host) -> bool {
    let events = host.events();
    let halt = events.iter().position(|e| e.name == "MiniportHaltEx");
    let last = events.iter().rposition(|e| {
        let unbound =
            e.name == "ProtocolUnbindAdapterEx" || e.name == "NdisCompleteUnbindAdapterEx";
        unbound
            || (e.name == "ProtocolCloseAdapterCompleteEx" && e.kind == EventKind::CallbackReturn)
    });
    halt.zip(last).is_some_and(|(halt, last)| halt > last)
}

#[test]
fn an_unbind_that_pends_is_waited_for() {
    for twist in [Twist::None, Twist::UnbindCompletedLate] {
        for seed in 0..SEEDS {
            let bench = bench(seed, twist);
            bench.life(1);
            assert!(halted_last(&bench.host), "{twist:?}, seed {seed}");
            let report = bench.down();
            assert!(report.is_clean(), "{twist:?}, seed {seed}: {report}");
        }
    }
}

#[test]
fn a_bind_that_fails_may_be_unbound_by_ndis() {
    for twist in [Twist::BindGoesAway, Twist::BindGoesFirst] {
        for seed in 0..SEEDS {
            let bench = bench(seed, twist);
            let adapter = bench.up();
            bench.host.remove_adapter(&adapter);
            let report = bench.down();
            assert!(report.is_clean(), "{twist:?}, seed {seed}: {report}");
        }
    }
}

/// Some seeds break `rule`, by a client, and none breaks another.
fn broken(twist: Twist, rule: &str) {
    let mut broken = 0;
    for seed in 0..SEEDS {
        let bench = bench(seed, twist);
        let adapter = bench.up();
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        if report.violations.is_empty() {
            continue;
        }
        only(&report, &[rule]);
        for violation in &report.violations {
            assert!(violation.who.starts_with("client-"), "{report}");
        }
        broken += 1;
    }
    assert!(broken > 0 || cfg!(miri), "no seed showed it");
}

#[test]
fn bind_15_an_unbind_that_does_not_wait_for_its_close() {
    broken(Twist::UnbindDoesNotWait, "BIND-15");
}

#[test]
fn bind_15_an_unbind_completed_before_its_close() {
    broken(Twist::UnbindCompletedEarly, "BIND-15");
}

#[test]
fn bind_08_a_failed_bind_that_does_not_wait_for_its_close() {
    broken(Twist::BindFailsClosing, "BIND-08");
}

#[test]
fn bind_27_a_bind_that_does_not_wait_for_its_open() {
    broken(Twist::BindDoesNotWait, "BIND-27");
}
