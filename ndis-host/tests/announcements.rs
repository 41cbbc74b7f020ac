//! What a call manager tells all of its clients, and the list of addresses that it answers with.

use crate::common;

use common::mcm::Shared as McmShared;
use common::oids::{Ask, NO, agrees, co, mcm, within, write};
use common::{Bench, SUCCESS, Twist, only};
use ndis_sys as n;
use std::sync::{Arc, atomic::Ordering::SeqCst};

const MCM: &str = "raw-mcm";

/// The call manager tells these clients, by the order of their opens, of each OID; these agree
/// and do nothing, which is OID-37 where they were to ask for their addresses.
fn tells(rules: &[&str], told: &'static [(u32, &'static [usize])]) {
    let bench = Bench::new(Twist::None, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    for client in [&bench.a, &bench.b] {
        agrees(&client.shared.oids);
    }
    let own: Arc<McmShared> = bench.mcm.shared.clone();
    within(&bench.host, &bench.mcm.driver, move || {
        for (oid, clients) in told {
            for client in *clients {
                let ask = Ask::set(&own.oids, *oid, 0);
                assert_eq!(mcm(own.af(*client), NO, &ask), SUCCESS);
                ask.free();
            }
        }
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in report.expected.iter().filter(|it| it.rule != "OID-37") {
        assert_eq!(&*violation.who, MCM, "{report}");
    }
}

const ENABLED: u32 = n::OID_CO_SIGNALING_ENABLED;
const DISABLED: u32 = n::OID_CO_SIGNALING_DISABLED;

#[test]
fn oid_39_one_of_two_clients_alone() {
    tells(&["OID-39"], &[(ENABLED, &[1])]);
    tells(&["OID-39"], &[(ENABLED, &[0, 1]), (DISABLED, &[1])]);
    tells(&["OID-39"], &[(DISABLED, &[0])]);
    tells(&["OID-39"], &[(DISABLED, &[0, 1]), (ENABLED, &[0])]);
    // In another order: each has heard something else last.
    tells(
        &["OID-39"],
        &[(DISABLED, &[0]), (ENABLED, &[0, 1]), (DISABLED, &[1])],
    );
}

#[test]
fn oid_39_both_clients() {
    tells(&[], &[(ENABLED, &[0, 1]), (DISABLED, &[1, 0])]);
    tells(&[], &[(DISABLED, &[0, 1]), (ENABLED, &[1, 0])]);
    // Who hears that what was so is so has missed nothing.
    tells(&[], &[(ENABLED, &[0])]);
}

const CHANGED: u32 = n::OID_CO_ADDRESS_CHANGE;

#[test]
fn oid_36_one_of_two_clients_alone() {
    tells(&["OID-36", "OID-37"], &[(CHANGED, &[1])]);
    tells(&["OID-36", "OID-37"], &[(CHANGED, &[0])]);
    // Twice more than the other.
    tells(&["OID-36", "OID-37"], &[(CHANGED, &[0, 1, 1, 1])]);
    tells(&["OID-36", "OID-37"], &[(CHANGED, &[0, 1, 0])]);
    // The first time of the younger may have been for its open.
    tells(&["OID-37"], &[(CHANGED, &[0, 1, 1])]);
    tells(&["OID-37"], &[(CHANGED, &[0, 1])]);
}

/// A list of addresses, and whether it is one.
fn lists(rules: &[&str], list: &'static [u32]) {
    let bench = Bench::new(Twist::None, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    bench.mcm.shared.oids.answers(move |asked| {
        let bytes: Vec<u8> = list.iter().flat_map(|word| word.to_ne_bytes()).collect();
        write(asked.request.0, &bytes);
        SUCCESS
    });
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let ask = Ask::query(&a.oids, n::OID_CO_GET_ADDRESSES, 64);
        let (binding, af) = (a.binding.load(SeqCst), a.af.load(SeqCst));
        assert_eq!(co(binding, af, NO, &ask), SUCCESS);
        ask.free();
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, MCM, "{report}");
    }
}

#[test]
fn oid_38_a_list_without_room() {
    // One address of four bytes, of two that there can be.
    lists(&[], &[2, 1, 4, 7, 0, 0]);
    lists(&["OID-38"], &[4, 1, 4, 7]);
    lists(&["OID-38"], &[1, 2, 4, 7, 4, 8]);
    lists(&["OID-38"], &[1]);
}
