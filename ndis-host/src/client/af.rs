//! Clients open address families and close them.

use crate::callback::{Context, handle};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::adapter::Family;
use crate::model::af::{Af, AfPhase};
use crate::model::request::Asked;
use crate::readings::CopiesAddressFamily;
use crate::settle::Settled;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_HANDLE};

const OPEN: Call = Call::new("NdisClOpenAddressFamilyEx").passive("IRQL-36");
const CLOSE: Call = Call::new("NdisClCloseAddressFamily");
const NOTIFY_COMPLETE: Call =
    Call::new("NdisClNotifyCloseAddressFamilyComplete").unlocked("GEN-01");

impl State {
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
}

exports! { EXPORTS {
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
                f.copy.pointer().0.addr() == family.addr()
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
                    copies.iter().position(|f| f.key == wanted)?
                }
            };
            let family = copies.get(index)?;
            let (served_by, kept) = (family.manager, family.copy.clone());
            let which = family.key.0;
            if !family.offered || !s.world.serves(served_by) || s.faults.allocation() {
                return None;
            }
            let copies = s.readings.copies_address_family == CopiesAddressFamily::Copies;
            let family = family.pointer(copies);
            let manager_context = s.world.manager_context(served_by)?;
            let manager = s.world.manager_driver(served_by)?;
            let record = s.world.protocols.get(&protocol)?;
            let client = (record.driver, record.who.clone());
            let number = s.number(Kind::ClientAf);
            let client_raw = s.handles.make(Kind::ClientAf, number);
            let manager_raw = s.handles.make(Kind::CallManagerAf, number);
            let (raw, on) = ((client_raw, manager_raw), (adapter, binding));
            let mut af = Af::new(raw, served_by, on, client, manager, Context(context));
            af.family = which;
            s.world.afs.insert(number, af);
            let handler = s.world.manager(number)?.CmOpenAfHandler?;
            let object = ObjectId::new(Kind::ClientAf, number);
            let callback = s.to_manager("ProtocolCmOpenAf", number, object);
            let question = s.question(callback, Asked::OpenAf(number), None);
            let family = (family, kept);
            Some((number, client_raw, manager_raw, manager_context, family, handler, question))
        });
        let Some((number, client_raw, manager_raw, manager_context, family, handler, question)) =
            prepared
        else {
            return cx.done(n::NDIS_STATUS_FAILURE);
        };
        cx.about(ObjectId::new(Kind::ClientAf, number));
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let settled = cx.ask(&question, || {
            // SAFETY: the driver's handler with its context for its adapter or its binding;
            // the family is kept, or the driver's own, the variable lives for the call.
            unsafe {
                handler(manager_context.0, family.0.0, handle(manager_raw), &raw mut slot)
            }
        });
        match settled {
            Settled::Now(n::NDIS_STATUS_SUCCESS) => {
                cx.with(|s| {
                    let seq = s.log.seq();
                    if let Some(af) = s.world.afs.get_mut(&number) {
                        af.opened(Context(slot), seq);
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

    /// Closes an address family.
    fn NdisClCloseAddressFamily(af: NDIS_HANDLE) -> i32 {
        let call = CLOSE.name;
        let cx = Cx::enter(CLOSE, &[af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let number = s
                .take_client_af(call, af.addr())
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientAf, number);
            let left = s.children(number, true);
            if !left.is_empty() {
                let message = alloc::format!("{call} on {object} with {left}");
                s.violate("AF-29", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let Some(af) = s.world.afs.get_mut(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            if af.phase != AfPhase::Open {
                let message = alloc::format!("{call} on {object} before its open has completed");
                s.violate("AF-13", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            af.begin_close();
            let context = af.manager_context;
            let Some(handler) = s.world.manager(number).and_then(|m| m.CmCloseAfHandler) else {
                // A call manager that has gone without a word is reported (BIND-19).
                s.af_closed(number);
                return Err(n::NDIS_STATUS_SUCCESS);
            };
            let callback = s.to_manager("ProtocolCmCloseAf", number, object);
            let question = s.question(callback, Asked::CloseAf(number), None);
            Ok((number, context, handler, question))
        });
        let (number, context, handler, question) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
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
                cx.with(|s| {
                    if let Some(af) = s.world.afs.get_mut(&number) {
                        af.close_refused();
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
