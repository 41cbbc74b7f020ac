//! A stand-alone call manager that breaks one rule: the report names it, and the rest of the
//! run goes on.

mod common;

use common::alone::{Alone, Slip};
use common::link::{Flaw, Link};
use common::{Client, Twist, host, only};
use ndis_host::Report;

/// A whole life with a slip in the call manager.
fn life(slip: Slip, rules: &[&str]) -> Report {
    let host = host();
    for rule in rules {
        host.expect(rule);
    }
    let link = Link::load(&host, Flaw::None, false);
    let alone = Alone::load(&host, slip);
    let a = Client::load(&host, "client-a", Twist::None, false);
    let b = Client::load(&host, "client-b", Twist::None, true);
    let adapter = host.add_adapter(&link.driver).expect("initialize");
    host.run();
    host.remove_adapter(&adapter);
    host.run();
    for driver in [&a.driver, &b.driver, &alone.driver, &link.driver] {
        host.unload(driver);
    }
    let report = host.finish();
    only(&report, rules);
    report
}

/// As [`life`]; nothing else is wrong or left.
fn broken(slip: Slip, rules: &[&str]) {
    let report = life(slip, rules);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn nothing_is_wrong_without_a_slip() {
    broken(Slip::None, &[]);
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
    broken(Slip::NoProtocolHandlers, &["REG-08"]);
}

#[test]
fn vc_04_a_protocol_that_registers_as_an_mcm_does() {
    broken(Slip::AsMcm, &["VC-04"]);
}

#[test]
fn bind_19_a_call_manager_that_goes_without_a_word() {
    // The families that it leaves behind are its own, though the clients close them.
    broken(Slip::UnbindsSilently, &["BIND-19"]);
}
