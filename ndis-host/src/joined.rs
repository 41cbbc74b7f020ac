//! VCs that are joined: a protocol that is client and call manager at once offers the call that
//! it has as a client to a client of its own, whose data then go straight to and from the MCM
//! beneath. So NDPROXY gives NDISWAN the calls of a WAN miniport.
//!
//! No page says how the second VC is tied to the first. Here the handle of the first is in the
//! variable for that of the second; what becomes of it are the readings `joined_vc` and
//! `joined_activation`.

use crate::callback::Ptr;
use crate::cx::Cx;
use crate::handle::{Kind, Lookup, ObjectId};
use crate::model::manager::Manager;
use crate::model::vc::Owners;
use crate::readings::{JoinedActivation, JoinedVc};
use crate::rules;
use crate::state::State;
use ndis_sys as n;
use ndis_sys::CO_CALL_PARAMETERS;

impl State {
    /// Whose a VC is to be, when the variable for its handle holds `before`: it shares the VC
    /// of that handle, when the creator is its client.
    pub(crate) fn joins(
        &mut self,
        call: &'static str,
        before: usize,
        owners: Result<Owners, i32>,
    ) -> Result<Owners, i32> {
        let found = self.handles.look(before);
        let joins = match (&owners, found) {
            (_, Lookup::Null) => return owners,
            // It is not made for another reason, and nobody knows what it was to be.
            (Err(_), Lookup::Live(Kind::ClientVc, _)) => return owners,
            (Ok(it), Lookup::Live(Kind::ClientVc, lower)) => match it.served_by {
                Manager::Alone { binding } if it.af.is_some() && !it.by_client => {
                    Some((binding, lower))
                }
                _ => None,
            },
            _ => None,
        };
        let Some((binding, lower)) = joins else {
            self.not_null(call);
            return owners;
        };
        let object = ObjectId::new(Kind::ClientVc, lower);
        let vc = self.world.vcs.get(&lower).ok_or(n::NDIS_STATUS_FAILURE)?;
        let af = vc.af.and_then(|af| self.world.afs.get(&af));
        let why = if af.is_none_or(|af| af.binding != binding) {
            Some("which is of another binding")
        } else if vc.upper.is_some() {
            Some("which another VC shares")
        } else {
            None
        };
        let of_mcm = matches!(vc.served_by, Manager::Mcm { .. });
        if let Some(why) = why {
            let message = alloc::format!("{call} to share {object}, {why}");
            let manager = ObjectId::new(Kind::Binding, binding);
            let who = self.actor(call, &[Some(manager), None, None]);
            self.violate_by(who, "VC-70", Some(object), message);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        if !of_mcm {
            let message =
                alloc::format!("{call} to share {object}, which is no MCM's, is not simulated");
            self.violate(rules::NOT_SIMULATED, Some(object), message);
            return Err(n::NDIS_STATUS_NOT_SUPPORTED);
        }
        owners.map(|owners| Owners {
            lower: Some(lower),
            ..owners
        })
    }

    /// Whether data may go on a VC by its own activation, or by that of the one that it shares.
    /// The MCM may have deactivated that one, of which the sender knows nothing.
    pub(crate) fn carried(&self, vc: u32) -> bool {
        let Some(vc) = self.world.vcs.get(&vc) else {
            return false;
        };
        let one = self.readings.joined_vc == JoinedVc::Shared && vc.lower.is_some();
        vc.carries() || one
    }

    /// Whether a call may be offered on a VC as on one that is active, since it shares one that
    /// is.
    pub(crate) fn shares_active(&self, vc: u32) -> bool {
        let lower = self.world.vcs.get(&vc).and_then(|vc| vc.lower);
        let lower = lower.and_then(|vc| self.world.vcs.get(&vc));
        self.readings.joined_vc == JoinedVc::Shared && lower.is_some_and(|vc| vc.carries())
    }
}

/// What the MCM is asked of a VC that is shared, when the one that shares it is activated or
/// deactivated.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    Activate(Ptr<CO_CALL_PARAMETERS>),
    Deactivate,
}

/// Asks the MCM, where it is asked.
pub(crate) fn ask(cx: &Cx, number: u32, change: Change) {
    let prepared = cx.with(|s| {
        if s.readings.joined_activation == JoinedActivation::ByOwner {
            return None;
        }
        let lower = s.world.vcs.get(&number)?.lower?;
        let adapter = s.world.adapter_of_vc(lower)?;
        let context = s.world.carriers_context(lower)?;
        let table = s.world.miniport_co(adapter)?;
        let (activate, deactivate) = (table.CoActivateVcHandler, table.CoDeactivateVcHandler);
        let name = match change {
            Change::Activate(_) => "MiniportCoActivateVc",
            Change::Deactivate => "MiniportCoDeactivateVc",
        };
        let callback = s.to_carrier_of(name, lower);
        Some((lower, context, activate, deactivate, callback))
    });
    let Some((lower, context, activate, deactivate, callback)) = prepared else {
        return;
    };
    let status = match change {
        Change::Activate(parameters) => activate.map(|handler| {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context; the parameters are the call
                // manager's for the time of its call.
                unsafe { handler(context.0, parameters.0) }
            })
        }),
        Change::Deactivate => deactivate.map(|handler| {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context.
                unsafe { handler(context.0) }
            })
        }),
    };
    // Without such a handler there is nobody to ask.
    if let Some(status) = status.filter(|status| *status != n::NDIS_STATUS_SUCCESS) {
        let object = ObjectId::new(Kind::ClientVc, lower);
        let name = crate::status::Name(status);
        let message = alloc::format!(
            "{} of {object}, which another VC shares, returned {name}",
            callback.name
        );
        cx.with(|s| s.violate_by(callback.who.clone(), "VC-72", Some(object), message));
    }
}
