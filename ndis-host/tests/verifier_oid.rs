//! Drivers that break a rule of OID requests: the report names it, and the driver that did it.

use crate::common;

use common::alone::Slip;
use common::bench::{Bench as Alone, Wrong};
use common::client::Shared as ClientShared;
use common::link::Flaw;
use common::mcm::{Shared as McmShared, Vc};
use common::oids::{
    Ask, NO, Oids, agrees, co, co_complete, counts, later, mcm, miniport_complete, pends, query,
    within, write,
};
use common::{Bench, Mcm, P, PENDING, SUCCESS, Twist, host_under, only, plain, put, zeroed};
use ndis_host::{Adapter, OidAsk, OwnRequests, Readings, Report};
use ndis_sys as n;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

const FAILURE: i32 = n::NDIS_STATUS_FAILURE;
const FRAMES: u32 = n::OID_GEN_CO_XMIT_PDUS_OK as u32;
const COUNTERS: u32 = n::OID_WAN_CO_GET_STATS_INFO as u32;
const A: &str = "client-a";
const MCM: &str = "raw-mcm";

/// A client on an MCM, with a call, and what they break.
fn broken(rules: &[&str], who: &str, body: impl FnOnce(&Bench)) -> Report {
    broken_on(rules, who, |bench, _| body(bench))
}

fn broken_on(rules: &[&str], who: &str, body: impl FnOnce(&Bench, &Adapter)) -> Report {
    broken_under(OwnRequests::CoOidRequest, rules, who, body)
}

fn broken_under(
    own_requests: OwnRequests,
    rules: &[&str],
    who: &str,
    body: impl FnOnce(&Bench, &Adapter),
) -> Report {
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
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, who, "{report}");
    }
    report
}

/// Runs as the first client's own code.
fn as_client(bench: &Bench, body: impl FnOnce(&Arc<ClientShared>) + Send + 'static) {
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || body(&a));
}

/// Runs as the MCM's own code.
fn as_mcm(bench: &Bench, body: impl FnOnce(&Arc<McmShared>) + Send + 'static) {
    let mcm = bench.mcm.shared.clone();
    within(&bench.host, &bench.mcm.driver, move || body(&mcm));
}

/// Has the client free what the MCM was asked with.
fn free(bench: &Bench) {
    let asked: Vec<_> = bench
        .mcm
        .shared
        .oids
        .asked
        .lock()
        .unwrap()
        .drain(..)
        .collect();
    as_client(bench, move |_| {
        for asked in asked {
            Ask::of(asked.request).free();
        }
    });
    // As ever from here on.
    bench
        .mcm
        .shared
        .oids
        .answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
}

/// The client asks the MCM's miniport half or its other one, and is answered with `status`.
fn client_asks(bench: &Bench, of_manager: bool, ask: fn(&Arc<Oids>) -> Ask, status: i32) {
    as_client(bench, move |a| {
        let af = if of_manager { a.af.load(SeqCst) } else { NO };
        let ask = ask(&a.oids);
        assert_eq!(co(a.binding.load(SeqCst), af, NO, &ask), status);
        if status != PENDING {
            ask.free();
        }
    });
}

fn frames(owner: &Arc<Oids>) -> Ask {
    Ask::query(owner, FRAMES, 8)
}

/// What the client asks is wrong in itself, and goes nowhere.
fn refused(rule: &str, change: fn(&Ask)) {
    broken(&[rule], A, |bench| {
        agrees(&bench.mcm.shared.oids);
        as_client(bench, move |a| {
            let ask = frames(&a.oids);
            let before = query(ask.at()).InformationBuffer;
            change(&ask);
            assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), FAILURE);
            query(ask.at()).InformationBuffer = before;
            ask.free();
        });
        assert!(bench.mcm.shared.oids.asked.lock().unwrap().is_empty());
        free(bench);
    });
}

#[test]
fn oid_64_a_header_or_a_type_that_is_none() {
    refused("OID-64", |ask| ask.request().Header.Type = 0);
    refused("OID-64", |ask| ask.request().Header.Revision = 0);
    refused("OID-64", |ask| ask.request().Header.Size = 40);
    // Of the second revision, and as short as the first.
    refused("OID-64", |ask| ask.request().Header.Revision = 2);
    refused("OID-64", |ask| ask.request().RequestType = 7);
}

#[test]
fn oid_64_no_request() {
    broken(&["OID-64"], A, |bench| {
        as_client(bench, |a| {
            let binding = a.binding.load(SeqCst);
            // SAFETY: what is wrong here is the request.
            let status = unsafe { n::NdisCoOidRequest(binding, NO, NO, NO, std::ptr::null_mut()) };
            assert_eq!(status, FAILURE);
        });
    });
}

#[test]
fn oid_66_less_memory_than_the_request_says() {
    refused("OID-66", |ask| query(ask.at()).InformationBufferLength = 9);
    refused("OID-66", |ask| {
        query(ask.at()).InformationBuffer = std::ptr::null_mut();
    });
    broken(&["OID-66"], A, |bench| {
        as_client(bench, |a| {
            // SAFETY: plain pool memory.
            let short = unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 100, common::TAG) };
            let binding = a.binding.load(SeqCst);
            // SAFETY: the host looks at the memory first.
            let status = unsafe { n::NdisCoOidRequest(binding, NO, NO, NO, short.cast()) };
            assert_eq!(status, FAILURE);
            // SAFETY: allocated above.
            unsafe { n::ExFreePoolWithTag(short, common::TAG) };
        });
    });
}

#[test]
fn oid_03_paged_memory() {
    broken(&["OID-03"], A, |bench| {
        agrees(&bench.mcm.shared.oids);
        as_client(bench, |a| {
            let ask = frames(&a.oids);
            let mine = query(ask.at()).InformationBuffer;
            // SAFETY: plain pool memory.
            let paged = unsafe { n::ExAllocatePoolWithTag(n::PagedPool, 8, common::TAG) };
            query(ask.at()).InformationBuffer = paged.cast();
            assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), SUCCESS);
            query(ask.at()).InformationBuffer = mine;
            ask.free();
            // SAFETY: allocated above.
            unsafe { n::ExFreePoolWithTag(paged, common::TAG) };
        });
        bench.mcm.shared.oids.asked.lock().unwrap().clear();
        free(bench);
    });
}

#[test]
fn oid_03_a_request_made_again() {
    broken(&["OID-03"], A, |bench| {
        pends(&bench.mcm.shared.oids);
        as_client(bench, |a| {
            let ask = frames(&a.oids);
            let binding = a.binding.load(SeqCst);
            assert_eq!(co(binding, NO, NO, &ask), PENDING);
            assert_eq!(co(binding, NO, NO, &ask), FAILURE);
        });
        as_mcm(bench, |mcm| {
            miniport_complete(mcm.adapter(), NO, mcm.oids.last(), SUCCESS);
        });
        free(bench);
    });
}

/// The asker does something to a request that pends, which is then completed.
fn touched(rules: &[&str], act: fn(Ask), free_it: bool) {
    broken(rules, A, |bench| {
        pends(&bench.mcm.shared.oids);
        as_client(bench, move |a| {
            let ask = Ask::set(&a.oids, n::OID_CO_ADD_ADDRESS, 8);
            assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), PENDING);
            act(ask);
        });
        as_mcm(bench, |mcm| {
            miniport_complete(mcm.adapter(), NO, mcm.oids.last(), SUCCESS);
        });
        if !free_it {
            bench.mcm.shared.oids.asked.lock().unwrap().clear();
        }
        free(bench);
    });
}

#[test]
fn oid_03_a_request_changed_while_it_is_outstanding() {
    touched(&["OID-03"], |ask| query(ask.at()).Oid += 1, true);
    let set_id = |ask: Ask| ask.request().RequestId = std::ptr::without_provenance_mut(1);
    touched(&["OID-03"], set_id, true);
}

#[test]
fn oid_47_a_buffer_changed_while_it_is_outstanding() {
    let change = |ask: Ask| put(query(ask.at()).InformationBuffer.cast::<u8>(), 1);
    touched(&["OID-47"], change, true);
}

#[test]
fn oid_03_a_buffer_freed_while_the_request_is_outstanding() {
    broken(&["OID-03"], A, |bench| {
        pends(&bench.mcm.shared.oids);
        as_client(bench, move |a| {
            let ask = frames(&a.oids);
            assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), PENDING);
            ask.free_buffer();
        });
        as_mcm(bench, |mcm| right(mcm, false));
        let last = bench.mcm.shared.oids.last();
        as_client(bench, move |_| Ask::of(last).free_block());
        bench.mcm.shared.oids.asked.lock().unwrap().clear();
        free(bench);
    });
}

#[test]
fn oid_04_a_buffer_freed_by_the_target() {
    broken(&["OID-04"], MCM, |bench| {
        bench.mcm.shared.oids.answers(|asked| {
            Ask::of(asked.request).free_buffer();
            SUCCESS
        });
        as_client(bench, |a| {
            let ask = frames(&a.oids);
            assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), SUCCESS);
            ask.free_block();
        });
        bench.mcm.shared.oids.asked.lock().unwrap().clear();
        free(bench);
    });
}

#[test]
fn oid_06_a_party_without_a_family() {
    broken(&["OID-06"], A, |bench| {
        as_client(bench, |a| {
            let ask = frames(&a.oids);
            let party = std::ptr::dangling_mut();
            let binding = a.binding.load(SeqCst);
            // SAFETY: handles may be anything.
            let status = unsafe { n::NdisCoOidRequest(binding, NO, NO, party, ask.at()) };
            assert_eq!(status, FAILURE);
            ask.free();
        });
    });
}

#[test]
fn oid_67_the_family_or_the_vc_of_another_client() {
    for of_vc in [false, true] {
        broken(&["OID-67"], A, |bench| {
            bench.spawn("caller", |a| a.call());
            let b = bench.b.shared.clone();
            as_client(bench, move |a| {
                let ask = frames(&a.oids);
                let (af, vc) = if of_vc {
                    (NO, b.vc.load(SeqCst))
                } else {
                    (b.af.load(SeqCst), NO)
                };
                assert_eq!(co(a.binding.load(SeqCst), af, vc, &ask), FAILURE);
                if of_vc {
                    let af = a.af.load(SeqCst);
                    assert_eq!(co(a.binding.load(SeqCst), af, vc, &ask), FAILURE);
                }
                ask.free();
            });
            bench.spawn("caller", |a| a.hang_up());
        });
    }
}

/// The client asks the miniport for what is not its to be asked.
fn misdirected(rule: &str, oid: u32) {
    broken(&[rule], A, |bench| {
        as_client(bench, move |a| {
            let ask = Ask::query(&a.oids, oid, 8);
            let status = co(a.binding.load(SeqCst), NO, NO, &ask);
            assert!(matches!(status, SUCCESS | n::NDIS_STATUS_NOT_SUPPORTED));
            ask.free();
        });
    });
}

#[test]
fn oids_that_are_asked_otherwise() {
    misdirected("OID-09", n::OID_PNP_CAPABILITIES);
    misdirected("OID-41", n::OID_CO_ADD_PVC);
    misdirected("OID-42", n::OID_CO_GET_CALL_INFORMATION);
    misdirected("TAPI-08", n::OID_CO_TAPI_CM_CAPS);
}

#[test]
fn af_30_a_request_after_the_close_of_the_family() {
    broken(&["AF-30"], A, |bench| {
        as_client(bench, |a| {
            let af = a.af.load(SeqCst);
            // SAFETY: the client's own family, which has nothing.
            assert_eq!(unsafe { n::NdisClCloseAddressFamily(af) }, SUCCESS);
            let ask = frames(&a.oids);
            assert_eq!(co(a.binding.load(SeqCst), af, NO, &ask), FAILURE);
            ask.free();
            a.af.store(NO, SeqCst);
        });
    });
}

/// Rule OID-08: on no binding that is closed.
#[test]
fn bind_13_a_request_after_the_close_of_the_binding() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("BIND-13");
    let adapter = bench.up();
    bench.host.remove_adapter(&adapter);
    as_client(&bench, |a| {
        let ask = frames(&a.oids);
        assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), FAILURE);
        // SAFETY: handles may be anything.
        let status = unsafe { n::NdisOidRequest(a.binding.load(SeqCst), ask.at()) };
        assert_eq!(status, FAILURE);
        ask.free();
    });
    let report = bench.down();
    only(&report, &["BIND-13"]);
    assert!(report.is_clean(), "{report}");
    assert_eq!(&*report.expected[0].who, A);
}

#[test]
fn vc_25_a_request_of_a_vc_that_is_gone() {
    broken(&["VC-25"], A, |bench| {
        bench.spawn("caller", |a| a.call());
        let vc = P(bench.a.shared.vc.load(SeqCst));
        bench.spawn("caller", |a| a.hang_up());
        as_client(bench, move |a| {
            let vc = vc;
            let ask = frames(&a.oids);
            assert_eq!(co(a.binding.load(SeqCst), NO, vc.0, &ask), FAILURE);
            ask.free();
        });
    });
}

#[test]
fn vc_04_an_mcm_that_asks_as_a_protocol() {
    broken(&["VC-04"], MCM, |bench| {
        as_mcm(bench, |mcm| {
            let ask = frames(&mcm.oids);
            assert_eq!(co(mcm.adapter(), NO, NO, &ask), FAILURE);
            ask.free();
        });
    });
}

#[test]
fn oid_12_an_mcm_with_a_client_s_handle() {
    broken(&["OID-12"], MCM, |bench| {
        let a = bench.a.shared.clone();
        as_mcm(bench, move |own| {
            let ask = frames(&own.oids);
            assert_eq!(mcm(a.af.load(SeqCst), NO, &ask), FAILURE);
            ask.free();
        });
    });
}

#[test]
fn oid_12_the_family_of_another_mcm() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("OID-12");
    let other = Mcm::load(&bench.host, Twist::None);
    let adapter = bench.host.add_adapter(&other.driver).expect("initialize");
    bench.host.run();
    let theirs = other.shared.clone();
    as_mcm(&bench, move |own| {
        let ask = frames(&own.oids);
        assert_eq!(mcm(theirs.af(0), NO, &ask), FAILURE);
        ask.free();
    });
    bench.host.remove_adapter(&adapter);
    bench.host.unload(&other.driver);
    let report = bench.down();
    only(&report, &["OID-12"]);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn oid_68_a_vc_deleted_with_requests_of_it() {
    broken(&["OID-68"], A, |bench| {
        pends(&bench.mcm.shared.oids);
        as_client(bench, |a| {
            let context = Arc::as_ptr(a).cast_mut().cast();
            let (binding, af) = (a.binding.load(SeqCst), a.af.load(SeqCst));
            let mut vc = NO;
            // SAFETY: handles of this client.
            let status = unsafe { n::NdisCoCreateVc(binding, af, context, &raw mut vc) };
            assert_eq!(status, SUCCESS);
            let ask = frames(&a.oids);
            assert_eq!(co(binding, NO, vc, &ask), PENDING);
            // SAFETY: as above.
            let status = unsafe { n::NdisCoDeleteVc(vc) };
            assert_eq!(status, n::NDIS_STATUS_NOT_ACCEPTED);
            a.vc.store(vc, SeqCst);
        });
        complete_of_vc(bench);
        as_client(bench, |a| {
            // SAFETY: the request is over.
            assert_eq!(unsafe { n::NdisCoDeleteVc(a.vc.load(SeqCst)) }, SUCCESS);
        });
        free(bench);
    });
}

/// Completes the request of a VC that the miniport has, as it should.
fn complete_of_vc(bench: &Bench) {
    let asked = *bench
        .mcm
        .shared
        .oids
        .asked
        .lock()
        .unwrap()
        .last()
        .expect("one");
    as_mcm(bench, move |mcm| {
        let asked = asked;
        let vc = P(asked.vc.0.cast::<Vc>());
        // SAFETY: the driver's context for a live VC.
        let vc = unsafe { (*vc.0).handle.load(SeqCst) };
        miniport_complete(mcm.adapter(), vc, asked.request, SUCCESS);
    });
}

/// The client goes while what it asked the miniport is outstanding.
#[test]
fn bind_11_a_close_with_requests_outstanding() {
    let report = broken(&["BIND-11"], A, |bench| {
        pends(&bench.mcm.shared.oids);
        client_asks(bench, false, frames, PENDING);
        let mcm = bench.mcm.shared.clone();
        let a = bench.a.shared.clone();
        let request = mcm.oids.last();
        let asked: Vec<_> = mcm.oids.asked.lock().unwrap().drain(..).collect();
        a.oids.when_heard(move |_| {
            let asked = asked.clone();
            later(move || asked.iter().for_each(|asked| Ask::of(asked.request).free()));
        });
        bench.host.spawn_of(&bench.mcm.driver, "slow", move || {
            while a.unbind.load(SeqCst).is_null() {
                // SAFETY: at PASSIVE_LEVEL.
                unsafe { n::NdisMSleep(1000) };
            }
            // SAFETY: as above.
            unsafe { n::NdisMSleep(100_000) };
            miniport_complete(mcm.adapter(), NO, request, SUCCESS);
        });
        bench
            .mcm
            .shared
            .oids
            .answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
    });
    assert!(
        report.expected[0]
            .message
            .contains("1 requests outstanding")
    );
}

/// The same, and the miniport never completes it: NDIS does not wait for ever.
#[test]
fn oid_14_a_request_of_the_miniport_that_is_never_completed() {
    never_completed(OwnRequests::CoOidRequest, "OID-14", false);
}

#[test]
fn oid_58_a_plain_request_that_is_never_completed() {
    never_completed(OwnRequests::OidRequest, "OID-58", true);
}

fn never_completed(reading: OwnRequests, rule: &str, plainly: bool) {
    let bench = Bench::on(
        host_under(Readings {
            own_requests: reading,
            ..plain()
        }),
        Twist::None,
        Twist::None,
    );
    for rule in [rule, "BIND-11"] {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    pends(&bench.mcm.shared.oids);
    as_client(&bench, move |a| {
        let ask = Ask::query(&a.oids, n::OID_GEN_STATISTICS as u32, 8);
        let binding = a.binding.load(SeqCst);
        let status = if plainly {
            // SAFETY: the client's own binding, and a request that stays.
            unsafe { n::NdisOidRequest(binding, ask.at()) }
        } else {
            co(binding, NO, NO, &ask)
        };
        assert_eq!(status, PENDING);
    });
    let asked: Vec<_> = bench
        .mcm
        .shared
        .oids
        .asked
        .lock()
        .unwrap()
        .drain(..)
        .collect();
    bench.a.shared.oids.when_heard(move |heard| {
        assert_eq!(heard.status, n::NDIS_STATUS_REQUEST_ABORTED);
        let asked = asked.clone();
        later(move || asked.iter().for_each(|asked| Ask::of(asked.request).free()));
    });
    bench.host.remove_adapter(&adapter);
    assert_eq!(bench.a.shared.oids.heard.lock().unwrap().len(), 1);
    let report = bench.down();
    only(&report, &[rule, "BIND-11"]);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        let who = if violation.rule == rule { MCM } else { A };
        assert_eq!(&*violation.who, who, "{report}");
    }
}

/// A family goes, and with it what its call manager was asked and has not answered.
#[test]
fn oid_14_a_request_of_a_call_manager_that_is_never_completed() {
    let report = broken(&["OID-14"], MCM, |bench| {
        pends(&bench.mcm.shared.oids);
        client_asks(bench, true, frames, PENDING);
        let open = bench.host.report().unanswered;
        assert_eq!(
            open,
            ["NdisMCmOidRequestComplete of OID request 1 by raw-mcm"]
        );
        let asked = bench.mcm.shared.oids.asked.lock().unwrap().clone();
        let a = bench.a.shared.clone();
        let driver = bench.a.driver;
        bench
            .mcm
            .shared
            .oids
            .answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
        // The client closes its family, and gives the memory up.
        within(&bench.host, &driver, move || {
            let af = a.af.swap(NO, SeqCst);
            // SAFETY: the client's own family, which has nothing.
            assert_eq!(unsafe { n::NdisClCloseAddressFamily(af) }, SUCCESS);
            asked.iter().for_each(|asked| Ask::of(asked.request).free());
        });
    });
    let message = &report.expected[0].message;
    assert!(message.contains("was never completed with NdisMCmOidRequestComplete"));
}

#[test]
fn oid_17_a_request_that_a_client_never_completes() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("OID-17");
    let adapter = bench.up();
    for client in [&bench.a, &bench.b] {
        pends(&client.shared.oids);
    }
    as_mcm(&bench, |own| {
        let ask = Ask::set(&own.oids, n::OID_CO_SIGNALING_ENABLED, 0);
        assert_eq!(mcm(own.af(0), NO, &ask), PENDING);
    });
    let asked = [&bench.a, &bench.b].map(|client| client.shared.oids.asked.lock().unwrap().clone());
    let (client, name) = if asked[0].is_empty() {
        (&bench.b, "client-b")
    } else {
        (&bench.a, A)
    };
    let shared = client.shared.clone();
    within(&bench.host, &client.driver, move || {
        let sap = shared.sap.swap(NO, SeqCst);
        if !sap.is_null() {
            // SAFETY: the client's own SAP.
            assert_eq!(unsafe { n::NdisClDeregisterSap(sap) }, SUCCESS);
        }
        let af = shared.af.swap(NO, SeqCst);
        // SAFETY: the client's own family, which has nothing.
        assert_eq!(unsafe { n::NdisClCloseAddressFamily(af) }, SUCCESS);
    });
    as_mcm(&bench, move |_| {
        for asked in asked.iter().flatten() {
            Ask::of(asked.request).free();
        }
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["OID-17"]);
    assert_eq!(&*report.expected[0].who, name, "{report}");
}

/// The MCM ends the request that pends, wrongly, and then once more as it should.
fn ended(rules: &[&str], of_manager: bool, wrongly: fn(&McmShared)) {
    broken(rules, MCM, |bench| {
        pends(&bench.mcm.shared.oids);
        client_asks(bench, of_manager, frames, PENDING);
        as_mcm(bench, move |mcm| wrongly(mcm));
        assert_eq!(bench.a.shared.oids.heard.lock().unwrap().len(), 1);
        free(bench);
    });
}

fn right(mcm: &McmShared, of_manager: bool) {
    let request = mcm.oids.last();
    if of_manager {
        // One of the two.
        for client in 0..2 {
            if mcm.is_of(client, mcm.oids.asked.lock().unwrap()[0].contexts[0]) {
                co_complete(mcm.af(client), NO, request, SUCCESS);
            }
        }
    } else {
        miniport_complete(mcm.adapter(), NO, request, SUCCESS);
    }
}

#[test]
fn oid_14_completed_twice() {
    ended(&["OID-14"], false, |mcm| {
        right(mcm, false);
        right(mcm, false);
    });
    ended(&["OID-14"], true, |mcm| {
        right(mcm, true);
        right(mcm, true);
    });
}

#[test]
fn oid_14_completed_with_the_function_of_the_other_half() {
    ended(&["OID-14"], false, |mcm| {
        co_complete(mcm.af(0), NO, mcm.oids.last(), SUCCESS);
        right(mcm, false);
    });
    ended(&["OID-14"], true, |mcm| {
        miniport_complete(mcm.adapter(), NO, mcm.oids.last(), SUCCESS);
        right(mcm, true);
    });
}

#[test]
fn oid_16_pending_as_the_final_status() {
    ended(&["OID-16"], false, |mcm| {
        miniport_complete(mcm.adapter(), NO, mcm.oids.last(), PENDING);
        right(mcm, false);
    });
    ended(&["OID-16"], true, |mcm| {
        for client in 0..2 {
            if mcm.is_of(client, mcm.oids.asked.lock().unwrap()[0].contexts[0]) {
                co_complete(mcm.af(client), NO, mcm.oids.last(), PENDING);
            }
        }
        right(mcm, true);
    });
}

#[test]
fn oid_15_contexts_in_the_place_of_handles() {
    ended(&["OID-15"], true, |mcm| {
        let context = mcm.oids.asked.lock().unwrap()[0].contexts[0];
        let context = std::ptr::without_provenance_mut(context);
        co_complete(context, NO, mcm.oids.last(), SUCCESS);
    });
}

#[test]
fn oid_18_the_wrong_vc() {
    broken(&["OID-18"], MCM, |bench| {
        bench.spawn("caller", |a| a.call());
        pends(&bench.mcm.shared.oids);
        as_client(bench, |a| {
            let ask = frames(&a.oids);
            let (binding, vc) = (a.binding.load(SeqCst), a.vc.load(SeqCst));
            assert_eq!(co(binding, NO, vc, &ask), PENDING);
        });
        as_mcm(bench, |mcm| {
            miniport_complete(mcm.adapter(), NO, mcm.oids.last(), SUCCESS);
        });
        free(bench);
        bench.spawn("caller", |a| a.hang_up());
    });
}

#[test]
fn gen_01_a_completion_under_a_spin_lock() {
    ended(&["GEN-01"], false, |mcm| {
        let mut lock: n::KSPIN_LOCK = 0;
        // SAFETY: a lock for the time of this function.
        let irql = unsafe { n::KeAcquireSpinLockRaiseToDpc(&raw mut lock) };
        right(mcm, false);
        // SAFETY: held.
        unsafe { n::KeReleaseSpinLock(&raw mut lock, irql) };
    });
}

#[test]
fn gen_02_completed_and_answered() {
    broken(&["GEN-02"], MCM, |bench| {
        let mcm = bench.mcm.shared.clone();
        bench.mcm.shared.oids.answers(move |asked| {
            miniport_complete(mcm.adapter(), NO, asked.request, SUCCESS);
            SUCCESS
        });
        client_asks(bench, false, frames, PENDING);
        free(bench);
    });
}

/// The MCM's halves answer at once, and wrongly.
fn answered(
    rule: &str,
    of_manager: bool,
    ask: fn(&Arc<Oids>) -> Ask,
    how: fn(P<n::NDIS_OID_REQUEST>) -> i32,
) {
    broken(&[rule], MCM, |bench| {
        bench
            .mcm
            .shared
            .oids
            .answers(move |asked| how(asked.request));
        as_client(bench, move |a| {
            let af = if of_manager { a.af.load(SeqCst) } else { NO };
            let ask = ask(&a.oids);
            co(a.binding.load(SeqCst), af, NO, &ask);
            ask.free();
        });
        bench.mcm.shared.oids.asked.lock().unwrap().clear();
        free(bench);
    });
}

#[test]
fn oid_65_more_than_there_is_room_for() {
    for of_manager in [false, true] {
        answered("OID-65", of_manager, frames, |request| {
            counts(request.0, 9, 0);
            SUCCESS
        });
    }
    let set = |owner: &Arc<Oids>| Ask::set(owner, n::OID_CO_ADD_ADDRESS, 4);
    answered("OID-65", true, set, |request| {
        counts(request.0, 5, 0);
        SUCCESS
    });
}

#[test]
fn oid_21_too_short_and_no_word_of_how_long() {
    answered("OID-21", false, frames, |_| n::NDIS_STATUS_BUFFER_TOO_SHORT);
    let empty = |owner: &Arc<Oids>| Ask::query(owner, FRAMES, 0);
    answered("OID-21", true, empty, |_| n::NDIS_STATUS_INVALID_LENGTH);
}

#[test]
fn oid_22_a_call_manager_that_says_invalid_oid() {
    answered("OID-22", true, frames, |_| n::NDIS_STATUS_INVALID_OID);
}

#[test]
fn status_05_a_status_that_no_page_allows() {
    answered("STATUS-05", false, frames, |_| {
        n::NDIS_STATUS_INDICATION_REQUIRED
    });
}

#[test]
fn oid_27_a_question_for_the_time_that_pends() {
    broken(&["OID-27"], MCM, |bench| {
        pends(&bench.mcm.shared.oids);
        let time = |owner: &Arc<Oids>| Ask::query(owner, n::OID_GEN_CO_GET_NETCARD_TIME as u32, 16);
        client_asks(bench, false, time, PENDING);
        as_mcm(bench, |mcm| right(mcm, false));
        free(bench);
    });
}

#[test]
fn answers_that_their_oids_do_not_allow() {
    let list = |owner: &Arc<Oids>| Ask::query(owner, n::OID_GEN_CO_SUPPORTED_LIST as u32, 8);
    answered("OID-28", false, list, |request| {
        write(request.0, &[2_u32, 1].map(u32::to_ne_bytes).concat());
        SUCCESS
    });
    let speed = |owner: &Arc<Oids>| Ask::query(owner, n::OID_GEN_CO_LINK_SPEED as u32, 8);
    answered("OID-29", false, speed, |request| {
        write(request.0, &[0; 4]);
        SUCCESS
    });
    let vendor = |owner: &Arc<Oids>| Ask::query(owner, n::OID_GEN_CO_VENDOR_ID as u32, 8);
    answered("OID-31", false, vendor, |request| {
        write(request.0, &[0; 3]);
        SUCCESS
    });
    let options = |owner: &Arc<Oids>| Ask::query(owner, n::OID_GEN_CO_MAC_OPTIONS as u32, 4);
    answered("OID-32", false, options, |request| {
        write(request.0, &n::NDIS_MAC_OPTION_RESERVED.to_ne_bytes());
        SUCCESS
    });
    let guids = |owner: &Arc<Oids>| Ask::query(owner, n::OID_GEN_CO_SUPPORTED_GUIDS as u32, 28);
    answered("OID-34", false, guids, |request| {
        write(request.0, &[0; size_of::<n::NDIS_GUID>()]);
        SUCCESS
    });
}

/// Those of the page, or those of the header.
#[test]
fn wan_07_counters_of_no_known_size() {
    let counters = |owner: &Arc<Oids>| Ask::query(owner, COUNTERS, 200);
    for wrong in [
        (|request| {
            write(request.0, &[0; 60]);
            SUCCESS
        }) as fn(P<n::NDIS_OID_REQUEST>) -> i32,
        |request| {
            write(request.0, &[0; 200]);
            SUCCESS
        },
    ] {
        answered("WAN-07", false, counters, wrong);
    }
    broken(&[], MCM, |bench| {
        let oids = &bench.mcm.shared.oids;
        oids.answers(|asked| {
            let length = query(asked.request.0).InformationBufferLength;
            write(asked.request.0, &vec![0; length as usize]);
            SUCCESS
        });
        as_client(bench, |a| {
            for length in [56, 116] {
                let ask = Ask::query(&a.oids, COUNTERS, length);
                assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), SUCCESS);
                ask.free();
            }
        });
        bench.mcm.shared.oids.asked.lock().unwrap().clear();
        free(bench);
    });
}

#[test]
fn oid_24_what_is_mandatory_and_not_known() {
    broken_on(&["OID-24", "INIT-30"], MCM, |bench, adapter| {
        let known = |asked: common::oids::Asked| {
            // Two of them it knows.
            let known = [n::OID_GEN_CO_VENDOR_ID as u32, FRAMES];
            if known.contains(&asked.oid) {
                write(asked.request.0, &[0; 4]);
                return SUCCESS;
            }
            n::NDIS_STATUS_NOT_SUPPORTED
        };
        bench.mcm.shared.oids.answers(known);
        // What is listed and not known breaks another rule as well.
        let answers = bench.host.ask_mandatory(adapter);
        assert_eq!(answers.len(), 17);
        let unknown = answers
            .iter()
            .filter(|(_, answer)| answer.status != SUCCESS);
        assert_eq!(unknown.count(), 15);
    });
}

#[test]
fn oid_25_a_request_that_pends_on_after_its_cancellation() {
    broken(&["OID-25"], MCM, |bench| {
        pends(&bench.mcm.shared.oids);
        as_client(bench, |a| {
            let id = std::ptr::without_provenance_mut::<c_void>(3);
            let ask = frames(&a.oids);
            ask.request().RequestId = id;
            let binding = a.binding.load(SeqCst);
            assert_eq!(co(binding, NO, NO, &ask), PENDING);
            // SAFETY: the client's own binding.
            unsafe { n::NdisCancelOidRequest(binding, id) };
        });
        assert_eq!(*bench.mcm.shared.oids.cancelled.lock().unwrap(), [3]);
        as_mcm(bench, |mcm| right(mcm, false));
        free(bench);
    });
}

/// Two clients have taken an order of their call manager's, and do not follow it.
fn undutiful(rule: &str, oid: u32, dutiful: bool) {
    let bench = Bench::new(Twist::None, Twist::None);
    if !dutiful {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    for client in [&bench.a, &bench.b] {
        let own = client.shared.clone();
        client.shared.oids.answers(move |asked| {
            if dutiful && asked.oid == n::OID_CO_ADDRESS_CHANGE {
                let own = own.clone();
                later(move || {
                    let ask = Ask::query(&own.oids, n::OID_CO_GET_ADDRESSES, 64);
                    let (binding, af) = (own.binding.load(SeqCst), own.af.load(SeqCst));
                    co(binding, af, NO, &ask);
                    ask.free();
                });
            }
            SUCCESS
        });
    }
    as_mcm(&bench, move |own| {
        for client in 0..2 {
            let ask = Ask::set(&own.oids, oid, 0);
            assert_eq!(mcm(own.af(client), NO, &ask), SUCCESS);
            ask.free();
        }
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    let rules: &[&str] = if dutiful { &[] } else { &[rule] };
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert!(violation.who.starts_with("client-"), "{report}");
    }
}

#[test]
fn oid_37_a_client_that_does_not_ask_for_its_addresses() {
    undutiful("OID-37", n::OID_CO_ADDRESS_CHANGE, false);
    undutiful("OID-37", n::OID_CO_ADDRESS_CHANGE, true);
}

#[test]
fn oid_40_a_client_that_keeps_its_family() {
    undutiful("OID-40", n::OID_CO_AF_CLOSE, false);
}

/// A request of NdisOidRequest that the miniport ends wrongly.
fn plainly(rules: &[&str], wrongly: fn(&McmShared)) {
    broken_under(OwnRequests::OidRequest, rules, MCM, |bench, _| {
        pends(&bench.mcm.shared.oids);
        as_client(bench, |a| {
            let ask = Ask::query(&a.oids, n::OID_GEN_STATISTICS as u32, 8);
            // SAFETY: the client's own binding, and a request that stays.
            let status = unsafe { n::NdisOidRequest(a.binding.load(SeqCst), ask.at()) };
            assert_eq!(status, PENDING);
        });
        as_mcm(bench, move |mcm| wrongly(mcm));
        assert_eq!(bench.a.shared.oids.heard.lock().unwrap().len(), 1);
        free(bench);
    });
}

fn complete_plainly(mcm: &McmShared) {
    // SAFETY: handles may be anything, and so may a request.
    unsafe { n::NdisMOidRequestComplete(mcm.adapter(), mcm.oids.last().0, SUCCESS) };
}

#[test]
fn oid_58_a_plain_request_ended_wrongly() {
    plainly(&["OID-58"], |mcm| {
        complete_plainly(mcm);
        complete_plainly(mcm);
    });
    plainly(&["OID-58"], |mcm| {
        miniport_complete(mcm.adapter(), NO, mcm.oids.last(), SUCCESS);
        complete_plainly(mcm);
    });
}

#[test]
fn dv_09_a_plain_request_that_takes_too_long() {
    plainly(&["DV-09"], |mcm| {
        // SAFETY: at PASSIVE_LEVEL.
        unsafe { n::NdisMSleep(13_000_000) };
        complete_plainly(mcm);
    });
}

fn alone(rules: &[&str]) -> Alone {
    let wrong = Wrong {
        flaw: Flaw::None,
        pends: false,
        slip: Slip::None,
        twist: Twist::None,
    };
    Alone::new(wrong, rules)
}

/// Rule OID-17 of a stand-alone call manager and of its miniport's OID-14.
#[test]
fn oid_17_a_stand_alone_call_manager_that_completes_twice() {
    let bench = alone(&["OID-17"]);
    pends(&bench.alone.shared.oids);
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let ask = frames(&a.oids);
        let (binding, af) = (a.binding.load(SeqCst), a.af.load(SeqCst));
        assert_eq!(co(binding, af, NO, &ask), PENDING);
    });
    let manager = bench.alone.shared.clone();
    let last = manager.oids.last();
    within(&bench.host, &bench.alone.driver, move || {
        let context = manager.oids.asked.lock().unwrap()[0].contexts[0];
        let af = manager.handle_of(context);
        for _ in 0..2 {
            co_complete(af, NO, last, SUCCESS);
        }
    });
    within(&bench.host, &bench.a.driver, move || Ask::of(last).free());
    let report = bench.down();
    only(&report, &["OID-17"]);
    assert!(report.is_clean(), "{report}");
    assert_eq!(&*report.expected[0].who, "raw-alone");
}

#[test]
fn oid_67_the_family_of_a_client_s_other_call_manager() {
    let bench = alone(&["OID-67"]);
    let b = bench.b.shared.clone();
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let ask = frames(&a.oids);
        let (binding, af) = (a.binding.load(SeqCst), b.af.load(SeqCst));
        assert_eq!(co(binding, af, NO, &ask), FAILURE);
        ask.free();
    });
    let report = bench.down();
    only(&report, &["OID-67"]);
    assert!(report.is_clean(), "{report}");
}

/// Rule VC-27: the other party of a VC lets it go with requests of its own.
#[test]
fn vc_27_a_deletion_accepted_with_requests_outstanding() {
    let bench = Bench::new(Twist::None, Twist::None);
    for rule in ["VC-27", "OID-17"] {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    pends(&bench.a.shared.oids);
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let context = Arc::as_ptr(&a).cast_mut().cast();
        let (binding, af) = (a.binding.load(SeqCst), a.af.load(SeqCst));
        let mut vc = NO;
        // SAFETY: handles of this client.
        let status = unsafe { n::NdisCoCreateVc(binding, af, context, &raw mut vc) };
        assert_eq!(status, SUCCESS);
        a.vc.store(vc, SeqCst);
        let ask = frames(&a.oids);
        assert_eq!(co(binding, NO, vc, &ask), n::NDIS_STATUS_NOT_SUPPORTED);
        ask.free();
    });
    let seen = bench.mcm.shared.clone();
    seen.oids.answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let ask = frames(&a.oids);
        let (binding, vc) = (a.binding.load(SeqCst), a.vc.load(SeqCst));
        assert_eq!(co(binding, NO, vc, &ask), n::NDIS_STATUS_NOT_SUPPORTED);
        ask.free();
    });
    let context = seen.oids.asked.lock().unwrap().last().expect("asked").vc;
    as_mcm(&bench, move |own| {
        let context = context;
        let vc = P(context.0.cast::<Vc>());
        // SAFETY: the driver's context for a live VC.
        let vc = unsafe { &*vc.0 };
        let (af, vc) = (vc.family(), vc.handle.load(SeqCst));
        let ask = frames(&own.oids);
        assert_eq!(mcm(af, vc, &ask), PENDING);
    });
    let a = bench.a.shared.clone();
    let request = a.oids.last();
    within(&bench.host, &bench.a.driver, move || {
        // SAFETY: the client's own VC, which has no call.
        assert_eq!(unsafe { n::NdisCoDeleteVc(a.vc.load(SeqCst)) }, SUCCESS);
    });
    as_mcm(&bench, move |_| Ask::of(request).free());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, &["VC-27", "OID-17"]);
    for violation in &report.expected {
        let who = if violation.rule == "VC-27" { MCM } else { A };
        assert_eq!(&*violation.who, who, "{report}");
    }
}

/// At the end of a host, too, what was never completed has a name.
#[test]
fn a_host_that_ends_with_requests_outstanding() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.up();
    pends(&bench.mcm.shared.oids);
    client_asks(&bench, false, frames, PENDING);
    let report = bench.host.finish();
    assert_eq!(report.rules(), ["OID-14"]);
    assert_eq!(&*report.violations[0].who, MCM);
}

/// What a test asks on NDIS's behalf is looked at in the same way.
#[test]
fn oid_65_an_answer_to_ndis() {
    broken_on(&["OID-65"], MCM, |bench, adapter| {
        bench.mcm.shared.oids.answers(|asked| {
            counts(asked.request.0, 100, 0);
            SUCCESS
        });
        let answer = bench.host.ask(adapter, OidAsk::query(FRAMES, 8));
        assert_eq!((answer.status, answer.written), (SUCCESS, 8));
        bench.mcm.shared.oids.asked.lock().unwrap().clear();
        bench
            .mcm
            .shared
            .oids
            .answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
    });
}

#[test]
fn oid_14_a_request_that_never_was() {
    broken(&["OID-14"], MCM, |bench| {
        as_mcm(bench, |mcm| {
            let mut none: n::NDIS_OID_REQUEST = zeroed();
            miniport_complete(mcm.adapter(), NO, P(&raw mut none), SUCCESS);
        });
    });
}
