//! Requests in memory that ends where their claims do, or before. Miri runs these: a byte too
//! many is seen, and one that nobody has written.

use super::OWN;
use crate::{
    Answer, Status,
    answer::Request,
    irql::UpToDispatch,
    oid::{Door, Kind, OidRequest, PendingOidRequest, RequestId, ToAdapter, View, known, number},
};
use core::{mem::MaybeUninit, ptr};
use ndis_host::Host;
use ndis_sys::{
    _METHOD, _QUERY, _REQUEST_DATA, _SET, NDIS_CO_LINK_SPEED, NDIS_OBJECT_HEADER, NDIS_OID_REQUEST,
    NDIS_SIZEOF_OID_REQUEST_REVISION_1, NDIS_SIZEOF_OID_REQUEST_REVISION_2, NDIS_STATUS,
};
use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    sync::{Arc, Mutex},
    vec,
    vec::Vec,
};

extern crate std;

/// How requests were completed: with which status, of a lost token or not.
pub(super) type Log = Arc<Mutex<Vec<(NDIS_STATUS, bool)>>>;

pub(super) struct TestDoor(pub(super) Log);

// SAFETY: nobody waits for these requests but the tests, which look into the log.
unsafe impl Door for TestDoor {
    type Asked = ToAdapter;
    unsafe fn complete(&self, _request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        self.0.lock().unwrap().push((status, false));
    }
    unsafe fn lost(self, _request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        self.0.lock().unwrap().push((status, true));
    }
}

/// A request, which ends behind the fields of its first revision unless it is of the second.
pub(super) struct Asked {
    request: *mut NDIS_OID_REQUEST,
    layout: Layout,
    /// What the buffer is in.
    memory: Vec<MaybeUninit<u8>>,
    log: Log,
}

/// The byte of the memory at which buffers begin: an odd address.
const ODD: usize = 1;

impl Asked {
    /// `room` bytes of memory for the buffer, which begin with `data`; the others were never
    /// written.
    pub(super) fn new(kind: i32, oid: u32, data: &[u8], room: usize) -> Self {
        Self::of(NDIS_SIZEOF_OID_REQUEST_REVISION_1, 1, kind, oid, data, room)
    }

    fn of(size: usize, revision: u8, kind: i32, oid: u32, data: &[u8], room: usize) -> Self {
        let layout = Layout::from_size_align(size, align_of::<NDIS_OID_REQUEST>()).unwrap();
        // SAFETY: it has bytes.
        let request: *mut NDIS_OID_REQUEST = unsafe { alloc_zeroed(layout) }.cast();
        let mut memory = vec![MaybeUninit::uninit(); ODD + room];
        for (to, from) in memory[ODD..].iter_mut().zip(data) {
            to.write(*from);
        }
        let mut asked = Self {
            request,
            layout,
            memory,
            log: Log::default(),
        };
        let header = NDIS_OBJECT_HEADER {
            Type: 0x96,
            Revision: revision,
            Size: size as u16,
        };
        // SAFETY: the fields are of the first revision, for which there is room.
        unsafe { (*request).Header = header };
        // SAFETY: as above.
        unsafe { (*request).RequestType = kind };
        let buffer = if room == 0 {
            ptr::null_mut()
        } else {
            asked.memory[ODD..].as_mut_ptr().cast()
        };
        let data = if kind == 12 {
            _REQUEST_DATA {
                METHOD_INFORMATION: _METHOD {
                    Oid: oid,
                    InformationBuffer: buffer,
                    InputBufferLength: data.len() as u32,
                    OutputBufferLength: room as u32,
                    MethodId: 5,
                    BytesWritten: 77,
                    BytesRead: 77,
                    BytesNeeded: 77,
                },
            }
        } else {
            _REQUEST_DATA {
                QUERY_INFORMATION: _QUERY {
                    Oid: oid,
                    InformationBuffer: buffer,
                    InformationBufferLength: if kind == 1 { data.len() } else { room } as u32,
                    BytesWritten: 77,
                    BytesNeeded: 77,
                },
            }
        };
        // SAFETY: as above.
        unsafe { (*request).DATA = data };
        asked
    }

    pub(super) fn query(oid: u32, room: usize) -> Self {
        Self::new(0, oid, &[], room)
    }

    fn set(oid: u32, data: &[u8]) -> Self {
        Self::new(1, oid, data, data.len())
    }

    /// Lies about the length that stands where a query's and a set's does.
    fn claims(self, len: u32) -> Self {
        // SAFETY: the fields are of the first revision.
        unsafe { (*self.arm::<_QUERY>()).InformationBufferLength = len };
        self
    }

    /// The same of what a method may write.
    fn claims_room(self, len: u32) -> Self {
        // SAFETY: as above.
        unsafe { (*self.arm::<_METHOD>()).OutputBufferLength = len };
        self
    }

    fn without_buffer(self) -> Self {
        // SAFETY: as above.
        unsafe { (*self.arm::<_QUERY>()).InformationBuffer = ptr::null_mut() };
        self
    }

    /// One of the forms of the data.
    fn arm<T>(&self) -> *mut T {
        // SAFETY: the data are of the first revision.
        unsafe { &raw mut (*self.request).DATA }.cast()
    }

    fn header(self, header: NDIS_OBJECT_HEADER) -> Self {
        // SAFETY: as above.
        unsafe { (*self.request).Header = header };
        self
    }

    /// Shows it to its target, and gives what that answers.
    pub(super) fn answer(
        &self,
        target: impl for<'r> FnOnce(OidRequest<'r, TestDoor>) -> Answer<'r>,
    ) -> Status {
        // SAFETY: the one answer of this call, which is how the request is answered.
        let request = unsafe { Request::new() };
        let door = TestDoor(Arc::clone(&self.log));
        // SAFETY: it is there as long as its header says, and its buffer where it is looked
        // at; nobody else uses it.
        let seen = unsafe { OidRequest::new(self.request, door, request) };
        match seen {
            Ok(request) => target(request),
            Err(answer) => answer,
        }
        .status()
    }

    /// What a query's target wrote, and how much it says.
    pub(super) fn written(&self) -> (Vec<u8>, u32, u32) {
        // SAFETY: as above; all forms of the data have been written whole.
        let counts = unsafe { self.arm::<_QUERY>().read() };
        let bytes = self.bytes(counts.BytesWritten);
        (bytes, counts.BytesWritten, counts.BytesNeeded)
    }

    fn bytes(&self, len: u32) -> Vec<u8> {
        let bytes = self.memory[ODD..].iter().take(len as usize);
        // SAFETY: the target says that it has written them.
        bytes.map(|byte| unsafe { byte.assume_init() }).collect()
    }

    /// How much a set's target read, and would.
    fn read(&self) -> (u32, u32) {
        // SAFETY: as above.
        let counts = unsafe { self.arm::<_SET>().read() };
        (counts.BytesRead, counts.BytesNeeded)
    }

    /// What a method's target wrote, how much it read, and how much is needed.
    fn moved(&self) -> (Vec<u8>, u32, u32) {
        // SAFETY: as above.
        let counts = unsafe { self.arm::<_METHOD>().read() };
        let bytes = self.bytes(counts.BytesWritten);
        (bytes, counts.BytesRead, counts.BytesNeeded)
    }

    fn log(&self) -> Vec<(NDIS_STATUS, bool)> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and used no more.
        unsafe { dealloc(self.request.cast(), self.layout) };
    }
}

fn level() -> UpToDispatch {
    // SAFETY: a test's thread holds no lock.
    unsafe { UpToDispatch::assume() }
}

#[test]
fn a_query_is_looked_at_and_answered() {
    for (kind, seen) in [(0, Kind::Query), (2, Kind::Statistics)] {
        let asked = Asked::new(kind, OWN, &[], 8);
        let status = asked.answer(|request| {
            assert_eq!((request.oid(), request.kind()), (OWN, seen));
            assert_eq!((request.capacity(), request.port()), (8, 0));
            assert_eq!((request.id(), request.timeout()), (None, None));
            assert_eq!(request.virtual_port(), None);
            // Nobody has written there.
            assert!(request.input().is_empty());
            request.reply(&[1, 2, 3])
        });
        assert_eq!(status, Status::SUCCESS);
        assert_eq!(asked.written(), (vec![1, 2, 3], 3, 3));
    }
}

#[test]
fn what_does_not_fit_is_not_written() {
    let asked = Asked::query(OWN, 2);
    let status = asked.answer(|request| request.reply(&[1, 2, 3]));
    assert_eq!(status, Status::BUFFER_TOO_SHORT);
    assert_eq!(asked.written(), (vec![], 0, 3));
    let status = asked.answer(|request| request.reply_with(3, |_| unreachable!()));
    assert_eq!(status, Status::BUFFER_TOO_SHORT);
    let status = asked.answer(|request| request.reply_u32(1));
    assert_eq!(status, Status::BUFFER_TOO_SHORT);
    assert_eq!(asked.written(), (vec![], 0, 4));
    let status = asked.answer(|request| request.too_short(usize::MAX));
    assert_eq!(status, Status::BUFFER_TOO_SHORT);
    assert_eq!(asked.written(), (vec![], 0, u32::MAX));
    let status = asked.answer(|request| request.too_short(2));
    assert_eq!(status, Status::INVALID_LENGTH, "it is not too short");
    assert_eq!(asked.written(), (vec![], 0, 2));
    let status = asked.answer(|request| request.invalid_length(0));
    assert_eq!(asked.written(), (vec![], 0, 1), "{status}");
    let status = asked.answer(|request| request.invalid_length(9));
    assert_eq!(status, Status::INVALID_LENGTH);
    assert_eq!(asked.written(), (vec![], 0, 9));
}

#[test]
fn a_reply_is_made_in_place() {
    let asked = Asked::query(OWN, 4);
    let status = asked.answer(|request| {
        request.reply_with(3, |place| {
            assert_eq!(place, [0; 3]);
            place[1] = 7;
        })
    });
    assert_eq!(status, Status::SUCCESS);
    assert_eq!(asked.written(), (vec![0, 7, 0], 3, 3));
    let empty = Asked::query(OWN, 0);
    let status = empty.answer(|request| request.reply_with(0, |place| assert!(place.is_empty())));
    assert_eq!((status, empty.written()), (Status::SUCCESS, (vec![], 0, 0)));
}

#[test]
fn a_counter_is_answered_whole_or_by_half() {
    let counter = 0x0807_0605_0403_0201;
    for room in 0..10 {
        let asked = Asked::query(known::GEN_CO_XMIT_PDUS_OK.number(), room);
        let status = asked.answer(|request| request.reply_to(known::GEN_CO_XMIT_PDUS_OK, &counter));
        let expected: (_, Vec<u8>, u32) = match room {
            0..4 => (Status::INVALID_LENGTH, vec![], 8),
            4..8 => (Status::SUCCESS, vec![1, 2, 3, 4], 8),
            _ => (Status::SUCCESS, vec![1, 2, 3, 4, 5, 6, 7, 8], 8),
        };
        let (bytes, _, needed) = asked.written();
        assert_eq!((status, bytes, needed), expected, "{room}");
    }
}

#[test]
fn a_set_is_looked_at_and_accepted() {
    let asked = Asked::set(OWN, &[1, 2, 3, 4, 5]);
    let status = asked.answer(|request| {
        assert_eq!(request.kind(), Kind::Set);
        assert_eq!(request.input(), [1, 2, 3, 4, 5]);
        assert_eq!(request.input_as(), Some(0x0403_0201_u32));
        assert_eq!(request.input_as::<u64>(), None);
        assert_eq!(request.capacity(), 0);
        request.accept(4)
    });
    assert_eq!((status, asked.read()), (Status::SUCCESS, (4, 4)));
    // No more is read than there was.
    let status = asked.answer(|request| request.accept_as(usize::MAX, 3));
    assert_eq!((status, asked.read()), (Status::SUCCESS, (5, 5)));
    // SAFETY: the field is of the first revision.
    assert_eq!(unsafe { (*asked.request).SupportedRevision }, 3);
}

#[test]
fn a_set_without_data_has_no_buffer() {
    let asked = Asked::set(known::PNP_SET_POWER.number(), &[]);
    let status = asked.answer(|request| {
        assert!(request.input().is_empty());
        request.accept(0)
    });
    assert_eq!((status, asked.read()), (Status::SUCCESS, (0, 0)));
    let status = asked.answer(|request| {
        let (state, request) = match request.read(known::PNP_SET_POWER) {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        unreachable!("{state} {request:?}");
    });
    assert_eq!((status, asked.read()), (Status::INVALID_LENGTH, (0, 4)));
}

#[test]
fn a_method_reads_first_and_writes_then() {
    let asked = Asked::new(12, OWN, &[1, 2, 3], 4);
    let status = asked.answer(|request| {
        assert_eq!(request.kind(), Kind::Method { id: 5 });
        assert_eq!(request.capacity(), 4);
        let mut copy = [0; 3];
        copy.copy_from_slice(request.input());
        copy.reverse();
        request.reply(&copy)
    });
    assert_eq!(status, Status::SUCCESS);
    assert_eq!(asked.moved(), (vec![3, 2, 1], 3, 3));
    let status = asked.answer(|request| request.reply_u64(1));
    assert_eq!(status, Status::BUFFER_TOO_SHORT);
    assert_eq!(asked.moved(), (vec![], 0, 8));
    let status = asked.answer(|request| request.accept(2));
    assert_eq!((status, asked.moved()), (Status::SUCCESS, (vec![], 2, 2)));
}

#[test]
fn no_buffer_where_one_is_claimed_is_refused() {
    for kind in [0, 1, 2] {
        let asked = Asked::new(kind, OWN, &[1; 4], 4).without_buffer();
        let status = asked.answer(|request| request.not_supported());
        assert_eq!(status, Status::INVALID_DATA);
        // Said in both forms, of which the counts are in one place.
        assert_eq!(asked.written(), (vec![], 0, 0));
    }
    for (input, room) in [(&[][..], 4), (&[1; 4][..], 0)] {
        let asked = Asked::new(12, OWN, input, 4).claims_room(room);
        let asked = asked.without_buffer();
        let status = asked.answer(|request| request.not_supported());
        assert_eq!(
            (status, asked.moved()),
            (Status::INVALID_DATA, (vec![], 0, 0))
        );
    }
    // A size probe.
    let asked = Asked::query(OWN, 4).claims(0).without_buffer();
    let status = asked.answer(|request| request.reply(&[1]));
    assert_eq!(status, Status::BUFFER_TOO_SHORT);
    assert_eq!(asked.written(), (vec![], 0, 1));
}

#[test]
fn a_length_of_all_memory_reads_nothing() {
    let asked = Asked::set(OWN, &[1; 4]).claims(u32::MAX);
    let status = asked.answer(|request| request.accept(4));
    assert_eq!((status, asked.read()), (Status::INVALID_LENGTH, (0, 0)));
    let asked = Asked::new(12, OWN, &[1; 4], 4).claims(u32::MAX);
    let status = asked.answer(|request| request.accept(4));
    assert_eq!(status, Status::INVALID_LENGTH);
    // What is written is as long as the answer.
    let asked = Asked::query(OWN, 4).claims(u32::MAX);
    let status = asked.answer(|request| request.reply_u32(9));
    assert_eq!(status, Status::SUCCESS);
    assert_eq!(asked.written(), (vec![9, 0, 0, 0], 4, 4));
    let asked = Asked::new(12, OWN, &[1; 4], 4).claims_room(u32::MAX);
    let status = asked.answer(|request| request.reply(&[9]));
    assert_eq!((status, asked.moved()), (Status::SUCCESS, (vec![9], 4, 1)));
    // That of a query is read as far as the value goes, where that has an end.
    for (oid, expected) in [
        (number::PNP_QUERY_POWER, Status::SUCCESS),
        (
            number::CO_TAPI_TRANSLATE_TAPI_CALLPARAMS,
            Status::INVALID_LENGTH,
        ),
    ] {
        let asked = Asked::new(0, oid, &[3, 0, 0, 0], 4).claims(u32::MAX);
        let status = asked.answer(|request| {
            assert_eq!(request.input(), [3, 0, 0, 0]);
            request.reply(&[])
        });
        assert_eq!(status, expected);
    }
}

#[test]
fn a_header_that_is_none_of_a_request_s_is_refused() {
    let header = |kind, revision, size| NDIS_OBJECT_HEADER {
        Type: kind,
        Revision: revision,
        Size: size,
    };
    let first = NDIS_SIZEOF_OID_REQUEST_REVISION_1 as u16;
    let second = NDIS_SIZEOF_OID_REQUEST_REVISION_2 as u16;
    let whole = NDIS_SIZEOF_OID_REQUEST_REVISION_2;
    let refused = [
        header(0x80, 1, first),
        header(0x96, 0, first),
        header(0x96, 1, first - 1),
        header(0x96, 1, 0),
        header(0x96, 2, first),
        header(0x96, 2, second - 1),
        header(0x96, 9, second - 1),
    ];
    for header in refused {
        let asked = Asked::of(whole, 1, 0, OWN, &[], 4).header(header);
        let status = asked.answer(|request| request.reply(&[]));
        assert_eq!(status, Status::INVALID_DATA);
    }
    for header in [
        header(0x96, 1, first),
        header(0x96, 1, second),
        header(0x96, 2, second),
        header(0x96, 9, u16::MAX),
    ] {
        let asked = Asked::of(whole, 1, 0, OWN, &[], 4).header(header);
        assert_eq!(asked.answer(|request| request.reply(&[])), Status::SUCCESS);
    }
    // SAFETY: null is allowed.
    let none = unsafe { View::new(ptr::null_mut()) };
    assert_eq!(none.err(), Some(Status::INVALID_DATA));
}

#[test]
fn the_second_revision_tells_the_port_of_a_switch() {
    for (revision, flags, expected) in [(2, 1, Some(9)), (2, 0, None), (1, 1, None)] {
        let size = NDIS_SIZEOF_OID_REQUEST_REVISION_2;
        let asked = Asked::of(size, revision, 0, OWN, &[], 4);
        // SAFETY: the request is as long as its second revision.
        unsafe { (*asked.request).Flags = flags };
        // SAFETY: as above.
        unsafe { (*asked.request).VPortId = 9 };
        let _ = asked.answer(|request| {
            assert_eq!(request.virtual_port(), expected);
            request.reply(&[])
        });
    }
}

#[test]
fn a_type_that_no_page_knows_is_refused() {
    for kind in (3..12).chain([13, -1, i32::MAX]) {
        let asked = Asked::new(kind, OWN, &[], 4);
        let status = asked.answer(|_| unreachable!());
        assert_eq!(status, Status::NOT_SUPPORTED);
    }
}

#[test]
fn a_failure_is_one_and_final() {
    let asked = Asked::query(OWN, 4);
    for status in [Status::PENDING, Status::SUCCESS, Status::NOT_ACCEPTED] {
        let told = asked.answer(|request| request.refuse(status));
        assert_eq!(told, Status::FAILURE);
        assert_eq!(asked.written(), (vec![], 0, 0));
    }
    let told = asked.answer(|request| request.refuse(Status::INVALID_DATA));
    assert_eq!(told, Status::INVALID_DATA);
    assert_eq!(
        asked.answer(|request| request.not_supported()),
        Status::NOT_SUPPORTED
    );
}

#[test]
fn what_is_set_has_no_reply_and_what_is_asked_for_is_not_accepted() {
    let set = Asked::set(OWN, &[1; 8]);
    assert_eq!(
        set.answer(|request| request.reply(&[1])),
        Status::NOT_SUPPORTED
    );
    assert_eq!(set.read(), (0, 0));
    assert_eq!(
        set.answer(|request| request.reply_u64(1)),
        Status::NOT_SUPPORTED
    );
    let query = Asked::query(OWN, 8);
    assert_eq!(
        query.answer(|request| request.accept(1)),
        Status::NOT_SUPPORTED
    );
    assert_eq!(
        query.answer(|request| request.accept_as(1, 2)),
        Status::NOT_SUPPORTED
    );
    // SAFETY: the field is of the first revision.
    assert_eq!(unsafe { (*query.request).SupportedRevision }, 0);
}

#[test]
fn a_typed_reply_is_that_of_its_oid() {
    let speed = NDIS_CO_LINK_SPEED {
        Outbound: 1,
        Inbound: 2,
    };
    let asked = Asked::query(number::GEN_CO_LINK_SPEED, 8);
    let status = asked.answer(|request| {
        assert!(request.is(known::GEN_CO_LINK_SPEED));
        assert!(!request.is(known::GEN_CO_MINIMUM_LINK_SPEED));
        request.reply_to(known::GEN_CO_LINK_SPEED, &speed)
    });
    assert_eq!(status, Status::SUCCESS);
    assert_eq!(asked.written(), (vec![1, 0, 0, 0, 2, 0, 0, 0], 8, 8));
    let status = asked.answer(|request| request.reply_to(known::GEN_CO_MINIMUM_LINK_SPEED, &speed));
    assert_eq!(
        (status, asked.written()),
        (Status::NOT_SUPPORTED, (vec![], 0, 0))
    );
    let status = asked.answer(|request| request.reply_list(known::GEN_CO_SUPPORTED_LIST, &[1]));
    assert_eq!(status, Status::NOT_SUPPORTED);
    // A set of what may be asked for, too, is none of a query.
    let set = Asked::set(number::GEN_CURRENT_PACKET_FILTER, &[1, 0, 0, 0]);
    let status = set.answer(|request| {
        assert!(request.is(known::GEN_CURRENT_PACKET_FILTER));
        request.reply_to(known::GEN_CURRENT_PACKET_FILTER, &1)
    });
    assert_eq!(status, Status::NOT_SUPPORTED);
    let status = set.answer(|request| {
        assert!(!request.is(known::GEN_CO_LINK_SPEED));
        let (filter, request) = request.read(known::GEN_CURRENT_PACKET_FILTER).unwrap();
        request.accept(filter as usize)
    });
    assert_eq!((status, set.read()), (Status::SUCCESS, (1, 1)));
    let query = Asked::query(number::GEN_CURRENT_PACKET_FILTER, 4);
    let status = query.answer(|request| {
        request
            .read(known::GEN_CURRENT_PACKET_FILTER)
            .map(drop)
            .unwrap_err()
    });
    assert_eq!(status, Status::NOT_SUPPORTED);
}

#[test]
fn a_list_is_answered_whole() {
    let list = [
        number::GEN_CO_SUPPORTED_LIST,
        number::GEN_CO_HARDWARE_STATUS,
    ];
    for (room, expected) in [(8, Status::SUCCESS), (7, Status::BUFFER_TOO_SHORT)] {
        let asked = Asked::query(number::GEN_CO_SUPPORTED_LIST, room);
        let status =
            asked.answer(|request| request.reply_list(known::GEN_CO_SUPPORTED_LIST, &list));
        assert_eq!(status, expected);
        let (bytes, _, needed) = asked.written();
        assert_eq!((bytes.len() % 8, needed), (0, 8));
    }
}

#[test]
fn a_pended_request_is_completed_once_with_its_counts() {
    let host = Host::builder().build();
    let asked = Asked::query(OWN, 4);
    let mut pended = None;
    let status = asked.answer(|request| {
        let (answer, later) = request.pend();
        pended = Some(later);
        answer
    });
    assert_eq!((status, asked.log()), (Status::PENDING, vec![]));
    let pended = pended.unwrap();
    assert_eq!((pended.oid(), pended.capacity()), (OWN, 4));
    // From another thread, one of this host's: a thread of no host could not say which one it
    // means when it asks for its level, for other tests have theirs.
    host.spawn("another thread", move || {
        pended.reply_u32(7, &mut level());
    });
    host.run();
    assert_eq!(asked.written(), (vec![7, 0, 0, 0], 4, 4));
    assert_eq!(asked.log(), [(Status::SUCCESS.raw(), false)]);
}

#[test]
fn a_pended_request_that_is_dropped_has_failed() {
    let asked = Asked::query(OWN, 4);
    let _ = asked.answer(|request| request.pend().0);
    assert_eq!(asked.log(), [(Status::FAILURE.raw(), true)]);
    assert_eq!(asked.written(), (vec![], 0, 0));
}

#[test]
fn a_pended_request_has_the_same_answers() {
    let _host = Host::builder().build();
    type Answers = fn(PendingOidRequest<TestDoor>, &mut UpToDispatch);
    let answers: [(Answers, Status); 8] = [
        (
            |later, irql| later.reply(&[1; 5], irql),
            Status::BUFFER_TOO_SHORT,
        ),
        (|later, irql| later.reply_u64(1, irql), Status::SUCCESS),
        (
            |later, irql| later.too_short(9, irql),
            Status::BUFFER_TOO_SHORT,
        ),
        (|later, irql| later.accept(1, irql), Status::NOT_SUPPORTED),
        (
            |later, irql| later.refuse(Status::PENDING, irql),
            Status::FAILURE,
        ),
        (
            |later, irql| later.refuse(Status::REQUEST_ABORTED, irql),
            Status::REQUEST_ABORTED,
        ),
        (
            |later, irql| later.not_supported(irql),
            Status::NOT_SUPPORTED,
        ),
        (
            |later, irql| later.reply_to(known::GEN_CO_XMIT_PDUS_OK, &1, irql),
            Status::SUCCESS,
        ),
    ];
    for (answer, status) in answers {
        let asked = Asked::query(number::GEN_CO_XMIT_PDUS_OK, 4);
        let _ = asked.answer(|request| {
            let (pending, later) = request.pend();
            answer(later, &mut level());
            pending
        });
        assert_eq!(asked.log(), [(status.raw(), false)]);
    }
}

#[test]
fn a_request_is_known_by_its_identifier() {
    let asked = Asked::query(OWN, 4);
    let id = ptr::without_provenance_mut(0x1000);
    // SAFETY: the fields are of the first revision.
    unsafe { (*asked.request).RequestId = id };
    // SAFETY: as above.
    unsafe { (*asked.request).Timeout = 3 };
    let _ = asked.answer(|request| {
        assert_eq!(request.id(), RequestId::from_raw(id));
        assert_eq!(request.id().unwrap().raw(), id);
        assert_eq!(request.timeout().unwrap().get(), 3);
        request.reply(&[])
    });
    assert_eq!(RequestId::from_raw(ptr::null_mut()), None);
}
