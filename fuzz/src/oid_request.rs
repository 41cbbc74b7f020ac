//! `NDIS_OID_REQUEST` as another driver may hand it over: any header, type, lengths and
//! buffer, in memory that ends where its claims do; and what an answer leaves in it.

use crate::{input::Input, memory::Exact, show::show};
use ndis_co::{
    Answer, Status,
    answer::Request,
    irql::UpToDispatch,
    oid::{
        Door, Kind, MAX_INPUT, Oid, OidRequest, PendingOidRequest, QueryWith, ToAdapter, View,
        known, number,
    },
};
use ndis_host::Host;
use ndis_sys::{
    _METHOD, _QUERY, NDIS_OBJECT_HEADER, NDIS_OID_REQUEST, NDIS_SIZEOF_OID_REQUEST_REVISION_1,
    NDIS_SIZEOF_OID_REQUEST_REVISION_2, NDIS_STATUS,
};
use std::{
    mem::offset_of,
    ptr,
    sync::{Arc, Mutex},
};

const FIRST: usize = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
const SECOND: usize = NDIS_SIZEOF_OID_REQUEST_REVISION_2;
const DATA: usize = offset_of!(NDIS_OID_REQUEST, DATA);

/// The numbers that are asked for: of a value, a counter, something that is carried in, and
/// of nothing that is known.
const OIDS: [u32; 5] = [
    number::GEN_CO_LINK_SPEED,
    number::GEN_CO_XMIT_PDUS_OK,
    number::PNP_QUERY_POWER,
    number::GEN_CURRENT_PACKET_FILTER,
    0xFF00_0001,
];

/// A query of a driver's own that carries something in.
const SQUARE: Oid<u64, QueryWith<u32>, ToAdapter> = Oid::new(0xFF00_0001);

/// Lengths as they are mostly, and as they are not.
fn length(input: &mut Input<'_>) -> u32 {
    match input.byte() {
        short @ 0..=199 => u32::from(short) % 24,
        200..=219 => MAX_INPUT - 1 + u32::from(input.byte() % 4),
        220..=239 => u32::MAX - u32::from(input.byte()),
        _ => input.word(),
    }
}

/// What is written into memory.
struct Written {
    header: NDIS_OBJECT_HEADER,
    request_type: i32,
    oid: u32,
    has_buffer: bool,
    /// What a query and a set claim, and a method of what it carries in.
    first: u32,
    /// What a method claims of what may be written.
    second: u32,
    /// The bytes of the buffer.
    bytes: Vec<u8>,
}

impl Written {
    fn read(input: &mut Input<'_>) -> Self {
        let shape = input.byte();
        let header = NDIS_OBJECT_HEADER {
            Type: if shape & 0x0F == 1 {
                input.byte()
            } else {
                0x96
            },
            Revision: if shape & 0x30 == 0x10 {
                input.byte()
            } else {
                1
            },
            Size: match shape >> 6 {
                0 => FIRST as u16,
                1 => SECOND as u16,
                2 => (FIRST as u16 - 2) + u16::from(input.byte() % 16),
                _ => input.word() as u16,
            },
        };
        let request_type = match input.byte() {
            kind @ 0..=15 => i32::from(kind),
            16..=80 => 0,
            81..=150 => 1,
            151..=230 => 12,
            _ => input.word().cast_signed(),
        };
        let oid = OIDS[input.below(OIDS.len())];
        let has_buffer = !input.byte().is_multiple_of(16);
        let [first, second] = [length(input), length(input)];
        // As many bytes as are claimed, or a few where that is a lie.
        let claimed = if request_type == 12 {
            first.max(second)
        } else {
            first
        };
        let there = match (claimed > MAX_INPUT, first > MAX_INPUT) {
            (false, _) => claimed,
            // What is carried in is there.
            (true, false) => first.max(16),
            (true, true) => 16,
        };
        let there = if has_buffer { there } else { 0 };
        Self {
            header,
            request_type,
            oid,
            has_buffer,
            first,
            second,
            bytes: input.bytes(there as usize),
        }
    }

    /// Puts it into memory: the fields, as far as its length goes, and the buffer.
    fn memory(&self, buffer: &Exact) -> Exact {
        let len = usize::from(self.header.Size).clamp(size_of::<NDIS_OBJECT_HEADER>(), SECOND);
        let mut memory = Exact::new(len);
        memory.put(0, self.header);
        let pointer = if self.has_buffer {
            // At an odd address.
            buffer.pointer::<u8>().wrapping_add(1)
        } else {
            ptr::null_mut()
        };
        let at = |field| DATA + field;
        for (place, word) in [
            (
                offset_of!(NDIS_OID_REQUEST, RequestType),
                self.request_type.cast_unsigned(),
            ),
            (at(offset_of!(_METHOD, Oid)), self.oid),
            (at(offset_of!(_METHOD, InputBufferLength)), self.first),
            (at(offset_of!(_METHOD, OutputBufferLength)), self.second),
        ] {
            if place + size_of::<u32>() <= len {
                memory.put(place, word);
            }
        }
        let place = at(offset_of!(_METHOD, InformationBuffer));
        if place + size_of::<*mut u8>() <= len {
            memory.put(place, pointer);
        }
        memory
    }

    /// How much is carried in and may be written, or why the request is refused.
    fn expected(&self) -> Result<(usize, usize), Status> {
        let least = if self.header.Revision < 2 {
            FIRST
        } else {
            SECOND
        };
        if self.header.Type != 0x96
            || self.header.Revision == 0
            || usize::from(self.header.Size) < least
        {
            return Err(Status::INVALID_DATA);
        }
        let (carried, room) = match self.request_type {
            // One number, whatever room there is.
            0 | 2 if self.oid == number::PNP_QUERY_POWER => (self.first.min(4), self.first),
            0 | 2 => (0, self.first),
            1 => (self.first, 0),
            12 => (self.first, self.second),
            _ => return Err(Status::NOT_SUPPORTED),
        };
        if !self.has_buffer && (carried, room) != (0, 0) {
            return Err(Status::INVALID_DATA);
        }
        if carried > MAX_INPUT {
            return Err(Status::INVALID_LENGTH);
        }
        Ok((carried as usize, room as usize))
    }

    /// How much may be written: whatever the target likes, which is refused where there is no
    /// room, but no more than there is where the claim is a lie.
    fn most(&self) -> usize {
        match self.expected() {
            Ok((_, room)) if room > self.bytes.len() => self.bytes.len(),
            _ => usize::MAX,
        }
    }

    fn is_query(&self) -> bool {
        matches!(self.request_type, 0 | 2)
    }
}

/// How a target answers.
#[derive(Clone, Debug)]
enum Act {
    Reply(Vec<u8>),
    InPlace(usize),
    Counter(u64),
    Accept(usize),
    TooShort(usize),
    Refuse(Status),
    Typed(u64),
    Read,
}

impl Act {
    fn read(input: &mut Input<'_>, most: usize) -> Self {
        let len = |input: &mut Input<'_>| usize::from(input.byte() % 40).min(most);
        match input.byte() % 8 {
            0 => {
                let len = len(input);
                Self::Reply(input.bytes(len))
            }
            1 => Self::InPlace(len(input)),
            2 if most >= 8 => Self::Counter(u64::from(input.word()) << 13),
            3 => Self::Accept(input.word() as usize),
            4 => Self::TooShort(input.word() as usize),
            5 if most >= 8 => Self::Typed(u64::from(input.word()) << 13),
            6 => Self::Read,
            _ => Self::Refuse(Status::from_raw(input.word().cast_signed())),
        }
    }

    fn at_once<'r>(self, request: OidRequest<'r, Waits>) -> Answer<'r> {
        match self {
            Self::Reply(bytes) => request.reply(&bytes),
            Self::InPlace(len) => request.reply_with(len, |place| place.fill(7)),
            Self::Counter(counter) => request.reply_u64(counter),
            Self::Accept(used) => request.accept(used),
            Self::TooShort(needed) => request.too_short(needed),
            Self::Refuse(status) => request.refuse(status),
            Self::Typed(counter) => request.reply_to(known::GEN_CO_XMIT_PDUS_OK, &counter),
            Self::Read => match request.read(SQUARE) {
                Ok((root, request)) => request.reply_to(SQUARE, &u64::from(root)),
                Err(answer) => answer,
            },
        }
    }

    /// The same for one that was pended, or it is dropped.
    fn later(self, request: PendingOidRequest<Waits>, irql: &mut UpToDispatch) {
        match self {
            Self::Reply(bytes) => request.reply(&bytes, irql),
            Self::InPlace(len) => request.reply_with(len, |place| place.fill(7), irql),
            Self::Counter(counter) => request.reply_u64(counter, irql),
            Self::Accept(used) => request.accept(used, irql),
            Self::TooShort(needed) => request.too_short(needed, irql),
            Self::Refuse(status) => request.refuse(status, irql),
            Self::Typed(counter) => {
                request.reply_to(known::GEN_CO_XMIT_PDUS_OK, &counter, irql);
            }
            Self::Read => drop(request),
        }
    }
}

/// What is left in the request.
#[derive(Debug, PartialEq)]
struct Left {
    status: Status,
    bytes: Vec<u8>,
    read: u32,
    needed: u32,
}

impl Left {
    fn failed(status: Status, needed: usize) -> Self {
        Self {
            status,
            bytes: Vec::new(),
            read: 0,
            needed: u32::try_from(needed).unwrap_or(u32::MAX),
        }
    }

    /// What an answer of these bytes leaves.
    fn replied(written: &Written, bytes: &[u8]) -> Self {
        let Ok((carried, room)) = written.expected() else {
            unreachable!("it was not refused")
        };
        if written.request_type == 1 {
            return Self::failed(Status::NOT_SUPPORTED, 0);
        }
        if bytes.len() > room {
            return Self::failed(Status::BUFFER_TOO_SHORT, bytes.len());
        }
        Self {
            status: Status::SUCCESS,
            bytes: bytes.to_vec(),
            read: if written.is_query() {
                0
            } else {
                carried as u32
            },
            needed: bytes.len() as u32,
        }
    }

    fn counter(written: &Written, counter: u64) -> Self {
        let bytes = counter.to_le_bytes();
        let Ok((_, room)) = written.expected() else {
            unreachable!("it was not refused")
        };
        if !written.is_query() || room >= 8 {
            return Self::replied(written, &bytes);
        }
        if room < 4 {
            return Self::failed(Status::INVALID_LENGTH, 8);
        }
        Self {
            needed: 8,
            ..Self::replied(written, &bytes[..4])
        }
    }

    /// What this act leaves.
    fn of(act: &Act, written: &Written, pended: bool) -> Self {
        let Ok((carried, room)) = written.expected() else {
            unreachable!("it was not refused")
        };
        match act {
            Act::Reply(bytes) => Self::replied(written, bytes),
            Act::InPlace(len) => Self::replied(written, &vec![7; *len]),
            Act::Counter(counter) => Self::counter(written, *counter),
            Act::Accept(_) if written.is_query() => Self::failed(Status::NOT_SUPPORTED, 0),
            Act::Accept(used) => {
                let read = carried.min(*used) as u32;
                Self {
                    status: Status::SUCCESS,
                    bytes: Vec::new(),
                    read,
                    needed: read,
                }
            }
            Act::TooShort(needed) => {
                let has = match written.request_type {
                    _ if written.is_query() => room,
                    1 => carried,
                    _ => carried.min(room),
                };
                if *needed > has {
                    Self::failed(Status::BUFFER_TOO_SHORT, *needed)
                } else {
                    Self::failed(Status::INVALID_LENGTH, (*needed).max(1))
                }
            }
            Act::Refuse(status) => Self::failed(status.as_failure(), 0),
            Act::Typed(counter)
                if written.is_query() && written.oid == number::GEN_CO_XMIT_PDUS_OK =>
            {
                Self::counter(written, *counter)
            }
            Act::Read if pended => Self::failed(Status::FAILURE, 0),
            Act::Read if written.is_query() && written.oid == SQUARE.number() => {
                match written.bytes.first_chunk() {
                    Some(root) => {
                        let root = u64::from(u32::from_le_bytes(*root));
                        Self::replied(written, &root.to_le_bytes())
                    }
                    None => Self::failed(Status::INVALID_LENGTH, 4),
                }
            }
            Act::Typed(_) | Act::Read => Self::failed(Status::NOT_SUPPORTED, 0),
        }
    }

    /// What there is.
    fn in_memory(status: Status, written: &Written, memory: &Exact, buffer: &mut Exact) -> Self {
        let arm = memory.pointer::<u8>().wrapping_add(DATA);
        let (moved, read, needed) = if written.request_type == 12 {
            // SAFETY: the memory has all fields of the first revision.
            let arm = unsafe { arm.cast::<_METHOD>().read() };
            (arm.BytesWritten, arm.BytesRead, arm.BytesNeeded)
        } else {
            // SAFETY: as above. A set's counts are in the same places.
            let arm = unsafe { arm.cast::<_QUERY>().read() };
            let moved = arm.BytesWritten;
            if written.request_type == 1 {
                (0, moved, arm.BytesNeeded)
            } else {
                (moved, 0, arm.BytesNeeded)
            }
        };
        let bytes = &buffer.bytes_mut()[1..];
        Self {
            status,
            bytes: bytes[..moved as usize].to_vec(),
            read,
            needed,
        }
    }
}

/// The door of these requests: it says with what they were completed.
struct Waits(Arc<Mutex<Option<NDIS_STATUS>>>);

impl Waits {
    fn tell(&self, status: NDIS_STATUS) {
        let before = self.0.lock().expect("nothing panics there").replace(status);
        assert_eq!(before, None, "a request is completed once");
    }
}

// SAFETY: nobody but the target waits for these requests, and looks into the cell.
unsafe impl Door for Waits {
    type Asked = ToAdapter;
    unsafe fn complete(&self, _request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        self.tell(status);
    }
    unsafe fn lost(self, _request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        self.tell(status);
    }
}

/// Looks at a request in every way.
fn look(view: &View, written: &Written, most: usize) {
    let Ok((carried, room)) = written.expected() else {
        panic!("what is to be refused was shown")
    };
    assert_eq!((view.oid(), view.capacity()), (written.oid, room));
    assert!(
        view.input() == &written.bytes[..carried],
        "what is carried in"
    );
    let word = view
        .input()
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes));
    assert_eq!(view.input_as::<u32>(), word);
    match view.kind() {
        Kind::Query => assert_eq!(written.request_type, 0),
        Kind::Set => assert_eq!(written.request_type, 1),
        Kind::Statistics => assert_eq!(written.request_type, 2),
        Kind::Method { .. } => assert_eq!(written.request_type, 12),
    }
    let _ = (view.port(), view.id(), view.timeout());
    assert!(view.virtual_port().is_none() || written.header.Revision > 1);
    show(view, most);
}

/// Reads one input as a request, and as what its target does.
///
/// # Panics
///
/// When the view says something else than what was written, or the answer leaves something
/// else than it should.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let pend = input.flag();
    let most = usize::from(input.byte()) * 4;
    let written = Written::read(&mut input);
    let act = Act::read(&mut input, written.most());
    let mut buffer = Exact::new(1 + written.bytes.len());
    buffer.put_bytes(1, &written.bytes);
    let memory = written.memory(&buffer);
    let completed = Arc::new(Mutex::new(None));
    // SAFETY: the one answer of this call.
    let request = unsafe { Request::new() };
    let door = Waits(Arc::clone(&completed));
    // SAFETY: it lives until the end of this function, with all fields that its header claims
    // and a buffer that is as long as it is looked at: what is longer by its claim is refused,
    // or is written as far as the answer goes.
    let seen = unsafe { OidRequest::new(memory.pointer(), door, request) };
    let request = match seen {
        Ok(request) => request,
        Err(answer) => {
            assert_eq!(Some(answer.status()), written.expected().err());
            return;
        }
    };
    look(&request, &written, most);
    let left = Left::of(&act, &written, pend);
    let status = if pend {
        let _host = Host::builder().build();
        let (answer, later) = request.pend();
        assert!(answer.is_pending());
        look(&later, &written, most);
        // SAFETY: nothing is locked here.
        let mut irql = unsafe { UpToDispatch::assume() };
        act.later(later, &mut irql);
        let completed = completed.lock().expect("nothing panics there").take();
        Status::from_raw(completed.expect("a pended request is completed"))
    } else {
        let status = act.at_once(request).status();
        let completed = completed.lock().expect("nothing panics there").take();
        assert_eq!(completed, None, "what is answered at once is not completed");
        status
    };
    let found = Left::in_memory(status, &written, &memory, &mut buffer);
    assert!(found == left, "{found:?} is left, and not {left:?}");
}
