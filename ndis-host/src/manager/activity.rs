//! Call managers activate and deactivate VCs: when one may carry data.

use crate::callback::Ptr;
use crate::client::vc::delete_at_manager;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::vc::{Activity, CallPhase};
use crate::readings::{ActivateComplete, DeactivateComplete, TransferEnds};
use crate::sched::{DISPATCH, Work};
use crate::state::State;
use alloc::boxed::Box;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

const ACTIVATE: Call = Call::new("NdisMCmActivateVc");
const DEACTIVATE: Call = Call::new("NdisMCmDeactivateVc");

/// A deletion that waited for the deactivation.
fn delete_if_waiting(cx: &Cx, number: u32) {
    let waiting = cx.with(|s| {
        s.world
            .vcs
            .get(&number)
            .is_some_and(|vc| vc.deleting && vc.activity == Activity::Inactive)
    });
    if waiting {
        delete_at_manager(cx, number);
    }
}

fn activation_complete(cx: &Cx, number: u32, parameters: Ptr<CO_CALL_PARAMETERS>) {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get_mut(&number)?;
        let loan = vc.activated();
        let (af, context) = (vc.af, vc.manager_context);
        s.memory.give_back(loan);
        let handler = s.world.manager(af)?.CmActivateVcCompleteHandler?;
        let callback = s.to_manager("ProtocolCmActivateVcComplete", af, object);
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

fn deactivation_complete(cx: &Cx, number: u32) {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get_mut(&number)?;
        vc.deactivated();
        let (af, context) = (vc.af, vc.manager_context);
        let handler = s.world.manager(af)?.CmDeactivateVcCompleteHandler?;
        let callback = s.to_manager("ProtocolCmDeactivateVcComplete", af, object);
        Some((callback, context, handler))
    });
    if let Some((callback, context, handler)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context.
            unsafe { handler(n::NDIS_STATUS_SUCCESS, context.0) };
        });
    }
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
        run: Box::new(run),
    });
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
            let number = s
                .take(call, vc.addr(), Kind::CallManagerVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let Some(vc) = s.world.vcs.get(&number) else {
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
                    s.violate("VC-34", Some(object), message);
                    return Err(n::NDIS_STATUS_FAILURE);
                }
                Activity::Active if !established && !vc.modify.open() => {
                    let message = alloc::format!(
                        "{call} on {object}, which is active and has no call whose parameters \
                         could have changed"
                    );
                    s.violate("VC-32", Some(object), message);
                    return Ok((number, false, false));
                }
                _ => {}
            }
            // SAFETY: the call manager's parameters, as far as its memory goes.
            unsafe { s.check_call_parameters(call, "VC-35", object, parameters) };
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
            let number = s
                .take(call, vc.addr(), Kind::CallManagerVc)
                .ok_or(n::NDIS_STATUS_FAILURE)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let Some(vc) = s.world.vcs.get(&number) else {
                return Err(n::NDIS_STATUS_FAILURE);
            };
            let (phase, activity) = (vc.phase, vc.activity);
            let (sends, receives) = (vc.sends, vc.receives);
            let whole = s.readings.transfer_ends == TransferEnds::CallReturned;
            let running = if whole { vc.indicating } else { vc.lending };
            let before = vc.activations > 0;
            match activity {
                Activity::Active => {}
                Activity::Activating => {
                    let message =
                        alloc::format!("{call} on {object} while its activation is pending");
                    s.violate("VC-34", Some(object), message);
                    return Err(n::NDIS_STATUS_NOT_ACCEPTED);
                }
                Activity::Inactive | Activity::Deactivating => {
                    if before {
                        let message = alloc::format!("{call} on {object} a second time");
                        s.violate("VC-48", Some(object), message);
                    }
                    return Err(n::NDIS_STATUS_NOT_ACCEPTED);
                }
            }
            match phase {
                CallPhase::Up | CallPhase::Connected => {
                    let message = alloc::format!(
                        "{call} on {object} before the client has closed its call"
                    );
                    s.violate("CALL-58", Some(object), message);
                }
                CallPhase::Accepted | CallPhase::Offered | CallPhase::Withdrawn => {
                    let message = alloc::format!(
                        "{call} on {object}, whose offered call has not been closed or refused"
                    );
                    s.violate("CALL-39", Some(object), message);
                }
                _ => {}
            }
            if sends + receives > 0 {
                let message = alloc::format!(
                    "{call} on {object} with {sends} sends not completed and {receives} \
                     indicated lists not returned"
                );
                s.violate("VC-49", Some(object), message);
            } else if running > 0 {
                let message = alloc::format!(
                    "{call} on {object} while {running} calls of \
                     NdisMCoIndicateReceiveNetBufferLists on it have not returned"
                );
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
            let prepared = cx.with(|s| {
                let vc = s.world.vcs.get(&number)?;
                let (af, context) = (vc.af, vc.manager_context);
                let handler = s.world.manager(af)?.CmDeactivateVcCompleteHandler?;
                let object = ObjectId::new(Kind::ClientVc, number);
                let callback = s.to_manager("ProtocolCmDeactivateVcComplete", af, object);
                Some((callback, context, handler))
            });
            if let Some((callback, context, handler)) = prepared {
                cx.call(&callback, || {
                    // SAFETY: the driver's handler with its own context.
                    unsafe { handler(n::NDIS_STATUS_SUCCESS, context.0) };
                });
            }
        }
        delete_if_waiting(&cx, number);
        cx.done(n::NDIS_STATUS_SUCCESS)
    }
}}
