//! Calls that indicate received data and have not returned, when the adapter is paused or
//! the VC deactivated.

use crate::common;

use common::{Bench, Twist, host_under, only, plain};
use ndis_host::{Readings, Report, TransferEnds};

const MCM: &str = "raw-mcm";

fn bench(mcm: Twist, client: Twist, transfer_ends: TransferEnds) -> Bench {
    let host = host_under(Readings {
        transfer_ends,
        ..plain()
    });
    Bench::on(host, mcm, client)
}

/// A pause that comes while the client receives, and takes its time.
fn paused(mcm: Twist) -> Report {
    let bench = bench(mcm, Twist::ReceivesSlowly, TransferEnds::ListsReturned);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    let client = bench.a.clone();
    bench.host.spawn("sender", move || client.send());
    bench.host.run_for(1);
    bench.host.pause(&adapter);
    bench.host.restart(&adapter).expect("restart");
    bench.host.remove_adapter(&adapter);
    bench.down()
}

#[test]
fn a_pause_that_waits_for_the_call() {
    let report = paused(Twist::PauseAfterIndication);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn pause_15_a_pause_completed_within_an_indication() {
    let report = paused(Twist::PauseWithinIndication);
    only(&report, &["PAUSE-15"]);
    assert_eq!(&*report.violations[0].who, MCM);
}

/// The client hangs up from within its handler.
fn hung_up(mcm: Twist, reading: TransferEnds) -> Report {
    let bench = bench(mcm, Twist::HangsUpReceiving, reading);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    let client = bench.a.clone();
    bench.host.spawn("sender", move || client.send());
    bench.host.run();
    bench.host.remove_adapter(&adapter);
    bench.down()
}

#[test]
fn a_call_that_ends_while_its_client_receives() {
    let report = hung_up(Twist::IndicatesLast, TransferEnds::ListsReturned);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn vc_49_a_vc_deactivated_within_an_indication() {
    let report = hung_up(Twist::IndicatesLast, TransferEnds::CallReturned);
    only(&report, &["VC-49"]);
    assert_eq!(&*report.violations[0].who, MCM);
}

/// Lists that come back with the return of the call are not back before it.
#[test]
fn vc_49_a_vc_deactivated_while_lists_are_lent() {
    let report = hung_up(Twist::IndicatesLent, TransferEnds::ListsReturned);
    only(&report, &["VC-49"]);
    assert_eq!(&*report.violations[0].who, MCM);
}
