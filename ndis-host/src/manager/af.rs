//! Call managers offer address families, and say what became of an open and a close.

use crate::callback::{Context, Ptr, handle};
use crate::cx::{Cx, job};
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::adapter::{AdapterPhase, Family};
use crate::model::af::AfPhase;
use crate::model::manager::{Manager, Names};
use crate::model::request::Asked;
use crate::readings::{McmDisplaces, OpenAfCompleteIrql};
use crate::sched::{DISPATCH, Work};
use crate::settle::Settled;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

const REGISTER: Call = Call::new("NdisMCmRegisterAddressFamilyEx").passive("IRQL-01");
const REGISTER_ALONE: Call = Call::new("NdisCmRegisterAddressFamilyEx").passive("IRQL-48");
const OPEN_COMPLETE: Call = Call::of_managers(Names::OPEN_AF_COMPLETE).unlocked("GEN-01");
const CLOSE_COMPLETE: Call = Call::of_managers(Names::CLOSE_AF_COMPLETE).unlocked("GEN-01");
const NOTIFY: Call = Call::of_managers(Names(
    "NdisMCmNotifyCloseAddressFamily",
    "NdisCmNotifyCloseAddressFamily",
))
.passive_for_both("IRQL-04", "IRQL-49")
.unlocked("GEN-01");

impl State {
    fn register_family(&mut self, raw: usize, family: Ptr<CO_ADDRESS_FAMILY>) -> i32 {
        let call = REGISTER.name;
        if let Lookup::Live(Kind::Binding, _) = self.handles.look(raw) {
            self.wrong_set(call, REGISTER_ALONE.name, raw);
            return n::NDIS_STATUS_FAILURE;
        }
        let Some(number) = self.take_adapter(call, raw) else {
            return n::NDIS_STATUS_FAILURE;
        };
        let object = ObjectId::new(Kind::Adapter, number);
        // SAFETY: the caller's structure; three numbers.
        let copy = unsafe { family.0.read() };
        let Some(adapter) = self.world.adapters.get(&number) else {
            return n::NDIS_STATUS_FAILURE;
        };
        if adapter.phase != AdapterPhase::Initializing {
            let message = alloc::format!("{call} outside MiniportInitializeEx");
            self.violate("INIT-03", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        if adapter.context.is_none() {
            let message = alloc::format!("{call} before the registration attributes are set");
            self.violate("INIT-01", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        let oriented = self
            .world
            .miniports
            .get(&adapter.miniport)
            .is_some_and(|m| m.co.is_some() && m.cm.is_some());
        if !oriented {
            let message =
                alloc::format!("{call} by a driver that installed no connection-oriented handlers");
            self.violate("INIT-06", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        let key = Family::key(&copy);
        if adapter.families.iter().any(|f| f.key == key) {
            let message = alloc::format!(
                "{call}: family {:#x} version {}.{} is already registered on {object}",
                key.0,
                key.1,
                key.2
            );
            self.violate("INIT-04", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        if self.faults.allocation() {
            return n::NDIS_STATUS_RESOURCES;
        }
        if let Some(adapter) = self.world.adapters.get_mut(&number) {
            let mcm = Manager::Mcm { adapter: number };
            adapter.families.push(Family::new(copy, family, mcm));
        }
        n::NDIS_STATUS_SUCCESS
    }

    /// A stand-alone call manager registers a family on one of its bindings.
    fn register_family_alone(&mut self, raw: usize, family: Ptr<CO_ADDRESS_FAMILY>) -> i32 {
        let call = REGISTER_ALONE.name;
        if self.is_mcm_handle(raw) {
            self.wrong_set(call, REGISTER.name, raw);
            return n::NDIS_STATUS_FAILURE;
        }
        let Some(number) = self.take(call, raw, Kind::Binding) else {
            return n::NDIS_STATUS_FAILURE;
        };
        let object = ObjectId::new(Kind::Binding, number);
        // SAFETY: the caller's structure; three numbers.
        let copy = unsafe { family.0.read() };
        let Some(binding) = self.world.bindings.get(&number) else {
            return n::NDIS_STATUS_FAILURE;
        };
        let adapter = binding.adapter;
        let alone = Manager::Alone { binding: number };
        let oriented = self.world.manager_handlers(alone).is_some()
            && self.world.protocol_co(number).is_some();
        if !oriented {
            let message = alloc::format!(
                "{call} by a protocol that has not installed the handlers of a call manager and \
                 those of every connection-oriented protocol"
            );
            self.violate("REG-08", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        if !self.is_being_bound(number) {
            let message = alloc::format!("{call} on {object}, whose bind is over");
            self.violate("AF-02", Some(object), message);
            return n::NDIS_STATUS_FAILURE;
        }
        if self.world.miniport_co(adapter).is_none() {
            self.note(Some(object), "the miniport is not connection-oriented");
            return n::NDIS_STATUS_FAILURE;
        }
        let mcm = self.world.manager_handlers(Manager::Mcm { adapter });
        if mcm.is_some() && self.readings.mcm_displaces == McmDisplaces::TheDevice {
            self.note(
                Some(object),
                "the miniport is a call manager, and the only one",
            );
            return n::NDIS_STATUS_FAILURE;
        }
        let key = Family::key(&copy);
        let Some(adapter) = self.world.adapters.get(&adapter) else {
            return n::NDIS_STATUS_FAILURE;
        };
        if let Some(owned) = adapter.families.iter().find(|f| f.key == key) {
            if owned.manager == alone {
                let message = alloc::format!(
                    "{call}: family {:#x} version {}.{} is already registered on {object}",
                    key.0,
                    key.1,
                    key.2
                );
                self.violate("AF-02", Some(object), message);
            } else {
                let text = "another call manager has registered this family on the adapter";
                self.note(Some(object), text);
            }
            return n::NDIS_STATUS_FAILURE;
        }
        if self.faults.allocation() {
            return n::NDIS_STATUS_RESOURCES;
        }
        let on = self.world.bindings.get(&number).map(|b| b.adapter);
        if let Some(adapter) = on.and_then(|on| self.world.adapters.get_mut(&on)) {
            adapter.families.push(Family::new(copy, family, alone));
        }
        if let Some(on) = on {
            self.lend_families(on, alone);
        }
        n::NDIS_STATUS_SUCCESS
    }

    /// What a call manager has registered on an adapter stays where it is from here on.
    pub(crate) fn lend_families(&mut self, adapter: u32, manager: Manager) {
        let object = ObjectId::new(Kind::Adapter, adapter);
        let Some(record) = self.world.adapters.get_mut(&adapter) else {
            return;
        };
        for family in &mut record.families {
            if family.manager == manager && family.loan.is_none() {
                let address = family.original.0.addr();
                let what = "a registered address family";
                family.loan = self.memory.lend(address, "INIT-07", Some(object), what);
            }
        }
    }

    /// The end of the adapter or of the binding: the structures are the driver's again.
    pub(crate) fn give_families_back(&mut self, adapter: u32, manager: Manager) {
        let Some(record) = self.world.adapters.get_mut(&adapter) else {
            return;
        };
        for family in &mut record.families {
            if family.manager == manager {
                self.memory.give_back(family.loan.take());
            }
        }
    }

    /// A live adapter handle; a context or driver handle in its place is INIT-05.
    pub(crate) fn take_adapter(&mut self, call: &'static str, raw: usize) -> Option<u32> {
        match self.handles.look(raw) {
            Lookup::Live(Kind::Adapter, number) => Some(number),
            other => {
                let rule = match other {
                    Lookup::Stale(Kind::Adapter, _) => "HALT-09",
                    _ => "INIT-05",
                };
                let message = alloc::format!("{call} wants the adapter handle and got {other}");
                self.violate(rule, other.object(), message);
                None
            }
        }
    }
}

/// Tells the client how its pended open ended.
fn opened(cx: &Cx, number: u32, status: i32) {
    let prepared = cx.with(|s| {
        let object = ObjectId::new(Kind::ClientAf, number);
        let mut callback = s.to_client("ProtocolClOpenAfCompleteEx", number, object);
        let af = s.world.afs.get(&number)?;
        let (context, raw) = (af.client_context, af.client_raw);
        let handler = s.world.client(number)?.ClOpenAfCompleteHandlerEx?;
        let later =
            s.irql() >= DISPATCH && s.readings.open_af_complete_irql == OpenAfCompleteIrql::Passive;
        if s.readings.open_af_complete_irql == OpenAfCompleteIrql::Passive {
            callback.passive = Some("IRQL-66");
        }
        let raw = if status == n::NDIS_STATUS_SUCCESS {
            raw
        } else {
            s.end_af(number);
            0
        };
        Some((callback, context, raw, handler, later))
    });
    let Some((callback, context, raw, handler, later)) = prepared else {
        return;
    };
    let run = move |cx: &Cx| {
        let context = context;
        cx.call_as_is(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(context.0, handle(raw), status) };
        });
    };
    if later {
        cx.with(|s| {
            s.sched.queue(Work {
                id: 0,
                name: "completion of an AF open".into(),
                irql: 0,
                frame: None,
                system: false,
                plug_and_play: false,
                run: job(run),
            })
        });
    } else {
        run(cx);
    }
}

/// Tells the client that its pended close is done.
fn closed(cx: &Cx, number: u32, status: i32) {
    let prepared = cx.with(|s| {
        let object = ObjectId::new(Kind::ClientAf, number);
        let callback = s.to_client("ProtocolClCloseAfComplete", number, object);
        let context = s.world.afs.get(&number)?.client_context;
        let handler = s.world.client(number)?.ClCloseAfCompleteHandler?;
        s.af_closed(number);
        Some((callback, context, handler))
    });
    if let Some((callback, context, handler)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(status, context.0) };
        });
    }
}

exports! { EXPORTS {
    /// Offers an address family on an adapter.
    fn NdisMCmRegisterAddressFamilyEx(
        adapter: NDIS_HANDLE,
        family: *mut CO_ADDRESS_FAMILY,
    ) -> i32 {
        let cx = Cx::enter(REGISTER, &[adapter]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if family.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        cx.done(cx.with(|s| s.register_family(adapter.addr(), Ptr(family))))
    }

    /// Offers an address family of a stand-alone call manager on a binding.
    fn NdisCmRegisterAddressFamilyEx(
        binding: NDIS_HANDLE,
        family: *mut CO_ADDRESS_FAMILY,
    ) -> i32 {
        let cx = Cx::enter(REGISTER_ALONE, &[binding]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if family.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        cx.done(cx.with(|s| s.register_family_alone(binding.addr(), Ptr(family))))
    }

    /// Completes a pended `ProtocolCmOpenAf`.
    fn NdisCmOpenAddressFamilyComplete(status: i32, af: NDIS_HANDLE, context: NDIS_HANDLE) {
        let cx = Cx::enter(OPEN_COMPLETE, &[af]);
        cx.done(status);
        let number = cx.with(|s| {
            let call = cx.name();
            let number = s.take(call, af.addr(), Kind::CallManagerAf)?;
            let object = ObjectId::new(Kind::ClientAf, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "AF-23", object, Asked::OpenAf(number), status) {
                return None;
            }
            let seq = s.log.seq();
            let af = s.world.afs.get_mut(&number)?;
            if status == n::NDIS_STATUS_SUCCESS {
                af.opened(Context(context), seq);
                if context.is_null() {
                    let message = alloc::format!("{call}: success with a NULL context");
                    s.violate("AF-24", Some(object), message);
                }
            }
            Some(number)
        });
        if let Some(number) = number {
            opened(&cx, number, status);
        }
    }

    /// Completes a pended `ProtocolCmCloseAf`.
    fn NdisCmCloseAddressFamilyComplete(status: i32, af: NDIS_HANDLE) {
        let cx = Cx::enter(CLOSE_COMPLETE, &[af]);
        cx.done(status);
        let number = cx.with(|s| {
            let call = cx.name();
            let number = s.take(call, af.addr(), Kind::CallManagerAf)?;
            let object = ObjectId::new(Kind::ClientAf, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "AF-37", object, Asked::CloseAf(number), status) {
                return None;
            }
            if status != n::NDIS_STATUS_SUCCESS {
                let message = alloc::format!(
                    "{call} reports {}; the only status allowed is SUCCESS",
                    crate::status::Name(status)
                );
                s.violate("AF-37", Some(object), message);
            }
            Some(number)
        });
        if let Some(number) = number {
            closed(&cx, number, status);
        }
    }

    /// Asks a client to close an address family.
    fn NdisCmNotifyCloseAddressFamily(af: NDIS_HANDLE) -> i32 {
        let cx = Cx::enter(NOTIFY, &[af]);
        let call = cx.name();
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let number = s.take(call, af.addr(), Kind::CallManagerAf)?;
            let object = ObjectId::new(Kind::ClientAf, number);
            let af = s.world.afs.get_mut(&number)?;
            if af.notified {
                let message = alloc::format!("{call}: the client of {object} has been asked before");
                s.violate("HALT-02", Some(object), message);
                return None;
            }
            if af.phase == AfPhase::Opening && af.open.pended() {
                let message = alloc::format!("{call}: the open of {object} has not succeeded yet");
                s.violate("AF-51", Some(object), message);
                return None;
            }
            af.notified = true;
            let context = af.client_context;
            let handler = s.world.client(number)?.ClNotifyCloseAfHandler?;
            let callback = s.to_client("ProtocolClNotifyCloseAf", number, object);
            let question = s.question(callback, Asked::NotifyCloseAf(number), None);
            Some((number, context, handler, question))
        });
        let Some((number, context, handler, question)) = prepared else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        let object = ObjectId::new(Kind::ClientAf, number);
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(context.0) }
        });
        match settled {
            Settled::Now(status) => {
                cx.with(|s| {
                    let ended = s.world.afs.get(&number).is_none_or(|af| af.ended);
                    if status == n::NDIS_STATUS_SUCCESS && !ended {
                        let message = alloc::format!(
                            "ProtocolClNotifyCloseAf returned SUCCESS before {object} was closed"
                        );
                        let who = question.callback.who.clone();
                        s.violate_by(who, "AF-40", Some(object), message);
                    }
                    if let Some(af) = s.world.afs.get_mut(&number)
                        && status != n::NDIS_STATUS_SUCCESS
                    {
                        af.notified = false;
                    }
                    if ended {
                        s.end_af(number);
                    }
                });
                cx.done(status)
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }
}}
