//! OID requests between drivers that are right: each goes to the handler that its handles
//! name, with that driver's contexts, and comes back with the asker's.

use crate::common;

use common::alone::Slip;
use common::bench::{Bench as Alone, Wrong};
use common::link::Flaw;
use common::oids::{
    Ask, Heard, NO, agrees, co, co_complete, counts, indicate, indication, mcm, method,
    miniport_complete, pends, query, within, write,
};
use common::{Bench, P, PENDING, SUCCESS, Twist, host_under, plain};
use ndis_host::{EventKind, Host, NotifyClose, OidAsk, OwnRequests, Readings};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

const NOT_SUPPORTED: i32 = n::NDIS_STATUS_NOT_SUPPORTED;
const FRAMES: u32 = n::OID_GEN_CO_XMIT_PDUS_OK as u32;
const ADDRESSES: u32 = n::OID_CO_GET_ADDRESSES;

/// The statuses that a test's asks have returned.
type Statuses = Arc<Mutex<Vec<i32>>>;

fn alone(pends: bool) -> Alone {
    let wrong = Wrong {
        flaw: Flaw::None,
        pends,
        slip: Slip::None,
        twist: Twist::None,
    };
    Alone::new(wrong, &[])
}

/// The callbacks that were made from a point on, by name.
fn callbacks(host: &Host, since: usize, names: &[&str]) -> Vec<(&'static str, String)> {
    let events = host.events();
    let found = events[since..]
        .iter()
        .filter(|event| event.kind == EventKind::Callback && names.contains(&event.name));
    found
        .map(|event| (event.name, event.to.to_string()))
        .collect()
}

const ALL: [&str; 5] = [
    "MiniportCoOidRequest",
    "MiniportOidRequest",
    "ProtocolCoOidRequest",
    "ProtocolCoOidRequestComplete",
    "ProtocolOidRequestComplete",
];

/// Rule OID-05, OID-13: a NULL family is the miniport, a family its call manager.
#[test]
fn a_client_asks_both_halves_of_an_mcm() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.mcm.shared.oids.answers(|asked| {
        write(asked.request.0, &[7; 4]);
        SUCCESS
    });
    let before = bench.host.events().len();
    let a = bench.a.clone();
    within(&bench.host, &bench.a.driver, move || {
        let shared = &a.shared;
        let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
        for af in [NO, af] {
            let ask = Ask::query(&shared.oids, FRAMES, 4);
            assert_eq!(co(binding, af, NO, &ask), SUCCESS);
            assert_eq!(ask.written(), 4);
            ask.free();
        }
    });
    let mcm = String::from("raw-mcm");
    assert_eq!(
        callbacks(&bench.host, before, &ALL),
        [
            ("MiniportCoOidRequest", mcm.clone()),
            ("ProtocolCoOidRequest", mcm)
        ]
    );
    let asked = bench.mcm.shared.oids.asked.lock().unwrap().clone();
    assert_eq!(
        asked[0].contexts[0],
        bench.mcm.shared.nic.load(SeqCst).addr()
    );
    assert_ne!(asked[1].contexts[0], asked[0].contexts[0], "of the family");
    assert!(asked.iter().all(|asked| asked.contexts[1..] == [0, 0]));
    // OID-01: an answer by the return value is all.
    assert!(bench.a.shared.oids.heard.lock().unwrap().is_empty());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule OID-07, OID-23: of a VC, with the contexts of that VC; OID-45: the asker hears with a
/// NULL context for a family that it did not name.
#[test]
fn of_a_vc_and_pended() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    pends(&bench.mcm.shared.oids);
    let a = bench.a.clone();
    let context = Arc::as_ptr(&a.shared).addr();
    let shared = a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
        let vc = shared.vc.load(SeqCst);
        for (af, vc) in [(NO, NO), (NO, vc), (af, vc)] {
            let ask = Ask::query(&shared.oids, FRAMES, 4);
            assert_eq!(co(binding, af, vc, &ask), PENDING);
        }
    });
    let open = bench.host.report().unanswered;
    assert_eq!(open.len(), 3, "OID-19: {open:?}");
    assert!(open[0].starts_with("NdisMCoOidRequestComplete of OID request"));
    assert!(open[2].starts_with("NdisMCmOidRequestComplete of OID request"));
    let asked = bench.mcm.shared.oids.asked.lock().unwrap().clone();
    assert_eq!(asked[0].contexts[1], 0);
    assert_ne!(asked[1].contexts[1], 0);
    assert_eq!(asked[1].contexts[1], asked[2].contexts[1], "VC-09");
    let mcm = bench.mcm.shared.clone();
    let up = P(asked[1].vc.0.cast::<common::mcm::Vc>());
    let client = bench.a.shared.clone();
    within(&bench.host, &bench.mcm.driver, {
        let mcm = mcm.clone();
        move || {
            let up = up;
            // SAFETY: a live VC of this driver.
            let handle = unsafe { (*up.0).handle.load(SeqCst) };
            let adapter = mcm.adapter();
            miniport_complete(adapter, NO, asked[0].request, SUCCESS);
            miniport_complete(adapter, handle, asked[1].request, SUCCESS);
            let found = (0..2).map(|which| mcm.af(which)).find(|af| {
                // SAFETY: the VC's family.
                let of = unsafe { (*up.0).family() };
                *af == of
            });
            co_complete(found.expect("one"), handle, asked[2].request, SUCCESS);
        }
    });
    let heard = client.oids.heard.lock().unwrap().clone();
    let contexts: Vec<[usize; 3]> = heard.iter().map(|heard| heard.contexts).collect();
    assert_eq!(
        contexts,
        [[0, 0, 0], [0, context, 0], [context, context, 0]]
    );
    free_all(&bench.host, &bench.a, &bench.mcm.shared.oids);
    bench.spawn("caller", |a| a.hang_up());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Frees what a client has asked a driver with.
fn free_all(host: &Host, client: &common::Client, of: &common::oids::Oids) {
    let requests: Vec<_> = of.asked.lock().unwrap().drain(..).collect();
    within(host, &client.driver, move || {
        for asked in requests {
            Ask::of(asked.request).free();
        }
    });
}

/// Rule OID-02: the completion comes before the call has returned.
#[test]
fn completed_within_the_handler() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    let mcm = bench.mcm.shared.clone();
    mcm.clone().oids.answers(move |asked| {
        write(asked.request.0, &[1; 8]);
        miniport_complete(mcm.adapter(), NO, asked.request, SUCCESS);
        PENDING
    });
    let a = bench.a.clone();
    let heard = Arc::new(Mutex::new(0));
    within(&bench.host, &bench.a.driver, {
        let (a, heard) = (a.clone(), heard.clone());
        move || {
            let ask = Ask::query(&a.shared.oids, FRAMES, 8);
            assert_eq!(co(a.shared.binding.load(SeqCst), NO, NO, &ask), PENDING);
            *heard.lock().unwrap() = a.shared.oids.heard.lock().unwrap().len();
            ask.free();
        }
    });
    assert_eq!(*heard.lock().unwrap(), 1, "before the return");
    let end = Heard {
        contexts: [0; 3],
        oid: FRAMES,
        status: SUCCESS,
    };
    assert_eq!(*a.shared.oids.heard.lock().unwrap(), [end]);
    bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule OID-12: an MCM asks a client, which answers now or later.
#[test]
fn an_mcm_asks_its_clients() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    for client in [&bench.a, &bench.b] {
        let shared = client.shared.clone();
        client.shared.oids.answers(move |asked| {
            if asked.oid == ADDRESSES {
                return SUCCESS;
            }
            let (af, request) = (P(shared.af.load(SeqCst)), asked.request);
            common::oids::later(move || {
                let af = af;
                co_complete(af.0, NO, request, SUCCESS);
            });
            PENDING
        });
    }
    let mcm_shared = bench.mcm.shared.clone();
    let statuses = Statuses::default();
    within(&bench.host, &bench.mcm.driver, {
        let (mcm_shared, statuses) = (mcm_shared.clone(), statuses.clone());
        move || {
            for oid in [ADDRESSES, n::OID_CO_SIGNALING_ENABLED] {
                for client in 0..2 {
                    let ask = Ask::set(&mcm_shared.oids, oid, 0);
                    let status = mcm(mcm_shared.af(client), NO, &ask);
                    statuses.lock().unwrap().push(status);
                    if status != PENDING {
                        ask.free();
                    }
                }
            }
        }
    });
    assert_eq!(
        *statuses.lock().unwrap(),
        [SUCCESS, SUCCESS, PENDING, PENDING]
    );
    let heard = mcm_shared.oids.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2);
    assert!(heard.iter().all(|heard| heard.contexts[0] != 0));
    let mut requests: Vec<_> = Vec::new();
    for client in [&bench.a, &bench.b] {
        let asked = client.shared.oids.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0].contexts[0], Arc::as_ptr(&client.shared).addr());
        requests.push(asked[1].request);
    }
    within(&bench.host, &bench.mcm.driver, move || {
        for request in requests {
            Ask::of(request).free();
        }
    });
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// A stand-alone call manager and its client ask each other, and both the miniport.
#[test]
fn a_stand_alone_call_manager() {
    let bench = alone(false);
    bench.link.shared.oids.answers(|_| SUCCESS);
    bench.alone.shared.oids.answers(|_| SUCCESS);
    for client in [&bench.a, &bench.b] {
        agrees(&client.shared.oids);
    }
    let before = bench.host.events().len();
    let manager = bench.alone.shared.clone();
    within(&bench.host, &bench.alone.driver, {
        let manager = manager.clone();
        move || {
            let binding = manager.binding.load(SeqCst);
            let own = manager.own_vc();
            for (af, vc) in [(manager.af(0), NO), (NO, NO), (NO, own)] {
                let ask = Ask::set(&manager.oids, n::OID_CO_SIGNALING_ENABLED, 0);
                assert_eq!(co(binding, af, vc, &ask), SUCCESS);
                ask.free();
            }
        }
    });
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, {
        let a = a.clone();
        move || {
            for af in [a.af.load(SeqCst), NO] {
                let ask = Ask::set(&a.oids, n::OID_CO_ADD_ADDRESS, 0);
                assert_eq!(co(a.binding.load(SeqCst), af, NO, &ask), SUCCESS);
                ask.free();
            }
        }
    });
    let doors: Vec<_> = callbacks(&bench.host, before, &ALL);
    let names: Vec<_> = doors.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "ProtocolCoOidRequest",
            "MiniportCoOidRequest",
            "MiniportCoOidRequest",
            "ProtocolCoOidRequest",
            "MiniportCoOidRequest"
        ]
    );
    assert!(doors[0].1.starts_with("client-"));
    assert_eq!(doors[3].1, "raw-alone");
    let asked = bench.link.shared.oids.asked.lock().unwrap().clone();
    assert_eq!(asked[0].contexts[1], 0);
    assert_ne!(asked[1].contexts[1], 0, "the miniport's context of its VC");
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule REG-37: a call manager does not hear at the handler of its registration.
#[test]
fn a_plain_request_of_a_call_manager() {
    let bench = alone(false);
    let link = bench.link.shared.clone();
    link.clone().oids.answers(move |asked| {
        let (link, request) = (link.clone(), asked.request);
        common::oids::later(move || miniport_complete(link.adapter(), NO, request, SUCCESS));
        PENDING
    });
    let manager = bench.alone.shared.clone();
    within(&bench.host, &bench.alone.driver, {
        let manager = manager.clone();
        move || {
            let ask = Ask::query(&manager.oids, n::OID_GEN_STATISTICS as u32, 8);
            let binding = manager.binding.load(SeqCst);
            // SAFETY: the driver's own binding, and a request that stays.
            assert_eq!(unsafe { n::NdisOidRequest(binding, ask.at()) }, PENDING);
        }
    });
    let end = Heard {
        contexts: [0; 3],
        oid: n::OID_GEN_STATISTICS as u32,
        status: SUCCESS,
    };
    assert_eq!(*manager.oids.heard.lock().unwrap(), [end]);
    let last = bench.link.shared.oids.last();
    within(&bench.host, &bench.alone.driver, move || {
        Ask::of(last).free();
    });
    bench.link.shared.oids.answers(|_| NOT_SUPPORTED);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// What is no connection-oriented request goes where the reading says, and one at a time to
/// `MiniportOidRequest` (rule OID-58), at PASSIVE_LEVEL; rule OID-61.
#[test]
fn plain_requests() {
    for (reading, door) in [
        (OwnRequests::CoOidRequest, "MiniportCoOidRequest"),
        (OwnRequests::OidRequest, "MiniportOidRequest"),
    ] {
        let host = host_under(Readings {
            own_requests: reading,
            ..plain()
        });
        let bench = Bench::on(host, Twist::None, Twist::None);
        let adapter = bench.up();
        let most = Arc::new(Mutex::new((0, 0)));
        let mcm = bench.mcm.shared.clone();
        let running = most.clone();
        mcm.clone().oids.answers(move |asked| {
            assert_eq!(asked.door, door);
            {
                let mut running = running.lock().unwrap();
                running.0 += 1;
                running.1 = running.0.max(running.1);
            }
            let (running, mcm, request) = (running.clone(), mcm.clone(), asked.request);
            common::oids::later(move || {
                running.lock().unwrap().0 -= 1;
                let adapter = mcm.adapter();
                if door == "MiniportOidRequest" {
                    // SAFETY: the driver's own, until now.
                    unsafe { n::NdisMOidRequestComplete(adapter, request.0, SUCCESS) };
                } else {
                    miniport_complete(adapter, NO, request, SUCCESS);
                }
            });
            PENDING
        });
        let a = bench.a.shared.clone();
        let asks = Arc::new(Mutex::new(Vec::new()));
        within(&bench.host, &bench.a.driver, {
            let (a, asks) = (a.clone(), asks.clone());
            move || {
                for dispatch in [false, true, false, true] {
                    let ask = Ask::query(&a.oids, n::OID_GEN_STATISTICS as u32, 8);
                    asks.lock().unwrap().push(ask);
                    let mut lock: n::KSPIN_LOCK = 0;
                    // SAFETY: a lock for the time of the call.
                    let irql =
                        dispatch.then(|| unsafe { n::KeAcquireSpinLockRaiseToDpc(&raw mut lock) });
                    // SAFETY: the client's binding; the request stays.
                    let status = unsafe { n::NdisOidRequest(a.binding.load(SeqCst), ask.at()) };
                    if let Some(irql) = irql {
                        // SAFETY: held.
                        unsafe { n::KeReleaseSpinLock(&raw mut lock, irql) };
                    }
                    assert_eq!(status, PENDING);
                }
            }
        });
        assert_eq!(a.oids.heard.lock().unwrap().len(), 4);
        let context = Arc::as_ptr(&a).addr();
        let heard = a.oids.heard.lock().unwrap().clone();
        assert!(heard.iter().all(|heard| heard.contexts[0] == context));
        let most = most.lock().unwrap().1;
        assert_eq!(most == 1, door == "MiniportOidRequest", "{most} at once");
        within(&bench.host, &bench.a.driver, move || {
            for ask in asks.lock().unwrap().iter() {
                ask.free();
            }
        });
        bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

/// Rule OID-25: what its asker cancels, and OID-26: what has taken its time, the miniport is
/// told to end.
#[test]
fn cancelled_and_timed_out() {
    for timeout in [0, 3] {
        let bench = Bench::new(Twist::None, Twist::None);
        let adapter = bench.up();
        let mcm = bench.mcm.shared.clone();
        pends(&mcm.oids);
        mcm.clone().oids.when_cancelled(move |id| {
            assert_eq!(id, 0x77);
            let request = mcm.oids.last();
            miniport_complete(mcm.adapter(), NO, request, n::NDIS_STATUS_REQUEST_ABORTED);
        });
        let a = bench.a.shared.clone();
        let before = bench.host.events().last().map_or(0, |event| event.time);
        within(&bench.host, &bench.a.driver, {
            let a = a.clone();
            move || {
                let ask = Ask::query(&a.oids, FRAMES, 8);
                ask.request().RequestId = std::ptr::without_provenance_mut(0x77);
                ask.request().Timeout = timeout;
                let binding = a.binding.load(SeqCst);
                assert_eq!(co(binding, NO, NO, &ask), PENDING);
                if timeout == 0 {
                    let id = std::ptr::without_provenance_mut;
                    // SAFETY: the client's binding, and any id.
                    unsafe { n::NdisCancelOidRequest(binding, id(0x78)) };
                    // SAFETY: as above.
                    unsafe { n::NdisCancelOidRequest(binding, id(0x77)) };
                }
            }
        });
        let heard = a.oids.heard.lock().unwrap().clone();
        assert_eq!(heard[0].status, n::NDIS_STATUS_REQUEST_ABORTED);
        assert_eq!(*bench.mcm.shared.oids.cancelled.lock().unwrap(), [0x77]);
        let took = bench.host.events().last().expect("events").time - before;
        assert_eq!(took >= 30_000_000, timeout == 3, "{took}");
        free_all(&bench.host, &bench.a, &bench.mcm.shared.oids);
        bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

/// A close waits for what was asked; BIND-11 says that the client should have waited itself,
/// so it does.
#[test]
fn requests_cross_a_teardown_under_every_schedule() {
    let seeds = if cfg!(miri) { 2 } else { 60 };
    for seed in 0..seeds {
        let host = Host::builder()
            .seed(seed)
            .raise(1, 2)
            .preemption(1, 2)
            .patience(50)
            .readings(plain())
            .build();
        let bench = Bench::on(host, Twist::None, Twist::None);
        let adapter = bench.up();
        let mcm = bench.mcm.shared.clone();
        mcm.clone().oids.answers(move |asked| {
            if asked.door == "ProtocolCoOidRequest" {
                return NOT_SUPPORTED;
            }
            let (mcm, request) = (mcm.clone(), asked.request);
            common::oids::later(move || {
                miniport_complete(mcm.adapter(), NO, request, SUCCESS);
            });
            PENDING
        });
        for client in [&bench.a, &bench.b] {
            let shared = client.shared.clone();
            bench.host.spawn_of(&client.driver, "asks", {
                let shared = shared.clone();
                move || {
                    let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
                    for (af, answer) in [(NO, PENDING), (af, NOT_SUPPORTED), (NO, PENDING)] {
                        let ask = Ask::query(&shared.oids, FRAMES, 8);
                        assert_eq!(co(binding, af, NO, &ask), answer);
                        if answer != PENDING {
                            ask.free();
                        }
                    }
                }
            });
        }
        bench.host.run();
        let asked: Vec<_> = bench.mcm.shared.oids.asked.lock().unwrap().clone();
        within(&bench.host, &bench.a.driver, move || {
            for asked in asked.iter().filter(|a| a.door != "ProtocolCoOidRequest") {
                Ask::of(asked.request).free();
            }
        });
        bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
        for client in [&bench.a, &bench.b] {
            assert_eq!(client.shared.oids.heard.lock().unwrap().len(), 2);
        }
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

/// Rule OID-10: what has failed is put right and made again; rule PAUSE-06: also while the
/// adapter is paused.
#[test]
fn the_same_request_again() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.host.pause(&adapter);
    bench.mcm.shared.oids.answers(|asked| {
        if query(asked.request.0).InformationBufferLength < 8 {
            counts(asked.request.0, 0, 8);
            return n::NDIS_STATUS_INVALID_LENGTH;
        }
        write(asked.request.0, &[3; 8]);
        SUCCESS
    });
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let ask = Ask::query(&a.oids, FRAMES, 8);
        query(ask.at()).InformationBufferLength = 4;
        let binding = a.binding.load(SeqCst);
        assert_eq!(co(binding, NO, NO, &ask), n::NDIS_STATUS_INVALID_LENGTH);
        // OID-11.
        query(ask.at()).InformationBufferLength = query(ask.at()).BytesNeeded;
        assert_eq!(co(binding, NO, NO, &ask), SUCCESS);
        assert_eq!(ask.written(), 8);
        ask.free();
    });
    bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
    bench.host.restart(&adapter).expect("restarts");
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule HALT-08: no adapter is halted with requests outstanding, also where the halt comes
/// before the bindings are closed.
#[test]
fn a_halt_waits_for_requests() {
    let host = host_under(Readings {
        notify_close: NotifyClose::HaltFirst,
        ..plain()
    });
    let bench = Bench::on(host, Twist::None, Twist::None);
    let adapter = bench.up();
    let mcm = bench.mcm.shared.clone();
    pends(&mcm.oids);
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        let ask = Ask::query(&a.oids, FRAMES, 8);
        assert_eq!(co(a.binding.load(SeqCst), NO, NO, &ask), PENDING);
    });
    let request = mcm.oids.last();
    bench.a.shared.oids.when_heard(move |_| {
        let request = request;
        common::oids::later(move || Ask::of(request).free());
    });
    bench.host.spawn_of(&bench.mcm.driver, "slow", move || {
        let request = request;
        // SAFETY: at PASSIVE_LEVEL.
        unsafe { n::NdisMSleep(1_000_000) };
        miniport_complete(mcm.adapter(), NO, request, SUCCESS);
    });
    let before = bench.host.events().len();
    bench.host.remove_adapter(&adapter);
    bench.host.run();
    let names = [
        "MiniportPause",
        "ProtocolCoOidRequestComplete",
        "MiniportHaltEx",
    ];
    let order: Vec<_> = callbacks(&bench.host, before, &names)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(order, names);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// What a test asks: with what was written, read and needed.
#[test]
fn what_a_test_asks() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.mcm.shared.oids.answers(|asked| {
        // SAFETY: NDIS's request.
        let kind = unsafe { (*asked.request.0).RequestType };
        match kind {
            n::NdisRequestSetInformation => {
                // The arms of both look the same.
                let set = query(asked.request.0);
                set.BytesWritten = set.InformationBufferLength;
                SUCCESS
            }
            n::NdisRequestMethod => {
                let method = method(asked.request.0);
                assert_eq!(
                    (method.InputBufferLength, method.OutputBufferLength),
                    (2, 6)
                );
                (method.BytesRead, method.BytesWritten) = (2, 6);
                // SAFETY: the buffer has the longer of both.
                unsafe { method.InformationBuffer.cast::<u8>().write_bytes(9, 6) };
                SUCCESS
            }
            _ => {
                if query(asked.request.0).InformationBufferLength < 8 {
                    counts(asked.request.0, 0, 8);
                    return n::NDIS_STATUS_BUFFER_TOO_SHORT;
                }
                write(asked.request.0, &[u8::from(asked.contexts[1] != 0); 8]);
                SUCCESS
            }
        }
    });
    let host = &bench.host;
    let short = host.ask(&adapter, OidAsk::query(FRAMES, 4));
    assert_eq!(short.status, n::NDIS_STATUS_BUFFER_TOO_SHORT);
    assert_eq!((short.written, short.needed), (0, 8));
    assert_eq!(short.bytes(), Err(n::NDIS_STATUS_BUFFER_TOO_SHORT));
    let all = host.ask(&adapter, OidAsk::statistics(FRAMES, 16));
    assert_eq!(all.bytes(), Ok(vec![0; 8]));
    let vc = bench.a.shared.vc.load(SeqCst);
    let of_vc = host.ask(&adapter, OidAsk::query(FRAMES, 16).of_vc(vc));
    assert_eq!(of_vc.bytes(), Ok(vec![1; 8]));
    let set = host.ask(
        &adapter,
        OidAsk::set(n::OID_GEN_MACHINE_NAME as u32, [1, 2, 3]),
    );
    assert_eq!((set.status, set.read, set.written), (SUCCESS, 3, 0));
    let method = host.ask(&adapter, OidAsk::method(FRAMES, 1, [1, 2], 6));
    assert_eq!((method.read, method.bytes()), (2, Ok(vec![9; 6])));
    let nowhere = host.ask(
        &adapter,
        OidAsk::query(FRAMES, 16).of_vc(NO.wrapping_byte_add(1)),
    );
    assert_eq!(nowhere.status, n::NDIS_STATUS_FAILURE);
    bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
    bench.spawn("caller", |a| a.hang_up());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule OID-46: NDIS asks for itself when the adapter is there. A driver that knows nothing
/// of that is not in the wrong.
#[test]
fn what_ndis_asks_after_the_initialization() {
    for own_requests in OwnRequests::ALL {
        let host = Host::builder()
            .seed(3)
            .readings(Readings {
                own_requests: *own_requests,
                ..plain()
            })
            .ask_after_initialize(true)
            .build();
        let bench = Bench::on(host, Twist::None, Twist::None);
        agrees(&bench.mcm.shared.oids);
        let adapter = bench.up();
        let asked = bench.mcm.shared.oids.asked.lock().unwrap().clone();
        let first: Vec<u32> = asked.iter().take(2).map(|asked| asked.oid).collect();
        let list = n::OID_GEN_CO_SUPPORTED_LIST as u32;
        assert_eq!(first, [list, n::OID_GEN_CO_SUPPORTED_GUIDS as u32]);
        assert_eq!(asked.len(), 7);
        bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

/// Rules STATUS-04 and OID-43: an indication that a request was answered with goes to its asker alone.
#[test]
fn a_status_for_one_request() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench
        .mcm
        .shared
        .oids
        .answers(|_| n::NDIS_STATUS_INDICATION_REQUIRED);
    let a = bench.a.shared.clone();
    let (id, source) = (
        std::ptr::without_provenance_mut(0x51),
        std::ptr::without_provenance_mut(0x52),
    );
    let ends = P(id);
    let from = P(source);
    within(&bench.host, &bench.a.driver, {
        let a = a.clone();
        move || {
            let (id, source) = (ends, from);
            let ask = Ask::query(&a.oids, n::OID_GEN_STATISTICS as u32, 8);
            (ask.request().RequestId, ask.request().RequestHandle) = (id.0, source.0);
            // SAFETY: the client's binding; the request stays.
            let status = unsafe { n::NdisOidRequest(a.binding.load(SeqCst), ask.at()) };
            assert_eq!(status, n::NDIS_STATUS_INDICATION_REQUIRED);
            ask.free();
        }
    });
    let mcm = bench.mcm.shared.clone();
    within(&bench.host, &bench.mcm.driver, move || {
        let (id, source) = (ends, from);
        let mut it = indication(mcm.adapter(), n::NDIS_STATUS_LINK_STATE, &mut []);
        (it.RequestId, it.DestinationHandle) = (id.0, source.0);
        indicate(mcm.adapter(), NO, it);
    });
    assert_eq!(a.oids.told.lock().unwrap().len(), 1);
    assert!(bench.b.shared.oids.told.lock().unwrap().is_empty());
    bench.mcm.shared.oids.answers(|_| NOT_SUPPORTED);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}
