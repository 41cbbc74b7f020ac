//! Call managers activate and deactivate VCs: when one may carry data.

use crate::callback::Ptr;
use crate::cx::{Cx, job};
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::joined::{self, Change};
use crate::miniport::vc::{activate as activate_third, deactivate as deactivate_third};
use crate::model::vc::{Activity, CallPhase};
use crate::readings::{ActivateComplete, DeactivateComplete};
use crate::sched::{DISPATCH, Work};
use crate::state::State;
use crate::vcs::delete_if_waiting;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

const ACTIVATE: Call = Call::new("NdisMCmActivateVc");
const DEACTIVATE: Call = Call::new("NdisMCmDeactivateVc");
const ACTIVATE_ALONE: Call = Call::new("NdisCmActivateVc").unlocked("GEN-01");
const DEACTIVATE_ALONE: Call = Call::new("NdisCmDeactivateVc").unlocked("GEN-01");

fn activation_complete(cx: &Cx, number: u32, parameters: Ptr<CO_CALL_PARAMETERS>) {
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get_mut(&number)?;
        let loan = vc.activated();
        let (served_by, context) = (vc.served_by, vc.manager_context);
        s.memory.give_back(loan);
        let handlers = s.world.manager_handlers(served_by)?;
        let handler = handlers.CmActivateVcCompleteHandler?;
        let callback = s.to_manager_of("ProtocolCmActivateVcComplete", number);
        Some((callback, context, handler))
    });
    if let Some((callback, context, handler)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context; it keeps the
            // parameters until the activation has completed.
            unsafe { handler(n::NDIS_STATUS_SUCCESS, context.0, parameters.0) };
        });
    }
}

/// Tells an MCM that its VC is deactivated.
fn tell_deactivated(cx: &Cx, number: u32) {
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get(&number)?;
        let (served_by, context) = (vc.served_by, vc.manager_context);
        let handlers = s.world.manager_handlers(served_by)?;
        let handler = handlers.CmDeactivateVcCompleteHandler?;
        let callback = s.to_manager_of("ProtocolCmDeactivateVcComplete", number);
        Some((callback, context, handler))
    });
    if let Some((callback, context, handler)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(n::NDIS_STATUS_SUCCESS, context.0) };
        });
    }
}

fn deactivation_complete(cx: &Cx, number: u32) {
    cx.with(|s| {
        if let Some(vc) = s.world.vcs.get_mut(&number) {
            vc.deactivated();
        }
    });
    tell_deactivated(cx, number);
    delete_if_waiting(cx, number);
}

/// Queues a completion, at PASSIVE_LEVEL or at DISPATCH_LEVEL.
fn later(s: &mut State, name: &str, run: impl FnOnce(&Cx) + Send + 'static) {
    let irql = if s.rng.chance(1, 2) { DISPATCH } else { 0 };
    s.sched.queue(Work {
        id: 0,
        name: name.into(),
        irql,
        frame: None,
        system: false,
        plug_and_play: false,
        run: job(run),
    });
}

impl State {
    /// The VC that a call manager activates with these parameters, and whether there is
    /// anything to do; the error is a status.
    fn activated_by(
        &mut self,
        call: &'static str,
        raw: usize,
        parameters: *mut CO_CALL_PARAMETERS,
    ) -> Result<(u32, bool), i32> {
        let number = self
            .take(call, raw, Kind::CallManagerVc)
            .ok_or(n::NDIS_STATUS_FAILURE)?;
        let object = ObjectId::new(Kind::ClientVc, number);
        let Some(vc) = self.world.vcs.get(&number) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let established = matches!(
            vc.phase,
            CallPhase::Up | CallPhase::Connected | CallPhase::Offered | CallPhase::Accepted
        );
        match vc.activity {
            Activity::Activating | Activity::Deactivating => {
                let message = alloc::format!(
                    "{call} on {object} while another change is pending ({})",
                    vc.activity
                );
                self.violate("VC-34", Some(object), message);
                return Err(n::NDIS_STATUS_FAILURE);
            }
            Activity::Active if vc.af.is_some() && !established && !vc.modify.open() => {
                let message = alloc::format!(
                    "{call} on {object}, which is active and has no call whose parameters \
                     could have changed"
                );
                self.violate("VC-32", Some(object), message);
                return Ok((number, false));
            }
            _ => {}
        }
        // SAFETY: the call manager's parameters, as far as its memory goes.
        unsafe { self.check_call_parameters(call, "VC-35", object, parameters) };
        Ok((number, true))
    }

    /// The VC that a call manager deactivates; the error is a status.
    fn deactivated_by(&mut self, call: &'static str, raw: usize) -> Result<u32, i32> {
        let number = self
            .take(call, raw, Kind::CallManagerVc)
            .ok_or(n::NDIS_STATUS_FAILURE)?;
        let object = ObjectId::new(Kind::ClientVc, number);
        let Some(vc) = self.world.vcs.get(&number) else {
            return Err(n::NDIS_STATUS_FAILURE);
        };
        let (phase, before) = (vc.phase, vc.activations > 0);
        match vc.activity {
            Activity::Active => {}
            Activity::Activating => {
                let message = alloc::format!("{call} on {object} while its activation is pending");
                self.violate("VC-34", Some(object), message);
                return Err(n::NDIS_STATUS_NOT_ACCEPTED);
            }
            Activity::Inactive | Activity::Deactivating => {
                if before {
                    let message = alloc::format!("{call} on {object} a second time");
                    self.violate("VC-48", Some(object), message);
                }
                return Err(n::NDIS_STATUS_NOT_ACCEPTED);
            }
        }
        match phase {
            CallPhase::Up | CallPhase::Connected => {
                let message =
                    alloc::format!("{call} on {object} before the client has closed its call");
                self.violate("CALL-58", Some(object), message);
            }
            CallPhase::Accepted | CallPhase::Offered | CallPhase::Withdrawn => {
                let message = alloc::format!(
                    "{call} on {object}, whose offered call has not been closed or refused"
                );
                self.violate("CALL-39", Some(object), message);
            }
            _ => {}
        }
        Ok(number)
    }
}

exports! { EXPORTS {
    /// Activates a VC, or changes the parameters of an active one.
    fn NdisMCmActivateVc(vc: NDIS_HANDLE, parameters: *mut CO_CALL_PARAMETERS) -> i32 {
        let call = ACTIVATE.name;
        let cx = Cx::enter(ACTIVATE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if parameters.is_null() {
            return cx.done(n::NDIS_STATUS_INVALID_DATA);
        }
        let answer = cx.with(|s| {
            if s.is_alone_handle(vc.addr()) {
                s.wrong_set(call, ACTIVATE_ALONE.name, vc.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let (number, changes) = s.activated_by(call, vc.addr(), parameters)?;
            if !changes {
                return Ok((number, false, false));
            }
            let object = ObjectId::new(Kind::ClientVc, number);
            let reading = s.readings.activate_complete;
            let later = reading == ActivateComplete::OnPending && s.rng.chance(1, 4);
            let what = alloc::format!("{object} is being activated with these call parameters");
            let loan = if later {
                s.memory.lend(parameters.addr(), "VC-35", Some(object), &what)
            } else {
                None
            };
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.activate(later, loan);
            }
            Ok((number, later, reading == ActivateComplete::Always))
        });
        let (number, pends, always) = match answer {
            Ok(answer) => answer,
            Err(status) => return cx.done(status),
        };
        let parameters = Ptr(parameters);
        if always {
            activation_complete(&cx, number, parameters);
        }
        if !pends {
            return cx.done(n::NDIS_STATUS_SUCCESS);
        }
        cx.with(|s| {
            later(s, "completion of an activation", move |cx| {
                let parameters = parameters;
                activation_complete(cx, number, parameters);
            });
        });
        cx.done(n::NDIS_STATUS_PENDING)
    }

    /// Deactivates a VC.
    fn NdisMCmDeactivateVc(vc: NDIS_HANDLE) -> i32 {
        let call = DEACTIVATE.name;
        let cx = Cx::enter(DEACTIVATE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let answer = cx.with(|s| {
            if s.is_alone_handle(vc.addr()) {
                s.wrong_set(call, DEACTIVATE_ALONE.name, vc.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let number = s.deactivated_by(call, vc.addr())?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let vc = s.world.vcs.get(&number).ok_or(n::NDIS_STATUS_FAILURE)?;
            let upper = vc.upper.and_then(|upper| s.world.vcs.get(&upper));
            let ends = s.readings.transfer_ends;
            let left = [Some(vc), upper].into_iter().flatten();
            let left = left.filter_map(|vc| vc.transfers(call, object, ends)).next();
            if let Some(message) = left {
                s.violate("VC-49", Some(object), message);
            }
            let reading = s.readings.deactivate_complete;
            let later = reading == DeactivateComplete::OnPending && s.rng.chance(1, 4);
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.deactivate(later);
            }
            Ok((number, later, reading == DeactivateComplete::Always))
        });
        let (number, pends, always) = match answer {
            Ok(answer) => answer,
            Err(status) => return cx.done(status),
        };
        if pends {
            cx.with(|s| {
                later(s, "completion of a deactivation", move |cx| {
                    deactivation_complete(cx, number);
                });
            });
            return cx.done(n::NDIS_STATUS_PENDING);
        }
        if always {
            tell_deactivated(&cx, number);
        }
        delete_if_waiting(&cx, number);
        cx.done(n::NDIS_STATUS_SUCCESS)
    }

    /// Activates a VC of a stand-alone call manager: at the miniport.
    fn NdisCmActivateVc(vc: NDIS_HANDLE, parameters: *mut CO_CALL_PARAMETERS) -> i32 {
        let call = ACTIVATE_ALONE.name;
        let cx = Cx::enter(ACTIVATE_ALONE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        if parameters.is_null() {
            return cx.done(n::NDIS_STATUS_INVALID_DATA);
        }
        let answer = cx.with(|s| {
            if s.is_mcm_handle(vc.addr()) {
                s.wrong_set(call, ACTIVATE.name, vc.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            s.activated_by(call, vc.addr(), parameters)
        });
        let number = match answer {
            Ok((number, true)) => number,
            Ok((_, false)) => return cx.done(n::NDIS_STATUS_SUCCESS),
            Err(status) => return cx.done(status),
        };
        if let Some(status) = activate_third(&cx, number, Ptr(parameters)) {
            return cx.done(status);
        }
        // An MCM's adapter: there is nothing to activate beneath, except what it shares.
        joined::ask(&cx, number, Change::Activate(Ptr(parameters)));
        cx.with(|s| {
            if let Some(vc) = s.world.vcs.get_mut(&number) {
                vc.activate(false, None);
            }
        });
        cx.done(n::NDIS_STATUS_SUCCESS)
    }

    /// Deactivates a VC of a stand-alone call manager: at the miniport.
    fn NdisCmDeactivateVc(vc: NDIS_HANDLE) -> i32 {
        let call = DEACTIVATE_ALONE.name;
        let cx = Cx::enter(DEACTIVATE_ALONE, &[vc]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let answer = cx.with(|s| {
            if s.is_mcm_handle(vc.addr()) {
                s.wrong_set(call, DEACTIVATE.name, vc.addr());
                return Err(n::NDIS_STATUS_FAILURE);
            }
            s.deactivated_by(call, vc.addr())
        });
        let number = match answer {
            Ok(number) => number,
            Err(status) => return cx.done(status),
        };
        let status = deactivate_third(&cx, number).unwrap_or_else(|| {
            joined::ask(&cx, number, Change::Deactivate);
            cx.with(|s| {
                if let Some(vc) = s.world.vcs.get_mut(&number) {
                    vc.deactivate(false);
                }
            });
            n::NDIS_STATUS_SUCCESS
        });
        if status != n::NDIS_STATUS_PENDING {
            delete_if_waiting(&cx, number);
        }
        cx.done(status)
    }
}}
