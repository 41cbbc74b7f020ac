//! The requests of connection-oriented drivers: clients and call managers of both kinds ask
//! the miniport or each other.

use super::{Tell, submit, tell};
use crate::callback::Context;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::adapter::AdapterPhase;
use crate::model::af::AfPhase;
use crate::model::manager::Manager;
use crate::model::oid::{Asker, Door, Subject};
use crate::state::State;
use alloc::sync::Arc;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST};

const ASK: Call = Call::new("NdisCoOidRequest");
const MCM_ASKS: Call = Call::new("NdisMCmOidRequest");
const COMPLETE: Call = Call::new("NdisCoOidRequestComplete").unlocked("GEN-01");
const MCM_COMPLETES: Call = Call::new("NdisMCmOidRequestComplete").unlocked("GEN-01");
pub(super) const MINIPORT_COMPLETES: Call =
    Call::new("NdisMCoOidRequestComplete").unlocked("GEN-01");

const FAILURE: i32 = n::NDIS_STATUS_FAILURE;

/// The handles that a request names: of a family, a VC and a party.
#[derive(Clone, Copy)]
struct Named {
    af: usize,
    vc: usize,
    party: usize,
}

impl State {
    /// A protocol asks; the request's number or, when it goes nowhere, a status.
    fn ask_co(
        &mut self,
        binding: usize,
        named: Named,
        request: *mut NDIS_OID_REQUEST,
    ) -> Result<u32, i32> {
        let call = ASK.name;
        for raw in [binding, named.af, named.vc] {
            if self.is_mcm_handle(raw) {
                self.wrong_set(call, MCM_ASKS.name, raw);
                return Err(FAILURE);
            }
        }
        let who = self.actor(call, &[self.handles.look(binding).object(), None, None]);
        let (at, given) = self.look_at(call, &who, request).ok_or(FAILURE)?;
        self.check_again(call, &who, request)?;
        let binding = self.take(call, binding, Kind::Binding).ok_or(FAILURE)?;
        let object = ObjectId::new(Kind::Binding, binding);
        let (door, asker, af) = match self.handles.look(named.af) {
            Lookup::Null if named.party != 0 => {
                let message = alloc::format!("{call} with a party and without an address family");
                self.violate_by(who, "OID-06", Some(object), message);
                return Err(FAILURE);
            }
            Lookup::Null => {
                let asker = self.role_on(binding, named.vc).ok_or(FAILURE)?;
                (Door::MiniportCo, asker, None)
            }
            Lookup::Live(Kind::CallManagerAf, af) => {
                let alone = Manager::Alone { binding };
                self.check_clients_af(call, &who, af, alone)?;
                (Door::Client, Asker::Manager(alone), Some(af))
            }
            _ => {
                let af = self.take_client_af(call, named.af).ok_or(FAILURE)?;
                self.check_own_af(call, &who, af, binding)?;
                (Door::Manager, Asker::Client(binding), Some(af))
            }
        };
        if door == Door::MiniportCo {
            self.check_reset(call, &who, binding)?;
            let record = self.world.bindings.get(&binding).ok_or(FAILURE)?;
            self.check_halt(record.adapter)?;
        }
        let subject = self.subject_of(call, &who, named, asker, (door, af))?;
        if self.faults.allocation() {
            return Err(n::NDIS_STATUS_RESOURCES);
        }
        self.check_asked(call, &who, object, &given, af.is_some());
        if let Some(af) = af
            && door == Door::Manager
        {
            self.asks_for_addresses(af, given.oid);
            self.check_asked_in_order(&who, af, &given);
            self.check_translation_asked(call, &who, af, &given);
        }
        let contexts = self.contexts_of(asker, subject);
        let number = self.new_oid((at, given), door, asker, subject, contexts);
        number.ok_or(FAILURE)
    }

    /// An MCM asks a client.
    fn ask_mcm(&mut self, named: Named, request: *mut NDIS_OID_REQUEST) -> Result<u32, i32> {
        let call = MCM_ASKS.name;
        for raw in [named.af, named.vc] {
            if self.is_alone_handle(raw) {
                self.wrong_set(call, ASK.name, raw);
                return Err(FAILURE);
            }
        }
        let found = self.handles.look(named.af);
        let who = self.actor(call, &[found.object(), None, None]);
        let (at, given) = self.look_at(call, &who, request).ok_or(FAILURE)?;
        self.check_again(call, &who, request)?;
        let af = match found {
            Lookup::Live(Kind::CallManagerAf, af) => af,
            Lookup::Live(..) => {
                let message = alloc::format!("{call} with {found}, which is no family of an MCM's");
                self.violate_by(who, "OID-12", found.object(), message);
                return Err(FAILURE);
            }
            _ => {
                self.take(call, named.af, Kind::CallManagerAf);
                return Err(FAILURE);
            }
        };
        let object = ObjectId::new(Kind::ClientAf, af);
        let record = self.world.afs.get(&af).ok_or(FAILURE)?;
        let (served_by, driver) = (record.served_by, record.manager_driver);
        if self.driver().is_some_and(|running| running != driver) {
            let message = alloc::format!("{call} on {object}, which another MCM offers");
            self.violate("OID-12", Some(object), message);
            return Err(FAILURE);
        }
        self.check_clients_af(call, &who, af, served_by)?;
        let asker = Asker::Manager(served_by);
        let door = Door::Client;
        let subject = self.subject_of(call, &who, named, asker, (door, Some(af)))?;
        if self.faults.allocation() {
            return Err(n::NDIS_STATUS_RESOURCES);
        }
        self.check_asked(call, &who, object, &given, true);
        let contexts = self.contexts_of(asker, subject);
        let number = self.new_oid((at, given), door, asker, subject, contexts);
        number.ok_or(FAILURE)
    }

    /// Nothing is asked of an adapter that is being reset (RESET-01).
    pub(super) fn check_reset(
        &mut self,
        call: &str,
        who: &Arc<str>,
        binding: u32,
    ) -> Result<(), i32> {
        let Some(told) = self.in_reset(binding) else {
            return Ok(());
        };
        if told {
            let object = ObjectId::new(Kind::Binding, binding);
            let message = alloc::format!("{call} on {object} while its adapter is reset");
            self.violate_by(who.clone(), "RESET-01", Some(object), message);
        }
        Err(n::NDIS_STATUS_RESET_IN_PROGRESS)
    }

    /// A miniport is asked for nothing from its halt on (HALT-08). Whoever asks may still be bound:
    /// the reading `notify_close`.
    pub(super) fn check_halt(&self, adapter: u32) -> Result<(), i32> {
        let adapter = self.world.adapters.get(&adapter).ok_or(FAILURE)?;
        if adapter.phase == AdapterPhase::Halting {
            return Err(n::NDIS_STATUS_CLOSING);
        }
        Ok(())
    }

    /// OID-03: a request that is on its way is not made again.
    pub(super) fn check_again(
        &mut self,
        call: &str,
        who: &Arc<str>,
        request: *mut NDIS_OID_REQUEST,
    ) -> Result<(), i32> {
        let Some(number) = self.oid_at(request.addr()) else {
            return Ok(());
        };
        let object = ObjectId::new(Kind::OidRequest, number);
        let message = alloc::format!("{call} with {object}, which is outstanding");
        self.violate_by(who.clone(), "OID-03", Some(object), message);
        Err(FAILURE)
    }

    /// The role in which a protocol asks the miniport: that of the side whose VC it is, or
    /// of a client where it can be one. (Where a driver that is both hears of a request that
    /// names neither, no page says.)
    fn role_on(&self, binding: u32, vc: usize) -> Option<Asker> {
        let alone = Manager::Alone { binding };
        if let Lookup::Live(Kind::CallManagerVc, _) = self.handles.look(vc) {
            return Some(Asker::Manager(alone));
        }
        if self.world.client_of(binding).is_some() {
            return Some(Asker::Client(binding));
        }
        let manager = self.world.manager_handlers(alone);
        manager.map(|_| Asker::Manager(alone))
    }

    /// A client's family is its own, and open.
    fn check_own_af(
        &mut self,
        call: &str,
        who: &Arc<str>,
        af: u32,
        binding: u32,
    ) -> Result<(), i32> {
        let object = ObjectId::new(Kind::ClientAf, af);
        let record = self.world.afs.get(&af).ok_or(FAILURE)?;
        let breach = if record.binding != binding {
            ("OID-67", "which is not of that binding")
        } else if record.phase != AfPhase::Open {
            ("AF-13", "which is not open")
        } else {
            return Ok(());
        };
        let message = alloc::format!("{call} on {object}, {}", breach.1);
        self.violate_by(who.clone(), breach.0, Some(object), message);
        Err(FAILURE)
    }

    /// A call manager's client opens the family at it, or has it open.
    fn check_clients_af(
        &mut self,
        call: &str,
        who: &Arc<str>,
        af: u32,
        manager: Manager,
    ) -> Result<(), i32> {
        let object = ObjectId::new(Kind::ClientAf, af);
        let record = self.world.afs.get(&af).ok_or(FAILURE)?;
        if record.served_by != manager {
            let message = alloc::format!("{call} on {object}, which is not of that binding");
            self.violate_by(who.clone(), "OID-67", Some(object), message);
            return Err(FAILURE);
        }
        if record.closed_by_client {
            // Which the call manager cannot know. While the client opens it, the call manager has the
            // handle, and no page says that it may not ask.
            return Err(n::NDIS_STATUS_CLOSING);
        }
        Ok(())
    }

    /// What a request is about; OID-67 where that does not belong together.
    fn subject_of(
        &mut self,
        call: &'static str,
        who: &Arc<str>,
        named: Named,
        asker: Asker,
        (door, af): (Door, Option<u32>),
    ) -> Result<Subject, i32> {
        let of_client = matches!(asker, Asker::Client(_));
        let adapter = match (af, asker) {
            (Some(af), _) => self.world.afs.get(&af).map(|af| af.adapter),
            (None, Asker::Client(binding) | Asker::Manager(Manager::Alone { binding })) => {
                self.world.bindings.get(&binding).map(|b| b.adapter)
            }
            _ => None,
        };
        let mut subject = Subject {
            adapter: adapter.ok_or(FAILURE)?,
            af,
            vc: None,
            party: None,
        };
        if named.vc != 0 {
            let kind = if of_client {
                Kind::ClientVc
            } else {
                Kind::CallManagerVc
            };
            let vc = self.take(call, named.vc, kind).ok_or(FAILURE)?;
            let record = self.world.vcs.get(&vc).ok_or(FAILURE)?;
            let fits = match (door, asker) {
                (Door::MiniportCo, Asker::Client(binding)) => {
                    let of = record.af.and_then(|af| self.world.afs.get(&af));
                    of.is_some_and(|af| af.binding == binding)
                }
                (Door::MiniportCo, Asker::Manager(manager)) => record.served_by == manager,
                _ => record.af == af,
            };
            if !fits {
                let object = ObjectId::new(Kind::ClientVc, vc);
                let message = alloc::format!(
                    "{call} of {object}, which is of another family or binding than the request"
                );
                self.violate_by(who.clone(), "OID-67", Some(object), message);
                return Err(FAILURE);
            }
            subject.vc = Some(vc);
        }
        if named.party != 0 {
            let kind = if of_client {
                Kind::ClientParty
            } else {
                Kind::CallManagerParty
            };
            let party = self.take(call, named.party, kind).ok_or(FAILURE)?;
            let record = self.world.parties.get(&party).ok_or(FAILURE)?;
            let of = self.world.vcs.get(&record.vc).and_then(|vc| vc.af);
            if of != af || subject.vc.is_some_and(|vc| vc != record.vc) {
                let object = ObjectId::new(Kind::ClientParty, party);
                let message =
                    alloc::format!("{call} of {object}, which is of another VC or family");
                self.violate_by(who.clone(), "OID-67", Some(object), message);
                return Err(FAILURE);
            }
            subject.party = Some(party);
        }
        Ok(subject)
    }

    /// The asker's own contexts of what its request is about.
    fn contexts_of(&self, asker: Asker, subject: Subject) -> [Context; 3] {
        let of_client = matches!(asker, Asker::Client(_));
        let null = Context::NULL;
        let pick = |client, manager| if of_client { client } else { manager };
        let af = subject.af.and_then(|af| self.world.afs.get(&af));
        let vc = subject.vc.and_then(|vc| self.world.vcs.get(&vc));
        let party = subject.party.and_then(|it| self.world.parties.get(&it));
        [
            af.map_or(null, |it| pick(it.client_context, it.manager_context)),
            vc.map_or(null, |it| pick(it.client_context, it.manager_context)),
            party.map_or(null, |it| pick(it.client_context, it.manager_context)),
        ]
    }

    /// Whether a family's handle is an MCM's.
    fn is_mcms_af(&self, raw: usize) -> bool {
        match self.handles.look(raw) {
            Lookup::Live(Kind::CallManagerAf, af) => {
                let af = self.world.afs.get(&af);
                af.is_some_and(|af| matches!(af.served_by, Manager::Mcm { .. }))
            }
            _ => false,
        }
    }

    /// A protocol or an MCM completes a request of its peer's.
    fn complete_co(
        &mut self,
        call: &'static str,
        named: Named,
        request: usize,
        status: i32,
    ) -> Option<Tell> {
        let found = self.handles.look(named.af);
        let who = self.actor(call, &[found.object(), None, None]);
        let Some(number) = self.oid_at(request) else {
            let rule = if call == MCM_COMPLETES.name {
                "OID-14"
            } else {
                "OID-17"
            };
            match found.object().filter(|it| it.kind == Kind::ClientAf) {
                Some(object) => self.not_asked(call, rule, object),
                None => self.bad_handle(call, found, "the handle of an AF"),
            }
            return None;
        };
        let record = self.world.oids.get(&number)?;
        let (door, subject, object) = (record.door, record.subject, record.object(number));
        if door.is_miniports() {
            self.wrong_door(call, number);
            return None;
        }
        let af = subject.af.and_then(|af| self.world.afs.get(&af));
        let vc = subject.vc.and_then(|vc| self.world.vcs.get(&vc));
        let party = subject.party.and_then(|it| self.world.parties.get(&it));
        let mine = door == Door::Manager;
        let pick = |client, manager| if mine { manager } else { client };
        let handles = [
            (
                "family",
                named.af,
                af.map_or(0, |it| pick(it.client_raw, it.manager_raw)),
            ),
            (
                "VC",
                named.vc,
                vc.map_or(0, |it| pick(it.client_raw, it.manager_raw)),
            ),
            (
                "party",
                named.party,
                party.map_or(0, |it| pick(it.client_raw, it.manager_raw)),
            ),
        ];
        for (what, given, right) in handles {
            if given != right {
                let (given, right) = (self.handles.look(given), self.handles.look(right));
                let message =
                    alloc::format!("{call} of {object} with {given} for the {what}, not {right}");
                self.violate_by(who.clone(), "OID-15", Some(object), message);
            }
        }
        self.complete_oid(call, number, status)
    }

    /// A request that is completed with the function of another door; it is not over.
    pub(super) fn wrong_door(&mut self, call: &'static str, number: u32) {
        let Some(record) = self.world.oids.get(&number) else {
            return;
        };
        let (function, rule) = record.completion;
        let (object, handler) = (record.object(number), record.door.handler());
        let message =
            alloc::format!("{call} of {object}, which {handler} got: its function is {function}");
        let who = if self.driver().is_none() {
            record.to.who.clone()
        } else {
            self.who()
        };
        self.violate_by(who, rule, Some(object), message);
    }

    /// A miniport completes a request of `MiniportCoOidRequest`.
    fn complete_miniports(
        &mut self,
        adapter: usize,
        vc: usize,
        request: usize,
        status: i32,
    ) -> Option<Tell> {
        let call = MINIPORT_COMPLETES.name;
        let given = self.take(call, adapter, Kind::Adapter)?;
        let Some(number) = self.oid_at(request) else {
            self.not_asked(call, "OID-14", ObjectId::new(Kind::Adapter, given));
            return None;
        };
        let record = self.world.oids.get(&number)?;
        let (subject, object) = (record.subject, record.object(number));
        if record.door != Door::MiniportCo {
            self.wrong_door(call, number);
            return None;
        }
        // Whoever carries a VC that shares another knows no handle but that one's.
        let carried = subject.vc.map(|vc| self.world.carrying(vc));
        let right = carried.and_then(|vc| self.world.vcs.get(&vc));
        let right = right.map_or(0, |vc| {
            let third = vc.miniport.as_ref().map(|third| third.raw);
            third.unwrap_or(vc.manager_raw)
        });
        let text = if given != subject.adapter {
            let other = ObjectId::new(Kind::Adapter, given);
            Some(alloc::format!("with the handle of {other}"))
        } else if vc != right {
            let (vc, right) = (self.handles.look(vc), self.handles.look(right));
            Some(alloc::format!("with {vc} for the VC, not {right}"))
        } else {
            None
        };
        if let Some(text) = text {
            let adapter = ObjectId::new(Kind::Adapter, given);
            let who = self.actor(call, &[Some(adapter), None, None]);
            let message = alloc::format!("{call} of {object} {text}");
            self.violate_by(who, "OID-18", Some(object), message);
        }
        self.complete_oid(call, number, status)
    }
}

fn ask(cx: &Cx, number: Result<u32, i32>) -> i32 {
    match number {
        Ok(number) => {
            cx.about(ObjectId::new(Kind::OidRequest, number));
            cx.done(submit(cx, number))
        }
        Err(status) => cx.done(status),
    }
}

exports! { EXPORTS {
    /// A client or a stand-alone call manager asks the miniport or its peer.
    fn NdisCoOidRequest(
        binding: NDIS_HANDLE,
        af: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        party: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
    ) -> i32 {
        let cx = Cx::enter(ASK, &[binding, af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let named = Named { af: af.addr(), vc: vc.addr(), party: party.addr() };
        let number = cx.with(|s| s.ask_co(binding.addr(), named, request));
        ask(&cx, number)
    }

    /// An MCM asks a client.
    fn NdisMCmOidRequest(
        af: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        party: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
    ) -> i32 {
        let cx = Cx::enter(MCM_ASKS, &[af, vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let named = Named { af: af.addr(), vc: vc.addr(), party: party.addr() };
        let number = cx.with(|s| s.ask_mcm(named, request));
        ask(&cx, number)
    }

    /// Completes a request that `ProtocolCoOidRequest` pended; `NdisMCmOidRequestComplete`
    /// is a macro for it.
    fn NdisCoOidRequestComplete(
        af: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        party: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
        status: i32,
    ) {
        let by_mcm = crate::core::current()
            .is_some_and(|(core, _)| core.state.lock().is_mcms_af(af.addr()));
        let call = if by_mcm { MCM_COMPLETES } else { COMPLETE };
        let cx = Cx::enter(call, &[af, vc]);
        cx.done(status);
        let named = Named { af: af.addr(), vc: vc.addr(), party: party.addr() };
        let heard = cx.with(|s| s.complete_co(call.name, named, request.addr(), status));
        tell(&cx, heard);
    }

    /// Completes a request that `MiniportCoOidRequest` pended.
    fn NdisMCoOidRequestComplete(
        adapter: NDIS_HANDLE,
        vc: NDIS_HANDLE,
        request: *mut NDIS_OID_REQUEST,
        status: i32,
    ) {
        let cx = Cx::enter(MINIPORT_COMPLETES, &[adapter, vc]);
        cx.done(status);
        let heard =
            cx.with(|s| s.complete_miniports(adapter.addr(), vc.addr(), request.addr(), status));
        tell(&cx, heard);
    }
}}
