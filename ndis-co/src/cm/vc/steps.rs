//! What is to be done on a VC, as its state says: the calls to NDIS and to the driver. Their
//! level is that of the caller's proof, DISPATCH_LEVEL at most (rule DV-03).

use super::{AcceptedCall, Base, CallManager, Vc, VcShared};
use crate::{
    Status,
    cm::{
        sap::SapShared,
        state::{Done, End, Parameters, Step},
    },
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    mem::Arc,
    params::CallParameters,
    scope::Scope,
    stack,
};
use core::ptr;
use ndis_sys::CO_CALL_PARAMETERS;

impl<M: CallManager> VcShared<M> {
    /// Does what the state asks for and allows.
    pub(crate) fn advance(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let mut done = Done::Nothing;
        loop {
            let step = this.look(|state, _| {
                state.settle(done);
                let step = state.next(&this.part, stack::is_low)?;
                this.show(state);
                Some(step)
            });
            let Some(step) = step else { return };
            if matches!(step, Step::Later) {
                return Self::defer(this);
            }
            done = Self::carry_out(this, step, irql);
        }
    }

    /// Carries out one step, and says what came of it.
    fn carry_out(this: &Arc<Self>, step: Step, irql: &mut UpToDispatch) -> Done {
        match step {
            Step::Later => Done::Nothing,
            // No rounding is asked for in parameters of the driver's own, so they come back as
            // they were (rule VC-38); a client that asks for it finds it in its own.
            Step::Activate(parameters) => {
                // SAFETY: the VC exists and is inactive. Parameters of the
                // driver's own belong to this step for the call, and to the
                // VC until it is inactive again; the client's to the client
                // until its call is completed, which is after this
                // activation (rules VC-35, CALL-02).
                let status = unsafe { M::Base::activate_vc(this.handle(), parameters.as_raw()) };
                let status = Status::from_raw(status);
                Done::Activated((!status.is_pending()).then_some(status))
            }
            Step::CompleteMakeCall {
                status,
                parameters,
                number,
            } => {
                Self::complete_make_call(this, status, &parameters, irql);
                if status.is_success() {
                    Self::tell_connected(this, number, false, irql)
                } else {
                    Done::Nothing
                }
            }
            Step::Dispatch(parameters) => {
                let status = Self::dispatch(this, &parameters, irql);
                if status.is_pending() {
                    return Done::Rang;
                }
                Self::answered(this, status, ptr::null_mut(), irql);
                Done::Left
            }
            Step::Connect(number) => {
                // SAFETY: the driver's own VC (CALL-38), accepted, told once;
                // the step keeps the handle valid.
                unsafe { ndis_sys::NdisCmDispatchCallConnected(this.handle()) };
                Self::tell_connected(this, number, true, irql)
            }
            Step::DispatchClose(End { status, data }) => {
                let data = data.as_ref().map_or(&[][..], |data| data);
                // It was a length of 32 bits when the driver gave it.
                let size = u32::try_from(data.len()).unwrap_or(0);
                Self::dispatch_close(this, status, data, size);
                Done::Left
            }
            Step::TellFailed(status) => {
                this.af.driver().call_failed(&Self::vc(this), status, irql);
                Done::Left
            }
            Step::Deactivate => {
                // SAFETY: active, and nothing is under way on it (rules VC-44,
                // VC-48, VC-49).
                let status = unsafe { M::Base::deactivate_vc(this.handle()) };
                // Not accepted means that it was inactive (rule VC-45).
                Done::Deactivated(!Status::from_raw(status).is_pending())
            }
            Step::CompleteClose(status) => {
                // SAFETY: the close was pended and is completed once (rule
                // CALL-52), deactivated (CALL-49), point-to-point.
                unsafe {
                    ndis_sys::NdisCmCloseCallComplete(status.raw(), this.handle(), ptr::null_mut());
                }
                Done::Closed
            }
            Step::Delete => {
                // SAFETY: the driver's own VC (VC-22), inactive and without
                // a call (VC-23), deleted once.
                let status = unsafe { M::Base::delete_vc(this.handle()) };
                if Status::from_raw(status).is_success() {
                    this.look(|state, _| state.deleted());
                    this.af.driver().vc_deleted(&Self::vc(this), irql);
                    Self::retire(this, irql);
                } else {
                    // Before it is tried again, on another processor perhaps.
                    this.look(|state, _| state.delete_refused());
                    Self::defer_later(this);
                }
                Done::Nothing
            }
        }
    }

    fn vc(this: &Arc<Self>) -> Vc<M> {
        Vc {
            shared: this.clone(),
        }
    }

    /// Completes the call that the client has placed.
    fn complete_make_call(
        this: &Arc<Self>,
        status: Status,
        parameters: &Parameters,
        irql: &mut UpToDispatch,
    ) {
        if !status.is_success() {
            // Before the completion, within which the client deletes its VC.
            this.af.driver().call_failed(&Self::vc(this), status, irql);
        }
        // SAFETY: the call was pended and is completed once (rule
        // CALL-13), active when with success (CALL-10), and
        // point-to-point (CALL-15). Parameters of the driver's own
        // belong to the caller's step: the client looks at them within this
        // call, in which it may also end the call.
        unsafe {
            ndis_sys::NdisCmMakeCallComplete(
                status.raw(),
                this.handle(),
                ptr::null_mut(),
                ptr::null_mut(),
                parameters.as_raw(),
            );
        }
    }

    /// The client knows of its call: tells the driver, which holds the VC meanwhile. `held`
    /// says that the step does so already.
    fn tell_connected(this: &Arc<Self>, number: u32, held: bool, irql: &mut UpToDispatch) -> Done {
        if !this.with(|state, _| state.hold_connected(number, held)) {
            return Done::Nothing;
        }
        this.af.driver().call_connected(&Self::vc(this), irql);
        Done::Left
    }

    /// Tells the client that the other side hung up. The state says that it may be
    /// told, and counts this as busy.
    pub(super) fn dispatch_close(this: &Arc<Self>, status: Status, data: &[u8], size: u32) {
        let buffer = if size == 0 {
            ptr::null_mut()
        } else {
            data.as_ptr().cast_mut().cast()
        };
        // SAFETY: the client knows of the call and is told of its end once (rules
        // CALL-39, CALL-61), and busy keeps the handle valid; the data live for
        // the call, which only reads them, and have size zero when null (rule
        // CALL-60).
        unsafe {
            ndis_sys::NdisCmDispatchIncomingCloseCall(status.raw(), this.handle(), buffer, size);
        }
    }

    /// Offers the call on its SAP, if that is still there.
    fn dispatch(this: &Arc<Self>, parameters: &Parameters, irql: &mut UpToDispatch) -> Status {
        let Some(sap) = &this.sap else {
            return Status::FAILURE;
        };
        let handle = match sap.enter() {
            Ok(handle) => handle,
            Err(status) => return status,
        };
        // SAFETY: the SAP is held valid; the VC is active and of the same
        // client (rules CALL-41, SAP-26). The parameters belong to the caller's
        // step for the call, and to the VC until the answer (rule CALL-26).
        let status = unsafe {
            ndis_sys::NdisCmDispatchIncomingCall(handle, this.handle(), parameters.as_raw())
        };
        SapShared::leave(sap, irql);
        Status::from_raw(status)
    }

    /// The client has answered the offered call.
    pub(crate) fn answered(
        this: &Arc<Self>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) {
        let vc = Vc {
            shared: this.clone(),
        };
        let Some((accepted, offered)) = this.with(|state, _| state.answered(status)) else {
            return;
        };
        let driver = this.af.driver();
        if accepted {
            // SAFETY: the client hands back what it was offered, which belongs to
            // `offered` on this stack, whatever the handler does to the call; or
            // parameters of its own, which it keeps until its call of
            // NdisClIncomingCallComplete, within which this runs, has returned.
            let view = unsafe { CallParameters::from_raw(parameters) }.ok();
            driver.incoming_call_accepted(AcceptedCall::new(vc), view, irql);
        } else {
            driver.incoming_call_refused(&vc, status.as_failure(), irql);
        }
        drop(offered);
        Self::leave(this, irql);
    }
}

impl<M: CallManager> Deferred for VcShared<M> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.af.scope()
    }

    /// Dropped lists first, then whatever is due.
    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.look(|state, _| state.unblock());
        let vc = Vc {
            shared: this.clone(),
        };
        M::Base::complete_dropped(&vc, irql.up_to_dispatch());
        Self::advance(&this, irql.up_to_dispatch());
    }
}
