//! Address families that are offered while the bind goes on.

use crate::common;

use common::{Bench, Twist, only, plain};
use ndis_host::{AfOffers, EventKind, Host, Readings};

fn host(seed: u64, af_offers: AfOffers) -> Host {
    let readings = Readings {
        af_offers,
        ..plain()
    };
    Host::builder().seed(seed).readings(readings).build()
}

/// How often a family was offered within the bind of the same client.
fn offered_within_a_bind(host: &Host) -> usize {
    let mut binding = std::collections::BTreeSet::new();
    let mut found = 0;
    for event in host.events() {
        match (event.kind, event.name) {
            (EventKind::Callback, "ProtocolBindAdapterEx") => {
                binding.insert(event.to.clone());
            }
            (EventKind::CallbackReturn, "ProtocolBindAdapterEx") => {
                binding.remove(&event.from);
            }
            (EventKind::Callback, "ProtocolCoAfRegisterNotify") => {
                found += usize::from(binding.contains(&event.to));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_client_that_has_its_handle_takes_an_offer_at_any_time() {
    let mut within = 0;
    for seed in 0..if cfg!(miri) { 2 } else { 100 } {
        let bench = Bench::on(host(seed, AfOffers::DuringBind), Twist::None, Twist::None);
        bench.life(1);
        within += offered_within_a_bind(&bench.host);
        let report = bench.down();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
    assert!(within > 0 || cfg!(miri), "no offer came within a bind");
}

#[test]
fn af_52_a_client_that_keeps_its_handle_when_the_bind_is_over() {
    let mut broken = 0;
    for seed in 0..if cfg!(miri) { 2 } else { 100 } {
        let twist = Twist::KeepsHandleLate;
        let bench = Bench::on(host(seed, AfOffers::DuringBind), Twist::None, twist);
        let adapter = bench.up();
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        if !report.violations.is_empty() {
            only(&report, &["AF-52"]);
            let who = &report.violations[0].who;
            assert!(who.starts_with("client-"), "{who}: {report}");
            broken += 1;
        }
    }
    assert!(broken > 0 || cfg!(miri), "no schedule showed it");
}

#[test]
fn after_the_bind_nobody_sees_it() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let twist = Twist::KeepsHandleLate;
        let bench = Bench::on(host(seed, AfOffers::AfterBind), Twist::None, twist);
        let adapter = bench.up();
        assert_eq!(offered_within_a_bind(&bench.host), 0);
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}
