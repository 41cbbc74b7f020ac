//! The third of a VC that a connection-oriented miniport has, when a call manager stands
//! alone above it: it is made, activated, deactivated and deleted as that one says.

use crate::callback::{Context, Ptr, handle};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::request::Asked;
use crate::settle::Settled;
use crate::state::State;
use alloc::sync::Arc;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE};

/// The miniport makes its third, if it has one; the error is a status.
pub(crate) fn create(cx: &Cx, number: u32) -> Result<(), i32> {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get(&number)?;
        let (adapter, raw) = (vc.adapter, vc.miniport.as_ref()?.raw);
        let handler = s.world.miniport_co(adapter)?.CoCreateVcHandler?;
        let context = s.world.adapters.get(&adapter)?.context?;
        let callback = s.to_carrier_of("MiniportCoCreateVc", number);
        Some((raw, handler, context, callback))
    });
    let Some((raw, handler, context, callback)) = prepared else {
        return Ok(());
    };
    let mut slot: NDIS_HANDLE = core::ptr::null_mut();
    // Nobody's context: whether the variable was written can be seen.
    let unwritten: NDIS_HANDLE = (&raw mut slot).cast();
    slot = unwritten;
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler with its context for the adapter; the variable lives
        // for the call.
        unsafe { handler(context.0, handle(raw), &raw mut slot) }
    });
    cx.with(|s| {
        let who = callback.who.clone();
        let called = callback.name;
        match status {
            n::NDIS_STATUS_SUCCESS if slot == unwritten => {
                let message =
                    alloc::format!("{called} of {object} returned SUCCESS and no context");
                s.violate_by(who, "VC-65", Some(object), message);
                slot = core::ptr::null_mut();
            }
            n::NDIS_STATUS_SUCCESS | n::NDIS_STATUS_RESOURCES => {}
            n::NDIS_STATUS_PENDING => {
                let message = alloc::format!("{called} of {object} returned PENDING");
                s.violate_by(who, "VC-13", Some(object), message);
            }
            other => {
                let name = crate::status::Name(other);
                let message = alloc::format!("{called} of {object} returned {name}");
                s.violate_by(who, "VC-65", Some(object), message);
            }
        }
        if status != n::NDIS_STATUS_SUCCESS {
            return Err(if status == n::NDIS_STATUS_PENDING {
                n::NDIS_STATUS_FAILURE
            } else {
                status
            });
        }
        let vc = s.world.vcs.get_mut(&number);
        if let Some(third) = vc.and_then(|vc| vc.miniport.as_mut()) {
            third.context = Context(slot);
        }
        Ok(())
    })
}

/// The miniport deletes its third, if it has one.
pub(crate) fn delete(cx: &Cx, number: u32) {
    let object = ObjectId::new(Kind::ClientVc, number);
    let prepared = cx.with(|s| {
        let vc = s.world.vcs.get_mut(&number)?;
        let adapter = vc.adapter;
        let third = vc.miniport.take()?;
        s.handles.kill(third.raw);
        let handler = s.world.miniport_co(adapter)?.CoDeleteVcHandler?;
        Some((
            third.context,
            handler,
            s.to_carrier_of("MiniportCoDeleteVc", number),
        ))
    });
    let Some((context, handler, callback)) = prepared else {
        return;
    };
    let status = cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context, for the last time.
        unsafe { handler(context.0) }
    });
    if status != n::NDIS_STATUS_SUCCESS {
        let rule = if status == n::NDIS_STATUS_PENDING {
            "VC-13"
        } else {
            "VC-29"
        };
        let name = crate::status::Name(status);
        let message = alloc::format!("{} of {object} returned {name}", callback.name);
        cx.with(|s| s.violate_by(callback.who.clone(), rule, Some(object), message));
    }
}

/// The miniport activates its third, or changes its parameters; None if it has none.
pub(crate) fn activate(cx: &Cx, number: u32, parameters: Ptr<CO_CALL_PARAMETERS>) -> Option<i32> {
    let object = ObjectId::new(Kind::ClientVc, number);
    let (context, handler, question) = cx.with(|s| {
        let vc = s.world.vcs.get_mut(&number)?;
        let (adapter, context) = (vc.adapter, vc.miniport.as_ref()?.context);
        let handler = s.world.miniport_co(adapter)?.CoActivateVcHandler?;
        let vc = s.world.vcs.get_mut(&number)?;
        vc.begin_activation(parameters);
        let what = alloc::format!("{object} is being activated with these call parameters");
        let loan = s
            .memory
            .lend(parameters.0.addr(), "VC-35", Some(object), &what);
        let callback = s.to_carrier_of("MiniportCoActivateVc", number);
        Some((
            context,
            handler,
            s.question(callback, Asked::ActivateVc(number), loan),
        ))
    })?;
    let settled = cx.ask(&question, || {
        // SAFETY: the driver's handler with its own context; the parameters are the call
        // manager's and stay valid until the activation has completed.
        unsafe { handler(context.0, parameters.0) }
    });
    let Settled::Now(status) = settled else {
        return Some(n::NDIS_STATUS_PENDING);
    };
    cx.with(|s| {
        let documented = [
            n::NDIS_STATUS_SUCCESS,
            n::NDIS_STATUS_INVALID_DATA,
            n::NDIS_STATUS_RESOURCES,
        ];
        if !documented.contains(&status) {
            let message = alloc::format!(
                "MiniportCoActivateVc of {object} returned {}",
                crate::status::Name(status)
            );
            let who = question.callback.who.clone();
            s.violate_by(who, "VC-40", Some(object), message);
        }
        if let Some(vc) = s.world.vcs.get_mut(&number) {
            vc.end_activation(status);
        }
    });
    Some(status)
}

/// The miniport deactivates its third; None if it has none.
pub(crate) fn deactivate(cx: &Cx, number: u32) -> Option<i32> {
    let object = ObjectId::new(Kind::ClientVc, number);
    let (context, handler, question) = cx.with(|s| {
        let vc = s.world.vcs.get(&number)?;
        let (adapter, context) = (vc.adapter, vc.miniport.as_ref()?.context);
        let handler = s.world.miniport_co(adapter)?.CoDeactivateVcHandler?;
        s.world.vcs.get_mut(&number)?.deactivate(true);
        let callback = s.to_carrier_of("MiniportCoDeactivateVc", number);
        Some((
            context,
            handler,
            s.question(callback, Asked::DeactivateVc(number), None),
        ))
    })?;
    let settled = cx.ask(&question, || {
        // SAFETY: the driver's handler with its own context.
        unsafe { handler(context.0) }
    });
    let Settled::Now(status) = settled else {
        return Some(n::NDIS_STATUS_PENDING);
    };
    cx.with(|s| {
        let who = question.callback.who.clone();
        if status != n::NDIS_STATUS_SUCCESS {
            let message = alloc::format!(
                "MiniportCoDeactivateVc of {object} returned {}",
                crate::status::Name(status)
            );
            s.violate_by(who.clone(), "VC-64", Some(object), message);
        }
        s.check_transfers("MiniportCoDeactivateVc", who, number);
        if let Some(vc) = s.world.vcs.get_mut(&number) {
            vc.deactivated();
        }
    });
    Some(n::NDIS_STATUS_SUCCESS)
}

impl State {
    /// The VC of a miniport's call about data or an activation.
    pub(crate) fn take_carried(&mut self, call: &'static str, raw: usize) -> Option<u32> {
        use crate::handle::Lookup::Live;
        if let Live(Kind::CallManagerVc, number) = self.handles.look(raw)
            && self.world.is_mcms(number)
        {
            return Some(number);
        }
        self.take(call, raw, Kind::MiniportVc)
    }

    /// VC-49: a deactivation is over with transfers that are not.
    pub(super) fn check_transfers(&mut self, call: &str, who: Arc<str>, number: u32) {
        let Some(vc) = self.world.vcs.get(&number) else {
            return;
        };
        let object = ObjectId::new(Kind::ClientVc, number);
        if let Some(message) = vc.transfers(call, object, self.readings.transfer_ends) {
            self.violate_by(who, "VC-49", Some(object), message);
        }
    }
}
