//! The name of a VC for those who manage the machine: raw drivers that ask for it wrongly.

use crate::common;

use common::alone::Slip;
use common::bench::{Bench as AloneBench, Wrong};
use common::link::Flaw;
use common::names::{name, take_name, text};
use common::{Bench, Client, SUCCESS, Twist, only};
use ndis_host::Report;
use ndis_sys as n;
use std::sync::Mutex;
use std::sync::atomic::Ordering::SeqCst;

const FAILURE: i32 = n::NDIS_STATUS_FAILURE;

/// A call, and what is done on its VC while it is up; then what is done when the VC is gone.
fn with_a_call(
    rules: &[&str],
    act: impl FnOnce(&Client, n::NDIS_HANDLE) + Send + 'static,
    after: impl FnOnce() + Send + 'static,
) -> Report {
    let bench = Bench::new(Twist::None, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    let a = bench.a.clone();
    *bench.a.shared.when_up.lock().unwrap() = Some(Box::new(move || {
        let vc = a.shared.vc.load(SeqCst);
        act(&a, vc);
    }));
    bench.spawn("caller", |a| a.call());
    bench.spawn("caller", |a| a.hang_up());
    bench.spawn("after", move |_| after());
    assert!(bench.host.instance_names(&adapter).is_empty());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    for broken in &report.expected {
        assert_eq!(&*broken.who, "client-a", "{report}");
    }
    report
}

/// A name in memory that goes to another thread.
#[derive(Clone, Copy)]
struct Kept(n::UNICODE_STRING);
// SAFETY: whoever has it last frees it.
unsafe impl Send for Kept {}

static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

fn free(string: n::UNICODE_STRING) {
    // SAFETY: the memory is the driver's; the host looks at when it is freed.
    unsafe { n::NdisFreeString(string) };
}

#[test]
fn vc_58_a_name_stays_as_it_was_first() {
    let report = with_a_call(
        &[],
        |_, vc| {
            let first = take_name(vc, "Call").expect("named");
            assert!(text(first).starts_with("Call") && text(first).len() > 4);
            let again = take_name(vc, "Other").expect("named");
            assert_eq!(text(again), text(first));
            assert_eq!(name(vc, Some("Third"), true), Ok(()));
            KEPT.lock().unwrap().extend([Kept(first), Kept(again)]);
        },
        || {
            let kept: Vec<Kept> = KEPT.lock().unwrap().drain(..).collect();
            kept.into_iter().for_each(|kept| free(kept.0));
        },
    );
    assert!(report.is_clean(), "{report}");
}

#[test]
fn vc_56_a_name_that_is_freed_before_the_vc_is_deleted() {
    let free_early = |_: &Client, vc| free(take_name(vc, "Call").expect("named"));
    let report = with_a_call(&["VC-56"], free_early, || ());
    assert!(report.is_clean(), "{report}");
}

/// The memory is missed when the driver unloads.
#[test]
fn vc_56_a_name_that_is_never_freed() {
    let keep = |_: &Client, vc| assert!(take_name(vc, "Call").is_ok());
    let report = with_a_call(&["DV-17"], keep, || ());
    let [left] = &report.objects_left[..] else {
        panic!("{report}")
    };
    assert_eq!((&*left.tag, &*left.owner), ("NDvn", "client-a"));
}

#[test]
fn vc_57_two_vcs_with_one_base_name() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("VC-57");
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    for client in [&bench.a, &bench.b] {
        let client = client.clone();
        bench.host.spawn("manager", move || {
            let vc = client.shared.vc.load(SeqCst);
            assert_eq!(name(vc, Some("Call"), true), Ok(()));
        });
        bench.host.run();
    }
    let [first, second] = bench.host.instance_names(&adapter).try_into().unwrap();
    assert_ne!(first, second);
    bench.spawn("caller", |a| a.hang_up());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["VC-57"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn irql_34_at_passive_level() {
    let act = |_: &Client, vc| assert_eq!(name(vc, Some("Call"), false), Ok(()));
    let report = with_a_call(&["IRQL-34"], act, || ());
    assert!(report.is_clean(), "{report}");
}

#[test]
fn no_base_name() {
    let act = |_: &Client, vc| assert_eq!(name(vc, None, true), Err(FAILURE));
    let report = with_a_call(&["HOST-ARGUMENT"], act, || ());
    assert!(report.is_clean(), "{report}");
}

#[test]
fn vc_55_a_miniport_call_manager_names_its_vc() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("VC-55");
    let adapter = bench.up();
    let mcm = bench.mcm.shared.clone();
    bench.spawn("line", move |_| {
        mcm.open_line();
        assert_eq!(name(mcm.line(), Some("Line"), true), Err(FAILURE));
        mcm.close_line();
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["VC-55"]);
    assert!(report.is_clean(), "{report}");
}

/// A call manager that stands alone may do on its end what its client may.
#[test]
fn a_stand_alone_call_manager_names_the_vc_of_its_client() {
    let wrong = Wrong {
        flaw: Flaw::None,
        pends: false,
        slip: Slip::Names,
        twist: Twist::None,
    };
    let bench = AloneBench::new(wrong, &[]);
    bench.call();
    let statuses = bench.alone.shared.statuses.lock().unwrap().clone();
    assert_eq!(statuses[..2], [SUCCESS, SUCCESS]);
    let report = bench.down();
    only(&report, &[]);
    assert!(report.is_clean(), "{report}");
}
