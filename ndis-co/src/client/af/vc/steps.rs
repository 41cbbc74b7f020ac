//! What is to be done on a VC, as its state says: the calls to NDIS and to the driver.

use super::{Above, AfShared, Client, Vc, VcShared};
use crate::{
    Status,
    client::state::{State, Step},
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    mem::{Arc, Vec},
    params::{CallParameters, CallParametersBuf},
    scope::Scope,
    stack,
};
use core::{ffi::c_void, ptr};
use ndis_sys::CO_CALL_PARAMETERS;

impl<C: Client> VcShared<C> {
    /// The call was placed, or not.
    pub(in crate::client) fn make_call_completed(
        vc: &Vc<C>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) {
        if let Some(step) = Self::dialled(vc, status, parameters, irql) {
            Self::carry_on(vc, step, irql);
        }
    }

    /// Tells the client what came of the call that it placed; what is due then.
    fn dialled(
        vc: &Vc<C>,
        status: Status,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) -> Option<Step> {
        let this = &vc.shared;
        // Ours belong to `kept` from here on: the callback may hang up, and the
        // VC be gone before it is done with looking.
        let (kept, more) = this
            .state
            .locked(|state| state.dialled(status.is_success()));
        if status.is_success() {
            // SAFETY: these are ours, which belong to `kept` on this stack, or
            // the call manager's own (rule CALL-17), which keeps them until its
            // completion of the call, NdisCmMakeCallComplete, has returned.
            // This runs within that.
            let view = unsafe { CallParameters::from_raw(parameters) }.ok();
            this.af.client().call_connected(vc, view, irql);
            drop(kept);
            // What somebody wants from here on, he does.
            if more { this.pick(|_| ()).1 } else { None }
        } else {
            this.af.client().call_failed(vc, status.as_failure(), irql);
            drop(kept);
            // Only now, so that the callback still finds the VC.
            this.pick(State::want_delete).1
        }
    }

    /// Ends the call and, for the client's own VC, deletes it.
    pub(in crate::client) fn end(vc: &Vc<C>, irql: &mut UpToDispatch) {
        Self::advance(vc, irql);
    }

    /// Does what the state asks for and allows.
    pub(in crate::client) fn advance(vc: &Vc<C>, irql: &mut UpToDispatch) {
        Self::change(vc, |_| (), irql);
    }

    /// Changes the state and does what is due then. The change and the choice of the first step
    /// are one look at the state, as are what came of each step and the choice of the next one.
    #[inline]
    pub(in crate::client) fn change<R>(
        vc: &Vc<C>,
        change: impl FnOnce(&mut State) -> R,
        irql: &mut UpToDispatch,
    ) -> R {
        let (result, step) = vc.shared.pick(change);
        if let Some(step) = step {
            Self::carry_on(vc, step, irql);
        }
        result
    }

    /// Looks at the state or changes it, and picks what is to be done next.
    fn pick<R>(&self, change: impl FnOnce(&mut State) -> R) -> (R, Option<Step>) {
        self.state
            .locked_then(change, |state, result| (result, state.next(stack::is_low)))
    }

    /// Carries out a step that was taken, and those that are due then.
    fn carry_on(vc: &Vc<C>, mut step: Step, irql: &mut UpToDispatch) {
        while let Some(next) = Self::carry_out(vc, step, irql) {
            step = next;
        }
    }

    /// Carries out one step, and gives the one that is due then.
    fn carry_out(vc: &Vc<C>, step: Step, irql: &mut UpToDispatch) -> Option<Step> {
        let this = &vc.shared;
        match step {
            Step::Later => {
                Self::defer(this);
                None
            }
            Step::TellUndialled(status) => {
                this.af.client().call_failed(vc, status, irql);
                this.pick(|_| ()).1
            }
            Step::EndAbove { status, number } => {
                this.above.end(number, status, irql);
                this.pick(|_| ()).1
            }
            Step::Dial { parameters } => Self::place(vc, parameters, irql),
            Step::Answer {
                status,
                parameters,
                number,
            } => {
                // SAFETY: the call was offered and pended, and is answered
                // once (rule CALL-29), with the parameters it came with.
                unsafe {
                    ndis_sys::NdisClIncomingCallComplete(status.raw(), this.handle(), parameters);
                }
                let (told, next) = this.pick(|state| state.answer_told(number));
                if told {
                    // A family that is being closed may have waited for this.
                    AfShared::advance_later(&this.af);
                }
                next
            }
            Step::Close { data } => Self::close(vc, data, irql),
            Step::Delete => {
                Self::delete(vc, irql);
                None
            }
        }
    }

    /// Places the call; what is due then.
    fn place(
        vc: &Vc<C>,
        parameters: *mut CO_CALL_PARAMETERS,
        irql: &mut UpToDispatch,
    ) -> Option<Step> {
        // SAFETY: the VC exists, has no call, and is not deleted
        // while one is being placed; the parameters stay with the
        // state until the completion (rule CALL-02);
        // point-to-point, so both party arguments are null (rule
        // CALL-04).
        let status = unsafe {
            ndis_sys::NdisClMakeCall(
                vc.shared.handle(),
                parameters,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let status = Status::from_raw(status);
        if status.is_pending() {
            return None;
        }
        // What is answered at once is completed here (rules CALL-03, GEN-06).
        Self::dialled(vc, status, parameters, irql)
    }

    /// Places the call that is wanted now.
    pub(super) fn dial(
        vc: &Vc<C>,
        parameters: CallParametersBuf,
        checked: Result<(), Status>,
        irql: &mut UpToDispatch,
    ) -> u32 {
        let low = stack::is_low();
        let (number, placed) = vc.shared.state.locked(|state| {
            state.dial(parameters, checked);
            let placed = if low { None } else { state.place() };
            (state.number(), placed)
        });
        match placed {
            Some(parameters) => {
                if let Some(step) = Self::place(vc, parameters, irql) {
                    Self::carry_on(vc, step, irql);
                }
            }
            None => Self::advance(vc, irql),
        }
        number
    }

    /// Closes the call; what is due then.
    fn close(vc: &Vc<C>, data: Option<Arc<Vec<u8>>>, irql: &mut UpToDispatch) -> Option<Step> {
        let (bytes, size) = match &data {
            Some(data) => (data.base().cast::<c_void>(), data.len()),
            None => (ptr::null_mut(), 0),
        };
        // SAFETY: a call is up, all sends are back (CALL-42), and
        // this is its one close (CALL-70). The data belong to
        // `data` until the call has returned, and to the VC until
        // the completion (CALL-47); their size is zero when null.
        let status = unsafe {
            ndis_sys::NdisClCloseCall(vc.shared.handle(), ptr::null_mut(), bytes, size as u32)
        };
        drop(data);
        let status = Status::from_raw(status);
        if status.is_pending() {
            return None;
        }
        // As there (rule CALL-46).
        Self::closed(vc, status, irql)
    }

    /// Asks for the close of the call, if there is still that one when it has a number, and gives
    /// back data that is of no use.
    pub(super) fn hang_up_with(
        vc: &Vc<C>,
        number: Option<u32>,
        data: Option<Arc<Vec<u8>>>,
        irql: &mut UpToDispatch,
    ) -> Option<Arc<Vec<u8>>> {
        let low = stack::is_low();
        let (spare, closes) = vc.shared.state.locked_then(
            |state| state.hang_up(number, data),
            |state, spare| (spare, if low { None } else { state.close() }),
        );
        match closes {
            Some(data) => {
                if let Some(step) = Self::close(vc, data, irql) {
                    Self::carry_on(vc, step, irql);
                }
            }
            None => Self::advance(vc, irql),
        }
        spare
    }

    /// Deletes the client's own VC.
    fn delete(vc: &Vc<C>, irql: &mut UpToDispatch) {
        let this = &vc.shared;
        // SAFETY: the client's own VC (VC-22) without a call
        // (VC-23), for its close has completed (CALL-66);
        // deleted once.
        let status = unsafe { ndis_sys::NdisCoDeleteVc(this.handle()) };
        if Status::from_raw(status).is_success() {
            // In the state it stays one that is being deleted: the family waits until
            // it is out of the list.
            this.af.client().vc_deleted(vc, irql);
            Self::retire(this);
        } else {
            this.state.locked(State::delete_refused);
            Self::defer_later(this);
        }
    }

    /// The callback of an offer returns with its answer. NDIS has it a moment
    /// later, so a family that waits for that goes on from the work item.
    pub(in crate::client) fn returns(this: &Arc<Self>, number: u32) {
        if this.state.locked(|state| state.returns(number)) {
            Self::defer(this);
        }
    }

    /// The close has completed.
    pub(in crate::client) fn close_completed(vc: &Vc<C>, status: Status, irql: &mut UpToDispatch) {
        if let Some(step) = Self::closed(vc, status, irql) {
            Self::carry_on(vc, step, irql);
        }
    }

    /// As above; what is due then.
    fn closed(vc: &Vc<C>, status: Status, irql: &mut UpToDispatch) -> Option<Step> {
        let this = &vc.shared;
        // The data are no longer lent. A call manager that could not carry them
        // (rule CALL-48) is asked again without.
        if status.is_success() {
            let (tell, data) = this
                .state
                .locked(|state| (state.closed(), state.take_close_data()));
            drop(data);
            if tell {
                this.af.client().call_closed(vc, irql);
            }
            let low = stack::is_low();
            let deletes = this.state.locked(|state| {
                state.closed_and_told();
                !low && state.delete()
            });
            if deletes {
                Self::delete(vc, irql);
                return None;
            }
            let next = this.pick(|_| ()).1;
            AfShared::advance_later(&this.af);
            next
        } else {
            let data = this.state.locked(|state| {
                state.close_refused();
                state.take_close_data()
            });
            drop(data);
            Self::defer_later(this);
            None
        }
    }
}

impl<C: Client> Deferred for VcShared<C> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.af.binding.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        let (returned, waits) = this.state.locked(|state| {
            state.retry();
            (state.has_returned(), state.waits_for_return())
        });
        if returned {
            AfShared::advance_later(&this.af);
        }
        if waits {
            Self::defer_later(&this);
        }
        Self::send_queued(&this, irql.up_to_dispatch());
        Self::advance(&Vc { shared: this }, irql.up_to_dispatch());
    }
}
