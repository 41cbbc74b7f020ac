//! OID requests of drivers and of NDIS: from who asks to who answers, and back.
//!
//! A request goes to one of four handlers (its [`Door`]), which answers now or pends. Each
//! handler has a completion function of its own; the asker hears of the end by the return
//! of its call or, when that said PENDING, at the completion handler of the role that it
//! asked in. Requests are not serialized (OID-19), but for `MiniportOidRequest`, which has
//! one an adapter at a time (OID-58) and runs at PASSIVE_LEVEL.
//!
//! [`co`] has the calls of connection-oriented drivers, [`plain`] the others, [`own`] the
//! requests of NDIS itself; what must hold of requests and answers is in [`checks`].

mod announce;
pub(crate) mod cancel;
mod capabilities;
mod checks;
pub(crate) mod co;
mod left;
mod names;
pub(crate) mod own;
pub(crate) mod plain;
mod structure;

use crate::callback::{Callback, Context, Ptr};
use crate::cx::{Cx, job};
use crate::handle::{Kind, ObjectId};
use crate::model::manager::Manager;
use crate::model::oid::{Actor, Asker, Door, Given, OidRequest, Subject};
use crate::model::request::{Asked, Request};
use crate::sched::Work;
use crate::settle::{Question, Settled};
use crate::state::State;
use alloc::vec::Vec;
pub(crate) use left::{wait_for_requests_of_binding, wait_for_requests_to_adapter};
use names::name_of;
use ndis_sys as n;
use ndis_sys::NDIS_OID_REQUEST;

/// The handler of a request.
enum Handler {
    MiniportCo(n::MINIPORT_CO_OID_REQUEST),
    Miniport(n::MINIPORT_OID_REQUEST),
    Protocol(n::PROTOCOL_CO_OID_REQUEST),
    /// The driver has none.
    Missing,
}

/// A request that is about to be handed over.
struct Delivery {
    question: Question,
    handler: Handler,
    contexts: [Context; 3],
    at: Ptr<NDIS_OID_REQUEST>,
}

impl Delivery {
    fn call(&self) -> i32 {
        let [first, second, third] = self.contexts;
        match self.handler {
            // SAFETY: the driver's handler with its own contexts; request and buffer are the
            // asker's, and stay until the end (OID-03).
            Handler::MiniportCo(handler) => unsafe { handler(first.0, second.0, self.at.0) },
            // SAFETY: as above.
            Handler::Miniport(handler) => unsafe { handler(first.0, self.at.0) },
            // SAFETY: as above.
            Handler::Protocol(handler) => unsafe { handler(first.0, second.0, third.0, self.at.0) },
            Handler::Missing => n::NDIS_STATUS_NOT_SUPPORTED,
        }
    }
}

/// How an asker hears of the end.
enum Ear {
    Co(n::PROTOCOL_CO_OID_REQUEST_COMPLETE),
    Plain(n::PROTOCOL_OID_REQUEST_COMPLETE),
}

/// The end of a request that pended, for its asker.
pub(crate) struct Tell {
    callback: Callback,
    ear: Ear,
    contexts: [Context; 3],
    at: Ptr<NDIS_OID_REQUEST>,
    status: i32,
}

/// Tells the asker.
pub(crate) fn tell(cx: &Cx, tell: Option<Tell>) {
    let Some(tell) = tell else {
        return;
    };
    let [first, second, third] = tell.contexts;
    cx.call(&tell.callback, || match tell.ear {
        // SAFETY: the asker's handler with its own contexts, and its own request.
        Ear::Co(handler) => unsafe {
            handler(first.0, second.0, third.0, tell.at.0, tell.status);
        },
        // SAFETY: as above.
        Ear::Plain(handler) => unsafe { handler(first.0, tell.at.0, tell.status) },
    });
}

/// Hands a driver's request over: the status for the asker.
fn submit(cx: &Cx, number: u32) -> i32 {
    cx.with(|s| s.note_announcement(number));
    match deliver(cx, number) {
        Settled::Now(status) => {
            cx.with(|s| s.answered_now(number, status));
            status
        }
        Settled::Elsewhere | Settled::Twice(_) => n::NDIS_STATUS_PENDING,
    }
}

/// Calls the handler.
fn deliver(cx: &Cx, number: u32) -> Settled {
    let Some(delivery) = cx.with(|s| s.delivery(number)) else {
        return Settled::Now(n::NDIS_STATUS_FAILURE);
    };
    let settled = cx.ask(&delivery.question, || delivery.call());
    if settled == Settled::Elsewhere {
        cx.with(|s| s.pends(number));
    }
    settled
}

impl State {
    /// A new request; `given` and `at` were looked at.
    fn new_oid(
        &mut self,
        (at, given): (Ptr<NDIS_OID_REQUEST>, Given),
        door: Door,
        asker: Asker,
        subject: Subject,
        contexts: [Context; 3],
    ) -> Option<u32> {
        let to = self.target_of(door, subject)?;
        let from = self.asker_of(asker)?;
        let number = self.number(Kind::OidRequest);
        let (function, rule) = self.completion_of(door, subject);
        let request = OidRequest {
            at,
            door,
            asker,
            subject,
            from,
            to,
            contexts,
            completion: (function, rule),
            given,
            request: Request::default(),
            memory: None,
            buffer: None,
            data: Vec::new(),
            handing: true,
            removed: false,
            queued: false,
            cancelled: false,
            blamed: false,
            since: self.sched.now,
        };
        let object = request.object(number);
        self.world.oids.insert(number, request);
        if asker != Asker::Ndis {
            let name = name_of(given.oid);
            let what = alloc::format!("{object} ({name}) is outstanding");
            let rules = ("OID-03", "OID-04");
            let memory = self
                .memory
                .lend_between(at.0.addr(), rules, Some(object), &what);
            let what = alloc::format!("{object} ({name}) is outstanding with this buffer");
            let address = given.buffer.0.addr();
            let buffer = self
                .memory
                .lend_between(address, rules, Some(object), &what);
            if let Some(record) = self.world.oids.get_mut(&number) {
                record.memory = memory;
                record.buffer = buffer;
            }
        }
        self.due_oid(number, given.timeout);
        Some(number)
    }

    /// The driver that a request goes to.
    fn target_of(&self, door: Door, subject: Subject) -> Option<Actor> {
        let (driver, who) = match door {
            Door::MiniportCo | Door::Miniport => {
                let adapter = self.world.adapters.get(&subject.adapter)?;
                (adapter.driver, adapter.who.clone())
            }
            Door::Manager => {
                let af = self.world.afs.get(&subject.af?)?;
                (af.manager_driver, af.manager.clone())
            }
            Door::Client => {
                let af = self.world.afs.get(&subject.af?)?;
                (af.client_driver, af.client.clone())
            }
        };
        Some(Actor { driver, who })
    }

    fn asker_of(&self, asker: Asker) -> Option<Actor> {
        let (driver, who) = match asker {
            Asker::Ndis => (0, self.ndis.clone()),
            Asker::Client(binding) | Asker::Protocol(binding) => {
                let binding = self.world.bindings.get(&binding)?;
                (binding.driver, binding.who.clone())
            }
            Asker::Manager(manager) => self.world.manager_driver(manager)?,
        };
        Some(Actor { driver, who })
    }

    /// The function that completes a request of this door, and the rule that says so.
    fn completion_of(&self, door: Door, subject: Subject) -> (&'static str, &'static str) {
        let manager = subject.af.and_then(|af| self.world.afs.get(&af));
        let by_mcm = manager.is_some_and(|af| matches!(af.served_by, Manager::Mcm { .. }));
        match door {
            Door::MiniportCo => ("NdisMCoOidRequestComplete", "OID-14"),
            Door::Miniport => ("NdisMOidRequestComplete", "OID-58"),
            Door::Manager if by_mcm => ("NdisMCmOidRequestComplete", "OID-14"),
            Door::Manager | Door::Client => ("NdisCoOidRequestComplete", "OID-17"),
        }
    }

    /// The handler of a request, and what it is called with.
    fn delivery(&mut self, number: u32) -> Option<Delivery> {
        let record = self.world.oids.get(&number)?;
        let (door, subject, at) = (record.door, record.subject, record.at);
        let mut callback = Callback {
            name: door.handler(),
            driver: record.to.driver,
            who: record.to.who.clone(),
            passive: None,
            objects: record.objects(number),
        };
        if door == Door::Miniport {
            callback.passive = Some("IRQL-158");
        }
        let null = Context::NULL;
        let vc = subject.vc.and_then(|vc| self.world.vcs.get(&vc));
        let party = subject.party.and_then(|it| self.world.parties.get(&it));
        let (handler, contexts) = match door {
            Door::MiniportCo | Door::Miniport => {
                let adapter = self.world.adapters.get(&subject.adapter)?;
                let own = adapter.context.unwrap_or(null);
                let plain = self.world.miniports.get(&adapter.miniport)?;
                let plain = plain.handlers.0.OidRequestHandler.map(Handler::Miniport);
                let co = self.world.miniport_co(subject.adapter);
                let co = co.and_then(|co| co.CoOidRequestHandler);
                let handler = if door == Door::Miniport {
                    plain
                } else {
                    co.map(Handler::MiniportCo)
                };
                let vc = subject.vc.and_then(|vc| self.world.carriers_context(vc));
                let vc = vc.unwrap_or(null);
                (handler, [own, vc, null])
            }
            Door::Manager => {
                let af = subject.af?;
                let table = self.world.manager(af);
                let own = self.world.afs.get(&af)?.manager_context;
                let vc = vc.map_or(null, |vc| vc.manager_context);
                let party = party.map_or(null, |party| party.manager_context);
                let handler = table.and_then(|table| table.CmOidRequestHandler);
                (handler.map(Handler::Protocol), [own, vc, party])
            }
            Door::Client => {
                let af = subject.af?;
                let table = self.world.client(af);
                let own = self.world.afs.get(&af)?.client_context;
                let vc = vc.map_or(null, |vc| vc.client_context);
                let party = party.map_or(null, |party| party.client_context);
                let handler = table.and_then(|table| table.ClOidRequestHandler);
                (handler.map(Handler::Protocol), [own, vc, party])
            }
        };
        let adapter = self.world.adapters.get(&subject.adapter);
        let removed = adapter.is_some_and(|adapter| adapter.removal_told);
        if let Some(record) = self.world.oids.get_mut(&number) {
            record.removed = removed;
        }
        let question = self.question(callback, Asked::Oid(number), None);
        Some(Delivery {
            question,
            handler: handler.unwrap_or(Handler::Missing),
            contexts,
            at,
        })
    }

    /// The handler has returned PENDING, and the request may have been completed before.
    fn pends(&mut self, number: u32) {
        self.keep_data(number);
        self.check_pended(number);
    }

    /// The handler has answered a driver's request by its return value.
    fn answered_now(&mut self, number: u32, status: i32) {
        let Some(name) = self.world.oids.get(&number).map(|r| r.door.handler()) else {
            return;
        };
        self.check_answer(name, number, status);
        self.end_oid(number);
    }

    /// The request that is under way at an address.
    fn oid_at(&self, address: usize) -> Option<u32> {
        let mut all = self.world.oids.iter();
        let found = all.find(|(_, r)| r.at.0.addr() == address && r.is_outstanding());
        found.map(|(number, _)| *number)
    }

    /// A driver completes a request with the right function; whom to tell of it.
    fn complete_oid(&mut self, call: &'static str, number: u32, status: i32) -> Option<Tell> {
        let record = self.world.oids.get(&number)?;
        let (object, rule) = (record.object(number), record.completion.1);
        if status == n::NDIS_STATUS_PENDING {
            let message = alloc::format!("{call} reports PENDING as the final status");
            self.violate("OID-16", Some(object), message);
            return None;
        }
        if !self.completes(call, rule, object, Asked::Oid(number), status) {
            return None;
        }
        if self.world.oids.get(&number)?.asker == Asker::Ndis {
            // It looks at the answer itself.
            return None;
        }
        self.check_answer(call, number, status);
        self.check_untouched(number);
        self.end_of(number, status)
    }

    /// Ends a request that pended: its asker is to be told.
    fn end_of(&mut self, number: u32, status: i32) -> Option<Tell> {
        let mut record = self.end_oid(number)?;
        if let Asker::Protocol(binding) = record.asker
            && self.offers_families(binding)
        {
            // NDIS has forgotten its `ProtocolOidRequestComplete` (REG-37). No page says
            // where it hears then; it has one other such handler.
            record.asker = Asker::Manager(Manager::Alone { binding });
            record.contexts = [Context::NULL; 3];
        }
        let ear = match record.asker {
            Asker::Ndis => None,
            Asker::Client(binding) => {
                let table = self.world.client_of(binding)?;
                table.ClOidRequestCompleteHandler.map(Ear::Co)
            }
            Asker::Manager(manager) => {
                let table = self.world.manager_handlers(manager)?;
                table.CmOidRequestCompleteHandler.map(Ear::Co)
            }
            Asker::Protocol(binding) => {
                let binding = self.world.bindings.get(&binding)?;
                let protocol = self.world.protocols.get(&binding.protocol)?;
                let handler = protocol.handlers.0.OidRequestCompleteHandler;
                handler.map(Ear::Plain)
            }
        };
        let plain = matches!(record.asker, Asker::Protocol(_));
        let callback = Callback {
            name: if plain {
                "ProtocolOidRequestComplete"
            } else {
                "ProtocolCoOidRequestComplete"
            },
            driver: record.from.driver,
            who: record.from.who.clone(),
            passive: None,
            objects: record.objects(number),
        };
        Some(Tell {
            callback,
            ear: ear?,
            contexts: record.contexts,
            at: record.at,
            status,
        })
    }

    /// Whether a stand-alone call manager has registered a family on a binding.
    fn offers_families(&self, binding: u32) -> bool {
        let alone = Manager::Alone { binding };
        let mut adapters = self.world.adapters.values();
        adapters.any(|a| a.families.iter().any(|f| f.manager == alone))
    }

    /// A request is over: its memory is the asker's again.
    fn end_oid(&mut self, number: u32) -> Option<OidRequest> {
        let record = self.world.oids.remove(&number)?;
        self.memory.give_back(record.memory);
        self.memory.give_back(record.buffer);
        self.not_due_oid(number);
        self.histories.end(ObjectId::new(Kind::OidRequest, number));
        if record.door == Door::Miniport {
            self.next_plain(record.subject.adapter);
        }
        Some(record)
    }

    /// Whether `MiniportOidRequest` of an adapter has a request.
    fn has_plain(&self, adapter: u32) -> bool {
        let mut all = self.world.oids.values();
        all.any(|r| r.door == Door::Miniport && r.subject.adapter == adapter && !r.queued)
    }

    /// The next request for `MiniportOidRequest` of an adapter, if one waits and none is
    /// there.
    fn next_plain(&mut self, adapter: u32) {
        if self.has_plain(adapter) {
            return;
        }
        let mut all = self.world.oids.iter_mut();
        let next = all.find(|(_, r)| r.queued && r.subject.adapter == adapter);
        let Some((number, record)) = next else {
            return;
        };
        record.queued = false;
        let number = *number;
        self.sched.queue(Work {
            id: 0,
            name: "an OID request that waited".into(),
            irql: 0,
            frame: None,
            system: false,
            plug_and_play: false,
            run: job(move |cx| {
                if let Settled::Now(status) = deliver(cx, number) {
                    let heard = cx.with(|s| {
                        s.check_answer(Door::Miniport.handler(), number, status);
                        s.end_of(number, status)
                    });
                    tell(cx, heard);
                }
            }),
        });
    }
}
