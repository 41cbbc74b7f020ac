//! What is to be done on a VC, as its state says: the calls to NDIS and to the driver. Their
//! level is that of the caller's proof, DISPATCH_LEVEL at most (rule DV-03).

use super::{AcceptedCall, Base, CallManager, Vc, VcShared};
use crate::{
    Status,
    cm::{
        sap::SapShared,
        state::{Done, End, Kind, Parameters, Settled, State, Step},
    },
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    mem::Arc,
    params::{CallParameters, CallParametersBuf},
    scope::Scope,
    stack,
};
use core::ptr;
use ndis_sys::CO_CALL_PARAMETERS;

impl<M: CallManager> VcShared<M> {
    /// Does what the state asks for and allows.
    pub(crate) fn advance(vc: &Vc<M>, irql: &mut UpToDispatch) {
        Self::change(vc, |_| (), irql);
    }

    /// Changes the state and does what is due then. The change and the choice of the first step
    /// are one look at the state, as are what came of each step and the choice of the next one.
    #[inline]
    pub(crate) fn change<R>(
        vc: &Vc<M>,
        change: impl FnOnce(&mut State) -> R,
        irql: &mut UpToDispatch,
    ) -> R {
        let (result, step) = vc.shared.pick(change);
        if let Some(step) = step {
            Self::carry_on(vc, step, irql);
        }
        result
    }

    /// The driver takes a call that the client places.
    pub(crate) fn accept(vc: &Vc<M>, accept: impl FnOnce(&mut State), irql: &mut UpToDispatch) {
        let low = stack::is_low();
        let activation = vc.shared.look(|state, _| {
            accept(state);
            if low { None } else { state.activate() }
        });
        match activation {
            Some(parameters) => match Self::bring_up(vc, &parameters, irql) {
                Done::Left => Self::leave(vc, irql),
                done => Self::change(vc, |state| state.settle(done), irql),
            },
            None => Self::advance(vc, irql),
        }
    }

    /// The driver offers a call to the client, on a VC that it has activated.
    pub(super) fn offer(vc: &Vc<M>, own: Option<CallParametersBuf>, irql: &mut UpToDispatch) {
        let low = stack::is_low();
        let offered = vc.shared.look(|state, _| {
            state.offer(own);
            if low { None } else { state.dispatch() }
        });
        match offered {
            Some(parameters) => {
                let done = Self::ring(vc, &parameters, irql);
                drop(parameters);
                Self::change(vc, |state| state.settle(done), irql);
            }
            None => Self::advance(vc, irql),
        }
    }

    /// Offers the call.
    fn ring(vc: &Vc<M>, parameters: &Parameters, irql: &mut UpToDispatch) -> Done {
        let status = Self::dispatch(vc, parameters, irql);
        if status.is_pending() {
            return Done::Rang;
        }
        // The step holds the VC as long as the driver is told.
        Self::answered(vc, status, ptr::null_mut(), true, irql);
        Done::Left
    }

    /// The driver connects the call that the client has accepted; `false` when it is over already.
    pub(super) fn connect(vc: &Vc<M>, irql: &mut UpToDispatch) -> bool {
        let low = stack::is_low();
        let (open, number) = vc.shared.with(|state, _| {
            let open = state.connect();
            (open, if low { None } else { state.tell_client() })
        });
        match number {
            Some(number) => {
                let done = Self::tell_client(vc, number, irql);
                Self::change(vc, |state| state.settle(done), irql);
            }
            None => Self::advance(vc, irql),
        }
        open
    }

    /// Tells the client that its call is connected, and then the driver.
    fn tell_client(vc: &Vc<M>, number: u32, irql: &mut UpToDispatch) -> Done {
        // SAFETY: the driver's own VC (CALL-38), accepted, told once;
        // the step keeps the handle valid.
        unsafe { ndis_sys::NdisCmDispatchCallConnected(vc.shared.handle()) };
        Self::tell_connected(vc, number, true, irql)
    }

    /// Activates the VC, and completes a call that was accepted when that is done at once.
    fn bring_up(vc: &Vc<M>, parameters: &Parameters, irql: &mut UpToDispatch) -> Done {
        let result = vc.shared.activate(parameters);
        // There is as much stack as there was before.
        let made = vc.shared.with(|state, _| {
            state.activation_returned(result);
            state.complete_made()
        });
        let Some((parameters, number)) = made else {
            return Done::Nothing;
        };
        Self::complete_make_call(vc, Status::SUCCESS, &parameters, irql);
        drop(parameters);
        Self::tell_connected(vc, number, false, irql)
    }

    /// Deactivates the VC; whether that is its end.
    fn deactivate(&self) -> bool {
        // SAFETY: active, and nothing is under way on it (rules VC-44,
        // VC-48, VC-49).
        let status = unsafe { M::Base::deactivate_vc(self.handle()) };
        // Not accepted means that it was inactive (rule VC-45).
        !Status::from_raw(status).is_pending()
    }

    /// The driver has nothing against a close: does what is due, and says what the request is
    /// answered with when nothing is left to do.
    pub(crate) fn finish_close(vc: &Vc<M>, irql: &mut UpToDispatch) -> Settled {
        let this = &vc.shared;
        let low = stack::is_low();
        let deactivate = this.look(|state, part| {
            state.finish_close();
            !low && state.deactivate(part)
        });
        if deactivate {
            let over = this.deactivate();
            let settled = this.look(|state, part| {
                state.deactivation_returned(over);
                state.is_closed().then(|| state.settle_close(part))
            });
            if let Some(settled) = settled {
                return settled;
            }
        }
        Self::go_on_closing(vc, irql)
    }

    /// The rest of it, in the order of the state.
    #[cold]
    fn go_on_closing(vc: &Vc<M>, irql: &mut UpToDispatch) -> Settled {
        let this = &vc.shared;
        let mut done = Done::Nothing;
        loop {
            let next = this.with(|state, part| {
                state.settle(done);
                let step = state.next(part, stack::is_low);
                step.ok_or_else(|| state.settle_close(part))
            });
            match next {
                Ok(Step {
                    kind: Kind::Later, ..
                }) => {
                    Self::defer(this);
                    return this.with(State::settle_close);
                }
                Ok(step) => done = Self::carry_out(vc, step, irql),
                Err(settled) => return settled,
            }
        }
    }

    /// Activates a VC of this driver's making; why that failed, if it is known by now.
    pub(super) fn activate_created(
        vc: &Vc<M>,
        parameters: CallParametersBuf,
        irql: &mut UpToDispatch,
    ) -> Option<Status> {
        let (left, step) = vc.shared.pick(|state| state.want_activate(parameters));
        let refused = left.map(|_| Status::CLOSING);
        let (failed, next) = match step {
            Some(Step {
                kind: Kind::Activate,
                parameters,
                ..
            }) => {
                let done = Done::Activated(vc.shared.activate(&parameters));
                vc.shared.pick(|state| {
                    state.settle(done);
                    state.take_failed()
                })
            }
            step => (refused, step),
        };
        if let Some(next) = next {
            Self::carry_on(vc, next, irql);
        }
        failed
    }

    /// Carries out a step that was taken, and those that are due then.
    pub(super) fn carry_on(vc: &Vc<M>, mut step: Step, irql: &mut UpToDispatch) {
        loop {
            let done = Self::carry_out(vc, step, irql);
            if matches!(done, Done::Unchanged) {
                return;
            }
            match vc.shared.pick(|state| state.settle(done)) {
                ((), Some(next)) => step = next,
                ((), None) => return,
            }
        }
    }

    /// Looks at the state or changes it, and picks what is to be done next.
    fn pick<R>(&self, change: impl FnOnce(&mut State) -> R) -> (R, Option<Step>) {
        self.with(|state, part| {
            let result = change(state);
            (result, state.next(part, stack::is_low))
        })
    }

    /// Activates the VC; what came of that, unless it comes later.
    pub(super) fn activate(&self, parameters: &Parameters) -> Option<Status> {
        // No rounding is asked for in parameters of the driver's own, so they come back as
        // they were (rule VC-38); a client that asks for it finds it in its own.
        // SAFETY: the VC exists and is inactive. Parameters of the
        // driver's own belong to this step for the call, and to the
        // VC until it is inactive again; the client's to the client
        // until its call is completed, which is after this
        // activation (rules VC-35, CALL-02).
        let status = unsafe { M::Base::activate_vc(self.handle(), parameters.as_raw()) };
        let status = Status::from_raw(status);
        (!status.is_pending()).then_some(status)
    }

    /// Carries out one step, and says what came of it.
    fn carry_out(vc: &Vc<M>, step: Step, irql: &mut UpToDispatch) -> Done {
        let this = &vc.shared;
        let Step {
            kind,
            status,
            number,
            parameters,
        } = step;
        match kind {
            Kind::Later => {
                Self::defer(this);
                Done::Unchanged
            }
            Kind::Activate => Self::bring_up(vc, &parameters, irql),
            Kind::CompleteMakeCall => {
                Self::complete_make_call(vc, status, &parameters, irql);
                if status.is_success() {
                    Self::tell_connected(vc, number, false, irql)
                } else {
                    Done::Nothing
                }
            }
            Kind::Dispatch => Self::ring(vc, &parameters, irql),
            Kind::Connect => Self::tell_client(vc, number, irql),
            Kind::DispatchClose => {
                if let Some(End { status, data }) = this.look(|state, _| state.take_announced()) {
                    let data = data.as_ref().map_or(&[][..], |data| data);
                    // It was a length of 32 bits when the driver gave it.
                    let size = u32::try_from(data.len()).unwrap_or(0);
                    Self::dispatch_close(this, status, data, size);
                }
                Done::Left
            }
            Kind::TellFailed => {
                this.af.driver().call_failed(vc, status, irql);
                Done::Left
            }
            Kind::Deactivate => Done::Deactivated(this.deactivate()),
            Kind::CompleteClose => {
                // SAFETY: the close was pended and is completed once (rule
                // CALL-52), deactivated (CALL-49), point-to-point.
                unsafe {
                    ndis_sys::NdisCmCloseCallComplete(status.raw(), this.handle(), ptr::null_mut());
                }
                Done::Closed
            }
            Kind::Delete => {
                // SAFETY: the driver's own VC (VC-22), inactive and without
                // a call (VC-23), deleted once.
                let status = unsafe { M::Base::delete_vc(this.handle()) };
                if Status::from_raw(status).is_success() {
                    // In the state it stays one that is being deleted: nobody asks further.
                    this.af.driver().vc_deleted(vc, irql);
                    Self::retire(this, irql);
                } else {
                    // Before it is tried again, on another processor perhaps.
                    this.look(|state, _| state.delete_refused());
                    Self::defer_later(this);
                }
                Done::Unchanged
            }
        }
    }

    /// Completes the call that the client has placed.
    fn complete_make_call(
        vc: &Vc<M>,
        status: Status,
        parameters: &Parameters,
        irql: &mut UpToDispatch,
    ) {
        let this = &vc.shared;
        if !status.is_success() {
            // Before the completion, within which the client deletes its VC.
            this.af.driver().call_failed(vc, status, irql);
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
    fn tell_connected(vc: &Vc<M>, number: u32, held: bool, irql: &mut UpToDispatch) -> Done {
        let this = &vc.shared;
        if !this.with(|state, _| state.hold_connected(number, held)) {
            return Done::Nothing;
        }
        this.af.driver().call_connected(vc, irql);
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
    fn dispatch(vc: &Vc<M>, parameters: &Parameters, irql: &mut UpToDispatch) -> Status {
        let this = &vc.shared;
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

    /// The client has answered the offered call. `held` says that the VC is held until this has
    /// returned; otherwise this does so.
    pub(crate) fn answered(
        vc: &Vc<M>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        held: bool,
        irql: &mut UpToDispatch,
    ) {
        let this = &vc.shared;
        let Some((accepted, offered)) = this.with(|state, _| state.answered(status, held)) else {
            return;
        };
        let driver = this.af.driver();
        if accepted {
            // SAFETY: the client hands back what it was offered, which belongs to
            // `offered` on this stack, whatever the handler does to the call; or
            // parameters of its own, which it keeps until its call of
            // NdisClIncomingCallComplete, within which this runs, has returned.
            let view = unsafe { CallParameters::from_raw(parameters) }.ok();
            driver.incoming_call_accepted(AcceptedCall::new(vc.clone()), view, irql);
        } else {
            driver.incoming_call_refused(vc, status.as_failure(), irql);
        }
        drop(offered);
        if !held {
            Self::leave(vc, irql);
        }
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
        let vc = Vc { shared: this };
        M::Base::complete_dropped(&vc, irql.up_to_dispatch());
        Self::change(&vc, State::unblock, irql.up_to_dispatch());
    }
}
