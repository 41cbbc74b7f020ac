//! Miniports say what has happened to an adapter or a VC, and NDIS passes it on.
//!
//! A protocol is told one thing at a time for each of its bindings (STATUS-08). What comes
//! while it is being told is copied, for its memory is the miniport's again when the call
//! returns (STATUS-06), and waits for whoever is telling.

use crate::callback::{Callback, Context, Ptr};
use crate::characteristics::header_text;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::binding::Waiting;
use crate::model::manager::Manager;
use crate::model::request::Loan;
use crate::readings::JoinedVc;
use crate::state::State;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_STATUS_INDICATION};

const CO: Call = Call::new("NdisMCoIndicateStatusEx").unlocked("GEN-01");
const PLAIN: Call = Call::new("NdisMIndicateStatusEx").unlocked("GEN-01");

/// What is indicated.
struct Indication {
    at: Ptr<NDIS_STATUS_INDICATION>,
    code: i32,
    buffer: Ptr<u8>,
    size: u32,
}

/// Whom it goes to: the binding, and the VC there with its context.
type Listener = (u32, Option<u32>, Context);

/// Reads a member of an indication.
macro_rules! member {
    ($at:expr, $name:ident) => {{
        // SAFETY: the caller's structure, whose header says that it is one.
        let place = unsafe { &raw const (*$at.0).$name };
        // SAFETY: as above; numbers and pointers.
        unsafe { place.read_unaligned() }
    }};
}

impl State {
    /// The adapter of an indication, which may come from the registration attributes on
    /// until the halt is over (STATUS-01).
    fn indicating_adapter(&mut self, call: &'static str, raw: usize) -> Option<u32> {
        let (number, when) = match self.handles.look(raw) {
            Lookup::Live(Kind::Adapter, number) => {
                let adapter = self.world.adapters.get(&number)?;
                let early = adapter.context.is_none();
                if !early && !adapter.halted {
                    return Some(number);
                }
                let when = if early {
                    "before the registration attributes are set"
                } else {
                    "after MiniportHaltEx has returned"
                };
                (number, when)
            }
            Lookup::Stale(Kind::Adapter, number) => (number, "which is gone"),
            _ => return self.take(call, raw, Kind::Adapter),
        };
        let object = ObjectId::new(Kind::Adapter, number);
        let message = alloc::format!("{call} on {object}, {when}");
        self.violate("STATUS-01", Some(object), message);
        None
    }

    /// Looks at an indication, and checks it.
    fn look_at_indication(
        &mut self,
        call: &str,
        adapter: u32,
        vc: Option<u32>,
        at: *mut NDIS_STATUS_INDICATION,
        moment: u64,
    ) -> Option<Indication> {
        let object = ObjectId::new(Kind::Adapter, adapter);
        let record = self.world.adapters.get(&adapter)?;
        let (who, own) = (record.who.clone(), record.raw);
        let silent = (record.halts_at(moment), record.sleeps_at(moment));
        let miniport = self.world.miniports.get(&record.miniport)?;
        let table = &miniport.handlers.0;
        let version = (table.MajorNdisVersion, table.MinorNdisVersion);
        let mut found: Vec<(&'static str, String)> = Vec::new();
        let least = n::NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
        let short = self.memory.room(at.addr()).is_some_and(|room| room < least);
        if at.is_null() || short {
            let message = alloc::format!("{call}: the indication is NULL or too short");
            self.violate_by(who, "STATUS-03", Some(object), message);
            return None;
        }
        let at = Ptr(at);
        let header = member!(at, Header);
        let kind = n::NDIS_OBJECT_TYPE_STATUS_INDICATION as u8;
        if header.Type != kind || header.Revision < 1 || usize::from(header.Size) < least {
            let says = header_text(header);
            let message = alloc::format!("{call}: the header of the indication says {says}");
            self.violate_by(who, "STATUS-03", Some(object), message);
            return None;
        }
        let source = member!(at, SourceHandle).addr();
        if source != own {
            let source = self.handles.look(source);
            found.push(("STATUS-03", alloc::format!("the SourceHandle is {source}")));
        }
        let flags = member!(at, Flags);
        if flags != 0 {
            found.push(("STATUS-03", alloc::format!("the flags are {flags:#x}")));
        }
        let (code, size) = (member!(at, StatusCode), member!(at, StatusBufferSize));
        let buffer = Ptr(member!(at, StatusBuffer).cast::<u8>());
        if buffer.0.is_null() != (size == 0) {
            let text = alloc::format!("a status buffer of {size} bytes at {:?}", buffer.0);
            found.push(("GEN-08", text));
            return self.refuse_indication(call, who, object, found);
        }
        let room = self.memory.room(buffer.0.addr());
        if let Some(room) = room.filter(|room| size as usize > *room) {
            let text = alloc::format!(
                "a status buffer of {size} bytes, whose pool block ends after {room}"
            );
            found.push(("STATUS-15", text));
            return self.refuse_indication(call, who, object, found);
        }
        self.check_code(code, size, vc, (silent, version), &mut found);
        self.check_promise(adapter, at, &mut found);
        self.refuse_indication(call, who, object, found);
        Some(Indication {
            at,
            code,
            buffer,
            size,
        })
    }

    /// Reports what is wrong with an indication.
    fn refuse_indication(
        &mut self,
        call: &str,
        who: Arc<str>,
        object: ObjectId,
        found: Vec<(&'static str, String)>,
    ) -> Option<Indication> {
        for (rule, text) in found {
            let message = alloc::format!("{call}: {text}");
            self.violate_by(who.clone(), rule, Some(object), message);
        }
        None
    }

    /// What a status code asks for.
    fn check_code(
        &self,
        code: i32,
        size: u32,
        vc: Option<u32>,
        ((halts, sleeps), version): ((bool, bool), (u8, u8)),
        found: &mut Vec<(&'static str, String)>,
    ) {
        let name = crate::status::Name(code);
        let needs = match code {
            n::NDIS_STATUS_WAN_CO_FRAGMENT => 4,
            n::NDIS_STATUS_WAN_CO_LINKPARAMS => 12,
            n::NDIS_STATUS_WAN_CO_MTULINKPARAMS => 20,
            _ => 0,
        };
        if needs > 0 && (vc.is_none() || size < needs) {
            let of = if vc.is_some() { "" } else { " without a VC" };
            let text = alloc::format!("{name}{of}, with {size} bytes of {needs}");
            found.push(("STATUS-12", text));
        }
        let mut add = |rule, why: &str| found.push((rule, alloc::format!("{name} {why}")));
        match code {
            n::NDIS_STATUS_RESET_START | n::NDIS_STATUS_RESET_END => {
                add("STATUS-10", "is NDIS's to indicate");
            }
            n::NDIS_STATUS_MEDIA_CONNECT
            | n::NDIS_STATUS_MEDIA_DISCONNECT
            | n::NDIS_STATUS_LINK_STATE
                if halts =>
            {
                add("HALT-12", "while the adapter is halted");
            }
            n::NDIS_STATUS_MEDIA_CONNECT | n::NDIS_STATUS_MEDIA_DISCONNECT if sleeps => {
                add("STATUS-11", "while the device sleeps");
            }
            n::NDIS_STATUS_WAN_CO_MTULINKPARAMS if version < (6, 20) => {
                let (major, minor) = version;
                let why = alloc::format!("from a driver for NDIS {major}.{minor}");
                add("STATUS-13", &why);
            }
            n::NDIS_STATUS_WAN_LINE_UP
            | n::NDIS_STATUS_WAN_LINE_DOWN
            | n::NDIS_STATUS_WAN_FRAGMENT
            | n::NDIS_STATUS_WAN_GET_STATS
            | n::NDIS_STATUS_TAPI_INDICATION => {
                add("WAN-10", "is no indication of connection-oriented NDIS");
            }
            _ => {}
        }
    }

    /// What the adapter says of its medium is so from here on (STATUS-14).
    fn note_connection(&mut self, adapter: u32, it: &Indication) {
        let connected = match it.code {
            n::NDIS_STATUS_MEDIA_CONNECT => true,
            n::NDIS_STATUS_MEDIA_DISCONNECT => false,
            n::NDIS_STATUS_LINK_STATE if it.size >= 8 => {
                let state = it.buffer.0.wrapping_add(4).cast::<i32>();
                // SAFETY: the status buffer is as long (STATUS-15), and begins with a header.
                let state = unsafe { state.read_unaligned() };
                state == n::MediaConnectStateConnected
            }
            _ => return,
        };
        if let Some(record) = self.world.adapters.get_mut(&adapter) {
            record.connected = connected;
        }
    }

    /// STATUS-04: an indication that names a request is of one that was answered with
    /// INDICATION_REQUIRED, with its id and its source.
    fn check_promise(
        &self,
        adapter: u32,
        at: Ptr<NDIS_STATUS_INDICATION>,
        found: &mut Vec<(&'static str, String)>,
    ) {
        let id = member!(at, RequestId).addr();
        let source = member!(at, DestinationHandle).addr();
        let mut promised = self.world.promised.iter();
        let is_it = |it: &crate::model::oid::Promise| {
            it.adapter == adapter && it.id == id && it.source == source
        };
        if (id, source) != (0, 0) && !promised.any(is_it) {
            let text = "the RequestId and the DestinationHandle are not those of a request that \
                        was answered with INDICATION_REQUIRED";
            found.push(("STATUS-04", text.into()));
        }
    }

    /// Who hears of an indication: the drivers of a VC, or all that are bound.
    fn listeners(
        &self,
        adapter: u32,
        vc: Option<u32>,
        at: Ptr<NDIS_STATUS_INDICATION>,
    ) -> Vec<Listener> {
        let open = |binding: &u32| {
            let binding = self.world.bindings.get(binding);
            binding.is_some_and(|b| b.opened && !b.closing)
        };
        let mut all: Vec<Listener> = Vec::new();
        let number = vc;
        if let Some(vc) = vc.and_then(|vc| self.world.vcs.get(&vc)) {
            let mut clients = alloc::vec![(number, vc)];
            if let Some(upper) = vc
                .upper
                .and_then(|it| Some((vc.upper, self.world.vcs.get(&it)?)))
            {
                if self.readings.joined_vc == JoinedVc::Mapped {
                    clients.clear();
                }
                clients.push(upper);
            }
            for (number, vc) in clients {
                if let Some(af) = vc.af.and_then(|af| self.world.afs.get(&af)) {
                    all.push((af.binding, number, vc.client_context));
                }
            }
            if let Manager::Alone { binding } = vc.served_by {
                all.push((binding, number, vc.manager_context));
            }
        } else {
            let source = member!(at, DestinationHandle).addr();
            let id = member!(at, RequestId).addr();
            let mut promised = self.world.promised.iter();
            let only = promised.find(|it| {
                it.adapter == adapter && it.id == id && it.source == source && source != 0
            });
            let only = only.and_then(|it| it.binding);
            for (number, binding) in &self.world.bindings {
                if binding.adapter == adapter && only.is_none_or(|only| only == *number) {
                    all.push((*number, None, Context::NULL));
                }
            }
        }
        all.retain(|(binding, ..)| open(binding));
        all
    }

    /// Whether a binding's protocol can be told now; otherwise the indication waits.
    fn takes_turn(&mut self, binding: u32, vc: Option<u32>, it: &Indication, plain: bool) -> bool {
        let Some(record) = self.world.bindings.get_mut(&binding) else {
            return false;
        };
        if !core::mem::replace(&mut record.being_told, true) {
            return true;
        }
        // SAFETY: the whole structure is the caller's for the call.
        let mut copy = Box::new(unsafe { it.at.0.read_unaligned() });
        let mut buffer = alloc::vec![0_u8; it.size as usize];
        if it.size > 0 {
            // SAFETY: the status buffer has as many bytes (STATUS-15).
            unsafe {
                core::ptr::copy_nonoverlapping(it.buffer.0, buffer.as_mut_ptr(), buffer.len());
            }
            copy.StatusBuffer = buffer.as_mut_ptr().cast();
        }
        record.indications.push_back(Waiting {
            vc,
            copy,
            buffer,
            plain,
        });
        false
    }

    /// What a protocol is told with.
    fn telling(&self, binding: u32, vc: Option<u32>, plain: bool) -> Option<(Callback, Told)> {
        let name = if plain {
            "ProtocolStatusEx"
        } else {
            "ProtocolCoStatusEx"
        };
        let mut callback = self.to_binding(name, binding);
        callback.objects[1] = vc.map(|vc| ObjectId::new(Kind::ClientVc, vc));
        let record = self.world.bindings.get(&binding)?;
        let told = if plain {
            let protocol = self.world.protocols.get(&record.protocol)?;
            Told::Plain(record.context, protocol.handlers.0.StatusHandlerEx?)
        } else {
            let handler = self.world.protocol_co(binding)?.CoStatusHandlerEx?;
            Told::Co(record.context, handler)
        };
        Some((callback, told))
    }

    /// The next indication that waits for a binding, or the end of the turn.
    fn next_indication(&mut self, binding: u32) -> Option<(Waiting, Context)> {
        let record = self.world.bindings.get_mut(&binding)?;
        let closing = record.closing;
        let next = record.indications.pop_front().filter(|_| !closing);
        let Some(next) = next else {
            record.indications.clear();
            record.being_told = false;
            return None;
        };
        let vc = next.vc.and_then(|vc| self.world.vcs.get(&vc));
        let context = vc.map_or(Context::NULL, |vc| {
            let of = vc.af.and_then(|af| self.world.afs.get(&af));
            if of.is_some_and(|af| af.binding == binding) {
                vc.client_context
            } else {
                vc.manager_context
            }
        });
        // What was of a VC that is gone is not told.
        if next.vc.is_some() && vc.is_none() {
            return self.next_indication(binding);
        }
        Some((next, context))
    }
}

/// A protocol's handler, with its context for the binding.
enum Told {
    Co(Context, n::PROTOCOL_CO_STATUS_EX),
    Plain(Context, n::PROTOCOL_STATUS_EX),
}

fn tell(
    cx: &Cx,
    binding: u32,
    (vc, context): (Option<u32>, Context),
    at: *mut NDIS_STATUS_INDICATION,
    plain: bool,
) {
    let Some((callback, told)) = cx.with(|s| s.telling(binding, vc, plain)) else {
        return;
    };
    let code = member!(Ptr(at), StatusCode);
    if code == n::NDIS_STATUS_RESET_END {
        cx.with(|s| s.knows_of_reset(binding, None));
    }
    cx.call(&callback, || match told {
        // SAFETY: the driver's handler with its own contexts; the indication lives for the
        // call.
        Told::Co(own, handler) => unsafe { handler(own.0, context.0, at) },
        // SAFETY: as above.
        Told::Plain(own, handler) => unsafe { handler(own.0, at) },
    });
    if code == n::NDIS_STATUS_RESET_START {
        cx.with(|s| s.knows_of_reset(binding, Some(s.log.seq())));
    }
}

/// What NDIS itself tells the protocols of an adapter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    ResetStart,
    ResetEnd,
}

/// NDIS tells a binding of something, in its turn.
pub(crate) fn indicate_own(cx: &Cx, adapter: u32, binding: u32, notice: Notice) {
    // SAFETY: numbers and pointers.
    let mut own: NDIS_STATUS_INDICATION = unsafe { core::mem::zeroed() };
    own.Header = n::NDIS_OBJECT_HEADER {
        Type: n::NDIS_OBJECT_TYPE_STATUS_INDICATION as u8,
        Revision: n::NDIS_STATUS_INDICATION_REVISION_1 as u8,
        Size: n::NDIS_SIZEOF_STATUS_INDICATION_REVISION_1 as u16,
    };
    own.StatusCode = match notice {
        Notice::ResetStart => n::NDIS_STATUS_RESET_START,
        Notice::ResetEnd => n::NDIS_STATUS_RESET_END,
    };
    let (raw, plain) = cx.with(|s| {
        let raw = s.world.adapters.get(&adapter).map_or(0, |it| it.raw);
        (raw, s.protocol_has_no_co_status(binding))
    });
    own.SourceHandle = crate::callback::handle(raw);
    let it = Indication {
        code: own.StatusCode,
        at: Ptr(&raw mut own),
        buffer: Ptr(core::ptr::null_mut()),
        size: 0,
    };
    pass(cx, binding, (None, Context::NULL), &it, plain);
}

/// Tells a binding in its turn, and then what has come meanwhile.
fn pass(
    cx: &Cx,
    binding: u32,
    (vc, context): (Option<u32>, Context),
    it: &Indication,
    plain: bool,
) {
    if !cx.with(|s| s.takes_turn(binding, vc, it, plain)) {
        return;
    }
    tell(cx, binding, (vc, context), it.at.0, plain);
    while let Some((mut next, context)) = cx.with(|s| s.next_indication(binding)) {
        let at = &raw mut *next.copy;
        tell(cx, binding, (next.vc, context), at, next.plain);
        drop(next.buffer);
    }
}

impl State {
    fn knows_of_reset(&mut self, binding: u32, since: Option<u64>) {
        if let Some(record) = self.world.bindings.get_mut(&binding) {
            record.reset_told = since;
        }
    }

    /// Whether a binding's protocol hears of statuses by `ProtocolStatusEx` only.
    fn protocol_has_no_co_status(&self, binding: u32) -> bool {
        let co = self.world.protocol_co(binding);
        co.and_then(|co| co.CoStatusHandlerEx).is_none()
    }

    /// Whose adapter is no connection-oriented one indicates otherwise (STATUS-16).
    fn check_oriented(&mut self, call: &str, adapter: u32) {
        if self.world.miniport_co(adapter).is_none() {
            let object = ObjectId::new(Kind::Adapter, adapter);
            let message = alloc::format!(
                "{call} on {object}, whose driver has registered no connection-oriented handlers"
            );
            self.violate("STATUS-16", Some(object), message);
        }
    }
}

/// Passes an indication on.
fn indicate(
    cx: &Cx,
    adapter: NDIS_HANDLE,
    vc: Option<NDIS_HANDLE>,
    at: *mut NDIS_STATUS_INDICATION,
) {
    let (call, moment) = (cx.name(), cx.entered());
    let plain = vc.is_none();
    let prepared = cx.with(|s| {
        let number = s.indicating_adapter(call, adapter.addr())?;
        if !plain {
            s.check_oriented(call, number);
        }
        let vc = match vc.filter(|vc| !vc.is_null()) {
            None => None,
            Some(raw) => {
                let vc = s.take_carried(call, raw.addr())?;
                if s.world.adapter_of_vc(vc) != Some(number) {
                    let object = ObjectId::new(Kind::ClientVc, vc);
                    let message = alloc::format!("{call}: {object} is of another adapter");
                    s.violate("STATUS-02", Some(object), message);
                    return None;
                }
                Some(vc)
            }
        };
        let it = s.look_at_indication(call, number, vc, at, moment)?;
        let object = Some(ObjectId::new(Kind::Adapter, number));
        let text = alloc::format!("indicated: {}", crate::status::Name(it.code));
        s.note(object, &text);
        let what = "an indication that is being passed on";
        let loans: [Option<Loan>; 2] = [it.at.0.addr(), it.buffer.0.addr()]
            .map(|address| s.memory.lend(address, "STATUS-06", object, what));
        s.note_connection(number, &it);
        let listeners = s.listeners(number, vc, it.at);
        Some((it, loans, listeners))
    });
    let Some((it, loans, listeners)) = prepared else {
        return;
    };
    for (binding, vc, context) in listeners {
        pass(cx, binding, (vc, context), &it, plain);
    }
    cx.with(|s| {
        for loan in loans {
            s.memory.give_back(loan);
        }
    });
}

exports! { EXPORTS {
    /// Tells the protocols of an adapter, or the drivers of a VC, about a change.
    fn NdisMCoIndicateStatusEx(
        adapter: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        indication: *mut NDIS_STATUS_INDICATION,
    ) {
        let cx = Cx::enter(CO, &[adapter, vc]);
        indicate(&cx, adapter, Some(vc), indication);
    }

    /// Tells the protocols of an adapter about a change that is of no VC.
    fn NdisMIndicateStatusEx(adapter: NDIS_HANDLE, indication: *mut NDIS_STATUS_INDICATION) {
        let cx = Cx::enter(PLAIN, &[adapter]);
        indicate(&cx, adapter, None, indication);
    }
}}
