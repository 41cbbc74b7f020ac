//! A stand-alone call manager that breaks one rule: the report names it, and the rest of the
//! run goes on.

use crate::common;

use common::alone::Slip;
use common::bench::{Bench, Wrong};
use common::link::Flaw;
use common::{SUCCESS, Twist, only};

use ndis_host::Report;
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

/// With a slip in the call manager.
fn bench(slip: Slip, pends: bool, rules: &[&str]) -> Bench {
    let wrong = Wrong {
        flaw: Flaw::None,
        pends,
        slip,
        twist: Twist::None,
    };
    Bench::new(wrong, rules)
}

/// A call with a slip in the call manager; it goes through, and nothing else is wrong or
/// left.
fn broken_but_carried_on(slip: Slip, pends: bool, rules: &[&str]) -> Vec<i32> {
    let bench = bench(slip, pends, rules);
    bench.call();
    assert_eq!(bench.b.shared.received.load(SeqCst), 1, "the frame arrived");
    let alone = bench.alone.shared.clone();
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    blamed(&report);
    alone.statuses.lock().unwrap().clone()
}

/// As above, without a call.
fn broken(slip: Slip, rules: &[&str]) -> Report {
    let report = bench(slip, false, rules).down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    blamed(&report);
    report
}

/// It is always the call manager.
#[track_caller]
fn blamed(report: &Report) {
    for violation in &report.expected {
        assert_eq!(&*violation.who, "raw-alone", "{report}");
    }
}

/// NDIS may show it to a client that binds until the binding is closed.
#[test]
fn init_07_a_family_freed_before_the_binding_is_closed() {
    broken(Slip::FamilyFreed, &["INIT-07"]);
}

#[test]
fn nothing_is_wrong_without_a_slip() {
    for pends in [false, true] {
        broken_but_carried_on(Slip::None, pends, &[]);
    }
}

#[test]
fn af_02_a_family_after_the_bind() {
    broken(Slip::FamilyLate, &["AF-02"]);
}

#[test]
fn af_02_a_family_twice() {
    broken(Slip::FamilyTwice, &["AF-02"]);
}

#[test]
fn irql_48_a_family_with_a_spin_lock_held() {
    broken(Slip::FamilyAtDispatch, &["IRQL-48"]);
}

#[test]
fn reg_08_the_handlers_of_a_call_manager_alone() {
    let bench = bench(Slip::NoProtocolHandlers, false, &["REG-08"]);
    let statuses = bench.alone.shared.statuses.lock().unwrap().clone();
    assert_eq!(statuses, [n::NDIS_STATUS_FAILURE]);
    let report = bench.down();
    only(&report, &["REG-08"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn reg_09_handlers_for_a_binding() {
    broken_but_carried_on(Slip::HandlersPerBinding, false, &[]);
    broken(Slip::HandlersLate, &["REG-09"]);
}

#[test]
fn af_04_other_handlers_when_a_family_is_registered() {
    broken_but_carried_on(Slip::HandlersAgain, false, &["AF-04"]);
}

#[test]
fn vc_04_a_protocol_that_calls_what_mcms_call() {
    broken_but_carried_on(Slip::AsMcm, false, &["VC-04"]);
}

#[test]
fn bind_19_a_call_manager_that_goes_without_a_word() {
    broken(Slip::UnbindsSilently, &["BIND-19"]);
}

#[test]
fn bind_40_a_call_manager_that_leaves_its_own_vc() {
    broken(Slip::KeepsOwnVc, &["BIND-40"]);
}

#[test]
fn irql_49_a_notification_with_a_spin_lock_held() {
    broken(Slip::NotifiesAtDispatch, &["GEN-01", "IRQL-49"]);
}

#[test]
fn af_38_a_notification_for_a_family_that_is_closed() {
    broken(Slip::NotifiesTwice, &["AF-38"]);
}

#[test]
fn vc_22_a_client_s_vc_deleted() {
    broken_but_carried_on(Slip::DeletesClients, false, &["VC-22"]);
}

#[test]
fn vc_23_a_vc_deleted_while_it_is_active() {
    let statuses = broken_but_carried_on(Slip::DeletesEarly, false, &["VC-23"]);
    assert_eq!(statuses, [SUCCESS], "of the registration alone");
}

#[test]
fn vc_24_a_vc_deleted_while_it_is_being_deactivated() {
    // VC-24.
    let mut closing = 0;
    for calls in 1..3 {
        let bench = bench(Slip::DeletesEarly, true, &["VC-23"]);
        for _ in 0..calls {
            bench.call();
        }
        let alone = bench.alone.shared.clone();
        let report = bench.down();
        let statuses = alone.statuses.lock().unwrap();
        let busy = |status: &&i32| **status == n::NDIS_STATUS_CLOSING;
        closing += statuses.iter().filter(busy).count();
        only(&report, &["VC-23"]);
        assert!(report.is_clean(), "{report}");
    }
    assert!(closing > 0, "no deactivation was pending");
}

#[test]
fn vc_32_parameters_change_while_a_call_stands() {
    let statuses = broken_but_carried_on(Slip::Changes, false, &[]);
    assert_eq!(statuses, [SUCCESS, SUCCESS]);
}

#[test]
fn vc_34_a_vc_activated_while_its_activation_pends() {
    broken_but_carried_on(Slip::ActivatesTwice, true, &["VC-34"]);
}

#[test]
fn vc_35_parameters_freed_while_an_activation_pends() {
    broken_but_carried_on(Slip::FreesParameters, true, &["VC-35"]);
}

#[test]
fn vc_48_a_vc_deactivated_twice() {
    broken_but_carried_on(Slip::DeactivatesTwice, false, &["VC-48"]);
}

#[test]
fn call_58_a_vc_deactivated_while_its_call_stands() {
    broken_but_carried_on(Slip::DeactivatesUnasked, false, &["CALL-58"]);
}

#[test]
fn call_24_a_call_offered_on_an_inactive_vc() {
    broken_but_carried_on(Slip::DispatchesInactive, false, &["CALL-24"]);
}

#[test]
#[cfg_attr(
    miri,
    ignore = "the run stops in the middle, with what its drivers have"
)]
fn call_10_a_call_reported_on_an_inactive_vc() {
    let bench = bench(Slip::ConnectsInactive, false, &["CALL-10"]);
    let a = bench.a.clone();
    bench.run(move || a.call());
    let report = bench.host.report();
    only(&report, &["CALL-10"]);
    assert_eq!(&*report.expected[0].who, "raw-alone");
}

#[test]
fn call_13_a_call_completed_twice() {
    broken_but_carried_on(Slip::CompletesTwice, false, &["CALL-13"]);
}

#[test]
fn a_vc_of_its_own_has_no_call() {
    let rules = ["CALL-37", "CALL-52", "CALL-61", "CALL-72"];
    broken_but_carried_on(Slip::CallsOnOwnVc, false, &rules);
}

#[test]
fn nbl_07_a_send_on_a_vc_of_its_own_that_is_not_active() {
    broken(Slip::SendsEarly, &["NBL-07"]);
}

#[test]
#[cfg_attr(
    miri,
    ignore = "the run stops in the middle, with what its drivers have"
)]
fn af_27_a_send_on_a_client_s_vc() {
    let bench = bench(Slip::SendsOnClients, false, &["AF-27"]);
    let a = bench.a.clone();
    bench.run(move || a.call());
    let report = bench.host.report();
    only(&report, &["AF-27"]);
}

#[test]
fn af_27_a_vc_on_what_is_no_binding() {
    broken_but_carried_on(Slip::CreatesElsewhere, false, &["AF-27"]);
}
