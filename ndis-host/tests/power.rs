//! A device that goes to sleep and comes back, one that is pulled out, and what NDIS asks a
//! miniport on its own behalf.

use crate::common;

use common::{Bench, Twist, host_under, only, plain};
use ndis_host::{EventKind, Host, OwnRequests, Readings, Report};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

const D0: i32 = n::NdisDeviceStateD0;
const D3: i32 = n::NdisDeviceStateD3;
const MCM: &str = "raw-mcm";

fn bench(mcm: Twist, client: Twist, own_requests: OwnRequests) -> Bench {
    let host = host_under(Readings {
        own_requests,
        ..plain()
    });
    Bench::on(host, mcm, client)
}

/// The callbacks of plug and play and of power from `since` on, in order, of one client.
fn callbacks(host: &Host, since: usize) -> Vec<&'static str> {
    let of_interest = [
        "ProtocolNetPnPEvent",
        "MiniportPause",
        "MiniportRestart",
        "MiniportCoOidRequest",
        "MiniportOidRequest",
        "MiniportDevicePnPEventNotify",
    ];
    let events = host.events();
    let found = events[since..].iter().filter(|event| {
        event.kind == EventKind::Callback
            && of_interest.contains(&event.name)
            && &*event.to != "client-b"
    });
    found.map(|event| event.name).collect()
}

#[test]
fn down_and_up_with_a_call() {
    for (reading, request) in [
        (OwnRequests::CoOidRequest, "MiniportCoOidRequest"),
        (OwnRequests::OidRequest, "MiniportOidRequest"),
    ] {
        let bench = bench(Twist::None, Twist::None, reading);
        let adapter = bench.up();
        bench.spawn("caller", |a| a.call());
        let before = bench.host.events().len();
        bench.host.set_power(&adapter, D3).expect("sleeps");
        let event = "ProtocolNetPnPEvent";
        assert_eq!(
            callbacks(&bench.host, before),
            [event, request, event, event, "MiniportPause", request]
        );
        assert!(bench.host.restart(&adapter).is_err(), "without power");
        let before = bench.host.events().len();
        bench.host.set_power(&adapter, D0).expect("wakes");
        assert_eq!(
            callbacks(&bench.host, before),
            [
                request,
                "MiniportDevicePnPEventNotify",
                "MiniportRestart",
                event,
                event
            ]
        );
        let (query, set) = (n::NetEventQueryPower, n::NetEventSetPower);
        let events = bench.a.shared.power.lock().unwrap().clone();
        assert_eq!(events, [(query, D3), (set, D3), (set, D0)]);
        bench.spawn("caller", |a| a.send());
        assert_eq!(bench.b.shared.received.load(SeqCst), 1);
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

#[test]
fn a_request_that_pends_is_waited_for() {
    let bench = bench(Twist::PowerPends, Twist::None, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    bench.host.set_power(&adapter, D3).expect("sleeps");
    bench.host.set_power(&adapter, D0).expect("wakes");
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

#[track_caller]
fn by(report: &Report, rule: &str, who: &[&str]) {
    only(report, &[rule]);
    for violation in &report.violations {
        assert!(who.contains(&&*violation.who), "{violation}");
    }
}

/// Down and up again; `rule` is broken by `who`.
fn broken(mcm: Twist, client: Twist, rule: &str, who: &[&str]) {
    let bench = bench(mcm, client, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    let down = bench.host.set_power(&adapter, D3);
    assert_eq!(down.is_err(), mcm == Twist::PowerRefused);
    let _ = bench.host.set_power(&adapter, D0);
    bench.host.remove_adapter(&adapter);
    by(&bench.down(), rule, who);
}

#[test]
fn dv_08_a_power_state_refused() {
    broken(Twist::PowerRefused, Twist::None, "DV-08", &[MCM]);
}

#[test]
fn oid_62_the_question_about_power_refused() {
    broken(Twist::QueryPowerRefused, Twist::None, "OID-62", &[MCM]);
}

#[test]
fn oid_14_a_request_completed_twice() {
    broken(Twist::PowerCompletedTwice, Twist::None, "OID-14", &[MCM]);
}

#[test]
fn bind_26_a_power_event_refused() {
    let clients = ["client-a", "client-b"];
    broken(Twist::None, Twist::PowerEventFails, "BIND-26", &clients);
}

#[test]
fn oid_63_a_timer_that_runs_on_without_power() {
    let bench = bench(Twist::HaltWithTimer, Twist::None, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    bench.host.set_power(&adapter, D3).expect("sleeps");
    by(&bench.host.report(), "OID-63", &[MCM]);
}

#[test]
fn pause_12_a_send_to_a_device_that_sleeps() {
    let bench = bench(Twist::None, Twist::None, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.host.set_power(&adapter, D3).expect("sleeps");
    bench.spawn("caller", |a| a.send());
    bench.host.set_power(&adapter, D0).expect("wakes");
    bench.host.remove_adapter(&adapter);
    by(&bench.down(), "PAUSE-12", &["caller"]);
}

#[test]
fn what_a_miniport_is_asked_for() {
    let oid = common::mcm::OIDS[1];
    let bench = bench(Twist::None, Twist::None, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    let answer = bench.host.query(&adapter, oid, 8).expect("answers");
    assert_eq!(answer, 1_000_000_u32.to_ne_bytes());
    // Not in the list, so it need not be known.
    let other = n::OID_GEN_CO_XMIT_PDUS_OK as u32;
    assert_eq!(
        bench.host.query(&adapter, other, 8),
        Err(n::NDIS_STATUS_NOT_SUPPORTED)
    );
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn init_30_an_oid_listed_and_unknown() {
    let oid = common::mcm::OIDS[1];
    let bench = bench(
        Twist::ListsUnknownOid,
        Twist::None,
        OwnRequests::CoOidRequest,
    );
    let adapter = bench.up();
    assert!(bench.host.query(&adapter, oid, 8).is_err());
    bench.host.remove_adapter(&adapter);
    by(&bench.down(), "INIT-30", &[MCM]);
}

#[test]
fn a_send_without_a_vc_comes_back() {
    let bench = bench(Twist::None, Twist::None, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    let status = bench.host.send_without_vc(&adapter);
    assert_eq!(status, Some(n::NDIS_STATUS_FAILURE));
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn nbl_63_a_send_without_a_vc_completed_with_another_status() {
    let bench = bench(
        Twist::BareSendRefused,
        Twist::None,
        OwnRequests::CoOidRequest,
    );
    let adapter = bench.up();
    let status = bench.host.send_without_vc(&adapter);
    assert_eq!(status, Some(n::NDIS_STATUS_NOT_SUPPORTED));
    bench.host.remove_adapter(&adapter);
    by(&bench.down(), "NBL-63", &[MCM]);
}

#[test]
fn nbl_64_a_send_without_a_vc_that_never_comes_back() {
    let bench = bench(Twist::BareSendKept, Twist::None, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    assert_eq!(bench.host.send_without_vc(&adapter), None);
    by(&bench.host.report(), "NBL-64", &[MCM]);
}

/// A device is pulled out; after the notice a frame is sent and an OID asked for.
fn pulled(mcm: Twist) -> Report {
    let bench = bench(mcm, Twist::None, OwnRequests::CoOidRequest);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    let (client, shared) = (bench.a.clone(), bench.mcm.shared.clone());
    bench.host.spawn("sender", move || {
        while !shared.asked.load(SeqCst) {
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(50) };
        }
        client.send();
    });
    bench
        .host
        .surprise_remove_asking(&adapter, common::mcm::OIDS[1]);
    bench.host.run();
    assert_eq!(bench.a.shared.sent.load(SeqCst), 1, "the frame came back");
    bench.down()
}

#[test]
fn after_the_notice_everything_is_refused() {
    let report = pulled(Twist::None);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn halt_13_a_send_after_the_notice() {
    by(&pulled(Twist::SendsAfterRemoval), "HALT-13", &[MCM]);
}

#[test]
fn halt_13_a_request_answered_after_the_notice() {
    by(&pulled(Twist::AnswersAfterRemoval), "HALT-13", &[MCM]);
}
