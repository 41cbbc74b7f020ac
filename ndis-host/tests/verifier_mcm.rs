//! A call manager that breaks one rule: the report names it, and the rest of
//! the run goes on.

use crate::common;

use common::{Bench, Twist, host_under, only, plain};
use ndis_host::Report;
use std::sync::atomic::Ordering::SeqCst;

/// A whole life with a twist in the call manager; the rules that it broke.
fn broken(twist: Twist, rules: &[&str]) -> Report {
    let bench = Bench::new(twist, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    bench.life(1);
    let report = bench.down();
    only(&report, rules);
    assert!(report.violations.is_empty(), "{report}");
    report
}

/// As [`broken`], and the call went through all the same.
fn broken_but_carried_on(twist: Twist, rules: &[&str]) {
    let bench = Bench::new(twist, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    bench.life(1);
    assert_eq!(bench.b.shared.received.load(SeqCst), 1, "the frame arrived");
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn init_04_the_same_family_twice() {
    broken_but_carried_on(Twist::DuplicateFamily, &["INIT-04"]);
}

#[test]
fn init_06_a_driver_that_is_not_connection_oriented() {
    let bench = Bench::new(Twist::NotConnectionOriented, Twist::None);
    bench.host.expect("INIT-06");
    let adapter = bench.up();
    assert_eq!(
        bench.mcm.shared.statuses.lock().unwrap().as_slice(),
        [ndis_sys::NDIS_STATUS_FAILURE]
    );
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["INIT-06"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn irql_01_a_family_registered_under_a_spin_lock() {
    broken_but_carried_on(Twist::FamilyAtDispatch, &["IRQL-01"]);
}

#[test]
fn init_01_a_family_before_the_attributes() {
    broken_but_carried_on(Twist::FamilyBeforeAttributes, &["INIT-01"]);
}

#[test]
fn init_03_a_family_from_halt() {
    broken_but_carried_on(Twist::FamilyLate, &["INIT-03"]);
}

#[test]
fn init_05_the_driver_context_for_the_adapter_handle() {
    let bench = Bench::new(Twist::FamilyWithContext, Twist::None);
    bench.host.expect("INIT-05");
    let adapter = bench.up();
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["INIT-05"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn init_29_a_bus_driver_in_one_place_of_two() {
    broken(Twist::BusBeneath, &["INIT-29"]);
}

#[test]
fn init_32_nothing_about_power() {
    broken(Twist::NoPowerCapabilities, &["INIT-32"]);
}

#[test]
fn init_02_no_general_attributes() {
    let bench = Bench::new(Twist::NoGeneralAttributes, Twist::None);
    bench.host.expect("INIT-02");
    let adapter = bench.host.add_adapter(&bench.mcm.driver).expect("starts");
    drop(bench.host.report());
    let _ = adapter;
    // Without a medium no client opens the adapter, so nothing else happens.
    bench.host.remove_adapter(&adapter);
    let report = bench.host.report();
    assert!(report.rules().contains(&"INIT-02"), "{report}");
}

#[test]
fn reg_04_handlers_set_outside_the_options_callback() {
    broken_but_carried_on(Twist::OptionsLate, &["REG-04"]);
}

#[test]
fn reg_13_a_null_handler() {
    broken_but_carried_on(Twist::NullHandler, &["REG-13"]);
}

#[test]
fn reg_36_a_wrong_header() {
    broken_but_carried_on(Twist::WrongHeader, &["REG-36"]);
}

#[test]
fn af_23_an_open_completed_twice() {
    // Once for each client.
    broken_but_carried_on(Twist::OpenCompletedTwice, &["AF-23"]);
}

#[test]
fn gen_05_pending_as_a_final_status() {
    broken_but_carried_on(Twist::OpenPendingStatus, &["GEN-05"]);
    broken_but_carried_on(Twist::CloseCallPendingStatus, &["GEN-05"]);
}

#[test]
fn call_13_a_call_completed_twice() {
    broken_but_carried_on(Twist::MakeCallCompletedTwice, &["CALL-13"]);
}

#[test]
fn call_10_success_without_activation() {
    let bench = Bench::new(Twist::MakeCallWithoutActivation, Twist::None);
    bench.host.expect("CALL-10");
    bench.life(0);
    let report = bench.down();
    only(&report, &["CALL-10"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn vc_25_a_completion_with_a_stale_handle() {
    broken_but_carried_on(Twist::StaleVc, &["VC-25"]);
}

#[test]
fn af_27_forged_handles() {
    broken_but_carried_on(Twist::ForgedVc, &["AF-27"]);
    broken_but_carried_on(Twist::WrongKind, &["AF-27"]);
}

#[test]
fn vc_23_an_active_vc_deleted() {
    let report = broken(Twist::DeleteActive, &["VC-23"]);
    let violation = &report.expected[0];
    assert!(violation.message.contains("active"), "{violation}");
    assert!(
        violation
            .history
            .iter()
            .any(|p| p.what == "NdisMCmActivateVc"),
        "{violation}"
    );
    assert!(violation.call.starts_with("NdisMCmDeleteVc"), "{violation}");
}

#[test]
fn vc_22_the_clients_vc_deleted() {
    broken_but_carried_on(Twist::DeleteForeign, &["VC-22"]);
}

#[test]
fn vc_32_activated_twice_for_nothing() {
    broken_but_carried_on(Twist::ActivateTwice, &["VC-32"]);
}

#[test]
fn call_24_a_call_dispatched_on_an_inactive_vc() {
    broken_but_carried_on(Twist::DispatchInactive, &["CALL-24"]);
}

#[test]
fn vc_48_deactivated_twice() {
    broken_but_carried_on(Twist::DeactivateTwice, &["VC-48"]);
}

#[test]
fn call_58_deactivated_under_a_standing_call() {
    broken_but_carried_on(Twist::DeactivateEarly, &["CALL-58"]);
}

#[test]
fn call_37_connected_twice() {
    broken_but_carried_on(Twist::ConnectTwice, &["CALL-37"]);
}

#[test]
fn af_36_a_family_closed_with_a_vc_on_it() {
    let bench = Bench::new(Twist::KeepIncomingVc, Twist::None);
    bench.host.expect("AF-36");
    bench.b.shared.refuse.store(1, SeqCst);
    bench.life(0);
    let report = bench.down();
    only(&report, &["AF-36"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn sap_23_a_deregistration_that_fails() {
    broken_but_carried_on(Twist::SapCompleteFailure, &["SAP-23"]);
}

#[test]
fn nbl_11_a_list_completed_twice() {
    broken_but_carried_on(Twist::SendCompletedTwice, &["NBL-11"]);
}

#[test]
fn nbl_11_a_list_completed_on_the_wrong_vc() {
    broken_but_carried_on(Twist::SendOnWrongVc, &["NBL-11"]);
}

#[test]
fn nbl_11_a_list_never_completed() {
    let bench = Bench::new(Twist::SendNeverCompleted, Twist::None);
    // The client cannot do right either: its send is outstanding for ever.
    let rules = [
        "NBL-11", "CALL-42", "VC-49", "PAUSE-12", "PAUSE-03", "DV-17",
    ];
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    bench.spawn("caller", |a| {
        a.call();
        a.send();
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &rules);
    let never = report.expected.iter().find(|v| v.rule == "NBL-11");
    let never = never.map(ToString::to_string).unwrap_or_default();
    assert!(never.contains("by raw-mcm"), "{never}");
    assert!(never.contains("the life of NBL"), "{never}");
}

#[test]
fn nbl_33_the_source_handle_touched() {
    broken_but_carried_on(Twist::SendTouched, &["NBL-33"]);
}

#[test]
fn nbl_17_indicated_with_the_wrong_source() {
    broken_but_carried_on(Twist::IndicateWrongSource, &["NBL-17"]);
}

#[test]
fn nbl_18_indicated_with_the_wrong_count() {
    broken_but_carried_on(Twist::IndicateWrongCount, &["NBL-18"]);
}

#[test]
fn gen_01_a_lock_held_across_a_completion() {
    broken_but_carried_on(Twist::LockAcrossCompletion, &["GEN-01"]);
}

#[test]
fn dv_14_a_lock_held_when_a_handler_returns() {
    broken_but_carried_on(Twist::LockKept, &["DV-14"]);
}

#[test]
fn dv_14_a_lock_acquired_twice() {
    broken_but_carried_on(Twist::LockTwice, &["DV-14"]);
}

#[test]
fn irql_130_a_handler_that_returns_at_dispatch() {
    broken_but_carried_on(Twist::IrqlKept, &["IRQL-130"]);
}

#[test]
fn pause_02_a_pause_completed_twice() {
    broken_but_carried_on(Twist::PauseTwice, &["PAUSE-02"]);
}

#[test]
fn dv_15_a_timer_set_after_halt() {
    let report = broken(Twist::HaltWithTimer, &["DV-15", "DV-17"]);
    assert!(report.objects_left.iter().any(|o| o.kind == "timer"));
}

#[test]
fn dv_20_a_work_item_left_at_halt() {
    let report = broken(Twist::HaltWithWorkItem, &["DV-20", "DV-17"]);
    assert!(report.objects_left.iter().any(|o| o.kind == "work item"));
}

#[test]
fn dv_17_a_pool_left_at_halt() {
    let report = broken(Twist::HaltWithPool, &["DV-17"]);
    assert!(report.objects_left.iter().any(|o| o.tag == "RawT"));
}

#[test]
fn host_memory_freed_twice() {
    broken_but_carried_on(Twist::MemoryTwice, &["HOST-MEMORY"]);
}

#[test]
fn dv_17_memory_left_at_unload() {
    let report = broken(Twist::MemoryLeft, &["DV-17"]);
    assert_eq!(report.objects_left.len(), 1, "{report}");
}

#[test]
fn reg_28_unloaded_without_deregistration() {
    broken_but_carried_on(Twist::NotDeregistered, &["REG-28"]);
}

#[test]
fn call_52_a_close_completed_twice() {
    broken_but_carried_on(Twist::CloseCompletedTwice, &["CALL-52"]);
}

#[test]
fn sap_19_a_registration_completed_twice() {
    broken_but_carried_on(Twist::SapCompletedTwice, &["SAP-19"]);
}

#[test]
fn af_37_a_close_that_fails() {
    broken_but_carried_on(Twist::CloseAfFails, &["AF-37"]);
}

#[test]
fn gen_02_answered_by_completion_and_by_return_value() {
    broken_but_carried_on(Twist::AnswersTwice, &["GEN-02"]);
}

/// The completion has ended the family before the handler returns.
#[test]
fn gen_02_an_open_refused_by_completion_and_accepted_by_return_value() {
    let bench = Bench::new(Twist::RefusesAndAccepts, Twist::None);
    bench.host.expect("GEN-02");
    let adapter = bench.up();
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["GEN-02"]);
    assert_eq!(report.expected.len(), 2, "once for each client: {report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn vc_05_a_handle_variable_that_is_not_null() {
    broken_but_carried_on(Twist::HandleVariableUsed, &["VC-05"]);
}

#[test]
fn gen_08_a_size_without_data() {
    broken_but_carried_on(Twist::DataWithoutSize, &["GEN-08"]);
}

#[test]
fn pause_08_a_restart_completed_twice() {
    broken_but_carried_on(Twist::RestartTwice, &["PAUSE-08"]);
}

#[test]
fn dv_12_a_pause_that_fails() {
    broken_but_carried_on(Twist::PauseFails, &["DV-12"]);
}

#[test]
fn vc_14_a_deletion_that_pends() {
    broken_but_carried_on(Twist::DeleteVcPends, &["VC-14"]);
}

#[test]
fn reg_41_a_reset_without_a_check() {
    broken_but_carried_on(Twist::ResetWithoutCheck, &["REG-41"]);
}

#[test]
fn vc_12_a_creation_that_pends() {
    let bench = Bench::new(Twist::CreateVcPends, Twist::None);
    bench.host.expect("VC-12");
    let adapter = bench.up();
    bench.spawn("caller", |a| {
        assert!(!a.try_call(), "the VC was refused");
        a.call();
        a.hang_up();
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["VC-12"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn init_09_an_initialization_that_pends() {
    let bench = Bench::new(Twist::InitializePends, Twist::None);
    bench.host.expect("INIT-09");
    let outcome = bench.host.add_adapter(&bench.mcm.driver);
    assert_eq!(outcome.err(), Some(ndis_sys::NDIS_STATUS_FAILURE));
    let report = bench.down();
    only(&report, &["INIT-09"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn pause_05_a_list_indicated_while_paused() {
    let bench = Bench::new(Twist::IndicatePaused, Twist::None);
    bench.host.expect("PAUSE-05");
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.host.pause(&adapter);
    let shared = bench.mcm.shared.clone();
    bench.host.spawn("late frame", move || {
        common::mcm::indicate_paused(&shared);
    });
    bench.host.run();
    assert_eq!(bench.b.shared.received.load(SeqCst), 0);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["PAUSE-05"]);
    assert!(report.is_clean(), "{report}");
}

/// A halt with clients still bound, as one reading has it.
fn halt_first(mcm: Twist, client: Twist, rules: &[&str]) -> Report {
    let host = host_under(ndis_host::Readings {
        notify_close: ndis_host::NotifyClose::HaltFirst,
        ..plain()
    });
    let bench = Bench::on(host, mcm, client);
    for rule in rules {
        bench.host.expect(rule);
    }
    bench.life(1);
    let report = bench.down();
    only(&report, rules);
    report
}

#[test]
fn a_halt_notifies_every_client() {
    assert!(halt_first(Twist::None, Twist::None, &[]).is_clean());
}

#[test]
#[cfg_attr(miri, ignore = "the adapter's context is leaked on purpose")]
fn halt_01_a_halt_that_leaves_families_open() {
    let report = halt_first(Twist::KeepsAfOpen, Twist::None, &["HALT-01"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn af_38_a_client_notified_twice() {
    // It has closed at once, so the second handle is dead.
    let report = halt_first(Twist::NotifyTwice, Twist::None, &["AF-38"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn af_41_a_notification_answered_twice() {
    let report = halt_first(Twist::None, Twist::NotifyAnsweredTwice, &["AF-41"]);
    assert!(report.is_clean(), "{report}");
}

/// The open succeeds a moment later: the client never heard of the request, and
/// lives on.
#[test]
fn af_51_a_notification_before_the_open_has_succeeded() {
    broken_but_carried_on(Twist::NotifyBeforeOpened, &["AF-51"]);
}

/// The open fails a moment later: nobody is left who could complete the
/// notification, so there must be none.
#[test]
fn af_51_a_notification_of_an_open_that_fails() {
    let bench = Bench::new(Twist::NotifyBeforeRefused, Twist::None);
    bench.host.expect("AF-51");
    let adapter = bench.up();
    for client in [&bench.a, &bench.b] {
        let opened = *client.shared.last.lock().unwrap();
        assert_eq!(opened, Some(ndis_sys::NDIS_STATUS_FAILURE));
    }
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["AF-51"]);
    // Once for each client, and no notification was made.
    assert_eq!(report.expected.len(), 2, "{report}");
    assert!(!report.counters.contains_key("ProtocolClNotifyCloseAf"));
    assert!(report.is_clean(), "{report}");
}
