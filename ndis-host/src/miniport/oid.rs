//! OID requests that NDIS makes of a miniport on its own behalf: the device's power, and
//! what a test asks for. Requests of drivers are not simulated.

use crate::callback::Context;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::OwnRequest;
use crate::model::request::{Asked, Request};
use crate::readings::OwnRequests;
use crate::state::State;
use alloc::boxed::Box;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST};

const CO_COMPLETE: Call = Call::new("NdisMCoOidRequestComplete").unlocked("GEN-01");
const COMPLETE: Call = Call::new("NdisMOidRequestComplete").unlocked("GEN-01");
const SUPPORTED_LIST: u32 = n::OID_GEN_CO_SUPPORTED_LIST as u32;

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    Query,
    Set,
}

impl State {
    /// What an answer of a miniport may be.
    fn check_answer(&mut self, adapter: u32, ask: Ask, oid: u32, status: i32, removed: bool) {
        let Some(record) = self.world.adapters.get(&adapter) else {
            return;
        };
        let object = Some(ObjectId::new(Kind::Adapter, adapter));
        let listed = record.oids.contains(&oid);
        let who = record.who.clone();
        let (name, answer) = (name_of(oid), crate::status::Name(status));
        let unknown = [n::NDIS_STATUS_NOT_SUPPORTED, n::NDIS_STATUS_INVALID_OID];
        let refused = status == n::NDIS_STATUS_NOT_ACCEPTED;
        let (rule, message) = if removed {
            if refused {
                return;
            }
            let message = alloc::format!(
                "{name} is answered with {answer} after the notice that the device is gone"
            );
            ("HALT-13", message)
        } else if oid == n::OID_PNP_SET_POWER {
            if refused || status == n::NDIS_STATUS_SUCCESS {
                return;
            }
            ("DV-08", alloc::format!("{name} is answered with {answer}"))
        } else if oid == n::OID_PNP_QUERY_POWER {
            if status == n::NDIS_STATUS_SUCCESS {
                return;
            }
            ("OID-62", alloc::format!("{name} is answered with {answer}"))
        } else if listed && matches!(ask, Ask::Query) && unknown.contains(&status) {
            let message = alloc::format!(
                "{name} is in the list of supported OIDs and is answered with {answer}"
            );
            ("INIT-30", message)
        } else {
            return;
        };
        self.violate_by(who, rule, object, message);
    }

    /// A miniport completes a request.
    fn complete_own(&mut self, call: &'static str, raw: usize, key: usize, co: bool, status: i32) {
        let Some(number) = self.take(call, raw, Kind::Adapter) else {
            return;
        };
        let object = ObjectId::new(Kind::Adapter, number);
        if status == n::NDIS_STATUS_PENDING {
            let message = alloc::format!("{call} reports PENDING as the final status");
            self.violate("OID-16", Some(object), message);
            return;
        }
        let rule = if co { "OID-14" } else { "OID-58" };
        let own = self.world.oids.get(&key);
        if own.is_some_and(|own| own.adapter == number && own.co == co) {
            self.completes(call, rule, object, Asked::Own(key), status);
        } else {
            self.not_asked(call, rule, object);
        }
    }
}

/// Makes a request of an adapter's miniport and waits for the answer: the status, and what
/// has been written or read.
pub(crate) fn ask(
    cx: &Cx,
    adapter: u32,
    ask: Ask,
    oid: u32,
    data: &mut [u8],
) -> Option<(i32, usize)> {
    let object = ObjectId::new(Kind::Adapter, adapter);
    // SAFETY: pointers and numbers, for which zeroes are valid.
    let zeroes: NDIS_OID_REQUEST = unsafe { core::mem::MaybeUninit::zeroed().assume_init() };
    let mut request = Box::new(zeroes);
    request.Header.Type = n::NDIS_OBJECT_TYPE_OID_REQUEST as u8;
    request.Header.Revision = n::NDIS_OID_REQUEST_REVISION_1 as u8;
    request.Header.Size = n::NDIS_SIZEOF_OID_REQUEST_REVISION_1 as u16;
    let (pointer, length) = (data.as_mut_ptr(), data.len() as u32);
    match ask {
        Ask::Query => {
            request.RequestType = n::NdisRequestQueryInformation;
            request.DATA.QUERY_INFORMATION = n::_QUERY {
                Oid: oid,
                InformationBuffer: pointer.cast(),
                InformationBufferLength: length,
                BytesWritten: 0,
                BytesNeeded: 0,
            };
        }
        Ask::Set => {
            request.RequestType = n::NdisRequestSetInformation;
            request.DATA.SET_INFORMATION = n::_SET {
                Oid: oid,
                InformationBuffer: pointer.cast(),
                InformationBufferLength: length,
                BytesRead: 0,
                BytesNeeded: 0,
            };
        }
    }
    let request: *mut NDIS_OID_REQUEST = &raw mut *request;
    let key = request.addr();
    let prepared = cx.with(|s| {
        let co = s.readings.own_requests == OwnRequests::CoOidRequest;
        let name = if co {
            "MiniportCoOidRequest"
        } else {
            "MiniportOidRequest"
        };
        let mut callback = s.to_adapter(name, adapter);
        if !co {
            callback.passive = Some("IRQL-158");
        }
        let record = s.world.adapters.get(&adapter)?;
        let (context, removed) = (record.context.unwrap_or(Context::NULL), record.removal_told);
        let co_handler = s
            .world
            .miniport_co(adapter)
            .and_then(|co| co.CoOidRequestHandler);
        let miniport = s.world.miniports.get(&record.miniport)?;
        let handler = miniport.handlers.0.OidRequestHandler;
        let text = alloc::format!("request: {}", name_of(oid));
        s.note(Some(object), &text);
        s.world.oids.insert(
            key,
            OwnRequest {
                adapter,
                co,
                request: Request::default(),
            },
        );
        let question = s.question(callback, Asked::Own(key), None);
        Some((question, context, removed, co, co_handler, handler))
    });
    let (question, context, removed, co, co_handler, handler) = prepared?;
    let missing = if co {
        ("OID-14", CO_COMPLETE.name)
    } else {
        ("OID-58", COMPLETE.name)
    };
    let status = cx.ask_and_wait(&question, missing, || match (co, co_handler, handler) {
        // SAFETY: the driver's handler with its own context; the request and its buffer
        // live until the answer.
        (true, Some(handler), _) => unsafe { handler(context.0, core::ptr::null_mut(), request) },
        // SAFETY: as above.
        (false, _, Some(handler)) => unsafe { handler(context.0, request) },
        _ => n::NDIS_STATUS_NOT_SUPPORTED,
    });
    cx.with(|s| {
        s.world.oids.remove(&key);
        s.check_answer(adapter, ask, oid, status, removed);
    });
    // SAFETY: the request is this function's again.
    let answered = unsafe { &(*request).DATA };
    let done = match ask {
        // SAFETY: a query was asked.
        Ask::Query => unsafe { answered.QUERY_INFORMATION.BytesWritten },
        // SAFETY: something was to be set.
        Ask::Set => unsafe { answered.SET_INFORMATION.BytesRead },
    };
    Some((status, (done as usize).min(data.len())))
}

/// An OID as a reader knows it.
fn name_of(oid: u32) -> alloc::string::String {
    match oid {
        n::OID_PNP_SET_POWER => "OID_PNP_SET_POWER".into(),
        n::OID_PNP_QUERY_POWER => "OID_PNP_QUERY_POWER".into(),
        SUPPORTED_LIST => "OID_GEN_CO_SUPPORTED_LIST".into(),
        other => alloc::format!("OID {other:#010x}"),
    }
}

/// What a test asks a miniport: the bytes of the answer, or the status.
pub(crate) fn query(cx: &Cx, adapter: u32, oid: u32, length: usize) -> Result<Vec<u8>, i32> {
    let mut data = alloc::vec![0; length];
    match ask(cx, adapter, Ask::Query, oid, &mut data) {
        Some((n::NDIS_STATUS_SUCCESS, written)) => {
            data.truncate(written);
            Ok(data)
        }
        Some((status, _)) => Err(status),
        None => Err(n::NDIS_STATUS_FAILURE),
    }
}

exports! { EXPORTS {
    /// Completes a request that `MiniportCoOidRequest` pended.
    fn NdisMCoOidRequestComplete(
        adapter: NDIS_HANDLE,
        _vc: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
        status: i32,
    ) {
        let cx = Cx::enter(CO_COMPLETE, &[adapter]);
        cx.done(status);
        let key = request.addr();
        cx.with(|s| s.complete_own(CO_COMPLETE.name, adapter.addr(), key, true, status));
    }

    /// Completes a request that `MiniportOidRequest` pended.
    fn NdisMOidRequestComplete(
        adapter: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
        status: i32,
    ) {
        let cx = Cx::enter(COMPLETE, &[adapter]);
        cx.done(status);
        let key = request.addr();
        cx.with(|s| s.complete_own(COMPLETE.name, adapter.addr(), key, false, status));
    }
}}
