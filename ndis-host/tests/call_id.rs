//! The string by which TAPI's applications know a call: raw clients that ask for it wrongly.

use crate::common;

use common::names::{Room, at, get};
use common::{Bench, Client, SUCCESS, Twist, only, zeroed};
use ndis_sys as n;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;

fn find(id: n::UNICODE_STRING, dispatch: bool) -> Result<n::NDIS_HANDLE, i32> {
    let mut context = null_mut();
    let out = &raw mut context;
    // SAFETY: a string of the length that it says.
    let status = at(dispatch, || unsafe {
        n::NdisClGetProtocolVcContextFromTapiCallId(id, out)
    });
    if status == SUCCESS {
        Ok(context)
    } else {
        Err(status)
    }
}

/// A call, and what is done on its VC while it is up.
fn with_a_call(rules: &[&str], act: impl FnOnce(&Client, n::NDIS_HANDLE) + Send + 'static) {
    let bench = Bench::new(Twist::None, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    bench.spawn("asker", move |a| {
        let vc = a.shared.vc.load(SeqCst);
        act(&a, vc);
    });
    bench.spawn("caller", |a| a.hang_up());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn there_and_back() {
    with_a_call(&[], |a, vc| {
        let mut room = Room::new(size_of::<Room>());
        assert_eq!(get(vc, &mut room, true), SUCCESS);
        assert_eq!(room.head.ulStringFormat, n::STRINGFORMAT_UNICODE as u32);
        let own = std::sync::Arc::as_ptr(&a.shared).cast_mut().cast();
        assert_eq!(find(room.string(), true), Ok(own));
        room.text[2] = 0x5A;
        let nobody = find(room.string(), true);
        assert_eq!(nobody, Err(n::NDIS_STATUS_FAILURE));
    });
}

#[test]
fn too_little_room_is_no_breach() {
    with_a_call(&[], |_, vc| {
        let mut room = Room::new(size_of::<n::VAR_STRING>() + 2);
        assert_eq!(get(vc, &mut room, true), n::NDIS_STATUS_BUFFER_TOO_SHORT);
        let needed = room.head.ulNeededSize;
        let mut room = Room::new(needed as usize);
        assert_eq!(get(vc, &mut room, true), SUCCESS);
    });
}

#[test]
fn vc_59_a_string_that_is_shorter_than_its_header() {
    with_a_call(&["VC-59"], |_, vc| {
        let mut room = Room::new(0);
        assert_eq!(get(vc, &mut room, true), n::NDIS_STATUS_INVALID_DATA);
    });
}

#[test]
fn vc_60_no_string() {
    with_a_call(&["VC-60"], |_, _| {
        let none = find(zeroed(), true);
        assert_eq!(none, Err(n::NDIS_STATUS_FAILURE));
    });
}

#[test]
fn irql_35_and_47_at_passive_level() {
    with_a_call(&["IRQL-35", "IRQL-47"], |_, vc| {
        let mut room = Room::new(size_of::<Room>());
        assert_eq!(get(vc, &mut room, false), SUCCESS);
        assert!(find(room.string(), false).is_ok());
    });
}
