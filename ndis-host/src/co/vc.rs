//! Virtual connections: made and deleted.

use crate::callback::{Context, handle};
use crate::co::world::{Activity, Af, AfPhase, CallPhase, Request, Vc};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::net::ListState;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const CO_CREATE: Call = Call::new("NdisCoCreateVc").unlocked("VC-10");
const CO_DELETE: Call = Call::new("NdisCoDeleteVc").unlocked("VC-26");
const CREATE: Call = Call::new("NdisMCmCreateVc").unlocked("VC-10");
const DELETE: Call = Call::new("NdisMCmDeleteVc").unlocked("VC-26");

impl State {
    /// Removes a VC.
    pub(crate) fn end_vc(&mut self, number: u32) {
        self.check_never_completed(number);
        if let Some(vc) = self.world.vcs.remove(&number) {
            self.handles.kill(vc.client_raw);
            self.handles.kill(vc.manager_raw);
            for loan in [vc.make.loan, vc.offer.loan, vc.activation_loan] {
                self.memory.give_back(loan);
            }
        }
        let parties: alloc::vec::Vec<u32> = self
            .world
            .parties_of(number)
            .map(|(party, _)| party)
            .collect();
        for party in parties {
            self.end_party(party);
        }
        self.histories.end(ObjectId::new(Kind::ClientVc, number));
    }

    /// Reports lists that were sent on a VC which ends, and never came back.
    fn check_never_completed(&mut self, number: u32) {
        let Some(vc) = self.world.vcs.get(&number).filter(|vc| vc.sends > 0) else {
            return;
        };
        let who = self
            .world
            .afs
            .get(&vc.af)
            .map_or_else(|| self.ndis.clone(), |af| af.manager.clone());
        let mut lists: alloc::vec::Vec<ObjectId> = self
            .buffers
            .lists
            .values()
            .filter(|list| matches!(list.state, ListState::Sent { vc, .. } if vc == number))
            .map(crate::net::list_id)
            .collect();
        lists.sort_unstable();
        for list in lists {
            let message = alloc::format!(
                "{} is gone and {list}, which was sent on it, was never completed",
                ObjectId::new(Kind::ClientVc, number)
            );
            self.violate_by(who.clone(), "NBL-11", Some(list), message);
        }
    }

    fn make_vc(
        &mut self,
        af: u32,
        by_client: bool,
        context: Context,
    ) -> Option<(u32, usize, usize)> {
        if self.faults.allocation() {
            return None;
        }
        let number = self.number(Kind::ClientVc);
        let client_raw = self.handles.make(Kind::ClientVc, number);
        let manager_raw = self.handles.make(Kind::CallManagerVc, number);
        let (client_context, manager_context) = if by_client {
            (context, Context::NULL)
        } else {
            (Context::NULL, context)
        };
        self.world.vcs.insert(
            number,
            Vc {
                client_raw,
                manager_raw,
                af,
                by_client,
                client_context,
                manager_context,
                activity: Activity::Inactive,
                activations: 0,
                deactivations: 0,
                activation_loan: None,
                phase: CallPhase::None,
                before_close: CallPhase::None,
                refusals: 0,
                calls: 0,
                make: Request::default(),
                close: Request::default(),
                offer: Request::default(),
                refused_at: None,
                withdrawn: false,
                modify: Request::default(),
                incoming_close: false,
                told: false,
                blamed: false,
                told_at: 0,
                heard_at: u64::MAX,
                sends: 0,
                receives: 0,
                indicating: 0,
                lending: 0,
                multipoint: false,
                first_party: None,
                deleting: false,
            },
        );
        Some((number, client_raw, manager_raw))
    }

    /// The handle variable must be NULL before a VC is created (VC-05).
    fn check_out(&mut self, call: &str, out: *mut NDIS_HANDLE) {
        // SAFETY: the caller's initialized variable.
        let before = unsafe { out.read() };
        if !before.is_null() {
            let message = alloc::format!("{call}: the handle variable is not NULL before the call");
            self.violate("VC-05", None, message);
        }
    }

    fn usable(af: &Af) -> bool {
        af.phase == AfPhase::Open && !af.closed_by_client
    }

    /// Whether a VC may be deleted by its creator; otherwise the status.
    fn deletable(&mut self, call: &str, number: u32) -> Result<(), i32> {
        let object = ObjectId::new(Kind::ClientVc, number);
        let Some(vc) = self.world.vcs.get(&number) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        if vc.phase != CallPhase::None {
            let message = alloc::format!("{call} on {object} while it has a call ({})", vc.phase);
            self.violate("VC-23", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        if vc.offer.calling() {
            let message = alloc::format!(
                "{call} on {object} while the offer of a call on it has not returned"
            );
            self.violate("VC-23", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        if vc.activity != Activity::Inactive && !vc.by_client {
            let message = alloc::format!("{call} on {object} while it is active ({})", vc.activity);
            self.violate("VC-23", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        Ok(())
    }

    /// The VC is inactive from now on.
    pub(super) fn deactivated(&mut self, number: u32) {
        if let Some(vc) = self.world.vcs.get_mut(&number) {
            vc.activity = Activity::Inactive;
            vc.deactivations += 1;
        }
    }
}

/// Runs the call manager's deletion of a VC that the client has deleted.
pub(crate) fn delete_at_manager(cx: &Cx, number: u32) -> i32 {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get(&number)?;
        let (af, context) = (vc.af, vc.manager_context);
        let handler = s.world.manager(af)?.CmDeleteVcHandler?;
        Some((
            s.to_manager("ProtocolCoDeleteVc", af, object),
            context,
            handler,
        ))
    });
    let Some((callback, context, handler)) = prepared else {
        return n::NDIS_STATUS_FAILURE;
    };
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0) }
    });
    cx.with(|s| {
        if status == n::NDIS_STATUS_PENDING {
            let message = alloc::format!("ProtocolCoDeleteVc of {object} returned PENDING");
            s.violate_by(callback.who.clone(), "VC-14", Some(object), message);
        }
        if status == n::NDIS_STATUS_SUCCESS || status == n::NDIS_STATUS_PENDING {
            s.end_vc(number);
        }
    });
    status
}

exports! { EXPORTS {
    /// Makes a VC for a client's outgoing calls.
    fn NdisCoCreateVc(
        binding: NDIS_HANDLE,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let call = CO_CREATE.name;
        let cx = Cx::enter(CO_CREATE, &[binding, af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let prepared = cx.with(|s| {
            s.check_out(call, out);
            if s.is_mcm_handle(binding.addr()) {
                s.wrong_set(call, CREATE.name, binding.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let Some(binding) = s.take(call, binding.addr(), Kind::Binding) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let Some(af) = s.take_client_af(call, af.addr()) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let Some(record) = s.world.afs.get(&af) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let manager_context = record.manager_context;
            if record.binding != binding {
                let object = ObjectId::new(Kind::ClientAf, af);
                let message = alloc::format!("{call}: {object} is not of that binding");
                s.violate("VC-07", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if record.phase != AfPhase::Open {
                let object = ObjectId::new(Kind::ClientAf, af);
                let message = alloc::format!("{call} on {object}, which is not open");
                s.violate("AF-13", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let handler = s.world.manager(af).and_then(|m| m.CmCreateVcHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            let made = s.make_vc(af, true, Context(context));
            let (number, client_raw, manager_raw) = made.ok_or(n::NDIS_STATUS_RESOURCES)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let callback = s.to_manager("ProtocolCoCreateVc", af, object);
            Ok((number, client_raw, manager_raw, manager_context, handler, callback))
        });
        let (number, client_raw, manager_raw, manager_context, handler, callback) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let object = ObjectId::new(Kind::ClientVc, number);
        cx.about(object);
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let status = cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(manager_context.0, handle(manager_raw), &raw mut slot) }
        });
        if status != n::NDIS_STATUS_SUCCESS {
            cx.with(|s| {
                if status == n::NDIS_STATUS_PENDING {
                    let message = alloc::format!("ProtocolCoCreateVc of {object} returned PENDING");
                    s.violate_by(callback.who.clone(), "VC-12", Some(object), message);
                }
                s.end_vc(number);
            });
            return cx.done(if status == n::NDIS_STATUS_PENDING {
                n::NDIS_STATUS_FAILURE
            } else {
                status
            });
        }
        cx.with(|s| {
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.manager_context = Context(slot);
            }
        });
        // SAFETY: the caller's variable for the result.
        unsafe { out.write(handle(client_raw)) };
        cx.done(status)
    }

    /// Deletes a client's VC.
    fn NdisCoDeleteVc(vc: NDIS_HANDLE) -> i32 {
        let call = CO_DELETE.name;
        let cx = Cx::enter(CO_DELETE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            if s.is_mcm_handle(vc.addr()) {
                s.wrong_set(call, DELETE.name, vc.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let number = s
                .take(call, vc.addr(), Kind::ClientVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if s.world.vcs.get(&number).is_some_and(|vc| !vc.by_client) {
                let message = alloc::format!("{call} on {object}, which the call manager made");
                s.violate("VC-22", Some(object), message);
                return Err(n::NDIS_STATUS_NOT_ACCEPTED);
            }
            s.deletable(call, number)?;
            let Some(record) = s.world.vcs.get_mut(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let waits = record.activity != Activity::Inactive;
            if waits {
                // The call manager has completed the close and will deactivate.
                record.deleting = true;
                s.handles.kill(vc.addr());
            }
            Ok((number, waits))
        });
        let (number, waits) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        if waits {
            return cx.done(n::NDIS_STATUS_SUCCESS);
        }
        cx.done(delete_at_manager(&cx, number))
    }

    /// Makes a VC for an incoming call.
    fn NdisMCmCreateVc(
        adapter: NDIS_HANDLE,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        out: *mut NDIS_HANDLE,
    ) -> i32 {
        let call = CREATE.name;
        let cx = Cx::enter(CREATE, &[adapter, af]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if out.is_null() {
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let prepared = cx.with(|s| {
            s.check_out(call, out);
            let adapter = s
                .take_adapter(call, adapter.addr())
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let af = s
                .take(call, af.addr(), Kind::CallManagerAf)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let Some(record) = s.world.afs.get(&af) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let client_context = record.client_context;
            if record.adapter != adapter {
                let object = ObjectId::new(Kind::ClientAf, af);
                let message = alloc::format!("{call}: {object} is not of that adapter");
                s.violate("VC-06", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            if !State::usable(record) {
                // The client is closing it; the call manager could not know.
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let handler = s.world.client(af).and_then(|c| c.ClCreateVcHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            let made = s.make_vc(af, false, Context(context));
            let (number, client_raw, manager_raw) = made.ok_or(n::NDIS_STATUS_RESOURCES)?;
            s.join_call(number);
            let object = ObjectId::new(Kind::ClientVc, number);
            let callback = s.to_client("ProtocolCoCreateVc", af, object);
            Ok((number, client_raw, manager_raw, client_context, handler, callback))
        });
        let (number, client_raw, manager_raw, client_context, handler, callback) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let object = ObjectId::new(Kind::ClientVc, number);
        cx.about(object);
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let status = cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(client_context.0, handle(client_raw), &raw mut slot) }
        });
        if status != n::NDIS_STATUS_SUCCESS {
            cx.with(|s| {
                if status == n::NDIS_STATUS_PENDING {
                    let message = alloc::format!("ProtocolCoCreateVc of {object} returned PENDING");
                    s.violate_by(callback.who.clone(), "VC-12", Some(object), message);
                }
                s.end_vc(number);
            });
            return cx.done(if status == n::NDIS_STATUS_PENDING {
                n::NDIS_STATUS_FAILURE
            } else {
                status
            });
        }
        cx.with(|s| {
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.client_context = Context(slot);
            }
        });
        // SAFETY: the caller's variable for the result.
        unsafe { out.write(handle(manager_raw)) };
        cx.done(status)
    }

    /// Deletes a VC that the call manager made.
    fn NdisMCmDeleteVc(vc: NDIS_HANDLE) -> i32 {
        let call = DELETE.name;
        let cx = Cx::enter(DELETE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let prepared = cx.with(|s| {
            let number = s
                .take(call, vc.addr(), Kind::CallManagerVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            if s.world.vcs.get(&number).is_some_and(|vc| vc.by_client) {
                let message = alloc::format!("{call} on {object}, which the client made");
                s.violate("VC-22", Some(object), message);
                return Err(n::NDIS_STATUS_NOT_ACCEPTED);
            }
            s.deletable(call, number)?;
            let Some(record) = s.world.vcs.get(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let (af, context) = (record.af, record.client_context);
            let handler = s.world.client(af).and_then(|c| c.ClDeleteVcHandler);
            let handler = handler.ok_or(n::NDIS_STATUS_FAILURE)?;
            Ok((number, context, handler, s.to_client("ProtocolCoDeleteVc", af, object)))
        });
        let (number, context, handler, callback) = match prepared {
            Ok(prepared) => prepared,
            Err(status) => return cx.done(status),
        };
        let object = ObjectId::new(Kind::ClientVc, number);
        let status = cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(context.0) }
        });
        cx.with(|s| {
            if status == n::NDIS_STATUS_PENDING {
                let message = alloc::format!("ProtocolCoDeleteVc of {object} returned PENDING");
                s.violate_by(callback.who.clone(), "VC-14", Some(object), message);
            }
            if status == n::NDIS_STATUS_SUCCESS || status == n::NDIS_STATUS_PENDING {
                s.end_vc(number);
            }
        });
        cx.done(status)
    }
}}
