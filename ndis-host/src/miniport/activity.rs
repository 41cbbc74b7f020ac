//! A miniport answers an activation or a deactivation that it has pended, and its call manager,
//! which stands alone above it, hears of it.

use crate::callback::{Callback, Context};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::request::Asked;
use crate::model::vc::Activity;
use crate::state::State;
use crate::vcs::delete_if_waiting;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

const ACTIVATED: Call = Call::new("NdisMCoActivateVcComplete").unlocked("GEN-01");
const DEACTIVATED: Call = Call::new("NdisMCoDeactivateVcComplete").unlocked("GEN-01");

impl State {
    /// A miniport's answer to an activation or a deactivation that pends: who is to hear.
    fn third_answers(
        &mut self,
        call: &'static str,
        raw: usize,
        status: i32,
        (rule, asked): (&'static str, fn(u32) -> Asked),
    ) -> Option<u32> {
        let number = self.take(call, raw, Kind::MiniportVc)?;
        let object = ObjectId::new(Kind::ClientVc, number);
        if !self.final_status(call, status, object)
            || !self.completes(call, rule, object, asked(number), status)
        {
            return None;
        }
        Some(number)
    }

    /// What the call manager of a VC hears with: its context and the callback.
    fn hears(&self, name: &'static str, number: u32) -> Option<(Context, Callback)> {
        let context = self.world.vcs.get(&number)?.manager_context;
        Some((context, self.to_manager_of(name, number)))
    }
}

exports! { EXPORTS {
    /// Completes a pended `MiniportCoActivateVc`.
    fn NdisMCoActivateVcComplete(
        status: i32,
        vc: NDIS_HANDLE,
        parameters: *mut CO_CALL_PARAMETERS,
    ) {
        let call = ACTIVATED.name;
        let cx = Cx::enter(ACTIVATED, &[vc]);
        cx.done(status);
        let prepared = cx.with(|s| {
            let number = s.third_answers(call, vc.addr(), status, ("VC-43", Asked::ActivateVc))?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let vc = s.world.vcs.get_mut(&number)?;
            vc.end_activation(status);
            let own = vc.parameters;
            if parameters != own.0 {
                let message = alloc::format!(
                    "{call} on {object}: not the parameters of MiniportCoActivateVc"
                );
                s.violate("VC-43", Some(object), message);
            }
            let served_by = s.world.vcs.get(&number)?.served_by;
            let handler = s.world.manager_handlers(served_by)?.CmActivateVcCompleteHandler?;
            let (context, callback) = s.hears("ProtocolCmActivateVcComplete", number)?;
            Some((context, callback, handler, own))
        });
        if let Some((context, callback, handler, own)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context, and the parameters of
                // its call.
                unsafe { handler(status, context.0, own.0) };
            });
        }
    }

    /// Completes a pended `MiniportCoDeactivateVc`.
    fn NdisMCoDeactivateVcComplete(status: i32, vc: NDIS_HANDLE) {
        let call = DEACTIVATED.name;
        let cx = Cx::enter(DEACTIVATED, &[vc]);
        cx.done(status);
        let prepared = cx.with(|s| {
            let asked = ("VC-51", Asked::DeactivateVc as fn(u32) -> Asked);
            let number = s.third_answers(call, vc.addr(), status, asked)?;
            let who = s.who();
            if status == n::NDIS_STATUS_SUCCESS {
                s.check_transfers(call, who, number);
            }
            let vc = s.world.vcs.get_mut(&number)?;
            if status == n::NDIS_STATUS_SUCCESS {
                vc.deactivated();
            } else {
                vc.activity = Activity::Active;
            }
            let served_by = vc.served_by;
            let handler = s.world.manager_handlers(served_by)?.CmDeactivateVcCompleteHandler?;
            let (context, callback) = s.hears("ProtocolCmDeactivateVcComplete", number)?;
            Some((context, callback, handler, number))
        });
        if let Some((context, callback, handler, number)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context.
                unsafe { handler(status, context.0) };
            });
            delete_if_waiting(&cx, number);
        }
    }
}}
