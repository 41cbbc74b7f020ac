//! What queries carry in: where it ends, nobody has written the buffer, as Miri sees.

use super::{OWN, incoming::Asked};
use crate::{
    Status,
    oid::{Oid, QueryWith, ToAdapter, known, number},
};
// Defines what the crates import.
use ndis_host as _;
use std::vec;

extern crate std;

#[test]
fn what_a_query_carries_in_is_read_before_it_is_answered() {
    let asked = Asked::new(0, number::PNP_QUERY_POWER, &[3, 0, 0, 0], 4);
    let status = asked.answer(|request| {
        assert_eq!(request.input(), [3, 0, 0, 0]);
        let (state, request) = request.read(known::PNP_QUERY_POWER).unwrap();
        assert_eq!(state, 3);
        request.reply_to(known::PNP_QUERY_POWER, &())
    });
    assert_eq!((status, asked.written()), (Status::SUCCESS, (vec![], 0, 0)));
    // One of the driver's own, which is in no list.
    const SQUARE: Oid<u32, QueryWith<u16>, ToAdapter> = Oid::new(OWN);
    let asked = Asked::new(0, OWN, &[3, 0], 4);
    let status = asked.answer(|request| {
        assert!(request.input().is_empty());
        request.reply(&[])
    });
    assert_eq!(status, Status::SUCCESS);
    let asked = Asked::new(0, OWN, &[3, 0, 0, 0], 4);
    let status = asked.answer(|request| {
        let (root, request) = request.read(SQUARE).unwrap();
        request.reply_to(SQUARE, &(u32::from(root) * u32::from(root)))
    });
    assert_eq!(
        (status, asked.written()),
        (Status::SUCCESS, (vec![9, 0, 0, 0], 4, 4))
    );
}

/// A driver may take an OID of Windows's for one that carries something in, or more than it does.
/// Nobody has written the buffer of such a query, and it is not read all the same.
#[test]
fn what_no_page_says_that_a_query_carries_is_not_read() {
    const WRONG: Oid<u32, QueryWith<u32>, ToAdapter> = Oid::new(number::GEN_STATISTICS);
    let asked = Asked::query(WRONG.number(), 4);
    let status = asked.answer(|request| match request.read(WRONG) {
        Ok((nothing, request)) => request.reply_value(&nothing),
        Err(answer) => answer,
    });
    assert_eq!(status, Status::NOT_SUPPORTED);
    const LONG: Oid<u32, QueryWith<u64>, ToAdapter> = Oid::new(number::PNP_QUERY_POWER);
    let asked = Asked::new(0, LONG.number(), &[3, 0, 0, 0], 8);
    let status = asked.answer(|request| match request.read(LONG) {
        Ok((more, request)) => request.reply_value(&more),
        Err(answer) => answer,
    });
    assert_eq!(status, Status::INVALID_LENGTH);
    // Which line or address is asked about; behind that is room for the answer.
    for (oid, len) in [
        (number::CO_TAPI_LINE_CAPS, 4),
        (number::CO_TAPI_ADDRESS_CAPS, 8),
        (number::CO_TAPI_TRANSLATE_TAPI_SAP, 16),
    ] {
        let asked = Asked::new(0, oid, &vec![7; len], 300);
        let status = asked.answer(|request| {
            assert_eq!(request.input(), vec![7; len]);
            request.reply(&[])
        });
        assert_eq!(status, Status::SUCCESS);
    }
}
