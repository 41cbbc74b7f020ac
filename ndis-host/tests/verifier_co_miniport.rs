//! A connection-oriented miniport that breaks one rule: the report names it, and the rest of
//! the run goes on.

use crate::common;

use common::alone::Slip;
use common::bench::{Bench, Wrong};
use common::link::{Flaw, Link};
use common::{SUCCESS, Twist, host, only};
use ndis_host::{Host, Report};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

fn wrong(flaw: Flaw, slip: Slip, twist: Twist) -> Wrong {
    Wrong {
        flaw,
        pends: false,
        slip,
        twist,
    }
}

/// Nothing else is wrong or left, and it is the miniport's fault.
#[track_caller]
fn only_the_miniport(report: &Report, rules: &[&str]) {
    only(report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, "raw-link", "{report}");
    }
}

/// A call with a flaw in the miniport, which goes through.
fn broken_but_carried_on(flaw: Flaw, rules: &[&str]) {
    let bench = Bench::new(wrong(flaw, Slip::None, Twist::None), rules);
    bench.call();
    assert_eq!(bench.b.shared.received.load(SeqCst), 1, "the frame arrived");
    only_the_miniport(&bench.down(), rules);
}

/// No VC comes about.
fn no_vc(flaw: Flaw, rules: &[&str]) {
    let bench = Bench::new(wrong(flaw, Slip::None, Twist::None), rules);
    assert!(!bench.a.shared.af.load(SeqCst).is_null());
    let a = bench.a.clone();
    bench.run(move || assert!(!a.try_call()));
    only_the_miniport(&bench.down(), rules);
}

#[test]
fn nothing_is_wrong_without_a_flaw() {
    broken_but_carried_on(Flaw::None, &[]);
}

#[test]
fn reg_12_a_handler_is_missing() {
    let host = host();
    host.expect("REG-12");
    let link = host.load_with("raw-link", Link::entry_with(Flaw::NoDeactivateHandler));
    assert_eq!(link.err(), Some(n::NDIS_STATUS_BAD_CHARACTERISTICS));
    let report = host.finish();
    only_the_miniport(&report, &["REG-12"]);
}

#[test]
fn vc_13_a_vc_that_is_made_later() {
    no_vc(Flaw::CreatePends, &["VC-13"]);
}

#[test]
fn vc_65_a_vc_refused_with_another_status() {
    no_vc(Flaw::CreateRefused, &["VC-65"]);
}

#[test]
fn vc_65_a_miniport_may_be_short_of_memory() {
    no_vc(Flaw::CreateShort, &[]);
}

#[test]
fn vc_65_a_vc_without_a_context() {
    let rules = ["VC-65"];
    let bench = Bench::new(
        wrong(Flaw::CreateWithoutContext, Slip::None, Twist::None),
        &rules,
    );
    only_the_miniport(&bench.down(), &rules);
}

#[test]
fn vc_13_a_vc_that_is_deleted_later() {
    broken_but_carried_on(Flaw::DeletePends, &["VC-13"]);
}

#[test]
fn vc_29_a_vc_that_is_not_deleted() {
    broken_but_carried_on(Flaw::DeleteRefused, &["VC-29"]);
}

#[test]
fn vc_40_an_activation_refused_with_another_status() {
    let rules = ["VC-40"];
    let bench = Bench::new(wrong(Flaw::ActivateOdd, Slip::None, Twist::None), &rules);
    let a = bench.a.clone();
    bench.run(move || a.call());
    let last = *bench.a.shared.last.lock().unwrap();
    assert_eq!(last, Some(n::NDIS_STATUS_FAILURE), "the call fails with it");
    only_the_miniport(&bench.down(), &rules);
}

#[test]
fn vc_41_a_change_that_is_refused_leaves_the_vc_as_it_was() {
    // VC-41.
    let bench = Bench::new(wrong(Flaw::ChangeRefused, Slip::Changes, Twist::None), &[]);
    bench.call();
    assert_eq!(bench.b.shared.received.load(SeqCst), 1, "the frame arrived");
    let statuses = bench.alone.shared.statuses.lock().unwrap().clone();
    assert_eq!(statuses, [SUCCESS, n::NDIS_STATUS_INVALID_DATA]);
    only_the_miniport(&bench.down(), &[]);
}

#[test]
fn vc_63_parameters_that_the_device_cannot_meet_are_refused() {
    // VC-63: and the call fails with the status, without a trace.
    let bench = Bench::new(wrong(Flaw::None, Slip::NoChannel, Twist::None), &[]);
    let a = bench.a.clone();
    bench.run(move || a.call());
    let last = *bench.a.shared.last.lock().unwrap();
    assert_eq!(last, Some(n::NDIS_STATUS_INVALID_DATA));
    only_the_miniport(&bench.down(), &[]);
}

#[test]
fn vc_43_an_activation_completed_twice() {
    broken_but_carried_on(Flaw::ActivatedTwice, &["VC-43"]);
}

#[test]
fn vc_43_an_activation_completed_with_other_parameters() {
    broken_but_carried_on(Flaw::ActivatedWithOthers, &["VC-43"]);
}

#[test]
fn gen_02_an_activation_that_is_completed_and_returns_success() {
    let rules = ["GEN-02"];
    let flaw = Flaw::ActivatedAndReturned;
    let bench = Bench::new(wrong(flaw, Slip::None, Twist::None), &rules);
    bench.call();
    only_the_miniport(&bench.down(), &rules);
}

#[test]
#[cfg_attr(
    miri,
    ignore = "the run stops in the middle, with what its drivers have"
)]
fn an_activation_that_never_ends_is_named() {
    let flaw = Flaw::ActivationForgotten;
    let bench = Bench::new(wrong(flaw, Slip::None, Twist::None), &[]);
    let a = bench.a.clone();
    bench.run(move || a.call());
    let report = bench.host.report();
    assert!(report.rules().is_empty(), "{report}");
    let owed = "NdisMCoActivateVcComplete of VC 3 by raw-link";
    assert!(report.unanswered.iter().any(|it| it == owed), "{report}");
}

#[test]
#[cfg_attr(
    miri,
    ignore = "the run stops in the middle, with what its drivers have"
)]
fn nbl_11_a_send_that_is_never_completed() {
    let host = host();
    let rules = ["CALL-42", "NBL-11", "PAUSE-12", "PAUSE-03"];
    for rule in rules {
        host.expect(rule);
    }
    let bench = Bench::on(host, wrong(Flaw::KeepsSends, Slip::None, Twist::None));
    bench.call();
    let report = bench.host.report();
    let kept = report.expected.iter().find(|it| it.rule == "NBL-11");
    let kept = kept.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(&*kept.who, "raw-link");
}

#[test]
#[cfg_attr(
    miri,
    ignore = "the run stops in the middle, with what its drivers have"
)]
fn dv_06_a_miniport_that_sleeps_at_dispatch_level() {
    // IRQL-102, IRQL-103: NDIS may call at that level.
    let rules = ["DV-06"];
    let host = Host::builder().seed(1).raise(1, 1).build();
    host.expect("DV-06");
    let bench = Bench::on(host, wrong(Flaw::Sleeps, Slip::None, Twist::None));
    bench.call();
    let report = bench.host.report();
    only(&report, &rules);
    for violation in &report.expected {
        assert_eq!(&*violation.who, "raw-link", "{report}");
    }
    for handler in ["MiniportCoCreateVc", "MiniportCoDeleteVc"] {
        let found = report.expected.iter().any(|it| it.call.contains(handler));
        assert!(found, "{handler}: {report}");
    }
}

#[test]
fn gen_05_an_activation_completed_with_pending() {
    broken_but_carried_on(Flaw::ActivatedPending, &["GEN-05"]);
}

#[test]
fn gen_05_a_deactivation_completed_with_pending() {
    broken_but_carried_on(Flaw::DeactivatedPending, &["GEN-05"]);
}

#[test]
fn vc_51_a_deactivation_completed_that_nobody_asked_for() {
    broken_but_carried_on(Flaw::CompletesUnasked, &["VC-51"]);
}

#[test]
fn vc_64_a_deactivation_refused() {
    broken_but_carried_on(Flaw::DeactivateRefused, &["VC-64"]);
}

#[test]
fn vc_49_a_deactivation_that_is_over_before_the_client_is() {
    hangs_up_while_the_peer_receives(Flaw::DeactivatesBusy, &["VC-49"]);
}

#[test]
fn a_deactivation_waits_until_the_client_has_returned_what_it_has() {
    hangs_up_while_the_peer_receives(Flaw::None, &[]);
}

fn hangs_up_while_the_peer_receives(flaw: Flaw, rules: &[&str]) {
    let bench = Bench::new(wrong(flaw, Slip::None, Twist::ReceivesSlowly), rules);
    let a = bench.a.clone();
    bench.run(move || a.call());
    let (a, again) = (bench.a.clone(), bench.a.clone());
    bench.host.spawn("sender", move || a.send());
    bench.host.spawn("caller", move || {
        // SAFETY: at PASSIVE_LEVEL; the sender's frame is with its peer by then.
        unsafe { n::NdisMSleep(1000) };
        again.hang_up();
    });
    bench.host.run();
    only_the_miniport(&bench.down(), rules);
}

#[test]
fn vc_50_data_on_a_vc_that_is_not_active() {
    broken_but_carried_on(Flaw::IndicatesInactive, &["VC-50"]);
}

#[test]
fn what_a_miniport_has_when_it_is_to_deactivate_it_may_indicate() {
    broken_but_carried_on(Flaw::IndicatesLast, &[]);
}

#[test]
fn reg_40_a_device_that_is_not_connection_oriented() {
    // REG-40.
    let bench = Bench::new(wrong(Flaw::Connectionless, Slip::None, Twist::None), &[]);
    let statuses = bench.alone.shared.statuses.lock().unwrap().clone();
    assert_eq!(
        statuses,
        [n::NDIS_STATUS_FAILURE],
        "AF-03: of the registration"
    );
    assert!(bench.a.shared.af.load(SeqCst).is_null());
    only_the_miniport(&bench.down(), &[]);
}
