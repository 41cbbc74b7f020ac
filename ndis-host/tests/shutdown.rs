//! The end of an adapter's life: halt, shutdown, a system error.

use crate::common;

use common::mcm::Shared;
use common::oids::{NO, indicate, indication, within};
use common::{Bench, Mcm, Twist, only};
use ndis_host::Report;
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

const MCM: &str = "raw-mcm";

fn broken(report: &Report, rule: &str) {
    only(report, &[rule]);
    assert!(report.is_clean(), "{report}");
    assert_eq!(&*report.expected[0].who, MCM, "{report}");
}

/// Frees what the adapter has.
fn free_pool(mcm: &Shared) {
    let nic = mcm.nic.load(SeqCst);
    // SAFETY: the adapter is up.
    let pool = unsafe { (*nic).pool };
    // SAFETY: breaks the rule that is tested.
    unsafe { n::NdisFreeNetBufferListPool(pool) };
}

/// A status of the medium's from the halt handler.
fn says_while_halting(code: i32, bytes: usize) {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("HALT-12");
    let adapter = bench.up();
    bench.mcm.shared.life.on_halt(move |own| {
        let mut bytes = vec![0; bytes];
        indicate(own, NO, indication(own, code, &mut bytes));
    });
    bench.host.remove_adapter(&adapter);
    broken(&bench.down(), "HALT-12");
}

#[test]
fn halt_12_the_medium_while_halting() {
    says_while_halting(n::NDIS_STATUS_MEDIA_DISCONNECT, 0);
    says_while_halting(n::NDIS_STATUS_LINK_STATE, size_of::<n::NDIS_LINK_STATE>());
}

/// Rule HALT-14: after a shutdown nothing is called, and after a halt no shutdown comes.
#[test]
fn a_shutdown_or_a_halt() {
    let bench = Bench::new(Twist::None, Twist::None);
    let first = bench.up();
    bench.host.remove_adapter(&first);
    let halted = |bench: &Bench| {
        let events = bench.host.events();
        let halts = events.iter().filter(|it| it.name == "MiniportHaltEx");
        halts.count()
    };
    let before = halted(&bench);
    assert!(bench.mcm.shared.life.told.lock().unwrap().is_empty());
    let second = bench.up();
    bench.host.shut_down();
    let told = bench.mcm.shared.life.told.lock().unwrap().clone();
    assert_eq!(told, [n::NdisShutdownPowerOff], "one adapter is up");
    let last = bench.host.events().len();
    bench.host.remove_adapter(&second);
    assert_eq!(halted(&bench), before);
    let to_driver = bench.host.events()[last..]
        .iter()
        .filter(|event| &*event.to == MCM)
        .count();
    assert_eq!(to_driver, 0);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Only who has asked for it is told of a system error.
#[test]
fn a_system_error_for_those_who_want_to_know() {
    for (twist, told) in [(Twist::None, 0), (Twist::BugChecks, 1)] {
        let bench = Bench::new(twist, Twist::None);
        bench.up();
        bench.host.bug_check();
        let heard = bench.mcm.shared.life.told.lock().unwrap().clone();
        assert_eq!(heard, vec![n::NdisShutdownBugCheck; told]);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

#[test]
fn halt_15_a_call_after_a_system_error() {
    let bench = Bench::new(Twist::BugChecks, Twist::None);
    bench.host.expect("HALT-15");
    bench.up();
    let mcm = bench.mcm.shared.clone();
    bench.mcm.shared.life.on_shutdown(move |_| {
        free_pool(&mcm);
    });
    bench.host.bug_check();
    broken(&bench.down(), "HALT-15");
}

#[test]
fn halt_16_a_call_after_a_system_error_in_the_halt() {
    let bench = Bench::new(Twist::BugChecks, Twist::None);
    bench.host.expect("HALT-16");
    let adapter = bench.up();
    let mcm = bench.mcm.shared.clone();
    bench.mcm.shared.life.on_shutdown(move |_| {
        free_pool(&mcm);
    });
    bench.host.bug_check_in_halt(&adapter);
    broken(&bench.down(), "HALT-16");
}

/// Rule HALT-18.
#[test]
fn what_happens_to_a_stack_that_is_removed() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    let before = bench.host.events().len();
    bench.host.remove_adapter(&adapter);
    let events = bench.host.events();
    let mut order: Vec<&str> = events[before..].iter().map(|event| event.name).collect();
    order.retain(|name| {
        [
            "ProtocolNetPnPEvent",
            "MiniportPause",
            "ProtocolUnbindAdapterEx",
            "MiniportHaltEx",
        ]
        .contains(name)
    });
    order.dedup();
    let wanted = [
        "ProtocolNetPnPEvent",
        "MiniportPause",
        "ProtocolUnbindAdapterEx",
        "MiniportHaltEx",
    ];
    assert_eq!(order, wanted);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule STATUS-14.
#[test]
fn the_medium_by_the_attributes_and_then_by_what_is_indicated() {
    for (twist, connected) in [(Twist::None, true), (Twist::ConnectionUnknown, false)] {
        let bench = Bench::new(twist, Twist::None);
        let adapter = bench.up();
        assert_eq!(bench.host.is_connected(&adapter), connected);
        for (state, connected) in [
            (n::MediaConnectStateConnected, true),
            (n::MediaConnectStateUnknown, false),
        ] {
            let mcm = bench.mcm.shared.clone();
            within(&bench.host, &bench.mcm.driver, move || {
                let own = mcm.adapter();
                let mut bytes = [0; size_of::<n::NDIS_LINK_STATE>()];
                bytes[4..8].copy_from_slice(&state.to_ne_bytes());
                indicate(
                    own,
                    NO,
                    indication(own, n::NDIS_STATUS_LINK_STATE, &mut bytes),
                );
            });
            assert_eq!(bench.host.is_connected(&adapter), connected);
        }
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

/// A miniport that is no connection-oriented one has its own function.
#[test]
fn status_16_a_connectionless_miniport() {
    let host = common::host();
    host.expect("STATUS-16");
    let mcm = Mcm::load(&host, Twist::IndicatesConnectionless);
    assert!(host.add_adapter(&mcm.driver).is_err());
    host.unload(&mcm.driver);
    broken(&host.finish(), "STATUS-16");
}
