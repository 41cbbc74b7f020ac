//! Resets: what protocols and miniports see and may do, and who is named when they do otherwise.

use crate::common;

use common::life::complete;
use common::mcm::Shared;
use common::oids::{Ask, NO, co, later, miniport_complete, within, write};
use common::{Bench, PENDING, SUCCESS, Twist, only, plain};
use ndis_host::{Adapter, Host, OidAsk, Readings, Report, ResetStart};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

const MCM: &str = "raw-mcm";
const START: i32 = n::NDIS_STATUS_RESET_START;
const END: i32 = n::NDIS_STATUS_RESET_END;

/// A miniport that can be reset, and what it breaks.
fn broken(rules: &[&str], who: &str, body: impl FnOnce(&Bench, &Adapter)) -> Report {
    let bench = Bench::new(Twist::Resets, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
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

/// It pends the reset, and a work item of its own ends it.
fn pends(mcm: &Arc<Shared>, end: impl Fn(n::NDIS_HANDLE) + Clone + Send + Sync + 'static) {
    let own = mcm.clone();
    mcm.life.on_reset(move |()| {
        let (own, end) = (own.clone(), end.clone());
        later(move || {
            // SAFETY: in a work item.
            unsafe { n::NdisMSleep(1000) };
            end(own.adapter());
        });
        (PENDING, false)
    });
}

fn codes(of: &common::client::Shared) -> Vec<i32> {
    of.oids
        .told
        .lock()
        .unwrap()
        .iter()
        .map(|told| told.code)
        .collect()
}

/// Rules RESET-02 and AF-46: a reset begins and ends, at once or later, the protocols hear of it,
/// and what they have stays good.
#[test]
fn what_protocols_have_stays_good() {
    for (reading, at_once) in [
        (ResetStart::First, &[START, END][..]),
        (ResetStart::WhenPended, &[END]),
    ] {
        let readings = Readings {
            reset_start: reading,
            ..plain()
        };
        let bench = Bench::on(common::host_under(readings), Twist::Resets, Twist::None);
        let adapter = bench.up();
        bench.spawn("caller", |a| a.call());
        assert_eq!(bench.host.reset(&adapter), Some(SUCCESS));
        assert_eq!(codes(&bench.a.shared), at_once, "{reading:?}");
        pends(&bench.mcm.shared, |own| complete(own, SUCCESS, false));
        bench.b.shared.oids.told.lock().unwrap().clear();
        assert_eq!(bench.host.reset(&adapter), Some(SUCCESS));
        assert_eq!(codes(&bench.b.shared), [START, END], "{reading:?}");
        bench.spawn("caller", |a| {
            a.send();
            a.hang_up();
        });
        assert_eq!(bench.a.shared.sent.load(SeqCst), 1);
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

/// A miniport without hardware has no handlers: it is not reset.
#[test]
fn a_miniport_without_handlers_is_not_reset() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    assert_eq!(bench.host.check_for_hang(&adapter), None);
    assert_eq!(bench.host.reset(&adapter), None);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_hang_leads_to_a_reset() {
    let bench = Bench::new(Twist::Resets, Twist::None);
    let adapter = bench.up();
    assert_eq!(bench.host.check_for_hang(&adapter), Some(false));
    assert!(codes(&bench.a.shared).is_empty());
    bench.mcm.shared.life.on_hang(|()| true);
    assert_eq!(bench.host.check_for_hang(&adapter), Some(true));
    assert_eq!(codes(&bench.a.shared), [START, END]);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// It knows of the reset and sends all the same; NDIS gives the list back.
#[test]
fn reset_01_a_send_meanwhile() {
    broken(&["RESET-01"], "client-a", |bench, adapter| {
        bench.spawn("caller", |a| a.call());
        let client = bench.a.clone();
        bench.a.shared.oids.when_told(move |told| {
            if told.code == START {
                let client = client.clone();
                later(move || client.send());
            }
        });
        pends(&bench.mcm.shared, |own| complete(own, SUCCESS, false));
        bench.host.reset(adapter);
        bench.host.run();
        assert_eq!(bench.a.shared.sent.load(SeqCst), 1);
        assert_eq!(bench.mcm.shared.delivered.load(SeqCst), 0);
        bench.spawn("caller", |a| a.hang_up());
    });
}

#[test]
fn reset_01_a_request_meanwhile() {
    broken(&["RESET-01"], "client-a", |bench, adapter| {
        let client = bench.a.clone();
        let answers = Arc::new(Mutex::new(Vec::new()));
        let heard = answers.clone();
        bench.a.shared.oids.when_told(move |told| {
            let (client, heard) = (client.clone(), heard.clone());
            let ask = move || {
                let ask = Ask::query(&client.shared.oids, n::OID_GEN_CO_LINK_SPEED as u32, 8);
                let binding = client.shared.binding.load(SeqCst);
                heard.lock().unwrap().push(co(binding, NO, NO, &ask));
                ask.free();
            };
            match told.code {
                START => later(ask),
                // At the end it may.
                END => ask(),
                _ => {}
            }
        });
        bench.mcm.shared.oids.answers(|asked| {
            write(asked.request.0, &[0; 8]);
            SUCCESS
        });
        pends(&bench.mcm.shared, |own| complete(own, SUCCESS, false));
        bench.host.reset(adapter);
        bench.host.run();
        let answers = answers.lock().unwrap().clone();
        assert_eq!(answers, [n::NDIS_STATUS_RESET_IN_PROGRESS, SUCCESS]);
    });
}

#[test]
fn reset_03_a_request_that_outlasts_the_reset() {
    broken(&["RESET-03"], MCM, |bench, adapter| {
        let oids = &bench.mcm.shared.oids;
        common::oids::pends(oids);
        let client = bench.a.clone();
        within(&bench.host, &bench.a.driver, move || {
            let ask = Ask::query(&client.shared.oids, n::OID_GEN_CO_LINK_SPEED as u32, 8);
            let binding = client.shared.binding.load(SeqCst);
            assert_eq!(co(binding, NO, NO, &ask), PENDING);
            client.shared.oids.when_heard(move |_| ask.free());
        });
        pends(&bench.mcm.shared, |own| complete(own, SUCCESS, false));
        bench.host.reset(adapter);
        let mcm = bench.mcm.shared.clone();
        within(&bench.host, &bench.mcm.driver, move || {
            let status = n::NDIS_STATUS_REQUEST_ABORTED;
            miniport_complete(mcm.adapter(), NO, mcm.oids.last(), status);
        });
    });
}

#[test]
fn reset_04_completed_twice() {
    broken(&["RESET-04"], MCM, |bench, adapter| {
        pends(&bench.mcm.shared, |own| {
            complete(own, SUCCESS, false);
            complete(own, SUCCESS, false);
        });
        bench.host.reset(adapter);
        bench.host.run();
    });
}

#[test]
fn reset_04_completed_with_a_lock_held() {
    broken(&["RESET-04"], MCM, |bench, adapter| {
        pends(&bench.mcm.shared, |own| {
            let mut lock: n::KSPIN_LOCK = 0;
            // SAFETY: a lock of this function's.
            let before = unsafe { n::KeAcquireSpinLockRaiseToDpc(&raw mut lock) };
            complete(own, SUCCESS, false);
            // SAFETY: as above.
            unsafe { n::KeReleaseSpinLock(&raw mut lock, before) };
        });
        bench.host.reset(adapter);
        bench.host.run();
    });
}

#[test]
fn reset_04_never_completed() {
    broken(&["RESET-04"], MCM, |bench, adapter| {
        bench.mcm.shared.life.on_reset(|()| (PENDING, false));
        bench.host.reset(adapter);
    });
}

/// Rule RESET-05: at the handler of connection-oriented requests.
#[test]
fn settings_that_were_lost_are_set_again() {
    let bench = Bench::new(Twist::Resets, Twist::None);
    let adapter = bench.up();
    bench.mcm.shared.oids.answers(|_| SUCCESS);
    bench.mcm.shared.life.on_reset(|()| (SUCCESS, true));
    assert_eq!(bench.host.reset(&adapter), Some(SUCCESS));
    pends(&bench.mcm.shared, |own| complete(own, SUCCESS, true));
    assert_eq!(bench.host.reset(&adapter), Some(SUCCESS));
    bench.mcm.shared.life.on_reset(|()| (SUCCESS, false));
    assert_eq!(bench.host.reset(&adapter), Some(SUCCESS));
    let asked = bench.mcm.shared.oids.asked.lock().unwrap().clone();
    let filter = (
        "MiniportCoOidRequest",
        n::OID_GEN_CURRENT_PACKET_FILTER as u32,
    );
    let seen: Vec<_> = asked.iter().map(|asked| (asked.door, asked.oid)).collect();
    assert_eq!(seen, [filter, filter]);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule RESET-07: whichever ends first.
#[test]
fn a_pause_may_come_meanwhile() {
    for within_pause in [true, false] {
        let bench = Bench::new(Twist::Resets, Twist::None);
        let adapter = bench.up();
        let mcm = bench.mcm.shared.clone();
        mcm.life.on_reset(|()| (PENDING, false));
        mcm.life.on_pause(move |own| {
            // The reset begins.
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(1000) };
            if within_pause {
                complete(own, SUCCESS, false);
            }
        });
        if !within_pause {
            bench
                .host
                .spawn_of(&bench.mcm.driver, "the hardware is ready", move || {
                    // SAFETY: as above.
                    unsafe { n::NdisMSleep(50_000) };
                    complete(mcm.adapter(), SUCCESS, false);
                });
        }
        bench.host.begin_reset(&adapter);
        bench.host.pause(&adapter);
        bench.host.run();
        bench.mcm.shared.life.on_pause(|_| ());
        assert_eq!(codes(&bench.a.shared), [START, END]);
        assert_eq!(bench.host.restart(&adapter), Ok(()));
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "{report}");
    }
}

#[test]
fn reset_08_more_than_a_look() {
    broken(&["RESET-08"], MCM, |bench, adapter| {
        bench.mcm.shared.life.on_hang(|()| {
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(10) };
            false
        });
        assert_eq!(bench.host.check_for_hang(adapter), Some(false));
    });
}

#[test]
fn reset_06_a_reset_that_waits() {
    for (microseconds, rules) in [(51, &["RESET-06"][..]), (50, &[])] {
        broken(rules, MCM, |bench, adapter| {
            bench.mcm.shared.life.on_reset(move |()| {
                // SAFETY: at PASSIVE_LEVEL.
                unsafe { n::NdisMSleep(microseconds) };
                (SUCCESS, false)
            });
            assert_eq!(bench.host.reset(adapter), Some(SUCCESS));
        });
    }
}

/// Rule INIT-12: the first request comes when the initialization is over.
#[test]
fn no_request_before_the_end_of_the_initialization() {
    let host = Host::builder()
        .seed(1)
        .readings(plain())
        .ask_after_initialize(true)
        .build();
    let bench = Bench::on(host, Twist::None, Twist::None);
    bench.mcm.shared.oids.answers(|_| SUCCESS);
    let adapter = bench.up();
    bench.host.ask(
        &adapter,
        OidAsk::query(n::OID_GEN_CO_SUPPORTED_LIST as u32, 64),
    );
    let events = bench.host.events();
    let at = |name, kind| {
        let found = events
            .iter()
            .position(|event| event.name == name && format!("{:?}", event.kind) == kind);
        found.unwrap_or_else(|| panic!("{name}"))
    };
    let done = at("MiniportInitializeEx", "CallbackReturn");
    assert!(at("MiniportCoOidRequest", "Callback") > done);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}
