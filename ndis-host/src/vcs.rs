//! VCs are made and deleted, by clients and by call managers of both kinds: all that is the
//! same for each of them. A miniport that is no MCM has its third of a VC, and is asked
//! before the other party is; at the end of a VC it is told after the other party, which may
//! refuse.

use crate::callback::{Callback, Context, handle};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::manager::Manager;
use crate::model::vc::{Activity, CallPhase, Owners, Third, Vc};
use crate::state::State;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

/// A VC that is being made.
struct Made {
    number: u32,
    client_raw: usize,
    manager_raw: usize,
}

/// The party of a VC that did not make it: its handler, with its context of the family.
struct Other {
    callback: Callback,
    context: Context,
    handler: unsafe extern "system" fn(NDIS_HANDLE, NDIS_HANDLE, *mut NDIS_HANDLE) -> i32,
}

/// What the variable for a new handle holds before the call.
pub(crate) fn before(out: *mut NDIS_HANDLE) -> usize {
    // SAFETY: the caller's initialized variable.
    unsafe { out.read() }.addr()
}

impl State {
    /// A VC with the context of the side that makes it.
    fn make_vc(&mut self, owners: Owners, context: Context) -> Option<Made> {
        if self.faults.allocation() {
            return None;
        }
        let number = self.number(Kind::ClientVc);
        let client_raw = match owners.af {
            Some(_) => self.handles.make(Kind::ClientVc, number),
            None => 0,
        };
        let manager_raw = self.handles.make(Kind::CallManagerVc, number);
        let mut vc = Vc::new((client_raw, manager_raw), owners, context);
        if self.has_third(owners) {
            vc.miniport = Some(Third {
                raw: self.handles.make(Kind::MiniportVc, number),
                context: Context::NULL,
            });
        }
        self.world.vcs.insert(number, vc);
        if let Some(lower) = owners.lower {
            self.world.join(number, lower);
        }
        Some(Made {
            number,
            client_raw,
            manager_raw,
        })
    }

    /// Whether the miniport has its part of such a VC: it is not the call manager, and not
    /// another one, which has no handler for that.
    pub(crate) fn has_third(&self, owners: Owners) -> bool {
        let alone = matches!(owners.served_by, Manager::Alone { .. }) && owners.lower.is_none();
        let co = self.world.miniport_co(owners.adapter);
        alone && co.is_some_and(|co| co.CoCreateVcHandler.is_some())
    }

    /// The handle variable must be NULL before a VC is created (VC-05).
    pub(crate) fn check_out(&mut self, call: &str, out: *mut NDIS_HANDLE) {
        if before(out) != 0 {
            self.not_null(call);
        }
    }

    pub(crate) fn not_null(&mut self, call: &str) {
        let message = alloc::format!("{call}: the handle variable is not NULL before the call");
        self.violate("VC-05", None, message);
    }

    /// Whether a VC may be deleted by its creator; otherwise the status.
    pub(crate) fn deletable(&mut self, call: &'static str, number: u32) -> Result<(), i32> {
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
        let of_client = vc.by_client;
        if let Some(upper) = vc.upper.filter(|_| of_client) {
            let upper = ObjectId::new(Kind::ClientVc, upper);
            let message = alloc::format!("{call} on {object}, which {upper} shares");
            let who = self.actor(call, &[Some(object), None, None]);
            self.violate_by(who, "VC-71", Some(object), message);
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        if !self.check_requests_of_vc(call, number, of_client) {
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        let Some(vc) = self.world.vcs.get(&number) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        if vc.activity != Activity::Inactive && !vc.by_client {
            let alone = matches!(vc.served_by, Manager::Alone { .. });
            // VC-24.
            let status = if alone && vc.activity == Activity::Deactivating {
                n::NDIS_STATUS_CLOSING
            } else {
                n::NDIS_STATUS_NOT_ACCEPTED
            };
            let message = alloc::format!("{call} on {object} while it is active ({})", vc.activity);
            self.violate("VC-23", Some(object), message);
            return Err(status);
        }
        if self.holds_vc(number) {
            self.note(Some(object), "not deleted: NDIS asks about it, or tells");
            return Err(n::NDIS_STATUS_NOT_ACCEPTED);
        }
        Ok(())
    }

    /// The VC, and the party that is to hear of it; the error is a status.
    fn prepare_vc(
        &mut self,
        owners: Owners,
        context: Context,
    ) -> Result<(Made, Option<Other>), i32> {
        let other = match owners.af {
            None => None,
            Some(af) => {
                let handler = if owners.by_client {
                    self.world.manager(af).and_then(|m| m.CmCreateVcHandler)
                } else {
                    self.world.client(af).and_then(|c| c.ClCreateVcHandler)
                };
                Some((af, handler.ok_or(n::NDIS_STATUS_FAILURE)?))
            }
        };
        let made = self.make_vc(owners, context);
        let made = made.ok_or(n::NDIS_STATUS_RESOURCES)?;
        let Some((af, handler)) = other else {
            return Ok((made, None));
        };
        if !owners.by_client {
            self.join_call(made.number);
        }
        let object = ObjectId::new(Kind::ClientVc, made.number);
        let Some(record) = self.world.afs.get(&af) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let (context, callback) = if owners.by_client {
            let callback = self.to_manager("ProtocolCoCreateVc", af, object);
            (record.manager_context, callback)
        } else {
            let callback = self.to_client("ProtocolCoCreateVc", af, object);
            (record.client_context, callback)
        };
        let other = Other {
            callback,
            context,
            handler,
        };
        Ok((made, Some(other)))
    }
}

/// Makes a VC: the handle of the side that makes it, or a status.
pub(crate) fn create(cx: &Cx, owners: Owners, context: Context) -> Result<usize, i32> {
    let (made, other) = cx.with(|s| s.prepare_vc(owners, context))?;
    let number = made.number;
    let object = ObjectId::new(Kind::ClientVc, number);
    cx.about(object);
    if let Err(status) = crate::miniport::vc::create(cx, number) {
        cx.with(|s| s.end_vc(number));
        return Err(status);
    }
    if let Some(other) = other {
        let raw = if owners.by_client {
            made.manager_raw
        } else {
            made.client_raw
        };
        let mut slot: NDIS_HANDLE = core::ptr::null_mut();
        let status = cx.call(&other.callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { (other.handler)(other.context.0, handle(raw), &raw mut slot) }
        });
        if status != n::NDIS_STATUS_SUCCESS {
            if status == n::NDIS_STATUS_PENDING {
                let message = alloc::format!("ProtocolCoCreateVc of {object} returned PENDING");
                let who = other.callback.who.clone();
                cx.with(|s| s.violate_by(who, "VC-12", Some(object), message));
            }
            crate::miniport::vc::delete(cx, number);
            cx.with(|s| s.end_vc(number));
            return Err(if status == n::NDIS_STATUS_PENDING {
                n::NDIS_STATUS_FAILURE
            } else {
                status
            });
        }
        cx.with(|s| {
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                if owners.by_client {
                    vc.manager_context = Context(slot);
                } else {
                    vc.client_context = Context(slot);
                }
            }
        });
    }
    Ok(if owners.by_client {
        made.client_raw
    } else {
        made.manager_raw
    })
}

/// Deletes a VC that its creator may delete: the other party's answer.
pub(crate) fn delete(cx: &Cx, number: u32) -> i32 {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get_mut(&number)?;
        vc.going = true;
        // The names are their drivers' from here on: who is told first may free its own.
        let copies = vc
            .named
            .as_mut()
            .map(|named| core::mem::take(&mut named.copies));
        for copy in copies.into_iter().flatten() {
            s.memory.give_back(Some(copy));
        }
        let vc = s.world.vcs.get(&number)?;
        let (af, by_client) = (vc.af?, vc.by_client);
        let (client, manager) = (vc.client_context, vc.manager_context);
        Some(if by_client {
            let handler = s.world.manager(af)?.CmDeleteVcHandler?;
            let callback = s.to_manager("ProtocolCoDeleteVc", af, object);
            (handler, callback, manager)
        } else {
            let handler = s.world.client(af)?.ClDeleteVcHandler?;
            let callback = s.to_client("ProtocolCoDeleteVc", af, object);
            (handler, callback, client)
        })
    });
    // There is none for a VC of the call manager's own, and none that has gone without a
    // word, which is reported (BIND-19).
    let mut status = n::NDIS_STATUS_SUCCESS;
    if let Some((handler, callback, context)) = prepared {
        status = cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(context.0) }
        });
        if status == n::NDIS_STATUS_PENDING {
            let message = alloc::format!("ProtocolCoDeleteVc of {object} returned PENDING");
            cx.with(|s| s.violate_by(callback.who.clone(), "VC-14", Some(object), message));
        }
        cx.with(|s| {
            let by_client = s.world.vcs.get(&number).is_some_and(|vc| vc.by_client);
            let shared = s.world.vcs.get(&number).and_then(|vc| vc.upper);
            if let Some(upper) = shared.filter(|_| status == n::NDIS_STATUS_SUCCESS) {
                let upper = ObjectId::new(Kind::ClientVc, upper);
                let message = alloc::format!(
                    "ProtocolCoDeleteVc of {object}, which {upper} shares, returned SUCCESS"
                );
                s.violate_by(callback.who.clone(), "VC-71", Some(object), message);
            }
            let kept = s.has_requests_of_vc(number, !by_client);
            if status == n::NDIS_STATUS_SUCCESS && kept {
                let message = alloc::format!(
                    "ProtocolCoDeleteVc of {object} returned SUCCESS to a driver that has \
                     requests of it outstanding"
                );
                s.violate_by(callback.who.clone(), "VC-27", Some(object), message);
            }
        });
    }
    if status == n::NDIS_STATUS_SUCCESS || status == n::NDIS_STATUS_PENDING {
        crate::miniport::vc::delete(cx, number);
        cx.with(|s| s.end_vc(number));
    } else {
        cx.with(|s| {
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.going = false;
            }
        });
    }
    status
}

/// A deletion that waited for the deactivation, and for what NDIS asks.
pub(crate) fn delete_if_waiting(cx: &Cx, number: u32) {
    let waiting = cx.with(|s| {
        s.world
            .vcs
            .get(&number)
            .is_some_and(|vc| vc.deleting && vc.activity == Activity::Inactive)
            && !s.holds_vc(number)
    });
    if waiting {
        delete(cx, number);
    }
}
