//! Halts, and what comes before and after them, that break a rule: the report names it.

use crate::common;

use common::oids::within;
use common::{Bench, P, Twist, host_under, only, plain};
use ndis_host::{NotifyClose, Readings, Report};
use ndis_sys as n;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

const MCM: &str = "raw-mcm";

fn by(report: &Report, rules: &[&str], who: &str) {
    only(report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, who, "{report}");
    }
}

/// A client has been asked to close its family, and is about to.
#[test]
fn halt_02_a_family_whose_client_was_asked_before() {
    let bench = Bench::new(Twist::None, Twist::ClosesLater);
    bench.host.expect("HALT-02");
    let adapter = bench.up();
    let mcm = bench.mcm.shared.clone();
    within(&bench.host, &bench.mcm.driver, move || {
        let af = mcm.af(0);
        // SAFETY: the handle of an open of the family.
        let first = unsafe { n::NdisMCmNotifyCloseAddressFamily(af) };
        assert_eq!(first, n::NDIS_STATUS_PENDING);
        // SAFETY: as above; not the handle of another open.
        unsafe { n::NdisMCmNotifyCloseAddressFamily(af) };
    });
    bench.host.remove_adapter(&adapter);
    by(&bench.down(), &["HALT-02"], MCM);
}

/// The halt comes with clients bound, as one reading has it.
fn halts_first(mcm: Twist, client: Twist, rules: &[&str], frames: bool) -> Report {
    let host = host_under(Readings {
        notify_close: NotifyClose::HaltFirst,
        ..plain()
    });
    let bench = Bench::on(host, mcm, client);
    for rule in rules {
        bench.host.expect(rule);
    }
    if frames {
        bench.life(1);
    } else {
        let adapter = bench.up();
        bench.host.remove_adapter(&adapter);
        bench.host.run();
    }
    bench.down()
}

#[test]
#[cfg_attr(miri, ignore = "the adapter's context is leaked on purpose")]
fn halt_04_a_halt_that_does_not_wait_for_who_closes() {
    let rules = &["HALT-04"];
    let report = halts_first(Twist::HaltsHastily, Twist::ClosesLater, rules, false);
    only(&report, rules);
    assert_eq!(report.expected.len(), 2, "one for each client: {report}");
    assert!(report.expected.iter().all(|it| &*it.who == MCM), "{report}");
}

#[test]
fn halt_09_a_handle_after_the_halt() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("HALT-09");
    let adapter = bench.up();
    let own = P(bench.mcm.shared.adapter());
    bench.host.remove_adapter(&adapter);
    within(&bench.host, &bench.mcm.driver, move || {
        let own = own;
        let mut family = n::CO_ADDRESS_FAMILY {
            AddressFamily: n::CO_ADDRESS_FAMILY_L2TP as _,
            MajorVersion: 1,
            MinorVersion: 0,
        };
        // SAFETY: handles may be anything.
        unsafe { n::NdisMCmRegisterAddressFamilyEx(own.0, &raw mut family) };
    });
    by(&bench.down(), &["HALT-09"], MCM);
}

#[test]
fn halt_17_a_registration_that_ends_before_the_adapter() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("HALT-17");
    bench.up();
    let mcm = bench.mcm.shared.clone();
    within(&bench.host, &bench.mcm.driver, move || {
        // SAFETY: the handle of the registration.
        unsafe { n::NdisMDeregisterMiniportDriver(mcm.driver.load(SeqCst)) };
    });
    let report = bench.host.report();
    only(&report, &["HALT-17"]);
    assert!(report.violations.is_empty(), "{report}");
    assert_eq!(&*report.expected[0].who, MCM);
}

/// A client has what was indicated when the halt is over.
#[test]
#[cfg_attr(miri, ignore = "the list is leaked on purpose")]
fn halt_07_a_list_that_a_client_has() {
    let rules = &["HALT-07", "DV-17", "NBL-28"];
    let host = host_under(Readings {
        notify_close: NotifyClose::HaltFirst,
        ..plain()
    });
    let bench = Bench::on(host, Twist::HaltWithPool, Twist::KeepForEver);
    for rule in rules {
        bench.host.expect(rule);
    }
    bench.life(1);
    let report: Arc<Report> = Arc::new(bench.host.report());
    assert!(report.rules().contains(&"HALT-07"), "{report}");
    let named = report.expected.iter().find(|it| it.rule == "HALT-07");
    assert_eq!(&*named.expect("named").who, MCM);
}
