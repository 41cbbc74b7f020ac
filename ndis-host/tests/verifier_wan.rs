//! WAN miniports and their clients that break a rule of WAN's: the report names it, and who it was.

use crate::common;

use common::mcm::Vc;
use common::oids::{indicate, indication, within, write};
use common::{Bench, P, SUCCESS, Twist, only};
use ndis_host::{Adapter, OidAsk, Report};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

const MCM: &str = "raw-mcm";
const PPP: u32 = n::PPP_FRAMING as u32;
const SLIP: u32 = n::SLIP_FRAMING as u32;

/// What a WAN miniport is asked.
#[derive(Clone, Copy)]
enum Asks {
    Adapter(i32),
    Link(i32),
    SetLink(&'static [u32]),
}
use Asks::{Adapter as OfAdapter, Link, SetLink};

/// What a WAN miniport says of an OID: so many numbers, or that it does not know it.
type Says = fn(i32) -> Option<&'static [u32]>;

/// A call is up, and the miniport is asked; its clients are not.
fn broken(rules: &[&str], twist: Twist, body: impl FnOnce(&Bench, &Adapter)) -> Report {
    let bench = Bench::new(twist, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    body(&bench, &adapter);
    let oids = &bench.mcm.shared.oids;
    oids.answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
    bench.spawn("caller", |a| a.hang_up());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    report
}

fn ask(bench: &Bench, adapter: &Adapter, says: Says, asks: &[Asks]) {
    bench.mcm.shared.oids.answers(move |asked| {
        let Some(words) = says(asked.oid as i32) else {
            return n::NDIS_STATUS_NOT_SUPPORTED;
        };
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        if !bytes.is_empty() {
            write(asked.request.0, &bytes);
        }
        SUCCESS
    });
    let vc = bench.a.shared.vc.load(SeqCst);
    for asked in asks {
        let asked = match *asked {
            OfAdapter(oid) => OidAsk::query(oid as u32, 256),
            Link(oid) => OidAsk::query(oid as u32, 256).of_vc(vc),
            SetLink(words) => {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
                OidAsk::set(n::OID_WAN_CO_SET_LINK_INFO as u32, bytes).of_vc(vc)
            }
        };
        bench.host.ask(adapter, asked);
    }
}

fn says(rules: &[&str], says: Says, asks: &[Asks]) {
    let report = broken(rules, Twist::None, |bench, adapter| {
        ask(bench, adapter, says, asks);
    });
    for violation in &report.expected {
        assert_eq!(&*violation.who, MCM, "{report}");
    }
}

const INFO: i32 = n::OID_WAN_CO_GET_INFO;
const LINK: i32 = n::OID_WAN_CO_GET_LINK_INFO;
const COUNTERS: i32 = n::OID_WAN_CO_GET_STATS_INFO;

/// A miniport that does it as it should: frames of 1400 bytes, in PPP and SLIP framing.
fn right(oid: i32) -> Option<&'static [u32]> {
    match oid {
        INFO => Some(&[1400, 4, PPP | SLIP, 0]),
        LINK => Some(&[1400, 1400, 0, 0, 0, 0, 0, 0]),
        COUNTERS => Some(&[0; size_of::<n::NDIS_WAN_CO_GET_STATS_INFO>() / 4]),
        n::OID_WAN_CO_SET_LINK_INFO => Some(&[]),
        n::OID_WAN_PERMANENT_ADDRESS | n::OID_WAN_CURRENT_ADDRESS | n::OID_WAN_MEDIUM_SUBTYPE => {
            Some(&[0, 0])
        }
        _ => None,
    }
}

#[test]
fn what_is_right() {
    let set = SetLink(&[1400, 1000, PPP, PPP | SLIP, 0, 0, 0, 0]);
    let detect = SetLink(&[1400, 1400, 0, 0, 0, 0, 0, 0]);
    let asks = [OfAdapter(INFO), Link(LINK), set, detect, Link(COUNTERS)];
    says(&[], right, &asks);
    says(&[], right, &[OfAdapter(n::OID_WAN_CURRENT_ADDRESS)]);
}

#[test]
fn wan_01_the_three_oids_of_links() {
    says(&["WAN-01"], |_| None, &[OfAdapter(INFO)]);
    says(&["WAN-01"], |_| None, &[Link(LINK)]);
    let nothing = SetLink(&[0; 8]);
    says(&["WAN-01"], |_| None, &[nothing]);
    // Of no VC there is nothing to say.
    says(&[], |_| None, &[OfAdapter(LINK)]);
}

#[test]
fn wan_02_no_window_or_no_ppp() {
    let window = |_| Some(&[1400, 0, PPP, 0][..]);
    says(&["WAN-02"], window, &[OfAdapter(INFO)]);
    let framing = |_| Some(&[1400, 4, SLIP, 0][..]);
    says(&["WAN-02"], framing, &[OfAdapter(INFO)]);
}

#[test]
fn wan_03_a_frame_that_is_32_bytes_larger() {
    for (frame, rules) in [
        (&[8_u32, 4, PPP, 0], &["WAN-03"][..]),
        (&[1400, 4, PPP, 0], &["WAN-03"]),
    ] {
        let report = broken(rules, Twist::RefusesLength, |bench, adapter| {
            let says: Says = match frame[0] {
                8 => |_| Some(&[8, 4, PPP, 0]),
                _ => |_| Some(&[1400, 4, PPP, 0]),
            };
            ask(bench, adapter, says, &[OfAdapter(INFO)]);
            bench.spawn("sender", |a| a.send());
        });
        assert_eq!(&*report.expected[0].who, MCM, "{report}");
    }
    // Nobody knows how large frames may be.
    broken(&[], Twist::RefusesLength, |bench, _| {
        bench.spawn("sender", |a| a.send());
    });
}

/// A client sends into a window that is open, closed, and open again.
fn closed_window(rules: &[&str], twist: Twist) -> Report {
    broken(rules, twist, |bench, adapter| {
        ask(
            bench,
            adapter,
            |_| Some(&[0]),
            &[Link(n::OID_GEN_CO_RCV_CRC_ERROR)],
        );
        let context = bench.mcm.shared.oids.asked.lock().unwrap().pop();
        let context = context.expect("asked").vc;
        // SAFETY: the driver's context of a live VC.
        let vc = P(unsafe { (*context.0.cast::<Vc>()).handle.load(SeqCst) });
        let told = |window: u32| {
            let mcm = bench.mcm.shared.clone();
            within(&bench.host, &bench.mcm.driver, move || {
                let vc = vc;
                let mut bytes = [1000, 1000, window].map(u32::to_ne_bytes).concat();
                let code = n::NDIS_STATUS_WAN_CO_LINKPARAMS;
                indicate(
                    mcm.adapter(),
                    vc.0,
                    indication(mcm.adapter(), code, &mut bytes),
                );
            });
        };
        // A thread knows of what was told before its last call: so the second one.
        let send_twice = || {
            let a = bench.a.clone();
            within(&bench.host, &bench.a.driver, move || {
                a.send();
                a.send();
            });
        };
        told(1);
        send_twice();
        told(0);
        send_twice();
        told(2);
        send_twice();
    })
}

#[test]
fn wan_04_a_frame_into_a_closed_window() {
    let report = closed_window(&["WAN-04"], Twist::ForNdiswan);
    assert_eq!(report.expected.len(), 1, "{report}");
    assert_eq!(&*report.expected[0].who, "client-a", "{report}");
    // It binds NDISWAN; others may ignore what is indicated.
    closed_window(&[], Twist::None);
}

#[test]
fn wan_05_settings_that_do_not_go_together() {
    for set in [
        // Larger than it is told.
        &[1401, 1400, PPP, PPP, 0, 0, 0, 0],
        &[1400, 1401, PPP, PPP, 0, 0, 0, 0],
        // Of different kinds.
        &[1400, 1400, PPP, SLIP, 0, 0, 0, 0],
        // Of a kind that the miniport does not have.
        &[
            1400,
            1400,
            PPP | n::RFC_1490_FRAMING as u32,
            PPP,
            0,
            0,
            0,
            0,
        ],
    ] {
        says(&["WAN-05"], right, &[OfAdapter(INFO), SetLink(set)]);
    }
}

#[test]
fn wan_06_framing_that_is_not_claimed() {
    let strange = |oid| match oid {
        LINK => Some(&[1400, 1400, n::RFC_1490_FRAMING as u32, 0, 0, 0, 0, 0][..]),
        _ => right(oid),
    };
    says(&["WAN-06"], strange, &[OfAdapter(INFO), Link(LINK)]);
}

#[test]
fn wan_07_statistics_of_the_documented_length() {
    says(&["WAN-07"], |_| Some(&[0; 14]), &[Link(COUNTERS)]);
}

#[test]
fn wan_11_addresses_and_the_subtype_of_the_medium() {
    for oid in [
        n::OID_WAN_PERMANENT_ADDRESS,
        n::OID_WAN_CURRENT_ADDRESS,
        n::OID_WAN_MEDIUM_SUBTYPE,
    ] {
        says(&["WAN-11"], |_| None, &[OfAdapter(oid)]);
    }
}
