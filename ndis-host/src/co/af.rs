//! Address families: offered by a call manager, opened and closed by clients.

use crate::callback::{Context, Ptr, handle};
use crate::co::settle::Settled;
use crate::co::world::{Activity, AdapterPhase, Af, AfPhase, Asked, CallPhase, Family, Request};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::readings::OpenAfCompleteIrql;
use crate::sched::{DISPATCH, Work};
use crate::state::State;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

const REGISTER: Call = Call::new("NdisMCmRegisterAddressFamilyEx").passive("IRQL-01");
const OPEN: Call = Call::new("NdisClOpenAddressFamilyEx").passive("IRQL-36");
const OPEN_COMPLETE: Call = Call::new("NdisMCmOpenAddressFamilyComplete").unlocked("GEN-01");
const CLOSE: Call = Call::new("NdisClCloseAddressFamily");
const CLOSE_COMPLETE: Call = Call::new("NdisMCmCloseAddressFamilyComplete").unlocked("GEN-01");
const NOTIFY: Call = Call::new("NdisMCmNotifyCloseAddressFamily")
    .passive("IRQL-04")
    .unlocked("GEN-01");
const NOTIFY_COMPLETE: Call =
    Call::new("NdisClNotifyCloseAddressFamilyComplete").unlocked("GEN-01");

impl State {
    fn register_family(&mut self, raw: usize, family: Ptr<CO_ADDRESS_FAMILY>) -> i32 {
        let call = REGISTER.name;
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
        if adapter.families.iter().any(|f| Family::key(&f.copy) == key) {
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
            adapter.families.push(Family {
                copy: Box::new(copy),
                original: family,
            });
        }
        n::NDIS_STATUS_SUCCESS
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

    /// The client's live handle of an address family that it has not closed.
    pub(crate) fn take_client_af(&mut self, call: &'static str, raw: usize) -> Option<u32> {
        let number = self.take(call, raw, Kind::ClientAf)?;
        let af = self.world.afs.get(&number)?;
        if af.closed_by_client {
            let object = ObjectId::new(Kind::ClientAf, number);
            let message = alloc::format!(
                "{call} on {object}, whose handle died with NdisClCloseAddressFamily"
            );
            self.violate("AF-30", Some(object), message);
            return None;
        }
        Some(number)
    }

    /// Removes an address family and whatever is left on it.
    fn end_af(&mut self, number: u32) {
        let vcs: Vec<u32> = self.world.vcs_of(number).map(|(vc, _)| vc).collect();
        for vc in vcs {
            self.end_vc(vc);
        }
        let saps: Vec<u32> = self.world.saps_of(number).map(|(sap, _)| sap).collect();
        for sap in saps {
            self.end_sap(sap);
        }
        if let Some(af) = self.world.afs.remove(&number) {
            self.handles.kill(af.client_raw);
            self.handles.kill(af.manager_raw);
        }
        self.histories.end(ObjectId::new(Kind::ClientAf, number));
    }

    /// What still hangs on an address family, as text.
    fn children(&self, af: u32, of_client: bool) -> String {
        let mut text = String::new();
        let mut add = |object: ObjectId, what: &str| {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&alloc::format!("{object} {what}"));
        };
        for (number, vc) in self.world.vcs_of(af) {
            let object = ObjectId::new(Kind::ClientVc, number);
            if of_client && vc.deleting {
                continue;
            }
            if vc.phase != CallPhase::None {
                add(object, "with a call");
            } else if !of_client || vc.by_client {
                let active = vc.activity != Activity::Inactive;
                add(object, if active { "active" } else { "not deleted" });
            }
        }
        for (number, sap) in self.world.saps_of(af) {
            if !(of_client && sap.leaving) {
                add(ObjectId::new(Kind::ClientSap, number), "registered");
            }
        }
        text
    }

    /// The close of an address family has succeeded.
    fn af_closed(&mut self, number: u32) {
        let object = ObjectId::new(Kind::ClientAf, number);
        let left = self.children(number, false);
        if !left.is_empty() {
            let who = self
                .world
                .afs
                .get(&number)
                .map_or_else(|| self.ndis.clone(), |af| af.manager.clone());
            let message = alloc::format!("the close of {object} is answered SUCCESS with {left}");
            self.violate_by(who, "AF-36", Some(object), message);
        }
        let Some(af) = self.world.afs.get_mut(&number) else {
            return;
        };
        af.ended = true;
        let manager = af.manager_raw;
        let wait = af.notify.open();
        self.handles.kill(manager);
        if !wait {
            self.end_af(number);
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
                run: Box::new(run),
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

    /// Opens an address family that was announced.
    fn NdisClOpenAddressFamilyEx(
        binding: NDIS_HANDLE,
        family: *mut CO_ADDRESS_FAMILY,
        context: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(OPEN, &[binding]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if family.is_null() || out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let call = OPEN.name;
        let binding = match cx.with(|s| s.binding_to_open_on(call, binding.addr())) {
            Ok(binding) => binding,
            Err(status) => return cx.done(status),
        };
        let prepared = cx.with(|s| {
            let object = ObjectId::new(Kind::Binding, binding);
            let record = s.world.bindings.get(&binding)?;
            let (adapter, protocol) = (record.adapter, record.protocol);
            let offered = s.world.adapters.get(&adapter)?.families.iter().position(|f| {
                (&raw const *f.copy).addr() == family.addr()
                    || f.original.0.addr() == family.addr()
            });
            let notified = s.sched.current().is_some_and(|task| {
                task.frames
                    .iter()
                    .any(|frame| frame.name == "ProtocolCoAfRegisterNotify")
            });
            if offered.is_none() || !notified {
                let message = alloc::format!(
                    "{call} not from ProtocolCoAfRegisterNotify with the pointer that it was given"
                );
                s.violate("AF-09", Some(object), message);
            }
            let copies = &s.world.adapters.get(&adapter)?.families;
            let index = match offered {
                Some(index) => index,
                None => {
                    // SAFETY: the caller's structure; three numbers.
                    let wanted = Family::key(&unsafe { family.read() });
                    copies.iter().position(|f| Family::key(&f.copy) == wanted)?
                }
            };
            let original = copies.get(index)?.original;
            if s.faults.allocation() {
                return None;
            }
            let family = match s.readings.copies_address_family {
                crate::readings::CopiesAddressFamily::Copies => {
                    let families = &mut s.world.adapters.get_mut(&adapter)?.families;
                    Ptr(&raw mut *families.get_mut(index)?.copy)
                }
                crate::readings::CopiesAddressFamily::KeepsPointer => original,
            };
            let record = s.world.adapters.get(&adapter)?;
            let manager_context = record.context?;
            let (manager_driver, manager) = (record.driver, record.who.clone());
            let record = s.world.protocols.get(&protocol)?;
            let (client_driver, client) = (record.driver, record.who.clone());
            let number = s.number(Kind::ClientAf);
            let client_raw = s.handles.make(Kind::ClientAf, number);
            let manager_raw = s.handles.make(Kind::CallManagerAf, number);
            s.world.afs.insert(
                number,
                Af {
                    client_raw,
                    manager_raw,
                    adapter,
                    binding,
                    protocol,
                    client_driver,
                    client,
                    manager_driver,
                    manager,
                    client_context: Context(context),
                    manager_context: Context::NULL,
                    phase: AfPhase::Opening,
                    closed_by_client: false,
                    open: Request::default(),
                    close: Request::default(),
                    notify: Request::default(),
                    notified: false,
                    ended: false,
                },
            );
            let handler = s.world.manager(number)?.CmOpenAfHandler?;
            let object = ObjectId::new(Kind::ClientAf, number);
            let callback = s.to_manager("ProtocolCmOpenAf", number, object);
            let question = s.question(callback, Asked::OpenAf(number), None);
            Some((number, client_raw, manager_raw, manager_context, family, handler, question))
        });
        let Some((number, client_raw, manager_raw, adapter_context, family, handler, question)) =
            prepared
        else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        cx.about(ObjectId::new(Kind::ClientAf, number));
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its adapter context; the family
            // lives as long as the adapter, the variable as long as the call.
            unsafe {
                handler(adapter_context.0, family.0, handle(manager_raw), &raw mut slot)
            }
        });
        match settled {
            Settled::Now(n::NDIS_STATUS_SUCCESS) => {
                cx.with(|s| {
                    if let Some(af) = s.world.afs.get_mut(&number) {
                        af.manager_context = Context(slot);
                        af.phase = AfPhase::Open;
                    }
                });
                // SAFETY: the caller's variable for the result.
                unsafe { out.write(handle(client_raw)) };
                cx.done(n::NDIS_STATUS_SUCCESS)
            }
            Settled::Now(status) => {
                cx.with(|s| s.end_af(number));
                cx.done(status)
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }

    /// Completes a pended `ProtocolCmOpenAf`.
    fn NdisCmOpenAddressFamilyComplete(status: i32, af: NDIS_HANDLE, context: NDIS_HANDLE) {
        let cx = Cx::enter(OPEN_COMPLETE, &[af]);
        cx.done(status);
        let number = cx.with(|s| {
            let call = OPEN_COMPLETE.name;
            let number = s.take(call, af.addr(), Kind::CallManagerAf)?;
            let object = ObjectId::new(Kind::ClientAf, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "AF-23", object, Asked::OpenAf(number), status) {
                return None;
            }
            let af = s.world.afs.get_mut(&number)?;
            if status == n::NDIS_STATUS_SUCCESS {
                af.phase = AfPhase::Open;
                af.manager_context = Context(context);
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

    /// Closes an address family.
    fn NdisClCloseAddressFamily(af: NDIS_HANDLE) -> i32 {
        let call = CLOSE.name;
        let cx = Cx::enter(CLOSE, &[af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let number = s.take_client_af(call, af.addr())?;
            let object = ObjectId::new(Kind::ClientAf, number);
            let left = s.children(number, true);
            if !left.is_empty() {
                let message = alloc::format!("{call} on {object} with {left}");
                s.violate("AF-29", Some(object), message);
                return None;
            }
            let af = s.world.afs.get_mut(&number)?;
            if af.phase != AfPhase::Open {
                let message = alloc::format!("{call} on {object} before its open has completed");
                s.violate("AF-13", Some(object), message);
                return None;
            }
            af.closed_by_client = true;
            af.phase = AfPhase::Closing;
            let context = af.manager_context;
            let handler = s.world.manager(number)?.CmCloseAfHandler?;
            let callback = s.to_manager("ProtocolCmCloseAf", number, object);
            let question = s.question(callback, Asked::CloseAf(number), None);
            Some((number, context, handler, question))
        });
        let Some((number, context, handler, question)) = prepared else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(context.0) }
        });
        match settled {
            Settled::Now(n::NDIS_STATUS_SUCCESS) => {
                cx.with(|s| s.af_closed(number));
                cx.done(n::NDIS_STATUS_SUCCESS)
            }
            Settled::Now(status) => {
                // Refused: it is open as before.
                cx.with(|s| {
                    if let Some(af) = s.world.afs.get_mut(&number) {
                        af.closed_by_client = false;
                        af.phase = AfPhase::Open;
                    }
                });
                cx.done(status)
            }
            _ => cx.done(n::NDIS_STATUS_PENDING),
        }
    }

    /// Completes a pended `ProtocolCmCloseAf`.
    fn NdisCmCloseAddressFamilyComplete(status: i32, af: NDIS_HANDLE) {
        let cx = Cx::enter(CLOSE_COMPLETE, &[af]);
        cx.done(status);
        let number = cx.with(|s| {
            let call = CLOSE_COMPLETE.name;
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
        let call = NOTIFY.name;
        let cx = Cx::enter(NOTIFY, &[af]);
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

    /// Completes a pended `ProtocolClNotifyCloseAf`.
    fn NdisClNotifyCloseAddressFamilyComplete(af: NDIS_HANDLE, status: i32) {
        let call = NOTIFY_COMPLETE.name;
        let cx = Cx::enter(NOTIFY_COMPLETE, &[af]);
        cx.done(status);
        let prepared = cx.with(|s| {
            let number = match s.handles.look(af.addr()) {
                Lookup::Live(Kind::ClientAf, number) => number,
                Lookup::Stale(Kind::ClientAf, number) => {
                    s.not_asked(call, "AF-41", ObjectId::new(Kind::ClientAf, number));
                    return None;
                }
                other => {
                    s.bad_handle(call, other, "the handle of an AF");
                    return None;
                }
            };
            let object = ObjectId::new(Kind::ClientAf, number);
            if !s.final_status(call, status, object) {
                return None;
            }
            if !s.completes(call, "AF-41", object, Asked::NotifyCloseAf(number), status) {
                return None;
            }
            let af = s.world.afs.get_mut(&number)?;
            let (context, ended) = (af.manager_context, af.ended);
            if status == n::NDIS_STATUS_SUCCESS && !ended {
                let message =
                    alloc::format!("{call} reports success before the close of {object} is complete");
                s.violate("AF-41", Some(object), message);
            }
            let handler = s.world.manager(number)?.CmNotifyCloseAfCompleteHandler?;
            let callback = s.to_manager("ProtocolCmNotifyCloseAfComplete", number, object);
            if status != n::NDIS_STATUS_SUCCESS
                && let Some(af) = s.world.afs.get_mut(&number)
            {
                af.notified = false;
            }
            if ended {
                s.end_af(number);
            }
            Some((context, handler, callback))
        });
        if let Some((context, handler, callback)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context.
                unsafe { handler(context.0, status) };
            });
        }
    }
}}
