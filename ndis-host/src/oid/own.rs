//! Requests that NDIS makes of a miniport on its own behalf: the device's power, what it asks
//! for when an adapter is there, and what a test asks for.

use super::names::name_of;
use super::structure::moved;
use crate::callback::{Context, Ptr};
use crate::cx::Cx;
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::oid::{Asker, Door, Given, Subject};
use crate::model::request::Asked;
use crate::settle::Settled;
use crate::state::State;
use crate::vcs::delete_if_waiting;
use alloc::boxed::Box;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST};

/// What NDIS asks a miniport for on a test's behalf: see [`Host::ask`](crate::Host::ask).
///
/// ```
/// # use ndis_host::OidAsk;
/// # use ndis_sys as n;
/// let version = OidAsk::query(n::OID_GEN_CO_VENDOR_DRIVER_VERSION as u32, 4);
/// let options = OidAsk::set(n::OID_GEN_CO_PROTOCOL_OPTIONS as u32, [0; 4]).timeout(2);
/// ```
#[derive(Clone, Debug)]
pub struct OidAsk {
    kind: n::NDIS_REQUEST_TYPE,
    oid: n::NDIS_OID,
    data: Vec<u8>,
    input: u32,
    output: u32,
    method: u32,
    vc: usize,
    id: usize,
    timeout: u32,
}

impl OidAsk {
    fn new(kind: n::NDIS_REQUEST_TYPE, oid: n::NDIS_OID, data: Vec<u8>) -> Self {
        let length = data.len() as u32;
        Self {
            kind,
            oid,
            data,
            input: length,
            output: length,
            method: 0,
            vc: 0,
            id: 0,
            timeout: 0,
        }
    }

    /// Asks for so many bytes of information.
    #[must_use]
    pub fn query(oid: n::NDIS_OID, length: usize) -> Self {
        Self::new(n::NdisRequestQueryInformation, oid, alloc::vec![0; length])
    }

    /// The same, as a query of statistics.
    #[must_use]
    pub fn statistics(oid: n::NDIS_OID, length: usize) -> Self {
        Self::new(n::NdisRequestQueryStatistics, oid, alloc::vec![0; length])
    }

    /// Sets information.
    #[must_use]
    pub fn set(oid: n::NDIS_OID, data: impl Into<Vec<u8>>) -> Self {
        Self::new(n::NdisRequestSetInformation, oid, data.into())
    }

    /// Calls a method with input, for so many bytes of output, in one buffer.
    #[must_use]
    pub fn method(oid: n::NDIS_OID, method: u32, input: impl Into<Vec<u8>>, output: usize) -> Self {
        let mut data = input.into();
        let length = data.len() as u32;
        data.resize(data.len().max(output), 0);
        let mut ask = Self::new(n::NdisRequestMethod, oid, data);
        (ask.input, ask.output, ask.method) = (length, output as u32, method);
        ask
    }

    /// What a query is given with it, at the start of its buffer.
    #[must_use]
    pub fn with(mut self, input: &[u8]) -> Self {
        for (to, from) in self.data.iter_mut().zip(input) {
            *to = *from;
        }
        self
    }

    /// Of one VC, not of the adapter: the handle of any of its drivers.
    #[must_use]
    pub fn of_vc(mut self, vc: NDIS_HANDLE) -> Self {
        self.vc = vc.addr();
        self
    }

    /// The id under which it can be cancelled; without one a miniport may not find it.
    #[must_use]
    pub fn id(mut self, id: usize) -> Self {
        self.id = id;
        self
    }

    /// After so many seconds NDIS cancels it.
    #[must_use]
    pub fn timeout(mut self, seconds: u32) -> Self {
        self.timeout = seconds;
        self
    }
}

/// How a miniport has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidAnswer {
    /// The final status. `NDIS_STATUS_SUCCESS` alone is one: that a status is not negative
    /// says nothing.
    pub status: n::NDIS_STATUS,
    /// `BytesWritten`, of a query or a method.
    pub written: u32,
    /// `BytesRead`, of a set or a method.
    pub read: u32,
    /// `BytesNeeded`.
    pub needed: u32,
    /// The whole buffer.
    pub data: Vec<u8>,
}

impl OidAnswer {
    /// The bytes that were written.
    ///
    /// # Errors
    ///
    /// The status, unless it is `NDIS_STATUS_SUCCESS`.
    pub fn bytes(mut self) -> Result<Vec<u8>, n::NDIS_STATUS> {
        if self.status != n::NDIS_STATUS_SUCCESS {
            return Err(self.status);
        }
        self.data.truncate(self.written as usize);
        Ok(self.data)
    }

    fn failed(status: n::NDIS_STATUS, data: Vec<u8>) -> Self {
        Self {
            status,
            written: 0,
            read: 0,
            needed: 0,
            data,
        }
    }
}

/// The structure of a request.
fn structure(ask: &OidAsk, buffer: *mut u8) -> Box<NDIS_OID_REQUEST> {
    // SAFETY: pointers and numbers, for which zeroes are valid.
    let zeroes: NDIS_OID_REQUEST = unsafe { core::mem::MaybeUninit::zeroed().assume_init() };
    let mut request = Box::new(zeroes);
    request.Header.Type = n::NDIS_OBJECT_TYPE_OID_REQUEST as u8;
    request.Header.Revision = n::NDIS_OID_REQUEST_REVISION_1 as u8;
    request.Header.Size = n::NDIS_SIZEOF_OID_REQUEST_REVISION_1 as u16;
    request.RequestType = ask.kind;
    request.Timeout = ask.timeout;
    request.RequestId = crate::callback::handle(ask.id);
    let (oid, buffer) = (ask.oid, buffer.cast());
    match ask.kind {
        n::NdisRequestSetInformation => {
            request.DATA.SET_INFORMATION = n::_SET {
                Oid: oid,
                InformationBuffer: buffer,
                InformationBufferLength: ask.input,
                BytesRead: 0,
                BytesNeeded: 0,
            };
        }
        n::NdisRequestMethod => {
            request.DATA.METHOD_INFORMATION = n::_METHOD {
                Oid: oid,
                InformationBuffer: buffer,
                InputBufferLength: ask.input,
                OutputBufferLength: ask.output,
                MethodId: ask.method,
                BytesWritten: 0,
                BytesRead: 0,
                BytesNeeded: 0,
            };
        }
        _ => {
            request.DATA.QUERY_INFORMATION = n::_QUERY {
                Oid: oid,
                InformationBuffer: buffer,
                InformationBufferLength: ask.output,
                BytesWritten: 0,
                BytesNeeded: 0,
            };
        }
    }
    request
}

impl State {
    /// The VC that a test names by any of its handles, unless it is about to go.
    fn vc_of_any(&self, raw: usize) -> Option<u32> {
        let vc = match self.handles.look(raw) {
            Lookup::Live(Kind::ClientVc | Kind::CallManagerVc | Kind::MiniportVc, vc) => vc,
            _ => return None,
        };
        let record = self.world.vcs.get(&vc)?;
        (!record.going && !record.deleting).then_some(vc)
    }
}

/// Makes a request of an adapter's miniport and waits for the answer; None when there is no
/// such adapter or VC (any more).
pub(crate) fn ask(cx: &Cx, adapter: u32, mut ask: OidAsk) -> Option<OidAnswer> {
    let object = ObjectId::new(Kind::Adapter, adapter);
    let buffer = ask.data.as_mut_ptr();
    let mut request = structure(&ask, buffer);
    let at = Ptr(&raw mut *request);
    let given = Given {
        kind: ask.kind,
        port: 0,
        timeout: ask.timeout,
        id: ask.id,
        source: 0,
        oid: ask.oid,
        buffer: Ptr(buffer),
        input: ask.input,
        output: ask.output,
        method: ask.method,
    };
    let door = cx.with(|s| s.plain_door(adapter));
    // One at a time (OID-58).
    if door == Door::Miniport && cx.with(|s| s.has_plain(adapter)) {
        let who = cx.with(|s| s.to_adapter("", adapter).who);
        let missing = "NdisMOidRequestComplete";
        cx.wait_until("OID-58", &who, Some(object), missing, move |s| {
            !s.has_plain(adapter)
        });
    }
    let (number, vc, delivery) = cx.with(|s| {
        let vc = match ask.vc {
            0 => None,
            raw => Some(s.vc_of_any(raw)?),
        };
        if vc.is_some_and(|vc| s.world.adapter_of_vc(vc) != Some(adapter)) {
            return None;
        }
        s.check_halt(adapter).ok()?;
        let text = alloc::format!("request: {}", name_of(ask.oid));
        s.note(Some(object), &text);
        let subject = Subject {
            adapter,
            vc,
            ..Subject::default()
        };
        let contexts = [Context::NULL; 3];
        let number = s.new_oid((at, given), door, Asker::Ndis, subject, contexts)?;
        Some((number, vc, s.delivery(number)))
    })?;
    let Some(delivery) = delivery else {
        cx.with(|s| s.end_oid(number));
        return None;
    };
    let (function, rule) = cx.with(|s| {
        let record = s.world.oids.get(&number);
        record.map_or(("", "OID-14"), |record| record.completion)
    });
    // The VC is held from its context on, which the handler gets when others have run.
    let settled = cx.ask(&delivery.question, || delivery.call());
    cx.with(|s| {
        if let Some(record) = s.world.oids.get_mut(&number) {
            record.handing = false;
        }
    });
    let status = match settled {
        Settled::Now(status) | Settled::Twice(status) => status,
        Settled::Elsewhere => {
            cx.wait_for_answer(&delivery.question, rule, function);
            cx.with(|s| s.answer(delivery.question.asked))
        }
    };
    let answered = cx.with(|s| {
        // One that never came is reported, and its memory is not given up.
        let answered = s.is_answered(Asked::Oid(number));
        if answered {
            s.check_answer(door.handler(), number, status);
        }
        s.end_oid(number);
        answered
    });
    if let Some(vc) = vc {
        delete_if_waiting(cx, vc);
    }
    if !answered {
        let _ = Box::into_raw(request);
        core::mem::forget(ask.data);
        return Some(OidAnswer::failed(n::NDIS_STATUS_PENDING, Vec::new()));
    }
    let counts = moved(at, ask.kind);
    drop(request);
    Some(OidAnswer {
        status,
        written: counts.written.min(ask.output),
        read: counts.read.min(ask.input),
        needed: counts.needed,
        data: ask.data,
    })
}

/// What a test asks a miniport.
pub(crate) fn ask_for_test(cx: &Cx, adapter: u32, what: OidAsk) -> OidAnswer {
    let answer = ask(cx, adapter, what);
    answer.unwrap_or_else(|| OidAnswer::failed(n::NDIS_STATUS_FAILURE, Vec::new()))
}

/// What NDIS asks of every adapter that has been initialized, by the documentation (OID-46):
/// the list of OIDs and the custom ones, the abilities of its power management, and the
/// statistics of the interface; and it tells the name of the computer.
pub(crate) fn ask_after_initialize(cx: &Cx, adapter: u32) {
    let name: Vec<u8> = "HOST".encode_utf16().flat_map(u16::to_ne_bytes).collect();
    let asks = [
        OidAsk::query(n::OID_GEN_CO_SUPPORTED_LIST as u32, 1024),
        OidAsk::query(n::OID_GEN_CO_SUPPORTED_GUIDS as u32, 1024),
        OidAsk::query(
            n::OID_PNP_CAPABILITIES,
            size_of::<n::NDIS_PNP_CAPABILITIES>(),
        ),
        OidAsk::set(n::OID_GEN_MACHINE_NAME as u32, name),
        OidAsk::query(
            n::OID_GEN_STATISTICS as u32,
            size_of::<n::NDIS_STATISTICS_INFO>(),
        ),
        OidAsk::query(n::OID_GEN_CO_XMIT_PDUS_OK as u32, 8),
        OidAsk::query(n::OID_GEN_CO_RCV_PDUS_OK as u32, 8),
    ];
    for one in asks {
        ask(cx, adapter, one);
    }
}

/// The queries that every connection-oriented miniport answers (OID-24), and how much room
/// each answer gets.
const MANDATORY: [(i32, usize); 17] = [
    (n::OID_GEN_CO_SUPPORTED_LIST, 4096),
    (n::OID_GEN_CO_HARDWARE_STATUS, 4),
    (n::OID_GEN_CO_MEDIA_SUPPORTED, 64),
    (n::OID_GEN_CO_MEDIA_IN_USE, 64),
    (n::OID_GEN_CO_LINK_SPEED, 8),
    (n::OID_GEN_CO_VENDOR_ID, 4),
    (n::OID_GEN_CO_VENDOR_DESCRIPTION, 256),
    (n::OID_GEN_CO_VENDOR_DRIVER_VERSION, 4),
    (n::OID_GEN_CO_DRIVER_VERSION, 2),
    (n::OID_GEN_CO_MAC_OPTIONS, 4),
    (n::OID_GEN_CO_MEDIA_CONNECT_STATUS, 4),
    (n::OID_GEN_CO_MINIMUM_LINK_SPEED, 8),
    (n::OID_GEN_CO_XMIT_PDUS_OK, 8),
    (n::OID_GEN_CO_RCV_PDUS_OK, 8),
    (n::OID_GEN_CO_XMIT_PDUS_ERROR, 8),
    (n::OID_GEN_CO_RCV_PDUS_ERROR, 8),
    (n::OID_GEN_CO_RCV_PDUS_NO_BUFFER, 8),
];

/// Asks for all that is mandatory; what the miniport does not know is reported.
pub(crate) fn ask_mandatory(cx: &Cx, adapter: u32) -> Vec<(u32, OidAnswer)> {
    let mut answers = Vec::new();
    for (oid, length) in MANDATORY {
        let oid = oid as u32;
        let answer = ask_for_test(cx, adapter, OidAsk::query(oid, length));
        let unknown = [
            n::NDIS_STATUS_NOT_SUPPORTED,
            n::NDIS_STATUS_NOT_RECOGNIZED,
            n::NDIS_STATUS_INVALID_OID,
        ];
        if unknown.contains(&answer.status) {
            cx.with(|s| {
                let who = s.to_adapter("", adapter).who;
                let object = ObjectId::new(Kind::Adapter, adapter);
                let message = alloc::format!(
                    "{}, which is mandatory, is answered with {}",
                    name_of(oid),
                    crate::status::Name(answer.status)
                );
                s.violate_by(who, "OID-24", Some(object), message);
            });
        }
        answers.push((oid, answer));
    }
    answers
}
