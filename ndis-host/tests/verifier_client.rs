//! A client that breaks one rule: the report names it, and the rest of the run
//! goes on.

use crate::common;

use common::{Bench, Twist, only};
use std::sync::atomic::Ordering::SeqCst;

fn broken(twist: Twist, rules: &[&str]) {
    let bench = Bench::new(Twist::None, twist);
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
fn call_42_a_call_closed_with_sends_outstanding() {
    let bench = Bench::new(Twist::SendNeverCompleted, Twist::None);
    for rule in ["CALL-42", "VC-49", "NBL-11"] {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    bench.spawn("caller", |a| {
        a.call();
        a.send();
        a.hang_up();
    });
    let report = bench.host.report();
    only(&report, &["CALL-42", "VC-49", "NBL-11"]);
    assert!(report.violations.is_empty(), "{report}");
    let _ = adapter;
}

/// A send in every completion, completed at once: the depth that the drivers reach
/// is named once, with the driver whose handler had no stack left.
#[test]
fn ke_55_a_stack_used_up() {
    let bench = Bench::new(Twist::None, Twist::SendsInCompletions);
    bench.host.expect("KE-55");
    let adapter = bench.up();
    bench.spawn("caller", |a| {
        a.call();
        a.send();
    });
    let sent = bench.b.shared.sent.load(SeqCst) + bench.a.shared.sent.load(SeqCst);
    assert_eq!(sent, 21, "each went on its way");
    let report = bench.host.report();
    only(&report, &["KE-55"]);
    assert_eq!(report.expected.len(), 1, "once: {report}");
    let _ = adapter;
}

#[test]
fn af_29_a_family_closed_with_a_call_up() {
    broken(Twist::CloseAfWithCall, &["AF-29"]);
}

#[test]
fn af_29_a_family_closed_with_a_sap() {
    broken(Twist::CloseAfWithSap, &["AF-29"]);
}

#[test]
fn af_30_a_dead_handle_of_a_family() {
    broken(Twist::StaleAf, &["AF-30"]);
}

#[test]
fn call_70_a_call_closed_twice() {
    // The VCs are gone by then, so the handles are stale.
    broken(Twist::CloseTwice, &["VC-25"]);
}

#[test]
fn call_62_a_hang_up_that_nobody_answers() {
    let bench = Bench::new(Twist::None, Twist::IgnoreIncomingClose);
    bench.host.expect("CALL-62");
    bench.up();
    bench.spawn("caller", |a| {
        a.call();
        a.hang_up();
    });
    let report = bench.host.finish();
    only(&report, &["CALL-62"]);
    assert!(report.violations.is_empty(), "{report}");
}

#[test]
fn call_29_an_offer_answered_twice() {
    broken(Twist::AnswerTwice, &["CALL-29"]);
}

#[test]
fn nbl_07_a_send_before_the_call() {
    broken(Twist::SendInactive, &["NBL-07"]);
}

#[test]
fn nbl_01_a_send_without_the_source_handle() {
    broken(Twist::SendWrongSource, &["NBL-01"]);
}

#[test]
fn pause_12_a_send_while_paused() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("PAUSE-12");
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.host.pause(&adapter);
    bench.spawn("caller", |a| a.send());
    assert_eq!(bench.a.shared.sent.load(SeqCst), 1, "the list came back");
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["PAUSE-12"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn nbl_25_a_list_returned_twice() {
    let bench = Bench::new(Twist::None, Twist::ReturnTwice);
    bench.host.expect("NBL-25");
    bench.life(1);
    let report = bench.down();
    only(&report, &["NBL-25"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn vc_49_a_list_that_is_never_returned() {
    let bench = Bench::new(Twist::None, Twist::KeepReceived);
    bench.host.expect("VC-49");
    let adapter = bench.up();
    bench.spawn("caller", |a| {
        a.call();
        a.send();
        a.hang_up();
    });
    let report = bench.host.report();
    only(&report, &["VC-49"]);
    let _ = adapter;
}

#[test]
fn vc_22_the_call_managers_vc_deleted() {
    broken(Twist::DeleteOthersVc, &["VC-22"]);
}

#[test]
fn bind_11_an_unbind_without_a_close() {
    broken(Twist::UnbindWithoutClose, &["BIND-11"]);
}

#[test]
fn irql_36_a_family_opened_under_a_spin_lock() {
    broken(Twist::OpenAtDispatch, &["IRQL-36"]);
}

#[test]
fn bind_05_a_bind_completed_twice() {
    broken(Twist::BindCompletedTwice, &["BIND-05"]);
}

#[test]
fn bind_10_an_unbind_completed_twice() {
    broken(Twist::UnbindCompletedTwice, &["BIND-10"]);
}

/// The host names the client, and then goes on: nothing asks for the unbind again, and
/// what the client never closed is told by the unload.
#[test]
fn bind_10_an_unbind_that_is_never_completed() {
    for unload_first in [false, true] {
        let bench = Bench::new(Twist::None, Twist::UnbindNeverCompleted);
        for rule in ["BIND-10", "DV-17"] {
            bench.host.expect(rule);
        }
        let adapter = bench.up();
        if unload_first {
            bench.host.unload(&bench.a.driver);
            bench.host.unload(&bench.b.driver);
        }
        bench.host.remove_adapter(&adapter);
        if !unload_first {
            bench.host.unload(&bench.a.driver);
            bench.host.unload(&bench.b.driver);
        }
        bench.host.unload(&bench.mcm.driver);
        let report = bench.host.finish();
        only(&report, &["BIND-10", "DV-17"]);
        assert!(report.violations.is_empty(), "{report}");
    }
}

#[test]
fn bind_09_an_unbind_that_fails() {
    broken(Twist::UnbindFails, &["BIND-09"]);
}

#[test]
fn bind_01_an_adapter_opened_outside_a_bind() {
    broken(Twist::OpenOutside, &["BIND-01"]);
}

#[test]
fn af_09_a_family_opened_later() {
    broken(Twist::FamilyLater, &["AF-09"]);
}

#[test]
fn reg_15_null_handlers() {
    broken(Twist::NullHandlers, &["REG-15"]);
}

#[test]
fn reg_29_deregistration_from_a_callback() {
    broken(Twist::DeregisterInside, &["REG-29"]);
}

#[test]
fn dv_37_a_work_item_of_ndis_for_a_protocol_driver() {
    broken(Twist::NdisWorkItem, &["DV-37"]);
}

#[test]
fn ke_50_a_work_item_in_the_wrong_queue() {
    broken(Twist::UrgentWorkItem, &["KE-50"]);
}

#[test]
fn nbl_61_resources_on_the_handle_of_a_binding() {
    broken(Twist::PoolOnBinding, &["NBL-61"]);
}

#[test]
fn pause_13_an_event_refused() {
    broken(Twist::EventFails, &["PAUSE-13"]);
}

#[test]
fn call_02_parameters_freed_while_they_are_lent() {
    // They were lent twice: by the caller, and by the offer. The caller then
    // frees them again.
    broken(
        Twist::ParametersFreed,
        &["CALL-02", "CALL-26", "HOST-MEMORY"],
    );
}

#[test]
fn bind_08_a_failed_bind_with_the_adapter_open() {
    let bench = Bench::new(Twist::None, Twist::BindFailsOpen);
    bench.host.expect("BIND-08");
    let adapter = bench.up();
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["BIND-08"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn bind_12_an_adapter_closed_out_of_the_blue() {
    let bench = Bench::new(Twist::None, Twist::None);
    for rule in ["BIND-12", "BIND-18"] {
        bench.host.expect(rule);
    }
    bench.up();
    let client = bench.a.clone();
    bench.host.spawn("closer", move || {
        let binding = client.shared.binding.load(SeqCst);
        // SAFETY: handles may be anything.
        unsafe { ndis_sys::NdisCloseAdapterEx(binding) };
    });
    bench.host.run();
    only(&bench.host.finish(), &["BIND-12", "BIND-18"]);
}

#[test]
fn status_09_a_protocol_that_hears_no_status() {
    broken(Twist::NoStatusHandler, &["STATUS-09"]);
}
