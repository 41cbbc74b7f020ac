//! Answers to OID requests that break a rule, and the time that they take: the report names it.

use crate::common;

use common::oids::{miniport_complete, pends, within, write};
use common::{Bench, PENDING, SUCCESS, Twist, host_under, only, plain};
use ndis_host::{Adapter, OidAsk, OwnRequests, Readings};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

const MCM: &str = "raw-mcm";
const FRAMES: u32 = n::OID_GEN_CO_XMIT_PDUS_OK as u32;

fn broken(own_requests: OwnRequests, rules: &[&str], body: impl FnOnce(&Bench, &Adapter)) {
    let host = host_under(Readings {
        own_requests,
        ..plain()
    });
    for rule in rules {
        host.expect(rule);
    }
    let bench = Bench::on(host, Twist::None, Twist::None);
    let adapter = bench.up();
    body(&bench, &adapter);
    let oids = &bench.mcm.shared.oids;
    oids.answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, MCM, "{report}");
    }
}

/// It counts for the adapter, and not for its VCs.
#[test]
fn oid_23_statistics_of_the_adapter_alone() {
    for (knows, rules) in [(false, &["OID-23"][..]), (true, &[])] {
        broken(OwnRequests::CoOidRequest, rules, |bench, adapter| {
            bench.spawn("caller", |a| a.call());
            bench.mcm.shared.oids.answers(move |asked| {
                if !asked.vc.0.is_null() && !knows {
                    return n::NDIS_STATUS_NOT_SUPPORTED;
                }
                write(asked.request.0, &[0; 8]);
                SUCCESS
            });
            let vc = bench.a.shared.vc.load(SeqCst);
            bench.host.ask(adapter, OidAsk::query(FRAMES, 8));
            bench.host.ask(adapter, OidAsk::query(FRAMES, 8).of_vc(vc));
            bench.spawn("caller", |a| a.hang_up());
        });
    }
    // Whether a counter can be set, or done anything with, is another question.
    broken(OwnRequests::CoOidRequest, &[], |bench, adapter| {
        bench.spawn("caller", |a| a.call());
        bench.mcm.shared.oids.answers(|asked| {
            // SAFETY: the request of this call.
            let kind = unsafe { (*asked.request.0).RequestType };
            if kind != n::NdisRequestQueryInformation {
                return n::NDIS_STATUS_NOT_SUPPORTED;
            }
            write(asked.request.0, &[0; 8]);
            SUCCESS
        });
        let vc = bench.a.shared.vc.load(SeqCst);
        bench.host.ask(adapter, OidAsk::query(FRAMES, 8));
        for other in [
            OidAsk::set(FRAMES, [0; 8]),
            OidAsk::method(FRAMES, 0, [0; 8], 8),
            OidAsk::statistics(FRAMES, 8),
        ] {
            bench.host.ask(adapter, other.of_vc(vc));
        }
        bench.spawn("caller", |a| a.hang_up());
    });
    // What it does not know at all, it need not know of a VC.
    broken(OwnRequests::CoOidRequest, &[], |bench, adapter| {
        bench.spawn("caller", |a| a.call());
        let vc = bench.a.shared.vc.load(SeqCst);
        bench.host.ask(adapter, OidAsk::query(FRAMES, 8));
        bench.host.ask(adapter, OidAsk::query(FRAMES, 8).of_vc(vc));
        bench.spawn("caller", |a| a.hang_up());
    });
}

/// Its time is up, it is told so, and goes on.
#[test]
fn oid_26_a_request_that_outlasts_its_time() {
    broken(OwnRequests::CoOidRequest, &["OID-26"], |bench, _| {
        pends(&bench.mcm.shared.oids);
        let a = bench.a.shared.clone();
        within(&bench.host, &bench.a.driver, move || {
            let ask = common::oids::Ask::query(&a.oids, FRAMES, 8);
            ask.request().RequestId = std::ptr::without_provenance_mut(3);
            ask.request().Timeout = 2;
            let binding = a.binding.load(SeqCst);
            let none = common::oids::NO;
            assert_eq!(common::oids::co(binding, none, none, &ask), PENDING);
            a.oids.when_heard(move |_| ask.free());
        });
        assert_eq!(*bench.mcm.shared.oids.cancelled.lock().unwrap(), [3]);
        let mcm = bench.mcm.shared.clone();
        within(&bench.host, &bench.mcm.driver, move || {
            miniport_complete(mcm.adapter(), common::oids::NO, mcm.oids.last(), SUCCESS);
        });
    });
}

/// A version of three bytes.
#[test]
fn oid_30_a_version_without_halves() {
    for (bytes, rules) in [
        (&[1, 2, 3][..], &["OID-30"][..]),
        (&[1, 2], &[]),
        (&[1, 2, 0, 0], &[]),
    ] {
        broken(OwnRequests::CoOidRequest, rules, |bench, adapter| {
            bench.mcm.shared.oids.answers(move |asked| {
                write(asked.request.0, bytes);
                SUCCESS
            });
            let version = n::OID_GEN_CO_VENDOR_DRIVER_VERSION as u32;
            bench.host.ask(adapter, OidAsk::query(version, 4));
        });
    }
}

/// It sleeps where NDIS waits for it.
#[test]
fn oid_59_a_handler_that_waits() {
    let sleeps = |bench: &Bench, adapter: &Adapter| {
        bench.mcm.shared.oids.answers(|asked| {
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(1000) };
            write(asked.request.0, &[0; 4]);
            SUCCESS
        });
        let link = n::OID_GEN_CO_LINK_SPEED as u32;
        bench.host.ask(adapter, OidAsk::query(link, 8));
    };
    broken(OwnRequests::OidRequest, &["OID-59"], sleeps);
}

/// A filter of one byte is none.
#[test]
fn oid_60_a_value_that_is_too_short() {
    let filter = n::OID_GEN_CURRENT_PACKET_FILTER as u32;
    for (length, rules) in [(1, &["OID-60"][..]), (4, &[])] {
        broken(OwnRequests::CoOidRequest, rules, |bench, adapter| {
            bench.mcm.shared.oids.answers(|_| SUCCESS);
            bench
                .host
                .ask(adapter, OidAsk::set(filter, vec![0; length]));
        });
    }
    broken(OwnRequests::CoOidRequest, &["OID-60"], |bench, adapter| {
        bench.spawn("caller", |a| a.call());
        bench.mcm.shared.oids.answers(|_| SUCCESS);
        let set = n::OID_WAN_CO_SET_LINK_INFO as u32;
        let vc = bench.a.shared.vc.load(SeqCst);
        bench.host.ask(adapter, OidAsk::set(set, [0; 31]).of_vc(vc));
        bench.spawn("caller", |a| a.hang_up());
    });
}
