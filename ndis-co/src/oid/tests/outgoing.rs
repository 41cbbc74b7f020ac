//! Requests of the test's own, which a target of the test's own answers.

use super::{
    OWN,
    incoming::{Log, TestDoor},
};
use crate::{
    Answer, Status,
    answer::Request,
    oid::{
        Answered, Kind, MAX_INPUT, Method, Oid, OidRequest, OutgoingRequest, ToAdapter, known,
        number,
    },
};
use ndis_host::Host;
use ndis_sys::{NDIS_CO_LINK_SPEED, NDIS_OID_REQUEST};
use std::{boxed::Box, vec, vec::Vec};

extern crate std;

/// Asks the test's own target.
fn ask(
    request: OutgoingRequest<ToAdapter>,
    target: impl for<'r> FnOnce(OidRequest<'r, TestDoor>) -> Answer<'r>,
) -> Answered<ToAdapter> {
    ask_raw(request, |raw| {
        // SAFETY: the one answer of this call.
        let request = unsafe { Request::new() };
        // SAFETY: a request of ours, which is the target's until it is taken back.
        let seen = unsafe { OidRequest::new(raw, TestDoor(Log::default()), request) };
        target(seen.unwrap()).status()
    })
}

fn ask_raw(
    request: OutgoingRequest<ToAdapter>,
    target: impl FnOnce(*mut NDIS_OID_REQUEST) -> Status,
) -> Answered<ToAdapter> {
    let raw = request.into_raw();
    let status = target(raw);
    // SAFETY: given away above, and answered.
    unsafe { Answered::from_raw(raw, status) }.unwrap()
}

#[test]
fn who_asks_gets_the_type_of_the_oid() {
    let _host = Host::builder().build();
    let request = OutgoingRequest::query(known::GEN_CO_LINK_SPEED).unwrap();
    let request = request.with_timeout(2).with_port(3);
    assert_eq!(request.oid(), number::GEN_CO_LINK_SPEED);
    let id = request.id();
    assert!(id.is_some());
    let answered = ask(request, |request| {
        assert_eq!((request.id(), request.port()), (id, 3));
        assert_eq!(request.timeout().unwrap().get(), 2);
        assert_eq!(request.capacity(), 8);
        let speed = NDIS_CO_LINK_SPEED {
            Outbound: 5,
            Inbound: 6,
        };
        request.reply_to(known::GEN_CO_LINK_SPEED, &speed)
    });
    assert_eq!(
        (answered.status(), answered.written()),
        (Status::SUCCESS, 8)
    );
    assert_eq!(answered.needed(), None);
    let speed = answered.value(known::GEN_CO_LINK_SPEED).unwrap();
    assert_eq!((speed.Outbound, speed.Inbound), (5, 6));
    let other = answered.value(known::GEN_CO_MINIMUM_LINK_SPEED);
    assert_eq!(other.err(), Some(Status::INVALID_OID));
    assert_eq!(
        answered.value_as::<[u32; 3]>().err(),
        Some(Status::INVALID_LENGTH)
    );
}

#[test]
fn a_set_and_a_method_carry_their_values() {
    let _host = Host::builder().build();
    let request = OutgoingRequest::set(known::PNP_SET_POWER, &4).unwrap();
    let answered = ask(request, |request| {
        let (state, request) = request.read(known::PNP_SET_POWER).unwrap();
        assert_eq!(state, 4);
        request.accept_as(4, 1)
    });
    assert_eq!((answered.result(), answered.used()), (Ok(()), 4));
    assert_eq!(
        (answered.supported_revision(), answered.bytes()),
        (1, &[][..])
    );
    const SUM: Oid<u64, Method<[u32; 2]>, ToAdapter> = Oid::new(OWN);
    let request = OutgoingRequest::method(SUM, 6, &[1, 2]).unwrap();
    let answered = ask(request, |request| {
        assert_eq!(request.kind(), Kind::Method { id: 6 });
        let ([a, b], request) = request.read(SUM).unwrap();
        request.reply_to(SUM, &u64::from(a + b))
    });
    assert_eq!((answered.value(SUM), answered.used()), (Ok(3), 8));
    let request = OutgoingRequest::query_with(known::PNP_QUERY_POWER, &2).unwrap();
    let answered = ask(request, |request| {
        let (state, request) = request.read(known::PNP_QUERY_POWER).unwrap();
        assert_eq!(state, 2);
        request.reply(&[])
    });
    assert_eq!(answered.value(known::PNP_QUERY_POWER), Ok(()));
    // The other kinds of an OID of the driver's own.
    let request = OutgoingRequest::<ToAdapter>::set_bytes(OWN, &[]).unwrap();
    let answered = ask(request, |request| request.accept(0));
    assert_eq!((answered.kind(), answered.used()), (Kind::Set, 0));
    let most = vec![0; MAX_INPUT as usize + 1];
    assert!(OutgoingRequest::<ToAdapter>::set_bytes(OWN, &most).is_err());
}

#[test]
fn no_more_is_shown_than_there_was_room_for() {
    let _host = Host::builder().build();
    let request = OutgoingRequest::query_bytes(OWN, 4).unwrap();
    let answered = ask_raw(request, |raw| {
        // SAFETY: the request is this target's.
        let data = unsafe { &mut (*raw).DATA };
        data.QUERY_INFORMATION.BytesWritten = u32::MAX;
        Status::SUCCESS
    });
    assert_eq!((answered.written(), answered.bytes()), (4, &[0; 4][..]));
    let request = OutgoingRequest::method_bytes(OWN, 0, &[9; 8], 2).unwrap();
    let answered = ask_raw(request, |raw| {
        // SAFETY: as above.
        let data = unsafe { &mut (*raw).DATA };
        data.METHOD_INFORMATION.BytesWritten = 8;
        data.METHOD_INFORMATION.BytesRead = 9;
        Status::SUCCESS
    });
    assert_eq!((answered.bytes(), answered.used()), (&[9; 2][..], 8));
    // A failure has moved nothing, and is told as one.
    for (status, told) in [
        (Status::PENDING, Status::FAILURE),
        (Status::INVALID_DATA, Status::INVALID_DATA),
    ] {
        let request = OutgoingRequest::query_bytes(OWN, 4).unwrap();
        let answered = ask_raw(request, |raw| {
            // SAFETY: as above.
            let data = unsafe { &mut (*raw).DATA };
            data.QUERY_INFORMATION.BytesWritten = 4;
            status
        });
        assert_eq!((answered.status(), answered.written()), (told, 0));
        assert_eq!(answered.value_as::<u32>(), Err(told));
        assert_eq!(answered.needed(), None);
    }
}

#[test]
fn a_counter_of_either_width_is_a_counter() {
    let _host = Host::builder().build();
    let oid = known::GEN_CO_RCV_PDUS_OK;
    let request = || OutgoingRequest::query(oid).unwrap().as_statistics();
    let answered = ask(request(), |request| {
        assert_eq!(request.kind(), Kind::Statistics);
        request.reply_u32(7)
    });
    assert_eq!(answered.value(oid), Ok(7));
    let answered = ask(request(), |request| request.reply_to(oid, &(1 << 40)));
    assert_eq!(answered.value(oid), Ok(1 << 40));
    let answered = ask(request(), |request| request.reply(&[1]));
    assert_eq!(answered.value(oid), Err(Status::INVALID_LENGTH));
    let half = OutgoingRequest::query_bytes(oid.number(), 4).unwrap();
    let answered = ask(half, |request| request.reply_to(oid, &(1 << 40 | 5)));
    assert_eq!((answered.value(oid), answered.needed()), (Ok(5), Some(8)));
}

#[test]
fn a_list_is_asked_for_again_with_room_for_all() {
    let _host = Host::builder().build();
    let oid = known::GEN_CO_SUPPORTED_LIST;
    let request = OutgoingRequest::query_list(oid, 1).unwrap();
    let answered = ask(request, |request| request.reply_list(oid, &[1, 2, 3]));
    assert_eq!(answered.needed(), Some(12));
    assert!(answered.list(oid).is_err());
    let answered = ask(answered.again(100).unwrap(), |request| {
        request.reply_list(oid, &[1, 2, 3])
    });
    let list: Vec<u32> = answered.list(oid).unwrap().collect();
    assert_eq!(list, [1, 2, 3]);
    // A target that asks for more than it is worth gets what there was.
    let answered = ask(answered.again(100).unwrap(), |request| {
        request.too_short(1 << 30)
    });
    let again = answered.again(16).unwrap();
    let answered = ask(again, |request| {
        assert_eq!(request.capacity(), 16);
        // Half a value at the end.
        request.reply(&[1, 0, 0, 0, 2, 0])
    });
    assert_eq!(answered.list(oid).unwrap().collect::<Vec<_>>(), [1]);
    let set = OutgoingRequest::set(known::PNP_SET_POWER, &4).unwrap();
    let answered = ask(set, |request| request.refuse(Status::RESET_IN_PROGRESS));
    let answered = ask(answered.again(0).unwrap(), |request| {
        assert_eq!(request.input(), [4, 0, 0, 0]);
        request.accept(4)
    });
    assert_eq!(answered.result(), Ok(()));
    let method = OutgoingRequest::<ToAdapter>::method_bytes(OWN, 0, &[], 1).unwrap();
    let answered = ask(method, |request| request.reply(&[1]));
    assert_eq!(answered.again(1).err(), Some(Status::NOT_SUPPORTED));
}

#[test]
fn requests_that_are_under_way_are_told_apart() {
    let _host = Host::builder().build();
    let ids: Vec<_> = (0..4)
        .map(|_| Box::new(OutgoingRequest::query(known::GEN_STATISTICS).unwrap()))
        .collect();
    for (at, one) in ids.iter().enumerate() {
        assert!(ids[..at].iter().all(|other| other.id() != one.id()));
    }
    assert!(std::format!("{:?}", ids[0]).contains("0x00020106"));
}
