//! Call managers and clients that break a rule of telephony: the report names it, and who it was.

use crate::common;

use common::oids::{Ask, NO, Oids, co, within};
use common::{Bench, SUCCESS, Twist, only};
use ndis_host::Report;
use ndis_sys as n;
use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

const MCM: &str = "raw-mcm";
const A: &str = "client-a";

/// A life on a call manager for NDPROXY, with a call.
fn call(rules: &[&str], who: &str, mcm: Twist, client: Twist) -> Report {
    let bench = Bench::new(mcm, client);
    for rule in rules {
        bench.host.expect(rule);
    }
    bench.life(1);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, who, "{report}");
    }
    report
}

#[test]
fn what_is_right() {
    call(&[], "", Twist::Proxy, Twist::None);
    call(&[], "", Twist::Proxy, Twist::AsksForSpeed);
}

#[test]
fn tapi_09_sizes_of_packets_that_are_left_as_they_are() {
    call(&["TAPI-09"], MCM, Twist::ProxyAsAsked, Twist::AsksForSpeed);
}

#[test]
fn tapi_10_a_call_without_its_quality_of_service() {
    call(&["TAPI-10"], MCM, Twist::ProxyAsAsked, Twist::None);
    call(&["TAPI-10"], MCM, Twist::ProxyWithoutFlag, Twist::None);
    call(&["TAPI-10"], MCM, Twist::ProxyWithoutSpeed, Twist::None);
    call(
        &["TAPI-10"],
        MCM,
        Twist::ProxyWithoutParameters,
        Twist::None,
    );
}

#[test]
fn tapi_11_an_offer_that_is_none_of_tapi_s() {
    call(&["TAPI-11"], MCM, Twist::ProxyOffersNothing, Twist::None);
    call(&["TAPI-11"], MCM, Twist::ProxyOffersFlags, Twist::None);
}

#[test]
fn tapi_12_a_sap_that_is_none_of_tapi_s() {
    call(&["TAPI-12"], "client-b", Twist::Proxy, Twist::SapOfNoType);
    call(&["TAPI-12"], "client-b", Twist::Proxy, Twist::SapTooShort);
}

/// What a client asks: an OID, and the numbers that are in the buffer then, at their places.
type Query = (u32, &'static [(usize, u32)]);
/// What is in the buffer when it is answered with success.
type Says = fn(u32) -> &'static [(usize, u32)];

const ROOM: usize = 512;

/// The client asks the call manager, which answers.
fn asked(rules: &[&str], who: &str, mcm: Twist, says: Says, queries: &'static [Query]) {
    let bench = Bench::new(mcm, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    bench.mcm.shared.oids.answers(move |asked| {
        put(asked.request.0, says(asked.oid));
        common::oids::counts(asked.request.0, ROOM as u32, 0);
        SUCCESS
    });
    let a = bench.a.shared.clone();
    within(&bench.host, &bench.a.driver, move || {
        for (oid, input) in queries {
            let oids: &Arc<Oids> = &a.oids;
            let ask = Ask::query(oids, *oid, ROOM as u32);
            put(ask.at(), input);
            let (binding, af) = (a.binding.load(SeqCst), a.af.load(SeqCst));
            assert_eq!(co(binding, af, NO, &ask), SUCCESS);
            ask.free();
        }
    });
    let oids = &bench.mcm.shared.oids;
    oids.answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, who, "{report}");
    }
}

/// Writes numbers to places of a request's buffer.
fn put(request: *mut n::NDIS_OID_REQUEST, words: &[(usize, u32)]) {
    let buffer = common::oids::query(request).InformationBuffer;
    for (at, word) in words {
        // SAFETY: within the buffer, by the constants of this file.
        unsafe {
            buffer
                .wrapping_byte_add(*at)
                .cast::<u32>()
                .write_unaligned(*word);
        };
    }
}

const ALL: u32 = n::OID_CO_TAPI_CM_CAPS;
const LINE: u32 = n::OID_CO_TAPI_LINE_CAPS;
const ADDRESS: u32 = n::OID_CO_TAPI_ADDRESS_CAPS;
const TO_NDIS: u32 = n::OID_CO_TAPI_TRANSLATE_TAPI_CALLPARAMS;
const TO_TAPI: u32 = n::OID_CO_TAPI_TRANSLATE_NDIS_CALLPARAMS;

const VERSION: (usize, u32) = (
    offset_of!(n::CO_TAPI_CM_CAPS, ulCoTapiVersion),
    n::CO_TAPI_VERSION as u32,
);

const fn of_line(member: usize) -> usize {
    offset_of!(n::CO_TAPI_LINE_CAPS, LineDevCaps) + member
}

/// A line whose addresses differ, with so many of them.
const fn addresses(count: u32) -> [(usize, u32); 2] {
    [
        (offset_of!(n::CO_TAPI_LINE_CAPS, ulFlags), 1),
        (of_line(offset_of!(n::LINE_DEV_CAPS, ulNumAddresses)), count),
    ]
}

/// A line that streams voice, and can generate digits but not detect them.
const VOICE: [(usize, u32); 2] = [
    (
        of_line(offset_of!(n::LINE_DEV_CAPS, ulMediaModes)),
        n::LINEMEDIAMODE_AUTOMATEDVOICE as u32,
    ),
    (
        of_line(offset_of!(n::LINE_DEV_CAPS, ulGenerateDigitModes)),
        1,
    ),
];

/// A call manager that does it as it should.
fn right(oid: u32) -> &'static [(usize, u32)] {
    match oid {
        ALL => &[VERSION],
        _ => &[],
    }
}

#[test]
fn what_is_asked_right() {
    asked(
        &[],
        "",
        Twist::None,
        right,
        &[(ALL, &[]), (LINE, &[]), (ADDRESS, &[])],
    );
    asked(
        &[],
        "",
        Twist::Proxy,
        right,
        &[(ALL, &[]), (LINE, &[]), (LINE, &[])],
    );
    // A line with two addresses that differ.
    let two: Says = |oid| match oid {
        LINE => const { &addresses(2) },
        _ => right(oid),
    };
    asked(&[], "", Twist::None, two, &[(ALL, &[]), (LINE, &[])]);
}

#[test]
fn tapi_02_capabilities_with_strange_bits() {
    let flags = |_| &[VERSION, (offset_of!(n::CO_TAPI_CM_CAPS, ulFlags), 2)][..];
    asked(&["TAPI-02"], MCM, Twist::None, flags, &[(ALL, &[])]);
    asked(&["TAPI-02"], MCM, Twist::None, |_| &[], &[(ALL, &[])]);
}

#[test]
fn tapi_03_addresses_that_cannot_differ() {
    let asks: &[Query] = &[(ALL, &[]), (LINE, &[])];
    let strange: Says = |oid| match oid {
        LINE => &[(offset_of!(n::CO_TAPI_LINE_CAPS, ulFlags), 2)],
        _ => right(oid),
    };
    asked(&["TAPI-03"], MCM, Twist::None, strange, asks);
    let one: Says = |oid| match oid {
        LINE => const { &addresses(1) },
        _ => right(oid),
    };
    asked(&["TAPI-03"], MCM, Twist::None, one, asks);
}

/// Which line a question is about.
const SECOND_LINE: &[(usize, u32)] = &[(offset_of!(n::CO_TAPI_LINE_CAPS, ulLineID), 1)];
/// The first address of which line a question is about.
const OF_SECOND_LINE: &[(usize, u32)] = &[(offset_of!(n::CO_TAPI_ADDRESS_CAPS, ulLineID), 1)];

/// A call manager whose lines differ.
fn differing(oid: u32) -> &'static [(usize, u32)] {
    match oid {
        ALL => &[VERSION, (offset_of!(n::CO_TAPI_CM_CAPS, ulFlags), 1)],
        _ => &[],
    }
}

#[test]
fn tapi_04_lines_and_addresses_asked_before_what_they_depend_on() {
    let wrong = |says, queries| asked(&["TAPI-04"], A, Twist::None, says, queries);
    let all_right = |says, queries| asked(&[], "", Twist::None, says, queries);
    // A line before all lines, an address before its line.
    wrong(right, &[(LINE, &[])]);
    wrong(right, &[(ALL, &[]), (ADDRESS, &[])]);
    // One line stands for all, unless they differ.
    all_right(right, &[(ALL, &[]), (LINE, &[]), (ADDRESS, OF_SECOND_LINE)]);
    wrong(
        differing,
        &[(ALL, &[]), (LINE, &[]), (ADDRESS, OF_SECOND_LINE)],
    );
    all_right(
        differing,
        &[
            (ALL, &[]),
            (LINE, &[]),
            (LINE, SECOND_LINE),
            (ADDRESS, OF_SECOND_LINE),
            (ADDRESS, &[]),
        ],
    );
}

#[test]
fn tapi_15_voice_without_digits() {
    let voice: Says = |oid| match oid {
        LINE => const { &VOICE },
        _ => right(oid),
    };
    asked(
        &["TAPI-15"],
        MCM,
        Twist::None,
        voice,
        &[(ALL, &[]), (LINE, &[])],
    );
}

const OUTGOING: (usize, u32) = (
    offset_of!(n::CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, ulFlags),
    n::CO_TAPI_FLAG_OUTGOING_CALL as u32,
);
const INCOMING: (usize, u32) = (
    offset_of!(n::CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, ulFlags),
    n::CO_TAPI_FLAG_INCOMING_CALL as u32,
);

/// The answer: so many bytes, in the last place of the buffer that is long enough for eight.
const fn place(at: usize, length: u32) -> [(usize, u32); 2] {
    let offset = at + offset_of!(n::NDIS_VAR_DATA_DESC, Offset);
    [(at, length), (offset, (ROOM - 8 - at) as u32)]
}

fn translated(oid: u32) -> &'static [(usize, u32)] {
    const FIRST: usize = offset_of!(n::CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, NdisCallParams);
    const SECOND: usize = offset_of!(n::CO_TAPI_TRANSLATE_NDIS_CALLPARAMS, LineCallInfo);
    match oid {
        TO_NDIS => const { &place(FIRST, 8) },
        _ => const { &place(SECOND, 8) },
    }
}

/// Nine bytes where there is room for eight, or none at all.
fn too_long(_: u32) -> &'static [(usize, u32)] {
    const AT: usize = offset_of!(n::CO_TAPI_TRANSLATE_TAPI_CALLPARAMS, NdisCallParams);
    const { &place(AT, 9) }
}

#[test]
fn tapi_05_a_translation_without_a_direction() {
    let none = |oid| translated(oid);
    asked(&["TAPI-05"], A, Twist::None, none, &[(TO_NDIS, &[])]);
    asked(&["TAPI-05"], A, Twist::None, none, &[(TO_TAPI, &[])]);
    asked(
        &[],
        A,
        Twist::None,
        none,
        &[(TO_NDIS, &[OUTGOING]), (TO_TAPI, &[INCOMING])],
    );
}

#[test]
fn tapi_06_a_translation_that_leads_nowhere() {
    asked(
        &["TAPI-06"],
        MCM,
        Twist::None,
        too_long,
        &[(TO_NDIS, &[OUTGOING])],
    );
    asked(
        &["TAPI-06"],
        MCM,
        Twist::None,
        |_| &[],
        &[(TO_TAPI, &[INCOMING])],
    );
}

#[test]
fn tapi_07_a_translation_for_a_family_of_tapi_s_own() {
    let says = |oid| translated(oid);
    asked(
        &["TAPI-07"],
        A,
        Twist::Proxy,
        says,
        &[(TO_NDIS, &[OUTGOING])],
    );
}
